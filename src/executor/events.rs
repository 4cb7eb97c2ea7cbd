//! What a command tells while it runs: JSON lines on the descriptor that `MLP_EVENTS` names. No field is needed, and what is
//! not understood is no failure: a script that tells nothing, or too much, builds the same.

use mlp_protocol::message::Message;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The variable that names the descriptor.
pub(super) const EVENTS_VARIABLE: &str = "MLP_EVENTS";

/// Progress is passed on at most so often: a script may tell it in its innermost loop.
const AT_MOST: Duration = Duration::from_millis(100);

/// A line.
#[derive(Debug, Deserialize)]
struct Told {
    /// Units done.
    done: Option<u64>,
    /// Units in all.
    of: Option<u64>,
    /// What is counted, in plural.
    unit: Option<String>,
    /// Figures so far: `loss`, `accuracy`.
    #[serde(default)]
    metrics: BTreeMap<String, f64>,
    /// A word to the user.
    warning: Option<String>,
}

/// Reads lines, and remembers what was told when.
#[derive(Debug, Default)]
pub(super) struct Events {
    last: Option<Instant>,
    complained: bool,
}

impl Events {
    /// What a line comes to.
    pub(super) fn read(&mut self, line: &[u8]) -> Vec<Message> {
        let Ok(told) = serde_json::from_slice::<Told>(line) else {
            if std::mem::replace(&mut self.complained, true) {
                return Vec::new();
            }
            let shown: String = String::from_utf8_lossy(line).chars().take(80).collect();
            let text = format!(
                "`{shown}` on {EVENTS_VARIABLE} is no event: one is a JSON object a line, `{{\"done\": 3, \"of\": 10}}`"
            );
            return vec![Message::Warning { text }];
        };
        let mut messages: Vec<Message> = told
            .warning
            .map(|text| Message::Warning { text })
            .into_iter()
            .collect();
        let is_last = told.done.is_some() && told.done == told.of;
        if !is_last && self.last.is_some_and(|last| last.elapsed() < AT_MOST) {
            return messages;
        }
        if let Some(done) = told.done {
            let unit = told.unit.unwrap_or_else(|| "done".to_owned());
            messages.push(Message::Progress {
                done,
                total: told.of,
                unit,
            });
        }
        if !told.metrics.is_empty() {
            messages.push(Message::Figures {
                done: told.done,
                of: told.of,
                metrics: told.metrics,
            });
        }
        if !messages.is_empty() {
            self.last = Some(Instant::now());
        }
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_progress_figures_and_warnings() {
        let mut events = Events::default();
        let told =
            events.read(br#"{"done": 3, "of": 10, "unit": "epochs", "metrics": {"loss": 0.5}, "more": 1}"#);
        assert_eq!(
            told,
            [
                Message::Progress {
                    done: 3,
                    total: Some(10),
                    unit: "epochs".into()
                },
                Message::Figures {
                    done: Some(3),
                    of: Some(10),
                    metrics: [("loss".to_owned(), 0.5)].into()
                },
            ]
        );
        // Too soon for another, but a warning and the last are always passed on.
        assert_eq!(events.read(br#"{"done": 4, "of": 10}"#), []);
        assert_eq!(
            events.read(br#"{"done": 5, "warning": "slow"}"#),
            [Message::Warning { text: "slow".into() }]
        );
        assert_eq!(events.read(br#"{"done": 10, "of": 10}"#).len(), 1);
    }

    #[test]
    fn what_is_no_event_is_said_once() {
        let mut events = Events::default();
        assert!(
            matches!(&events.read(b"hello")[..], [Message::Warning { text }] if text.starts_with("`hello`"))
        );
        assert_eq!(events.read(b"hello again"), []);
    }
}
