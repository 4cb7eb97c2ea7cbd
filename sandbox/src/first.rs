//! The first process of a build: PID 1 of its namespaces, or without them a subreaper. It makes the place (`enter`),
//! starts the program (`program`), reaps, watches the bounds, and at the program's end, or as soon as `mlp` is gone or
//! shuts the control socket, kills all that is left.
//!
//! **Invariant**: it outlives every process of the build, and reports [`Report::Ended`] only when they are dead.

use super::enter;
use super::helper::{Channels, Streams, Work};
use super::program::{self, Started};
use super::syscall;
use super::trace::Tracer;
use super::watch::{self, Watcher};
use super::wire::{END_YOURSELF, Ended, Exceeded, Refusal, Report, Spec, Touched};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeValLike;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// Who mlp is outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids {
    pub(super) user: u32,
    pub(super) group: u32,
}

impl Ids {
    /// Those of this process. MUST be taken before a user namespace is entered.
    pub(super) fn current() -> Self {
        Self {
            user: nix::unistd::geteuid().as_raw(),
            group: nix::unistd::getegid().as_raw(),
        }
    }
}

/// What every step here gives.
pub(super) type Step<T> = Result<T, Refusal>;

/// Says what was tried when the kernel refuses it.
pub(super) fn step<T>(operation: impl FnOnce() -> String, result: Result<T, Errno>) -> Step<T> {
    result.map_err(|errno| Refusal {
        operation: operation(),
        errno: errno as i32,
    })
}

/// The process's whole life.
pub(super) fn first_process(channels: Channels, outside: Ids, work: Option<Work>) -> ! {
    let Channels {
        control,
        streams,
        protocol,
    } = channels;
    let mut control = control;
    let Ok(spec) = Spec::receive(&mut control) else {
        syscall::exit_now(0) // mlp gave up before it asked for anything
    };
    let last = match run(&spec, &control, (streams, protocol), outside, work) {
        Ok(report) => report,
        Err(refusal) => {
            end_all(&spec);
            Report::Refused(refusal)
        }
    };
    let _ = last.send(&mut control);
    syscall::exit_now(0)
}

fn run(
    spec: &Spec,
    control: &UnixStream,
    (streams, protocol): (Streams<OwnedFd>, Option<OwnedFd>),
    outside: Ids,
    work: Option<Work>,
) -> Step<Report> {
    if spec.namespaces {
        enter::enter(spec, outside)?;
    } else {
        let adopt = syscall::set_process_option(libc::PR_SET_CHILD_SUBREAPER, 1);
        step(|| "adopt the orphans of the build".into(), adopt)?;
    }
    let Some(program) = &spec.program else {
        return Ok(Report::Started);
    };
    // Inherited by the program: the kernel's killer of last resort should take a builder before it takes mlp. Raising it
    // is always allowed, but not any more once this process is hidden.
    let _ = std::fs::write("/proc/self/oom_score_adj", "500");
    // Children must be reapable, and their ends must be heard of, before there are any.
    syscall::hear_children();
    let mut children = SigSet::empty();
    children.add(Signal::SIGCHLD);
    step(|| "block SIGCHLD".into(), children.thread_block())?;
    let ends = SignalFd::with_flags(&children, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK);
    let ends = step(|| "hear of the end of processes".into(), ends)?;

    // Out of reach of the program's ptrace and of /proc/1, though both are the same user.
    let hidden = syscall::set_process_option(libc::PR_SET_DUMPABLE, 0);
    step(|| "hide the first process".into(), hidden)?;
    let mut touched = |touched| {
        let mut tell = control;
        let _ = Report::Touched(touched).send(&mut tell);
    };
    let Started { pid, refusal, tracer } =
        program::start(program, spec, (streams, protocol), work, &mut touched)?;
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    let mut tell = control;
    // Where mlp is gone, the watch below sees it at once.
    let _ = Report::Started.send(&mut tell);
    let mut life = Life {
        spec,
        control,
        ends,
        watcher: Watcher::new(spec),
        program: pid,
        tracer,
        touched: &mut touched,
    };
    let (status, exceeded) = life.watch();
    end_all(spec);
    Ok(Report::Ended(life.account(status, exceeded)))
}

/// The time in which the program runs.
struct Life<'a> {
    spec: &'a Spec,
    control: &'a UnixStream,
    ends: SignalFd,
    watcher: Watcher,
    program: Pid,
    /// Hears of each file that is touched, where that is asked for.
    tracer: Option<Tracer>,
    touched: &'a mut dyn FnMut(Touched),
}

impl Life<'_> {
    /// Until the program has ended, a bound is passed, or mlp wants no more.
    fn watch(&mut self) -> (Option<WaitStatus>, Option<Exceeded>) {
        loop {
            if let Some(status) = self.reap() {
                return (Some(status), None);
            }
            let control = self.control.as_fd();
            // After the spec there is nothing but a wish that the program ends, and the end: mlp wants no more.
            let mut waits = vec![
                PollFd::new(control, PollFlags::POLLIN),
                PollFd::new(self.ends.as_fd(), PollFlags::POLLIN),
            ];
            let calls = self.tracer.as_ref().map(Tracer::readable);
            waits.extend(calls.map(|calls| PollFd::new(calls, PollFlags::POLLIN)));
            let timeout = self
                .watcher
                .interval()
                .map_or(PollTimeout::NONE, PollTimeout::from);
            match poll(&mut waits, timeout) {
                Err(Errno::EINTR) => continue,
                Err(_) => return (None, None),
                Ok(_) => {}
            }
            if waits[0].any().unwrap_or(true) && !self.pass_on_wish() {
                return (None, None);
            }
            let called = waits.get(2).and_then(PollFd::any).unwrap_or(false);
            if called && let Some(tracer) = &mut self.tracer {
                // Nobody is left who could call.
                if !tracer.serve(self.touched) {
                    self.tracer = None;
                }
            }
            while let Ok(Some(_)) = self.ends.read_signal() {}
            if let Some(exceeded) = self.watcher.look(self.spec) {
                return (None, Some(exceeded));
            }
        }
    }

    /// Asks the program to end, as Ctrl-C at its own terminal would: its process group. False where mlp wants no more.
    fn pass_on_wish(&self) -> bool {
        let mut word = [0];
        let mut control = self.control;
        let wished = matches!(control.read(&mut word), Ok(1)) && word == [END_YOURSELF];
        if wished {
            let _ = killpg(self.program, Signal::SIGTERM);
        }
        wished
    }

    /// Reaps what has ended, orphans included; gives the program's own end.
    fn reap(&self) -> Option<WaitStatus> {
        let mut found = None;
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(status) if status.pid() == Some(self.program) => found = Some(status),
                Ok(WaitStatus::StillAlive) => return found,
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return found,
            }
        }
    }

    fn account(&self, status: Option<WaitStatus>, exceeded: Option<Exceeded>) -> Ended {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok();
        let cpu = usage.map_or(0, |usage| {
            usage.user_time().num_microseconds() + usage.system_time().num_microseconds()
        });
        let largest = usage.map_or(0, |usage| usage.max_rss() as u64 * 1024);
        let (status, signal) = match status {
            Some(WaitStatus::Exited(_, status)) => (Some(status), None),
            Some(WaitStatus::Signaled(_, signal, _)) => (None, Some(signal as i32)),
            _ => (None, None),
        };
        Ended {
            status,
            signal,
            exceeded,
            cpu_us: cpu.unsigned_abs(),
            peak_memory: largest.max(self.watcher.peak_memory()),
        }
    }
}

/// Kills and reaps every process of the build but this one.
fn end_all(spec: &Spec) {
    loop {
        if spec.namespaces && nix::unistd::getpid().as_raw() == 1 {
            // All processes of the namespace but its first.
            let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
        } else {
            // Orphans come here, so whatever is left is a child sooner or later.
            for child in children() {
                let _ = kill(child, Signal::SIGKILL);
            }
        }
        match waitpid(None, None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return, // ECHILD: none is left
        }
    }
}

/// The children of this process.
fn children() -> Vec<Pid> {
    let own = std::process::id();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter(|entry| watch::parent(&entry.path()) == Some(own))
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .map(Pid::from_raw)
        .collect()
}
