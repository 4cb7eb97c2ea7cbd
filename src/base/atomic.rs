//! Files that are there whole or not at all, whatever happens to the process or the power. Talks to the file system.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes `bytes` to `path`, in the place of what was there: whoever reads sees all of the old or all of the new, also
/// after a power failure.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_beside(path)?;
    let written = create(&temporary, bytes)
        .and_then(|()| sync(&temporary))
        .and_then(|()| replace(&temporary, path));
    if written.is_err() {
        // The error is what the caller needs to hear; the file has a name that nobody looks for.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Writes as [`write`], but whole only for whoever reads: a failure of the power in the next seconds may lose or tear it. For
/// what carries a checksum and can be made again.
pub fn write_for_now(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_beside(path)?;
    let written = fs::write(&temporary, bytes).and_then(|()| rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Renames `from` to `to`, in the place of what was there, and makes the name durable.
pub fn replace(from: &Path, to: &Path) -> io::Result<()> {
    rename(from, to)?;
    sync(parent(to)?)
}

/// Renames without making the name durable: [`sync`] does that, once for many.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    act(Act::Rename { from, to }, || fs::rename(from, to))
}

/// Gives the file at `from` a second name, `to`, unless something has it.
pub fn link(from: &Path, to: &Path) -> io::Result<()> {
    act(Act::Link { from, to }, || fs::hard_link(from, to))
}

/// Makes durable the bytes of a file, or the names in a folder.
pub fn sync(path: &Path) -> io::Result<()> {
    act(Act::Sync(path), || File::open(path)?.sync_all())
}

/// Makes durable all that anybody wrote on the file system of `folder`.
pub fn sync_file_system(folder: &Path) -> io::Result<()> {
    act(Act::SyncFileSystem(folder), || {
        Ok(rustix::fs::syncfs(&File::open(folder)?)?)
    })
}

/// A new file with `bytes`, which [`sync`] makes durable.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create_empty(path)?.write_all(bytes)
}

/// A new file to be written.
pub fn create_empty(path: &Path) -> io::Result<File> {
    act(Act::Create(path), || {
        OpenOptions::new().write(true).create_new(true).open(path)
    })
}

/// Makes a folder where there is none, and those around it.
pub fn make_folder(path: &Path) -> io::Result<()> {
    act(Act::MakeFolder(path), || fs::create_dir_all(path))
}

/// What is done to the disk here. Tests write it down, and make it fail: `faults.rs`.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "only tests look at it"))]
pub(super) enum Act<'p> {
    Create(&'p Path),
    MakeFolder(&'p Path),
    Rename { from: &'p Path, to: &'p Path },
    Link { from: &'p Path, to: &'p Path },
    Sync(&'p Path),
    SyncFileSystem(&'p Path),
}

#[cfg(test)]
use super::faults::act;

#[cfg(not(test))]
fn act<T>(_: Act<'_>, done: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    done()
}

/// The folder that a path lies in.
pub fn parent(path: &Path) -> io::Result<&Path> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(parent) => Ok(parent),
        None => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path names no file",
        )),
    }
}

/// A name beside `path` that no other process and no other thread of this one takes.
fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    Ok(parent(path)?.join(format!(".{name}.{process}-{count}.new")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_replaces_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::create_dir(&path).unwrap();
        assert!(write(&path, b"x").is_err());
        assert!(path.is_dir());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
