//! From shape to shape, a function a layer.

use super::layer::Layer;
use super::report::{Problem, argument, mismatch, shape_text};
use crate::spec::Datum;
use std::collections::BTreeMap;

/// What a layer makes of a shape.
pub(super) struct Outcome {
    pub(super) output: Vec<i64>,
    /// The layer's arguments with every size.
    pub(super) args: BTreeMap<String, Datum>,
    pub(super) parameters: u128,
    pub(super) flops: u128,
}

/// The elements of a shape.
pub(super) fn count(shape: &[i64]) -> u128 {
    shape
        .iter()
        .fold(1, |product: u128, size| product.saturating_mul(*size as u128))
}

/// What a layer that has no layers in it makes of its input.
pub(super) fn transfer(layer: &Layer, input: &[i64]) -> Result<Outcome, Box<Problem>> {
    match layer.kind.as_str() {
        "conv2d" => conv2d(layer, input),
        "linear" => linear(layer, input),
        "batch_norm" => batch_norm(layer, input),
        "max_pool2d" | "avg_pool2d" => pool2d(layer, input),
        "flatten" => flatten(layer, input),
        "normalize" => normalize(layer, input),
        "dropout" => {
            let p = layer.probability("p")?;
            Ok(same(input, 1).with("p", Datum::Float(p)))
        }
        "leaky_relu" => {
            let slope = layer.float("negative_slope").unwrap_or(0.01);
            Ok(same(input, 1).with("negative_slope", Datum::Float(slope)))
        }
        "softmax" | "log_softmax" => Ok(same(input, 5)),
        "gelu" | "silu" | "tanh" | "sigmoid" => Ok(same(input, 4)),
        "relu" => Ok(same(input, 1)),
        kind => {
            let message = format!("`{kind}` has no shape rule");
            Err(mismatch(layer, "E0316", message, "cannot be trained yet"))
        }
    }
}

impl Outcome {
    fn with(mut self, name: &str, value: Datum) -> Self {
        self.args.insert(name.to_owned(), value);
        self
    }

    fn pair(self, name: &str, pair: [i64; 2]) -> Self {
        self.with(name, Datum::List(pair.map(Datum::Int).to_vec()))
    }
}

/// A layer that works on each element, with some operations for each.
fn same(input: &[i64], operations: u128) -> Outcome {
    Outcome {
        output: input.to_vec(),
        args: BTreeMap::new(),
        parameters: 0,
        flops: count(input).saturating_mul(operations),
    }
}

/// An explicit size of the input, held against the one that comes in.
fn agree(
    layer: &Layer,
    name: &'static str,
    actual: i64,
    expected_shape: impl Fn(i64) -> String,
) -> Result<(), Box<Problem>> {
    match layer.int(name) {
        Some(written) if written != actual => {
            let message = format!("shape mismatch: `{name}` is {written}, but {actual} come in");
            Err(mismatch(
                layer,
                "E0310",
                message,
                format!("expects {}", expected_shape(written)),
            )
            .of(name)
            .mend(actual)
            .help(format!("leave `{name}` out, it is inferred; or write {actual}")))
        }
        _ => Ok(()),
    }
}

/// [channels, height, width], which convolutions and pooling need.
fn image<'a>(layer: &Layer, input: &'a [i64]) -> Result<&'a [i64; 3], Box<Problem>> {
    input.try_into().map_err(|_| {
        let message = format!("`{}` needs images, not {}", layer.kind, shape_text(input));
        let problem = mismatch(layer, "E0311", message, "expects [batch, channels, height, width]");
        match input.len() {
            1 => problem.help("layers over images stand before `nn.flatten`; flat columns are read as images by `data.pixels`"),
            _ => problem,
        }
    })
}

/// The size of one dimension after windows went over it.
fn windows(size: i64, kernel: i64, stride: i64, padding: i64, dilation: i64) -> Option<i64> {
    let span = dilation.checked_mul(kernel - 1)?.checked_add(1)?;
    let room = padding.checked_mul(2)?.checked_add(size)?.checked_sub(span)?;
    (room >= 0).then(|| room / stride + 1)
}

/// Height and width after windows went over them.
fn slide(
    layer: &Layer,
    image: &[i64; 3],
    kernel: [i64; 2],
    stride: [i64; 2],
    padding: [i64; 2],
    dilation: [i64; 2],
) -> Result<[i64; 2], Box<Problem>> {
    let along = |axis: usize| {
        windows(
            image[axis + 1],
            kernel[axis],
            stride[axis],
            padding[axis],
            dilation[axis],
        )
    };
    match (along(0), along(1)) {
        (Some(height), Some(width)) => Ok([height, width]),
        _ => {
            let [_, height, width] = image;
            let message = format!(
                "the window of `{}`, {} x {}, is larger than its input, {height} x {width}",
                layer.kind, kernel[0], kernel[1]
            );
            let with_padding = if padding == [0, 0] {
                ""
            } else {
                ", padding included"
            };
            Err(mismatch(
                layer,
                "E0312",
                message,
                format!("does not fit into {height} x {width}{with_padding}"),
            )
            .of("kernel_size")
            .help("take a smaller `kernel_size`, more `padding`, or pool less before"))
        }
    }
}

fn conv2d(layer: &Layer, input: &[i64]) -> Result<Outcome, Box<Problem>> {
    let image = image(layer, input)?;
    let out = layer.size("out_channels", 1)?;
    let (kernel, stride) = (layer.pair("kernel_size", 1)?, layer.pair("stride", 1)?);
    let (padding, dilation) = (layer.pair("padding", 0)?, layer.pair("dilation", 1)?);
    let groups = layer.size("groups", 1)?;
    let channels = image[0];
    agree(layer, "in_channels", channels, |size| {
        format!("[batch, {size}, …, …]")
    })?;
    for (name, count) in [("the channels that come in", channels), ("`out_channels`", out)] {
        if count % groups != 0 {
            let message = format!("`groups` is {groups}, which does not divide {name}, {count}");
            return Err(mismatch(
                layer,
                "E0313",
                message,
                format!("must divide {channels} and {out}"),
            )
            .of("groups"));
        }
    }
    let [height, width] = slide(layer, image, kernel, stride, padding, dilation)?;
    let bias = layer.flag("bias");
    let output = vec![out, height, width];
    let per_output = count(&[channels / groups, kernel[0], kernel[1]]);
    let biases = u128::from(bias);
    Ok(Outcome {
        parameters: (per_output.saturating_add(biases)).saturating_mul(out as u128),
        flops: count(&output).saturating_mul(2 * per_output + biases),
        output,
        args: BTreeMap::new(),
    }
    .with("in_channels", Datum::Int(channels))
    .with("out_channels", Datum::Int(out))
    .pair("kernel_size", kernel)
    .pair("stride", stride)
    .pair("padding", padding)
    .pair("dilation", dilation)
    .with("groups", Datum::Int(groups))
    .with("bias", Datum::Bool(bias)))
}

fn linear(layer: &Layer, input: &[i64]) -> Result<Outcome, Box<Problem>> {
    let Some((features, before)) = input.split_last() else {
        return Err(mismatch(
            layer,
            "E0311",
            "`linear` needs a dimension to work on",
            "expects [batch, features]",
        ));
    };
    let out = layer.size("out_features", 1)?;
    agree(layer, "in_features", *features, |size| {
        let mut shape = before.to_vec();
        shape.push(size);
        shape_text(&shape)
    })?;
    let bias = layer.flag("bias");
    let mut output = before.to_vec();
    output.push(out);
    let per_output = *features as u128;
    let biases = u128::from(bias);
    Ok(Outcome {
        parameters: per_output.saturating_add(biases).saturating_mul(out as u128),
        flops: count(&output).saturating_mul(2 * per_output + biases),
        output,
        args: BTreeMap::new(),
    }
    .with("in_features", Datum::Int(*features))
    .with("out_features", Datum::Int(out))
    .with("bias", Datum::Bool(bias)))
}

fn batch_norm(layer: &Layer, input: &[i64]) -> Result<Outcome, Box<Problem>> {
    let Some(features) = input.first().copied() else {
        return Err(mismatch(
            layer,
            "E0311",
            "`batch_norm` needs channels or features",
            "expects [batch, features, …]",
        ));
    };
    agree(layer, "num_features", features, |size| {
        let mut shape = input.to_vec();
        shape[0] = size;
        shape_text(&shape)
    })?;
    let eps = layer.float("eps").unwrap_or(1e-5);
    if eps <= 0.0 {
        return Err(argument(layer, "eps", format!("is {eps}"), "must be above 0"));
    }
    let momentum = layer.probability("momentum")?;
    Ok(Outcome {
        parameters: features as u128 * 2,
        ..same(input, 4)
    }
    .with("num_features", Datum::Int(features))
    .with("eps", Datum::Float(eps))
    .with("momentum", Datum::Float(momentum)))
}

fn pool2d(layer: &Layer, input: &[i64]) -> Result<Outcome, Box<Problem>> {
    let image = image(layer, input)?;
    let (kernel, stride) = (layer.pair("kernel_size", 1)?, layer.pair("stride", 1)?);
    let padding = layer.pair("padding", 0)?;
    if padding[0] * 2 > kernel[0] || padding[1] * 2 > kernel[1] {
        return Err(argument(
            layer,
            "padding",
            "is too large",
            "at most half of `kernel_size`",
        ));
    }
    let [height, width] = slide(layer, image, kernel, stride, padding, [1, 1])?;
    let output = vec![image[0], height, width];
    Ok(Outcome {
        parameters: 0,
        flops: count(&output).saturating_mul(count(&kernel)),
        output,
        args: BTreeMap::new(),
    }
    .pair("kernel_size", kernel)
    .pair("stride", stride)
    .pair("padding", padding))
}

fn flatten(layer: &Layer, input: &[i64]) -> Result<Outcome, Box<Problem>> {
    let start = layer.int("start_dim").unwrap_or(1);
    let kept = usize::try_from(start - 1)
        .ok()
        .filter(|kept| *kept < input.len().max(1));
    let Some(kept) = kept else {
        let last = input.len();
        let label = format!("must be 1 to {last}: dimension 0 is the batch");
        return Err(argument(layer, "start_dim", format!("is {start}"), label));
    };
    let merged = i64::try_from(count(&input[kept..])).unwrap_or(i64::MAX);
    let mut output = input[..kept].to_vec();
    output.push(merged);
    Ok(Outcome {
        output,
        ..same(input, 0)
    }
    .with("start_dim", Datum::Int(start)))
}

fn normalize(layer: &Layer, input: &[i64]) -> Result<Outcome, Box<Problem>> {
    let Some(features) = input.first().copied() else {
        return Err(mismatch(
            layer,
            "E0311",
            "`normalize` needs channels or features",
            "expects [batch, features, …]",
        ));
    };
    let mut outcome = same(input, 2).with("num_features", Datum::Int(features));
    for name in ["mean", "std"] {
        let Some(numbers) = layer.floats(name) else {
            continue;
        };
        if numbers.len() as i64 != features {
            let message = format!("`{name}` has {} numbers for {features} channels", numbers.len());
            return Err(mismatch(layer, "E0310", message, format!("expects {features}")).of(name));
        }
        if name == "std" && numbers.iter().any(|number| *number <= 0.0) {
            return Err(argument(
                layer,
                name,
                "has a number that is not above 0",
                "is divided by",
            ));
        }
        outcome = outcome.with(name, Datum::List(numbers.into_iter().map(Datum::Float).collect()));
    }
    match (layer.args.get("mean"), layer.args.get("std")) {
        (Some(_), None) => Err(
            argument(layer, "mean", "stands without `std`", "needs `std` besides")
                .help("give both, or neither: then both are learned from the training set"),
        ),
        (None, Some(_)) => Err(
            argument(layer, "std", "stands without `mean`", "needs `mean` besides")
                .help("give both, or neither: then both are learned from the training set"),
        ),
        _ => Ok(outcome),
    }
}
