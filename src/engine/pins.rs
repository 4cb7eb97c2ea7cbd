//! Data that is pinned by `mlp.lock`: read for a build, written by `mlp add`, compared by `mlp status`.

use super::error::EngineError;
use super::ignored;
use super::workspace::{Instance, Workspace};
use crate::base::atomic;
use crate::base::lock::Lock;
use crate::model::derivation::Reference;
use crate::model::graph::Step;
use crate::model::pin::{Pin, Pins};
use crate::model::source::{SourceContent, SourceProblem, SourceRequest, SourceTable};
use crate::pin::{self, Entry};
use crate::plan::{Decision, Plan};
use crate::store::{Change, Differences, PinError, Pinned, Sources};
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::{SourceId, Sources as Texts, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::sync::Arc;

/// What a project pins, with the places where that is written.
pub(super) type Entries = BTreeMap<String, Entry>;

/// A path that was pinned.
#[derive(Clone, Debug)]
pub struct Added {
    /// From the project's root.
    pub path: String,
    /// What it holds.
    pub pin: Pin,
    /// What was pinned before.
    pub before: Option<Pin>,
    /// Paths inside it that were pinned, and are by it now.
    pub taken_in: Vec<String>,
    /// Whether its bytes are in the store.
    pub stored: bool,
    /// Whether `.gitignore` got a line for it.
    pub ignored: bool,
}

/// A path that is pinned, and how it stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// From the project's root.
    pub path: String,
    /// What mlp.lock says of it.
    pub pin: Pin,
    /// What is there.
    pub here: Here,
    /// Whether the store has its bytes.
    pub stored: bool,
}

/// What is at a path that is pinned.
#[derive(Clone, Debug)]
pub enum Here {
    /// What is pinned.
    Same,
    /// Something else.
    Differs(Differences),
    /// Nothing.
    Nothing,
    /// Something that cannot be read.
    Unreadable(Diagnostic),
}

/// Why paths cannot be pinned.
#[derive(Debug)]
pub enum AddError {
    /// `mlp.lock`, or what lies at a path.
    Told(Vec<Diagnostic>),
    /// The machine.
    Engine(EngineError),
}

impl<E: Into<EngineError>> From<E> for AddError {
    fn from(error: E) -> Self {
        Self::Engine(error.into())
    }
}

impl Workspace {
    /// The project's files, and what of them is pinned.
    pub(super) fn sources(&self, texts: &mut Texts) -> Result<(Sources, Entries), Vec<Diagnostic>> {
        let entries = self.entries(texts)?;
        let pinned = Pinned::new(Entry::pins(&entries), Arc::clone(&self.store));
        Ok((self.sources_with(pinned), entries))
    }

    fn sources_with(&self, pinned: Pinned) -> Sources {
        Sources::open(&self.project.root, Some(&self.state.join("stat-cache"))).with_pins(pinned)
    }

    fn entries(&self, texts: &mut Texts) -> Result<Entries, Vec<Diagnostic>> {
        match std::fs::read(self.project.root.join(pin::FILE)) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                let source = texts.add(pin::FILE, &*text);
                pin::read(texts, source)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Entries::new()),
            Err(error) => {
                let span = start(texts.add(pin::FILE, ""));
                let message = format!("mlp.lock cannot be read: {error}");
                let error = Diagnostic::error(pin::INVALID, span, message);
                Err(vec![error.help("make it readable for you: `chmod u+r mlp.lock`")])
            }
        }
    }

    /// Pins what lies at each of the paths, which are the texts of sources; with `bytes` copies it into the store.
    /// All or none of them are pinned.
    pub fn add(
        &self,
        paths: &[(String, Span)],
        bytes: bool,
        texts: &mut Texts,
    ) -> Result<Vec<Added>, AddError> {
        let state = |cause| EngineError::State {
            path: self.project.root.join(pin::FILE),
            cause,
        };
        let _lock = Lock::acquire(&self.state.join("add.lock")).map_err(state)?;
        let entries = self.entries(texts).map_err(AddError::Told)?;
        let mut pins = Entry::pins(&entries);
        let pinned = Pinned::new(pins.clone(), Arc::clone(&self.store));
        let sources = self.sources_with(pinned.and_soon(paths.iter().map(|(path, _)| path.clone())));
        let (mut added, mut told) = (Vec::new(), Vec::new());
        for (path, span) in paths {
            match outer(&pins, path) {
                Some(outer) => told.push(inside(path, outer, *span)),
                None => match sources.pin(&self.store, path, bytes) {
                    Ok(pin) => added.push(self.take(&mut pins, path, pin)),
                    Err(PinError::Store(error)) => return Err(error.into()),
                    Err(error) => told.push(unfit(path, &error, *span)),
                },
            }
        }
        // What was read need not be read again, whatever came of it.
        drop(sources.save());
        if !told.is_empty() {
            return Err(AddError::Told(told));
        }
        // Bytes in the store are kept for the pin, and the collector of garbage asks the projects that it knows.
        self.store.know_project(&self.project.root)?;
        let text = pin::text(&pins);
        atomic::write(&self.project.root.join(pin::FILE), text.as_bytes()).map_err(state)?;
        for added in &mut added {
            added.ignored = ignored::add(&self.project.root, &added.path)?;
        }
        Ok(added)
    }

    fn take(&self, pins: &mut Pins, path: &str, pin: Pin) -> Added {
        let prefix = format!("{path}/");
        let inner = pins.keys().filter(|other| other.starts_with(&prefix));
        let taken_in: Vec<String> = inner.cloned().collect();
        taken_in.iter().for_each(|path| {
            pins.remove(path);
        });
        Added {
            path: path.to_owned(),
            pin,
            before: pins.insert(path.to_owned(), pin),
            taken_in,
            stored: self.store.holds(&pin.node),
            ignored: false,
        }
    }

    /// How everything that is pinned stands; or what is wrong with `mlp.lock`.
    pub fn standing(&self, texts: &mut Texts) -> Result<Vec<Standing>, Vec<Diagnostic>> {
        let (sources, entries) = self.sources(texts)?;
        let standing = entries.iter().map(|(path, Entry { pin, span })| Standing {
            path: path.clone(),
            pin: *pin,
            here: here(&sources, path, pin, *span),
            stored: self.store.holds(&pin.node),
        });
        let standing = standing.collect();
        drop(sources.save());
        Ok(standing)
    }

    /// What a build of `plan` needs of pinned data, and neither the project nor the store has: each once, where it is pinned
    /// and where it is used.
    pub fn lacking(&self, instance: &Instance, plan: &Plan) -> Vec<Diagnostic> {
        let mut told: Vec<Diagnostic> = Vec::new();
        let mut seen = BTreeSet::new();
        let built = plan
            .steps
            .iter()
            .filter(|planned| planned.decision == Decision::Build);
        for planned in built {
            let step = instance.graph.step(planned.step);
            for (mount, reference) in &step.derivation.inputs {
                let Reference::Source { path, node } = reference else {
                    continue;
                };
                for pin in instance.sources.absent(&self.store, path, node) {
                    if let (Some(entry), true) = (instance.pins.get(&pin), seen.insert(pin.clone())) {
                        let error = absent(&pin, entry);
                        told.push(match read_at(step, mount) {
                            Some(span) => error.label(span, "is read here"),
                            None => error,
                        });
                    }
                }
            }
        }
        told
    }
}

/// Warnings about pinned data that is here, and is not what is pinned: of what was asked for alone.
pub(super) fn differing(sources: &Sources, entries: &Entries, table: &SourceTable) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    for (path, entry) in entries {
        if is_other(sources, table, path, entry) {
            let message = format!("`{path}` is not what mlp.lock pins");
            let warning = Diagnostic::warning(pin::DIFFERS, entry.span, message).at("pinned here");
            told.push(warning.note("what is there now is used").help(format!(
                "`mlp status` shows what changed; `mlp add {path}` pins it as it is now"
            )));
        }
    }
    told
}

/// Whether any of what was asked for lies in the pinned `pin`, or that in it, and is not what is pinned.
fn is_other(sources: &Sources, table: &SourceTable, pin: &str, entry: &Entry) -> bool {
    let lies_in = |path: &str, folder: &str| {
        path.strip_prefix(folder)
            .is_some_and(|rest| folder.is_empty() || rest.is_empty() || rest.starts_with('/'))
    };
    let inside = |path: &str, node| lies_in(path, pin) && sources.is_other(path, node);
    table.iter().any(|(request, found)| match (request, found) {
        (SourceRequest::Path(path), Ok(SourceContent::Node(node))) => {
            inside(path, *node)
                || path != pin
                    && lies_in(pin, path)
                    && matches!(sources.differences(pin, &entry.pin), Ok(Some(_)))
        }
        (_, Ok(SourceContent::Files(files))) => files.iter().any(|(path, node)| inside(path, *node)),
        _ => false,
    })
}

fn here(sources: &Sources, path: &str, pin: &Pin, span: Span) -> Here {
    if sources.is_absent(path) {
        return Here::Nothing;
    }
    match sources.differences(path, pin) {
        Ok(None) => Here::Same,
        Ok(Some(differences)) => Here::Differs(differences),
        Err(problem) => Here::Unreadable(unfit(path, &PinError::Source(problem), span)),
    }
}

impl Here {
    /// Numbers of files that changed, were added and are gone; none where that is not known.
    pub fn counts(&self) -> Option<[usize; 3]> {
        let Self::Differs(Differences {
            files: Some(files), ..
        }) = self
        else {
            return None;
        };
        let count = |wanted| files.values().filter(|change| **change == wanted).count();
        Some([Change::Changed, Change::Added, Change::Removed].map(count))
    }
}

/// The pinned directory that `path` lies in.
fn outer<'p>(pins: &'p Pins, path: &str) -> Option<&'p str> {
    let mut above = std::iter::successors(path.rsplit_once('/'), |(folder, _)| folder.rsplit_once('/'));
    let (pin, _) = above.find_map(|(folder, _)| pins.get_key_value(folder))?;
    Some(pin)
}

fn inside(path: &str, outer: &str, span: Span) -> Diagnostic {
    let message = format!("`{path}` lies in `{outer}`, which is pinned as a whole");
    let error = Diagnostic::error(pin::UNFIT, span, message).at("lies in a pinned directory");
    error.help(format!(
        "`mlp add {outer}` pins it anew, and reads only what changed in it"
    ))
}

/// A path that cannot be pinned.
fn unfit(path: &str, error: &PinError, span: Span) -> Diagnostic {
    let told = |message: String| Diagnostic::error(pin::UNFIT, span, message);
    match error {
        PinError::Source(SourceProblem::Missing { near }) => {
            let near: Vec<String> = near.iter().map(|path| format!("`{path}`")).collect();
            let error = told(format!("there is no `{path}`")).at("is not there");
            match near.is_empty() {
                true => error.help("paths are seen from the folder in which you are"),
                false => error.help(format!("did you mean {}?", near.join(" or "))),
            }
        }
        PinError::Source(SourceProblem::Unfit { path, reason }) if reason.contains("changed while") => {
            changed(path, span)
        }
        PinError::Source(SourceProblem::Unfit { path, reason }) => told(format!("`{path}` {reason}"))
            .help("only regular files, folders and links that stay inside the folder can be pinned"),
        PinError::Source(SourceProblem::Unreadable { path, reason }) => {
            told(format!("`{path}` cannot be read: {reason}"))
                .help("make it readable for you: `chmod u+r`, and `u+x` for its folders")
        }
        PinError::Source(_) => told(format!("`{path}` leads out of the project"))
            .help("copy it below the folder of pipeline.mlp, or link to it from there"),
        PinError::Empty => told(format!("there are no files in `{path}`"))
            .help("a directory counts by its files; pin it when it has some"),
        PinError::Changed => changed(path, span),
        PinError::Store(error) => told(error.to_string()),
    }
}

fn changed(path: &str, span: Span) -> Diagnostic {
    let message = format!("`{path}` changed while it was read");
    Diagnostic::error(pin::UNFIT, span, message).help("pin it once nobody writes to it any more")
}

/// Where the pipeline names what a step reads at `mount`.
fn read_at(step: &Step, mount: &str) -> Option<Span> {
    let arguments = &step.origin.arguments;
    let name = mount.strip_prefix("inputs/").unwrap_or(mount);
    let found = arguments.get(name).or_else(|| arguments.get("inputs"));
    found.or_else(|| arguments.get("argv")).copied()
}

fn absent(path: &str, entry: &Entry) -> Diagnostic {
    let message = format!("`{path}` is not here: neither the project nor the store has its bytes");
    Diagnostic::error(pin::ABSENT, entry.span, message)
        .at("is pinned here")
        .help(format!(
            "put it at `{path}` again, from wherever the data is kept; `mlp status` says whether it is the right one"
        ))
}

/// The start of a source.
fn start(source: SourceId) -> Span {
    Span {
        source,
        start: 0,
        end: 0,
    }
}
