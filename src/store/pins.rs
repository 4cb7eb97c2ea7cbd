//! Pins: what living processes go on from, so that the collector of garbage leaves it. A process pins first and looks after
//! that whether the bytes are here.
//!
//! A pin is a line in the lease's file of pins, written under the gate, which the collector closes while it takes things
//! away: so whatever is pinned and seen stays where it is. While a collector is at work pins go to its own list, too, for
//! the process may have come to its end before they are read.

use super::error::{StoreError, at};
use super::lease;
use super::place::Content;
use crate::base::digest::Digest;
use crate::base::lock::Lock;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The file of pins in a lease's folder.
const PINS: &str = "pins";
/// The file whose lock is the gate.
const GATE: &str = "locks/pins";
/// What was pinned since a collector began.
const LIST: &str = "locks/pinned";
/// The lock of the collector at work.
const COLLECTOR: &str = "locks/collector";

/// A process's own pins.
#[derive(Debug)]
pub(super) struct Pins {
    root: PathBuf,
    file: PathBuf,
    pinned: Mutex<BTreeSet<Content>>,
}

impl Pins {
    /// Of the lease in `folder`, in the store at `root`.
    pub(super) fn of(root: &Path, folder: &Path) -> Self {
        Self {
            root: root.to_owned(),
            file: folder.join(PINS),
            pinned: Mutex::default(),
        }
    }

    /// Pins, for the life of the process.
    pub(super) fn add(&self, contents: impl IntoIterator<Item = Content>) -> Result<(), StoreError> {
        // Held to the end: a lock of a file is shared by all threads that have the file open.
        let mut pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        let new: BTreeSet<Content> = contents
            .into_iter()
            .filter(|content| !pinned.contains(content))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let text: String = new.iter().map(line).collect();
        let gate = Gate::shared(&self.root)?;
        append(&self.file, &text)?;
        tell_collector(&self.root.join(LIST), &text)?;
        drop(gate);
        pinned.extend(new);
        Ok(())
    }
}

/// Pins pass while it is open; it is closed while things are taken away.
#[derive(Debug)]
pub(super) struct Gate {
    _file: File,
}

impl Gate {
    fn shared(root: &Path) -> Result<Self, StoreError> {
        let path = root.join(GATE);
        let file = open(&path)?;
        file.lock_shared().map_err(at("lock", &path))?;
        Ok(Self { _file: file })
    }

    /// Nobody pins until it is dropped.
    fn closed(root: &Path) -> Result<Self, StoreError> {
        let path = root.join(GATE);
        let file = open(&path)?;
        file.lock().map_err(at("lock", &path))?;
        Ok(Self { _file: file })
    }
}

/// The collector's ear. There is one in a store at a time.
#[derive(Debug)]
pub(super) struct Listener {
    root: PathBuf,
    list: File,
    _alone: Lock,
}

impl Listener {
    /// Begins to listen, and gives what living processes pinned before. None where another collector is at work.
    pub(super) fn begin(root: &Path) -> Result<Option<(Self, Vec<Content>)>, StoreError> {
        let path = root.join(COLLECTOR);
        let Some(alone) = Lock::try_acquire(&path).map_err(at("lock", &path))? else {
            return Ok(None);
        };
        let _gate = Gate::closed(root)?;
        let path = root.join(LIST);
        let list = open(&path)?;
        // One that was killed may have left it.
        list.set_len(0).map_err(at("write", &path))?;
        let pinned = living(root)?;
        let listener = Self {
            root: root.to_owned(),
            list,
            _alone: alone,
        };
        Ok(Some((listener, pinned)))
    }

    /// What was pinned since it was asked last; nobody pins until the gate is dropped.
    pub(super) fn close_gate(&mut self) -> Result<(Gate, Vec<Content>), StoreError> {
        let gate = Gate::closed(&self.root)?;
        let mut bytes = Vec::new();
        let list = self.root.join(LIST);
        self.list.read_to_end(&mut bytes).map_err(at("read", &list))?;
        Ok((gate, contents(&bytes)))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // One that stays is written to for nothing, until the next collector empties it.
        let _ = fs::remove_file(self.root.join(LIST));
    }
}

/// What living processes have pinned.
pub(super) fn living(root: &Path) -> Result<Vec<Content>, StoreError> {
    let mut pinned = Vec::new();
    for lease in lease::living(&root.join("tmp"))? {
        match fs::read(lease.join(PINS)) {
            Ok(bytes) => pinned.extend(contents(&bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(at("read", &lease)(error)),
        }
    }
    Ok(pinned)
}

fn open(path: &Path) -> Result<File, StoreError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path);
    file.map_err(at("open", path))
}

fn append(path: &Path, text: &str) -> Result<(), StoreError> {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(at("write", path))?;
    file.write_all(text.as_bytes()).map_err(at("write", path))
}

/// Adds to the list of a collector, if one is at work.
fn tell_collector(list: &Path, text: &str) -> Result<(), StoreError> {
    match OpenOptions::new().append(true).open(list) {
        Ok(mut file) => file.write_all(text.as_bytes()).map_err(at("write", list)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at("open", list)(error)),
    }
}

/// A line; it begins with the end of the one before, which somebody may have been killed over.
fn line(content: &Content) -> String {
    match content {
        Content::File {
            digest,
            executable: false,
        } => format!("\nf{digest}\n"),
        Content::File { digest, .. } => format!("\nx{digest}\n"),
        Content::Tree(digest) => format!("\nt{digest}\n"),
    }
}

/// What is pinned; a line that somebody was killed over is none.
fn contents(bytes: &[u8]) -> Vec<Content> {
    let content = |line: &[u8]| {
        let (kind, digest) = line.split_first()?;
        let digest: Digest = std::str::from_utf8(digest).ok()?.parse().ok()?;
        match kind {
            b'f' | b'x' => Some(Content::File {
                digest,
                executable: *kind == b'x',
            }),
            b't' => Some(Content::Tree(digest)),
            _ => None,
        }
    };
    bytes.split(|byte| *byte == b'\n').filter_map(content).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Content {
        Content::Tree(Digest::of_blob(text.as_bytes()))
    }

    #[test]
    fn a_line_that_was_cut_short_costs_no_other() {
        let bytes = format!("{}{}", &line(&tree("a"))[..20], line(&tree("b")));
        assert_eq!(contents(bytes.as_bytes()), [tree("b")]);
        for content in [false, true].map(|executable| Content::File {
            digest: Digest::of_blob(b"x"),
            executable,
        }) {
            assert_eq!(contents(line(&content).as_bytes()), [content]);
        }
    }

    #[test]
    fn the_listener_hears_what_was_pinned_before_and_since_and_of_those_who_ended() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["tmp", "locks"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        let lease = lease::Lease::take(&root.join("tmp")).unwrap();
        lease.pin([tree("a")]).unwrap();
        let (mut listener, before) = Listener::begin(root).unwrap().unwrap();
        assert_eq!(before, [tree("a")]);
        assert!(Listener::begin(root).unwrap().is_none(), "there is one at a time");
        lease.pin([tree("a"), tree("b")]).unwrap();
        drop(lease);
        assert_eq!(listener.close_gate().unwrap().1, [tree("b")]);
        assert!(listener.close_gate().unwrap().1.is_empty());
        drop(listener);
        assert!(Listener::begin(root).unwrap().unwrap().1.is_empty());
    }
}
