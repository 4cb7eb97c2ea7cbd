//! A first build: many steps that each copy a file, against ninja, ninja with a bubblewrap around each command, and DVC.
//!
//! mlp hashes, isolates and keeps what each step wrote; ninja does none of that, and is the bound; with bubblewrap it
//! isolates. The tools take turns, so that what else the machine does falls on all of them. Each build has a new folder, and
//! all go at the end: for a minute after many files were deleted, ext4 is slow to make new ones.

use super::{Row, dvc};
use crate::{demo, peers, shell};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Rounds whose median counts.
const ROUNDS: usize = 3;
/// Steps of the small and the large pipeline.
const FEW: usize = 100;
const MANY: usize = 1000;

/// Who builds.
enum Tool {
    Mlp,
    Ninja { file: &'static str, ninja: PathBuf },
    Dvc { dvc: PathBuf },
}

/// The rows of both pipelines, with one step at once and with two.
pub(super) fn rows() -> Result<Vec<Row>, String> {
    shell::run(&mut shell::command("cargo build --release --package mlp"))?;
    let folder = shell::target().join("bench/build");
    if folder.exists() {
        remove(&folder)?;
        eprintln!("the folders of a bench before this one were deleted: waiting a minute");
        std::thread::sleep(Duration::from_secs(60));
    }
    let mut rows = Vec::new();
    for (steps, jobs, what) in [
        (FEW, 1, "100 steps, one at once"),
        (FEW, 2, "100 steps, two at once"),
        (MANY, 1, "1,000 steps, one at once"),
        (MANY, 2, "1,000 steps, two at once"),
    ] {
        let mut tools = vec![Tool::Mlp];
        if let Some(ninja) = peers::ensure(&peers::NINJA).map(|programs| programs.join("ninja")) {
            let plain = Tool::Ninja {
                file: "plain.ninja",
                ninja: ninja.clone(),
            };
            tools.push(plain);
            if shell::output(&mut shell::command("bwrap --version")).is_some() {
                let file = "bwrap.ninja";
                tools.push(Tool::Ninja { file, ninja });
            } else {
                eprintln!("xtask: no bwrap: it comes with the distribution's package `bubblewrap`");
            }
        }
        // A thousand stages take DVC minutes.
        if (steps, jobs) == (FEW, 1)
            && let Some(programs) = peers::ensure(&peers::DVC)
        {
            tools.push(Tool::Dvc {
                dvc: programs.join("dvc"),
            });
        }
        rows.extend(compare(&folder, steps, jobs, what, &tools)?);
    }
    remove(&folder)?;
    Ok(rows)
}

fn remove(folder: &Path) -> Result<(), String> {
    fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Milliseconds a step of mlp, beside those of each other tool.
fn compare(
    folder: &Path,
    steps: usize,
    jobs: usize,
    what: &'static str,
    tools: &[Tool],
) -> Result<Vec<Row>, String> {
    let mut taken = vec![Vec::new(); tools.len()];
    for round in 0..ROUNDS {
        for (number, (tool, taken)) in tools.iter().zip(&mut taken).enumerate() {
            // DVC takes half a minute each time.
            if matches!(tool, Tool::Dvc { .. }) && !taken.is_empty() {
                continue;
            }
            let folder = folder.join(format!("{steps}-{jobs}-{round}-{number}"));
            project(&folder, steps).map_err(|error| format!("{}: {error}", folder.display()))?;
            let mut command = tool.command(&folder, jobs)?;
            let start = Instant::now();
            shell::output(&mut command).ok_or_else(|| format!("{:?} fails", command.get_program()))?;
            taken.push(start.elapsed());
        }
    }
    let per_step = |taken: &mut Vec<Duration>| {
        taken.sort();
        let median = taken.get(taken.len() / 2).copied().unwrap_or_default();
        median.as_secs_f64() * 1000.0 / steps as f64
    };
    let figures: Vec<f64> = taken.iter_mut().map(per_step).collect();
    let ours = figures.first().copied().unwrap_or_default();
    let others = tools.iter().zip(figures).skip(1);
    Ok(others
        .map(|(tool, theirs)| Row {
            what,
            ours,
            theirs: Some(theirs),
            peer: tool.name(),
            unit: "ms a step",
        })
        .collect())
}

impl Tool {
    fn name(&self) -> &'static str {
        match self {
            Self::Mlp => "mlp",
            Self::Ninja {
                file: "bwrap.ninja", ..
            } => "ninja, bwrap each",
            Self::Ninja { .. } => "ninja",
            Self::Dvc { .. } => "dvc repro",
        }
    }

    /// A first build of the project in `folder`.
    fn command(&self, folder: &Path, jobs: usize) -> Result<Command, String> {
        let jobs = jobs.to_string();
        Ok(match self {
            Self::Mlp => {
                let mut command = shell::program(&demo::mlp(), folder);
                command.args(["build", "copies", "--jobs", &jobs]);
                command.env("MLP_STORE", folder.join("store"));
                command
            }
            Self::Ninja { file, ninja } => {
                let mut command = shell::program(ninja, folder);
                command.args(["-j", &jobs, "-f", file]);
                command
            }
            Self::Dvc { dvc } => {
                let mut init = shell::program(dvc, folder);
                shell::output(init.args(["init", "--no-scm", "--quiet"])).ok_or("dvc init fails")?;
                let mut command = shell::program(dvc, folder);
                command.args(["repro", "--quiet"]);
                command
            }
        })
    }
}

/// What bubblewrap shows a command: the machine's programs, the input, and a folder for the output.
const BWRAP: &str = "bwrap --unshare-all --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib \
    --symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /tmp --ro-bind $in /work/$in --bind out /work/out --chdir /work";

/// A pipeline of `steps` copies, written for each of the tools.
fn project(folder: &Path, steps: usize) -> std::io::Result<()> {
    fs::create_dir_all(folder.join("out"))?;
    let mut pipeline = String::from("import std.{env, step}\nmachine = env.host([\"cp\"])\ncopies = [\n");
    let mut plain = String::from("rule copy\n  command = cp $in $out\n");
    let mut isolated = format!("rule copy\n  command = {BWRAP} cp $in $out\n");
    let mut stages = Vec::new();
    for step in 0..steps {
        let (from, to) = (format!("in_{step}"), format!("out/{step}"));
        fs::write(folder.join(&from), format!("the input of step {step}\n"))?;
        let _ = writeln!(
            pipeline,
            "  step([\"cp\", ./{from}, \"copy\"], env = machine, outputs = {{ copy: File(\"copy\") }}),"
        );
        for ninja in [&mut plain, &mut isolated] {
            let _ = writeln!(ninja, "build {to}: copy {from}");
        }
        stages.push((from, to));
    }
    pipeline.push_str("]\n");
    fs::write(folder.join("pipeline.mlp"), pipeline)?;
    fs::write(folder.join("plain.ninja"), plain)?;
    fs::write(folder.join("bwrap.ninja"), isolated)?;
    fs::write(folder.join("dvc.yaml"), dvc::copies(&stages))
}
