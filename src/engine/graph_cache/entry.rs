//! What is remembered of a question, as bytes and back.

use super::super::workspace::{Basis, Instance};
use crate::base::digest::Digest;
use crate::instantiate::{Nothing, reads_of};
use crate::model::derivation::{Builder, Derivation, Output, Reference};
use crate::model::graph::{Graph, Step, StepId, Target};
use crate::model::source::SourceRequest;
use mlp_lang::source::{SourceId, Span};
use mlp_lang::spec::{ArtifactKind, ByName, Datum, EnvRef, Environment, Fields, Origin, Resources};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// What is remembered of a question.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Files that the language read.
    pub(super) read: Vec<(String, Digest)>,
    /// The graph, where one was asked for.
    pub(super) graph: Option<Known>,
}

/// What decides a graph besides the pipeline's text, and as much of the graph as finds results.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    paths: Vec<String>,
    globs: Vec<String>,
    environments: Vec<Pinned>,
    /// What all these came to: [`Basis::answer`].
    answer: Digest,
    steps: Vec<KnownStep>,
    targets: Vec<KnownTarget>,
}

/// [`EnvRef`].
#[derive(Debug, Serialize, Deserialize)]
enum Pinned {
    Flake { file: String, shell: String },
    Python { lock: String, python: String },
    Host { tools: Vec<String> },
}

#[derive(Debug, Serialize, Deserialize)]
struct KnownStep {
    names: Vec<String>,
    key: Digest,
    builder: String,
    outputs: Vec<(String, KnownOutput)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KnownOutput {
    kind: String,
    path: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct KnownTarget {
    label: String,
    kind: String,
    source: KnownSource,
}

/// A reference to an output, by the position of its step in [`Known::steps`].
#[derive(Debug, Serialize, Deserialize)]
enum KnownSource {
    Output(u32, String),
    Chosen(Box<(KnownSource, Vec<String>)>, Vec<KnownSource>),
}

/// What is remembered as bytes, with a digest of them.
pub(super) fn encode(known: &impl Serialize) -> Option<Vec<u8>> {
    let mut bytes = serde_json::to_vec(known).ok()?;
    let digest = Digest::of_blob(&bytes);
    bytes.extend_from_slice(format!("\n{digest}\n").as_bytes());
    Some(bytes)
}

/// What [`encode`] wrote; none where the bytes are not whole.
pub(super) fn decode<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Option<T> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (line, digest) = text.strip_suffix('\n')?.rsplit_once('\n')?;
    let is_whole = digest.parse() == Ok(Digest::of_blob(line.as_bytes()));
    is_whole.then(|| serde_json::from_str(line).ok())?
}

impl Known {
    /// What is known of `instance`; nothing where there was something to say of it.
    pub(crate) fn of(instance: &Instance) -> Option<Self> {
        if !instance.warnings.is_empty() {
            return None;
        }
        let graph = &instance.graph;
        let basis = instance.basis.as_ref()?;
        let (mut paths, mut globs) = (Vec::new(), Vec::new());
        for request in &basis.requests {
            match request {
                SourceRequest::Path(path) => paths.push(path.clone()),
                SourceRequest::Glob(glob) => globs.push(glob.clone()),
            }
        }
        let mut kept = BTreeSet::new();
        for target in &graph.targets {
            let reads = reads_of(&target.source, &Nothing);
            kept.extend(reads.must.into_iter().chain(reads.may).map(|(step, _)| step));
        }
        let kept: Vec<StepId> = kept.into_iter().collect();
        let targets = graph.targets.iter().map(|target| {
            Some(KnownTarget {
                label: target.label.clone(),
                kind: name(target.kind),
                source: KnownSource::of(&target.source, &kept)?,
            })
        });
        Some(Self {
            paths,
            globs,
            environments: basis.environments.iter().map(Pinned::of).collect(),
            answer: basis.answer,
            steps: kept.iter().map(|step| KnownStep::of(graph.step(*step))).collect(),
            targets: targets.collect::<Option<_>>()?,
        })
    }

    /// What the project is to be asked.
    pub(crate) fn requests(&self) -> BTreeSet<SourceRequest> {
        let paths = self.paths.iter().cloned().map(SourceRequest::Path);
        paths
            .chain(self.globs.iter().cloned().map(SourceRequest::Glob))
            .collect()
    }

    /// The environments that are to be described.
    pub(crate) fn environments(&self) -> Vec<Environment> {
        let environment = |pinned: &Pinned| Environment {
            kind: pinned.as_ref(),
            origin: nowhere(),
        };
        self.environments.iter().map(environment).collect()
    }

    /// The graph, if `basis` is what it was made of.
    pub(crate) fn graph(&self, basis: &Basis) -> Option<Graph> {
        if basis.answer != self.answer {
            return None;
        }
        let steps = self.steps.iter().map(KnownStep::step).collect::<Option<_>>()?;
        let target = |target: &KnownTarget| {
            Some(Target {
                label: target.label.clone(),
                source: target.source.reference(self.steps.len())?,
                kind: kind(&target.kind)?,
            })
        };
        let targets = self.targets.iter().map(target).collect::<Option<_>>()?;
        Some(Graph { steps, targets })
    }
}

impl Pinned {
    fn of(kind: &EnvRef) -> Self {
        match kind.clone() {
            EnvRef::Flake { file, shell } => Self::Flake { file, shell },
            EnvRef::Python { lock, python } => Self::Python { lock, python },
            EnvRef::Host { tools } => Self::Host { tools },
        }
    }

    fn as_ref(&self) -> EnvRef {
        match self {
            Self::Flake { file, shell } => EnvRef::Flake {
                file: file.clone(),
                shell: shell.clone(),
            },
            Self::Python { lock, python } => EnvRef::Python {
                lock: lock.clone(),
                python: python.clone(),
            },
            Self::Host { tools } => EnvRef::Host { tools: tools.clone() },
        }
    }
}

impl KnownStep {
    fn of(step: &Step) -> Self {
        let output = |(name, output): (&SmolStr, &Output)| {
            let known = KnownOutput {
                kind: self::name(output.kind),
                path: output.path.clone(),
            };
            (name.to_string(), known)
        };
        Self {
            names: step.names.clone(),
            key: step.static_key,
            builder: match &step.derivation.builder {
                Builder::Builtin { name, .. } => name.clone(),
                Builder::Command { .. } => "command".to_owned(),
            },
            outputs: step.derivation.outputs.iter().map(output).collect(),
        }
    }

    /// A step that can be found, and never built: it says nothing of its inputs.
    fn step(&self) -> Option<Step> {
        let output = |(name, output): &(String, KnownOutput)| {
            let output = Output {
                kind: kind(&output.kind)?,
                path: output.path.clone(),
                schema: Datum::Null,
                optional: false,
                observed: false,
            };
            Some((name.clone(), output))
        };
        let builder = Builder::Builtin {
            name: self.builder.clone(),
            version: 0,
            numerics: None,
        };
        Some(Step {
            derivation: Derivation {
                builder,
                args: Datum::Map(Fields::new()),
                env: None,
                vars: ByName::new(),
                cwd: None,
                inputs: ByName::new(),
                outputs: self.outputs.iter().map(output).collect::<Option<_>>()?,
                threads: 1,
                device_class: None,
            },
            static_key: self.key,
            names: self.names.clone(),
            origin: nowhere(),
            resources: Resources::default(),
            locators: BTreeMap::new(),
        })
    }
}

impl KnownSource {
    fn of(reference: &Reference, kept: &[StepId]) -> Option<Self> {
        match reference {
            Reference::Source { .. } => None,
            Reference::Output { step, output } => {
                let position = kept.binary_search(step).ok()?;
                Some(Self::Output(u32::try_from(position).ok()?, output.clone()))
            }
            Reference::Chosen { index, candidates } => {
                let (reference, path) = &**index;
                let candidates = candidates.iter().map(|candidate| Self::of(candidate, kept));
                Some(Self::Chosen(
                    Box::new((Self::of(reference, kept)?, path.clone())),
                    candidates.collect::<Option<_>>()?,
                ))
            }
        }
    }

    fn reference(&self, steps: usize) -> Option<Reference> {
        match self {
            Self::Output(step, output) => ((*step as usize) < steps).then(|| Reference::Output {
                step: StepId(*step),
                output: output.clone(),
            }),
            Self::Chosen(index, candidates) => {
                let (reference, path) = &**index;
                let candidates = candidates.iter().map(|candidate| candidate.reference(steps));
                Some(Reference::Chosen {
                    index: Box::new((reference.reference(steps)?, path.clone())),
                    candidates: candidates.collect::<Option<_>>()?,
                })
            }
        }
    }
}

/// No place: nothing that is remembered is ever complained about.
fn nowhere() -> Origin {
    Origin {
        span: Span {
            source: SourceId(0),
            start: 0,
            end: 0,
        },
        arguments: ByName::default(),
    }
}

/// All kinds of artifact.
const KINDS: [ArtifactKind; 10] = [
    ArtifactKind::File,
    ArtifactKind::Dir,
    ArtifactKind::Dataset,
    ArtifactKind::Model,
    ArtifactKind::Metrics,
    ArtifactKind::History,
    ArtifactKind::Predictions,
    ArtifactKind::Plot,
    ArtifactKind::State,
    ArtifactKind::Value,
];

fn name(kind: ArtifactKind) -> String {
    format!("{kind:?}")
}

fn kind(name: &str) -> Option<ArtifactKind> {
    KINDS.into_iter().find(|kind| self::name(*kind) == name)
}
