//! Operators: arithmetic that never wraps and never leaves the finite numbers.

use super::blame::Place;
use super::compare::{equal, order};
use super::late::{Operation, Term};
use super::machine::{Failed, Machine};
use super::value::{LateId, List, Text, Value};
use crate::hir::BinaryOp;

/// Why an operation has no result.
#[derive(Clone, Copy)]
enum Fault {
    Overflow,
    ZeroDivision,
    NotFinite,
    Fraction,
    Other,
}

impl Machine<'_> {
    /// `left op right`.
    pub(crate) fn operate(
        &mut self,
        op: BinaryOp,
        left: Value,
        right: Value,
        place: Place,
    ) -> Result<Value, Failed> {
        if matches!((&left, &right), (Value::Tensor(_), _) | (_, Value::Tensor(_))) {
            return self.tensor_operate(op, left, right, place);
        }
        if let (Value::Late(_), _) | (_, Value::Late(_)) = (&left, &right) {
            return self.operate_late(op, &left, &right, place);
        }
        if self.artifacts.late_data
            && matches!(op, BinaryOp::Eq | BinaryOp::Ne)
            && let Some(late) = late_in(&left).or_else(|| late_in(&right))
        {
            return Err(self.too_late(place, "data to compare", &Value::Late(late)));
        }
        match op {
            BinaryOp::Eq => return Ok(Value::Bool(equal(&self.names, &left, &right))),
            BinaryOp::Ne => return Ok(Value::Bool(!equal(&self.names, &left, &right))),
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                return self.compare(op, &left, &right, place);
            }
            _ => {}
        }
        if let (BinaryOp::Add, Value::Str(a), Value::Str(b)) = (op, &left, &right) {
            self.reserve(a.as_str().len() + b.as_str().len(), place)?;
        }
        if let (BinaryOp::Add, Value::List(_)) = (op, &left) {
            return self.append(left, right, place);
        }
        match arithmetic(op, &left, &right) {
            Ok(value) => Ok(value),
            Err(fault) => Err(self.fault(fault, op, &left, &right, place)),
        }
    }

    fn compare(&mut self, op: BinaryOp, left: &Value, right: &Value, place: Place) -> Result<Value, Failed> {
        let Some(order) = order(left, right) else {
            return Err(self.fault(Fault::Other, op, left, right, place));
        };
        Ok(Value::Bool(match op {
            BinaryOp::Lt => order.is_lt(),
            BinaryOp::Le => order.is_le(),
            BinaryOp::Gt => order.is_gt(),
            _ => order.is_ge(),
        }))
    }

    /// `xs + ys`: in place where nothing else holds `xs`.
    fn append(&mut self, left: Value, right: Value, place: Place) -> Result<Value, Failed> {
        let (Value::List(left), Value::List(right)) = (left, right) else {
            return Err(self.unexpected(place, "a list", &Value::Null));
        };
        self.reserve((left.items().len() + right.items().len()) * 16, place)?;
        let deepest = left.deepest().max(right.deepest());
        let mut items = List::into_items(left);
        items.extend_from_slice(right.items());
        self.list_with(items, deepest, place)
    }

    /// `-x`.
    pub(crate) fn negate(&mut self, value: &Value, place: Place) -> Result<Value, Failed> {
        let negated = match value {
            Value::Int(x) => x.checked_neg().map(Value::Int),
            Value::Duration(x) => x.checked_neg().map(Value::Duration),
            Value::Float(x) => Some(Value::Float(-x)),
            Value::Tensor(_) => return Ok(self.tensor_negate(value.clone(), place)),
            Value::Late(id) => return Ok(self.formula(Operation::Unary("neg", Term::Late(*id)), place)),
            _ => return Err(self.unexpected(place, "a number", value)),
        };
        negated.ok_or_else(|| self.fault(Fault::Overflow, BinaryOp::Sub, &Value::Int(0), value, place))
    }

    #[cold]
    fn fault(&mut self, fault: Fault, op: BinaryOp, left: &Value, right: &Value, place: Place) -> Failed {
        let shown = format!("{} {} {}", self.display(left), sign(op), self.display(right));
        let error = match fault {
            Fault::Overflow => self
                .error(place, "E0402", format!("`{shown}` is outside the integers"))
                .at("above 2^63 - 1 or below -2^63")
                .help("compute with Float where numbers get large: `float(n)`"),
            Fault::ZeroDivision => self
                .error(place, "E0403", format!("`{shown}` divides by zero"))
                .at("the right side is 0 here")
                .help("test for zero before dividing: `if n == 0 then … else …`"),
            Fault::NotFinite => self
                .error(place, "E0404", format!("`{shown}` is not a finite number"))
                .at("too large for a Float, or not a real number"),
            Fault::Fraction => self
                .error(place, "E0402", format!("`{shown}` is no whole number"))
                .at("the power is below 0 here")
                .help("compute with Float: `float(n) ** -1.0`"),
            Fault::Other => {
                let (left, right) = (left.kind(), right.kind());
                self.error(
                    place,
                    "E0419",
                    format!("`{}` does not work on {left} and {right}", sign(op)),
                )
            }
        };
        self.fail(error)
    }
}

/// A late value in data.
fn late_in(value: &Value) -> Option<LateId> {
    match value {
        Value::Late(id) => Some(*id),
        Value::List(list) => list.items().iter().find_map(late_in),
        Value::Record(record) => record.cells().iter().find_map(late_in),
        Value::Variant(variant) => variant.cells().iter().find_map(late_in),
        Value::Map(map) => map.entries().values().find_map(late_in),
        _ => None,
    }
}

fn arithmetic(op: BinaryOp, left: &Value, right: &Value) -> Result<Value, Fault> {
    use Value::{Bytes, Duration, Float, Int};
    let value = match (left, right) {
        (Int(a), Int(b)) => return integers(op, *a, *b),
        (Float(a), Float(b)) => return floats(op, *a, *b),
        (Str(a), Str(b)) if op == BinaryOp::Add => {
            return Ok(Str(Text::new(&format!("{}{}", a.as_str(), b.as_str()))));
        }
        (Duration(a), Duration(b)) => quantities(op, *a, *b)?.map_err(Duration),
        (Bytes(a), Bytes(b)) => quantities(op, *a, *b)?.map_err(Bytes),
        (Duration(a), Int(b)) | (Int(b), Duration(a)) => Err(Duration(scaled(op, *a, *b)?)),
        (Bytes(a), Int(b)) | (Int(b), Bytes(a)) => Err(Bytes(scaled(op, *a, *b)?)),
        (Duration(a), Float(b)) | (Float(b), Duration(a)) => Err(Duration(scaled_float(op, *a, *b)?)),
        (Bytes(a), Float(b)) | (Float(b), Bytes(a)) => Err(Bytes(scaled_float(op, *a, *b)?)),
        _ => return Err(Fault::Other),
    };
    use Value::Str;
    Ok(match value {
        Ok(ratio) => Float(ratio),
        Err(quantity) => quantity,
    })
}

fn integers(op: BinaryOp, a: i64, b: i64) -> Result<Value, Fault> {
    let zero = b == 0;
    let value = match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Sub => a.checked_sub(b),
        BinaryOp::Mul => a.checked_mul(b),
        BinaryOp::Div | BinaryOp::FloorDiv | BinaryOp::Mod if zero => return Err(Fault::ZeroDivision),
        BinaryOp::Div => return finite(a as f64 / b as f64),
        BinaryOp::FloorDiv => a.checked_div_euclid(b).map(|_| floor_div(a, b)),
        BinaryOp::Mod => Some(floor_mod(a, b)),
        BinaryOp::Pow if b < 0 => return Err(Fault::Fraction),
        BinaryOp::Pow => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)).or(match a {
            0 | 1 => Some(a),
            -1 => Some(if b % 2 == 0 { 1 } else { -1 }),
            _ => None,
        }),
        _ => return Err(Fault::Other),
    };
    value.map(Value::Int).ok_or(Fault::Overflow)
}

/// Division towards negative infinity, as in Python.
fn floor_div(a: i64, b: i64) -> i64 {
    let quotient = a.wrapping_div(b);
    if a.wrapping_rem(b) != 0 && (a < 0) != (b < 0) {
        quotient - 1
    } else {
        quotient
    }
}

/// The remainder with the sign of `b`, as in Python.
fn floor_mod(a: i64, b: i64) -> i64 {
    let rest = a.wrapping_rem(b);
    if rest != 0 && (rest < 0) != (b < 0) {
        rest + b
    } else {
        rest
    }
}

fn floats(op: BinaryOp, a: f64, b: f64) -> Result<Value, Fault> {
    let zero = b == 0.0;
    finite(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div | BinaryOp::FloorDiv | BinaryOp::Mod if zero => return Err(Fault::ZeroDivision),
        BinaryOp::Div => a / b,
        BinaryOp::FloorDiv => (a / b).floor(),
        BinaryOp::Mod => {
            let rest = a % b;
            if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
                rest + b
            } else {
                rest
            }
        }
        BinaryOp::Pow => power(a, b),
        _ => return Err(Fault::Other),
    })
}

/// `a` to the power `b`. Whole powers by repeated squaring: one order of multiplications on every machine.
fn power(a: f64, b: f64) -> f64 {
    if b.fract() != 0.0 || b.abs() > 1_000_000.0 {
        return libm::pow(a, b);
    }
    let (mut base, mut left, mut result) = (a, b.abs() as u32, 1.0);
    while left > 0 {
        if left & 1 == 1 {
            result *= base;
        }
        base *= base;
        left >>= 1;
    }
    if b < 0.0 { 1.0 / result } else { result }
}

fn finite(value: f64) -> Result<Value, Fault> {
    if value.is_finite() {
        Ok(Value::Float(value))
    } else {
        Err(Fault::NotFinite)
    }
}

/// Durations among themselves, and sizes: `Ok` is a ratio, `Err` a quantity.
fn quantities(op: BinaryOp, a: i64, b: i64) -> Result<Result<f64, i64>, Fault> {
    match op {
        BinaryOp::Add => a.checked_add(b).map(Err).ok_or(Fault::Overflow),
        BinaryOp::Sub => a.checked_sub(b).map(Err).ok_or(Fault::Overflow),
        BinaryOp::Div if b == 0 => Err(Fault::ZeroDivision),
        BinaryOp::Div => Ok(Ok(a as f64 / b as f64)),
        _ => Err(Fault::Other),
    }
}

fn scaled(op: BinaryOp, quantity: i64, by: i64) -> Result<i64, Fault> {
    match op {
        BinaryOp::Mul => quantity.checked_mul(by).ok_or(Fault::Overflow),
        BinaryOp::FloorDiv | BinaryOp::Div if by == 0 => Err(Fault::ZeroDivision),
        BinaryOp::FloorDiv | BinaryOp::Div => Ok(floor_div(quantity, by)),
        _ => Err(Fault::Other),
    }
}

fn scaled_float(op: BinaryOp, quantity: i64, by: f64) -> Result<i64, Fault> {
    let scaled = match op {
        BinaryOp::Mul => quantity as f64 * by,
        BinaryOp::Div if by == 0.0 => return Err(Fault::ZeroDivision),
        BinaryOp::Div => quantity as f64 / by,
        _ => return Err(Fault::Other),
    };
    let rounded = scaled.round_ties_even();
    if rounded.abs() < 9.2e18 {
        Ok(rounded as i64)
    } else {
        Err(Fault::Overflow)
    }
}

pub(super) fn sign(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "or",
        BinaryOp::And => "and",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        BinaryOp::Coalesce => "??",
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::FloorDiv => "//",
        BinaryOp::Mod => "%",
        BinaryOp::Pow => "**",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_division_is_pythons() {
        for (a, b, div, rest) in [
            (7, 2, 3, 1),
            (-7, 2, -4, 1),
            (7, -2, -4, -1),
            (-7, -2, 3, -1),
            (6, 3, 2, 0),
        ] {
            assert_eq!((floor_div(a, b), floor_mod(a, b)), (div, rest), "{a} by {b}");
        }
    }

    #[test]
    fn whole_powers_of_floats_need_no_libm() {
        assert_eq!(power(2.0, 10.0), 1024.0);
        assert_eq!(power(2.0, -1.0), 0.5);
        assert_eq!(power(0.5, 0.0), 1.0);
    }
}
