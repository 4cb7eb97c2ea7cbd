//! How one step depends on another, or on a source: the steps between them, and what each reads.

use crate::instantiate::{Nothing, reads_of};
use crate::model::derivation::{Builder, Derivation, Piece, Reference};
use crate::model::graph::{Graph, StepId};
use std::collections::{BTreeMap, BTreeSet};

/// What is looked for.
#[derive(Clone, Debug)]
pub enum Sought {
    /// One of these steps.
    Steps(BTreeSet<StepId>),
    /// The source at this path, or what lies in it.
    Source(String),
}

/// What a step uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// As what: the input's name, `environment`, `command`, or a variable's name.
    pub at: String,
    /// What it is.
    pub of: Used,
    /// Whether it is only read if a choice falls on it.
    pub may: bool,
}

/// What is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Used {
    /// An output of a step.
    Output(StepId, String),
    /// A source, by its path.
    Source(String),
}

/// The steps from one to another.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// What each step on a way uses of the next ones, the nearest first.
    pub uses: BTreeMap<StepId, Vec<Use>>,
    /// The steps at which the ways begin.
    pub from: Vec<StepId>,
}

/// All ways from `from` to what is sought; none where there is none.
pub fn ways(graph: &Graph, from: &BTreeSet<StepId>, sought: &Sought) -> Option<Ways> {
    let mut needed = vec![false; graph.steps.len()];
    for step in from {
        needed[step.0 as usize] = true;
    }
    let mut uses: BTreeMap<StepId, Vec<Use>> = BTreeMap::new();
    // From the ends of the graph backwards: who needs whom.
    for at in (0..graph.steps.len()).rev() {
        if !needed[at] {
            continue;
        }
        let own = uses_of(&graph.steps[at].derivation);
        for used in &own {
            if let Used::Output(step, _) = &used.of {
                needed[step.0 as usize] = true;
            }
        }
        uses.insert(StepId(at as u32), own);
    }
    // From the sources forwards: how far each is from what is sought.
    let mut distance: BTreeMap<StepId, usize> = BTreeMap::new();
    if let Sought::Steps(steps) = sought {
        distance.extend(steps.iter().map(|step| (*step, 0)));
    }
    for (step, own) in &mut uses {
        if distance.contains_key(step) {
            continue;
        }
        let far = |used: &Use| match (&used.of, sought) {
            (Used::Output(step, _), _) => distance.get(step).map(|far| far + 1),
            (Used::Source(path), Sought::Source(sought)) => lies_in(path, sought).then_some(1),
            (Used::Source(_), Sought::Steps(_)) => None,
        };
        own.retain(|used| far(used).is_some());
        own.sort_by_key(far);
        if let Some(nearest) = own.first().and_then(far) {
            distance.insert(*step, nearest);
        }
    }
    let ends = |step: &StepId| matches!(sought, Sought::Steps(steps) if steps.contains(step));
    let mut starts: Vec<StepId> = from
        .iter()
        .copied()
        .filter(|step| distance.contains_key(step) && !ends(step))
        .collect();
    starts.sort_by_key(|step| distance.get(step).copied());
    if starts.is_empty() {
        return None;
    }
    uses.retain(|step, own| !own.is_empty() && !ends(step));
    Some(Ways { uses, from: starts })
}

/// Whether the source at `path` is the one at `sought`, lies in it, or holds it.
fn lies_in(path: &str, sought: &str) -> bool {
    let inside = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    inside(path, sought) || inside(sought, path)
}

impl Ways {
    /// The shortest way: each step with what it uses of the next.
    pub fn shortest(&self) -> Vec<(StepId, &Use)> {
        let mut found = Vec::new();
        let mut step = self.from.first().copied();
        while let Some(at) = step {
            let Some(used) = self.uses.get(&at).and_then(|uses| uses.first()) else {
                break;
            };
            found.push((at, used));
            step = match &used.of {
                Used::Output(step, _) => Some(*step),
                Used::Source(_) => None,
            };
        }
        found
    }
}

/// Everything that a derivation uses.
fn uses_of(derivation: &Derivation) -> Vec<Use> {
    let mut found = Vec::new();
    for (mount, reference) in &derivation.inputs {
        add(
            mount.strip_prefix("inputs/").unwrap_or(mount),
            reference,
            &mut found,
        );
    }
    if let Some(made) = derivation.env.as_ref().and_then(|env| env.made.as_ref()) {
        add("environment", made, &mut found);
    }
    if let Builder::Command { argv, .. } = &derivation.builder {
        late("command", argv.iter().flatten(), &mut found);
    }
    for (name, pieces) in &derivation.vars {
        late(name, pieces.iter(), &mut found);
    }
    found
}

fn late<'p>(at: &str, pieces: impl Iterator<Item = &'p Piece>, found: &mut Vec<Use>) {
    for piece in pieces {
        if let Piece::Late(late) = piece {
            add(at, &late.0, found);
        }
    }
}

fn add(at: &str, reference: &Reference, found: &mut Vec<Use>) {
    if let Reference::Source { path, .. } = reference {
        found.push(Use {
            at: at.to_owned(),
            of: Used::Source(path.clone()),
            may: false,
        });
    }
    let reads = reads_of(reference, &Nothing);
    let must = reads.must.into_iter().map(|read| (read, false));
    for ((step, output), may) in must.chain(reads.may.into_iter().map(|read| (read, true))) {
        found.push(Use {
            at: at.to_owned(),
            of: Used::Output(step, output.to_owned()),
            may,
        });
    }
}

/// The steps that these need, themselves among them.
pub fn closure(graph: &Graph, of: impl IntoIterator<Item = StepId>) -> BTreeSet<StepId> {
    let mut found: BTreeSet<StepId> = of.into_iter().collect();
    let mut pending: Vec<StepId> = found.iter().copied().collect();
    while let Some(step) = pending.pop() {
        for used in uses_of(&graph.step(step).derivation) {
            if let Used::Output(step, _) = used.of
                && found.insert(step)
            {
                pending.push(step);
            }
        }
    }
    found
}
