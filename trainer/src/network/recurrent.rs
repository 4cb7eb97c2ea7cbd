//! LSTM and GRU over [batch, length, features], layer by layer, with PyTorch's weights and their names.

use super::Mode;
use super::forward::dropped;
use super::init::{Fresh, uniform};
use crate::error::Outcome;
use mlp_protocol::net::{Layer, Sequence};
use tch::Tensor;

/// The sizes of a recurrent layer.
struct Shape {
    /// Sets of weights in one: 4 of an LSTM, 3 of a GRU.
    gates: i64,
    input: i64,
    hidden: i64,
    layers: i64,
    directions: i64,
    dropout: f64,
    output: Sequence,
}

/// Tensors of each layer and direction: two weights and two biases.
const TENSORS: usize = 4;

impl Shape {
    /// Of an LSTM or a GRU.
    fn of(layer: &Layer) -> Option<Shape> {
        let gates = if matches!(layer, Layer::Lstm { .. }) { 4 } else { 3 };
        match layer {
            Layer::Lstm {
                input_size,
                hidden_size,
                num_layers,
                bidirectional,
                dropout,
                output,
            }
            | Layer::Gru {
                input_size,
                hidden_size,
                num_layers,
                bidirectional,
                dropout,
                output,
            } => Some(Shape {
                gates,
                input: *input_size,
                hidden: *hidden_size,
                layers: *num_layers,
                directions: if *bidirectional { 2 } else { 1 },
                dropout: *dropout,
                output: *output,
            }),
            _ => None,
        }
    }
}

/// Fresh weights, in PyTorch's order: all within 1/sqrt(hidden_size).
///
/// # Errors
/// When libtorch has no memory for them.
pub(super) fn fresh(layer: &Layer) -> Outcome<Fresh> {
    let Some(shape) = Shape::of(layer) else {
        return Ok(Fresh::default());
    };
    let rows = shape.gates * shape.hidden;
    let mut params = Vec::new();
    for layer in 0..shape.layers {
        let input = match layer {
            0 => shape.input,
            _ => shape.hidden * shape.directions,
        };
        for suffix in &["", "_reverse"][..shape.directions as usize] {
            for (name, size) in [
                ("weight_ih", &[rows, input][..]),
                ("weight_hh", &[rows, shape.hidden]),
                ("bias_ih", &[rows]),
                ("bias_hh", &[rows]),
            ] {
                params.push((format!("{name}_l{layer}{suffix}"), uniform(size, shape.hidden)?));
            }
        }
    }
    Ok(Fresh {
        params,
        buffers: vec![],
    })
}

/// Runs the layer, which stands at `index` of the network.
///
/// # Errors
/// When libtorch throws.
pub(super) fn forward(
    layer: &Layer,
    params: &[Tensor],
    x: &Tensor,
    index: usize,
    mode: &Mode<'_>,
) -> Outcome<Tensor> {
    let Some(shape) = Shape::of(layer) else {
        return Ok(x.shallow_clone());
    };
    let train = matches!(mode, Mode::Training { .. });
    let start = Tensor::f_zeros(
        [shape.directions, x.size()[0], shape.hidden],
        (x.f_kind()?, x.device()),
    )?;
    let (mut output, mut last) = (x.shallow_clone(), start.shallow_clone());
    for (number, params) in params.chunks(TENSORS * shape.directions as usize).enumerate() {
        if number > 0 {
            output = dropped(output, index, number, shape.dropout, mode)?;
        }
        let bidirectional = shape.directions == 2;
        let params: Vec<&Tensor> = params.iter().collect();
        (output, last) = match layer {
            Layer::Lstm { .. } => {
                let (output, last, _) = output.f_lstm(
                    &[&start, &start],
                    &params,
                    true,
                    1,
                    0.0,
                    train,
                    bidirectional,
                    true,
                )?;
                (output, last)
            }
            _ => output.f_gru(&start, &params, true, 1, 0.0, train, bidirectional, true)?,
        };
    }
    match shape.output {
        Sequence::All => Ok(output),
        Sequence::Mean => Ok(output.f_mean_dim(1, false, None)?),
        // [directions, batch, hidden] to [batch, directions * hidden].
        Sequence::Last => Ok(last.f_transpose(0, 1)?.f_flatten(1, -1)?),
    }
}
