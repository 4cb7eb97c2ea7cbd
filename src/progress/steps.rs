//! What is known of the steps of a run so far: a fold of its events.

use crate::model::event::{Event, EventKind};
use mlp_protocol::message::Message;
use std::collections::{BTreeMap, BTreeSet};

/// The steps of a run.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// Steps to build.
    pub planned: usize,
    /// Steps that ended, one way or another.
    pub ended: usize,
    /// Steps that are built if a choice falls on them; none did yet.
    may: BTreeSet<String>,
    /// Builders of the planned steps.
    builders: BTreeMap<String, String>,
    /// Steps under way, by name.
    pub running: BTreeMap<String, Running>,
}

/// A step under way.
#[derive(Debug)]
pub(super) struct Running {
    /// The builtin's name, or the command's first word.
    pub builder: String,
    /// What is known of its work.
    pub work: Work,
}

/// How far a step is.
#[derive(Debug)]
pub(super) enum Work {
    /// It has said nothing yet.
    Silent,
    /// So many units are done.
    Counted {
        done: u64,
        total: Option<u64>,
        unit: String,
    },
    /// A training.
    Training(Training),
}

/// How far a training is.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Training {
    /// Epochs in all.
    pub epochs: u32,
    /// The epoch under way, from 1.
    pub epoch: u32,
    /// Train steps done in it, and in an epoch.
    pub step: u64,
    pub steps: u64,
    /// The mean training loss of the epoch so far.
    pub loss: Option<f64>,
    /// Examples per second.
    pub speed: f64,
    /// Validation figures of the last whole epoch.
    pub validation: BTreeMap<String, f64>,
    /// Epochs trained in this run, and the seconds that they took.
    trained: u32,
    seconds: f64,
}

impl Steps {
    /// Takes in an event.
    pub(super) fn apply(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Planned { build, may, .. } => {
                self.planned = build.len();
                self.may = may.iter().map(|step| step.step.clone()).collect();
                let builders = build
                    .iter()
                    .chain(may)
                    .map(|step| (step.step.clone(), step.builder.clone()));
                self.builders = builders.collect();
            }
            EventKind::StepStarted { step, .. } => {
                self.count(step);
                let running = Running {
                    builder: self.builder(step).to_owned(),
                    work: Work::Silent,
                };
                self.running.insert(step.clone(), running);
            }
            EventKind::Builder { step, message } => {
                if let Some(running) = self.running.get_mut(step) {
                    running.hear(message);
                }
            }
            EventKind::StepFinished { step, .. }
            | EventKind::StepFailed { step, .. }
            | EventKind::StepSkipped { step, .. } => {
                self.count(step);
                self.running.remove(step);
                self.ended += 1;
            }
            _ => {}
        }
    }

    /// A step that may have been spared is there after all.
    fn count(&mut self, step: &str) {
        self.planned += usize::from(self.may.remove(step));
    }

    /// Who builds `step`.
    pub(super) fn builder(&self, step: &str) -> &str {
        self.builders.get(step).map_or("", String::as_str)
    }
}

impl Running {
    fn hear(&mut self, message: &Message) {
        match message {
            Message::Progress { done, total, unit } => {
                self.work = Work::Counted {
                    done: *done,
                    total: *total,
                    unit: unit.clone(),
                };
            }
            Message::TrainingStarted {
                from_epoch, epochs, ..
            } => {
                self.work = Work::Training(Training {
                    epochs: *epochs,
                    epoch: (*from_epoch + 1).min(*epochs),
                    ..Training::default()
                });
            }
            Message::Step { .. } | Message::Epoch { .. } => {
                if let Work::Training(training) = &mut self.work {
                    training.hear(message);
                }
            }
            _ => {}
        }
    }
}

impl Training {
    fn hear(&mut self, message: &Message) {
        match message {
            Message::Step {
                epoch,
                step,
                steps,
                loss,
                examples_per_second,
            } => {
                (self.epoch, self.step, self.steps) = (*epoch, *step, *steps);
                self.loss = Some(*loss);
                self.speed = *examples_per_second;
            }
            Message::Epoch {
                epoch,
                metrics,
                seconds,
                examples_per_second,
                ..
            } => {
                self.epoch = (*epoch + 1).min(self.epochs);
                self.step = if *epoch == self.epochs { self.steps } else { 0 };
                self.loss = metrics.get("train.loss").copied().or(self.loss);
                let validation = metrics.iter().filter(|(name, _)| name.starts_with("val."));
                self.validation = validation
                    .map(|(name, x)| (name.replacen('.', " ", 1), *x))
                    .collect();
                if *seconds > 0.0 {
                    self.trained += 1;
                    self.seconds += seconds;
                    self.speed = *examples_per_second;
                }
            }
            _ => {}
        }
    }

    /// The share that is done, of all epochs.
    pub(super) fn done(&self) -> f64 {
        let whole = f64::from(self.epoch.saturating_sub(1));
        ((whole + self.part()) / f64::from(self.epochs.max(1))).clamp(0.0, 1.0)
    }

    /// The share of the epoch under way that is done.
    fn part(&self) -> f64 {
        if self.steps == 0 {
            0.0
        } else {
            self.step as f64 / self.steps as f64
        }
    }

    /// Milliseconds that are left if epochs go on to take as long as they took; none before the first is whole.
    pub(super) fn left_ms(&self) -> Option<u64> {
        let each = (self.trained > 0).then(|| self.seconds / f64::from(self.trained))?;
        let epochs = f64::from(self.epochs) - f64::from(self.epoch.saturating_sub(1)) - self.part();
        Some((each * epochs.max(0.0) * 1000.0) as u64)
    }
}
