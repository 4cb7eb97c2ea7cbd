//! `search.bayes`: trials one after the other, each where a model of those before expects most.
//!
//! Every candidate of the pool is evaluated and checked, as for any choice. A `propose` derivation reads the figures of the
//! trials before it and writes the position of the next one; its figure is that of whichever candidate this is. So the
//! graph is static, and a larger `n` goes on where a smaller one ended.

use super::Table;
use super::choose::{Choice, chosen_figure, direction, figures, position};
use super::given::Given;
use crate::core::FunctionId;
use crate::eval::blame::Place;
use crate::eval::late::{Inputs, Late, encode_input, encode_list, value_output};
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::Value;
use crate::spec::{ArtifactKind, ByName, Datum, LateValue};

pub(super) const TABLE: Table = &[("bayes", 4, bayes)];

/// Trials that only spread out, besides one for each column: a plane through them is then more than determined.
const SPREAD: usize = 2;

fn bayes(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Result<Value, Failed> {
    let given = Given::take(machine, function, place);
    let (by, highest) = direction(machine, &given)?;
    let choice = Choice::new(machine, &given, "pool", highest)?;
    let trials = given.count(machine, "n", 1)?.unwrap_or(1) as usize;
    let size = choice.candidates.len();
    if trials > size {
        let message = format!("`n` is {trials}, and the pool has {size}");
        let at = "each candidate is tried once: draw a larger pool";
        return Err(given.wrong(machine, "n", message, at));
    }
    let rows: Vec<Vec<Datum>> = choice.candidates.iter().map(|one| cells(machine, one)).collect();
    let spread = rows.first().map_or(0, Vec::len) + SPREAD;
    let pool = Datum::List(rows.into_iter().map(Datum::List).collect());
    let figures = figures(machine, &choice, &by, None)?;
    let (mut tried, mut known) = (Vec::new(), Vec::new());
    for trial in 0..trials {
        machine.step(place)?;
        let read: &[LateValue] = if trial < spread { &[] } else { &known };
        let at = proposal(machine, &pool, &tried, read, highest, place);
        let figure = machine
            .artifacts
            .late_id(Late::At(chosen_figure(&figures, at.clone())));
        let made = machine.specs.mark();
        known.push(machine.own_late(figure, place));
        machine.specs.name(made, &format!(".trial{}", trial + 1));
        tried.push(at);
    }
    let mut inputs = Inputs::default();
    let figures = known
        .iter()
        .map(|figure| encode_input(figure, &mut inputs))
        .collect();
    let of = encode_list(&tried, &mut inputs);
    let chooser = choice.choose(machine, figures, inputs, 1, Some(of));
    choice.pick(machine, chooser)
}

/// The position of the next trial: of one that spreads out, or, where there are figures, of one that promises most.
fn proposal(
    machine: &mut Machine<'_>,
    pool: &Datum,
    tried: &[LateValue],
    figures: &[LateValue],
    highest: bool,
    place: Place,
) -> LateValue {
    let mut inputs = Inputs::default();
    let mut list = |values: &[LateValue]| {
        let values = values.iter().map(|value| encode_input(value, &mut inputs));
        Datum::List(values.collect())
    };
    let mut args = ByName::from([
        ("pool", pool.clone()),
        ("tried", list(tried)),
        ("highest", Datum::Bool(highest)),
    ]);
    if !figures.is_empty() {
        args.insert("figures", list(figures));
    }
    let origin = machine.origin(place);
    let output = value_output(ArtifactKind::Value, Datum::Null);
    let made = machine.specs.mark();
    let spec = machine.computed("propose", args, inputs, origin, output);
    machine.specs.name(made, &format!(".proposal{}", tried.len() + 1));
    position(spec, 0)
}

/// A candidate as the cells of a row: numbers, and whatever else as a text that is the same for what is the same.
fn cells(machine: &Machine<'_>, candidate: &Value) -> Vec<Datum> {
    match candidate {
        Value::Record(record) => record
            .cells()
            .iter()
            .flat_map(|cell| cells(machine, cell))
            .collect(),
        Value::Int(number) | Value::Duration(number) | Value::Bytes(number) => {
            vec![Datum::Float(*number as f64)]
        }
        Value::Float(number) => vec![Datum::Float(*number)],
        other => vec![Datum::Str(machine.text(other).unwrap_or_default().into())],
    }
}
