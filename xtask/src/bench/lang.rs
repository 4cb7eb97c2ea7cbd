//! Five programs, each in `.mlp` and in the languages that people would otherwise write such things in: `benches/lang`.
//! Whole processes, from the start to the printed JSON; repetitions of the evaluators alternate, so that other load on
//! the machine falls on all of them. All must print the same value.

use crate::measure::{Usage, measured};
use crate::{demo, peers, shell};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Counted runs of each program in each language.
const RUNS: usize = 9;

/// Programs: the file's stem, and what it does.
const PROGRAMS: &[(&str, &str)] = &[
    ("sum", "1 + 1"),
    ("fib", "naive fib(25)"),
    ("records", "map, filter, fold of 100,000 records"),
    ("merge", "deep merge of 2,000 records"),
    ("stages", "10,000 stage records to JSON"),
];

/// An evaluator: how it is called on a program.
struct Evaluator {
    name: &'static str,
    command: Box<dyn Fn(&str) -> Command>,
}

/// Measures, and prints a table of CPU time and one of peak memory.
pub(super) fn run() -> Result<(), String> {
    shell::run(&mut shell::command("cargo build --release --package mlp"))?;
    let evaluators: Vec<Evaluator> = [Some(ours()?), nix()?, jrsonnet(), starlark()]
        .into_iter()
        .flatten()
        .collect();
    println!("median of {RUNS} runs, whole processes; in brackets how many times as much as mlp");
    heading("CPU ms", &evaluators);
    let mut peaks = Vec::new();
    for (stem, what) in PROGRAMS {
        let usages = program(stem, &evaluators)?;
        println!("{}", line(what, usages.iter().map(|usage| usage.cpu)));
        peaks.push((what, usages));
    }
    println!();
    heading("peak MiB", &evaluators);
    for (what, usages) in peaks {
        println!("{}", line(what, usages.iter().map(|usage| usage.memory)));
    }
    Ok(())
}

/// The medians of a program, by evaluator.
fn program(stem: &str, evaluators: &[Evaluator]) -> Result<Vec<Usage>, String> {
    let mut runs: Vec<Vec<Usage>> = evaluators.iter().map(|_| Vec::new()).collect();
    let mut expected: Option<Value> = None;
    // One more than is counted: the first warms the caches of the disk.
    for round in 0..=RUNS {
        for (evaluator, runs) in evaluators.iter().zip(&mut runs) {
            let (output, usage) = measured(&(evaluator.command)(stem))?;
            if round > 0 {
                runs.push(usage);
                continue;
            }
            let value: Value = serde_json::from_str(&output)
                .map_err(|error| format!("{} prints no JSON for {stem}: {error}", evaluator.name))?;
            match &expected {
                Some(expected) if *expected != value => {
                    return Err(format!(
                        "{} has another answer to {stem} than mlp",
                        evaluator.name
                    ));
                }
                Some(_) => {}
                None => expected = Some(value),
            }
        }
    }
    Ok(runs.iter().map(|runs| median(runs)).collect())
}

fn median(runs: &[Usage]) -> Usage {
    let middle = |mut figures: Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    Usage {
        cpu: middle(runs.iter().map(|usage| usage.cpu).collect()),
        memory: middle(runs.iter().map(|usage| usage.memory).collect()),
    }
}

fn heading(unit: &str, evaluators: &[Evaluator]) {
    let names: String = evaluators
        .iter()
        .map(|evaluator| format!("{:>17}", evaluator.name))
        .collect();
    println!("{unit:<38}{names}");
}

fn line(what: &str, figures: impl Iterator<Item = f64>) -> String {
    let mut line = format!("{what:<38}");
    let mut ours = None;
    for figure in figures {
        let ratio = ours.map_or(String::new(), |ours: f64| format!(" ({:.1}x)", figure / ours));
        ours.get_or_insert(figure);
        line += &format!("{:>17}", format!("{figure:.1}{ratio}"));
    }
    line
}

fn source(stem: &str, extension: &str) -> PathBuf {
    shell::root()
        .join("benches/lang")
        .join(format!("{stem}.{extension}"))
}

/// `mlp eval`, which wants a project: each program is the pipeline of one.
fn ours() -> Result<Evaluator, String> {
    let folder = shell::target().join("bench/lang");
    for (stem, _) in PROGRAMS {
        let project = folder.join(stem);
        let made = std::fs::create_dir_all(&project)
            .and_then(|()| std::fs::copy(source(stem, "mlp"), project.join("pipeline.mlp")));
        made.map_err(|error| format!("{}: {error}", project.display()))?;
    }
    Ok(Evaluator {
        name: "mlp",
        command: Box::new(move |stem| {
            let mut command = shell::program(&demo::mlp(), &folder.join(stem));
            command.args(["eval", "--format", "json"]);
            command
        }),
    })
}

/// Nix, with its store and state in a folder that is thrown away: nothing of the machine's own is touched.
fn nix() -> Result<Option<Evaluator>, String> {
    if shell::output(&mut shell::command("nix-instantiate --version")).is_none() {
        missing("Nix", "sudo apt install nix-bin");
        return Ok(None);
    }
    let folder = shell::target().join("bench/nix");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(Some(Evaluator {
        name: "Nix",
        command: Box::new(move |stem| {
            let mut command = shell::command("nix-instantiate --eval --strict --json");
            command.arg(source(stem, "nix"));
            for (name, part) in [
                ("NIX_STORE_DIR", "store"),
                ("NIX_STATE_DIR", "state"),
                ("NIX_LOG_DIR", "log"),
                ("NIX_CONF_DIR", "conf"),
            ] {
                command.env(name, folder.join(part));
            }
            command
        }),
    }))
}

fn jrsonnet() -> Option<Evaluator> {
    let program = peers::ensure(&peers::JRSONNET)?.join("jrsonnet");
    Some(Evaluator {
        name: "jrsonnet",
        command: Box::new(move |stem| {
            let mut command = shell::program(&program, &shell::root());
            command.arg(source(stem, "jsonnet"));
            command
        }),
    })
}

fn starlark() -> Option<Evaluator> {
    let python = peers::ensure(&peers::STARLARK)?.join("python3");
    let script = Path::new("benches/lang/star.py");
    Some(Evaluator {
        name: "starlark-rust",
        command: Box::new(move |stem| {
            let mut command = shell::program(&python, &shell::root());
            command.arg(script).arg(source(stem, "star"));
            command
        }),
    })
}

fn missing(what: &str, mend: &str) {
    eprintln!("xtask: no {what}: it is not installed\nhint: {mend}; figures are printed without it");
}
