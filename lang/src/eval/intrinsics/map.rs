//! Maps.

use super::Table;
use crate::core::FunctionId;
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::{Map, Value};
use std::rc::Rc;

pub(super) const TABLE: Table = &[
    ("keys", 1, keys),
    ("values", 1, values),
    ("entries", 1, entries),
    ("has", 2, has),
    ("get", 2, get),
    ("merge", 2, merge),
];

type Answer = Result<Value, Failed>;

fn expect_map(machine: &mut Machine<'_>, value: Value, place: Place) -> Result<Rc<Map>, Failed> {
    match value {
        Value::Map(map) => Ok(map),
        other => Err(machine.unexpected(place, "a map", &other)),
    }
}

fn keys(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [map] = machine.args();
    let map = expect_map(machine, map, place)?;
    machine.list(map.entries().keys().cloned().map(Value::Str).collect(), place)
}

fn values(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [map] = machine.args();
    let map = expect_map(machine, map, place)?;
    machine.list(map.entries().values().cloned().collect(), place)
}

fn entries(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [map] = machine.args();
    let map = expect_map(machine, map, place)?;
    let shape = machine.names.shape_of(&["key", "value"]);
    let mut entries = Vec::with_capacity(map.entries().len());
    for (key, value) in map.entries() {
        let cells = vec![Value::Str(key.clone()), value.clone()];
        entries.push(machine.record(shape, cells, place)?);
    }
    machine.list(entries, place)
}

fn lookup(machine: &mut Machine<'_>, place: Place) -> Result<Option<Value>, Failed> {
    let [map, key] = machine.args();
    let map = expect_map(machine, map, place)?;
    match key {
        Value::Str(key) => Ok(map.entries().get(&key).cloned()),
        other => Err(machine.unexpected(place, "a string", &other)),
    }
}

fn has(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    Ok(Value::Bool(lookup(machine, place)?.is_some()))
}

fn get(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    Ok(lookup(machine, place)?.unwrap_or(Value::Null))
}

fn merge(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [map, over] = machine.args();
    let (map, over) = (
        expect_map(machine, map, place)?,
        expect_map(machine, over, place)?,
    );
    let deepest = map.deepest().max(over.deepest());
    let mut entries = Map::into_entries(map);
    entries.extend(
        over.entries()
            .iter()
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    machine.map_with(entries, deepest, place)
}
