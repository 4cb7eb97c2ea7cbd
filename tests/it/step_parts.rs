//! The parts of a step, one by one: the forms of its inputs, variables and outputs, and what its program tells while it runs.
#![expect(
    clippy::disallowed_methods,
    reason = "what is tested is started as people start it"
)]

use crate::project::Project;

/// A project with this pipeline behind `import std.{env, step}` and some tools.
fn project(pipeline: &str) -> Project {
    let project = Project::new(&format!(
        "import std.{{env, step}}\ntools = env.host([\"python3\", \"sh\", \"cat\", \"ls\"])\n{pipeline}"
    ));
    project.write("data/raw.csv", "1 2 3\n");
    project
}

fn made(project: &Project, name: &str) -> String {
    std::fs::read_to_string(project.root().join("result").join(name)).unwrap()
}

#[test]
fn inputs_and_variables_are_records_built_elsewhere() {
    let project = project(
        r#"prepare = step(["sh", "-c", "echo a > a; echo b > b"], env = tools, outputs = { a: File("a"), b: File("b") })
files = { raw: ./data/raw.csv, first: prepare.a }
settings = { WHO: "me", FROM: prepare.b }
fn run[O](script: Str, outputs: Outputs[O]) -> O =
  step(["sh", "-c", script], env = tools, inputs = { ...files, all: "data/*.csv" }, vars = settings, outputs = outputs)
one = step(["sh", "-c", "cat data/raw.csv inputs/first > o"], env = tools, inputs = files, outputs = { o: File("o") })
two = run("cat inputs/first $FROM > o; echo $WHO >> o", { o: File("o") })
three = step(["sh", "-c", "cat inputs/a inputs/b > o"], env = tools, inputs = prepare, outputs = { o: File("o") })
"#,
    );
    project.build(&["one", "two", "three"]);
    assert_eq!(made(&project, "one.o"), "1 2 3\na\n");
    assert_eq!(made(&project, "two.o"), "a\nb\nme\n");
    assert_eq!(made(&project, "three.o"), "a\nb\n");
}

#[test]
fn a_field_that_is_no_file_is_no_input() {
    let project = project(
        r#"files = { raw: ./data/raw.csv, rows: 3 }
one = step(["cat", "data/raw.csv"], env = tools, inputs = files, outputs = { o: File("o") })
"#,
    );
    insta::assert_snapshot!(project.shown(&["check"]));
}

#[test]
fn a_shell_runs_a_script_with_paths_and_artifacts_in_it() {
    let project = project(
        r#"prepare = step(["sh", "-c", "cat ${./data/raw.csv} > rows"], env = tools, outputs = { rows: File("rows") })
one = step(["sh", "-c", "cat ${prepare.rows} ${./data/raw.csv} | cat > o"], env = tools, outputs = { o: File("o") })
"#,
    );
    project.build(&["one"]);
    assert_eq!(made(&project, "one.o"), "1 2 3\n1 2 3\n");
}

#[test]
fn outputs_are_several_optional_and_observed() {
    let project = project(
        r#"param write: Str = "yes"
made = step(
  ["python3", ./make.py, write], env = tools,
  outputs = {
    model: File("out/model"), plots: Dir("out/plots"), notes: File("notes", optional = true),
    took: Metrics[{ seconds: Float }]("took.json", observed = true),
  },
)
after = step(["cat", made.notes], env = tools, outputs = { o: File("o", optional = true) })
"#,
    );
    let script = "import json, os, sys, time
os.makedirs('out/plots')
open('out/model', 'w').write('m')
open('out/plots/a.svg', 'w').write('a')
if sys.argv[1] == 'yes':
    open('notes', 'w').write('n')
json.dump({'seconds': time.perf_counter()}, open('took.json', 'w'))
";
    project.write("make.py", script);
    let report = project.build(&["made"]);
    let labels: Vec<String> = report.digests().into_iter().map(|(label, _)| label).collect();
    assert_eq!(labels, ["made.model", "made.plots", "made.notes"]);
    // What is observed differs each time, and is no part of the result.
    let again = project.run(&["build", "made", "--check"]);
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert!(again.err.contains("made: took seconds "), "{}", again.err);
    // What was left out is no artifact, and what needs it says so.
    let left_out = project.build(&["made", "--set", "write=no"]);
    assert_eq!(left_out.digests().len(), 2);
    assert_eq!(project.build(&["after"]).built(), ["after"]);
    insta::assert_snapshot!(project.shown(&["build", "after", "--set", "write=no"]));
}

#[test]
fn what_programs_write_is_shown_as_it_comes_on_request() {
    let project = project(
        r#"one = step(["sh", "-c", "echo first; echo wrong >&2; printf end; echo 1 > o"], env = tools, outputs = { o: File("o") })
two = step(["sh", "-c", "echo second; cat ${one.o} > o"], env = tools, outputs = { o: File("o") })
fails = step(["sh", "-c", "echo last words; exit 3"], env = tools, outputs = { o: File("o") })
"#,
    );
    insta::assert_snapshot!("logs_of_one", project.shown(&["build", "one", "--logs"]));
    project.edit("pipeline.mlp", "echo first;", "echo first ;");
    let two = project.shown(&["build", "two", "--logs", "--jobs", "1"]);
    // Whether the closing line says which step was slow is a matter of time.
    let told: Vec<&str> = two.lines().filter(|line| !line.starts_with("ok: ")).collect();
    insta::assert_snapshot!("logs_of_two", told.join("\n"));
    let failed = project.run(&["build", "fails", "--logs"]);
    assert!(
        failed.err.contains("\nlast words\n✗ fails failed"),
        "{}",
        failed.err
    );
    // They are in the log as ever, and not asked for they are not shown.
    assert_eq!(project.run(&["log", "one"]).out, "first\nwrong\nend");
    let quiet = project.run(&["build", "two", "--check"]);
    assert!(!quiet.err.contains("second"), "{}", quiet.err);
}

#[test]
fn a_module_that_needs_no_install_tells_how_far_a_script_is() {
    let project = project(
        r#"made = step(["python3", ./tell.py], env = tools, outputs = { o: File("o") }, vars = { PYTHONPATH: "lib" }, inputs = { lib: "lib/*" })
"#,
    );
    project.write("lib/own.py", "word = 'own'\n");
    let script = "import mlp_events, own
mlp_events.progress(2, of=2, unit='epochs', loss=0.25, bad=float('nan'))
mlp_events.metrics(accuracy=0.5)
mlp_events.warn('careful')
open('o', 'w').write(own.word)
";
    project.write("tell.py", script);
    let ran = project.run(&["build", "made"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("made: 2/2  loss 0.2500"), "{}", ran.err);
    assert!(ran.err.contains("made: careful"), "{}", ran.err);
    // Without mlp it does nothing, and fails nobody.
    let module = concat!(env!("CARGO_MANIFEST_DIR"), "/src/executor/mlp_events.py");
    project.write("lib/mlp_events.py", &std::fs::read_to_string(module).unwrap());
    let alone = std::process::Command::new("python3")
        .arg("tell.py")
        .env("PYTHONPATH", "lib")
        .current_dir(project.root())
        .output()
        .unwrap();
    assert!(
        alone.status.success(),
        "{}",
        String::from_utf8_lossy(&alone.stderr)
    );
}

#[test]
fn figures_of_dvclive_are_figures() {
    let project = project(
        r#"made = step(
  ["python3", ./live.py], env = tools,
  outputs = { scores: Metrics[{ step: Int, train: { loss: Float } }]("dvclive/metrics.json") },
)
"#,
    );
    let script = "import json, os
os.makedirs('dvclive', exist_ok=True)
json.dump({'step': 3, 'train': {'loss': 0.125}}, open('dvclive/metrics.json', 'w'))
";
    project.write("live.py", script);
    let ran = project.run(&["build", "made"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("made: 3  train loss 0.1250"), "{}", ran.err);
    assert!(
        ran.out.contains("0.1250") || ran.out.contains("0.125"),
        "{}",
        ran.out
    );
}
