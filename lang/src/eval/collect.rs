//! The artifacts in values: what a target demands.

use super::machine::Machine;
use super::value::Value;
use crate::spec::{ArtifactKind, InputSource, TargetArtifact};
use smol_str::SmolStr;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Goes through values for artifacts, each found once.
#[derive(Debug, Default)]
pub(super) struct Collector {
    /// In the order of the values, with the first path to each.
    pub(super) found: Vec<TargetArtifact>,
    /// The outputs among them.
    outputs: BTreeSet<(u32, SmolStr)>,
    /// Addresses of parts that were gone through: parts that are shared stand in many places.
    seen: BTreeSet<usize>,
}

impl Collector {
    /// Goes through `value`, which is at `label`. What is computed from results is made a derivation, by that name.
    pub(super) fn collect(&mut self, machine: &mut Machine<'_>, label: &str, value: &Value) {
        match value {
            Value::Artifact(artifact) if machine.artifacts.absent(*artifact).is_none() => {
                let kind = machine.artifacts.kind(*artifact);
                self.add(label, machine.artifacts.source(*artifact), kind);
            }
            Value::Late(late) => {
                let made = machine.specs.mark();
                let value = machine.late_value(*late);
                machine.specs.close(made, plain(label));
                self.add(label, &value.source, ArtifactKind::Value);
            }
            Value::Record(record) if self.first(Rc::as_ptr(record).addr()) => {
                for (index, value) in record.cells().iter().enumerate() {
                    if may_hold(value) {
                        let name = machine.names.fields(record.shape)[index];
                        let label = format!("{label}.{}", machine.names.text(name));
                        self.collect(machine, &label, value);
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
            Value::Pick(pick) if self.first(Rc::as_ptr(pick).addr()) => {
                self.add(label, pick.source(), ArtifactKind::Value);
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
                label: plain(label).to_owned(),
                source: source.clone(),
                kind,
            });
        }
    }
}

/// The label of a part of the result expression, which has no name, begins with the part.
fn plain(label: &str) -> &str {
    label.strip_prefix('.').unwrap_or(label)
}

fn may_hold(value: &Value) -> bool {
    matches!(value, Value::Artifact(_) | Value::Late(_)) || value.depth() > 0
}
