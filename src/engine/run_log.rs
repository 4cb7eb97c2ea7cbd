//! The log of a run: its events as JSON lines, in a folder that also holds the logs of its steps.
//!
//! `runs/<id>/events.jsonl` and `runs/<id>/<step>.log`. A log is only appended to; a line that a crash cut short is the
//! end of what can be read, not an error. `runs/<id>/pinned` is there where what the run came to is to be kept, whatever
//! garbage collection takes.

use crate::model::event::Event;
use std::fs::File;
use std::io::{BufRead, BufReader, Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

const EVENTS: &str = "events.jsonl";
const PINNED: &str = "pinned";

/// The log of a run that is under way.
#[derive(Debug)]
pub struct RunLog {
    id: String,
    folder: PathBuf,
    events: File,
}

impl RunLog {
    /// Begins the log of a run: the first free one of `id`, `id-2`, `id-3`, ….
    pub fn create(runs: &Path, id: &str) -> std::io::Result<Self> {
        std::fs::create_dir_all(runs)?;
        for attempt in 1_u32.. {
            let id = if attempt == 1 {
                id.to_owned()
            } else {
                format!("{id}-{attempt}")
            };
            let folder = runs.join(&id);
            match std::fs::create_dir(&folder) {
                Ok(()) => {
                    let events = File::create_new(folder.join(EVENTS))?;
                    return Ok(Self { id, folder, events });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::from(ErrorKind::AlreadyExists))
    }

    /// The run's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The folder for the logs of its steps.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Appends an event. One write a line, so that a reader sees whole lines.
    pub fn append(&mut self, event: &Event) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.events.write_all(&line)
    }
}

/// The ids of the runs in `runs`, newest first: ids begin with the time at which their runs began.
pub fn list(runs: &Path) -> std::io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(runs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut ids: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    ids.sort_by(|a, b| b.cmp(a));
    Ok(ids)
}

/// The events of the run in `folder`, as far as they are whole.
pub fn read(folder: &Path) -> std::io::Result<Vec<Event>> {
    let file = BufReader::new(File::open(folder.join(EVENTS))?);
    let mut events = Vec::new();
    for line in file.split(b'\n') {
        match serde_json::from_slice(&line?) {
            Ok(event) => events.push(event),
            Err(_) => break,
        }
    }
    Ok(events)
}

/// Says that what the run in `folder` came to is to be kept. False where that was said already.
pub fn pin(folder: &Path) -> std::io::Result<bool> {
    match File::create_new(folder.join(PINNED)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes back what [`pin`] said. False where it was not said.
pub fn unpin(folder: &Path) -> std::io::Result<bool> {
    match std::fs::remove_file(folder.join(PINNED)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether what the run in `folder` came to is to be kept.
pub fn is_pinned(folder: &Path) -> bool {
    folder.join(PINNED).exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::EventKind;

    #[test]
    fn a_torn_last_line_is_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = RunLog::create(folder.path(), "20260101-120000").unwrap();
        let event = Event {
            at_ms: 3,
            kind: EventKind::Warning {
                text: "careful".into(),
            },
        };
        log.append(&event).unwrap();
        log.events.write_all(b"{\"at_ms\": 4, \"ev").unwrap();
        assert_eq!(read(log.folder()).unwrap(), [event]);
    }

    #[test]
    fn a_pin_is_there_until_it_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_pinned(folder.path()));
        assert!(pin(folder.path()).unwrap() && !pin(folder.path()).unwrap());
        assert!(is_pinned(folder.path()));
        assert!(unpin(folder.path()).unwrap() && !unpin(folder.path()).unwrap());
        assert!(!is_pinned(folder.path()));
    }

    #[test]
    fn two_runs_of_one_second_have_two_logs() {
        let folder = tempfile::tempdir().unwrap();
        let first = RunLog::create(folder.path(), "t").unwrap();
        let second = RunLog::create(folder.path(), "t").unwrap();
        assert_ne!(first.id(), second.id());
        assert_eq!(list(folder.path()).unwrap(), ["t-2", "t"]);
    }

    fn written() -> Vec<u8> {
        let line = r#"{"at_ms":3,"event":"warning","text":"careful"}"#;
        format!("{line}\n").repeat(4).into_bytes()
    }

    proptest::proptest! {
        /// A damaged log is read up to the damage.
        #[test]
        fn a_log_is_read_as_far_as_it_is_whole(bytes in crate::base::faults::mutated(written())) {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(EVENTS), &bytes).unwrap();
            let same = bytes.iter().zip(written()).take_while(|(one, other)| **one == *other).count();
            let whole = written()[..same].iter().filter(|byte| **byte == b'\n').count();
            proptest::prop_assert!(read(folder.path()).unwrap().len() >= whole);
        }
    }
}
