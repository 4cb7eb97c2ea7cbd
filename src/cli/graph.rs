//! `mlp graph`: the steps behind targets.

use super::demand;
use super::exit::{Exit, Refusal};
use super::place;
use super::told;
use super::tree;

/// Show the steps that a target needs, down to the files of the project.
///
///   mlp graph evaluate
///   mlp graph evaluate --format dot | dot -Tsvg > graph.svg
///   mlp graph evaluate --format mermaid
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// The targets, as `mlp build` takes them.
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    settings: place::Settings,
    /// How to draw them.
    #[arg(long, value_enum, default_value_t)]
    format: Drawing,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Drawing {
    /// A tree, for the terminal.
    #[default]
    Tree,
    /// For Graphviz.
    Dot,
    /// For Markdown.
    Mermaid,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let demanded = match demand::demand(&arguments.targets, &arguments.settings)? {
        Ok(demanded) => demanded,
        Err(notices) => {
            told::show(&notices);
            return Ok(Exit::Mend);
        }
    };
    let graph = &demanded.instance.graph;
    let drawn = match arguments.format {
        Drawing::Tree => tree::tree(graph),
        Drawing::Dot => tree::dot(graph),
        Drawing::Mermaid => tree::mermaid(graph),
    };
    print!("{drawn}");
    Ok(Exit::Success)
}
