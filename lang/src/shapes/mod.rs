//! The shape pass: goes through an evaluated layer tree with the shape of the data, fills in every size that the person
//! left out, and says where layers do not fit together.
//!
//! The batch is symbolic and no part of a shape here: [1, 28, 28] is shown as `[batch, 1, 28, 28]`. The evaluator hands
//! in the tree ([`Layer`]) and takes the network as the trainer wants it, with a table of its layers ([`Network`]).

mod fit;
mod layer;
mod pass;
mod report;
mod transfer;

#[cfg(test)]
mod tests;

pub(crate) use fit::{Fitting, Labels, check_metric, check_output, labels_text};
pub(crate) use layer::{Layer, Site};
pub(crate) use pass::{Input, infer};
pub(crate) use report::{dims_text, shape_text};

use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::spec::Datum;

/// A size; `None` is not known before the files are read.
pub(crate) type Dim = Option<i64>;

/// A layer of a checked network: a line of `mlp show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerRow {
    /// The path of its parameters: `0`, `head.2`; empty where the network is this one layer.
    pub path: String,
    /// Its kind: `conv2d`.
    pub kind: String,
    /// The shape that it gives, without the batch.
    pub output: Vec<i64>,
    /// Trainable parameters.
    pub parameters: u64,
    /// Operations an example, forward: a multiplication and an addition are two.
    pub flops: u64,
    /// Bytes of its output an example, in fp32.
    pub activation_bytes: u64,
    /// What a traced layer does: each operation, and the shape that it gives.
    pub operations: Vec<(String, String)>,
    /// Where a person wrote it.
    pub span: Span,
}

/// A network that fits together.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// `{input, output, root}` with every size filled in.
    pub(crate) datum: Datum,
    pub(crate) input: Vec<i64>,
    pub(crate) output: Vec<i64>,
    pub(crate) rows: Vec<LayerRow>,
    /// The layers on the way, without sequentials and names.
    pub(crate) steps: Vec<Step>,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// A layer on the way, for messages.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) kind: String,
    pub(crate) site: Site,
    pub(crate) input: Vec<i64>,
    pub(crate) output: Vec<i64>,
}

impl Network {
    /// Operations an example, forward.
    pub(crate) fn flops(&self) -> u64 {
        self.rows.iter().fold(0, |sum, row| sum.saturating_add(row.flops))
    }

    /// Whether some layer is of this kind.
    pub(crate) fn has(&self, kind: &str) -> bool {
        self.rows.iter().any(|row| row.kind == kind)
    }
}

/// A table of layers as people read it.
pub fn table(rows: &[LayerRow]) -> String {
    let mut lines = vec![["layer", "kind", "output", "parameters", "FLOPs"].map(str::to_owned)];
    for row in rows {
        lines.push([
            row.path.clone(),
            row.kind.clone(),
            shape_text(&row.output),
            row.parameters.to_string(),
            row.flops.to_string(),
        ]);
    }
    let sum = |of: fn(&LayerRow) -> u64| {
        rows.iter()
            .fold(0u64, |sum, row| sum.saturating_add(of(row)))
            .to_string()
    };
    let total = [
        String::new(),
        "total".to_owned(),
        String::new(),
        sum(|row| row.parameters),
        sum(|row| row.flops),
    ];
    lines.push(total);
    let widths: Vec<usize> = (0..5)
        .map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in &lines {
        let mut shown = String::new();
        for (column, cell) in line.iter().enumerate() {
            let width = widths[column];
            shown += &match column {
                0..3 => format!("{cell:width$}  "),
                _ => format!("{cell:>width$}  "),
            };
        }
        text += shown.trim_end();
        text.push('\n');
    }
    text
}
