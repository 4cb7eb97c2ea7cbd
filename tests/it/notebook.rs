//! `mlp init --from notebook.ipynb`: what comes of notebooks, the example among them.

use crate::project::{Project, Report};
use crate::python;
use std::path::Path;

/// A project without a pipeline.
fn empty() -> Project {
    let project = Project::new("");
    std::fs::remove_file(project.root().join("pipeline.mlp")).unwrap();
    project
}

fn read(project: &Project, path: &str) -> String {
    std::fs::read_to_string(project.root().join(path)).unwrap()
}

/// A notebook of these cells: kind and source.
fn notebook(cells: &[(&str, &str)]) -> String {
    let cell = |(kind, source): &(&str, &str)| {
        let lines: Vec<&str> = source.split_inclusive('\n').collect();
        serde_json::json!({ "cell_type": kind, "metadata": {}, "source": lines })
    };
    let cells: Vec<_> = cells.iter().map(cell).collect();
    serde_json::json!({ "cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5 }).to_string()
}

/// What has to hold of all that is made: it checks, and is laid out as `mlp fmt` lays out.
fn is_fine(project: &Project) {
    let check = project.run(&["check"]);
    assert_eq!(
        (check.code, check.err.as_str()),
        (Some(0), "ok: no mistakes found\n")
    );
    assert_eq!(
        project.run(&["fmt", "--check"]).code,
        Some(0),
        "{}",
        read(project, "pipeline.mlp")
    );
}

#[test]
fn the_example_is_what_its_notebook_becomes_and_builds() {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/notebook");
    let text = |path: &str| std::fs::read_to_string(from.join(path)).unwrap();
    let project = empty();
    for path in ["digits.ipynb", "digits.csv"] {
        project.write(path, &text(path));
    }
    insta::assert_snapshot!("example", project.shown(&["init", "--from", "digits.ipynb"]));
    is_fine(&project);
    for path in ["digits.py", "pipeline.mlp", "pyproject.toml"] {
        assert_eq!(read(&project, path), text(path), "{path}");
    }
    project.write("uv.lock", &text("uv.lock"));
    // So that the script is run, and not only its result found.
    project.write(
        "digits.py",
        &format!("{}# {}\n", text("digits.py"), project.root().display()),
    );
    let ran = python::run(&project, &["build", "digits.metrics", "--format", "json"]);
    if ran.out.contains("\"E0626\"") || ran.out.contains("\"E0617\"") {
        eprintln!(
            "the example's environment cannot be made here, so it is not built:\n{}",
            ran.out
        );
        return;
    }
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    let report = Report(serde_json::from_str(&ran.out).unwrap());
    let accuracy = report.0["artifacts"][0]["value"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.85, "{accuracy}");
}

#[test]
fn a_notebook_in_a_folder_keeps_its_paths_and_what_it_prints() {
    let project = empty();
    project.write("data/words.txt", "one two three");
    project.write(
        "work/count.py",
        "def count(text):\n    return len(text.split())\n",
    );
    let cells = [
        ("markdown", "# Words"),
        (
            "code",
            "import sys\nfrom count import count\n%matplotlib inline\ntext = open(\"../data/words.txt\").read()",
        ),
        ("code", "if text:\n    !ls\nprint(count(text))\ndisplay(text)"),
    ];
    project.write("work/words.ipynb", &notebook(&cells));
    insta::assert_snapshot!(
        "in_a_folder",
        project.shown(&["init", "--from", "work/words.ipynb"])
    );
    insta::assert_snapshot!("in_a_folder_script", read(&project, "work/words.py"));
    insta::assert_snapshot!("in_a_folder_pipeline", read(&project, "pipeline.mlp"));
    is_fine(&project);
    assert_eq!(project.build(&["words"]).built(), ["words"]);
    let result = std::fs::read_dir(project.root().join("result")).unwrap();
    let printed = result.flatten().next().unwrap().path();
    assert_eq!(std::fs::read_to_string(printed).unwrap(), "3\none two three\n");
}

#[test]
fn what_cannot_be_guessed_is_said() {
    let project = empty();
    let code = "import pandas as pd\nimport matplotlib.pyplot as plt\na = pd.read_csv('lost.csv')\nb = pd.read_csv('/data/far.csv')\nc = pd.read_csv('https://data.example/x.csv')\nplt.savefig('plots/a b.png')\na.to_csv('import.csv')\nmodel.save_pretrained('net')\n%%time\n!ls";
    project.write("My Notebook-2.ipynb", &notebook(&[("code", code)]));
    insta::assert_snapshot!(
        "guesses",
        project.shown(&["init", "--from", "My Notebook-2.ipynb"])
    );
    insta::assert_snapshot!("guesses_pipeline", read(&project, "pipeline.mlp"));
    insta::assert_snapshot!("guesses_pyproject", read(&project, "pyproject.toml"));
    is_fine(&project);
}

#[test]
fn names_that_the_pipeline_needs_itself() {
    for name in ["step", "import", "2024", "env", "Übung"] {
        let project = empty();
        project.write("if.txt", "");
        project.write("data.in/if.txt", "");
        let code =
            "open('if.txt').read()\nopen('data.in/if.txt').read()\nopen('true', 'w')\nopen('out.let', 'w')";
        project.write(&format!("{name}.ipynb"), &notebook(&[("code", code)]));
        let ran = project.run(&["init", "--from", &format!("{name}.ipynb")]);
        assert_eq!(ran.code, Some(0), "{name}: {}", ran.err);
        is_fine(&project);
    }
}

#[test]
fn what_is_no_notebook_and_what_is_there_already() {
    let project = empty();
    project.write("table.csv", "a,b\n1,2\n");
    project.write("old.ipynb", "{\"nbformat\": 3, \"worksheets\": []}");
    insta::assert_snapshot!("no_file", project.shown(&["init", "--from", "lost.ipynb"]));
    insta::assert_snapshot!("no_notebook", project.shown(&["init", "--from", "table.csv"]));
    insta::assert_snapshot!("old_format", project.shown(&["init", "--from", "old.ipynb"]));
    project.write("train.ipynb", &notebook(&[("code", "x = 1")]));
    project.write("pipeline.mlp", "x = 1\n");
    insta::assert_snapshot!("there_already", project.shown(&["init", "--from", "train.ipynb"]));
    assert!(!project.root().join("train.py").exists());
    assert_eq!(read(&project, "pipeline.mlp"), "x = 1\n");
}
