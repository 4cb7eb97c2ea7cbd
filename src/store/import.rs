//! From files on a disk to content: what may be stored, and how it gets its digest and an inode of its own.

use super::batch::{Batch, seal};
use super::error::{StoreError, at};
use super::folder::Folder;
use super::lease::Lease;
use super::place::{Content, Places, stays_inside};
use super::read::verify;
use crate::base::atomic;
use crate::base::digest::{Digest, Hasher};
use crate::model::node::{Entry, Node, Tree};
use rayon::prelude::*;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What one import may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Files, folders and links.
    pub entries: u64,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Folders inside folders.
    pub depth: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            entries: 2_000_000,
            bytes: 1 << 44,
            depth: 128,
        }
    }
}

const TOO_LARGE: &str =
    "is too large: by its length, and that of what was read before it, the disk of the store cannot hold it";

/// Whose the files are that an import reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taking {
    /// Somebody's, and they may change meanwhile: copied, and what was copied is hashed.
    Copy,
    /// Ours, and nobody has them open: moved.
    Move,
}

/// A regular file that was looked at.
pub(super) struct Found {
    path: PathBuf,
    executable: bool,
    size: u64,
    links: u64,
}

impl Found {
    /// The file at `path`, of which the file system says this.
    pub(super) fn of(path: &Path, metadata: &fs::Metadata) -> Self {
        Self {
            path: path.to_owned(),
            executable: metadata.permissions().mode() & 0o111 != 0,
            size: metadata.len(),
            links: metadata.nlink(),
        }
    }
}

/// What lies at a place; files by their index among those found.
pub(super) enum Shape {
    File(usize),
    Dir(Vec<(String, Shape)>),
    Symlink(String),
    /// What is in the store already.
    Stored(Node),
}

impl From<Folder<Shape>> for Shape {
    fn from(folder: Folder<Self>) -> Self {
        let folders = folder.folders.into_iter();
        let folders = folders.map(|(name, folder)| (name, Self::from(folder)));
        Self::Dir(folder.entries.into_iter().chain(folders).collect())
    }
}

/// A file's content, on the store's file system and sealed.
struct Staged {
    node: Node,
    at: PathBuf,
}

/// Stages what lies at `path`. The node is in the store once the batch is committed.
pub(super) fn import(
    path: &Path,
    taking: Taking,
    bounds: Bounds,
    places: &Places,
    lease: &Lease,
) -> Result<(Node, Batch), StoreError> {
    let mut look = Look {
        taking,
        left: bounds,
        inside: Vec::new(),
        files: Vec::new(),
    };
    let shape = look.at(path)?;
    match import_found(shape, &look.files, taking, places, lease)? {
        (Entry::Node(node), batch, _) => Ok((node, batch)),
        (Entry::Symlink { .. }, ..) => Err(refused(
            path,
            "is a symbolic link: a file or a directory belongs there",
        )),
    }
}

/// Stages files that were found, in the shape of which they are parts. Gives the node of each of them, too.
pub(super) fn import_found(
    shape: Shape,
    files: &[Found],
    taking: Taking,
    places: &Places,
    lease: &Lease,
) -> Result<(Entry, Batch, Vec<Node>), StoreError> {
    let staged = files
        .par_iter()
        .map(|found| stage(found, taking, lease))
        .collect::<Result<Vec<_>, _>>()?;
    let nodes = staged.iter().map(|staged| staged.node).collect();
    let mut trees = Vec::new();
    let entry = assemble(shape, &staged, &mut trees)?;
    // Before anything is looked for or put: one by one, for a tree that is not here yet holds nothing.
    let files = staged.iter().map(|staged| Content::of(&staged.node));
    lease.pin(files.chain(trees.iter().map(|(digest, _)| Content::Tree(*digest))))?;
    let mut batch = Batch::default();
    for (digest, bytes) in &trees {
        batch.add_bytes(lease, bytes, places.tree(*digest))?;
    }
    // Read, for what lies there may have been damaged since it was put.
    let are_there: Vec<bool> = staged
        .par_iter()
        .map(|staged| verify(places, &staged.node).is_empty())
        .collect();
    for (Staged { node, at }, are_there) in staged.into_iter().zip(are_there) {
        if let Node::File {
            executable, digest, ..
        } = node
        {
            batch.add(at, places.object(digest, executable), are_there);
        }
    }
    Ok((entry, batch, nodes))
}

fn refused(path: &Path, reason: &str) -> StoreError {
    StoreError::Refused {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

/// The walk that finds what is to be imported.
struct Look {
    taking: Taking,
    left: Bounds,
    /// Names from the root of the import to where the walk is.
    inside: Vec<String>,
    files: Vec<Found>,
}

impl Look {
    fn at(&mut self, path: &Path) -> Result<Shape, StoreError> {
        self.left.entries = (self.left.entries.checked_sub(1))
            .ok_or_else(|| refused(path, "is one entry too many: more than can be stored at once"))?;
        let metadata = fs::symlink_metadata(path).map_err(at("read", path))?;
        let kind = metadata.file_type();
        if kind.is_symlink() {
            return self.link(path);
        }
        if kind.is_dir() {
            return self.folder(path);
        }
        if !kind.is_file() {
            return Err(refused(path, "is a device, a pipe or a socket"));
        }
        self.left.bytes =
            (self.left.bytes.checked_sub(metadata.len())).ok_or_else(|| refused(path, TOO_LARGE))?;
        self.files.push(Found::of(path, &metadata));
        Ok(Shape::File(self.files.len() - 1))
    }

    fn link(&self, path: &Path) -> Result<Shape, StoreError> {
        let target = fs::read_link(path).map_err(at("read", path))?;
        let Some(target) = target.to_str() else {
            return Err(refused(path, "links to a name that is not UTF-8"));
        };
        // A link that is the whole import has nothing to stay inside of; the caller refuses it by its kind.
        if self.inside.is_empty() || stays_inside(&self.inside, target) {
            return Ok(Shape::Symlink(target.to_owned()));
        }
        Err(refused(
            path,
            &format!("is a symbolic link that leaves its directory, to `{target}`"),
        ))
    }

    fn folder(&mut self, path: &Path) -> Result<Shape, StoreError> {
        if self.inside.len() >= self.left.depth {
            return Err(refused(path, "is nested too deeply"));
        }
        if self.taking == Taking::Move {
            // A builder may have closed its own folders.
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(at("open", path))?;
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).map_err(at("read", path))? {
            let entry = entry.map_err(at("read", path))?;
            let name = entry.file_name().into_string();
            let name = name.map_err(|_| refused(&entry.path(), "has a name that is not UTF-8"))?;
            self.inside.push(name);
            let shape = self.at(&entry.path())?;
            entries.push((self.inside.pop().unwrap_or_default(), shape));
        }
        Ok(Shape::Dir(entries))
    }
}

/// The entry of a shape; adds the canonical bytes of its trees.
fn assemble(shape: Shape, files: &[Staged], trees: &mut Vec<(Digest, Vec<u8>)>) -> Result<Entry, StoreError> {
    Ok(match shape {
        Shape::File(index) => Entry::Node(files[index].node),
        Shape::Symlink(symlink) => Entry::Symlink { symlink },
        Shape::Stored(node) => Entry::Node(node),
        Shape::Dir(entries) => {
            let entries = entries
                .into_iter()
                .map(|(name, shape)| Ok((name, assemble(shape, files, trees)?)))
                .collect::<Result<_, StoreError>>()?;
            let bytes = Tree { entries }.encode()?;
            let tree = Tree::digest_of(&bytes);
            trees.push((tree, bytes));
            Entry::Node(Node::Dir { tree })
        }
    })
}

/// Gives a file its own inode on the store's file system, its digest and its final mode.
fn stage(found: &Found, taking: Taking, lease: &Lease) -> Result<Staged, StoreError> {
    // A second name of the inode would let its bytes be changed behind the store's back.
    let copied = taking == Taking::Copy || found.links > 1;
    let (at, (size, digest)) = if copied {
        let copy = lease.fresh();
        let content = copy_hashing(&found.path, &copy)?;
        (copy, content)
    } else {
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&found.path, mode).map_err(at("change the mode of", &found.path))?;
        (found.path.clone(), hash(&found.path)?)
    };
    seal(&at, found.executable)?;
    let node = Node::File {
        executable: found.executable,
        size,
        digest,
    };
    debug_assert!(
        copied || size == found.size,
        "a file of ours changed while it was read"
    );
    Ok(Staged { node, at })
}

/// The size and digest of the file at `path`, which is not followed if it is a link.
pub(super) fn hash(path: &Path) -> Result<(u64, Digest), StoreError> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(NO_FOLLOW)
        .open(path)
        .map_err(at("read", path))?;
    read_hashing(path, file, |_| Ok(()))
}

fn copy_hashing(from: &Path, to: &Path) -> Result<(u64, Digest), StoreError> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(NO_FOLLOW)
        .open(from)
        .map_err(at("read", from))?;
    let mut copy = atomic::create_empty(to).map_err(at("write", to))?;
    read_hashing(from, file, |chunk| copy.write_all(chunk).map_err(at("write", to)))
}

/// A link that took the place of a file meanwhile is an error; so a pipe cannot make us wait.
const NO_FOLLOW: i32 = (rustix::fs::OFlags::NOFOLLOW.bits() | rustix::fs::OFlags::NONBLOCK.bits()) as i32;

/// Reads `file` to its end, hashing. Never maps it: a file that is cut short while it is mapped kills the process.
fn read_hashing(
    path: &Path,
    mut file: File,
    mut each: impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<(u64, Digest), StoreError> {
    let length = file.metadata().map_err(at("read", path))?.len();
    let mut hasher = Hasher::new();
    let mut chunk = vec![0; usize::try_from(length).unwrap_or(CHUNK).clamp(1, CHUNK)];
    let mut size = 0;
    loop {
        let read = match file.read(&mut chunk) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            other => other.map_err(at("read", path))?,
        };
        if read == 0 {
            return Ok((size, hasher.finish()));
        }
        hasher.update(&chunk[..read]);
        each(&chunk[..read])?;
        size += read as u64;
    }
}

/// Bytes read at a time: enough for several cores to hash at once.
const CHUNK: usize = 4 << 20;
