//! Which projects use what of a store.

use super::collect::kept;
use super::project::STATE;
use crate::base::digest::Digest;
use crate::store::{Item, LastBuilt, Store, StoreError};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A project that builds into a store.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its folder.
    pub root: PathBuf,
    /// The results that it built last under each name, by resolved key.
    keys: BTreeSet<Digest>,
    /// Contents that it keeps.
    nodes: BTreeSet<crate::model::node::Node>,
}

impl Tenant {
    /// Whether an item is this project's: it came to it last, or it links to it or pins it.
    pub fn has(&self, item: &Item) -> bool {
        let is_training = item.training().is_some_and(|key| self.keys.contains(&key));
        let mut nodes = item.outputs.values();
        self.keys.contains(&item.key) || is_training || nodes.any(|node| self.nodes.contains(node))
    }
}

/// The projects that build into `store`, with what they use.
pub fn projects(store: &Store) -> Result<Vec<Tenant>, StoreError> {
    let mut found = Vec::new();
    for root in store.projects()? {
        let last = LastBuilt::load(&root.join(STATE).join("last-built"));
        let mut keys = BTreeSet::new();
        for static_key in last.keys() {
            keys.extend(store.trace(static_key)?.map(|trace| trace.resolved_key));
        }
        let nodes = kept(store, &root);
        found.push(Tenant { root, keys, nodes });
    }
    Ok(found)
}
