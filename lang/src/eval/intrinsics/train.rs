//! `ml.train` and `ml.evaluate`.

use super::Table;
use super::data::{builtin, output};
use super::given::Given;
use crate::core::FunctionId;
use crate::diagnostic::{Diagnostic, Severity};
use crate::eval::artifact::{About, Artifact, DatasetInfo, ModelInfo};
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::Value;
use crate::shapes::{self, Fitting, Labels, Network};
use crate::source::Span;
use crate::spec::{ArtifactKind, Datum, InputSource, LateValue, OutputSpec, SpecId};
use std::collections::BTreeMap;
use std::rc::Rc;

pub(super) const TABLE: Table = &[("train", 19, train), ("evaluate", 6, evaluate)];

type Answer = Result<Value, Failed>;
type Args = BTreeMap<String, Datum>;

/// Below so many operations an example (forward), a batch is not worth cutting into shards.
const SMALL_NETWORK: u64 = 1_000_000;
/// Shards of a batch of a larger network: what keeps four workers busy.
const SHARDS: i64 = 4;

fn train(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let on = dataset(machine, &given, "on")?;
    let val = match given.get("val") {
        Value::Null => None,
        _ => Some(dataset(machine, &given, "val")?),
    };
    let root = machine.layer(&given.get("net"), place)?;
    let input = shapes::Input {
        shape: on.x.clone(),
        span: on.x_span,
    };
    let network = shapes::infer(&root, &input).map_err(|error| machine.fail(*error))?;
    if let Some(val) = &val {
        same_data(machine, &given, "val", val, &network.input, on.y)?;
    }
    let fitting = Fitting {
        network: &network,
        input: &input,
        net: &root.site,
        labels: on.y,
        labels_span: on.y_span,
    };
    let metrics = metrics(machine, &given, on.y, on.y_span)?;
    let loss = machine.description(&given.get("loss"), place)?;
    let loss_span = machine.site(&loss, place).span;
    let loss_kind = machine.names.text(loss.name).to_owned();
    check_loss(machine, &given, &loss, on.y)?;
    if let Some(found) = fitting.loss(&loss_kind, loss_span) {
        told(machine, found)?;
    }
    validation(machine, &given, val.is_some(), !metrics.is_empty())?;
    let mut args = train_args(machine, &given, &network)?;
    args.insert("loss".to_owned(), machine.datum(&Value::Variant(loss), place)?);
    let kinds = metrics.clone();
    if !metrics.is_empty() {
        args.insert("metrics".to_owned(), Datum::Map(metrics));
    }
    let mut inputs = BTreeMap::from([("on".to_owned(), given.input(machine, "on")?)]);
    if val.is_some() {
        inputs.insert("val".to_owned(), given.input(machine, "val")?);
    }
    let resources = given.resources(machine)?;
    let mut spec = builtin(machine, "ml.train", place, args, inputs, resources);
    let span = spec.origin.span;
    for (name, kind) in [("model", ArtifactKind::Model), ("last", ArtifactKind::Model)] {
        spec.outputs.insert(name.to_owned(), output(kind, Datum::Null));
    }
    spec.outputs
        .insert("history".to_owned(), output(ArtifactKind::History, Datum::Null));
    spec.outputs
        .insert("best".to_owned(), output(ArtifactKind::Value, Datum::Null));
    if val.is_some() {
        spec.outputs.insert(
            "val".to_owned(),
            output(ArtifactKind::Metrics, metrics_schema(&kinds, true)),
        );
    }
    spec.outputs.insert("timings".to_owned(), observed());
    let spec = machine.specs.add(spec);
    let model = ModelInfo {
        input: network.input,
        labels: on.y,
        rows: network.rows,
        span,
    };
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
        output: output.to_owned(),
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
    cells.push(machine.artifacts.add_late(LateValue {
        source: of("best"),
        path: vec!["epoch".to_owned()],
    }));
    let shape = machine
        .names
        .shape_of(&["model", "last", "history", "val", "best_epoch"]);
    machine.record(shape, cells, place)
}

/// Everything of [`mlp-protocol`]'s `TrainArgs` but loss and metrics.
fn train_args(machine: &mut Machine<'_>, given: &Given, network: &Network) -> Result<Args, Failed> {
    let mut args = Args::from([
        ("net".to_owned(), network.datum.clone()),
        ("optimizer".to_owned(), optimizer(machine, given)?),
        ("keep".to_owned(), Datum::Str(given.choice(machine, "keep")?)),
        (
            "precision".to_owned(),
            Datum::Str(given.choice(machine, "precision")?),
        ),
        ("device".to_owned(), Datum::Str(given.choice(machine, "device")?)),
        ("seed".to_owned(), machine.datum(&given.get("seed"), given.place)?),
    ]);
    let mut count = |name: &str| given.count(machine, name, 1);
    let (epochs, batch_size) = (count("epochs")?, count("batch_size")?);
    let (accumulate, every) = (count("accumulate")?, count("checkpoint_every")?);
    let shards = match count("shards")? {
        Some(shards) => shards,
        None => automatic_shards(network, batch_size.unwrap_or(1)),
    };
    let counts = [
        ("epochs", epochs, 0),
        ("batch_size", batch_size, 0),
        ("accumulate", accumulate, 1),
        ("checkpoint_every", every, 1),
        ("shards", Some(shards), 0),
    ];
    for (name, count, absent) in counts {
        if let Some(count) = count
            && count != absent
        {
            args.insert(name.to_owned(), Datum::Int(count));
        }
    }
    match given.get("clip_grad_norm") {
        Value::Float(norm) if norm > 0.0 => {
            args.insert("clip_grad_norm".to_owned(), Datum::Float(norm));
        }
        Value::Null => {}
        other => {
            let shown = machine.display(&other);
            return Err(given.wrong(
                machine,
                "clip_grad_norm",
                format!("`clip_grad_norm` is {shown}"),
                "must be above 0",
            ));
        }
    }
    if let Value::Variant(schedule) = given.get("schedule") {
        for name in ["step_size", "over"] {
            if let Some(Value::Int(epochs @ ..1)) = schedule.field(&machine.names, name) {
                let message = format!("`{name}` is {epochs}");
                return Err(of_description(
                    machine,
                    given,
                    &schedule,
                    name,
                    &message,
                    "must be 1 or more",
                ));
            }
        }
        if let Some(Value::Int(warmup @ ..0)) = schedule.field(&machine.names, "warmup") {
            let message = format!("`warmup` is {warmup}");
            return Err(of_description(
                machine,
                given,
                &schedule,
                "warmup",
                &message,
                "must be 0 or more",
            ));
        }
        args.insert(
            "schedule".to_owned(),
            machine.datum(&Value::Variant(schedule), given.place)?,
        );
    }
    match machine.datum(&given.get("early_stopping"), given.place)? {
        Datum::Null => {}
        Datum::Map(rule) => {
            if let Some(Datum::Int(patience @ ..0)) = rule.get("patience") {
                let message = format!("`patience` is {patience}");
                return Err(given.wrong(machine, "early_stopping", message, "must be 0 or more"));
            }
            args.insert("early_stopping".to_owned(), Datum::Map(rule));
        }
        _ => {
            return Err(machine.unexpected(
                given.place,
                "`ml.early_stopping(…)`",
                &given.get("early_stopping"),
            ));
        }
    }
    Ok(args)
}

/// A function of the network and the batch alone: the number of shards decides bits, the machine must not.
fn automatic_shards(network: &Network, batch_size: i64) -> i64 {
    if network.has("batch_norm") || network.flops() < SMALL_NETWORK {
        return 1;
    }
    SHARDS.min(batch_size)
}

fn optimizer(machine: &mut Machine<'_>, given: &Given) -> Result<Datum, Failed> {
    let optimizer = machine.description(&given.get("optimizer"), given.place)?;
    for (name, positive) in [
        ("lr", true),
        ("eps", true),
        ("momentum", false),
        ("weight_decay", false),
    ] {
        if let Some(Value::Float(value)) = optimizer.field(&machine.names, name)
            && (*value < 0.0 || positive && *value == 0.0)
        {
            let message = format!("`{name}` is {}", crate::eval::render::float(*value));
            let bound = if positive {
                "must be above 0"
            } else {
                "must be 0 or more"
            };
            return Err(of_description(machine, given, &optimizer, name, &message, bound));
        }
    }
    if let Some(betas) = optimizer.field(&machine.names, "betas") {
        let inside = |beta: &Value| matches!(beta, Value::Float(beta) if (0.0..1.0).contains(beta));
        let fits =
            matches!(betas, Value::List(list) if list.items().len() == 2 && list.items().iter().all(inside));
        if !fits {
            let message = format!("`betas` is {}", machine.display(betas));
            let bound = "must be two numbers from 0 up to and without 1";
            return Err(of_description(
                machine, given, &optimizer, "betas", &message, bound,
            ));
        }
    }
    machine.datum(&Value::Variant(optimizer), given.place)
}

/// An argument of a description that is out of range.
fn of_description(
    machine: &mut Machine<'_>,
    given: &Given,
    description: &crate::eval::value::Variant,
    name: &str,
    message: &str,
    at: &str,
) -> Failed {
    let site = machine.site(description, given.place);
    let span = site.arguments.get(name).copied().unwrap_or(site.span);
    let kind = machine.names.text(description.name).to_owned();
    let mut error = Diagnostic::error("E0412", span, format!("{message} in `{kind}`")).at(at);
    error.notes = site.notes;
    machine.fail(error)
}

/// The arguments of a loss that the labels decide.
fn check_loss(
    machine: &mut Machine<'_>,
    given: &Given,
    loss: &crate::eval::value::Variant,
    labels: Labels,
) -> Result<(), Failed> {
    if let (Some(Value::List(weight)), Labels::Class(classes)) =
        (loss.field(&machine.names, "weight"), labels)
        && weight.items().len() as i64 != classes
    {
        let message = format!(
            "`weight` has {} numbers for {classes} classes",
            weight.items().len()
        );
        return Err(of_description(
            machine,
            given,
            loss,
            "weight",
            &message,
            "needs one for each class",
        ));
    }
    if let Some(Value::Float(smoothing)) = loss.field(&machine.names, "label_smoothing")
        && !(0.0..=1.0).contains(smoothing)
    {
        let message = format!("`label_smoothing` is {}", crate::eval::render::float(*smoothing));
        return Err(of_description(
            machine,
            given,
            loss,
            "label_smoothing",
            &message,
            "must be between 0 and 1",
        ));
    }
    Ok(())
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

fn evaluate(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
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
    let metrics = metrics(machine, &given, on.y, on.y_span)?;
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

fn observed() -> OutputSpec {
    OutputSpec {
        observed: true,
        ..output(ArtifactKind::Value, Datum::Null)
    }
}

fn dataset(machine: &mut Machine<'_>, given: &Given, label: &str) -> Result<Rc<DatasetInfo>, Failed> {
    let value = given.get(label);
    if let Value::Artifact(artifact) = value
        && let About::Dataset(info) = &machine.artifacts.get(artifact).about
    {
        return Ok(Rc::clone(info));
    }
    Err(machine.unexpected(given.place, "a dataset", &value))
}

/// Whether a dataset is like the one that a network was made for.
fn same_data(
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

/// The metrics by name, each held against the labels.
fn metrics(
    machine: &mut Machine<'_>,
    given: &Given,
    labels: Labels,
    labels_span: Span,
) -> Result<Args, Failed> {
    let Value::Record(record) = given.get("metrics") else {
        return Ok(Args::new());
    };
    let fields = machine.names.fields(record.shape).to_vec();
    let mut metrics = Args::new();
    for (field, value) in fields.into_iter().zip(record.cells()) {
        let name = machine.names.text(field).to_owned();
        let metric = machine.description(value, given.place)?;
        let span = machine.site(&metric, given.place).span;
        let datum = machine.datum(&Value::Variant(metric), given.place)?;
        if let Some(found) = shapes::check_metric(&name, &datum, span, labels, labels_span) {
            told(machine, found)?;
        }
        metrics.insert(name, datum);
    }
    Ok(metrics)
}

/// What the file of metrics must hold: `{accuracy: "Float"}`.
fn metrics_schema(metrics: &Args, with_loss: bool) -> Datum {
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
fn told(machine: &mut Machine<'_>, found: Diagnostic) -> Result<(), Failed> {
    let error = found.severity == Severity::Error;
    let failed = machine.fail(found);
    if error { Err(failed) } else { Ok(()) }
}
