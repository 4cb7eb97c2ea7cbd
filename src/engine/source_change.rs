//! How a source changed: which files of a directory, and in a text where first. Reads the store, where what was built from
//! lies, and the project, where what is there now lies.

use super::workspace::{Instance, Workspace};
use crate::base::digest::Digest;
use crate::model::node::{Entry, Node};
use std::collections::BTreeMap;

/// Texts of more bytes are not compared line by line.
const LARGEST: u64 = 16 << 20;

/// A source that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceChange {
    /// Its path from the project's root.
    pub path: String,
    /// The files in it that differ, if it is a directory whose files are known on both sides.
    pub files: Option<Vec<(String, FileChange)>>,
    /// What differs in its text, or in that of the only file that changed.
    pub text: Option<TextChange>,
}

/// How a file of a directory changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// It is new.
    New,
    /// It is gone.
    Gone,
    /// Its content is another.
    Changed,
}

/// How a text changed, from the first line that differs to the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextChange {
    /// The path of the file.
    pub path: String,
    /// All of the text as it is.
    pub text: String,
    /// The first line that differs, from 1.
    pub line: usize,
    /// The lines that were there.
    pub old: Vec<String>,
    /// How many lines stand there.
    pub new: usize,
}

/// Where the content of one side lies.
pub(super) struct Side<'s> {
    pub(super) workspace: &'s Workspace,
    /// The project's files, where they are as they were digested.
    pub(super) here: Option<&'s Instance>,
}

/// How the source at `path` changed from `old` to `new`.
pub(super) fn source_change(
    path: &str,
    (old_side, old): (&Side<'_>, Node),
    (new_side, new): (&Side<'_>, Node),
) -> SourceChange {
    let mut change = SourceChange {
        path: path.to_owned(),
        files: None,
        text: None,
    };
    let (old_files, new_files) = match (old_side.files(path, old), new_side.files(path, new)) {
        (Some(old), Some(new)) => (old, new),
        _ => return change,
    };
    let names: std::collections::BTreeSet<&String> = old_files.keys().chain(new_files.keys()).collect();
    let mut files: Vec<(String, FileChange)> = Vec::new();
    for name in names {
        let how = match (old_files.get(name), new_files.get(name)) {
            (old, new) if old == new => continue,
            (None, _) => FileChange::New,
            (_, None) => FileChange::Gone,
            _ => FileChange::Changed,
        };
        files.push((name.clone(), how));
    }
    let mut changed = files.iter().filter(|(_, how)| *how == FileChange::Changed);
    if let (Some((name, _)), None) = (changed.next(), changed.next())
        && let (Some(Entry::Node(old)), Some(Entry::Node(new))) = (old_files.get(name), new_files.get(name))
    {
        let place = joined(path, name);
        let texts = old_side.text(&place, old).zip(new_side.text(&place, new));
        change.text = texts.and_then(|(old, new)| text_change(place, &old, new));
    }
    if old.is_dir() || new.is_dir() {
        change.files = Some(files);
    }
    change
}

fn joined(path: &str, name: &str) -> String {
    match name {
        "" => path.to_owned(),
        name => format!("{path}/{name}"),
    }
}

impl Side<'_> {
    /// The files of a node by their paths in it; a file is one, at the empty path.
    fn files(&self, path: &str, node: Node) -> Option<BTreeMap<String, Entry>> {
        let Node::Dir { tree } = node else {
            return Some([(String::new(), Entry::Node(node))].into());
        };
        let mut found = BTreeMap::new();
        if self.stored(tree, "", &mut found).is_some() {
            return Some(found);
        }
        self.here?.sources.listing(path, node)
    }

    /// The files of a tree of the store.
    fn stored(&self, tree: Digest, above: &str, found: &mut BTreeMap<String, Entry>) -> Option<()> {
        for (name, entry) in self.workspace.store.tree(tree).ok()?.entries {
            let path = match above {
                "" => name,
                above => format!("{above}/{name}"),
            };
            match entry {
                Entry::Node(Node::Dir { tree }) => self.stored(tree, &path, found)?,
                entry => drop(found.insert(path, entry)),
            }
        }
        Some(())
    }

    /// A file's text, if it is one and is to be had.
    fn text(&self, path: &str, node: &Node) -> Option<String> {
        let Node::File { size, digest, .. } = *node else {
            return None;
        };
        if size > LARGEST {
            return None;
        }
        let stored = || self.workspace.store.read(node).ok();
        let here = || {
            let bytes = std::fs::read(self.workspace.project.root.join(path)).ok()?;
            (self.here.is_some() && Digest::of_blob(&bytes) == digest).then_some(bytes)
        };
        String::from_utf8(stored().or_else(here)?).ok()
    }
}

/// None where no line differs.
fn text_change(path: String, old: &str, new: String) -> Option<TextChange> {
    let (before, after): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let first = before.iter().zip(&after).take_while(same).count();
    let (old_rest, new_rest) = (&before[first..], &after[first..]);
    let last = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(same)
        .count();
    let old = &old_rest[..old_rest.len() - last];
    let count = new_rest.len() - last;
    if old.is_empty() && count == 0 {
        return None;
    }
    let old = old.iter().map(|line| (*line).to_owned()).collect();
    Some(TextChange {
        path,
        line: first + 1,
        old,
        new: count,
        text: new,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(old: &str, new: &str) -> Option<(usize, Vec<String>, usize)> {
        text_change(String::new(), old, new.to_owned()).map(|change| (change.line, change.old, change.new))
    }

    #[test]
    fn a_change_of_a_text_is_from_the_first_line_to_the_last() {
        assert_eq!(change("a\nb\nc\n", "a\nB\nc\n"), Some((2, vec!["b".into()], 1)));
        assert_eq!(change("a\nc\n", "a\nb\nc\n"), Some((2, vec![], 1)));
        assert_eq!(
            change("a\na\na\n", "a\n"),
            Some((2, vec!["a".into(), "a".into()], 0))
        );
        assert_eq!(change("a\n", "a"), None);
    }
}
