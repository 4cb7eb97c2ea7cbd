//! What programs say to `--version`: for people who ask what is here. Several at once, since each takes some milliseconds.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it lies.
    pub place: PathBuf,
    /// The first number with a dot in what it says.
    pub version: Option<String>,
}

/// Looks for each of `names` along PATH, and asks those that are there.
pub fn of<const N: usize>(names: [&str; N]) -> [Option<Found>; N] {
    std::thread::scope(|scope| {
        names
            .map(|name| scope.spawn(move || find(name)))
            .map(|asked| asked.join().ok().flatten())
    })
}

fn find(name: &str) -> Option<Found> {
    let place = place(name)?;
    let version = ask(&place);
    Some(Found { place, version })
}

/// Where the program of this name lies along PATH.
pub fn place(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|place| place.is_absolute() && place.is_file())
}

fn ask(program: &Path) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "it is asked who it is, and does nothing"
    )]
    let asked = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    number(&String::from_utf8_lossy(&asked.stdout))
}

/// `git version 2.39.5` is 2.39.5.
fn number(said: &str) -> Option<String> {
    let mut words = said.split_whitespace();
    let word =
        words.find(|word| word.starts_with(|first: char| first.is_ascii_digit()) && word.contains('.'))?;
    Some(word.trim_end_matches([',', ')']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_what_is_said() {
        let number = |said| number(said).unwrap_or_default();
        assert_eq!(number("git version 2.39.5\n"), "2.39.5");
        assert_eq!(number("nix (Nix) 2.8.0"), "2.8.0");
        assert_eq!(number("uv 0.9.1 (abc 2025-01-01)"), "0.9.1");
        assert_eq!(number("usage: x"), "");
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        assert_eq!(of(["no-such-program-of-anybody"]), [None]);
    }
}
