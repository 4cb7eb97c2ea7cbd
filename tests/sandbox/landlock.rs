//! The level of Landlock: what a program among the machine's processes cannot reach. On a kernel without Landlock nothing
//! is run, and it is said why.

use super::{Build, script};
use mlp::model::build::{Ending, Isolation};
use mlp_sandbox::landlock_version;

/// A script at this level, with an input; none where the kernel has no Landlock, which is held against the answer.
fn restricted(text: &str) -> Option<Build> {
    let mut build = script(text);
    let input = build.directory.path().join("input");
    std::fs::create_dir(&input).unwrap();
    std::fs::write(input.join("f"), "content\n").unwrap();
    std::fs::write(build.directory.path().join("secret"), "secret\n").unwrap();
    build.request.inputs.insert("inputs/a".into(), input);
    build.request.isolation = Isolation::Landlock;
    if landlock_version().is_ok() {
        return Some(build);
    }
    let Ending::NotStarted { reason, help } = build.run().ending else {
        panic!("{}", build.log())
    };
    assert!(
        reason.starts_with("cannot ask the kernel for Landlock"),
        "{reason}"
    );
    assert!(help.unwrap().contains("Landlock"));
    None
}

#[test]
fn a_build_reads_its_inputs_and_writes_its_output() {
    let Some(build) = restricted("cat inputs/a/f > $TMPDIR/x && mv $TMPDIR/x out") else {
        return;
    };
    let outcome = build.run();
    assert_eq!(build.out(&outcome), "content\n");
    assert_eq!(outcome.isolation, Isolation::Landlock);
}

#[test]
fn other_files_cannot_be_read_or_written() {
    let Some(build) = restricted(
        "cd ../..; cat secret; cat /etc/hostname; ls /; ls /etc; ls .; echo > /tmp/landlock; echo > here; echo > input/f; rm input/f; \
         ln input/f scratch/build/out; mkdir /tmp/landlock; exit 0",
    ) else {
        return;
    };
    let outcome = build.run();
    let log = build.log();
    assert_eq!(outcome.ending, Ending::Succeeded, "{log}");
    assert!(!log.contains("secret\n"), "{log}");
    let refused = log
        .lines()
        .filter(|line| line.contains("Permission denied") || line.contains("Invalid cross-device link"));
    assert_eq!(refused.count(), 11, "{log}");
    assert!(outcome.outputs.is_empty());
    let input = build.directory.path().join("input/f");
    assert_eq!(std::fs::read_to_string(input).unwrap(), "content\n");
}

#[test]
fn there_are_no_sockets_but_pairs() {
    let script = "import socket\nsocket.socketpair()\nfor family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):\n    \
                  try: socket.socket(family); print('open')\n    except PermissionError: print('refused')\n";
    let Some(mut build) = restricted("") else { return };
    build.request.argv = ["/usr/bin/env", "python3", "-c", script]
        .map(str::to_owned)
        .into();
    let outcome = build.run();
    assert_eq!(outcome.ending, Ending::Succeeded, "{}", build.log());
    assert_eq!(build.log(), "refused\n".repeat(3));
}

#[test]
fn rights_are_gone_and_others_cannot_be_signalled() {
    let Some(build) = restricted("grep -E 'CapEff|NoNewPrivs|^Seccomp:' /proc/self/status; kill -0 $PPID")
    else {
        return;
    };
    build.run();
    let log = build.log();
    assert!(log.contains("CapEff:\t0000000000000000"), "{log}");
    assert!(
        log.contains("NoNewPrivs:\t1") && log.contains("Seccomp:\t2"),
        "{log}"
    );
    // From version 6 on.
    let signals = landlock_version().is_ok_and(|version| version >= 6);
    assert_eq!(log.contains("ermitted"), signals, "{log}");
}
