//! The wish that builds end: set once, by Ctrl-C or by the first failure, and seen by every thread that waits. Talks to
//! the executors and the scheduler.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A wish to end, shared by its clones.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    wished: AtomicBool,
    /// Readable, by its end, once the wish is there.
    readable: PipeReader,
    open: Mutex<Option<PipeWriter>>,
}

impl Cancel {
    /// No wish yet. Fails where the process may open no more files.
    pub fn new() -> io::Result<Self> {
        let (readable, open) = io::pipe()?;
        Ok(Self(Arc::new(Inner {
            wished: AtomicBool::new(false),
            readable,
            open: Mutex::new(Some(open)),
        })))
    }

    /// Wishes that builds end. May be called often, but not from a signal handler.
    pub fn cancel(&self) {
        self.0.wished.store(true, Ordering::SeqCst);
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Whether it was wished.
    pub fn is_cancelled(&self) -> bool {
        self.0.wished.load(Ordering::SeqCst)
    }

    /// Readable for poll(2) once it is wished.
    pub(crate) fn readable(&self) -> BorrowedFd<'_> {
        self.0.readable.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn every_clone_sees_the_wish() {
        let cancel = Cancel::new().unwrap();
        let other = cancel.clone();
        other.cancel();
        other.cancel();
        assert!(cancel.is_cancelled());
        assert_eq!((&cancel.0.readable).read(&mut [0]).unwrap(), 0);
    }
}
