//! The arguments of `choose`: which of several candidates are the best.

use crate::calc::Term;
use serde::{Deserialize, Serialize};

/// The arguments of `choose`. It writes the positions of the best `keep` candidates, best first, as a JSON list. The first
/// of equal ones wins; those whose figure is not finite come last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChooseArgs {
    /// The figure of each candidate.
    pub figures: Vec<Term>,
    /// Whether the highest is the best.
    pub highest: bool,
    /// How many are kept, at least 1.
    pub keep: usize,
    /// The positions that the figures are of, where they are not 0, 1, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Term>,
}
