//! From shape to shape, a function a layer: which function, what they share, and the layers that work on each element.

use super::layer::Layer;
use super::report::{Problem, argument, mismatch, shape_text};
use super::{Dim, Signal, dense, norms, sequence, windows};
use crate::spec::{ByName, Datum, Fields};

/// What a layer makes of a shape.
pub(super) struct Outcome {
    pub(super) output: Vec<Dim>,
    /// The layer's arguments with every size.
    pub(super) args: Fields,
    pub(super) parameters: Option<u128>,
    pub(super) flops: Option<u128>,
    /// What a traced layer does: each operation, and the shape that it gives.
    pub(super) operations: Vec<(String, String)>,
}

/// The elements of a shape, where they are known.
pub(super) fn count(shape: &[Dim]) -> Option<u128> {
    shape.iter().try_fold(1, |product: u128, size| {
        Some(product.saturating_mul((*size)? as u128))
    })
}

/// What a layer that has no layers in it makes of its input.
pub(super) fn transfer(layer: &Layer, input: &Signal) -> Result<Outcome, Box<Problem>> {
    let shape = &input.shape;
    match layer.kind.as_str() {
        "embedding" => return dense::embedding(layer, input),
        "identity" => return Ok(same(shape, 0)),
        _ if input.ids => return Err(ids(layer)),
        _ => {}
    }
    match layer.kind.as_str() {
        "linear" => dense::linear(layer, shape),
        "flatten" => dense::flatten(layer, shape),
        "torchscript" => dense::torchscript(layer, shape),
        "conv1d" => windows::conv1d(layer, shape),
        "conv2d" => windows::conv2d(layer, shape),
        "conv_transpose2d" => windows::conv_transpose2d(layer, shape),
        "max_pool1d" | "avg_pool1d" => windows::pool1d(layer, shape),
        "max_pool2d" | "avg_pool2d" => windows::pool2d(layer, shape),
        "adaptive_avg_pool1d" => windows::adaptive_pool1d(layer, shape),
        "adaptive_avg_pool2d" => windows::adaptive_pool2d(layer, shape),
        "upsample" => windows::upsample(layer, shape),
        "batch_norm" => norms::batch_norm(layer, shape),
        "layer_norm" => norms::layer_norm(layer, shape),
        "group_norm" => norms::group_norm(layer, shape),
        "normalize" => norms::normalize(layer, shape),
        "lstm" | "gru" => sequence::recurrent(layer, shape),
        "transformer_encoder" => sequence::transformer_encoder(layer, shape),
        "positional_encoding" => sequence::positional_encoding(layer, shape),
        kind => elementwise(layer, kind, shape),
    }
}

/// A layer that works on each element: operations for each, and an argument with its default.
type Elementwise = (&'static str, u128, Option<(&'static str, f64)>);

const ELEMENTWISE: &[Elementwise] = &[
    ("elu", 4, Some(("alpha", 1.0))),
    ("gelu", 4, None),
    ("hardswish", 4, None),
    ("leaky_relu", 1, Some(("negative_slope", 0.01))),
    ("log_softmax", 5, None),
    ("mish", 6, None),
    ("relu", 1, None),
    ("relu6", 2, None),
    ("sigmoid", 4, None),
    ("silu", 4, None),
    ("softmax", 5, None),
    ("softplus", 4, None),
    ("tanh", 4, None),
];

/// Whether a layer has no size and changes none.
pub(super) fn keeps_shape(kind: &str) -> bool {
    matches!(kind, "dropout" | "dropout2d" | "identity" | "flatten")
        || ELEMENTWISE.iter().any(|(own, ..)| *own == kind)
}

fn elementwise(layer: &Layer, kind: &str, shape: &[Dim]) -> Result<Outcome, Box<Problem>> {
    if let "dropout" | "dropout2d" = kind {
        let p = layer.probability("p")?;
        return Ok(same(shape, 1).with("p", Datum::Float(p)));
    }
    let Some((_, operations, argument)) = ELEMENTWISE.iter().find(|(own, ..)| *own == kind) else {
        let message = format!("`{kind}` has no shape rule");
        return Err(mismatch(layer, "E0316", message, "cannot be trained yet"));
    };
    let outcome = same(shape, *operations);
    Ok(match argument {
        Some((name, default)) => outcome.with(name, Datum::Float(layer.float(name).unwrap_or(*default))),
        None => outcome,
    })
}

impl Outcome {
    /// A layer with these parameters and operations.
    pub(super) fn new(output: Vec<Dim>, parameters: u128, flops: Option<u128>) -> Self {
        Self {
            output,
            args: ByName::new(),
            parameters: Some(parameters),
            flops,
            operations: Vec::new(),
        }
    }

    pub(super) fn with(mut self, name: &str, value: Datum) -> Self {
        self.args.insert(name.to_owned(), value);
        self
    }

    pub(super) fn int(self, name: &str, value: i64) -> Self {
        self.with(name, Datum::Int(value))
    }

    pub(super) fn flag(self, name: &str, value: bool) -> Self {
        self.with(name, Datum::Bool(value))
    }

    pub(super) fn pair(self, name: &str, pair: [i64; 2]) -> Self {
        self.with(name, Datum::List(pair.map(Datum::Int).to_vec()))
    }
}

/// A layer that keeps the shape, with some operations for each element.
pub(super) fn same(shape: &[Dim], operations: u128) -> Outcome {
    let flops = count(shape).map(|elements| elements.saturating_mul(operations));
    Outcome::new(shape.to_vec(), 0, flops)
}

/// A size of the input that the layer's parameters need: the one that comes in, or the one that is written where that is
/// not known. A written one that is not what comes in is an error.
pub(super) fn needed(
    layer: &Layer,
    name: &'static str,
    actual: Dim,
    expected_shape: impl Fn(i64) -> String,
    shape: &[Dim],
) -> Result<i64, Box<Problem>> {
    let written = match layer.int(name) {
        Some(_) => Some(layer.size(name, 1)?),
        None => None,
    };
    match (written, actual) {
        (Some(written), Some(actual)) if written != actual => {
            let message = format!(
                "shape mismatch: `{name}` is {written}, but {actual} come{} in",
                if actual == 1 { "s" } else { "" }
            );
            let label = format!("expects {}", expected_shape(written));
            Err(mismatch(layer, "E0310", message, label)
                .of(name)
                .mend(actual)
                .help(format!("leave `{name}` out, it is inferred; or write {actual}")))
        }
        (_, Some(size)) | (Some(size), None) => Ok(size),
        (None, None) => Err(unknown(layer, name, shape)),
    }
}

/// A size that the layer needs is known only from the files.
fn unknown(layer: &Layer, name: &'static str, shape: &[Dim]) -> Box<Problem> {
    let message = format!("the size of the input of `{}` is not known", layer.kind);
    let problem = mismatch(layer, "E0315", message, format!("is fed {}", shape_text(shape)));
    problem.help(format!(
        "say it where the data is declared (`data.vector([\"a\", \"b\"])` lists columns, `data.resize` sets height and width), or write `{name} = …` here"
    ))
}

/// Token ids where numbers are needed.
pub(super) fn ids(layer: &Layer) -> Box<Problem> {
    let message = format!("`{}` works on numbers, and token ids come in", layer.kind);
    mismatch(layer, "E0311", message, "expects numbers")
        .help("begin with `nn.embedding(num_embeddings, embedding_dim)`, which gives each id a vector")
}

/// [channels, …] of `rank` dimensions, which convolutions and pooling need.
pub(super) fn channels_first<'a, const RANK: usize>(
    layer: &Layer,
    shape: &'a [Dim],
    what: &str,
    dims: &str,
) -> Result<&'a [Dim; RANK], Box<Problem>> {
    shape.try_into().map_err(|_| {
        let message = format!("`{}` needs {what}, not {}", layer.kind, shape_text(shape));
        let problem = mismatch(layer, "E0311", message, format!("expects [batch, channels, {dims}]"));
        match shape.len() {
            1 => problem.help("layers over images stand before `nn.flatten`; flat columns are read as images by `data.pixels`"),
            _ => problem,
        }
    })
}

/// A number of groups must divide what is grouped.
pub(super) fn divides(
    layer: &Layer,
    name: &'static str,
    parts: i64,
    of: &[(&str, i64)],
) -> Result<(), Box<Problem>> {
    for (what, count) in of {
        if count % parts != 0 {
            let message = format!("`{name}` is {parts}, which does not divide {what}, {count}");
            let all: Vec<_> = of.iter().map(|(_, count)| count.to_string()).collect();
            let label = format!("must divide {}", all.join(" and "));
            let fits = |parts: &i64| of.iter().all(|(_, count)| count % parts == 0);
            let fitting: Vec<_> = (1..=parts.saturating_mul(2).min(1024))
                .filter(fits)
                .map(|n| n.to_string())
                .collect();
            let fitting = fitting.iter().rev().take(4).rev().map(String::as_str);
            return Err(mismatch(layer, "E0313", message, label)
                .of(name)
                .help(format!("write {}", crate::suggest::one_of(fitting))));
        }
    }
    Ok(())
}

/// `eps`, which is added to what is divided by.
pub(super) fn eps(layer: &Layer) -> Result<f64, Box<Problem>> {
    let eps = layer.float("eps").unwrap_or(1e-5);
    match eps > 0.0 {
        true => Ok(eps),
        false => Err(argument(layer, "eps", format!("is {eps}"), "must be above 0")),
    }
}
