//! How builds end: bounds, cancellation, processes that try to stay.

use super::{Heard, script};
use mlp::executor::Cancel;
use mlp::model::build::{BuildObserver, Ending, Isolation};
use mlp_protocol::message::Message;
use std::path::PathBuf;
use std::time::Duration;

/// The levels at which a build can be started here.
fn levels() -> Vec<Isolation> {
    let mut levels = vec![Isolation::HostTools, Isolation::Off];
    levels.extend(mlp_sandbox::landlock_version().map(|_| Isolation::Landlock));
    levels
}

/// Whether a process with `mark` in its command line is alive.
pub(super) fn alive(mark: &str) -> bool {
    let own = std::process::id().to_string();
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let number = entry.file_name();
        let is_process = number
            .to_str()
            .is_some_and(|name| name.parse::<u32>().is_ok() && name != own);
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        is_process && String::from_utf8_lossy(&line).contains(mark)
    })
}

#[test]
fn what_was_forked_off_is_killed() {
    for isolation in levels() {
        let mark = format!("86{}{}", std::process::id(), isolation as u8);
        let mut build = script(&format!(
            "(setsid sleep {mark} &) ; (sleep {mark} &); echo done > out"
        ));
        build.request.isolation = isolation;
        let outcome = build.run();
        assert_eq!(outcome.ending, Ending::Succeeded, "{}", build.log());
        assert!(!alive(&mark), "{isolation:?}");
    }
}

#[test]
fn time_is_bounded() {
    let mut build = script("sleep 1000 & sleep 1000");
    build.request.limits.time = Some(Duration::from_millis(200));
    assert_eq!(build.run().ending, Ending::OutOfTime);
}

#[test]
fn memory_is_bounded() {
    // A shell variable that doubles.
    let mut build = script("a=0123456789; while true; do a=$a$a; done");
    build.request.limits.memory = Some(64 << 20);
    assert_eq!(build.run().ending, Ending::OutOfMemory, "{}", build.log());
}

#[test]
fn processors_are_bounded_where_the_kernel_can_be_told_so() {
    let mut build = script("cat /proc/self/cgroup > out; nproc >> out");
    let unbound = build.run();
    let before = build.out(&unbound);
    build = script("cat /proc/self/cgroup > out; nproc >> out");
    build.request.limits.cpus = Some(1);
    let outcome = build.run();
    let bound = build.out(&outcome);
    // A group is kept only where its bound was taken.
    assert!(!before.contains("/mlp-"), "{before}");
    assert_eq!(bound.contains("/mlp-"), mlp_sandbox::bounds_here().1, "{bound}");
    // The step cannot tell: it sees as many processors as before.
    assert_eq!(bound.lines().last(), before.lines().last());
}

#[test]
fn disk_is_bounded() {
    let mut build = script("i=0; while true; do i=$((i+1)); head -c 1000000 /dev/zero > f$i; done");
    build.request.limits.disk = Some(20_000_000);
    assert_eq!(build.run().ending, Ending::OutOfDisk);
    let mut sparse = script("exec truncate -s 1T big");
    sparse.request.limits.disk = Some(20_000_000);
    assert_eq!(sparse.run().ending, Ending::OutOfDisk);
}

#[test]
fn files_are_counted() {
    let mut build = script("i=0; while true; do i=$((i+1)); : > f$i; done");
    build.request.limits.files = Some(1000);
    assert_eq!(build.run().ending, Ending::OutOfDisk);
}

/// Cancels as soon as the builder speaks.
struct CancelOnWord(Cancel);

impl BuildObserver for CancelOnWord {
    fn message(&mut self, _: &Message, _: Option<PathBuf>) -> Result<(), String> {
        self.0.cancel();
        Ok(())
    }
}

#[test]
fn cancelling_kills_everything() {
    for isolation in levels() {
        let mark = format!("87{}{}", std::process::id(), isolation as u8);
        let word = r#"{"type":"warning","text":"here"}"#;
        let mut build = script(&format!("sleep {mark} & echo '{word}' >&3; sleep {mark}"));
        build.request.channel = mlp::model::build::Channel::Protocol;
        build.request.isolation = isolation;
        let cancel = Cancel::new().unwrap();
        let outcome = build.run_with(&mut CancelOnWord(cancel.clone()), &cancel);
        assert_eq!(outcome.ending, Ending::Cancelled, "{}", build.log());
        assert!(!alive(&mark), "{isolation:?}");
    }
}

/// A script that says that it is there and does `then` while it waits, and is cancelled then.
fn cancelled_once_there(isolation: Isolation, then: &str) -> (super::Build, mlp::model::build::BuildOutcome) {
    let word = r#"{"type":"warning","text":"here"}"#;
    let mut build = script(&format!(
        "{then}; echo '{word}' >&3; while :; do sleep 0.01; done"
    ));
    build.request.channel = mlp::model::build::Channel::Protocol;
    build.request.isolation = isolation;
    let cancel = Cancel::new().unwrap();
    let outcome = build.run_with(&mut CancelOnWord(cancel.clone()), &cancel);
    (build, outcome)
}

#[test]
fn a_cancelled_program_may_end_in_good_order() {
    for isolation in levels() {
        let (build, outcome) = cancelled_once_there(isolation, "trap 'echo kept > out; exit 3' TERM");
        assert_eq!(outcome.ending, Ending::Cancelled, "{}", build.log());
        assert_eq!(build.out(&outcome), "kept\n");
        // What was done all the same is done.
        let (build, outcome) = cancelled_once_there(isolation, "trap 'echo done > out; exit 0' TERM");
        assert_eq!(outcome.ending, Ending::Succeeded, "{}", build.log());
    }
}

#[test]
fn a_build_that_is_cancelled_before_it_begins_does_nothing() {
    let build = script("sleep 1000");
    let cancel = Cancel::new().unwrap();
    cancel.cancel();
    assert_eq!(
        build.run_with(&mut Heard::default(), &cancel).ending,
        Ending::Cancelled
    );
}

#[test]
fn a_signal_is_told_as_one() {
    assert_eq!(script("kill -SEGV $$").run().ending, Ending::Signalled(11));
}
