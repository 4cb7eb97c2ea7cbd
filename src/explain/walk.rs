//! Two graphs side by side. Steps are matched by what refers to them, and not by their names: the input `on` of a step is
//! held against the input `on` of the step that it was, so that a step that was renamed is found, and one that is read
//! in another place is told as that.

use crate::base::digest::Digest;
use crate::instantiate::{Difference, Hashed, Referred};
use crate::model::node::Node;
use std::collections::{BTreeMap, BTreeSet};

/// Where derivations of one side are to be had.
pub trait Side {
    /// The canonical bytes of a static key.
    fn bytes(&self, key: Digest) -> Option<Vec<u8>>;

    /// Whether the step is known to be of this side.
    fn has(&self, key: Digest) -> bool;

    /// What an output came to, where that is known.
    fn came_to(&self, key: Digest, output: &str) -> Option<Node>;
}

/// What two graphs differ in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Steps that differ, in themselves or in what they read: those that were asked about first.
    pub pairs: Vec<Pair>,
}

/// A step, and the one that it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// What it was.
    pub old: Digest,
    /// What it is.
    pub new: Digest,
    /// How it differs in itself. None where one of the two is not known any more.
    pub own: Option<Vec<Difference>>,
    /// Inputs that differ because the steps do that they come from.
    pub follows: Vec<Follow>,
}

/// An input whose step differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follow {
    /// The way to it in the derivation that reads it.
    pub path: Vec<String>,
    /// The output that is read.
    pub output: String,
    /// The step, an index of [`Comparison::pairs`].
    pub pair: usize,
    /// Whether the output came to the same all the same; none where that is not known.
    pub same: Option<bool>,
}

/// Compares steps of two sides, and all that they read.
pub fn compare(old: &impl Side, new: &impl Side, steps: &[(Digest, Digest)]) -> Comparison {
    let mut walk = Walk {
        old,
        new,
        seen: BTreeMap::new(),
        read: BTreeMap::new(),
        comparison: Comparison::default(),
    };
    for (old, new) in steps.iter().filter(|(old, new)| old != new) {
        walk.pair(*old, *new);
    }
    let mut at = 0;
    while at < walk.comparison.pairs.len() {
        walk.differ(at);
        at += 1;
    }
    walk.comparison
}

impl Comparison {
    /// The pairs that those of `steps` follow from, themselves among them: through an input that came to the same, nothing
    /// follows.
    pub fn behind(&self, steps: impl IntoIterator<Item = Digest>) -> Vec<&Pair> {
        let asked: BTreeSet<Digest> = steps.into_iter().collect();
        let mut reached: Vec<bool> = self.pairs.iter().map(|pair| asked.contains(&pair.new)).collect();
        let mut pending: Vec<usize> = (0..reached.len()).filter(|at| reached[*at]).collect();
        while let Some(at) = pending.pop() {
            for follow in &self.pairs[at].follows {
                if follow.same != Some(true) && !reached[follow.pair] {
                    reached[follow.pair] = true;
                    pending.push(follow.pair);
                }
            }
        }
        let pairs = self.pairs.iter().zip(reached);
        pairs
            .filter(|(_, reached)| *reached)
            .map(|(pair, _)| pair)
            .collect()
    }
}

struct Walk<'w, O, N> {
    old: &'w O,
    new: &'w N,
    seen: BTreeMap<(Digest, Digest), usize>,
    /// Pairs that were met and are gone through later, read.
    read: BTreeMap<(Digest, Digest), (Hashed, Hashed)>,
    comparison: Comparison,
}

impl<O: Side, N: Side> Walk<'_, O, N> {
    /// The place of a pair; it is gone through later.
    fn pair(&mut self, old: Digest, new: Digest) -> usize {
        let pairs = &mut self.comparison.pairs;
        *self.seen.entry((old, new)).or_insert_with(|| {
            pairs.push(Pair {
                old,
                new,
                own: None,
                follows: Vec::new(),
            });
            pairs.len() - 1
        })
    }

    fn differ(&mut self, at: usize) {
        let Pair { old, new, .. } = self.comparison.pairs[at];
        let known = self.read.remove(&(old, new));
        let Some((before, now)) = known.or_else(|| self.both(old, new)) else {
            return;
        };
        let (mut own, mut follows) = (Vec::new(), Vec::new());
        for difference in before.differences(&now) {
            match self.follows(&difference) {
                Some(follow) => follows.push(follow),
                None => own.push(difference),
            }
        }
        let pair = &mut self.comparison.pairs[at];
        pair.own = Some(own);
        pair.follows = follows;
    }

    fn both(&self, old: Digest, new: Digest) -> Option<(Hashed, Hashed)> {
        hashed(self.old, old).zip(hashed(self.new, new))
    }

    /// Whether an input differs because its step does: the same output, of a step of the same kind. A step that is on
    /// both sides did not become another one; so the input is one of another step.
    fn follows(&mut self, difference: &Difference) -> Option<Follow> {
        let (
            Some(Referred::Output { key: old, output }),
            Some(Referred::Output {
                key: new,
                output: now,
            }),
        ) = (difference.was(), difference.is())
        else {
            return None;
        };
        if output != now || old == new || self.new.has(old) || self.old.has(new) {
            return None;
        }
        if !self.seen.contains_key(&(old, new))
            && let Some((before, after)) = self.both(old, new)
        {
            if before.builtin() != after.builtin() {
                return None;
            }
            self.read.insert((old, new), (before, after));
        }
        let same = match (self.old.came_to(old, &output), self.new.came_to(new, &output)) {
            (Some(old), Some(new)) => Some(old == new),
            _ => None,
        };
        Some(Follow {
            path: difference.path.clone(),
            output,
            pair: self.pair(old, new),
            same,
        })
    }
}

fn hashed(side: &impl Side, key: Digest) -> Option<Hashed> {
    Hashed::read(&side.bytes(key)?).ok()
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
