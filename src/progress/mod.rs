//! Shows a run while it goes on: on a terminal one live line a step, elsewhere plain lines. Only consumes events, so what
//! it shows can be fed and tested; talks to the model, and to the report for how numbers are written.

mod line;
mod lines;
mod live;
mod steps;

use crate::model::event::Event;
use crate::report::style::Style;
use std::io::{IsTerminal, Write};

/// A display on stderr.
#[derive(Debug)]
pub struct Display {
    steps: steps::Steps,
    style: Style,
    live: Option<live::Live>,
}

impl Display {
    /// For stderr as it is: live on a terminal, plain lines elsewhere.
    pub fn stderr(style: Style) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let live = std::io::stderr().is_terminal() && !dumb;
        Self {
            steps: steps::Steps::default(),
            style,
            live: live.then(live::Live::new),
        }
    }

    /// Takes in an event, and shows it.
    pub fn event(&mut self, event: &Event) {
        let lines = lines::lines(&self.steps, event, self.live.is_some(), self.style);
        self.steps.apply(event);
        match &mut self.live {
            Some(live) => live.show(&lines, &self.steps, self.style),
            None => {
                // Nobody may read stderr any more; the build goes on all the same.
                let mut stderr = std::io::stderr().lock();
                lines.iter().for_each(|line| drop(writeln!(stderr, "{line}")));
            }
        }
    }

    /// Takes the live lines away.
    pub fn finish(&mut self) {
        if let Some(live) = self.live.take() {
            live.clear();
        }
    }
}

#[cfg(test)]
mod tests;
