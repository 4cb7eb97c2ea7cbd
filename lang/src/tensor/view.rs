//! Operations that put elements elsewhere and change none.

use super::operation::{Answer, Call, Made, Table};
use super::shape::{Kind, Size, TensorType, elements};
use crate::diagnostic::Diagnostic;

pub(super) const TABLE: Table = &[
    (&["transpose"], transpose),
    (&["permute"], permute),
    (&["reshape"], reshape),
    (&["flatten"], flatten),
    (&["unsqueeze"], unsqueeze),
    (&["squeeze"], squeeze),
    (&["cat"], cat),
    (&["stack"], stack),
    (&["select"], select),
    (&["narrow"], narrow),
    (&["gather"], gather),
    (&["one_hot"], one_hot),
];

fn made(x: &TensorType, shape: Vec<Size>) -> Answer {
    Ok(Made::new(x.kind, shape))
}

fn transpose(call: &Call<'_>) -> Answer {
    let x = call.tensor("x");
    let a = call.needed_dim("dim0", x.rank())?;
    let b = call.needed_dim("dim1", x.rank())?;
    let mut shape = x.shape.clone();
    shape.swap(a, b);
    made(&x, shape)
}

fn permute(call: &Call<'_>) -> Answer {
    let x = call.tensor("x");
    let count = i64::try_from(x.rank()).unwrap_or(i64::MAX);
    let mut seen = vec![false; x.rank()];
    let mut shape = Vec::with_capacity(x.rank());
    for dim in call.ints("dims") {
        let index = if dim < 0 { dim + count } else { dim };
        let index = usize::try_from(index).ok().filter(|index| *index < x.rank());
        let Some(index) = index.filter(|index| !seen[*index]) else {
            break;
        };
        seen[index] = true;
        shape.push(x.shape[index]);
    }
    if shape.len() != x.rank() || call.ints("dims").len() != x.rank() {
        let message = format!("is not an order of the {} dimensions of {x}", x.rank());
        return Err(call.wrong("dims", message, "names each dimension once").into());
    }
    made(&x, shape)
}

fn reshape(call: &Call<'_>) -> Answer {
    let x = call.tensor("x");
    let wanted = call.ints("shape");
    let total = elements(&x.shape);
    let shown = wanted.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let open = wanted.iter().filter(|size| **size == -1).count();
    if open > 1 || wanted.iter().any(|size| *size < 1 && *size != -1) {
        let message = format!("is [{shown}]");
        return Err(call
            .wrong(
                "shape",
                message,
                "has sizes of 1 or more, and at most one -1, which is what is left",
            )
            .into());
    }
    let given = wanted.iter().filter(|size| **size != -1);
    let product = given.fold(Size::ONE, |product, size| product.times(Size::of(*size)));
    let rest = total.over(product);
    let Some(rest) = rest.filter(|rest| open == 1 || rest.is_one()) else {
        let message = format!("shape mismatch: {x} has {total} elements, and [{shown}] has another number");
        let error = call.misfit(message, format!("holds {total} elements"));
        return Err(match total.batch {
            0 => error,
            _ if open == 0 => error.help("write -1 for the dimension of the batch: `[-1, 10]`"),
            _ => error.help(format!(
                "-1 is the batch where the other sizes make {}, what an example has",
                total.count
            )),
        }
        .into());
    };
    let sizes = wanted
        .iter()
        .map(|size| if *size == -1 { rest } else { Size::of(*size) });
    made(&x, sizes.collect())
}

fn flatten(call: &Call<'_>) -> Answer {
    let x = call.tensor("x");
    if x.rank() == 0 {
        return made(&x, vec![Size::ONE]);
    }
    let start = call.needed_dim("start_dim", x.rank())?;
    let end = call.needed_dim("end_dim", x.rank())?;
    if start > end {
        return Err(call
            .wrong(
                "start_dim",
                format!("is {start}, after `end_dim`, {end}"),
                "must come first",
            )
            .into());
    }
    let mut shape = x.shape[..start].to_vec();
    shape.push(elements(&x.shape[start..=end]));
    shape.extend_from_slice(&x.shape[end + 1..]);
    made(&x, shape)
}

fn unsqueeze(call: &Call<'_>) -> Answer {
    let x = call.tensor("x");
    let dim = call.needed_dim("dim", x.rank() + 1)?;
    let mut shape = x.shape.clone();
    shape.insert(dim, Size::ONE);
    made(&x, shape)
}

fn squeeze(call: &Call<'_>) -> Answer {
    let x = call.tensor("x");
    let dim = call.needed_dim("dim", x.rank())?;
    let mut shape = x.shape.clone();
    let size = shape.remove(dim);
    if !size.is_one() {
        let message = format!(
            "`tensor.squeeze` takes a dimension of size 1 away, and dimension {dim} of {x} is {size}"
        );
        return Err(call
            .misfit(message, format!("has {size} numbers there, not 1"))
            .into());
    }
    made(&x, shape)
}

/// The tensors of a list, at least one, and the highest kind among them.
fn several(call: &Call<'_>) -> Result<(Vec<TensorType>, Kind), Box<Diagnostic>> {
    let tensors = call.tensors("tensors");
    match tensors.iter().map(|tensor| tensor.kind).max() {
        Some(kind) => Ok((tensors, kind)),
        None => Err(call.wrong("tensors", "is empty", "needs a tensor").into()),
    }
}

fn cat(call: &Call<'_>) -> Answer {
    let (tensors, kind) = several(call)?;
    let first = &tensors[0];
    let dim = call.needed_dim("dim", first.rank())?;
    let mut shape = first.shape.clone();
    for other in &tensors[1..] {
        let fits = other.rank() == first.rank()
            && (0..first.rank()).all(|at| at == dim || other.shape[at] == first.shape[at]);
        let sum = other.shape.get(dim).and_then(|size| shape[dim].plus(*size));
        let Some(sum) = sum.filter(|_| fits) else {
            let message =
                format!("shape mismatch: `tensor.cat` of {first} and {other} along dimension {dim}");
            let label = match fits {
                true => "the batch and a number cannot be added",
                false => "all sizes but those along it must be equal",
            };
            return Err(call.misfit(message, label).into());
        };
        shape[dim] = sum;
    }
    Ok(Made::new(kind, shape))
}

fn stack(call: &Call<'_>) -> Answer {
    let (tensors, kind) = several(call)?;
    let first = &tensors[0];
    if let Some(other) = tensors.iter().find(|other| other.shape != first.shape) {
        let message = format!("shape mismatch: `tensor.stack` of {first} and {other}");
        return Err(call.misfit(message, "takes tensors of one shape").into());
    }
    let dim = call.needed_dim("dim", first.rank() + 1)?;
    let mut shape = first.shape.clone();
    shape.insert(dim, Size::of(i64::try_from(tensors.len()).unwrap_or(i64::MAX)));
    Ok(Made::new(kind, shape))
}

/// The dimension `dim` and how many numbers there are; the batch has no numbers by which to choose.
fn counted(call: &Call<'_>, x: &TensorType) -> Result<(usize, i64), Box<Diagnostic>> {
    let dim = call.needed_dim("dim", x.rank())?;
    match x.shape[dim].known() {
        Some(size) => Ok((dim, size)),
        None => Err(call
            .wrong(
                "dim",
                format!("is {dim}, the batch of {x}"),
                "how many examples there are is not known",
            )
            .help("what is done to one example is done to all of them; weigh them with a factor of 0 or 1")
            .into()),
    }
}

fn select(call: &Call<'_>) -> Answer {
    let x = call.tensor("x");
    let (dim, size) = counted(call, &x)?;
    let index = call.int("index").unwrap_or(0);
    if !(-size..size).contains(&index) {
        let bound = format!("may be 0 to {}: dimension {dim} of {x}", size - 1);
        return Err(call.wrong("index", format!("is {index}"), bound).into());
    }
    let mut shape = x.shape.clone();
    shape.remove(dim);
    made(&x, shape)
}

fn narrow(call: &Call<'_>) -> Answer {
    let x = call.tensor("x");
    let (dim, size) = counted(call, &x)?;
    let (start, length) = (call.int("start").unwrap_or(0), call.int("length").unwrap_or(0));
    if !(0..size).contains(&start) {
        let bound = format!("may be 0 to {}: dimension {dim} of {x}", size - 1);
        return Err(call.wrong("start", format!("is {start}"), bound).into());
    }
    if !(1..=size - start).contains(&length) {
        let bound = format!(
            "may be 1 to {} from {start} on: dimension {dim} of {x}",
            size - start
        );
        return Err(call.wrong("length", format!("is {length}"), bound).into());
    }
    let mut shape = x.shape.clone();
    shape[dim] = Size::of(length);
    made(&x, shape)
}

fn gather(call: &Call<'_>) -> Answer {
    let (x, index) = (call.tensor("x"), call.tensor("index"));
    if index.kind != Kind::Int {
        let message = format!(
            "the `index` of `tensor.gather` is Int, and this is {}",
            index.kind
        );
        return Err(call
            .wrong_kind(message, format!("is given {} {index}", index.kind))
            .into());
    }
    let dim = call.needed_dim("dim", x.rank())?;
    let fits =
        index.rank() == x.rank() && (0..x.rank()).all(|at| at == dim || index.shape[at] == x.shape[at]);
    if !fits {
        let message = format!("shape mismatch: `tensor.gather` from {x} with an `index` of {index}");
        return Err(call
            .misfit(
                message,
                format!("all sizes but that of dimension {dim} must be equal"),
            )
            .help("one number an example: `tensor.unsqueeze(index, dim = 1)` makes [batch, 1] of [batch]")
            .into());
    }
    let made = Made::new(x.kind, index.shape);
    Ok(Made {
        mixes: x.shape[dim].batch > 0,
        ..made
    })
}

fn one_hot(call: &Call<'_>) -> Answer {
    let x = call.tensor("x");
    if x.kind != Kind::Int {
        let message = format!("`tensor.one_hot` takes Int, and this is {}", x.kind);
        return Err(call
            .wrong_kind(message, format!("is given {} {x}", x.kind))
            .into());
    }
    let classes = call.int("num_classes").unwrap_or(0);
    if classes < 1 {
        return Err(call
            .wrong("num_classes", format!("is {classes}"), "must be 1 or more")
            .into());
    }
    let mut shape = x.shape;
    shape.push(Size::of(classes));
    Ok(Made::new(Kind::Int, shape))
}
