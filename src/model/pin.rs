//! Data that is too large for git, as `mlp.lock` says that it is.

use super::node::Node;
use std::collections::BTreeMap;

/// The content of a path, written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// What lies there.
    pub node: Node,
    /// Bytes of all its files.
    pub size: u64,
    /// Its files; of a file 1.
    pub files: u64,
}

/// Pins by path from the project's root. No path lies in another.
pub type Pins = BTreeMap<String, Pin>;
