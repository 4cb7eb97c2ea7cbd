//! `mlp plan`: what a build would do, and why; `mlp build --dry-run` is the same.

use super::build::{self, Asked, processors};
use super::demand::{self, Demanded};
use super::exit::{Exit, Refusal};
use super::place;
use super::told::{self, Format};
use crate::base::size::Size;
use crate::engine::{Decision, Estimate, Plan, PlannedStep};
use crate::model::derivation::Builder;
use crate::model::graph::Step;
use crate::report::duration;
use serde_json::{Value, json};

/// Say what a build would do, step by step, and why.
///
/// A step is reused, built, or built unless its inputs come out as they were (`may build`), or built only if a search
/// chooses it (`if chosen`). Behind it stands how long it took here before, where that is known.
///
///   mlp plan evaluate
///   mlp plan evaluate --set lr=3e-4 --jobs 2
///   mlp plan evaluate --format json
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// The targets, as `mlp build` takes them.
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    settings: place::Settings,
    /// Steps at once, for the estimate; as many as there are processors where it is left out.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// What steps may hold of the memory together: `8GiB`; as much as there is where it is left out.
    #[arg(long, value_name = "SIZE")]
    memory: Option<Size>,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    if let Some((demanded, plan)) = demand::up_to_date(&arguments.targets, &arguments.settings)? {
        let jobs = arguments.jobs.map_or_else(processors, usize::from);
        show(&demanded, &plan, jobs, arguments.format);
        return Ok(Exit::Success);
    }
    let demanded = match demand::demand(&arguments.targets, &arguments.settings)? {
        Ok(demanded) => demanded,
        Err(notices) => {
            told::mistakes(&notices, arguments.format);
            return Ok(Exit::Mend);
        }
    };
    let asked = Asked {
        jobs: arguments.jobs.map_or_else(processors, usize::from),
        memory: arguments.memory,
        check: false,
    };
    match build::planned(&demanded, &asked)? {
        Ok((plan, _)) => {
            show(&demanded, &plan, asked.jobs, arguments.format);
            Ok(Exit::Success)
        }
        Err(notices) => {
            told::mistakes(&notices, arguments.format);
            Ok(Exit::Mend)
        }
    }
}

/// Shows what `plan` would do with so many steps at once.
pub(super) fn show(demanded: &Demanded, plan: &Plan, jobs: usize, format: Format) {
    let estimate = demanded.workspace.estimate(&demanded.instance, plan, jobs);
    let step = |planned: &PlannedStep| demanded.instance.graph.step(planned.step);
    match format {
        Format::Text => {
            let mut text = String::new();
            for planned in &plan.steps {
                let took = estimate.steps.get(&planned.step);
                let took = took.map_or(String::new(), |took| format!(" ({})", duration(*took)));
                text.push_str(&format!(
                    "{:<9}  {}: {}{took}\n",
                    verb(planned, step(planned)),
                    step(planned).name(),
                    planned.reason
                ));
            }
            print!("{text}");
            eprintln!("{}", closing(plan, &estimate, jobs));
        }
        Format::Json => told::print_json(&json!({
            "steps": plan.steps.iter().map(|planned| line(planned, step(planned), &estimate)).collect::<Vec<_>>(),
            "jobs": jobs,
            "expected_ms": (estimate.unknown == 0).then_some(estimate.total_ms),
            "known_ms": estimate.total_ms,
            "unknown": estimate.unknown,
        })),
    }
}

fn line(planned: &PlannedStep, step: &Step, estimate: &Estimate) -> Value {
    json!({
        "step": step.name(),
        "decision": verb(planned, step),
        "reason": planned.reason,
        "expected_ms": estimate.steps.get(&planned.step),
    })
}

fn verb(planned: &PlannedStep, step: &Step) -> &'static str {
    match planned.decision {
        Decision::Reuse(_) => "reuse",
        Decision::Build if fetches(step) => "fetch",
        Decision::Build => "build",
        Decision::Unknown => "may build",
        Decision::May => "if chosen",
    }
}

/// Whether what the step gives comes from elsewhere, with a hash that is known before.
fn fetches(step: &Step) -> bool {
    match &step.derivation.builder {
        Builder::Builtin { name, .. } => name == "fetch" || name.starts_with("env."),
        Builder::Command { .. } => false,
    }
}

/// How many of each, and how long it takes.
fn closing(plan: &Plan, estimate: &Estimate, jobs: usize) -> String {
    let (mut reuse, mut must, mut may, mut chosen) = (0, 0, 0, 0);
    for planned in &plan.steps {
        *match planned.decision {
            Decision::Reuse(_) => &mut reuse,
            Decision::Build => &mut must,
            Decision::Unknown => &mut may,
            Decision::May => &mut chosen,
        } += 1;
    }
    let counts = [
        (must, "to build"),
        (may, "that may have to be"),
        (chosen, "to build if chosen"),
        (reuse, "to reuse"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if must + may == 0 {
        return format!("{}: nothing to do", counts.join(", "));
    }
    format!("{}; {}", counts.join(", "), expected(estimate, must + may, jobs))
}

fn expected(estimate: &Estimate, due: usize, jobs: usize) -> String {
    let never = match estimate.unknown {
        0 => String::new(),
        unknown if unknown == due => return "how long it takes is not known".to_owned(),
        1 => ", and 1 step that was never timed".to_owned(),
        unknown => format!(", and {unknown} steps that were never timed"),
    };
    let at_once = if jobs == 1 { "one" } else { &jobs.to_string() };
    format!(
        "expected: {} with {at_once} at once{never}",
        duration(estimate.total_ms)
    )
}
