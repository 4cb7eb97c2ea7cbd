//! What a pipeline reads of its project, and what was found there.

use super::node::Node;
use std::collections::BTreeMap;

/// Something of the project that a pipeline names; paths are relative to its root, with `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceRequest {
    /// A file or directory. It counts whether ignore files name it or not.
    Path(String),
    /// The files that a glob matches, less those that ignore files name.
    Glob(String),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SourceContent {
    /// The content at a path.
    Node(Node),
    /// The files that a glob matched, by path; at least one.
    Files(BTreeMap<String, Node>),
}

/// Why a source cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceProblem {
    /// Nothing is there.
    Missing {
        /// Paths that look like it, best first.
        near: Vec<String>,
    },
    /// It lies in a pinned directory that is not here, and nobody here knows what lies there.
    Unlisted {
        /// The directory.
        pin: String,
    },
    /// The path leaves the project.
    Outside,
    /// The glob matches no file.
    NoMatch,
    /// The glob cannot be read.
    InvalidGlob(String),
    /// It, or something below it, cannot be content.
    Unfit {
        /// The file.
        path: String,
        /// "is a socket".
        reason: String,
    },
    /// It cannot be read.
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

/// What requests came to.
pub type SourceTable = BTreeMap<SourceRequest, Result<SourceContent, SourceProblem>>;
