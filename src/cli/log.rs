//! `mlp log`: what earlier builds did, from their event logs.

use super::exit::{Exit, Refusal};
use super::place;
use crate::engine::run_log;
use crate::model::event::{How, RunStatus, StepFailure};
use crate::report::style::Style;
use crate::report::summary::{StepEnding, StepSummary, Summary};
use crate::report::table::table;
use crate::report::text::closing;
use crate::report::{count, duration, figure};
use std::path::{Path, PathBuf};

/// Runs that are listed.
const LISTED: usize = 20;

/// Show what earlier builds did.
///
/// Without a name the last runs are listed. A run's id shows its steps; a step's name shows what its program wrote when it
/// was last tried.
///
///   mlp log
///   mlp log 20260131-142500
///   mlp log fit
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// A run's id, or a step's name.
    name: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let runs = place::project()?
        .state()
        .map_err(|error| unreadable(&error))?
        .join("runs");
    let ids = run_log::list(&runs).map_err(|error| unreadable(&error))?;
    if ids.is_empty() {
        return Err(Refusal::new("nothing was built here yet").hint("`mlp build TARGET` builds"));
    }
    let style = Style::stdout();
    match &arguments.name {
        None => list(&runs, &ids, style),
        Some(id) if ids.contains(id) => print!("{}", shown(&read(&runs, id)?, style)),
        Some(step) => print!("{}", step_log(&runs, &ids, step)?),
    }
    Ok(Exit::Success)
}

fn unreadable(error: &std::io::Error) -> Refusal {
    Refusal::new(format!("the logs of earlier runs cannot be read: {error}"))
}

fn read(runs: &Path, id: &str) -> Result<Summary, Refusal> {
    let events = run_log::read(&runs.join(id)).map_err(|error| unreadable(&error))?;
    Ok(Summary::of(&events))
}

/// The last runs, newest first. One whose log cannot be read is passed over.
fn list(runs: &Path, ids: &[String], style: Style) {
    let rows: Vec<Vec<String>> = ids
        .iter()
        .take(LISTED)
        .filter_map(|id| Some((id, read(runs, id).ok()?)))
        .map(|(id, summary)| {
            let (built, failed) = summary.counts();
            let steps = format!("{built} built, {failed} failed, {} reused", summary.reused);
            let status = status(&summary).to_owned();
            vec![
                id.clone(),
                status,
                duration(summary.took_ms),
                steps,
                summary.targets.join(" "),
            ]
        })
        .collect();
    table(&rows, &[]).iter().for_each(|line| println!("{line}"));
    if ids.len() > LISTED {
        eprintln!("{} {} older runs", style.dim("and"), ids.len() - LISTED);
    }
}

fn status(summary: &Summary) -> &'static str {
    match summary.status {
        Some(RunStatus::Succeeded) => "succeeded",
        Some(RunStatus::Failed) => "failed",
        Some(RunStatus::Cancelled) => "stopped",
        None => "unfinished",
    }
}

/// A run's steps, and how it ended.
fn shown(summary: &Summary, style: Style) -> String {
    let mut settings = String::new();
    for (name, value) in &summary.settings {
        settings.push_str(&format!(" --set {name}={value}"));
    }
    let targets = summary.targets.join(" ");
    let mut lines = vec![style.bold(&format!("mlp build {targets}{settings}"))];
    let mut rows: Vec<Vec<String>> = summary.steps.iter().map(row).collect();
    rows.extend(summary.skipped.iter().map(|(step, because)| {
        let why = because.as_ref().map(|cause| format!("it reads `{cause}`"));
        vec![
            step.clone(),
            "not tried".to_owned(),
            String::new(),
            why.unwrap_or_default(),
        ]
    }));
    lines.extend(table(&rows, &[]).into_iter().map(|line| format!("  {line}")));
    lines.push(closing(summary, style));
    lines.join("\n") + "\n"
}

fn row(step: &StepSummary) -> Vec<String> {
    let ending = match &step.ending {
        StepEnding::Done(How::Built) => "built",
        StepEnding::Done(How::Cutoff) => "as before",
        StepEnding::Done(How::Awaited) => "built by another run",
        StepEnding::Done(How::Checked) => "compared",
        StepEnding::Failed(StepFailure::Cancelled) => "stopped",
        StepEnding::Failed(_) => "failed",
    };
    let training = step.training.as_ref().map(|training| {
        let figures = training.last.iter().filter(|(name, _)| *name != "lr");
        let figures: Vec<String> = figures
            .map(|(name, x)| format!("{name} {}", figure(*x)))
            .collect();
        let speed = training
            .examples_per_second()
            .map(|speed| format!(", {} examples/s", count(speed as u64)));
        format!(
            "{} epochs trained, {} found{}; {}",
            training.trained,
            training.found,
            speed.unwrap_or_default(),
            figures.join(", ")
        )
    });
    vec![
        step.step.clone(),
        ending.to_owned(),
        duration(step.wall_ms),
        training.unwrap_or_default(),
    ]
}

/// What a step's program wrote when it was last tried.
fn step_log(runs: &Path, ids: &[String], name: &str) -> Result<String, Refusal> {
    let mut known = Vec::new();
    for id in ids {
        // A run whose log is torn or gone tells nothing, and hides no older one.
        let Ok(summary) = read(runs, id) else { continue };
        let of_target =
            |step: &&StepSummary| name == step.step || name.starts_with(&format!("{}.", step.step));
        if let Some(step) = summary.steps.iter().find(of_target) {
            let path = step.log.as_ref().map(|log| runs.join(id).join(log));
            return text(step, id, path);
        }
        known.extend(summary.steps.into_iter().map(|step| step.step));
    }
    known.sort();
    known.dedup();
    let refusal = Refusal::new(format!("there is no run and no step `{name}` in the logs"));
    Err(match place::nearest(name, known.iter().map(String::as_str)) {
        Some(near) => refusal.hint(format!("did you mean `{near}`?")),
        None => refusal.hint("`mlp log` lists the runs"),
    })
}

fn text(step: &StepSummary, id: &str, path: Option<PathBuf>) -> Result<String, Refusal> {
    eprintln!("{} of run {id}, {}", step.step, duration(step.wall_ms));
    let Some(path) = path else {
        return Err(Refusal::new(format!(
            "`{}` was not started, so it wrote nothing",
            step.step
        )));
    };
    let bytes = std::fs::read(&path).map_err(|error| unreadable(&error))?;
    if bytes.is_empty() {
        eprintln!("it wrote nothing");
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
