//! `mlp eval`: prints a value.

use super::exit::{Exit, Refusal};
use super::notice::Notice;
use super::place;
use super::told::{self, Format};
use crate::engine::{Pipeline, has_errors};
use mlp_lang::eval::Render;

/// Print the value of a binding, without building anything.
///
/// Without a target it prints the expression at the file's end, or else every binding. What is known only after a build is
/// shown as what it will be.
///
///   mlp eval scores
///   mlp eval "sweep[0].fit" --set lr=0.1
///   mlp eval --format json
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// A binding, and what is inside it: `scores`, `fit.model`, `sweep[0]`, `sweep[lr=0.01]`.
    target: Option<String>,
    #[command(flatten)]
    settings: place::Settings,
    /// How to write the value.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let project = place::project()?;
    let mut pipeline = Pipeline::load(&project, &arguments.settings.pairs()?);
    let targets: Vec<String> = arguments.target.iter().cloned().collect();
    let render = match arguments.format {
        Format::Text => Render::Text,
        Format::Json => Render::Json,
    };
    let outcome = pipeline.evaluate_to_show(&targets, render);
    let mut diagnostics = pipeline.diagnostics().to_vec();
    diagnostics.extend(outcome.diagnostics);
    let notices: Vec<Notice> = diagnostics
        .iter()
        .map(|diagnostic| Notice::of(diagnostic, pipeline.sources()))
        .collect();
    told::show(&notices);
    // One value stands alone, so that it can be piped; several are told apart by their names.
    match (outcome.values.as_slice(), arguments.format) {
        ([value], _) => println!("{}", value.text),
        (values, Format::Text) => values
            .iter()
            .for_each(|value| println!("{} = {}", value.label, value.text)),
        (values, Format::Json) => {
            let parts: Vec<String> = values
                .iter()
                .map(|value| {
                    format!(
                        "{}: {}",
                        serde_json::Value::from(value.label.as_str()),
                        value.text
                    )
                })
                .collect();
            println!("{{{}}}", parts.join(", "));
        }
    }
    Ok(if has_errors(&diagnostics) {
        Exit::Mend
    } else {
        Exit::Success
    })
}
