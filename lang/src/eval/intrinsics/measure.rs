//! `ml.evaluate`, and what it shares with training: datasets, metrics, and whether they fit.

use super::data::{builtin, output};
use super::given::Given;
use super::traced::traced;
use crate::core::FunctionId;
use crate::diagnostic::{Diagnostic, Severity};
use crate::eval::artifact::{About, Artifact, DatasetInfo};
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::Value;
use crate::shapes::{self, Labels};
use crate::source::Span;
use crate::spec::{ArtifactKind, Datum, InputSource, OutputSpec};
use crate::tensor::Scalar;
use std::collections::BTreeMap;
use std::rc::Rc;

type Answer = Result<Value, Failed>;
type Args = BTreeMap<String, Datum>;

pub(super) fn evaluate(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let on = dataset(machine, &given, "on")?;
    let model = match given.get("model") {
        Value::Artifact(artifact) => machine.artifacts.get(artifact).about.clone(),
        other => return Err(machine.unexpected(place, "a model", &other)),
    };
    if let About::Model(model) = &model {
        same_data(machine, &given, "on", &on, &model.input, model.labels)
            .inspect_err(|Failed| trained_here(machine, model.span))?;
    }
    let width = match &model {
        About::Model(model) => Some(model.output.as_slice()),
        _ => None,
    };
    let metrics = metrics(machine, &given, &on, width)?;
    if metrics.is_empty() {
        return Err(given.wrong(
            machine,
            "metrics",
            "there is nothing to measure",
            "name at least one metric",
        ));
    }
    let batch_size = given.count(machine, "batch_size", 1)?.unwrap_or(1);
    let schema = metrics_schema(&metrics, false);
    let args = Args::from([
        ("metrics".to_owned(), Datum::Map(metrics)),
        ("batch_size".to_owned(), Datum::Int(batch_size)),
        ("device".to_owned(), Datum::Str(given.choice(machine, "device")?)),
    ]);
    let inputs = BTreeMap::from([
        ("model".to_owned(), given.input(machine, "model")?),
        ("on".to_owned(), given.input(machine, "on")?),
    ]);
    let resources = given.resources(machine)?;
    let mut spec = builtin(machine, "ml.evaluate", place, args, inputs, resources);
    spec.outputs
        .insert("metrics".to_owned(), output(ArtifactKind::Metrics, schema));
    spec.outputs.insert("timings".to_owned(), observed());
    let spec = machine.specs.add(spec);
    Ok(machine.artifacts.add(Artifact {
        source: InputSource::Output {
            spec,
            output: "metrics".to_owned(),
        },
        kind: ArtifactKind::Metrics,
        about: About::Nothing,
    }))
}

fn trained_here(machine: &mut Machine<'_>, span: Span) {
    if let Some(error) = machine.diagnostics.pop() {
        machine
            .diagnostics
            .push(error.label(span, "the model is trained here"));
    }
}

pub(super) fn observed() -> OutputSpec {
    OutputSpec {
        observed: true,
        ..output(ArtifactKind::Value, Datum::Null)
    }
}

pub(super) fn dataset(
    machine: &mut Machine<'_>,
    given: &Given,
    label: &str,
) -> Result<Rc<DatasetInfo>, Failed> {
    let value = given.get(label);
    if let Value::Artifact(artifact) = value
        && let About::Dataset(info) = &machine.artifacts.get(artifact).about
    {
        return Ok(Rc::clone(info));
    }
    Err(machine.unexpected(given.place, "a dataset", &value))
}

/// Whether a dataset is like the one that a network was made for.
pub(super) fn same_data(
    machine: &mut Machine<'_>,
    given: &Given,
    label: &str,
    data: &DatasetInfo,
    input: &[i64],
    labels: Labels,
) -> Result<(), Failed> {
    let fits = data.x.len() == input.len()
        && data
            .x
            .iter()
            .zip(input)
            .all(|(own, size)| own.is_none_or(|own| own == *size));
    if fits && data.y == labels {
        return Ok(());
    }
    let (message, at) = if fits {
        let (own, other) = (shapes::labels_text(data.y), shapes::labels_text(labels));
        (
            format!("`{label}` has labels that are {own}, the network was made for {other}"),
            "other labels",
        )
    } else {
        let own = shapes::dims_text(&data.x);
        let other = shapes::shape_text(input);
        (
            format!("`{label}` gives {own}, the network takes {other}"),
            "data of another shape",
        )
    };
    let error = machine
        .argument_error(given.place, label, "E0317", message)
        .at(at)
        .label(if fits { data.y_span } else { data.x_span }, "declared here");
    Err(machine.fail(error))
}

/// The metrics by name, each held against the labels, and against the network's output where that is known.
pub(super) fn metrics(
    machine: &mut Machine<'_>,
    given: &Given,
    on: &DatasetInfo,
    output: Option<&[i64]>,
) -> Result<Args, Failed> {
    let (labels, labels_span) = (on.y, on.y_span);
    let Value::Record(record) = given.get("metrics") else {
        return Ok(Args::new());
    };
    let fields = machine.names.fields(record.shape).to_vec();
    let mut metrics = Args::new();
    for (field, value) in fields.into_iter().zip(record.cells()) {
        let name = machine.names.text(field).to_owned();
        let metric = machine.description(value, given.place)?;
        let span = machine.site(&metric, given.place).span;
        let kind = machine.names.text(metric.name).to_owned();
        if let Some(output) = output {
            let custom = traced(machine, &metric, Scalar::Metric, (labels, output), given.place)?;
            let found = shapes::check_output((&name, &kind), span, output, (labels, labels_span));
            if let Some(found) = found.filter(|_| !custom) {
                told(machine, found)?;
            }
        }
        let datum = machine.datum(&Value::Variant(metric), given.place)?;
        if let Some(found) = shapes::check_metric(&name, &datum, span, labels, labels_span) {
            told(machine, found)?;
        }
        metrics.insert(name, datum);
    }
    Ok(metrics)
}

/// What the file of metrics must hold: `{accuracy: "Float"}`.
pub(super) fn metrics_schema(metrics: &Args, with_loss: bool) -> Datum {
    let text = |name: &str| Datum::Str(name.to_owned());
    let list = |of: Datum| Datum::Variant("List".to_owned(), BTreeMap::from([("of".to_owned(), of)]));
    let mut fields: Args = metrics
        .iter()
        .map(|(name, metric)| {
            let ty = match metric {
                Datum::Variant(kind, _) if kind == "confusion_matrix" => list(list(text("Int"))),
                _ => text("Float"),
            };
            (name.clone(), ty)
        })
        .collect();
    if with_loss {
        fields.insert("loss".to_owned(), text("Float"));
    }
    Datum::Map(fields)
}

/// Reports; an error stops the call.
pub(super) fn told(machine: &mut Machine<'_>, found: Diagnostic) -> Result<(), Failed> {
    let error = found.severity == Severity::Error;
    let failed = machine.fail(found);
    if error { Err(failed) } else { Ok(()) }
}
