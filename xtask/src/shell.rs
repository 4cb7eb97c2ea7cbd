//! Running programs: what is run is said first, and a failure says what failed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    // CARGO_MANIFEST_DIR is xtask/ of the checkout that cargo runs this in.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A folder of ours in the user's cache, for what is downloaded once.
pub(crate) fn cache() -> Result<PathBuf, String> {
    let set = |name: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let base =
        base.ok_or("neither HOME nor XDG_CACHE_HOME is set\nhint: set one, downloads are kept there")?;
    Ok(base.join("mlp"))
}

/// The command `line` (words between spaces) in the root of the checkout.
pub(crate) fn command(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).current_dir(root());
    command
}

/// `program` with arguments added by the caller, in `folder`.
pub(crate) fn program(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    command
}

/// Runs it with its output shown; how long it took.
pub(crate) fn run(command: &mut Command) -> Result<Duration, String> {
    eprintln!("$ {}", shown(command));
    let start = Instant::now();
    let status = command
        .status()
        .map_err(|error| failure(command, &error.to_string()))?;
    if status.success() {
        Ok(start.elapsed())
    } else {
        Err(failure(command, &status.to_string()))
    }
}

/// Runs it silently; its output, if it succeeded.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs it silently `times` times; the median of how long it took. None where it fails.
pub(crate) fn median(times: usize, mut make: impl FnMut() -> Command) -> Option<Duration> {
    let mut taken = Vec::new();
    for _ in 0..times {
        let start = Instant::now();
        output(&mut make())?;
        taken.push(start.elapsed());
    }
    taken.sort();
    taken.get(times / 2).copied()
}

fn failure(command: &Command, why: &str) -> String {
    format!("`{}`: {why}", shown(command))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
