//! `mlp store export` and `mlp store import`: results as one file, to carry them to another store.

use super::path::built;
use crate::base::size::Size;
use crate::cli::demand::Demanded;
use crate::cli::exit::{Exit, Refusal};
use crate::cli::place;
use crate::engine::{Imported, StoreError, open_store};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

/// Write the results of targets to an archive, with all that another store needs to find them.
///
/// The same results give the same bytes. Nothing is compressed: weights hardly get smaller, and `zstd` can be put behind it.
///
///   mlp store export fit.model -o fit.mlpa
///   mlp store export evaluate fit -o - | ssh other mlp store import -
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Export {
    /// The targets, as `mlp build` takes them. They must be built.
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    settings: place::Settings,
    /// The archive; `-` is stdout.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Take the results of an archive into the store.
///
/// Every byte is held against its digest, and nothing is taken over from an archive of which any is wrong. No result that is
/// here already is replaced. That these are the results of these steps is believed of whoever made the archive.
///
///   mlp store import fit.mlpa
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Import {
    /// The archive; `-` is stdin.
    #[arg(value_name = "FILE")]
    archive: PathBuf,
}

pub(super) fn export(arguments: &Export) -> Result<Exit, Refusal> {
    let (demanded, targets) = match built(&arguments.targets, &arguments.settings)? {
        Ok(built) => built,
        Err(exit) => return Ok(exit),
    };
    let path = &arguments.output;
    let Demanded {
        workspace, instance, ..
    } = &demanded;
    let exported = if is_stream(path) {
        workspace.export(instance, &targets, path, io::stdout().lock())
    } else {
        let file = File::create(path)
            .map_err(|error| Refusal::new(format!("`{}` cannot be written: {error}", path.display())))?;
        let exported = workspace.export(instance, &targets, path, BufWriter::new(file));
        if exported.is_err() {
            // What is cut short helps nobody.
            drop(std::fs::remove_file(path));
        }
        exported
    };
    let exported = exported.map_err(|error| Refusal::of_engine(&error))?;
    eprintln!(
        "{} {}, {}",
        exported.results,
        results(exported.results),
        Size(exported.bytes)
    );
    Ok(Exit::Success)
}

pub(super) fn import(arguments: &Import) -> Result<Exit, Refusal> {
    let path = &arguments.archive;
    let store = open_store().map_err(|error| Refusal::of_engine(&error))?;
    let imported = if is_stream(path) {
        store.import_archive(path, io::stdin().lock())
    } else {
        let file = File::open(path)
            .map_err(|error| Refusal::new(format!("`{}` cannot be read: {error}", path.display())))?;
        store.import_archive(path, file)
    };
    tell(&imported.map_err(|error: StoreError| Refusal::of_store(&error))?);
    Ok(Exit::Success)
}

fn tell(imported: &Imported) {
    let steps = imported.steps.len();
    eprintln!(
        "{steps} {}, {}{}",
        results(steps),
        Size(imported.bytes),
        named(": ", &imported.steps)
    );
    if !imported.differing.is_empty() {
        eprintln!(
            "warning: of {} other results stand here, which stay: the steps are not deterministic",
            named("", &imported.differing)
        );
    }
    let untraced: BTreeSet<String> = imported
        .untraced
        .difference(&imported.differing)
        .cloned()
        .collect();
    if !untraced.is_empty() {
        eprintln!(
            "warning: {} was made of other inputs than are here, and is found only where these come out the same",
            named("", &untraced)
        );
    }
}

fn results(n: usize) -> &'static str {
    if n == 1 { "result" } else { "results" }
}

fn named(before: &str, steps: &BTreeSet<String>) -> String {
    let names: Vec<String> = steps.iter().map(|step| format!("`{step}`")).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("{before}{}", names.join(", ")),
    }
}

fn is_stream(path: &Path) -> bool {
    path == Path::new("-")
}
