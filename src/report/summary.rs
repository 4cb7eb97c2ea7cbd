//! A run's events folded to what it came to.

use crate::model::event::{Event, EventKind, How, RunStatus, StepFailure};
use crate::model::node::Node;
use mlp_protocol::message::Message;
use std::collections::BTreeMap;

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Its id.
    pub run: String,
    /// Its targets, as they were asked for.
    pub targets: Vec<String>,
    /// Settings by `--set`.
    pub settings: BTreeMap<String, String>,
    /// Seconds since the epoch at its start.
    pub started: u64,
    /// How it ended; none where its log breaks off: it was killed, or goes on.
    pub status: Option<RunStatus>,
    /// Milliseconds from its start to its last event.
    pub took_ms: u64,
    /// Steps whose results existed.
    pub reused: usize,
    /// Steps that were tried, in the order in which they ended.
    pub steps: Vec<StepSummary>,
    /// Steps that were not tried, with the step that they wait for.
    pub skipped: Vec<(String, Option<String>)>,
    /// Artifacts that the targets came to.
    pub artifacts: Vec<Artifact>,
    /// Words to the user, in order, each once.
    pub warnings: Vec<String>,
    /// Steps that gave other bits than before, and what differs first.
    pub differs: Vec<(String, String)>,
}

/// A step that was tried.
#[derive(Clone, Debug)]
pub struct StepSummary {
    /// Its name.
    pub step: String,
    /// How it ended.
    pub ending: StepEnding,
    /// Wall time.
    pub wall_ms: u64,
    /// Its log, relative to the run's directory.
    pub log: Option<String>,
    /// Epochs that it trained, epochs whose states it found, and its mean speed, if it is a training.
    pub training: Option<Training>,
}

/// How a step ended.
#[derive(Clone, Debug)]
pub enum StepEnding {
    /// It has its outputs.
    Done(How),
    /// It failed.
    Failed(StepFailure),
}

/// What a training did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Training {
    /// Epochs that were trained in this run.
    pub trained: u32,
    /// Epochs whose states were found.
    pub found: u32,
    /// Seconds that the epochs of this run took.
    pub seconds: f64,
    /// Examples that were seen in them.
    pub examples: f64,
    /// The figures of the last epoch.
    pub last: BTreeMap<String, f64>,
    /// What was seen of the last epoch that was trained: norms, time and memory, in no result.
    pub observed: BTreeMap<String, f64>,
}

/// An artifact of a target.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// The path from the target: `fit.model`.
    pub label: String,
    /// What it is.
    pub kind: String,
    /// What it holds.
    pub node: Node,
    /// Where it is seen, relative to the project; filled in by who made the link.
    pub place: Option<String>,
    /// What it says, if it is JSON; filled in by who can read it.
    pub value: Option<serde_json::Value>,
}

impl Summary {
    /// Folds `events`, of one run and in order.
    pub fn of(events: &[Event]) -> Self {
        let mut summary = Self::default();
        let mut logs = BTreeMap::new();
        let mut trainings: BTreeMap<String, Training> = BTreeMap::new();
        for event in events {
            summary.took_ms = event.at_ms;
            match &event.kind {
                EventKind::RunStarted {
                    run,
                    targets,
                    settings,
                    started,
                    ..
                } => {
                    summary.run.clone_from(run);
                    summary.targets.clone_from(targets);
                    summary.settings.clone_from(settings);
                    summary.started = *started;
                }
                EventKind::Planned { reuse, .. } => summary.reused = reuse.len(),
                EventKind::StepStarted { step, log, .. } => {
                    logs.insert(step.clone(), log.clone());
                }
                EventKind::Builder { step, message } => {
                    if let Message::Warning { text } = message {
                        summary.warn(format!("{step}: {text}"));
                    }
                    trainings.entry(step.clone()).or_default().hear(message);
                }
                EventKind::ChainFound { step, epochs, .. } => {
                    trainings.entry(step.clone()).or_default().found = *epochs;
                }
                EventKind::StepFinished {
                    step, how, wall_ms, ..
                } => summary.steps.push(StepSummary {
                    step: step.clone(),
                    ending: StepEnding::Done(*how),
                    wall_ms: *wall_ms,
                    log: logs.remove(step),
                    training: trainings.remove(step).filter(Training::is_one),
                }),
                EventKind::StepFailed {
                    step,
                    failure,
                    log,
                    wall_ms,
                    ..
                } => summary.steps.push(StepSummary {
                    step: step.clone(),
                    ending: StepEnding::Failed(failure.clone()),
                    wall_ms: *wall_ms,
                    log: log.clone(),
                    training: trainings.remove(step).filter(Training::is_one),
                }),
                EventKind::StepSkipped { step, because } => {
                    summary.skipped.push((step.clone(), because.clone()));
                }
                EventKind::Differs { step, detail, .. } => {
                    summary.differs.push((step.clone(), detail.clone()));
                }
                // Only shown as it comes.
                EventKind::Output { .. } => {}
                EventKind::Stopping { .. } => {}
                // Told with the failure.
                EventKind::FolderKept { .. } => {}
                EventKind::Warning { text } => summary.warn(text.clone()),
                EventKind::TargetReady { label, kind, node } => summary.artifacts.push(Artifact {
                    label: label.clone(),
                    kind: kind.0.clone(),
                    node: *node,
                    place: None,
                    value: None,
                }),
                EventKind::RunFinished { status, .. } => summary.status = Some(*status),
            }
        }
        summary
    }

    /// Steps that were built, and steps that failed of themselves: one that was stopped did not.
    pub fn counts(&self) -> (usize, usize) {
        let failed = self
            .steps
            .iter()
            .filter(|step| {
                matches!(&step.ending, StepEnding::Failed(failure) if *failure != StepFailure::Cancelled)
            })
            .count();
        let built = self
            .steps
            .iter()
            .filter(|step| matches!(step.ending, StepEnding::Done(How::Built | How::Diverged)))
            .count();
        (built, failed)
    }

    fn warn(&mut self, text: String) {
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }
}

impl Training {
    fn hear(&mut self, message: &Message) {
        match message {
            Message::TrainingStarted { from_epoch, .. } => self.found = *from_epoch,
            Message::Epoch {
                metrics,
                seconds,
                examples_per_second,
                ..
            } => {
                self.last.clone_from(metrics);
                // An epoch whose state was found took no time here.
                if *seconds > 0.0 {
                    self.trained += 1;
                    self.seconds += seconds;
                    self.examples += seconds * examples_per_second;
                }
            }
            Message::Observed { figures, .. } => self.observed.clone_from(figures),
            _ => {}
        }
    }

    fn is_one(&self) -> bool {
        self.found > 0 || self.trained > 0 || !self.last.is_empty()
    }

    /// Its mean speed, where it trained at all.
    pub fn examples_per_second(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.examples / self.seconds)
    }
}
