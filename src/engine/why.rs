//! Why targets are built again, or were when they last were: what a plan says, gone into as far as the bytes that keys hash
//! tell, from the targets to the causes.

use super::source_change::{Side as Content, SourceChange, source_change};
use super::workspace::{Instance, Workspace};
use crate::base::digest::Digest;
use crate::explain::{Comparison, Naming, Pair, Side, clause, compare, is_inferred};
use crate::instantiate::{Difference, Hashed, Referred, in_words, static_bytes};
use crate::model::derivation::{Derivation, Reference};
use crate::model::graph::{Graph, StepId};
use crate::model::node::Node;
use crate::plan::{Cause as Planned, Decision, Plan, PlannedStep};
use crate::store::{Builds, Store};
use std::collections::{BTreeMap, BTreeSet};

/// Why targets are built again, or were.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    /// The steps of the targets.
    pub asked: Vec<TargetStep>,
    /// What it all comes from, in the order of the graph.
    pub causes: Vec<Cause>,
    /// What merely follows.
    pub follows: Vec<Followed>,
}

/// A step of a target.
#[derive(Clone, Debug)]
pub struct TargetStep {
    /// The step.
    pub step: String,
    /// How it stands with it.
    pub standing: Stands,
    /// The plan's reason.
    pub reason: String,
    /// The run that built it last, if it is up to date.
    pub run: Option<String>,
}

/// How it stands with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It is to be built for the first time.
    New,
    /// It is to be built again.
    Due,
    /// It is to be built again unless its inputs come out as they were.
    MayBeDue,
    /// It is built if a choice falls on it.
    IfChosen,
    /// Its inputs came out as they were before.
    SameInputs,
    /// Nothing is to be done. What is explained is its last build.
    UpToDate,
    /// Nothing is to be done, and it was built once alone.
    BuiltOnce,
}

/// What differs in a step itself.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The step, if it is one of the graph.
    pub id: Option<StepId>,
    /// Its name.
    pub step: String,
    /// What differs, as a clause about the step.
    pub clause: String,
    /// The way to it in what the key hashes: `args`, `optimizer`, `lr`.
    pub path: Vec<String>,
    /// The layer of a network that it lies in, and the way in that.
    pub layer: Option<(String, Vec<String>)>,
    /// What was there, in words.
    pub old: Option<String>,
    /// What is there.
    pub new: Option<String>,
    /// How a source changed.
    pub source: Option<SourceChange>,
}

/// A step that is built again because of what it reads.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The step.
    pub step: String,
    /// The outputs that it reads, each with its step.
    pub reads: Vec<(String, String)>,
}

impl Workspace {
    /// Why `plan` has it that the targets of `instance` are built; of those that are not, why they were when they last were.
    pub fn why(&self, instance: &Instance, plan: &Plan) -> Explanation {
        let graph = &instance.graph;
        let builds = self.builds();
        let planned: BTreeMap<StepId, &PlannedStep> =
            plan.steps.iter().map(|planned| (planned.step, planned)).collect();
        let steps: BTreeSet<StepId> = graph.targets.iter().flat_map(super::steps_of).collect();
        let mut asked = Vec::new();
        let mut pairs = Vec::new();
        for id in steps {
            let Some(planned) = planned.get(&id) else { continue };
            let (told, pair) = stands(graph, planned, &builds);
            asked.push(told);
            pairs.extend(pair);
        }
        let now = Now::of(self, graph);
        let comparison = compare(&Before(&self.store), &now, &pairs);
        let behind = comparison.behind(pairs.iter().map(|(_, new)| *new));
        Explanation {
            asked,
            causes: self.causes(instance, &now, &behind),
            follows: follows(&now, &comparison, &behind),
        }
    }

    /// What differs in each of the pairs itself.
    fn causes(&self, instance: &Instance, now: &Now<'_>, pairs: &[&Pair]) -> Vec<Cause> {
        let mut pairs = pairs.to_vec();
        pairs.sort_by_key(|pair| now.by_key.get(&pair.new));
        let mut found: Vec<(bool, Cause)> = Vec::new();
        for pair in pairs {
            let names = Names::of(now, pair.new, None);
            match &pair.own {
                None => found.push((false, names.forgotten())),
                Some(own) => {
                    let (old, new) = (hashed(&Before(&self.store), pair.old), hashed(now, pair.new));
                    for difference in own {
                        let hashed = if difference.new.is_some() { &new } else { &old };
                        let Some(hashed) = hashed else { continue };
                        let mut cause = names.cause(hashed, difference);
                        cause.source = self.source(instance, &names, difference);
                        found.push((is_inferred(difference), cause));
                    }
                }
            }
        }
        // Sizes that are inferred follow from what they are inferred from, where that is among the causes.
        let written = found.iter().any(|(inferred, _)| !inferred);
        let kept = found.into_iter().filter(|(inferred, _)| !(written && *inferred));
        kept.map(|(_, cause)| cause).collect()
    }

    fn source(
        &self,
        instance: &Instance,
        names: &Names<'_>,
        difference: &Difference,
    ) -> Option<SourceChange> {
        let (Some(Referred::Source(old)), Some(Referred::Source(new))) = (difference.was(), difference.is())
        else {
            return None;
        };
        let path = names.source(difference.path.get(1)?)?;
        let stored = Content {
            workspace: self,
            here: None,
        };
        let here = Content {
            workspace: self,
            here: Some(instance),
        };
        Some(source_change(&path, (&stored, old), (&here, new)))
    }
}

/// How it stands with a step, and the keys to compare.
fn stands(graph: &Graph, planned: &PlannedStep, builds: &Builds) -> (TargetStep, Option<(Digest, Digest)>) {
    let step = graph.step(planned.step);
    let built = step.names.iter().find_map(|name| builds.get(name));
    let mut pair = None;
    let standing = match (&planned.decision, planned.cause) {
        (Decision::Reuse(_), Planned::SameInputs) => Stands::SameInputs,
        (Decision::Reuse(_), _) => {
            pair = built.and_then(|built| Some((built.before?, built.key)));
            match pair {
                Some(_) => Stands::UpToDate,
                None => Stands::BuiltOnce,
            }
        }
        (Decision::May, _) => Stands::IfChosen,
        (_, Planned::New) => Stands::New,
        (Decision::Unknown, _) => Stands::MayBeDue,
        (Decision::Build, _) => Stands::Due,
    };
    if let Planned::Changed(last) = planned.cause {
        pair = Some((last, step.static_key));
    }
    let up_to_date = matches!(standing, Stands::UpToDate | Stands::BuiltOnce);
    let asked = TargetStep {
        step: step.name().to_owned(),
        standing,
        reason: planned.reason.clone(),
        run: built.filter(|_| up_to_date).map(|built| built.run.clone()),
    };
    (asked, pair)
}

fn follows(now: &Now<'_>, comparison: &Comparison, behind: &[&Pair]) -> Vec<Followed> {
    let mut found = Vec::new();
    for pair in behind {
        let mut reads: Vec<(String, String)> = Vec::new();
        for follow in pair.follows.iter().filter(|follow| follow.same != Some(true)) {
            let read = (
                follow.output.clone(),
                now.called(comparison.pairs[follow.pair].new),
            );
            if !reads.contains(&read) {
                reads.push(read);
            }
        }
        if !reads.is_empty() {
            let step = now.called(pair.new);
            found.push((now.by_key.get(&pair.new), Followed { step, reads }));
        }
    }
    found.sort_by_key(|(id, _)| *id);
    found.into_iter().map(|(_, followed)| followed).collect()
}

pub(super) fn hashed(side: &impl Side, key: Digest) -> Option<Hashed> {
    Hashed::read(&side.bytes(key)?).ok()
}

fn came_to(store: &Store, key: Digest, output: &str) -> Option<Node> {
    *store.trace(key).ok()??.outputs.get(output)?
}

/// What was built once: the store knows it.
pub(super) struct Before<'s>(pub(super) &'s Store);

impl Side for Before<'_> {
    fn bytes(&self, key: Digest) -> Option<Vec<u8>> {
        self.0.derivation(key).ok().flatten()
    }

    /// A store has what all graphs had.
    fn has(&self, _: Digest) -> bool {
        false
    }

    fn came_to(&self, key: Digest, output: &str) -> Option<Node> {
        came_to(self.0, key, output)
    }
}

/// The pipeline as it is, and what was built once of it.
pub(super) struct Now<'w> {
    pub(super) workspace: &'w Workspace,
    pub(super) graph: &'w Graph,
    pub(super) by_key: BTreeMap<Digest, StepId>,
}

impl<'w> Now<'w> {
    pub(super) fn of(workspace: &'w Workspace, graph: &'w Graph) -> Self {
        let steps = (0..graph.steps.len()).map(|at| StepId(at as u32));
        Self::within(workspace, graph, steps)
    }

    /// Of a graph some steps alone.
    pub(super) fn within(
        workspace: &'w Workspace,
        graph: &'w Graph,
        steps: impl IntoIterator<Item = StepId>,
    ) -> Self {
        let keys = steps.into_iter().map(|id| (graph.step(id).static_key, id));
        Self {
            workspace,
            graph,
            by_key: keys.collect(),
        }
    }

    /// What people call a step: by the pipeline, or as a run did that built it.
    pub(super) fn called(&self, key: Digest) -> String {
        match self.by_key.get(&key) {
            Some(id) => self.graph.step(*id).name().to_owned(),
            None => built_as(&self.workspace.store, key).unwrap_or_else(|| key.short()),
        }
    }
}

/// The name that a step had in a run that built it.
pub(super) fn built_as(store: &Store, key: Digest) -> Option<String> {
    let trace = store.trace(key).ok()??;
    Some(store.attested(trace.resolved_key).ok()??.step)
}

impl Side for Now<'_> {
    fn bytes(&self, key: Digest) -> Option<Vec<u8>> {
        match self.by_key.get(&key) {
            Some(id) => static_bytes(self.graph, *id).ok(),
            None => Before(&self.workspace.store).bytes(key),
        }
    }

    fn has(&self, key: Digest) -> bool {
        self.by_key.contains_key(&key)
    }

    fn came_to(&self, key: Digest, output: &str) -> Option<Node> {
        came_to(&self.workspace.store, key, output)
    }
}

/// What people call what a step reads.
pub(super) struct Names<'n> {
    now: &'n Now<'n>,
    /// The other graph, where it is not only the store that knows it.
    old: Option<&'n Now<'n>>,
    id: Option<StepId>,
    derivation: Option<&'n Derivation>,
    step: String,
}

impl<'n> Names<'n> {
    pub(super) fn of(now: &'n Now<'n>, key: Digest, old: Option<&'n Now<'n>>) -> Self {
        let id = now.by_key.get(&key).copied();
        Self {
            now,
            old,
            id,
            derivation: id.map(|id| &now.graph.step(id).derivation),
            step: now.called(key),
        }
    }

    /// The path of a source.
    pub(super) fn source(&self, mount: &str) -> Option<String> {
        match self.derivation?.inputs.get(mount)? {
            Reference::Source { path, .. } => Some(path.clone()),
            _ => None,
        }
    }

    pub(super) fn cause(&self, hashed: &Hashed, difference: &Difference) -> Cause {
        let layer = hashed.layer(&difference.path);
        Cause {
            id: self.id,
            step: self.step.clone(),
            clause: clause(self, hashed, difference),
            path: difference.path.clone(),
            layer: layer.map(|(layer, part)| (layer, part.to_vec())),
            old: difference.old.as_ref().map(in_words),
            new: difference.new.as_ref().map(in_words),
            source: None,
        }
    }

    pub(super) fn forgotten(&self) -> Cause {
        Cause {
            id: self.id,
            step: self.step.clone(),
            clause: "it changed, and what it was is not in this store any more".to_owned(),
            path: Vec::new(),
            layer: None,
            old: None,
            new: None,
            source: None,
        }
    }
}

impl Naming for Names<'_> {
    fn step(&self, key: Digest) -> Option<String> {
        let sides = [Some(self.now), self.old].into_iter().flatten();
        let named = |side: &Now<'_>| {
            let id = *side.by_key.get(&key)?;
            Some(side.graph.step(id).name().to_owned())
        };
        let mut known = sides.filter_map(named);
        known.next().or_else(|| built_as(&self.now.workspace.store, key))
    }

    fn input(&self, mount: &str) -> Option<String> {
        self.source(mount)
    }
}
