//! What goes wrong in steps of the user's own: each is told with its place, keeps its log, and registers nothing.

use crate::project::{Project, Ran};

/// Builds `made`, a step that runs `script` with these outputs and more arguments.
fn failed(script: &str, outputs: &str, more: &str) -> String {
    let project = project(script, outputs, more);
    let shown = project.shown(&["build", "made"]);
    assert!(
        !project.root().join("result").exists(),
        "nothing may be linked to"
    );
    // Its log is kept, and nothing is registered: the next build tries again.
    let log = project.run(&["log", "made"]);
    assert_eq!(log.code, Some(0), "{}", log.err);
    let plan = project.run(&["build", "made", "--dry-run"]);
    assert!(plan.out.starts_with("build      made"), "{}", plan.out);
    shown
}

fn project(script: &str, outputs: &str, more: &str) -> Project {
    let project = Project::new(&format!(
        "import std.{{env, step}}\n\nmade = step(\n  [\"python3\", ./src/make.py], env = env.host([\"python3\"]){more},\n  \
         outputs = {{ {outputs} }},\n)\n"
    ));
    project.write("src/make.py", script);
    project.write("src/features.py", "");
    project.write("data/raw.csv", "1");
    project
}

#[test]
fn a_file_that_was_not_declared() {
    let script = "import csv\n\ndef main():\n    return open(\"data/raw.csv\")\n\nmain()\n";
    insta::assert_snapshot!(failed(script, "o: File(\"o\")", ""));
    let more = ", inputs = { more: ./src/features.py }";
    insta::assert_snapshot!("a_file_beside_others", failed(script, "o: File(\"o\")", more));
}

#[test]
fn a_module_that_was_not_declared() {
    insta::assert_snapshot!(failed("import features\n", "o: File(\"o\")", ""));
}

#[test]
fn a_file_that_another_step_makes() {
    let project = Project::new(
        r#"import std.{env, step}
tools = env.host(["sh", "cat"])
fit = step(["sh", "-c", "echo 1 > model.pkl"], env = tools, outputs = { model: File("model.pkl"), log: File("log", optional = true) })
made = step(["cat", "model.pkl"], env = tools, outputs = { o: File("o") }, inputs = { log: fit.model })
"#,
    );
    insta::assert_snapshot!(project.shown(&["build", "made"]));
}

#[test]
fn an_exception() {
    let script = "def main():\n    rows = []\n    return rows[0]\n\nmain()\n";
    insta::assert_snapshot!(failed(script, "o: File(\"o\")", ""));
}

#[test]
fn figures_that_are_not_what_was_declared() {
    let metrics = "m: Metrics[{ auc: Float, n: Int }](\"m.json\")";
    let written = |json: &str| failed(&format!("open('m.json', 'w').write('{json}')\n"), metrics, "");
    insta::assert_snapshot!("metrics_nan", written(r#"{"n": 1, "auc": NaN}"#));
    insta::assert_snapshot!("metrics_type", written(r#"{"n": 1.5, "auc": 1}"#));
    insta::assert_snapshot!("metrics_missing", written(r#"{"n": 1}"#));
    insta::assert_snapshot!("metrics_extra", written(r#"{"n": 1, "auc": 1, "f1": 1}"#));
    insta::assert_snapshot!("metrics_no_json", written("auc=1"));
}

#[test]
fn what_is_not_written_or_written_elsewhere() {
    let outputs = "model: File(\"model.pkl\")";
    insta::assert_snapshot!("nothing_written", failed("print('done')\n", outputs, ""));
    insta::assert_snapshot!("another_name", failed("open('model.pickle', 'w')\n", outputs, ""));
    insta::assert_snapshot!("outside", failed("open('/usr/model.pkl', 'w')\n", outputs, ""));
    insta::assert_snapshot!(
        "a_folder",
        failed("import os; os.mkdir('model.pkl')\n", outputs, "")
    );
}

#[test]
fn too_long_and_too_much() {
    let outputs = "o: File(\"o\")";
    let slow = "import time; time.sleep(600)\n";
    insta::assert_snapshot!("too_long", failed(slow, outputs, ", resources = { time: 300ms }"));
    let large = "open('o', 'wb').write(b'x' * 50_000_000)\n";
    let shown = failed(large, outputs, ", resources = { disk: 1MB }");
    // The program may be ended before it has said what the kernel said to it.
    let is_log =
        |line: &&str| line.contains("whole log") || line.starts_with("  log:") || line.starts_with("       ");
    let told: Vec<&str> = shown.lines().filter(|line| !is_log(line)).collect();
    insta::assert_snapshot!("too_much", told.join("\n"));
}

#[test]
fn more_memory_than_it_may_hold() {
    let script = "x = 'x' * 200_000_000\n";
    let shown = failed(script, "o: File(\"o\")", ", resources = { memory: 64MiB }");
    // How much it was seen to hold depends on who watches it.
    let heading = shown.lines().find(|line| line.starts_with("error")).unwrap();
    assert!(
        heading.starts_with("error S0104: `made` failed: it needed") && heading.contains("64 MiB"),
        "{shown}"
    );
    assert!(
        shown.contains("raise `memory` in the step's `resources`"),
        "{shown}"
    );
}

#[test]
fn more_than_the_machine_has() {
    let outputs = "o: File(\"o\")";
    let project = project("", outputs, ",\n  resources = { cpus: 1, memory: 2GiB }");
    insta::assert_snapshot!(project.shown(&["build", "made", "--memory", "1GiB"]));
    insta::assert_snapshot!("no_size", project.shown(&["build", "made", "--memory", "much"]));
    let refused = |resources: &str, said: &str| {
        let project = self::project("", outputs, &format!(", resources = {{ {resources} }}"));
        let shown = project.shown(&["build", "made", "--dry-run"]);
        assert!(shown.starts_with("exit 1") && shown.contains(said), "{shown}");
    };
    refused("gpus: 4000", "error E0517: `made` asks for 4000 GPUs, and there");
    refused(
        "cpus: 4000",
        "error E0517: `made` asks for 4000 processors, and there",
    );
}

#[test]
fn a_tool_that_is_not_there_or_not_named() {
    let pipeline = |tools: &str, program: &str| {
        let step =
            format!("step([\"{program}\"], env = env.host([{tools}]), outputs = {{ o: File(\"o\") }})");
        Project::new(&format!("import std.{{env, step}}\nmade = {step}\n")).shown(&["build", "made"])
    };
    insta::assert_snapshot!("no_tool", pipeline("\"pythn\"", "pythn"));
    insta::assert_snapshot!("tool_not_named", pipeline("\"python3\"", "python"));
}

#[test]
fn outputs_that_cannot_be() {
    let checked = |outputs: &str, more: &str| project("", outputs, more).shown(&["build", "made"]);
    insta::assert_snapshot!("absolute_output", checked("o: File(\"/tmp/o\")", ""));
    insta::assert_snapshot!(
        "overlapping_outputs",
        checked("o: Dir(\"out\"), m: File(\"out/m\")", "")
    );
    insta::assert_snapshot!(
        "output_in_input",
        checked("o: File(\"src/o\")", ", inputs = { src: ./src }")
    );
    insta::assert_snapshot!("no_output", checked("t: File(\"t\", observed = true)", ""));
}

#[test]
fn an_observed_output_is_no_input() {
    let project = Project::new(
        r#"import std.{env, step}
tools = env.host(["sh", "cat"])
timed = step(["sh", "-c", "echo 1 > o; echo 2 > t"], env = tools, outputs = { o: File("o"), t: File("t", observed = true) })
made = step(["cat", timed.t], env = tools, outputs = { o: File("o") })
"#,
    );
    insta::assert_snapshot!(project.shown(&["build", "made"]));
}

#[test]
fn a_builder_program_that_ends_as_it_is_loaded_is_named() {
    let project = Project::small();
    let libexec = project.root().join("libexec");
    std::fs::create_dir(&libexec).unwrap();
    let data = std::path::Path::new(env!("CARGO_BIN_EXE_mlp")).with_file_name("mlp-data");
    std::os::unix::fs::symlink(data, libexec.join("mlp-data")).unwrap();
    std::fs::copy("/bin/true", libexec.join("mlp-trainer")).unwrap();
    let mut build = project.command(&["build", "evaluate"]);
    let ran = Ran::of(build.env("MLP_LIBEXEC", &libexec).output().unwrap());
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(
        ran.err.contains("libexec/mlp-trainer` ended as it was loaded"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("of the same version as `mlp`"), "{}", ran.err);
}
