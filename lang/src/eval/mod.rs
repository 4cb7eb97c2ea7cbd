//! The evaluator: runs a checked program ([`crate::core::Core`]) and gives derivation specs ([`crate::spec`]).
//!
//! ```text
//! Core -> code (compile) -> values (machine, run, intrinsics) -> specs and artifacts -> Outcome
//! ```
//! Pure and deterministic: equal programs and settings give equal outcomes, on every machine and in every build.
//! Eager within a binding, and each top-level binding on demand and once, so that no target fails for another's sake.
//! Steps, depth, memory and nesting are bounded: a program ends in a value or in a message at the line that a person
//! wrote, never in a crash.
//!
//! The user of this module is the front end: it calls [`evaluate`].

mod access;
mod arithmetic;
mod artifact;
mod better;
mod blame;
mod code;
mod collect;
mod compare;
mod compile;
mod datum;
mod decode;
mod display;
mod intrinsics;
mod json;
mod late;
mod loops;
mod machine;
mod names;
mod naming;
mod pick;
mod remembered;
mod render;
mod run;
mod short;
mod target;
mod text;
mod trace;
mod value;

#[cfg(test)]
mod tests;

use crate::core::{Core, GlobalId};
use crate::diagnostic::Diagnostic;
use crate::shapes::{self, LayerRow};
use crate::source::{Sources, Span};
use crate::spec::{Evaluation, SpecId};
use crate::suggest;
use crate::summary::{Making, Spent};
use collect::Collector;
use machine::{Failed, Machine};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A target as a person writes it: `evaluate`, `fit.model`, `sweep[0].fit`, `sweep[lr=0.01]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The text.
    pub text: String,
    /// Where it stands: in a source that the caller added for it.
    pub span: Span,
}

/// What is to be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Targets that must hold something to build.
    Build(Vec<Target>),
    /// Targets of any value.
    Show(Vec<Target>),
    /// All bindings of the entry file, and its result expression if it has one.
    All,
    /// The expression at the end of the entry file; all bindings where it has none.
    Result,
}

/// Which texts of values are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Render {
    /// None: the caller builds.
    #[default]
    Nothing,
    /// As people read them.
    Text,
    /// As JSON.
    Json,
}

/// What an evaluation is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The program.
    pub core: &'a Core,
    /// Its sources.
    pub sources: &'a Sources,
    /// What is to be evaluated.
    pub demand: &'a Demand,
    /// Which texts are wanted.
    pub render: Render,
}

/// A demanded value as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The target, or the binding's name; empty for the result expression.
    pub label: String,
    /// The text; empty where none was asked for.
    pub text: String,
}

/// What an evaluation came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The demanded values that did not fail, in order.
    pub values: Vec<Shown>,
    /// Specs, and the artifacts in the demanded values.
    pub evaluation: Evaluation,
    /// The layers of each training's network.
    pub layers: BTreeMap<SpecId, Arc<Vec<LayerRow>>>,
    /// What went wrong, errors and warnings, in the order in which it was met.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether something was asked that summaries of modules do not say: then the outcome says nothing for certain.
    pub lacks: bool,
    /// What it took.
    pub spent: Spent,
}

/// Evaluates.
pub fn evaluate(request: Request<'_>) -> Outcome {
    run_on(Machine::new(request.core, request.sources), request)
}

/// How much an evaluation may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Calls and rounds of loops.
    pub steps: u64,
    /// Bytes that values hold.
    pub memory: usize,
}

/// Evaluates within bounds that are narrower than a build's: for an editor or a prompt, where someone waits.
pub fn evaluate_within(request: Request<'_>, bounds: Bounds) -> Outcome {
    let mut machine = Machine::new(request.core, request.sources);
    machine.limits.steps = bounds.steps.min(machine.limits.steps);
    machine.limits.memory = bounds.memory.min(machine.limits.memory);
    run_on(machine, request)
}

/// The layers of the network that the expression at the end of the entry stands for, fed examples of the shape `input`,
/// which stands at `span`. The expression is a layer; the demand is not looked at.
///
/// # Errors
/// What went wrong, shapes that do not fit together among it.
pub fn layers_within(
    request: Request<'_>,
    bounds: Bounds,
    input: &[i64],
    span: Span,
) -> Result<Arc<Vec<LayerRow>>, Vec<Diagnostic>> {
    let mut machine = Machine::new(request.core, request.sources);
    machine.limits.steps = bounds.steps.min(machine.limits.steps);
    machine.limits.memory = bounds.memory.min(machine.limits.memory);
    let input = shapes::Input {
        features: shapes::Features::One(shapes::Signal::numbers(input.iter().copied().map(Some).collect())),
        span,
    };
    match machine.result_layers(&input) {
        Ok(rows) => Ok(rows),
        Err(Failed) => Err(machine.diagnostics),
    }
}

/// Evaluates where summaries stand for modules whose evaluation took `before`, and summarises the values `wanted` that were
/// asked for.
pub(crate) fn evaluate_and_summarise(
    request: Request<'_>,
    before: Spent,
    wanted: &[GlobalId],
    making: &mut Making,
) -> (Outcome, Vec<Option<u32>>) {
    let mut machine = Machine::new(request.core, request.sources);
    machine.limits.leave_out(before);
    let mut outcome = Outcome::default();
    run(&mut machine, request, &mut outcome);
    let mut seen = FxHashMap::default();
    // Which data is late only after the build is known of a whole evaluation.
    let is_plain = !machine.artifacts.late_data;
    let values = wanted.iter().map(|id| {
        let value = machine.value_of(*id).filter(|_| is_plain)?;
        machine.summarise(value, &mut seen, making)
    });
    let values = values.collect();
    (finish(machine, outcome), values)
}

fn run_on(mut machine: Machine<'_>, request: Request<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    run(&mut machine, request, &mut outcome);
    finish(machine, outcome)
}

fn run(machine: &mut Machine<'_>, request: Request<'_>, outcome: &mut Outcome) {
    let demanded = target::demand(machine, request.demand);
    let mut artifacts = Collector::default();
    for (label, value) in demanded {
        let text = match request.render {
            Render::Nothing => Some(String::new()),
            Render::Text => machine.text_wide(&value),
            Render::Json => machine.to_json(&value),
        };
        // After its text, which says what a late value is computed from.
        artifacts.collect(machine, &label, &value);
        match text {
            Some(text) => outcome.values.push(Shown { label, text }),
            None => {
                let error = target::too_long(machine, &label);
                machine.diagnostics.extend(error);
            }
        }
    }
    outcome.evaluation.targets = artifacts.found;
}

fn finish(machine: Machine<'_>, mut outcome: Outcome) -> Outcome {
    outcome.lacks = machine.lacks();
    outcome.spent = machine.spent();
    outcome.layers = machine.artifacts.layers;
    outcome.evaluation.specs = machine.specs.finish();
    outcome.diagnostics = machine.diagnostics;
    outcome
}
