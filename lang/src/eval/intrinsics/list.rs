//! Lists.

use super::Table;
use crate::core::FunctionId;
use crate::eval::blame::Place;
use crate::eval::compare::{equal, order};
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::{List, Value};
use crate::hir::BinaryOp;
use std::cmp::Ordering;
use std::rc::Rc;

pub(super) const TABLE: Table = &[
    ("map", 2, map),
    ("filter", 2, filter),
    ("fold", 3, fold),
    ("zip", 2, zip),
    ("enumerate", 1, enumerate),
    ("range", 3, range),
    ("sort", 1, sort),
    ("sort_by", 2, sort_by),
    ("reverse", 1, reverse),
    ("unique", 1, unique),
    ("flatten", 1, flatten),
    ("len", 1, len),
    ("sum", 1, sum),
    ("min_of", 1, min_of),
    ("max_of", 1, max_of),
    ("any", 2, any),
    ("all", 2, all),
    ("member", 2, member),
    ("take", 2, take),
    ("drop", 2, drop_first),
    ("chunk", 2, chunk),
    ("linspace", 3, linspace),
    ("first", 1, first),
    ("last", 1, last),
];

type Answer = Result<Value, Failed>;

impl Machine<'_> {
    fn expect_list(&mut self, value: Value, place: Place) -> Result<Rc<List>, Failed> {
        match value {
            Value::List(list) => Ok(list),
            other => Err(self.unexpected(place, "a list", &other)),
        }
    }

    fn test(&mut self, test: &Value, item: &Value, place: Place) -> Result<bool, Failed> {
        match self.apply(test, [item.clone()], place)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(self.unexpected(place, "true or false", &other)),
        }
    }
}

fn map(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs, f] = machine.args();
    let list = machine.expect_list(xs, place)?;
    let mut items = List::into_items(list);
    for (index, item) in items.iter_mut().enumerate() {
        let made = machine.specs.mark();
        *item = machine.apply(&f, [std::mem::replace(item, Value::Null)], place)?;
        if machine.specs.mark() > made {
            machine.specs.name(made, &format!("[{index}]"));
        }
    }
    machine.list(items, place)
}

fn filter(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs, test] = machine.args();
    let list = machine.expect_list(xs, place)?;
    let mut kept = Vec::new();
    for item in list.items() {
        if machine.test(&test, item, place)? {
            kept.push(item.clone());
        }
    }
    machine.list(kept, place)
}

fn fold(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs, mut state, f] = machine.args();
    let list = machine.expect_list(xs, place)?;
    for item in list.items() {
        state = machine.apply(&f, [state, item.clone()], place)?;
    }
    Ok(state)
}

fn zip(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs, ys] = machine.args();
    let (xs, ys) = (machine.expect_list(xs, place)?, machine.expect_list(ys, place)?);
    let shape = machine.names.shape_of(&["first", "second"]);
    let mut pairs = Vec::with_capacity(xs.items().len().min(ys.items().len()));
    for (x, y) in xs.items().iter().zip(ys.items()) {
        pairs.push(machine.record(shape, vec![x.clone(), y.clone()], place)?);
    }
    machine.list(pairs, place)
}

fn enumerate(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs] = machine.args();
    let xs = machine.expect_list(xs, place)?;
    let shape = machine.names.shape_of(&["index", "value"]);
    let mut pairs = Vec::with_capacity(xs.items().len());
    for (index, x) in xs.items().iter().enumerate() {
        pairs.push(machine.record(shape, vec![Value::Int(index as i64), x.clone()], place)?);
    }
    machine.list(pairs, place)
}

fn range(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [stop, start, step] = machine.args();
    let (Value::Int(stop), Value::Int(start), Value::Int(step)) = (&stop, &start, &step) else {
        return Err(machine.unexpected(place, "an integer", &stop));
    };
    let (stop, start, step) = (i128::from(*stop), i128::from(*start), i128::from(*step));
    let count = match step {
        0 => {
            let error = machine
                .argument_error(place, "step", "E0412", "`step` is 0")
                .at("a range cannot stand still")
                .help("leave `step` out for 1, or write a negative one to count down");
            return Err(machine.fail(error));
        }
        1.. => (stop - start + step - 1).max(0) / step,
        _ => (start - stop - step - 1).max(0) / -step,
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    machine.reserve(count.saturating_mul(16), place)?;
    let numbers = (0..count as i128)
        .map(|n| Value::Int((start + n * step) as i64))
        .collect();
    machine.list(numbers, place)
}

/// Sorts by keys of one kind; what has no order is reported.
fn sorted(machine: &mut Machine<'_>, mut pairs: Vec<(Value, Value)>, place: Place) -> Answer {
    let mut odd = None;
    pairs.sort_by(|(a, _), (b, _)| {
        order(a, b).unwrap_or_else(|| {
            odd = Some(a.clone());
            Ordering::Equal
        })
    });
    match odd {
        Some(odd) => Err(machine.unexpected(place, "what has an order (numbers, strings)", &odd)),
        None => machine.list(pairs.into_iter().map(|(_, item)| item).collect(), place),
    }
}

fn sort(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs] = machine.args();
    let items = List::into_items(machine.expect_list(xs, place)?);
    let pairs = items.into_iter().map(|item| (item.clone(), item)).collect();
    sorted(machine, pairs, place)
}

fn sort_by(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs, key] = machine.args();
    let list = machine.expect_list(xs, place)?;
    let mut pairs = Vec::with_capacity(list.items().len());
    for item in list.items() {
        pairs.push((machine.apply(&key, [item.clone()], place)?, item.clone()));
    }
    sorted(machine, pairs, place)
}

fn reverse(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs] = machine.args();
    let mut items = List::into_items(machine.expect_list(xs, place)?);
    items.reverse();
    machine.list(items, place)
}

fn unique(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs] = machine.args();
    let list = machine.expect_list(xs, place)?;
    let mut kept: Vec<Value> = Vec::new();
    // Strings, the common case, by a set; whatever else by comparing.
    let mut seen = std::collections::BTreeSet::new();
    for item in list.items() {
        machine.step(place)?;
        let new = match item {
            Value::Str(text) => seen.insert(text.as_str()),
            item => !kept.iter().any(|own| equal(&machine.names, own, item)),
        };
        if new {
            kept.push(item.clone());
        }
    }
    machine.list(kept, place)
}

fn flatten(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs] = machine.args();
    let lists = machine.expect_list(xs, place)?;
    let mut all = Vec::new();
    for list in lists.items() {
        let list = machine.expect_list(list.clone(), place)?;
        machine.reserve((all.len() + list.items().len()) * 16, place)?;
        all.extend_from_slice(list.items());
    }
    machine.list(all, place)
}

fn len(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs] = machine.args();
    let list = machine.expect_list(xs, place)?;
    Ok(Value::Int(list.items().len() as i64))
}

fn empty(machine: &mut Machine<'_>, what: &str, instead: &str, place: Place) -> Failed {
    let error = machine
        .argument_error(place, "xs", "E0412", format!("an empty list has no {what}"))
        .at("is empty here")
        .help(instead.to_owned());
    machine.fail(error)
}

fn sum(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs] = machine.args();
    let list = machine.expect_list(xs, place)?;
    let Some((first, rest)) = list.items().split_first() else {
        return Err(empty(
            machine,
            "sum",
            "`fold(xs, 0, (s, x) => s + x)` begins with a number",
            place,
        ));
    };
    if let Some(late) = machine.late_statistic("sum", list.items(), place)? {
        return Ok(late);
    }
    let mut sum = first.clone();
    for item in rest {
        sum = machine.operate(BinaryOp::Add, sum, item.clone(), place)?;
    }
    Ok(sum)
}

fn extreme(machine: &mut Machine<'_>, wanted: Ordering, what: &str, place: Place) -> Answer {
    let [xs] = machine.args();
    let list = machine.expect_list(xs, place)?;
    let Some((first, rest)) = list.items().split_first() else {
        return Err(empty(machine, what, "test `len(xs) == 0` before", place));
    };
    let op = if wanted.is_lt() { "min" } else { "max" };
    if let Some(late) = machine.late_statistic(op, list.items(), place)? {
        return Ok(late);
    }
    let mut best = first;
    for item in rest {
        match order(item, best) {
            Some(order) if order == wanted => best = item,
            Some(_) => {}
            None => return Err(machine.unexpected(place, "what has an order (numbers, strings)", item)),
        }
    }
    Ok(best.clone())
}

fn min_of(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    extreme(machine, Ordering::Less, "smallest element", place)
}

fn max_of(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    extreme(machine, Ordering::Greater, "largest element", place)
}

fn any(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs, test] = machine.args();
    for item in machine.expect_list(xs, place)?.items() {
        if machine.test(&test, item, place)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn all(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs, test] = machine.args();
    for item in machine.expect_list(xs, place)?.items() {
        if !machine.test(&test, item, place)? {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

fn member(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs, x] = machine.args();
    let list = machine.expect_list(xs, place)?;
    Ok(Value::Bool(
        list.items().iter().any(|item| equal(&machine.names, item, &x)),
    ))
}

/// The list and a count that is not negative.
fn counted(machine: &mut Machine<'_>, place: Place) -> Result<(Rc<List>, usize), Failed> {
    let [xs, n] = machine.args();
    let list = machine.expect_list(xs, place)?;
    Ok((list, at_least(machine, 0, "n", &n, place)?))
}

/// A count that is not below `least`.
fn at_least(
    machine: &mut Machine<'_>,
    least: i64,
    label: &str,
    n: &Value,
    place: Place,
) -> Result<usize, Failed> {
    match n {
        Value::Int(n) if *n >= least => Ok(usize::try_from(*n).unwrap_or(usize::MAX)),
        n => {
            let shown = machine.display(n);
            let error = machine
                .argument_error(place, label, "E0412", format!("`{label}` is {shown}"))
                .at(format!("must be {least} or more"));
            Err(machine.fail(error))
        }
    }
}

fn chunk(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs, size] = machine.args();
    let list = machine.expect_list(xs, place)?;
    let size = at_least(machine, 1, "size", &size, place)?;
    let mut chunks = Vec::with_capacity(list.items().len().div_ceil(size));
    for chunk in list.items().chunks(size) {
        chunks.push(machine.list(chunk.to_vec(), place)?);
    }
    machine.list(chunks, place)
}

fn linspace(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [start, stop, num] = machine.args();
    let num = at_least(machine, 1, "num", &num, place)?;
    let (Value::Float(start), Value::Float(stop)) = (&start, &stop) else {
        return Err(machine.unexpected(place, "a float", &start));
    };
    machine.reserve(num.saturating_mul(16), place)?;
    let last = num - 1;
    let numbers = (0..num).map(|at| match at {
        0 => *start,
        at if at == last => *stop,
        // Two products, so that nothing overflows between two finite numbers.
        at => {
            let share = at as f64 / last as f64;
            start * (1.0 - share) + stop * share
        }
    });
    machine.list(numbers.map(Value::Float).collect(), place)
}

fn take(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let (list, n) = counted(machine, place)?;
    let mut items = List::into_items(list);
    items.truncate(n);
    machine.list(items, place)
}

fn drop_first(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let (list, n) = counted(machine, place)?;
    let items = list.items().get(n..).unwrap_or_default().to_vec();
    machine.list(items, place)
}

fn first(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs] = machine.args();
    let list = machine.expect_list(xs, place)?;
    Ok(list.items().first().cloned().unwrap_or(Value::Null))
}

fn last(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [xs] = machine.args();
    let list = machine.expect_list(xs, place)?;
    Ok(list.items().last().cloned().unwrap_or(Value::Null))
}
