//! `mlp step trace`: what a step reads is found by running it, and proposed as inputs.

use crate::project::Project;

const PIPELINE: &str = r#"import std.{env, step}

tools = env.host(["python3", "sh", "cat"])

prepare = step(["sh", "-c", "cat data/a.csv data/b.csv > rows.csv"], env = tools, inputs = { data: "data/*.csv" }, outputs = { rows: File("rows.csv") })
fit = step(
  ["python3", ./src/fit.py, "--rows", prepare.rows], env = tools, inputs = { old: ./old.txt },
  outputs = { model: File("out/model.json") },
)
alone = step(["sh", "-c", "cat rows.csv > o"], env = tools, outputs = { o: File("o") }, inputs = { model: fit.model })
"#;

/// Reads a module, the settings, a folder of words, a file by a child of a child, and asks for one more.
const FIT: &str = "import os, subprocess, sys
from features import count
os.path.exists('local.yaml')
words = [open(os.path.join('words', name)).read() for name in sorted(os.listdir('words'))]
settings = open('params.yaml').read()
subprocess.run(['sh', '-c', 'sh -c \"cat deep/inside/notes.txt\"'], check=True)
print('fitted', count(sys.argv[2]))
open('out/model.json', 'w').write('{}')
";

fn project() -> Project {
    let project = Project::new(PIPELINE);
    project.write("src/fit.py", FIT);
    project.write(
        "src/features.py",
        "def count(path):\n    return len(open(path).read().split())\n",
    );
    project.write("src/other.py", "");
    project.write("params.yaml", "trees: 3\n");
    project.write("local.yaml", "");
    project.write("old.txt", "");
    project.write("words/one.txt", "one");
    project.write("words/two.txt", "two");
    project.write("deep/inside/notes.txt", "notes\n");
    project.write("deep/inside/more.md", "");
    project.write("data/a.csv", "1 2\n");
    project.write("data/b.csv", "3\n");
    // What an earlier run by hand left behind is neither seen nor written over.
    project.write("out/model.json", "old");
    project
}

#[test]
fn what_a_step_reads_is_proposed_as_inputs() {
    let project = project();
    insta::assert_snapshot!(project.shown(&["step", "trace", "fit"]));
    assert_eq!(
        std::fs::read_to_string(project.root().join("out/model.json")).unwrap(),
        "old"
    );
    assert!(!project.root().join("result").exists());
    // What was printed is what is missing: with it the step is built in its own sandbox.
    let ran = project.run(&["step", "trace", "fit"]);
    project.edit("pipeline.mlp", "old: ./old.txt", ran.out.trim());
    assert_eq!(
        project.build(&["fit"]).built(),
        ["fit"],
        "nothing may have been registered before"
    );
    insta::assert_snapshot!("nothing_to_add", project.shown(&["step", "trace", "fit"]));
}

#[test]
fn what_another_step_makes_is_named_by_its_output() {
    let project = project();
    project.write("rows.csv", "left from a run by hand");
    project.edit("pipeline.mlp", "{ model: fit.model }", "{ raw: ./data }");
    project.edit(
        "pipeline.mlp",
        "alone = step",
        "also = prepare.rows\nalone = step",
    );
    project.edit(
        "pipeline.mlp",
        "cat rows.csv > o\"]",
        "cat rows.csv > o\", prepare.rows]",
    );
    insta::assert_snapshot!(project.shown(&["step", "trace", "alone"]));
}

#[test]
fn a_step_that_fails_is_told_with_what_it_read() {
    let project = project();
    project.write("src/fit.py", "open('params.yaml')\nraise SystemExit(3)\n");
    insta::assert_snapshot!(project.shown(&["step", "trace", "fit"]));
}

#[test]
fn a_target_of_several_steps_or_none_is_refused() {
    let project = project();
    project.edit(
        "pipeline.mlp",
        "alone =",
        "both = { a: prepare, b: fit }\nalone =",
    );
    insta::assert_snapshot!("several", project.shown(&["step", "trace", "both"]));
    let small = Project::small();
    let ran = small.run(&["step", "trace", "parts.train"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("`parts` is a step of the library, `data.split`"),
        "{}",
        ran.err
    );
    project.write("data/b.csv", "");
    project.edit("pipeline.mlp", "cat data/a.csv data/b.csv", "exit 4; cat");
    insta::assert_snapshot!("unbuilt", project.shown(&["step", "trace", "fit"]));
}
