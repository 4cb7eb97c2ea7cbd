//! Tests of the whole: what holds between modules ([`tidy`]), and whole commands on projects of their own. One program, so
//! that it is linked once.
//!
//! Whole commands are started as people start them; what they print is a snapshot with paths, times and digests left out.
//! They are slow, so a test belongs here only where nothing smaller can hold the same. CONTRIBUTING.md says how to add one.
#![expect(
    clippy::unwrap_used,
    reason = "a test may panic; clippy knows only functions marked #[test]"
)]

mod bad_data;
mod bad_pipeline;
mod commands;
mod depends;
mod diff;
mod diverged;
mod doctor;
mod drafts;
mod editors;
mod environments;
mod extremes;
mod faults;
mod feedback;
mod fetch;
mod flakes;
mod gc;
mod images;
mod interrupted;
mod kept;
mod lsp;
mod notebook;
mod own_flake;
mod pinned;
mod process;
mod project;
mod python;
mod rebuilds;
mod redact;
mod remembered;
mod repl;
mod runs;
mod same_bits;
mod shell;
mod states;
mod step_failures;
mod step_parts;
mod steps;
mod store;
mod tidy;
mod trace;
mod traced;
mod typed_outputs;
mod ui;
mod watch;
mod web;
mod why;
