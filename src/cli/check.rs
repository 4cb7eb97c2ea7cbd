//! `mlp check`: finds mistakes, and builds nothing.

use super::exit::{Exit, Refusal};
use super::notice::Notice;
use super::place;
use super::told::{self, Format};
use crate::engine::{check, has_errors};

/// Find mistakes without building anything.
///
/// Checks the whole pipeline: syntax, names, types, then every binding's value and the shape of every network. All errors
/// come at once; none follows from another. No data is read.
///
///   mlp check
///   mlp check --set epochs=5
///   mlp check --format json        (for editors and scripts)
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: place::Settings,
    /// How to write what was found.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let project = place::project()?;
    let settings = arguments.settings.pairs()?;
    let (pipeline, diagnostics) = check(&project, &settings);
    let notices: Vec<Notice> = diagnostics
        .iter()
        .map(|diagnostic| Notice::of(diagnostic, pipeline.sources()))
        .collect();
    tell(arguments.format, &notices);
    Ok(if has_errors(&diagnostics) {
        Exit::Mend
    } else {
        Exit::Success
    })
}

fn tell(format: Format, notices: &[Notice]) {
    match format {
        Format::Json => told::print_json(&serde_json::json!({ "diagnostics": told::json(notices) })),
        Format::Text if notices.is_empty() => eprintln!("ok: no mistakes found"),
        Format::Text => told::show(notices),
    }
}
