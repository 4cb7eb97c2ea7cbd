//! `mlp check` as a whole process: of a project of 10,000 steps after an edit and as it was, and of next to nothing, which is
//! what starting costs.

use super::project;
use crate::measure::{Usage, measured};
use crate::{demo, shell};
use std::path::Path;

/// Counted runs of each.
const RUNS: usize = 15;

/// Measures, and prints what it took.
pub(super) fn run() -> Result<(), String> {
    shell::run(&mut shell::command("cargo build --release --package mlp"))?;
    let small = shell::target().join("bench/small");
    std::fs::create_dir_all(&small)
        .and_then(|()| std::fs::write(small.join("pipeline.mlp"), "1 + 1\n"))
        .map_err(|error| format!("{}: {error}", small.display()))?;
    let large = project::write()?;
    println!("mlp check, {RUNS} runs        CPU ms: least, median     peak MiB");
    report("1 + 1", &small, false)?;
    report("10,000 steps, after an edit", &large, true)?;
    report("10,000 steps, unchanged", &large, false)
}

/// With `edited` a comment is written into the pipeline before each run.
fn report(what: &str, project: &Path, edited: bool) -> Result<(), String> {
    let mut runs: Vec<Usage> = Vec::new();
    let pipeline = project.join("pipeline.mlp");
    let text =
        std::fs::read_to_string(&pipeline).map_err(|error| format!("{}: {error}", pipeline.display()))?;
    for run in 0..=RUNS {
        if edited {
            std::fs::write(&pipeline, format!("# Edit {run}.\n{text}"))
                .map_err(|error| format!("{}: {error}", pipeline.display()))?;
        }
        let mut command = shell::program(&demo::mlp(), project);
        runs.push(measured(command.arg("check"))?.1);
    }
    // The first one warmed the caches of the disk.
    runs.remove(0);
    runs.sort_by(|a, b| a.cpu.total_cmp(&b.cpu));
    let (least, middle) = (runs[0], runs[RUNS / 2]);
    println!(
        "{what:<28}{:>12.1}{:>10.1}{:>14.1}",
        least.cpu, middle.cpu, middle.memory
    );
    Ok(())
}
