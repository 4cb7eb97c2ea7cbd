//! Where things lie below a store's root. `docs/design/store.md` draws it.

use crate::base::digest::Digest;
use crate::model::node::Node;
use std::path::{Path, PathBuf};

/// The folders of a store.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) root: PathBuf,
}

/// What has bytes of its own in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Content {
    File { digest: Digest, executable: bool },
    Tree(Digest),
}

impl Content {
    pub(super) fn of(node: &Node) -> Self {
        match *node {
            Node::File {
                digest, executable, ..
            } => Self::File { digest, executable },
            Node::Dir { tree } => Self::Tree(tree),
        }
    }
}

/// The kinds of record, by folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordKind {
    Realisation,
    Trace,
    Chain,
    Derivation,
    Removal,
}

impl RecordKind {
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Realisation => "r",
            Self::Trace => "s",
            Self::Chain => "c",
            Self::Derivation => "drv",
            Self::Removal => "removed",
        }
    }
}

impl Places {
    /// Folders that a store has from the start.
    pub(super) const FOLDERS: [&str; 16] = [
        "objects", "trees", "views", "r", "s", "c", "drv", "attest", "removed", "roots", "failed", "partial",
        "tmp", "locks", "trash", "damaged",
    ];

    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A file's bytes. Those that may be executed stand apart, for a mode belongs to the inode.
    pub(super) fn object(&self, digest: Digest, executable: bool) -> PathBuf {
        let mut place = self.fan_out("objects", digest);
        if executable {
            place.as_mut_os_string().push("-x");
        }
        place
    }

    /// A tree's canonical bytes.
    pub(super) fn tree(&self, digest: Digest) -> PathBuf {
        self.fan_out("trees", digest)
    }

    /// The bytes of a content.
    pub(super) fn content(&self, content: Content) -> PathBuf {
        match content {
            Content::File { digest, executable } => self.object(digest, executable),
            Content::Tree(digest) => self.tree(digest),
        }
    }

    /// Where the collector of garbage puts what lies at `place` before it removes it.
    pub(super) fn trash(&self, place: &Path) -> PathBuf {
        let inside = place.strip_prefix(&self.root).unwrap_or(place);
        self.root.join("trash").join(inside)
    }

    /// A tree as folders of hardlinks.
    pub(super) fn view(&self, tree: Digest) -> PathBuf {
        self.fan_out("views", tree)
    }

    pub(super) fn record(&self, kind: RecordKind, key: Digest) -> PathBuf {
        self.fan_out(kind.folder(), key)
    }

    /// The folder of a resolved key's attestations.
    pub(super) fn attestations(&self, resolved_key: Digest) -> PathBuf {
        self.fan_out("attest", resolved_key)
    }

    pub(super) fn lock(&self, key: Digest) -> PathBuf {
        self.root.join("locks").join(key.to_string())
    }

    fn fan_out(&self, folder: &str, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        let (first, rest) = name.split_at(2);
        let mut place = PathBuf::with_capacity(self.root.as_os_str().len() + folder.len() + 72);
        place.push(&self.root);
        place.push(folder);
        place.push(first);
        place.push(rest);
        place
    }
}

/// The path `name` in the folder `base`; an empty one is the root.
pub(super) fn joined(base: &str, name: &str) -> String {
    if base.is_empty() {
        name.to_owned()
    } else {
        format!("{base}/{name}")
    }
}

/// Whether the target of a link at `inside` (names from the root, the link's own last) stays below the root, whatever other
/// links are there: so it may go up only before it goes down. `a/../b` looks harmless, and leaves where `a` leads to `.`.
pub(super) fn stays_inside(inside: &[String], target: &str) -> bool {
    if target.is_empty() || target.contains('\0') || Path::new(target).is_absolute() {
        return false;
    }
    let depth = inside.len().saturating_sub(1);
    let mut parts = target.split('/').filter(|part| !matches!(*part, "" | "."));
    let up = parts.by_ref().take_while(|part| *part == "..").count();
    up <= depth && parts.all(|part| part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_leave_are_found() {
        let inside = |names: &[&str], target| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            stays_inside(&names, target)
        };
        assert!(inside(&["a", "link"], "../b"));
        assert!(inside(&["link"], "./a//b/"));
        assert!(inside(&["a", "b", "link"], ".././../c"));
        assert!(!inside(&["link"], "a/../b"), "`a` may be a link");
        assert!(!inside(&["link"], "../b"));
        assert!(!inside(&["a", "link"], "../../b"));
        assert!(!inside(&["a", "link"], "b/../../../c/d/e"));
        assert!(!inside(&["link"], "/etc/passwd"));
        assert!(!inside(&["link"], ""));
    }
}
