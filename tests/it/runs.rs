//! Runs: listed, shown, pinned, and what their programs wrote.

use crate::project::{Project, SMALL};

/// A project of two steps of a shell, the second of which reads the first.
fn shells() -> Project {
    let project = Project::new(
        r#"import std.{env, step}
param word: Str = "hello"
tools = env.host(["sh"])
said = step(["sh", "-c", "echo ${word}; echo ${word} > said"], env = tools, outputs = { text: File("said") })
judged = step(
  ["sh", "-c", "echo '{\"length\": 6}' > m.json; echo judging ${said.text}"],
  env = tools, outputs = { score: Metrics[{ length: Int }]("m.json") },
)
"#,
    );
    project.build(&["judged"]);
    project
}

#[test]
fn runs_are_listed_and_shown() {
    let project = shells();
    project.build(&["judged", "--set", "word=bye"]);
    project.edit("pipeline.mlp", "echo ${word}; ", "echo ${word}; exit 3; ");
    assert_eq!(project.run(&["build", "judged"]).code, Some(2));
    insta::assert_snapshot!("listed", project.shown(&["runs"]));
    let listed = project.run(&["runs", "--format", "json"]).out;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let runs = listed["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    assert_eq!(
        (&runs[0]["status"], &runs[0]["failed"]),
        (&"failed".into(), &1.into())
    );
    assert_eq!(runs[1]["settings"]["word"], "bye");
    let first = runs[2]["run"].as_str().unwrap();
    insta::assert_snapshot!("shown", project.shown(&["runs", "show", first]));
    let failed = project.shown(&["runs", "show", "latest"]);
    // How wide the column of times is differs from run to run, also where there is none.
    let (before, after) = failed.split_once("not tried").unwrap();
    let failed = format!("{before}not tried  {}", after.trim_start_matches(' '));
    insta::assert_snapshot!("shown_failed", failed);
    let shown = project.run(&["runs", "show", first, "--format", "json"]).out;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["artifacts"][0]["value"]["length"], 6);
    assert_eq!(project.run(&["log", &format!("{first}/said")]).out, "hello\n");
    let second = runs[1]["run"].as_str().unwrap();
    assert_eq!(project.run(&["log", &format!("{second}/said")]).out, "bye\n");
    assert_eq!(
        project.run(&["log", "said"]).out,
        "hello\n",
        "it was tried last, and failed"
    );
    insta::assert_snapshot!("log_of_no_step", project.shown(&["log", "latest/sayd"]));
}

#[test]
fn a_run_is_pinned_and_a_name_may_be_short() {
    let project = shells();
    insta::assert_snapshot!("pinned", project.shown(&["runs", "pin", "latest"]));
    assert!(project.run(&["runs"]).out.contains("succeeded, pinned"));
    let year = &project.run(&["runs", "--format", "json"]).out;
    let year: serde_json::Value = serde_json::from_str(year).unwrap();
    let year = &year["runs"][0]["run"].as_str().unwrap()[..4];
    insta::assert_snapshot!("unpinned", project.shown(&["runs", "unpin", year]));
    insta::assert_snapshot!("unpinned_again", project.shown(&["runs", "unpin", year]));
    insta::assert_snapshot!("no_run", project.shown(&["runs", "show", "yesterday"]));
}

#[test]
fn where_nothing_was_built_there_are_no_runs() {
    let project = Project::new(SMALL);
    insta::assert_snapshot!("none", project.shown(&["runs"]));
    assert_eq!(project.run(&["runs", "show", "latest"]).code, Some(1));
    let listed = project.run(&["runs", "--format", "json"]);
    assert_eq!(
        (listed.code, listed.out.as_str()),
        (Some(0), "{\n  \"runs\": []\n}\n")
    );
}
