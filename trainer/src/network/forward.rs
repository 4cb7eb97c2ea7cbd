//! What each layer computes.

use super::{Leaves, Mode, Placed, attention, recurrent};
use crate::error::Outcome;
use crate::graph;
use crate::shim;
use mlp_protocol::message::Failure;
use mlp_protocol::net::{Interpolation, Layer};
use tch::{Kind, Tensor};

impl Placed {
    /// Runs the layer, which stands at `index` of the network.
    pub(super) fn forward(
        &self,
        index: usize,
        leaves: &Leaves,
        x: &Tensor,
        mode: &Mode<'_>,
    ) -> Outcome<Tensor> {
        let params = &leaves.params[self.params.clone()];
        match &self.layer {
            Layer::Conv1d { .. } | Layer::Conv2d { .. } | Layer::ConvTranspose2d { .. } => {
                convolution(&self.layer, params, x)
            }
            Layer::Linear { .. } => Ok(x.f_linear(&params[0], params.get(1))?),
            Layer::Embedding { padding_idx, .. } => {
                let ids = x.f_to_kind(Kind::Int64)?;
                Ok(Tensor::f_embedding(
                    &params[0],
                    &ids,
                    padding_idx.unwrap_or(-1),
                    false,
                    false,
                )?)
            }
            Layer::PositionalEncoding { dropout } => {
                let x = attention::positions(x)?;
                dropped(x, index, 0, *dropout, mode)
            }
            Layer::BatchNorm { eps, momentum, .. } => self.batch_norm(leaves, x, mode, *eps, *momentum),
            Layer::LayerNorm {
                normalized_shape,
                eps,
            } => Ok(x.f_layer_norm([*normalized_shape], params.first(), params.get(1), *eps, false)?),
            Layer::GroupNorm { num_groups, eps, .. } => {
                Ok(x.f_group_norm(*num_groups, params.first(), params.get(1), *eps, false)?)
            }
            Layer::Dropout { p } => dropped(x.shallow_clone(), index, 0, *p, mode),
            Layer::Dropout2d { p } => match mode {
                Mode::Training { masks, .. } if *p > 0.0 => {
                    let (images, channels, ..) = x.size4()?;
                    Ok(x.f_mul(&masks.mask(index, 0, *p, &[images, channels, 1, 1])?)?)
                }
                _ => Ok(x.shallow_clone()),
            },
            Layer::Lstm { .. } | Layer::Gru { .. } => recurrent::forward(&self.layer, params, x, index, mode),
            Layer::TransformerEncoder { .. } => attention::forward(&self.layer, params, x, index, mode),
            Layer::Flatten { start_dim } => Ok(x.f_flatten(*start_dim, -1)?),
            Layer::Normalize { mean, std, .. } => match (mean, std) {
                (Some(mean), Some(std)) => normalize(x, &channel(mean), &channel(std)),
                _ => {
                    let buffers = &leaves.buffers[self.buffers.clone()];
                    normalize(x, &buffers[0], &buffers[1])
                }
            },
            Layer::Fn { graph } => graph::run(graph, &[x]),
            layer => match activation(layer, x)? {
                Some(output) => Ok(output),
                None => resampled(layer, x),
            },
        }
    }

    fn batch_norm(
        &self,
        leaves: &Leaves,
        x: &Tensor,
        mode: &Mode<'_>,
        eps: f64,
        momentum: f64,
    ) -> Outcome<Tensor> {
        let params = &leaves.params[self.params.clone()];
        let running = &leaves.buffers[self.buffers.clone()];
        let (weight, bias) = (params.first(), params.get(1));
        let fixed = Mode::Evaluation;
        match if self.frozen { &fixed } else { mode } {
            Mode::Evaluation => Ok(x.f_batch_norm(
                weight,
                bias,
                running.first(),
                running.get(1),
                false,
                momentum,
                eps,
                false,
            )?),
            Mode::Training { statistics, .. } => {
                let channels = x.size().get(1).copied().unwrap_or(1);
                if x.numel() as i64 <= channels {
                    return Err(single_value());
                }
                let Some(own) = statistics.map(|all| &all[self.buffers.clone()]) else {
                    let _ = running[2].shallow_clone().f_add_scalar_(1)?;
                    return Ok(x.f_batch_norm(
                        weight,
                        bias,
                        running.first(),
                        running.get(1),
                        true,
                        momentum,
                        eps,
                        false,
                    )?);
                };
                // With a momentum of one the statistics become the shard's own.
                Ok(x.f_batch_norm(weight, bias, own.first(), own.get(1), true, 1.0, eps, false)?)
            }
        }
    }
}

/// Dropout of `x`: the mask `part` of the layer at `index`. Nothing happens outside of training.
pub(super) fn dropped(x: Tensor, index: usize, part: usize, p: f64, mode: &Mode<'_>) -> Outcome<Tensor> {
    match mode {
        Mode::Training { masks, .. } if p > 0.0 => Ok(x.f_mul(&masks.mask(index, part, p, &x.size())?)?),
        _ => Ok(x),
    }
}

fn convolution(layer: &Layer, params: &[Tensor], x: &Tensor) -> Outcome<Tensor> {
    let (weight, bias) = (&params[0], params.get(1));
    Ok(match layer {
        Layer::Conv1d {
            stride,
            padding,
            dilation,
            groups,
            ..
        } => x.f_conv1d(weight, bias, *stride, *padding, *dilation, *groups)?,
        Layer::Conv2d {
            stride,
            padding,
            dilation,
            groups,
            ..
        } => x.f_conv2d(weight, bias, stride, padding, dilation, *groups)?,
        Layer::ConvTranspose2d {
            stride,
            padding,
            output_padding,
            dilation,
            groups,
            ..
        } => x.f_conv_transpose2d(weight, bias, stride, padding, output_padding, *groups, dilation)?,
        _ => x.shallow_clone(),
    })
}

/// What a layer without parameters makes of each element; none where it is no such layer.
fn activation(layer: &Layer, x: &Tensor) -> Outcome<Option<Tensor>> {
    Ok(Some(match layer {
        Layer::Identity => x.shallow_clone(),
        Layer::Relu => x.f_relu()?,
        Layer::Relu6 => x.f_relu6()?,
        Layer::Gelu => x.f_gelu("none")?,
        Layer::Silu => x.f_silu()?,
        Layer::Mish => x.f_mish()?,
        Layer::Hardswish => x.f_hardswish()?,
        Layer::Softplus => x.f_softplus()?,
        Layer::Tanh => x.f_tanh()?,
        Layer::Sigmoid => x.f_sigmoid()?,
        // tch's elu and leaky_relu know the default arguments only.
        Layer::Elu { alpha } => {
            let below = x.f_clamp_max(0.0)?.f_expm1()?.f_mul_scalar(*alpha)?;
            x.f_relu()?.f_add(&below)?
        }
        Layer::LeakyRelu { negative_slope } => x.f_prelu(&Tensor::from_slice(&[*negative_slope as f32]))?,
        Layer::Softmax => x.f_softmax(-1, Kind::Float)?,
        Layer::LogSoftmax => x.f_log_softmax(-1, Kind::Float)?,
        _ => return Ok(None),
    }))
}

/// Layers that change how many places a signal or an image has.
fn resampled(layer: &Layer, x: &Tensor) -> Outcome<Tensor> {
    Ok(match layer {
        Layer::MaxPool1d {
            kernel_size,
            stride,
            padding,
        } => x.f_max_pool1d(*kernel_size, *stride, *padding, 1, false)?,
        Layer::AvgPool1d {
            kernel_size,
            stride,
            padding,
        } => x.f_avg_pool1d(*kernel_size, *stride, *padding, false, true)?,
        Layer::MaxPool2d {
            kernel_size,
            stride,
            padding,
        } => shim::max_pool2d(x, *kernel_size, *stride, *padding)?,
        Layer::AvgPool2d {
            kernel_size,
            stride,
            padding,
        } => x.f_avg_pool2d(kernel_size, stride, padding, false, true, None)?,
        Layer::AdaptiveAvgPool1d { output_size } => x.f_adaptive_avg_pool1d(*output_size)?,
        Layer::AdaptiveAvgPool2d { output_size } => x.f_adaptive_avg_pool2d(output_size)?,
        Layer::Upsample { scale_factor, mode } => {
            let (height, width) = (x.size()[2] * scale_factor[0], x.size()[3] * scale_factor[1]);
            match mode {
                Interpolation::Nearest => x.f_upsample_nearest2d([height, width], None, None)?,
                Interpolation::Bilinear => x.f_upsample_bilinear2d([height, width], false, None, None)?,
            }
        }
        _ => x.shallow_clone(),
    })
}

fn normalize(x: &Tensor, mean: &Tensor, std: &Tensor) -> Outcome<Tensor> {
    // [channels] against [batch, channels, …].
    let mut shape = vec![1; x.dim()];
    shape[1] = -1;
    Ok(x.f_sub(&mean.f_view(&shape[..])?)?
        .f_div(&std.f_view(&shape[..])?)?)
}

fn channel(numbers: &[f64]) -> Tensor {
    Tensor::from_slice(numbers).to_kind(Kind::Float)
}

fn single_value() -> crate::error::Error {
    Failure::new("B0205", "batch norm got a single value per channel")
        .argument("batch_size")
        .help("choose a `batch_size` that leaves more than one example in the last batch, and in each shard")
        .into()
}
