//! `cargo xtask demo`: from a fresh machine to a trained and scored model, and a second build that has nothing to do.

use crate::{libtorch, machine, shell};
use std::path::Path;
use std::process::Command;

/// Gets libtorch, builds in release, and builds `evaluate` of the example twice.
pub(crate) fn run() -> Result<(), String> {
    machine::check()?;
    let torch = libtorch::ensure()?;
    build(&torch)?;
    let example = shell::root().join("examples/digits");

    heading("a model is trained and scored: `mlp build evaluate` in examples/digits");
    shell::run(evaluate(&example).env("LIBTORCH", &torch))?;
    heading("the same again: there is nothing to do");
    let again = shell::run(evaluate(&example).env("LIBTORCH", &torch))?;
    heading(&format!("the second build took {} ms", again.as_millis()));

    eprintln!("Go on by hand: cd examples/digits, edit pipeline.mlp, and");
    eprintln!("  {} build evaluate --set lr=3e-4", mlp().display());
    Ok(())
}

/// Builds the three programs in release.
pub(crate) fn build(torch: &Path) -> Result<(), String> {
    heading("the programs are built (some minutes the first time)");
    let line = "cargo build --release --package mlp --package mlp-data --package mlp-trainer";
    shell::run(shell::command(line).env("LIBTORCH", torch))?;
    Ok(())
}

/// The built `mlp`.
pub(crate) fn mlp() -> std::path::PathBuf {
    shell::target().join("release/mlp")
}

/// `mlp build evaluate` in `folder`.
pub(crate) fn evaluate(folder: &Path) -> Command {
    let mut command = shell::program(&mlp(), folder);
    command.args(["build", "evaluate"]);
    command
}

fn heading(text: &str) {
    eprintln!("\n== {text}");
}
