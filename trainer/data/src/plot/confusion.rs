//! `plot.confusion`: a confusion matrix, each row by its shares.

use super::svg::{Anchor, Svg};
use crate::{files, program};
use mlp_protocol::call::Call;
use mlp_protocol::message::{Failure, Outcome};
use mlp_protocol::plot::ConfusionArgs;
use serde_json::Value;
use std::path::Path;

/// The figure that a call asks for.
///
/// # Errors
/// When the metrics have no such matrix.
pub(super) fn figure(call: &Call) -> Outcome<String> {
    let args: ConfusionArgs = program::arguments(call)?;
    let text = files::read(Path::new(program::input(call, "metrics")?), "the metrics")?;
    let found: Option<Vec<Vec<u64>>> = serde_json::from_slice(&text).ok().and_then(|metrics: Value| {
        let matrix = args
            .path
            .iter()
            .try_fold(&metrics, |value, name| value.get(name))?;
        serde_json::from_value(matrix.clone()).ok()
    });
    let square = |rows: &Vec<Vec<u64>>| !rows.is_empty() && rows.iter().all(|row| row.len() == rows.len());
    let Some(rows) = found.filter(square) else {
        let message = format!("`{}` of the metrics is no matrix of counts", args.path.join("."));
        return Err(Failure::new("B0303", message).argument("matrix"));
    };
    Ok(draw(&rows))
}

fn draw(rows: &[Vec<u64>]) -> String {
    let classes = rows.len();
    // Cells are smaller where there are many, and from 40 classes on have no number.
    let cell = (640.0 / classes as f64).clamp(6.0, 44.0);
    let (left, top, side) = (70.0, 20.0, cell * classes as f64);
    let mut svg = Svg::new(left + side.max(160.0) + 20.0, top + side + 50.0);
    let label_every = classes.div_ceil((side / 18.0).max(1.0) as usize).max(1);
    for (class, row) in rows.iter().enumerate() {
        let total: u64 = row.iter().sum();
        let y = top + cell * class as f64;
        for (taken, count) in row.iter().enumerate() {
            let share = *count as f64 / total.max(1) as f64;
            let x = left + cell * taken as f64;
            svg.rect((x, y), (cell, cell), &shade(share));
            if cell >= 16.0 && *count > 0 {
                let fill = if share > 0.6 { "#ffffff" } else { "#000000" };
                let at = (x + cell / 2.0, y + cell / 2.0 + 4.0);
                svg.coloured(at, Anchor::Middle, fill, &count.to_string());
            }
        }
        if class % label_every == 0 {
            let middle = cell * (class as f64 + 0.5);
            svg.text((left - 6.0, top + middle + 4.0), Anchor::End, &class.to_string());
            svg.text(
                (left + middle, top + side + 16.0),
                Anchor::Middle,
                &class.to_string(),
            );
        }
    }
    let corners = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side), (0.0, 0.0)];
    svg.path(&corners.map(|(x, y)| (left + x, top + y)), "#000000", 1.0, false);
    svg.text(
        (left + side / 2.0, top + side + 36.0),
        Anchor::Middle,
        "taken for",
    );
    svg.upright((24.0, top + side / 2.0), "class");
    svg.finish()
}

/// From white to blue.
fn shade(share: f64) -> String {
    let mix = |to: f64| (255.0 + (to - 255.0) * share).round() as u8;
    format!("#{:02x}{:02x}{:02x}", mix(0.0), mix(75.0), mix(140.0))
}
