//! Codecs: what they say of the shape of `x` and of the labels, and how they stand in a step's arguments.

use super::describe::Files;
use super::given::Given;
use crate::diagnostic::Diagnostic;
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::{Value, Variant};
use crate::shapes::{Dim, Features, Labels, Signal};
use crate::source::Span;
use crate::spec::{ByName, Datum};

/// What `x` is, its datum, and where it was written. Of a record of codecs each is an input of its own.
pub(super) fn read_x(
    machine: &mut Machine<'_>,
    given: &Given,
    files: &mut Files,
) -> Result<(Features, Datum, Span), Failed> {
    let value = given.get("x");
    let Value::Record(record) = &value else {
        let codec = machine.description(&value, given.place)?;
        let signal = feature(machine, given, &codec)?;
        let span = machine.site(&codec, given.place).span;
        return Ok((
            Features::One(signal),
            codec_datum(machine, &codec, given.place, files)?,
            span,
        ));
    };
    let fields = machine.names.fields(record.shape).to_vec();
    if fields.is_empty() {
        return Err(given.wrong(machine, "x", "`x` has no codec", "needs at least one"));
    }
    let (mut inputs, mut data) = (Vec::new(), ByName::new());
    for (field, cell) in fields.into_iter().zip(record.cells()) {
        let name = machine.names.text(field).to_owned();
        let codec = machine.description(cell, given.place)?;
        inputs.push((name.clone(), feature(machine, given, &codec)?));
        data.insert(name, codec_datum(machine, &codec, given.place, files)?);
    }
    let span = given.span(machine, "x");
    Ok((Features::Named(inputs), Datum::Map(data), span))
}

/// What the labels are, their datum, and where they were written.
pub(super) fn read_y(machine: &mut Machine<'_>, given: &Given) -> Result<(Labels, Datum, Span), Failed> {
    let codec = machine.description(&given.get("y"), given.place)?;
    let labels = labels(machine, given, &codec)?;
    let span = machine.site(&codec, given.place).span;
    let datum = codec_datum(machine, &codec, given.place, &mut Files::below("y"))?;
    Ok((labels, datum, span))
}

/// A codec as data: in the place of a file or folder the input's name.
fn codec_datum(
    machine: &mut Machine<'_>,
    codec: &Variant,
    place: Place,
    files: &mut Files,
) -> Result<Datum, Failed> {
    let mut fields = ByName::new();
    let names = machine.names.fields(codec.shape).to_vec();
    let site = machine.site(codec, place);
    for (name, cell) in names.into_iter().zip(codec.cells()) {
        let name = machine.names.text(name).to_owned();
        let datum = match machine.source_of(cell) {
            Some(source) => {
                let span = site.arguments.get(&name).copied().unwrap_or(site.span);
                Datum::Str(files.add(source, span).into())
            }
            None => machine.datum(cell, place)?,
        };
        if datum != Datum::Null {
            fields.insert(name, datum);
        }
    }
    let kind = machine.names.text(codec.name).to_owned();
    Ok(Datum::Variant(kind.into(), fields))
}

/// What a codec of `x` gives.
fn feature(machine: &mut Machine<'_>, given: &Given, codec: &Variant) -> Result<Signal, Failed> {
    let shape = match machine.names.text(codec.name) {
        "pixels" => {
            if let Some(Value::Float(max)) = codec.field(&machine.names, "max")
                && *max <= 0.0
            {
                let message = format!("`max` is {max}");
                return Err(wrong(machine, given, codec, "max", &message, "must be above 0"));
            }
            let mut shape = Vec::new();
            for name in ["channels", "height", "width"] {
                shape.push(Some(size(machine, given, codec, name)?));
            }
            shape
        }
        "image" => vec![Some(size(machine, given, codec, "channels")?), None, None],
        "audio" => vec![Some(1), Some(samples(machine, given, codec)?)],
        "vector" => vec![columns(machine, codec)],
        "numeric" => vec![Some(1)],
        "category" => vec![Some(classes(machine, given, codec, "values")?)],
        "text" => {
            let length = size(machine, given, codec, "max_length")?;
            return Ok(Signal {
                shape: vec![Some(length)],
                ids: true,
            });
        }
        kind => {
            let message = format!("`data.{kind}` reads what is predicted, not what it is predicted from");
            let needs = "`x` needs `data.pixels`, `data.vector`, `data.text` or another codec of inputs";
            return Err(given.wrong(machine, "x", message, needs));
        }
    };
    Ok(Signal::numbers(shape))
}

/// Samples of a sound of `seconds` at `rate`.
fn samples(machine: &mut Machine<'_>, given: &Given, codec: &Variant) -> Result<i64, Failed> {
    let rate = match codec.field(&machine.names, "rate") {
        Some(Value::Int(rate @ 1..=1_000_000)) => *rate,
        other => {
            let shown = other.map(|rate| machine.display(rate)).unwrap_or_default();
            let message = format!("`rate` is {shown}");
            return Err(wrong(
                machine,
                given,
                codec,
                "rate",
                &message,
                "must be 1 to 1000000",
            ));
        }
    };
    match codec.field(&machine.names, "seconds") {
        Some(Value::Float(seconds)) if *seconds > 0.0 && *seconds * rate as f64 <= 1e9 => {
            Ok(((*seconds * rate as f64).round() as i64).max(1))
        }
        other => {
            let shown = other.map(|seconds| machine.display(seconds)).unwrap_or_default();
            let message = format!("`seconds` is {shown}");
            let bound = "must be above 0, with at most 10^9 samples";
            Err(wrong(machine, given, codec, "seconds", &message, bound))
        }
    }
}

/// How many columns a codec names; not known where a name is a glob.
fn columns(machine: &Machine<'_>, codec: &Variant) -> Dim {
    let exact = |name: &Value| matches!(name, Value::Str(name) if !name.as_str().contains(['*', '?', '[']));
    match codec.field(&machine.names, "cols") {
        Some(Value::List(names)) if names.items().iter().all(exact) => Some(names.items().len() as i64),
        Some(name @ Value::Str(_)) if exact(name) => Some(1),
        _ => None,
    }
}

fn labels(machine: &mut Machine<'_>, given: &Given, codec: &Variant) -> Result<Labels, Failed> {
    match machine.names.text(codec.name) {
        "label" => classes(machine, given, codec, "classes").map(Labels::Class),
        "tags" => classes(machine, given, codec, "classes").map(Labels::Tags),
        "target" => Ok(Labels::Real(columns(machine, codec))),
        kind => {
            let message = format!("`data.{kind}` does not read what is predicted");
            let needs = "`y` needs `data.label`, `data.tags` or `data.target`";
            Err(given.wrong(machine, "y", message, needs))
        }
    }
}

/// How many classes there are: a number, or a list of their names.
pub(super) fn count_of(value: &Value) -> Option<i64> {
    match value {
        Value::List(names) if names.items().len() >= 2 => Some(names.items().len() as i64),
        Value::Int(classes @ 2..=0xffff_ffff) => Some(*classes),
        _ => None,
    }
}

fn classes(machine: &mut Machine<'_>, given: &Given, codec: &Variant, name: &str) -> Result<i64, Failed> {
    let value = codec.field(&machine.names, name).cloned().unwrap_or(Value::Null);
    match count_of(&value) {
        Some(count) => Ok(count),
        None => {
            let message = format!("`{name}` is {}", machine.display(&value));
            let bound = format!("at least 2 {name} are needed");
            Err(wrong(machine, given, codec, name, &message, &bound))
        }
    }
}

/// A size of a codec, at least 1.
fn size(machine: &mut Machine<'_>, given: &Given, codec: &Variant, name: &str) -> Result<i64, Failed> {
    match codec.field(&machine.names, name) {
        Some(Value::Int(size @ 1..=0xffff)) => Ok(*size),
        other => {
            let shown = other.map(|size| machine.display(size)).unwrap_or_default();
            let message = format!("`{name}` is {shown}");
            Err(wrong(machine, given, codec, name, &message, "must be 1 to 65535"))
        }
    }
}

/// An argument of a codec that is out of range.
fn wrong(
    machine: &mut Machine<'_>,
    given: &Given,
    codec: &Variant,
    name: &str,
    message: &str,
    at: &str,
) -> Failed {
    let site = machine.site(codec, given.place);
    let span = site.arguments.get(name).copied().unwrap_or(site.span);
    let mut error = Diagnostic::error("E0412", span, message).at(at);
    error.notes = site.notes;
    machine.fail(error)
}
