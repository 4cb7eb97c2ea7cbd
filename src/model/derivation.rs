//! A derivation: all that decides the bits of a step's outputs, and nothing else.
//!
//! In no derivation are: names, spans, resources, the machine, the place of the checkout or the store.

use super::graph::StepId;
use super::node::Node;
use mlp_lang::spec::{ArtifactKind, ByName, Datum};
use smol_str::SmolStr;
use std::sync::Arc;

/// What is built, and from what.
#[derive(Clone, Debug, PartialEq)]
pub struct Derivation {
    /// Who builds it.
    pub builder: Builder,
    /// The builtin's arguments: a map without nulls. `device` in it is never `auto`.
    pub args: Datum,
    /// The environment that a command runs in; none is the machine's own tools, of which nothing is pinned.
    pub env: Option<Arc<Environment>>,
    /// Environment variables that the pipeline gives.
    pub vars: ByName<Vec<Piece>>,
    /// The working directory below the build directory.
    pub cwd: Option<String>,
    /// Inputs by where they are mounted below the build directory: `inputs/on`, `src/train.py`.
    pub inputs: ByName<Reference>,
    /// Outputs by name.
    pub outputs: ByName<Output>,
    /// Threads that the step can see. A builtin's outputs do not depend on them, and it has 1 here.
    pub threads: u32,
    /// The class of device on which bits are the same, where the builder computes in floating point.
    pub device_class: Option<String>,
}

/// Who builds a derivation.
#[derive(Clone, Debug, PartialEq)]
pub enum Builder {
    /// One of `mlp_protocol::builtin::BUILTINS`.
    Builtin {
        /// Its name.
        name: String,
        /// Its semantic version.
        version: u32,
        /// What its arithmetic depends on, for programs that link libtorch.
        numerics: Option<String>,
    },
    /// A command.
    Command {
        /// Each argument in pieces.
        argv: Vec<Vec<Piece>>,
        /// The input that it reads from its standard input, by its mount path; none is nothing.
        stdin: Option<String>,
    },
}

/// The environment of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// What a step of its own made: Python's packages, a flake's shell.
    pub made: Option<Reference>,
    /// What it shows of the machine: digests of tools by name, and of what they load; a map.
    pub tools: Datum,
}

/// A part of a command's argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Text.
    Text(SmolStr),
    /// Where the input mounted at this path lies.
    Mount(SmolStr),
    /// A value that an output holds: the reference, and the names of fields on the way to it.
    Late(Box<(Reference, Vec<String>)>),
}

/// What an input is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A source of the project.
    Source {
        /// From the project's root; in no key.
        path: String,
        /// What it holds.
        node: Node,
    },
    /// An output of another step.
    Output {
        /// The step.
        step: StepId,
        /// The output.
        output: String,
    },
    /// One of several, chosen by what another step comes to. Nothing of the others is needed then.
    Chosen {
        /// Which: a reference to a JSON file, and the way in it to the position of the chosen one.
        index: Box<(Reference, Vec<String>)>,
        /// The candidates.
        candidates: Vec<Reference>,
    },
}

/// A declared output.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// What it is; it decides how the output is verified and shown.
    pub kind: ArtifactKind,
    /// Where the builder writes it below the build directory.
    pub path: String,
    /// What it must hold.
    pub schema: Datum,
    /// Whether it may be missing.
    pub optional: bool,
    /// Whether it is observed: kept beside the realisation, in no digest.
    pub observed: bool,
}
