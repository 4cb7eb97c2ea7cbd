//! Where a command is run: the project, and names that are near a mistyped one.

use super::exit::Refusal;
use crate::engine::{Project, ProjectError};
use std::io::BufRead;
use std::path::Path;

/// The project here, or in the nearest folder above.
pub(super) fn project() -> Result<Project, Refusal> {
    Project::find(Path::new(".")).map_err(|error| {
        let refusal = Refusal::new(error.to_string());
        match error {
            ProjectError::Missing(_) => refusal.hint("`mlp init` writes one to start from"),
            ProjectError::Unreadable { .. } => refusal,
        }
    })
}

/// The name that a mistyped one was most likely meant to be.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|other| (strsim::damerau_levenshtein(name, other), other))
        .filter(|(distance, other)| *distance <= name.len().max(other.len()) / 3)
        .min()
        .map(|(_, other)| other)
}

/// `--set`.
#[derive(clap::Args, Debug)]
pub(super) struct Settings {
    /// Give a `param` another value: `--set lr=3e-4`, `--set name=small`. May be repeated.
    #[arg(long = "set", value_name = "PARAM=VALUE")]
    set: Vec<String>,
}

impl Settings {
    /// Names and the texts of their values.
    pub(super) fn pairs(&self) -> Result<Vec<(String, String)>, Refusal> {
        let pair = |text: &String| {
            let (name, value) = text.split_once('=').ok_or_else(|| {
                Refusal::new(format!("`--set {text}` has no value"))
                    .hint(format!("write `--set {text}=VALUE`"))
            })?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        };
        self.set.iter().map(pair).collect()
    }
}

/// A path as it is shortest to type from here.
pub(super) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let inside = here.as_ref().and_then(|here| path.strip_prefix(here).ok());
    inside.unwrap_or(path).display().to_string()
}

/// A line (from 1) of a file, without its end; none where there is no such line.
pub(super) fn line(path: &Path, line: u64) -> Option<String> {
    let file = std::fs::File::open(path).ok()?;
    let mut lines = std::io::BufReader::new(file).split(b'\n');
    let bytes = lines.nth(usize::try_from(line.checked_sub(1)?).ok()?)?.ok()?;
    Some(String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned())
}
