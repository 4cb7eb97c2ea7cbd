//! Events of a run: the only source of display, run log and report. Serialised one JSON object a line.

use super::node::Node;
use crate::base::digest::Digest;
use mlp_lang::spec::ArtifactKind;
use mlp_protocol::message::{Failure, Message};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Milliseconds since the run began.
    pub at_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The run began.
    RunStarted {
        /// Its id, also the name of its log.
        run: String,
        /// The targets as they were asked for.
        targets: Vec<String>,
        /// Settings by `--set`.
        settings: BTreeMap<String, String>,
        /// Seconds since the epoch.
        started: u64,
        /// The version of mlp.
        version: String,
    },
    /// What is to be done.
    Planned {
        /// Steps to build, in an order in which they can be.
        build: Vec<PlannedStep>,
        /// Steps whose results exist.
        reuse: Vec<PlannedStep>,
        /// Steps that are built if a choice of the build falls on them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        may: Vec<PlannedStep>,
        /// The targets that are asked for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        targets: Vec<PlannedTarget>,
    },
    /// A step begins to be built.
    StepStarted {
        /// Its name.
        step: String,
        /// Its resolved key.
        resolved_key: Digest,
        /// The path of its log, relative to the run's directory.
        log: String,
    },
    /// A program wrote a line into its log: told where that is asked for, and not kept among the events.
    Output {
        /// The step.
        step: String,
        /// The line, without its end.
        line: String,
    },
    /// A builder spoke.
    Builder {
        /// The step.
        step: String,
        /// What it said.
        message: Message,
    },
    /// States of a training that were found.
    ChainFound {
        /// The step.
        step: String,
        /// The longest prefix of epochs whose states exist.
        epochs: u32,
        /// Epochs in all.
        of: u32,
    },
    /// The run is to end: steps under way may come to a good place to.
    Stopping {
        /// Those steps.
        steps: Vec<String>,
    },
    /// A step has its outputs.
    StepFinished {
        /// Its name.
        step: String,
        /// How it came by them.
        how: How,
        /// The outputs.
        outputs: BTreeMap<String, Option<Node>>,
        /// Wall time in milliseconds.
        wall_ms: u64,
    },
    /// A step gave other bits than were registered for its key; the registered ones stand.
    Differs {
        /// The step.
        step: String,
        /// The outputs that differ.
        outputs: Vec<String>,
        /// What differs first, in words: file, tensor, element.
        detail: String,
    },
    /// A step failed.
    StepFailed {
        /// Its name.
        step: String,
        /// Why.
        failure: StepFailure,
        /// The path of its log, relative to the run's directory; none where it was not started.
        log: Option<String>,
        /// The last lines of the log.
        tail: Vec<String>,
        /// Wall time in milliseconds.
        wall_ms: u64,
    },
    /// The folder of a failed build is kept.
    FolderKept {
        /// The step.
        step: String,
        /// Where it is on this machine.
        path: PathBuf,
    },
    /// A step was not tried because something that it reads failed, or the run was cancelled.
    StepSkipped {
        /// Its name.
        step: String,
        /// The step whose failure it follows from.
        because: Option<String>,
    },
    /// A word to the user.
    Warning {
        /// The text.
        text: String,
    },
    /// A target is there.
    TargetReady {
        /// Its label.
        label: String,
        /// What it is.
        kind: Kind,
        /// Its content.
        node: Node,
    },
    /// The run ended.
    RunFinished {
        /// How.
        status: RunStatus,
        /// Steps built.
        built: u32,
        /// Steps reused.
        reused: u32,
        /// Steps failed.
        failed: u32,
    },
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Its name.
    pub step: String,
    /// The builtin's name, or the command's first word.
    pub builder: String,
    /// Why: a sentence for people.
    pub reason: String,
}

/// An artifact that a run is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTarget {
    /// Its label.
    pub label: String,
    /// The static key of the step that gives it; of a choice the keys of what decides it and of all candidates.
    pub steps: Vec<Digest>,
}

/// How a step came by its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It was built.
    Built,
    /// Its inputs came out the same: an earlier result stands (early cutoff).
    Cutoff,
    /// Another run built it meanwhile.
    Awaited,
    /// It was built again to compare; what was registered stands, whatever came of it.
    Checked,
    /// It was built, and has no result: a training that diverged.
    Diverged,
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum StepFailure {
    /// The builder told why.
    Builder(Failure),
    /// The program exited with a status.
    Exited {
        /// The status.
        status: i32,
    },
    /// A program of the user's exited with a status, and its log says where or why.
    Script {
        /// The status.
        status: i32,
        /// Its last words: `ValueError: no rows`.
        words: Option<String>,
        /// The line of a script of the project that it stopped at.
        place: Option<ScriptPlace>,
        /// Files that it looked for, that there are, and that are no inputs of it.
        undeclared: Vec<Undeclared>,
    },
    /// An environment could not be made.
    Environment {
        /// The code of its page.
        code: String,
        /// What went wrong.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// The program was killed by a signal.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// Too slow.
    OutOfTime {
        /// Milliseconds that it may take.
        #[serde(default)]
        limit_ms: Option<u64>,
    },
    /// Too large.
    OutOfMemory {
        /// Bytes that it may hold.
        #[serde(default)]
        limit: Option<u64>,
        /// The most bytes that it was seen to hold.
        #[serde(default)]
        held: Option<u64>,
    },
    /// It wrote too much.
    OutOfDisk {
        /// Bytes that it may write.
        #[serde(default)]
        limit: Option<u64>,
    },
    /// Cancelled.
    Cancelled,
    /// Could not be started.
    NotStarted {
        /// Why.
        reason: String,
        /// What to do.
        help: Option<String>,
    },
    /// An output is missing or is not what it should be.
    Output {
        /// Its name.
        output: String,
        /// What is wrong.
        reason: String,
        /// What to do.
        help: Option<String>,
    },
    /// A source changed while it was read.
    SourceChanged {
        /// Its path from the project's root.
        path: String,
    },
    /// A source is pinned, and its bytes are neither in the project nor in the store.
    SourceAbsent {
        /// Its path from the project's root.
        path: String,
    },
    /// The store could not take or give something.
    Store {
        /// What.
        reason: String,
        /// What to do.
        help: Option<String>,
    },
}

/// A line of a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptPlace {
    /// From the project's root.
    pub path: String,
    /// From 1.
    pub line: u64,
}

/// A file that a step needs and does not declare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undeclared {
    /// From the project's root.
    pub path: String,
    /// The output of another step that is written there.
    pub made_by: Option<String>,
}

/// [`ArtifactKind`] by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind(pub String);

impl From<ArtifactKind> for Kind {
    fn from(kind: ArtifactKind) -> Self {
        Self(format!("{kind:?}"))
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// All targets are there.
    Succeeded,
    /// Some step failed.
    Failed,
    /// The user stopped it.
    Cancelled,
}
