//! Layers over sequences: [length, features] for each example.

use super::Dim;
use super::layer::Layer;
use super::report::{Problem, argument, mismatch, shape_text};
use super::transfer::{Outcome, divides, needed, same};
use crate::spec::Datum;

/// More layers of a stack than anybody means.
const MOST_LAYERS: i64 = 10_000;

/// The length and the features of a sequence.
fn sequence(layer: &Layer, input: &[Dim]) -> Result<[Dim; 2], Box<Problem>> {
    match input {
        [length, features] => Ok([*length, *features]),
        _ => {
            let message = format!("`{}` needs sequences, not {}", layer.kind, shape_text(input));
            let problem = mismatch(layer, "E0311", message, "expects [batch, length, features]");
            Err(problem.help("text becomes a sequence by `data.text` and `nn.embedding`"))
        }
    }
}

/// The features that come in, which decide the size of the weights.
fn features(
    layer: &Layer,
    name: &'static str,
    [length, features]: [Dim; 2],
    input: &[Dim],
) -> Result<i64, Box<Problem>> {
    needed(
        layer,
        name,
        features,
        |size| shape_text(&[length, Some(size)]),
        input,
    )
}

/// What comes out of a sequence: its last element, all of it, or the mean over it.
fn taken(layer: &Layer, length: Dim, features: i64) -> (String, Vec<Dim>) {
    let output = layer.choice("output").unwrap_or_else(|| "all".to_owned());
    let shape = match output.as_str() {
        "all" => vec![length, Some(features)],
        _ => vec![Some(features)],
    };
    (output, shape)
}

/// Operations of the mean over a sequence, where it is taken.
fn mean(output: &str, length: i64, features: i64) -> u128 {
    match output {
        "mean" => (length as u128).saturating_mul(features as u128),
        _ => 0,
    }
}

/// LSTM and GRU. Weights are those of PyTorch: for each layer and direction from the input and from the state before,
/// with two biases.
pub(super) fn recurrent(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let gates: u128 = if layer.kind == "lstm" { 4 } else { 3 };
    let [length, _] = sequence(layer, input)?;
    let size = features(layer, "input_size", [length, input[1]], input)?;
    let hidden = layer.size("hidden_size", 1)?;
    let layers = layer.size("num_layers", 1)?;
    let bidirectional = layer.flag("bidirectional");
    let directions: i64 = if bidirectional { 2 } else { 1 };
    let dropout = layer.probability("dropout")?;
    let (h, mut from) = (hidden as u128, size as u128);
    let (mut parameters, mut step) = (0u128, 0u128);
    if layers > MOST_LAYERS {
        let label = format!("at most {MOST_LAYERS}");
        return Err(argument(layer, "num_layers", format!("is {layers}"), label));
    }
    for _ in 0..layers {
        let weights = (gates * h).saturating_mul(from + h);
        let own = weights
            .saturating_add(2 * gates * h)
            .saturating_mul(directions as u128);
        parameters = parameters.saturating_add(own);
        // Products and sums, both biases, and the gates.
        let work = weights.saturating_mul(2).saturating_add(2 * gates * h + 9 * h);
        step = step.saturating_add(work.saturating_mul(directions as u128));
        from = h * directions as u128;
    }
    let wide = hidden.saturating_mul(directions);
    let (output, shape) = taken(layer, length, wide);
    let flops = length.map(|length| {
        let steps = step.saturating_mul(length as u128);
        steps.saturating_add(mean(&output, length, wide))
    });
    Ok(Outcome::new(shape, parameters, flops)
        .int("input_size", size)
        .int("hidden_size", hidden)
        .int("num_layers", layers)
        .flag("bidirectional", bidirectional)
        .with("dropout", Datum::Float(dropout))
        .with("output", Datum::Str(output.into())))
}

/// A stack of encoder layers: self-attention and a network of two layers, each added to its input and normalised.
pub(super) fn transformer_encoder(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let [length, last] = sequence(layer, input)?;
    let model = layer.size("d_model", 1)?;
    if let Some(found) = last.filter(|found| *found != model) {
        let message = format!("shape mismatch: `d_model` is {model}, but {found} features come in");
        let label = format!("expects {}", shape_text(&[length, Some(model)]));
        return Err(mismatch(layer, "E0310", message, label)
            .of("d_model")
            .mend(found)
            .help(format!("write {found} here, or give the embedding {model}")));
    }
    let heads = layer.size("nhead", 1)?;
    divides(layer, "nhead", heads, &[("`d_model`", model)])?;
    let layers = layer.size("num_layers", 1)?;
    let forward = layer.size("dim_feedforward", 1)?;
    let dropout = layer.probability("dropout")?;
    let (d, ff, n) = (model as u128, forward as u128, layers as u128);
    let attention = 4 * d * d + 4 * d;
    let network = 2 * d * ff + ff + d;
    let parameters = (attention + network + 4 * d).saturating_mul(n);
    let (output, shape) = taken(layer, length, model);
    let flops = length.map(|length| {
        let l = length as u128;
        // Projections and the network for each element; scores and sums of values for each pair; two norms, two
        // additions, an activation.
        let element = 8 * d * d + 4 * d + 4 * d * ff + 2 * ff + d + 16 * d;
        let pairs = l.saturating_mul(4 * d + 5 * heads as u128);
        let layer = l.saturating_mul(element.saturating_add(pairs));
        layer
            .saturating_mul(n)
            .saturating_add(mean(&output, length, model))
    });
    let activation = layer.choice("activation").unwrap_or_else(|| "relu".to_owned());
    Ok(Outcome::new(shape, parameters, flops)
        .int("d_model", model)
        .int("nhead", heads)
        .int("num_layers", layers)
        .int("dim_feedforward", forward)
        .with("dropout", Datum::Float(dropout))
        .with("activation", Datum::Str(activation.into()))
        .flag("norm_first", layer.flag("norm_first"))
        .with("output", Datum::Str(output.into())))
}

/// Sines and cosines of the position, added to the sequence.
pub(super) fn positional_encoding(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    sequence(layer, input)?;
    let dropout = layer.probability("dropout")?;
    Ok(same(input, 1).with("dropout", Datum::Float(dropout)))
}
