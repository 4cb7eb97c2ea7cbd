//! Steps that run programs of the user's, with the machine's own tools.

use crate::project::Project;

/// A pipeline of scripts: two steps, a parameter for each.
const PIPELINE: &str = r#"import std.{env, step}

python = env.host(["python3"])
params = import ./params.yaml as { split: Float, train: { trees: Int } }

prepare = step(
  ["python3", ./src/prepare.py, "--split", "${params.split}"],
  env = python, inputs = { raw: ./data/raw.csv },
  outputs = { train: File("train.csv"), test: File("out/test.csv") },
)
fit = step(
  ["python3", ./src/train.py, "--trees", "${params.train.trees}"],
  env = python, inputs = { data: prepare.train, src: "src/*.py" },
  outputs = { model: File("model.json") }, resources = { cpus: 1, memory: 1GiB, time: 1min },
)
scores = step(
  ["python3", ./src/evaluate.py, fit.model], env = python, inputs = { test: prepare.test },
  outputs = { metrics: Metrics[{ auc: Float, rows: Int }]("metrics.json"), notes: File("notes.txt", optional = true) },
)
evaluate = scores.metrics
again = step(
  ["python3", "-c", "import sys; open('o', 'w').write(sys.argv[1] + sys.stdin.read())", "${scores.metrics.auc}|"],
  env = python, stdin = prepare.test, outputs = { o: File("o") },
)
"#;

const PREPARE: &str = "import sys
from pathlib import Path
rows = open('data/raw.csv').read().split()
half = int(len(rows) * float(sys.argv[2]))
Path('train.csv').write_text(' '.join(rows[:half]))
Path('out/test.csv').write_text(' '.join(rows[half:]))
";
const TRAIN: &str = "import json, sys
from features import count
json.dump({'trees': int(sys.argv[2]), 'rows': count('inputs/data')}, open('model.json', 'w'))
";
const EVALUATE: &str = "import json, sys
model = json.load(open(sys.argv[1]))
rows = len(open('inputs/test').read().split())
json.dump({'auc': model['rows'] / 10, 'rows': rows}, open('metrics.json', 'w'))
";

fn project() -> Project {
    let project = Project::new(PIPELINE);
    project.write("params.yaml", "split: 0.7\ntrain:\n  trees: 3\n");
    project.write("data/raw.csv", "1 2 3 4 5 6 7 8 9 10");
    project.write("src/prepare.py", PREPARE);
    project.write("src/train.py", TRAIN);
    project.write(
        "src/features.py",
        "def count(path):\n    return len(open(path).read().split())\n",
    );
    project.write("src/evaluate.py", EVALUATE);
    project
}

#[test]
fn a_pipeline_of_scripts_is_built_and_found_again() {
    let project = project();
    let report = project.build(&["evaluate"]);
    assert_eq!(report.built(), ["fit", "prepare", "scores"]);
    assert_eq!(
        report.0["artifacts"][0]["value"],
        serde_json::json!({ "auc": 0.7, "rows": 3 })
    );
    assert!(project.build(&["evaluate"]).built().is_empty());

    // A late value as an argument, and an artifact on the standard input.
    let report = project.build(&["again"]);
    assert_eq!(report.built(), ["again"]);
    let made = std::fs::read_to_string(project.root().join("result/again.o")).unwrap();
    assert_eq!(made, "0.7|8 9 10");
}

#[test]
fn only_what_a_step_mentions_reruns_it() {
    let project = project();
    project.build(&["evaluate"]);
    project.edit("params.yaml", "trees: 3", "trees: 4");
    assert_eq!(project.build(&["evaluate"]).built(), ["fit", "scores"]);
    // The same result comes out, and nothing after it is built: early cutoff.
    project.edit("src/prepare.py", "import sys\n", "# a comment\nimport sys\n");
    assert_eq!(project.build(&["evaluate"]).built(), ["fit", "prepare"]);
    // Resources change no result.
    project.edit("pipeline.mlp", "memory: 1GiB", "memory: 2GiB");
    assert!(project.build(&["evaluate"]).built().is_empty());
    // A file that no step declares is none's.
    project.write("data/other.csv", "x");
    assert!(project.build(&["evaluate"]).built().is_empty());
}

#[test]
fn what_is_built_with_the_machines_tools_says_so() {
    let project = project();
    project.build(&["prepare"]);
    let mut found = Vec::new();
    let store = project.root().parent().unwrap().join("store/attest");
    let mut folders = vec![store];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(std::fs::read_to_string(path).unwrap()),
            }
        }
    }
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("\"effective\":\"host_tools\""), "{}", found[0]);
}

#[test]
fn steps_run_without_a_sandbox_where_that_is_asked_for() {
    let project = project();
    let report = project.build(&["again", "--sandbox", "off"]);
    assert_eq!(report.built(), ["again", "fit", "prepare", "scores"]);
}

#[test]
fn what_a_step_is_is_shown() {
    let project = project();
    let shown = project.shown(&["show", "again"]);
    assert!(shown.contains("built by     python3 -c "), "{shown}");
    assert!(shown.contains("'<auc in metrics of scores>|'"), "{shown}");
    assert!(shown.contains("environment  the machine's python3"), "{shown}");
}

#[test]
fn globs_are_arguments_and_a_folder_may_be_the_working_directory() {
    let project = Project::new(
        r#"import std.{env, step}
fn sh[O](script: Str, args: List[Arg], outputs: Outputs[O]) -> O =
  step(["sh", "-c", script, "sh", ...args], env = env.host(["sh", "cat"]), outputs = outputs, cwd = "work", vars = { WHO: "me" })
all = sh("cat \"$@\" > all; echo $WHO >> all; pwd >> all", [glob("parts/*.txt")], { text: File("all") })
"#,
    );
    project.write("parts/a.txt", "a\n");
    project.write("parts/b.txt", "b\n");
    project.build(&["all"]);
    let made = std::fs::read_to_string(project.root().join("result/all.text/all"));
    let made = made
        .or_else(|_| std::fs::read_to_string(project.root().join("result/all.text")))
        .unwrap();
    assert_eq!(made, "a\nb\nme\n/build/work\n");
}

#[test]
fn a_step_that_fails_by_chance_is_tried_again() {
    let project = Project::new(
        r#"import std.{env, step}
made = step(["sh", "-c", "echo tried; exit 3"], env = env.host(["sh"]), outputs = { o: File("o") }, retries = 2)
"#,
    );
    let ran = project.run(&["build", "made"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert_eq!(ran.err.matches("is tried again").count(), 2, "{}", ran.err);
    assert_eq!(project.run(&["log", "made"]).out, "tried\ntried\ntried\n");
}

#[test]
fn a_program_tells_how_far_it_is() {
    let script = "import json, os
with open(int(os.environ['MLP_EVENTS']), 'w', buffering=1) as events:
    events.write(json.dumps({'done': 2, 'of': 2, 'unit': 'epochs', 'metrics': {'loss': 0.25}, 'warning': 'slow'}) + '\\n')
open('o', 'w')
";
    let project = Project::new(
        r#"import std.{env, step}
made = step(["python3", ./tell.py], env = env.host(["python3"]), outputs = { o: File("o") })
"#,
    );
    project.write("tell.py", script);
    let ran = project.run(&["build", "made"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("made: 2/2  loss 0.2500"), "{}", ran.err);
    assert!(ran.err.contains("made: slow"), "{}", ran.err);
}

#[test]
fn a_file_of_a_folder_may_be_named_beside_the_folder() {
    let project = Project::new(
        r#"import std.{env, step}
made = step(["sh", ./src/run.sh], env = env.host(["sh", "cat"]), inputs = { src: ./src }, outputs = { o: File("o") })
"#,
    );
    project.write("src/run.sh", "cat src/words > o\n");
    project.write("src/words", "words");
    project.build(&["made"]);
}

#[test]
fn what_is_computed_from_results_is_a_file_for_another_program() {
    let project = Project::new(
        r#"import std.{env, step}
fn sh[O](script: Str, args: List[Arg], outputs: Outputs[O]) -> O =
  step(["sh", "-c", script, "sh", ...args], env = env.host(["sh", "cat"]), outputs = outputs)
found = sh("echo '{\"auc\": 0.75, \"note\": null}' > m", [], { m: Metrics[{ auc: Float, note: Str? }]("m") }).m
good = found.auc > 0.5 and not (found.auc == 1.0)
config = json({ good, note: found.note, by: found.note ?? "nobody", width: [16, 32], none: null })
copy = sh("cat $1 > o", [config], { o: File("o") }).o
"#,
    );
    project.build(&["copy"]);
    let made = std::fs::read_to_string(project.root().join("result/copy")).unwrap();
    let words: String = made.split_whitespace().collect();
    assert_eq!(
        words,
        r#"{"by":"nobody","good":true,"none":null,"note":null,"width":[16,32]}"#
    );
}

#[test]
fn a_glob_of_the_whole_project_goes_on_after_a_build() {
    let project = Project::new(
        r#"import std.{env, step}
made = step(["sh", "-c", "cat *.csv > o"], env = env.host(["sh", "cat"]), inputs = { rows: "*.csv" }, outputs = { o: File("o") })
"#,
    );
    project.write("a.csv", "1\n");
    project.build(&["made"]);
    // The link to the first build's result leads out of the project.
    assert!(project.build(&["made"]).built().is_empty());
}

#[test]
fn the_level_of_landlock_hides_files_and_is_recorded() {
    if mlp_sandbox::landlock_version().is_err() {
        return;
    }
    let project = Project::new(
        r#"import std.{env, step}
made = step(
  ["python3", ./make.py], env = env.host(["python3"]), inputs = { rows: ./rows.csv }, outputs = { o: File("o") },
)
"#,
    );
    project.write(
        "make.py",
        "import os\nopen('o', 'w').write(open('rows.csv').read())\nprint(os.listdir(os.environ['ROOT']))\n",
    );
    project.write("rows.csv", "1\n");
    project.edit(
        "pipeline.mlp",
        "env = env.host([\"python3\"])",
        &format!(
            "vars = {{ ROOT: {:?} }}, env = env.host([\"python3\"])",
            project.root()
        ),
    );
    let refused = project.run(&["build", "made", "--sandbox=landlock"]);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(
        refused
            .err
            .contains("PermissionError: [Errno 13] Permission denied"),
        "{}",
        refused.err
    );
    project.edit("make.py", "print(os.listdir(os.environ['ROOT']))\n", "");
    let built = project.run(&["build", "made", "--sandbox=landlock"]);
    assert_eq!(built.code, Some(0), "{}", built.err);
    let shown = project.run(&["show", "made"]);
    assert!(
        shown
            .out
            .contains("by Landlock, which hides files and the network, and nothing else"),
        "{}",
        shown.out
    );
}
