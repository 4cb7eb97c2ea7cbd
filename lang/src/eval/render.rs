//! Values as text: as people read them (`mlp eval`), and as JSON.

use super::machine::Machine;
use super::names::{EMPTY, Names};
use super::value::{ArgPiece, Value, Variant};
use std::fmt::Write as _;

/// The text of what interpolates: strings, numbers, truth values, durations, sizes, enum values without fields.
pub(crate) fn plain(names: &Names, value: &Value) -> Option<String> {
    let mut out = String::new();
    write_plain(names, value, &mut out).then_some(out)
}

/// Appends the text of what interpolates; false where the value has none.
pub(crate) fn write_plain(names: &Names, value: &Value, out: &mut String) -> bool {
    match value {
        Value::Str(text) => out.push_str(text.as_str()),
        Value::Int(value) => {
            let _ = write!(out, "{value}");
        }
        Value::Float(value) => out.push_str(&float(*value)),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Duration(value) => out.push_str(&duration(*value)),
        Value::Bytes(value) => out.push_str(&size(*value)),
        Value::Variant(variant) if variant.shape == EMPTY => out.push_str(names.text(variant.name)),
        _ => return false,
    }
    true
}

/// A float as Python's `repr` has it: the shortest digits that give the same number back.
pub(crate) fn float(value: f64) -> String {
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let positional = format!("{value}");
        return if positional.contains('.') {
            positional
        } else {
            positional + ".0"
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// Milliseconds in the largest unit that says it exactly.
fn duration(milliseconds: i64) -> String {
    unit(
        milliseconds,
        &[
            (86_400_000, "d"),
            (3_600_000, "h"),
            (60_000, "min"),
            (1_000, "s"),
            (1, "ms"),
        ],
    )
}

/// Bytes in the largest unit that says it exactly.
fn size(bytes: i64) -> String {
    let units = [
        (1 << 40, "TiB"),
        (1_000_000_000_000, "TB"),
        (1 << 30, "GiB"),
        (1_000_000_000, "GB"),
        (1 << 20, "MiB"),
        (1_000_000, "MB"),
        (1 << 10, "KiB"),
        (1_000, "KB"),
        (1, "B"),
    ];
    unit(bytes, &units)
}

fn unit(value: i64, units: &[(i64, &str)]) -> String {
    let smallest = units.last().copied().unwrap_or((1, ""));
    let fits = |(one, _): &&(i64, &str)| value != 0 && value % one == 0;
    let (one, name) = units.iter().find(fits).copied().unwrap_or(smallest);
    format!("{}{name}", value / one)
}

/// A string as a JSON literal.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            ..0x20 => {
                out.push_str(&text[clean..at]);
                let _ = write!(out, "\\u{byte:04x}");
                clean = at + 1;
                continue;
            }
            _ => continue,
        };
        out.push_str(&text[clean..at]);
        out.push_str(escape);
        clean = at + 1;
    }
    out.push_str(&text[clean..]);
    out.push('"');
}

impl Machine<'_> {
    /// The value as JSON on one line: fields sorted, durations in milliseconds, sizes in bytes, and what JSON has no word
    /// for as its display.
    pub(crate) fn to_json(&self, value: &Value) -> String {
        let mut out = String::new();
        self.write_json(value, &mut out);
        out
    }

    fn write_json(&self, value: &Value, out: &mut String) {
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
            other => quote(&self.display(other), out),
        }
    }

    fn fields<'a>(
        &'a self,
        shape: super::names::ShapeId,
        cells: &'a [Value],
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.names
            .fields(shape)
            .iter()
            .map(|name| self.names.text(*name))
            .zip(cells)
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

    /// The value on one line, as a pipeline would write it.
    pub(crate) fn display(&self, value: &Value) -> String {
        let mut out = String::new();
        self.write(value, None, &mut out);
        out
    }

    /// The value over several lines where one would be long.
    pub(crate) fn display_wide(&self, value: &Value) -> String {
        let mut out = String::new();
        self.write(value, Some(0), &mut out);
        out
    }

    /// `indent`: may break lines, and how far in this one stands.
    fn write(&self, value: &Value, indent: Option<usize>, out: &mut String) {
        match value {
            Value::Str(text) => quote(text.as_str(), out),
            Value::Path(path) => {
                out.push_str("./");
                out.push_str(path.as_str());
            }
            Value::List(list) => {
                let parts: Vec<_> = list.items().iter().map(|item| (None, item)).collect();
                self.group("[", "]", &parts, indent, out);
            }
            Value::Record(record) => {
                let parts: Vec<_> = self
                    .fields(record.shape, record.cells())
                    .map(|(name, value)| (Some(format!("{name}: ")), value))
                    .collect();
                self.group("{", "}", &parts, indent, out);
            }
            Value::Map(map) => {
                let parts: Vec<_> = map
                    .entries()
                    .iter()
                    .map(|(key, value)| (Some(key_text(key.as_str())), value))
                    .collect();
                self.group("{", "}", &parts, indent, out);
            }
            Value::Variant(variant) => self.variant(variant, indent, out),
            Value::Null => out.push_str("null"),
            Value::Function(function) => {
                let name = &self.core.functions[function.0 as usize].name;
                let _ = write!(out, "<fn {name}>");
            }
            Value::Closure(_) => out.push_str("<fn>"),
            Value::Artifact(artifact) => {
                let artifact = self.artifacts.get(*artifact);
                let _ = write!(
                    out,
                    "<{:?} {}>",
                    artifact.kind,
                    self.artifact_name(&artifact.source)
                );
            }
            Value::Late(late) => {
                let late = self.artifacts.late(*late);
                let name = self.artifact_name(&late.source);
                let _ = write!(out, "<Late {name}.{}>", late.path.join("."));
            }
            Value::Output(output) => {
                out.push_str(self.names.text(output.kind));
                let parts: Vec<_> = output
                    .args
                    .iter()
                    .map(|(name, value)| (Some(format!("{} = ", self.names.text(*name))), value))
                    .collect();
                self.group("(", ")", &parts, indent, out);
            }
            Value::Pieces(pieces) => {
                for piece in &pieces.0 {
                    match piece {
                        ArgPiece::Text(text) => out.push_str(text),
                        ArgPiece::Path(path) => out.push_str(path.as_str()),
                        ArgPiece::Artifact(artifact) => self.write(&Value::Artifact(*artifact), None, out),
                        ArgPiece::Late(late) => self.write(&Value::Late(*late), None, out),
                    }
                }
            }
            scalar => out.push_str(&plain(&self.names, scalar).unwrap_or_default()),
        }
    }

    fn variant(&self, variant: &Variant, indent: Option<usize>, out: &mut String) {
        out.push_str(self.names.text(variant.name));
        if variant.cells().is_empty() {
            return;
        }
        let parts: Vec<_> = self
            .fields(variant.shape, variant.cells())
            .filter(|(_, value)| !matches!(value, Value::Null))
            .map(|(name, value)| {
                let label = (!name.starts_with(|c: char| c.is_ascii_digit())).then(|| format!("{name} = "));
                (label, value)
            })
            .collect();
        self.group("(", ")", &parts, indent, out);
    }

    fn group(
        &self,
        open: &str,
        close: &str,
        parts: &[(Option<String>, &Value)],
        indent: Option<usize>,
        out: &mut String,
    ) {
        const WIDTH: usize = 100;
        let start = out.len();
        let spaced = open == "{" && !parts.is_empty();
        out.push_str(open);
        out.push_str(if spaced { " " } else { "" });
        for (index, (label, value)) in parts.iter().enumerate() {
            out.push_str(if index > 0 { ", " } else { "" });
            out.push_str(label.as_deref().unwrap_or_default());
            self.write(value, None, out);
            if indent.is_some() && out.len() - start > WIDTH {
                break;
            }
        }
        out.push_str(if spaced { " " } else { "" });
        out.push_str(close);
        let Some(indent) = indent else { return };
        if out.len() - start + indent <= WIDTH {
            return;
        }
        out.truncate(start);
        out.push_str(open);
        for (label, value) in parts {
            let _ = write!(out, "\n{:1$}", "", indent + 2);
            out.push_str(label.as_deref().unwrap_or_default());
            self.write(value, Some(indent + 2), out);
            out.push(',');
        }
        let _ = write!(out, "\n{:1$}", "", indent);
        out.push_str(close);
    }
}

/// A key as it is written in a map.
fn key_text(key: &str) -> String {
    let mut out = String::new();
    quote(key, &mut out);
    out + ": "
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_pythons_repr() {
        let cases = [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-0.5, "-0.5"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.0 / 3.0, "0.3333333333333333"),
            (5e-324, "5e-324"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
        ];
        for (value, expected) in cases {
            assert_eq!(float(value), expected);
        }
    }

    #[test]
    fn quantities_take_the_largest_exact_unit() {
        assert_eq!(duration(1_800_000), "30min");
        assert_eq!(duration(1_500), "1500ms");
        assert_eq!(duration(0), "0ms");
        assert_eq!(size(4 << 30), "4GiB");
        assert_eq!(size(4_000_000), "4MB");
        assert_eq!(size(1_001), "1001B");
    }

    #[test]
    fn strings_are_json_literals() {
        let mut out = String::new();
        quote("a\"b\\\n\u{1}é", &mut out);
        assert_eq!(out, r#""a\"b\\\n\u0001é""#);
    }
}
