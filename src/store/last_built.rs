//! Which derivation was last built under a name: for reasons alone.

use super::error::StoreError;
use super::notes::Notes;
use crate::base::digest::Digest;
use crate::model::graph::{Graph, StepId};
use std::path::Path;

/// Static keys by name.
#[derive(Debug)]
pub struct LastBuilt(Notes<Digest>);

impl LastBuilt {
    /// What `file` says.
    pub fn load(file: &Path) -> Self {
        Self(Notes::load(file))
    }

    /// The static key that was last built under `name`.
    pub fn get(&self, name: &str) -> Option<Digest> {
        self.0.get(name).copied()
    }

    /// The static keys that were last built under any name.
    pub fn keys(&self) -> impl Iterator<Item = Digest> + '_ {
        self.0.all().copied()
    }

    /// Notes that every step of `graph` for which `done` holds has its result.
    pub fn note(&mut self, graph: &Graph, done: impl Fn(StepId) -> bool) {
        for (index, step) in graph.steps.iter().enumerate() {
            if !done(StepId(index as u32)) {
                continue;
            }
            for name in &step.names {
                if self.get(name) != Some(step.static_key) {
                    self.0.put(name, step.static_key);
                }
            }
        }
    }

    /// Writes what changed.
    pub fn save(&mut self) -> Result<(), StoreError> {
        self.0.save()
    }
}
