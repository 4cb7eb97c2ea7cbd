//! How long steps took when they were last built: for what goes first in a run, and for estimates. Of memories that may
//! be gone, so that nothing but the order and the words may depend on it.

use super::workspace::{Instance, Workspace};
use crate::model::derivation::Builder;
use crate::model::graph::{Step, StepId};
use crate::store::LastBuilt;
use std::collections::{BTreeMap, BTreeSet};

impl Workspace {
    /// Milliseconds that each of `steps` is expected to take, where anything is known: what the step of its name took
    /// last, and of a new one the median of its kind.
    pub fn expected(&self, instance: &Instance, steps: &BTreeSet<StepId>) -> BTreeMap<StepId, u64> {
        let last = self.last_built();
        let mut expected = BTreeMap::new();
        let mut kinds: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for id in steps {
            let step = instance.graph.step(*id);
            if let Some(took) = self.took(step, &last) {
                expected.insert(*id, took);
                kinds.entry(kind(step)).or_default().push(took);
            }
        }
        kinds.values_mut().for_each(|took| took.sort_unstable());
        for id in steps {
            let of_kind = kinds.get(kind(instance.graph.step(*id)));
            if let Some(took) = of_kind.and_then(|took| took.get(took.len() / 2)) {
                expected.entry(*id).or_insert(*took);
            }
        }
        expected
    }

    /// What the step of one of these names took when it was last built.
    fn took(&self, step: &Step, last: &LastBuilt) -> Option<u64> {
        let key = step.names.iter().find_map(|name| last.get(name))?;
        let trace = self.store.trace(key).ok()??;
        let attested = self.store.attestations(trace.resolved_key).ok()?;
        Some(attested.iter().max_by_key(|attested| attested.started)?.wall_ms)
    }
}

/// What steps have in common that take about as long as each other.
fn kind(step: &Step) -> &str {
    match &step.derivation.builder {
        Builder::Builtin { name, .. } => name,
        Builder::Command { .. } => "command",
    }
}
