//! A terminal for a program inside, between it and the user's own: job control, sizes and keys work as they do outside,
//! and the program cannot reach the user's terminal, into whose input it could write.

use super::syscall;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::openpty;
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How often the size of the user's terminal is looked at. A signal tells of it too, but to threads that are others'.
const LOOK: u16 = 200;

/// A pseudo-terminal that stands for the user's.
#[derive(Debug)]
pub struct Terminal {
    ours: OwnedFd,
    theirs: OwnedFd,
}

impl Terminal {
    /// One like the user's, of the same size.
    pub fn like_users() -> io::Result<Self> {
        let stdin = io::stdin();
        let pair = openpty(None, &tcgetattr(&stdin)?)?;
        if let Ok(size) = syscall::window_size(stdin.as_fd()) {
            syscall::set_window_size(pair.master.as_fd(), &size)?;
        }
        Ok(Self {
            ours: pair.master,
            theirs: pair.slave,
        })
    }

    /// While `work` runs, passes on what is typed and what is shown.
    pub fn during<T>(self, work: impl FnOnce(BorrowedFd<'_>) -> T) -> io::Result<T> {
        let raw = Raw::begin()?;
        let Self { ours, theirs } = self;
        let done = std::thread::scope(|scope| {
            scope.spawn(|| relay(&ours));
            let done = work(theirs.as_fd());
            // Nobody inside has it any more: the other end hears of that, and the relay ends.
            drop(theirs);
            done
        });
        drop(raw);
        Ok(done)
    }
}

/// The user's terminal without its own meaning of keys; as it was when this is dropped.
struct Raw(Termios);

impl Raw {
    fn begin() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(&stdin, SetArg::TCSADRAIN, &raw)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.0);
    }
}

/// Passes bytes both ways until the program's end is closed.
fn relay(ours: &OwnedFd) {
    let (stdin, stdout) = (io::stdin(), io::stdout());
    let mut size = syscall::window_size(stdin.as_fd()).ok();
    let mut typing = true;
    loop {
        let mut waits = vec![PollFd::new(ours.as_fd(), PollFlags::POLLIN)];
        waits.extend(typing.then(|| PollFd::new(stdin.as_fd(), PollFlags::POLLIN)));
        match poll(&mut waits, PollTimeout::from(LOOK)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return,
        }
        let ready = |at: usize| waits.get(at).and_then(PollFd::any).unwrap_or(false);
        let (shown, typed) = (ready(0), ready(1));
        if shown && !pass(ours.as_fd(), stdout.as_fd()) {
            return;
        }
        if typed {
            typing = pass(stdin.as_fd(), ours.as_fd());
        }
        let now = syscall::window_size(stdin.as_fd()).ok();
        let sizes = |size: &Option<libc::winsize>| size.map(|size| (size.ws_row, size.ws_col));
        if let Some(new) = &now
            && sizes(&now) != sizes(&size)
        {
            let _ = syscall::set_window_size(ours.as_fd(), new);
            size = now;
        }
    }
}

/// Passes on what is there. Says whether more may come.
fn pass(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> bool {
    let mut bytes = [0; 4096];
    let mut rest = match nix::unistd::read(from, &mut bytes) {
        Err(Errno::EINTR | Errno::EAGAIN) => return true,
        // EIO: the last of the other side's descriptors is closed.
        Ok(0) | Err(_) => return false,
        Ok(length) => &bytes[..length],
    };
    while !rest.is_empty() {
        match nix::unistd::write(to, rest) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::EINTR) => {}
            Err(_) => return false,
        }
    }
    true
}
