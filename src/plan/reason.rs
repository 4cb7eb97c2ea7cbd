//! Why a step is due, in words: what differs between what was last built under its name and what it is now. Reads the
//! bytes that the keys hash, through `instantiate`.

use crate::instantiate::{Difference, differences, static_bytes};
use crate::model::derivation::{Builder, Derivation, Reference};
use crate::model::graph::{Graph, StepId};

/// Causes that are told; the rest is counted.
const TOLD: usize = 2;
/// Characters of a value that are shown.
const SHOWN: usize = 40;

/// Why the step is due, given the canonical bytes of what was last built under its name, and the step that must be built
/// first, if any.
pub(super) fn since(graph: &Graph, id: StepId, old: Option<&[u8]>, waits: Option<StepId>) -> String {
    let new = static_bytes(graph, id).ok();
    let found = old.zip(new).and_then(|(old, new)| differences(old, &new).ok());
    let Some(found) = found else {
        return "it changed since it was last built".to_owned();
    };
    let derivation = &graph.step(id).derivation;
    let mut causes: Vec<String> = Vec::new();
    for difference in &found {
        // Of an input that is still to be built nothing is known yet.
        if waits.is_none() || !is_of_step(derivation, difference) {
            let cause = cause(graph, derivation, difference);
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
    }
    match (waits, causes.as_slice()) {
        (Some(step), []) => format!("`{}` may change", graph.step(step).name()),
        (None, []) => "it changed since it was last built".to_owned(),
        (_, causes) if causes.len() <= TOLD => causes.join(", and "),
        (_, causes) => format!("{}, and {} more", causes[..TOLD].join(", "), causes.len() - TOLD),
    }
}

/// Whether the difference lies in an input that another step gives.
fn is_of_step(derivation: &Derivation, difference: &Difference) -> bool {
    match difference.path.as_slice() {
        [field, at, ..] if field == "inputs" => {
            !matches!(derivation.inputs.get(at), Some(Reference::Source { .. }))
        }
        _ => false,
    }
}

fn cause(graph: &Graph, derivation: &Derivation, difference: &Difference) -> String {
    let Difference { path, old, new } = difference;
    let Some((field, rest)) = path.split_first() else {
        return "it is built in another way".to_owned();
    };
    let name = rest.join(".");
    match field.as_str() {
        "args" => changed(&format!("its argument `{name}`"), old.as_deref(), new.as_deref()),
        "builtin" => builtin(derivation, &name, old.as_deref(), new.as_deref()),
        "inputs" => {
            let at = rest.first().map_or("", String::as_str);
            let there = derivation.inputs.get(at);
            let input = there.map_or_else(
                || at.strip_prefix("inputs/").unwrap_or(at).to_owned(),
                |reference| called(graph, reference),
            );
            match (rest.len(), old, new) {
                (1, None, Some(_)) => format!("its input `{input}` is new"),
                (1, Some(_), None) => format!("its input `{input}` is gone"),
                _ => format!("its input `{input}` changed"),
            }
        }
        "argv" => "its command changed".to_owned(),
        "env" => "its environment changed".to_owned(),
        "vars" => format!(
            "its variable `{}` changed",
            rest.first().map_or("", String::as_str)
        ),
        "outputs" => format!("its output `{}` changed", rest.first().map_or("", String::as_str)),
        other => changed(&format!("its {other}"), old.as_deref(), new.as_deref()),
    }
}

fn builtin(derivation: &Derivation, field: &str, old: Option<&str>, new: Option<&str>) -> String {
    let name = match &derivation.builder {
        Builder::Builtin { name, .. } => name,
        Builder::Command { .. } => return "it is built in another way".to_owned(),
    };
    match (field, old, new) {
        ("version", Some(_), Some(_)) => format!("`{name}` of this mlp gives other bits than before"),
        ("numerics", old, new) => changed("the numerics", old, new),
        _ => "it is built in another way".to_owned(),
    }
}

fn changed(what: &str, old: Option<&str>, new: Option<&str>) -> String {
    match (old, new) {
        (Some(old), Some(new)) if old != new => format!("{what} was {}, is {}", shown(old), shown(new)),
        (None, Some(new)) => format!("{what} is new: {}", shown(new)),
        (Some(old), None) => format!("{what} is gone, it was {}", shown(old)),
        _ => format!("{what} changed"),
    }
}

/// What people call an input.
fn called(graph: &Graph, reference: &Reference) -> String {
    match reference {
        Reference::Source { path, .. } => path.clone(),
        Reference::Output { step, output } => {
            let step = graph.step(*step);
            if step.derivation.outputs.len() == 1 {
                step.name().to_owned()
            } else {
                format!("{}.{output}", step.name())
            }
        }
        Reference::Chosen { .. } => "the chosen one".to_owned(),
    }
}

fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}
