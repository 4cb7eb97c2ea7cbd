//! Differences in words: clauses about a step, for plans and explanations alike.

use crate::base::digest::Digest;
use crate::base::encoding::Value;
use crate::instantiate::{Difference, Hashed, Referred, in_words};

/// Characters of a value that are shown.
const SHOWN: usize = 40;

/// Sizes of layers that are inferred where they are left out, and so follow from another layer or from the data.
const INFERRED: [&str; 5] = [
    "in_features",
    "in_channels",
    "num_features",
    "num_channels",
    "normalized_shape",
];

/// What people call things.
pub trait Naming {
    /// A step.
    fn step(&self, key: Digest) -> Option<String>;

    /// What lies at a mount path of the step that is spoken of.
    fn input(&self, mount: &str) -> Option<String>;
}

/// A difference as a clause about its step: "its argument `lr` was 0.1, is 0.2". `hashed` is what the step is, or what it
/// was where the difference is of something that is gone.
pub fn clause(naming: &impl Naming, hashed: &Hashed, difference: &Difference) -> String {
    let Difference { path, old, new } = difference;
    let changed = |what: &str| changed(what, old.as_ref(), new.as_ref());
    let Some((field, rest)) = path.split_first() else {
        return "it is built in another way".to_owned();
    };
    match (field.as_str(), rest) {
        ("args", [packages, name, part @ ..]) if packages == "packages" => package(name, part, difference),
        ("args", _) => match hashed.layer(path) {
            Some((layer, part)) => changed(&in_network(&layer, part)),
            None => changed(&format!("its argument `{}`", rest.join("."))),
        },
        ("builtin", _) => builtin(hashed, &rest.join("."), difference),
        ("inputs", [at, part @ ..]) => input(naming, at, part.is_empty(), difference),
        ("argv", [at, ..]) => text(&format!("word {} of its command", ordinal(at)), difference),
        ("vars", [name, ..]) => text(&format!("its variable `{name}`"), difference),
        ("env", [tools, tool, part @ ..]) if tools == "tools" => match part {
            [version] if version == "version" => changed(&format!("the machine's `{tool}`")),
            _ => format!("the machine's `{tool}` changed"),
        },
        ("env", _) => "its environment changed".to_owned(),
        ("outputs", [name, ..]) => format!("its output `{name}` changed"),
        (other, _) => changed(&format!("its {other}")),
    }
}

/// Whether the difference is one of a size that the network's other layers decide, or the data.
pub fn is_inferred(difference: &Difference) -> bool {
    let [args, net, part, rest @ ..] = difference.path.as_slice() else {
        return false;
    };
    let name = rest.iter().rev().find(|part| part.parse::<usize>().is_err());
    let size = name.is_some_and(|name| INFERRED.contains(&name.as_str()));
    (args.as_str(), net.as_str()) == ("args", "net") && (size || matches!(part.as_str(), "input" | "output"))
}

/// Words are counted from 1: the program is the first.
fn ordinal(at: &str) -> usize {
    at.parse::<usize>().map_or(0, |at| at + 1)
}

fn in_network(layer: &str, part: &[String]) -> String {
    let of = match layer {
        "" => "its network".to_owned(),
        layer => format!("layer `{layer}` of its network"),
    };
    match part {
        [] => of,
        part => format!("`{}` in {of}", part.join(".")),
    }
}

fn package(name: &str, part: &[String], difference: &Difference) -> String {
    if part.first().is_some_and(|part| part == "sha256") {
        return format!("the files of its package `{name}` changed");
    }
    let version = |value: &Value| match value {
        Value::Map(fields) => fields.get("version").cloned(),
        value => Some(value.clone()),
    };
    let old = difference.old.as_ref().and_then(version);
    let new = difference.new.as_ref().and_then(version);
    changed(&format!("its package `{name}`"), old.as_ref(), new.as_ref())
}

fn input(naming: &impl Naming, at: &str, whole: bool, difference: &Difference) -> String {
    let called = naming
        .input(at)
        .unwrap_or_else(|| at.strip_prefix("inputs/").unwrap_or(at).to_owned());
    let referred = |referred: Option<Referred>| match referred? {
        Referred::Output { key, output } => Some(format!("`{output}` of `{}`", naming.step(key)?)),
        Referred::Source(_) => None,
    };
    match (&difference.old, &difference.new) {
        (None, Some(_)) if whole => format!("its input `{called}` is new"),
        (Some(_), None) if whole => format!("its input `{called}` is gone"),
        _ => match (referred(difference.was()), referred(difference.is())) {
            (Some(old), Some(new)) if old != new => {
                format!(
                    "its input `{}` was {old}, is {new}",
                    at.strip_prefix("inputs/").unwrap_or(at)
                )
            }
            _ => format!("its input `{called}` changed"),
        },
    }
}

fn builtin(hashed: &Hashed, field: &str, difference: &Difference) -> String {
    let (old, new) = (difference.old.as_ref(), difference.new.as_ref());
    match (hashed.builtin(), field, old, new) {
        (Some(name), "version", Some(_), Some(_)) => {
            format!("`{name}` of this mlp gives other bits than before")
        }
        (Some(_), "numerics", old, new) => changed("the numerics", old, new),
        (_, "", Some(Value::Variant(old, _)), Some(Value::Variant(new, _))) => {
            format!("it was built by `{old}`, is by `{new}`")
        }
        _ => "it is built in another way".to_owned(),
    }
}

/// A change of something that is written in pieces: told with its text where it is one.
fn text(what: &str, difference: &Difference) -> String {
    let piece = |value: &Value| match value {
        Value::List(pieces) => match pieces.as_slice() {
            [text @ Value::Str(_)] => Some(text.clone()),
            _ => None,
        },
        Value::Str(_) => Some(value.clone()),
        _ => None,
    };
    match (&difference.old, &difference.new) {
        (None, _) => format!("{what} is new"),
        (_, None) => format!("{what} is gone"),
        (Some(old), Some(new)) => changed(what, piece(old).as_ref(), piece(new).as_ref()),
    }
}

fn changed(what: &str, old: Option<&Value>, new: Option<&Value>) -> String {
    match (old.map(shown), new.map(shown)) {
        (Some(old), Some(new)) if old != new => format!("{what} was {old}, is {new}"),
        (None, Some(new)) => format!("{what} is new: {new}"),
        (Some(old), None) => format!("{what} is gone, it was {old}"),
        _ => format!("{what} changed"),
    }
}

fn shown(value: &Value) -> String {
    let words = in_words(value);
    match words.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}
