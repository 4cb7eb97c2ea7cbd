//! `calc`: a formula over values in JSON files. The rules are those of the language's operators.

use crate::channel::Channel;
use crate::{files, program};
use mlp_protocol::calc::{BinaryOp, CalcArgs, Formula, StatisticOp, Term, UnaryOp};
use mlp_protocol::call::Call;
use mlp_protocol::message::{Failure, Outcome};
use serde_json::{Number, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// Builds `calc`.
///
/// # Errors
/// When a value is missing, has no result, or is asserted to be otherwise.
pub fn build(call: &Call, _: &Channel) -> Outcome<()> {
    let args: CalcArgs = program::arguments(call)?;
    let value = Inputs::read(call)?.value(&args.value)?;
    for path in call.outputs.values() {
        files::write(Path::new(path), &files::json(&value))?;
    }
    Ok(())
}

/// The JSON of the inputs, by name; without those of trainings that diverged.
pub(crate) struct Inputs(BTreeMap<String, Value>);

impl Inputs {
    /// Reads all inputs of a call.
    pub(crate) fn read(call: &Call) -> Outcome<Self> {
        let read = call.inputs.iter().map(|(name, path)| {
            let bytes = files::read(Path::new(path), "a result that is computed with")?;
            let value =
                serde_json::from_slice(&bytes).map_err(|error| missing(format!("it is no JSON: {error}")))?;
            Ok((name.clone(), value))
        });
        read.collect::<Outcome<_>>().map(Self)
    }

    #[cfg(test)]
    pub(crate) fn of(inputs: BTreeMap<String, Value>) -> Self {
        Self(inputs)
    }

    /// What a term comes to.
    pub(crate) fn value(&self, term: &Term) -> Outcome<Value> {
        match term {
            Term::Bool(value) => Ok(Value::Bool(*value)),
            Term::Number(value) => Ok(Value::Number(value.clone())),
            Term::Text(value) => Ok(Value::String(value.clone())),
            Term::Formula(formula) => self.formula(formula),
        }
    }

    fn formula(&self, formula: &Formula) -> Outcome<Value> {
        match formula {
            Formula::Constant { value } => Ok(value.clone()),
            Formula::Input { name, path } => self.input(name, path),
            Formula::Unary { op, of } => unary(*op, &self.value(of)?),
            Formula::Binary { op, left, right } => {
                let left = self.value(left)?;
                match decided(*op, &left)? {
                    true => Ok(left),
                    false => binary(*op, &left, &self.value(right)?),
                }
            }
            Formula::Statistic { op, over } => {
                let values = over
                    .iter()
                    .map(|term| self.value(term))
                    .collect::<Outcome<Vec<_>>>()?;
                statistic(*op, &values)
            }
            Formula::Assert { condition, message } => self.assert(condition, message),
            Formula::List { items } => {
                let items = items.iter().map(|term| self.value(term));
                items.collect::<Outcome<_>>().map(Value::Array)
            }
            Formula::Record { fields } => {
                let fields = fields
                    .iter()
                    .map(|(name, term)| Ok((name.clone(), self.value(term)?)));
                fields.collect::<Outcome<_>>().map(Value::Object)
            }
        }
    }

    fn input(&self, name: &str, path: &[String]) -> Outcome<Value> {
        // Of a training that diverged there is no file: its figures are as those that are not finite.
        let Some(whole) = self.0.get(name) else {
            return Ok(Value::Null);
        };
        let found = path.iter().try_fold(whole, |value, name| part(value, name));
        found
            .cloned()
            .ok_or_else(|| missing(format!("the result has no `{}`", path.join("."))))
    }

    fn assert(&self, condition: &Term, message: &str) -> Outcome<Value> {
        if self.value(condition)? == Value::Bool(true) {
            return Ok(Value::Bool(true));
        }
        let failure = Failure::new("B0301", message).argument("condition");
        Err(match self.shown(condition) {
            Some(shown) => failure.help(format!("`{shown}` does not hold")),
            None => failure,
        })
    }

    /// A comparison with its values.
    fn shown(&self, condition: &Term) -> Option<String> {
        let Term::Formula(Formula::Binary { op, left, right }) = condition else {
            return None;
        };
        let (left, right) = (self.value(left).ok()?, self.value(right).ok()?);
        Some(format!("{left} {} {right}", sign(*op)))
    }
}

/// A field, or an element by its position.
fn part<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        value => value.get(name),
    }
}

fn missing(message: String) -> Box<Failure> {
    Failure::new("B0303", message)
}

fn no_result(message: String) -> Box<Failure> {
    Failure::new("B0302", message)
}

/// A number, as the language tells them apart.
#[derive(Clone, Copy)]
pub(crate) enum Numeric {
    Int(i64),
    Float(f64),
}

impl Numeric {
    /// What `value` is; none for a figure that is not finite.
    pub(crate) fn of(value: &Value) -> Outcome<Option<Self>> {
        match value {
            Value::Null => Ok(None),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(value), _) => Ok(Some(Self::Int(value))),
                (None, Some(value)) => Ok(Some(Self::Float(value))),
                (None, None) => Err(missing(format!("{number} is beyond 64 bits"))),
            },
            other => Err(missing(format!("{other} stands where a number belongs"))),
        }
    }

    pub(crate) fn float(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

/// Whether the left operand alone says what comes out: itself.
fn decided(op: BinaryOp, left: &Value) -> Outcome<bool> {
    Ok(match op {
        BinaryOp::And => !truth(left)?,
        BinaryOp::Or => truth(left)?,
        BinaryOp::Coalesce => !left.is_null(),
        _ => false,
    })
}

fn truth(value: &Value) -> Outcome<bool> {
    let other = || missing(format!("{value} stands where true or false belongs"));
    value.as_bool().ok_or_else(other)
}

fn unary(op: UnaryOp, of: &Value) -> Outcome<Value> {
    if op == UnaryOp::Not {
        return truth(of).map(|value| Value::Bool(!value));
    }
    let Some(number) = Numeric::of(of)? else {
        return Ok(Value::Null);
    };
    match (op, number) {
        (UnaryOp::Sqrt, x) => finite(x.float().sqrt(), || format!("sqrt({of})")),
        (UnaryOp::Exp, x) => finite(libm::exp(x.float()), || format!("exp({of})")),
        (UnaryOp::Log, x) => finite(libm::log(x.float()), || format!("log({of})")),
        (UnaryOp::Not, _) => Ok(Value::Null),
        (UnaryOp::Neg, Numeric::Int(value)) => integer(value.checked_neg(), || format!("-({value})")),
        (UnaryOp::Abs, Numeric::Int(value)) => integer(value.checked_abs(), || format!("abs({value})")),
        (UnaryOp::Neg, Numeric::Float(value)) => finite(-value, || format!("-({value})")),
        (UnaryOp::Abs, Numeric::Float(value)) => finite(value.abs(), || format!("abs({value})")),
    }
}

fn integer(value: Option<i64>, shown: impl Fn() -> String) -> Outcome<Value> {
    value
        .map(Value::from)
        .ok_or_else(|| no_result(format!("`{}` is outside the integers", shown())))
}

fn finite(value: f64, shown: impl Fn() -> String) -> Outcome<Value> {
    Number::from_f64(value)
        .map(Value::Number)
        .ok_or_else(|| no_result(format!("`{}` is not a finite number", shown())))
}

fn binary(op: BinaryOp, left: &Value, right: &Value) -> Outcome<Value> {
    match op {
        BinaryOp::Eq => return Ok(Value::Bool(same(left, right))),
        BinaryOp::Ne => return Ok(Value::Bool(!same(left, right))),
        // The left side decided nothing.
        BinaryOp::And | BinaryOp::Or => return truth(right).map(Value::Bool),
        BinaryOp::Coalesce => return Ok(right.clone()),
        _ => {}
    }
    if let (Value::String(a), Value::String(b)) = (left, right) {
        return Ok(match op {
            BinaryOp::Add => Value::String(format!("{a}{b}")),
            op => Value::Bool(compares(op, a.partial_cmp(b))),
        });
    }
    let (a, b) = (Numeric::of(left)?, Numeric::of(right)?);
    let comparison = matches!(op, BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge);
    let (Some(a), Some(b)) = (a, b) else {
        return Ok(if comparison {
            Value::Bool(false)
        } else {
            Value::Null
        });
    };
    let shown = || format!("{left} {} {right}", sign(op));
    match (a, b) {
        (Numeric::Int(a), Numeric::Int(b)) if comparison => Ok(Value::Bool(compares(op, Some(a.cmp(&b))))),
        (a, b) if comparison => Ok(Value::Bool(compares(op, a.float().partial_cmp(&b.float())))),
        (_, b) if b.float() == 0.0 && matches!(op, BinaryOp::Div | BinaryOp::FloorDiv | BinaryOp::Mod) => {
            Err(no_result(format!("`{}` divides by zero", shown())))
        }
        (Numeric::Int(a), Numeric::Int(b)) if op != BinaryOp::Div && !(op == BinaryOp::Pow && b < 0) => {
            integer(integers(op, a, b), shown)
        }
        (a, b) => finite(floats(op, a.float(), b.float()), shown),
    }
}

/// Equality of data; a whole number is the same with and without a point.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (left, right) => left == right,
    }
}

fn compares(op: BinaryOp, order: Option<std::cmp::Ordering>) -> bool {
    order.is_some_and(|order| match op {
        BinaryOp::Lt => order.is_lt(),
        BinaryOp::Le => order.is_le(),
        BinaryOp::Gt => order.is_gt(),
        _ => order.is_ge(),
    })
}

/// `b` is not 0 where it divides.
fn integers(op: BinaryOp, a: i64, b: i64) -> Option<i64> {
    match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Sub => a.checked_sub(b),
        BinaryOp::Mul => a.checked_mul(b),
        BinaryOp::FloorDiv => {
            let quotient = a.checked_div(b)?;
            let below = a.wrapping_rem(b) != 0 && (a < 0) != (b < 0);
            Some(if below { quotient - 1 } else { quotient })
        }
        BinaryOp::Mod => {
            let rest = a.wrapping_rem(b);
            Some(if rest != 0 && (rest < 0) != (b < 0) {
                rest + b
            } else {
                rest
            })
        }
        _ => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)).or(match a {
            0 | 1 => Some(a),
            -1 => Some(if b % 2 == 0 { 1 } else { -1 }),
            _ => None,
        }),
    }
}

fn floats(op: BinaryOp, a: f64, b: f64) -> f64 {
    match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
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
        _ => power(a, b),
    }
}

/// `a` to the power `b`. Whole powers by repeated squaring: one order of multiplications on every machine. The language's
/// evaluator has the same, which it shares no crate with: a formula must come to the same bits before and after a build.
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

fn statistic(op: StatisticOp, values: &[Value]) -> Outcome<Value> {
    if op == StatisticOp::Sum {
        let (first, rest) = values
            .split_first()
            .ok_or_else(|| no_result("a sum of nothing".into()))?;
        return rest
            .iter()
            .try_fold(first.clone(), |sum, value| binary(BinaryOp::Add, &sum, value));
    }
    let numbers = values
        .iter()
        .map(Numeric::of)
        .collect::<Outcome<Option<Vec<_>>>>()?;
    let Some(numbers) = numbers else {
        return Ok(Value::Null);
    };
    if let StatisticOp::Min | StatisticOp::Max = op {
        let better = if op == StatisticOp::Min {
            BinaryOp::Lt
        } else {
            BinaryOp::Gt
        };
        let mut best = values.first().cloned().unwrap_or(Value::Null);
        for value in values {
            if binary(better, value, &best)? == Value::Bool(true) {
                best = value.clone();
            }
        }
        return Ok(best);
    }
    let floats: Vec<f64> = numbers.into_iter().map(Numeric::float).collect();
    let count = floats.len() as f64;
    let mean = floats.iter().sum::<f64>() / count;
    let shown = || {
        format!(
            "the {} of {} numbers",
            if op == StatisticOp::Mean { "mean" } else { "std" },
            floats.len()
        )
    };
    if op == StatisticOp::Mean {
        return finite(mean, shown);
    }
    let squares: f64 = floats.iter().map(|x| (x - mean) * (x - mean)).sum();
    finite((squares / (count - 1.0)).sqrt(), shown)
}

fn sign(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::FloorDiv => "//",
        BinaryOp::Mod => "%",
        BinaryOp::Pow => "**",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        BinaryOp::And => "and",
        BinaryOp::Or => "or",
        BinaryOp::Coalesce => "??",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The value of a formula over `{"a": {"x": 6, "y": 0.5, "nan": null}}`.
    fn calc(term: Value) -> Result<Value, String> {
        let inputs = Inputs::of(BTreeMap::from([(
            "a".to_owned(),
            json!({ "x": 6, "y": 0.5, "nan": null, "s": "é", "list": [1] }),
        )]));
        let term: Term = serde_json::from_value(term).unwrap();
        inputs.value(&term).map_err(|failure| {
            let help = failure.help.map(|help| format!("; {help}")).unwrap_or_default();
            format!("{}: {}{help}", failure.code, failure.message)
        })
    }

    fn input(field: &str) -> Value {
        json!({ "kind": "input", "name": "a", "path": [field] })
    }

    #[expect(clippy::needless_pass_by_value, reason = "terms are written in place")]
    fn binary(op: &str, left: Value, right: Value) -> Value {
        json!({ "kind": "binary", "op": op, "left": left, "right": right })
    }

    #[test]
    fn integers_stay_integers_and_floats_win() {
        let cases = [
            (binary("add", input("x"), json!(1)), json!(7)),
            (binary("mul", input("x"), input("y")), json!(3.0)),
            (binary("div", input("x"), json!(4)), json!(1.5)),
            (binary("floor_div", json!(-7), json!(2)), json!(-4)),
            (binary("mod", json!(-7), json!(2)), json!(1)),
            (binary("pow", json!(2), json!(-1)), json!(0.5)),
            (binary("add", input("s"), json!("!")), json!("é!")),
            (binary("gt", input("x"), input("y")), json!(true)),
            (binary("eq", json!(1), json!(1.0)), json!(true)),
            (
                json!({ "kind": "unary", "op": "neg", "of": input("x") }),
                json!(-6),
            ),
            (json!({ "kind": "unary", "op": "abs", "of": -0.25 }), json!(0.25)),
            (json!({ "kind": "unary", "op": "sqrt", "of": 9 }), json!(3.0)),
            (json!({ "kind": "unary", "op": "exp", "of": 0 }), json!(1.0)),
            (json!({ "kind": "unary", "op": "log", "of": 1 }), json!(0.0)),
            (json!({ "kind": "unary", "op": "not", "of": true }), json!(false)),
        ];
        for (formula, expected) in cases {
            assert_eq!(calc(formula.clone()), Ok(expected), "{formula}");
        }
    }

    #[test]
    fn what_is_decided_by_the_left_side_needs_no_right_one() {
        let wrong = || binary("div", json!(1), json!(0));
        let nothing = || json!({ "kind": "constant" });
        let cases = [
            (binary("and", json!(false), wrong()), json!(false)),
            (binary("and", json!(true), json!(false)), json!(false)),
            (binary("or", json!(true), wrong()), json!(true)),
            (
                binary("or", json!(false), binary("lt", input("y"), json!(1))),
                json!(true),
            ),
            (binary("coalesce", input("x"), wrong()), json!(6)),
            (binary("coalesce", nothing(), json!("none")), json!("none")),
            (
                json!({ "kind": "list", "items": [input("x"), nothing()] }),
                json!([6, null]),
            ),
        ];
        for (formula, expected) in cases {
            assert_eq!(calc(formula.clone()), Ok(expected), "{formula}");
        }
        let said = calc(binary("and", input("x"), json!(true)));
        assert_eq!(said, Err("B0303: 6 stands where true or false belongs".into()));
    }

    #[test]
    fn figures_of_several() {
        let of = |op: &str, over: Value| calc(json!({ "kind": "statistic", "op": op, "over": over }));
        assert_eq!(of("mean", json!([1, 2, 6])), Ok(json!(3.0)));
        // As numpy.std(…, ddof = 1).
        assert_eq!(of("std", json!([1, 2, 6])), Ok(json!(2.645_751_311_064_590_7)));
        assert_eq!(of("sum", json!([1, 2.5, input("x")])), Ok(json!(9.5)));
        assert_eq!(of("min", json!([3, input("y"), 4])), Ok(json!(0.5)));
        assert_eq!(of("max", json!([3, 4, 4.0])), Ok(json!(4)));
        assert_eq!(of("std", json!([1, input("nan")])), Ok(Value::Null));
        let fields = json!({ "kind": { "kind": "statistic", "op": "mean", "over": [1] }, "n": 1 });
        assert_eq!(
            calc(json!({ "kind": "record", "fields": fields })),
            Ok(json!({ "kind": 1.0, "n": 1 }))
        );
    }

    #[test]
    fn what_is_not_finite_stays_so_and_compares_as_false() {
        assert_eq!(calc(binary("add", input("nan"), json!(1))), Ok(Value::Null));
        assert_eq!(calc(binary("lt", input("nan"), json!(1))), Ok(json!(false)));
        assert_eq!(calc(binary("ge", input("nan"), json!(1))), Ok(json!(false)));
    }

    #[test]
    fn what_has_no_result_is_said() {
        let cases = [
            (
                binary("div", input("x"), json!(0)),
                "B0302: `6 / 0` divides by zero",
            ),
            (
                binary("mul", json!(i64::MAX), json!(2)),
                "B0302: `9223372036854775807 * 2` is outside the integers",
            ),
            (
                binary("mul", json!(1e308), json!(10.0)),
                "B0302: `1e+308 * 10.0` is not a finite number",
            ),
            (
                json!({ "kind": "unary", "op": "log", "of": 0 }),
                "B0302: `log(0)` is not a finite number",
            ),
            (input("z"), "B0303: the result has no `z`"),
            (
                binary("add", input("list"), json!(1)),
                "B0303: [1] stands where a number belongs",
            ),
        ];
        for (formula, expected) in cases {
            assert_eq!(calc(formula), Err(expected.to_owned()));
        }
    }

    #[test]
    fn an_assertion_shows_its_values() {
        let assert = |condition: Value| {
            calc(json!({ "kind": "assert", "condition": condition, "message": "too low" }))
        };
        assert_eq!(assert(binary("gt", input("x"), json!(1))), Ok(json!(true)));
        assert_eq!(
            assert(binary("gt", input("y"), json!(0.9))),
            Err("B0301: too low; `0.5 > 0.9` does not hold".into())
        );
        assert_eq!(
            assert(binary("gt", input("nan"), json!(0.9))),
            Err("B0301: too low; `null > 0.9` does not hold".into())
        );
    }
}
