//! What is read, as far as the build's choices are known: of a choice that is open, what decides it is read for sure, and
//! each candidate perhaps.

use super::Known;
use super::resolve::part;
use crate::model::derivation::{Builder, Derivation, Piece, Reference};
use crate::model::graph::StepId;
use crate::model::node::Node;
use std::collections::BTreeSet;

/// Outputs that are read, in the order of the inputs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reads<'d> {
    /// For sure.
    pub must: Vec<(StepId, &'d str)>,
    /// If a choice that is still open falls on them.
    pub may: Vec<(StepId, &'d str)>,
}

impl Reads<'_> {
    /// The steps that are read for sure.
    pub fn steps(&self) -> BTreeSet<StepId> {
        self.must.iter().map(|(step, _)| *step).collect()
    }
}

/// What `derivation` reads.
pub fn reads<'d>(derivation: &'d Derivation, known: &impl Known) -> Reads<'d> {
    let mut reads = Reads::default();
    for reference in references(derivation) {
        add(reference, known, true, &mut reads);
    }
    reads
}

/// What has to be built for `reference` to be known.
pub fn reads_of<'d>(reference: &'d Reference, known: &impl Known) -> Reads<'d> {
    let mut reads = Reads::default();
    add(reference, known, true, &mut reads);
    reads
}

/// The step and output that `reference` is in the end, if it is known and no source.
pub fn output_of<'d>(reference: &'d Reference, known: &impl Known) -> Option<(StepId, &'d str)> {
    match reference {
        Reference::Source { .. } => None,
        Reference::Output { step, output } => Some((*step, output)),
        Reference::Chosen { index, candidates } => output_of(candidates.get(position(index, known)?)?, known),
    }
}

/// Every reference of a derivation.
pub fn references(derivation: &Derivation) -> impl Iterator<Item = &Reference> {
    let arguments: &[Vec<Piece>] = match &derivation.builder {
        Builder::Command { argv, .. } => argv,
        Builder::Builtin { .. } => &[],
    };
    let pieces = arguments.iter().chain(derivation.vars.values()).flatten();
    let late = pieces.filter_map(|piece| match piece {
        Piece::Late(late) => Some(&late.0),
        Piece::Text(_) | Piece::Mount(_) => None,
    });
    let env = derivation.env.iter().filter_map(|env| env.made.as_ref());
    derivation.inputs.values().chain(env).chain(late)
}

fn add<'d>(reference: &'d Reference, known: &impl Known, sure: bool, reads: &mut Reads<'d>) {
    match reference {
        Reference::Source { .. } => {}
        Reference::Output { step, output } => {
            let list = if sure { &mut reads.must } else { &mut reads.may };
            list.push((*step, output));
        }
        Reference::Chosen { index, candidates } => {
            add(&index.0, known, sure, reads);
            match position(index, known).and_then(|at| candidates.get(at)) {
                Some(chosen) => add(chosen, known, sure, reads),
                None => {
                    for candidate in candidates {
                        add(candidate, known, false, reads);
                    }
                }
            }
        }
    }
}

/// The position that a choice fell on, if that is known.
fn position((reference, path): &(Reference, Vec<String>), known: &impl Known) -> Option<usize> {
    let (step, output) = output_of(reference, known)?;
    let json = known.json(&known.output(step, output)??).ok()?;
    let found = path.iter().try_fold(&json, |json, name| part(json, name))?;
    usize::try_from(found.as_u64()?).ok()
}

/// Knows nothing: every choice is open.
pub struct Nothing;

impl Known for Nothing {
    fn output(&self, _: StepId, _: &str) -> Option<Option<Node>> {
        None
    }

    fn json(&self, _: &Node) -> Result<serde_json::Value, String> {
        Err("nothing is known".to_owned())
    }
}
