//! From targets as they are written to the graph of what they demand: what `build`, `graph` and `show` begin with.

use super::exit::Refusal;
use super::notice::Notice;
use super::place::{self, Settings};
use super::told;
use crate::engine::{EngineError, Instance, Pipeline, Workspace, has_errors};
use mlp_lang::diagnostic::{Diagnostic, Severity};
use mlp_lang::eval::Outcome;

/// What targets came to.
pub(super) struct Demanded {
    /// The pipeline, for its sources.
    pub pipeline: Pipeline,
    /// Specs and layers.
    pub outcome: Outcome,
    /// The project with its store.
    pub workspace: Workspace,
    /// The graph.
    pub instance: Instance,
}

/// Checks all of the pipeline, evaluates the targets, and makes their graph; or gives what is to be mended. Warnings are
/// shown at once.
pub(super) fn demand(
    targets: &[String],
    settings: &Settings,
) -> Result<Result<Demanded, Vec<Notice>>, Refusal> {
    let project = place::project()?;
    let mut pipeline = Pipeline::load(&project, &settings.pairs()?);
    let mut diagnostics = pipeline.diagnostics().to_vec();
    let outcome = pipeline.evaluate_for_build(targets);
    diagnostics.extend_from_slice(&outcome.diagnostics);
    if has_errors(&diagnostics) {
        return Ok(Err(notices(&pipeline, &diagnostics)));
    }
    let workspace = Workspace::open(project).map_err(|error| Refusal::of_engine(&error))?;
    let instance = match workspace.instantiate(&outcome.evaluation, pipeline.sources_mut()) {
        Ok(instance) => instance,
        Err(EngineError::Pipeline(found)) => {
            diagnostics.extend(found);
            return Ok(Err(notices(&pipeline, &diagnostics)));
        }
        Err(error) => return Err(Refusal::of_engine(&error)),
    };
    let warned = diagnostics
        .iter()
        .chain(&instance.warnings)
        .filter(|found| found.severity == Severity::Warning)
        .cloned();
    told::show(&notices(&pipeline, &warned.collect::<Vec<_>>()));
    Ok(Ok(Demanded {
        pipeline,
        outcome,
        workspace,
        instance,
    }))
}

fn notices(pipeline: &Pipeline, diagnostics: &[Diagnostic]) -> Vec<Notice> {
    let notice = |diagnostic| Notice::of(diagnostic, pipeline.sources());
    diagnostics.iter().map(notice).collect()
}
