//! Reading content, each byte held against its digest.

use super::error::{StoreError, at};
use super::import::hash;
use super::place::Places;
use crate::base::digest::Digest;
use crate::model::node::{Entry, Node, Tree};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
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

/// Reads all bytes of `node` and tells what is damaged or missing.
pub(super) fn verify(places: &Places, node: &Node) -> Vec<StoreError> {
    let mut seen = BTreeSet::new();
    let mut pending = vec![*node];
    let mut found = Vec::new();
    while let Some(node) = pending.pop() {
        if !seen.insert(node) {
            continue;
        }
        let result = match node {
            Node::File {
                executable,
                size,
                digest,
            } => verify_file(places, digest, executable, size),
            Node::Dir { tree: digest } => tree(places, digest).map(|tree| pending.extend(nodes(&tree))),
        };
        found.extend(result.err());
    }
    found
}

fn verify_file(places: &Places, digest: Digest, executable: bool, size: u64) -> Result<(), StoreError> {
    let place = super::view::object(places, digest, executable, size)?;
    if hash(&place)? == (size, digest) {
        Ok(())
    } else {
        Err(damaged(place))
    }
}

fn nodes(tree: &Tree) -> impl Iterator<Item = Node> + '_ {
    tree.entries.values().filter_map(|entry| match entry {
        Entry::Node(node) => Some(*node),
        Entry::Symlink { .. } => None,
    })
}
