//! Operations that work on each element, and broadcasting.

use super::graph::Arg;
use super::operation::{Answer, Call, Made, Table};
use super::shape::{Kind, Size, TensorType};
use crate::diagnostic::{Diagnostic, Severity};
use crate::spec::Datum;

pub(super) const TABLE: Table = &[
    (
        &[
            "exp",
            "expm1",
            "log",
            "log1p",
            "sqrt",
            "rsqrt",
            "sin",
            "cos",
            "tanh",
            "sigmoid",
            "erf",
            "gelu",
            "silu",
            "softplus",
            "logsigmoid",
        ],
        real,
    ),
    (&["abs", "neg", "square", "relu", "leaky_relu", "clamp"], number),
    (&["sign", "floor", "ceil", "round"], step),
    (&["float"], float),
    (&["logical_not", "logical_and", "logical_or"], logical),
    (
        &["add", "sub", "mul", "div", "pow", "maximum", "minimum"],
        arithmetic,
    ),
    (&["eq", "ne", "lt", "le", "gt", "ge"], comparison),
    (&["where"], choice),
];

fn real(call: &Call<'_>) -> Answer {
    let x = numbers(call)?;
    Ok(Made::new(Kind::Float, x.shape))
}

fn number(call: &Call<'_>) -> Answer {
    let x = numbers(call)?;
    let bounded = ["min", "max", "negative_slope"]
        .iter()
        .any(|name| matches!(call.node.args.get(*name), Some(Arg::Given(Datum::Float(_)))));
    let kind = if bounded { Kind::Float } else { x.kind };
    Ok(Made::new(kind, x.shape))
}

fn step(call: &Call<'_>) -> Answer {
    let x = numbers(call)?;
    Ok(Made::new(x.kind, x.shape).flat())
}

fn float(call: &Call<'_>) -> Answer {
    Ok(Made::new(Kind::Float, call.tensor("x").shape))
}

/// The tensor `x`, of numbers.
pub(super) fn numbers(call: &Call<'_>) -> Result<TensorType, Box<Diagnostic>> {
    let x = call.tensor("x");
    match x.kind {
        Kind::Bool => Err(call
            .wrong_kind(
                format!("{} takes numbers, and this is true or false", call.name()),
                format!("is given Bool {x}"),
            )
            .help("`tensor.float(…)` makes 1.0 of what is true and 0.0 of what is false")
            .into()),
        _ => Ok(x),
    }
}

fn logical(call: &Call<'_>) -> Answer {
    let x = call.tensor("x");
    let y = match call.op() {
        "logical_not" => x.clone(),
        _ => call.tensor("y"),
    };
    for side in [&x, &y] {
        if side.kind != Kind::Bool {
            let message = format!(
                "{} takes what is true or false, and this is {}",
                call.name(),
                side.kind
            );
            return Err(call
                .wrong_kind(message, format!("is given {} {side}", side.kind))
                .help("compare first: `x > 0`")
                .into());
        }
    }
    broadcast(call, Kind::Bool, &x, &y)
}

fn arithmetic(call: &Call<'_>) -> Answer {
    let (x, y) = (call.tensor("x"), call.tensor("y"));
    let logic = [x.kind, y.kind]
        .iter()
        .filter(|kind| **kind == Kind::Bool)
        .count();
    if logic == 2 || logic == 1 && !matches!(call.op(), "add" | "mul" | "div") {
        let message = format!("{} takes numbers, and a side of it is true or false", call.name());
        return Err(call
            .wrong_kind(message, format!("is given {} {x} and {} {y}", x.kind, y.kind))
            .help("`tensor.float(…)` makes 1.0 of what is true and 0.0 of what is false")
            .into());
    }
    let negative = matches!(call.node.args.get("y"), Some(Arg::Given(Datum::Int(..0))));
    if call.op() == "pow" && x.kind == Kind::Int && negative {
        return Err(call
            .wrong_kind(
                "a whole number has no whole negative power",
                format!("is given Int {x}"),
            )
            .help("write the power with a point: `x ** -1.0`")
            .into());
    }
    let kind = match call.op() {
        "div" => Kind::Float,
        _ => x.kind.max(y.kind),
    };
    broadcast(call, kind, &x, &y)
}

fn comparison(call: &Call<'_>) -> Answer {
    broadcast(call, Kind::Bool, &call.tensor("x"), &call.tensor("y"))
}

fn choice(call: &Call<'_>) -> Answer {
    let (condition, x, y) = (call.tensor("condition"), call.tensor("x"), call.tensor("y"));
    if condition.kind != Kind::Bool {
        let message = format!(
            "the condition of `tensor.where` is true or false, and this is {}",
            condition.kind
        );
        return Err(call
            .wrong_kind(message, format!("is given {} {condition}", condition.kind))
            .help("compare: `tensor.where(x > 0, …, …)`")
            .into());
    }
    let made = broadcast(call, x.kind.max(y.kind), &x, &y)?;
    let kind = made.ty.kind;
    broadcast(call, kind, &condition, &made.ty)
}

/// The shape that two have together: from the last dimension on, sizes are equal, or one of them is 1.
pub(super) fn broadcast(call: &Call<'_>, kind: Kind, x: &TensorType, y: &TensorType) -> Answer {
    let rank = x.rank().max(y.rank());
    let at = |of: &TensorType, dim: usize| (dim + of.rank()).checked_sub(rank).map(|dim| of.shape[dim]);
    let mut shape = Vec::with_capacity(rank);
    for dim in 0..rank {
        let size = match (at(x, dim), at(y, dim)) {
            (Some(a), Some(b)) if a == b || b.is_one() => a,
            (Some(a), Some(b)) if a.is_one() => b,
            (Some(a), Some(b)) => return Err(misfit(call, x, y, (a, b)).into()),
            (Some(size), None) | (None, Some(size)) => size,
            (None, None) => Size::ONE,
        };
        shape.push(size);
    }
    let mut made = Made::new(kind, shape);
    if kind == Kind::Bool {
        made = made.flat();
    }
    made.warning = crossed(call, x, y, &made.ty);
    Ok(made)
}

fn misfit(call: &Call<'_>, x: &TensorType, y: &TensorType, (a, b): (Size, Size)) -> Diagnostic {
    let name = call.name();
    let error = call.misfit(
        format!("shape mismatch: {name} of {x} and {y}"),
        format!("{a} and {b} are not one size"),
    );
    let (short, long) = if x.rank() < y.rank() { (x, y) } else { (y, x) };
    let keeps = |size: &Size| short.shape.first() == Some(size);
    match short.rank() {
        1 if short.kind == Kind::Int && long.rank() == 2 && long.shape.first().is_some_and(keeps) => {
            let classes = long.shape[1];
            error.help(format!(
                "for classes write `tensor.one_hot(…, {classes})`, or compare them by `tensor.cross_entropy`"
            ))
        }
        1 if long.rank() > 1 && long.shape.first().is_some_and(keeps) => error.help(format!(
            "dimensions are matched from the last one; to give {short} a second dimension write \
             `tensor.unsqueeze(…, dim = 1)`"
        )),
        _ => error.note("dimensions are matched from the last one; sizes are equal, or one of them is 1"),
    }
}

/// A warning where [batch, 1] meets [batch]: each example meets every other, which is seldom meant.
fn crossed(call: &Call<'_>, x: &TensorType, y: &TensorType, made: &TensorType) -> Option<Box<Diagnostic>> {
    let (short, long) = if x.rank() < y.rank() { (x, y) } else { (y, x) };
    let batches = |ty: &TensorType| ty.shape.iter().filter(|size| size.batch > 0).count();
    let meant = short.rank() == long.rank() || batches(short) != 1 || batches(long) != 1;
    if meant || batches(made) != 2 {
        return None;
    }
    let message = format!(
        "{} of {x} and {y} gives {made}: each example meets every other",
        call.name()
    );
    let mut warning = call.misfit(message, "makes two dimensions of the batch");
    warning.severity = Severity::Warning;
    warning.code = "E0335";
    Some(Box::new(warning.help(format!(
        "for one result an example make both of one shape: `tensor.squeeze(…, dim = 1)` of {long}"
    ))))
}
