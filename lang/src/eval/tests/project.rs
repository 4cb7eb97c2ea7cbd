//! Pipelines as text, through parser, checker and evaluator.

use super::plain::plain;
use crate::check::check;
use crate::core::Core;
use crate::diagnostic::Severity;
use crate::eval::{Demand, Outcome, Render, Request, Target, evaluate};
use crate::lower::{Files, load};
use crate::source::Sources;

/// A checked pipeline.
pub(super) struct Project {
    pub(super) core: Core,
    pub(super) sources: Sources,
    /// Errors before anything is evaluated.
    pub(super) wrong: String,
}

/// The file `pipeline.mlp` with this text.
pub(super) fn project(text: &str) -> Project {
    let loaded = load(&Files::new([("pipeline.mlp", text)]), "pipeline.mlp");
    let checked = check(&loaded.program, &loaded.sources);
    let diagnostics = loaded.diagnostics.into_iter().chain(checked.diagnostics);
    let diagnostics: Vec<_> = diagnostics
        .filter(|one| one.severity == Severity::Error)
        .collect();
    Project {
        core: checked.core,
        wrong: plain(&loaded.sources, &diagnostics),
        sources: loaded.sources,
    }
}

impl Project {
    pub(super) fn evaluate(&self, demand: &Demand, render: Render) -> Outcome {
        evaluate(Request {
            core: &self.core,
            sources: &self.sources,
            demand,
            render,
        })
    }

    /// Builds these targets; they are written on a line of their own in a source of their own.
    pub(super) fn build(&mut self, targets: &[&str]) -> (Outcome, String) {
        let demand = Demand::Build(targets.iter().map(|text| self.target(text)).collect());
        let outcome = self.evaluate(&demand, Render::Nothing);
        let said = plain(&self.sources, &outcome.diagnostics);
        (outcome, said)
    }

    fn target(&mut self, text: &str) -> Target {
        let source = self.sources.add("the command line", text);
        Target {
            text: text.to_owned(),
            span: crate::source::Span {
                source,
                start: 0,
                end: text.len() as u32,
            },
        }
    }
}

/// The values of all bindings and of the result, then all messages.
pub(super) fn all(text: &str) -> String {
    let project = project(text);
    let outcome = project.evaluate(&Demand::All, Render::Text);
    let mut shown = String::new();
    for value in &outcome.values {
        shown += &match value.label.as_str() {
            "" => format!("{}\n", value.text),
            label => format!("{label} = {}\n", value.text),
        };
    }
    shown + &project.wrong + &plain(&project.sources, &outcome.diagnostics)
}

/// The value of the result expression; messages, if there are any, instead.
pub(super) fn result(text: &str) -> String {
    let project = project(text);
    let outcome = project.evaluate(&Demand::Result, Render::Text);
    match (outcome.values.as_slice(), project.wrong.as_str()) {
        ([value], "") if outcome.diagnostics.is_empty() => value.text.clone(),
        _ => project.wrong.clone() + &plain(&project.sources, &outcome.diagnostics),
    }
}

/// All messages.
pub(super) fn messages(text: &str) -> String {
    let project = project(text);
    let outcome = project.evaluate(&Demand::All, Render::Nothing);
    project.wrong.clone() + &plain(&project.sources, &outcome.diagnostics)
}
