//! A process's place in `tmp/`: its folder, and the lock that says that the process lives. What dead ones left is swept
//! by whoever comes next.

use super::error::{StoreError, at};
use super::pins::Pins;
use super::place::Content;
use crate::base::atomic;
use crate::base::clock;
use crate::base::lock::Lock;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The ending of a lease's lock beside its folder.
const LOCK: &str = "lock";

/// A folder for work in progress, ours while we live.
#[derive(Debug)]
pub(super) struct Lease {
    folder: PathBuf,
    count: AtomicU64,
    pins: Pins,
    // Dropped after the folder is removed: fields are dropped after `drop` ran.
    _lock: Lock,
}

impl Lease {
    /// Takes a lease in `tmp` and sweeps what dead processes left there.
    pub(super) fn take(tmp: &Path) -> Result<Self, StoreError> {
        sweep(tmp)?;
        let process = std::process::id();
        // The time keeps leases of machines and containers that share a store, and process ids, apart.
        for attempt in 0_u64.. {
            let name = format!("{process}-{}-{attempt}", clock::since_epoch().as_nanos());
            let folder = tmp.join(&name);
            let lock_path = tmp.join(format!("{name}.{LOCK}"));
            let Some(lock) = Lock::try_acquire(&lock_path).map_err(at("lock", &lock_path))? else {
                continue;
            };
            match fs::create_dir(&folder) {
                Ok(()) => {
                    return Ok(Self {
                        pins: Pins::of(tmp.parent().unwrap_or(tmp), &folder),
                        folder,
                        count: AtomicU64::new(0),
                        _lock: lock,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(at("make", &folder)(error)),
            }
        }
        unreachable!("the loop has no end")
    }

    /// A path in the lease that nobody else takes.
    pub(super) fn fresh(&self) -> PathBuf {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        self.folder.join(count.to_string())
    }

    /// Keeps the collector of garbage from what this process goes on from: to be called before one looks whether it is
    /// here.
    pub(super) fn pin(&self, contents: impl IntoIterator<Item = Content>) -> Result<(), StoreError> {
        self.pins.add(contents)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // What cannot be removed is swept by the next process.
        let _ = remove_tree(&self.folder);
    }
}

/// Removes the folders of leases whose lock nobody holds.
fn sweep(tmp: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(tmp).map_err(at("read", tmp))? {
        let path = entry.map_err(at("read", tmp))?.path();
        if path.extension().is_none_or(|extension| extension != LOCK) {
            continue;
        }
        if let Ok(Some(_dead)) = Lock::try_acquire(&path) {
            let _ = remove_tree(&path.with_extension(""));
        }
    }
    Ok(())
}

/// The folders of the leases of living processes; those of dead ones are swept.
pub(super) fn living(tmp: &Path) -> Result<Vec<PathBuf>, StoreError> {
    sweep(tmp)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(tmp).map_err(at("read", tmp))? {
        let path = entry.map_err(at("read", tmp))?.path();
        if path.extension().is_some_and(|extension| extension == LOCK) {
            found.push(path.with_extension(""));
        }
    }
    Ok(found)
}

/// An empty folder on the store's file system, removed with everything in it when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub(super) fn make(lease: &Lease) -> Result<Self, StoreError> {
        let path = lease.fresh();
        atomic::make_folder(&path).map_err(at("make", &path))?;
        Ok(Self { path })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = remove_tree(&self.path);
    }
}

/// Removes a tree, whatever modes a builder gave its folders.
pub(super) fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_folders(path)?;
            fs::remove_dir_all(path)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Lets the owner into every folder below `path`, itself included.
fn open_folders(path: &Path) -> io::Result<()> {
    let mut pending = vec![path.to_owned()];
    while let Some(folder) = pending.pop() {
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                pending.push(entry.path());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dead_left_is_swept_and_what_the_living_hold_is_not() {
        let tmp = tempfile::tempdir().unwrap();
        let living = Lease::take(tmp.path()).unwrap();
        fs::create_dir(tmp.path().join("1-2-0")).unwrap();
        fs::write(tmp.path().join("1-2-0.lock"), "").unwrap();
        let scratch = Scratch::make(&living).unwrap();
        let other = Lease::take(tmp.path()).unwrap();
        assert!(!tmp.path().join("1-2-0").exists());
        assert!(!tmp.path().join("1-2-0.lock").exists());
        assert!(scratch.path().is_dir());
        drop(scratch);
        drop((living, other));
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 0);
    }

    #[test]
    fn closed_folders_are_removed() {
        let tmp = tempfile::tempdir().unwrap();
        let inner = tmp.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("c"), "").unwrap();
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o000)).unwrap();
        remove_tree(&tmp.path().join("a")).unwrap();
        assert!(!tmp.path().join("a").exists());
    }
}
