//! Messages on the builder's socket: one JSON object a line in each direction.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a builder program tells `mlp`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Message {
    /// A training begins, or goes on.
    TrainingStarted {
        /// The device: `cpu` or `cuda:0`.
        device: String,
        /// Trainable parameters of the network.
        parameters: u64,
        /// Examples in the training set.
        examples: u64,
        /// The last epoch whose state was found; 0 when training starts anew.
        from_epoch: u32,
        /// Epochs in all.
        epochs: u32,
    },
    /// Progress inside an epoch; at most ten a second.
    Step {
        /// The epoch, from 1.
        epoch: u32,
        /// Train steps done in this epoch.
        step: u64,
        /// Train steps in an epoch.
        steps: u64,
        /// Mean training loss of the epoch so far.
        loss: f64,
        /// Examples per second.
        examples_per_second: f64,
    },
    /// An epoch's figures, after its validation.
    Epoch {
        /// The epoch, from 1.
        epoch: u32,
        /// Epochs in all.
        epochs: u32,
        /// Named figures in order of name: `train.loss`, `val.loss`, `val.accuracy`, `lr`.
        metrics: BTreeMap<String, f64>,
        /// Seconds that the epoch took; 0 for an epoch whose state was found.
        seconds: f64,
        /// Examples per second; 0 for an epoch whose state was found.
        examples_per_second: f64,
    },
    /// What was seen of an epoch that was trained: in no digest, and other the next time.
    Observed {
        /// The epoch, from 1.
        epoch: u32,
        /// By name: `gradient_norm` and `weight_norm`, the 2-norms of all gradients of the last train step, before they are
        /// clipped, and of all parameters after it; `cpu_seconds` of the program and `waiting_seconds` for
        /// batches in the epoch's training; `memory_bytes`, the most that it has held so far.
        figures: BTreeMap<String, f64>,
    },
    /// A state is whole in [`crate::call::ChainIo::new`]; the program waits for [`Reply::StateStored`] before a
    /// third one is under way.
    State {
        /// The epoch whose end it is.
        epoch: u32,
        /// The name inside [`crate::call::ChainIo::new`].
        name: String,
    },
    /// Training stopped before its last epoch, as its early stopping said.
    StoppedEarly {
        /// The last epoch that was trained.
        epoch: u32,
        /// The best epoch.
        best_epoch: u32,
    },
    /// Progress of any other step.
    Progress {
        /// Units done.
        done: u64,
        /// Units in all, where they are known.
        total: Option<u64>,
        /// What is counted, in plural: `rows`, `examples`.
        unit: String,
    },
    /// Figures of a command so far.
    Figures {
        /// Units done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        done: Option<u64>,
        /// Units in all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<u64>,
        /// By name: `loss`.
        metrics: BTreeMap<String, f64>,
    },
    /// A word to the user that is no failure.
    Warning {
        /// The text.
        text: String,
    },
    /// The step failed; the program exits with status 1 after it.
    Failed(Failure),
}

/// Why a builder program could not do its work: what, where, why, what to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable code of the form `B0101`; `mlp explain` has a page for each.
    pub code: String,
    /// One sentence that names the thing: "the label 12 is outside the 10 classes".
    pub message: String,
    /// The place in an input, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The parameter of the pipeline's call that is at fault, as a path of names: `y.classes`, `lr`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argument: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// What a builder program's functions return. Boxed, since a failure is large and rare.
pub type Outcome<T> = Result<T, Box<Failure>>;

impl Failure {
    /// A failure with a code of [`crate::failure::CODES`] and a sentence that names the thing.
    pub fn new(code: &'static str, message: impl Into<String>) -> Box<Failure> {
        debug_assert!(
            crate::failure::find(code).is_some(),
            "{code} is not in failure::CODES"
        );
        let code = code.to_string();
        Box::new(Failure {
            code,
            message: message.into(),
            place: None,
            argument: None,
            help: None,
        })
    }

    /// Says where, in an input.
    #[must_use]
    pub fn at(mut self: Box<Self>, place: Place) -> Box<Self> {
        self.place = Some(place);
        self
    }

    /// Says which parameter of the pipeline's call is at fault.
    #[must_use]
    pub fn argument(mut self: Box<Self>, path: impl Into<String>) -> Box<Self> {
        self.argument = Some(path.into());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self: Box<Self>, help: impl Into<String>) -> Box<Self> {
        self.help = Some(help.into());
        self
    }
}

/// A place in an input file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The input's name in [`crate::call::Call::inputs`].
    pub input: String,
    /// The path inside the input, where that is a directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line, from 1.
    pub line: u64,
    /// The byte offsets of the cell in its line, where they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<(u64, u64)>,
}

/// What `mlp` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// The state is durable and may be forgotten.
    StateStored {
        /// Its epoch.
        epoch: u32,
    },
}
