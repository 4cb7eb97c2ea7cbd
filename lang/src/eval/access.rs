//! Taking values apart: fields, elements, entries, patterns.

use super::blame::Place;
use super::code::{Arm, At, Code, Pattern};
use super::machine::{Failed, Machine};
use super::names::{Names, Symbol};
use super::value::Value;
use std::rc::Rc;

impl<'c> Machine<'c> {
    /// `base.name` of what is no plain record.
    #[inline(never)]
    pub(crate) fn field_of(&mut self, base: &Value, name: Symbol, place: Place) -> Result<Value, Failed> {
        let found = match base {
            Value::Record(record) => self
                .names
                .index(record.shape, name)
                .and_then(|index| record.cells().get(index))
                .cloned(),
            Value::Variant(variant) => self
                .names
                .index(variant.shape, name)
                .and_then(|index| variant.cells().get(index))
                .cloned(),
            Value::Map(map) => map
                .entries()
                .get(&super::value::Text::new(self.names.text(name)))
                .cloned(),
            Value::Artifact(artifact) => return self.artifact_field(*artifact, name, place),
            Value::Late(late) => {
                let name = self.names.text(name).to_owned();
                return Ok(self.late_field(*late, &name));
            }
            Value::Pick(pick) if self.names.text(name) == "use" => return Ok(Value::Use(Rc::clone(pick))),
            Value::Pick(pick) => return self.pick_value(pick, place),
            other => return Err(self.unexpected(place, "a record", other)),
        };
        found.ok_or_else(|| {
            let text = self.names.text(name).to_owned();
            let error = self.error(place, "E0406", format!("there is no field `{text}`"));
            self.fail(error)
        })
    }

    #[inline(never)]
    pub(crate) fn index(&mut self, code: &Code<'c>, base: At, index: At) -> Result<Value, Failed> {
        let list = self.eval(code, base)?;
        let position = self.eval(code, index)?;
        let place = Place {
            code: code.id,
            at: index,
        };
        let (Value::List(list), Value::Int(position)) = (&list, &position) else {
            return Err(self.unexpected(place, "an index of a list", &position));
        };
        let found = usize::try_from(*position)
            .ok()
            .and_then(|position| list.items().get(position));
        found
            .cloned()
            .ok_or_else(|| self.no_element(*position, list.items().len(), place))
    }

    #[cold]
    fn no_element(&mut self, position: i64, len: usize, place: Place) -> Failed {
        let error = self
            .error(
                place,
                "E0405",
                format!("index {position} is outside a list of {}", elements(len)),
            )
            .at(match len {
                0 => "the list is empty".to_owned(),
                1 => "only index 0 is there".to_owned(),
                len => format!("may be 0 to {}", len - 1),
            });
        let error = match position {
            ..0 => error.help("count from the end with `xs[len(xs) - 1]`, or use `last(xs)`"),
            _ => error,
        };
        self.fail(error)
    }

    #[inline(never)]
    pub(crate) fn map_index(&mut self, code: &Code<'c>, base: At, key: At) -> Result<Value, Failed> {
        let map = self.eval(code, base)?;
        let key_value = self.eval(code, key)?;
        let place = Place {
            code: code.id,
            at: key,
        };
        let (Value::Map(map), Value::Str(key)) = (&map, &key_value) else {
            return Err(self.unexpected(place, "a key of a map", &key_value));
        };
        if let Some(value) = map.entries().get(key) {
            return Ok(value.clone());
        }
        let error = self
            .error(place, "E0406", format!("the map has no key \"{}\"", key.as_str()))
            .at("this key")
            .help("`get(map, key)` gives null where a key is missing");
        let near =
            super::suggest::nearest(key.as_str(), map.entries().keys().map(super::value::Text::as_str));
        let error = match near {
            Some(near) => error.help(format!(
                "did you mean \"{near}\"? `get(map, key)` gives null where a key is missing"
            )),
            None => error,
        };
        Err(self.fail(error))
    }

    /// The body of the first arm that fits, its names bound.
    #[inline(never)]
    pub(crate) fn choose(
        &mut self,
        code: &Code<'c>,
        value: &Value,
        arms: &[Arm],
        at: At,
    ) -> Result<At, Failed> {
        for arm in arms {
            for pattern in &arm.patterns {
                if self.artifacts.late_data && asks_late(&self.names, pattern, value) {
                    let place = Place { code: code.id, at };
                    return Err(self.too_late(place, "what a `match` looks at", value));
                }
                if !self.fits(pattern, value) {
                    continue;
                }
                let Some(guard) = arm.guard else {
                    return Ok(arm.body);
                };
                if self.truth(code, guard)? {
                    return Ok(arm.body);
                }
            }
        }
        let place = Place { code: code.id, at };
        Err(self.unexpected(place, "a value that some arm takes", value))
    }

    /// Whether the pattern takes the value; binds the names in it on the way.
    fn fits(&mut self, pattern: &Pattern, value: &Value) -> bool {
        match (pattern, value) {
            (Pattern::Wildcard, _) | (Pattern::Null, Value::Null) => true,
            (Pattern::Bind(slot), _) => {
                self.stack[self.base + *slot as usize] = value.clone();
                true
            }
            (Pattern::Bool(a), Value::Bool(b)) => a == b,
            (Pattern::Int(a), Value::Int(b)) => a == b,
            (Pattern::Int(a), Value::Float(b)) => *a as f64 == *b,
            (Pattern::Str(a), Value::Str(b)) => **a == *b.as_str(),
            (Pattern::Record(fields), Value::Record(record)) => fields.iter().all(|(name, pattern)| {
                let index = self.names.index(record.shape, *name);
                index.is_some_and(|index| self.fits(pattern, &record.cells()[index]))
            }),
            (Pattern::Variant(name, fields), Value::Variant(variant)) => {
                *name == variant.name
                    && fields.iter().all(|(name, pattern)| {
                        let index = self.names.index(variant.shape, *name);
                        index.is_some_and(|index| self.fits(pattern, &variant.cells()[index]))
                    })
            }
            _ => false,
        }
    }
}

/// Whether the pattern asks something of a late value.
fn asks_late(names: &Names, pattern: &Pattern, value: &Value) -> bool {
    let of_fields = |fields: &[(Symbol, Pattern)], shape, cells: &[Value]| {
        fields.iter().any(|(name, pattern)| {
            let index = names.index(shape, *name);
            index.is_some_and(|index| asks_late(names, pattern, &cells[index]))
        })
    };
    match (pattern, value) {
        (Pattern::Wildcard | Pattern::Bind(_), _) => false,
        (_, Value::Late(_)) => true,
        (Pattern::Record(fields), Value::Record(record)) => of_fields(fields, record.shape, record.cells()),
        (Pattern::Variant(_, fields), Value::Variant(own)) => of_fields(fields, own.shape, own.cells()),
        _ => false,
    }
}

/// "1 element", "3 elements".
fn elements(len: usize) -> String {
    match len {
        0 => "no elements".to_owned(),
        1 => "1 element".to_owned(),
        len => format!("{len} elements"),
    }
}
