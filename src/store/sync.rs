//! Making durable what many threads wrote, together: whoever comes while a round of syncs is under way joins the next one.
//! A round takes about as long as a single sync, so many small registrations at once cost little more than one.

use super::error::{StoreError, at};
use crate::base::atomic;
use std::collections::BTreeSet;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Up to so many paths are synced each by itself; more of them by a sync of the file system, which waits for what others
/// wrote there, too.
const SYNCED_SINGLY: usize = 8;

/// The rounds of a store.
#[derive(Debug, Default)]
pub(super) struct Syncer {
    /// The round that can be joined.
    next: Mutex<Arc<Round>>,
    /// Held by the round that is under way.
    turn: Mutex<()>,
}

#[derive(Debug, Default)]
struct Round {
    paths: Mutex<BTreeSet<PathBuf>>,
    /// What came of it, for all who joined: a second sync of a file may succeed although its bytes are lost.
    outcome: OnceLock<Result<(), Failure>>,
}

#[derive(Clone, Debug)]
struct Failure {
    path: PathBuf,
    code: Option<i32>,
    kind: io::ErrorKind,
}

impl Syncer {
    /// Returns when the files and folders at `paths`, as they are now, are on the disk: bytes of files, names in folders.
    /// All of them lie on the file system of `root`.
    pub(super) fn sync(
        &self,
        root: &Path,
        paths: impl IntoIterator<Item = PathBuf>,
    ) -> Result<(), StoreError> {
        let round = {
            let next = locked(&self.next);
            locked(&next.paths).extend(paths);
            Arc::clone(&next)
        };
        // The first of those who joined runs it, and the others wait here.
        let outcome = round.outcome.get_or_init(|| {
            let _turn = locked(&self.turn);
            *locked(&self.next) = Arc::default();
            sync_all(root, &mem::take(&mut *locked(&round.paths)))
        });
        outcome.clone().map_err(|Failure { path, code, kind }| {
            let cause = code.map_or_else(|| kind.into(), io::Error::from_raw_os_error);
            at("write", &path)(cause)
        })
    }
}

fn sync_all(root: &Path, paths: &BTreeSet<PathBuf>) -> Result<(), Failure> {
    let sync = |path: &Path, how: fn(&Path) -> io::Result<()>| {
        how(path).map_err(|error| Failure {
            path: path.to_owned(),
            code: error.raw_os_error(),
            kind: error.kind(),
        })
    };
    if paths.len() > SYNCED_SINGLY {
        return sync(root, atomic::sync_file_system);
    }
    // At once: the system writes them together.
    std::thread::scope(|scope| {
        let mut paths = paths.iter();
        let last = paths.next_back();
        let others: Vec<_> = paths
            .map(|path| scope.spawn(move || sync(path, atomic::sync)))
            .collect();
        let last = last.map_or(Ok(()), |path| sync(path, atomic::sync));
        // A thread of these cannot panic; what it would have synced is not known to be on the disk.
        let panicked = |_| sync(root, |_| Err(io::ErrorKind::Other.into()));
        others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(panicked))
            .fold(last, Result::and)
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn many_at_once_are_synced_and_a_failure_reaches_all_of_a_round() {
        let folder = tempfile::tempdir().unwrap();
        let syncer = Syncer::default();
        let file = |index: usize| folder.path().join(index.to_string());
        for index in 0..20 {
            fs::write(file(index), "x").unwrap();
        }
        std::thread::scope(|scope| {
            for index in 0..20 {
                let (syncer, root, path) = (&syncer, folder.path(), file(index));
                scope.spawn(move || syncer.sync(root, [path]).unwrap());
            }
        });
        let missing = syncer.sync(folder.path(), [file(0), file(99)]).unwrap_err();
        assert!(missing.to_string().contains("99"), "{missing}");
        // The next round is another.
        syncer.sync(folder.path(), [file(1)]).unwrap();
        syncer.sync(folder.path(), []).unwrap();
    }
}
