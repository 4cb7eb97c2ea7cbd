//! What a failed program says in its log: the line of the user's script that it stopped at, its last words, and files of
//! the project that it looked for and that are no inputs.
//!
//! A sandbox shows a step what it declares and nothing else, so what it forgot is missing there: the log names it. Nothing
//! is guessed from anywhere else: a file is told only if a line about something missing names it, and the project has it.

use super::failure::end_of;
use crate::model::derivation::{Builder, Derivation, Reference};
use crate::model::event::{ScriptPlace, StepFailure, Undeclared};
use crate::model::graph::{Graph, Step};
use crate::store::Sources;
use std::path::Path;

/// How much of a log's end is read: tracebacks of libraries are long.
const READ: u64 = 64 * 1024;
/// Files that are told; more would be a list of a folder.
const MOST_TOLD: usize = 5;

/// What the C library says of a write past the bound.
const TOO_LARGE: &str = "File too large";

/// What lines about something missing say.
const MISSING: &[&str] = &[
    "No such file",
    "FileNotFoundError",
    "No module named",
    "annot open",
    "an't open",
    "annot find",
    "nable to open",
    "oes not exist",
    "not found",
    "ENOENT",
];

/// Where a failed step was: its graph, the project, and the folder that it saw as `/build`.
pub(super) struct Scene<'a> {
    pub(super) graph: &'a Graph,
    pub(super) step: &'a Step,
    pub(super) sources: &'a Sources,
    pub(super) folder: &'a Path,
}

impl Scene<'_> {
    /// What its log says of an exit with `status`; none where it says nothing of this kind.
    pub(super) fn told(&self, status: i32, log: &Path) -> Option<StepFailure> {
        let Builder::Command { .. } = self.step.derivation.builder else {
            return None;
        };
        let bytes = end_of(log, READ);
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let words = last_words(&lines);
        // The kernel refuses the write that passes the bound, and the program may say so before it is ended.
        if self.step.resources.disk.is_some() && lines.iter().any(|line| line.contains(TOO_LARGE)) {
            return Some(StepFailure::OutOfDisk {
                limit: self.step.resources.disk,
            });
        }
        let place = self.place(&lines);
        let undeclared = match &words {
            Some(words) => self.undeclared(&[words.as_str()]),
            None => self.undeclared(&lines),
        };
        if words.is_none() && place.is_none() && undeclared.is_empty() {
            return None;
        }
        Some(StepFailure::Script {
            status,
            words,
            place,
            undeclared,
        })
    }

    /// The innermost line of a script of the project that the log names.
    fn place(&self, lines: &[&str]) -> Option<ScriptPlace> {
        let known = |(path, line): (&str, u64)| {
            let path = self.rooted(path)?;
            self.is_source(&path).then_some(ScriptPlace { path, line })
        };
        let python = lines.iter().rev().find_map(|line| known(python_frame(line)?));
        python.or_else(|| {
            lines
                .iter()
                .find_map(|line| tokens(line).find_map(|token| known(place_of(token)?)))
        })
    }

    /// Files that lines about something missing name, that the step does not have, and that there are.
    fn undeclared(&self, lines: &[&str]) -> Vec<Undeclared> {
        let mut found: Vec<Undeclared> = Vec::new();
        let about = lines
            .iter()
            .filter(|line| MISSING.iter().any(|missing| line.contains(missing)));
        for line in about {
            let named = tokens(line).filter_map(|token| self.rooted(token));
            let modules = module(line)
                .into_iter()
                .flat_map(|module| self.module_files(module));
            for path in named.chain(modules) {
                let is_known = found.iter().any(|known| known.path == path);
                if let Some(undeclared) = self
                    .there_is(path)
                    .filter(|_| !is_known && found.len() < MOST_TOLD)
                {
                    found.push(undeclared);
                }
            }
        }
        found
    }

    /// `path`, where it is no input and either another step writes it or the project has it.
    fn there_is(&self, path: String) -> Option<Undeclared> {
        if path.is_empty() || self.is_source(&path) || self.is_written_here(&path) {
            return None;
        }
        let made_by = made_by(self.graph, &path);
        (made_by.is_some() || self.sources.has(&path)).then_some(Undeclared { path, made_by })
    }

    /// Files of the project that `import module` may have meant.
    fn module_files(&self, module: &str) -> Vec<String> {
        let derivation = &self.step.derivation;
        let scripts = derivation.inputs.keys().filter(|path| path.ends_with(".py"));
        let folders = scripts.map(|path| path.rsplit_once('/').map_or("", |(folder, _)| folder));
        let mut folders: Vec<&str> = folders.chain([cwd(derivation)]).collect();
        folders.sort_unstable();
        folders.dedup();
        let path = module.replace('.', "/");
        let names = [format!("{path}.py"), format!("{path}/__init__.py")];
        let joined =
            |folder: &&str| -> Vec<String> { names.iter().filter_map(|name| below(folder, name)).collect() };
        folders
            .iter()
            .flat_map(joined)
            .filter(|path| self.sources.has(path))
            .collect()
    }

    /// Whether an input is the file or holds it.
    fn is_source(&self, path: &str) -> bool {
        let mut inputs = self.step.derivation.inputs.iter();
        inputs.any(|(mount, reference)| {
            let inside = path
                .strip_prefix(mount.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            inside && matches!(reference, Reference::Source { .. })
        })
    }

    fn is_written_here(&self, path: &str) -> bool {
        self.step
            .derivation
            .outputs
            .values()
            .any(|output| output.path == path)
    }

    /// A path as the program saw it, from the project's root; none where it leads elsewhere.
    fn rooted(&self, path: &str) -> Option<String> {
        let folder = self.folder.to_string_lossy();
        let inside = ["/build", folder.as_ref()]
            .into_iter()
            .find_map(|build| path.strip_prefix(build)?.strip_prefix('/'));
        match inside {
            Some(inside) => below("", inside),
            None if path.starts_with('/') => None,
            None => below(cwd(&self.step.derivation), path),
        }
    }
}

/// The output of a command of `graph` that is written at `path`: `fit.model`.
pub fn made_by(graph: &Graph, path: &str) -> Option<String> {
    graph.steps.iter().find_map(|step| {
        let mut outputs = step.derivation.outputs.iter();
        let is_command = matches!(step.derivation.builder, Builder::Command { .. });
        let (name, _) = outputs.find(|(_, output)| is_command && output.path == path)?;
        Some(match step.derivation.outputs.len() {
            1 if step.name().ends_with(&format!(".{name}")) => step.name().to_owned(),
            _ => format!("{}.{name}", step.name()),
        })
    })
}

fn cwd(derivation: &Derivation) -> &str {
    derivation.cwd.as_deref().unwrap_or_default()
}

/// `path` seen from `folder`, without `.` and `..`; none where it leaves the project.
fn below(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// What the last Python traceback of a log ends with: `ValueError: no rows`.
fn last_words(lines: &[&str]) -> Option<String> {
    let last = lines
        .iter()
        .rposition(|line| line.starts_with("Traceback (most recent call last)"))?;
    let mut rest = lines[last + 1..].iter();
    let words = rest.find(|line| !line.starts_with(char::is_whitespace) && !line.is_empty())?;
    Some((*words).to_owned())
}

/// `  File "src/train.py", line 12, in main`.
fn python_frame(line: &str) -> Option<(&str, u64)> {
    let (path, rest) = line
        .trim_start()
        .strip_prefix("File \"")?
        .split_once("\", line ")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((path, digits.parse().ok()?))
}

/// `src/train.jl:12`, `src/train.js:12:7`.
fn place_of(token: &str) -> Option<(&str, u64)> {
    let mut parts = token.split(':');
    let (path, line) = (parts.next()?, parts.next()?);
    Some((path, line.parse().ok()?))
}

/// What may be a path in a line: what stands in quotes, and words without the punctuation around them.
fn tokens(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split(['\'', '"', '`']).skip(1).step_by(2);
    let words = line
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| "'\"`()[]<>,;:".contains(c)));
    quoted.chain(words).filter(|token| !token.is_empty())
}

/// The module of `No module named 'features'`.
fn module(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("No module named ")?;
    let name = rest.trim_matches(|c: char| "'\"; ".contains(c));
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pythons_words_and_frames_are_read() {
        let lines = [
            "starting",
            "Traceback (most recent call last):",
            "  File \"/build/src/train.py\", line 7, in <module>",
            "    main()",
            "FileNotFoundError: [Errno 2] No such file or directory: 'data/raw.csv'",
        ];
        assert_eq!(last_words(&lines).as_deref(), Some(lines[4]));
        assert_eq!(python_frame(lines[2]), Some(("/build/src/train.py", 7)));
        assert!(tokens(lines[4]).any(|token| token == "data/raw.csv"));
        assert_eq!(last_words(&lines[..1]), None);
    }

    #[test]
    fn modules_and_places_of_other_languages_are_read() {
        assert_eq!(
            module("ModuleNotFoundError: No module named 'features.tables'"),
            Some("features.tables")
        );
        assert_eq!(module("no module"), None);
        assert_eq!(place_of("src/train.js:12:7"), Some(("src/train.js", 12)));
        assert_eq!(place_of("12:30"), Some(("12", 30)));
        assert_eq!(below("src", "../data/./a.csv").as_deref(), Some("data/a.csv"));
        assert_eq!(below("", "../a"), None);
    }
}
