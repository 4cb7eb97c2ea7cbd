//! Start-up and a build with nothing to do, beside the tools that people use now.

use super::{Row, dvc};
use crate::{demo, libtorch, machine, peers, shell};
use std::path::Path;
use std::time::Duration;

/// The rows of both.
pub(super) fn rows() -> Result<Vec<Row>, String> {
    machine::check()?;
    let torch = libtorch::ensure()?;
    demo::build(&torch)?;
    let example = shell::root().join("examples/digits");
    // Trains where it has not been trained yet, so that what is timed below is a build with nothing to do.
    shell::run(demo::evaluate(&example).env("LIBTORCH", &torch))?;

    let dvc = peers::ensure(&peers::DVC);
    let pytorch = peers::ensure(&peers::PYTORCH).map(|programs| programs.join("python3"));
    let mut rows = start_up(dvc.as_deref(), pytorch.as_deref())?;
    rows.push(no_op(&example, dvc.as_deref())?);
    Ok(rows)
}

fn start_up(dvc: Option<&Path>, pytorch: Option<&Path>) -> Result<Vec<Row>, String> {
    let ours = shell::median(15, || {
        let mut command = shell::program(&demo::mlp(), &shell::root());
        command.arg("--version");
        command
    });
    let ours = millis(ours.ok_or("`mlp --version` fails")?);
    let row = |peer, theirs: Option<Duration>| Row {
        what: "start-up",
        ours,
        theirs: theirs.map(millis),
        peer,
        unit: "ms",
    };
    let torch = pytorch.and_then(|python| {
        shell::median(3, || {
            let mut command = shell::program(python, &shell::root());
            command.args(["-c", "import torch"]);
            command
        })
    });
    Ok(vec![
        row("python: import torch", torch),
        row("dvc --version", dvc.and_then(dvc_version)),
    ])
}

fn no_op(example: &Path, dvc: Option<&Path>) -> Result<Row, String> {
    let ours =
        shell::median(15, || demo::evaluate(example)).ok_or("the second build of the example fails")?;
    let theirs = dvc.and_then(|programs| dvc::no_op(programs, example));
    Ok(Row {
        what: "build with nothing to do",
        ours: millis(ours),
        theirs: theirs.map(millis),
        peer: "dvc repro, two stages",
        unit: "ms",
    })
}

fn dvc_version(programs: &Path) -> Option<Duration> {
    shell::median(3, || {
        let mut command = shell::program(&programs.join("dvc"), &shell::root());
        command.arg("--version");
        command
    })
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
