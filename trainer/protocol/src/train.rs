//! Arguments of `ml.train` and `ml.evaluate`.

use crate::augment::Augment;
use crate::graph::Graph;
use crate::net::Net;
use crate::optim::Optimizer;
use crate::schedule::Schedule;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `ml.train`: inputs `on` and, where given, `val`; outputs `model`, `last`, `history`, `val` (where there is an input
/// `val`), `best` and the observed `timings`.
///
/// `model` and `last` are directories: `model.json` ([`ModelFile`]) and `weights.safetensors`. `history` is a JSON list
/// of one object an epoch (`epoch`, `lr`, `train`, `val`). `val` is the metrics object of the epoch that `model` is of.
/// `best` is `{"epoch": n}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainArgs {
    /// The network.
    pub net: Net,
    /// The loss.
    pub loss: Loss,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// How the learning rate moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Metrics of validation, by the name that the pipeline gives; `loss` is always there besides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Metric>,
    /// Passes over the training set.
    pub epochs: u32,
    /// Examples a train step.
    pub batch_size: u32,
    /// The seed of initialisation, order and dropout.
    pub seed: i64,
    /// Which epoch `model` is of.
    pub keep: Keep,
    /// Stop when validation stops improving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// Clip the gradient's global 2-norm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_grad_norm: Option<f64>,
    /// Random changes of training examples, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub augment: Vec<Augment>,
    /// What the input `init` holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<Init>,
    /// Patterns of the layers that are not trained.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<String>,
    /// The decay of the running mean of the weights, which is what is scored, and what `model` holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// Batches whose gradients are averaged before a train step.
    #[serde(default = "one")]
    pub accumulate: u32,
    /// Parts that each batch is cut into, whatever number of workers runs them: it decides the order of sums.
    pub shards: u32,
    /// A state is kept every so many epochs, and at the last.
    #[serde(default = "one")]
    pub checkpoint_every: u32,
    /// `fp32`.
    pub precision: String,
    /// `cpu` or `cuda`.
    pub device: String,
    /// A trial: so many batches alone, of training and of validation. Absent in all that is a result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smoke: Option<u32>,
}

fn one() -> u32 {
    1
}

/// The weights that a training starts from: the input `init`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Init {
    /// A model, as a training gives it.
    Model {},
    /// A file of tensors: safetensors, or what `torch.save` wrote.
    Weights {
        /// The path in the file below which the network's tensors are.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        at: String,
        /// Patterns of tensors that keep their first values.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        skip: Vec<String>,
    },
}

/// Which epoch's weights `model` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The one whose validation is best (the first of equals): by what early stopping watches, else the lowest loss. The
    /// last where there is no validation.
    Best,
    /// The last.
    Last,
}

/// A loss. Defaults are PyTorch's; the reduction is the mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the fields are PyTorch's, each documented in the standard library"
)]
pub enum Loss {
    CrossEntropy {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weight: Option<Vec<f64>>,
        #[serde(default)]
        label_smoothing: f64,
    },
    Nll {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weight: Option<Vec<f64>>,
    },
    /// Of a logit for each tag, or for the second of two classes.
    BceWithLogits {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pos_weight: Option<Vec<f64>>,
    },
    /// Of logits of classes or tags: `-(1 - p)^gamma log p`.
    Focal {
        gamma: f64,
    },
    Mse,
    L1,
    /// A traced function of the output and the targets of a batch: one number.
    Custom {
        graph: Graph,
    },
    Huber {
        delta: f64,
    },
}

/// A metric over a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "each is documented in the standard library")]
pub enum Metric {
    /// The share of examples whose class is among the `top_k` likeliest.
    Accuracy {
        top_k: u32,
    },
    /// The mean loss over the split; `loss` of a training is this with the training's own.
    Loss {
        loss: Loss,
    },
    /// Counts: row i, column j is how many examples of class i were taken for class j.
    ConfusionMatrix,
    Precision {
        average: Average,
        threshold: f64,
    },
    Recall {
        average: Average,
        threshold: f64,
    },
    F1 {
        average: Average,
        threshold: f64,
    },
    RocAuc {
        average: Average,
    },
    AveragePrecision {
        average: Average,
    },
    CalibrationError {
        bins: u32,
    },
    Mae,
    Rmse,
    R2,
    /// A traced function of the outputs and targets of all examples at once: one number.
    Custom {
        graph: Graph,
        direction: Direction,
    },
}

impl Metric {
    /// Which of two of its figures is the better one; none where they have no order.
    pub fn direction(&self) -> Option<Direction> {
        match self {
            Self::Accuracy { .. }
            | Self::Precision { .. }
            | Self::Recall { .. }
            | Self::F1 { .. }
            | Self::RocAuc { .. }
            | Self::AveragePrecision { .. }
            | Self::R2 => Some(Direction::Maximize),
            Self::Loss { .. } | Self::CalibrationError { .. } | Self::Mae | Self::Rmse => {
                Some(Direction::Minimize)
            }
            Self::ConfusionMatrix => None,
            Self::Custom { direction, .. } => Some(*direction),
        }
    }
}

/// Which of two figures is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The higher.
    Maximize,
    /// The lower.
    Minimize,
}

/// How the figures of classes become one. Written as the language writes an enum's value: `{"kind": "Macro"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Average {
    /// Of the second of two classes.
    Binary,
    /// Their mean.
    Macro,
    /// Counts over all classes at once.
    Micro,
    /// Their mean, weighted by the examples of each.
    Weighted,
}

/// Stop a training whose validation stops improving.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs in a row without improvement after which training stops.
    pub patience: u32,
    /// By how much what is watched must change to count as improved.
    pub min_delta: f64,
    /// The figure of the validation that should fall, where it is another than `loss`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// The figure that should rise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
}

/// `ml.evaluate`: inputs `model` and `on`; output `metrics`, a JSON object of the metrics by name, and the observed
/// `timings`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluateArgs {
    /// The metrics, by the name that the pipeline gives.
    pub metrics: BTreeMap<String, Metric>,
    /// Examples at a time: memory, not bits, depends on it, but sums are taken batch by batch, so it is hashed.
    pub batch_size: u32,
    /// `cpu` or `cuda`.
    pub device: String,
    /// A trial: so many batches alone, in order. Absent in all that is a result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smoke: Option<u32>,
}

/// `model.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// The version of the format: 1.
    pub format: u32,
    /// The network.
    pub net: Net,
    /// What the network's outputs are scored against.
    pub y: crate::data::Target,
    /// How the examples that it was trained on were read: evaluating it on others is an error.
    pub recipe: serde_json::Value,
}
