//! Targets: from what a person names on the command line to values and the artifacts in them.

use super::artifact::About;
use super::collect::Collector;
use super::late::Late;
use super::machine::{Failed, Machine};
use super::suggest::nearest;
use super::value::{Text, Value};
use super::{Demand, Target};
use crate::diagnostic::Diagnostic;
use crate::spec::{ArtifactKind, Datum, LateValue};

/// The values that are demanded, with their labels; what fails is reported and left out.
pub(super) fn demand(machine: &mut Machine<'_>, demand: &Demand) -> Vec<(String, Value)> {
    match demand {
        Demand::Build(targets) => targets
            .iter()
            .filter_map(|target| {
                let value = resolve(machine, target).ok()?;
                holds_something(machine, target, &value).ok()?;
                Some((target.text.clone(), value))
            })
            .collect(),
        Demand::Show(targets) => targets
            .iter()
            .filter_map(|target| Some((target.text.clone(), resolve(machine, target).ok()?)))
            .collect(),
        Demand::All => all(machine),
        Demand::Result => match machine.core.result {
            Some(result) => machine
                .global(result)
                .map(|value| (String::new(), value))
                .into_iter()
                .collect(),
            None => all(machine),
        },
    }
}

fn all(machine: &mut Machine<'_>) -> Vec<(String, Value)> {
    let core = machine.core;
    let mut values = Vec::new();
    for (name, id) in &core.entry {
        if let Ok(value) = machine.global(*id) {
            values.push((name.to_string(), value));
        }
    }
    if let Some(Ok(value)) = core.result.map(|result| machine.global(result)) {
        values.push((String::new(), value));
    }
    values
}

/// A step of a target's path.
#[derive(Debug, PartialEq, Eq)]
enum Segment<'a> {
    Field(&'a str),
    /// What stands in brackets: an index, a key, or `lr=0.01`.
    Bracket(&'a str),
}

/// `sweep[lr=0.01].fit` as a name and the path behind it; `None` where it is no target.
fn parse(text: &str) -> Option<(&str, Vec<Segment<'_>>)> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    let mut path = Vec::new();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let close = inner.find(']')?;
            path.push(Segment::Bracket(&inner[..close]));
            rest = &inner[close + 1..];
        } else {
            let inner = rest.strip_prefix('.')?;
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            path.push(Segment::Field(&inner[..end]));
            rest = &inner[end..];
        }
    }
    let whole = !name.is_empty() && !path.contains(&Segment::Field(""));
    whole.then_some((name, path))
}

fn resolve(machine: &mut Machine<'_>, target: &Target) -> Result<Value, Failed> {
    let Some((name, path)) = parse(&target.text) else {
        let error = Diagnostic::error("E0414", target.span, format!("`{}` is no target", target.text))
            .help("a target is a binding, or a part of one: `evaluate`, `fit.model`, `sweep[0].fit`");
        return Err(machine.fail(error));
    };
    let core = machine.core;
    let Some((_, id)) = core.entry.iter().find(|(own, _)| own == name) else {
        return Err(unknown(machine, target, name));
    };
    let mut value = machine.global(*id)?;
    let mut reached = name.to_owned();
    for segment in path {
        value = match part(machine, &value, &segment) {
            Some(part) => part,
            None => return Err(no_part(machine, target, &reached, &value, &segment)),
        };
        reached += &match segment {
            Segment::Field(field) => format!(".{field}"),
            Segment::Bracket(inner) => format!("[{inner}]"),
        };
    }
    if let Value::Artifact(artifact) = value
        && let About::Absent(why) = machine.artifacts.get(artifact).about
    {
        let error = Diagnostic::error("E0418", target.span, "this training has no validation").help(why);
        return Err(machine.fail(error));
    }
    Ok(value)
}

fn part(machine: &mut Machine<'_>, value: &Value, segment: &Segment<'_>) -> Option<Value> {
    match (segment, value) {
        (Segment::Field(field), Value::Record(record)) => {
            let index = machine.names.index(record.shape, machine.names.find(field)?)?;
            record.cells().get(index).cloned()
        }
        (Segment::Field(field), Value::Variant(variant)) => variant.field(&machine.names, field).cloned(),
        (Segment::Field(key) | Segment::Bracket(key), Value::Map(map)) => {
            map.entries().get(&Text::new(key.trim_matches('"'))).cloned()
        }
        (Segment::Field(field), Value::Artifact(artifact)) => {
            let artifact = machine.artifacts.get(*artifact).clone();
            match machine.schema(&artifact.source) {
                Some(Datum::Map(fields))
                    if artifact.kind == ArtifactKind::Metrics && fields.contains_key(field) =>
                {
                    Some(machine.artifacts.add_late(Late::At(LateValue {
                        source: artifact.source,
                        path: vec![(*field).to_owned()],
                    })))
                }
                _ => None,
            }
        }
        (Segment::Bracket(inner), Value::List(list)) => {
            let labelled = list
                .labels
                .as_ref()
                .and_then(|labels| labels.iter().position(|label| label == inner));
            list.items()
                .get(labelled.or_else(|| inner.parse().ok())?)
                .cloned()
        }
        _ => None,
    }
}

#[cold]
fn no_part(
    machine: &mut Machine<'_>,
    target: &Target,
    reached: &str,
    value: &Value,
    segment: &Segment<'_>,
) -> Failed {
    let own: Vec<String> = match value {
        Value::Record(record) => machine
            .names
            .fields(record.shape)
            .iter()
            .map(|name| machine.names.text(*name).to_owned())
            .collect(),
        Value::Map(map) => map.entries().keys().map(|key| key.as_str().to_owned()).collect(),
        Value::List(list) => match &list.labels {
            Some(labels) => labels.iter().map(|label| format!("[{label}]")).collect(),
            None if list.items().is_empty() => Vec::new(),
            None => vec![format!("[0] to [{}]", list.items().len() - 1)],
        },
        _ => Vec::new(),
    };
    let (wanted, shown) = match segment {
        Segment::Field(field) => (*field, format!("field `{field}`")),
        Segment::Bracket(inner) => (*inner, format!("element `[{inner}]`")),
    };
    let mut error = Diagnostic::error("E0414", target.span, format!("`{reached}` has no {shown}"));
    if let Some(near) = nearest(wanted, own.iter().map(String::as_str)) {
        error = error.help(format!("did you mean `{near}`?"));
    }
    error = error.note(match own.as_slice() {
        [] => format!("`{reached}` is a {}", value.kind()),
        [range] if range.contains(" to ") => format!("it has {range}"),
        own => format!(
            "it has {}",
            crate::suggest::listed(own.iter().map(String::as_str))
        ),
    });
    machine.fail(error)
}

#[cold]
fn unknown(machine: &mut Machine<'_>, target: &Target, name: &str) -> Failed {
    let core = machine.core;
    let mut error = Diagnostic::error("E0414", target.span, format!("there is no target `{name}`"));
    if let Some(near) = nearest(name, core.entry.iter().map(|(name, _)| name.as_str())) {
        error = error.help(format!("did you mean `{near}`?"));
    } else if let Some((param, _)) = target.text.split_once('=').filter(|_| !target.text.contains('[')) {
        error = error.help(format!("a param is set by `--set {}`", target.text));
        error.message = format!("there is no target `{}`: `{param}=…` sets something", target.text);
    } else if target.text.ends_with(".mlp") {
        error = error.help("a target is a binding of the file: `evaluate`, or a part of one: `fit.model`");
        error.message = format!("`{}` is a file, no target", target.text);
    } else if target.text.contains(['+', '*', '/', '(', ' ']) {
        error = error.help("a target is a binding, or a part of one; `mlp repl` evaluates expressions");
    }
    // What can be built is known only from values. Their own errors are for those who ask for them.
    let reported = machine.diagnostics.len();
    let mut buildable = Vec::new();
    for (label, value) in all(machine) {
        if !label.is_empty() && holds_artifacts(machine, &label, &value) {
            buildable.push(label);
        }
    }
    machine.diagnostics.truncate(reported);
    error = error.note(match buildable.as_slice() {
        [] => "no binding of the pipeline holds something to build".to_owned(),
        names => format!(
            "the targets are {}",
            crate::suggest::listed(names.iter().map(String::as_str))
        ),
    });
    machine.fail(error)
}

fn holds_artifacts(machine: &mut Machine<'_>, label: &str, value: &Value) -> bool {
    let mut artifacts = Collector::default();
    artifacts.collect(machine, label, value);
    !artifacts.found.is_empty()
}

fn holds_something(machine: &mut Machine<'_>, target: &Target, value: &Value) -> Result<(), Failed> {
    if holds_artifacts(machine, &target.text, value) {
        return Ok(());
    }
    let text = &target.text;
    let error = Diagnostic::error("E0421", target.span, format!("`{text}` holds nothing to build"))
        .at(format!("is a {}", value.kind()));
    let error = match value {
        Value::Function(_) | Value::Closure(_) => {
            error.help(format!("bind a call of it, and build that: `it = {text}(…)`"))
        }
        _ => error.help(format!("`mlp eval {text}` shows its value")),
    };
    Err(machine.fail(error))
}

/// Reports a value whose text nobody can read.
pub(super) fn too_long(machine: &Machine<'_>, label: &str) -> Option<Diagnostic> {
    let core = machine.core;
    let limit = machine.limits.text >> 20;
    let name = parse(label).map_or(label, |(name, _)| name);
    let bound = core.entry.iter().find(|(own, _)| own == name).map(|(_, id)| *id);
    let global = &core.globals[bound.or(core.result)?.0 as usize];
    let error = Diagnostic::error(
        "E0409",
        global.span,
        format!("the value's text would be longer than {limit} MiB"),
    );
    Some(error.at("parts that are shared are written as often as they stand there"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_names_with_paths() {
        use Segment::{Bracket, Field};
        assert_eq!(parse("evaluate"), Some(("evaluate", vec![])));
        assert_eq!(
            parse("sweep[lr=0.01].fit"),
            Some(("sweep", vec![Bracket("lr=0.01"), Field("fit")]))
        );
        for text in ["", ".fit", "fit.", "fit[0", "fit[0]x"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
