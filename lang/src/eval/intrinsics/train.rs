//! `ml.train`.

use super::Table;
use super::augment::augment;
use super::data::{builtin, output};
use super::given::Given;
use super::measure::{dataset, known, metrics, metrics_schema, observed, same_data, told};
use super::network::{against_loss, network};
use super::settings::{check_loss, train_args};
use super::start::{ema, freeze, init};
use super::stopping::early_stopping;
use super::traced::{once, traced};
use crate::core::FunctionId;
use crate::diagnostic::Diagnostic;
use crate::eval::artifact::{About, Artifact, ModelInfo};
use crate::eval::blame::Place;
use crate::eval::late::Late;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::Value;
use crate::spec::{ArtifactKind, ByName, Datum, InputSource, LateValue, SpecId};
use crate::tensor::Scalar;
use std::rc::Rc;
use std::sync::Arc;

pub(super) const TABLE: Table = &[("train", 23, train)];

type Answer = Result<Value, Failed>;

fn train(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let on = dataset(machine, &given, "on")?;
    let val = match given.get("val") {
        Value::Null => None,
        _ => Some(dataset(machine, &given, "val")?),
    };
    let (network, files) = network(machine, &given, &on)?;
    once(machine, &network.warnings);
    if let Some(val) = &val {
        same_data(machine, &given, "val", val, &network.input, on.y)?;
    }
    let loss = machine.description(&given.get("loss"), place)?;
    let loss_span = machine.site_span(&loss, place);
    let loss_kind = machine.names.text(loss.name).to_owned();
    check_loss(machine, &given, &loss, on.y)?;
    let sizes = known(&network.output);
    if let Some(sizes) = &sizes {
        traced(machine, &loss, Scalar::Loss, (on.y, sizes), place)?;
    }
    if let Some(found) = against_loss(machine, &given, (&on, &network), (&loss_kind, loss_span))? {
        told(machine, found)?;
    }
    let metrics = metrics(machine, &given, (on.y, on.y_span), sizes.as_deref())?;
    validation(machine, &given, val.is_some(), !metrics.is_empty())?;
    let mut args = train_args(machine, &given, &network)?;
    if let Some(rule) = early_stopping(machine, &given, &metrics)? {
        args.insert("early_stopping", rule);
    }
    augment(machine, &given, (&on, &loss_kind), &mut args)?;
    freeze(machine, &given, &network.rows, &mut args)?;
    ema(machine, &given, &mut args)?;
    args.insert("loss", machine.datum(&Value::Variant(loss), place)?);
    let kinds = metrics.clone();
    if !metrics.is_empty() {
        args.insert("metrics", Datum::Map(metrics));
    }
    let mut inputs: ByName<_> = files.inputs().collect();
    init(machine, &given, &mut args, &mut inputs)?;
    inputs.insert("on", given.input(machine, "on")?);
    if val.is_some() {
        inputs.insert("val", given.input(machine, "val")?);
    }
    let resources = given.resources(machine)?;
    let mut spec = builtin(machine, "ml.train", place, args, inputs, resources);
    let span = spec.origin.span;
    for (name, kind) in [("model", ArtifactKind::Model), ("last", ArtifactKind::Model)] {
        spec.outputs.insert(name.to_owned(), output(kind, Datum::Null));
    }
    spec.outputs
        .insert("history", output(ArtifactKind::History, Datum::Null));
    spec.outputs
        .insert("best", output(ArtifactKind::Value, Datum::Null));
    if val.is_some() {
        spec.outputs
            .insert("val", output(ArtifactKind::Metrics, metrics_schema(&kinds, true)));
    }
    spec.outputs.insert("timings", observed());
    let spec = machine.specs.add(spec);
    let model = ModelInfo {
        network: Rc::clone(&network),
        labels: on.y,
        span,
    };
    machine.artifacts.layers.insert(spec, Arc::clone(&network.rows));
    fit(machine, spec, Rc::new(model), val.is_some(), place)
}

/// The record that `ml.train` gives.
fn fit(
    machine: &mut Machine<'_>,
    spec: SpecId,
    model: Rc<ModelInfo>,
    validated: bool,
    place: Place,
) -> Answer {
    let of = |output: &str| InputSource::Output {
        spec,
        output: output.into(),
    };
    let no_validation = "give `ml.train` a `val`, a dataset that it does not train on";
    let val = if validated {
        About::Nothing
    } else {
        About::Absent(no_validation)
    };
    let parts = [
        ("model", ArtifactKind::Model, About::Model(Rc::clone(&model))),
        ("last", ArtifactKind::Model, About::Model(model)),
        ("history", ArtifactKind::History, About::Nothing),
        ("val", ArtifactKind::Metrics, val),
    ];
    let mut cells: Vec<_> = parts
        .into_iter()
        .map(|(name, kind, about)| {
            let source = of(name);
            machine.artifacts.add(Artifact { source, kind, about })
        })
        .collect();
    cells.push(machine.artifacts.add_late(Late::At(LateValue {
        source: of("best"),
        path: vec!["epoch".to_owned()],
    })));
    let shape = machine
        .names
        .shape_of(&["model", "last", "history", "val", "best_epoch"]);
    machine.record(shape, cells, place)
}

/// What only a validation gives a meaning.
fn validation(
    machine: &mut Machine<'_>,
    given: &Given,
    validated: bool,
    metrics: bool,
) -> Result<(), Failed> {
    if validated {
        return Ok(());
    }
    if let Value::Variant(schedule) = given.get("schedule")
        && machine.names.text(schedule.name) == "plateau"
    {
        let message = "`schedule.plateau` looks at the validation loss, and there is no `val`";
        return Err(given.wrong(machine, "schedule", message, "needs `val`"));
    }
    if !matches!(given.get("early_stopping"), Value::Null) {
        let message = "`early_stopping` looks at the validation loss, and there is no `val`";
        return Err(given.wrong(machine, "early_stopping", message, "needs `val`"));
    }
    if metrics {
        let span = given.span(machine, "metrics");
        let warning = Diagnostic::warning(
            "E0420",
            span,
            "the metrics of a training without `val` are not measured",
        )
        .at("measured on `val`, in every epoch")
        .help("give `val`, or measure the model afterwards: `ml.evaluate(fit.model, …)`");
        machine.fail(warning);
    }
    Ok(())
}
