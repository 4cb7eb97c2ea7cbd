//! Reading content, each byte held against its digest.

use super::error::{StoreError, at};
use super::import::hash;
use super::place::{Content, Places};
use crate::base::digest::Digest;
use crate::model::node::{Entry, Node, Tree};
use rayon::prelude::*;
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The bytes of a file.
pub(super) fn file(places: &Places, digest: Digest, executable: bool) -> Result<Vec<u8>, StoreError> {
    let place = places.object(digest, executable);
    let bytes = bytes(&place, digest)?;
    if Digest::of_blob(&bytes) == digest {
        Ok(bytes)
    } else {
        Err(damaged(place))
    }
}

/// A tree.
pub(super) fn tree(places: &Places, digest: Digest) -> Result<Tree, StoreError> {
    let place = places.tree(digest);
    let bytes = bytes(&place, digest)?;
    if Tree::digest_of(&bytes) != digest {
        return Err(damaged(place));
    }
    Tree::decode(&bytes).map_err(|error| StoreError::Damaged {
        path: place,
        what: error.to_string(),
    })
}

fn bytes(place: &Path, digest: Digest) -> Result<Vec<u8>, StoreError> {
    match fs::read(place) {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(StoreError::Missing(digest)),
        other => other.map_err(at("read", place)),
    }
}

fn damaged(path: PathBuf) -> StoreError {
    StoreError::Damaged {
        path,
        what: "its bytes are not those of its name".to_owned(),
    }
}

/// Whether all bytes of `node` are here. Sizes are compared, contents are not: see [`verify`].
pub(super) fn holds(places: &Places, node: &Node) -> bool {
    let mut seen = BTreeSet::new();
    let mut pending = vec![*node];
    while let Some(node) = pending.pop() {
        if !seen.insert(node) {
            continue;
        }
        match node {
            Node::File {
                executable,
                size,
                digest,
            } => {
                let there = fs::symlink_metadata(places.object(digest, executable));
                if !there.is_ok_and(|there| there.is_file() && there.len() == size) {
                    return false;
                }
            }
            Node::Dir { tree: digest } => match tree(places, digest) {
                Ok(tree) => pending.extend(nodes(&tree)),
                Err(_) => return false,
            },
        }
    }
    true
}

/// Reads all bytes of `node`, and of its view if it has one, and tells what is damaged or missing.
pub(super) fn verify(places: &Places, node: &Node) -> Vec<StoreError> {
    let mut seen = BTreeSet::new();
    let mut pending = vec![*node];
    let mut found = Vec::new();
    let mut files = Vec::new();
    while let Some(node) = pending.pop() {
        if !seen.insert(node) {
            continue;
        }
        let result = match node {
            Node::File {
                executable,
                size,
                digest,
            } => {
                files.push((digest, executable, size));
                Ok(())
            }
            Node::Dir { tree: digest } => tree(places, digest).map(|tree| pending.extend(nodes(&tree))),
        };
        found.extend(result.err());
    }
    found.par_extend(
        files
            .into_par_iter()
            .filter_map(|(digest, executable, size)| verify_file(places, digest, executable, size).err()),
    );
    if let (Node::Dir { tree }, true) = (node, found.is_empty()) {
        found.extend(verify_view(places, *tree).err());
    }
    found
}

/// Whether a content's bytes are those of its name.
pub(super) fn verify_content(places: &Places, content: Content) -> Result<(), StoreError> {
    match content {
        Content::Tree(digest) => tree(places, digest).map(drop),
        Content::File { digest, executable } => {
            let place = places.object(digest, executable);
            let size = match fs::symlink_metadata(&place) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Err(StoreError::Missing(digest)),
                other => other.map_err(at("read", &place))?.len(),
            };
            verify_file(places, digest, executable, size)
        }
    }
}

/// A view that does not show the tree is damaged, whatever became of it.
pub(super) fn verify_view(places: &Places, digest: Digest) -> Result<(), StoreError> {
    let view = places.view(digest);
    if !view.exists() || shows(places, &view, digest)? {
        return Ok(());
    }
    Err(StoreError::Damaged {
        path: view,
        what: "it does not show the directory that it is named by".to_owned(),
    })
}

/// Whether `folder` holds exactly the entries of the tree: objects by their inode, copies by their bytes.
fn shows(places: &Places, folder: &Path, digest: Digest) -> Result<bool, StoreError> {
    let entries = tree(places, digest)?.entries;
    let Ok(names) = fs::read_dir(folder) else {
        return Ok(false);
    };
    if names.count() != entries.len() {
        return Ok(false);
    }
    for (name, entry) in entries {
        let path = folder.join(name);
        let same = match entry {
            Entry::Symlink { symlink } => fs::read_link(&path).is_ok_and(|link| link == Path::new(&symlink)),
            Entry::Node(Node::Dir { tree }) => shows(places, &path, tree)?,
            Entry::Node(Node::File {
                executable,
                size,
                digest,
            }) => is_object(&path, &places.object(digest, executable)) || holds_bytes(&path, size, digest),
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_object(path: &Path, object: &Path) -> bool {
    let inode = |path| fs::symlink_metadata(path).map(|there| (there.dev(), there.ino()));
    matches!((inode(path), inode(object)), (Ok(one), Ok(other)) if one == other)
}

fn holds_bytes(path: &Path, size: u64, digest: Digest) -> bool {
    hash(path).is_ok_and(|found| found == (size, digest))
}

fn verify_file(places: &Places, digest: Digest, executable: bool, size: u64) -> Result<(), StoreError> {
    let place = super::view::object(places, digest, executable, size)?;
    match hash(&place) {
        Ok(found) if found == (size, digest) => Ok(()),
        // A disk that cannot read a block says so.
        Err(StoreError::Io { cause, .. }) if cause.raw_os_error() == Some(Errno::IO.raw_os_error()) => {
            Err(damaged(place))
        }
        // Put aside since it was looked at.
        Err(StoreError::Io { cause, .. }) if cause.kind() == ErrorKind::NotFound => {
            Err(StoreError::Missing(digest))
        }
        Ok(_) => Err(damaged(place)),
        Err(error) => Err(error),
    }
}

fn nodes(tree: &Tree) -> impl Iterator<Item = Node> + '_ {
    tree.entries.values().filter_map(|entry| match entry {
        Entry::Node(node) => Some(*node),
        Entry::Symlink { .. } => None,
    })
}
