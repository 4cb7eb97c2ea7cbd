//! Records of the store: small files, the truth. Each is put if absent, and visible only after its objects are.

use super::build::Isolation;
use super::node::Node;
use crate::base::digest::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The output under which a step that diverged has why, in the place of all that it declares. No step can declare it.
pub const DIVERGED: &str = "#diverged";

/// `r/RK`: what a resolved key came to. Complete, or not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Realisation {
    /// Each declared output that is hashed; `None` is an optional one that was not written. Of a training that diverged
    /// all are, and [`DIVERGED`] is there.
    pub outputs: BTreeMap<String, Option<Node>>,
}

/// `s/SK`: what a static key came to, once a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The resolved key that it came to.
    pub resolved_key: Digest,
    /// The outputs, as in the realisation.
    pub outputs: BTreeMap<String, Option<Node>>,
    /// Direct dependencies: static key and output, with the node it was then.
    pub dependencies: Vec<Dependency>,
}

/// A direct dependency of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The step's static key.
    pub static_key: Digest,
    /// The output's name.
    pub output: String,
    /// What it was.
    pub node: Node,
}

/// `c/CK`: a state of a training chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainState {
    /// The state's directory.
    pub state: Node,
    /// What it is of. Only what is kept longest hangs on it, so that older records do without.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub of: Option<StateOf>,
}

/// A state's place in the training that gave it first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateOf {
    /// The name of the step.
    pub step: String,
    /// The resolved key of the step.
    pub training: Digest,
    /// The epoch after which it stands.
    pub epoch: u32,
    /// The chain key of the state before; none before the first epoch.
    pub before: Option<Digest>,
}

/// `attest/RK.…`: how a realisation came about. Appended, never changed; in no key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attestation {
    /// The resolved key.
    pub resolved_key: Digest,
    /// How hermetic the build was.
    pub isolation: Isolation,
    /// The worst of its own and its inputs' isolation.
    pub effective: Isolation,
    /// The run that built it.
    pub run: String,
    /// The step's name in that run.
    pub step: String,
    /// Seconds since the epoch at its start.
    pub started: u64,
    /// Wall time in milliseconds.
    pub wall_ms: u64,
    /// Processor time in milliseconds.
    pub cpu_ms: Option<u64>,
    /// Peak memory in bytes.
    pub peak_memory: Option<u64>,
    /// Machine: processor's name, kernel.
    pub machine: String,
    /// Observed outputs by name, whole, where they are JSON.
    pub observed: BTreeMap<String, serde_json::Value>,
    /// What the builder would have given, where it differs from what was registered first: a nondeterministic step.
    pub differs: Option<BTreeMap<String, Option<Node>>>,
}

/// `removed/<key>`: garbage collection took what a key, static or resolved, came to. For explanations alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Seconds since the epoch.
    pub at: u64,
}
