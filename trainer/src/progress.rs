//! What a training tells while it runs, and the observed durations: the one place of the trainer that looks at a clock.

use crate::error::Outcome;
use crate::history::Row;
use crate::shim;
use mlp_data::channel::Channel;
use mlp_protocol::message::{Failure, Message};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The shortest time between two words about train steps.
const INTERVAL: Duration = Duration::from_millis(100);

/// Tells of a training.
pub(crate) struct Progress<'a> {
    channel: &'a Channel,
    epochs: u32,
    begun: Instant,
    epoch_begun: Instant,
    told: Instant,
    timings: Timings,
    /// Seconds of all processors at the epoch's begin.
    cpu_begun: f64,
    /// How long this epoch has waited for batches.
    waited: Duration,
}

/// The observed output `timings`.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Timings {
    /// Seconds in all.
    seconds: f64,
    /// The epochs that were trained here.
    epochs: Vec<EpochTiming>,
}

#[derive(Clone, Debug, Serialize)]
struct EpochTiming {
    epoch: u32,
    seconds: f64,
    examples_per_second: f64,
}

impl<'a> Progress<'a> {
    /// Begins.
    pub(crate) fn new(channel: &'a Channel, epochs: u32) -> Progress<'a> {
        let now = Instant::now();
        Progress {
            channel,
            epochs,
            begun: now,
            epoch_begun: now,
            told: now,
            timings: Timings::default(),
            cpu_begun: 0.0,
            waited: Duration::ZERO,
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When `mlp` is gone.
    pub(crate) fn send(&self, message: &Message) -> Outcome<()> {
        let sent = self.channel.send(message);
        sent.map_err(|error| Failure::new("B0002", format!("mlp does not listen: {error}")).into())
    }

    /// An epoch begins to be trained.
    pub(crate) fn begin_epoch(&mut self) {
        self.epoch_begun = Instant::now();
        self.cpu_begun = shim::usage().0;
        self.waited = Duration::ZERO;
    }

    /// Waits for a batch, and remembers how long.
    pub(crate) fn waiting<T>(&mut self, batch: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let batch = batch();
        self.waited += begun.elapsed();
        batch
    }

    /// A train step is done, the `step`-th of `steps`, `examples` after the epoch's begin.
    ///
    /// # Errors
    /// When `mlp` is gone.
    pub(crate) fn step(
        &mut self,
        epoch: u32,
        step: u64,
        steps: u64,
        examples: i64,
        loss: f64,
    ) -> Outcome<()> {
        if self.told.elapsed() < INTERVAL {
            return Ok(());
        }
        self.told = Instant::now();
        let examples_per_second = rate(examples, self.epoch_begun.elapsed().as_secs_f64());
        self.send(&Message::Step {
            epoch,
            step,
            steps,
            loss,
            examples_per_second,
        })
    }

    /// An epoch's training is done; `norms` are the 2-norms of its last gradient and of the weights.
    ///
    /// # Errors
    /// When `mlp` is gone.
    pub(crate) fn end_training(&mut self, epoch: u32, examples: i64, norms: (f64, f64)) -> Outcome<()> {
        let seconds = self.epoch_begun.elapsed().as_secs_f64();
        let examples_per_second = rate(examples, seconds);
        self.timings.epochs.push(EpochTiming {
            epoch,
            seconds,
            examples_per_second,
        });
        let (cpu, memory) = shim::usage();
        let figures = [
            ("cpu_seconds", cpu - self.cpu_begun),
            ("gradient_norm", norms.0),
            ("memory_bytes", memory),
            ("waiting_seconds", self.waited.as_secs_f64()),
            ("weight_norm", norms.1),
        ];
        // A norm that is not finite has no form in JSON.
        let figures = figures.into_iter().filter(|(_, value)| value.is_finite());
        let figures = figures.map(|(name, value)| (name.to_string(), value)).collect();
        self.send(&Message::Observed { epoch, figures })
    }

    /// An epoch is done, its validation included.
    ///
    /// # Errors
    /// When `mlp` is gone.
    pub(crate) fn end_epoch(&self, row: &Row) -> Outcome<()> {
        let epoch = row.row.epoch;
        let timing = self.timings.epochs.iter().find(|timing| timing.epoch == epoch);
        let (seconds, examples_per_second) =
            timing.map_or((0.0, 0.0), |timing| (timing.seconds, timing.examples_per_second));
        let mut metrics = BTreeMap::from([
            ("lr".to_string(), row.row.lr),
            ("train.loss".to_string(), row.row.train.loss),
        ]);
        for (name, value) in row.val.iter().flatten() {
            if let Some(number) = Value::as_f64(value) {
                metrics.insert(format!("val.{name}"), number);
            }
        }
        self.send(&Message::Epoch {
            epoch,
            epochs: self.epochs,
            metrics,
            seconds,
            examples_per_second,
        })
    }

    /// The durations so far.
    pub(crate) fn timings(&self) -> Timings {
        Timings {
            seconds: self.begun.elapsed().as_secs_f64(),
            ..self.timings.clone()
        }
    }
}

fn rate(count: i64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}
