//! `ml.early_stopping` in a training: which figure of an epoch is watched, and how long.

use super::given::Given;
use crate::diagnostic::Diagnostic;
use crate::eval::artifact::{About, Artifact};
use crate::eval::better::of_metric;
use crate::eval::late::Late;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::Value;
use crate::spec::{ArtifactKind, Datum, Fields, InputSource};

/// What stands for the validation of an epoch while it is looked which figure of it is meant.
const EPOCH: &str = "val";

/// The protocol's `EarlyStopping`; none where there is none. `metrics` are those of the training.
pub(super) fn early_stopping(
    machine: &mut Machine<'_>,
    given: &Given,
    metrics: &Fields,
) -> Result<Option<Datum>, Failed> {
    let rule = given.get("early_stopping");
    let Value::Record(record) = &rule else {
        return match rule {
            Value::Null => Ok(None),
            other => Err(machine.unexpected(given.place, "`ml.early_stopping(…)`", &other)),
        };
    };
    let cells: Vec<(String, Value)> = machine
        .fields(record.shape, record.cells())
        .map(|(name, cell)| (name.to_owned(), cell.clone()))
        .collect();
    let (mut datum, mut watched) = (Fields::default(), Vec::new());
    for (name, cell) in cells {
        match (name.as_str(), &cell) {
            (_, Value::Null) => {}
            ("patience", Value::Int(patience @ ..0)) => {
                let message = format!("`patience` is {patience}");
                return Err(given.wrong(machine, "early_stopping", message, "must be 0 or more"));
            }
            ("min" | "max", of) => {
                let figure = figure(machine, given, of)?;
                let higher = match figure.as_str() {
                    "loss" => Some(false),
                    figure => metrics.get(figure).and_then(of_metric),
                };
                if higher.is_some_and(|higher| higher != (name == "max")) {
                    doubt(machine, given, &figure, &name);
                }
                watched.push((name, figure));
            }
            _ => {
                let value = machine.datum(&cell, given.place)?;
                datum.insert(name, value);
            }
        }
    }
    if watched.len() > 1 {
        let message = "a training is stopped by one figure, and both `min` and `max` are given";
        return Err(given.wrong(machine, "early_stopping", message, "leave one of them out"));
    }
    // The validation loss is what is watched where nothing is said.
    watched.retain(|(name, figure)| (name.as_str(), figure.as_str()) != ("min", "loss"));
    datum.extend(
        watched
            .into_iter()
            .map(|(name, figure)| (name, Datum::Str(figure.into()))),
    );
    Ok(Some(Datum::Map(datum)))
}

/// The figure that a function gives of an epoch, by name.
fn figure(machine: &mut Machine<'_>, given: &Given, of: &Value) -> Result<String, Failed> {
    let source = InputSource::Source(EPOCH.to_owned());
    let val = machine.artifacts.add(Artifact {
        source: source.clone(),
        kind: ArtifactKind::Metrics,
        about: About::Nothing,
    });
    let shape = machine.names.shape_of(&[EPOCH]);
    let epoch = machine.record(shape, vec![val], given.place)?;
    let found = machine.apply(of, [epoch], given.place)?;
    if let Value::Late(id) = &found
        && let Late::At(late) = machine.artifacts.late(*id)
        && let (true, [figure]) = (late.source == source, late.path.as_slice())
    {
        return Ok(figure.clone());
    }
    let shown = machine.display(&found);
    let message = format!("`ml.early_stopping` watches one figure of the validation, and this is {shown}");
    Err(given.wrong(
        machine,
        "early_stopping",
        message,
        "give a figure itself: `e => e.val.loss`",
    ))
}

/// Warns where a training would go on as long as it gets worse.
fn doubt(machine: &mut Machine<'_>, given: &Given, figure: &str, way: &str) {
    let (better, other) = if way == "max" {
        ("lower", "min")
    } else {
        ("higher", "max")
    };
    let message = format!("this stops unless `{figure}` gets worse: of it the {better} one is better");
    let span = given.span(machine, "early_stopping");
    let warning = Diagnostic::warning("E0432", span, message).help(format!("write `{other} = …`"));
    machine.diagnostics.push(warning);
}
