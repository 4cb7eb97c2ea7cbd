//! A step as somebody enters it who wants to look around: what it would be built with, and nothing is built.

use super::Build;
use super::failure::not_started;
use super::request::{Where, request};
use crate::instantiate::{Known, resolve};
use crate::model::build::{BuildRequest, Limits};
use crate::model::event::StepFailure;
use crate::model::graph::StepId;
use std::collections::BTreeSet;
use std::path::Path;

/// What a step would be built with.
#[derive(Debug)]
pub struct Visited {
    /// The request, without bounds: whoever looks around takes his time.
    pub request: BuildRequest,
    /// Where its sources are mounted, which is their path from the project's root.
    pub sources: BTreeSet<String>,
}

/// The request of a step all of whose inputs are `known`, in the empty folder `scratch`.
pub fn visit(
    build: &Build<'_>,
    id: StepId,
    known: &impl Known,
    scratch: &Path,
) -> Result<Visited, Box<StepFailure>> {
    let step = build.graph.step(id);
    let resolution = resolve(build.graph, id, known)
        .map_err(|error| not_started(format!("an input cannot be used: {error}"), None))?;
    let place = Where {
        scratch,
        log: &scratch.join("log"),
        gpus: &[],
    };
    let mut request = request(build, step, &resolution, None, &place)?.request;
    request.limits = Limits::default();
    let sources = resolution.inputs.iter();
    let sources = sources.filter(|(_, input)| input.source.is_some());
    Ok(Visited {
        request,
        sources: sources.map(|(mount, _)| mount.clone()).collect(),
    })
}
