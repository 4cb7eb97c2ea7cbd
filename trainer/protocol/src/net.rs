//! A network: the layer tree, with every size that the shape pass inferred.

use crate::graph::Graph;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A network as the shape pass leaves it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Net {
    /// The input's shape, without the batch; or that of each named input.
    pub input: Input,
    /// The output's shape, without the batch.
    pub output: Vec<i64>,
    /// The outermost layer.
    pub root: Layer,
}

/// The shape of an input, without the batch; none is a size that only the data say, and that no layer's size depends on.
pub type Shape = Vec<Option<i64>>;

/// What a network takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Input {
    /// One input of this shape.
    One(Shape),
    /// Inputs of these shapes by name.
    Named(BTreeMap<String, Shape>),
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
    /// `layer(x) + x`, or `layer(x) + shortcut(x)`; then `activation`. The inner layer has the path of the residual.
    Residual {
        layer: Box<Layer>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shortcut: Option<Box<Layer>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        activation: Option<Box<Layer>>,
    },
    /// The sum of what each gives.
    Parallel {
        layers: Vec<Layer>,
    },
    /// What each gives, one after the other along `dim`.
    Concat {
        layers: Vec<Layer>,
        dim: i64,
    },
    /// What each gives of its own named input, one after the other along dimension 1.
    Inputs {
        layers: BTreeMap<String, Layer>,
    },
    Identity,
    Conv1d {
        in_channels: i64,
        out_channels: i64,
        kernel_size: i64,
        stride: i64,
        padding: i64,
        dilation: i64,
        groups: i64,
        bias: bool,
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
    ConvTranspose2d {
        in_channels: i64,
        out_channels: i64,
        kernel_size: [i64; 2],
        stride: [i64; 2],
        padding: [i64; 2],
        output_padding: [i64; 2],
        dilation: [i64; 2],
        groups: i64,
        bias: bool,
    },
    Embedding {
        num_embeddings: i64,
        embedding_dim: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        padding_idx: Option<i64>,
    },
    /// Sines and cosines of the position, added; then dropout.
    PositionalEncoding {
        dropout: f64,
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
    /// Over the last dimension.
    LayerNorm {
        normalized_shape: i64,
        eps: f64,
    },
    GroupNorm {
        num_groups: i64,
        num_channels: i64,
        eps: f64,
    },
    MaxPool1d {
        kernel_size: i64,
        stride: i64,
        padding: i64,
    },
    AvgPool1d {
        kernel_size: i64,
        stride: i64,
        padding: i64,
    },
    AdaptiveAvgPool1d {
        output_size: i64,
    },
    AdaptiveAvgPool2d {
        output_size: [i64; 2],
    },
    Upsample {
        scale_factor: [i64; 2],
        mode: Interpolation,
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
    Dropout2d {
        p: f64,
    },
    Lstm {
        input_size: i64,
        hidden_size: i64,
        num_layers: i64,
        bidirectional: bool,
        dropout: f64,
        output: Sequence,
    },
    Gru {
        input_size: i64,
        hidden_size: i64,
        num_layers: i64,
        bidirectional: bool,
        dropout: f64,
        output: Sequence,
    },
    TransformerEncoder {
        d_model: i64,
        nhead: i64,
        num_layers: i64,
        dim_feedforward: i64,
        dropout: f64,
        activation: Activation,
        norm_first: bool,
        output: Sequence,
    },
    Flatten {
        start_dim: i64,
    },
    Relu,
    Relu6,
    Gelu,
    Silu,
    Mish,
    Hardswish,
    Softplus,
    Elu {
        alpha: f64,
    },
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

/// What comes out of a layer over a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sequence {
    /// Its last element; of a recurrent layer the last state.
    Last,
    /// Every element.
    All,
    /// The mean over the elements.
    Mean,
}

/// How values between pixels are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// The nearest one.
    Nearest,
    /// The mean of the four around, weighted by distance.
    Bilinear,
}

/// The activation inside of a transformer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the layer of that name")]
pub enum Activation {
    Relu,
    Gelu,
}
