//! Disks that fail, and what is left on them. Tests watch a folder: what `atomic` does below it is written down, and may be
//! made to fail; from what was written down come the states in which a failure of the power may leave the folder.
//!
//! The model is harsher than any file system: whatever was not synced may be lost or kept, each name and each file's bytes
//! by itself, in any order; a sync of a file keeps its bytes and no name, a sync of a folder keeps its names and no bytes.

use super::atomic::Act;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// A file, whatever its names.
type Inode = (u64, Option<SystemTime>);

/// A folder that is watched, until this is dropped.
pub(crate) struct Disk(Arc<Watched>);

struct Watched {
    root: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    done: Vec<Done>,
    /// The bytes of files when they got a name.
    bytes: BTreeMap<Inode, Vec<u8>>,
    /// How often anything was tried.
    tried: usize,
    fails: Option<Fails>,
}

/// Which of the things that are tried fail, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fails {
    /// The first, counted from 0.
    pub(crate) from: usize,
    /// How many.
    pub(crate) times: usize,
    /// The error's number.
    pub(crate) code: i32,
}

/// What was done, in the order in which it was finished.
enum Done {
    /// A file has a name.
    Named {
        path: PathBuf,
        inode: Inode,
    },
    /// A folder is there.
    Folder(PathBuf),
    /// What was done before `begun` is on the disk: a file's bytes, a folder's names, or all.
    SyncedFile(Inode),
    SyncedFolder {
        path: PathBuf,
        begun: usize,
    },
    SyncedAll {
        begun: usize,
        files: Vec<Inode>,
    },
    /// Something was told that must hold from now on.
    Told(String),
    /// Nothing that counts.
    Nothing,
}

static WATCHED: Mutex<Vec<Arc<Watched>>> = Mutex::new(Vec::new());

/// Does `done`, unless it is to fail, and writes it down where somebody watches.
pub(super) fn act<T>(act: Act<'_>, done: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let Some(watched) = watched(act) else {
        return done();
    };
    if let Some(code) = watched.fails() {
        return Err(io::Error::from_raw_os_error(code));
    }
    let begun = locked(&watched.inner).done.len();
    let inode = match act {
        Act::Rename { from: path, .. } | Act::Link { from: path, .. } | Act::Sync(path) => inode(path),
        _ => None,
    };
    let all = match act {
        Act::SyncFileSystem(_) => files(&watched.root),
        _ => Vec::new(),
    };
    let bytes = match act {
        Act::Rename { from, .. } | Act::Link { from, .. } => fs::read(from).ok(),
        _ => None,
    };
    if matches!(act, Act::Sync(_) | Act::SyncFileSystem(_)) {
        // As a disk takes its time, so that others do something meanwhile.
        std::thread::sleep(Duration::from_millis(1));
    }
    let result = done()?;
    let mut inner = locked(&watched.inner);
    match (act, inode) {
        (Act::Rename { to, .. } | Act::Link { to, .. }, Some(inode)) => {
            inner.bytes.extend(bytes.map(|bytes| (inode, bytes)));
            inner.done.push(Done::Named {
                path: to.to_owned(),
                inode,
            });
        }
        (Act::MakeFolder(path), _) => inner.done.push(Done::Folder(path.to_owned())),
        (Act::Sync(path), _) if path.is_dir() => inner.done.push(Done::SyncedFolder {
            path: path.to_owned(),
            begun,
        }),
        (Act::Sync(_), Some(inode)) => inner.done.push(Done::SyncedFile(inode)),
        (Act::SyncFileSystem(_), _) => inner.done.push(Done::SyncedAll { begun, files: all }),
        _ => {}
    }
    Ok(result)
}

fn watched(act: Act<'_>) -> Option<Arc<Watched>> {
    let (Act::Create(path)
    | Act::MakeFolder(path)
    | Act::Rename { to: path, .. }
    | Act::Link { to: path, .. }
    | Act::Sync(path)
    | Act::SyncFileSystem(path)) = act;
    let all = locked(&WATCHED);
    all.iter()
        .find(|watched| path.starts_with(&watched.root))
        .cloned()
}

/// The time of its birth too: a number is given again as soon as it is free.
fn inode(path: &Path) -> Option<Inode> {
    let metadata = fs::symlink_metadata(path).ok()?;
    Some((metadata.ino(), metadata.created().ok()))
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<Inode> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            Ok(kind) if kind.is_file() => found.extend(inode(&entry.path())),
            _ => {}
        }
    }
    found
}

impl Watched {
    fn fails(&self) -> Option<i32> {
        let mut inner = locked(&self.inner);
        let this = inner.tried;
        inner.tried += 1;
        let fails = inner.fails?;
        (fails.from..fails.from.saturating_add(fails.times))
            .contains(&this)
            .then_some(fails.code)
    }
}

impl Disk {
    /// Watches what is done below `root`, whose links are resolved.
    pub(crate) fn watch(root: &Path) -> Self {
        let watched = Arc::new(Watched {
            root: root.to_owned(),
            inner: Mutex::default(),
        });
        locked(&WATCHED).push(Arc::clone(&watched));
        Self(watched)
    }

    /// From now on, counted from 0, what `fails` says fails.
    pub(crate) fn fail(&self, fails: Fails) {
        let mut inner = locked(&self.0.inner);
        inner.tried = 0;
        inner.fails = Some(fails);
    }

    /// Things that were tried since [`Disk::fail`].
    pub(crate) fn tried(&self) -> usize {
        locked(&self.0.inner).tried
    }

    /// Notes that `what` was told to somebody.
    pub(crate) fn tell(&self, what: &str) {
        locked(&self.0.inner).done.push(Done::Told(what.to_owned()));
    }

    /// As if nothing had been synced from `moment` on: what a store that forgets to sync would have done.
    pub(crate) fn forget_syncs(&self, moment: usize) {
        for done in locked(&self.0.inner).done.iter_mut().skip(moment) {
            if matches!(
                done,
                Done::SyncedFile(_) | Done::SyncedFolder { .. } | Done::SyncedAll { .. }
            ) {
                *done = Done::Nothing;
            }
        }
    }

    /// How many moments there are at which the power may fail.
    pub(crate) fn moments(&self) -> usize {
        locked(&self.0.inner).done.len() + 1
    }

    /// Makes the folder at `into` as a failure of the power may leave it at `moment`; `keeps` says, each time that it is
    /// asked, whether something is kept that was not synced. Gives what was told before.
    pub(crate) fn after_power_failure(
        &self,
        moment: usize,
        into: &Path,
        mut keeps: impl FnMut() -> bool,
    ) -> Vec<String> {
        let inner = locked(&self.0.inner);
        let done = inner.done.get(..moment).unwrap_or(&inner.done);
        let safe = Safe::of(done);
        let (mut names, mut folders) = (BTreeMap::new(), BTreeSet::from([self.0.root.clone()]));
        let mut told = Vec::new();
        for (at, done) in done.iter().enumerate() {
            match done {
                Done::Named { path, inode } if safe.name(at, path) || keeps() => {
                    names.insert(path, inode);
                }
                Done::Folder(path) if safe.name(at, path) || keeps() => drop(folders.insert(path.clone())),
                Done::Told(what) => told.push(what.clone()),
                _ => {}
            }
        }
        let place = |path: &Path| {
            path.strip_prefix(&self.0.root)
                .map(|path| into.join(path))
                .unwrap()
        };
        let reached = |path: &Path| {
            let around = path
                .ancestors()
                .skip(1)
                .take_while(|path| path.starts_with(&self.0.root));
            around.into_iter().all(|folder| folders.contains(folder))
        };
        for folder in folders.iter().filter(|folder| reached(folder)) {
            fs::create_dir_all(place(folder)).unwrap();
        }
        let mut kept = BTreeMap::new();
        for (path, inode) in names.into_iter().filter(|(path, _)| reached(path)) {
            let Some(bytes) = inner.bytes.get(inode) else {
                continue;
            };
            let left: &Vec<u8> = kept
                .entry(inode)
                .or_insert_with(|| match safe.files.contains(inode) {
                    true => bytes.clone(),
                    false => torn(bytes, &mut keeps),
                });
            fs::write(place(path), left).unwrap();
        }
        told
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        locked(&WATCHED).retain(|watched| !Arc::ptr_eq(watched, &self.0));
    }
}

/// What is on the disk for sure.
struct Safe {
    files: BTreeSet<Inode>,
    /// All that was done before.
    all: usize,
    /// What was done in a folder before.
    folders: BTreeMap<PathBuf, usize>,
}

impl Safe {
    fn of(done: &[Done]) -> Self {
        let mut safe = Self {
            files: BTreeSet::new(),
            all: 0,
            folders: BTreeMap::new(),
        };
        for done in done {
            match done {
                Done::SyncedFile(inode) => drop(safe.files.insert(*inode)),
                Done::SyncedFolder { path, begun } => drop(safe.folders.insert(path.clone(), *begun)),
                Done::SyncedAll { begun, files } => {
                    safe.all = safe.all.max(*begun);
                    safe.files.extend(files);
                }
                _ => {}
            }
        }
        safe
    }

    fn name(&self, at: usize, path: &Path) -> bool {
        let synced = path.parent().and_then(|folder| self.folders.get(folder));
        at < self.all.max(synced.copied().unwrap_or(0))
    }
}

/// What may be left of bytes that were not synced: all, none, the first half, or zeroes.
fn torn(bytes: &[u8], keeps: &mut impl FnMut() -> bool) -> Vec<u8> {
    match (keeps(), keeps()) {
        (true, true) => bytes.to_vec(),
        (true, false) => bytes[..bytes.len() / 2].to_vec(),
        (false, true) => vec![0; bytes.len()],
        (false, false) => Vec::new(),
    }
}

/// Bytes as they may become where something is damaged or meant ill: bits flipped, parts cut out, put in, or doubled.
pub(crate) fn mutated(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let change = (
        0..4u8,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any::<u8>(),
    );
    prop::collection::vec(change, 1..6).prop_map(move |changes| {
        let mut bytes = bytes.clone();
        for (kind, from, to, byte) in changes {
            let (from, to) = (from.index(bytes.len() + 1), to.index(bytes.len() + 1));
            let range = from.min(to)..from.max(to);
            match kind {
                0 => bytes.iter_mut().skip(from).take(1).for_each(|old| *old ^= byte),
                1 => drop(bytes.drain(range)),
                2 => bytes.insert(from, byte),
                _ => {
                    let part = bytes[range].to_vec();
                    bytes.splice(to..to, part);
                }
            }
        }
        bytes
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
