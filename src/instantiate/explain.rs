//! What differs between two derivations, read from the very bytes that their keys hash: an explanation cannot speak of
//! anything else.

use super::material;
use crate::base::digest::Digest;
use crate::base::encoding::{self, DecodeError, Value};
use crate::model::node::Node;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A field in which two derivations differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The way to it: `["args", "optimizer", "lr"]`. Elements of a list stand by their position, or by their `name` where
    /// each has one.
    pub path: Vec<String>,
    /// What was there.
    pub old: Option<Value>,
    /// What is there.
    pub new: Option<Value>,
}

/// What a derivation refers to, as its static key has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Referred {
    /// A source of the project.
    Source(Node),
    /// An output of a step.
    Output {
        /// The step's static key.
        key: Digest,
        /// The output.
        output: String,
    },
}

/// The canonical bytes of a static key, read.
#[derive(Clone, Debug)]
pub struct Hashed(BTreeMap<u16, Value>);

impl Hashed {
    /// Reads `bytes`.
    pub fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        match encoding::decode(material::SCHEMA, bytes)? {
            Value::Record(fields) => Ok(Self(fields)),
            _ => Err(DecodeError {
                at: 0,
                what: "a derivation is a record",
            }),
        }
    }

    /// The builtin that builds it; none is a command.
    pub fn builtin(&self) -> Option<&str> {
        match self.0.get(&material::BUILTIN) {
            Some(Value::Variant(name, _)) => Some(name),
            _ => None,
        }
    }

    /// The layer of a network that a difference lies in: its path as `mlp show` has it, and what of it differs. None
    /// where the way is none into a network.
    pub fn layer<'p>(&self, path: &'p [String]) -> Option<(String, &'p [String])> {
        let [args, net, root, rest @ ..] = path else {
            return None;
        };
        if (args.as_str(), net.as_str(), root.as_str()) != ("args", "net", "root") {
            return None;
        }
        let Some(Value::Map(args)) = self.0.get(&material::ARGS) else {
            return None;
        };
        let Some(Value::Map(net)) = args.get("net") else {
            return None;
        };
        Some(named(net.get("root")?, rest))
    }

    /// How `new` differs from this one, in the order in which it is hashed.
    pub fn differences(&self, new: &Self) -> Vec<Difference> {
        let mut comparison = Comparison::default();
        let ids: BTreeSet<_> = self.0.keys().chain(new.0.keys()).collect();
        for id in ids {
            comparison.plain = matches!(*id, material::ARGS | material::OUTPUTS);
            comparison.field(field_name(*id), self.0.get(id), new.0.get(id));
        }
        comparison.found
    }
}

/// How `new` differs from `old`, both the canonical bytes of static keys.
pub fn differences(old: &[u8], new: &[u8]) -> Result<Vec<Difference>, DecodeError> {
    Ok(Hashed::read(old)?.differences(&Hashed::read(new)?))
}

impl Difference {
    /// What was referred to, where the difference is one of references.
    pub fn was(&self) -> Option<Referred> {
        self.old.as_ref().filter(|_| !self.is_plain()).and_then(referred)
    }

    /// What is referred to, where the difference is one of references.
    pub fn is(&self) -> Option<Referred> {
        self.new.as_ref().filter(|_| !self.is_plain()).and_then(referred)
    }

    /// Data alone: what looks like a reference there is none.
    fn is_plain(&self) -> bool {
        matches!(self.path.first().map(String::as_str), Some("args" | "outputs"))
    }
}

fn referred(value: &Value) -> Option<Referred> {
    match value {
        Value::Variant(name, fields) if name == "output" => match (fields.get("key")?, fields.get("name")?) {
            (Value::Bytes(key), Value::Str(output)) => Some(Referred::Output {
                key: Digest::from_bytes(key.as_slice().try_into().ok()?),
                output: output.clone(),
            }),
            _ => None,
        },
        value => Node::from_value(value).map(Referred::Source),
    }
}

#[derive(Default)]
struct Comparison {
    /// Whether no value is a reference here.
    plain: bool,
    path: Vec<String>,
    found: Vec<Difference>,
}

impl Comparison {
    fn values(&mut self, old: &Value, new: &Value) {
        match (old, new) {
            (old, new) if old == new => {}
            (old, new) if !self.plain && (referred(old).is_some() || referred(new).is_some()) => {
                self.note(Some(old), Some(new));
            }
            (Value::Map(old), Value::Map(new)) => self.fields(old, new),
            (Value::Variant(old_name, old), Value::Variant(new_name, new)) if old_name == new_name => {
                self.fields(old, new);
            }
            (Value::List(old), Value::List(new)) => self.lists(old, new),
            (old, new) => self.note(Some(old), Some(new)),
        }
    }

    fn fields(&mut self, old: &BTreeMap<String, Value>, new: &BTreeMap<String, Value>) {
        let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        for name in names {
            self.field(name, old.get(name), new.get(name));
        }
    }

    /// Elements with names go by these. Of others what is alike at both ends is passed over, and what is between them goes
    /// in pairs: one that was put in or taken out is told as that.
    fn lists(&mut self, old: &[Value], new: &[Value]) {
        if let (Some(old), Some(new)) = (by_name(old), by_name(new)) {
            return self.fields(&old, &new);
        }
        let alike = |pair: &(&Value, &Value)| pair.0 == pair.1;
        let before = match old.len() == new.len() {
            true => 0,
            false => old.iter().zip(new).take_while(alike).count(),
        };
        let (old_rest, new_rest) = (&old[before..], &new[before..]);
        let after = match old.len() == new.len() {
            true => 0,
            false => old_rest
                .iter()
                .rev()
                .zip(new_rest.iter().rev())
                .take_while(alike)
                .count(),
        };
        let old_middle = &old_rest[..old_rest.len() - after];
        let new_middle = &new_rest[..new_rest.len() - after];
        for at in 0..old_middle.len().max(new_middle.len()) {
            let place = (before + at).to_string();
            self.field(&place, old_middle.get(at), new_middle.get(at));
        }
    }

    fn field(&mut self, name: &str, old: Option<&Value>, new: Option<&Value>) {
        self.path.push(name.to_owned());
        match (old, new) {
            (Some(old), Some(new)) => self.values(old, new),
            (None, None) => {}
            (old, new) => self.note(old, new),
        }
        self.path.pop();
    }

    fn note(&mut self, old: Option<&Value>, new: Option<&Value>) {
        self.found.push(Difference {
            path: self.path.clone(),
            old: old.cloned(),
            new: new.cloned(),
        });
    }
}

/// The elements by their names, where each is a map with a name of its own.
fn by_name(items: &[Value]) -> Option<BTreeMap<String, Value>> {
    let named = items.iter().map(|item| match item {
        Value::Map(fields) => match fields.get("name") {
            Some(Value::Str(name)) => Some((name.clone(), item.clone())),
            _ => None,
        },
        _ => None,
    });
    let named: BTreeMap<String, Value> = named.collect::<Option<_>>()?;
    (named.len() == items.len() && !items.is_empty()).then_some(named)
}

fn field_name(id: u16) -> &'static str {
    match id {
        material::BUILTIN => "builtin",
        material::ARGV => "argv",
        material::ARGS => "args",
        material::ENV => "env",
        material::VARS => "vars",
        material::CWD => "cwd",
        material::INPUTS => "inputs",
        material::OUTPUTS => "outputs",
        material::THREADS => "threads",
        material::DEVICE_CLASS => "device class",
        material::SANDBOX_VERSION => "sandbox",
        material::STDIN => "stdin",
        _ => "field of a newer mlp",
    }
}

/// A value in at most a few words.
pub fn in_words(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::Str(text) => format!("{text:?}"),
        Value::Bytes(bytes) => bytes.iter().take(5).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
        Value::List(items) if items.len() <= 4 => {
            let items: Vec<String> = items.iter().map(in_words).collect();
            format!("[{}]", items.join(", "))
        }
        Value::List(items) => format!("a list of {}", items.len()),
        Value::Map(fields) => {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            format!("{{ {} }}", names.join(", "))
        }
        Value::Variant(name, fields) => variant(name, fields),
        Value::Record(_) => "other content".to_owned(),
    }
}

/// `adam(lr = 0.1)`, where no field is more than a number or a word.
fn variant(name: &str, fields: &BTreeMap<String, Value>) -> String {
    let nested = |value: &Value| {
        matches!(
            value,
            Value::List(_) | Value::Map(_) | Value::Variant(..) | Value::Record(_)
        )
    };
    if fields.is_empty() || fields.values().any(nested) {
        return name.to_owned();
    }
    let fields = fields
        .iter()
        .map(|(name, value)| format!("{name} = {}", in_words(value)));
    format!("{name}({})", fields.collect::<Vec<_>>().join(", "))
}

/// The path of the layer that `path` leads to from `layer`, as far as it is one of layers, and the rest of it.
fn named<'p>(mut layer: &Value, mut path: &'p [String]) -> (String, &'p [String]) {
    let mut names: Vec<&str> = Vec::new();
    while let Value::Variant(_, fields) = layer {
        let inner = match path {
            [list, at, ..] if list == "layers" => {
                names.push(at);
                path = &path[2..];
                match (fields.get(list), at.parse::<usize>()) {
                    (Some(Value::List(layers)), Ok(at)) => layers.get(at),
                    _ => None,
                }
            }
            [part, ..] if matches!(part.as_str(), "layer" | "shortcut" | "activation") => {
                path = &path[1..];
                match (part.as_str(), fields.get("name")) {
                    // A name stands in the place of the position.
                    ("layer", Some(Value::Str(name))) => {
                        names.pop();
                        names.push(name);
                    }
                    ("shortcut", _) => names.push("shortcut"),
                    _ => {}
                }
                fields.get(part)
            }
            _ => None,
        };
        match inner {
            Some(inner) => layer = inner,
            None => break,
        }
    }
    (names.join("."), path)
}
