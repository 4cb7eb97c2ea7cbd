//! What is in a store: what keys came to, with when it was last used, and which bytes belong to what. Reads names, sizes,
//! records and trees; of files no content.

use super::Store;
use super::error::{StoreError, at};
use super::place::{Content, Places, RecordKind};
use super::{read, record};
use crate::base::digest::Digest;
use crate::model::node::{Entry, Node};
use crate::model::record::{ChainState, Realisation, StateOf};
use rayon::prelude::*;
use std::collections::btree_map::Entry as MapEntry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirEntry, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What is in a store.
#[derive(Clone, Debug)]
pub struct Census {
    /// Results, states of trainings, and what belongs to neither; those whose bytes are gone are left out.
    pub items: Vec<Item>,
    pub(super) held: BTreeMap<Content, Held>,
    pub(super) closure: Closure,
}

/// Something that stays or goes as one.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// The resolved key of a result, the chain key of a state, the digest of anything else.
    pub key: Digest,
    /// The step that made it, where that is known.
    pub step: Option<String>,
    /// Outputs by name: one without a name where it is no result.
    pub outputs: BTreeMap<String, Node>,
    /// When it was last used, in seconds since the epoch.
    pub used: u64,
    /// The run that built it.
    pub run: Option<String>,
    pub(super) of: Option<StateOf>,
    /// What of it is here.
    pub(super) contents: BTreeSet<Content>,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// What a resolved key came to.
    Result,
    /// A state of a training.
    State,
    /// Content that no record speaks of: copies of sources, what an interrupted build left.
    Loose,
}

/// A content that is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) bytes: u64,
    /// When its inode changed last: when it was put, or got another name.
    pub(super) changed: u64,
}

impl Item {
    /// The epoch after which a state stands.
    pub fn epoch(&self) -> Option<u32> {
        self.of.as_ref().map(|of| of.epoch)
    }

    /// The resolved key of the training that a state is of.
    pub fn training(&self) -> Option<Digest> {
        self.of.as_ref().map(|of| of.training)
    }
}

impl Census {
    /// The bytes of an item.
    pub fn bytes(&self, item: &Item) -> u64 {
        self.bytes_of(&item.contents)
    }

    /// The bytes of items together: what they share counts once.
    pub fn bytes_together<'i>(&self, items: impl IntoIterator<Item = &'i Item>) -> u64 {
        let all: BTreeSet<Content> = items
            .into_iter()
            .flat_map(|item| item.contents.iter().copied())
            .collect();
        self.bytes_of(&all)
    }

    /// The bytes that would go with the items: what nothing else has.
    pub fn bytes_alone(&self, items: &[&Item]) -> u64 {
        let own: BTreeSet<*const Item> = items.iter().map(|item| std::ptr::from_ref(*item)).collect();
        let others = self
            .items
            .iter()
            .filter(|item| !own.contains(&std::ptr::from_ref(*item)));
        let shared: BTreeSet<Content> = others.flat_map(|item| item.contents.iter().copied()).collect();
        let all = items.iter().flat_map(|item| item.contents.iter().copied());
        let alone: BTreeSet<Content> = all.filter(|content| !shared.contains(content)).collect();
        self.bytes_of(&alone)
    }

    /// The bytes of all content.
    pub fn total(&self) -> u64 {
        self.held.values().map(|held| held.bytes).sum()
    }

    pub(super) fn bytes_of<'c>(&self, contents: impl IntoIterator<Item = &'c Content>) -> u64 {
        let held = contents.into_iter().filter_map(|content| self.held.get(content));
        held.map(|held| held.bytes).sum()
    }
}

impl Store {
    /// Looks through the store. A tree that is damaged is an error: nobody knows what belongs to it.
    pub fn census(&self) -> Result<Census, StoreError> {
        self.census_past(&BTreeSet::new())
    }

    /// The same; trees that are known to be `damaged` lead nowhere.
    pub(super) fn census_past(&self, damaged: &BTreeSet<Content>) -> Result<Census, StoreError> {
        // Records first: the objects of those that are seen are then seen, too.
        let mut items = self.results()?;
        items.extend(self.states()?);
        let mut census = Census {
            items,
            held: contents(&self.places)?,
            closure: Closure::past(damaged),
        };
        let Census { items, held, closure } = &mut census;
        for item in items.iter_mut() {
            let all = closure.of(&self.places, item.outputs.values().map(Content::of))?;
            item.contents = all
                .into_iter()
                .filter(|content| held.contains_key(content))
                .collect();
        }
        items.retain(|item| !item.contents.is_empty());
        self.add_loose(&mut census)?;
        Ok(census)
    }

    fn results(&self) -> Result<Vec<Item>, StoreError> {
        let found = records(&self.places, RecordKind::Realisation)?;
        let results = found.into_par_iter().filter_map(|(key, used)| {
            let realisation: Realisation =
                record::get(&self.places.record(RecordKind::Realisation, key)).ok()??;
            let made = self.attested(key).ok().flatten();
            let (step, run) = made.map(|made| (made.step, made.run)).unzip();
            let outputs = realisation.outputs.into_iter();
            Some(Item {
                kind: ItemKind::Result,
                key,
                step,
                outputs: outputs.filter_map(|(name, node)| Some((name, node?))).collect(),
                used,
                run,
                of: None,
                contents: BTreeSet::new(),
            })
        });
        Ok(results.collect())
    }

    fn states(&self) -> Result<Vec<Item>, StoreError> {
        let found = records(&self.places, RecordKind::Chain)?;
        let states = found.into_par_iter().filter_map(|(key, used)| {
            let ChainState { state, of } =
                record::get(&self.places.record(RecordKind::Chain, key)).ok()??;
            Some(Item {
                kind: ItemKind::State,
                key,
                step: of.as_ref().map(|of| of.step.clone()),
                outputs: BTreeMap::from([(String::new(), state)]),
                used,
                run: None,
                of,
                contents: BTreeSet::new(),
            })
        });
        Ok(states.collect())
    }

    /// What no record leads to. A directory that is part of another one is no item of its own.
    fn add_loose(&self, census: &mut Census) -> Result<(), StoreError> {
        let Census { items, held, closure } = census;
        let known: BTreeSet<Content> = items
            .iter()
            .flat_map(|item| item.contents.iter().copied())
            .collect();
        let loose: BTreeMap<Content, Held> = held
            .iter()
            .filter(|(content, _)| !known.contains(content))
            .map(|(content, held)| (*content, *held))
            .collect();
        let mut inner: BTreeSet<Content> = BTreeSet::new();
        for content in loose.keys() {
            inner.extend(closure.children(&self.places, *content)?);
        }
        for (content, held_itself) in loose.iter().filter(|(content, _)| !inner.contains(content)) {
            let all = closure.of(&self.places, [*content])?;
            let (Content::File { digest: key, .. } | Content::Tree(key)) = *content;
            items.push(Item {
                kind: ItemKind::Loose,
                key,
                step: None,
                outputs: BTreeMap::new(),
                used: held_itself.changed,
                run: None,
                of: None,
                contents: all
                    .into_iter()
                    .filter(|content| held.contains_key(content))
                    .collect(),
            });
        }
        Ok(())
    }
}

/// What trees lead to, each read once.
#[derive(Clone, Debug, Default)]
pub(super) struct Closure {
    known: BTreeMap<Digest, Vec<Content>>,
}

impl Closure {
    fn past(damaged: &BTreeSet<Content>) -> Self {
        let trees = damaged.iter().filter_map(|content| match content {
            Content::Tree(digest) => Some((*digest, Vec::new())),
            Content::File { .. } => None,
        });
        Self {
            known: trees.collect(),
        }
    }

    /// `starts` and all that they lead to. What is not here leads nowhere, unless it was here when it was asked before.
    pub(super) fn of(
        &mut self,
        places: &Places,
        starts: impl IntoIterator<Item = Content>,
    ) -> Result<BTreeSet<Content>, StoreError> {
        let mut seen = BTreeSet::new();
        let mut pending: Vec<Content> = starts.into_iter().collect();
        while let Some(content) = pending.pop() {
            if seen.insert(content) {
                pending.extend(self.children(places, content)?);
            }
        }
        Ok(seen)
    }

    fn children(&mut self, places: &Places, content: Content) -> Result<&[Content], StoreError> {
        let Content::Tree(digest) = content else {
            return Ok(&[]);
        };
        match self.known.entry(digest) {
            MapEntry::Occupied(known) => Ok(known.into_mut()),
            MapEntry::Vacant(unknown) => {
                let tree = match read::tree(places, digest) {
                    Err(StoreError::Missing(_)) => return Ok(&[]),
                    other => other?,
                };
                let nodes = tree.entries.values().filter_map(|entry| match entry {
                    Entry::Node(node) => Some(Content::of(node)),
                    Entry::Symlink { .. } => None,
                });
                Ok(unknown.insert(nodes.collect()))
            }
        }
    }
}

/// The keys of a kind of record, with when each was last used.
pub(super) fn records(places: &Places, kind: RecordKind) -> Result<Vec<(Digest, u64)>, StoreError> {
    let found = fanned_out(&places.folder(kind.folder()))?.into_iter();
    let key = |(name, metadata): (String, Metadata)| Some((name.parse().ok()?, seconds(metadata.mtime())));
    Ok(found.filter_map(key).collect())
}

/// All content, with its size.
pub(super) fn contents(places: &Places) -> Result<BTreeMap<Content, Held>, StoreError> {
    let file = |name: &str| {
        let digest = name.strip_suffix("-x");
        Some(Content::File {
            executable: digest.is_some(),
            digest: digest.unwrap_or(name).parse().ok()?,
        })
    };
    let tree = |name: &str| Some(Content::Tree(name.parse().ok()?));
    let held = |metadata: &Metadata| Held {
        bytes: metadata.len(),
        changed: seconds(metadata.ctime()),
    };
    let mut all = BTreeMap::new();
    for (name, metadata) in fanned_out(&places.folder("objects"))? {
        all.extend(file(&name).map(|content| (content, held(&metadata))));
    }
    for (name, metadata) in fanned_out(&places.folder("trees"))? {
        all.extend(tree(&name).map(|content| (content, held(&metadata))));
    }
    Ok(all)
}

/// What lies in a folder that is fanned out, by whole name. What goes meanwhile is passed over.
pub(super) fn fanned_out(folder: &Path) -> Result<Vec<(String, Metadata)>, StoreError> {
    let fans = entries(folder)?;
    let found: Vec<Vec<(String, Metadata)>> = fans
        .par_iter()
        .filter(|fan| fan.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|fan| {
            let first = fan.file_name();
            let named = entries(&fan.path())?.into_iter().filter_map(|entry| {
                let name = format!("{}{}", first.to_str()?, entry.file_name().to_str()?);
                Some((name, entry.metadata().ok()?))
            });
            Ok(named.collect())
        })
        .collect::<Result<_, StoreError>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// The entries of a folder; none where it is not there.
pub(super) fn entries(folder: &Path) -> Result<Vec<DirEntry>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(at("read", folder))?,
    };
    entries
        .map(|entry| entry.map_err(at("read", folder)))
        .filter(|entry| !matches!(entry, Err(StoreError::Io { cause, .. }) if cause.kind() == ErrorKind::NotFound))
        .collect()
}

fn seconds(at: i64) -> u64 {
    u64::try_from(at).unwrap_or_default()
}
