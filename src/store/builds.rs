//! When steps were last built, from what, and how long that took: for explanations and estimates alone.

use super::error::StoreError;
use super::notes::Notes;
use crate::base::digest::Digest;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Durations that are kept of a step.
const KEPT: usize = 5;

/// What is remembered of steps, by their names.
#[derive(Debug)]
pub struct Builds(Notes<LastBuild>);

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
        Self(Notes::load(file))
    }

    /// The last build under `name`.
    pub fn get(&self, name: &str) -> Option<&LastBuild> {
        self.0.get(name)
    }

    /// Notes that `key` was built under `name`, where `before` was there before.
    pub fn note(&mut self, name: &str, key: Digest, before: Option<Digest>, run: &str, took_ms: u64) {
        let mut all = self
            .get(name)
            .map(|known| known.took_ms.clone())
            .unwrap_or_default();
        all.push(took_ms);
        let build = LastBuild {
            key,
            before: before.filter(|before| *before != key),
            run: run.to_owned(),
            took_ms: all.split_off(all.len().saturating_sub(KEPT)),
        };
        self.0.put(name, build);
    }

    /// Writes what changed.
    pub fn save(&mut self) -> Result<(), StoreError> {
        self.0.save()
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
