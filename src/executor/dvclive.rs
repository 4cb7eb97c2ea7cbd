//! Figures that a script tells by DVCLive, which writes the last ones to `dvclive/metrics.json` in its working directory: read
//! as they come, as if they had been told on the descriptor of events.

use super::directory::Directories;
use mlp_protocol::message::Message;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, SystemTime};

/// Where DVCLive writes, unless it is told otherwise.
const FILE: &str = "dvclive/metrics.json";
/// How often it is looked at.
pub(super) const OFTEN: Duration = Duration::from_millis(500);
/// A larger file holds no figures.
const LARGEST: u64 = 1 << 20;

/// The file, as it was read last.
#[derive(Debug)]
pub(super) struct DvcLive {
    /// Below the build directory.
    path: String,
    seen: Option<(SystemTime, u64)>,
    told: BTreeMap<String, f64>,
}

impl DvcLive {
    /// Of a program that runs in `cwd`.
    pub(super) fn of(cwd: &str) -> Self {
        let lead = if cwd.is_empty() {
            String::new()
        } else {
            format!("{cwd}/")
        };
        Self {
            path: format!("{lead}{FILE}"),
            seen: None,
            told: BTreeMap::new(),
        }
    }

    /// What is new in it.
    pub(super) fn look(&mut self, directories: &Directories) -> Option<Message> {
        let path = directories.find(&self.path)?;
        let metadata = fs::symlink_metadata(&path).ok()?;
        let seen = (metadata.modified().ok()?, metadata.len());
        if !metadata.is_file() || seen.1 > LARGEST || self.seen == Some(seen) {
            return None;
        }
        // A file that is being written is read when it is whole.
        let value: Value = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        self.seen = Some(seen);
        let mut metrics = figures(&value);
        let done = metrics.remove("step").map(|step| step as u64);
        if metrics.is_empty() || metrics == self.told {
            return None;
        }
        self.told.clone_from(&metrics);
        Some(Message::Figures {
            done,
            of: None,
            metrics,
        })
    }
}

/// The finite numbers in JSON by their paths: `{"train": {"loss": 0.5}}` has `train.loss`.
pub fn figures(value: &Value) -> BTreeMap<String, f64> {
    let mut metrics = BTreeMap::new();
    flatten("", value, &mut metrics);
    metrics
}

fn flatten(at: &str, value: &Value, metrics: &mut BTreeMap<String, f64>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let name = if at.is_empty() {
                    name.clone()
                } else {
                    format!("{at}.{name}")
                };
                flatten(&name, field, metrics);
            }
        }
        value => {
            let number = value.as_f64().filter(|number| number.is_finite());
            metrics.extend(number.map(|number| (at.to_owned(), number)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_figures_have_their_path() {
        let value = serde_json::json!({ "train": { "loss": 0.5 }, "step": 3, "name": "a" });
        assert_eq!(
            figures(&value),
            [("step".to_owned(), 3.0), ("train.loss".to_owned(), 0.5)].into()
        );
    }
}
