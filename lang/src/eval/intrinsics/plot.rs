//! Figures.

use super::Table;
use super::data::{builtin, numbered, output};
use super::given::Given;
use super::measure::made;
use crate::core::FunctionId;
use crate::eval::artifact::About;
use crate::eval::blame::Place;
use crate::eval::late::Inputs;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::Value;
use crate::spec::{ArtifactKind, ByName, Datum, Fields, Input, Resources};

pub(super) const TABLE: Table = &[
    ("curves", 2, curves),
    ("confusion", 1, confusion),
    ("roc", 1, roc),
    ("images", 3, images),
    ("scatter", 5, scatter),
];

type Answer = Result<Value, Failed>;
type Args = Fields;

fn plot(machine: &mut Machine<'_>, name: &str, place: Place, args: Args, inputs: ByName<Input>) -> Value {
    let mut spec = builtin(machine, name, place, args, inputs, Resources::default());
    spec.outputs
        .insert("plot", output(ArtifactKind::Plot, Datum::Null));
    made(machine, spec, "plot", ArtifactKind::Plot, About::Nothing)
}

fn curves(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let inputs = numbered(machine, &given, "histories", "history")?;
    let args = Args::from([("y", machine.datum(&given.get("y"), place)?)]);
    Ok(plot(machine, "plot.curves", place, args, inputs))
}

fn confusion(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let Value::Late(matrix) = given.get("matrix") else {
        return Err(machine.unexpected(place, "a late value", &given.get("matrix")));
    };
    let late = machine.late_value(matrix);
    let path = late
        .path
        .into_iter()
        .map(|part| Datum::Str(part.into()))
        .collect();
    let span = given.span(machine, "matrix");
    let input = Input {
        source: late.source,
        span,
    };
    let args = Args::from([("path", Datum::List(path))]);
    let inputs = ByName::from([("metrics", input)]);
    Ok(plot(machine, "plot.confusion", place, args, inputs))
}

fn roc(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let inputs = ByName::from([("predictions", given.input(machine, "predictions")?)]);
    Ok(plot(machine, "plot.roc", place, Args::new(), inputs))
}

fn images(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let n = given.count(machine, "n", 1)?.unwrap_or(1);
    let args = Args::from([
        ("n", Datum::Int(n)),
        ("seed", machine.datum(&given.get("seed"), place)?),
    ]);
    let inputs = ByName::from([("dataset", given.input(machine, "dataset")?)]);
    Ok(plot(machine, "plot.images", place, args, inputs))
}

fn scatter(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let rows = given.get("rows");
    let Value::List(rows) = &rows else {
        return Err(machine.unexpected(place, "a list", &rows));
    };
    let mut inputs = Inputs::default();
    let mut args = Args::new();
    for axis in ["x", "y"] {
        let of = given.get(axis);
        let mut figures = Vec::with_capacity(rows.items().len());
        for (index, row) in rows.items().iter().enumerate() {
            let made = machine.specs.mark();
            let figure = machine.apply(&of, [row.clone()], place)?;
            let Some(term) = machine.term(&figure) else {
                return Err(machine.unexpected(place, "a number", &figure));
            };
            figures.push(machine.encode(&term, &mut inputs));
            machine.specs.name(made, &format!("[{index}]"));
        }
        args.insert(axis.to_owned(), Datum::List(figures));
        let label = format!("{axis}_label");
        args.insert(label.clone(), machine.datum(&given.get(&label), place)?);
    }
    let inputs = inputs.at(&machine.origin(place));
    Ok(plot(machine, "plot.scatter", place, args, inputs))
}
