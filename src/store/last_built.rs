//! Which derivation was last built under a name: for reasons alone. A local file of the project; it may be deleted at
//! any time, and one that cannot be read is as if it were empty.

use super::error::{StoreError, at};
use crate::base::atomic;
use crate::base::digest::Digest;
use crate::model::graph::{Graph, StepId};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Static keys by name.
#[derive(Debug)]
pub struct LastBuilt {
    file: PathBuf,
    keys: BTreeMap<String, Digest>,
    changed: bool,
}

impl LastBuilt {
    /// What `file` says.
    pub fn load(file: &Path) -> Self {
        let keys = fs::read(file)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self {
            file: file.to_owned(),
            keys: keys.unwrap_or_default(),
            changed: false,
        }
    }

    /// The static key that was last built under `name`.
    pub fn get(&self, name: &str) -> Option<Digest> {
        self.keys.get(name).copied()
    }

    /// The static keys that were last built under any name.
    pub fn keys(&self) -> impl Iterator<Item = Digest> + '_ {
        self.keys.values().copied()
    }

    /// Notes that every step of `graph` for which `done` holds has its result.
    pub fn note(&mut self, graph: &Graph, done: impl Fn(StepId) -> bool) {
        for (index, step) in graph.steps.iter().enumerate() {
            if !done(StepId(index as u32)) {
                continue;
            }
            for name in &step.names {
                if self.get(name) != Some(step.static_key) {
                    self.keys.insert(name.clone(), step.static_key);
                    self.changed = true;
                }
            }
        }
    }

    /// Writes what changed.
    pub fn save(&mut self) -> Result<(), StoreError> {
        if !self.changed {
            return Ok(());
        }
        let bytes = serde_json::to_vec(&self.keys).map_err(|error| at("write", &self.file)(error.into()))?;
        atomic::write(&self.file, &bytes).map_err(at("write", &self.file))?;
        self.changed = false;
        Ok(())
    }
}
