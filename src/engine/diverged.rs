//! Trainings that diverged: results like others to those who compare figures, and a failure to whoever demands what they
//! should have given.

use super::build::Results;
use crate::instantiate::{Known, output_of, reads};
use crate::model::event::StepFailure;
use crate::model::graph::{Graph, StepId};
use crate::model::record::DIVERGED;
use std::collections::BTreeSet;

/// The trainings whose divergence keeps a target from being there, each with why.
pub(super) fn demanded(graph: &Graph, results: &Results<'_>) -> Vec<(StepId, StepFailure)> {
    let targets = graph.targets.iter();
    let found = targets.filter_map(|target| output_of(&target.source, results));
    let diverged: BTreeSet<StepId> = found
        .filter(|(step, output)| results.output(*step, output).flatten().is_none())
        .filter_map(|(step, _)| origin(graph, results, step))
        .collect();
    let why = |step: StepId| {
        let node = results.output(step, DIVERGED).flatten()?;
        let failure = serde_json::from_value(results.json(&node).ok()?).ok()?;
        Some((step, StepFailure::Builder(failure)))
    };
    diverged.into_iter().filter_map(why).collect()
}

/// The training that diverged of those that `step` is, or reads.
fn origin(graph: &Graph, results: &Results<'_>, step: StepId) -> Option<StepId> {
    let is_diverged = |step: StepId| results.output(step, DIVERGED).flatten().is_some();
    if !is_diverged(step) {
        return None;
    }
    let before = |step: StepId| {
        let read = reads(&graph.step(step).derivation, results).steps();
        read.into_iter().find(|step| is_diverged(*step))
    };
    std::iter::successors(Some(step), |step| before(*step)).last()
}
