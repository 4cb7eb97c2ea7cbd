//! Garbage collection: what goes, in which order. `sweep` carries it out beside running builds.
//!
//! What is kept: what links to results and pinned runs lead to, what living processes pinned, and what was used lately.
//! Of the rest goes first what no record speaks of, then states of trainings, then results; of each the oldest-used first.
//! The last state of a training, its best one and those from which several go on stay longest among states; the last one
//! of a training that has not come to its end counts as a result.

use super::Store;
use super::census::{Census, Item, ItemKind};
use super::error::StoreError;
use super::pins::{self, Listener};
use super::place::Content;
use super::sweep::{Swept, sweep};
use crate::base::clock;
use crate::base::digest::Digest;
use crate::model::node::Node;
use crate::model::record::Removal;
use std::collections::{BTreeMap, BTreeSet};

/// What a collection is asked.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    /// Content that is kept: of links to results, of pinned runs.
    pub keep: BTreeSet<Node>,
    /// States that projects note for their scripts: the key of each, and when it was noted.
    pub noted: Vec<(Digest, Node, u64)>,
    /// What was used at this time or later is kept, in seconds since the epoch.
    pub since: u64,
    /// It ends as soon as the content has no more bytes than this.
    pub limit: u64,
    /// Only tell what would go.
    pub dry_run: bool,
}

/// What a collection came to.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// What went, in the order in which it did.
    pub gone: Vec<Gone>,
    /// Bytes of content that there were before.
    pub before: u64,
    /// Bytes of content that went.
    pub freed: u64,
    /// Bytes of folders of failed builds, of things put aside as damaged, and of what was half fetched, that went.
    pub leftovers: u64,
}

/// Something that went.
#[derive(Clone, Debug)]
pub struct Gone {
    /// What it was.
    pub kind: ItemKind,
    /// Its key.
    pub key: Digest,
    /// The step that made it, where that is known.
    pub step: Option<String>,
    /// The epoch after which a state stood.
    pub epoch: Option<u32>,
    /// When it was last used, in seconds since the epoch.
    pub used: u64,
    /// Bytes that went with it: what others had that went before it, too.
    pub bytes: u64,
}

impl Store {
    /// Collects garbage. Safe beside builds.
    pub fn collect(&self, collection: &Collection) -> Result<Collected, StoreError> {
        let began = match collection.dry_run {
            true => (None, pins::living(self.root())?),
            false => {
                let (listener, pinned) = Listener::begin(self.root())?.ok_or(StoreError::Collecting)?;
                (Some(listener), pinned)
            }
        };
        let (listener, pinned) = began;
        let mut census = self.census()?;
        note(&mut census, self, collection)?;
        let kept = collection.keep.iter().map(Content::of).chain(pinned);
        let mut live = census.closure.of(&self.places, kept)?;
        let recent = census.items.iter().filter(|item| item.used >= collection.since);
        live.extend(recent.flat_map(|item| item.contents.iter().copied()));
        let before = census.total();
        let chosen = choose(&census, &live, collection.limit);
        let leftovers = match before > collection.limit {
            true => self.sweep_leftovers(collection.since, collection.dry_run)?,
            false => 0,
        };
        let Some(listener) = listener else {
            return Ok(Collected {
                freed: census.bytes_of(&chosen.contents),
                gone: chosen.gone(&census, &chosen.contents),
                before,
                leftovers,
            });
        };
        let went = sweep(
            self,
            listener,
            Swept {
                census: &mut census,
                live,
                chosen: &chosen.contents,
            },
        )?;
        let gone = chosen.gone(&census, &went);
        let at = clock::since_epoch().as_secs();
        for gone in gone.iter().filter(|gone| gone.kind != ItemKind::Loose) {
            self.note_removal(gone.key, Removal { at })?;
        }
        Ok(Collected {
            freed: census.bytes_of(&went),
            gone,
            before,
            leftovers,
        })
    }
}

/// States that scripts left are states like others.
fn note(census: &mut Census, store: &Store, collection: &Collection) -> Result<(), StoreError> {
    for (key, node, used) in &collection.noted {
        let all = census.closure.of(&store.places, [Content::of(node)])?;
        let contents: BTreeSet<Content> = all
            .into_iter()
            .filter(|content| census.held.contains_key(content))
            .collect();
        // Else it would go as something that nobody speaks of.
        census
            .items
            .retain(|item| item.kind != ItemKind::Loose || item.contents != contents);
        census.items.push(Item {
            kind: ItemKind::State,
            key: *key,
            step: None,
            outputs: BTreeMap::from([(String::new(), *node)]),
            used: *used,
            run: None,
            of: None,
            contents,
        });
    }
    Ok(())
}

/// What goes.
#[derive(Debug)]
struct Chosen {
    /// Items in the order in which they go.
    items: Vec<usize>,
    contents: BTreeSet<Content>,
}

/// What goes until no more than `limit` bytes are left: of items that have something which is not `live`.
fn choose(census: &Census, live: &BTreeSet<Content>, limit: u64) -> Chosen {
    let mut holders: BTreeMap<Content, usize> = BTreeMap::new();
    let mut candidates: Vec<usize> = Vec::new();
    for (index, item) in census.items.iter().enumerate() {
        let mut own = item
            .contents
            .iter()
            .filter(|content| !live.contains(content))
            .peekable();
        if own.peek().is_some() {
            candidates.push(index);
        }
        own.for_each(|content| *holders.entry(*content).or_default() += 1);
    }
    let ranks = ranks(census);
    candidates.sort_by_key(|index| (ranks[*index], census.items[*index].used, census.items[*index].key));
    let mut left = census.total();
    let mut chosen = Chosen {
        items: Vec::new(),
        contents: BTreeSet::new(),
    };
    for index in candidates {
        if left <= limit {
            break;
        }
        chosen.items.push(index);
        for content in &census.items[index].contents {
            let Some(holders) = holders.get_mut(content) else {
                continue;
            };
            *holders -= 1;
            if *holders == 0 {
                left = left.saturating_sub(census.bytes_of([content]));
                chosen.contents.insert(*content);
            }
        }
    }
    chosen
}

impl Chosen {
    /// The items that something went of, `went` being all that went. What several had went with the last of them.
    fn gone(&self, census: &Census, went: &BTreeSet<Content>) -> Vec<Gone> {
        let mut told = BTreeSet::new();
        let gone = self.items.iter().rev().filter_map(|index| {
            let item = &census.items[*index];
            let mut own = item.contents.intersection(went).peekable();
            own.peek()?;
            let with_it: Vec<&Content> = own.filter(|content| told.insert(**content)).collect();
            Some(Gone {
                kind: item.kind,
                key: item.key,
                step: item.step.clone(),
                epoch: item.epoch(),
                used: item.used,
                bytes: census.bytes_of(with_it),
            })
        });
        let mut gone: Vec<Gone> = gone.collect();
        gone.reverse();
        gone
    }
}

/// How long something is kept in comparison; the first goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Loose,
    State,
    /// The last of a training, its best, and one from which several go on.
    NotableState,
    /// Also the last state of a training that has not come to its end.
    Result,
}

fn ranks(census: &Census) -> Vec<Rank> {
    let results = || census.items.iter().filter(|item| item.kind == ItemKind::Result);
    let ended: BTreeSet<Digest> = results().map(|item| item.key).collect();
    // A model is the weights of the best state: the very same file.
    let of_results: BTreeSet<Content> = results().flat_map(|item| item.contents.iter().copied()).collect();
    let mut after: BTreeMap<Digest, usize> = BTreeMap::new();
    for of in census.items.iter().filter_map(|item| item.of.as_ref()) {
        if let Some(before) = of.before {
            *after.entry(before).or_default() += 1;
        }
    }
    let state = |item: &Item| {
        let followers = after.get(&item.key).copied().unwrap_or(0);
        let ended = item.of.as_ref().is_some_and(|of| ended.contains(&of.training));
        match followers {
            // What a script noted is the last that it left.
            0 if item.of.is_some() && !ended => Rank::Result,
            1 if !item.contents.iter().any(|content| of_results.contains(content)) => Rank::State,
            _ => Rank::NotableState,
        }
    };
    let rank = |item: &Item| match item.kind {
        ItemKind::Loose => Rank::Loose,
        ItemKind::State => state(item),
        ItemKind::Result => Rank::Result,
    };
    census.items.iter().map(rank).collect()
}

#[cfg(test)]
#[path = "gc_tests.rs"]
mod tests;
