//! `mlp store path`: where a result lies.

use crate::cli::demand::{self, Demanded};
use crate::cli::exit::{Exit, Refusal};
use crate::cli::{place, told};
use crate::engine::Target;

/// Print where the results of targets lie: read-only files and folders of the store.
///
/// Nothing is built. A result lies there until `mlp gc` removes it.
///
///   mlp store path fit.model
///   python3 look.py "$(mlp store path parts.test)"
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// The targets, as `mlp build` takes them.
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    settings: place::Settings,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let (demanded, targets) = match built(&arguments.targets, &arguments.settings)? {
        Ok(built) => built,
        Err(exit) => return Ok(exit),
    };
    for node in targets.iter().filter_map(|target| target.node) {
        let path = demanded.workspace.place(&node);
        println!("{}", path.map_err(|error| Refusal::of_engine(&error))?.display());
    }
    Ok(Exit::Success)
}

/// Targets that are built; or says why not, and gives the status to end with.
pub(super) fn built(
    targets: &[String],
    settings: &place::Settings,
) -> Result<Result<(Demanded, Vec<Target>), Exit>, Refusal> {
    let demanded = match demand::demand(targets, settings)? {
        Ok(demanded) => demanded,
        Err(notices) => {
            told::show(&notices);
            return Ok(Err(Exit::Mend));
        }
    };
    let found = demanded
        .workspace
        .targets(&demanded.instance)
        .map_err(|error| Refusal::of_engine(&error))?;
    let missing: Vec<&Target> = found.iter().filter(|target| target.node.is_none()).collect();
    if missing.is_empty() {
        return Ok(Ok((demanded, found)));
    }
    let names: Vec<String> = missing
        .iter()
        .map(|target| format!("`{}`", target.label))
        .collect();
    let are = if names.len() == 1 { "is" } else { "are" };
    Err(
        Refusal::new(format!("{} {are} not in the store", names.join(", ")))
            .hint(format!("`mlp build {}` builds it", targets.join(" "))),
    )
}
