//! Strings.

use super::Table;
use crate::core::FunctionId;
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::render::plain;
use crate::eval::value::{Text, Value};

pub(super) const TABLE: Table = &[
    ("split", 2, split),
    ("join", 2, join),
    ("replace", 3, replace),
    ("trim", 1, trim),
    ("lower", 1, lower),
    ("upper", 1, upper),
    ("contains", 2, contains),
    ("starts_with", 2, starts_with),
    ("ends_with", 2, ends_with),
    ("chars", 1, chars),
    ("str", 1, str),
    ("parse_int", 1, parse_int),
    ("parse_float", 1, parse_float),
    ("to_json", 1, to_json),
];

type Answer = Result<Value, Failed>;

/// The arguments as strings.
fn texts<const N: usize>(machine: &mut Machine<'_>, place: Place) -> Result<[Text; N], Failed> {
    let args: [Value; N] = machine.args();
    let mut texts = [const { Text::Short([0; 15]) }; N];
    for (text, arg) in texts.iter_mut().zip(args) {
        match arg {
            Value::Str(arg) => *text = arg,
            other => return Err(machine.unexpected(place, "a string", &other)),
        }
    }
    Ok(texts)
}

fn split(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [text, separator] = texts(machine, place)?;
    if separator.as_str().is_empty() {
        let error = machine
            .argument_error(place, "separator", "E0412", "`separator` is empty")
            .at("nothing to split at")
            .help("`chars(s)` gives the single characters");
        return Err(machine.fail(error));
    }
    let parts = text.as_str().split(separator.as_str()).map(Value::str).collect();
    machine.list(parts, place)
}

fn join(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [parts, separator] = machine.args();
    let (Value::List(parts), Value::Str(separator)) = (&parts, &separator) else {
        return Err(machine.unexpected(place, "a list of strings", &parts));
    };
    let mut joined = String::new();
    let longest = machine.limits.memory;
    for (index, part) in parts.items().iter().enumerate() {
        joined.push_str(if index > 0 { separator.as_str() } else { "" });
        match part {
            Value::Str(part) if joined.len() <= longest => joined.push_str(part.as_str()),
            Value::Str(_) => return Err(machine.out_of_memory(place)),
            other => return Err(machine.unexpected(place, "a string", other)),
        }
    }
    Ok(Value::str(&joined))
}

fn replace(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [text, old, new] = texts(machine, place)?;
    if old.as_str().is_empty() {
        let error = machine
            .argument_error(place, "old", "E0412", "`old` is empty")
            .at("nothing to replace");
        return Err(machine.fail(error));
    }
    let places = text.as_str().matches(old.as_str()).count();
    machine.reserve(
        text.as_str()
            .len()
            .saturating_add(places.saturating_mul(new.as_str().len())),
        place,
    )?;
    let replaced = text.as_str().replace(old.as_str(), new.as_str());
    Ok(Value::str(&replaced))
}

fn trim(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [text] = texts(machine, place)?;
    Ok(Value::str(text.as_str().trim()))
}

fn lower(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [text] = texts(machine, place)?;
    Ok(Value::str(&text.as_str().to_lowercase()))
}

fn upper(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [text] = texts(machine, place)?;
    Ok(Value::str(&text.as_str().to_uppercase()))
}

fn contains(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [text, part] = texts(machine, place)?;
    Ok(Value::Bool(text.as_str().contains(part.as_str())))
}

fn starts_with(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [text, part] = texts(machine, place)?;
    Ok(Value::Bool(text.as_str().starts_with(part.as_str())))
}

fn ends_with(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [text, part] = texts(machine, place)?;
    Ok(Value::Bool(text.as_str().ends_with(part.as_str())))
}

fn chars(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [text] = texts(machine, place)?;
    machine.reserve(text.as_str().len() * 16, place)?;
    let mut buffer = [0; 4];
    let chars = text
        .as_str()
        .chars()
        .map(|c| Value::str(c.encode_utf8(&mut buffer)))
        .collect();
    machine.list(chars, place)
}

fn str(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [value] = machine.args();
    if let Value::Artifact(_) | Value::Late(_) | Value::Pieces(_) = value {
        let error = machine
            .argument_error(
                place,
                "x",
                "E0417",
                "a text cannot hold what is known only after the build",
            )
            .at(format!("this is a {}", value.kind()))
            .help("hand it to a step as an argument");
        return Err(machine.fail(error));
    }
    match plain(&machine.names, &value).or_else(|| machine.text(&value)) {
        Some(text) => Ok(Value::str(&text)),
        None => Err(machine.out_of_memory(place)),
    }
}

fn parse_int(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [text] = texts(machine, place)?;
    Ok(text.as_str().trim().parse().map_or(Value::Null, Value::Int))
}

fn parse_float(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [text] = texts(machine, place)?;
    let number = text
        .as_str()
        .trim()
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite());
    Ok(number.map_or(Value::Null, Value::Float))
}

fn to_json(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [value] = machine.args();
    match machine.to_json(&value) {
        Some(json) => Ok(Value::str(&json)),
        None => Err(machine.out_of_memory(place)),
    }
}
