//! The artifacts in values: what a target demands.

use super::artifact::About;
use super::machine::Machine;
use super::value::Value;
use crate::spec::{ArtifactKind, InputSource, TargetArtifact};
use std::collections::BTreeSet;
use std::rc::Rc;

/// Goes through values for artifacts, each found once.
#[derive(Debug, Default)]
pub(super) struct Collector {
    /// In the order of the values, with the first path to each.
    pub(super) found: Vec<TargetArtifact>,
    /// The outputs among them.
    outputs: BTreeSet<(u32, String)>,
    /// Addresses of parts that were gone through: parts that are shared stand in many places.
    seen: BTreeSet<usize>,
}

impl Collector {
    /// Goes through `value`, which is at `label`.
    pub(super) fn collect(&mut self, machine: &Machine<'_>, label: &str, value: &Value) {
        match value {
            Value::Artifact(artifact) => {
                let artifact = machine.artifacts.get(*artifact);
                if !matches!(artifact.about, About::Absent(_)) {
                    self.add(label, &artifact.source, artifact.kind);
                }
            }
            Value::Late(late) => {
                self.add(label, &machine.artifacts.late(*late).source, ArtifactKind::Value);
            }
            Value::Record(record) if self.first(Rc::as_ptr(record).addr()) => {
                for (name, value) in machine.fields(record.shape, record.cells()) {
                    if may_hold(value) {
                        self.collect(machine, &format!("{label}.{name}"), value);
                    }
                }
            }
            Value::Map(map) if self.first(Rc::as_ptr(map).addr()) => {
                for (key, value) in map.entries() {
                    if may_hold(value) {
                        self.collect(machine, &format!("{label}.{}", key.as_str()), value);
                    }
                }
            }
            Value::List(list) if self.first(Rc::as_ptr(list).addr()) => {
                for (index, value) in list.items().iter().enumerate() {
                    if may_hold(value) {
                        let own = list.labels.as_ref().and_then(|labels| labels.get(index).cloned());
                        let own = own.unwrap_or_else(|| index.to_string());
                        self.collect(machine, &format!("{label}[{own}]"), value);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether a part is met for the first time. Values stay where they are while one is gone through.
    fn first(&mut self, address: usize) -> bool {
        self.seen.insert(address)
    }

    fn add(&mut self, label: &str, source: &InputSource, kind: ArtifactKind) {
        let new = match source {
            InputSource::Output { spec, output } => self.outputs.insert((spec.0, output.clone())),
            other => !self.found.iter().any(|target| target.source == *other),
        };
        if new {
            self.found.push(TargetArtifact {
                label: label.strip_prefix('.').unwrap_or(label).to_owned(),
                source: source.clone(),
                kind,
            });
        }
    }
}

fn may_hold(value: &Value) -> bool {
    matches!(value, Value::Artifact(_) | Value::Late(_)) || value.depth() > 0
}
