//! What differs between two derivations, read from the very bytes that their keys hash: an explanation cannot speak of
//! anything else.

use super::material;
use crate::base::encoding::{self, DecodeError, Value};
use std::collections::BTreeSet;
use std::fmt::Write;

/// A field in which two derivations differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The way to it: `["args", "optimizer", "lr"]`.
    pub path: Vec<String>,
    /// What was there, in words.
    pub old: Option<String>,
    /// What is there.
    pub new: Option<String>,
}

/// How `new` differs from `old`, both the canonical bytes of static keys, in the order in which they are hashed.
pub fn differences(old: &[u8], new: &[u8]) -> Result<Vec<Difference>, DecodeError> {
    let old = encoding::decode(material::SCHEMA, old)?;
    let new = encoding::decode(material::SCHEMA, new)?;
    let mut comparison = Comparison::default();
    comparison.values(&old, &new);
    Ok(comparison.found)
}

#[derive(Default)]
struct Comparison {
    path: Vec<String>,
    found: Vec<Difference>,
}

impl Comparison {
    fn values(&mut self, old: &Value, new: &Value) {
        match (old, new) {
            (old, new) if old == new => {}
            (Value::Record(old), Value::Record(new)) if self.path.is_empty() => {
                let ids: BTreeSet<_> = old.keys().chain(new.keys()).collect();
                for id in ids {
                    self.field(field_name(*id), old.get(id), new.get(id));
                }
            }
            (Value::Map(old), Value::Map(new)) => {
                let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
                for name in names {
                    self.field(name, old.get(name), new.get(name));
                }
            }
            (Value::Variant(old_name, old), Value::Variant(new_name, new)) if old_name == new_name => {
                let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
                for name in names {
                    self.field(name, old.get(name), new.get(name));
                }
            }
            (Value::List(old), Value::List(new)) if old.len() == new.len() => {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    self.field(&index.to_string(), Some(old), Some(new));
                }
            }
            (old, new) => self.note(Some(old), Some(new)),
        }
    }

    fn field(&mut self, name: &str, old: Option<&Value>, new: Option<&Value>) {
        self.path.push(name.to_owned());
        match (old, new) {
            (Some(old), Some(new)) => self.values(old, new),
            (old, new) => self.note(old, new),
        }
        self.path.pop();
    }

    fn note(&mut self, old: Option<&Value>, new: Option<&Value>) {
        self.found.push(Difference {
            path: self.path.clone(),
            old: old.map(words),
            new: new.map(words),
        });
    }
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
fn words(value: &Value) -> String {
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
            let items: Vec<String> = items.iter().map(words).collect();
            format!("[{}]", items.join(", "))
        }
        Value::List(items) => format!("a list of {}", items.len()),
        Value::Map(fields) => {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            format!("{{ {} }}", names.join(", "))
        }
        Value::Variant(name, _) => name.clone(),
        Value::Record(_) => "other content".to_owned(),
    }
}
