//! How long a plan takes, from how long its steps took before: a build with so many slots, gone through in thought.

use super::{Decision, Plan, index};
use crate::instantiate::{Nothing, reads};
use crate::model::graph::{Graph, Step, StepId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// How long a plan takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Milliseconds from the first step to the last, if all is built that may have to be, and nothing that is only built if
    /// it is chosen. Steps of which nothing is known take none.
    pub total_ms: u64,
    /// Steps to be built of which nothing is known.
    pub unknown: usize,
    /// Milliseconds that each step takes that is not reused, where that is known.
    pub steps: BTreeMap<StepId, u64>,
}

/// Estimates `plan`. `took` says how long a step takes; `jobs` are built at once.
pub fn estimate(graph: &Graph, plan: &Plan, took: &dyn Fn(&Step) -> Option<u64>, jobs: usize) -> Estimate {
    let mut estimate = Estimate::default();
    let mut due: Vec<StepId> = Vec::new();
    for planned in &plan.steps {
        if let Decision::Reuse(_) = planned.decision {
            continue;
        }
        let known = took(graph.step(planned.step));
        if let Some(took) = known {
            estimate.steps.insert(planned.step, took);
        }
        if planned.decision != Decision::May {
            due.push(planned.step);
            estimate.unknown += usize::from(known.is_none());
        }
    }
    estimate.total_ms = Schedule::new(graph, &due, &estimate.steps).length(jobs.max(1));
    estimate
}

/// Steps with their durations and who waits for them, by their places among the steps that are due.
struct Schedule {
    took: Vec<u64>,
    readers: Vec<Vec<usize>>,
    waits_for: Vec<usize>,
    /// From the beginning of a step to the end of all that waits for it.
    rest: Vec<u64>,
}

impl Schedule {
    fn new(graph: &Graph, due: &[StepId], took: &BTreeMap<StepId, u64>) -> Self {
        let mut place = vec![None; graph.steps.len()];
        for (at, step) in due.iter().enumerate() {
            place[index(*step)] = Some(at);
        }
        let mut schedule = Self {
            took: due
                .iter()
                .map(|step| took.get(step).copied().unwrap_or(0))
                .collect(),
            readers: vec![Vec::new(); due.len()],
            waits_for: vec![0; due.len()],
            rest: vec![0; due.len()],
        };
        for (at, step) in due.iter().enumerate() {
            for read in reads(&graph.step(*step).derivation, &Nothing).steps() {
                if let Some(read) = place[index(read)] {
                    schedule.readers[read].push(at);
                    schedule.waits_for[at] += 1;
                }
            }
        }
        // Each stands after those that it reads.
        for at in (0..due.len()).rev() {
            let after = schedule.readers[at].iter().map(|reader| schedule.rest[*reader]);
            schedule.rest[at] = schedule.took[at] + after.max().unwrap_or(0);
        }
        schedule
    }

    /// How long it takes with so many slots, where of what is ready that is begun which most waits for.
    fn length(mut self, jobs: usize) -> u64 {
        let mut ready: BinaryHeap<(u64, Reverse<usize>)> = BinaryHeap::new();
        let begin = |schedule: &Self, ready: &mut BinaryHeap<_>, at: usize| {
            ready.push((schedule.rest[at], Reverse(at)));
        };
        for at in (0..self.took.len()).filter(|at| self.waits_for[*at] == 0) {
            begin(&self, &mut ready, at);
        }
        let mut running: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
        let mut now = 0;
        loop {
            while running.len() < jobs
                && let Some((_, Reverse(at))) = ready.pop()
            {
                running.push(Reverse((now + self.took[at], at)));
            }
            let Some(Reverse((ended, at))) = running.pop() else {
                return now;
            };
            now = ended;
            for reader in std::mem::take(&mut self.readers[at]) {
                self.waits_for[reader] -= 1;
                if self.waits_for[reader] == 0 {
                    begin(&self, &mut ready, reader);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(took: &[u64], edges: &[(usize, usize)]) -> Schedule {
        let mut schedule = Schedule {
            took: took.to_vec(),
            readers: vec![Vec::new(); took.len()],
            waits_for: vec![0; took.len()],
            rest: took.to_vec(),
        };
        for (from, to) in edges {
            schedule.readers[*from].push(*to);
            schedule.waits_for[*to] += 1;
        }
        for at in (0..took.len()).rev() {
            let after = schedule.readers[at].iter().map(|reader| schedule.rest[*reader]);
            schedule.rest[at] = took[at] + after.max().unwrap_or(0);
        }
        schedule
    }

    #[test]
    fn a_row_takes_its_sum_and_what_is_apart_shares_slots() {
        assert_eq!(schedule(&[], &[]).length(2), 0);
        assert_eq!(schedule(&[1, 2, 3], &[(0, 1), (1, 2)]).length(4), 6);
        assert_eq!(schedule(&[4, 4, 4, 4], &[]).length(2), 8);
        assert_eq!(schedule(&[4, 4, 4, 4], &[]).length(1), 16);
        // The long row is begun first.
        assert_eq!(schedule(&[3, 3, 1, 5], &[(2, 3)]).length(2), 6);
    }
}
