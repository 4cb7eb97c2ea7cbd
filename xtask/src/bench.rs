//! `cargo xtask bench`: figures that are meant to be compared, taken in one run on one machine and given as ratios.

mod train;

use crate::{demo, libtorch, machine, shell};
use std::path::Path;
use std::time::Duration;

/// A figure of ours beside one of a tool that people use now.
struct Row {
    what: &'static str,
    ours: f64,
    theirs: Option<f64>,
    peer: &'static str,
    unit: &'static str,
}

/// Takes all figures and prints the table.
pub(crate) fn run() -> Result<(), String> {
    machine::check()?;
    let torch = libtorch::ensure()?;
    demo::build(&torch)?;
    let example = shell::root().join("examples/digits");
    // Trains where it has not been trained yet, so that what is timed below is a build with nothing to do.
    shell::run(demo::evaluate(&example).env("LIBTORCH", &torch))?;

    let mut rows = start_up()?;
    rows.push(no_op(&example)?);
    rows.extend(train::rows()?);
    println!(
        "{:<34}{:>14}{:>14}  {:<22}{:>8}",
        "", "mlp", "", "against", "ratio"
    );
    for row in rows {
        println!("{}", line(&row));
    }
    Ok(())
}

fn start_up() -> Result<Vec<Row>, String> {
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
    let torch = shell::median(3, || {
        let mut command = shell::command("python3 -c");
        command.arg("import torch");
        command
    });
    let dvc = shell::median(3, || shell::command("dvc --version"));
    Ok(vec![
        row("python: import torch", torch),
        row("dvc --version", dvc),
    ])
}

fn no_op(example: &Path) -> Result<Row, String> {
    let ours =
        shell::median(15, || demo::evaluate(example)).ok_or("the second build of the example fails")?;
    let theirs = shell::median(3, || shell::command("dvc --version"));
    Ok(Row {
        what: "build with nothing to do",
        ours: millis(ours),
        theirs: theirs.map(millis),
        peer: "dvc: its start-up alone",
        unit: "ms",
    })
}

fn line(row: &Row) -> String {
    let theirs = row
        .theirs
        .map_or("not here".to_owned(), |theirs| format!("{theirs:.1}"));
    let ratio = row
        .theirs
        .map_or(String::new(), |theirs| format!("{:.1}x", theirs / row.ours));
    let what = format!("{} ({})", row.what, row.unit);
    format!(
        "{what:<34}{:>14.1}{theirs:>14}  {:<22}{ratio:>8}",
        row.ours, row.peer
    )
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
