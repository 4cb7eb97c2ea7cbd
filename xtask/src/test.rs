//! `cargo xtask test`: everything that has to hold before anything lands.

use crate::{editors, libtorch, machine, peers, shell};
use std::env;
use std::ffi::OsString;
use std::time::{Duration, Instant};

/// What is run, in order: cheap and likely to fail first. The trainer is built before the tests that start it; doc tests
/// are part of `cargo test`.
const STEPS: &[(&str, &str)] = &[
    ("format", "cargo fmt --all --check"),
    ("clippy", "cargo clippy --workspace --all-targets -- -D warnings"),
    ("programs", "cargo build --workspace --bins"),
    ("tests", "cargo test --workspace --no-fail-fast"),
];

/// Runs every step, also after one has failed, and sums up in one line.
pub(crate) fn run() -> Result<(), String> {
    machine::check()?;
    let torch = libtorch::ensure()?;
    let path = path_with_node();
    let start = Instant::now();
    let mut failed = Vec::new();
    let mut times = Vec::new();
    for (name, line) in STEPS {
        // A snapshot that has changed is a failure here; `cargo insta review` is for people.
        let mut command = shell::command(line);
        command.env("LIBTORCH", &torch).env("INSTA_UPDATE", "no");
        // What passes today passes tomorrow; other seeds are for fuzzing, and for `cargo test` by hand.
        command.env("PROPTEST_RNG_SEED", "1");
        command.envs(path.iter().map(|path| ("PATH", path)));
        let began = Instant::now();
        if let Err(message) = shell::run(&mut command) {
            eprintln!("xtask: {message}");
            failed.push(*name);
        }
        times.push(format!("{name} {}", seconds(began.elapsed())));
    }
    let began = Instant::now();
    if let Err(message) = editors::test(path.as_deref()) {
        eprintln!("xtask: {message}");
        failed.push("editors");
    }
    times.push(format!("editors {}", seconds(began.elapsed())));
    let summary = format!("{} in {}", times.join(", "), seconds(start.elapsed()));
    if failed.is_empty() {
        eprintln!("xtask test: passed ({summary})");
        Ok(())
    } else {
        Err(format!("test: FAILED: {} ({summary})", failed.join(", ")))
    }
}

/// The search path with a Node.js in it; none where there is one already, or none can be had. Without it the tests of the
/// grammars for editors fail and say so.
fn path_with_node() -> Option<OsString> {
    let is_there = |line: &str| shell::output(&mut shell::command(line)).is_some();
    if is_there("node --version") && is_there("npm --version") {
        return None;
    }
    let programs = peers::ensure(&peers::NODE)?;
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(std::iter::once(programs).chain(env::split_paths(&path))).ok()
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs())
}
