//! Watches which files a program and its children open, run or look for: a seccomp filter that asks about each such call,
//! and the first process, which reads the call's path out of the caller's memory and lets the call go on. Needs no
//! privilege, follows every child, and changes nothing that the program sees.
//!
//! What is heard is the program's word, not what the kernel makes of it: a caller that changes a path in memory in the
//! middle of a call could hide a file, and so could a 32-bit program, whose calls have other numbers. This is a means to
//! find what an honest step forgot to declare, no guard.

use super::first::{Step, step};
use super::syscall;
use super::wire::{Touch, Touched};
use libc::sock_filter;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::{Component, Path, PathBuf};

/// The longest path that a call can take.
const LONGEST: usize = libc::PATH_MAX as usize;

/// What a call takes, by the numbers of its arguments.
struct Call {
    number: i64,
    /// The folder that a relative path is seen from; none is the working directory.
    folder: Option<usize>,
    path: usize,
    does: Does,
}

/// What a call does with its path.
#[derive(Clone, Copy)]
enum Does {
    Look,
    Run,
    /// Opens it, as the argument of this number says.
    Open(usize),
}

const fn call(number: i64, folder: Option<usize>, path: usize, does: Does) -> Call {
    Call {
        number,
        folder,
        path,
        does,
    }
}

/// The calls that are asked about on every architecture.
const CALLS: &[Call] = &[
    call(libc::SYS_openat, Some(0), 1, Does::Open(2)),
    call(libc::SYS_execve, None, 0, Does::Run),
    call(libc::SYS_execveat, Some(0), 1, Does::Run),
    call(libc::SYS_newfstatat, Some(0), 1, Does::Look),
    call(libc::SYS_statx, Some(0), 1, Does::Look),
    call(libc::SYS_faccessat, Some(0), 1, Does::Look),
    call(libc::SYS_faccessat2, Some(0), 1, Does::Look),
    call(libc::SYS_readlinkat, Some(0), 1, Does::Look),
];

/// Those that only older architectures have.
#[cfg(target_arch = "x86_64")]
const OLDER: &[Call] = &[
    call(libc::SYS_open, None, 0, Does::Open(1)),
    call(libc::SYS_stat, None, 0, Does::Look),
    call(libc::SYS_lstat, None, 0, Does::Look),
    call(libc::SYS_access, None, 0, Does::Look),
    call(libc::SYS_readlink, None, 0, Does::Look),
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[Call] = &[];

/// `AUDIT_ARCH_…` of the architecture that mlp is built for.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;

/// Has the calls of this process, and of whatever it becomes and starts, asked about; `to` gets the descriptor by which
/// they are. Called last before the exec.
pub(super) fn be_heard(to: BorrowedFd<'_>) -> Step<()> {
    let listener = step(
        || "watch the files that are opened".into(),
        syscall::install_listener(&filter()),
    )?;
    let numbers = [listener.as_raw_fd()];
    let sent = sendmsg::<()>(
        to.as_raw_fd(),
        &[IoSlice::new(&[1])],
        &[ControlMessage::ScmRights(&numbers)],
        MsgFlags::MSG_NOSIGNAL,
        None,
    );
    step(|| "hand over the watch of files".into(), sent).map(drop)
}

/// Asks about [`CALLS`], and lets all others through.
fn filter() -> Vec<sock_filter> {
    let code = |code: u32, jt: u8, jf: u8, k: u32| sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let load = |offset: usize| code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset as u32);
    let jump =
        |value: u32, yes: u8, no: u8| code(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, yes, no, value);
    let answer = |action: u32| code(libc::BPF_RET | libc::BPF_K, 0, 0, action);
    let mut filter = vec![
        load(std::mem::offset_of!(libc::seccomp_data, arch)),
        jump(ARCHITECTURE, 1, 0),
        answer(libc::SECCOMP_RET_ALLOW),
        load(std::mem::offset_of!(libc::seccomp_data, nr)),
    ];
    for call in CALLS.iter().chain(OLDER) {
        filter.push(jump(call.number as u32, 0, 1));
        filter.push(answer(libc::SECCOMP_RET_USER_NOTIF));
    }
    filter.push(answer(libc::SECCOMP_RET_ALLOW));
    filter
}

/// The first process's end of the watch.
pub(super) struct Tracer {
    listener: OwnedFd,
    told: BTreeSet<Touched>,
}

impl Tracer {
    /// Waits for what [`be_heard`] sends; none where the program ended before.
    pub(super) fn receive(from: &UnixStream) -> Option<Self> {
        let (_, descriptors) = syscall::receive(from.as_fd(), &mut [0]).ok()?;
        Some(Self {
            listener: descriptors.into_iter().next()?,
            told: BTreeSet::new(),
        })
    }

    /// Readable when there is a call.
    pub(super) fn readable(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// Serves calls until `other` ends: the pipe that the program's exec closes.
    pub(super) fn serve_until(&mut self, other: BorrowedFd<'_>, touched: &mut dyn FnMut(Touched)) {
        loop {
            let mut waits = [
                PollFd::new(other, PollFlags::POLLIN),
                PollFd::new(self.listener.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut waits, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                Err(_) => return,
                Ok(_) => {}
            }
            let [ended, called] = waits.map(|wait| wait.any().unwrap_or(true));
            if ended || (called && !self.serve(touched)) {
                return;
            }
        }
    }

    /// Hears of one call, tells what is new of it, and lets it go on. Says whether there may be more.
    pub(super) fn serve(&mut self, touched: &mut dyn FnMut(Touched)) -> bool {
        let call = match syscall::next_call(self.listener.as_fd()) {
            Ok(call) => call,
            Err(Errno::EINTR | Errno::ENOENT) => return !self.is_over(),
            Err(_) => return false,
        };
        if let Some(found) = found(&call)
            && self.told.insert(found.clone())
        {
            touched(found);
        }
        // ENOENT: the caller was killed.
        let _ = syscall::let_call_go_on(self.listener.as_fd(), call.id);
        true
    }

    /// Whether every process with the filter is gone.
    fn is_over(&self) -> bool {
        let mut waits = [PollFd::new(self.listener.as_fd(), PollFlags::POLLIN)];
        let looked = poll(&mut waits, PollTimeout::ZERO);
        looked.is_err()
            || waits[0]
                .revents()
                .is_some_and(|told| told.contains(PollFlags::POLLHUP))
    }
}

/// What a call touches, if there is something.
fn found(heard: &libc::seccomp_notif) -> Option<Touched> {
    let mut calls = CALLS.iter().chain(OLDER);
    let call = calls.find(|call| call.number == i64::from(heard.data.nr))?;
    let written = path_at(heard.pid, heard.data.args[call.path])?;
    let path = from_root(
        heard.pid,
        call.folder.map(|at| heard.data.args[at] as i32),
        &written,
    )?;
    let is_dir = fs::metadata(&path).ok()?.is_dir();
    let how = match call.does {
        Does::Look => Touch::LookedFor,
        Does::Run => Touch::Read,
        Does::Open(flags) if is_written(heard.data.args[flags] as i32) => return None,
        Does::Open(_) if is_dir => Touch::Listed,
        Does::Open(_) => Touch::Read,
    };
    Some(Touched {
        path: path.to_str()?.to_owned(),
        how,
    })
}

/// Whether a file that is opened so is written, and not read as it was.
fn is_written(flags: i32) -> bool {
    flags & libc::O_ACCMODE == libc::O_WRONLY || flags & (libc::O_TRUNC | libc::O_EXCL | libc::O_PATH) != 0
}

/// The path at an address of a caller.
fn path_at(caller: u32, address: u64) -> Option<PathBuf> {
    let memory = File::open(format!("/proc/{caller}/mem")).ok()?;
    let mut bytes = Vec::new();
    // In parts that end where pages do: what follows a path may not be mapped.
    while bytes.len() < LONGEST {
        let at = address.checked_add(bytes.len() as u64)?;
        let mut part = [0; 256];
        let room = part.len() - (at % part.len() as u64) as usize;
        let length = memory
            .read_at(&mut part[..room], at)
            .ok()
            .filter(|length| *length > 0)?;
        if let Some(end) = part[..length].iter().position(|byte| *byte == 0) {
            bytes.extend_from_slice(&part[..end]);
            break;
        }
        bytes.extend_from_slice(&part[..length]);
    }
    (!bytes.is_empty()).then(|| PathBuf::from(std::ffi::OsStr::from_bytes(&bytes)))
}

/// A path of a caller from the root: the folder that it lies in without links on the way.
fn from_root(caller: u32, folder: Option<i32>, path: &Path) -> Option<PathBuf> {
    let from = match folder {
        Some(fd) if fd != libc::AT_FDCWD => format!("/proc/{caller}/fd/{fd}"),
        _ => format!("/proc/{caller}/cwd"),
    };
    let whole = match path.is_absolute() {
        true => path.to_owned(),
        false => fs::read_link(from).ok()?.join(path),
    };
    // Of its own the caller knows another process than this one.
    if whole.starts_with("/proc") {
        return None;
    }
    match whole.components().next_back()? {
        Component::Normal(name) => Some(fs::canonicalize(whole.parent()?).ok()?.join(name)),
        _ => fs::canonicalize(whole).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_not_read() {
        assert!(is_written(libc::O_WRONLY | libc::O_CREAT));
        assert!(is_written(libc::O_RDWR | libc::O_TRUNC));
        assert!(!is_written(libc::O_RDONLY | libc::O_CLOEXEC));
        assert!(!is_written(libc::O_RDWR));
    }

    #[test]
    fn a_path_is_read_out_of_memory() {
        let text = c"data/raw.csv";
        let found = path_at(std::process::id(), text.as_ptr() as u64);
        assert_eq!(found.as_deref(), Some(Path::new("data/raw.csv")));
        assert_eq!(path_at(std::process::id(), 0), None);
    }

    #[test]
    fn every_call_has_one_answer() {
        let calls = CALLS.len() + OLDER.len();
        let asked = filter()
            .iter()
            .filter(|code| code.k == libc::SECCOMP_RET_USER_NOTIF)
            .count();
        assert_eq!(asked, calls);
    }
}
