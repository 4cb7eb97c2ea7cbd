//! `mlp check`: finds mistakes, and builds nothing.

use super::exit::{Exit, Refusal};
use super::notice::Notice;
use super::place;
use super::told::{self, Format};
use crate::engine::{Pipeline, has_errors, is_known_to_be_clean, not_yet, remember_clean};

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
    if is_known_to_be_clean(&project, &settings) {
        tell(arguments.format, &[]);
        return Ok(Exit::Success);
    }
    let pipeline = Pipeline::load(&project, &settings);
    let mut diagnostics = pipeline.diagnostics().to_vec();
    // What did not check has been told; evaluation passes over it and tells of the rest.
    let outcome = pipeline.evaluate_all();
    diagnostics.extend_from_slice(&outcome.diagnostics);
    diagnostics.extend(not_yet(&outcome));
    // The process ends with the command; freeing thousands of specs one by one would only make it later.
    std::mem::forget(outcome);
    let notices: Vec<Notice> = diagnostics
        .iter()
        .map(|diagnostic| Notice::of(diagnostic, pipeline.sources()))
        .collect();
    if notices.is_empty() {
        remember_clean(&project, &settings, pipeline.noted());
    }
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
