//! The arguments of `plot.…`. Each writes an SVG file to its output `plot`.

use crate::calc::Term;
use serde::{Deserialize, Serialize};

/// `plot.curves`: inputs `history.0`, `history.1`, …
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvesArgs {
    /// The figures: a metric's name, of training and validation; or the way to one: `val.loss`, `lr`.
    pub y: Vec<String>,
}

/// `plot.confusion`: input `metrics`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfusionArgs {
    /// The way to the matrix in the metrics.
    pub path: Vec<String>,
}

/// `plot.roc`: input `predictions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RocArgs {}

/// `plot.images`: input `dataset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImagesArgs {
    /// How many.
    pub n: u64,
    /// The seed of the draw.
    pub seed: i64,
}

/// `plot.scatter`: the results that its terms look into as inputs, like `calc`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScatterArgs {
    /// Where each point lies.
    pub x: Vec<Term>,
    /// How high.
    pub y: Vec<Term>,
    /// What `x` is.
    pub x_label: String,
    /// What `y` is.
    pub y_label: String,
}
