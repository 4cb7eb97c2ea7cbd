//! What leaves the language: specs of derivations and the data in them. Plain data that knows no hash and no store.

mod by_name;

pub use by_name::{ByName, Iter};

use crate::source::Span;
use smol_str::SmolStr;
use std::sync::Arc;

/// Everything that the demanded bindings came to.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// Specs in the order in which they were made; a spec stands after those that it reads.
    pub specs: Vec<DerivationSpec>,
    /// The artifacts in the demanded values.
    pub targets: Vec<TargetArtifact>,
}

/// An artifact that a target demands.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetArtifact {
    /// The path from the target: `evaluate`, `fit.model`, `sweep[lr=0.01].fit.model`.
    pub label: String,
    /// What is demanded.
    pub source: InputSource,
    /// What it is.
    pub kind: ArtifactKind,
}

/// An index into [`Evaluation::specs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpecId(pub u32);

/// A derivation as the pipeline describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct DerivationSpec {
    /// The binding path, `sweep[lr=0.01].fit`. In no key.
    pub name: String,
    /// Where the person wrote it. In no key.
    pub origin: Origin,
    /// What the step may use of the machine. In no key.
    pub resources: Resources,
    /// Who builds it.
    pub builder: Builder,
    /// The builtin's arguments: always a `Map` (empty for a command).
    pub args: Datum,
    /// The environment that a command runs in: one for many specs.
    pub env: Option<Arc<Environment>>,
    /// Environment variables.
    pub vars: ByName<Vec<Piece>>,
    /// The working directory, relative; none is the build directory.
    pub cwd: Option<String>,
    /// Inputs by name: for a builtin its own input names, for a command the record's fields.
    pub inputs: ByName<Input>,
    /// Outputs by name.
    pub outputs: ByName<OutputSpec>,
}

/// Where a spec was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The call, in the file of the person who is to blame (never in the library).
    pub span: Span,
    /// The arguments of the call, by label.
    pub arguments: ByName<Span>,
}

/// What a step may use. None is the engine's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Processors.
    pub cpus: Option<u32>,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Graphics processors.
    pub gpus: Option<u32>,
    /// Milliseconds.
    pub time: Option<u64>,
    /// Bytes that it may write.
    pub disk: Option<u64>,
    /// How often it is tried again when it fails.
    pub retries: u32,
}

/// Who builds a spec.
#[derive(Clone, Debug, PartialEq)]
pub enum Builder {
    /// A builtin: `ml.train`.
    Builtin(SmolStr),
    /// A command.
    Command(Command),
}

impl DerivationSpec {
    /// Takes it, and leaves its name, origin and outputs.
    pub fn take(&mut self) -> Self {
        let rest = Self {
            name: self.name.clone(),
            origin: self.origin.clone(),
            resources: Resources::default(),
            builder: Builder::Builtin(SmolStr::default()),
            args: Datum::Null,
            env: None,
            vars: ByName::new(),
            cwd: None,
            inputs: ByName::new(),
            outputs: self.outputs.clone(),
        };
        std::mem::replace(self, rest)
    }

    /// Holds once what it has in common with `other`: in a sweep that is nearly everything.
    pub(crate) fn share(&mut self, other: &Self) {
        self.origin.arguments.share(&other.origin.arguments);
        if self.env == other.env {
            self.env.clone_from(&other.env);
        }
        self.vars.share(&other.vars);
        self.inputs.share(&other.inputs);
        self.outputs.share(&other.outputs);
    }
}

/// A program of the user's.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The program and its arguments, each in pieces.
    pub argv: Vec<Vec<Piece>>,
    /// What it reads from its standard input; none is nothing.
    pub stdin: Option<Input>,
    /// Threads that it sees.
    pub threads: u32,
}

/// An environment, and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// What pins it.
    pub kind: EnvRef,
    /// The call of `env.…`. In no key.
    pub origin: Origin,
}

/// An environment that pins a step's tools.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EnvRef {
    /// A shell of a flake: the flake.nix from the project's root, and the shell.
    Flake {
        /// Path of flake.nix.
        file: String,
        /// The dev shell.
        shell: String,
    },
    /// A Python lock and the interpreter's version.
    Python {
        /// Path of the lock.
        lock: String,
        /// `3.11`.
        python: String,
    },
    /// Tools of the machine.
    Host {
        /// Their names.
        tools: Vec<String>,
    },
}

/// A part of a command's argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Text.
    Text(SmolStr),
    /// Where an input lies.
    Input(InputSource),
    /// A value known after a build.
    Late(Box<LateValue>),
}

/// An input and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// What it is.
    pub source: InputSource,
    /// Where the argument stands.
    pub span: Span,
}

/// What an input is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InputSource {
    /// A file or directory of the project, by its path from the root.
    Source(String),
    /// The files of the project that a glob matches, by path from the root.
    Glob(String),
    /// An output of a spec.
    Output {
        /// The spec.
        spec: SpecId,
        /// The output's name.
        output: SmolStr,
    },
    /// One of several, chosen by the build. Nothing of the others is needed once it is known which.
    Chosen {
        /// Which: a position from 0, in the output of a `choose` derivation.
        index: Box<LateValue>,
        /// The candidates, in order.
        candidates: Vec<InputSource>,
    },
}

/// A value in an output, known after the build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LateValue {
    /// The output that holds it, a JSON file.
    pub source: InputSource,
    /// The way to it: names of fields, positions in lists; empty is the whole.
    pub path: Vec<String>,
}

/// An output.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputSpec {
    /// What it is.
    pub kind: ArtifactKind,
    /// Where a command writes it, relative to the build directory; a builtin is told where.
    pub path: Option<String>,
    /// What it must hold: for metrics their fields and types, for datasets the schema.
    pub schema: Datum,
    /// Whether the step may leave it out.
    pub optional: bool,
    /// Whether it is observed (timings): shown, in no digest, never an input.
    pub observed: bool,
}

/// The kinds of artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "each is the language's type of that name")]
pub enum ArtifactKind {
    File,
    Dir,
    Dataset,
    Model,
    Metrics,
    History,
    Predictions,
    Plot,
    State,
    /// A JSON value that is no result by itself: the best epoch, small arithmetic.
    Value,
}

/// The fields of data.
pub type Fields = ByName<Datum>;

/// Data in a spec. Floats are compared and encoded by value, with -0.0 as 0.0; they are never NaN or infinite.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// null. As a field of `args` it is the same as no field.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string.
    Str(SmolStr),
    /// A list.
    List(Vec<Datum>),
    /// Fields, sorted.
    Map(Fields),
    /// A variant: a layer, loss, metric, codec, or an enum's value. As JSON `{"kind": name, …fields}`.
    Variant(SmolStr, Fields),
}
