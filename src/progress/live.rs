//! Live lines on a terminal, by indicatif: a heading, and one line for each step under way.

use super::line;
use super::steps::Steps;
use crate::report::style::Style;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often the spinners turn.
const TICK: Duration = Duration::from_millis(120);

#[derive(Debug)]
pub(super) struct Live {
    all: MultiProgress,
    heading: ProgressBar,
    steps: BTreeMap<String, ProgressBar>,
}

impl Live {
    pub(super) fn new() -> Self {
        let all = MultiProgress::new();
        let heading = all.add(ProgressBar::no_length());
        heading.set_style(template("{msg}  {elapsed}"));
        heading.enable_steady_tick(Duration::from_millis(500));
        Self {
            all,
            heading,
            steps: BTreeMap::new(),
        }
    }

    /// Prints lines that stay, and brings the live ones up to date.
    pub(super) fn show(&mut self, lines: &[String], steps: &Steps, style: Style) {
        for line in lines {
            // A terminal that has gone away is no reason to stop a build.
            drop(self.all.println(line));
        }
        self.steps.retain(|name, bar| {
            let under_way = steps.running.contains_key(name);
            if !under_way {
                bar.finish_and_clear();
                self.all.remove(bar);
            }
            under_way
        });
        let width = steps
            .running
            .keys()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or(0);
        for (name, running) in &steps.running {
            let bar = self.steps.entry(name.clone()).or_insert_with(|| {
                let bar = self.all.add(ProgressBar::no_length());
                bar.set_style(template("{spinner} {prefix} {elapsed:>3}  {wide_msg}"));
                bar.enable_steady_tick(TICK);
                bar
            });
            bar.set_prefix(format!(
                "{}{}",
                style.bold(name),
                " ".repeat(width - name.chars().count())
            ));
            bar.set_message(line::line(running, style));
        }
        if steps.planned > 0 {
            let heading = format!("building: {} of {} steps done", steps.ended, steps.planned);
            self.heading.set_message(heading);
        }
    }

    /// Takes all live lines away.
    pub(super) fn clear(self) {
        self.steps.values().for_each(ProgressBar::finish_and_clear);
        self.heading.finish_and_clear();
    }
}

/// A style of one line; the plain one where indicatif refuses the template.
fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
