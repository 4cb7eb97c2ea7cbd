//! A run for people: the metrics, where the outputs are, what was built and how long it took.

use super::confusion;
use super::json::digest;
use super::style::Style;
use super::summary::{Artifact, StepEnding, StepSummary, Summary};
use super::table::{Align, table};
use super::{count, duration, figure};
use crate::model::event::{How, RunStatus, StepFailure};
use serde_json::Value;

/// What the targets came to: their figures, and where they are. Empty where there is nothing.
pub fn results(summary: &Summary, style: Style) -> String {
    let figures = summary
        .artifacts
        .iter()
        .flat_map(|artifact| shown(artifact, style));
    let lines: Vec<String> = figures.chain(places(&summary.artifacts, style)).collect();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The figures of an artifact that has any.
fn shown(artifact: &Artifact, style: Style) -> Vec<String> {
    let Some(value) = &artifact.value else {
        return Vec::new();
    };
    let mut lines = vec![style.bold(&artifact.label)];
    match value {
        Value::Object(fields) => lines.extend(metrics(fields)),
        Value::Array(_) => return Vec::new(),
        scalar => lines.push(format!("  {}", plain(scalar))),
    }
    lines.push(String::new());
    lines
}

/// Single figures in a table, then matrices, each under its name.
fn metrics(fields: &serde_json::Map<String, Value>) -> Vec<String> {
    let rows: Vec<Vec<String>> = fields
        .iter()
        .filter(|(_, value)| confusion::counts(value).is_none())
        .map(|(name, value)| vec![name.clone(), plain(value)])
        .collect();
    let mut lines = table(&rows, &[Align::Left, Align::Right]);
    for (name, value) in fields {
        if let Some(counts) = confusion::counts(value) {
            let mut matrix = confusion::draw(&counts).into_iter();
            lines.push(format!("{name}: {}", matrix.next().unwrap_or_default()));
            lines.extend(matrix.map(|line| format!("  {line}")));
        }
    }
    lines.into_iter().map(|line| format!("  {line}")).collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_u64() {
            Some(whole) => count(whole),
            None => number.as_f64().map_or_else(|| number.to_string(), figure),
        },
        // JSON has no NaN: a figure that is not finite is null there.
        Value::Null => "NaN".to_owned(),
        Value::String(text) => text.clone(),
        other => {
            let text = other.to_string();
            let short: String = text.chars().take(60).collect();
            if short.len() < text.len() {
                format!("{short}…")
            } else {
                text
            }
        }
    }
}

/// Where each artifact is seen.
fn places(artifacts: &[Artifact], style: Style) -> Vec<String> {
    let rows: Vec<Vec<String>> = artifacts
        .iter()
        .filter_map(|artifact| {
            let place = artifact.place.clone()?;
            let digest = digest(&artifact.node)[..10].to_owned();
            Some(vec![place, artifact.kind.clone(), digest])
        })
        .collect();
    table(&rows, &[])
        .into_iter()
        .map(|line| format!("{} {line}", style.cyan("output:")))
        .collect()
}

/// One line: how it ended, what was built, and how long it took. What went wrong is told elsewhere; here it is counted.
pub fn closing(summary: &Summary, style: Style) -> String {
    let (built, failed) = summary.counts();
    let took = duration(summary.took_ms);
    let steps = |n: usize| {
        if n == 1 {
            "1 step".to_owned()
        } else {
            format!("{n} steps")
        }
    };
    let mut parts = vec![format!("{} built", steps(built))];
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    let stopped = summary.steps.iter().filter(|step| was_stopped(step)).count();
    if stopped > 0 {
        parts.push(format!("{stopped} stopped"));
    }
    if !summary.skipped.is_empty() {
        parts.push(format!("{} not tried", summary.skipped.len()));
    }
    if summary.reused > 0 {
        parts.push(format!("{} up to date", summary.reused));
    }
    let cut: usize = summary
        .steps
        .iter()
        .filter(|step| came_out_the_same(step))
        .count();
    if cut > 0 {
        parts.push(format!("{cut} as before (their inputs came out the same)"));
    }
    let counts = parts.join(", ");
    if summary.status == Some(RunStatus::Succeeded)
        && let Some(line) = compared(summary, style)
    {
        return line;
    }
    match summary.status {
        Some(RunStatus::Succeeded) if summary.steps.is_empty() => {
            let is = if summary.targets.len() == 1 { "is" } else { "are" };
            let targets = summary.targets.join(", ");
            format!(
                "{} nothing to do: {targets} {is} up to date ({took})",
                style.green("ok:")
            )
        }
        Some(RunStatus::Succeeded) => {
            format!("{} {counts} in {took}{}", style.green("ok:"), slowest(summary))
        }
        Some(RunStatus::Failed) => format!("{} {counts} in {took}", style.red("failed:")),
        Some(RunStatus::Cancelled) => format!(
            "{} {counts} in {took}; what was finished is kept",
            style.yellow("stopped:")
        ),
        None => format!(
            "{} {counts} in {took}; the log breaks off here",
            style.yellow("unfinished:")
        ),
    }
}

/// What `--check` found, where it built again.
fn compared(summary: &Summary, style: Style) -> Option<String> {
    let again = |step: &&StepSummary| matches!(step.ending, StepEnding::Done(How::Checked));
    let checked = summary.steps.iter().filter(again).count();
    let took = duration(summary.took_ms);
    if !summary.differs.is_empty() {
        let names: Vec<String> = summary
            .differs
            .iter()
            .map(|(step, _)| format!("`{step}`"))
            .collect();
        return Some(format!(
            "{} {} came out different ({took})",
            style.red("not reproducible:"),
            names.join(", ")
        ));
    }
    let steps = if checked == 1 {
        "1 step".to_owned()
    } else {
        format!("{checked} steps")
    };
    (checked > 0).then(|| {
        format!(
            "{} reproducible: {steps} built again, and every bit came out the same ({took})",
            style.green("ok:")
        )
    })
}

fn was_stopped(step: &StepSummary) -> bool {
    matches!(step.ending, StepEnding::Failed(StepFailure::Cancelled))
}

fn came_out_the_same(step: &StepSummary) -> bool {
    matches!(step.ending, StepEnding::Done(How::Cutoff))
}

/// The three steps that took longest, if they took long enough to tell.
fn slowest(summary: &Summary) -> String {
    let mut steps: Vec<&StepSummary> = summary.steps.iter().filter(|step| step.wall_ms >= 100).collect();
    steps.sort_by(|a, b| b.wall_ms.cmp(&a.wall_ms).then_with(|| a.step.cmp(&b.step)));
    let told: Vec<String> = steps
        .iter()
        .take(3)
        .map(|step| format!("{} {}", step.step, duration(step.wall_ms)))
        .collect();
    if told.is_empty() {
        String::new()
    } else {
        format!(" ({})", told.join(", "))
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
