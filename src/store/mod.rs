//! The store: content by digest, and records of what keys came to. Many processes may use one at once; all of them may
//! be killed at any moment. Talks to the file system and to `model`; decides nothing.
//!
//! A record is visible only after its objects are, and both are durable before a call that put them returns: threads that
//! put at once are made durable together.
//! `docs/design/store.md` draws the folders and gives the reasons.

mod archive;
mod archive_read;
mod aside;
mod batch;
mod builds;
mod census;
mod check;
mod error;
mod failed;
mod folder;
mod gc;
mod import;
mod last_built;
mod lease;
mod medium;
mod mend;
mod notes;
mod pinned;
mod pinning;
mod pins;
mod place;
mod provide;
mod read;
mod record;
mod register;
mod roots;
mod sources;
mod stat_cache;
mod sweep;
mod sync;
mod unfold;
mod view;
mod walk;

pub use archive::{Export, Exported};
pub use archive_read::Imported;
pub use builds::{Builds, LastBuild};
pub use census::{Census, Item, ItemKind};
pub use check::{Checked, Damage, Remedy};
pub use error::StoreError;
pub use gc::{Collected, Collection, Gone};
pub use import::Bounds;
pub use last_built::LastBuilt;
pub use lease::Scratch;
pub use medium::{Feature, Medium};
pub use pinned::Pinned;
pub use pinning::{Change, Differences, PinError};
pub use provide::{ProvideError, Provided};
pub use register::{Registered, Registration, Verdict};
pub use sources::Sources;

use crate::base::atomic;
use crate::base::digest::Digest;
use crate::base::lock::Lock;
use crate::model::node::{Entry, Node, Tree};
use crate::model::record::{Realisation, Trace};
use crate::model::snapshot::Snapshot;
use batch::Batch;
use error::at;
use import::{Found, Shape, Taking};
use lease::Lease;
use place::{Content, Places};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use sync::Syncer;

/// What the file `version` of a store holds.
const VERSION: &str = "mlp store 1\n";

/// A store on disk.
#[derive(Debug)]
pub struct Store {
    places: Places,
    /// Taken when something is first written, so that reading needs no right to write.
    lease: OnceLock<Lease>,
    /// What this process found whole: see [`Store::mend`].
    whole: Mutex<BTreeSet<Node>>,
    syncer: Syncer,
}

/// Content that has its digest and no place yet: it is in the store once it is placed, or registered.
#[derive(Debug)]
pub struct Staged {
    node: Node,
    batch: Batch,
}

impl Staged {
    /// What it is.
    pub fn node(&self) -> Node {
        self.node
    }
}

impl Store {
    /// Opens the store at `root`, and makes it where there is none. A store that is there may be read-only.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let version = root.join("version");
        match fs::read_to_string(&version) {
            Ok(text) if text == VERSION => {}
            Ok(_) => return Err(StoreError::NotAStore(root.to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => make(root, &version)?,
            Err(error) => return Err(at("read", &version)(error)),
        }
        let root = root.canonicalize().map_err(at("read", root))?;
        Ok(Self {
            places: Places { root },
            lease: OnceLock::new(),
            whole: Mutex::default(),
            syncer: Syncer::default(),
        })
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.places.root
    }

    fn lease(&self) -> Result<&Lease, StoreError> {
        if let Some(lease) = self.lease.get() {
            return Ok(lease);
        }
        let lease = Lease::take(&self.places.folder("tmp"))?;
        // Another thread may have been quicker; then this lease is given back.
        Ok(self.lease.get_or_init(|| lease))
    }

    /// An empty folder on the store's file system, from which [`Store::move_in`] need not copy.
    pub fn scratch(&self) -> Result<Scratch, StoreError> {
        Scratch::make(self.lease()?)
    }

    /// Where a file that will have this digest is put together while it comes from elsewhere: it outlives the process, so
    /// that the next one goes on from there.
    pub fn partial(&self, digest: Digest) -> Result<PathBuf, StoreError> {
        let folder = self.places.folder("partial");
        fs::create_dir_all(&folder).map_err(at("make", &folder))?;
        Ok(folder.join(digest.to_string()))
    }

    /// Copies a file or directory of somebody else's into the store. Its symbolic links must stay inside.
    pub fn import(&self, path: &Path, bounds: Bounds) -> Result<Node, StoreError> {
        self.place(self.take_in(path, Taking::Copy, bounds)?)
    }

    /// Moves a file or directory from a [`Scratch`] into the store. Nobody may have it open for writing; what is left at
    /// `path` is of no use.
    pub fn move_in(&self, path: &Path, bounds: Bounds) -> Result<Node, StoreError> {
        self.place(self.stage(path, bounds)?)
    }

    /// As [`Store::move_in`], without a place yet. What is left at `path` is the content, until it is placed.
    pub fn stage(&self, path: &Path, bounds: Bounds) -> Result<Staged, StoreError> {
        self.take_in(path, Taking::Move, bounds)
    }

    /// Gives staged content its place, durably.
    pub fn place(&self, staged: Staged) -> Result<Node, StoreError> {
        staged.batch.commit(self.root(), &self.syncer)?;
        Ok(staged.node)
    }

    fn take_in(&self, path: &Path, taking: Taking, bounds: Bounds) -> Result<Staged, StoreError> {
        // A sparse file costs its writer nothing, and whoever hashes it an hour.
        let bounds = Bounds {
            bytes: bounds.bytes.min(medium::capacity(self.root())),
            ..bounds
        };
        let (node, batch) = import::import(path, taking, bounds, &self.places, self.lease()?)?;
        Ok(Staged { node, batch })
    }

    fn place_bytes(&self, bytes: &[u8], place: PathBuf) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        batch.add_bytes(self.lease()?, bytes, place)?;
        batch.commit(self.root(), &self.syncer)
    }

    /// Copies files of somebody else's that were found, in the shape of which they are parts. Gives the node of each, too.
    fn import_found(&self, shape: Shape, files: &[Found]) -> Result<(Node, Vec<Node>), StoreError> {
        let found = import::import_found(shape, files, Taking::Copy, &self.places, self.lease()?)?;
        match found {
            (Entry::Node(node), batch, nodes) => {
                batch.commit(&self.places.root, &self.syncer)?;
                Ok((node, nodes))
            }
            (Entry::Symlink { symlink }, ..) => Err(StoreError::Refused {
                path: symlink.into(),
                reason: "is a symbolic link: a file or a directory belongs there".to_owned(),
            }),
        }
    }

    /// Puts trees whose files need not be here: what lies in a directory is known then.
    fn add_trees(&self, trees: &[Vec<u8>]) -> Result<(), StoreError> {
        let digests = trees.iter().map(|bytes| Content::Tree(Tree::digest_of(bytes)));
        self.lease()?.pin(digests)?;
        let mut batch = batch::Batch::default();
        for bytes in trees {
            batch.add_bytes(self.lease()?, bytes, self.places.tree(Tree::digest_of(bytes)))?;
        }
        batch.commit(&self.places.root, &self.syncer)
    }

    /// Puts bytes as a file.
    pub fn add_bytes(&self, bytes: &[u8]) -> Result<Node, StoreError> {
        let digest = Digest::of_blob(bytes);
        let place = self.places.object(digest, false);
        let executable = false;
        self.lease()?.pin([Content::File { digest, executable }])?;
        self.place_bytes(bytes, place)?;
        Ok(Node::File {
            executable: false,
            size: bytes.len() as u64,
            digest,
        })
    }

    /// Puts a tree whose entries are here already.
    pub fn add_tree(&self, tree: &Tree) -> Result<Node, StoreError> {
        let bytes = tree.encode()?;
        let digest = Tree::digest_of(&bytes);
        self.lease()?.pin([Content::Tree(digest)])?;
        self.place_bytes(&bytes, self.places.tree(digest))?;
        Ok(Node::Dir { tree: digest })
    }

    /// A place at which the node's content lies, read-only, to be bound or read.
    pub fn materialise(&self, node: &Node) -> Result<PathBuf, StoreError> {
        match *node {
            Node::File {
                executable,
                size,
                digest,
            } => view::object(&self.places, digest, executable, size),
            Node::Dir { tree } => view::tree(&self.places, || Ok(self.lease()?.fresh()), tree),
        }
    }

    /// Whether all bytes of the node are here; their contents are not looked at.
    pub fn holds(&self, node: &Node) -> bool {
        read::holds(&self.places, node)
    }

    /// Reads all bytes of the node and tells what is damaged or missing.
    pub fn verify(&self, node: &Node) -> Vec<StoreError> {
        read::verify(&self.places, node)
    }

    /// Puts what [`Store::verify`] found damaged aside, so that what is built or fetched next takes its place.
    pub fn put_aside(&self, damaged: &[StoreError]) -> Result<(), StoreError> {
        damaged.iter().try_for_each(|error| match error {
            StoreError::Damaged { path, .. } => aside::put_aside(&self.places, self.lease()?, path),
            _ => Ok(()),
        })
    }

    /// The bytes of a file, held against its digest.
    pub fn read(&self, node: &Node) -> Result<Vec<u8>, StoreError> {
        match *node {
            Node::File {
                executable, digest, ..
            } => read::file(&self.places, digest, executable),
            Node::Dir { tree } => Err(StoreError::Refused {
                path: self.places.tree(tree),
                reason: "is a directory: a file belongs there".to_owned(),
            }),
        }
    }

    /// A file's JSON.
    pub fn read_json<T: DeserializeOwned>(&self, node: &Node) -> Result<T, StoreError> {
        let bytes = self.read(node)?;
        serde_json::from_slice(&bytes).map_err(|error| StoreError::Refused {
            path: self.materialise(node).unwrap_or_default(),
            reason: format!("is not the JSON that it should be: {error}"),
        })
    }

    /// A directory's entries.
    pub fn tree(&self, digest: Digest) -> Result<Tree, StoreError> {
        read::tree(&self.places, digest)
    }

    /// The node at `path` (names with `/` between them) inside a node; the node itself at the empty path.
    pub fn entry(&self, node: &Node, path: &str) -> Result<Node, StoreError> {
        path.split('/')
            .filter(|name| !name.is_empty())
            .try_fold(*node, |node, name| {
                let missing = |digest| StoreError::NoEntry {
                    node: digest,
                    path: path.to_owned(),
                };
                let tree = match node {
                    Node::Dir { tree } => tree,
                    Node::File { digest, .. } => return Err(missing(digest)),
                };
                match self.tree(tree)?.entries.get(name) {
                    Some(Entry::Node(node)) => Ok(*node),
                    Some(Entry::Symlink { .. }) | None => Err(missing(tree)),
                }
            })
    }

    /// The lock under which a resolved key is built, waited for. After taking it, look the key up again.
    pub fn lock(&self, resolved_key: Digest) -> Result<Lock, StoreError> {
        let path = self.places.lock(resolved_key);
        Lock::acquire(&path).map_err(at("lock", &path))
    }

    /// That lock, unless somebody holds it.
    pub fn try_lock(&self, resolved_key: Digest) -> Result<Option<Lock>, StoreError> {
        let path = self.places.lock(resolved_key);
        Lock::try_acquire(&path).map_err(at("lock", &path))
    }
}

impl Snapshot for Store {
    type Error = StoreError;

    fn trace(&self, static_key: Digest) -> Result<Option<Trace>, StoreError> {
        self.trace(static_key)
    }

    fn realisation(&self, resolved_key: Digest) -> Result<Option<Realisation>, StoreError> {
        self.realisation(resolved_key)
    }

    fn derivation(&self, static_key: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.derivation(static_key)
    }

    fn removed(&self, key: Digest) -> Result<Option<u64>, StoreError> {
        Ok(self.removal(key)?.map(|removal| removal.at))
    }

    fn holds(&self, node: &Node) -> bool {
        self.holds(node)
    }

    fn json(&self, node: &Node) -> Result<serde_json::Value, String> {
        self.read_json(node).map_err(|error| error.to_string())
    }
}

/// Makes an empty store. Many processes may do so at once: all of them make the same.
fn make(root: &Path, version: &Path) -> Result<(), StoreError> {
    let strange = fs::read_dir(root).is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                !Places::FOLDERS.contains(&name.as_ref())
                    && !name.starts_with(".version.")
                    && name != "version"
            })
        })
    });
    if strange {
        return Err(StoreError::NotAStore(root.to_owned()));
    }
    for folder in Places::FOLDERS {
        let folder = root.join(folder);
        atomic::make_folder(&folder).map_err(at("make", &folder))?;
    }
    atomic::sync(root).map_err(at("write", root))?;
    // Last: a store that has it is whole.
    atomic::write(version, VERSION.as_bytes()).map_err(at("write", version))
}

#[cfg(test)]
mod tests;
