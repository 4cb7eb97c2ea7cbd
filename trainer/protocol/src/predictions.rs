//! Predictions: the arguments of `ml.predict` and `ml.score`, and the disk format of what a model said.
//!
//! Predictions are a directory: `predictions.json` (a [`PredictionsFile`]), `predictions.safetensors` with the tensors
//! `outputs` (F32 [n, …]) and `y` (as in a dataset), and the dataset's `meta.csv`, where it has one. Row i of each is example
//! i of the dataset. A script writes the tensors alone, and `mlp` the rest.

use crate::data::Target;
use crate::train::Metric;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `ml.predict`: inputs `model` and `on`; output `predictions`, and the observed `timings`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictArgs {
    /// Examples at a time: memory, and how sums over the predictions are taken, depend on it.
    pub batch_size: u32,
    /// `cpu` or `cuda`.
    pub device: String,
    /// A trial: so many batches alone, in order. Absent in all that is a result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smoke: Option<u32>,
}

/// `ml.score`: input `predictions`; output `metrics`, as of `ml.evaluate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreArgs {
    /// The metrics, by the name that the pipeline gives.
    pub metrics: BTreeMap<String, Metric>,
}

/// `predictions.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictionsFile {
    /// The version of the format: 1.
    pub format: u32,
    /// Examples.
    pub examples: u64,
    /// The shape of an output, without the batch.
    pub outputs: Vec<u64>,
    /// What `y` is.
    pub y: Target,
    /// Examples that went through the network at a time. Sums over the examples are taken of as many at a time, so that they
    /// come to the bits of `ml.evaluate`.
    pub batch_size: u32,
}

/// How many examples a sum is taken of at a time, where nobody knows how many went through the network: the library's
/// default.
pub const BATCH_SIZE: u32 = 256;
