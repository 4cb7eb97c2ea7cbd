//! The text of numbers, quantities and strings.

use super::names::{EMPTY, Names};
use super::value::Value;
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
