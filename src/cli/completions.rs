//! `mlp completions SHELL`: a script that completes commands and options.

use super::exit::{Exit, Refusal};
use clap_complete::Shell;

/// Write a completion script for a shell.
///
///   mlp completions bash > ~/.local/share/bash-completion/completions/mlp
///   mlp completions zsh  > ~/.zfunc/_mlp
///   mlp completions fish > ~/.config/fish/completions/mlp.fish
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, command: &mut clap::Command) -> Result<Exit, Refusal> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, command, "mlp", &mut script);
    print!("{}", String::from_utf8_lossy(&script));
    Ok(Exit::Success)
}
