//! From targets as they are written to the graph of what they demand: what `build`, `graph` and `show` begin with.

use super::exit::Refusal;
use super::notice::Notice;
use super::place::{self, Settings};
use super::told;
use crate::engine::{
    Asked, EngineError, Instance, Pipeline, Plan, Project, Workspace, has_errors, not_yet, recall, remember,
    smoke,
};
use mlp_lang::diagnostic::{Diagnostic, Severity};
use mlp_lang::eval::Outcome;
use std::mem::ManuallyDrop;

/// What targets came to.
pub(super) struct Demanded {
    /// The pipeline, for its sources.
    pub pipeline: Pipeline,
    /// The project with its store.
    pub workspace: Workspace,
    /// What the targets evaluated to. Never taken apart: a command has one.
    pub outcome: ManuallyDrop<Outcome>,
    /// The graph.
    pub instance: Instance,
}

/// Targets that are evaluated, and nothing more: no file was looked at.
pub(super) struct Evaluated {
    project: Project,
    pipeline: Pipeline,
    /// Specs and layers.
    pub outcome: Outcome,
    diagnostics: Vec<Diagnostic>,
}

/// What targets came to, with the plan for them, where they are remembered and there is nothing to do.
pub(super) fn up_to_date(
    targets: &[String],
    settings: &Settings,
) -> Result<Option<(Demanded, Plan)>, Refusal> {
    let project = place::project()?;
    let settings = settings.pairs()?;
    let asked = Asked {
        targets,
        settings: &settings,
    };
    let recalled = recall(&project, asked).map(|(workspace, instance, plan)| {
        let demanded = Demanded {
            pipeline: Pipeline::unread(),
            workspace,
            outcome: ManuallyDrop::default(),
            instance,
        };
        (demanded, plan)
    });
    Ok(recalled)
}

/// Checks all of the pipeline, evaluates the targets, and makes their graph; or gives what is to be mended. Warnings are
/// shown at once.
pub(super) fn demand(
    targets: &[String],
    settings: &Settings,
) -> Result<Result<Demanded, Vec<Notice>>, Refusal> {
    let evaluated = match evaluate(targets, settings)? {
        Ok(evaluated) => evaluated,
        Err(notices) => return Ok(Err(notices)),
    };
    let nothing_to_say = evaluated.diagnostics.is_empty();
    let demanded = evaluated.instantiate()?;
    if let (Ok(demanded), true) = (&demanded, nothing_to_say) {
        let asked = Asked {
            targets,
            settings: &settings.pairs()?,
        };
        remember(
            &demanded.workspace,
            asked,
            demanded.pipeline.noted(),
            &demanded.instance,
        );
    }
    Ok(demanded)
}

/// The same for a trial of it, which is not remembered.
pub(super) fn demand_smoke(
    targets: &[String],
    settings: &Settings,
) -> Result<Result<Demanded, Vec<Notice>>, Refusal> {
    match evaluate(targets, settings)? {
        Ok(mut evaluated) => {
            smoke(&mut evaluated.outcome.evaluation);
            evaluated.instantiate()
        }
        Err(notices) => Ok(Err(notices)),
    }
}

/// Checks all of the pipeline and evaluates the targets; or gives what is to be mended.
pub(super) fn evaluate(
    targets: &[String],
    settings: &Settings,
) -> Result<Result<Evaluated, Vec<Notice>>, Refusal> {
    evaluate_in(place::project()?, targets, settings)
}

/// The same, of a project that may lie elsewhere.
pub(super) fn evaluate_in(
    project: Project,
    targets: &[String],
    settings: &Settings,
) -> Result<Result<Evaluated, Vec<Notice>>, Refusal> {
    let mut pipeline = Pipeline::load(&project, &settings.pairs()?);
    let mut diagnostics = pipeline.diagnostics().to_vec();
    let outcome = pipeline.evaluate_for_build(targets);
    diagnostics.extend_from_slice(&outcome.diagnostics);
    if has_errors(&diagnostics) {
        return Ok(Err(notices(&pipeline, &diagnostics)));
    }
    Ok(Ok(Evaluated {
        project,
        pipeline,
        outcome,
        diagnostics,
    }))
}

impl Evaluated {
    /// Shows what was found; none of it is an error.
    pub(super) fn show_warnings(&self) {
        show_warnings(&self.pipeline, self.diagnostics.iter());
    }

    /// Makes the graph; or gives what is to be mended. Warnings are shown at once.
    pub(super) fn instantiate(self) -> Result<Result<Demanded, Vec<Notice>>, Refusal> {
        let Evaluated {
            project,
            mut pipeline,
            mut outcome,
            mut diagnostics,
        } = self;
        diagnostics.extend(not_yet(&outcome));
        if has_errors(&diagnostics) {
            return Ok(Err(notices(&pipeline, &diagnostics)));
        }
        let workspace = Workspace::open(project).map_err(|error| Refusal::of_engine(&error))?;
        let instance = match workspace.instantiate(&mut outcome.evaluation, pipeline.sources_mut()) {
            Ok(instance) => instance,
            Err(EngineError::Pipeline(found)) => {
                diagnostics.extend(found);
                return Ok(Err(notices(&pipeline, &diagnostics)));
            }
            Err(error) => return Err(Refusal::of_engine(&error)),
        };
        show_warnings(&pipeline, diagnostics.iter().chain(&instance.warnings));
        Ok(Ok(Demanded {
            pipeline,
            workspace,
            outcome: ManuallyDrop::new(outcome),
            instance,
        }))
    }
}

fn show_warnings<'d>(pipeline: &Pipeline, diagnostics: impl Iterator<Item = &'d Diagnostic>) {
    let warned: Vec<Diagnostic> = diagnostics
        .filter(|found| found.severity == Severity::Warning)
        .cloned()
        .collect();
    told::show(&notices(pipeline, &warned));
}

/// What was found, with its places.
pub(super) fn notices(pipeline: &Pipeline, diagnostics: &[Diagnostic]) -> Vec<Notice> {
    let notice = |diagnostic| Notice::of(diagnostic, pipeline.sources());
    diagnostics.iter().map(notice).collect()
}

/// Whether an artifact's label is that of a target which is written so, or of a part of it.
pub(super) fn is_of(label: &str, target: &str) -> bool {
    label
        .strip_prefix(target)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
