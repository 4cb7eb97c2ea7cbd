//! `mlp lsp`: the language server, over standard input and output.

use super::exit::{Exit, Refusal};

/// Serve an editor: the language server.
///
/// Speaks the Language Server Protocol over standard input and output. Editors start it; editors/vscode has the
/// extension for VS Code, and any other editor is told to run this for files that end in .mlp.
///
///   mlp lsp
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments) -> Result<Exit, Refusal> {
    // A bug in one answer must not take the editor's server with it: it is told on stderr, and the session goes on.
    drop(std::panic::take_hook());
    crate::lsp::serve().map_err(|error| Refusal::new(error.to_string()))?;
    Ok(Exit::Success)
}
