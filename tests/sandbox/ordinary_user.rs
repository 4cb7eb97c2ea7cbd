//! Runs all the other tests once more as a user without rights, where they are run by root.

#![expect(clippy::disallowed_methods, reason = "setpriv is how to become another user")]

use super::mlp_program;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// Where the copy of `mlp` lies that the user can reach.
pub(super) const PROGRAM: &str = "MLP_TEST_PROGRAM";

#[test]
fn everything_holds_for_an_ordinary_user_too() {
    let root = std::fs::metadata("/proc/self")
        .map(|own| std::os::unix::fs::MetadataExt::uid(&own))
        .unwrap()
        == 0;
    let tool = Command::new("setpriv")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !root || !tool {
        eprintln!("not run again as another user: that needs root and setpriv");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let open = std::fs::Permissions::from_mode(0o1777);
    std::fs::set_permissions(directory.path(), open).unwrap();
    let (tests, program) = (directory.path().join("tests"), directory.path().join("mlp"));
    std::fs::copy(std::env::current_exe().unwrap(), &tests).unwrap();
    std::fs::copy(mlp_program(), &program).unwrap();
    let output = Command::new("setpriv")
        .args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--inh-caps=-all",
        ])
        .arg(&tests)
        .args(["--skip", "ordinary_user"])
        .env(PROGRAM, &program)
        .env("TMPDIR", directory.path())
        .current_dir(directory.path())
        .output()
        .unwrap();
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}{errors}");
}
