//! The live line of a step under way.

use super::steps::{Running, Training, Work};
use crate::report::style::Style;
use crate::report::{count, duration, figure, size};

/// Cells of a bar.
const BAR: usize = 12;

/// The unit of what is fetched and unpacked.
const BYTES: &str = "bytes";

/// What a step is at, without its name. What matters most comes first: the end may not fit the terminal.
pub(super) fn line(running: &Running, style: Style) -> String {
    let builder = style.dim(&running.builder);
    match &running.work {
        Work::Silent => builder,
        Work::Counted {
            done,
            total: Some(total),
            unit,
        } if unit == BYTES => {
            let share = *done as f64 / (*total).max(1) as f64;
            format!("{} {} of {}  {builder}", bar(share), size(*done), size(*total))
        }
        Work::Counted { done, unit, .. } if unit == BYTES => format!("{}  {builder}", size(*done)),
        Work::Counted {
            done,
            total: Some(total),
            unit,
        } => {
            let share = *done as f64 / (*total).max(1) as f64;
            format!(
                "{} {} of {} {unit}  {builder}",
                bar(share),
                count(*done),
                count(*total)
            )
        }
        Work::Counted { done, unit, .. } => format!("{} {unit}  {builder}", count(*done)),
        Work::Training(training) => train(training),
    }
}

fn train(training: &Training) -> String {
    let bar = bar(training.done());
    let mut parts = vec![format!("{bar} epoch {}/{}", training.epoch, training.epochs)];
    parts.extend(training.left_ms().map(left));
    if training.speed > 0.0 {
        parts.push(format!("{} examples/s", count(training.speed as u64)));
    }
    parts.extend(training.loss.map(|loss| format!("loss {}", figure(loss))));
    parts.extend(
        training
            .validation
            .iter()
            .map(|(name, x)| format!("{name} {}", figure(*x))),
    );
    parts.join("  ")
}

/// The time that is left, in whole seconds: it is an estimate.
fn left(ms: u64) -> String {
    match ms {
        0..1_000 => "<1 s left".to_owned(),
        1_000..60_000 => format!("{} s left", ms / 1000),
        _ => format!("{} left", duration(ms)),
    }
}

/// A bar of which `share` is filled.
fn bar(share: f64) -> String {
    let filled = ((share.clamp(0.0, 1.0) * BAR as f64) as usize).min(BAR);
    format!("{}{}", "━".repeat(filled), "─".repeat(BAR - filled))
}
