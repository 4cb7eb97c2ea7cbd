//! `mlp build --watch`: builds again at every change of a file that the targets read, until Ctrl-C.
//!
//! An edit while a build is under way ends it only if it takes away what is being built: then its result is of no use to the
//! pipeline any more. Else the build goes on, and what the edit changes is built after it. What is ended is ended in good
//! order, so that a training goes on from its last epoch if the edit is taken back.

use super::build::{self, Arguments, Laid, UnderWay, carry_out};
use super::exit::{Exit, Refusal};
use super::place;
use crate::base::digest::Digest;
use crate::engine::{Cancel, Interest, Project, Watch, Workspace, interest};
use crate::model::event::{Event, EventKind};
use crate::report::style::Style;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How soon Ctrl-C is heard.
const SOON: Duration = Duration::from_millis(50);

/// Builds, waits, and builds again. Ends by Ctrl-C alone, once there is a project.
pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let project = place::project()?;
    let settings = arguments.settings.pairs()?;
    let mut watcher = Watcher {
        arguments,
        settings,
        watch: Watch::new(&project),
        project,
        stop: build::cancelled_by_signals()?,
    };
    loop {
        let changed = watcher.round().unwrap_or_else(|refusal| {
            refusal.show(Style::stderr());
            None
        });
        if watcher.stop.is_cancelled() || !watcher.wait(changed) {
            return Ok(Exit::Cancelled);
        }
    }
}

/// The language's limits are measured against it: see `src/lsp`.
const STACK: usize = 16 << 20;

struct Watcher<'a> {
    arguments: &'a Arguments,
    settings: Vec<(String, String)>,
    project: Project,
    watch: Watch,
    /// The wish to end altogether.
    stop: Cancel,
}

impl Watcher<'_> {
    /// Builds once. Gives a file that was changed meanwhile.
    fn round(&mut self) -> Result<Option<String>, Refusal> {
        self.look();
        let laid = match build::ready(self.arguments)? {
            Ok(laid) => laid,
            Err(_) => return Ok(None),
        };
        let changed = self.build(&laid);
        laid.demanded.pipeline.take_apart();
        changed
    }

    /// Watches what the targets read now, before it is read to be built.
    fn look(&mut self) {
        let found = interest(&self.project, &self.settings, &self.arguments.targets, None);
        self.watch.add(found.paths);
    }

    fn build(&mut self, laid: &Laid) -> Result<Option<String>, Refusal> {
        let cancel =
            Cancel::new().map_err(|error| Refusal::new(format!("a build cannot be started: {error}")))?;
        let running = Running::of(laid);
        let arguments = self.arguments;
        let (done, ends) = channel::<()>();
        std::thread::scope(|scope| {
            let workspace = &laid.demanded.workspace;
            let (running, cancel) = (&running, &cancel);
            let beside = std::thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, move || self.beside(&ends, workspace, running, cancel))
                .map_err(|error| Refusal::new(format!("files cannot be watched: {error}")))?;
            let under_way = UnderWay {
                cancel,
                heard: &|event| running.hear(event),
            };
            let built = carry_out(arguments, laid, &under_way);
            drop(done);
            let changed = beside.join().unwrap_or_default();
            built.map(|_| changed)
        })
    }

    /// Watches while a build is under way, until the other end of `ends` is dropped. Gives a file that was changed.
    fn beside(
        &mut self,
        ends: &Receiver<()>,
        workspace: &Workspace,
        running: &Running,
        cancel: &Cancel,
    ) -> Option<String> {
        let mut changed = None;
        let mut looked = Instant::now();
        while ends.recv_timeout(SOON) == Err(RecvTimeoutError::Timeout) {
            if self.stop.is_cancelled() {
                cancel.cancel();
            }
            if cancel.is_cancelled() || looked.elapsed() < self.watch.pace() {
                continue;
            }
            if let Some(path) = self.watch.changed() {
                self.settle();
                changed = Some(path);
                if !self.still_wanted(workspace, running) {
                    cancel.cancel();
                }
            }
            looked = Instant::now();
        }
        changed
    }

    /// Whether all that is being built is built by the pipeline as it is now, too. While that has mistakes nobody knows.
    fn still_wanted(&mut self, workspace: &Workspace, running: &Running) -> bool {
        let targets = &self.arguments.targets;
        let Interest { paths, keys } = interest(&self.project, &self.settings, targets, Some(workspace));
        self.watch.add(paths);
        keys.is_none_or(|keys| running.keys().is_subset(&keys))
    }

    /// Waits until a file is changed, unless one was already, and tells which. False where all is to end.
    fn wait(&mut self, changed: Option<String>) -> bool {
        let changed = match changed {
            Some(changed) => changed,
            None => {
                let count = self.watch.count();
                eprintln!("watching {count} files and folders; Ctrl-C ends it");
                match self.next_change() {
                    Some(changed) => changed,
                    None => return false,
                }
            }
        };
        let shown = if changed.is_empty() {
            "the project"
        } else {
            &changed
        };
        eprintln!("\n{} {shown}", Style::stderr().cyan("changed:"));
        true
    }

    fn next_change(&mut self) -> Option<String> {
        let mut looked = Instant::now();
        loop {
            if self.stop.is_cancelled() {
                return None;
            }
            std::thread::sleep(SOON);
            if looked.elapsed() >= self.watch.pace() {
                if let Some(changed) = self.watch.changed() {
                    self.settle();
                    return Some(changed);
                }
                looked = Instant::now();
            }
        }
    }

    /// Until nothing changes any more: an editor that saves several files, a checkout.
    fn settle(&mut self) {
        loop {
            std::thread::sleep(SOON);
            if self.stop.is_cancelled() || self.watch.changed().is_none() {
                return;
            }
        }
    }
}

/// The steps that are being built.
struct Running {
    /// Static keys by name.
    all: BTreeMap<String, Digest>,
    under_way: Mutex<BTreeSet<String>>,
}

impl Running {
    fn of(laid: &Laid) -> Self {
        let steps = laid.demanded.instance.graph.steps.iter();
        Self {
            all: steps
                .map(|step| (step.name().to_owned(), step.static_key))
                .collect(),
            under_way: Mutex::default(),
        }
    }

    fn hear(&self, event: &Event) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.kind {
            EventKind::StepStarted { step, .. } => drop(under_way.insert(step.clone())),
            EventKind::StepFinished { step, .. } | EventKind::StepFailed { step, .. } => {
                under_way.remove(step);
            }
            _ => {}
        }
    }

    fn keys(&self) -> BTreeSet<Digest> {
        let under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way
            .iter()
            .filter_map(|step| self.all.get(step).copied())
            .collect()
    }
}
