//! What `mlp.lock` pins, as the sources of a project see it: where data is not here, its pin says what it is. Of a pinned
//! directory the store has the trees, so that what lies in it is known too. Talks to the store.

use super::Store;
use super::place::joined;
use crate::model::node::{Entry, Node};
use crate::model::pin::Pins;
use globset::GlobBuilder;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

/// What a project pins.
#[derive(Clone, Debug, Default)]
pub struct Pinned {
    pins: Arc<Pins>,
    /// Paths that are about to be pinned.
    named: BTreeSet<String>,
    /// Who knows what lies in pinned directories.
    store: Option<Arc<Store>>,
}

/// What is pinned at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing is.
    Nothing,
    /// This.
    Node(Node),
    /// It lies in this pinned directory, and nobody here knows what lies there.
    Unlisted(String),
}

impl Pinned {
    /// These pins, with the store that knows what lies in directories.
    pub fn new(pins: Pins, store: Arc<Store>) -> Self {
        Self {
            pins: Arc::new(pins),
            named: BTreeSet::new(),
            store: Some(store),
        }
    }

    /// The same, for whom `paths` are about to be pinned: they count whole, as what is pinned does.
    #[must_use]
    pub fn and_soon(mut self, paths: impl IntoIterator<Item = String>) -> Self {
        self.named.extend(paths);
        self
    }

    /// Whether `path` is pinned, or is about to be.
    pub(super) fn names(&self, path: &str) -> bool {
        self.pins.contains_key(path) || self.named.contains(path)
    }

    /// Whether `path` or a folder that it lies in is pinned, or is about to be.
    pub(super) fn covers(&self, path: &str) -> bool {
        let above = std::iter::successors(Some(path), |path| Some(path.rsplit_once('/')?.0));
        above.into_iter().any(|path| self.names(path))
    }

    /// Whether nothing is pinned.
    pub(super) fn is_nothing(&self) -> bool {
        self.pins.is_empty() && self.named.is_empty()
    }

    /// The pins.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// What is pinned at `path`, itself or as a part of a directory.
    pub(super) fn at(&self, path: &str) -> Known {
        match self.over(path) {
            None => Known::Nothing,
            Some((pin, node)) if pin == path => Known::Node(node),
            Some((pin, node)) => match self.inside(node, &path[pin.len() + 1..]) {
                Some(found) => found.map_or(Known::Nothing, Known::Node),
                None => Known::Unlisted(pin.to_owned()),
            },
        }
    }

    /// The pin of `path` or of a folder that it lies in.
    pub(super) fn over(&self, path: &str) -> Option<(&str, Node)> {
        let mut above = std::iter::successors(Some(path), |path| Some(path.rsplit_once('/')?.0));
        let (pin, found) = above.find_map(|path| self.pins.get_key_value(path))?;
        Some((pin, found.node))
    }

    /// Pins of what lies in the folder `path`, itself not counted.
    pub(super) fn below(&self, path: &str) -> impl Iterator<Item = (&str, Node)> {
        let prefix = joined(path, "");
        let from = (self.pins).range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded));
        from.take_while(move |(pin, _)| pin.starts_with(&prefix))
            .map(|(pin, found)| (pin.as_str(), found.node))
    }

    /// Files in the pinned directory `node` and below, by path from it; none where nobody here knows. A link to a file counts
    /// as that file.
    pub(super) fn files(&self, node: Node) -> Option<BTreeMap<String, Node>> {
        let mut entries = BTreeMap::new();
        self.list(node, "", &mut entries)?;
        let file = |path: &str| match entries.get(path) {
            Some(Entry::Node(node)) => Some(*node),
            _ => None,
        };
        let found = entries.iter().filter_map(|(path, entry)| match entry {
            Entry::Node(node) => Some((path.clone(), *node)),
            Entry::Symlink { symlink } => Some((path.clone(), file(&target(path, symlink))?)),
        });
        Some(found.collect())
    }

    /// Files and links of the pinned directory `node` and below, by path from it.
    pub(super) fn entries(&self, node: Node) -> Option<BTreeMap<String, Entry>> {
        let mut entries = BTreeMap::new();
        self.list(node, "", &mut entries)?;
        Some(entries)
    }

    fn list(&self, node: Node, at: &str, into: &mut BTreeMap<String, Entry>) -> Option<()> {
        let Node::Dir { tree } = node else {
            into.insert(at.to_owned(), Entry::Node(node));
            return Some(());
        };
        for (name, entry) in self.store.as_ref()?.tree(tree).ok()?.entries {
            let path = joined(at, &name);
            match entry {
                Entry::Node(node) => self.list(node, &path, into)?,
                link @ Entry::Symlink { .. } => drop(into.insert(path, link)),
            }
        }
        Some(())
    }

    /// What lies at `path` in the pinned directory `node`: none where nobody here knows.
    fn inside(&self, node: Node, path: &str) -> Option<Option<Node>> {
        let Node::Dir { tree } = node else {
            return Some(None);
        };
        let (name, rest) = path.split_once('/').unwrap_or((path, ""));
        match self.store.as_ref()?.tree(tree).ok()?.entries.get(name) {
            Some(Entry::Node(found)) if rest.is_empty() => Some(Some(*found)),
            Some(Entry::Node(found)) => self.inside(*found, rest),
            Some(Entry::Symlink { .. }) | None => Some(None),
        }
    }
}

/// Where the link at `path` leads, both seen from the folder that is listed.
fn target(path: &str, symlink: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(symlink.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether a glob may match something in the folder `path`.
pub(super) fn may_match_in(glob: &str, path: &str) -> bool {
    let mut patterns = glob.split('/');
    for name in path.split('/') {
        match patterns.next() {
            None => return false,
            Some("**") => return true,
            // One that is cut in two at a `/` in braces is no pattern, and may match anything.
            Some(pattern) => match GlobBuilder::new(pattern).literal_separator(true).build() {
                Ok(pattern) if pattern.compile_matcher().is_match(name) => {}
                Ok(_) => return false,
                Err(_) => return true,
            },
        }
    }
    patterns.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_that_ends_above_a_folder_matches_nothing_in_it() {
        for (glob, folder, may) in [
            ("data/*.csv", "data/images", false),
            ("data/*/*.csv", "data/images", true),
            ("data/**/*.csv", "data/images", true),
            ("**", "data", true),
            ("src/**", "data/images", false),
            ("d*/i*", "data/images", false),
            ("d*/i*/x", "data/images", true),
            ("d{a,b/c}/x", "data/images", true),
        ] {
            assert_eq!(may_match_in(glob, folder), may, "{glob} in {folder}");
        }
    }

    #[test]
    fn links_are_followed_by_their_text() {
        assert_eq!(target("a/b/link", "../c"), "a/c");
        assert_eq!(target("link", "./a//b"), "a/b");
    }
}
