//! `mlp log`: what programs wrote in earlier builds; without a name, and with a run's, what `mlp runs` says.

use super::exit::{Exit, Refusal};
use super::place;
use super::runs::{self, Runs};
use super::told::Format;
use crate::report::style::Style;

/// Runs that are listed.
const LISTED: usize = 20;

/// Show what programs wrote in earlier builds.
///
/// A step's name shows what its program wrote when it was last tried; with a run's id before it, what it wrote then. A run's
/// id shows its steps, and without a name the last runs are listed.
///
///   mlp log
///   mlp log fit
///   mlp log 20260131-142500
///   mlp log 20260131-142500/fit
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// A step's name, a run's id, or both: `RUN/STEP`.
    name: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let runs = Runs::here()?;
    if runs.ids.is_empty() {
        return Err(runs::nothing_yet());
    }
    match &arguments.name {
        None => runs.list(LISTED, Format::Text)?,
        Some(id) if runs.ids.contains(id) || id == "latest" => {
            let id = runs.find(id)?;
            print!("{}", runs::shown(&runs.summary(&id)?, Style::stdout()));
        }
        Some(name) => print!("{}", step_log(&runs, name)?),
    }
    Ok(Exit::Success)
}

/// What a step's program wrote, in the run that is named, or when it was last tried.
fn step_log(runs: &Runs, name: &str) -> Result<String, Refusal> {
    let in_run = name.split_once('/').and_then(|(run, step)| {
        let looks_like_one = run == "latest" || run.starts_with(|first: char| first.is_ascii_digit());
        looks_like_one.then_some((run, step))
    });
    let (ids, step) = match in_run {
        Some((run, step)) => (vec![runs.find(run)?], step),
        None => (runs.ids.clone(), name),
    };
    let mut known = Vec::new();
    for id in &ids {
        // A run whose log is torn or gone tells nothing, and hides no older one.
        let Ok(summary) = runs.summary(id) else { continue };
        if let Some(step) = runs::step_of(&summary, step) {
            return runs::text(step, id, &runs.folder(id));
        }
        known.extend(summary.steps.into_iter().map(|step| step.step));
    }
    known.sort();
    known.dedup();
    let refusal = match in_run {
        Some((run, step)) => Refusal::new(format!("the run {run} tried no step `{step}`")),
        None => Refusal::new(format!("there is no run and no step `{name}` in the logs")),
    };
    Err(match place::nearest(step, known.iter().map(String::as_str)) {
        Some(near) => refusal.hint(format!("did you mean `{near}`?")),
        None => refusal.hint("`mlp log` lists the runs"),
    })
}
