//! The way into a step: which step a target is, and all that it reads built first.

use super::build::{cancelled_by_signals, failures, processors};
use super::demand::{self, Demanded};
use super::exit::{Exit, Refusal};
use super::failure::Failed;
use super::place;
use super::told;
use crate::engine::{Cancel, Nothing, Ready, Visit, capacity, reads_of, ready};
use crate::model::event::Event;
use crate::model::graph::StepId;
use crate::progress::Display;
use crate::report::style::Style;
use std::collections::BTreeSet;

/// A step that can be entered.
pub(super) struct Entered {
    pub(super) demanded: Demanded,
    pub(super) step: StepId,
    pub(super) visit: Visit,
    pub(super) cancel: Cancel,
}

/// Gets the step ready that `target` is; or says why not, and gives the status to end with.
pub(super) fn enter(target: &str, settings: &place::Settings) -> Result<Result<Entered, Exit>, Refusal> {
    let mut demanded = match demand::demand(&[target.to_owned()], settings)? {
        Ok(demanded) => demanded,
        Err(notices) => {
            told::show(&notices);
            return Ok(Err(Exit::Mend));
        }
    };
    let step = only_step(&demanded, target)?;
    let cancel = cancelled_by_signals()?;
    let mut display = Display::stderr(Style::stderr());
    let mut events: Vec<Event> = Vec::new();
    let mut listener = |event: &Event| {
        display.event(event);
        events.push(event.clone());
    };
    let got = ready(
        &demanded.workspace,
        &mut demanded.instance,
        step,
        capacity(processors(), None),
        &mut listener,
        &cancel,
    );
    display.finish();
    let visit = match got.map_err(|error| Refusal::of_engine(&error))? {
        Ready::Here(visit) => *visit,
        Ready::Unbuilt(report) => {
            told::show(&failures(&demanded, &events, report.folder.as_deref()));
            return Ok(Err(if cancel.is_cancelled() {
                Exit::Cancelled
            } else {
                Exit::Failed
            }));
        }
        Ready::Refused(failure) => {
            let failed = Failed {
                step: demanded.instance.graph.step(step).name(),
                failure: &failure,
                tail: &[],
                log: None,
                kept: None,
                declared: Some(demanded.instance.graph.step(step)),
                sources: demanded.pipeline.sources(),
                line: &|_, _| None,
            };
            told::show(&[failed.notice()]);
            return Ok(Err(Exit::Failed));
        }
    };
    Ok(Ok(Entered {
        demanded,
        step,
        visit,
        cancel,
    }))
}

/// The one step that the target's artifacts come from.
fn only_step(demanded: &Demanded, target: &str) -> Result<StepId, Refusal> {
    let graph = &demanded.instance.graph;
    let made: BTreeSet<StepId> = graph
        .targets
        .iter()
        .flat_map(|target| {
            let reads = reads_of(&target.source, &Nothing);
            reads.must.into_iter().chain(reads.may).map(|(step, _)| step)
        })
        .collect();
    let steps: Vec<StepId> = made.into_iter().collect();
    match steps.as_slice() {
        [step] => Ok(*step),
        [] => {
            Err(Refusal::new(format!("`{target}` is made by no step"))
                .hint("name a target that a step makes"))
        }
        steps => {
            let names: Vec<String> = steps
                .iter()
                .take(5)
                .map(|step| format!("`{}`", graph.step(*step).name()))
                .collect();
            let more = if steps.len() > names.len() { ", …" } else { "" };
            let message = format!("`{target}` is made by {} steps", steps.len());
            Err(Refusal::new(message).hint(format!("name one of them: {}{more}", names.join(", "))))
        }
    }
}
