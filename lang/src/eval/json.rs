//! Values as JSON.

use super::machine::Machine;
use super::names::EMPTY;
use super::render::{float, quote};
use super::value::Value;
use std::fmt::Write as _;

impl Machine<'_> {
    /// The value as JSON on one line: fields sorted, durations in milliseconds, sizes in bytes, and what JSON has no word
    /// for as its display.
    /// `None` where it would be longer than there may be: parts that are shared are written as often as they stand there,
    /// so a small value may be a long text.
    pub(crate) fn to_json(&self, value: &Value) -> Option<String> {
        let mut out = String::new();
        self.write_json(value, &mut out);
        (out.len() <= self.limits.text).then_some(out)
    }

    fn write_json(&self, value: &Value, out: &mut String) {
        if out.len() > self.limits.text {
            return;
        }
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) | Value::Duration(value) | Value::Bytes(value) => {
                let _ = write!(out, "{value}");
            }
            Value::Float(value) => out.push_str(&float(*value)),
            Value::Str(text) => quote(text.as_str(), out),
            Value::Path(path) => quote(path.as_str(), out),
            Value::List(list) => {
                out.push('[');
                for (index, item) in list.items().iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    self.write_json(item, out);
                }
                out.push(']');
            }
            Value::Record(record) => {
                let mut fields: Vec<_> = self.fields(record.shape, record.cells()).collect();
                fields.sort_unstable_by_key(|(name, _)| *name);
                self.json_fields(&fields, out);
            }
            Value::Map(map) => {
                let mut fields: Vec<_> = map
                    .entries()
                    .iter()
                    .map(|(key, value)| (key.as_str(), value))
                    .collect();
                fields.sort_unstable_by_key(|(name, _)| *name);
                self.json_fields(&fields, out);
            }
            Value::Variant(variant) if variant.shape == EMPTY && variant.origin == 0 => {
                quote(self.names.text(variant.name), out);
            }
            Value::Variant(variant) => {
                let kind = Value::str(self.names.text(variant.name));
                let mut fields: Vec<_> = self.fields(variant.shape, variant.cells()).collect();
                fields.push(("kind", &kind));
                fields.sort_by_key(|(name, _)| *name);
                self.json_fields(&fields, out);
            }
            other => quote(&self.text(other).unwrap_or_default(), out),
        }
    }

    fn json_fields(&self, fields: &[(&str, &Value)], out: &mut String) {
        out.push('{');
        for (index, (name, value)) in fields.iter().enumerate() {
            out.push_str(if index > 0 { "," } else { "" });
            quote(name, out);
            out.push(':');
            self.write_json(value, out);
        }
        out.push('}');
    }
}
