//! Datasets out of datasets: fixed maps of examples, and choices among them.

use super::Table;
use super::data::{dataset_of, numbered};
use super::given::Given;
use super::measure::{dataset, same_data};
use crate::core::FunctionId;
use crate::eval::artifact::{About, DatasetInfo};
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::Value;
use crate::shapes::{Dim, Features, Labels, Signal, features_text, labels_text};
use crate::spec::{ByName, Datum, Fields};
use std::rc::Rc;

pub(super) const TABLE: Table = &[
    ("resize", 4, resize),
    ("log_mel", 5, log_mel),
    ("top_classes", 2, top_classes),
    ("balance", 3, balance),
    ("concat", 1, concat),
    ("take", 3, take),
];

type Answer = Result<Value, Failed>;
type Args = Fields;

/// The one input of examples, of `rank` dimensions.
fn shape_of(
    machine: &mut Machine<'_>,
    given: &Given,
    info: &DatasetInfo,
    (rank, what): (usize, &str),
) -> Result<Vec<Dim>, Failed> {
    match &info.x {
        Features::One(signal) if signal.shape.len() == rank && !signal.ids => Ok(signal.shape.clone()),
        other => {
            let shown = features_text(other);
            let message = format!("the examples are {shown}, not {what}");
            Err(given.wrong(machine, "dataset", message, format!("needs {what}")))
        }
    }
}

/// A dataset like `info` whose examples have another shape.
fn shaped(info: &DatasetInfo, shape: Vec<Dim>) -> DatasetInfo {
    DatasetInfo {
        x: Features::One(Signal::numbers(shape)),
        ..info.clone()
    }
}

fn of_one(machine: &mut Machine<'_>, given: &Given, name: &str, args: Args, info: DatasetInfo) -> Answer {
    let inputs = ByName::from([("dataset", given.input(machine, "dataset")?)]);
    Ok(dataset_of(
        machine,
        name,
        given.place,
        (args, inputs),
        Rc::new(info),
    ))
}

/// Counts of a call, each at least 1, as arguments.
fn counts<const N: usize>(
    machine: &mut Machine<'_>,
    given: &Given,
    names: [&str; N],
) -> Result<([i64; N], Args), Failed> {
    let (mut values, mut args) = ([1; N], Args::new());
    for (value, name) in values.iter_mut().zip(names) {
        *value = given.count(machine, name, 1)?.unwrap_or(1);
        args.insert(name.to_owned(), Datum::Int(*value));
    }
    Ok((values, args))
}

fn resize(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let info = dataset(machine, &given, "dataset")?;
    let shape = shape_of(machine, &given, &info, (3, "images"))?;
    let ([height, width], mut args) = counts(machine, &given, ["height", "width"])?;
    args.insert("mode", Datum::Str(given.choice(machine, "mode")?));
    let made = shaped(&info, vec![shape[0], Some(height), Some(width)]);
    of_one(machine, &given, "data.resize", args, made)
}

fn log_mel(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let info = dataset(machine, &given, "dataset")?;
    let shape = shape_of(machine, &given, &info, (2, "sounds"))?;
    let ([n_fft, hop, n_mels], mut args) = counts(machine, &given, ["n_fft", "hop", "n_mels"])?;
    if let Some(rate) = given.count(machine, "rate", 2)? {
        args.insert("rate", Datum::Int(rate));
    }
    // At its ends a sound is mirrored, once.
    if let Some(samples) = shape[1].filter(|samples| *samples <= n_fft / 2) {
        let message = format!("`n_fft` is {n_fft}, of sounds of {samples} samples");
        let bound = format!("must be below {}", samples.saturating_mul(2));
        return Err(given.wrong(machine, "n_fft", message, bound));
    }
    // Windows stand centred on every `hop`th sample, from the first.
    let frames = shape[1].map(|samples| samples / hop + 1);
    let made = shaped(&info, vec![shape[0], Some(n_mels), frames]);
    of_one(machine, &given, "data.log_mel", args, made)
}

/// The classes of a dataset.
fn classes(machine: &mut Machine<'_>, given: &Given, info: &DatasetInfo) -> Result<i64, Failed> {
    match info.y {
        Labels::Class(classes) => Ok(classes),
        other => {
            let message = format!("the labels are {}, not classes", labels_text(other));
            Err(given.wrong(machine, "dataset", message, "needs classes"))
        }
    }
}

fn top_classes(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let info = dataset(machine, &given, "dataset")?;
    let classes = classes(machine, &given, &info)?;
    let ([n], args) = counts(machine, &given, ["n"])?;
    if !(2..=classes).contains(&n) {
        let message = format!("`n` is {n}, of {classes} classes");
        return Err(given.wrong(machine, "n", message, format!("must be 2 to {classes}")));
    }
    let made = DatasetInfo {
        y: Labels::Class(n),
        y_span: given.span(machine, "n"),
        ..DatasetInfo::clone(&info)
    };
    of_one(machine, &given, "data.top_classes", args, made)
}

fn seeded(machine: &mut Machine<'_>, given: &Given, count: &str) -> Result<Args, Failed> {
    let (_, mut args) = counts(machine, given, [count])?;
    args.insert("seed", machine.datum(&given.get("seed"), given.place)?);
    Ok(args)
}

fn balance(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let info = dataset(machine, &given, "dataset")?;
    classes(machine, &given, &info)?;
    let args = seeded(machine, &given, "per_class")?;
    of_one(machine, &given, "data.balance", args, DatasetInfo::clone(&info))
}

fn take(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let info = dataset(machine, &given, "dataset")?;
    let args = seeded(machine, &given, "n")?;
    of_one(machine, &given, "data.take", args, DatasetInfo::clone(&info))
}

fn concat(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let inputs = numbered(machine, &given, "datasets", "dataset")?;
    let list = given.get("datasets");
    let mut first: Option<Rc<DatasetInfo>> = None;
    if let Value::List(datasets) = &list {
        for item in datasets.items() {
            let Value::Artifact(id) = item else { continue };
            let About::Dataset(info) = machine.artifacts.get(*id).about.clone() else {
                continue;
            };
            match &first {
                Some(first) => same_data(machine, &given, "datasets", &info, &first.x, first.y)?,
                None => first = Some(info),
            }
        }
    }
    match first {
        Some(info) => Ok(dataset_of(
            machine,
            "data.concat",
            place,
            (Args::new(), inputs),
            info,
        )),
        None => Err(machine.unexpected(place, "datasets", &list)),
    }
}
