//! Taking away what nobody needs, beside running builds. Things are renamed to `trash/` while nobody can pin, pins are
//! looked at again, and only then is removed what is in the trash. A builder that pins something in between finds it in
//! its place, or gone: then it looks in the trash first.

use super::Store;
use super::census::{Census, entries, fanned_out};
use super::error::{StoreError, at};
use super::lease::remove_tree;
use super::pins::Listener;
use super::place::{Content, Places};
use crate::base::digest::Digest;
use crate::base::{atomic, clock};
use crate::model::node::{Entry, Node};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Things that are renamed while the gate is closed: few, so that builders wait for milliseconds.
const AT_ONCE: usize = 128;
/// Folders whose contents go when they are old.
const LEFTOVERS: [&str; 3] = ["failed", "damaged", PARTIAL];
/// What is half fetched; somebody may be at it.
const PARTIAL: &str = "partial";
/// What changed in so many last seconds somebody may still be at.
const AT_WORK: u64 = 24 * 60 * 60;

/// What a store holds besides content, in words, and its folders.
const BESIDE: [(&str, &[&str]); 6] = [
    ("records", &["r", "s", "c", "drv", "attest", "removed"]),
    ("folders of failed builds", &["failed"]),
    ("damaged, put aside", &["damaged"]),
    ("half fetched", &[PARTIAL]),
    ("work in progress", &["tmp"]),
    ("trash of a collection", &["trash"]),
];

/// What is taken away.
pub(super) struct Swept<'s> {
    pub(super) census: &'s mut Census,
    /// What stays, whatever was chosen.
    pub(super) live: BTreeSet<Content>,
    pub(super) chosen: &'s BTreeSet<Content>,
}

/// Takes away what was chosen, unless somebody pins it meanwhile. Gives what went.
pub(super) fn sweep(
    store: &Store,
    mut listener: Listener,
    swept: Swept<'_>,
) -> Result<BTreeSet<Content>, StoreError> {
    let Swept {
        census,
        mut live,
        chosen,
    } = swept;
    let places = &store.places;
    let mut went = BTreeSet::new();
    let all: Vec<Content> = chosen.iter().copied().collect();
    for some in all.chunks(AT_ONCE) {
        let (gate, pinned) = listener.close_gate()?;
        live.extend(census.closure.of(places, pinned)?);
        for content in some.iter().filter(|content| !live.contains(content)) {
            if discard(places, &places.content(*content))? {
                went.insert(*content);
            }
        }
        drop(gate);
    }
    let views: Vec<Digest> = fanned_out(&places.folder("views"))?
        .into_iter()
        .filter_map(|(name, _)| name.parse().ok())
        .collect();
    for some in views.chunks(AT_ONCE) {
        let (gate, pinned) = listener.close_gate()?;
        live.extend(census.closure.of(places, pinned)?);
        for tree in some {
            let content = Content::Tree(*tree);
            // One whose tree is not here any more holds bytes that nobody counts.
            if !live.contains(&content) && !places.tree(*tree).exists() {
                discard(places, &places.view(*tree))?;
            }
        }
        drop(gate);
    }
    let (gate, pinned) = listener.close_gate()?;
    live.extend(census.closure.of(places, pinned)?);
    for content in in_trash(places)?.intersection(&live) {
        if take_back(places, *content)? {
            went.remove(content);
        }
    }
    drop(gate);
    let trash = places.folder("trash");
    remove_tree(&trash).map_err(at("remove", &trash))?;
    Ok(went)
}

/// Puts what lies at `place` in the trash; false where nothing does.
fn discard(places: &Places, place: &Path) -> Result<bool, StoreError> {
    let trash = places.trash(place);
    let folder = trash.parent().unwrap_or(&trash);
    fs::create_dir_all(folder).map_err(at("make", folder))?;
    if place.is_dir() {
        // Renaming a folder writes its `..`, which a read-only one does not let its owner do.
        let open = fs::Permissions::from_mode(0o700);
        unless_gone(fs::set_permissions(place, open)).map_err(at("open", place))?;
        // What a collector left that was killed.
        remove_tree(&trash).map_err(at("remove", &trash))?;
    }
    let moved = unless_gone(atomic::rename(place, &trash)).map_err(at("remove", place))?;
    Ok(moved.is_some())
}

/// Puts what is in the trash where it was, unless something is there. False where it is not in the trash.
fn take_back(places: &Places, content: Content) -> Result<bool, StoreError> {
    let place = places.content(content);
    let trash = places.trash(&place);
    if place.exists() || !trash.exists() {
        return Ok(false);
    }
    let folder = place.parent().unwrap_or(&place);
    fs::create_dir_all(folder).map_err(at("make", folder))?;
    let moved = unless_gone(atomic::rename(&trash, &place)).map_err(at("take back", &place))?;
    Ok(moved.is_some())
}

/// What lies in the trash, from this collection or from one that was killed.
fn in_trash(places: &Places) -> Result<BTreeSet<Content>, StoreError> {
    let inside = Places {
        root: places.folder("trash"),
    };
    Ok(super::census::contents(&inside)?.into_keys().collect())
}

fn unless_gone<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

impl Store {
    /// Puts what of `node` is in the trash where it was; the node is pinned. True if anything was there.
    pub(super) fn rescue(&self, node: &Node) -> Result<bool, StoreError> {
        if !self.places.folder("trash").exists() {
            return Ok(false);
        }
        let mut rescued = false;
        let mut seen = BTreeSet::new();
        let mut pending = vec![*node];
        while let Some(node) = pending.pop() {
            if !seen.insert(node) {
                continue;
            }
            rescued |= take_back(&self.places, Content::of(&node))?;
            if let Node::Dir { tree } = node
                && let Ok(tree) = self.tree(tree)
            {
                pending.extend(tree.entries.values().filter_map(|entry| match entry {
                    Entry::Node(node) => Some(*node),
                    Entry::Symlink { .. } => None,
                }));
            }
        }
        Ok(rescued)
    }

    /// Removes folders of failed builds, what was put aside as damaged, and what was half fetched, from before `since`. Gives
    /// their bytes.
    pub(super) fn sweep_leftovers(&self, since: u64, dry_run: bool) -> Result<u64, StoreError> {
        let mut bytes = 0;
        for folder in LEFTOVERS {
            let since = match folder {
                PARTIAL => since.min(clock::since_epoch().as_secs().saturating_sub(AT_WORK)),
                _ => since,
            };
            for entry in entries(&self.places.folder(folder))? {
                let path = entry.path();
                let Ok(metadata) = entry.metadata() else { continue };
                if u64::try_from(metadata.ctime()).unwrap_or_default() >= since {
                    continue;
                }
                bytes += bytes_below(&path);
                if !dry_run && metadata.is_dir() {
                    remove_tree(&path).map_err(at("remove", &path))?;
                } else if !dry_run {
                    unless_gone(fs::remove_file(&path)).map_err(at("remove", &path))?;
                }
            }
        }
        Ok(bytes)
    }
}

impl Store {
    /// The bytes of what a store holds besides content, by what it is.
    pub fn beside(&self) -> Result<BTreeMap<&'static str, u64>, StoreError> {
        let mut sums: BTreeMap<&'static str, u64> = BTreeMap::new();
        for (name, folders) in BESIDE {
            let folders = folders
                .iter()
                .map(|folder| bytes_below(&self.places.folder(folder)));
            sums.insert(name, folders.sum());
        }
        Ok(sums)
    }
}

/// The bytes of a file, or of all files below a folder, as far as they can be read.
pub(super) fn bytes_below(path: &Path) -> u64 {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return 0;
    };
    if !metadata.is_dir() {
        return metadata.len();
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| bytes_below(&entry.path())).sum()
}
