//! What steps under way hold of the run's budget, and what is left. Pure: who asks first is `run`'s to decide.
//!
//! **Invariant**: what is held is never more than the budget.

use crate::model::budget::{Budget, Need};
use crate::model::graph::StepId;
use std::collections::{BTreeMap, BTreeSet};

/// A budget, and who holds what of it.
#[derive(Debug)]
pub(super) struct Pool {
    budget: Budget,
    held: BTreeMap<StepId, (Need, Vec<u32>)>,
    cpus: u32,
    memory: u64,
    gpus: BTreeSet<u32>,
}

impl Pool {
    /// All of the budget is free.
    pub(super) fn new(budget: Budget) -> Self {
        Self {
            gpus: budget.gpus.iter().copied().collect(),
            held: BTreeMap::new(),
            cpus: 0,
            memory: 0,
            budget,
        }
    }

    /// Steps under way, in order.
    pub(super) fn holders(&self) -> impl Iterator<Item = StepId> + '_ {
        self.held.keys().copied()
    }

    /// Whether one more step may be built at all.
    pub(super) fn has_slot(&self) -> bool {
        self.held.len() < self.budget.jobs.max(1)
    }

    /// Whether `need` is free now.
    pub(super) fn fits(&self, need: Need) -> bool {
        let memory = self.budget.memory.unwrap_or(u64::MAX);
        self.has_slot()
            && need.cpus <= self.budget.cpus.saturating_sub(self.cpus)
            && need.memory <= memory.saturating_sub(self.memory)
            && need.gpus <= self.gpus.len()
    }

    /// Takes what fits for `step`, and says which GPUs it has.
    pub(super) fn take(&mut self, step: StepId, need: Need) -> Vec<u32> {
        self.cpus += need.cpus;
        self.memory = self.memory.saturating_add(need.memory);
        let given: Vec<u32> = self.gpus.iter().copied().take(need.gpus).collect();
        for gpu in &given {
            self.gpus.remove(gpu);
        }
        self.held.insert(step, (need, given.clone()));
        given
    }

    /// Takes back what `step` held.
    pub(super) fn give_back(&mut self, step: StepId) {
        if let Some((need, gpus)) = self.held.remove(&step) {
            self.cpus -= need.cpus;
            self.memory = self.memory.saturating_sub(need.memory);
            self.gpus.extend(gpus);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(cpus: u32, memory: u64, gpus: usize) -> Need {
        Need { cpus, memory, gpus }
    }

    #[test]
    fn what_is_held_is_not_free() {
        let mut pool = Pool::new(Budget {
            jobs: 3,
            cpus: 4,
            memory: Some(10),
            gpus: vec![0, 2, 3],
        });
        assert_eq!(pool.take(StepId(0), need(2, 6, 2)), [0, 2]);
        assert!(!pool.fits(need(3, 0, 0)) && !pool.fits(need(1, 5, 0)) && !pool.fits(need(1, 0, 2)));
        assert!(pool.fits(need(2, 4, 1)));
        assert_eq!(pool.take(StepId(1), need(1, 4, 1)), [3]);
        pool.give_back(StepId(0));
        assert_eq!(pool.take(StepId(2), need(3, 6, 1)), [0]);
        pool.give_back(StepId(1));
        assert!(pool.fits(need(1, 4, 2)) && !pool.fits(need(2, 4, 2)));
    }

    #[test]
    fn no_more_steps_than_jobs() {
        let mut pool = Pool::new(Budget {
            jobs: 1,
            cpus: 4,
            memory: None,
            gpus: Vec::new(),
        });
        assert!(pool.fits(need(1, u64::MAX, 0)));
        pool.take(StepId(0), need(0, 0, 0));
        assert!(!pool.has_slot() && !pool.fits(need(0, 0, 0)));
    }
}
