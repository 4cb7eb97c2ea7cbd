//! Where the edges of a lock lead: through `follows` to nodes. Talks to nobody.

use super::{Edge, FlakeLock, LockNode};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Why an input has no node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// No node has that name.
    #[error("there is no node `{0}`")]
    NoNode(String),
    /// A node on the way has no such input.
    #[error("`{node}` has no input `{input}`")]
    NoInput {
        /// The node.
        node: String,
        /// The input that it does not have.
        input: String,
    },
    /// The way leads back to itself.
    #[error("it follows itself: {}", .0.join(" → "))]
    Circle(Vec<String>),
    /// The way is longer than any that a person would write.
    #[error("it follows more than {MOST_STEPS} others")]
    TooLong,
}

/// Follows that lead through more follows than this are refused: the walk recurses.
const MOST_STEPS: usize = 200;

/// Finds where edges lead. Each is walked once, however many lead through it: ways that fork at every step would else take
/// longer than anybody waits.
pub(super) struct Walk<'a> {
    lock: &'a FlakeLock,
    known: BTreeMap<Place<'a>, Result<&'a str, Broken>>,
    open: Vec<Place<'a>>,
}

/// An input of a node.
type Place<'a> = (&'a str, &'a str);

impl<'a> Walk<'a> {
    pub(super) fn of(lock: &'a FlakeLock) -> Self {
        Self {
            lock,
            known: BTreeMap::new(),
            open: Vec::new(),
        }
    }

    /// The node that `input` of `node` is, by name.
    pub(super) fn target(&mut self, node: &str, input: &str) -> Result<&'a str, Broken> {
        let found = self.lock.nodes.get_key_value(node);
        let found = found.and_then(|(name, node)| Some((name, node.inputs.get_key_value(input)?)));
        let Some((node, (input, edge))) = found else {
            return Err(Broken::NoInput {
                node: node.to_owned(),
                input: input.to_owned(),
            });
        };
        match edge {
            Edge::Node(name) => match self.lock.nodes.get_key_value(name) {
                Some((name, _)) => Ok(name),
                None => Err(Broken::NoNode(name.clone())),
            },
            Edge::Follows(way) => self.follow((node, input), way),
        }
    }

    fn follow(&mut self, here: Place<'a>, way: &'a [String]) -> Result<&'a str, Broken> {
        if let Some(known) = self.known.get(&here) {
            return known.clone();
        }
        if let Some(start) = self.open.iter().position(|edge| *edge == here) {
            let circle = self.open[start..].iter().chain([&here]);
            return Err(Broken::Circle(
                circle.map(|(node, input)| format!("{node}/{input}")).collect(),
            ));
        }
        if self.open.len() >= MOST_STEPS {
            return Err(Broken::TooLong);
        }
        self.open.push(here);
        let found = self.along(way);
        self.open.pop();
        // Whether a way is too long depends on where it was begun.
        if found != Err(Broken::TooLong) {
            self.known.insert(here, found.clone());
        }
        found
    }

    /// The node at the end of a way from the root.
    fn along(&mut self, way: &[String]) -> Result<&'a str, Broken> {
        let mut node = self.lock.root.as_str();
        for input in way {
            node = self.target(node, input)?;
        }
        Ok(node)
    }
}

impl FlakeLock {
    /// The node that `input` of `node` is, by name.
    pub fn target(&self, node: &str, input: &str) -> Result<&str, Broken> {
        Walk::of(self).target(node, input)
    }

    /// The node at the end of a way from the root.
    pub fn resolve(&self, way: &[String]) -> Result<&str, Broken> {
        Walk::of(self).along(way)
    }

    /// Every node that is reached from the root through inputs, in the order of the shortest and then first ways by
    /// name: it depends on the inputs' names, never on the names of nodes. Broken edges are passed over.
    pub fn reachable(&self) -> Vec<Reached<'_>> {
        let mut walk = Walk::of(self);
        let mut order: Vec<Reached<'_>> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::from([(self.root.as_str(), 0)]);
        let mut waiting = VecDeque::from([self.root.as_str()]);
        while let Some(name) = waiting.pop_front() {
            let Some(node) = self.nodes.get(name) else {
                continue;
            };
            let mut inputs = Vec::new();
            for input in node.inputs.keys() {
                let Ok(target) = walk.target(name, input) else {
                    continue;
                };
                let next = places.len();
                let place = *places.entry(target).or_insert_with(|| {
                    waiting.push_back(target);
                    next
                });
                inputs.push((input.as_str(), place));
            }
            order.push(Reached { name, node, inputs });
        }
        order
    }

    /// The edges that lead nowhere: node, input, why. One for each circle.
    pub(super) fn broken(&self) -> Vec<(&str, &str, Broken)> {
        let mut walk = Walk::of(self);
        let mut circles = BTreeSet::new();
        let mut broken = Vec::new();
        for (name, node) in &self.nodes {
            for input in node.inputs.keys() {
                let Err(why) = walk.target(name, input) else {
                    continue;
                };
                if let Broken::Circle(circle) = &why {
                    let members: BTreeSet<_> = circle.iter().cloned().collect();
                    if !circles.insert(members) {
                        continue;
                    }
                }
                broken.push((name.as_str(), input.as_str(), why));
            }
        }
        broken
    }
}

/// A node that is reached from the root.
#[derive(Clone, Debug)]
pub struct Reached<'a> {
    /// Its name in the lock.
    pub name: &'a str,
    /// The node.
    pub node: &'a LockNode,
    /// Its inputs by name, each with the target's index in the same list.
    pub inputs: Vec<(&'a str, usize)>,
}
