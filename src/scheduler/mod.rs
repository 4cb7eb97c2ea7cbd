//! The scheduler: brings every step of a run to its end, in parallel, each after those that it reads.
//!
//! `machine` says where each step stands, `pool` what they hold of the machine; `run` moves it, in the thread that called, and gives builds to threads of
//! their own; `life` is one build from its lock to its registration, with `request` (what an executor is asked), `own` (what mlp does by itself), `chain`
//! (the states of a training), `resume` (those of a command), `verify` and `typed` (whether outputs are what was declared) and `difference` (what differs, in
//! words). `visit` makes the request of a step for somebody who enters it. Talks to the store, the executor and `instantiate`; tells what happens as events.
//!
//! **Invariants.** A step starts only when all that it reads is Done. A step that is only read if a choice falls on it is
//! looked at once it does, and not before. It reads what *registering* returned for those, not
//! what was built. Nothing of a failed or cancelled build is registered but states of its chain, which are results of
//! their own. What it reads was read once before, and held
//! against its digests. Steps that are built hold no more than the budget together; a step that waits for somebody else's
//! lock holds nothing of it, nor does one whose outputs wait for the disk.

mod attest;
mod chain;
mod difference;
mod failure;
mod furnish;
mod life;
mod machine;
mod own;
mod pool;
mod program;
mod request;
mod resume;
mod run;
mod script;
mod typed;
mod verify;
mod visit;

pub use difference::difference;
pub use program::Programs;
pub use script::made_by;
pub use visit::{Visited, visit};

use crate::base::digest::Digest;
use crate::executor::{Cancel, Executor};
use crate::model::budget::Budget;
use crate::model::build::Isolation;
use crate::model::event::EventKind;
use crate::model::graph::{Graph, StepId};
use crate::model::node::Node;
use crate::plan::Plan;
use crate::store::{Sources, Store, StoreError};
use std::collections::BTreeMap;
use std::path::Path;

/// What is built, with what, and who is told.
pub struct Build<'a> {
    /// The steps.
    pub graph: &'a Graph,
    /// What is found already, and what is to be brought to its end.
    pub plan: &'a Plan,
    /// Where results are looked up and registered.
    pub store: &'a Store,
    /// How long steps are expected to take, in any unit: those of which nothing is said take 1. What the longest way
    /// of work waits for goes first.
    pub expected: &'a BTreeMap<StepId, u64>,
    /// The project's files.
    pub sources: &'a Sources,
    /// Who builds.
    pub executor: &'a dyn Executor,
    /// The builder programs.
    pub programs: &'a Programs,
    /// How.
    pub options: &'a Options,
    /// The project's folder of local state: what is known of the machine, links that keep environments.
    pub state: &'a Path,
    /// The id of the run, for attestations.
    pub run: &'a str,
    /// The run's directory; logs are written into `logs` in it.
    pub directory: &'a Path,
    /// Who is told; called from many threads.
    pub events: &'a (dyn Fn(EventKind) + Sync),
    /// The wish to end.
    pub cancel: &'a Cancel,
}

/// How steps are built.
#[derive(Clone, Debug)]
pub struct Options {
    /// What of the machine they may use together. No step of the plan may need more.
    pub budget: Budget,
    /// Worker threads of a step that has a use for them. They change no bits.
    pub workers: u32,
    /// After a failure go on with what does not depend on it.
    pub keep_going: bool,
    /// Keep the folders of failed builds.
    pub keep_failed: bool,
    /// Build again what is realised, and compare. The plan MUST have been made with the same wish.
    pub check: bool,
    /// The strongest isolation that is asked for.
    pub isolation: Isolation,
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its resolved key.
    pub resolved_key: Digest,
    /// Its hashed outputs; `None` is an optional one that was left out.
    pub outputs: BTreeMap<String, Option<Node>>,
}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Steps that have their outputs, those that the plan reuses among them.
    pub outcomes: BTreeMap<StepId, Outcome>,
    /// Steps that were built.
    pub built: u32,
    /// Steps that the plan would have built and whose result was found after all.
    pub reused: u32,
    /// Steps that failed.
    pub failed: u32,
    /// Steps that were not tried.
    pub skipped: u32,
    /// Steps that gave other bits than are registered.
    pub differing: u32,
}

impl Summary {
    /// What an output came to: none where the step has none yet, `Some(None)` where it was not written.
    pub fn output(&self, step: StepId, output: &str) -> Option<Option<Node>> {
        // An output that a record does not name is one that was not written.
        Some(self.outcomes.get(&step)?.outputs.get(output).copied().flatten())
    }
}

impl Build<'_> {
    /// Whether all bytes of `node` are here, and are those of its digests: what is damaged is put aside, with a warning.
    fn is_whole(&self, node: &Node) -> Result<bool, StoreError> {
        for damaged in self.store.mend(node)? {
            let text = damaged.put_aside();
            (self.events)(EventKind::Warning { text });
        }
        Ok(self.store.holds(node))
    }
}

/// Runs the build to its end.
pub fn run(build: &Build<'_>) -> Summary {
    run::run(build)
}

#[cfg(test)]
mod tests;
