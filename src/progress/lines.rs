//! Lines that stay: on a terminal they scroll up above the live ones, elsewhere they are all there is.

use super::steps::{Steps, Work};
use crate::model::event::{Event, EventKind, How, PlannedStep, StepFailure};
use crate::report::style::Style;
use crate::report::{count, duration, figure};
use mlp_protocol::message::Message;
use std::collections::BTreeMap;

/// Trainings of more epochs than this tell only about every so many of them, where nothing is live.
const EPOCH_LINES: u32 = 50;

/// The lines that `event` adds. `steps` is what was known before it. Where there are live lines, what they show is left
/// out here.
pub(super) fn lines(steps: &Steps, event: &Event, live: bool, style: Style) -> Vec<String> {
    match &event.kind {
        EventKind::Planned { build, reuse, .. } => planned(build, reuse).into_iter().collect(),
        EventKind::StepStarted { step, .. } if !live => vec![format!("{step}: {}", steps.builder(step))],
        EventKind::ChainFound { step, epochs, of } if *epochs > 0 => {
            vec![format!("{step}: {epochs} of {of} epochs were trained before")]
        }
        EventKind::Output { step, line } if steps.planned > 1 => {
            vec![format!("{} {line}", style.dim(&format!("{step} |")))]
        }
        EventKind::Output { line, .. } => vec![line.clone()],
        EventKind::Builder { step, message } => spoken(step, message, live, style).into_iter().collect(),
        EventKind::StepFinished {
            step, how, wall_ms, ..
        } => vec![finished(step, *how, *wall_ms, style) + &at_the_end(steps, step)],
        EventKind::Stopping { steps } => vec![format!(
            "stopping: {} may end in good order; Ctrl-C once more stops at once",
            steps.join(", ")
        )],
        EventKind::StepFailed {
            step,
            failure: StepFailure::Cancelled,
            wall_ms,
            ..
        } => vec![format!("{step} was stopped after {}", duration(*wall_ms))],
        EventKind::StepFailed { step, wall_ms, .. } => {
            vec![format!(
                "{} {step} failed after {}",
                style.red("✗"),
                duration(*wall_ms)
            )]
        }
        EventKind::Differs { step, detail, .. } => {
            vec![format!(
                "{} {step} came out different: {detail}",
                style.yellow("warning:")
            )]
        }
        EventKind::Warning { text } => vec![format!("{} {text}", style.yellow("warning:"))],
        _ => Vec::new(),
    }
}

fn planned(build: &[PlannedStep], reuse: &[PlannedStep]) -> Option<String> {
    // With nothing to build the summary says all there is to say.
    let first = build.first()?;
    let names: Vec<&str> = build.iter().take(5).map(|step| step.step.as_str()).collect();
    let more = if build.len() > 5 { ", …" } else { "" };
    let reused = match reuse.len() {
        0 => String::new(),
        n => format!("; {n} up to date"),
    };
    let reason = if reuse.is_empty() || first.reason.is_empty() {
        String::new()
    } else {
        format!(" ({}: {})", first.step, first.reason)
    };
    Some(format!("to build: {}{more}{reused}{reason}", names.join(", ")))
}

fn spoken(step: &str, message: &Message, live: bool, style: Style) -> Option<String> {
    match message {
        Message::TrainingStarted {
            device,
            parameters,
            examples,
            ..
        } if !live => Some(format!(
            "{step}: trains {} parameters on {} examples, on {device}",
            count(*parameters),
            count(*examples)
        )),
        Message::Epoch {
            epoch,
            epochs,
            metrics,
            seconds,
            examples_per_second,
        } if !live && told(*epoch, *epochs) => Some(format!(
            "{step}: epoch {epoch}/{epochs}  {}{}",
            figures(metrics),
            if *seconds > 0.0 {
                format!("  {} examples/s", count(*examples_per_second as u64))
            } else {
                "  (found)".to_owned()
            }
        )),
        Message::Figures { done, of, metrics } => {
            let at = match (done, of) {
                (Some(done), Some(of)) => format!("{}/{}  ", count(*done), count(*of)),
                (Some(done), None) => format!("{}  ", count(*done)),
                (None, _) => String::new(),
            };
            Some(format!("{step}: {at}{}", figures(metrics)))
        }
        Message::StoppedEarly { epoch, best_epoch } => Some(format!(
            "{step}: stopped after epoch {epoch}, the best was {best_epoch}"
        )),
        Message::Warning { text } => Some(format!("{} {step}: {text}", style.yellow("warning:"))),
        _ => None,
    }
}

/// Whether an epoch is told about: all of a short training, and of a long one so many as fit a screen.
fn told(epoch: u32, epochs: u32) -> bool {
    epoch == epochs || epoch.is_multiple_of(epochs.div_ceil(EPOCH_LINES).max(1))
}

fn figures(metrics: &BTreeMap<String, f64>) -> String {
    let figures = metrics.iter().filter(|(name, _)| *name != "lr");
    let figures = figures.map(|(name, x)| format!("{} {}", name.replace('.', " "), figure(*x)));
    figures.collect::<Vec<_>>().join("  ")
}

/// The last figures of a training.
fn at_the_end(steps: &Steps, step: &str) -> String {
    let figures = steps.running.get(step).map(|running| match &running.work {
        Work::Training(training) => figures(&training.validation),
        _ => String::new(),
    });
    figures
        .filter(|text| !text.is_empty())
        .map_or(String::new(), |text| format!("  {text}"))
}

fn finished(step: &str, how: How, wall_ms: u64, style: Style) -> String {
    let tick = style.green("✓");
    match how {
        How::Built => format!("{tick} {step} in {}", duration(wall_ms)),
        How::Cutoff => format!("{tick} {step} as before: its inputs came out the same"),
        How::Awaited => format!("{tick} {step} was built by another run meanwhile"),
        How::Diverged => format!(
            "{} {step} diverged after {}",
            style.yellow("~"),
            duration(wall_ms)
        ),
        How::Checked => format!("{tick} {step} built again to compare, in {}", duration(wall_ms)),
    }
}
