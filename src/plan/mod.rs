//! From the graph and a snapshot of the store to what is to be done, each with its reason. Pure, but for what the
//! snapshot reads. Decides; builds nothing.
//!
//! A target whose static key is traced costs that one look-up: what stands before it is not looked at.

mod estimate;
mod reason;

pub use estimate::{Estimate, estimate};

use crate::base::clock;
use crate::base::digest::Digest;
use crate::instantiate::{Known, Nothing, Reads, Resolution, Unresolved, reads, reads_of, resolve};
use crate::model::derivation::Derivation;
use crate::model::graph::{Graph, StepId};
use crate::model::node::Node;
use crate::model::record::{DIVERGED, Realisation, Trace};
use crate::model::snapshot::Snapshot;
use std::collections::{BTreeMap, BTreeSet};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Steps, each after those that it reads. Steps that nothing to be done depends on are left out.
    pub steps: Vec<PlannedStep>,
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedStep {
    /// The step.
    pub step: StepId,
    /// What is to be done about it.
    pub decision: Decision,
    /// Why: a clause for people, without a full stop.
    pub reason: String,
    /// Why, for who goes into it further.
    pub cause: Cause,
}

/// Why a step is decided about as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its result is known by its static key.
    Unchanged,
    /// Its result is known by its resolved key: its inputs came out the same.
    SameInputs,
    /// A choice may fall on it.
    Choice,
    /// Everything is built again.
    Check,
    /// Its result was in this store, and is needed and not there.
    Lost,
    /// Nothing was built under any of its names.
    New,
    /// The same was built before; its result is not in this store.
    Elsewhere,
    /// Another derivation was last built under its name.
    Changed(Digest),
}

/// What is to be done about a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Its result exists.
    Reuse(Found),
    /// It is built.
    Build,
    /// It is built, unless what it reads comes out as it was in some earlier build.
    Unknown,
    /// It is built if a choice of the build falls on it.
    May,
}

/// A result that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its resolved key.
    pub resolved_key: Digest,
    /// Its outputs.
    pub outputs: BTreeMap<String, Option<Node>>,
    /// A trace to be put, where the result was found by its resolved key (early cutoff).
    pub new_trace: Option<Trace>,
}

impl Found {
    /// What a step comes to that reads a training that diverged: the same, without being built.
    fn inherited(&self) -> Self {
        let why = self.outputs.get(DIVERGED).copied();
        Self {
            resolved_key: self.resolved_key,
            outputs: why.map(|why| (DIVERGED.to_owned(), why)).into_iter().collect(),
            new_trace: None,
        }
    }
}

/// What decides a plan besides the graph.
pub struct Circumstances<'c, S> {
    /// The store.
    pub snapshot: &'c S,
    /// The static key that a name was last built with, for reasons alone.
    pub last: &'c dyn Fn(&str) -> Option<Digest>,
    /// Build everything again, to compare.
    pub check: bool,
}

impl Plan {
    /// Steps to be built, those among them that may turn out not to need it.
    pub fn todo(&self) -> BTreeSet<StepId> {
        let todo = self
            .steps
            .iter()
            .filter(|planned| !matches!(planned.decision, Decision::Reuse(_)));
        todo.map(|planned| planned.step).collect()
    }

    /// Steps of [`Self::todo`] that are only built if a choice falls on them.
    pub fn may(&self) -> BTreeSet<StepId> {
        let may = self
            .steps
            .iter()
            .filter(|planned| planned.decision == Decision::May);
        may.map(|planned| planned.step).collect()
    }

    /// Steps whose results exist.
    pub fn reused(&self) -> impl Iterator<Item = (StepId, &Found)> {
        self.steps.iter().filter_map(|planned| match &planned.decision {
            Decision::Reuse(found) => Some((planned.step, found)),
            Decision::Build | Decision::Unknown | Decision::May => None,
        })
    }

    /// Content that the plan goes on from: outputs of steps that it reuses, where they are targets or are read by a step
    /// that is to be done.
    pub fn used(&self, graph: &Graph) -> BTreeSet<Node> {
        let reused: BTreeMap<StepId, &Found> = self.reused().collect();
        let todo = self.todo();
        let read = todo
            .iter()
            .map(|step| reads(&graph.step(*step).derivation, &Nothing));
        let targets = graph
            .targets
            .iter()
            .map(|target| reads_of(&target.source, &Nothing));
        read.chain(targets)
            .flat_map(|reads| reads.must.into_iter().chain(reads.may))
            .filter_map(|(step, output)| *reused.get(&step)?.outputs.get(output)?)
            .collect()
    }
}

/// Plans the targets of `graph`.
pub fn plan<S: Snapshot>(graph: &Graph, circumstances: &Circumstances<'_, S>) -> Result<Plan, S::Error> {
    let mut planner = Planner {
        graph,
        circumstances,
        lost: BTreeSet::new(),
        demanded: vec![Demand::No; graph.steps.len()],
        open: false,
        found: vec![None; graph.steps.len()],
        ready: vec![false; graph.steps.len()],
    };
    // Bytes that are gone make a step due again, and that may demand others; what is found may decide a choice, and that
    // demands a candidate. Hardly ever more than one round.
    loop {
        let found = planner.found();
        planner.trace()?;
        planner.resolve()?;
        let decided = planner.open && planner.found() > found;
        if !planner.lose() && !decided {
            break;
        }
    }
    planner.steps()
}

/// Whether a step is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Demand {
    No,
    /// If a choice falls on it, or on what reads it.
    May,
    Must,
}

struct Planner<'p, S> {
    graph: &'p Graph,
    circumstances: &'p Circumstances<'p, S>,
    /// Steps with records whose bytes are gone and needed.
    lost: BTreeSet<StepId>,
    demanded: Vec<Demand>,
    /// Whether a choice was met that is not decided.
    open: bool,
    found: Vec<Option<Found>>,
    /// Whether all that a step reads is known.
    ready: Vec<bool>,
}

impl<'p, S: Snapshot> Planner<'p, S> {
    /// From the targets backwards: what has a trace, and what is demanded because something has none.
    fn trace(&mut self) -> Result<(), S::Error> {
        self.open = false;
        self.demanded.fill(Demand::No);
        let graph = self.graph;
        for target in &graph.targets {
            let reads = reads_of(&target.source, self);
            self.demand(&reads, Demand::Must);
        }
        for (at, step) in self.graph.steps.iter().enumerate().rev() {
            if self.demanded[at] == Demand::No {
                continue;
            }
            if self.found[at].is_none() && !self.circumstances.check {
                let trace = self.circumstances.snapshot.trace(step.static_key)?;
                self.found[at] = trace.map(|trace| Found {
                    resolved_key: trace.resolved_key,
                    outputs: trace.outputs,
                    new_trace: None,
                });
            }
            if !self.is_done(at) {
                let reads = reads(&step.derivation, self);
                self.demand(&reads, self.demanded[at]);
            }
        }
        Ok(())
    }

    /// What is read is demanded as what reads it is; what a choice may fall on, less.
    fn demand(&mut self, reads: &Reads<'_>, reader: Demand) {
        for (step, _) in &reads.must {
            let own = &mut self.demanded[index(*step)];
            *own = reader.max(*own);
        }
        for (step, _) in &reads.may {
            self.open = true;
            let own = &mut self.demanded[index(*step)];
            *own = Demand::May.max(*own);
        }
    }

    /// How many results are found.
    fn found(&self) -> usize {
        self.found.iter().flatten().count()
    }

    /// From the sources forwards: what its inputs lead to.
    fn resolve(&mut self) -> Result<(), S::Error> {
        for at in 0..self.graph.steps.len() {
            if self.demanded[at] == Demand::No || self.found[at].is_some() {
                continue;
            }
            let resolved = resolve(self.graph, StepId(at as u32), self);
            self.ready[at] = !matches!(resolved, Err(Unresolved::Unknown(_)));
            if let Err(Unresolved::Diverged(from)) = resolved {
                self.found[at] = self.found[index(from)].as_ref().map(Found::inherited);
                continue;
            }
            // What else is wrong fails when it is built, with its place.
            if let (Ok(resolution), false) = (resolved, self.circumstances.check) {
                let realisation = self.circumstances.snapshot.realisation(resolution.key)?;
                self.found[at] = realisation.map(|realisation| cut_off(resolution, realisation));
            }
        }
        Ok(())
    }

    /// Finds steps whose bytes are gone where they are needed: by a target, or by a step to be built. True if there are
    /// any that were not known.
    fn lose(&mut self) -> bool {
        let graph = self.graph;
        let mut needed: BTreeSet<(StepId, &str)> = BTreeSet::new();
        let mut need = |reads: Reads<'p>| needed.extend(reads.must.into_iter().chain(reads.may));
        graph
            .targets
            .iter()
            .for_each(|target| need(reads_of(&target.source, self)));
        for (at, step) in graph.steps.iter().enumerate() {
            if self.demanded[at] != Demand::No && !self.is_done(at) {
                need(reads(&step.derivation, self));
            }
        }
        let before = self.lost.len();
        for (step, output) in needed {
            let node = self.found[index(step)]
                .as_ref()
                .and_then(|found| *found.outputs.get(output)?);
            if node.is_some_and(|node| !self.circumstances.snapshot.holds(&node)) {
                self.lost.insert(step);
            }
        }
        self.lost.len() > before
    }

    /// Whether nothing is to be done about a step.
    fn is_done(&self, at: usize) -> bool {
        self.found[at].is_some() && !self.lost.contains(&StepId(at as u32))
    }

    fn steps(self) -> Result<Plan, S::Error> {
        let mut steps = Vec::new();
        for at in (0..self.graph.steps.len()).filter(|at| self.demanded[*at] != Demand::No) {
            let id = StepId(at as u32);
            let (decision, reason, cause) = match &self.found[at] {
                Some(found) if self.is_done(at) => {
                    let reason = match found.new_trace {
                        Some(_) => "its inputs came out as they were in an earlier build",
                        None => "nothing that it depends on changed",
                    };
                    let cause = match found.new_trace {
                        Some(_) => Cause::SameInputs,
                        None => Cause::Unchanged,
                    };
                    (Decision::Reuse(found.clone()), reason.to_owned(), cause)
                }
                _ if self.demanded[at] == Demand::May => {
                    (Decision::May, "the build may choose it".to_owned(), Cause::Choice)
                }
                _ => {
                    let waits = self.first_unknown(at);
                    let decision = if waits.is_some() {
                        Decision::Unknown
                    } else {
                        Decision::Build
                    };
                    let cause = self.cause(id);
                    (decision, self.reason(id, cause, waits)?, cause)
                }
            };
            steps.push(PlannedStep {
                step: id,
                decision,
                reason,
                cause,
            });
        }
        Ok(Plan { steps })
    }

    /// The first step that is read and that must, or may have to, be built first. A step that is built for its own sake
    /// (to check, or because its bytes are gone) waits for nothing that could spare it.
    fn first_unknown(&self, at: usize) -> Option<StepId> {
        if self.ready[at] || self.circumstances.check || self.lost.contains(&StepId(at as u32)) {
            return None;
        }
        let dependencies = reads(&self.graph.steps[at].derivation, self).must;
        let mut dependencies = dependencies.into_iter().map(|(step, _)| step);
        dependencies.find(|step| self.found[index(*step)].is_none())
    }

    fn cause(&self, id: StepId) -> Cause {
        if self.circumstances.check {
            return Cause::Check;
        }
        if self.lost.contains(&id) {
            return Cause::Lost;
        }
        let step = self.graph.step(id);
        match step.names.iter().find_map(|name| (self.circumstances.last)(name)) {
            None => Cause::New,
            Some(last) if last == step.static_key => Cause::Elsewhere,
            Some(last) => Cause::Changed(last),
        }
    }

    fn reason(&self, id: StepId, cause: Cause, waits: Option<StepId>) -> Result<String, S::Error> {
        let gone = match cause {
            Cause::Changed(last) => {
                let old = self.circumstances.snapshot.derivation(last)?;
                return Ok(reason::since(self.graph, id, old.as_deref(), waits));
            }
            Cause::Check => return Ok("it is built again, to compare".to_owned()),
            Cause::Lost => "its result is not in the store any more",
            Cause::Elsewhere => "its result is not in this store",
            _ => "it was never built",
        };
        // A step that waits may be one of thousands; what it waits for has the better answer.
        let removed = match waits {
            Some(_) => None,
            None => self.removed(id)?,
        };
        Ok(match removed {
            Some(at) => format!("its result was removed from the store on {}", clock::day(at)),
            None => gone.to_owned(),
        })
    }

    /// When the step's result was taken out of the store.
    fn removed(&self, id: StepId) -> Result<Option<u64>, S::Error> {
        let snapshot = self.circumstances.snapshot;
        let own = snapshot.removed(self.graph.step(id).static_key)?;
        match (own, &self.found[index(id)]) {
            (None, Some(found)) => snapshot.removed(found.resolved_key),
            (own, _) => Ok(own),
        }
    }
}

impl<S: Snapshot> Known for Planner<'_, S> {
    fn output(&self, step: StepId, output: &str) -> Option<Option<Node>> {
        // An output that a record does not name is one that was not written.
        let found = self.found[index(step)].as_ref()?;
        Some(found.outputs.get(output).copied().flatten())
    }

    fn json(&self, node: &Node) -> Result<serde_json::Value, String> {
        self.circumstances.snapshot.json(node)
    }
}

fn cut_off(resolution: Resolution, realisation: Realisation) -> Found {
    let trace = Trace {
        resolved_key: resolution.key,
        outputs: realisation.outputs.clone(),
        dependencies: resolution.dependencies,
    };
    Found {
        resolved_key: resolution.key,
        outputs: realisation.outputs,
        new_trace: Some(trace),
    }
}

fn index(step: StepId) -> usize {
    step.0 as usize
}

/// All steps that a derivation may read.
pub fn may_read(derivation: &Derivation) -> BTreeSet<StepId> {
    let Reads { must, may } = reads(derivation, &Nothing);
    must.into_iter().chain(may).map(|(step, _)| step).collect()
}

#[cfg(test)]
mod tests;
