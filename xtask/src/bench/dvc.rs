//! DVC on a project of the example's shape: a stage that splits a table and one that reads the parts; on the scripts of
//! examples/python-scripts; and on copies of files.

use crate::shell;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The stages do next to nothing themselves: what is timed is a `repro` that finds nothing to do.
const STAGES: &str = "\
stages:
  split:
    cmd: head -1000 digits.csv > train.csv && tail -700 digits.csv > test.csv
    deps: [digits.csv]
    outs: [train.csv, test.csv]
  evaluate:
    cmd: cat train.csv test.csv | wc -l > metrics.txt
    deps: [train.csv, test.csv]
    outs: [metrics.txt]
";

/// The median of a `dvc repro` with nothing to do, on the example's own data; none, with a word, where DVC fails.
pub(super) fn no_op(programs: &Path, example: &Path) -> Option<Duration> {
    let folder = shell::target().join("bench/dvc");
    let dvc = |arguments: &[&str]| {
        let mut command = shell::program(&programs.join("dvc"), &folder);
        command.args(arguments);
        command
    };
    let made = prepare(&folder, example)
        .map_err(|error| error.to_string())
        .and_then(|()| {
            for arguments in [
                &["init", "--no-scm", "--force", "--quiet"][..],
                &["repro", "--quiet"],
            ] {
                shell::run(&mut dvc(arguments))?;
            }
            Ok(())
        });
    if let Err(why) = made {
        eprintln!("xtask: no figure of dvc: {why}");
        return None;
    }
    shell::median(3, || dvc(&["repro", "--quiet"]))
}

/// The stages of examples/python-scripts, with the interpreter of an environment.
pub(super) fn scripts(venv: &Path) -> String {
    let python = venv.join("bin/python");
    let python = python.display();
    format!(
        "\
stages:
  prepare:
    cmd: {python} src/prepare.py --split ${{split}} --seed ${{seed}}
    deps: [src/prepare.py, data/digits.csv]
    outs: [train.csv, test.csv]
  fit:
    cmd: {python} src/train.py train.csv --trees ${{train.trees}} --depth ${{train.depth}} --seed ${{seed}}
    deps: [src/train.py, src/digits.py, train.csv]
    outs: [model.pkl]
  evaluate:
    cmd: {python} src/evaluate.py model.pkl test.csv
    deps: [src/evaluate.py, src/digits.py, model.pkl, test.csv]
    outs: [metrics.json, confusion.csv]
  plot:
    cmd: {python} src/plot.py confusion.csv
    deps: [src/plot.py, confusion.csv]
    outs: [confusion.png]
"
    )
}

/// Stages that each copy a file.
pub(super) fn copies(files: &[(String, String)]) -> String {
    let mut stages = String::from("stages:\n");
    for (index, (from, to)) in files.iter().enumerate() {
        let _ = write!(
            stages,
            "  copy{index}:\n    cmd: cp {from} {to}\n    deps: [{from}]\n    outs: [{to}]\n"
        );
    }
    stages
}

fn prepare(folder: &Path, example: &Path) -> std::io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    fs::copy(example.join("digits.csv"), folder.join("digits.csv"))?;
    fs::write(folder.join("dvc.yaml"), STAGES)
}
