//! The same pipeline, the same bits: however many steps at once, on however many cores, in the sandbox or not.
#![expect(clippy::disallowed_methods, reason = "taskset(1) pins a command to one core")]

use crate::project::{Project, Ran, Report};

#[test]
fn jobs_cores_and_the_sandbox_change_no_bit() {
    let targets = ["fit.model", "fit.history", "evaluate"];
    let with = |more: &[&str]| Project::small().build(&[&targets[..], more].concat()).digests();
    let first = with(&["--jobs", "1"]);
    assert_eq!(first.len(), 3);
    assert_eq!(with(&["--jobs", "4"]), first);
    assert_eq!(with(&["--sandbox", "off"]), first);

    let project = Project::small();
    let command = project.command(&[&["build", "--format", "json"], &targets[..]].concat());
    let mut pinned = std::process::Command::new("taskset");
    pinned
        .args(["-c", "0"])
        .arg(command.get_program())
        .args(command.get_args());
    pinned.current_dir(project.root());
    pinned.envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let ran = Ran::of(pinned.output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(Report(serde_json::from_str(&ran.out).unwrap()).digests(), first);
}

#[test]
fn check_says_reproducible() {
    let project = Project::small();
    project.build(&["evaluate"]);
    let ran = project.run(&["build", "evaluate", "--check"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("ok: reproducible: 4 steps"), "{}", ran.err);
}

#[test]
fn the_model_of_handwritten_digits() {
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/digits");
    let project = Project::small();
    for name in ["pipeline.mlp", "digits.csv"] {
        project.write(name, &std::fs::read_to_string(example.join(name)).unwrap());
    }
    let report = project.build(&["evaluate"]);
    let value = &report.0["artifacts"][0]["value"];
    assert!(value["accuracy"].as_f64().unwrap() >= 0.98, "{value}");
    let examples: u64 = value["confusion"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert!(
        (355..=364).contains(&examples),
        "a fifth of 1,797 images is scored, not {examples}"
    );
    assert_eq!(project.build(&["evaluate"]).built(), [""; 0]);
}
