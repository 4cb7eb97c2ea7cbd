//! Why a step is due, in words: what differs between what was last built under its name and what it is now.

use crate::base::digest::Digest;
use crate::explain::{Naming, clause, is_inferred};
use crate::instantiate::{Difference, Hashed, Referred, static_bytes};
use crate::model::derivation::{Derivation, Reference};
use crate::model::graph::{Graph, StepId};

/// Causes that are told; the rest is counted.
const TOLD: usize = 2;

/// Why the step is due, given the canonical bytes of what was last built under its name, and the step that must be built
/// first, if any.
pub(super) fn since(graph: &Graph, id: StepId, old: Option<&[u8]>, waits: Option<StepId>) -> String {
    let read = |bytes: &[u8]| Hashed::read(bytes).ok();
    let old = old.and_then(read);
    let new = static_bytes(graph, id).ok().and_then(|bytes| read(&bytes));
    let Some((old, new)) = old.zip(new) else {
        return "it changed since it was last built".to_owned();
    };
    let derivation = &graph.step(id).derivation;
    let names = Names { graph, derivation };
    let found = old.differences(&new);
    // Of an input that is still to be built nothing is known yet, and what follows from another cause is none.
    let known = |difference: &&Difference| waits.is_none() || !is_of_step(derivation, difference);
    let follows = found.iter().any(|difference| !is_inferred(difference));
    let root = |difference: &&Difference| !(follows && is_inferred(difference));
    let mut causes: Vec<String> = Vec::new();
    for difference in found.iter().filter(known).filter(root) {
        let hashed = if difference.new.is_some() { &new } else { &old };
        let cause = clause(&names, hashed, difference);
        if !causes.contains(&cause) {
            causes.push(cause);
        }
    }
    match (waits, causes.as_slice()) {
        (Some(step), []) => format!("`{}` may change", graph.step(step).name()),
        (None, []) => "it changed since it was last built".to_owned(),
        (_, causes) if causes.len() <= TOLD => causes.join(", and "),
        (_, causes) => format!("{}, and {} more", causes[..TOLD].join(", "), causes.len() - TOLD),
    }
}

/// Whether the difference lies in what another step gives.
fn is_of_step(derivation: &Derivation, difference: &Difference) -> bool {
    let output = |referred| matches!(referred, Some(Referred::Output { .. }));
    match difference.path.as_slice() {
        [field, at, ..] if field == "inputs" => {
            !matches!(derivation.inputs.get(at), Some(Reference::Source { .. }))
        }
        _ => output(difference.was()) || output(difference.is()),
    }
}

/// What people call what a step reads.
struct Names<'g> {
    graph: &'g Graph,
    derivation: &'g Derivation,
}

impl Naming for Names<'_> {
    /// A plan says that an input changed, and not what it was: `mlp why` does.
    fn step(&self, _: Digest) -> Option<String> {
        None
    }

    fn input(&self, mount: &str) -> Option<String> {
        Some(match self.derivation.inputs.get(mount)? {
            Reference::Source { path, .. } => path.clone(),
            Reference::Output { step, output } => {
                let step = self.graph.step(*step);
                if step.derivation.outputs.len() == 1 {
                    step.name().to_owned()
                } else {
                    format!("{}.{output}", step.name())
                }
            }
            Reference::Chosen { .. } => "the chosen one".to_owned(),
        })
    }
}
