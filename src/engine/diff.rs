//! What two targets, runs or revisions differ in: parameters, code, data, environments, and the figures that they came to.

use super::source_change::{Side as Content, source_change};
use super::why::{Cause, Names, Now, hashed};
use super::workspace::{Instance, Workspace};
use crate::base::digest::Digest;
use crate::explain::{Comparison, closure, compare, is_inferred};
use crate::instantiate::{Difference, Hashed, Referred, output_of};
use crate::model::event::{Event, EventKind};
use crate::model::graph::{Graph, StepId, Target};
use crate::model::node::Node;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Endings of files that programs are written in.
const CODE: [&str; 16] = [
    "py", "sh", "bash", "r", "jl", "ipynb", "c", "cc", "cpp", "h", "rs", "js", "ts", "pl", "lua", "sql",
];

/// One side of a comparison.
#[derive(Clone, Debug)]
pub struct DiffSide<'s> {
    workspace: &'s Workspace,
    /// The pipeline, where it is at hand, and the steps of it that count.
    instance: Option<(&'s Instance, BTreeSet<StepId>)>,
    /// What is compared.
    pub targets: Vec<DiffTarget>,
}

/// An artifact that is compared.
#[derive(Clone, Debug)]
pub struct DiffTarget {
    /// Its label.
    pub label: String,
    /// What it is.
    pub kind: String,
    /// The keys of the steps that it comes from.
    pub keys: Vec<Digest>,
    /// What it came to, where it was built.
    pub node: Option<Node>,
}

/// What two sides differ in.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    /// What differs in steps themselves.
    pub changes: Vec<(Part, Cause)>,
    /// What the artifacts came to.
    pub artifacts: Vec<Compared>,
    /// The figures in them.
    pub figures: Vec<Figure>,
}

/// What a difference is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Arguments, commands, variables, and which step reads which.
    Parameters,
    /// Files that a program is written in.
    Code,
    /// Other files.
    Data,
    /// Tools, packages, and what computes.
    Environment,
}

/// What an artifact came to on both sides.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Its label.
    pub label: String,
    /// On the old side, where it was built.
    pub old: Option<Node>,
    /// On the new side.
    pub new: Option<Node>,
}

/// A figure on both sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The artifact and the way in it.
    pub name: String,
    /// On the old side.
    pub old: Option<f64>,
    /// On the new side.
    pub new: Option<f64>,
}

impl Workspace {
    /// A side of what is evaluated: the targets whose labels are wanted, with what of them is built.
    pub fn side<'s>(&'s self, instance: &'s Instance, wanted: impl Fn(&str) -> bool) -> DiffSide<'s> {
        let graph = &instance.graph;
        let own: Vec<&Target> = graph
            .targets
            .iter()
            .filter(|target| wanted(&target.label))
            .collect();
        let steps = closure(graph, own.iter().flat_map(|target| super::steps_of(target)));
        let built = Built {
            workspace: self,
            graph,
        };
        let target = |target: &&Target| DiffTarget {
            label: target.label.clone(),
            kind: format!("{:?}", target.kind),
            keys: super::steps_of(target)
                .into_iter()
                .map(|step| graph.step(step).static_key)
                .collect(),
            node: output_of(&target.source, &built)
                .and_then(|(step, output)| crate::instantiate::Known::output(&built, step, output)?),
        };
        DiffSide {
            workspace: self,
            targets: own.iter().map(target).collect(),
            instance: Some((instance, steps)),
        }
    }

    /// A side of a run that was logged; none where its log says nothing of what was built from.
    pub fn side_of_run(&self, events: &[Event], wanted: impl Fn(&str) -> bool) -> Option<DiffSide<'_>> {
        let planned = events.iter().find_map(|event| match &event.kind {
            EventKind::Planned { targets, .. } => Some(targets),
            _ => None,
        })?;
        let ready: BTreeMap<&str, (&str, Node)> = events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::TargetReady { label, kind, node } => {
                    Some((label.as_str(), (kind.0.as_str(), *node)))
                }
                _ => None,
            })
            .collect();
        let target = |label: &String, keys: &[Digest]| {
            let ready = ready.get(label.as_str());
            DiffTarget {
                label: label.clone(),
                kind: ready.map_or_else(String::new, |(kind, _)| (*kind).to_owned()),
                keys: keys.to_vec(),
                node: ready.map(|(_, node)| *node),
            }
        };
        let planned = planned.iter().filter(|target| wanted(&target.label));
        let targets: Vec<DiffTarget> = planned.map(|own| target(&own.label, &own.steps)).collect();
        (!targets.is_empty()).then_some(DiffSide {
            workspace: self,
            targets,
            instance: None,
        })
    }
}

/// What of a graph is built.
struct Built<'b> {
    workspace: &'b Workspace,
    graph: &'b Graph,
}

impl crate::instantiate::Known for Built<'_> {
    fn output(&self, step: StepId, output: &str) -> Option<Option<Node>> {
        let trace = self.workspace.store.trace(self.graph.step(step).static_key);
        Some(trace.ok()??.outputs.get(output).copied().flatten())
    }

    fn json(&self, node: &Node) -> Result<Value, String> {
        let read = self.workspace.store.read_json(node);
        read.map_err(|error| error.to_string())
    }
}

impl DiffSide<'_> {
    fn now<'n>(&'n self, nothing: &'n Graph) -> Now<'n> {
        match &self.instance {
            Some((instance, steps)) => Now::within(self.workspace, &instance.graph, steps.iter().copied()),
            None => Now::of(self.workspace, nothing),
        }
    }

    fn content(&self) -> Content<'_> {
        Content {
            workspace: self.workspace,
            here: self.instance.as_ref().map(|(instance, _)| *instance),
        }
    }

    /// The figures of an artifact, by the way to each.
    fn figures(&self, target: &DiffTarget) -> BTreeMap<String, f64> {
        let mut found = BTreeMap::new();
        let told = matches!(target.kind.as_str(), "Metrics" | "Value" | "History");
        let value = target.node.filter(|_| told);
        if let Some(value) = value.and_then(|node| self.workspace.store.read_json(&node).ok()) {
            collect("", &value, &mut found);
        }
        found
    }
}

/// Numbers in fields; of a list of records, such as a history, those of the last one.
fn collect(name: &str, value: &Value, found: &mut BTreeMap<String, f64>) {
    match value {
        Value::Number(number) => drop(
            number
                .as_f64()
                .and_then(|number| found.insert(name.to_owned(), number)),
        ),
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = match name {
                    "" => field.clone(),
                    name => format!("{name}.{field}"),
                };
                collect(&name, value, found);
            }
        }
        Value::Array(items) => {
            if let Some(last @ Value::Object(_)) = items.last() {
                collect(name, last, found);
            }
        }
        _ => {}
    }
}

impl Diff {
    /// Compares the artifacts of two sides in pairs: each with what it is called.
    pub fn of(old: &DiffSide<'_>, new: &DiffSide<'_>, pairs: &[(String, &DiffTarget, &DiffTarget)]) -> Self {
        let nothing = Graph::default();
        let (before, now) = (old.now(&nothing), new.now(&nothing));
        let mut keys: Vec<(Digest, Digest)> = Vec::new();
        for (_, one, other) in pairs {
            // Choices among other numbers of candidates have the first ones in common.
            for pair in one.keys.iter().copied().zip(other.keys.iter().copied()) {
                if !keys.contains(&pair) {
                    keys.push(pair);
                }
            }
        }
        let comparison = compare(&before, &now, &keys);
        let mut diff = Self {
            changes: changes((old, &before), (new, &now), &comparison),
            ..Self::default()
        };
        for (label, one, other) in pairs {
            diff.artifacts.push(Compared {
                label: label.clone(),
                old: one.node,
                new: other.node,
            });
            let (one, other) = (old.figures(one), new.figures(other));
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            diff.figures.extend(names.into_iter().map(|name| Figure {
                name: match label.as_str() {
                    "" => name.clone(),
                    label => format!("{label}.{name}"),
                },
                old: one.get(name).copied(),
                new: other.get(name).copied(),
            }));
        }
        diff
    }
}

fn changes(
    (old, before): (&DiffSide<'_>, &Now<'_>),
    (new, now): (&DiffSide<'_>, &Now<'_>),
    comparison: &Comparison,
) -> Vec<(Part, Cause)> {
    let mut found: Vec<(bool, Part, Option<StepId>, Cause)> = Vec::new();
    for pair in &comparison.pairs {
        let names = Names::of(now, pair.new, Some(before));
        let id = now.by_key.get(&pair.new).copied();
        let Some(own) = &pair.own else {
            found.push((false, Part::Parameters, id, names.forgotten()));
            continue;
        };
        let (was, is) = (hashed(before, pair.old), hashed(now, pair.new));
        for difference in own {
            let Some(hashed) = (if difference.new.is_some() { &is } else { &was }) else {
                continue;
            };
            let mut cause = names.cause(hashed, difference);
            let mount = difference.path.get(1).map_or("", String::as_str);
            let path = names.source(mount).unwrap_or_else(|| mount.to_owned());
            if let (Some(Referred::Source(was)), Some(Referred::Source(is))) =
                (difference.was(), difference.is())
            {
                cause.source = Some(source_change(&path, (&old.content(), was), (&new.content(), is)));
            }
            found.push((
                is_inferred(difference),
                part(hashed, difference, &path),
                id,
                cause,
            ));
        }
    }
    let written = found.iter().any(|(inferred, ..)| !inferred);
    found.retain(|(inferred, ..)| !(written && *inferred));
    found.sort_by_key(|(_, part, id, _)| (*part, *id));
    found
        .into_iter()
        .map(|(_, part, _, cause)| (part, cause))
        .collect()
}

fn part(hashed: &Hashed, difference: &Difference, path: &str) -> Part {
    if hashed.builtin().is_some_and(|name| name.starts_with("env.")) {
        return Part::Environment;
    }
    let source = |referred: Option<Referred>| matches!(referred, Some(Referred::Source(_)));
    match difference.path.first().map(String::as_str) {
        Some("env" | "device class" | "sandbox") => Part::Environment,
        Some("builtin") if difference.path.len() > 1 => Part::Environment,
        Some("inputs") if source(difference.was()) || source(difference.is()) => {
            let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
            match CODE.contains(&ending.to_lowercase().as_str()) {
                true => Part::Code,
                false => Part::Data,
            }
        }
        _ => Part::Parameters,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_numbers_in_fields_and_those_of_the_last_epoch() {
        let value = serde_json::json!({
            "accuracy": 0.5, "name": "x", "loss": { "train": 1 }, "confusion": [[1, 2], [3, 4]],
            "epochs": [{ "lr": 0.1 }, { "lr": 0.2 }],
        });
        let mut found = BTreeMap::new();
        collect("", &value, &mut found);
        let expected = [("accuracy", 0.5), ("epochs.lr", 0.2), ("loss.train", 1.0)];
        assert_eq!(found, expected.map(|(name, x)| (name.to_owned(), x)).into());
    }
}
