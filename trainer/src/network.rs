//! A network: the recipe's layer tree as a line of layers, with the places of their parameters and buffers.
//!
//! A [`Network`] holds no tensors, so threads share it; the tensors stand in [`Leaves`], of which each shard has its own
//! over the same storage.

use crate::dropout::Masks;
use crate::error::Outcome;
use crate::graph;
use crate::init;
use mlp_protocol::message::Failure;
use mlp_protocol::net::{Layer, Net};
use std::ops::Range;
use tch::{Kind, Tensor};

/// A network without its weights.
pub(crate) struct Network {
    layers: Vec<Placed>,
    /// The parameters' paths, in PyTorch's order of construction.
    pub(crate) param_names: Vec<String>,
    /// The buffers' paths.
    pub(crate) buffer_names: Vec<String>,
}

/// A layer with the places of its tensors in [`Leaves`].
struct Placed {
    layer: Layer,
    params: Range<usize>,
    buffers: Range<usize>,
}

/// A network's tensors.
pub(crate) struct Leaves {
    /// Trainable, in the order of [`Network::param_names`].
    pub(crate) params: Vec<Tensor>,
    /// Running statistics and fitted numbers, in the order of [`Network::buffer_names`].
    pub(crate) buffers: Vec<Tensor>,
}

impl Leaves {
    /// Other handles to the same storage, for another thread: its gradients are its own.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn replica(&self) -> Outcome<Leaves> {
        let leaf = |tensor: &Tensor| Outcome::Ok(tensor.f_detach()?.f_set_requires_grad(true)?);
        Ok(Leaves {
            params: self.params.iter().map(leaf).collect::<Outcome<_>>()?,
            buffers: self.buffers.iter().map(Tensor::shallow_clone).collect(),
        })
    }
}

/// A layer that learns numbers from the training set.
pub(crate) struct Adapted {
    /// Its place in the line.
    pub(crate) layer: usize,
    /// The places of `mean` and `std` among the buffers.
    pub(crate) buffers: Range<usize>,
    /// Whether the mean is to be learned.
    pub(crate) mean: bool,
    /// Whether the deviation is to be learned.
    pub(crate) std: bool,
}

/// How a network is run.
pub(crate) enum Mode<'a> {
    /// Running statistics are used; nothing is random.
    Evaluation,
    /// Batch statistics are used. `statistics` takes the place of the running ones, and is overwritten by the batch's own
    /// where batches are cut into shards; without it the running ones are updated.
    Training {
        masks: Masks,
        statistics: Option<&'a [Tensor]>,
    },
}

impl Network {
    /// Lays out `net`, with weights from PyTorch's default initialisation after `torch.manual_seed(seed)`.
    ///
    /// # Errors
    /// When libtorch has no memory for them.
    pub(crate) fn new(net: &Net, seed: i64) -> Outcome<(Network, Leaves)> {
        tch::manual_seed(seed);
        let mut network = Network {
            layers: Vec::new(),
            param_names: Vec::new(),
            buffer_names: Vec::new(),
        };
        let mut leaves = Leaves {
            params: Vec::new(),
            buffers: Vec::new(),
        };
        network.add(&net.root, "", &mut leaves)?;
        Ok((network, leaves))
    }

    fn add(&mut self, layer: &Layer, path: &str, leaves: &mut Leaves) -> Outcome<()> {
        match layer {
            Layer::Sequential { layers } => layers.iter().enumerate().try_for_each(|(index, layer)| {
                // A name takes the place of the index.
                match layer {
                    Layer::Named { name, layer } => self.add(layer, &join(path, name), leaves),
                    layer => self.add(layer, &join(path, &index.to_string()), leaves),
                }
            }),
            Layer::Named { name, layer } => self.add(layer, &join(path, name), leaves),
            layer => {
                let tensors = init::tensors(layer)?;
                let (params, buffers) = (self.param_names.len(), self.buffer_names.len());
                for (name, tensor) in tensors.params {
                    self.param_names.push(join(path, name));
                    leaves.params.push(tensor.f_set_requires_grad(true)?);
                }
                for (name, tensor) in tensors.buffers {
                    self.buffer_names.push(join(path, name));
                    leaves.buffers.push(tensor);
                }
                let (params, buffers) = (params..self.param_names.len(), buffers..self.buffer_names.len());
                self.layers.push(Placed {
                    layer: layer.clone(),
                    params,
                    buffers,
                });
                Ok(())
            }
        }
    }

    /// Runs the network on a batch.
    ///
    /// # Errors
    /// When libtorch throws, or batch norm has a single value a channel.
    pub(crate) fn forward(&self, leaves: &Leaves, x: &Tensor, mode: &Mode<'_>) -> Outcome<Tensor> {
        self.forward_until(self.layers.len(), leaves, x, mode)
    }

    /// Runs the layers before the one at `end`.
    ///
    /// # Errors
    /// As [`Network::forward`].
    pub(crate) fn forward_until(
        &self,
        end: usize,
        leaves: &Leaves,
        x: &Tensor,
        mode: &Mode<'_>,
    ) -> Outcome<Tensor> {
        let mut x = x.shallow_clone();
        for (index, placed) in self.layers[..end].iter().enumerate() {
            x = placed.forward(index, leaves, &x, mode)?;
        }
        Ok(x)
    }

    /// The layers that learn numbers from the training set.
    pub(crate) fn to_adapt(&self) -> impl Iterator<Item = Adapted> {
        self.layers
            .iter()
            .enumerate()
            .filter_map(|(layer, placed)| match &placed.layer {
                Layer::Normalize { mean, std, .. } if mean.is_none() || std.is_none() => {
                    let buffers = placed.buffers.clone();
                    Some(Adapted {
                        layer,
                        buffers,
                        mean: mean.is_none(),
                        std: std.is_none(),
                    })
                }
                _ => None,
            })
    }

    /// The batch norms: their momentum and the place of their buffers (mean, variance, count).
    pub(crate) fn batch_norms(&self) -> impl Iterator<Item = (f64, Range<usize>)> {
        self.layers.iter().filter_map(|placed| match placed.layer {
            Layer::BatchNorm { momentum, .. } => Some((momentum, placed.buffers.clone())),
            _ => None,
        })
    }
}

impl Placed {
    fn forward(&self, index: usize, leaves: &Leaves, x: &Tensor, mode: &Mode<'_>) -> Outcome<Tensor> {
        let params = &leaves.params[self.params.clone()];
        Ok(match &self.layer {
            Layer::Conv2d {
                stride,
                padding,
                dilation,
                groups,
                ..
            } => x.f_conv2d(&params[0], params.get(1), stride, padding, dilation, *groups)?,
            Layer::Linear { .. } => x.f_linear(&params[0], params.get(1))?,
            Layer::BatchNorm { eps, momentum, .. } => self.batch_norm(leaves, x, mode, *eps, *momentum)?,
            Layer::MaxPool2d {
                kernel_size,
                stride,
                padding,
            } => x.f_max_pool2d(kernel_size, stride, padding, [1, 1], false)?,
            Layer::AvgPool2d {
                kernel_size,
                stride,
                padding,
            } => x.f_avg_pool2d(kernel_size, stride, padding, false, true, None)?,
            Layer::Dropout { p } => match mode {
                Mode::Training { masks, .. } if *p > 0.0 => x.f_mul(&masks.mask(index, *p, &x.size())?)?,
                _ => x.shallow_clone(),
            },
            Layer::Flatten { start_dim } => x.f_flatten(*start_dim, -1)?,
            Layer::Relu => x.f_relu()?,
            Layer::Gelu => x.f_gelu("none")?,
            Layer::Silu => x.f_silu()?,
            Layer::Tanh => x.f_tanh()?,
            Layer::Sigmoid => x.f_sigmoid()?,
            // tch's leaky_relu knows the default slope only.
            Layer::LeakyRelu { negative_slope } => {
                x.f_prelu(&Tensor::from_slice(&[*negative_slope as f32]))?
            }
            Layer::Softmax => x.f_softmax(1, Kind::Float)?,
            Layer::LogSoftmax => x.f_log_softmax(1, Kind::Float)?,
            Layer::Normalize { mean, std, .. } => match (mean, std) {
                (Some(mean), Some(std)) => normalize(x, &channel(mean), &channel(std))?,
                _ => {
                    let buffers = &leaves.buffers[self.buffers.clone()];
                    normalize(x, &buffers[0], &buffers[1])?
                }
            },
            Layer::Fn { graph } => graph::run(graph, &[x])?,
            Layer::Sequential { .. } | Layer::Named { .. } => x.shallow_clone(),
        })
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
        match mode {
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

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_string()
    } else {
        format!("{path}.{name}")
    }
}

fn single_value() -> crate::error::Error {
    Failure::new("B0205", "batch norm got a single value per channel")
        .argument("batch_size")
        .help("choose a `batch_size` that leaves more than one example in the last batch, and in each shard")
        .into()
}
