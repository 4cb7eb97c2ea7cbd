//! Environments of a pipeline, described before anything is built: what of them is hashed.

use super::node::Node;
use mlp_lang::spec::{Datum, EnvRef};
use std::collections::BTreeMap;

/// An environment as a derivation takes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Described {
    /// Tools of the machine: what of them is hashed.
    Host(Datum),
    /// Made by a step of its own.
    Step {
        /// `env.python`, `env.flake`.
        builtin: String,
        /// All that decides what comes of it.
        args: Datum,
        /// Sources that it reads, by mount path: the path in the project, and the content.
        inputs: BTreeMap<String, (String, Node)>,
        /// Where content is to be had whose hash is among the arguments.
        locators: BTreeMap<String, String>,
        /// What steps see of the machine besides what it makes.
        tools: Datum,
    },
}

/// The environments of a pipeline. MUST hold all that [`crate::instantiate::environments`] names.
pub type EnvironmentTable = BTreeMap<EnvRef, Described>;
