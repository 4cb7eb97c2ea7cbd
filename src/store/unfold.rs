//! What trees of somebody else's come to when they are unfolded: they are shared, so that a few bytes can stand for more
//! folders than any disk holds, and links in them can lead anywhere.

use super::import::Bounds;
use crate::base::digest::Digest;
use crate::model::node::{Entry, Node, Tree};
use std::collections::BTreeMap;

/// What a tree comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Unfolded {
    entries: u64,
    bytes: u64,
    depth: usize,
    /// How many folders above the tree a link in it leads.
    above: usize,
}

/// Whether the directory `root` can be shown as folders: all of its trees are there, no link leaves it, and it is within
/// `bounds`. The error is a clause.
pub(super) fn check(root: Digest, trees: &BTreeMap<Digest, Tree>, bounds: Bounds) -> Result<(), String> {
    let mut known: BTreeMap<Digest, Unfolded> = BTreeMap::new();
    let mut pending = vec![root];
    while let Some(digest) = pending.last().copied() {
        if known.contains_key(&digest) {
            pending.pop();
            continue;
        }
        let tree = trees
            .get(&digest)
            .ok_or_else(|| format!("the directory {digest} is not in it"))?;
        let before = pending.len();
        pending.extend(folders(tree).filter(|inner| !known.contains_key(inner)));
        if pending.len() > before {
            continue;
        }
        let unfolded = unfold(tree, &known);
        if unfolded.entries > bounds.entries || unfolded.bytes > bounds.bytes || unfolded.depth > bounds.depth
        {
            return Err(format!(
                "the directory {digest} comes to more than can be stored at once"
            ));
        }
        known.insert(digest, unfolded);
        pending.pop();
    }
    match known.get(&root).is_some_and(|unfolded| unfolded.above > 0) {
        true => Err(format!("a symbolic link in the directory {root} leaves it")),
        false => Ok(()),
    }
}

fn folders(tree: &Tree) -> impl Iterator<Item = Digest> + '_ {
    tree.entries.values().filter_map(|entry| match entry {
        Entry::Node(Node::Dir { tree }) => Some(*tree),
        _ => None,
    })
}

fn unfold(tree: &Tree, known: &BTreeMap<Digest, Unfolded>) -> Unfolded {
    let mut sum = Unfolded::default();
    for entry in tree.entries.values() {
        sum.entries = sum.entries.saturating_add(1);
        match entry {
            Entry::Node(Node::File { size, .. }) => sum.bytes = sum.bytes.saturating_add(*size),
            Entry::Node(Node::Dir { tree }) => {
                let inner = known.get(tree).copied().unwrap_or_default();
                sum.entries = sum.entries.saturating_add(inner.entries);
                sum.bytes = sum.bytes.saturating_add(inner.bytes);
                sum.depth = sum.depth.max(inner.depth + 1);
                sum.above = sum.above.max(inner.above.saturating_sub(1));
            }
            Entry::Symlink { symlink } => sum.above = sum.above.max(climbs(symlink)),
        }
    }
    sum
}

/// How many folders above its own a link leads. One that goes up behind a name may lead anywhere, as the name may be a link.
fn climbs(target: &str) -> usize {
    if target.is_empty() || target.starts_with('/') || target.contains('\0') {
        return usize::MAX;
    }
    let mut parts = target.split('/').filter(|part| !matches!(*part, "" | "."));
    let up = parts.by_ref().take_while(|part| *part == "..").count();
    match parts.any(|part| part == "..") {
        true => usize::MAX,
        false => up,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(trees: &mut BTreeMap<Digest, Tree>, entries: &[(&str, Entry)]) -> Digest {
        let entries = entries
            .iter()
            .map(|(name, entry)| ((*name).to_owned(), entry.clone()));
        let tree = Tree {
            entries: entries.collect(),
        };
        let digest = Tree::digest_of(&tree.encode().unwrap());
        trees.insert(digest, tree);
        digest
    }

    fn folder(tree: Digest) -> Entry {
        Entry::Node(Node::Dir { tree })
    }

    fn link(target: &str) -> Entry {
        Entry::Symlink {
            symlink: target.to_owned(),
        }
    }

    #[test]
    fn links_are_held_against_every_place_that_a_folder_has() {
        let mut trees = BTreeMap::new();
        let inner = add(&mut trees, &[("link", link("../../a"))]);
        let middle = add(&mut trees, &[("inner", folder(inner))]);
        let deep = add(&mut trees, &[("middle", folder(middle))]);
        assert_eq!(check(deep, &trees, Bounds::default()), Ok(()));
        // The same folder, one place further up.
        let shallow = add(&mut trees, &[("x", folder(middle)), ("inner", folder(inner))]);
        for (root, is_well) in [(shallow, false), (middle, false), (inner, false)] {
            assert_eq!(check(root, &trees, Bounds::default()).is_ok(), is_well);
        }
        for (target, is_well) in [
            ("a/b", true),
            ("a/../b", false),
            ("a/../../b", false),
            ("/etc", false),
            ("..", false),
        ] {
            let root = add(&mut trees, &[("link", link(target))]);
            assert_eq!(
                check(root, &trees, Bounds::default()).is_ok(),
                is_well,
                "{target}"
            );
        }
    }

    #[test]
    fn folders_in_folders_are_counted_and_not_unfolded() {
        let mut trees = BTreeMap::new();
        let mut tree = add(&mut trees, &[("a", link("b"))]);
        for _ in 0..60 {
            tree = add(&mut trees, &[("a", folder(tree)), ("b", folder(tree))]);
        }
        assert!(
            check(tree, &trees, Bounds::default())
                .unwrap_err()
                .contains("comes to more")
        );
        let mut tree = add(&mut trees, &[]);
        for _ in 0..10_000 {
            tree = add(&mut trees, &[("a", folder(tree))]);
        }
        assert!(check(tree, &trees, Bounds::default()).is_err(), "too deep");
        let missing = add(&mut BTreeMap::new(), &[("x", link("y"))]);
        let root = add(&mut trees, &[("a", folder(missing))]);
        assert!(
            check(root, &trees, Bounds::default())
                .unwrap_err()
                .contains("is not in it")
        );
    }
}
