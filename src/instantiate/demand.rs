//! What the targets demand of an evaluation: its specs and its sources.

use crate::model::source::SourceRequest;
use mlp_lang::source::Span;
use mlp_lang::spec::{Builder, DerivationSpec, Environment, Evaluation, InputSource, Piece};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The sources that the targets of `evaluation` read, to be digested.
pub fn requests(evaluation: &Evaluation) -> BTreeSet<SourceRequest> {
    let mut requests = BTreeSet::new();
    for spec in demanded(evaluation) {
        each_source(&evaluation.specs[spec], &mut |source, _| {
            requests.extend(request(source));
        });
    }
    requests
}

/// The environments of the steps that the targets of `evaluation` need, to be described: each once, where it is first named.
pub fn environments(evaluation: &Evaluation) -> Vec<Arc<Environment>> {
    let mut found: Vec<Arc<Environment>> = Vec::new();
    for spec in demanded(evaluation) {
        if let Some(env) = &evaluation.specs[spec].env
            && !found.iter().any(|known| known.kind == env.kind)
        {
            found.push(Arc::clone(env));
        }
    }
    found
}

/// What `source` asks of the project.
pub(super) fn request(source: &InputSource) -> Option<SourceRequest> {
    match source {
        InputSource::Source(path) => Some(SourceRequest::Path(path.clone())),
        InputSource::Glob(glob) => Some(SourceRequest::Glob(glob.clone())),
        InputSource::Output { .. } | InputSource::Chosen { .. } => None,
    }
}

/// Indices of the specs that the targets need, ascending: each after those that it reads.
pub(super) fn demanded(evaluation: &Evaluation) -> Vec<usize> {
    let mut is_demanded = vec![false; evaluation.specs.len()];
    let demand = |source: &InputSource, is_demanded: &mut Vec<bool>| {
        if let Some(mark) = spec_of(source).and_then(|spec| is_demanded.get_mut(spec)) {
            *mark = true;
        }
    };
    for target in &evaluation.targets {
        each_leaf(&target.source, &mut |leaf| demand(leaf, &mut is_demanded));
    }
    // A spec stands after those that it reads, so one pass from the end meets them all.
    for index in (0..evaluation.specs.len()).rev() {
        if is_demanded[index] {
            each_source(&evaluation.specs[index], &mut |source, _| {
                demand(source, &mut is_demanded);
            });
        }
    }
    (0..is_demanded.len())
        .filter(|index| is_demanded[*index])
        .collect()
}

fn spec_of(source: &InputSource) -> Option<usize> {
    match source {
        InputSource::Output { spec, .. } => Some(spec.0 as usize),
        _ => None,
    }
}

/// Calls `each` for every source, glob and output that `spec` reads, with where it was written.
pub(super) fn each_source<'s>(spec: &'s DerivationSpec, each: &mut dyn FnMut(&'s InputSource, Span)) {
    for input in spec.inputs.values() {
        each_leaf(&input.source, &mut |source| each(source, input.span));
    }
    let arguments: &[Vec<Piece>] = match &spec.builder {
        Builder::Command(command) => {
            if let Some(stdin) = &command.stdin {
                each_leaf(&stdin.source, &mut |source| each(source, stdin.span));
            }
            &command.argv
        }
        Builder::Builtin(_) => &[],
    };
    let at = |label| {
        spec.origin
            .arguments
            .get(label)
            .copied()
            .unwrap_or(spec.origin.span)
    };
    let (argv, vars) = (at("argv"), at("vars"));
    let arguments = arguments.iter().flatten().map(|piece| (piece, argv));
    let vars = spec.vars.values().flatten().map(|piece| (piece, vars));
    for (piece, span) in arguments.chain(vars) {
        match piece {
            Piece::Text(_) => {}
            Piece::Input(source) => each_leaf(source, &mut |source| each(source, span)),
            Piece::Late(late) => each_leaf(&late.source, &mut |source| each(source, span)),
        }
    }
}

/// Calls `each` for what `source` is in the end: itself, or everything that a choice reads.
fn each_leaf<'s>(source: &'s InputSource, each: &mut dyn FnMut(&'s InputSource)) {
    match source {
        InputSource::Chosen { index, candidates } => {
            each_leaf(&index.source, each);
            candidates.iter().for_each(|source| each_leaf(source, each));
        }
        leaf => each(leaf),
    }
}

/// Calls `each` with the index of every spec of which `source` reads an output.
pub(super) fn each_output(source: &InputSource, each: &mut dyn FnMut(usize)) {
    each_leaf(source, &mut |leaf| spec_of(leaf).into_iter().for_each(&mut *each));
}

/// The first place at which each source is named, for diagnostics.
pub(super) fn first_places(
    evaluation: &Evaluation,
) -> BTreeMap<SourceRequest, (Span, Option<(String, String)>)> {
    let mut places = BTreeMap::new();
    for index in demanded(evaluation) {
        let spec = &evaluation.specs[index];
        for (name, input) in &spec.inputs {
            if let (Some(request), Builder::Builtin(builtin)) = (request(&input.source), &spec.builder) {
                let of = Some((builtin.to_string(), name.to_string()));
                places.entry(request).or_insert((input.span, of));
            }
        }
        each_source(spec, &mut |source, span| {
            if let Some(request) = request(source) {
                places.entry(request).or_insert((span, None));
            }
        });
    }
    places
}
