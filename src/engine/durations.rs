//! How long steps took when they were last built: for what goes first in a run, and for estimates. Of memories that may
//! be gone, so that nothing but the order and the words may depend on it.

use super::workspace::{Instance, Workspace};
use crate::model::derivation::Builder;
use crate::model::graph::{Step, StepId};
use crate::plan::{Estimate, Plan, estimate};
use crate::store::{Builds, LastBuild, LastBuilt};
use std::collections::{BTreeMap, BTreeSet};

impl Workspace {
    /// Milliseconds that each of `steps` is expected to take, where anything is known: what the step of its name took
    /// last, and of a new one the median of its kind.
    pub fn expected(&self, instance: &Instance, steps: &BTreeSet<StepId>) -> BTreeMap<StepId, u64> {
        let known = Known::of(self);
        let mut expected = BTreeMap::new();
        let mut kinds: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for id in steps {
            let step = instance.graph.step(*id);
            if let Some(took) = self.took(step, &known) {
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

    /// How long what is planned takes, as far as its own steps were built before. `jobs` steps are built at once.
    pub fn estimate(&self, instance: &Instance, plan: &Plan, jobs: usize) -> Estimate {
        let known = Known::of(self);
        estimate(&instance.graph, plan, &|step| self.took(step, &known), jobs)
    }

    /// What the step of one of these names took: as builds here did mostly, else as the last one did of what the name
    /// stood for.
    fn took(&self, step: &Step, known: &Known) -> Option<u64> {
        let here = step.names.iter().find_map(|name| known.builds.get(name));
        if let Some(took) = here.and_then(LastBuild::expected_ms) {
            return Some(took);
        }
        let key = step.names.iter().find_map(|name| known.last.get(name))?;
        let trace = self.store.trace(key).ok()??;
        let attested = self.store.attestations(trace.resolved_key).ok()?;
        Some(attested.iter().max_by_key(|attested| attested.started)?.wall_ms)
    }
}

/// What is remembered of names.
struct Known {
    builds: Builds,
    last: LastBuilt,
}

impl Known {
    fn of(workspace: &Workspace) -> Self {
        Self {
            builds: workspace.builds(),
            last: workspace.last_built(),
        }
    }
}

/// What steps have in common that take about as long as each other.
fn kind(step: &Step) -> &str {
    match &step.derivation.builder {
        Builder::Builtin { name, .. } => name,
        Builder::Command { .. } => "command",
    }
}
