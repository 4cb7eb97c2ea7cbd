//! An executor that answers from a table: tests of the scheduler say what each build does, and see what was asked.

use super::{Cancel, Executor};
use crate::model::build::{BuildObserver, BuildOutcome, BuildRequest, Ending};
use mlp_protocol::message::Message;
use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::time::Duration;

/// What a build does.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Files that it writes below the build directory.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What it says before its end.
    pub messages: Vec<Message>,
    /// At which it waits for others before its end.
    pub barrier: Option<Arc<Barrier>>,
    /// How it ends.
    pub ending: Ending,
}

impl Answer {
    /// A build that succeeds with these files.
    pub fn writes(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        Self {
            files: files.into_iter().collect(),
            messages: Vec::new(),
            barrier: None,
            ending: Ending::Succeeded,
        }
    }

    /// A build that ends so, with nothing written.
    pub fn ends(ending: Ending) -> Self {
        Self {
            ending,
            ..Self::writes([])
        }
    }
}

/// Answers by a build's label, and keeps the requests.
pub struct Scripted {
    answer: Box<dyn Fn(&BuildRequest) -> Answer + Send + Sync>,
    requests: Mutex<Vec<BuildRequest>>,
    /// Builds under way now, and the most there ever were.
    running: Mutex<(usize, usize)>,
}

impl Scripted {
    /// Answers what `answer` says.
    pub fn new(answer: impl Fn(&BuildRequest) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            answer: Box::new(answer),
            requests: Mutex::default(),
            running: Mutex::default(),
        }
    }

    /// All requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<BuildRequest> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The most builds that were under way at once.
    pub fn most_at_once(&self) -> usize {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    fn count(&self, change: impl Fn(usize) -> usize) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.0 = change(running.0);
        running.1 = running.1.max(running.0);
    }

    fn play(
        &self,
        request: &BuildRequest,
        observer: &mut dyn BuildObserver,
        cancel: &Cancel,
    ) -> BuildOutcome {
        let answer = (self.answer)(request);
        let build = request.scratch.join("build");
        let mut ending = answer.ending;
        for (path, bytes) in &answer.files {
            let path = build.join(path);
            let parent = path.parent().map_or(Ok(()), fs::create_dir_all);
            if let Err(error) = parent.and_then(|()| fs::write(&path, bytes)) {
                ending = Ending::NotStarted {
                    reason: error.to_string(),
                    help: None,
                };
            }
        }
        for message in &answer.messages {
            let state = match (message, &request.states) {
                (Message::State { name, .. }, Some(among)) => Some(build.join(among).join(name)),
                _ => None,
            };
            if let Err(reason) = observer.message(message, state) {
                ending = Ending::NotStarted { reason, help: None };
            }
        }
        if let Some(barrier) = &answer.barrier {
            barrier.wait();
        }
        if cancel.is_cancelled() {
            ending = Ending::Cancelled;
        }
        let there = |path: &String| Some(build.join(path)).filter(|path| path.exists());
        let outputs = request
            .outputs
            .iter()
            .filter_map(|(name, path)| Some((name.clone(), there(path)?)))
            .collect();
        BuildOutcome {
            ending,
            outputs,
            wall: Duration::ZERO,
            cpu: None,
            peak_memory: None,
            isolation: request.isolation,
        }
    }
}

impl Executor for Scripted {
    fn build(
        &self,
        request: &BuildRequest,
        observer: &mut dyn BuildObserver,
        cancel: &Cancel,
    ) -> BuildOutcome {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request.clone());
        self.count(|running| running + 1);
        let outcome = self.play(request, observer, cancel);
        self.count(|running| running - 1);
        outcome
    }
}
