//! What is remembered of a pipeline's files, each by itself, beside the digests of all that was read for it and for the files
//! that it imports. After an edit a check goes through the files that were edited, and those that import them; for the others
//! it takes what they came to.
//!
//! *Invariant*: only what a whole check found nothing to say of is remembered, and what is remembered only ever says that there
//! is nothing to say ([`mlp_lang::summary`]).

use super::super::project::STATE;
use super::super::world::ProjectWorld;
use super::entry::{decode, encode};
use super::{Asked, Noted, Project, forget_the_oldest, name};
use crate::base::atomic;
use crate::base::digest::Digest;
use mlp_lang::hir::Program;
use mlp_lang::lower::Made;
use mlp_lang::source::{Sources, World};
use mlp_lang::summary::Summaries;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// The folder in the project's local state.
const FOLDER: &str = "modules";
/// Questions that are remembered.
const KEPT: usize = 20;
/// More bytes than this are not worth reading.
const LARGEST: usize = 32 << 20;

/// What is remembered of the files of a pipeline.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::engine) struct Remembered {
    pub(in crate::engine) files: Files,
    pub(in crate::engine) summaries: Summaries,
}

/// Files that a pipeline imports, each after those that it imports itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::engine) struct Files(Vec<Module>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Module {
    path: String,
    /// It, and data, by digest.
    read: Vec<(String, Digest)>,
    /// Files of the project that it imports.
    imports: Vec<String>,
}

/// What is remembered of files that are still what they were, as are those that they import.
pub(in crate::engine) fn recall(project: &Project, settings: &[(String, String)]) -> Option<Remembered> {
    let path = project.root.join(STATE).join(FOLDER).join(question(settings)?);
    let mut known: Remembered = decode(&fs::read(path).ok()?)?;
    let world = ProjectWorld::new(&project.root);
    let is_same = |(path, digest): &(String, Digest)| {
        let read = world.read(path);
        read.is_ok_and(|bytes| Digest::of_blob(&bytes) == *digest)
    };
    let mut same: BTreeSet<String> = BTreeSet::new();
    known.files.0.retain(|module| {
        let imports_are = module.imports.iter().all(|path| same.contains(path));
        let is_same = imports_are && module.read.iter().all(is_same);
        if is_same {
            same.insert(module.path.clone());
        }
        is_same
    });
    known.summaries.retain(|path| same.contains(path));
    (!known.summaries.is_empty()).then_some(known)
}

/// Remembers what is known of files. What cannot be written costs the next check time, and nothing else.
pub(in crate::engine) fn remember(project: &Project, settings: &[(String, String)], known: &Remembered) {
    let (Some(name), Ok(state)) = (question(settings), project.state()) else {
        return;
    };
    let folder = state.join(FOLDER);
    let Some(bytes) = encode(known).filter(|bytes| bytes.len() <= LARGEST) else {
        return;
    };
    if !known.summaries.is_empty() && fs::create_dir_all(&folder).is_ok() {
        drop(atomic::write_for_now(&folder.join(name), &bytes));
        forget_the_oldest(&folder, KEPT);
    }
}

impl Files {
    /// The files of a program but its entry; `noted`: what was read for it. Of files that summaries stand for `before` knows
    /// what they were made of. None where a file changed on the way.
    pub(in crate::engine) fn of(
        (program, sources, made): (&Program, &Sources, &[Made]),
        noted: &Noted,
        before: Self,
    ) -> Option<Self> {
        let digests: BTreeMap<&str, Digest> = noted
            .files
            .iter()
            .map(|(path, digest)| (path.as_str(), *digest))
            .collect();
        let is_as_noted = |(path, digest): &(String, Digest)| {
            digests.get(path.as_str()).is_none_or(|noted| noted == digest)
        };
        if !before.0.iter().flat_map(|module| &module.read).all(is_as_noted) {
            return None;
        }
        let path = |module: usize| sources.get(program.modules[module].source).path.to_string();
        let mut wanted = BTreeSet::new();
        let mut files = before.0;
        let known: BTreeSet<String> = files.iter().map(|module| module.path.clone()).collect();
        let entry = program.modules.len().saturating_sub(1);
        for (index, module) in program.modules.iter().enumerate().take(entry) {
            if module.std {
                continue;
            }
            wanted.insert(path(index));
            if known.contains(&path(index)) {
                continue;
            }
            let made = made.get(index)?;
            let read = made
                .files
                .iter()
                .map(|file| Some((file.to_string(), *digests.get(file.as_str())?)));
            let imports = made.imports.iter().map(|import| import.0 as usize);
            files.push(Module {
                path: path(index),
                read: read.collect::<Option<_>>()?,
                imports: imports.filter(|at| !program.modules[*at].std).map(path).collect(),
            });
        }
        // What nobody imports any more is not looked at again.
        for module in files.iter().rev() {
            if wanted.contains(&module.path) {
                wanted.extend(module.imports.iter().cloned());
            }
        }
        files.retain(|module| wanted.contains(&module.path));
        Some(Self(files))
    }

    /// What was noted, and what is known of these files.
    pub(in crate::engine) fn noted(&self, noted: &Noted) -> Noted {
        let own = self.0.iter().flat_map(|module| &module.read);
        let all: BTreeMap<String, Digest> = noted.files.iter().chain(own).cloned().collect();
        Noted {
            files: all.into_iter().collect(),
        }
    }
}

/// The name of a question's file.
fn question(settings: &[(String, String)]) -> Option<String> {
    name(Asked {
        targets: &[],
        settings,
    })
}
