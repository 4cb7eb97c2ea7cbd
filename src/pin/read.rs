//! `mlp.lock` read: every entry with its place, and what is wrong with the file as diagnostics at the place.

use super::{INVALID, OTHER_VERSION, UNMERGED, VERSION};
use crate::base::digest::Digest;
use crate::model::node::Node;
use crate::model::pin::{Pin, Pins};
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::{SourceId, Sources, Span};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path};
use toml::Spanned;

/// What restores a file that was edited by hand.
const AGAIN: &str = "restore mlp.lock from git; or take the entry out, and `mlp add` its path again";

/// An entry of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it pins.
    pub pin: Pin,
    /// Its path in the file.
    pub span: Span,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lock {
    version: Spanned<i64>,
    #[serde(default)]
    pin: BTreeMap<Spanned<String>, Table>,
}

/// Only a version that is known says what else there may be.
#[derive(Deserialize)]
struct Versioned {
    version: Spanned<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    kind: Spanned<String>,
    digest: Spanned<String>,
    size: Spanned<u64>,
    files: Option<Spanned<u64>>,
    executable: Option<Spanned<bool>>,
}

/// The entries of the file that is `source`, by path; or all that is wrong with it.
pub fn read(sources: &Sources, source: SourceId) -> Result<BTreeMap<String, Entry>, Vec<Diagnostic>> {
    let text = &sources.get(source).text;
    let mut reading = Reading {
        source,
        told: Vec::new(),
    };
    if let Some(marks) = merge(text) {
        return Err(vec![reading.unmerged(&marks)]);
    }
    match toml::from_str::<Versioned>(text) {
        Ok(Versioned { version }) if *version.get_ref() != VERSION => {
            let message = format!(
                "mlp.lock is of version {}, and this mlp reads version {VERSION}",
                version.get_ref()
            );
            let error = Diagnostic::error(OTHER_VERSION, reading.span(version.span()), message);
            return Err(vec![error.help("use the mlp that wrote it, or a later one")]);
        }
        _ => {}
    }
    let lock: Lock = match toml::from_str(text) {
        Ok(lock) => lock,
        Err(error) => return Err(vec![reading.syntax(&error)]),
    };
    debug_assert_eq!(*lock.version.get_ref(), VERSION, "looked at before");
    let mut entries = BTreeMap::new();
    for (path, table) in lock.pin {
        let span = reading.span(path.span());
        let path = path.into_inner();
        reading.path(&path, span);
        if let Some(pin) = reading.pin(&table) {
            entries.insert(path, Entry { pin, span });
        }
    }
    reading.nested(&entries);
    match reading.told.is_empty() {
        true => Ok(entries),
        false => Err(reading.told),
    }
}

impl Entry {
    /// Entries without their places.
    pub fn pins(entries: &BTreeMap<String, Self>) -> Pins {
        let pins = entries.iter().map(|(path, entry)| (path.clone(), entry.pin));
        pins.collect()
    }
}

/// Where a merge that is not solved left its marks: the first three.
fn merge(text: &str) -> Option<[Range<usize>; 3]> {
    let mut at = 0;
    let mut marks = Vec::new();
    for line in text.split_inclusive('\n') {
        let mark = ["<<<<<<<", "=======", ">>>>>>>"].get(marks.len())?;
        if line.starts_with(mark) {
            marks.push(at..at + line.trim_end().len());
        }
        at += line.len();
        if marks.len() == 3 {
            break;
        }
    }
    marks.try_into().ok()
}

struct Reading {
    source: SourceId,
    told: Vec<Diagnostic>,
}

impl Reading {
    fn span(&self, range: Range<usize>) -> Span {
        let place = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Span {
            source: self.source,
            start: place(range.start),
            end: place(range.end),
        }
    }

    fn unmerged(&self, [ours, middle, theirs]: &[Range<usize>; 3]) -> Diagnostic {
        let span = |range: &Range<usize>| self.span(range.clone());
        Diagnostic::error(UNMERGED, span(ours), "a merge left its marks in mlp.lock")
            .at("one side begins")
            .label(span(middle), "the other side begins")
            .label(span(theirs), "and ends")
            .help(
                "keep the tables of both sides and delete the marks; of a path that both have keep one, and `mlp add` it \
                 again if it is neither",
            )
    }

    fn syntax(&self, error: &toml::de::Error) -> Diagnostic {
        let span = self.span(error.span().unwrap_or(0..0));
        let message = error.message();
        if message.starts_with("duplicate key") {
            return Diagnostic::error(INVALID, span, "mlp.lock has this twice")
                .at("is there already")
                .help("keep the entry that is of the data, and take the other out");
        }
        if message.starts_with("missing field `version`") {
            return Diagnostic::error(INVALID, self.span(0..0), "mlp.lock does not say its version")
                .help(AGAIN);
        }
        Diagnostic::error(INVALID, span, "mlp.lock cannot be read")
            .at(message.lines().next().unwrap_or_default())
            .help(AGAIN)
    }

    fn wrong(&mut self, range: Range<usize>, message: impl Into<String>) {
        let span = self.span(range);
        self.told
            .push(Diagnostic::error(INVALID, span, message).help(AGAIN));
    }

    fn path(&mut self, path: &str, span: Span) {
        let parts = Path::new(path).components();
        let normal = parts.clone().all(|part| matches!(part, Component::Normal(_)));
        // What `components` passes over: `a//b`, `a/./b`, a `/` at the end.
        let plain = parts.count() == path.split('/').count();
        if path.is_empty() || !normal || !plain {
            let message = format!("`{path}` is no path of a project");
            let error = Diagnostic::error(INVALID, span, message);
            self.told.push(error.help(
                "paths are relative to the folder of pipeline.mlp, with `/` between names, and stay inside it",
            ));
        }
    }

    fn pin(&mut self, table: &Table) -> Option<Pin> {
        let digits = table.digest.get_ref();
        let digest = digits.parse::<Digest>().ok();
        if digest.is_none() {
            let message = format!("`{digits}` is no BLAKE3 digest: that has 64 digits `0-9a-f`");
            self.wrong(table.digest.span(), message);
        }
        let size = *table.size.get_ref();
        let executable = table.executable.as_ref();
        match (table.kind.get_ref().as_str(), &table.files) {
            ("file", None) => Some(Pin {
                node: Node::File {
                    executable: executable.is_some_and(|executable| *executable.get_ref()),
                    size,
                    digest: digest?,
                },
                size,
                files: 1,
            }),
            ("directory", Some(files)) if executable.is_none() => Some(Pin {
                node: Node::Dir { tree: digest? },
                size,
                files: *files.get_ref(),
            }),
            ("file", Some(files)) => {
                self.wrong(files.span(), "a file has no number of files");
                None
            }
            ("directory", None) => {
                self.wrong(table.kind.span(), "a directory has a number of `files`");
                None
            }
            ("directory", Some(_)) => {
                let range = executable.map_or(0..0, Spanned::span);
                self.wrong(range, "a directory is not executable");
                None
            }
            (other, _) => {
                let message =
                    format!("`{other}` is no kind: what is pinned is a \"file\" or a \"directory\"");
                self.wrong(table.kind.span(), message);
                None
            }
        }
    }

    /// What lies in a pinned directory is pinned by that.
    fn nested(&mut self, entries: &BTreeMap<String, Entry>) {
        for (path, entry) in entries {
            let above = std::iter::successors(path.rsplit_once('/'), |(folder, _)| folder.rsplit_once('/'));
            for (folder, _) in above {
                if let Some(outer) = entries.get(folder) {
                    let message = format!("`{path}` is pinned, and so is `{folder}`, in which it lies");
                    let error = Diagnostic::error(INVALID, entry.span, message);
                    self.told.push(
                        error
                            .label(outer.span, "pins all that lies in it")
                            .help("take one of the two out of mlp.lock"),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
