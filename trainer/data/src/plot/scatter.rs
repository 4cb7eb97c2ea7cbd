//! `plot.scatter`: a point for each row.

use super::axes::{Axis, Field};
use super::svg::{Anchor, Svg, colour};
use crate::calc::{Inputs, Numeric};
use crate::program;
use mlp_protocol::calc::Term;
use mlp_protocol::call::Call;
use mlp_protocol::message::Outcome;
use mlp_protocol::plot::ScatterArgs;

/// The figure that a call asks for.
///
/// # Errors
/// When a term comes to no number.
pub(super) fn figure(call: &Call) -> Outcome<String> {
    let args: ScatterArgs = program::arguments(call)?;
    let inputs = Inputs::read(call)?;
    let numbers = |terms: &[Term]| {
        let number = |term| Ok(Numeric::of(&inputs.value(term)?)?.map_or(f64::NAN, Numeric::float));
        terms.iter().map(number).collect::<Outcome<Vec<f64>>>()
    };
    let points: Vec<(f64, f64)> = numbers(&args.x)?.into_iter().zip(numbers(&args.y)?).collect();
    Ok(draw(&points, &args.x_label, &args.y_label))
}

fn draw(points: &[(f64, f64)], x_label: &str, y_label: &str) -> String {
    let shown: Vec<(f64, f64)> = points
        .iter()
        .copied()
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    let field = Field {
        x: Axis::around(shown.iter().map(|point| point.0)),
        y: Axis::around(shown.iter().map(|point| point.1)),
        at: (70.0, 20.0),
        size: (500.0, 330.0),
    };
    let mut svg = Svg::new(600.0, 400.0);
    field.draw(&mut svg, x_label, y_label);
    for point in &shown {
        svg.circle(field.point(*point), 4.0, colour(0));
    }
    let left_out = points.len() - shown.len();
    if left_out > 0 {
        let text = format!("{left_out} not finite");
        svg.text((570.0, 14.0), Anchor::End, &text);
    }
    svg.finish()
}
