//! Sits by one build from its start to its end: hears the builder and the first process, and ends the build when its
//! time is over or it breaks the protocol. One that is cancelled may end in good order: a training finishes its state,
//! other programs are sent SIGTERM and have a while.

use super::Cancel;
use super::directory::Directories;
use super::dvclive::{self, DvcLive};
use super::protocol::Line;
use crate::model::build::{BuildObserver, BuildRequest, Ending};
use mlp_protocol::message::{Failure, Message, Reply};
use mlp_sandbox::{Ended, Exceeded, FirstProcess, Groups, Refusal, Report};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::time::{Duration, Instant};

/// A builder whose words are no messages of the protocol.
const BROKEN_PROTOCOL: &str = "B0001";
/// A state that could not be taken or stored.
const STATE_NOT_STORED: &str = "B0002";
/// How long a program may take to end once it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// One build while it runs.
pub(super) struct Supervised<'a> {
    pub(super) request: &'a BuildRequest,
    pub(super) directories: &'a Directories,
    pub(super) observer: &'a mut dyn BuildObserver,
    pub(super) cancel: &'a Cancel,
    pub(super) first: FirstProcess,
    pub(super) line: Option<Line>,
    pub(super) groups: Groups,
    pub(super) began: Instant,
    /// Figures that a command writes to a file.
    pub(super) live: Option<DvcLive>,
    /// Whether it is about to end because that was wished.
    pub(super) stopping: Option<Stopping>,
}

/// How it ended, and what it took.
pub(super) struct End {
    pub(super) ending: Ending,
    pub(super) cpu_us: Option<u64>,
    pub(super) peak_memory: Option<u64>,
}

/// What follows from the wish that the build ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stopping {
    /// A training goes on until its next state is stored: nothing of the epoch is lost.
    AtTheNextState,
    /// The program was asked to end, and has time until then.
    Until(Instant),
}

impl Supervised<'_> {
    /// Until all processes of the build are dead.
    pub(super) fn until_the_end(mut self) -> End {
        let mut cause = None;
        let mut told = None;
        loop {
            if cause.is_none() {
                cause = self.reason_to_end();
                if cause.is_some() {
                    self.first.end();
                }
            }
            let (control, spoke) = self.wait(cause.is_some());
            self.look_at_figures();
            if spoke && cause.is_none() {
                cause = self.listen(&mut told);
                if cause.is_some() {
                    self.first.end();
                }
            }
            if !control {
                continue;
            }
            match self.first.report() {
                Ok(Some(Report::Started)) => {}
                Ok(Some(Report::Touched(touched))) => self.observer.touched(touched),
                Ok(Some(Report::Refused(refusal))) => return not_started(&refusal),
                Ok(Some(Report::Ended(ended))) => return self.finish(cause, told, Some(&ended)),
                Ok(None) | Err(_) => return self.finish(cause, told, None),
            }
        }
    }

    fn reason_to_end(&mut self) -> Option<Ending> {
        if self.cancel.is_cancelled() {
            match self.stopping {
                None => self.stop(),
                Some(Stopping::Until(end)) if Instant::now() >= end => return Some(Ending::Cancelled),
                Some(_) => {}
            }
        }
        let limit = self.request.limits.time?;
        (self.began.elapsed() >= limit).then_some(Ending::OutOfTime)
    }

    /// Lets the program end in good order.
    fn stop(&mut self) {
        self.stopping = Some(match self.request.states {
            Some(_) => Stopping::AtTheNextState,
            None => {
                self.first.ask_to_end();
                Stopping::Until(Instant::now() + GRACE)
            }
        });
    }

    /// Waits for the first process, the builder, the wish to end and the next time at which it is to end. Says whether the
    /// first process and whether the builder spoke.
    fn wait(&self, ending: bool) -> (bool, bool) {
        if self.first.has_report() {
            return (true, false);
        }
        let mut waits = vec![PollFd::new(self.first.control(), PollFlags::POLLIN)];
        let line = self.line.as_ref().and_then(Line::readable);
        let line = line.filter(|_| !ending);
        waits.extend(line.map(|line| PollFd::new(line, PollFlags::POLLIN)));
        let hears = waits.len() > 1;
        if !ending && self.stopping.is_none() {
            waits.push(PollFd::new(self.cancel.readable(), PollFlags::POLLIN));
        }
        let often = self.live.as_ref().map(|_| dvclive::OFTEN.as_millis());
        let left = self.left().filter(|_| !ending).into_iter().chain(often).min();
        let timeout = left.map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left.min(i32::MAX as u128) as i32).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut waits, timeout) {
            Ok(_) => {
                let ready = |at: usize| waits.get(at).and_then(PollFd::any).unwrap_or(false);
                (ready(0), hears && ready(1))
            }
            Err(Errno::EINTR) => (false, false),
            // Out of memory for poll: the blocking read is the better wait.
            Err(_) => (true, false),
        }
    }

    /// Milliseconds until its time is over, rounded up, so that it is when they have passed.
    fn left(&self) -> Option<u128> {
        let limit = self.request.limits.time;
        let limited = limit.map(|limit| limit.saturating_sub(self.began.elapsed()));
        let stopping = match self.stopping {
            Some(Stopping::Until(end)) => Some(end.saturating_duration_since(Instant::now())),
            _ => None,
        };
        let left = limited.into_iter().chain(stopping).min()?;
        Some(left.as_millis().saturating_add(1))
    }

    /// Passes on figures that were written since the last look.
    fn look_at_figures(&mut self) {
        let found = self.live.as_mut().and_then(|live| live.look(self.directories));
        if let Some(figures) = found {
            // Only a state can fail to be taken.
            let _ = self.observer.message(&figures, None);
        }
    }

    /// Takes what the builder said. Gives why the build is to end, where it is.
    fn listen(&mut self, told: &mut Option<Failure>) -> Option<Ending> {
        let messages = match self.line.as_mut()?.messages() {
            Ok(messages) => messages,
            Err(reason) => {
                return Some(failure(
                    BROKEN_PROTOCOL,
                    &format!("the builder broke the protocol: {reason}"),
                ));
            }
        };
        for message in messages {
            if let Message::Failed(failure) = &message {
                told.get_or_insert_with(|| failure.clone());
            }
            if let Err(reason) = self.pass_on(&message) {
                return Some(failure(STATE_NOT_STORED, &reason));
            }
            let stops = matches!(self.stopping, Some(Stopping::AtTheNextState));
            if stops && matches!(message, Message::State { .. }) {
                return Some(Ending::Cancelled);
            }
        }
        None
    }

    fn pass_on(&mut self, message: &Message) -> Result<(), String> {
        let Message::State { epoch, name } = message else {
            return self.observer.message(message, None);
        };
        let among = self.request.states.as_deref();
        let among = among.ok_or("the builder announced a state, and was asked for none")?;
        let state = self.directories.take_state(among, name)?;
        self.observer.message(message, Some(state))?;
        let reply = Reply::StateStored { epoch: *epoch };
        match &mut self.line {
            Some(line) => line
                .reply(&reply)
                .map_err(|error| format!("cannot answer the builder: {error}")),
            None => Ok(()),
        }
    }

    fn finish(mut self, cause: Option<Ending>, mut told: Option<Failure>, ended: Option<&Ended>) -> End {
        // All that the builder ever said is in the socket now.
        let cause = cause.or_else(|| self.listen(&mut told));
        self.look_at_figures();
        let killed = self.groups.killed();
        let peak = self.groups.peak();
        let disk_limited = self.request.limits.disk.is_some();
        End {
            cpu_us: ended.map(|ended| ended.cpu_us),
            peak_memory: peak.or(ended.map(|ended| ended.peak_memory)),
            ending: cause.unwrap_or_else(|| match ending(ended, told, killed, disk_limited) {
                // It was done before it heard that it should end.
                Ending::Succeeded => Ending::Succeeded,
                _ if self.stopping.is_some() => Ending::Cancelled,
                ending => ending,
            }),
        }
    }
}

/// What the facts come to, for a build that mlp did not end.
fn ending(ended: Option<&Ended>, told: Option<Failure>, killed: bool, disk_limited: bool) -> Ending {
    let Some(ended) = ended else {
        // Somebody killed the first process, and with it the build.
        return if killed {
            Ending::OutOfMemory
        } else {
            Ending::Signalled(libc::SIGKILL)
        };
    };
    match (ended.exceeded, ended.status, ended.signal) {
        (Some(Exceeded::Memory), ..) => Ending::OutOfMemory,
        (Some(Exceeded::Disk), ..) => Ending::OutOfDisk,
        (None, Some(0), _) => told.map_or(Ending::Succeeded, Ending::Failed),
        (None, ..) if killed => Ending::OutOfMemory,
        (None, _, Some(libc::SIGXFSZ)) if disk_limited => Ending::OutOfDisk,
        (None, Some(status), _) => told.map_or(Ending::Exited(status), Ending::Failed),
        (None, None, signal) => {
            told.map_or(Ending::Signalled(signal.unwrap_or(libc::SIGKILL)), Ending::Failed)
        }
    }
}

fn failure(code: &'static str, message: &str) -> Ending {
    Ending::Failed(*Failure::new(code, message))
}

fn not_started(refusal: &Refusal) -> End {
    let ending = Ending::NotStarted {
        reason: refusal.to_string(),
        help: refusal.help(),
    };
    End {
        ending,
        cpu_us: None,
        peak_memory: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(status: Option<i32>, signal: Option<i32>) -> Ended {
        Ended {
            status,
            signal,
            exceeded: None,
            cpu_us: 0,
            peak_memory: 0,
        }
    }

    #[test]
    fn a_failure_that_was_told_is_more_than_a_status() {
        let told = Failure {
            code: "B0101".into(),
            message: "no".into(),
            place: None,
            argument: None,
            help: None,
        };
        assert_eq!(
            ending(Some(&ended(Some(1), None)), Some(told.clone()), false, false),
            Ending::Failed(told.clone())
        );
        assert_eq!(
            ending(Some(&ended(Some(0), None)), Some(told.clone()), false, false),
            Ending::Failed(told)
        );
        assert_eq!(
            ending(Some(&ended(Some(3), None)), None, false, false),
            Ending::Exited(3)
        );
    }

    #[test]
    fn the_kernels_killer_is_told_from_others() {
        let killed = ended(None, Some(libc::SIGKILL));
        assert_eq!(ending(Some(&killed), None, true, false), Ending::OutOfMemory);
        assert_eq!(
            ending(Some(&killed), None, false, false),
            Ending::Signalled(libc::SIGKILL)
        );
        assert_eq!(ending(None, None, true, false), Ending::OutOfMemory);
        assert_eq!(
            ending(Some(&ended(Some(0), None)), None, true, false),
            Ending::Succeeded
        );
    }

    #[test]
    fn a_file_too_large_is_out_of_disk_only_under_a_bound() {
        let large = ended(None, Some(libc::SIGXFSZ));
        assert_eq!(ending(Some(&large), None, false, true), Ending::OutOfDisk);
        assert_eq!(
            ending(Some(&large), None, false, false),
            Ending::Signalled(libc::SIGXFSZ)
        );
    }
}
