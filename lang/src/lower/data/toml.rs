//! TOML, by the crate `toml`, whose values have spans. Dates are strings: the language has no type for them.

use super::{Entries, MAX_NESTING, out_of_range, too_deep};
use crate::diagnostic::Diagnostic;
use crate::hir::{DataNode, DataValue, Name};
use crate::source::{SourceId, Span};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Parses a TOML text.
pub(super) fn parse(source: SourceId, text: &str) -> Result<DataNode, Diagnostic> {
    let toml = Toml { source };
    let table = DeTable::parse(text).map_err(|error| {
        let message = error.message().trim().replace('\n', "; ");
        let range = error.span().unwrap_or(text.len()..text.len());
        let (span, written) = (toml.span(range.clone()), text.get(range).unwrap_or(""));
        if message.contains("duplicate key") {
            return Diagnostic::error("E0016", span, format!("the key `{written}` is written twice"))
                .help("remove one of them");
        }
        if message.contains("string values must be quoted") {
            return Diagnostic::error("E0015", span, "text stands between quotes in TOML")
                .help(format!("write `\"{written}\"`"));
        }
        Diagnostic::error("E0015", span, format!("this is no TOML: {message}"))
    })?;
    let span = toml.span(0..text.len());
    let value = toml.table(table.get_ref(), 0)?;
    Ok(DataNode { span, value })
}

struct Toml {
    source: SourceId,
}

impl Toml {
    fn span(&self, range: Range<usize>) -> Span {
        Span {
            source: self.source,
            start: range.start as u32,
            end: range.end as u32,
        }
    }

    fn table(&self, table: &DeTable<'_>, depth: usize) -> Result<DataValue, Diagnostic> {
        let mut rows: Vec<_> = table.iter().collect();
        // The crate sorts by key; here the order is that of the file.
        rows.sort_by_key(|(key, _)| key.span().start);
        let mut entries = Entries::default();
        for (key, value) in rows {
            entries.add(
                Name::from(key.get_ref().as_ref()),
                self.span(key.span()),
                self.node(value, depth + 1)?,
            )?;
        }
        Ok(entries.finish())
    }

    fn node(&self, value: &Spanned<DeValue<'_>>, depth: usize) -> Result<DataNode, Diagnostic> {
        let span = self.span(value.span());
        if depth >= MAX_NESTING {
            return Err(too_deep(span));
        }
        let value = match value.get_ref() {
            DeValue::String(text) => DataValue::Str(Name::from(text.as_ref())),
            DeValue::Integer(number) => {
                let value = i64::from_str_radix(number.as_str(), number.radix());
                DataValue::Int(value.map_err(|_| out_of_range(span, number.as_str()))?)
            }
            DeValue::Float(number) => {
                let value = number
                    .as_str()
                    .parse::<f64>()
                    .ok()
                    .filter(|value| value.is_finite());
                DataValue::Float(value.ok_or_else(|| out_of_range(span, number.as_str()))?)
            }
            DeValue::Boolean(value) => DataValue::Bool(*value),
            DeValue::Datetime(value) => DataValue::Str(Name::from(value.to_string())),
            DeValue::Array(elements) => DataValue::List(
                elements
                    .iter()
                    .map(|element| self.node(element, depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            DeValue::Table(table) => self.table(table, depth)?,
        };
        Ok(DataNode { span, value })
    }
}
