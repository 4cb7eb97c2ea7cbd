//! Scripts that resume: their state is given back to another try of the same step, and to one that has more to do.

use crate::project::Project;

/// Counts epochs in its state, one at a time; fails after one where it is told to.
const TRAIN: &str = r#"import os, sys
epochs, lr = int(sys.argv[2]), sys.argv[4]
done = int(open("state/done").read()) if os.path.exists("state/done") else 0
print("from", done)
while done < epochs:
    done += 1
    os.makedirs("state/deep", exist_ok=True)
    open("state/done", "w").write(str(done))
    open("state/deep/log", "a").write(f"{done} ")
    if os.environ.get("FAIL") == str(done):
        raise SystemExit(3)
open("out", "w").write(open("state/deep/log").read() + lr)
"#;

const PIPELINE: &str = r#"import std.{env, step}
param epochs: Int = 2
param lr: Str = "0.1"
fit = step(
  ["python3", ./train.py, "--epochs", "${epochs}", "--lr", lr], env = env.host(["python3"]), vars = { FAIL: "0" },
  outputs = { out: File("out"), state: State("state", extends = ["--epochs", "FAIL"]) },
)
"#;

fn project() -> Project {
    let project = Project::new(PIPELINE);
    project.write("train.py", TRAIN);
    project
}

fn out(project: &Project) -> String {
    std::fs::read_to_string(project.root().join("result/fit.out")).unwrap()
}

#[test]
fn more_to_do_goes_on_from_where_less_ended() {
    let project = project();
    project.build(&["fit"]);
    assert_eq!(project.run(&["log", "fit"]).out, "from 0\n");
    let ran = project.run(&["build", "fit", "--set", "epochs=4"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.err
            .contains("`fit` goes on from the `state` that an earlier try left"),
        "{}",
        ran.err
    );
    assert_eq!(project.run(&["log", "fit"]).out, "from 2\n");
    assert_eq!(out(&project), "1 2 3 4 0.1");
    // Another learning rate is another training; and a state is in no key.
    project.build(&["fit", "--set", "lr=0.2"]);
    assert_eq!(project.run(&["log", "fit"]).out, "from 0\n");
    assert!(project.build(&["fit"]).built().is_empty());
    // What is compared is built from nothing.
    let checked = project.run(&["build", "fit", "--check"]);
    assert_eq!(checked.code, Some(0), "{}", checked.err);
}

#[test]
fn a_try_after_a_failure_goes_on() {
    let project = project();
    project.edit("pipeline.mlp", "FAIL: \"0\"", "FAIL: \"1\"");
    project.edit("pipeline.mlp", "outputs = {", "retries = 1, outputs = {");
    project.build(&["fit"]);
    assert_eq!(project.run(&["log", "fit"]).out, "from 0\nfrom 1\n");
    assert_eq!(out(&project), "1 2 0.1");
}

#[test]
fn without_more_to_do_only_a_failure_leaves_a_state() {
    let project = project();
    project.edit("pipeline.mlp", ", extends = [\"--epochs\", \"FAIL\"]", "");
    project.build(&["fit"]);
    project.build(&["fit", "--set", "epochs=3"]);
    assert_eq!(project.run(&["log", "fit"]).out, "from 0\n");
    project.edit("pipeline.mlp", "FAIL: \"0\"", "FAIL: \"1\"");
    assert_eq!(project.run(&["build", "fit"]).code, Some(2));
    project.build(&["fit"]);
    assert_eq!(project.run(&["log", "fit"]).out, "from 1\n");
}

#[test]
fn a_state_is_a_folder() {
    let project = project();
    project.write("train.py", "open('state', 'w')\nopen('out', 'w')\n");
    insta::assert_snapshot!(project.shown(&["build", "fit"]));
}

#[test]
fn a_state_is_no_input() {
    let project = project();
    project.write(
        "pipeline.mlp",
        &(PIPELINE.to_owned()
            + "made = step([\"cat\", fit.state], env = env.host([\"cat\"]), outputs = { o: File(\"o\") })\n"),
    );
    insta::assert_snapshot!(project.shown(&["build", "made"]));
}
