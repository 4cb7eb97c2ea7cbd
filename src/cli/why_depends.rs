//! `mlp why-depends`: how one target depends on another, or on a file.

use super::demand::{self, Demanded};
use super::exit::{Exit, Refusal};
use super::place;
use super::told::{self, Format};
use crate::engine::{Sought, Use, Used, Ways, steps_of, ways};
use crate::model::graph::{Graph, StepId};
use crate::report::style::Style;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Say how a target depends on another one, or on a file or folder of the project.
///
/// The shortest way is shown, step by step; with `--all` every step that lies on a way.
///
///   mlp why-depends evaluate parts
///   mlp why-depends evaluate ./digits.csv --all
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// The target, as `mlp build` takes it.
    target: String,
    /// What it may depend on: another target, or a path that begins with `./`.
    on: String,
    /// Every step that lies on a way, not the shortest alone.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    settings: place::Settings,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let mut targets = vec![arguments.target.clone()];
    let path = arguments.on.strip_prefix("./");
    if path.is_none() {
        targets.push(arguments.on.clone());
    }
    let demanded = match demand::demand(&targets, &arguments.settings)? {
        Ok(demanded) => demanded,
        Err(notices) => {
            told::mistakes(&notices, arguments.format);
            return Ok(Exit::Mend);
        }
    };
    let graph = &demanded.instance.graph;
    let from = steps(&demanded, &arguments.target);
    let sought = match path {
        Some(path) => Sought::Source(path.trim_end_matches('/').to_owned()),
        None => Sought::Steps(steps(&demanded, &arguments.on)),
    };
    let found = ways(graph, &from, &sought);
    match (arguments.format, &found) {
        (Format::Json, _) => told::print_json(&as_json(graph, found.as_ref())),
        (Format::Text, Some(found)) => {
            let mut text = String::new();
            let roots = if arguments.all { found.from.len() } else { 1 };
            let mut shown = BTreeSet::new();
            for root in &found.from[..roots] {
                text.push_str(&format!("{}\n", Style::stdout().bold(graph.step(*root).name())));
                below(graph, found, *root, arguments.all, "", &mut shown, &mut text);
            }
            print!("{text}");
        }
        (Format::Text, None) => {
            println!("`{}` does not depend on `{}`", arguments.target, arguments.on);
            if let Sought::Steps(steps) = &sought
                && ways(graph, steps, &Sought::Steps(from)).is_some()
            {
                eprintln!("it is the other way round: `{}` depends on it", arguments.on);
            }
        }
    }
    Ok(Exit::Success)
}

/// The steps of what a target is written as.
fn steps(demanded: &Demanded, target: &str) -> BTreeSet<StepId> {
    let targets = demanded.instance.graph.targets.iter();
    let own = targets.filter(|own| demand::is_of(&own.label, target));
    own.flat_map(steps_of).collect()
}

/// What is used of the next steps, each unfolded where it is first shown.
fn below(
    graph: &Graph,
    ways: &Ways,
    step: StepId,
    all: bool,
    indent: &str,
    shown: &mut BTreeSet<StepId>,
    text: &mut String,
) {
    // A row of steps may be as long as the pipeline: it is gone along, and only where it parts gone into.
    let (mut step, mut indent) = (step, indent.to_owned());
    loop {
        let uses = ways.uses.get(&step).map_or(&[][..], Vec::as_slice);
        let uses = if all { uses } else { &uses[..uses.len().min(1)] };
        let Some((last, before)) = uses.split_last() else {
            return;
        };
        for used in before {
            let (line, next) = line(graph, used, shown);
            text.push_str(&format!("{indent}├─ {line}\n"));
            if let Some(next) = next {
                below(graph, ways, next, all, &format!("{indent}│  "), shown, text);
            }
        }
        let (line, next) = line(graph, last, shown);
        text.push_str(&format!("{indent}└─ {line}\n"));
        match next {
            Some(next) => step = next,
            None => return,
        }
        indent.push_str("   ");
    }
}

/// A use in words, and the step to go on from, if it was not shown before.
fn line(graph: &Graph, used: &Use, shown: &mut BTreeSet<StepId>) -> (String, Option<StepId>) {
    let may = if used.may { " (if it is chosen)" } else { "" };
    match &used.of {
        Used::Source(path) => (format!("{}: ./{path}{may}", used.at), None),
        Used::Output(step, output) => {
            let first = shown.insert(*step);
            let again = if first { "" } else { " ↑" };
            let name = graph.step(*step).name();
            (
                format!("{}: {output} of {name}{may}{again}", used.at),
                first.then_some(*step),
            )
        }
    }
}

fn as_json(graph: &Graph, ways: Option<&Ways>) -> Value {
    let Some(ways) = ways else {
        return json!({ "depends": false });
    };
    let shortest = ways.shortest();
    let all = ways
        .uses
        .iter()
        .flat_map(|(step, uses)| uses.iter().map(|used| use_json(graph, *step, used)));
    json!({
        "depends": true,
        "path": shortest.iter().map(|(step, used)| use_json(graph, *step, used)).collect::<Vec<_>>(),
        "uses": all.collect::<Vec<_>>(),
    })
}

fn use_json(graph: &Graph, step: StepId, used: &Use) -> Value {
    let mut object = json!({ "step": graph.step(step).name(), "as": used.at, "if_chosen": used.may });
    match &used.of {
        Used::Source(path) => object["source"] = path.clone().into(),
        Used::Output(step, output) => {
            object["of"] = graph.step(*step).name().into();
            object["output"] = output.clone().into();
        }
    }
    object
}
