//! Data in derivations: its canonical form, its JSON, and how it stands in a command.

use crate::base::encoding::{MapWriter, Writer};
use mlp_lang::spec::{Datum, Fields};
use serde_json::{Map, Number, Value};

/// Writes the canonical form.
pub fn write(datum: &Datum, writer: &mut Writer) {
    match datum {
        Datum::Null => writer.null(),
        Datum::Bool(value) => writer.bool(*value),
        Datum::Int(value) => writer.int(*value),
        Datum::Float(value) => writer.float(*value),
        Datum::Str(value) => writer.str(value),
        Datum::List(items) => writer.list(|writer| items.iter().for_each(|item| write(item, writer))),
        Datum::Map(fields) => writer.map(|map| write_fields(fields, map)),
        Datum::Variant(name, fields) => writer.variant(name, |map| write_fields(fields, map)),
    }
}

fn write_fields(fields: &Fields, map: &mut MapWriter<'_>) {
    for (name, value) in fields {
        map.entry(name, |writer| write(value, writer));
    }
}

/// As JSON: a variant is an object with its name as `kind`.
pub fn to_json(datum: &Datum) -> Value {
    let object = |fields: &Fields| -> Map<String, Value> {
        fields
            .iter()
            .map(|(name, value)| (name.to_string(), to_json(value)))
            .collect()
    };
    match datum {
        Datum::Null => Value::Null,
        Datum::Bool(value) => Value::Bool(*value),
        Datum::Int(value) => Value::from(*value),
        // Never NaN or infinite, and -0.0 is 0.0.
        Datum::Float(value) => Number::from_f64(*value + 0.0).map_or(Value::Null, Value::Number),
        Datum::Str(value) => Value::String(value.to_string()),
        Datum::List(items) => items.iter().map(to_json).collect(),
        Datum::Map(fields) => Value::Object(object(fields)),
        Datum::Variant(name, fields) => {
            let mut object = object(fields);
            object.insert("kind".to_owned(), Value::String(name.to_string()));
            Value::Object(object)
        }
    }
}

/// From the JSON of an artifact; none where a number is beyond 64 bits.
pub fn from_json(json: &Value) -> Option<Datum> {
    Some(match json {
        Value::Null => Datum::Null,
        Value::Bool(value) => Datum::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(value) => Datum::Int(value),
            None if number.is_f64() => Datum::Float(number.as_f64()?),
            None => return None,
        },
        Value::String(value) => Datum::Str(value.into()),
        Value::Array(items) => Datum::List(items.iter().map(from_json).collect::<Option<_>>()?),
        Value::Object(fields) => Datum::Map(
            fields
                .iter()
                .map(|(name, value)| Some((name.clone(), from_json(value)?)))
                .collect::<Option<_>>()?,
        ),
    })
}

/// As a part of a command's argument: strings as they are, all else as JSON.
pub fn to_text(datum: &Datum) -> String {
    match datum {
        Datum::Str(text) => text.to_string(),
        other => to_json(other).to_string(),
    }
}

/// Without null fields, at any depth: in a derivation's arguments null is the same as nothing.
pub fn without_nulls(datum: &Datum) -> Datum {
    let fields = |fields: &Fields| {
        let there = fields.iter().filter(|(_, value)| **value != Datum::Null);
        there
            .map(|(name, value)| (name.clone(), without_nulls(value)))
            .collect()
    };
    match datum {
        Datum::List(items) => Datum::List(items.iter().map(without_nulls).collect()),
        Datum::Map(map) => Datum::Map(fields(map)),
        Datum::Variant(name, map) => Datum::Variant(name.clone(), fields(map)),
        leaf => leaf.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(fields: &[(&str, Datum)]) -> Fields {
        fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect()
    }

    #[test]
    fn a_variant_is_an_object_of_its_kind() {
        let layer = Datum::Variant("dropout".into(), map(&[("p", Datum::Float(-0.0))]));
        assert_eq!(to_json(&layer), json!({ "kind": "dropout", "p": 0.0 }));
        assert_eq!(to_json(&layer).to_string(), r#"{"kind":"dropout","p":0.0}"#);
    }

    #[test]
    fn null_is_nothing_at_any_depth_but_an_item_of_a_list() {
        let inner = map(&[("weight", Datum::Null), ("items", Datum::List(vec![Datum::Null]))]);
        let datum = Datum::Map(map(&[
            ("loss", Datum::Variant("nll".into(), inner)),
            ("schedule", Datum::Null),
        ]));
        let left = map(&[("items", Datum::List(vec![Datum::Null]))]);
        assert_eq!(
            without_nulls(&datum),
            Datum::Map(map(&[("loss", Datum::Variant("nll".into(), left))]))
        );
    }

    #[test]
    fn json_of_an_artifact_comes_back() {
        let json = json!({ "a": [1, 2.5, null, true, "x"] });
        assert_eq!(to_json(&from_json(&json).unwrap()), json);
        assert_eq!(from_json(&json!(u64::MAX)), None);
        assert_eq!(to_text(&Datum::Float(0.1)), "0.1");
        assert_eq!(to_text(&Datum::Str("a b".into())), "a b");
    }
}
