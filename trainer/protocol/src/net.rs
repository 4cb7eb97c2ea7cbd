//! A network: the layer tree, with every size that the shape pass inferred.

use crate::graph::Graph;
use serde::{Deserialize, Serialize};

/// A network as the shape pass leaves it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Net {
    /// The input's shape, without the batch.
    pub input: Vec<i64>,
    /// The output's shape, without the batch.
    pub output: Vec<i64>,
    /// The outermost layer.
    pub root: Layer,
}

/// A layer. Names and defaults are PyTorch's; sizes that PyTorch wants and a pipeline leaves out are filled in.
///
/// A parameter's path is that of a PyTorch `state_dict`: the index in each enclosing sequential (or its name, under
/// `named`), then `weight`, `bias`, `running_mean`, `running_var`, `num_batches_tracked`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the fields are PyTorch's, each documented in the standard library"
)]
pub enum Layer {
    Sequential {
        layers: Vec<Layer>,
    },
    Named {
        name: String,
        layer: Box<Layer>,
    },
    Conv2d {
        in_channels: i64,
        out_channels: i64,
        kernel_size: [i64; 2],
        stride: [i64; 2],
        padding: [i64; 2],
        dilation: [i64; 2],
        groups: i64,
        bias: bool,
    },
    Linear {
        in_features: i64,
        out_features: i64,
        bias: bool,
    },
    BatchNorm {
        num_features: i64,
        eps: f64,
        momentum: f64,
    },
    MaxPool2d {
        kernel_size: [i64; 2],
        stride: [i64; 2],
        padding: [i64; 2],
    },
    AvgPool2d {
        kernel_size: [i64; 2],
        stride: [i64; 2],
        padding: [i64; 2],
    },
    Dropout {
        p: f64,
    },
    Flatten {
        start_dim: i64,
    },
    Relu,
    Gelu,
    Silu,
    Tanh,
    Sigmoid,
    LeakyRelu {
        negative_slope: f64,
    },
    Softmax,
    LogSoftmax,
    /// Subtracts `mean` and divides by `std`, channel by channel; where they are absent they are learned from the
    /// training set before its first step, and saved with the weights.
    Normalize {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mean: Option<Vec<f64>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        std: Option<Vec<f64>>,
        num_features: i64,
    },
    /// A traced function of the batch.
    Fn {
        graph: Graph,
    },
}
