//! What targets, runs and revisions differ in.
#![expect(clippy::disallowed_methods, reason = "git is what is tested with")]

use crate::project::{Project, points};
use std::process::Command;

fn git(project: &Project, arguments: &[&str]) {
    let identity = [
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
        "-c",
        "core.hooksPath=/dev/null",
    ];
    let output = Command::new("git")
        .current_dir(project.root())
        .args(identity)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn commit(project: &Project, message: &str) {
    git(project, &["add", "--all"]);
    git(project, &["commit", "--quiet", "--message", message]);
}

/// A project with two commits, at both of which `evaluate` is built.
fn repository() -> Project {
    let project = Project::small();
    git(&project, &["init", "--quiet"]);
    project.write(".gitignore", "result\n.mlp\n");
    commit(&project, "one");
    project.build(&["evaluate"]);
    project.edit("pipeline.mlp", "lr: Float = 0.01", "lr: Float = 0.02");
    project.write("points.csv", &points().replacen("\n0,0,1\n", "\n0,0,0\n", 1));
    commit(&project, "two");
    project.build(&["evaluate"]);
    project
}

#[test]
fn a_target_at_two_revisions() {
    let project = repository();
    insta::assert_snapshot!(
        "revisions",
        project.shown(&["diff", "HEAD~1", "HEAD", "evaluate"])
    );
    // What is not committed yet is compared too, and neither the work tree nor the index is touched.
    project.edit("pipeline.mlp", "epochs: Int = 6", "epochs: Int = 7");
    insta::assert_snapshot!("work_tree", project.shown(&["diff", "HEAD", ".", "evaluate"]));
    let status = Command::new("git")
        .current_dir(project.root())
        .args(["status", "--porcelain"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&status.stdout), " M pipeline.mlp\n");
    let left = std::fs::read_dir(project.root().join(".mlp/revisions")).unwrap();
    assert_eq!(left.count(), 0);
    let json = project.run(&["diff", "HEAD~1", "HEAD", "evaluate", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let parts: Vec<_> = json["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["part"].as_str().unwrap())
        .collect();
    assert_eq!(parts, ["parameters", "data"]);
    assert_eq!(json["artifacts"][0]["built"], serde_json::json!([true, true]));
}

#[test]
fn a_project_below_the_repository_and_data_that_git_ignores() {
    let project = Project::new("");
    std::fs::remove_file(project.root().join("pipeline.mlp")).unwrap();
    git(&project, &["init", "--quiet"]);
    let pipeline = |word: &str| {
        format!(
            "import std.{{env, step}}\ntools = env.host([\"cat\"])\n\
             made = step([\"cat\", ./data/{word}.txt], env = tools, inputs = {{ all: ./data }}, outputs = {{ x: File(\"x\") }})\n"
        )
    };
    project.write("below/.gitignore", "data\n.mlp\n");
    project.write("below/pipeline.mlp", &pipeline("one"));
    project.write("below/data/one.txt", "1\n");
    project.write("below/data/two.txt", "2\n");
    commit(&project, "one");
    project.write("below/pipeline.mlp", &pipeline("two"));
    commit(&project, "two");
    let mut command = project.command(&["diff", "HEAD~1", "HEAD", "made"]);
    let ran = crate::project::Ran::of(
        command
            .current_dir(project.root().join("below"))
            .output()
            .unwrap(),
    );
    insta::assert_snapshot!("below", project.redacted(&ran));
}

#[test]
fn two_runs_and_two_targets() {
    let project = Project::small();
    project.build(&["evaluate"]);
    project.build(&["evaluate", "--set", "lr=0.02"]);
    let runs = project.run(&["runs", "--format", "json"]).out;
    let runs: serde_json::Value = serde_json::from_str(&runs).unwrap();
    let first = runs["runs"][1]["run"].as_str().unwrap();
    insta::assert_snapshot!("runs", project.shown(&["diff", first, "latest"]));
    insta::assert_snapshot!("same_run", project.shown(&["diff", first, first, "evaluate"]));
    let text = std::fs::read_to_string(project.root().join("pipeline.mlp")).unwrap();
    let second = "other = ml.evaluate(fit.model, on = parts.val, metrics = scores)\n";
    project.write("pipeline.mlp", &format!("{text}{second}"));
    project.build(&["evaluate", "other"]);
    insta::assert_snapshot!("targets", project.shown(&["diff", "evaluate", "other"]));
}

#[test]
fn what_cannot_be_compared_is_said() {
    let project = Project::small();
    let lines: &[&[&str]] = &[
        &["diff", "HEAD~1", "HEAD"],
        &["diff", "HEAD~1", "HEAD", "evaluate"],
        &["diff", "evaluate", "evaluat"],
        &["diff", "evaluate", "parts"],
        &["diff", "20260101-000000", "latest"],
    ];
    let shown = |lines: &[&[&str]]| {
        let shown = lines
            .iter()
            .map(|line| format!("$ mlp {}\n{}", line.join(" "), project.shown(line)));
        shown.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!("refused", shown(lines));
    git(&project, &["init", "--quiet"]);
    commit(&project, "one");
    project.edit("pipeline.mlp", "ml.train(", "ml.trian(");
    commit(&project, "two");
    let lines: &[&[&str]] = &[
        &["diff", "no-such", "HEAD", "evaluate"],
        &["diff", "HEAD~1", "HEAD", "evaluate"],
    ];
    insta::assert_snapshot!("refused_by_git", shown(lines));
}
