//! Logs of steps as they grow: what is new in each is told line by line while the step runs, and all of it before it is told
//! that the step ended.

use crate::model::event::EventKind;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often logs are looked at.
pub(super) const OFTEN: Duration = Duration::from_millis(100);
/// A line that is longer is told in parts.
const LONGEST: usize = 64 * 1024;

/// The logs of a run.
pub(super) struct Follower {
    folder: PathBuf,
    logs: Mutex<BTreeMap<String, Log>>,
}

/// A log, as far as it was told.
struct Log {
    file: File,
    partial: Vec<u8>,
}

impl Follower {
    /// Of the run in `folder`.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            logs: Mutex::default(),
        }
    }

    /// What is to be told before `event`.
    pub(super) fn before(&self, event: &EventKind, tell: &dyn Fn(EventKind)) {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            // A step that is tried again goes on in the same log.
            EventKind::StepStarted { step, log, .. } if !logs.contains_key(step) => {
                let made = File::options()
                    .read(true)
                    .append(true)
                    .create(true)
                    .open(self.folder.join(log));
                if let Ok(file) = made {
                    let partial = Vec::new();
                    logs.insert(step.clone(), Log { file, partial });
                }
            }
            EventKind::StepFinished { step, .. } | EventKind::StepFailed { step, .. } => {
                if let Some(mut log) = logs.remove(step) {
                    log.tell(step, tell);
                    log.tell_rest(step, tell);
                }
            }
            _ => {}
        }
    }

    /// Tells what is new.
    pub(super) fn look(&self, tell: &dyn Fn(EventKind)) {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        for (step, log) in &mut *logs {
            log.tell(step, tell);
        }
    }
}

impl Log {
    fn tell(&mut self, step: &str, tell: &dyn Fn(EventKind)) {
        let mut chunk = [0; 16 * 1024];
        // A log that cannot be read any more is still there for `mlp log`.
        while let Ok(length @ 1..) = self.file.read(&mut chunk) {
            for byte in &chunk[..length] {
                if *byte == b'\n' {
                    self.tell_rest(step, tell);
                } else {
                    self.partial.push(*byte);
                    if self.partial.len() == LONGEST {
                        self.tell_rest(step, tell);
                    }
                }
            }
        }
    }

    /// Tells the line that was begun. Of a line that a program wrote over, as bars of progress do, what stands last.
    fn tell_rest(&mut self, step: &str, tell: &dyn Fn(EventKind)) {
        if self.partial.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&self.partial);
        let text = text.trim_end_matches('\r');
        let line = text.rsplit('\r').next().unwrap_or_default().to_owned();
        let step = step.to_owned();
        tell(EventKind::Output { step, line });
        self.partial.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::digest::Digest;
    use crate::model::event::How;
    use std::cell::RefCell;
    use std::io::Write;

    #[test]
    fn lines_are_told_once_and_to_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let follower = Follower::new(folder.path().to_owned());
        let told = RefCell::new(Vec::new());
        let tell = |event| {
            if let EventKind::Output { line, .. } = event {
                told.borrow_mut().push(line);
            }
        };
        let step = "fit".to_owned();
        let started = EventKind::StepStarted {
            step: step.clone(),
            resolved_key: Digest::of_blob(b""),
            log: "log".to_owned(),
        };
        follower.before(&started, &tell);
        let mut log = File::options()
            .append(true)
            .open(folder.path().join("log"))
            .unwrap();
        log.write_all(b"one\n 10%\r 20%\r\ntw").unwrap();
        follower.look(&tell);
        follower.look(&tell);
        assert_eq!(*told.borrow(), ["one", " 20%"]);
        log.write_all(b"o\nthree").unwrap();
        let finished = EventKind::StepFinished {
            step,
            how: How::Built,
            outputs: BTreeMap::new(),
            wall_ms: 0,
        };
        follower.before(&finished, &tell);
        assert_eq!(*told.borrow(), ["one", " 20%", "two", "three"]);
    }
}
