//! mlp's side of the sandbox: starts the helper, asks it for the first process of a build, and holds that process.
//!
//! The helper serves many builds, from any thread. A helper that is gone is started again.

use super::helper::{ANSWER, IN_NAMESPACES, STREAMS, Streams, fork_refusal};
use super::syscall;
use super::wire::{END_YOURSELF, Refusal, Report, Spec};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair};
use std::io::{self, BufRead, BufReader, IoSlice, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The first argument that makes the `mlp` program a helper; see [`super::helper_main`].
pub const HELPER_ARGUMENT: &str = "--sandbox-helper";

/// Where builds' first processes come from.
#[derive(Debug)]
pub struct Helper {
    program: PathBuf,
    /// Its environment, which no build sees.
    vars: &'static [(&'static str, &'static str)],
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    process: Child,
    socket: OwnedFd,
}

impl Helper {
    /// A helper that runs `program`, which calls [`super::helper_main`] when [`HELPER_ARGUMENT`] is its first argument.
    /// It is started when it is first needed, or by [`Helper::start`].
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self::with_vars(program, &[])
    }

    /// The same, with an environment: what a program that is the helper of its own builds reads as it is loaded.
    pub fn with_vars(program: impl Into<PathBuf>, vars: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            program: program.into(),
            vars,
            running: Mutex::new(None),
        }
    }

    /// A helper that runs this very program, even if the file was replaced since it was started.
    pub fn of_this_program() -> Self {
        Self::new("/proc/self/exe")
    }

    /// Starts the helper now. Best done before threads and memory make it dear.
    pub fn start(&self) -> Result<(), Refusal> {
        let mut running = self.lock();
        if running.is_none() {
            *running = Some(Running::start(&self.program, self.vars)?);
        }
        Ok(())
    }

    /// A first process, in namespaces or without, that waits for its [`Spec`].
    pub fn spawn(
        &self,
        namespaces: bool,
        streams: &Streams<BorrowedFd<'_>>,
        protocol: Option<BorrowedFd<'_>>,
    ) -> Result<FirstProcess, Refusal> {
        let (ours, theirs) = UnixStream::pair().map_err(|error| refusal("make a socket", &error))?;
        let (given, of_streams) = match streams {
            Streams::Log(log) => (std::slice::from_ref(log), 0),
            Streams::Given(streams) => (streams.as_slice(), STREAMS),
        };
        let mut numbers = vec![theirs.as_raw_fd()];
        numbers.extend(given.iter().chain(&protocol).map(AsRawFd::as_raw_fd));
        let kind = if namespaces { IN_NAMESPACES } else { 0 };
        self.request(kind | of_streams, &numbers)?;
        drop(theirs);
        let (pid, pidfd) = read_answer(&ours, namespaces)?;
        Ok(FirstProcess {
            pid,
            pidfd,
            control: BufReader::new(ours),
        })
    }

    /// Sends a request; starts the helper where there is none, and once more where it is gone.
    fn request(&self, kind: u8, descriptors: &[i32]) -> Result<(), Refusal> {
        let mut running = self.lock();
        for last in [false, true] {
            if running.is_none() {
                *running = Some(Running::start(&self.program, self.vars)?);
            }
            let Some(helper) = running.as_ref() else { continue };
            let rights = [ControlMessage::ScmRights(descriptors)];
            let kind = [kind];
            let bytes = [IoSlice::new(&kind)];
            match sendmsg::<()>(
                helper.socket.as_raw_fd(),
                &bytes,
                &rights,
                MsgFlags::MSG_NOSIGNAL,
                None,
            ) {
                Ok(_) => return Ok(()),
                Err(Errno::EPIPE | Errno::ECONNRESET) if !last => *running = None,
                Err(errno) => {
                    return Err(Refusal {
                        operation: "ask the sandbox's helper".into(),
                        errno: errno as i32,
                    });
                }
            }
        }
        Err(Refusal {
            operation: "keep the sandbox's helper running".into(),
            errno: libc::EPIPE,
        })
    }

    /// A thread that panicked leaves the helper usable: a request is a single call.
    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn start(program: &Path, vars: &[(&str, &str)]) -> Result<Self, Refusal> {
        let pair = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        );
        let (socket, theirs) = pair.map_err(|errno| refusal("make a socket", &errno.into()))?;
        #[expect(clippy::disallowed_methods, reason = "the helper is what starts programs")]
        let process = Command::new(program)
            .arg(HELPER_ARGUMENT)
            .env_clear()
            .envs(vars.iter().copied())
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| refusal("start the sandbox's helper", &error))?;
        Ok(Self { process, socket })
    }
}

impl Drop for Running {
    /// The end of its socket ends the helper; a process without children to wait for ends at once.
    fn drop(&mut self) {
        let _ = nix::sys::socket::shutdown(self.socket.as_raw_fd(), nix::sys::socket::Shutdown::Both);
        let _ = self.process.wait();
    }
}

fn read_answer(control: &UnixStream, namespaces: bool) -> Result<(i32, OwnedFd), Refusal> {
    let mut bytes = [0; ANSWER];
    let (length, mut descriptors) = syscall::receive(control.as_fd(), &mut bytes)
        .map_err(|errno| refusal("hear from the sandbox's helper", &errno.into()))?;
    let number = i32::from_le_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]);
    match (length, bytes[0], descriptors.pop()) {
        (ANSWER, 1, Some(pidfd)) => Ok((number, pidfd)),
        (ANSWER, 0, _) => Err(fork_refusal(number, namespaces)),
        _ => Err(Refusal {
            operation: "hear from the sandbox's helper".into(),
            errno: libc::EPIPE,
        }),
    }
}

/// The first process of a build. Dropping it ends the build: all of its processes are dead when the drop returns.
#[derive(Debug)]
pub struct FirstProcess {
    pid: i32,
    pidfd: OwnedFd,
    control: BufReader<UnixStream>,
}

impl FirstProcess {
    /// Its id, by which it is put into a cgroup. It does nothing before [`FirstProcess::begin`].
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Has it do what `spec` says.
    pub fn begin(&mut self, spec: &Spec) -> Result<(), Refusal> {
        spec.send(self.control.get_mut())
            .map_err(|error| refusal("tell the sandbox what to do", &error))
    }

    /// The next report; none when it is dead. Blocks until there is one.
    pub fn report(&mut self) -> io::Result<Option<Report>> {
        let mut line = String::new();
        if self.control.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        Ok(Some(serde_json::from_str(&line)?))
    }

    /// Readable when [`FirstProcess::report`] would not block.
    pub fn control(&self) -> BorrowedFd<'_> {
        self.control.get_ref().as_fd()
    }

    /// Whether a report was read ahead already, so that [`FirstProcess::control`] need not be waited for.
    pub fn has_report(&self) -> bool {
        !self.control.buffer().is_empty()
    }

    /// Has it ask the program to end, by SIGTERM to its process group.
    pub fn ask_to_end(&mut self) {
        // Where the first process is gone, its end is heard of.
        let _ = self.control.get_mut().write_all(&[END_YOURSELF]);
    }

    /// Has it kill the build. A last report follows.
    pub fn end(&self) {
        let _ = self.control.get_ref().shutdown(Shutdown::Write);
    }
}

impl Drop for FirstProcess {
    fn drop(&mut self) {
        // As PID 1 of its namespace it takes all others with it. Without namespaces it must kill them itself first.
        self.end();
        let mut waits = [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)];
        if !matches!(poll(&mut waits, GRACE), Ok(1..)) {
            let _ = syscall::kill_pidfd(self.pidfd.as_fd());
            let _ = poll(&mut waits, PollTimeout::NONE);
        }
    }
}

/// How long the first process may take to kill the others; it needs longer only if it is stopped or the machine hangs.
const GRACE: u16 = 5000;

fn refusal(operation: &str, error: &io::Error) -> Refusal {
    Refusal {
        operation: operation.into(),
        errno: error.raw_os_error().unwrap_or(libc::EIO),
    }
}
