//! What content is, by digest.

use crate::base::digest::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A file or directory by its content. Typed, so that a file cannot pose as a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Node {
    /// A regular file.
    File {
        /// Whether anyone may execute it.
        executable: bool,
        /// Bytes.
        size: u64,
        /// The digest of its bytes.
        digest: Digest,
    },
    /// A directory.
    Dir {
        /// The digest of its [`Tree`].
        tree: Digest,
    },
}

/// A directory's entries, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// Names are single path components of UTF-8: not empty, not `.` or `..`, without `/` or NUL.
    pub entries: BTreeMap<String, Entry>,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// A file or directory.
    Node(Node),
    /// A symbolic link that stays inside the tree that is its root.
    Symlink {
        /// Relative, and not escaping.
        symlink: String,
    },
}
