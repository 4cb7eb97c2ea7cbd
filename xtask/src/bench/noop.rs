//! Builds with nothing to do, of 1,000 and of 10,000 steps, against ninja, DVC and Snakemake; and after an edit of the
//! pipeline that changes no step.
//!
//! The steps copy a file each, and one more reads all copies: it is the target, as `all` is ninja's. What a tool takes the
//! first time is another bench's.

use super::{Row, dvc};
use crate::{demo, peers, shell};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Counted runs of what takes milliseconds, and of what takes seconds.
const MANY: usize = 15;
const FEW: usize = 3;

/// The rows of both pipelines.
pub(super) fn rows() -> Result<Vec<Row>, String> {
    shell::run(&mut shell::command("cargo build --release --package mlp"))?;
    let folder = shell::target().join("bench/noop");
    let mut rows = of(
        &folder,
        1_000,
        ["1,000 steps, nothing to do", "1,000 steps, after an edit"],
    )?;
    rows.extend(of(
        &folder,
        10_000,
        ["10,000 steps, nothing to do", "10,000 steps, after an edit"],
    )?);
    fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(rows)
}

fn of(folder: &Path, steps: usize, [nothing, edited]: [&'static str; 2]) -> Result<Vec<Row>, String> {
    let said = |error: io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(said)?;
    }
    project(folder, steps).map_err(said)?;
    let build = || {
        let mut command = shell::program(&demo::mlp(), folder);
        command
            .args(["build", "all"])
            .env("MLP_STORE", folder.join("store"));
        command
    };
    shell::run(&mut build())?;
    let ours = shell::median(MANY, build).ok_or("a build with nothing to do fails")?;
    let mut number = 0;
    let after = shell::median(MANY, || {
        number += 1;
        // A comment: no step changes, and everything has to be found out again.
        let path = folder.join("pipeline.mlp");
        if let Ok(text) = fs::read_to_string(&path) {
            drop(fs::write(&path, format!("# Edit {number}.\n{text}")));
        }
        build()
    });
    let after = after.ok_or("a build after an edit fails")?;
    let mut rows = Vec::new();
    let mut row = |what, ours: Duration, theirs: Option<Duration>, peer| {
        rows.push(Row {
            what,
            ours: millis(ours),
            theirs: theirs.map(millis),
            peer,
            unit: "ms",
        });
    };
    let ninja = ninja(folder);
    row(nothing, ours, ninja, "ninja");
    row(edited, after, ninja, "ninja, unedited");
    // Ten thousand stages take them many minutes.
    if steps <= 1_000 {
        row(nothing, ours, dvc_times(folder), "dvc repro");
        row(nothing, ours, snakemake(folder), "snakemake");
    }
    Ok(rows)
}

fn ninja(folder: &Path) -> Option<Duration> {
    let ninja = peers::ensure(&peers::NINJA)?.join("ninja");
    let build = || shell::program(&ninja, folder);
    shell::output(&mut build())?;
    shell::median(MANY, build)
}

/// The outputs are ninja's; DVC is told that they are its own, which takes it a fraction of the time of running each stage.
fn dvc_times(folder: &Path) -> Option<Duration> {
    let dvc = peers::ensure(&peers::DVC)?.join("dvc");
    let run = |arguments: &[&str]| {
        let mut command = shell::program(&dvc, folder);
        command.args(arguments);
        command
    };
    shell::output(&mut run(&["init", "--no-scm", "--quiet"]))?;
    shell::output(&mut run(&["commit", "--force", "--quiet"]))?;
    shell::median(FEW, || run(&["repro", "--quiet"]))
}

fn snakemake(folder: &Path) -> Option<Duration> {
    let snakemake = peers::ensure(&peers::SNAKEMAKE)?.join("snakemake");
    let run = |arguments: &[&str]| -> Command {
        let mut command = shell::program(&snakemake, folder);
        command.args(["--cores", "2", "--quiet", "all"]).args(arguments);
        command
    };
    shell::output(&mut run(&["--touch"]))?;
    shell::median(FEW, || run(&[]))
}

/// The pipeline, for each of the tools.
fn project(folder: &Path, steps: usize) -> io::Result<()> {
    fs::create_dir_all(folder.join("out"))?;
    let mut pipeline = String::from("import std.{env, step}\n\nmachine = env.host([\"cp\", \"sh\"])\n\n");
    let mut ninja = String::from("rule copy\n  command = cp $in $out\n");
    let mut stages = Vec::new();
    for step in 0..steps {
        let (from, to) = (format!("in_{step}"), format!("out/{step}"));
        fs::write(folder.join(&from), format!("the input of step {step}\n"))?;
        let _ = writeln!(
            pipeline,
            "copy_{step} = step([\"cp\", ./{from}, \"copy\"], env = machine, outputs = {{ copy: File(\"copy\") }})"
        );
        let _ = writeln!(ninja, "build {to}: copy {from}");
        stages.push((from, to));
    }
    pipeline.push_str("\nall = step(\n  [\"sh\", \"-c\", \"ls inputs > all\"], env = machine, outputs = { all: File(\"all\") },\n  inputs = {\n");
    ninja.push_str("build all: phony");
    for (step, (_, to)) in stages.iter().enumerate() {
        let _ = writeln!(pipeline, "    copy_{step}: copy_{step}.copy,");
        let _ = write!(ninja, " {to}");
    }
    pipeline.push_str("  },\n)\n");
    ninja.push_str("\ndefault all\n");
    fs::write(folder.join("pipeline.mlp"), pipeline)?;
    fs::write(folder.join("build.ninja"), ninja)?;
    fs::write(folder.join("dvc.yaml"), dvc::copies(&stages))?;
    let snakefile = format!(
        "rule all:\n    input: expand(\"out/{{i}}\", i=range({steps}))\n\n\
         rule copy:\n    input: \"in_{{i}}\"\n    output: \"out/{{i}}\"\n    shell: \"cp {{input}} {{output}}\"\n"
    );
    fs::write(folder.join("Snakefile"), snakefile)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
