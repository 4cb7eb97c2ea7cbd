//! A graph of steps as text: a tree for the terminal, dot and mermaid for pictures.

use crate::engine::{Nothing, reads_of};
use crate::model::derivation::{Builder, Reference};
use crate::model::graph::{Graph, Step, StepId, Target};
use std::collections::{BTreeMap, BTreeSet};

/// A tree from each target down to the sources. A step that was shown before is named with `↑` and not unfolded again.
pub(super) fn tree(graph: &Graph) -> String {
    let mut text = String::new();
    let mut shown = BTreeSet::new();
    for root in roots(graph) {
        text.push_str(&heading(graph.step(root), shown.contains(&root)));
        if shown.insert(root) {
            below(graph, root, "", &mut shown, &mut text);
        }
    }
    text
}

/// Steps that targets name and that no other target's step reads, in the order of the targets.
fn roots(graph: &Graph) -> Vec<StepId> {
    let mut seen = BTreeSet::new();
    let targets = graph.targets.iter().flat_map(steps_of);
    targets.filter(|step| seen.insert(*step)).collect()
}

/// The step of a target; of a choice, what decides it and all candidates.
pub(super) fn steps_of(target: &Target) -> Vec<StepId> {
    let reads = reads_of(&target.source, &Nothing);
    reads
        .must
        .into_iter()
        .chain(reads.may)
        .map(|(step, _)| step)
        .collect()
}

fn heading(step: &Step, again: bool) -> String {
    let mark = if again { " ↑" } else { "" };
    format!("{} ({}){mark}\n", step.name(), builder(step))
}

fn below(graph: &Graph, id: StepId, indent: &str, shown: &mut BTreeSet<StepId>, text: &mut String) {
    let Inputs { steps, sources } = inputs(graph.step(id));
    let last = steps.len() + sources.len();
    let mut drawn = 0;
    let mut branch = |text: &mut String, line: &str| {
        drawn += 1;
        let (bend, further) = if drawn == last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        text.push_str(&format!("{indent}{bend}{line}"));
        format!("{indent}{further}")
    };
    for (name, step) in steps {
        let again = shown.contains(&step);
        let line = format!("{name}: {}", heading(graph.step(step), again));
        let further = branch(text, &line);
        if shown.insert(step) {
            below(graph, step, &further, shown, text);
        }
    }
    for (name, source) in sources {
        branch(text, &format!("{name}: ./{source}\n"));
    }
}

/// What a step reads, by the input's name.
#[derive(Default)]
struct Inputs {
    /// Other steps.
    steps: Vec<(String, StepId)>,
    /// Sources, by their paths.
    sources: Vec<(String, String)>,
}

fn inputs(step: &Step) -> Inputs {
    let mut inputs = Inputs::default();
    for (mount, reference) in &step.derivation.inputs {
        inputs.add(mount.strip_prefix("inputs/").unwrap_or(mount), reference);
    }
    inputs
}

impl Inputs {
    fn add(&mut self, name: &str, reference: &Reference) {
        match reference {
            Reference::Source { path, .. } => self.sources.push((name.to_owned(), path.clone())),
            Reference::Output { step, output } => self.steps.push((format!("{name} = {output}"), *step)),
            Reference::Chosen { index, candidates } => {
                self.add(name, &index.0);
                candidates.iter().for_each(|candidate| self.add(name, candidate));
            }
        }
    }
}

fn builder(step: &Step) -> &str {
    match &step.derivation.builder {
        Builder::Builtin { name, .. } => name,
        Builder::Command { .. } => "command",
    }
}

/// Graphviz's language: `mlp graph --format dot | dot -Tsvg > graph.svg`.
pub(super) fn dot(graph: &Graph) -> String {
    let mut lines = vec!["digraph pipeline {".to_owned(), "  rankdir = LR;".to_owned()];
    let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    for (id, label, source) in nodes(graph) {
        let shape = if source { "note" } else { "box" };
        lines.push(format!("  {id} [shape = {shape}, label = {}];", quote(&label)));
    }
    for (from, to, label) in edges(graph) {
        lines.push(format!("  {from} -> {to} [label = {}];", quote(&label)));
    }
    lines.push("}\n".to_owned());
    lines.join("\n")
}

/// Mermaid's flowchart, which GitHub draws inside Markdown.
pub(super) fn mermaid(graph: &Graph) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    let quote = |text: &str| format!("\"{}\"", text.replace('"', "#quot;"));
    for (id, label, source) in nodes(graph) {
        let label = quote(&label);
        lines.push(if source {
            format!("  {id}[/{label}/]")
        } else {
            format!("  {id}[{label}]")
        });
    }
    for (from, to, label) in edges(graph) {
        lines.push(format!("  {from} -->|{}| {to}", quote(&label)));
    }
    lines.join("\n") + "\n"
}

/// Every step and source: its id, its label, and whether it is a source.
fn nodes(graph: &Graph) -> Vec<(String, String, bool)> {
    let steps = graph.steps.iter().enumerate();
    let mut nodes: Vec<_> = steps
        .map(|(index, step)| {
            (
                format!("s{index}"),
                format!("{} ({})", step.name(), builder(step)),
                false,
            )
        })
        .collect();
    let sources = sources(graph);
    nodes.extend(sources.iter().map(|(path, id)| (id.clone(), path.clone(), true)));
    nodes
}

fn sources(graph: &Graph) -> BTreeMap<String, String> {
    let paths: BTreeSet<String> = graph
        .steps
        .iter()
        .flat_map(|step| inputs(step).sources)
        .map(|(_, path)| path)
        .collect();
    let ids = paths.into_iter().enumerate();
    ids.map(|(index, path)| (path, format!("f{index}"))).collect()
}

/// From what is read to what reads it, with the input's name.
fn edges(graph: &Graph) -> Vec<(String, String, String)> {
    let ids = sources(graph);
    let mut edges = Vec::new();
    for (index, step) in graph.steps.iter().enumerate() {
        let Inputs { steps, sources } = inputs(step);
        let to = format!("s{index}");
        edges.extend(
            steps
                .into_iter()
                .map(|(name, from)| (format!("s{}", from.0), to.clone(), name)),
        );
        edges.extend(
            sources
                .into_iter()
                .map(|(name, path)| (ids.get(&path).cloned().unwrap_or_default(), to.clone(), name)),
        );
    }
    edges
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
