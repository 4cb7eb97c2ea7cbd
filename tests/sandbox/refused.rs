//! A machine that refuses namespaces: nothing is run, and it is said what an administrator would set.
#![expect(
    clippy::disallowed_methods,
    reason = "unshare makes a place in which the kernel refuses"
)]

use super::{mlp_program, script};
use mlp::model::build::{Ending, Isolation};
use std::process::Command;

/// Set where user namespaces are off.
const REFUSED: &str = "MLP_TEST_REFUSED";

/// What a build comes to there; in an ordinary run of the tests it has nothing to do.
#[test]
fn inside() {
    if std::env::var_os(REFUSED).is_none() {
        return;
    }
    let build = script("touch out");
    let outcome = build.run();
    let Ending::NotStarted { reason, help } = outcome.ending else {
        panic!("{outcome:?}")
    };
    let operation = "create the namespaces of a sandbox (user, mount, pid, network, ipc, uts)";
    assert_eq!(reason, format!("cannot {operation}: No space left on device"));
    let help = help.unwrap();
    assert!(help.contains("sysctl -w user.max_user_namespaces"), "{help}");
    assert!(outcome.outputs.is_empty());

    let mut levels = vec![Isolation::Off];
    levels.extend(mlp_sandbox::landlock_version().map(|_| Isolation::Landlock));
    for isolation in levels {
        let mut build = script("touch out");
        build.request.isolation = isolation;
        assert_eq!(build.run().ending, Ending::Succeeded, "{}", build.log());
    }
}

#[test]
fn a_kernel_that_allows_no_namespaces_is_explained() {
    // A user namespace whose own limit is zero: nothing changes outside.
    let inner = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" --exact refused::inside";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "sh", "-c", inner])
        .arg(std::env::current_exe().unwrap())
        .env(REFUSED, "1")
        .env(super::ordinary_user::PROGRAM, mlp_program())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
