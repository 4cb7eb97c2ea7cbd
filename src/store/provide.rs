//! Sources for a build: snapshotted into the store, bound where they are, or, where only their pin is here, from the store.
//! Talks to the file system and the store.

use super::Store;
use super::error::{StoreError, at};
use super::folder::Folder;
use super::import::{Bounds, Found, Shape};
use super::place::joined;
use super::sources::{Gathered, Sources};
use super::stat_cache::{Stat, now_ns};
use crate::base::digest::Digest;
use crate::model::node::Node;
use rayon::prelude::*;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Sources of at most so many bytes are snapshotted, larger ones are bound where they are.
pub(super) const SNAPSHOT: u64 = 16 << 20;

/// Where a source lies for a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provided {
    /// The place to bind, read-only.
    pub place: PathBuf,
    /// Whether it is the project's own: then [`Sources::recheck`] must say after the build that it did not change.
    pub in_place: bool,
}

/// A source could not be provided.
#[derive(Debug, thiserror::Error)]
pub enum ProvideError {
    /// It is no longer what it was when it was digested.
    #[error("`{path}` changed while it was read")]
    Changed {
        /// From the project's root.
        path: String,
    },
    /// It is pinned, and its bytes are neither in the project nor in the store.
    #[error(
        "`{path}` is not here: mlp.lock says what it is, and its bytes are neither in the project nor in the store"
    )]
    Absent {
        /// From the project's root.
        path: String,
    },
    /// The store could not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sources {
    /// A place where the source at `path` can be bound, with the content of `node`.
    pub fn provide(&self, store: &Store, path: &str, node: &Node) -> Result<Provided, ProvideError> {
        let stored = |store: &Store| -> Result<Provided, ProvideError> {
            let place = store.materialise(node)?;
            Ok(Provided {
                place,
                in_place: false,
            })
        };
        if store.holds(node) {
            return stored(store);
        }
        if let Some(path) = self.absent(store, path, node).into_iter().next() {
            return Err(ProvideError::Absent { path });
        }
        let changed = || ProvideError::Changed {
            path: path.to_owned(),
        };
        let real = self.root.join(path);
        let gathered = match node {
            Node::File { .. } => None,
            Node::Dir { .. } => Some(self.gather(path)?),
        };
        let (bytes, whole) = match (node, &gathered) {
            (Node::File { size, .. }, _) => (*size, true),
            (_, Some(gathered)) => measure(&real, gathered)?,
            (_, None) => (0, false),
        };
        if bytes > SNAPSHOT && whole {
            let place = real.canonicalize().map_err(|_| changed())?;
            return Ok(Provided {
                place,
                in_place: true,
            });
        }
        let taken = match gathered {
            None => real
                .canonicalize()
                .map_err(at("read", &real))
                .and_then(|real| store.import(&real, Bounds::default())),
            Some(gathered) => self.import(store, path, &gathered),
        };
        match taken {
            Ok(taken) if taken == *node => stored(store),
            Ok(_) => Err(changed()),
            Err(StoreError::Io { cause, .. }) if cause.kind() == ErrorKind::NotFound => Err(changed()),
            Err(error) => Err(error.into()),
        }
    }

    /// After a build: whether the source at `path` is still `node`. Times decide where they can.
    pub fn recheck(&self, path: &str, node: &Node) -> Result<(), ProvideError> {
        match self.path(path) {
            Ok(now) if now == *node => Ok(()),
            _ => Err(ProvideError::Changed {
                path: path.to_owned(),
            }),
        }
    }

    /// Pins of the source at `path` whose bytes a build of `node` needs, and that are neither in the project nor in the
    /// store.
    pub fn absent(&self, store: &Store, path: &str, node: &Node) -> Vec<String> {
        if self.pinned.pins().is_empty() || store.holds(node) {
            return Vec::new();
        }
        if let Some((pin, _)) = self.pinned.over(path) {
            let here = self.root.join(path).exists() && !self.is_empty(path);
            return if here { Vec::new() } else { vec![pin.to_owned()] };
        }
        let below = self.pinned.below(path).filter(|(pin, _)| self.is_empty(pin));
        let lost = below.filter(|(_, node)| !store.holds(node));
        lost.map(|(pin, _)| pin.to_owned()).collect()
    }

    /// Copies a directory of the project into the store. What is there already by a digest that is remembered is not read.
    pub(super) fn import(&self, store: &Store, path: &str, gathered: &Gathered) -> Result<Node, StoreError> {
        let real = self.root.join(path);
        let looked: Vec<Looked> = gathered
            .files
            .par_iter()
            .map(|file| Looked::at(&real.join(file)))
            .collect::<Result<_, _>>()?;
        let mut folder = Folder::default();
        let mut files = Vec::new();
        let mut noted = Vec::new();
        let known: Vec<Option<Node>> = gathered
            .files
            .iter()
            .zip(&looked)
            .map(|(file, looked)| {
                let digest = self.remembered(&joined(path, file), looked.stat);
                digest.map(|digest| looked.node(digest))
            })
            .collect();
        store.pin(known.iter().flatten())?;
        for ((file, looked), known) in gathered.files.iter().zip(looked).zip(known) {
            let own = joined(path, file);
            if let Some(node) = known.filter(|node| store.holds(node)) {
                folder.insert(file, Shape::Stored(node));
                continue;
            }
            folder.insert(file, Shape::File(files.len()));
            noted.push((own, looked.stat, looked.seen_ns));
            files.push(looked.found);
        }
        for (link, target) in &gathered.links {
            folder.insert(link, Shape::Symlink(target.clone()));
        }
        for (pin, node) in &gathered.absent {
            folder.insert(pin, Shape::Stored(*node));
        }
        let (node, nodes) = store.import_found(folder.into(), &files)?;
        for ((path, stat, seen_ns), node) in noted.iter().zip(nodes) {
            if let Node::File { digest, .. } = node {
                self.note(path, *stat, *seen_ns, digest);
            }
        }
        Ok(node)
    }
}

/// A file that is about to be copied.
pub(super) struct Looked {
    found: Found,
    pub(super) stat: Stat,
    size: u64,
    executable: bool,
    pub(super) seen_ns: i64,
}

impl Looked {
    /// The file at `path`, looked at now.
    pub(super) fn at(path: &Path) -> Result<Self, StoreError> {
        let seen_ns = now_ns();
        let metadata = fs::symlink_metadata(path).map_err(at("read", path))?;
        Ok(Self {
            found: Found::of(path, &metadata),
            stat: Stat::of(&metadata),
            size: metadata.len(),
            executable: metadata.permissions().mode() & 0o111 != 0,
            seen_ns,
        })
    }

    /// Its node, if its digest is this.
    pub(super) fn node(&self, digest: Digest) -> Node {
        Node::File {
            executable: self.executable,
            size: self.size,
            digest,
        }
    }
}

/// The bytes of a directory's files, and whether all of them are here and nothing else.
fn measure(real: &Path, gathered: &Gathered) -> Result<(u64, bool), StoreError> {
    let sizes = gathered.files.par_iter().map(|file| {
        let file = real.join(file);
        fs::metadata(&file)
            .map(|metadata| metadata.len())
            .map_err(at("read", &file))
    });
    let bytes = sizes.try_reduce(|| 0, |sum, size| Ok(sum + size))?;
    Ok((bytes, !gathered.partial && gathered.absent.is_empty()))
}
