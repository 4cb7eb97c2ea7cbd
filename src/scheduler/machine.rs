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
//! A step that is Building gives back what it holds of the machine as soon as its outputs are there: then it waits for the
//! disk. A step that is Locked holds no slot: somebody else builds its key. Done, Failed and Skipped are ends; each step comes to
//! exactly one of them, but for those that are Dormant: they are read only if a choice of the build falls on them. When it
//! does, they are woken, and Waiting.

use crate::model::graph::StepId;
use petgraph::Direction;
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Dormant,
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
    states: BTreeMap<StepId, State>,
    /// What each waiting step reads, as far as it is known; and the other way round.
    reads: BTreeMap<StepId, BTreeSet<StepId>>,
    readers: BTreeMap<StepId, BTreeSet<StepId>>,
    /// How long the longest way is that begins at a step: those on the critical path start first.
    heights: BTreeMap<StepId, u64>,
    ready: BTreeSet<(Reverse<u64>, StepId)>,
    locked: BTreeSet<StepId>,
    building: usize,
}

impl Machine {
    /// Steps with those that each may read; what a step reads outside of `steps` is there already. All are dormant until
    /// they are woken. An edge back (which no graph of derivations has) is left out. `length` says how long a step is: the
    /// same for all, and the longest way is that of the most steps.
    pub(super) fn new(steps: &BTreeMap<StepId, BTreeSet<StepId>>, length: impl Fn(StepId) -> u64) -> Self {
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
        Self {
            heights: heights(&graph, length),
            states: steps.keys().map(|step| (*step, State::Dormant)).collect(),
            reads: BTreeMap::new(),
            readers: BTreeMap::new(),
            ready: BTreeSet::new(),
            locked: BTreeSet::new(),
            building: 0,
        }
    }

    /// Wakes a dormant step; false if it is none.
    pub(super) fn wake(&mut self, step: StepId) -> bool {
        let dormant = self.states.get(&step) == Some(&State::Dormant);
        if dormant {
            self.go(step, State::Waiting);
        }
        dormant
    }

    /// Says what a waiting step reads, as far as it is known now: it is ready where all of it is there. Gives steps that
    /// are skipped because some of it never will be, with the step that is to blame.
    pub(super) fn reads(&mut self, step: StepId, reads: BTreeSet<StepId>) -> Option<(StepId, Vec<StepId>)> {
        if self.states.get(&step) != Some(&State::Waiting) {
            return None;
        }
        let state = |read: &StepId| self.states.get(read).copied().unwrap_or(State::Done);
        let lost = |read: &&StepId| matches!(state(read), State::Failed | State::Skipped);
        if let Some(lost) = reads.iter().find(lost).copied() {
            return Some((lost, self.skip(step)));
        }
        let there = reads.iter().all(|read| state(read) == State::Done);
        for read in &reads {
            self.readers.entry(*read).or_default().insert(step);
        }
        self.reads.insert(step, reads);
        if there {
            self.go(step, State::Ready);
        }
        None
    }

    /// The ready steps, those first that are to go first.
    pub(super) fn ready(&self) -> impl Iterator<Item = StepId> + '_ {
        self.ready.iter().map(|(_, step)| *step)
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

    /// A step has its outputs. Gives the steps that waited for it: what they read may be known better now.
    pub(super) fn done(&mut self, step: StepId) -> Vec<StepId> {
        self.go(step, State::Done);
        self.waiting_for(step)
    }

    /// A step failed. Gives the steps that are skipped because of it, in order.
    pub(super) fn failed(&mut self, step: StepId) -> Vec<StepId> {
        self.go(step, State::Failed);
        self.skip_readers(step)
    }

    /// Skips a waiting step, and what waits for it.
    fn skip(&mut self, step: StepId) -> Vec<StepId> {
        self.go(step, State::Skipped);
        let mut skipped = vec![step];
        skipped.extend(self.skip_readers(step));
        skipped
    }

    fn skip_readers(&mut self, step: StepId) -> Vec<StepId> {
        let mut skipped = BTreeSet::new();
        let mut pending = vec![step];
        while let Some(step) = pending.pop() {
            for reader in self.waiting_for(step) {
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

    fn waiting_for(&self, step: StepId) -> Vec<StepId> {
        let readers = self.readers.get(&step).into_iter().flatten();
        let waiting = readers.filter(|reader| self.states.get(reader) == Some(&State::Waiting));
        waiting.copied().collect()
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

fn heights(graph: &DiGraph<StepId, ()>, length: impl Fn(StepId) -> u64) -> BTreeMap<StepId, u64> {
    // Edges only lead to greater steps, so there is an order.
    let order = toposort(graph, None).unwrap_or_default();
    let mut heights = BTreeMap::new();
    for node in order.into_iter().rev() {
        let readers = graph.neighbors_directed(node, Direction::Outgoing);
        let above = readers
            .map(|reader| heights.get(&graph[reader]).copied().unwrap_or(0))
            .max();
        // At least 1, so that of two steps one that others wait for goes first.
        let own = length(graph[node]).max(1);
        heights.insert(graph[node], own.saturating_add(above.unwrap_or(0)));
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    type Steps<'s> = &'s [(u32, &'s [u32])];

    fn sets(steps: Steps<'_>) -> BTreeMap<StepId, BTreeSet<StepId>> {
        let steps = steps
            .iter()
            .map(|(step, inputs)| (StepId(*step), inputs.iter().copied().map(StepId).collect()));
        steps.collect()
    }

    /// A machine in which nothing is chosen: all steps are awake.
    fn machine(steps: Steps<'_>) -> Machine {
        let steps = sets(steps);
        let mut machine = Machine::new(&steps, |_| 1);
        for step in steps.keys() {
            machine.wake(*step);
        }
        for (step, reads) in steps {
            machine.reads(step, reads);
        }
        machine
    }

    /// Tells that a step is done, and that what waited for it still reads the same.
    fn done(machine: &mut Machine, step: u32) {
        for reader in machine.done(StepId(step)) {
            let reads = machine.reads[&reader].clone();
            machine.reads(reader, reads);
        }
    }

    #[test]
    fn what_is_not_chosen_sleeps() {
        let steps = sets(&[(0, &[]), (1, &[]), (2, &[]), (3, &[0, 1, 2])]);
        let mut machine = Machine::new(&steps, |_| 1);
        assert!(machine.wake(StepId(0)) && machine.wake(StepId(3)));
        machine.reads(StepId(0), BTreeSet::new());
        machine.reads(StepId(3), [StepId(0)].into());
        machine.start(StepId(0));
        assert_eq!(machine.done(StepId(0)), [StepId(3)]);
        // The choice fell on 2.
        assert!(machine.wake(StepId(2)) && !machine.wake(StepId(2)));
        machine.reads(StepId(2), BTreeSet::new());
        machine.reads(StepId(3), [StepId(0), StepId(2)].into());
        assert_eq!(machine.ready().next(), Some(StepId(2)));
        machine.start(StepId(2));
        done(&mut machine, 2);
        assert_eq!(machine.ready().next(), Some(StepId(3)));
        assert_eq!(machine.skip_rest(), [StepId(3)]);
    }

    #[test]
    fn a_choice_that_falls_on_what_failed_skips_its_reader() {
        let mut machine = machine(&[(0, &[]), (1, &[]), (2, &[0]), (3, &[2])]);
        machine.start(StepId(1));
        assert_eq!(machine.failed(StepId(1)), []);
        machine.start(StepId(0));
        assert_eq!(machine.done(StepId(0)), [StepId(2)]);
        let skipped = machine.reads(StepId(2), [StepId(0), StepId(1)].into());
        assert_eq!(skipped, Some((StepId(1), vec![StepId(2), StepId(3)])));
    }

    #[test]
    fn the_longest_way_goes_first() {
        let mut machine = machine(&[(0, &[]), (1, &[]), (2, &[1]), (3, &[2])]);
        assert_eq!(machine.ready().next(), Some(StepId(1)));
        machine.start(StepId(1));
        assert_eq!(machine.ready().next(), Some(StepId(0)));
        done(&mut machine, 1);
        assert_eq!(machine.ready().next(), Some(StepId(2)));
    }

    #[test]
    fn what_took_long_goes_first() {
        // 2 alone takes longer than 0 and 1 one after the other.
        let steps = sets(&[(0, &[]), (1, &[0]), (2, &[])]);
        let mut machine = Machine::new(&steps, |step| if step == StepId(2) { 10 } else { 3 });
        for (step, reads) in steps {
            machine.wake(step);
            machine.reads(step, reads);
        }
        assert_eq!(machine.ready().collect::<Vec<_>>(), [StepId(2), StepId(0)]);
    }

    #[test]
    fn what_follows_from_a_failure_is_skipped_and_nothing_else() {
        let mut machine = machine(&[(0, &[]), (1, &[0]), (2, &[1]), (3, &[])]);
        machine.start(StepId(0));
        assert_eq!(machine.failed(StepId(0)), [StepId(1), StepId(2)]);
        assert_eq!(machine.ready().next(), Some(StepId(3)));
        assert_eq!(machine.skip_rest(), [StepId(3)]);
        assert_eq!(machine.ready().next(), None);
    }

    #[test]
    fn what_a_step_reads_outside_is_there() {
        let machine = machine(&[(5, &[1, 2])]);
        assert_eq!(machine.ready().next(), Some(StepId(5)));
    }

    #[test]
    fn a_locked_step_holds_no_slot() {
        let mut machine = machine(&[(0, &[])]);
        machine.lock_is_busy(StepId(0));
        assert_eq!((machine.ready().next(), machine.building()), (None, 0));
        assert_eq!(machine.locked(), [StepId(0)]);
        machine.start(StepId(0));
        assert_eq!((machine.locked(), machine.building()), (vec![], 1));
        done(&mut machine, 0);
        assert_eq!(machine.building(), 0);
    }
}
