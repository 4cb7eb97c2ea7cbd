//! Comprehensions and map literals.

use super::blame::Place;
use super::code::{At, Clause, Code, ForOp, MapEntry, Pattern};
use super::machine::{Failed, Machine};
use super::render::plain;
use super::value::{Entries, List, Map, Value};
use std::rc::Rc;

/// What the rounds of a comprehension have given so far.
struct Rounds {
    items: Vec<Value>,
    entries: Entries,
    /// The scalars that the loops around are at, for names: slot and value.
    loops: Vec<(u32, Value)>,
    /// The names of the elements, from the first that made a spec on.
    labels: Vec<String>,
}

impl<'c> Machine<'c> {
    #[inline(never)]
    pub(crate) fn comprehension(
        &mut self,
        code: &Code<'c>,
        op: &ForOp,
        place: Place,
    ) -> Result<Value, Failed> {
        let mut rounds = Rounds {
            items: Vec::new(),
            entries: Entries::default(),
            loops: Vec::new(),
            labels: Vec::new(),
        };
        self.rounds(code, op, 0, &mut rounds, place)?;
        if op.key.is_some() {
            return self.map(rounds.entries, place);
        }
        let list = self.list(rounds.items, place)?;
        if let Value::List(mut list) = list {
            if !rounds.labels.is_empty()
                && let Some(own) = Rc::get_mut(&mut list)
            {
                own.labels = Some(Rc::new(rounds.labels));
            }
            return Ok(Value::List(list));
        }
        Ok(list)
    }

    fn rounds(
        &mut self,
        code: &Code<'c>,
        op: &ForOp,
        clause: usize,
        rounds: &mut Rounds,
        place: Place,
    ) -> Result<(), Failed> {
        match op.clauses.get(clause) {
            None => self.round(code, op, rounds, place),
            Some(Clause::If(condition)) => match self.truth(code, *condition)? {
                true => self.rounds(code, op, clause + 1, rounds, place),
                false => Ok(()),
            },
            Some(Clause::For {
                first,
                second,
                source,
            }) => match self.eval(code, *source)? {
                Value::List(list) => {
                    self.over_list(code, op, clause, (first, second.as_ref()), &list, rounds, place)
                }
                Value::Map(map) => {
                    for (key, value) in map.entries() {
                        let key = Value::Str(key.clone());
                        self.one(
                            code,
                            op,
                            clause,
                            (first, second.as_ref()),
                            (key, value.clone()),
                            rounds,
                            place,
                        )?;
                    }
                    Ok(())
                }
                other => Err(self.unexpected(place, "a list or map", &other)),
            },
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a loop's state, passed down by hand to keep frames small"
    )]
    fn over_list(
        &mut self,
        code: &Code<'c>,
        op: &ForOp,
        clause: usize,
        (first, second): (&Pattern, Option<&Pattern>),
        list: &Rc<List>,
        rounds: &mut Rounds,
        place: Place,
    ) -> Result<(), Failed> {
        if clause + 1 == op.clauses.len() && op.key.is_none() {
            rounds.items.reserve(list.items().len());
        }
        for (index, item) in list.items().iter().enumerate() {
            match second {
                Some(second) => {
                    let pair = (Value::Int(index as i64), item.clone());
                    self.one(code, op, clause, (first, Some(second)), pair, rounds, place)?;
                }
                None => {
                    let pair = (item.clone(), Value::Null);
                    self.one(code, op, clause, (first, None), pair, rounds, place)?;
                }
            }
        }
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a loop's state, passed down by hand to keep frames small"
    )]
    fn one(
        &mut self,
        code: &Code<'c>,
        op: &ForOp,
        clause: usize,
        (first, second): (&Pattern, Option<&Pattern>),
        (key, value): (Value, Value),
        rounds: &mut Rounds,
        place: Place,
    ) -> Result<(), Failed> {
        self.step(place)?;
        let before = rounds.loops.len();
        remember(first, &key, rounds);
        self.bind(first, key);
        if let Some(second) = second {
            if matches!(first, Pattern::Wildcard) {
                remember(second, &value, rounds);
            }
            self.bind(second, value);
        }
        // A clause takes as much of the native stack as an operation, and counts as one.
        self.deeper(place)?;
        let result = self.rounds(code, op, clause + 1, rounds, place);
        self.depth -= 1;
        rounds.loops.truncate(before);
        result
    }

    fn round(
        &mut self,
        code: &Code<'c>,
        op: &ForOp,
        rounds: &mut Rounds,
        place: Place,
    ) -> Result<(), Failed> {
        let made = self.specs.mark();
        if let Some(key) = op.key {
            let Value::Str(key) = self.eval(code, key)? else {
                return Err(self.unexpected(place, "a string", &Value::Null));
            };
            let value = self.eval(code, op.value)?;
            if self.specs.mark() > made {
                self.specs.name(made, &format!("[{}]", key.as_str()));
            }
            if rounds.entries.len() == rounds.entries.capacity() {
                self.reserve(rounds.entries.len() * 96, place)?;
            }
            rounds.entries.insert(key, value);
            return Ok(());
        }
        let value = self.eval(code, op.value)?;
        if self.specs.mark() > made {
            let label = self.label(code, rounds);
            self.specs.name(made, &format!("[{label}]"));
            while rounds.labels.len() < rounds.items.len() {
                rounds.labels.push(rounds.labels.len().to_string());
            }
            rounds.labels.push(label);
        }
        if rounds.items.len() == rounds.items.capacity() {
            self.reserve(rounds.items.len() * 32, place)?;
        }
        rounds.items.push(value);
        Ok(())
    }

    /// `lr=0.01, width=32`; the index where the loops run over what has no short form.
    #[cold]
    fn label(&self, code: &Code<'c>, rounds: &Rounds) -> String {
        let parts: Option<Vec<_>> = rounds
            .loops
            .iter()
            .map(|(slot, value)| {
                Some(format!(
                    "{}={}",
                    code.slot_name(*slot)?,
                    plain(&self.names, value)?
                ))
            })
            .collect();
        match parts {
            Some(parts) if !parts.is_empty() => parts.join(", "),
            _ => rounds.items.len().to_string(),
        }
    }

    #[inline(never)]
    pub(crate) fn map_op(&mut self, code: &Code<'c>, op: &[MapEntry], place: Place) -> Result<Value, Failed> {
        let mut entries = Entries::default();
        let mut deepest = 0;
        for entry in op {
            match entry {
                MapEntry::Item(key, value) => {
                    let key = self.map_key(code, *key)?;
                    let made = self.specs.mark();
                    let value = self.eval(code, *value)?;
                    if self.specs.mark() > made {
                        self.specs.name(made, &format!(".{}", key.as_str()));
                    }
                    deepest = deepest.max(value.depth());
                    entries.insert(key, value);
                }
                MapEntry::Spread(at) => match self.eval(code, *at)? {
                    Value::Map(map) if entries.is_empty() => {
                        deepest = map.deepest();
                        entries = Map::into_entries(map);
                    }
                    Value::Map(map) => {
                        deepest = deepest.max(map.deepest());
                        entries.extend(
                            map.entries()
                                .iter()
                                .map(|(key, value)| (key.clone(), value.clone())),
                        );
                    }
                    Value::Record(record) => {
                        deepest = record.cells().iter().map(Value::depth).fold(deepest, u16::max);
                        for (name, value) in self.names.fields(record.shape).iter().zip(record.cells()) {
                            entries.insert(super::value::Text::new(self.names.text(*name)), value.clone());
                        }
                    }
                    other => return Err(self.unexpected(place, "a map", &other)),
                },
            }
        }
        self.map_with(entries, deepest, place)
    }

    fn map_key(&mut self, code: &Code<'c>, at: At) -> Result<super::value::Text, Failed> {
        match self.eval(code, at)? {
            Value::Str(key) => Ok(key),
            other => Err(self.unexpected(Place { code: code.id, at }, "a string", &other)),
        }
    }
}

/// Notes what a loop is at, if it has a name and a short form.
fn remember(pattern: &Pattern, value: &Value, rounds: &mut Rounds) {
    if let Pattern::Bind(slot) = pattern {
        rounds.loops.push((*slot, value.clone()));
    }
}
