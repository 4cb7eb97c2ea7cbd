//! From endings and errors to why a step failed.

use crate::model::build::{BuildOutcome, Ending, Limits};
use crate::model::event::StepFailure;
use crate::store::StoreError;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// How many of a log's last lines are told with a failure.
const TAIL_LINES: usize = 20;
/// How much of a log's end is read for them.
const TAIL_BYTES: u64 = 16 * 1024;

/// What a part of a build gives. Boxed, since a failure is large and rare.
pub(super) type Attempt<T> = Result<T, Box<StepFailure>>;

/// What the store could not do, as a failure.
pub(super) fn store_failure(error: &StoreError) -> Box<StepFailure> {
    Box::new(StepFailure::Store {
        reason: error.to_string(),
        help: error.help(),
    })
}

/// A build that could not be begun.
pub(super) fn not_started(reason: impl Into<String>, help: Option<&str>) -> Box<StepFailure> {
    Box::new(StepFailure::NotStarted {
        reason: reason.into(),
        help: help.map(str::to_owned),
    })
}

/// An ending that is no success, as a failure of a build within these limits.
pub(super) fn ending_failure(outcome: &BuildOutcome, limits: &Limits) -> Attempt<()> {
    Err(Box::new(match outcome.ending.clone() {
        Ending::Succeeded => return Ok(()),
        Ending::Failed(failure) => StepFailure::Builder(failure),
        Ending::Exited(status) => StepFailure::Exited { status },
        Ending::Signalled(signal) => StepFailure::Signalled { signal },
        Ending::OutOfTime => StepFailure::OutOfTime {
            limit_ms: limits
                .time
                .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        },
        Ending::OutOfMemory => StepFailure::OutOfMemory {
            limit: limits.memory,
            held: outcome.peak_memory,
        },
        Ending::OutOfDisk => StepFailure::OutOfDisk { limit: limits.disk },
        Ending::Cancelled => StepFailure::Cancelled,
        Ending::NotStarted { reason, help } => StepFailure::NotStarted { reason, help },
    }))
}

/// Whether the same build may go well when it is tried again.
pub(super) fn may_be_chance(failure: &StepFailure) -> bool {
    matches!(
        failure,
        StepFailure::Exited { .. }
            | StepFailure::Script { .. }
            | StepFailure::Signalled { .. }
            | StepFailure::OutOfTime { .. }
            | StepFailure::Output { .. }
    )
}

/// A failure that may be chance, in a few words that follow the step's name.
pub(super) fn in_short(failure: &StepFailure) -> String {
    match failure {
        StepFailure::Exited { status } | StepFailure::Script { status, .. } => {
            format!("ended with status {status}")
        }
        StepFailure::Signalled { signal } => format!("was ended by signal {signal}"),
        StepFailure::OutOfTime { .. } => "took longer than its limit".to_owned(),
        StepFailure::Output { output, reason, .. } => format!("did not give `{output}`: it {reason}"),
        _ => "failed".to_owned(),
    }
}

/// The last lines of a log; none where it cannot be read.
pub(super) fn tail(log: &Path) -> Vec<String> {
    let bytes = end_of(log, TAIL_BYTES);
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

/// The last bytes of a log, at most `most`; none where it cannot be read.
pub(super) fn end_of(log: &Path, most: u64) -> Vec<u8> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_lines() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let text: String = (0..5000).map(|line| format!("line {line}\n")).collect();
        std::fs::write(&log, text).unwrap();
        let tail = tail(&log);
        assert_eq!(tail.len(), TAIL_LINES);
        assert_eq!(tail.last().unwrap(), "line 4999");
        assert_eq!(super::tail(&folder.path().join("none")), Vec::<String>::new());
    }
}
