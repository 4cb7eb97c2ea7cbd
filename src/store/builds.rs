//! When steps were last built, from what, and how long that took: for explanations and estimates alone. A local file of
//! the project; it may be deleted at any time, and one that cannot be read is as if it were empty.

use super::error::{StoreError, at};
use crate::base::atomic;
use crate::base::digest::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Durations that are kept of a step.
const KEPT: usize = 5;

/// What is remembered of steps, by their names.
#[derive(Debug)]
pub struct Builds {
    file: PathBuf,
    steps: BTreeMap<String, LastBuild>,
    changed: bool,
}

/// The last time that a step was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastBuild {
    /// The static key that was built.
    pub key: Digest,
    /// The static key that the name had before, if it was another one.
    pub before: Option<Digest>,
    /// The run.
    pub run: String,
    /// How long builds under this name took in milliseconds, the last one last.
    took_ms: Vec<u64>,
}

impl LastBuild {
    /// How long a build of the step takes, most likely: the median of those that are remembered.
    pub fn expected_ms(&self) -> Option<u64> {
        let mut sorted = self.took_ms.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

impl Builds {
    /// What `file` says.
    pub fn load(file: &Path) -> Self {
        let steps = fs::read(file)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self {
            file: file.to_owned(),
            steps: steps.unwrap_or_default(),
            changed: false,
        }
    }

    /// The last build under `name`.
    pub fn get(&self, name: &str) -> Option<&LastBuild> {
        self.steps.get(name)
    }

    /// Notes that `key` was built under `name`, where `before` was there before.
    pub fn note(&mut self, name: &str, key: Digest, before: Option<Digest>, run: &str, took_ms: u64) {
        let mut all = self
            .steps
            .remove(name)
            .map(|known| known.took_ms)
            .unwrap_or_default();
        all.push(took_ms);
        let build = LastBuild {
            key,
            before: before.filter(|before| *before != key),
            run: run.to_owned(),
            took_ms: all.split_off(all.len().saturating_sub(KEPT)),
        };
        self.steps.insert(name.to_owned(), build);
        self.changed = true;
    }

    /// Writes what changed.
    pub fn save(&mut self) -> Result<(), StoreError> {
        if !self.changed {
            return Ok(());
        }
        let bytes = serde_json::to_vec(&self.steps).map_err(|error| at("write", &self.file)(error.into()))?;
        atomic::write(&self.file, &bytes).map_err(at("write", &self.file))?;
        self.changed = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_expected_to_take_what_the_last_ones_took() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("builds");
        let (one, other) = (Digest::of_blob(b"1"), Digest::of_blob(b"2"));
        let mut builds = Builds::load(&file);
        for took in [9000, 1, 2, 3, 500, 4] {
            builds.note("fit", other, Some(one), "r", took);
        }
        builds.note("fit", other, Some(other), "s", 5);
        builds.save().unwrap();
        let builds = Builds::load(&file);
        let fit = builds.get("fit").unwrap();
        assert_eq!(
            (fit.expected_ms(), fit.before, fit.run.as_str()),
            (Some(4), None, "s")
        );
        assert_eq!(builds.get("parts"), None);
    }
}
