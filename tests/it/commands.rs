//! Commands that build nothing, and what a build leaves behind.

use crate::project::{Project, Ran, SMALL};

#[test]
fn help_teaches_and_documents_exit_codes() {
    let project = Project::new("");
    insta::assert_snapshot!(project.shown(&["--help"]));
    insta::assert_snapshot!(project.shown(&["build", "--help"]));
}

#[test]
fn wrong_usage_is_the_users_to_mend() {
    let project = Project::new(SMALL);
    insta::assert_snapshot!(project.shown(&["biuld"]));
    let lines: &[&[&str]] = &[
        &["train", "fit"],
        &["build"],
        &["build", "fit", "--lr", "0.1"],
        &["check", "pipeline.mlp"],
        &["eval", "lr=0.1"],
        &["eval", "pipeline.mlp"],
        &["eval", "1+1"],
        &["explain", "310x"],
    ];
    let shown = lines
        .iter()
        .map(|line| format!("$ mlp {}\n{}", line.join(" "), project.shown(line)));
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"));
    assert_eq!(project.run(&["build"]).code, Some(1));
    assert_eq!(project.run(&["build", "evaluate", "--jobs", "0"]).code, Some(1));
}

#[test]
fn check_finds_nothing_to_mend() {
    let project = Project::new(SMALL);
    insta::assert_snapshot!(project.shown(&["check"]));
}

#[test]
fn eval_prints_values() {
    let project = Project::new("param n: Int = 3\nsquares = [i * i for i in range(n)]\n{ n, squares }\n");
    insta::assert_snapshot!(project.shown(&["eval"]));
    insta::assert_snapshot!(project.shown(&["eval", "squares", "--set", "n=5"]));
    let ran = project.run(&["eval", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(value, serde_json::json!({ "n": 3, "squares": [0, 1, 4] }));
}

#[test]
fn graph_and_show() {
    let project = Project::small();
    insta::assert_snapshot!(project.shown(&["graph", "evaluate"]));
    insta::assert_snapshot!(project.shown(&["graph", "evaluate", "--format", "mermaid"]));
    insta::assert_snapshot!(project.shown(&["show", "fit.model"]));
    insta::assert_snapshot!(project.shown(&["show", "parts.train"]));
}

#[test]
fn explain_prints_pages() {
    let project = Project::new("");
    insta::assert_snapshot!(project.shown(&["explain", "b0106"]));
    insta::assert_snapshot!(project.shown(&["explain", "E9999"]));
    for line in project.run(&["explain"]).out.lines() {
        let code = line.split_whitespace().next().unwrap();
        assert_eq!(project.run(&["explain", code]).code, Some(0), "{code}");
    }
}

#[test]
fn a_reader_that_has_gone_ends_a_command_quietly() {
    let project = Project::new("");
    let mut child = project.start(&["explain"]);
    // Nobody will read: more than a pipe holds is written into one that is closed.
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &[][..]));
}

#[test]
fn completions_know_the_commands() {
    let project = Project::new("");
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            project.run(&["completions", shell]).out.contains("build"),
            "{shell}"
        );
    }
}

#[test]
fn init_writes_a_pipeline_that_builds_and_overwrites_nothing() {
    let project = Project::small();
    let ran = project.run(&["init", "starter"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(project.run(&["init", "starter"]).code, Some(1));
    let built = Ran::of(
        project
            .command(&["build", "evaluate", "--format", "json"])
            .current_dir(project.root().join("starter"))
            .output()
            .unwrap(),
    );
    assert_eq!(built.code, Some(0), "{}", built.err);
    let report: serde_json::Value = serde_json::from_str(&built.out).unwrap();
    assert!(
        report["artifacts"][0]["value"]["accuracy"].as_f64().unwrap() > 0.9,
        "{}",
        built.out
    );
}

#[test]
fn a_build_from_a_folder_below_links_its_result_and_keeps_a_log() {
    let project = Project::small();
    std::fs::create_dir(project.root().join("below")).unwrap();
    let mut command = project.command(&["build", "evaluate"]);
    let ran = Ran::of(
        command
            .current_dir(project.root().join("below"))
            .output()
            .unwrap(),
    );
    insta::assert_snapshot!(project.redacted(&ran));
    let place = ran
        .out
        .lines()
        .find_map(|line| line.strip_prefix("output: "))
        .unwrap();
    let place = place.split_whitespace().next().unwrap();
    let metrics = std::fs::read_to_string(project.root().join(place)).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&metrics).unwrap()["accuracy"].is_number());

    insta::assert_snapshot!(project.shown(&["log"]));
    let listed = project.run(&["log"]).out;
    let run = listed.split_whitespace().next().unwrap();
    insta::assert_snapshot!(project.shown(&["log", run]));
    assert_eq!(project.run(&["log", "fit"]).code, Some(0));
    insta::assert_snapshot!(project.shown(&["log", "fitt"]));
}
