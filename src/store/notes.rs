//! What is noted of steps by their names, in a local file of the project. It serves explanations and estimates alone: it may be
//! deleted at any time, and a file that cannot be read is as if it were empty.

use super::error::{StoreError, at};
use crate::base::atomic;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Notes by name.
#[derive(Debug)]
pub(super) struct Notes<T> {
    file: PathBuf,
    by_name: BTreeMap<String, T>,
    changed: bool,
}

impl<T: Serialize + DeserializeOwned> Notes<T> {
    /// What `file` says.
    pub(super) fn load(file: &Path) -> Self {
        let read = fs::read(file)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self {
            file: file.to_owned(),
            by_name: read.unwrap_or_default(),
            changed: false,
        }
    }

    /// What is noted of `name`.
    pub(super) fn get(&self, name: &str) -> Option<&T> {
        self.by_name.get(name)
    }

    /// All notes, by name.
    pub(super) fn all(&self) -> impl Iterator<Item = &T> {
        self.by_name.values()
    }

    /// Notes something of `name`, in the place of what was noted before.
    pub(super) fn put(&mut self, name: &str, note: T) {
        self.by_name.insert(name.to_owned(), note);
        self.changed = true;
    }

    /// Writes what changed.
    pub(super) fn save(&mut self) -> Result<(), StoreError> {
        if !self.changed {
            return Ok(());
        }
        let bytes =
            serde_json::to_vec(&self.by_name).map_err(|error| at("write", &self.file)(error.into()))?;
        atomic::write(&self.file, &bytes).map_err(at("write", &self.file))?;
        self.changed = false;
        Ok(())
    }
}
