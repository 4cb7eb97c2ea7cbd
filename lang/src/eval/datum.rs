//! Values as the data of specs.

use super::blame::Place;
use super::machine::{Failed, Machine};
use super::names::{EMPTY, ShapeId};
use super::value::Value;
use crate::spec::Datum;
use std::collections::BTreeMap;

impl Machine<'_> {
    /// The value as data; fields that are null are left out.
    pub(crate) fn datum(&mut self, value: &Value, place: Place) -> Result<Datum, Failed> {
        Ok(match value {
            Value::Null => Datum::Null,
            Value::Bool(value) => Datum::Bool(*value),
            Value::Int(value) | Value::Duration(value) | Value::Bytes(value) => Datum::Int(*value),
            Value::Float(value) => Datum::Float(*value),
            Value::Str(text) => Datum::Str(text.as_str().to_owned()),
            Value::Path(path) => Datum::Str(path.as_str().to_owned()),
            Value::List(list) => {
                let mut items = Vec::with_capacity(list.items().len());
                for item in list.items() {
                    items.push(self.datum(item, place)?);
                }
                Datum::List(items)
            }
            Value::Record(record) => Datum::Map(self.data_fields(record.shape, record.cells(), place)?),
            Value::Map(map) => {
                let mut fields = BTreeMap::new();
                for (key, value) in map.entries() {
                    fields.insert(key.as_str().to_owned(), self.datum(value, place)?);
                }
                Datum::Map(fields)
            }
            Value::Variant(variant) => {
                let name = self.names.text(variant.name).to_owned();
                let fields = if variant.shape == EMPTY {
                    BTreeMap::new()
                } else {
                    self.data_fields(variant.shape, variant.cells(), place)?
                };
                Datum::Variant(name, fields)
            }
            Value::Tensor(result) => self.graph(*result, place).datum(),
            other => return Err(self.unexpected(place, "plain data", other)),
        })
    }

    fn data_fields(
        &mut self,
        shape: ShapeId,
        cells: &[Value],
        place: Place,
    ) -> Result<BTreeMap<String, Datum>, Failed> {
        let mut fields = BTreeMap::new();
        for (index, value) in cells.iter().enumerate() {
            let datum = self.datum(value, place)?;
            if datum != Datum::Null {
                let name = self.names.fields(shape)[index];
                fields.insert(self.names.text(name).to_owned(), datum);
            }
        }
        Ok(fields)
    }
}
