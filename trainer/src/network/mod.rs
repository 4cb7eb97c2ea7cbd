//! A network: the recipe's layer tree over a list of its layers, with the places of their parameters and buffers.
//!
//! A [`Network`] holds no tensors, so threads share it; the tensors stand in [`Leaves`], of which each shard has its own
//! over the same storage.

mod attention;
mod forward;
mod init;
mod recurrent;

use crate::dropout::Masks;
use crate::error::{Error, Outcome};
use crate::examples::Inputs;
use mlp_protocol::net::{Layer, Net};
use mlp_protocol::optim::names_layer;
use std::ops::Range;
use tch::{TchError, Tensor};

/// A network without its weights.
pub(crate) struct Network {
    root: Node,
    layers: Vec<Placed>,
    /// The parameters' paths, in PyTorch's order of construction.
    pub(crate) param_names: Vec<String>,
    /// The buffers' paths.
    pub(crate) buffer_names: Vec<String>,
}

/// A layer with the places of its tensors in [`Leaves`].
struct Placed {
    layer: Layer,
    /// As `mlp show` has it: what the paths of its tensors begin with.
    path: String,
    params: Range<usize>,
    buffers: Range<usize>,
    /// Whether it is not trained: its batch norm uses and keeps the running statistics.
    frozen: bool,
}

/// A network's tensors.
#[derive(Default)]
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
        let leaf = |tensor: &Tensor| {
            let trained = tensor.requires_grad();
            Outcome::Ok(tensor.f_detach()?.f_set_requires_grad(trained)?)
        };
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

/// How layers are put together.
enum Node {
    /// The layer at an index of [`Network::layers`].
    Leaf(usize),
    /// `max(x, 0)` in the memory of what the layer before it made, and does not look at again.
    ReluInPlace,
    /// One after the other.
    Line(Vec<Node>),
    Residual {
        main: Box<Node>,
        shortcut: Option<Box<Node>>,
        activation: Option<Box<Node>>,
    },
    /// The sum of what each gives.
    Sum(Vec<Node>),
    /// What each gives, along a dimension.
    Concat(Vec<Node>, i64),
    /// What each gives of its own input of the network, along dimension 1.
    Inputs(Vec<Node>),
}

/// Why a run through the network ended before its end.
enum Stop {
    /// The layer that was asked for is reached: what comes in.
    Reached(Tensor),
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

impl From<TchError> for Stop {
    fn from(error: TchError) -> Stop {
        Stop::Failed(error.into())
    }
}

/// A run through the network.
struct Pass<'a> {
    leaves: &'a Leaves,
    inputs: &'a [Tensor],
    mode: &'a Mode<'a>,
    /// The layer before which it ends.
    until: Option<usize>,
}

impl Network {
    /// Lays out `net`, with weights from PyTorch's default initialisation after `torch.manual_seed(seed)`.
    ///
    /// # Errors
    /// When libtorch has no memory for them.
    pub(crate) fn new(net: &Net, seed: i64) -> Outcome<(Network, Leaves)> {
        tch::manual_seed(seed);
        let mut layout = Layout::default();
        let root = layout.node(&net.root, "")?;
        let network = Network {
            root,
            layers: layout.layers,
            param_names: layout.param_names,
            buffer_names: layout.buffer_names,
        };
        Ok((network, layout.leaves))
    }

    /// Runs the network on a batch.
    ///
    /// # Errors
    /// When libtorch throws, or batch norm has a single value a channel.
    pub(crate) fn forward(&self, leaves: &Leaves, x: &Inputs, mode: &Mode<'_>) -> Outcome<Tensor> {
        self.run_until(None, leaves, x, mode)
    }

    /// What comes into the layer at `end`.
    ///
    /// # Errors
    /// As [`Network::forward`].
    pub(crate) fn forward_until(
        &self,
        end: usize,
        leaves: &Leaves,
        x: &Inputs,
        mode: &Mode<'_>,
    ) -> Outcome<Tensor> {
        self.run_until(Some(end), leaves, x, mode)
    }

    fn run_until(
        &self,
        until: Option<usize>,
        leaves: &Leaves,
        x: &Inputs,
        mode: &Mode<'_>,
    ) -> Outcome<Tensor> {
        let inputs = &x.0[..];
        // The layers that share out several inputs take them from the pass.
        let first = inputs.first().map(Tensor::shallow_clone).unwrap_or_default();
        let pass = Pass {
            leaves,
            inputs,
            mode,
            until,
        };
        match self.run(&self.root, first, &pass) {
            Ok(output) | Err(Stop::Reached(output)) => Ok(output),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    fn run(&self, node: &Node, mut x: Tensor, pass: &Pass<'_>) -> Result<Tensor, Stop> {
        match node {
            Node::Leaf(index) if pass.until == Some(*index) => Err(Stop::Reached(x)),
            Node::Leaf(index) => Ok(self.layers[*index].forward(*index, pass.leaves, &x, pass.mode)?),
            Node::ReluInPlace => Ok(x.f_relu_()?),
            Node::Line(nodes) => {
                for node in nodes {
                    x = self.run(node, x, pass)?;
                }
                Ok(x)
            }
            Node::Residual {
                main,
                shortcut,
                activation,
            } => {
                let sum = self.run(main, x.shallow_clone(), pass)?;
                if let Some(shortcut) = shortcut {
                    x = self.run(shortcut, x, pass)?;
                }
                let sum = sum.f_add(&x)?;
                match activation {
                    Some(activation) => self.run(activation, sum, pass),
                    None => Ok(sum),
                }
            }
            Node::Sum(nodes) => {
                let mut outputs = self.each(nodes, &x, pass)?.into_iter();
                let first = outputs.next().unwrap_or(x);
                Ok(outputs.try_fold(first, |sum, output| sum.f_add(&output))?)
            }
            Node::Concat(nodes, dim) => Ok(Tensor::f_cat(&self.each(nodes, &x, pass)?, *dim)?),
            Node::Inputs(nodes) => {
                let branches = nodes.iter().zip(pass.inputs);
                let outputs = branches.map(|(node, x)| self.run(node, x.shallow_clone(), pass));
                Ok(Tensor::f_cat(&outputs.collect::<Result<Vec<_>, _>>()?, 1)?)
            }
        }
    }

    fn each(&self, nodes: &[Node], x: &Tensor, pass: &Pass<'_>) -> Result<Vec<Tensor>, Stop> {
        nodes
            .iter()
            .map(|node| self.run(node, x.shallow_clone(), pass))
            .collect()
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

    /// The batch norms that are trained: their momentum and the place of their buffers (mean, variance, count).
    pub(crate) fn batch_norms(&self) -> impl Iterator<Item = (f64, Range<usize>)> {
        let trained = self.layers.iter().filter(|placed| !placed.frozen);
        trained.filter_map(|placed| match placed.layer {
            Layer::BatchNorm { momentum, .. } => Some((momentum, placed.buffers.clone())),
            _ => None,
        })
    }

    /// Leaves the layers that a pattern names as they are: in training they do what they do in evaluation, but for
    /// dropout, and their parameters have no gradient.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn freeze(&mut self, patterns: &[String], leaves: &Leaves) -> Outcome<()> {
        for placed in &mut self.layers {
            if patterns.iter().any(|pattern| names_layer(pattern, &placed.path)) {
                placed.frozen = true;
                for param in &leaves.params[placed.params.clone()] {
                    let _ = param.f_set_requires_grad(false)?;
                }
            }
        }
        Ok(())
    }

    /// The path of each layer that has parameters, with their places.
    pub(crate) fn layers(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        let layers = self.layers.iter();
        layers.map(|placed| (placed.path.as_str(), placed.params.clone()))
    }
}

/// A network that is being laid out.
#[derive(Default)]
struct Layout {
    layers: Vec<Placed>,
    param_names: Vec<String>,
    buffer_names: Vec<String>,
    leaves: Leaves,
}

impl Layout {
    fn node(&mut self, layer: &Layer, path: &str) -> Outcome<Node> {
        Ok(match layer {
            Layer::Sequential { layers } => {
                let nodes = self.nodes(layers, path)?;
                Node::Line(self.quicker(nodes))
            }
            Layer::Parallel { layers } => Node::Sum(self.nodes(layers, path)?),
            Layer::Concat { layers, dim } => Node::Concat(self.nodes(layers, path)?, *dim),
            Layer::Inputs { layers } => {
                let branches = layers.iter();
                let nodes = branches.map(|(name, layer)| self.node(layer, &join(path, name)));
                Node::Inputs(nodes.collect::<Outcome<_>>()?)
            }
            Layer::Named { name, layer } => self.node(layer, &join(path, name))?,
            Layer::Residual {
                layer,
                shortcut,
                activation,
            } => Node::Residual {
                main: Box::new(self.node(layer, path)?),
                shortcut: self.optional(shortcut.as_deref(), path, "shortcut")?,
                activation: self.optional(activation.as_deref(), path, "activation")?,
            },
            layer => self.leaf(layer, path)?,
        })
    }

    fn nodes(&mut self, layers: &[Layer], path: &str) -> Outcome<Vec<Node>> {
        let nodes = layers.iter().enumerate();
        nodes
            .map(|(index, layer)| self.child(layer, path, &index.to_string()))
            .collect()
    }

    /// The same values and gradients from less work: the largest of a window is found before what is negative goes, and
    /// a relu needs no memory of its own behind a layer whose gradient does not need what it gave.
    fn quicker(&self, mut nodes: Vec<Node>) -> Vec<Node> {
        let layer = |node: &Node| match node {
            Node::Leaf(index) => Some(&self.layers[*index].layer),
            _ => None,
        };
        for at in 1..nodes.len() {
            if let (Some(Layer::Relu), Some(Layer::MaxPool2d { .. })) =
                (layer(&nodes[at - 1]), layer(&nodes[at]))
            {
                nodes.swap(at - 1, at);
            }
        }
        for at in 1..nodes.len() {
            if let (Some(before), Some(Layer::Relu)) = (layer(&nodes[at - 1]), layer(&nodes[at]))
                && forgets_output(before)
            {
                nodes[at] = Node::ReluInPlace;
            }
        }
        nodes
    }

    fn optional(&mut self, layer: Option<&Layer>, path: &str, default: &str) -> Outcome<Option<Box<Node>>> {
        let node = layer.map(|layer| self.child(layer, path, default)).transpose()?;
        Ok(node.map(Box::new))
    }

    /// A name takes the place of what a layer is called by default.
    fn child(&mut self, layer: &Layer, path: &str, default: &str) -> Outcome<Node> {
        match layer {
            Layer::Named { .. } => self.node(layer, path),
            layer => self.node(layer, &join(path, default)),
        }
    }

    fn leaf(&mut self, layer: &Layer, path: &str) -> Outcome<Node> {
        let tensors = init::tensors(layer)?;
        let (params, buffers) = (self.param_names.len(), self.buffer_names.len());
        for (name, tensor) in tensors.params {
            self.param_names.push(join(path, &name));
            self.leaves.params.push(tensor.f_set_requires_grad(true)?);
        }
        for (name, tensor) in tensors.buffers {
            self.buffer_names.push(join(path, &name));
            self.leaves.buffers.push(tensor);
        }
        self.layers.push(Placed {
            layer: layer.clone(),
            path: path.to_string(),
            params: params..self.param_names.len(),
            buffers: buffers..self.buffer_names.len(),
            frozen: false,
        });
        Ok(Node::Leaf(self.layers.len() - 1))
    }
}

/// Whether a layer makes a tensor of its own, which its gradient does not need.
fn forgets_output(layer: &Layer) -> bool {
    matches!(
        layer,
        Layer::Conv1d { .. }
            | Layer::Conv2d { .. }
            | Layer::ConvTranspose2d { .. }
            | Layer::Linear { .. }
            | Layer::BatchNorm { .. }
            | Layer::GroupNorm { .. }
            | Layer::LayerNorm { .. }
            | Layer::MaxPool2d { .. }
    )
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_string()
    } else {
        format!("{path}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlp_protocol::state_dict::{Expected, state_dict};
    use serde_json::json;
    use std::collections::BTreeMap;
    use tch::Kind;

    #[test]
    fn tensors_are_those_that_a_script_must_write() {
        let recurrent = |kind: &str| {
            json!({ "kind": kind, "input_size": 3, "hidden_size": 4, "num_layers": 2, "bidirectional": true,
                "dropout": 0.0, "output": "last" })
        };
        let pair = [3, 2];
        let layers = json!([
            { "kind": "linear", "in_features": 2, "out_features": 3, "bias": false },
            { "kind": "conv1d", "in_channels": 4, "out_channels": 6, "kernel_size": 3, "stride": 1, "padding": 0,
              "dilation": 1, "groups": 2, "bias": true },
            { "kind": "conv2d", "in_channels": 4, "out_channels": 6, "kernel_size": pair, "stride": pair, "padding": pair,
              "dilation": pair, "groups": 2, "bias": true },
            { "kind": "conv_transpose2d", "in_channels": 4, "out_channels": 6, "kernel_size": pair, "stride": pair,
              "padding": pair, "output_padding": pair, "dilation": pair, "groups": 2, "bias": true },
            { "kind": "embedding", "num_embeddings": 5, "embedding_dim": 2 },
            { "kind": "layer_norm", "normalized_shape": 4, "eps": 1e-5 },
            { "kind": "group_norm", "num_groups": 2, "num_channels": 4, "eps": 1e-5 },
            { "kind": "batch_norm", "num_features": 4, "eps": 1e-5, "momentum": 0.1 },
            { "kind": "normalize", "num_features": 3 },
            { "kind": "normalize", "num_features": 1, "mean": [0.0], "std": [1.0] },
            recurrent("lstm"),
            recurrent("gru"),
            { "kind": "transformer_encoder", "d_model": 4, "nhead": 2, "num_layers": 2, "dim_feedforward": 8, "dropout": 0.0,
              "activation": "relu", "norm_first": false, "output": "mean" },
            { "kind": "inputs", "layers": {
                "age": { "kind": "named", "name": "fc", "layer": { "kind": "linear", "in_features": 1, "out_features": 2, "bias": true } },
                "photo": { "kind": "sequential", "layers": [{ "kind": "normalize", "num_features": 3 }] } } },
            { "kind": "residual", "layer": { "kind": "linear", "in_features": 2, "out_features": 2, "bias": true },
              "shortcut": { "kind": "named", "name": "down",
                "layer": { "kind": "linear", "in_features": 2, "out_features": 2, "bias": true } } },
        ]);
        let root = json!({ "kind": "sequential", "layers": layers });
        let net: Net = serde_json::from_value(json!({ "input": [], "output": [], "root": root })).unwrap();
        let (network, leaves) = Network::new(&net, 0).unwrap();
        let names = network.param_names.iter().chain(&network.buffer_names);
        let tensors = leaves.params.iter().chain(&leaves.buffers);
        let found: BTreeMap<String, Expected> = names
            .zip(tensors)
            .map(|(name, tensor)| {
                let expected = Expected {
                    shape: tensor.size(),
                    integers: tensor.f_kind().unwrap() == Kind::Int64,
                };
                (name.clone(), expected)
            })
            .collect();
        assert_eq!(state_dict(&net), found);
    }
}
