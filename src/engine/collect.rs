//! Collects garbage in the store: asks the projects that build into it what they still need, and tells the store.

use super::error::EngineError;
use super::project::STATE;
use super::result_link::LINK;
use super::run_log;
use crate::base::digest::{Context, Digest};
use crate::model::event::EventKind;
use crate::model::node::Node;
use crate::pin;
use crate::store::{Collected, Collection, Store};
use mlp_lang::source::Sources;
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::SystemTime;

/// What is asked of a collection.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// What was used at this time or later is kept, in seconds since the epoch.
    pub since: u64,
    /// Bytes of content that may stay although nobody keeps them.
    pub limit: u64,
    /// Only tell what would go.
    pub dry_run: bool,
}

/// Collects garbage in `store`. Safe beside builds.
pub fn collect(store: &Store, bounds: Bounds) -> Result<Collected, EngineError> {
    let mut collection = Collection {
        since: bounds.since,
        limit: bounds.limit,
        dry_run: bounds.dry_run,
        ..Collection::default()
    };
    for root in store.projects()? {
        collection.keep.extend(kept(store, &root));
        collection.keep.extend(data(&root)?);
        collection.noted.extend(noted(&root.join(STATE).join("states")));
    }
    Ok(store.collect(&collection)?)
}

/// What the project in the folder `root` keeps: what it links to, and what its pinned runs came to.
pub(super) fn kept(store: &Store, root: &Path) -> BTreeSet<Node> {
    let linked = store.linked(&root.join(LINK));
    let pinned = pinned(&root.join(STATE).join("runs"));
    linked.into_iter().chain(pinned).collect()
}

/// The data that `mlp.lock` pins. One that cannot be read stops the collection: the only copy may be in the store.
fn data(root: &Path) -> Result<Vec<Node>, EngineError> {
    let path = root.join(pin::FILE);
    let unreadable = |reason: String| EngineError::Lock {
        path: path.clone(),
        reason,
    };
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| unreadable(error.to_string()))?,
    };
    let mut texts = Sources::default();
    let source = texts.add(pin::FILE, text.as_str());
    match pin::read(&texts, source) {
        Ok(entries) => Ok(entries.into_values().map(|entry| entry.pin.node).collect()),
        Err(told) => Err(unreadable(
            told.into_iter()
                .next()
                .map_or_else(String::new, |told| told.message),
        )),
    }
}

/// What the pinned runs came to.
fn pinned(runs: &Path) -> BTreeSet<Node> {
    let ids = run_log::list(runs).unwrap_or_default();
    let folders = ids.iter().map(|id| runs.join(id));
    let pinned = folders.filter(|folder| run_log::is_pinned(folder));
    // One without a log keeps nothing.
    let events = pinned.flat_map(|folder| run_log::read(&folder).unwrap_or_default());
    let nodes = events.flat_map(|event| match event.kind {
        EventKind::StepFinished { outputs, .. } => outputs.into_values().flatten().collect(),
        EventKind::TargetReady { node, .. } => vec![node],
        _ => Vec::new(),
    });
    nodes.collect()
}

/// The states that scripts left, with when.
fn noted(states: &Path) -> Vec<(Digest, Node, u64)> {
    let entries = fs::read_dir(states).into_iter().flatten().flatten();
    let note = |path: &Path| {
        let node = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let at = fs::metadata(path).ok()?.modified().ok()?;
        let at = at.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        Some((Digest::of(Context::Local, path.as_os_str().as_bytes()), node, at))
    };
    entries.filter_map(|entry| note(&entry.path())).collect()
}
