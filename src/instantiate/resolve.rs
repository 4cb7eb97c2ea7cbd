//! Resolved keys: a derivation with what its inputs came to. One walk gives the key and what a build needs, so that what
//! is hashed and what is mounted cannot come apart.

use super::material::{self, ENVIRONMENT, WriteReference};
use crate::base::digest::{Context, Digest};
use crate::base::encoding::{EncodeError, Writer};
use crate::model::datum;
use crate::model::derivation::{Builder, Piece, Reference};
use crate::model::graph::{Graph, StepId};
use crate::model::node::Node;
use crate::model::record::{DIVERGED, Dependency};
use mlp_lang::spec::Datum;
use mlp_protocol::builtin;
use std::collections::BTreeMap;

/// What is known of the steps that stand before one.
pub trait Known {
    /// What an output came to: none where that is not known yet, `Some(None)` where an optional output was not written.
    fn output(&self, step: StepId, output: &str) -> Option<Option<Node>>;

    /// The JSON in a file; the error is a sentence.
    fn json(&self, node: &Node) -> Result<serde_json::Value, String>;
}

/// A derivation whose inputs are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// The resolved key.
    pub key: Digest,
    /// The environment.
    pub env: Option<Node>,
    /// Inputs by mount path.
    pub inputs: BTreeMap<String, ResolvedInput>,
    /// A command's arguments, with the paths of inputs relative to its working directory; empty for a builtin.
    pub argv: Vec<String>,
    /// Environment variables that the pipeline gives.
    pub vars: BTreeMap<String, String>,
    /// What the trace of the step notes.
    pub dependencies: Vec<Dependency>,
}

/// An input that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedInput {
    /// Its content.
    pub node: Node,
    /// Where it lies in the project, for a source.
    pub source: Option<String>,
}

/// Why a derivation cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// A step must be built first.
    #[error("a step must be built first")]
    Unknown(StepId),
    /// An output that may be missing is, and is needed.
    #[error("the output `{output}` was not written, and it is an input here")]
    Absent {
        /// The step.
        step: StepId,
        /// The output.
        output: String,
    },
    /// The step diverged, and what it would have given is needed.
    #[error("a training that is read here diverged")]
    Diverged(StepId),
    /// A value that should be in an output is not.
    #[error("{0}")]
    Value(String),
    /// A value that cannot be hashed.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Resolves the step `id` of `graph`.
pub fn resolve(graph: &Graph, id: StepId, known: &impl Known) -> Result<Resolution, Unresolved> {
    let derivation = &graph.step(id).derivation;
    let takes_diverged = match &derivation.builder {
        Builder::Builtin { name, .. } => builtin::computes_with_figures(name),
        Builder::Command { .. } => false,
    };
    let mut resolver = Resolver {
        graph,
        known,
        takes_diverged,
        inputs: BTreeMap::new(),
        env: None,
        values: Vec::new(),
        dependencies: BTreeMap::new(),
        unresolved: None,
    };
    let bytes = material::encode(derivation, &mut resolver);
    // A step that must be built first is the better answer: what else is wrong is seen once it is there.
    if let Some(unresolved) = resolver.unresolved {
        return Err(unresolved);
    }
    let key = Digest::of(Context::ResolvedKey, &bytes?);
    // Values come in the order of the walk: arguments first, then variables.
    let mut values = resolver.values.into_iter();
    let mut text = |pieces: &[Piece]| -> String {
        let parts = pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.to_string(),
            Piece::Mount(path) => from_cwd(derivation.cwd.as_deref(), path),
            Piece::Late(..) => values.next().unwrap_or_default(),
        });
        parts.collect()
    };
    let argv = match &derivation.builder {
        Builder::Builtin { .. } => Vec::new(),
        Builder::Command { argv, .. } => argv.iter().map(|pieces| text(pieces)).collect(),
    };
    let vars = derivation.vars.iter();
    let vars = vars
        .map(|(name, pieces)| (name.to_string(), text(pieces)))
        .collect();
    let dependencies = resolver.dependencies.into_iter();
    let dependencies = dependencies.map(|((step, output), node)| Dependency {
        static_key: graph.step(step).static_key,
        output,
        node,
    });
    Ok(Resolution {
        key,
        env: resolver.env,
        inputs: resolver.inputs,
        argv,
        vars,
        dependencies: dependencies.collect(),
    })
}

/// The path `inside` the build directory as seen from the working directory below it.
fn from_cwd(cwd: Option<&str>, inside: &str) -> String {
    let depth = cwd.map_or(0, |cwd| {
        cwd.split('/').filter(|name| !matches!(*name, "" | ".")).count()
    });
    "../".repeat(depth) + inside
}

/// Writes references by what they came to, and notes it.
struct Resolver<'r, K> {
    graph: &'r Graph,
    known: &'r K,
    /// Whether an input may be missing because a training diverged.
    takes_diverged: bool,
    inputs: BTreeMap<String, ResolvedInput>,
    env: Option<Node>,
    values: Vec<String>,
    dependencies: BTreeMap<(StepId, String), Node>,
    unresolved: Option<Unresolved>,
}

impl<K: Known> WriteReference for Resolver<'_, K> {
    fn input(&mut self, at: &str, reference: &Reference, writer: &mut Writer) {
        match self.reference(reference) {
            Ok(input) => {
                input.node.write(writer);
                if at == ENVIRONMENT {
                    self.env = Some(input.node);
                } else {
                    self.inputs.insert(at.to_owned(), input);
                }
            }
            Err(Unresolved::Diverged(_)) if self.takes_diverged => writer.null(),
            Err(unresolved) => self.fail(unresolved, writer),
        }
    }

    fn late(&mut self, reference: &Reference, path: &[String], writer: &mut Writer) {
        match self.value(reference, path) {
            Ok(value) => {
                writer.variant("value", |map| {
                    map.entry("value", |writer| datum::write(&value, writer));
                });
                self.values.push(datum::to_text(&value));
            }
            Err(unresolved) => self.fail(unresolved, writer),
        }
    }
}

impl<K: Known> Resolver<'_, K> {
    fn fail(&mut self, unresolved: Unresolved, writer: &mut Writer) {
        writer.null();
        let unknown = matches!(unresolved, Unresolved::Unknown(_));
        if self.unresolved.is_none() || unknown && !matches!(self.unresolved, Some(Unresolved::Unknown(_))) {
            self.unresolved = Some(unresolved);
        }
    }

    fn reference(&mut self, reference: &Reference) -> Result<ResolvedInput, Unresolved> {
        match reference {
            Reference::Source { path, node } => Ok(ResolvedInput {
                node: *node,
                source: Some(path.clone()),
            }),
            Reference::Output { step, output } => {
                let node = self.output(*step, output)?;
                Ok(ResolvedInput { node, source: None })
            }
            Reference::Chosen { index, candidates } => {
                let (chooser, path) = &**index;
                let position = self.value(chooser, path)?;
                let chosen = match position {
                    Datum::Int(position) => usize::try_from(position).ok().and_then(|at| candidates.get(at)),
                    _ => None,
                };
                let none =
                    || Unresolved::Value(format!("there is no candidate {}", datum::to_text(&position)));
                self.reference(chosen.ok_or_else(none)?)
            }
        }
    }

    fn output(&mut self, step: StepId, output: &str) -> Result<Node, Unresolved> {
        let node = self.known.output(step, output).ok_or(Unresolved::Unknown(step))?;
        if let Some(node) = node {
            self.dependencies.insert((step, output.to_owned()), node);
            return Ok(node);
        }
        match self.known.output(step, DIVERGED).flatten() {
            Some(why) => {
                self.dependencies.insert((step, DIVERGED.to_owned()), why);
                Err(Unresolved::Diverged(step))
            }
            None => Err(Unresolved::Absent {
                step,
                output: output.to_owned(),
            }),
        }
    }

    fn value(&mut self, reference: &Reference, path: &[String]) -> Result<Datum, Unresolved> {
        let input = self.reference(reference)?;
        let json = self.known.json(&input.node).map_err(Unresolved::Value)?;
        let whose = match reference {
            Reference::Output { step, output } => format!("`{}.{output}`", self.graph.step(*step).name()),
            Reference::Source { path, .. } => format!("`{path}`"),
            Reference::Chosen { .. } => "what was chosen".to_owned(),
        };
        let found = path.iter().try_fold(&json, |json, name| part(json, name));
        let found =
            found.ok_or_else(|| Unresolved::Value(format!("there is no `{}` in {whose}", path.join("."))))?;
        datum::from_json(found)
            .ok_or_else(|| Unresolved::Value(format!("`{}` in {whose} is beyond 64 bits", path.join("."))))
    }
}

/// A field, or an element of a list by its position.
pub(super) fn part<'v>(json: &'v serde_json::Value, name: &str) -> Option<&'v serde_json::Value> {
    match json {
        serde_json::Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        json => json.get(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_inputs_are_seen_from_the_working_directory() {
        assert_eq!(from_cwd(None, "inputs/a"), "inputs/a");
        assert_eq!(from_cwd(Some("src/./deep"), "inputs/a"), "../../inputs/a");
    }
}
