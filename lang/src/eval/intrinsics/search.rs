//! `search.grid` and `search.random`: lists of candidates.

use super::Table;
use super::draw::Stream;
use super::given::Given;
use crate::core::FunctionId;
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::{Value, Variant};
use std::rc::Rc;

pub(super) const TABLE: Table = &[("grid", 1, grid), ("random", 3, random)];

type Answer = Result<Value, Failed>;

fn grid(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let axes = given.get("axes");
    let Value::Record(record) = &axes else {
        return Err(machine.unexpected(place, "a record of lists", &axes));
    };
    let mut lists = Vec::new();
    let mut count: usize = 1;
    for cell in record.cells() {
        match cell {
            Value::List(list) => {
                count = count.saturating_mul(list.items().len());
                lists.push(Rc::clone(list));
            }
            other => return Err(machine.unexpected(place, "a list", other)),
        }
    }
    machine.reserve(count.saturating_mul(56 + 16 * lists.len()), place)?;
    let mut rows = Vec::with_capacity(count);
    for row in 0..count {
        machine.step(place)?;
        let mut rest = row;
        let mut cells = vec![Value::Null; lists.len()];
        for (cell, list) in cells.iter_mut().zip(&lists).rev() {
            let items = list.items();
            *cell = items[rest % items.len()].clone();
            rest /= items.len();
        }
        rows.push(machine.record(record.shape, cells, place)?);
    }
    machine.list(rows, place)
}

fn random(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let (space, seed) = (given.get("space"), given.get("seed"));
    let count = given.count(machine, "n", 1)?.unwrap_or(1) as usize;
    let (Value::Record(record), Value::Int(seed)) = (&space, &seed) else {
        return Err(machine.unexpected(place, "a record of distributions", &space));
    };
    let mut dists = Vec::with_capacity(record.cells().len());
    for (index, cell) in record.cells().iter().enumerate() {
        let variant = machine.description(cell, place)?;
        let name = machine.names.fields(record.shape)[index];
        let name = machine.names.text(name).to_owned();
        dists.push((name, Dist::of(machine, &given, &variant)?));
    }
    machine.reserve(count.saturating_mul(56 + 16 * dists.len()), place)?;
    let mut rows = Vec::with_capacity(count);
    for index in 0..count {
        machine.step(place)?;
        let draw = |(name, dist): &(String, Dist)| dist.draw(Stream::new(*seed, index as u64, name));
        let cells = dists.iter().map(draw).collect();
        rows.push(machine.record(record.shape, cells, place)?);
    }
    machine.list(rows, place)
}

/// A distribution whose numbers were looked at.
enum Dist {
    Uniform(f64, f64),
    LogUniform(f64, f64),
    LogNormal(f64, f64),
    Int(i64, i64),
    Choice(Vec<Value>),
}

impl Dist {
    fn of(machine: &mut Machine<'_>, given: &Given, dist: &Variant) -> Result<Self, Failed> {
        let kind = machine.names.text(dist.name).to_owned();
        let cells = dist.cells();
        let found = match (kind.as_str(), cells) {
            ("uniform", [Value::Float(lo), Value::Float(hi)]) => Self::Uniform(*lo, *hi),
            ("log_uniform", [Value::Float(lo), Value::Float(hi)]) => Self::LogUniform(*lo, *hi),
            ("log_normal", [Value::Float(median), Value::Float(sigma)]) => Self::LogNormal(*median, *sigma),
            ("int", [Value::Int(lo), Value::Int(hi)]) => Self::Int(*lo, *hi),
            ("choice", [Value::List(xs)]) => Self::Choice(xs.items().to_vec()),
            _ => {
                let odd = cells.iter().find(|cell| matches!(cell, Value::Late(_))).cloned();
                return Err(machine.unexpected(given.place, "a distribution", &odd.unwrap_or(Value::Null)));
            }
        };
        match found.wrong() {
            None => Ok(found),
            Some((label, message)) => {
                let site = machine.site(dist, given.place);
                let span = site.arguments.get(label).copied().unwrap_or(site.span);
                let mut error = crate::diagnostic::Diagnostic::error("E0412", span, message);
                error.notes = site.notes;
                Err(machine.fail(error))
            }
        }
    }

    /// The argument that is out of range, and what is wrong with it.
    fn wrong(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Uniform(lo, hi) | Self::LogUniform(lo, hi) if lo >= hi => {
                Some(("hi", "`hi` must be above `lo`"))
            }
            Self::LogUniform(lo, _) if *lo <= 0.0 => {
                Some(("lo", "`lo` must be above 0: a logarithm of it is taken"))
            }
            Self::LogNormal(median, _) if *median <= 0.0 => Some(("median", "`median` must be above 0")),
            Self::LogNormal(_, sigma) if *sigma <= 0.0 => Some(("sigma", "`sigma` must be above 0")),
            Self::Int(lo, hi) if lo > hi => Some(("hi", "`hi` must not be below `lo`")),
            Self::Choice(xs) if xs.is_empty() => Some(("xs", "there is nothing to choose from")),
            _ => None,
        }
    }

    /// The one draw of a stream. What is computed stays within its bounds, whatever rounding does.
    fn draw(&self, mut stream: Stream) -> Value {
        match self {
            Self::Uniform(lo, hi) => Value::Float((lo + stream.unit() * (hi - lo)).clamp(*lo, *hi)),
            Self::LogUniform(lo, hi) => {
                let (a, b) = (libm::log(*lo), libm::log(*hi));
                Value::Float(libm::exp(a + stream.unit() * (b - a)).clamp(*lo, *hi))
            }
            Self::LogNormal(median, sigma) => {
                let drawn = median * libm::exp(sigma * stream.normal());
                Value::Float(drawn.clamp(f64::MIN_POSITIVE, f64::MAX))
            }
            Self::Int(lo, hi) => {
                // The number of integers in between, 0 where it is 2^64.
                let bound = hi.wrapping_sub(*lo).cast_unsigned().wrapping_add(1);
                Value::Int(lo.wrapping_add(stream.below(bound).cast_signed()))
            }
            Self::Choice(xs) => xs[stream.below(xs.len() as u64) as usize].clone(),
        }
    }
}
