//! Where each step stands. No store, no threads: what may happen next is a function of what has happened.
//!
//! ```text
//!                        inputs are there             slot, lock
//!            Waiting ───────────────────────► Ready ──────────────► Building ──► Done
//!               │                               │ ▲                    │
//!               │                               │ │ lock is free       └───────► Failed
//!               │                     lock busy │ │
//!               │                               ▼ │
//!               │ an input failed,             Locked    Ready and Locked also go straight to Done, when a look
//!               │ or the run ends                        shows that the result is there (cutoff, awaited), or to
//!               └─────────────► Skipped                  Failed, when their inputs cannot be used.
//! ```
//! A step that is Locked holds no slot: somebody else builds its key. Done, Failed and Skipped are ends; each step comes to
//! exactly one of them.

use crate::model::graph::StepId;
use petgraph::Direction;
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Ready,
    Locked,
    Building,
    Done,
    Failed,
    Skipped,
}

/// All steps of a run.
#[derive(Debug)]
pub(super) struct Machine {
    /// An edge from a step to each that reads it.
    graph: DiGraph<StepId, ()>,
    at: BTreeMap<StepId, NodeIndex>,
    states: BTreeMap<StepId, State>,
    /// The number of steps on the longest way that begins at a step: those on the critical path start first.
    heights: BTreeMap<StepId, u32>,
    ready: BTreeSet<(Reverse<u32>, StepId)>,
    locked: BTreeSet<StepId>,
    building: usize,
}

impl Machine {
    /// Steps with those that each reads; what a step reads outside of `steps` is there already. An edge back (which no
    /// graph of derivations has) is left out.
    pub(super) fn new(steps: &BTreeMap<StepId, BTreeSet<StepId>>) -> Self {
        let mut graph = DiGraph::new();
        let at: BTreeMap<StepId, NodeIndex> =
            steps.keys().map(|step| (*step, graph.add_node(*step))).collect();
        for (step, inputs) in steps {
            for input in inputs.iter().filter(|input| *input < step) {
                if let Some(from) = at.get(input) {
                    graph.add_edge(*from, at[step], ());
                }
            }
        }
        let heights = heights(&graph);
        let states = steps.keys().map(|step| (*step, State::Waiting)).collect();
        let mut machine = Self {
            graph,
            at,
            states,
            heights,
            ready: BTreeSet::new(),
            locked: BTreeSet::new(),
            building: 0,
        };
        for step in steps.keys() {
            machine.ready_if_inputs_are_there(*step);
        }
        machine
    }

    /// The ready step that is to go first.
    pub(super) fn first_ready(&self) -> Option<StepId> {
        self.ready.first().map(|(_, step)| *step)
    }

    /// Steps whose key somebody else builds.
    pub(super) fn locked(&self) -> Vec<StepId> {
        self.locked.iter().copied().collect()
    }

    /// Steps that are being built.
    pub(super) fn building(&self) -> usize {
        self.building
    }

    /// Somebody else holds the lock of a ready step.
    pub(super) fn lock_is_busy(&mut self, step: StepId) {
        self.go(step, State::Locked);
    }

    /// A ready or locked step begins to be built.
    pub(super) fn start(&mut self, step: StepId) {
        self.go(step, State::Building);
    }

    /// A step has its outputs; those that wait for nothing else are ready now.
    pub(super) fn done(&mut self, step: StepId) {
        self.go(step, State::Done);
        let readers: Vec<StepId> = self.readers(step).collect();
        for reader in readers {
            self.ready_if_inputs_are_there(reader);
        }
    }

    /// A step failed. Gives the steps that are skipped because of it, in order.
    pub(super) fn failed(&mut self, step: StepId) -> Vec<StepId> {
        self.go(step, State::Failed);
        let mut skipped = BTreeSet::new();
        let mut pending = vec![step];
        while let Some(step) = pending.pop() {
            let waiting: Vec<StepId> = self
                .readers(step)
                .filter(|reader| self.states[reader] == State::Waiting)
                .collect();
            for reader in waiting {
                self.go(reader, State::Skipped);
                skipped.insert(reader);
                pending.push(reader);
            }
        }
        skipped.into_iter().collect()
    }

    /// The run ends early: skips all that is not being built. Gives those steps in order.
    pub(super) fn skip_rest(&mut self) -> Vec<StepId> {
        let open = |state: &State| matches!(state, State::Waiting | State::Ready | State::Locked);
        let rest: Vec<StepId> = self
            .states
            .iter()
            .filter(|(_, state)| open(state))
            .map(|(step, _)| *step)
            .collect();
        for step in &rest {
            self.go(*step, State::Skipped);
        }
        rest
    }

    fn readers(&self, step: StepId) -> impl Iterator<Item = StepId> {
        self.graph
            .neighbors_directed(self.at[&step], Direction::Outgoing)
            .map(|node| self.graph[node])
    }

    fn ready_if_inputs_are_there(&mut self, step: StepId) {
        let inputs = self.graph.neighbors_directed(self.at[&step], Direction::Incoming);
        let there = inputs
            .into_iter()
            .all(|input| self.states[&self.graph[input]] == State::Done);
        if there && self.states[&step] == State::Waiting {
            self.go(step, State::Ready);
        }
    }

    fn go(&mut self, step: StepId, to: State) {
        let from = self.states.insert(step, to);
        match from {
            Some(State::Ready) => drop(self.ready.remove(&(Reverse(self.heights[&step]), step))),
            Some(State::Locked) => drop(self.locked.remove(&step)),
            Some(State::Building) => self.building -= 1,
            _ => {}
        }
        debug_assert!(
            !matches!(from, Some(State::Done | State::Failed | State::Skipped)),
            "{step:?} goes from its end {from:?} to {to:?}"
        );
        match to {
            State::Ready => drop(self.ready.insert((Reverse(self.heights[&step]), step))),
            State::Locked => drop(self.locked.insert(step)),
            State::Building => self.building += 1,
            _ => {}
        }
    }
}

fn heights(graph: &DiGraph<StepId, ()>) -> BTreeMap<StepId, u32> {
    // Edges only lead to greater steps, so there is an order.
    let order = toposort(graph, None).unwrap_or_default();
    let mut heights = BTreeMap::new();
    for node in order.into_iter().rev() {
        let readers = graph.neighbors_directed(node, Direction::Outgoing);
        let above = readers
            .map(|reader| heights.get(&graph[reader]).copied().unwrap_or(0))
            .max();
        heights.insert(graph[node], above.map_or(1, |above: u32| above + 1));
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(steps: &[(u32, &[u32])]) -> Machine {
        let steps = steps
            .iter()
            .map(|(step, inputs)| (StepId(*step), inputs.iter().copied().map(StepId).collect()));
        Machine::new(&steps.collect())
    }

    #[test]
    fn the_longest_way_goes_first() {
        let mut machine = machine(&[(0, &[]), (1, &[]), (2, &[1]), (3, &[2])]);
        assert_eq!(machine.first_ready(), Some(StepId(1)));
        machine.start(StepId(1));
        assert_eq!(machine.first_ready(), Some(StepId(0)));
        machine.done(StepId(1));
        assert_eq!(machine.first_ready(), Some(StepId(2)));
    }

    #[test]
    fn what_follows_from_a_failure_is_skipped_and_nothing_else() {
        let mut machine = machine(&[(0, &[]), (1, &[0]), (2, &[1]), (3, &[])]);
        machine.start(StepId(0));
        assert_eq!(machine.failed(StepId(0)), [StepId(1), StepId(2)]);
        assert_eq!(machine.first_ready(), Some(StepId(3)));
        assert_eq!(machine.skip_rest(), [StepId(3)]);
        assert_eq!(machine.first_ready(), None);
    }

    #[test]
    fn what_a_step_reads_outside_is_there() {
        let machine = machine(&[(5, &[1, 2])]);
        assert_eq!(machine.first_ready(), Some(StepId(5)));
    }

    #[test]
    fn a_locked_step_holds_no_slot() {
        let mut machine = machine(&[(0, &[])]);
        machine.lock_is_busy(StepId(0));
        assert_eq!((machine.first_ready(), machine.building()), (None, 0));
        assert_eq!(machine.locked(), [StepId(0)]);
        machine.start(StepId(0));
        assert_eq!((machine.locked(), machine.building()), (vec![], 1));
        machine.done(StepId(0));
        assert_eq!(machine.building(), 0);
    }
}
