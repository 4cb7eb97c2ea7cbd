//! Pinning: what a path of the project holds, written down, and what differs from that later. Talks to the file system,
//! the stat cache and the store.

use super::Store;
use super::error::StoreError;
use super::import::Bounds;
use super::pinned::Known;
use super::place::joined;
use super::provide::Looked;
use super::sources::{Sources, tree};
use super::walk::changed_at;
use crate::model::node::{Entry, Node};
use crate::model::pin::Pin;
use crate::model::source::SourceProblem;
use std::collections::BTreeMap;
use std::path::Path;

/// Why a path cannot be pinned.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// It cannot be content.
    #[error("it cannot be content")]
    Source(SourceProblem),
    /// A directory has no files.
    #[error("there are no files in it")]
    Empty,
    /// It changed while it was read.
    #[error("it changed while it was read")]
    Changed,
    /// The store could not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It holds something else, or is of another kind.
    Changed,
    /// It was not there.
    Added,
    /// It is gone.
    Removed,
}

/// What differs from a pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differences {
    /// What is there now.
    pub node: Node,
    /// Files of a directory that differ, by path from it; none where nobody here knows what lay there.
    pub files: Option<BTreeMap<String, Change>>,
}

impl Sources {
    /// What lies at `path`, to be pinned. The trees of a directory go into the store, so that it is known later what lay in
    /// it; with `bytes` all of it does.
    pub fn pin(&self, store: &Store, path: &str, bytes: bool) -> Result<Pin, PinError> {
        let real = self.real(path).map_err(PinError::Source)?;
        let problem = |error| PinError::Source(self.problem(error));
        if !real.is_dir() {
            if bytes {
                self.copy(store, path, &real)?;
            }
            let node = self.file(path, &real).map_err(problem)?;
            let Node::File { size, .. } = node else {
                return Err(PinError::Empty);
            };
            return Ok(Pin { node, size, files: 1 });
        }
        let gathered = self.gather(path).map_err(problem)?;
        let folders = gathered.folders.clone();
        let absent: Vec<String> = gathered.absent.iter().map(|(pin, _)| joined(path, pin)).collect();
        if bytes {
            self.import(store, path, &gathered)?;
        }
        let mut folder = self.folder(path, gathered).map_err(problem)?;
        let (mut size, mut files) = (0, 0);
        let pins = absent.iter().filter_map(|pin| self.pinned.pins().get(pin));
        for pin in pins.filter(|pin| pin.node.is_dir()) {
            size += pin.size;
            files += pin.files;
        }
        folder.each(&mut |entry| {
            if let Entry::Node(Node::File { size: own, .. }) = entry {
                size += own;
                files += 1;
            }
        });
        if files == 0 {
            return Err(PinError::Empty);
        }
        let mut trees = Vec::new();
        let node = tree(&mut folder, &mut |bytes| trees.push(bytes)).map_err(problem)?;
        if folders.iter().any(|(folder, then)| changed_at(folder) != *then) {
            return Err(PinError::Changed);
        }
        store.add_trees(&trees)?;
        Ok(Pin { node, size, files })
    }

    /// Copies a file into the store, and remembers its digest.
    fn copy(&self, store: &Store, path: &str, real: &Path) -> Result<(), PinError> {
        let problem = |error| PinError::Source(self.problem(error));
        let looked = Looked::at(real).map_err(problem)?;
        let known = self
            .remembered(path, looked.stat)
            .map(|digest| looked.node(digest));
        store.pin(known.iter())?;
        if known.is_some_and(|node| store.holds(&node)) {
            return Ok(());
        }
        let node = store.import(real, Bounds::default())?;
        let after = Looked::at(real).map_err(problem)?;
        match node {
            Node::File { digest, .. } if looked.stat == after.stat => {
                self.note(path, looked.stat, looked.seen_ns, digest);
                Ok(())
            }
            _ => Err(PinError::Changed),
        }
    }

    /// Whether `node`, which was found at `path`, is here and is not what is pinned.
    pub fn is_other(&self, path: &str, node: Node) -> bool {
        let pinned = matches!(self.pinned.at(path), Known::Node(pinned) if pinned != node);
        pinned && !self.is_empty(path)
    }

    /// Whether nothing is at a path that is pinned.
    pub fn is_absent(&self, path: &str) -> bool {
        self.is_empty(path)
    }

    /// What differs from the pin of `path` in what is there; nothing where it is as it was.
    pub fn differences(&self, path: &str, pin: &Pin) -> Result<Option<Differences>, SourceProblem> {
        let real = self.real(path)?;
        if !real.is_dir() {
            let node = self.file(path, &real).map_err(|error| self.problem(error))?;
            let files = (!pin.node.is_dir()).then(BTreeMap::new);
            return Ok((node != pin.node).then_some(Differences { node, files }));
        }
        let gathered = self.gather(path);
        let folder = gathered.and_then(|gathered| self.folder(path, gathered));
        let mut folder = folder.map_err(|error| self.problem(error))?;
        let node = tree(&mut folder, &mut |_| {}).map_err(|error| self.problem(error))?;
        if node == pin.node {
            return Ok(None);
        }
        let files = match pin.node {
            Node::Dir { .. } => self
                .pinned
                .entries(pin.node)
                .map(|then| changes(&then, &folder.paths())),
            Node::File { .. } => None,
        };
        Ok(Some(Differences { node, files }))
    }
}

fn changes(then: &BTreeMap<String, Entry>, now: &BTreeMap<String, &Entry>) -> BTreeMap<String, Change> {
    let gone = then.keys().filter(|path| !now.contains_key(*path));
    let gone = gone.map(|path| (path.clone(), Change::Removed));
    let here = now.iter().filter_map(|(path, entry)| match then.get(path) {
        None => Some((path.clone(), Change::Added)),
        Some(before) if before != *entry => Some((path.clone(), Change::Changed)),
        Some(_) => None,
    });
    gone.chain(here).collect()
}
