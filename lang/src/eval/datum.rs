//! Values as the data of specs.

use super::blame::Place;
use super::late::TOO_LATE;
use super::machine::{Failed, Machine};
use super::names::{EMPTY, ShapeId};
use super::value::{Value, Variant};
use crate::diagnostic::Diagnostic;
use crate::spec::{ByName, Datum, Fields};

impl Machine<'_> {
    /// The value as data; fields that are null are left out.
    pub(crate) fn datum(&mut self, value: &Value, place: Place) -> Result<Datum, Failed> {
        Ok(match value {
            Value::Null => Datum::Null,
            Value::Bool(value) => Datum::Bool(*value),
            Value::Int(value) | Value::Duration(value) | Value::Bytes(value) => Datum::Int(*value),
            Value::Float(value) => Datum::Float(*value),
            Value::Str(text) => Datum::Str(text.as_str().into()),
            Value::Path(path) => Datum::Str(path.as_str().into()),
            Value::List(list) => {
                let mut items = Vec::with_capacity(list.items().len());
                for item in list.items() {
                    items.push(self.datum(item, place)?);
                }
                Datum::List(items)
            }
            Value::Record(record) => Datum::Map(self.data_fields(record.shape, record.cells(), place)?),
            Value::Map(map) => {
                let mut fields = ByName::new();
                for (key, value) in map.entries() {
                    fields.insert(key.as_str().to_owned(), self.datum(value, place)?);
                }
                Datum::Map(fields)
            }
            Value::Variant(variant) => {
                let name = self.names.text(variant.name).into();
                let fields = if variant.shape == EMPTY {
                    ByName::new()
                } else {
                    self.known(variant, place)?;
                    self.data_fields(variant.shape, variant.cells(), place)?
                };
                Datum::Variant(name, fields)
            }
            Value::Tensor(result) => self.graph(*result, place).datum(),
            other => return Err(self.unexpected(place, "plain data", other)),
        })
    }

    /// Reports the first field of a description that is known only after the build, where it was written.
    pub(crate) fn known(&mut self, description: &Variant, place: Place) -> Result<(), Failed> {
        let late = |cell: &&Value| matches!(cell, Value::Late(_));
        let Some(index) = description.cells().iter().position(|cell| late(&cell)) else {
            return Ok(());
        };
        let field = self.names.fields(description.shape)[index];
        let (field, kind) = (
            self.names.text(field).to_owned(),
            self.names.text(description.name).to_owned(),
        );
        let blame = self
            .blame_origin(description.origin)
            .unwrap_or_else(|| self.blame(place));
        let span = blame.arguments.get(&field).copied().unwrap_or(blame.span);
        let mut error = Diagnostic::error(
            "E0417",
            span,
            format!("`{field}` of `{kind}` is needed now, and it is known only after the build"),
        );
        error.notes = blame.notes;
        Err(self.fail(error.at("known only after the build").help(TOO_LATE)))
    }

    fn data_fields(&mut self, shape: ShapeId, cells: &[Value], place: Place) -> Result<Fields, Failed> {
        let mut fields = ByName::new();
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
