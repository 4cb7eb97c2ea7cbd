//! What is left when somebody is killed without warning: nothing.
#![expect(
    clippy::disallowed_methods,
    reason = "these tests kill a process of their own"
)]

use super::bounds::alive;
use super::{mlp_program, script};
use mlp::model::build::{Ending, Isolation};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Set for [`victim`] in the process that is to be killed: how it builds, and the mark of its build.
const VICTIM: &str = "MLP_TEST_VICTIM";

/// Waits until `done`; a machine that needs longer than a minute is taken for one on which it never comes.
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Builds for ever, where the environment says so; in an ordinary run of the tests it has nothing to do.
#[test]
fn victim() {
    let Ok(mark) = std::env::var(VICTIM) else { return };
    let mut build = script(&format!("(setsid sleep {mark} &); sleep {mark}"));
    if mark.starts_with("881") {
        build.request.isolation = Isolation::Off;
    }
    build.run();
}

#[test]
fn when_mlp_is_killed_its_builds_die() {
    for kind in ["880", "881"] {
        let mark = format!("{kind}{}", std::process::id());
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "mortality::victim"])
            .env(VICTIM, &mark)
            .env(super::ordinary_user::PROGRAM, mlp_program())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let sleeper = format!("sleep\0{mark}\0");
        wait_until("the build does not begin", || alive(&sleeper));
        victim.kill().unwrap();
        victim.wait().unwrap();
        wait_until("the build outlives mlp", || !alive(&sleeper));
    }
}

#[test]
fn a_first_process_that_is_killed_takes_its_build_along() {
    let mark = format!("882{}", std::process::id());
    let build = script(&format!("sleep {mark}; true"));
    let sleeper = format!("sleep\0{mark}\0");
    let outcome = std::thread::scope(|scope| {
        let run = scope.spawn(|| build.run());
        wait_until("the build does not begin", || alive(&sleeper));
        // The parent of the shell is the first process.
        let shell = process(&format!("/bin/sh\0-c\0sleep {mark}; true\0"));
        let status = std::fs::read_to_string(shell.join("status")).unwrap();
        let first = status
            .lines()
            .find_map(|line| line.strip_prefix("PPid:"))
            .unwrap();
        let killed = Command::new("/bin/sh")
            .args(["-c", &format!("kill -9 {first}")])
            .status();
        assert!(killed.unwrap().success());
        run.join().unwrap()
    });
    assert_eq!(outcome.ending, Ending::Signalled(9));
    assert!(!alive(&sleeper));
}

/// The directory in /proc of the process whose whole command line is `line`.
fn process(line: &str) -> PathBuf {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let is_it =
        |path: &PathBuf| std::fs::read(path.join("cmdline")).is_ok_and(|text| text == line.as_bytes());
    processes.map(|process| process.path()).find(is_it).unwrap()
}
