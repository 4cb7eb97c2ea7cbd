//! Describes the environments of a pipeline: reads what pins them, and asks the machine for what is its own.

use super::error::EngineError;
use crate::environment::host;
use crate::instantiate;
use crate::model::environment::{Described, EnvironmentTable};
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::spec::{EnvRef, Environment, Evaluation};

/// The environments that the targets of `evaluation` need.
pub(super) fn describe(evaluation: &Evaluation) -> Result<EnvironmentTable, EngineError> {
    let (mut table, mut wrong) = (EnvironmentTable::new(), Vec::new());
    for env in instantiate::environments(evaluation) {
        match one(env) {
            Ok(described) => drop(table.insert(env.kind.clone(), described)),
            Err(found) => wrong.extend(found),
        }
    }
    if wrong.is_empty() {
        Ok(table)
    } else {
        Err(EngineError::Pipeline(wrong))
    }
}

fn one(env: &Environment) -> Result<Described, Vec<Diagnostic>> {
    let span = env.origin.span;
    match &env.kind {
        EnvRef::Host { tools } => host::describe(tools, span).map(Described::Host),
        EnvRef::Flake { .. } | EnvRef::Python { .. } => Err(vec![
            Diagnostic::error("E0512", span, "this environment cannot be realised yet")
                .help("use `env.host([\"python3\"])`"),
        ]),
    }
}
