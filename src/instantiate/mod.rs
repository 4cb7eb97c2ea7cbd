//! From what the language evaluated to the graph of steps: equal specs are one step, only what targets demand is in it,
//! and every step has its static key. Pure: sources come digested, the machine comes described. Talks to `model` and to
//! the language's specs.
//!
//! Names, spans, resources and the place of the checkout enter no key. What is hashed is written down by
//! `docs/design/encoding.md`; [`differences`] reads the very bytes that were hashed.

mod chain;
mod command;
mod demand;
mod environment;
mod explain;
mod gaps;
mod locators;
mod material;
mod mount;
mod problem;
mod reads;
mod resolve;
mod static_key;

pub use chain::{ChainError, chain_keys};
pub use demand::{environments, requests};
pub use environment::ENVIRONMENT_OUTPUT;
pub use explain::{Difference, Hashed, Referred, differences, in_words};
pub use gaps::{can_be_built, not_yet};
pub use locators::addresses;
pub use problem::narrowed;
pub use reads::{Nothing, Reads, output_of, reads, reads_of, references};
pub use resolve::{Known, Resolution, ResolvedInput, Unresolved, resolve};

use crate::base::digest::Digest;
use crate::model::datum;
use crate::model::derivation::{self, Derivation, Output, Reference};
use crate::model::environment::EnvironmentTable;
use crate::model::graph::{Graph, Step, StepId, Target};
use crate::model::source::{SourceContent, SourceRequest, SourceTable};
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::Span;
use mlp_lang::spec::{
    ArtifactKind, Builder, ByName, Datum, DerivationSpec, Evaluation, Fields, InputSource, LateValue, SpecId,
    TargetArtifact,
};
use mlp_protocol::builtin::{self, NUMERICS, Program};
use std::collections::{HashMap, HashSet};

/// What of the machine decides bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The class of its processor: `crate::base::processor::class`.
    pub cpu: String,
    /// The class of its GPUs, where a trainer can use one.
    pub cuda: Option<String>,
}

/// The graph of what the targets demand. `sources` answers [`requests`], `environments` answers [`environments`].
///
/// What steps are made of is taken out of the evaluation, so that a hundred thousand of them are never held twice: its specs
/// keep their names, origins and outputs.
pub fn instantiate(
    evaluation: &mut Evaluation,
    sources: &SourceTable,
    environments: &EnvironmentTable,
    machine: &Machine,
) -> Result<Graph, Vec<Diagnostic>> {
    let demanded = demand::demanded(evaluation);
    let mut instantiation = Instantiation {
        sources,
        environments,
        machine,
        graph: Graph {
            steps: Vec::with_capacity(demanded.len()),
            targets: Vec::new(),
        },
        steps: vec![None; evaluation.specs.len()],
        by_key: HashMap::new(),
        errors: Vec::new(),
        evaluation,
    };
    instantiation.check_sources();
    for index in demanded {
        instantiation.step(index);
    }
    instantiation.graph.steps.iter_mut().for_each(name_once);
    instantiation.targets();
    let Instantiation {
        graph, mut errors, ..
    } = instantiation;
    // In the order of the file; an error that was found for several steps is one.
    errors.sort_by_key(Diagnostic::span);
    errors.dedup();
    if errors.is_empty() { Ok(graph) } else { Err(errors) }
}

/// The canonical bytes of a step's static key: what the store keeps as its derivation, and [`differences`] compares.
pub fn static_bytes(graph: &Graph, id: StepId) -> Result<Vec<u8>, crate::base::encoding::EncodeError> {
    let keys = &|step: StepId| graph.step(step).static_key;
    static_key::bytes(
        &graph.step(id).derivation,
        &mut static_key::StaticKeys { of: keys },
    )
}

struct Instantiation<'e> {
    evaluation: &'e mut Evaluation,
    sources: &'e SourceTable,
    environments: &'e EnvironmentTable,
    machine: &'e Machine,
    graph: Graph,
    /// The step of each spec that was met.
    steps: Vec<Option<StepId>>,
    /// Looked up, never iterated.
    by_key: HashMap<Digest, StepId>,
    errors: Vec<Diagnostic>,
}

/// Holds once what a step has in common with the one before it: in a sweep that is nearly everything.
fn share(derivation: &mut Derivation, before: &Derivation) {
    if derivation.env == before.env {
        derivation.env.clone_from(&before.env);
    }
    derivation.outputs.share(&before.outputs);
    derivation.inputs.share(&before.inputs);
    derivation.vars.share(&before.vars);
}

/// Leaves each name of a step once, where it stands first.
fn name_once(step: &mut Step) {
    if step.names.len() > 1 {
        let mut met = HashSet::new();
        step.names.retain(|name| met.insert(name.clone()));
    }
}

/// A spec cannot be instantiated; why is among the errors already, of it or of one that it reads.
struct Reported;

impl Instantiation<'_> {
    /// Reports each source that cannot be used, once, where it is first named.
    fn check_sources(&mut self) {
        let is_fine = |content: &Result<SourceContent, _>| match content {
            Ok(SourceContent::Node(node)) => !node.is_dir(),
            Ok(SourceContent::Files(_)) => true,
            Err(_) => false,
        };
        // Where each is named is of interest only where one of them is wrong.
        if self.sources.values().all(is_fine) {
            return;
        }
        for (request, (span, of)) in demand::first_places(self.evaluation) {
            match (self.sources.get(&request), &request, of) {
                (Some(Err(problem)), _, _) => self.errors.push(problem::source(&request, problem, span)),
                (Some(Ok(SourceContent::Node(node))), SourceRequest::Path(path), Some((builtin, input)))
                    if node.is_dir() && builtin::wants_file(&builtin, &input) =>
                {
                    self.errors.push(problem::directory(path, &builtin, span));
                }
                _ => {}
            }
        }
    }

    fn step(&mut self, index: usize) {
        let spec = self.evaluation.specs[index].take();
        if let Ok(derivation) = self.derivation(&spec) {
            let step = Step {
                derivation,
                static_key: Digest::of_blob(b""),
                locators: locators::of(&spec),
                names: vec![spec.name],
                origin: spec.origin,
                resources: spec.resources,
            };
            self.steps[index] = self.add(step);
        }
    }

    /// Adds a step that has no key yet, or its names to the one that has the same key; none where it cannot be hashed.
    fn add(&mut self, mut step: Step) -> Option<StepId> {
        let keys = &|step: StepId| self.graph.step(step).static_key;
        let key = match static_key::bytes(&step.derivation, &mut static_key::StaticKeys { of: keys }) {
            Ok(bytes) => static_key::key(&bytes),
            Err(error) => {
                let message = format!("`{}` cannot be hashed: {error}", step.name());
                self.errors
                    .push(Diagnostic::error("E0511", step.origin.span, message));
                return None;
            }
        };
        let next = StepId(u32::try_from(self.graph.steps.len()).unwrap_or(u32::MAX));
        let id = *self.by_key.entry(key).or_insert(next);
        if id == next {
            step.static_key = key;
            if let Some(before) = self.graph.steps.last() {
                share(&mut step.derivation, &before.derivation);
            }
            self.graph.steps.push(step);
        } else {
            let known = &mut self.graph.steps[id.0 as usize];
            known.names.extend(step.names);
            // The same content may be written down with other addresses: each is as good.
            locators::join(&mut known.locators, step.locators);
        }
        Some(id)
    }

    fn derivation(&mut self, spec: &DerivationSpec) -> Result<Derivation, Reported> {
        match &spec.builder {
            Builder::Builtin(name) => self.builtin(spec, name),
            Builder::Command(command) => self.command(spec, command),
        }
    }

    fn builtin(&mut self, spec: &DerivationSpec, name: &str) -> Result<Derivation, Reported> {
        let Some(builtin) = builtin::find(name) else {
            let message = format!("this mlp cannot build `{name}`");
            let error = Diagnostic::error("E0508", spec.origin.span, message);
            return self.report(error.help("use a version of mlp that can"));
        };
        let trains = builtin.program == Program::Trainer;
        let mut args = datum::without_nulls(&spec.args);
        locators::take_out(name, &mut args);
        let device_class = match &mut args {
            Datum::Map(fields) if trains => self.device(spec, fields)?,
            _ => None,
        };
        let inputs = spec.inputs.iter().map(|(name, input)| {
            let reference = self.reference(&input.source, input.span)?;
            Ok((mount::of_input(name), reference))
        });
        let inputs = inputs.collect::<Result<_, Reported>>()?;
        Ok(Derivation {
            builder: derivation::Builder::Builtin {
                name: name.to_owned(),
                version: builtin.version,
                numerics: trains.then(|| NUMERICS.to_owned()),
            },
            args,
            env: None,
            vars: ByName::new(),
            cwd: None,
            inputs,
            outputs: outputs(spec, mount::of_output),
            threads: 1,
            device_class,
        })
    }

    /// Writes the device that `auto` is here into the arguments, and gives its class.
    fn device(&mut self, spec: &DerivationSpec, args: &mut Fields) -> Result<Option<String>, Reported> {
        let Some(Datum::Str(device)) = args.get_mut("device") else {
            return Ok(None);
        };
        if device == "auto" {
            *device = if self.machine.cuda.is_some() {
                "cuda"
            } else {
                "cpu"
            }
            .into();
        }
        match (device.as_str(), &self.machine.cuda) {
            ("cpu", _) => Ok(Some(self.machine.cpu.clone())),
            ("cuda", Some(class)) => Ok(Some(class.clone())),
            (device, _) => {
                let span = spec
                    .origin
                    .arguments
                    .get("device")
                    .copied()
                    .unwrap_or(spec.origin.span);
                let error = Diagnostic::error("E0507", span, format!("there is no `{device}` device here"));
                self.report(
                    error
                        .at("not on this machine")
                        .help("leave `device` out: `auto` takes what is here"),
                )
            }
        }
    }

    fn reference(&mut self, source: &InputSource, span: Span) -> Result<Reference, Reported> {
        match source {
            InputSource::Source(path) => match self.sources.get(&SourceRequest::Path(path.clone())) {
                Some(Ok(SourceContent::Node(node))) => Ok(Reference::Source {
                    path: path.clone(),
                    node: *node,
                }),
                _ => Err(Reported),
            },
            InputSource::Glob(glob) => {
                let message =
                    format!("`{glob}` may match several files, and one file or directory belongs here");
                let error = Diagnostic::error("E0509", span, message);
                self.report(error.help("name the directory: `./data` takes all files in it"))
            }
            InputSource::Output { spec, output } if self.is_observed(*spec, output) => {
                let message = format!(
                    "`{output}` is observed: it differs from run to run, so nothing can depend on it"
                );
                let error = Diagnostic::error("E0514", span, message).at("is an observed output");
                self.report(
                    error.help("leave `observed = true` out where it is declared, or do not use it here"),
                )
            }
            InputSource::Output { spec, output } if self.is_state(*spec, output) => {
                let message = format!(
                    "`{output}` is the state that its step goes on from: it is no result, so nothing can depend on it"
                );
                let error = Diagnostic::error("E0514", span, message).at("is a state");
                self.report(error.help(
                    "have the step write what others need as an output of its own: `File`, `Dir`, `Model`",
                ))
            }
            InputSource::Output { spec, output } => match self.steps.get(spec.0 as usize) {
                Some(Some(step)) => Ok(Reference::Output {
                    step: *step,
                    output: output.to_string(),
                }),
                _ => Err(Reported),
            },
            InputSource::Chosen { index, candidates } => {
                let index = Box::new(self.late(index, span)?);
                let candidates = candidates.iter().map(|source| self.reference(source, span));
                Ok(Reference::Chosen {
                    index,
                    candidates: candidates.collect::<Result<_, _>>()?,
                })
            }
        }
    }

    fn is_observed(&self, spec: SpecId, output: &str) -> bool {
        let spec = self.evaluation.specs.get(spec.0 as usize);
        spec.and_then(|spec| spec.outputs.get(output))
            .is_some_and(|output| output.observed)
    }

    /// Whether a target is no result, and another one of the same step among `targets` is.
    fn comes_with_another(&self, target: &InputSource, targets: &[TargetArtifact]) -> bool {
        let is_result =
            |spec: SpecId, output: &str| !self.is_observed(spec, output) && !self.is_state(spec, output);
        let InputSource::Output { spec, output } = target else {
            return false;
        };
        let same = |other: &TargetArtifact| match &other.source {
            InputSource::Output { spec: own, output } => own == spec && is_result(*own, output),
            _ => false,
        };
        !is_result(*spec, output) && targets.iter().any(same)
    }

    fn is_state(&self, spec: SpecId, output: &str) -> bool {
        let spec = self.evaluation.specs.get(spec.0 as usize);
        let output = spec.and_then(|spec| spec.outputs.get(output));
        output.is_some_and(|output| output.kind == ArtifactKind::State)
    }

    fn late(&mut self, late: &LateValue, span: Span) -> Result<(Reference, Vec<String>), Reported> {
        Ok((self.reference(&late.source, span)?, late.path.clone()))
    }

    fn targets(&mut self) {
        let targets = std::mem::take(&mut self.evaluation.targets);
        for target in &targets {
            // A source is there already. What is no result comes about with the results of its step.
            if let InputSource::Source(_) | InputSource::Glob(_) = &target.source {
                continue;
            }
            if self.comes_with_another(&target.source, &targets) {
                continue;
            }
            // A reference fails only where what it refers to did, which was said there.
            let Some(span) = self.place_of(&target.source) else {
                continue;
            };
            if let Ok(source) = self.reference(&target.source, span) {
                self.graph.targets.push(Target {
                    label: target.label.clone(),
                    source,
                    kind: target.kind,
                });
            }
        }
        self.evaluation.targets = targets;
    }

    /// Where the first step that a source comes from was written.
    fn place_of(&self, source: &InputSource) -> Option<Span> {
        let mut first = None;
        demand::each_output(source, &mut |index| first = first.or(Some(index)));
        Some(self.evaluation.specs.get(first?)?.origin.span)
    }

    fn report<T>(&mut self, error: Diagnostic) -> Result<T, Reported> {
        self.errors.push(error);
        Err(Reported)
    }
}

/// The outputs of a spec; a builtin is told where by `place`.
fn outputs(spec: &DerivationSpec, place: impl Fn(&str) -> String) -> ByName<Output> {
    let outputs = spec.outputs.iter().map(|(name, output)| {
        let path = output.path.clone().unwrap_or_else(|| place(name));
        let output = Output {
            kind: output.kind,
            path,
            schema: output.schema.clone(),
            optional: output.optional,
            observed: output.observed,
        };
        (name.clone(), output)
    });
    outputs.collect()
}

#[cfg(test)]
mod tests;
