//! Operations that make one of the numbers along a dimension, or work along one.

use super::elementwise::numbers;
use super::operation::{Answer, Call, Made, Table};
use super::shape::{Kind, Size, TensorType, elements};
use crate::diagnostic::Diagnostic;

pub(super) const TABLE: Table = &[
    (&["sum", "max", "min"], reduce),
    (&["mean", "var", "norm", "logsumexp"], reduce_real),
    (&["argmax", "argmin"], position),
    (&["softmax", "log_softmax"], along_real),
    (&["cumsum"], along),
    (&["matmul"], matmul),
];

fn reduce(call: &Call<'_>) -> Answer {
    let x = call.tensor("x");
    let kind = match (call.op(), x.kind) {
        // How many are true.
        ("sum", Kind::Bool) => Kind::Int,
        _ => numbers(call)?.kind,
    };
    reduced(call, &x, kind)
}

fn reduce_real(call: &Call<'_>) -> Answer {
    let x = real(call)?;
    reduced(call, &x, Kind::Float)
}

fn position(call: &Call<'_>) -> Answer {
    let x = numbers(call)?;
    Ok(reduced(call, &x, Kind::Int)?.flat())
}

/// The tensor `x`, of Float.
fn real(call: &Call<'_>) -> Result<TensorType, Box<Diagnostic>> {
    let x = call.tensor("x");
    match x.kind {
        Kind::Float => Ok(x),
        kind => {
            let message = format!("{} takes Float, and this is {kind}", call.name());
            Err(call
                .wrong_kind(message, format!("is given {kind} {x}"))
                .help("make it Float: `tensor.float(…)`")
                .into())
        }
    }
}

/// Without the dimension `dim`, or with one of size 1 in its place; without any where `dim` is left out.
fn reduced(call: &Call<'_>, x: &TensorType, kind: Kind) -> Answer {
    let keep = call.flag("keepdim");
    let dim = call.dim("dim", x.rank())?;
    let gone = |index: usize| dim.is_none_or(|dim| dim == index);
    let kept = x.shape.iter().enumerate();
    let shape = kept
        .filter(|(index, _)| keep || !gone(*index))
        .map(|(index, size)| if gone(index) { Size::ONE } else { *size });
    let mut made = Made::new(kind, shape.collect());
    made.mixes = x
        .shape
        .iter()
        .enumerate()
        .any(|(index, size)| gone(index) && size.batch > 0);
    made.work = u128::try_from(elements(&x.shape).count).unwrap_or(0);
    Ok(made)
}

fn along_real(call: &Call<'_>) -> Answer {
    let x = real(call)?;
    worked_along(call, x)
}

fn along(call: &Call<'_>) -> Answer {
    let x = numbers(call)?;
    worked_along(call, x)
}

fn worked_along(call: &Call<'_>, x: TensorType) -> Answer {
    let dim = call.needed_dim("dim", x.rank())?;
    let mixes = x.shape[dim].batch > 0;
    let work = u128::try_from(elements(&x.shape).count).unwrap_or(0);
    Ok(Made {
        mixes,
        work: work.saturating_mul(4),
        ..Made::new(x.kind, x.shape)
    })
}

/// PyTorch's: matrices of the last two dimensions, the others broadcast; one dimension is a row or a column.
fn matmul(call: &Call<'_>) -> Answer {
    let (x, y) = (call.tensor("x"), call.tensor("y"));
    if x.kind != y.kind || x.kind == Kind::Bool {
        let message = format!("`tensor.matmul` of {} and {}", x.kind, y.kind);
        return Err(call
            .wrong_kind(message, "takes two tensors of one kind of number")
            .help("make both Float: `tensor.float(…)`")
            .into());
    }
    let (Some(inner), Some(_)) = (x.shape.last().copied(), y.shape.last()) else {
        return Err(call
            .misfit(
                format!("`tensor.matmul` of {x} and {y}"),
                "takes tensors with dimensions",
            )
            .help("to scale by a number write `x * 2.0`")
            .into());
    };
    let column = y.rank() == 1;
    let outer = if column { y.shape[0] } else { y.shape[y.rank() - 2] };
    if inner != outer {
        let error = call.misfit(
            format!("shape mismatch: `tensor.matmul` of {x} and {y}"),
            format!("{inner} columns meet {outer} rows"),
        );
        let turned = y.rank() > 1 && y.shape.last() == Some(&inner);
        return Err(match turned {
            true => error.help("turn the second: `tensor.transpose(…, dim0 = -2, dim1 = -1)`"),
            false => error.note("the last dimension of the first meets the last but one of the second"),
        }
        .into());
    }
    let stack = |ty: &TensorType| {
        let below = ty.rank().saturating_sub(2);
        TensorType::new(ty.kind, ty.shape[..below].to_vec())
    };
    let mut made = super::elementwise::broadcast(call, x.kind, &stack(&x), &stack(&y))?;
    made.warning = None;
    if x.rank() > 1 {
        made.ty.shape.push(x.shape[x.rank() - 2]);
    }
    if !column {
        made.ty.shape.extend(y.shape.last());
    }
    made.mixes = inner.batch > 0;
    let results = u128::try_from(elements(&made.ty.shape).count).unwrap_or(0);
    made.work = results.saturating_mul(2 * u128::try_from(inner.count).unwrap_or(0));
    Ok(made)
}
