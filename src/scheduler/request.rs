//! From a step whose inputs are there to a request that an executor can do: where inputs lie, what the call says, which
//! program it is.

use super::Build;
use super::chain::Chain;
use super::failure::{Attempt, not_started, store_failure};
use super::furnish::furnish;
use crate::executor::environment;
use crate::instantiate::{Resolution, ResolvedInput};
use crate::model::build::{BuildRequest, Channel, Isolation, Limits, Loaded};
use crate::model::datum;
use crate::model::derivation::{Builder, Derivation};
use crate::model::event::StepFailure;
use crate::model::graph::Step;
use crate::model::node::Node;
use crate::store::ProvideError;
use mlp_protocol::builtin::{self, NUMERICS_ENVIRONMENT, Program};
use mlp_protocol::call::{CALL_FILE, Call, ChainIo};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where states that exist lie in the build directory.
const STATES: &str = "states";
/// Where new states are made.
const NEW_STATES: &str = "new-states";
/// Below it the builtins' inputs are mounted.
const INPUTS: &str = "inputs/";

/// A request, and what must be looked at again after it.
pub(super) struct Made {
    pub(super) request: BuildRequest,
    /// Sources that are bound in place: their paths and what they were.
    pub(super) in_place: Vec<(String, Node)>,
}

/// Where a build happens.
pub(super) struct Where<'a> {
    pub(super) scratch: &'a Path,
    pub(super) log: &'a Path,
    /// Numbers of the GPUs that it is given.
    pub(super) gpus: &'a [u32],
}

/// The request that builds `step`, whose inputs came to `resolution`.
pub(super) fn request(
    build: &Build<'_>,
    step: &Step,
    resolution: &Resolution,
    chain: Option<&Chain>,
    place: &Where<'_>,
) -> Attempt<Made> {
    let derivation = &step.derivation;
    let mut in_place = Vec::new();
    let mut inputs = BTreeMap::new();
    for (mount, input) in &resolution.inputs {
        inputs.insert(mount.clone(), provide(build, input, &mut in_place)?);
    }
    if let Some(chain) = chain {
        for (epoch, state) in &chain.found {
            let path = build
                .store
                .materialise(state)
                .map_err(|error| store_failure(&error))?;
            inputs.insert(format!("{STATES}/epoch-{epoch}"), path);
        }
    }
    let tool = Tool::of(build, step, resolution, chain)?;
    let mut vars = environment::fixed(derivation.threads);
    vars.extend(tool.vars);
    vars.extend(resolution.vars.clone());
    if tool.channel == Channel::Events {
        environment::find_events_module(&mut vars);
    }
    inputs.extend(tool.inputs);
    let limits = Limits {
        cpus: step.resources.cpus,
        memory: step.resources.memory,
        time: step.resources.time.map(Duration::from_millis),
        disk: step.resources.disk,
        ..Limits::default()
    };
    let request = BuildRequest {
        label: step.name().to_owned(),
        argv: tool.argv,
        vars,
        cwd: derivation.cwd.clone().unwrap_or_default(),
        stdin: match &derivation.builder {
            Builder::Command { stdin, .. } => stdin.clone(),
            Builder::Builtin { .. } => None,
        },
        links: tool.links,
        files: tool.files,
        copies: BTreeMap::new(),
        inputs,
        closure: tool.closure,
        outputs: output_paths(derivation),
        states: chain.map(|_| NEW_STATES.to_owned()),
        scratch: place.scratch.to_owned(),
        log: place.log.to_owned(),
        limits,
        gpus: place.gpus.to_vec(),
        channel: tool.channel,
        isolation: tool.isolation,
        resident: tool.resident,
    };
    Ok(Made { request, in_place })
}

fn output_paths(derivation: &Derivation) -> BTreeMap<String, String> {
    derivation
        .outputs
        .iter()
        .map(|(name, output)| (name.to_string(), output.path.clone()))
        .collect()
}

/// Where an input lies on this machine. A source that was damaged in the store is copied again.
pub(super) fn provide(
    build: &Build<'_>,
    input: &ResolvedInput,
    in_place: &mut Vec<(String, Node)>,
) -> Attempt<PathBuf> {
    build
        .is_whole(&input.node)
        .map_err(|error| store_failure(&error))?;
    let Some(path) = &input.source else {
        return build
            .store
            .materialise(&input.node)
            .map_err(|error| store_failure(&error));
    };
    let provided = build
        .sources
        .provide(build.store, path, &input.node)
        .map_err(|error| source_failure(&error))?;
    if provided.in_place {
        in_place.push((path.clone(), input.node));
    }
    Ok(provided.place)
}

/// Why a source could not be read.
pub(super) fn source_failure(error: &ProvideError) -> Box<StepFailure> {
    match error {
        ProvideError::Changed { path } => Box::new(StepFailure::SourceChanged { path: path.clone() }),
        ProvideError::Absent { path } => Box::new(StepFailure::SourceAbsent { path: path.clone() }),
        ProvideError::Store(error) => store_failure(error),
    }
}

/// What is run, and with what around it.
struct Tool {
    argv: Vec<String>,
    files: BTreeMap<String, Vec<u8>>,
    closure: Vec<PathBuf>,
    channel: Channel,
    isolation: Isolation,
    /// What the environment adds.
    vars: BTreeMap<String, String>,
    inputs: BTreeMap<String, PathBuf>,
    links: BTreeMap<String, PathBuf>,
    resident: Option<Loaded>,
}

impl Tool {
    fn of(build: &Build<'_>, step: &Step, resolution: &Resolution, chain: Option<&Chain>) -> Attempt<Self> {
        let derivation = &step.derivation;
        let at_most = build.options.isolation;
        match &derivation.builder {
            Builder::Builtin { name, .. } => {
                let (program, closure) = build.programs.of(name)?;
                Ok(Self {
                    argv: vec![program.display().to_string()],
                    files: BTreeMap::from([(
                        CALL_FILE.to_owned(),
                        call(build, step, name, resolution, chain)?,
                    )]),
                    closure,
                    channel: Channel::Protocol,
                    isolation: at_most,
                    vars: BTreeMap::new(),
                    inputs: BTreeMap::new(),
                    links: BTreeMap::new(),
                    // Loading libtorch takes longer than a small training.
                    resident: builtin::find(name)
                        .is_some_and(|builtin| builtin.program == Program::Trainer)
                        .then_some(NUMERICS_ENVIRONMENT),
                })
            }
            Builder::Command { .. } => {
                let furnished = furnish(build, derivation, resolution)?;
                Ok(Self {
                    argv: resolution.argv.clone(),
                    files: BTreeMap::from([environment::events_module()]),
                    closure: furnished.closure,
                    channel: Channel::Events,
                    isolation: at_most.min(furnished.isolation),
                    vars: furnished.vars,
                    inputs: furnished.inputs,
                    links: furnished.links,
                    resident: None,
                })
            }
        }
    }
}

/// `call.json`.
fn call(
    build: &Build<'_>,
    step: &Step,
    builtin: &str,
    resolution: &Resolution,
    chain: Option<&Chain>,
) -> Attempt<Vec<u8>> {
    let derivation = &step.derivation;
    let name = |mount: &String| mount.strip_prefix(INPUTS).unwrap_or(mount).to_owned();
    let call = Call {
        builtin: builtin.to_owned(),
        args: datum::to_json(&derivation.args),
        // Of a training that diverged there is nothing to read.
        inputs: resolution
            .inputs
            .keys()
            .map(|mount| (name(mount), mount.clone()))
            .collect(),
        outputs: output_paths(derivation),
        workers: step.resources.cpus.unwrap_or(build.options.workers),
        chain: chain.map(|chain| ChainIo {
            have: chain
                .found
                .keys()
                .map(|epoch| (*epoch, format!("{STATES}/epoch-{epoch}")))
                .collect(),
            new: NEW_STATES.to_owned(),
        }),
    };
    serde_json::to_vec_pretty(&call).map_err(|error| {
        not_started(
            format!("the call of `{builtin}` cannot be written: {error}"),
            None,
        )
    })
}
