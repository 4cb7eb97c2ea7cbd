//! Normalisation.

use super::Dim;
use super::layer::Layer;
use super::report::{Problem, argument, mismatch, shape_text};
use super::transfer::{Outcome, divides, eps, needed, same};
use crate::spec::Datum;

pub(super) fn batch_norm(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let features = first(layer, input, "num_features")?;
    let (eps, momentum) = (eps(layer)?, layer.probability("momentum")?);
    Ok(Outcome {
        parameters: Some(features as u128 * 2),
        ..same(input, 4)
    }
    .int("num_features", features)
    .with("eps", Datum::Float(eps))
    .with("momentum", Datum::Float(momentum)))
}

/// Over the last dimension, as transformers have it.
pub(super) fn layer_norm(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let Some((last, before)) = input.split_last() else {
        return Err(bare(layer));
    };
    let expected = |size| {
        let mut shape = before.to_vec();
        shape.push(Some(size));
        shape_text(&shape)
    };
    let size = needed(layer, "normalized_shape", *last, expected, input)?;
    Ok(Outcome {
        parameters: Some(size as u128 * 2),
        ..same(input, 7)
    }
    .int("normalized_shape", size)
    .with("eps", Datum::Float(eps(layer)?)))
}

pub(super) fn group_norm(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let channels = first(layer, input, "num_channels")?;
    let groups = layer.size("num_groups", 1)?;
    divides(
        layer,
        "num_groups",
        groups,
        &[("the channels that come in", channels)],
    )?;
    Ok(Outcome {
        parameters: Some(channels as u128 * 2),
        ..same(input, 7)
    }
    .int("num_groups", groups)
    .int("num_channels", channels)
    .with("eps", Datum::Float(eps(layer)?)))
}

pub(super) fn normalize(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let features = first(layer, input, "num_features")?;
    let mut outcome = same(input, 2).int("num_features", features);
    for name in ["mean", "std"] {
        let Some(numbers) = layer.floats(name) else {
            continue;
        };
        if numbers.len() as i64 != features {
            let message = format!("`{name}` has {} numbers for {features} channels", numbers.len());
            return Err(mismatch(layer, "E0310", message, format!("expects {features}")).of(name));
        }
        if name == "std" && numbers.iter().any(|number| *number <= 0.0) {
            let is = "has a number that is not above 0";
            return Err(argument(layer, name, is, "is divided by"));
        }
        outcome = outcome.with(name, Datum::List(numbers.into_iter().map(Datum::Float).collect()));
    }
    let alone = match (layer.args.get("mean"), layer.args.get("std")) {
        (Some(_), None) => ("mean", "std"),
        (None, Some(_)) => ("std", "mean"),
        _ => return Ok(outcome),
    };
    let (is, label) = (
        format!("stands without `{}`", alone.1),
        format!("needs `{}` besides", alone.1),
    );
    Err(argument(layer, alone.0, is, label)
        .help("give both, or neither: then both are learned from the training set"))
}

/// The channels, or the features of a flat input.
fn first(layer: &Layer, input: &[Dim], name: &'static str) -> Result<i64, Box<Problem>> {
    let Some(features) = input.first() else {
        return Err(bare(layer));
    };
    let expected = |size| {
        let mut shape = input.to_vec();
        shape[0] = Some(size);
        shape_text(&shape)
    };
    needed(layer, name, *features, expected, input)
}

fn bare(layer: &Layer) -> Box<Problem> {
    let message = format!("`{}` needs channels or features", layer.kind);
    mismatch(layer, "E0311", message, "expects [batch, features, …]")
}
