//! The shape pass: goes through an evaluated layer tree with the shape of the data, fills in every size that the person
//! left out, and says where layers do not fit together.
//!
//! The batch is symbolic and no part of a shape here: [1, 28, 28] is shown as `[batch, 1, 28, 28]`. A size that only
//! the files say is `?` and stays so until a layer fixes it. The evaluator hands in the tree ([`Layer`]) and takes the
//! network as the trainer wants it, with a table of its layers ([`Network`]).

mod branches;
mod dense;
mod fit;
mod layer;
mod norms;
mod pass;
mod report;
mod sequence;
mod table;
mod takes;
mod transfer;
mod windows;

#[cfg(test)]
mod tests;

pub(crate) use fit::{Fitting, Labels, check_metric, check_output, labels_text};
pub(crate) use layer::{Layer, Site, snake};
pub(crate) use pass::infer;
pub(crate) use report::{features_text, shape_text};
pub use table::table;

use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::spec::Datum;
use std::sync::Arc;

/// A size; `None` is not known before the files are read.
pub type Dim = Option<i64>;

/// A layer of a checked network: a line of `mlp show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerRow {
    /// The path of its parameters: `0`, `head.2`; empty where the network is this one layer.
    pub path: String,
    /// Its kind: `conv2d`.
    pub kind: String,
    /// The shape that it gives, without the batch.
    pub output: Vec<Dim>,
    /// Trainable parameters; not known of a TorchScript file.
    pub parameters: Option<u64>,
    /// Operations an example, forward: a multiplication and an addition are two.
    pub flops: Option<u64>,
    /// Bytes of its output an example, in fp32: what a training keeps for the way back.
    pub activation_bytes: Option<u64>,
    /// What a traced layer does: each operation, and the shape that it gives.
    pub operations: Vec<(String, String)>,
    /// Where a person wrote it.
    pub span: Span,
}

/// What the network is fed.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) features: Features,
    /// What declares it: the codec.
    pub(crate) span: Span,
}

/// The inputs of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Features {
    One(Signal),
    /// Several, by name, in the order in which they were written.
    Named(Vec<(String, Signal)>),
}

/// A tensor between two layers, without its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signal {
    pub(crate) shape: Vec<Dim>,
    /// Token ids: for an embedding alone.
    pub(crate) ids: bool,
}

/// A network that fits together.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// `{input, output, root}` with every size filled in.
    pub(crate) datum: Datum,
    pub(crate) input: Features,
    pub(crate) output: Vec<Dim>,
    pub(crate) rows: Arc<Vec<LayerRow>>,
    /// The layers on the way, without sequentials and names.
    pub(crate) steps: Vec<Step>,
    pub(crate) warnings: Vec<Diagnostic>,
    /// Whether a traced layer goes over the batch.
    pub(crate) mixes: bool,
}

/// A layer on the way, for messages.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) kind: String,
    pub(crate) site: Site,
    pub(crate) input: Vec<Dim>,
    pub(crate) output: Vec<Dim>,
}

impl Signal {
    pub(crate) fn numbers(shape: Vec<Dim>) -> Self {
        Self { shape, ids: false }
    }
}

impl Network {
    /// Operations an example, forward; as many as are known.
    pub(crate) fn flops(&self) -> u64 {
        self.rows
            .iter()
            .fold(0, |sum, row| sum.saturating_add(row.flops.unwrap_or(0)))
    }

    /// Whether some layer is of this kind.
    pub(crate) fn has(&self, kind: &str) -> bool {
        self.rows.iter().any(|row| row.kind == kind)
    }
}
