//! Moves steps through the machine. All decisions fall in the thread that called [`run`]; builds run in threads of their
//! own and send back what came of them.

use super::failure::{Attempt, not_started, store_failure};
use super::life::{Failed, Finished, Prepared, live};
use super::machine::Machine;
use super::pool::Pool;
use super::{Build, Outcome, Summary};
use crate::base::lock::Lock;
use crate::instantiate::{self, Known, Unresolved};
use crate::model::budget::{Lack, Need};
use crate::model::derivation::Reference;
use crate::model::event::{EventKind, How, StepFailure};
use crate::model::graph::StepId;
use crate::model::node::Node;
use crate::model::record::{DIVERGED, Realisation, Trace};
use crate::plan::may_read;
use crate::store::StoreError;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Scope;
use std::time::Duration;

/// How often a lock that somebody else holds is tried again, and the wish to end is looked at.
const AGAIN: Duration = Duration::from_millis(50);

/// Steps that may wait for the disk at once: a disk that is too slow for them holds the builds up.
const MOST_REGISTERING: usize = 64;

/// What a build's thread sends.
enum Told {
    /// The step's slot is free: what is left is to register its outputs.
    Built(StepId),
    /// It came to its end.
    Ended(StepId, Result<Finished, Box<Failed>>),
}

/// Brings every step of the build to its end.
pub(super) fn run(build: &Build<'_>) -> Summary {
    let todo = build.plan.todo();
    let steps: BTreeMap<StepId, BTreeSet<StepId>> = todo
        .iter()
        .map(|step| (*step, may_read(&build.graph.step(*step).derivation)))
        .collect();
    let (sender, receiver) = channel();
    let mut run = Run {
        build,
        machine: Machine::new(&steps, |step| build.expected.get(&step).copied().unwrap_or(1)),
        pool: Pool::new(build.options.budget.clone()),
        locked: BTreeMap::new(),
        chosen: chosen_targets(build),
        summary: Summary::default(),
        sender,
        failed: false,
        stopping: false,
    };
    run.take_over_what_exists();
    let may = build.plan.may();
    run.wake(todo.difference(&may).copied().collect());
    run.wake_chosen_targets();
    std::thread::scope(|scope| run.finish_all(scope, &receiver));
    run.summary
}

struct Run<'a> {
    build: &'a Build<'a>,
    machine: Machine,
    pool: Pool,
    /// Steps whose key somebody else builds.
    locked: BTreeMap<StepId, Prepared>,
    /// Targets that are choices.
    chosen: Vec<&'a Reference>,
    summary: Summary,
    sender: Sender<Told>,
    failed: bool,
    /// Whether it was told that the run is to end.
    stopping: bool,
}

impl<'a> Run<'a> {
    fn finish_all<'scope>(&mut self, scope: &'scope Scope<'scope, '_>, receiver: &Receiver<Told>)
    where
        'a: 'scope,
    {
        loop {
            if self.is_stopping() {
                self.tell_stopping();
                self.skip_rest();
            } else {
                self.try_locked(scope);
                self.start_ready(scope);
            }
            if self.machine.building() == 0 && self.machine.ready().next().is_none() && self.locked.is_empty()
            {
                return;
            }
            match receiver.recv_timeout(AGAIN) {
                Ok(Told::Built(step)) => self.pool.give_back(step),
                Ok(Told::Ended(step, ended)) => self.ended(step, ended),
                Err(RecvTimeoutError::Timeout) => {}
                // Not possible while `self.sender` is alive.
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Once, that steps under way are waited for.
    fn tell_stopping(&mut self) {
        if !self.build.cancel.is_cancelled() || std::mem::replace(&mut self.stopping, true) {
            return;
        }
        let steps: Vec<String> = self.pool.holders().map(|step| self.name(step)).collect();
        if !steps.is_empty() {
            (self.build.events)(EventKind::Stopping { steps });
        }
    }

    /// What the plan reuses. A trace that cannot be kept costs the next run a longer look, and nothing else.
    fn take_over_what_exists(&mut self) {
        for (step, found) in self.build.plan.reused() {
            if let Some(trace) = &found.new_trace
                && let Err(error) = self.trace(step, trace.clone())
            {
                (self.build.events)(EventKind::Warning {
                    text: error.to_string(),
                });
            }
            self.build.store.note_use(found.resolved_key);
            let outcome = Outcome {
                resolved_key: found.resolved_key,
                outputs: found.outputs.clone(),
            };
            self.summary.outcomes.insert(step, outcome);
        }
    }

    /// Whether what was built becomes durable as fast as it is built.
    fn disk_keeps_up(&self) -> bool {
        self.machine.building() < self.build.options.budget.jobs.max(1) + MOST_REGISTERING
    }

    fn is_stopping(&self) -> bool {
        self.build.cancel.is_cancelled() || (self.failed && !self.build.options.keep_going)
    }

    /// Starts ready steps as long as there is room for them; a step whose result is found takes none. Where the one that
    /// is to go first finds no room, others that find some go before it: nothing that could work waits.
    fn start_ready<'scope>(&mut self, scope: &'scope Scope<'scope, '_>)
    where
        'a: 'scope,
    {
        while !self.is_stopping() && self.pool.has_slot() && self.disk_keeps_up() {
            let Some(step) = self.machine.ready().find(|step| self.has_room(*step)) else {
                return;
            };
            if let Some(lack) = self.build.options.budget.lacks(self.need(step)) {
                self.fail_before_start(step, lacking(&lack));
                continue;
            }
            match self.prepare(step) {
                Ok(Some(prepared)) => self.lock_and_start(scope, prepared),
                Ok(None) => {}
                Err(failure) => self.fail_before_start(step, failure),
            }
        }
    }

    fn need(&self, step: StepId) -> Need {
        self.build.options.budget.need(self.build.graph.step(step))
    }

    /// Whether the step can be started now, or never.
    fn has_room(&self, step: StepId) -> bool {
        let need = self.need(step);
        self.pool.fits(need) || self.build.options.budget.lacks(need).is_some()
    }

    /// Resolves the step and looks its result up. None: it was found, and the step is done.
    fn prepare(&mut self, step: StepId) -> Attempt<Option<Prepared>> {
        let resolution = match instantiate::resolve(self.build.graph, step, self) {
            Err(Unresolved::Diverged(from)) => {
                self.inherit(step, from);
                return Ok(None);
            }
            other => other.map_err(|error| unresolved(&error))?,
        };
        let read = instantiate::reads(&self.build.graph.step(step).derivation, self).steps();
        let read = read
            .iter()
            .filter_map(|step| Some(self.summary.outcomes.get(step)?.resolved_key))
            .collect();
        let registered = self.look_up(&resolution).map_err(|error| store_failure(&error))?;
        let mut prepared = Prepared {
            step,
            resolution,
            read,
            registered: None,
            gpus: Vec::new(),
        };
        match registered {
            Some(realisation) if self.build.options.check => prepared.registered = Some(realisation),
            Some(realisation) => {
                self.found(&prepared, realisation, How::Cutoff)?;
                return Ok(None);
            }
            None => {}
        }
        Ok(Some(prepared))
    }

    /// Of a step that reads a training that diverged comes what came of that, without a build.
    fn inherit(&mut self, step: StepId, from: StepId) {
        let outcome = self.summary.outcomes.get(&from).map(|from| Outcome {
            resolved_key: from.resolved_key,
            outputs: from
                .outputs
                .iter()
                .filter(|(output, _)| *output == DIVERGED)
                .map(|(output, why)| (output.clone(), *why))
                .collect(),
        });
        (self.build.events)(EventKind::StepSkipped {
            step: self.name(step),
            because: Some(self.name(from)),
        });
        if let Some(outcome) = outcome {
            self.go_on_from(step, outcome);
        }
    }

    /// The result of a resolved key, if all its bytes are here and whole.
    fn look_up(&self, resolution: &instantiate::Resolution) -> Result<Option<Realisation>, StoreError> {
        let Some(realisation) = self.build.store.realisation(resolution.key)? else {
            return Ok(None);
        };
        for node in realisation.outputs.values().flatten() {
            if !self.build.is_whole(node)? {
                return Ok(None);
            }
        }
        Ok(Some(realisation))
    }

    fn lock_and_start<'scope>(&mut self, scope: &'scope Scope<'scope, '_>, prepared: Prepared)
    where
        'a: 'scope,
    {
        let step = prepared.step;
        match self.build.store.try_lock(prepared.resolution.key) {
            Ok(Some(lock)) => self.start_unless_found(scope, prepared, lock),
            Ok(None) => {
                self.machine.lock_is_busy(step);
                self.locked.insert(step, prepared);
            }
            Err(error) => self.fail_before_start(step, store_failure(&error)),
        }
    }

    /// Tries again the locks that somebody else holds; what they built is looked up under the lock.
    fn try_locked<'scope>(&mut self, scope: &'scope Scope<'scope, '_>)
    where
        'a: 'scope,
    {
        for step in self.machine.locked() {
            if !self.has_room(step) || !self.disk_keeps_up() {
                continue;
            }
            let Some(prepared) = self.locked.remove(&step) else {
                continue;
            };
            match self.build.store.try_lock(prepared.resolution.key) {
                Ok(Some(lock)) => self.start_unless_found(scope, prepared, lock),
                Ok(None) => drop(self.locked.insert(step, prepared)),
                Err(error) => self.fail_before_start(step, store_failure(&error)),
            }
        }
    }

    /// Under the lock: looks again, and builds what is still not there.
    fn start_unless_found<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
        mut prepared: Prepared,
        lock: Lock,
    ) where
        'a: 'scope,
    {
        let step = prepared.step;
        let found = if prepared.registered.is_none() {
            self.look_up(&prepared.resolution)
        } else {
            Ok(None)
        };
        let found = found.map_err(|error| store_failure(&error));
        let found = found.and_then(|found| match found {
            Some(realisation) => self.found(&prepared, realisation, How::Awaited).map(|()| true),
            None => Ok(false),
        });
        match found {
            Ok(true) => return,
            Ok(false) => {}
            Err(failure) => return self.fail_before_start(step, failure),
        }
        self.machine.start(step);
        prepared.gpus = self.pool.take(step, self.need(step));
        let (build, sender) = (self.build, self.sender.clone());
        scope.spawn(move || {
            // An error of sending means that nobody is there to hear it: the run is over.
            let built = || drop(sender.send(Told::Built(step)));
            let life = AssertUnwindSafe(|| live(build, &prepared, lock, &built));
            let ended = catch_unwind(life).unwrap_or_else(|_| Err(panicked()));
            let _ = sender.send(Told::Ended(step, ended));
        });
    }

    /// The result was there already.
    fn found(&mut self, prepared: &Prepared, realisation: Realisation, how: How) -> Attempt<()> {
        let trace = Trace {
            resolved_key: prepared.resolution.key,
            outputs: realisation.outputs,
            dependencies: prepared.resolution.dependencies.clone(),
        };
        let outputs = trace.outputs.clone();
        self.trace(prepared.step, trace)
            .map_err(|error| store_failure(&error))?;
        self.build.store.note_use(prepared.resolution.key);
        self.summary.reused += 1;
        self.done(
            prepared.step,
            Outcome {
                resolved_key: prepared.resolution.key,
                outputs,
            },
            how,
            0,
        );
        Ok(())
    }

    /// Keeps what a step came to without being built, and what it is: later explanations compare with it.
    fn trace(&self, step: StepId, trace: Trace) -> Result<(), StoreError> {
        let Build { graph, store, .. } = self.build;
        let static_key = graph.step(step).static_key;
        if let Ok(derivation) = instantiate::static_bytes(graph, step) {
            store.put_derivation(static_key, &derivation)?;
        }
        store.put_trace(static_key, trace).map(drop)
    }

    fn done(&mut self, step: StepId, outcome: Outcome, how: How, wall_ms: u64) {
        (self.build.events)(EventKind::StepFinished {
            step: self.name(step),
            how,
            outputs: outcome.outputs.clone(),
            wall_ms,
        });
        self.go_on_from(step, outcome);
    }

    /// The step has its outputs: whoever waits for them may be ready.
    fn go_on_from(&mut self, step: StepId, outcome: Outcome) {
        self.summary.outcomes.insert(step, outcome);
        let waited = self.machine.done(step);
        self.look_at(waited);
        self.wake_chosen_targets();
    }

    /// Wakes steps, and whatever they read.
    fn wake(&mut self, steps: Vec<StepId>) {
        let woken = steps
            .into_iter()
            .filter(|step| self.machine.wake(*step))
            .collect();
        self.look_at(woken);
    }

    /// Says of waiting steps what they read, as far as the choices of the build are known now.
    fn look_at(&mut self, waiting: Vec<StepId>) {
        let mut pending = waiting;
        while let Some(step) = pending.pop() {
            let reads = instantiate::reads(&self.build.graph.step(step).derivation, self).steps();
            for read in &reads {
                if self.machine.wake(*read) {
                    pending.push(*read);
                }
            }
            if let Some((because, skipped)) = self.machine.reads(step, reads) {
                let because = Some(self.name(because));
                for skipped in skipped {
                    self.skipped(skipped, because.clone());
                }
            }
        }
    }

    /// A target may be a choice itself.
    fn wake_chosen_targets(&mut self) {
        let chosen = self.chosen.iter();
        let read = chosen.flat_map(|source| instantiate::reads_of(source, self).steps());
        let read = read.collect();
        self.wake(read);
    }

    fn ended(&mut self, step: StepId, ended: Result<Finished, Box<Failed>>) {
        self.pool.give_back(step);
        match ended {
            Ok(finished) => {
                self.summary.built += 1;
                self.summary.differing += u32::from(finished.differs);
                self.done(step, finished.outcome, finished.how, finished.wall_ms);
            }
            Err(failed) => self.fail(step, *failed),
        }
    }

    fn fail_before_start(&mut self, step: StepId, failure: Box<StepFailure>) {
        self.fail(step, *before_start(failure));
    }

    fn fail(&mut self, step: StepId, failed: Failed) {
        let Failed {
            failure,
            log,
            tail,
            wall_ms,
        } = failed;
        self.failed = true;
        self.summary.failed += 1;
        (self.build.events)(EventKind::StepFailed {
            step: self.name(step),
            failure: *failure,
            log,
            tail,
            wall_ms,
        });
        let because = Some(self.name(step));
        for skipped in self.machine.failed(step) {
            self.skipped(skipped, because.clone());
        }
    }

    fn skip_rest(&mut self) {
        self.locked.clear();
        for step in self.machine.skip_rest() {
            self.skipped(step, None);
        }
    }

    fn skipped(&mut self, step: StepId, because: Option<String>) {
        self.summary.skipped += 1;
        (self.build.events)(EventKind::StepSkipped {
            step: self.name(step),
            because,
        });
    }

    fn name(&self, step: StepId) -> String {
        self.build.graph.step(step).name().to_owned()
    }
}

impl Known for Run<'_> {
    fn output(&self, step: StepId, output: &str) -> Option<Option<Node>> {
        self.summary.output(step, output)
    }

    fn json(&self, node: &Node) -> Result<serde_json::Value, String> {
        self.build
            .store
            .read_json(node)
            .map_err(|error| error.to_string())
    }
}

fn chosen_targets<'a>(build: &Build<'a>) -> Vec<&'a Reference> {
    let sources = build.graph.targets.iter().map(|target| &target.source);
    sources
        .filter(|source| matches!(source, Reference::Chosen { .. }))
        .collect()
}

/// What the plan was not held against: it would wait for ever.
fn lacking(lack: &Lack) -> Box<StepFailure> {
    not_started(format!("it asks for {}, and {}", lack.asked, lack.there), None)
}

fn unresolved(error: &Unresolved) -> Box<StepFailure> {
    not_started(format!("an input cannot be used: {error}"), None)
}

fn before_start(failure: Box<StepFailure>) -> Box<Failed> {
    Box::new(Failed {
        failure,
        log: None,
        tail: Vec::new(),
        wall_ms: 0,
    })
}

/// A bug of ours in a build's thread: the run must come to its end all the same.
fn panicked() -> Box<Failed> {
    let help = "this is a bug of mlp: please report it with the lines that stand above";
    before_start(not_started(
        "mlp itself failed while it built the step",
        Some(help),
    ))
}
