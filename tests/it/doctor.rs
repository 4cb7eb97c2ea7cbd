//! `mlp doctor`: what it says here, and on a machine that refuses.
#![expect(
    clippy::disallowed_methods,
    reason = "unshare makes a place in which the kernel refuses"
)]

use crate::project::{Project, Ran};
use serde_json::Value;
use std::process::Command;

fn checks(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}\n{}{}", ran.out, ran.err))
}

fn check<'c>(found: &'c Value, name: &str) -> &'c Value {
    let mut checks = found["checks"].as_array().unwrap().iter();
    checks.find(|check| check["name"] == name).unwrap_or(&Value::Null)
}

#[test]
fn a_machine_on_which_the_tests_run_can_build() {
    let ran = Project::new("").run(&["doctor", "--format", "json"]);
    let found = checks(&ran);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    assert_eq!(found["can_build"], true);
    for name in ["kernel", "namespaces", "seccomp", "notification", "store"] {
        assert_eq!(check(&found, name)["health"], "good", "{}", ran.out);
    }
    for name in [
        "landlock",
        "cgroups",
        "space",
        "mlp-data",
        "mlp-trainer",
        "processor",
        "gpus",
        "nix",
        "python",
        "git",
    ] {
        assert!(check(&found, name)["says"].is_string(), "{name}: {}", ran.out);
    }
}

#[test]
fn a_machine_without_namespaces_is_told_what_to_set() {
    let project = Project::new("");
    let inner = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "sh", "-c", inner, "sh"]);
    let doctor = project.command(&["doctor", "--format", "json"]);
    command.arg(doctor.get_program()).args(doctor.get_args());
    for (name, value) in doctor.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let ran = Ran::of(command.output().unwrap());
    let found = checks(&ran);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    let namespaces = check(&found, "namespaces");
    assert_eq!(namespaces["health"], "broken");
    let help = namespaces["help"].as_str().unwrap();
    assert!(help.contains("sysctl -w user.max_user_namespaces"), "{help}");
    // What needs no namespaces is looked at all the same.
    assert_eq!(check(&found, "store")["health"], "good", "{}", ran.out);
}

#[test]
fn a_store_that_cannot_be_made_is_told() {
    let project = Project::new("");
    project.write("store", "a file");
    let mut command = project.command(&["doctor"]);
    command.env("MLP_STORE", project.root().join("store"));
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.out.contains("✗ store"), "{}", ran.out);
    assert!(
        ran.out
            .ends_with("Steps cannot be built as they should: mend what is marked ✗.\n"),
        "{}",
        ran.out
    );
}
