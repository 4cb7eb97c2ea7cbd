//! The arguments of `propose`: which candidate a search tries next.

use crate::calc::Term;
use serde::{Deserialize, Serialize};

/// The arguments of `propose`. It writes the position of a candidate that was not tried, in a JSON list of one. Without
/// figures it is the one that is farthest from those that were; with them the one from which a Gaussian process expects
/// most. Only the order of the figures counts; those that are not finite are the worst.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposeArgs {
    /// The candidates, each as cells of the same columns.
    pub pool: Vec<Vec<Cell>>,
    /// The positions of those that were tried.
    pub tried: Vec<Term>,
    /// Their figures; none, or one for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Term>,
    /// Whether the highest is the best.
    pub highest: bool,
}

/// What a candidate has in a column. A column of numbers has an order; any other is one of several kinds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A number.
    Number(f64),
    /// Anything else.
    Text(String),
}
