//! Layers over the last dimension, and those that change how many dimensions there are.

use super::layer::Layer;
use super::report::{Problem, argument, mismatch, shape_text};
use super::transfer::{Outcome, count, needed, same};
use super::{Dim, Signal};
use crate::spec::Datum;

pub(super) fn linear(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let Some((features, before)) = input.split_last() else {
        let message = "`linear` needs a dimension to work on";
        return Err(mismatch(layer, "E0311", message, "expects [batch, features]"));
    };
    let out = layer.size("out_features", 1)?;
    let with_last = |size: i64| {
        let mut shape = before.to_vec();
        shape.push(Some(size));
        shape
    };
    let features = needed(
        layer,
        "in_features",
        *features,
        |size| shape_text(&with_last(size)),
        input,
    )?;
    let bias = layer.flag("bias");
    let output = with_last(out);
    let (per_output, biases) = (features as u128, u128::from(bias));
    let parameters = per_output.saturating_add(biases).saturating_mul(out as u128);
    let flops = count(&output).map(|count| count.saturating_mul(2 * per_output + biases));
    Ok(Outcome::new(output, parameters, flops)
        .int("in_features", features)
        .int("out_features", out)
        .flag("bias", bias))
}

/// A vector for each token id: a look-up, which computes nothing.
pub(super) fn embedding(layer: &Layer, input: &Signal) -> Result<Outcome, Box<Problem>> {
    if !input.ids {
        let message = format!(
            "`embedding` takes token ids, and numbers come in: {}",
            shape_text(&input.shape)
        );
        return Err(mismatch(layer, "E0311", message, "expects token ids")
            .help("text is read as ids by `data.text`; numbers go through `nn.linear`"));
    }
    let (rows, dim) = (layer.size("num_embeddings", 1)?, layer.size("embedding_dim", 1)?);
    let mut output = input.shape.clone();
    output.push(Some(dim));
    let mut outcome = Outcome::new(output, (rows as u128).saturating_mul(dim as u128), Some(0))
        .int("num_embeddings", rows)
        .int("embedding_dim", dim);
    if let Some(padding) = layer.int("padding_idx") {
        if !(0..rows).contains(&padding) {
            let label = format!("must be 0 to {}", rows - 1);
            return Err(argument(layer, "padding_idx", format!("is {padding}"), label));
        }
        outcome = outcome.int("padding_idx", padding);
    }
    Ok(outcome)
}

pub(super) fn flatten(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let start = layer.int("start_dim").unwrap_or(1);
    let kept = usize::try_from(start - 1)
        .ok()
        .filter(|kept| *kept < input.len().max(1));
    let Some(kept) = kept else {
        let last = input.len();
        let label = format!("must be 1 to {last}: dimension 0 is the batch");
        return Err(argument(layer, "start_dim", format!("is {start}"), label));
    };
    let merged = count(&input[kept..]).map(|merged| i64::try_from(merged).unwrap_or(i64::MAX));
    let mut output = input[..kept].to_vec();
    output.push(merged);
    Ok(Outcome {
        output,
        ..same(input, 0)
    }
    .int("start_dim", start))
}

/// A network out of a file: what it gives is what the person says; its parameters and work are not known.
pub(super) fn torchscript(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let Some(Datum::List(sizes)) = layer.args.get("output") else {
        return Err(argument(
            layer,
            "output",
            "is missing",
            "the shape that comes out, without the batch",
        ));
    };
    let mut output = Vec::with_capacity(sizes.len());
    for size in sizes {
        match size {
            Datum::Int(size @ 1..=0x8000_0000) => output.push(Some(*size)),
            _ => {
                return Err(argument(
                    layer,
                    "output",
                    "has a size below 1",
                    "sizes without the batch",
                ));
            }
        }
    }
    let mut outcome = Outcome {
        output,
        parameters: None,
        flops: None,
        ..same(input, 0)
    };
    for name in ["file", "output"] {
        if let Some(value) = layer.args.get(name) {
            outcome = outcome.with(name, value.clone());
        }
    }
    Ok(outcome)
}
