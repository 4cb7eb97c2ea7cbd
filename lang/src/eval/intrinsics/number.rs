//! Numbers.

use super::Table;
use crate::core::FunctionId;
use crate::eval::blame::Place;
use crate::eval::compare::order;
use crate::eval::late::{Operation, Term};
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::Value;

pub(super) const TABLE: Table = &[
    ("float", 1, float),
    ("int", 1, int),
    ("round", 1, round),
    ("floor", 1, floor),
    ("ceil", 1, ceil),
    ("abs", 1, abs),
    ("min", 2, min),
    ("max", 2, max),
    ("sqrt", 1, sqrt),
    ("exp", 1, exp),
    ("log", 1, log),
];

type Answer = Result<Value, Failed>;

fn float(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    match machine.args() {
        [Value::Int(n)] => Ok(Value::Float(n as f64)),
        [other] => Err(machine.unexpected(place, "an integer", &other)),
    }
}

/// A float made whole by `whole`, if it is an integer then.
fn whole(machine: &mut Machine<'_>, place: Place, whole: fn(f64) -> f64) -> Answer {
    let x = match machine.args() {
        [Value::Float(x)] => whole(x),
        [other] => return Err(machine.unexpected(place, "a float", &other)),
    };
    // Both bounds are powers of two and so exact.
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x) {
        return Ok(Value::Int(x as i64));
    }
    let error = machine
        .argument_error(
            place,
            "x",
            "E0402",
            format!("{} is outside the integers", crate::eval::render::float(x)),
        )
        .at("above 2^63 - 1 or below -2^63");
    Err(machine.fail(error))
}

fn int(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    whole(machine, place, f64::trunc)
}

fn round(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    whole(machine, place, f64::round_ties_even)
}

fn floor(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    whole(machine, place, f64::floor)
}

fn ceil(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    whole(machine, place, f64::ceil)
}

fn abs(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    match machine.args() {
        [Value::Int(x @ ..0) | Value::Duration(x @ ..0)] if x == i64::MIN => {
            let error = machine
                .argument_error(
                    place,
                    "x",
                    "E0402",
                    "the number without its sign is outside the integers",
                )
                .at("above 2^63 - 1");
            Err(machine.fail(error))
        }
        [Value::Int(x)] => Ok(Value::Int(x.abs())),
        [Value::Duration(x)] => Ok(Value::Duration(x.abs())),
        [Value::Float(x)] => Ok(Value::Float(x.abs())),
        [Value::Late(id)] => Ok(machine.formula(Operation::Unary("abs", Term::Late(id)), place)),
        [other] => Err(machine.unexpected(place, "a number", &other)),
    }
}

fn min(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [a, b] = machine.args();
    if let Some(late) = machine.late_statistic("min", &[a.clone(), b.clone()], place)? {
        return Ok(late);
    }
    match order(&a, &b) {
        Some(order) => Ok(if order.is_gt() { b } else { a }),
        None => Err(machine.unexpected(place, "what has an order (numbers, strings)", &a)),
    }
}

fn max(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [a, b] = machine.args();
    if let Some(late) = machine.late_statistic("max", &[a.clone(), b.clone()], place)? {
        return Ok(late);
    }
    match order(&a, &b) {
        Some(order) => Ok(if order.is_lt() { b } else { a }),
        None => Err(machine.unexpected(place, "what has an order (numbers, strings)", &a)),
    }
}

fn sqrt(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    elementary(machine, "sqrt", f64::sqrt, place)
}

fn exp(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    elementary(machine, "exp", libm::exp, place)
}

fn log(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    elementary(machine, "log", libm::log, place)
}

/// A function of one number that gives a Float. `of` has the same bits on every machine: IEEE 754 or libm.
fn elementary(machine: &mut Machine<'_>, op: &'static str, of: fn(f64) -> f64, place: Place) -> Answer {
    let [x] = machine.args();
    let number = match &x {
        Value::Int(number) => *number as f64,
        Value::Float(number) => *number,
        Value::Late(id) => return Ok(machine.formula(Operation::Unary(op, Term::Late(*id)), place)),
        other => return Err(machine.unexpected(place, "a number", other)),
    };
    let figure = of(number);
    if figure.is_finite() {
        return Ok(Value::Float(figure));
    }
    let message = format!("`{op}({})` is not a finite number", machine.display(&x));
    let at = match op {
        "exp" => "too large for a Float",
        "log" => "must be above 0",
        _ => "must be 0 or more",
    };
    let error = machine.argument_error(place, "x", "E0404", message).at(at);
    Err(machine.fail(error))
}
