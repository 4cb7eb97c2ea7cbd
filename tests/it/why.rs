//! Why something is built again: causes with their places, apart from what follows.

use crate::project::{Project, points};
use crate::python;

/// A pipeline of scripts.
const SCRIPTS: &str = r#"import std.{env, step}
import ./settings.mlp as settings
param word: Str = "hello"
tools = env.host(["sh", "cat"])
prepare = step(
  ["sh", ./prepare.sh, "--rows", "3"], env = tools, vars = { WORD: word }, inputs = { texts: ./texts },
  outputs = { rows: File("rows") },
)
check = step(["sh", "-c", "cat ${prepare.rows} > out; echo ${settings.mode} >> out"], env = tools, outputs = { out: File("out") })
"#;

fn scripts() -> Project {
    let project = Project::new(SCRIPTS);
    project.write("settings.mlp", "mode = \"fast\"\n");
    project.write(
        "prepare.sh",
        "# Prepares.\ncat texts/*.txt > rows\necho $WORD >> rows\n",
    );
    project.write("texts/a.txt", "a\n");
    project.write("texts/b.txt", "b\nb\nb\n");
    project.write("texts/deep/c.txt", "c\n");
    project.build(&["check"]);
    project
}

fn why(project: &Project, more: &[&str]) -> String {
    project.shown(&[&["why", "check"], more].concat())
}

#[test]
fn a_learning_rate_a_layer_and_a_row_of_data() {
    let project = Project::small();
    insta::assert_snapshot!("never_built", project.shown(&["why", "evaluate"]));
    project.build(&["evaluate"]);
    insta::assert_snapshot!("built_once", project.shown(&["why", "evaluate"]));
    insta::assert_snapshot!("setting", project.shown(&["why", "evaluate", "--set", "lr=0.02"]));
    project.edit("pipeline.mlp", "lr: Float = 0.01", "lr: Float = 0.02");
    insta::assert_snapshot!("learning_rate", project.shown(&["why", "evaluate"]));
    project.edit("pipeline.mlp", "nn.linear(16), nn.relu", "nn.linear(8), nn.gelu");
    project.write("points.csv", &points().replacen("\n0,0,1\n", "\n0,0,0\n", 1));
    insta::assert_snapshot!("three_causes", project.shown(&["why", "evaluate"]));
    let json = project.run(&["why", "evaluate", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["steps"][0]["standing"], "may be due");
    let causes = json["causes"].as_array().unwrap();
    let lr = causes.iter().find(|cause| cause["path"][2] == "lr").unwrap();
    assert_eq!((&lr["old"], &lr["new"]), (&"0.01".into(), &"0.02".into()));
    assert_eq!(lr["place"]["start"]["line"], 4);
    // It is explained afterwards, too.
    project.build(&["evaluate"]);
    insta::assert_snapshot!("was_built", project.shown(&["why", "evaluate"]));
}

#[test]
fn a_script_a_folder_a_word_and_a_variable() {
    let project = scripts();
    project.edit("prepare.sh", "echo $WORD >> rows", "echo $WORD $WORD >> rows");
    insta::assert_snapshot!("script", why(&project, &[]));
    project.edit("prepare.sh", "echo $WORD $WORD >> rows", "echo $WORD >> rows");
    project.write("texts/b.txt", "b\nB\nb\n");
    insta::assert_snapshot!("folder_one_file", why(&project, &[]));
    project.write("texts/d.txt", "d\n");
    std::fs::remove_file(project.root().join("texts/deep/c.txt")).unwrap();
    insta::assert_snapshot!("folder", why(&project, &[]));
    project.build(&["check"]);
    insta::assert_snapshot!("folder_built", why(&project, &[]));
    project.edit("pipeline.mlp", "\"--rows\", \"3\"", "\"--rows\", \"4\"");
    insta::assert_snapshot!("word_and_variable", why(&project, &["--set", "word=bye"]));
    project.edit("settings.mlp", "fast", "slow");
    insta::assert_snapshot!("another_file", why(&project, &[]));
}

#[test]
fn a_comment_and_a_name_explain_nothing_and_hide_nothing() {
    let project = scripts();
    project.edit("pipeline.mlp", "param word", "# A comment.\nparam word");
    let text = std::fs::read_to_string(project.root().join("pipeline.mlp")).unwrap();
    project.write(
        "pipeline.mlp",
        &text
            .replace("prepare =", "ready =")
            .replace("prepare.rows", "ready.rows"),
    );
    insta::assert_snapshot!("comment_and_name", why(&project, &[]));
    insta::assert_snapshot!("renamed_and_changed", why(&project, &["--set", "word=bye"]));
}

#[test]
fn a_step_that_failed_and_was_mended() {
    let project = scripts();
    project.edit("prepare.sh", "cat texts", "exit 3; cat texts");
    assert_eq!(project.run(&["build", "check"]).code, Some(2));
    insta::assert_snapshot!("failed", why(&project, &[]));
    project.edit("prepare.sh", "exit 3; cat texts/*.txt", "cat texts/a.txt");
    project.build(&["check"]);
    insta::assert_snapshot!("mended", why(&project, &[]));
}

#[test]
fn what_came_out_the_same_is_no_cause() {
    let project = Project::small();
    project.build(&["evaluate"]);
    // The same numbers, written in another way.
    project.write("points.csv", &points().replacen("\n0,0,1\n", "\n0.0,0,1\n", 1));
    project.build(&["evaluate"]);
    insta::assert_snapshot!("same", project.shown(&["why", "points", "evaluate"]));
    insta::assert_snapshot!(
        "same_and_a_rate",
        project.shown(&["why", "evaluate", "--set", "lr=0.5"])
    );
}

#[test]
fn a_lock_that_changed_and_what_was_collected() {
    let project = python::project();
    project.build(&["said"]);
    project.edit(
        "pylock.toml",
        "version = \"1.0\"\n[packages.archive]",
        "version = \"1.1\"\n[packages.archive]",
    );
    let shown = project.shown(&["why", "said"]);
    insta::assert_snapshot!("lock", shown.replace(&python::version(), "3.X"));
    project.edit(
        "pylock.toml",
        "version = \"1.1\"\n[packages.archive]",
        "version = \"1.0\"\n[packages.archive]",
    );
    // Nothing links to it any more.
    std::fs::remove_file(project.root().join("result")).unwrap();
    let gone = project.run(&["gc", "--keep-days", "0"]);
    assert_eq!(gone.code, Some(0), "{}", gone.err);
    insta::assert_snapshot!("collected", project.shown(&["why", "said"]));
    assert!(
        project
            .run(&["plan", "said"])
            .out
            .contains("said: its result was removed from the store on 20"),
    );
}
