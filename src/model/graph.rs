//! The graph of steps: derivations with the names, places and resources that stand outside their keys.

use super::derivation::{Derivation, Reference};
use crate::base::digest::Digest;
use mlp_lang::spec::{ArtifactKind, Origin, Resources};
use std::collections::BTreeMap;

/// An index into [`Graph::steps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

/// The steps that targets demand, each after those that it reads; no two with the same static key.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The steps.
    pub steps: Vec<Step>,
    /// What is to be built.
    pub targets: Vec<Target>,
}

impl Graph {
    /// The step `id`.
    pub fn step(&self, id: StepId) -> &Step {
        &self.steps[id.0 as usize]
    }
}

/// A derivation and what people call it.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is built.
    pub derivation: Derivation,
    /// The key by which an unchanged step is found without looking at its inputs.
    pub static_key: Digest,
    /// The binding paths that came to this derivation, the first one first.
    pub names: Vec<String>,
    /// Where it was written.
    pub origin: Origin,
    /// What it may use of the machine.
    pub resources: Resources,
    /// Where content is to be had whose hash the derivation holds: URLs, places on this machine. In no key.
    pub locators: BTreeMap<String, String>,
}

impl Step {
    /// Its first name.
    pub fn name(&self) -> &str {
        self.names.first().map_or("step", String::as_str)
    }
}

/// An artifact to be built.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// What people call it: `evaluate`.
    pub label: String,
    /// The output of a step, or of one that the build chooses.
    pub source: Reference,
    /// What it is.
    pub kind: ArtifactKind,
}
