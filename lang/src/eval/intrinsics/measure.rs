//! `ml.evaluate`, and what it shares with training: datasets, metrics, and whether they fit.

use super::Table;
use super::data::{builtin, output};
use super::given::Given;
use super::traced::traced;
use crate::core::FunctionId;
use crate::diagnostic::{Diagnostic, Severity};
use crate::eval::artifact::{About, Artifact, DatasetInfo};
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::Value;
use crate::shapes::{self, Dim, Features, Labels, Signal};
use crate::source::Span;
use crate::spec::{ArtifactKind, ByName, Datum, DerivationSpec, Fields, InputSource, OutputSpec, Resources};
use crate::tensor::Scalar;
use std::rc::Rc;

pub(super) const TABLE: Table = &[
    ("evaluate", 6, evaluate),
    ("predict", 5, predict),
    ("score", 2, score),
];

type Answer = Result<Value, Failed>;
type Args = Fields;

fn evaluate(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    measured(machine, &given)
}

/// What a model scores, by the arguments of `ml.evaluate`.
pub(super) fn measured(machine: &mut Machine<'_>, given: &Given) -> Answer {
    let (on, sizes) = model_on(machine, given)?;
    let metrics = some_metrics(machine, given, (on.y, on.y_span), sizes.as_deref())?;
    let schema = metrics_schema(&metrics, false);
    let mut spec = run_model(
        machine,
        given,
        "ml.evaluate",
        Args::from([("metrics", Datum::Map(metrics))]),
    )?;
    spec.outputs
        .insert("metrics", output(ArtifactKind::Metrics, schema));
    Ok(made(
        machine,
        spec,
        "metrics",
        ArtifactKind::Metrics,
        About::Nothing,
    ))
}

fn predict(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let (on, sizes) = model_on(machine, &given)?;
    let mut spec = run_model(machine, &given, "ml.predict", Args::new())?;
    spec.outputs
        .insert("predictions", output(ArtifactKind::Predictions, Datum::Null));
    let about = About::Predictions(on.y, on.y_span, sizes);
    Ok(made(
        machine,
        spec,
        "predictions",
        ArtifactKind::Predictions,
        about,
    ))
}

fn score(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let predictions = match given.get("predictions") {
        Value::Artifact(artifact) => machine.artifacts.get(artifact).about.clone(),
        other => return Err(machine.unexpected(place, "predictions", &other)),
    };
    let metrics = match predictions {
        About::Predictions(labels, span, output) => {
            some_metrics(machine, &given, (labels, span), output.as_deref())?
        }
        _ => return Err(machine.unexpected(place, "predictions", &given.get("predictions"))),
    };
    let schema = metrics_schema(&metrics, false);
    let inputs = ByName::from([("predictions", given.input(machine, "predictions")?)]);
    let args = Args::from([("metrics", Datum::Map(metrics))]);
    let mut spec = builtin(machine, "ml.score", place, args, inputs, Resources::default());
    spec.outputs
        .insert("metrics", output(ArtifactKind::Metrics, schema));
    Ok(made(
        machine,
        spec,
        "metrics",
        ArtifactKind::Metrics,
        About::Nothing,
    ))
}

/// The sizes of a shape, if all are known.
pub(super) fn known(shape: &[Dim]) -> Option<Vec<i64>> {
    shape.iter().copied().collect()
}

/// The argument `on`, which must be like the data that `model` was trained on; and the model's output, where it is known.
fn model_on(machine: &mut Machine<'_>, given: &Given) -> Result<(Rc<DatasetInfo>, Option<Vec<i64>>), Failed> {
    let on = dataset(machine, given, "on")?;
    let model = match given.get("model") {
        Value::Artifact(artifact) => machine.artifacts.get(artifact).about.clone(),
        other => return Err(machine.unexpected(given.place, "a model", &other)),
    };
    if let About::Model(model) = &model {
        same_data(machine, given, "on", &on, &model.network.input, model.labels)
            .inspect_err(|Failed| trained_here(machine, model.span))?;
    }
    let output = match &model {
        About::Model(model) => known(&model.network.output),
        _ => None,
    };
    Ok((on, output))
}

/// A step that runs `model` on `on`.
fn run_model(
    machine: &mut Machine<'_>,
    given: &Given,
    name: &str,
    mut args: Args,
) -> Result<DerivationSpec, Failed> {
    let batch_size = given.count(machine, "batch_size", 1)?.unwrap_or(1);
    args.insert("batch_size", Datum::Int(batch_size));
    args.insert("device", Datum::Str(given.choice(machine, "device")?));
    let inputs = ByName::from([
        ("model", given.input(machine, "model")?),
        ("on", given.input(machine, "on")?),
    ]);
    let resources = given.resources(machine)?;
    let mut spec = builtin(machine, name, given.place, args, inputs, resources);
    spec.outputs.insert("timings", observed());
    Ok(spec)
}

/// The one artifact of a step.
pub(super) fn made(
    machine: &mut Machine<'_>,
    spec: DerivationSpec,
    output: &str,
    kind: ArtifactKind,
    about: About,
) -> Value {
    let spec = machine.specs.add(spec);
    let output = output.into();
    machine.artifacts.add(Artifact {
        source: InputSource::Output { spec, output },
        kind,
        about,
    })
}

/// Metrics, at least one.
fn some_metrics(
    machine: &mut Machine<'_>,
    given: &Given,
    labels: (Labels, Span),
    output: Option<&[i64]>,
) -> Result<Args, Failed> {
    let metrics = metrics(machine, given, labels, output)?;
    if metrics.is_empty() {
        let message = "there is nothing to measure";
        return Err(given.wrong(machine, "metrics", message, "name at least one metric"));
    }
    Ok(metrics)
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
    input: &Features,
    labels: Labels,
) -> Result<(), Failed> {
    let fits = same_features(&data.x, input);
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
        let (own, other) = (shapes::features_text(&data.x), shapes::features_text(input));
        (
            format!("`{label}` gives {own}, the network takes {other}"),
            "data of another shape",
        )
    };
    let help = match fits {
        true => "measure on labels like those that the network was trained on",
        false => {
            "measure on data like that which the network was trained on; images are made alike by `data.resize`"
        }
    };
    let error = machine
        .argument_error(given.place, label, "E0317", message)
        .at(at)
        .help(help)
        .label(if fits { data.y_span } else { data.x_span }, "declared here");
    Err(machine.fail(error))
}

/// Whether two inputs may be alike; a size that is not known agrees with all.
fn same_features(a: &Features, b: &Features) -> bool {
    let same = |a: &Signal, b: &Signal| {
        let sizes = a.shape.iter().zip(&b.shape);
        a.ids == b.ids
            && a.shape.len() == b.shape.len()
            && sizes
                .into_iter()
                .all(|(a, b)| a == b || a.is_none() || b.is_none())
    };
    match (a, b) {
        (Features::One(a), Features::One(b)) => same(a, b),
        (Features::Named(a), Features::Named(b)) => {
            let find = |name: &str| b.iter().find(|(own, _)| own == name);
            a.len() == b.len()
                && a.iter()
                    .all(|(name, one)| find(name).is_some_and(|(_, other)| same(one, other)))
        }
        _ => false,
    }
}

/// The metrics by name, each held against the labels, and against the network's output where that is known.
pub(super) fn metrics(
    machine: &mut Machine<'_>,
    given: &Given,
    (labels, labels_span): (Labels, Span),
    output: Option<&[i64]>,
) -> Result<Args, Failed> {
    let Value::Record(record) = given.get("metrics") else {
        return Ok(Args::new());
    };
    let fields = machine.names.fields(record.shape).to_vec();
    let mut metrics = Args::new();
    for (field, value) in fields.into_iter().zip(record.cells()) {
        let name = machine.names.text(field).to_owned();
        let metric = machine.description(value, given.place)?;
        let span = machine.site_span(&metric, given.place);
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
    let text = |name: &str| Datum::Str(name.into());
    let list = |of: Datum| Datum::Variant("List".into(), ByName::from([("of", of)]));
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
        fields.insert("loss", text("Float"));
    }
    Datum::Map(fields)
}

/// Reports; an error stops the call.
pub(super) fn told(machine: &mut Machine<'_>, found: Diagnostic) -> Result<(), Failed> {
    let error = found.severity == Severity::Error;
    let failed = machine.fail(found);
    if error { Err(failed) } else { Ok(()) }
}
