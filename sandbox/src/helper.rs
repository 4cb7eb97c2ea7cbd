//! The helper: a small single-threaded process, a copy of `mlp` that was started before threads and memory made forking
//! dear. It forks the first process of each build, hands its descriptor to `mlp`, and knows nothing else of builds.
//!
//! It serves one socket. A request is one byte of flags with the build's descriptors: its control socket, its log (or,
//! with [`STREAMS`], the three standard streams) and, where it speaks the protocol, the socket for that. The answer goes
//! over the control socket. When `mlp` is gone, the socket ends and so does the helper.
//!
//! A builder program whose start is dear can be a helper too: it loads what it needs once, and each of its builds is a fork
//! that begins its work where another would be exec'd, in the same namespaces and with as little in its hands.

use super::syscall::{self, Cloned};
use super::{first, wire};
use nix::errno::Errno;
use nix::sys::personality::{self, Persona};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use std::ffi::CString;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// In a request: for namespaces, not for a plain process.
pub(super) const IN_NAMESPACES: u8 = 1;
/// In a request: the standard streams come one by one, not as a log.
pub(super) const STREAMS: u8 = 2;
/// The length of an answer: a yes or no, and the process's id or the errno.
pub(super) const ANSWER: usize = 5;

/// The namespaces of a build.
const NAMESPACES: i32 = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS;

/// The descriptors of one build.
pub(super) struct Channels {
    /// To `mlp`.
    pub(super) control: UnixStream,
    /// The standard streams.
    pub(super) streams: Streams<OwnedFd>,
    /// The builder's end of the protocol.
    pub(super) protocol: Option<OwnedFd>,
}

/// The standard streams of a program.
#[derive(Debug)]
pub enum Streams<F> {
    /// Its output goes to a log; its input is what the spec says.
    Log(F),
    /// Somebody sits before it: stdin, stdout, stderr.
    Given([F; 3]),
}

/// What a builder program does in a build, from its working directory and environment; gives its exit status.
pub type Work = fn() -> u8;

/// The whole life of the helper, whose socket is its standard input. Its status tells nothing. `work` is what the program
/// that calls this does in a build whose program it is.
pub fn helper_main(work: Option<Work>) -> ! {
    if work.is_some() {
        fix_own_addresses();
        // A builder's name is that of its program; this is none.
        let _ = nix::sys::prctl::set_name(c"mlp-helper");
    }
    // Ctrl-C goes to the terminal's foreground group: it is for mlp to decide what it ends.
    let _ = nix::unistd::setsid();
    // Whatever else was inherited belongs to mlp, and would outlive it here. Nothing in this process owns it.
    let _ = syscall::close_from(3);
    // Groups of root would be readable rights inside; for anyone else the kernel refuses, and they are needed no less
    // than outside.
    let _ = nix::unistd::setgroups(&[]);
    syscall::ignore_children();
    let socket = io::stdin();
    let mut request = [0u8];
    loop {
        match syscall::receive(socket.as_fd(), &mut request) {
            Ok((1, descriptors)) => serve(request[0], descriptors, work),
            Err(Errno::EINTR) => {}
            Ok(_) | Err(_) => syscall::exit_now(0),
        }
    }
}

/// Begins anew with addresses that are not random: those of this process are those of its builds.
fn fix_own_addresses() {
    let fixed = |persona: Persona| persona.contains(Persona::ADDR_NO_RANDOMIZE);
    if personality::get().is_ok_and(fixed) || personality::get().is_err() {
        return;
    }
    super::program::fix_addresses();
    let own = || {
        std::env::args()
            .map(CString::new)
            .collect::<Result<Vec<_>, _>>()
            .ok()
    };
    if let (true, Some(argv)) = (personality::get().is_ok_and(fixed), own()) {
        // Where it fails, addresses are as random as some container runtimes have them anyway.
        let _ = nix::unistd::execv(c"/proc/self/exe", &argv);
    }
}

/// Forks the first process of a build. Returns in the helper only.
fn serve(request: u8, descriptors: Vec<OwnedFd>, work: Option<Work>) {
    let mut descriptors = descriptors.into_iter();
    let (Some(control), Some(first)) = (descriptors.next(), descriptors.next()) else {
        return;
    };
    let streams = match request & STREAMS {
        0 => Streams::Log(first),
        _ => match (descriptors.next(), descriptors.next()) {
            (Some(second), Some(third)) => Streams::Given([first, second, third]),
            _ => return,
        },
    };
    let control = UnixStream::from(control);
    let channels = Channels {
        control,
        streams,
        protocol: descriptors.next(),
    };
    let outside = first::Ids::current();
    let namespaces = if request & IN_NAMESPACES != 0 {
        NAMESPACES
    } else {
        0
    };
    match syscall::clone(namespaces) {
        Ok(Cloned::Child) => {
            // A panic must not unwind into the helper's loop, of which this process is a copy.
            let life = std::panic::AssertUnwindSafe(|| first::first_process(channels, outside, work));
            let _ = std::panic::catch_unwind(life);
            syscall::exit_now(101)
        }
        Ok(Cloned::Parent { pid, pidfd }) => answer(&channels.control, true, pid, Some(&pidfd)),
        Err(errno) => answer(&channels.control, false, errno as i32, None),
    }
}

/// Tells `mlp` what came of the fork. If it is gone, the first process finds out by itself.
fn answer(control: &UnixStream, cloned: bool, number: i32, pidfd: Option<&OwnedFd>) {
    let mut bytes = [u8::from(cloned); ANSWER];
    bytes[1..].copy_from_slice(&number.to_le_bytes());
    let numbers: Vec<_> = pidfd.iter().map(|pidfd| pidfd.as_raw_fd()).collect();
    let rights = [ControlMessage::ScmRights(&numbers)];
    let rights = if numbers.is_empty() { &[][..] } else { &rights };
    let _ = sendmsg::<()>(
        control.as_raw_fd(),
        &[IoSlice::new(&bytes)],
        rights,
        MsgFlags::MSG_NOSIGNAL,
        None,
    );
}

/// What the kernel said to a fork into namespaces.
pub(super) fn fork_refusal(errno: i32, namespaces: bool) -> wire::Refusal {
    let operation = if namespaces {
        "create the namespaces of a sandbox (user, mount, pid, network, ipc, uts)"
    } else {
        "start a process"
    };
    wire::Refusal {
        operation: operation.to_owned(),
        errno,
    }
}
