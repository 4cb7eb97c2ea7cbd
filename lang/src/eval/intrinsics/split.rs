//! `data.split` and `data.folds`: how examples are shared out.

use super::Table;
use super::data::{builtin, output, schema};
use super::given::Given;
use super::measure::dataset;
use crate::core::FunctionId;
use crate::eval::artifact::{About, Artifact, DatasetInfo};
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::names::Symbol;
use crate::eval::value::Value;
use crate::shapes::Labels;
use crate::spec::{ArtifactKind, ByName, Datum, Fields, InputSource, Resources, SpecId};
use std::rc::Rc;

pub(super) const TABLE: Table = &[("split", 5, split), ("folds", 5, folds)];

type Answer = Result<Value, Failed>;
type Args = Fields;

/// One of several datasets that a step makes.
fn part(machine: &mut Machine<'_>, spec: SpecId, output: String, info: &Rc<DatasetInfo>) -> Value {
    machine.artifacts.add(Artifact {
        source: InputSource::Output {
            spec,
            output: output.into(),
        },
        kind: ArtifactKind::Dataset,
        about: About::Dataset(Rc::clone(info)),
    })
}

/// A step that makes the datasets called `names` of `dataset`.
fn parts_of(
    machine: &mut Machine<'_>,
    given: &Given,
    builtin_name: &str,
    args: Args,
    names: &[String],
    info: &DatasetInfo,
) -> Result<SpecId, Failed> {
    let inputs = ByName::from([("dataset", given.input(machine, "dataset")?)]);
    let mut spec = builtin(
        machine,
        builtin_name,
        given.place,
        args,
        inputs,
        Resources::default(),
    );
    for name in names {
        spec.outputs
            .insert(name.clone(), output(ArtifactKind::Dataset, schema(info)));
    }
    Ok(machine.specs.add(spec))
}

/// The argument `stratify`, which needs classes.
fn stratify(machine: &mut Machine<'_>, given: &Given, labels: Labels, args: &mut Args) -> Result<(), Failed> {
    if !matches!(given.get("stratify"), Value::Bool(true)) {
        return Ok(());
    }
    let what = match labels {
        Labels::Class(_) => {
            args.insert("stratify", Datum::Bool(true));
            return Ok(());
        }
        Labels::Tags(_) => "tags",
        Labels::Real(_) => "numbers",
    };
    let message = format!("`stratify` keeps classes' proportions, and the labels are {what}");
    Err(given.wrong(machine, "stratify", message, "leave it out"))
}

/// An optional text as an argument; null is no argument.
fn text(machine: &mut Machine<'_>, given: &Given, name: &str, args: &mut Args) -> Result<(), Failed> {
    let datum = machine.datum(&given.get(name), given.place)?;
    if datum != Datum::Null {
        args.insert(name.to_owned(), datum);
    }
    Ok(())
}

fn split(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let info = dataset(machine, &given, "dataset")?;
    let Value::Record(shares) = given.get("shares") else {
        return Err(machine.unexpected(place, "shares", &given.get("shares")));
    };
    let fields = machine.names.fields(shares.shape).to_vec();
    let parts = parts(machine, &given, &fields, shares.cells())?;
    let names: Vec<String> = parts.iter().map(|(name, _)| name.clone()).collect();
    let shares_datum = parts
        .into_iter()
        .map(|(name, share)| (name, Datum::Float(share)))
        .collect();
    let mut args = Args::from([
        ("shares", Datum::Map(shares_datum)),
        (
            "order",
            Datum::List(names.iter().map(|name| Datum::Str(name.into())).collect()),
        ),
        ("seed", machine.datum(&given.get("seed"), place)?),
    ]);
    stratify(machine, &given, info.y, &mut args)?;
    text(machine, &given, "group", &mut args)?;
    let spec = parts_of(machine, &given, "data.split", args, &names, &info)?;
    let cells = names
        .into_iter()
        .map(|name| part(machine, spec, name, &info))
        .collect();
    machine.record(shares.shape, cells, place)
}

fn folds(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    /// More folds than anybody means.
    const MOST: i64 = 1_000;
    let given = Given::take(machine, function, place);
    let info = dataset(machine, &given, "dataset")?;
    let k = given.count(machine, "k", 2)?.unwrap_or(2);
    if k > MOST {
        return Err(given.wrong(
            machine,
            "k",
            format!("`k` is {k}"),
            format!("must be at most {MOST}"),
        ));
    }
    let mut args = Args::from([
        ("k", Datum::Int(k)),
        ("seed", machine.datum(&given.get("seed"), place)?),
    ]);
    stratify(machine, &given, info.y, &mut args)?;
    text(machine, &given, "column", &mut args)?;
    let sides = ["train", "test"];
    let names: Vec<String> = (0..k)
        .flat_map(|fold| sides.map(|side| format!("{fold}.{side}")))
        .collect();
    let spec = parts_of(machine, &given, "data.folds", args, &names, &info)?;
    let shape = machine.names.shape_of(&sides);
    let mut folds = Vec::new();
    for pair in names.chunks(2) {
        let cells = pair
            .iter()
            .map(|name| part(machine, spec, name.clone(), &info))
            .collect();
        folds.push(machine.record(shape, cells, place)?);
    }
    machine.list(folds, place)
}

/// The parts of a split with their shares, which sum to 1.
fn parts(
    machine: &mut Machine<'_>,
    given: &Given,
    names: &[Symbol],
    shares: &[Value],
) -> Result<Vec<(String, f64)>, Failed> {
    let mut parts = Vec::new();
    for (name, share) in names.iter().zip(shares) {
        let name = machine.names.text(*name).to_owned();
        match share {
            Value::Float(share) if *share > 0.0 && *share <= 1.0 => parts.push((name, *share)),
            other => {
                let shown = machine.display(other);
                let message = format!("the share of `{name}` is {shown}");
                let mut error = machine
                    .argument_error(given.place, "shares", "E0412", message)
                    .at("each must be above 0 and at most 1");
                if let Value::Float(percent) = other
                    && (1.0..100.0).contains(percent)
                {
                    let share = crate::eval::render::float(percent / 100.0);
                    error = error.help(format!("for {percent} in 100 write `{name}: {share}`"));
                }
                return Err(machine.fail(error));
            }
        }
    }
    let sum: f64 = parts.iter().map(|(_, share)| share).sum();
    if (sum - 1.0).abs() > 1e-9 {
        let shown = crate::eval::render::float((sum * 1e6).round() / 1e6);
        let message = format!("the shares sum to {shown}");
        let mut error = machine
            .argument_error(given.place, "shares", "E0412", message)
            .at("must sum to 1");
        if let Some((name, last)) = parts.last() {
            let fitting = last + 1.0 - sum;
            if fitting > 0.0 {
                let fitting = crate::eval::render::float((fitting * 1e6).round() / 1e6);
                error = error.help(format!("`{name}: {fitting}` would make them so"));
            }
        }
        return Err(machine.fail(error));
    }
    Ok(parts)
}
