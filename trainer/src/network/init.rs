//! Fresh tensors of a layer: PyTorch's default initialisation, drawn in PyTorch's order from the global generator, so that
//! the same seed gives the same weights there and here.

use super::{attention, recurrent};
use crate::error::Outcome;
use mlp_protocol::net::Layer;
use tch::{Device, Kind, Tensor};

/// A layer's tensors by their names in a `state_dict`.
#[derive(Default)]
pub(super) struct Fresh {
    pub(super) params: Vec<(String, Tensor)>,
    pub(super) buffers: Vec<(String, Tensor)>,
}

impl Fresh {
    /// A layer with these parameters and no buffers.
    pub(super) fn params<const N: usize>(params: [(&str, Tensor); N]) -> Fresh {
        Fresh {
            params: named(params),
            buffers: vec![],
        }
    }
}

fn named<const N: usize>(tensors: [(&str, Tensor); N]) -> Vec<(String, Tensor)> {
    tensors.map(|(name, tensor)| (name.to_owned(), tensor)).into()
}

pub(super) const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

/// The tensors of a fresh layer.
///
/// # Errors
/// When libtorch has no memory for them.
pub(super) fn tensors(layer: &Layer) -> Outcome<Fresh> {
    match layer {
        Layer::Conv2d {
            in_channels,
            out_channels,
            kernel_size: [height, width],
            groups,
            bias,
            ..
        } => {
            let inputs = in_channels / (*groups).max(1);
            weight_and_bias(
                &[*out_channels, inputs, *height, *width],
                inputs * height * width,
                *bias,
            )
        }
        Layer::Linear {
            in_features,
            out_features,
            bias,
        } => weight_and_bias(&[*out_features, *in_features], *in_features, *bias),
        Layer::Conv1d {
            in_channels,
            out_channels,
            kernel_size,
            groups,
            bias,
            ..
        } => {
            let inputs = in_channels / (*groups).max(1);
            weight_and_bias(
                &[*out_channels, inputs, *kernel_size],
                inputs * kernel_size,
                *bias,
            )
        }
        Layer::ConvTranspose2d {
            in_channels,
            out_channels,
            kernel_size: [height, width],
            groups,
            bias,
            ..
        } => {
            // PyTorch takes the second dimension for the inputs here too.
            let outputs = out_channels / (*groups).max(1);
            let shape = [*in_channels, outputs, *height, *width];
            let Fresh { mut params, buffers } = weight_and_bias(&shape, outputs * height * width, false)?;
            if *bias {
                params.push((
                    "bias".to_owned(),
                    uniform(&[*out_channels], outputs * height * width)?,
                ));
            }
            Ok(Fresh { params, buffers })
        }
        Layer::Embedding {
            num_embeddings,
            embedding_dim,
            padding_idx,
        } => {
            let weight = Tensor::f_empty([*num_embeddings, *embedding_dim], FLOAT)?.f_normal_(0.0, 1.0)?;
            if let Some(padding) = padding_idx {
                let _ = weight.f_select(0, *padding)?.f_fill_(0.0)?;
            }
            Ok(Fresh::params([("weight", weight)]))
        }
        Layer::Lstm { .. } | Layer::Gru { .. } => recurrent::fresh(layer),
        Layer::TransformerEncoder { .. } => attention::fresh(layer),
        Layer::LayerNorm {
            normalized_shape: size,
            ..
        }
        | Layer::GroupNorm {
            num_channels: size, ..
        } => Ok(Fresh::params(scale_and_shift(*size)?)),
        Layer::BatchNorm { num_features, .. } => Ok(Fresh {
            params: named(scale_and_shift(*num_features)?),
            buffers: named([
                ("running_mean", Tensor::f_zeros(*num_features, FLOAT)?),
                ("running_var", Tensor::f_ones(*num_features, FLOAT)?),
                (
                    "num_batches_tracked",
                    Tensor::f_zeros([0_i64; 0], (Kind::Int64, Device::Cpu))?,
                ),
            ]),
        }),
        Layer::Normalize {
            mean: Some(_),
            std: Some(_),
            ..
        } => Ok(Fresh::default()),
        // What is missing is learned from the training set; these are the places for it.
        Layer::Normalize {
            mean,
            std,
            num_features,
        } => Ok(Fresh {
            params: vec![],
            buffers: named([
                ("mean", given(mean.as_deref(), 0.0, *num_features)?),
                ("std", given(std.as_deref(), 1.0, *num_features)?),
            ]),
        }),
        _ => Ok(Fresh::default()),
    }
}

fn given(numbers: Option<&[f64]>, otherwise: f64, count: i64) -> Outcome<Tensor> {
    match numbers {
        Some(numbers) => Ok(Tensor::f_from_slice(numbers)?.f_to_kind(Kind::Float)?),
        None => Ok(Tensor::f_full(count, otherwise, FLOAT)?),
    }
}

/// The weight and bias of a normalisation.
pub(super) fn scale_and_shift(size: i64) -> Outcome<[(&'static str, Tensor); 2]> {
    Ok([
        ("weight", Tensor::f_ones(size, FLOAT)?),
        ("bias", Tensor::f_zeros(size, FLOAT)?),
    ])
}

/// `kaiming_uniform_(weight, a = sqrt(5))`, then a bias within 1/sqrt(fan_in): what `nn.Linear` and `nn.Conv2d` do, with
/// their order of operations, on which the last bit of the bounds depends.
pub(super) fn weight_and_bias(shape: &[i64], fan_in: i64, bias: bool) -> Outcome<Fresh> {
    let a = 5.0_f64.sqrt();
    let gain = (2.0 / (1.0 + a * a)).sqrt();
    let bound = 3.0_f64.sqrt() * (gain / (fan_in as f64).sqrt());
    let weight = Tensor::f_empty(shape, FLOAT)?.f_uniform_(-bound, bound)?;
    if !bias {
        return Ok(Fresh::params([("weight", weight)]));
    }
    Ok(Fresh::params([
        ("weight", weight),
        ("bias", uniform(&shape[..1], fan_in)?),
    ]))
}

/// Within 1/sqrt(fan_in).
pub(super) fn uniform(shape: &[i64], fan_in: i64) -> Outcome<Tensor> {
    let bound = 1.0 / (fan_in as f64).sqrt();
    Ok(Tensor::f_empty(shape, FLOAT)?.f_uniform_(-bound, bound)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_pytorchs() {
        // torch.manual_seed(0); torch.nn.Linear(2, 2)
        tch::manual_seed(0);
        let fresh = tensors(&Layer::Linear {
            in_features: 2,
            out_features: 2,
            bias: true,
        })
        .unwrap();
        let values = |index: usize| Vec::<f32>::try_from(fresh.params[index].1.view(-1)).unwrap();
        let near =
            |found: &[f32], expected: &[f32]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4);
        assert!(
            near(&values(0), &[-0.0053, 0.3793, -0.5820, -0.5204]),
            "{:?}",
            values(0)
        );
        assert!(near(&values(1), &[-0.2723, 0.1896]), "{:?}", values(1));
    }
}
