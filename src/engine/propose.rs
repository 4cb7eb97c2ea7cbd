//! What inputs a step should have, by what it was seen to read: files one by one, or as a folder or a glob where it reads
//! all of a kind. Pure.

use crate::model::build::Touch;
use crate::model::derivation::{Builder, Derivation};
use crate::model::graph::{Graph, StepId};
use crate::scheduler::made_by;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// What to declare, and what not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// Inputs to add.
    pub add: Vec<Suggestion>,
    /// Files of the project that it read and that are no inputs.
    pub undeclared: Vec<String>,
    /// Inputs that it never read, by where they lie inside.
    pub unread: Vec<String>,
    /// Files of the project that it only asked about.
    pub looked_for: Vec<String>,
}

/// An input to add; paths are from the project's root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suggestion {
    /// A file.
    File(String),
    /// A folder, all of whose files are read.
    Folder(String),
    /// A pattern that matches what is read in a folder, and nothing else.
    Glob(String),
    /// What another step writes there: the path, and the output.
    Output(String, String),
}

/// The proposal for the step `id` with the sources `declared`, which touched `touched` in a project of these `files`.
pub(super) fn propose(
    graph: &Graph,
    id: StepId,
    declared: &BTreeSet<String>,
    touched: &BTreeMap<String, Touch>,
    files: &[String],
) -> Proposal {
    let derivation = &graph.step(id).derivation;
    let known: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    let is_declared = |path: &str| within(path, declared).is_some();
    let mut read = BTreeSet::new();
    let mut asked = BTreeSet::new();
    let mut listed = BTreeSet::new();
    for (path, touch) in touched {
        let path = source_of(path);
        if is_declared(&path) || within(&path, &mounted(derivation)).is_some() || !is_content(&path) {
            continue;
        }
        match touch {
            Touch::Read => drop(read.insert(path)),
            Touch::Listed => drop(listed.insert(path)),
            // A folder is asked about on the way to every file.
            Touch::LookedFor if known.contains(path.as_str()) => drop(asked.insert(path)),
            Touch::LookedFor => {}
        }
    }
    asked.retain(|path| !read.contains(path));
    let made: BTreeMap<&String, String> = read
        .iter()
        .filter_map(|path| Some((path, made_by(graph, path)?)))
        .collect();
    let outputs = made
        .iter()
        .map(|(path, by)| Suggestion::Output((*path).clone(), by.clone()));
    let mut add: Vec<Suggestion> = outputs.collect();
    let own: BTreeSet<&str> = read
        .iter()
        .filter(|path| !made.contains_key(path))
        .map(String::as_str)
        .collect();
    add.extend(grouped(&own, &listed, &known));
    Proposal {
        add,
        undeclared: read.iter().cloned().collect(),
        unread: unread(derivation, touched),
        looked_for: asked.into_iter().collect(),
    }
}

/// Inputs none of which was read. The program's own arguments are looked at too: a script is read by its interpreter.
fn unread(derivation: &Derivation, touched: &BTreeMap<String, Touch>) -> Vec<String> {
    let stdin = match &derivation.builder {
        Builder::Command { stdin, .. } => stdin.as_deref(),
        Builder::Builtin { .. } => None,
    };
    let was_read = |mount: &str| {
        let inside = |path: &str| {
            path.strip_prefix(mount)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let seen = |(path, touch): (&String, &Touch)| *touch != Touch::LookedFor && inside(&source_of(path));
        stdin == Some(mount) || touched.iter().any(seen)
    };
    let mounts = derivation.inputs.keys();
    mounts
        .filter(|mount| !was_read(mount))
        .map(SmolStr::to_string)
        .collect()
}

/// Mounts of artifacts and of environments.
fn mounted(derivation: &Derivation) -> BTreeSet<String> {
    let inputs = derivation
        .inputs
        .keys()
        .filter(|mount| mount.starts_with("inputs/"));
    let outputs = derivation.outputs.values().map(|output| output.path.clone());
    inputs.map(SmolStr::to_string).chain(outputs).collect()
}

/// The declared path that `path` is or lies in.
fn within<'d>(path: &str, declared: &'d BTreeSet<String>) -> Option<&'d str> {
    let mut above = Some(path);
    while let Some(here) = above {
        if let Some(found) = declared.get(here) {
            return Some(found);
        }
        above = here.rsplit_once('/').map(|(folder, _)| folder);
    }
    None
}

/// What Python compiled stands for what it was compiled from.
fn source_of(path: &str) -> String {
    let compiled = || {
        let (folder, file) = path.rsplit_once('/')?;
        let folder = match folder {
            "__pycache__" => "",
            folder => folder.strip_suffix("/__pycache__")?,
        };
        let (module, _) = file.strip_suffix(".pyc")?.split_once('.')?;
        Some(if folder.is_empty() {
            format!("{module}.py")
        } else {
            format!("{folder}/{module}.py")
        })
    };
    compiled().unwrap_or_else(|| path.to_owned())
}

/// Whether a path may be an input: mlp's own folders are none.
fn is_content(path: &str) -> bool {
    !path.is_empty()
        && ![".git/", ".mlp/", ".env/"]
            .iter()
            .any(|own| path.starts_with(own))
}

/// Files as the fewest inputs that bring no other file.
fn grouped(read: &BTreeSet<&str>, listed: &BTreeSet<String>, known: &BTreeSet<&str>) -> Vec<Suggestion> {
    let mut left = read.clone();
    let mut suggestions = Vec::new();
    // The outermost folder first.
    let folders: BTreeSet<&str> = read.iter().flat_map(|path| above(path)).collect();
    for folder in folders {
        let below = |path: &&&str| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        let all: BTreeSet<&str> = known.iter().filter(below).copied().collect();
        let is_whole = all.is_subset(read) && all.iter().all(|path| left.contains(path));
        if is_whole && (all.len() > 1 || is_data(folder, listed, known)) {
            left.retain(|path| !all.contains(path));
            suggestions.push(Suggestion::Folder(folder.to_owned()));
        }
    }
    let mut kinds: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for path in &left {
        kinds.entry(kind(path)).or_default().push(path);
    }
    for (of, paths) in kinds {
        let alike = known.iter().filter(|path| kind(path) == of).count();
        let (folder, extension) = of;
        let many = paths.len() > 1 || is_data(folder, listed, known);
        if many && alike == paths.len() && !extension.is_empty() {
            let lead = if folder.is_empty() {
                String::new()
            } else {
                format!("{folder}/")
            };
            suggestions.push(Suggestion::Glob(format!("{lead}*.{extension}")));
        } else {
            suggestions.extend(paths.iter().map(|path| Suggestion::File((*path).to_owned())));
        }
    }
    suggestions
}

/// Whether the program looked what is in a folder for its own sake: Python lists the folders of its modules as well.
fn is_data(folder: &str, listed: &BTreeSet<String>, known: &BTreeSet<&str>) -> bool {
    let has_modules = known.iter().any(|path| kind(path) == (folder, "py"));
    listed.contains(folder) && !has_modules
}

/// The folders that a file lies in.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// The folder of a file, and its extension.
fn kind(path: &str) -> (&str, &str) {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let extension = file.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
    (folder, extension.map_or("", |(_, extension)| extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(read: &[&str], listed: &[&str], others: &[&str]) -> Vec<Suggestion> {
        let known: BTreeSet<&str> = read.iter().chain(others).copied().collect();
        let listed = listed.iter().map(|path| (*path).to_owned()).collect();
        grouped(&read.iter().copied().collect(), &listed, &known)
    }

    #[test]
    fn a_folder_that_is_read_whole_is_one_input() {
        let read = ["data/a.csv", "data/deep/b.csv", "params.yaml"];
        assert_eq!(
            groups(&read, &[], &["src/train.py"]),
            [
                Suggestion::Folder("data".into()),
                Suggestion::File("params.yaml".into())
            ]
        );
    }

    #[test]
    fn all_of_a_kind_are_a_glob() {
        let read = ["data/a.csv", "data/b.csv"];
        assert_eq!(
            groups(&read, &[], &["data/notes.md"]),
            [Suggestion::Glob("data/*.csv".into())]
        );
        let one_by_one = [
            Suggestion::File("data/a.csv".into()),
            Suggestion::File("data/b.csv".into()),
        ];
        assert_eq!(groups(&read, &[], &["data/c.csv"]), one_by_one);
    }

    #[test]
    fn a_folder_that_is_listed_may_have_more_tomorrow() {
        assert_eq!(
            groups(&["data/a.csv"], &["data"], &[]),
            [Suggestion::Folder("data".into())]
        );
        assert_eq!(
            groups(&["data/a.csv"], &["data"], &["data/notes.md"]),
            [Suggestion::Glob("data/*.csv".into())]
        );
        // Python lists the folders of its modules.
        assert_eq!(
            groups(&["src/a.py"], &["src"], &[]),
            [Suggestion::File("src/a.py".into())]
        );
    }

    #[test]
    fn what_python_compiled_is_its_source() {
        assert_eq!(source_of("src/__pycache__/a.cpython-311.pyc"), "src/a.py");
        assert_eq!(source_of("__pycache__/a.cpython-311.pyc"), "a.py");
        assert_eq!(source_of("src/a.pyc"), "src/a.pyc");
    }
}
