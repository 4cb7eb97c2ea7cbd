//! `plot.roc`: true over false positives, a curve for each class or tag.

use super::axes::{Axis, Field, visible};
use super::curves::legend;
use super::svg::{Svg, colour};
use crate::predictions::Predictions;
use crate::program;
use mlp_protocol::call::Call;
use mlp_protocol::data::Target;
use mlp_protocol::message::{Failure, Outcome};
use mlp_protocol::plot::RocArgs;
use std::path::Path;

/// How an example ranks for a class, and whether it is of it.
type Ranked = Vec<(f64, bool)>;

/// The figure that a call asks for.
///
/// # Errors
/// When the predictions are of no classes or tags, or cannot be read.
pub(super) fn figure(call: &Call) -> Outcome<String> {
    let RocArgs {} = program::arguments(call)?;
    let said = Predictions::read(Path::new(program::input(call, "predictions")?), "predictions")?;
    let width = match said.file.outputs.as_slice() {
        [width] => *width as usize,
        _ => 0,
    };
    let outputs: Vec<f64> = said.outputs.to_f32().into_iter().map(f64::from).collect();
    if outputs.iter().any(|value| value.is_nan()) {
        return Err(
            Failure::new("B0220", "the predictions hold NaN, which ranks nowhere").argument("predictions"),
        );
    }
    let rows = || outputs.chunks_exact(width.max(1));
    let name = |names: &Option<Vec<String>>, class: usize| {
        let name = names.as_ref().and_then(|names| names.get(class)).cloned();
        name.unwrap_or_else(|| class.to_string())
    };
    let curves: Vec<(String, Ranked)> = match &said.file.y {
        // Of two classes one curve says all; the difference of logits ranks as the probability does.
        Target::Class { classes: 2, names } if width == 1 || width == 2 => {
            let rank = |row: &[f64]| row[width - 1] - if width == 2 { row[0] } else { 0.0 };
            let own = said.y.to_i64().into_iter().map(|class| class == 1);
            vec![(name(names, 1), rows().map(rank).zip(own).collect())]
        }
        Target::Class { classes, names } if *classes as usize == width => {
            let likely: Vec<Vec<f64>> = rows().map(softmax).collect();
            let labels = said.y.to_i64();
            let of = |class: usize| {
                let own = labels.iter().map(|own| *own == class as i64);
                likely.iter().map(|row| row[class]).zip(own).collect()
            };
            (0..width).map(|class| (name(names, class), of(class))).collect()
        }
        Target::Tags { classes, names } if *classes as usize == width => {
            let tags = said.y.to_f32();
            let of = |tag: usize| {
                let own = tags.iter().skip(tag).step_by(width).map(|own| *own > 0.5);
                rows().map(|row| row[tag]).zip(own).collect()
            };
            (0..width).map(|tag| (name(names, tag), of(tag))).collect()
        }
        _ => {
            return Err(Failure::new(
                "B0203",
                "a curve of true over false positives needs classes or tags, and an output for each",
            )
            .argument("predictions"));
        }
    };
    Ok(draw(curves))
}

fn softmax(row: &[f64]) -> Vec<f64> {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let parts: Vec<f64> = row.iter().map(|value| libm::exp(value - most)).collect();
    let sum: f64 = parts.iter().sum();
    parts.into_iter().map(|part| part / sum).collect()
}

fn draw(curves: Vec<(String, Ranked)>) -> String {
    let field = Field {
        x: Axis::of(0.0, 1.0),
        y: Axis::of(0.0, 1.0),
        at: (70.0, 20.0),
        size: (400.0, 400.0),
    };
    let mut svg = Svg::new(690.0, 470.0);
    field.draw(&mut svg, "false positives", "true positives");
    svg.line(field.point((0.0, 0.0)), field.point((1.0, 1.0)), "#999999", true);
    for (index, (name, ranked)) in curves.into_iter().enumerate() {
        let stroke = colour(index);
        match curve(ranked) {
            Some((points, area)) => {
                let points = visible(points.into_iter().map(|point| field.point(point)));
                svg.path(&points, stroke, 1.5, false);
                legend(&mut svg, &field, index, stroke, &format!("{name}: AUC {area:.3}"));
            }
            None => legend(&mut svg, &field, index, stroke, &format!("{name}: all or none")),
        }
    }
    svg.finish()
}

/// The points of a curve, and the area below it; none without both kinds of example.
fn curve(mut ranked: Ranked) -> Option<(Vec<(f64, f64)>, f64)> {
    let own = ranked.iter().filter(|(_, own)| *own).count() as f64;
    let others = ranked.len() as f64 - own;
    if own == 0.0 || others == 0.0 {
        return None;
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut wrong, mut area) = (0.0, 0.0, 0.0);
    let mut points = vec![(0.0, 0.0)];
    for ties in ranked.chunk_by(|a, b| a.0 == b.0) {
        let more = ties.iter().filter(|(_, own)| *own).count() as f64;
        let falsely = ties.len() as f64 - more;
        area += falsely * (right + more / 2.0);
        right += more;
        wrong += falsely;
        points.push((wrong / others, right / own));
    }
    Some((points, area / (own * others)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_one_step() {
        let ranked = vec![(0.9, true), (0.5, false), (0.5, true), (0.1, false)];
        let (points, area) = curve(ranked).unwrap();
        assert_eq!(points, [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]);
        assert_eq!(area, 0.875);
        assert_eq!(curve(vec![(0.9, true)]), None);
    }
}
