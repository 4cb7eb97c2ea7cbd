//! The tensors of a network by their names in PyTorch's `state_dict`, without libtorch: what a file of weights must hold.
//! The trainer's tests hold that its networks have just these.

use crate::net::{Layer, Net};
use std::collections::BTreeMap;

/// What a tensor must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The shape; empty for a scalar.
    pub shape: Vec<i64>,
    /// Whether it holds 64-bit integers; 32-bit floats else.
    pub integers: bool,
}

/// The tensors of `net` by name: parameters and buffers.
pub fn state_dict(net: &Net) -> BTreeMap<String, Expected> {
    let mut tensors = BTreeMap::new();
    place(&net.root, "", &mut tensors);
    tensors
}

fn place(layer: &Layer, path: &str, tensors: &mut BTreeMap<String, Expected>) {
    match layer {
        Layer::Sequential { layers } | Layer::Parallel { layers } | Layer::Concat { layers, .. } => {
            for (index, layer) in layers.iter().enumerate() {
                child(layer, path, &index.to_string(), tensors);
            }
        }
        Layer::Inputs { layers } => {
            for (name, layer) in layers {
                place(layer, &join(path, name), tensors);
            }
        }
        Layer::Named { name, layer } => place(layer, &join(path, name), tensors),
        Layer::Residual {
            layer,
            shortcut,
            activation,
        } => {
            place(layer, path, tensors);
            for (layer, name) in [(shortcut, "shortcut"), (activation, "activation")] {
                if let Some(layer) = layer {
                    child(layer, path, name, tensors);
                }
            }
        }
        layer => {
            for (name, shape) in floats(layer) {
                let integers = false;
                tensors.insert(join(path, &name), Expected { shape, integers });
            }
            if let Layer::BatchNorm { .. } = layer {
                let count = Expected {
                    shape: Vec::new(),
                    integers: true,
                };
                tensors.insert(join(path, "num_batches_tracked"), count);
            }
        }
    }
}

/// A name takes the place of what a layer is called by default.
fn child(layer: &Layer, path: &str, default: &str, tensors: &mut BTreeMap<String, Expected>) {
    match layer {
        Layer::Named { .. } => place(layer, path, tensors),
        layer => place(layer, &join(path, default), tensors),
    }
}

type Shapes = Vec<(String, Vec<i64>)>;

/// The tensors of floats of a single layer.
fn floats(layer: &Layer) -> Shapes {
    match layer {
        Layer::Linear {
            in_features,
            out_features,
            bias,
        } => weight_and_bias(vec![*out_features, *in_features], *out_features, *bias),
        Layer::Conv1d {
            in_channels,
            out_channels,
            kernel_size,
            groups,
            bias,
            ..
        } => {
            let shape = vec![*out_channels, in_channels / (*groups).max(1), *kernel_size];
            weight_and_bias(shape, *out_channels, *bias)
        }
        Layer::Conv2d {
            in_channels,
            out_channels,
            kernel_size: [height, width],
            groups,
            bias,
            ..
        } => {
            let shape = vec![*out_channels, in_channels / (*groups).max(1), *height, *width];
            weight_and_bias(shape, *out_channels, *bias)
        }
        Layer::ConvTranspose2d {
            in_channels,
            out_channels,
            kernel_size: [height, width],
            groups,
            bias,
            ..
        } => {
            let shape = vec![*in_channels, out_channels / (*groups).max(1), *height, *width];
            weight_and_bias(shape, *out_channels, *bias)
        }
        Layer::Embedding {
            num_embeddings,
            embedding_dim,
            ..
        } => named([("weight", vec![*num_embeddings, *embedding_dim])]),
        Layer::LayerNorm {
            normalized_shape: size,
            ..
        }
        | Layer::GroupNorm {
            num_channels: size, ..
        } => weight_and_bias(vec![*size], *size, true),
        Layer::BatchNorm {
            num_features: size, ..
        } => named([
            ("weight", vec![*size]),
            ("bias", vec![*size]),
            ("running_mean", vec![*size]),
            ("running_var", vec![*size]),
        ]),
        Layer::Normalize {
            mean: Some(_),
            std: Some(_),
            ..
        } => Vec::new(),
        Layer::Normalize {
            num_features: size, ..
        } => named([("mean", vec![*size]), ("std", vec![*size])]),
        Layer::Lstm {
            input_size,
            hidden_size,
            num_layers,
            bidirectional,
            ..
        } => recurrent(4, *input_size, *hidden_size, *num_layers, *bidirectional),
        Layer::Gru {
            input_size,
            hidden_size,
            num_layers,
            bidirectional,
            ..
        } => recurrent(3, *input_size, *hidden_size, *num_layers, *bidirectional),
        Layer::TransformerEncoder {
            d_model,
            num_layers,
            dim_feedforward,
            ..
        } => transformer(*d_model, *dim_feedforward, *num_layers),
        _ => Vec::new(),
    }
}

fn named<const N: usize>(tensors: [(&str, Vec<i64>); N]) -> Shapes {
    tensors.map(|(name, shape)| (name.to_owned(), shape)).into()
}

fn weight_and_bias(weight: Vec<i64>, outputs: i64, bias: bool) -> Shapes {
    let mut tensors = named([("weight", weight)]);
    tensors.extend(bias.then(|| ("bias".to_owned(), vec![outputs])));
    tensors
}

/// Each layer and direction has two weights and two biases, of all its gates at once.
fn recurrent(gates: i64, input: i64, hidden: i64, layers: i64, bidirectional: bool) -> Shapes {
    let rows = gates * hidden;
    let directions: &[&str] = if bidirectional { &["", "_reverse"] } else { &[""] };
    let mut tensors = Vec::new();
    for layer in 0..layers {
        let input = match layer {
            0 => input,
            _ => hidden * directions.len() as i64,
        };
        for direction in directions {
            for (name, shape) in [
                ("weight_ih", vec![rows, input]),
                ("weight_hh", vec![rows, hidden]),
                ("bias_ih", vec![rows]),
                ("bias_hh", vec![rows]),
            ] {
                tensors.push((format!("{name}_l{layer}{direction}"), shape));
            }
        }
    }
    tensors
}

fn transformer(d: i64, wide: i64, layers: i64) -> Shapes {
    let one = named([
        ("self_attn.in_proj_weight", vec![3 * d, d]),
        ("self_attn.in_proj_bias", vec![3 * d]),
        ("self_attn.out_proj.weight", vec![d, d]),
        ("self_attn.out_proj.bias", vec![d]),
        ("linear1.weight", vec![wide, d]),
        ("linear1.bias", vec![wide]),
        ("linear2.weight", vec![d, wide]),
        ("linear2.bias", vec![d]),
        ("norm1.weight", vec![d]),
        ("norm1.bias", vec![d]),
        ("norm2.weight", vec![d]),
        ("norm2.bias", vec![d]),
    ]);
    let of = |layer: i64| {
        one.iter()
            .map(move |(name, shape)| (format!("layers.{layer}.{name}"), shape.clone()))
    };
    (0..layers).flat_map(of).collect()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: Layer) -> Vec<String> {
        let net = Net {
            input: crate::net::Input::One(vec![]),
            output: vec![],
            root,
        };
        state_dict(&net).into_keys().collect()
    }

    fn linear() -> Layer {
        Layer::Linear {
            in_features: 2,
            out_features: 3,
            bias: true,
        }
    }

    #[test]
    fn names_are_those_of_a_state_dict() {
        let head = Layer::Named {
            name: "head".into(),
            layer: Box::new(linear()),
        };
        let layers = vec![linear(), Layer::Relu, head];
        let found = names(Layer::Sequential { layers });
        assert_eq!(found, ["0.bias", "0.weight", "head.bias", "head.weight"]);
        assert_eq!(names(linear()), ["bias", "weight"]);
    }

    #[test]
    fn a_recurrent_layer_has_a_set_for_each_direction() {
        let found = names(Layer::Gru {
            input_size: 2,
            hidden_size: 3,
            num_layers: 1,
            bidirectional: true,
            dropout: 0.0,
            output: crate::net::Sequence::Last,
        });
        assert!(found.contains(&"weight_hh_l0_reverse".to_owned()), "{found:?}");
        assert_eq!(found.len(), 8);
    }
}
