//! Functions of the prelude that take plain and late numbers alike: `mean`, `std`, `assert`.

use super::Table;
use crate::core::FunctionId;
use crate::eval::blame::Place;
use crate::eval::late::{Operation, Term};
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::Value;

pub(super) const TABLE: Table = &[("mean", 1, mean), ("std", 1, std), ("assert", 2, assert)];

type Answer = Result<Value, Failed>;

impl Machine<'_> {
    /// A figure of several numbers, of which at least one is late; none where all are plain.
    pub(super) fn late_statistic(
        &mut self,
        op: &'static str,
        values: &[Value],
        place: Place,
    ) -> Result<Option<Value>, Failed> {
        if !values.iter().any(|value| matches!(value, Value::Late(_))) {
            return Ok(None);
        }
        let terms = self.terms(values, place)?;
        Ok(Some(self.formula(Operation::Statistic(op, terms), place)))
    }
}

fn mean(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    statistic(machine, "mean", 1, place, |xs| {
        xs.iter().sum::<f64>() / xs.len() as f64
    })
}

fn std(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    statistic(machine, "std", 2, place, |xs| {
        let mean = xs.iter().sum::<f64>() / xs.len() as f64;
        let squares: f64 = xs.iter().map(|x| (x - mean) * (x - mean)).sum();
        (squares / (xs.len() as f64 - 1.0)).sqrt()
    })
}

/// A figure of at least `least` numbers.
fn statistic(
    machine: &mut Machine<'_>,
    op: &'static str,
    least: usize,
    place: Place,
    of: fn(&[f64]) -> f64,
) -> Answer {
    let [xs] = machine.args();
    let Value::List(list) = &xs else {
        return Err(machine.unexpected(place, "a list", &xs));
    };
    let values = list.items();
    if values.len() < least {
        let message = match values.len() {
            0 => format!("an empty list has no {op}"),
            _ => "one number has no standard deviation".to_owned(),
        };
        let error = machine
            .argument_error(place, "xs", "E0412", message)
            .at(format!("has {}", values.len()))
            .help(format!("give at least {least}"));
        return Err(machine.fail(error));
    }
    if let Some(late) = machine.late_statistic(op, values, place)? {
        return Ok(late);
    }
    let mut numbers = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Value::Int(value) => numbers.push(*value as f64),
            Value::Float(value) => numbers.push(*value),
            other => return Err(machine.unexpected(place, "a number", other)),
        }
    }
    let figure = of(&numbers);
    if figure.is_finite() {
        return Ok(Value::Float(figure));
    }
    let error = machine.argument_error(place, "xs", "E0404", format!("the {op} is not a finite number"));
    Err(machine.fail(error.at("too large for a Float")))
}

fn assert(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [condition, message] = machine.args();
    let Value::Str(message) = &message else {
        return Err(machine.unexpected(place, "a text", &message));
    };
    match condition {
        Value::Bool(true) => Ok(condition),
        Value::Bool(false) => {
            let error = machine
                .argument_error(place, "condition", "E0430", message.as_str())
                .at("does not hold");
            Err(machine.fail(error))
        }
        Value::Late(id) => {
            let operation = Operation::Assert(Term::Late(id), message.as_str().to_owned());
            Ok(machine.formula(operation, place))
        }
        other => Err(machine.unexpected(place, "true or false", &other)),
    }
}
