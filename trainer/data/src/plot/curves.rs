//! `plot.curves`: figures of trainings over their epochs, a field for each figure.

use super::axes::{Axis, Field, visible};
use super::svg::{Anchor, Svg, colour};
use crate::{files, program};
use mlp_protocol::call::Call;
use mlp_protocol::message::{Failure, Outcome};
use mlp_protocol::plot::CurvesArgs;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// A figure of one training: its name, and its values by epoch.
struct Curve {
    training: usize,
    name: String,
    /// Of the training set; drawn dashed.
    train: bool,
    points: Vec<(f64, f64)>,
}

/// The figure that a call asks for.
///
/// # Errors
/// When no history has a figure, or one cannot be read.
pub(super) fn figure(call: &Call) -> Outcome<String> {
    let args: CurvesArgs = program::arguments(call)?;
    let mut histories: Vec<(usize, Value)> = Vec::new();
    for (name, path) in &call.inputs {
        let number = name
            .strip_prefix("history.")
            .and_then(|number| number.parse().ok());
        let text = files::read(Path::new(path), "a history")?;
        let rows = serde_json::from_slice(&text)
            .map_err(|error| Failure::new("B0303", format!("a history is no JSON: {error}")))?;
        histories.push((number.unwrap_or(0), rows));
    }
    histories.sort_by_key(|(number, _)| *number);
    let histories: Vec<Value> = histories.into_iter().map(|(_, rows)| rows).collect();
    let fields = args
        .y
        .iter()
        .map(|figure| Ok((figure.as_str(), curves(figure, &histories)?)));
    Ok(draw(&fields.collect::<Outcome<Vec<_>>>()?, histories.len()))
}

/// The curves of a figure.
fn curves(figure: &str, histories: &[Value]) -> Outcome<Vec<Curve>> {
    let ways = [
        figure.to_owned(),
        format!("train.{figure}"),
        format!("val.{figure}"),
    ];
    let mut found = Vec::new();
    for (training, rows) in histories.iter().enumerate() {
        for way in &ways {
            let points: Vec<(f64, f64)> = rows
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|row| Some((row["epoch"].as_f64()?, part(row, way)?.as_f64()?)))
                .collect();
            if !points.is_empty() {
                found.push(Curve {
                    training,
                    name: way.clone(),
                    train: way.starts_with("train."),
                    points,
                });
            }
        }
    }
    if found.is_empty() {
        let mut names = BTreeSet::new();
        histories
            .iter()
            .for_each(|rows| numbers("", &rows[0], &mut names));
        names.remove("epoch");
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        return Err(
            Failure::new("B0303", format!("no history has a figure `{figure}`"))
                .argument("y")
                .help(format!("there are {}", names.join(", "))),
        );
    }
    Ok(found)
}

fn part<'v>(row: &'v Value, way: &str) -> Option<&'v Value> {
    way.split('.').try_fold(row, |value, name| value.get(name))
}

/// The ways to all numbers in a row.
fn numbers(way: &str, value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Number(_) => {
            into.insert(way.to_owned());
        }
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            let way = if way.is_empty() {
                name.clone()
            } else {
                format!("{way}.{name}")
            };
            numbers(&way, value, into);
        }),
        _ => {}
    }
}

fn draw(fields: &[(&str, Vec<Curve>)], trainings: usize) -> String {
    const HEIGHT: f64 = 300.0;
    let mut svg = Svg::new(760.0, HEIGHT * fields.len() as f64);
    for (index, (figure, curves)) in fields.iter().enumerate() {
        let points = || curves.iter().flat_map(|curve| curve.points.iter());
        let field = Field {
            x: Axis::around(points().map(|point| point.0)).whole(),
            y: Axis::around(points().map(|point| point.1)),
            at: (70.0, HEIGHT * index as f64 + 20.0),
            size: (500.0, HEIGHT - 70.0),
        };
        field.draw(&mut svg, "epoch", figure);
        for (line, curve) in curves.iter().enumerate() {
            // A training has its colour; of a single one, training and validation have.
            let stroke = colour(if trainings == 1 { line } else { curve.training });
            let drawn = visible(curve.points.iter().map(|point| field.point(*point)));
            svg.path(&drawn, stroke, 1.5, curve.train);
            if let [only] = drawn.as_slice() {
                svg.circle(*only, 3.0, stroke);
            }
            let name = match trainings {
                1 => curve.name.clone(),
                _ => format!("{} of {}", curve.name, curve.training + 1),
            };
            legend(&mut svg, &field, line, stroke, &name);
        }
    }
    svg.finish()
}

/// A line of the legend beside a field; more than it has room for are counted.
pub(super) fn legend(svg: &mut Svg, field: &Field, line: usize, stroke: &str, name: &str) {
    let room = (field.size.1 / 16.0) as usize;
    let (x, y) = (
        field.at.0 + field.size.0 + 14.0,
        field.at.1 + 8.0 + 16.0 * line as f64,
    );
    match line.cmp(&(room - 1)) {
        std::cmp::Ordering::Less => {
            svg.line(
                (x, y - 4.0),
                (x + 14.0, y - 4.0),
                stroke,
                name.starts_with("train."),
            );
            svg.text((x + 20.0, y), Anchor::Start, name);
        }
        std::cmp::Ordering::Equal => svg.text((x + 20.0, y), Anchor::Start, "…"),
        std::cmp::Ordering::Greater => {}
    }
}
