//! What a step is declared to write: `{ model: File("model.pkl") }` as outputs of a spec.

use super::given::Given;
use super::typed::{Typed, typed};
use crate::diagnostic::Diagnostic;
use crate::eval::artifact::About;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::{DeclaredOutput, Value};
use crate::shapes::LayerRow;
use crate::source::Span;
use crate::spec::{ArtifactKind, ByName, Datum, OutputSpec};
use std::sync::Arc;

/// A declared output.
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) spec: OutputSpec,
    /// Where it was written.
    pub(super) span: Span,
    /// What is known of it.
    pub(super) about: About,
    /// The layers of its network.
    pub(super) rows: Arc<Vec<LayerRow>>,
}

/// The argument `outputs`, with paths below the step's folder, of a program that runs in `cwd` of it.
pub(super) fn declared(
    machine: &mut Machine<'_>,
    given: &Given,
    cwd: Option<&str>,
) -> Result<Vec<Declared>, Failed> {
    let Value::Record(record) = given.get("outputs") else {
        return Err(machine.unexpected(given.place, "declared outputs", &given.get("outputs")));
    };
    let names = machine.names.fields(record.shape).to_vec();
    let mut all: Vec<Declared> = Vec::new();
    for (name, value) in names.into_iter().zip(record.cells()) {
        let Value::Output(output) = value else {
            return Err(machine.unexpected(given.place, "a declared output", value));
        };
        let name = machine.names.text(name).to_owned();
        let blame = machine.blame_origin(output.origin);
        let span = blame.map_or_else(|| given.span(machine, "outputs"), |blame| blame.span);
        let (spec, about, rows) = one(machine, given, output, cwd, span)?;
        let path = spec.path.clone().unwrap_or_default();
        let overlaps = |other: &&Declared| overlap(&path, other.spec.path.as_deref().unwrap_or_default());
        if let Some(other) = all.iter().find(overlaps) {
            let message = format!("the outputs `{}` and `{name}` lie in the same place", other.name);
            let error = Diagnostic::error("E0422", span, message)
                .at(format!("is written to `{path}`"))
                .label(
                    other.span,
                    format!("is written to `{}`", other.spec.path.clone().unwrap_or_default()),
                )
                .help("give each output a path of its own, none inside another");
            return Err(machine.fail(error));
        }
        all.push(Declared {
            name,
            spec,
            span,
            about,
            rows,
        });
    }
    if all
        .iter()
        .all(|output| output.spec.observed || output.spec.kind == ArtifactKind::State)
    {
        let error = machine
            .argument_error(given.place, "outputs", "E0412", "a step needs an output")
            .at("declares nothing that is kept")
            .help("say what the program writes: `outputs = { model: File(\"model.pkl\") }`");
        return Err(machine.fail(error));
    }
    Ok(all)
}

fn one(
    machine: &mut Machine<'_>,
    given: &Given,
    output: &DeclaredOutput,
    cwd: Option<&str>,
    span: Span,
) -> Result<(OutputSpec, About, Arc<Vec<LayerRow>>), Failed> {
    let argument = |machine: &Machine<'_>, name: &str| {
        let mut args = output.args.iter();
        args.find(|(own, _)| machine.names.text(*own) == name)
            .map(|(_, value)| value.clone())
    };
    let flag = |machine: &Machine<'_>, name: &str| matches!(argument(machine, name), Some(Value::Bool(true)));
    let kind = match machine.names.text(output.kind) {
        "File" => ArtifactKind::File,
        "Dir" => ArtifactKind::Dir,
        "Metrics" => ArtifactKind::Metrics,
        "Plot" => ArtifactKind::Plot,
        "Dataset" => ArtifactKind::Dataset,
        "Model" => ArtifactKind::Model,
        "Predictions" => ArtifactKind::Predictions,
        "State" => ArtifactKind::State,
        _ => return Err(machine.unexpected(given.place, "a declared output", &Value::Null)),
    };
    let written = match argument(machine, "path") {
        Some(Value::Str(path)) => path.as_str().to_owned(),
        _ => String::new(),
    };
    let path =
        below(cwd, &written).filter(|path| !path.is_empty() && below(None, &written).as_deref() != Some(""));
    let Some(path) = path else {
        let message = format!("an output cannot be written to \"{written}\"");
        let error = Diagnostic::error("E0424", span, message)
            .help("give a path below the folder that the program runs in: `\"out/model.pkl\"`");
        return Err(machine.fail(error));
    };
    let typed = match kind {
        ArtifactKind::Dataset | ArtifactKind::Model | ArtifactKind::Predictions => {
            let net = argument(machine, "net");
            typed(machine, given, kind, output, (net, span))?
        }
        ArtifactKind::State => Typed {
            schema: extends(argument(machine, "extends")),
            about: About::Nothing,
            rows: Arc::default(),
        },
        _ => Typed {
            schema: figures(&output.schema),
            about: About::Nothing,
            rows: Arc::default(),
        },
    };
    let spec = OutputSpec {
        kind,
        path: Some(path),
        schema: typed.schema,
        optional: flag(machine, "optional"),
        observed: flag(machine, "observed"),
    };
    Ok((spec, typed.about, typed.rows))
}

/// `path` seen from `cwd`, as a path below the step's folder; none where it leaves that, or is no path.
pub(super) fn below(cwd: Option<&str>, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains('\0') {
        return None;
    }
    let mut parts: Vec<&str> = cwd
        .unwrap_or_default()
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether one path is the other, or lies in it.
fn overlap(one: &str, other: &str) -> bool {
    let inside = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    one == other || inside(one, other) || inside(other, one)
}

/// The flags and variables whose values a state goes on over.
fn extends(names: Option<Value>) -> Datum {
    let Some(Value::List(names)) = names else {
        return Datum::Null;
    };
    let names = names.items().iter().filter_map(|name| match name {
        Value::Str(name) => Some(Datum::Str(name.as_str().into())),
        _ => None,
    });
    Datum::List(names.collect())
}

/// What a file of figures must hold, in the form of the builtins' schemas: a record is a map of its fields.
fn figures(schema: &Datum) -> Datum {
    let Datum::Variant(name, parts) = schema else {
        return schema.clone();
    };
    match (name.as_str(), parts.get("fields"), parts.get("of")) {
        ("Record", Some(Datum::List(fields)), _) => Datum::Map(
            fields
                .iter()
                .filter_map(|field| match field {
                    Datum::Map(field) => match (field.get("name"), field.get("type")) {
                        (Some(Datum::Str(name)), Some(ty)) => Some((name.clone(), figures(ty))),
                        _ => None,
                    },
                    _ => None,
                })
                .collect(),
        ),
        (_, _, Some(of)) => Datum::Variant(name.clone(), ByName::from([("of", figures(of))])),
        _ => schema.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_lie_below_the_steps_folder() {
        assert_eq!(below(Some("src"), "out/m.pkl").as_deref(), Some("src/out/m.pkl"));
        assert_eq!(below(Some("src"), "../m.pkl").as_deref(), Some("m.pkl"));
        assert_eq!(below(None, "./a//b").as_deref(), Some("a/b"));
        for path in ["/tmp/m", "../m", "a/../../m"] {
            assert_eq!(below(None, path), None, "{path}");
        }
    }

    #[test]
    fn paths_overlap_where_one_lies_in_the_other() {
        assert!(overlap("a", "a") && overlap("a/b", "a") && overlap("a", "a/b"));
        assert!(!overlap("a", "ab") && !overlap("a/b", "a/c"));
    }
}
