//! The graph cache: what a pipeline came to, beside all that was read for it. Where none of that has changed, the pipeline is
//! not read again, and what stands before its targets is not even thought of.
//!
//! *Invariant*: what is remembered is a function of what is noted with it: this very program, the processor's class, targets,
//! settings, every byte that the language read, the content of every source and all that is hashed of the environments. Only
//! what was found without a word to the user is remembered, so that nothing is ever left unsaid. A file of the cache may be
//! deleted at any time; one that is damaged is as if it were not there.

mod entry;
mod modules;
mod reading;

pub(super) use entry::Known;
pub(super) use modules::{Files, Remembered, recall as recall_files, remember as remember_files};
pub(super) use reading::{Noted, Reading};

use super::project::Project;
use super::workspace::{Instance, Workspace};
use super::world::ProjectWorld;
use crate::base::digest::{Context, Digest};
use crate::base::{atomic, processor};
use crate::model::node::Node;
use crate::model::record::DIVERGED;
use crate::plan::{Found, Plan};
use entry::{Entry, decode, encode};
use mlp_lang::source::World;
use rayon::prelude::*;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The folder in the project's local state.
const FOLDER: &str = "graphs";
/// Questions that are remembered; those that were answered longest ago go.
const KEPT: usize = 100;

/// What is asked of a pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The targets as they are written; none for a check of everything.
    pub targets: &'a [String],
    /// Values of params from outside.
    pub settings: &'a [(String, String)],
}

/// Whether a check found nothing to say when the pipeline's files were what they are.
pub(super) fn is_known_to_be_clean(project: &Project, settings: &[(String, String)]) -> bool {
    let asked = Asked {
        targets: &[],
        settings,
    };
    entry(project, asked).is_some()
}

/// Remembers that a check of what was `noted` found nothing to say.
pub(super) fn remember_clean(project: &Project, settings: &[(String, String)], noted: &Noted) {
    let asked = Asked {
        targets: &[],
        settings,
    };
    save(project, asked, Some(noted), None);
}

/// A workspace with the steps that the targets are outputs of and a plan that only reuses, if nothing that leads to them has
/// changed since they were remembered, and every byte of them is there. Whatever is in the way is found again, and told of, on
/// the way without memory.
///
/// What stands before these steps is not in the graph: it serves to find results, never to build any.
pub fn recall(project: &Project, asked: Asked<'_>) -> Option<(Workspace, Instance, Plan)> {
    let known = entry(project, asked)?.graph?;
    let workspace = Workspace::open(project.clone()).ok()?;
    let instance = workspace.recalled(&known)?;
    let plan = workspace.plan(&instance, false).ok()?;
    let used = plan.used(&instance.graph);
    let is_there = |node: &Node| workspace.store.is_whole(node);
    // What diverged is told of, with its place.
    let diverged = |found: &Found| found.outputs.contains_key(DIVERGED);
    let has_results = plan.todo().is_empty() && !plan.reused().any(|(_, found)| diverged(found));
    let is_there = has_results && used.par_iter().all(is_there);
    is_there.then_some((workspace, instance, plan))
}

/// Remembers what the targets came to, where there was nothing to say about it. What cannot be written costs the next run
/// time, and nothing else.
pub fn remember(workspace: &Workspace, asked: Asked<'_>, noted: Option<&Noted>, instance: &Instance) {
    if let Some(known) = Known::of(instance) {
        save(workspace.project(), asked, noted, Some(known));
    }
}

/// What is remembered, if every file that the language read is as it was.
fn entry(project: &Project, asked: Asked<'_>) -> Option<Entry> {
    let path = project.root.join(crate::engine::project::STATE).join(FOLDER);
    let entry = decode::<Entry>(&fs::read(path.join(name(asked)?)).ok()?)?;
    let world = ProjectWorld::new(&project.root);
    let is_same = |(path, digest): &(String, Digest)| {
        world
            .read(path)
            .is_ok_and(|bytes| Digest::of_blob(&bytes) == *digest)
    };
    entry.read.iter().all(is_same).then_some(entry)
}

fn save(project: &Project, asked: Asked<'_>, noted: Option<&Noted>, graph: Option<Known>) {
    let (Some(noted), Some(name), Ok(state)) = (noted, name(asked), project.state()) else {
        return;
    };
    let folder = state.join(FOLDER);
    let entry = Entry {
        read: noted.files.clone(),
        graph,
    };
    let Some(bytes) = encode(&entry) else { return };
    let path = folder.join(name);
    if fs::read(&path).is_ok_and(|old| old == bytes) {
        return;
    }
    if fs::create_dir_all(&folder).is_ok() {
        drop(atomic::write_for_now(&path, &bytes));
        forget_the_oldest(&folder, KEPT);
    }
}

/// The name of a question's file: it stands for all that decides an answer and is not in a file.
fn name(asked: Asked<'_>) -> Option<String> {
    let own = fs::metadata(std::env::current_exe().ok()?).ok()?;
    let program = (own.len(), own.mtime(), own.mtime_nsec(), own.ino());
    let question = serde_json::to_vec(&(
        env!("CARGO_PKG_VERSION"),
        program,
        processor::class(),
        asked.targets,
        asked.settings,
    ));
    Some(Digest::of(Context::Local, &question.ok()?).to_string())
}

fn forget_the_oldest(folder: &Path, kept: usize) {
    let age = |entry: fs::DirEntry| -> Option<(SystemTime, PathBuf)> {
        Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
    };
    let mut files: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| age(entry.ok()?))
        .collect();
    files.sort();
    for (_, path) in files.iter().take(files.len().saturating_sub(kept)) {
        drop(fs::remove_file(path));
    }
}

#[cfg(test)]
mod tests;
