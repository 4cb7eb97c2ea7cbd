//! `mlp store`: what is in the store, where it lies, whether it is whole; archives of it.

mod archive;
mod du;
mod ls;
mod path;
mod verify;

use super::exit::{Exit, Refusal};

/// Look into the store, check it, carry results elsewhere.
///
/// The store is where every result is kept: `~/.local/share/mlp/store`, or the folder that `MLP_STORE` names. `mlp gc` makes
/// room in it.
///
///   mlp store ls fit                    (results of steps whose names begin so)
///   mlp store path fit.model            (where it lies)
///   mlp store du                        (what takes how much room)
///   mlp store verify --repair
///   mlp store export fit.model -o fit.mlpa
///   mlp store import fit.mlpa
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    Ls(ls::Arguments),
    Path(path::Arguments),
    Du(du::Arguments),
    Verify(verify::Arguments),
    Export(archive::Export),
    Import(archive::Import),
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    match &arguments.command {
        Command::Ls(arguments) => ls::run(arguments),
        Command::Path(arguments) => path::run(arguments),
        Command::Du(arguments) => du::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Export(arguments) => archive::export(arguments),
        Command::Import(arguments) => archive::import(arguments),
    }
}
