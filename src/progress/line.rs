//! The live line of a step under way.

use super::steps::{Running, Training, Work};
use crate::report::style::Style;
use crate::report::{count, duration, figure};

/// Cells of a bar.
const BAR: usize = 16;

/// What a step is at, without its name.
pub(super) fn line(running: &Running, now_ms: u64, style: Style) -> String {
    let work = match &running.work {
        Work::Silent => duration(now_ms.saturating_sub(running.since_ms)),
        Work::Counted {
            done,
            total: Some(total),
            unit,
        } => {
            let share = *done as f64 / (*total).max(1) as f64;
            format!("{} {} of {} {unit}", bar(share), count(*done), count(*total))
        }
        Work::Counted { done, unit, .. } => format!("{} {unit}", count(*done)),
        Work::Training(training) => train(training),
    };
    format!("{}  {work}", style.dim(&running.builder))
}

fn train(training: &Training) -> String {
    let mut parts = vec![format!(
        "{} epoch {}/{}",
        bar(training.done()),
        training.epoch,
        training.epochs
    )];
    parts.extend(training.loss.map(|loss| format!("loss {}", figure(loss))));
    parts.extend(
        training
            .validation
            .iter()
            .map(|(name, x)| format!("{name} {}", figure(*x))),
    );
    if training.speed > 0.0 {
        parts.push(format!("{} examples/s", count(training.speed as u64)));
    }
    parts.extend(
        training
            .left_ms()
            .map(|left| format!("{} left", duration(left / 1000 * 1000))),
    );
    parts.join("  ")
}

/// A bar of which `share` is filled.
fn bar(share: f64) -> String {
    let filled = ((share.clamp(0.0, 1.0) * BAR as f64) as usize).min(BAR);
    format!("{}{}", "━".repeat(filled), "─".repeat(BAR - filled))
}
