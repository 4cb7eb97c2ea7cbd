//! Values as summaries of modules have them, and back.
//!
//! An artifact comes back without what is known about it, and without its derivation: one that says nothing stands for all
//! of them. Whoever looks at either is noted ([`super::Outcome::lacks`]).

use super::artifact::{About, Artifact};
use super::late::Late;
use super::machine::Machine;
use super::value::{ArtifactId, Entries, List, Long, Map, Record, Text, Value};
use crate::spec::{InputSource, LateValue};
use crate::summary::{self, Making};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// What a value with parts came to, by its address: parts that are shared stand in many places. Values stay where they are
/// while they are summarised.
type Seen = FxHashMap<usize, Option<u32>>;

impl Machine<'_> {
    /// A value of a summary; none where it is not remembered.
    pub(super) fn remembered(&mut self, at: u32) -> Option<Value> {
        if let Some(value) = self.recalled.get(&at) {
            return Some(value.clone());
        }
        let tables = &self.core.tables;
        let value = match tables.values.get(at as usize)? {
            summary::Value::Null => Value::Null,
            summary::Value::Bool(value) => Value::Bool(*value),
            summary::Value::Int(value) => Value::Int(*value),
            summary::Value::Float(bits) => Value::Float(f64::from_bits(*bits)),
            summary::Value::Duration(value) => Value::Duration(*value),
            summary::Value::Bytes(value) => Value::Bytes(*value),
            summary::Value::Str(text) => Value::str(text),
            summary::Value::Path(path) => Value::Path(Long::new(path)),
            summary::Value::List(items, labels) => {
                let items = items.iter().map(|item| self.part(at, *item));
                let mut list = List::new(items.collect::<Option<_>>()?)?;
                Rc::get_mut(&mut list)?.labels = labels.clone().map(Rc::new);
                Value::List(list)
            }
            summary::Value::Record(fields) => {
                let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                let shape = self.names.shape_of(&names);
                let cells = fields.iter().map(|(_, value)| self.part(at, *value));
                Value::Record(Record::new(shape, cells.collect::<Option<_>>()?)?)
            }
            summary::Value::Map(fields) => {
                let mut entries = Entries::default();
                for (key, value) in fields {
                    entries.insert(Text::new(key), self.part(at, *value)?);
                }
                Value::Map(Map::new(entries)?)
            }
            summary::Value::Artifact { kind, output, absent } => {
                let source = InputSource::Output {
                    spec: self.specs.unknown(),
                    output: output.into(),
                };
                self.artifacts.add(Artifact {
                    source,
                    kind: *kind,
                    about: match absent {
                        true => About::Absent(""),
                        false => About::Forgotten,
                    },
                })
            }
            summary::Value::Late { output, path } => {
                let source = InputSource::Output {
                    spec: self.specs.unknown(),
                    output: output.into(),
                };
                let path = path.clone();
                self.artifacts.add_late(Late::At(LateValue { source, path }))
            }
        };
        self.recalled.insert(at, value.clone());
        Some(value)
    }

    /// A part of the value `whole`, which stands before it.
    fn part(&mut self, whole: u32, part: u32) -> Option<Value> {
        (part < whole).then(|| self.remembered(part))?
    }

    /// The value for a summary; none where it is more than data and artifacts.
    pub(super) fn summarise(&self, value: &Value, seen: &mut Seen, making: &mut Making) -> Option<u32> {
        let address = match value {
            Value::List(list) => Rc::as_ptr(list).addr(),
            Value::Record(record) => Rc::as_ptr(record).addr(),
            Value::Map(map) => Rc::as_ptr(map).addr(),
            _ => {
                let plain = self.summarise_plain(value)?;
                return making.value(plain);
            }
        };
        if let Some(known) = seen.get(&address) {
            return *known;
        }
        let made = self.summarise_parts(value, seen, making);
        let made = made.and_then(|made| making.value(made));
        seen.insert(address, made);
        made
    }

    fn summarise_parts(&self, value: &Value, seen: &mut Seen, making: &mut Making) -> Option<summary::Value> {
        Some(match value {
            Value::List(list) => {
                let items = list.items().iter().map(|item| self.summarise(item, seen, making));
                let items = items.collect::<Option<_>>()?;
                summary::Value::List(items, list.labels.as_deref().cloned())
            }
            Value::Record(record) => {
                let fields = self.names.fields(record.shape).iter().zip(record.cells());
                let fields = fields.map(|(name, value)| {
                    let name = self.names.text(*name).to_owned();
                    Some((name, self.summarise(value, seen, making)?))
                });
                summary::Value::Record(fields.collect::<Option<_>>()?)
            }
            Value::Map(map) => {
                let entries = map.entries().iter().map(|(key, value)| {
                    Some((key.as_str().to_owned(), self.summarise(value, seen, making)?))
                });
                summary::Value::Map(entries.collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

    fn summarise_plain(&self, value: &Value) -> Option<summary::Value> {
        Some(match value {
            Value::Null => summary::Value::Null,
            Value::Bool(value) => summary::Value::Bool(*value),
            Value::Int(value) => summary::Value::Int(*value),
            Value::Float(value) => summary::Value::Float(value.to_bits()),
            Value::Duration(value) => summary::Value::Duration(*value),
            Value::Bytes(value) => summary::Value::Bytes(*value),
            Value::Str(text) => summary::Value::Str(text.as_str().to_owned()),
            Value::Path(path) => summary::Value::Path(path.as_str().to_owned()),
            Value::Artifact(id) => self.summarise_artifact(*id)?,
            Value::Late(id) => match self.artifacts.late(*id) {
                Late::At(LateValue {
                    source: InputSource::Output { output, .. },
                    path,
                }) => summary::Value::Late {
                    output: output.to_string(),
                    path: path.clone(),
                },
                _ => return None,
            },
            _ => return None,
        })
    }

    fn summarise_artifact(&self, id: ArtifactId) -> Option<summary::Value> {
        let InputSource::Output { output, .. } = self.artifacts.source(id) else {
            return None;
        };
        Some(summary::Value::Artifact {
            kind: self.artifacts.kind(id),
            output: output.to_string(),
            absent: self.artifacts.absent(id).is_some(),
        })
    }
}
