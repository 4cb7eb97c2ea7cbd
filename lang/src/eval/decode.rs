//! Json held against a type. Schemas are described at [`crate::core::Node::Decode`].

use super::blame::Place;
use super::machine::{Failed, Machine};
use super::names::EMPTY;
use super::suggest;
use super::value::{Entries, Text, Value, Variant, live_bytes};
use crate::spec::{Datum, Fields};

/// Where in the data, and what is wrong there.
struct Mismatch {
    path: String,
    message: String,
    help: Option<String>,
}

type Decoded = Result<Value, Mismatch>;

impl Machine<'_> {
    /// `value` as the type that `schema` describes.
    #[inline(never)]
    pub(crate) fn decode(&mut self, value: &Value, schema: &Datum, place: Place) -> Result<Value, Failed> {
        self.decoded(value, schema, "").map_err(|mismatch| {
            let Mismatch { path, message, help } = mismatch;
            let at = path.strip_prefix('.').unwrap_or(&path);
            let message = match at {
                "" => format!("the data does not fit its type: {message}"),
                at => format!("the data does not fit its type at `{at}`: {message}"),
            };
            let mut error = self
                .error(place, "E0416", message)
                .at("is held against a type here");
            error.help = help;
            self.fail(error)
        })
    }

    fn decoded(&mut self, value: &Value, schema: &Datum, path: &str) -> Decoded {
        if live_bytes() > self.limits.memory {
            return Err(mismatch(path, "there is more of it than memory may hold"));
        }
        match schema {
            Datum::Str(name) => scalar(value, name, path),
            Datum::Variant(name, parts) => match name.as_str() {
                "Optional" if matches!(value, Value::Null) => Ok(Value::Null),
                "Optional" => self.decoded(value, part(parts, "of"), path),
                "List" => self.decoded_list(value, part(parts, "of"), path),
                "Map" => self.decoded_map(value, part(parts, "of"), path),
                "Record" => self.decoded_record(value, part(parts, "fields"), path),
                "Enum" => self.decoded_enum(value, parts, path),
                other => Err(mismatch(path, format!("`{other}` cannot be read from data"))),
            },
            _ => Err(mismatch(path, "the type cannot be read from data")),
        }
    }

    fn decoded_list(&mut self, value: &Value, of: &Datum, path: &str) -> Decoded {
        let Value::List(list) = value else {
            return Err(wanted(path, "a list", value));
        };
        let mut items = Vec::with_capacity(list.items().len());
        for (index, item) in list.items().iter().enumerate() {
            items.push(self.decoded(item, of, &format!("{path}[{index}]"))?);
        }
        super::value::List::new(items)
            .map(Value::List)
            .ok_or_else(|| mismatch(path, "nested too deep"))
    }

    fn decoded_map(&mut self, value: &Value, of: &Datum, path: &str) -> Decoded {
        let fields = self.object(value, path)?;
        let mut entries = Entries::default();
        for (key, value) in fields {
            let value = self.decoded(&value, of, &format!("{path}.{key}"))?;
            entries.insert(Text::new(&key), value);
        }
        super::value::Map::new(entries)
            .map(Value::Map)
            .ok_or_else(|| mismatch(path, "nested too deep"))
    }

    fn decoded_record(&mut self, value: &Value, fields: &Datum, path: &str) -> Decoded {
        let object = self.object(value, path)?;
        let wanted = list(fields);
        let names: Vec<_> = wanted.iter().map(|field| text(field, "name")).collect();
        if let Some((key, _)) = object.iter().find(|(key, _)| !names.contains(&key.as_str())) {
            let help =
                suggest::nearest(key, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            return Err(Mismatch {
                path: path.to_owned(),
                message: format!("there is no field `{key}`"),
                help,
            });
        }
        let mut cells = Vec::with_capacity(wanted.len());
        for field in wanted {
            let name = text(field, "name");
            let own = format!("{path}.{name}");
            cells.push(match object.iter().find(|(key, _)| key == name) {
                Some((_, value)) => self.decoded(value, of(field, "type"), &own)?,
                None => match has(field, "default") {
                    Some(default) => self.data(default),
                    None => return Err(mismatch(path, format!("field `{name}` is missing"))),
                },
            });
        }
        let shape = self.names.shape_of(&names);
        super::value::Record::new(shape, cells)
            .map(Value::Record)
            .ok_or_else(|| mismatch(path, "nested too deep"))
    }

    fn decoded_enum(&mut self, value: &Value, parts: &Fields, path: &str) -> Decoded {
        let variants = list(part(parts, "variants"));
        let (name, object) = match value {
            Value::Str(name) => (name.as_str().to_owned(), Vec::new()),
            other => {
                let object = self.object(other, path)?;
                match object.iter().find(|(key, _)| key == "kind") {
                    Some((_, Value::Str(kind))) => (kind.as_str().to_owned(), object),
                    _ => return Err(mismatch(path, "an object needs the variant's name as `kind`")),
                }
            }
        };
        let Some(variant) = variants.iter().find(|variant| text(variant, "name") == name) else {
            let names: Vec<_> = variants.iter().map(|variant| text(variant, "name")).collect();
            return Err(mismatch(
                path,
                format!("\"{name}\" is none of {}", names.join(", ")),
            ));
        };
        let (mut names, mut cells) = (Vec::new(), Vec::new());
        for field in list(of(variant, "fields")) {
            let label = text(field, "name");
            let Some((_, value)) = object.iter().find(|(key, _)| key == label) else {
                return Err(mismatch(path, format!("field `{label}` is missing")));
            };
            cells.push(self.decoded(value, of(field, "type"), &format!("{path}.{label}"))?);
            names.push(label);
        }
        let shape = if names.is_empty() {
            EMPTY
        } else {
            self.names.shape_of(&names)
        };
        let symbol = self.names.symbol(&name);
        Variant::new(symbol, shape, cells, 0)
            .map(Value::Variant)
            .ok_or_else(|| mismatch(path, "nested too deep"))
    }

    /// The fields of a Json object, however it came to be.
    fn object(&self, value: &Value, path: &str) -> Result<Vec<(String, Value)>, Mismatch> {
        match value {
            Value::Map(map) => Ok(map
                .entries()
                .iter()
                .map(|(key, value)| (key.as_str().to_owned(), value.clone()))
                .collect()),
            Value::Record(record) => {
                let names = self.names.fields(record.shape).iter();
                Ok(names
                    .map(|name| self.names.text(*name).to_owned())
                    .zip(record.cells().iter().cloned())
                    .collect())
            }
            other => Err(wanted(path, "an object", other)),
        }
    }

    /// Plain data as a value.
    fn data(&mut self, datum: &Datum) -> Value {
        match datum {
            Datum::Null => Value::Null,
            Datum::Bool(value) => Value::Bool(*value),
            Datum::Int(value) => Value::Int(*value),
            Datum::Float(value) => Value::Float(*value),
            Datum::Str(text) => Value::str(text),
            Datum::List(items) => {
                let items = items.iter().map(|item| self.data(item)).collect();
                super::value::List::new(items).map_or(Value::Null, Value::List)
            }
            Datum::Map(fields) => {
                let names: Vec<_> = fields.keys().map(|name| name.as_str()).collect();
                let shape = self.names.shape_of(&names);
                let cells = fields.values().map(|value| self.data(value)).collect();
                super::value::Record::new(shape, cells).map_or(Value::Null, Value::Record)
            }
            Datum::Variant(name, fields) => {
                let names: Vec<_> = fields.keys().map(|name| name.as_str()).collect();
                let (shape, name) = (self.names.shape_of(&names), self.names.symbol(name));
                let cells = fields.values().map(|value| self.data(value)).collect();
                Variant::new(name, shape, cells, 0).map_or(Value::Null, Value::Variant)
            }
        }
    }
}

fn scalar(value: &Value, name: &str, path: &str) -> Decoded {
    match (name, value) {
        ("Json", _)
        | ("Int", Value::Int(_))
        | ("Float", Value::Float(_))
        | ("Bool", Value::Bool(_))
        | ("Str", Value::Str(_)) => Ok(value.clone()),
        ("Float", Value::Int(value)) => Ok(Value::Float(*value as f64)),
        ("Int", _) => Err(wanted(path, "an integer", value)),
        ("Float", _) => Err(wanted(path, "a number", value)),
        ("Bool", _) => Err(wanted(path, "true or false", value)),
        ("Str", _) => Err(wanted(path, "a string", value)),
        (name, _) => Err(mismatch(path, format!("`{name}` cannot be read from data"))),
    }
}

fn mismatch(path: &str, message: impl Into<String>) -> Mismatch {
    Mismatch {
        path: path.to_owned(),
        message: message.into(),
        help: None,
    }
}

fn wanted(path: &str, wanted: &str, found: &Value) -> Mismatch {
    mismatch(path, format!("{wanted} is needed, not a {}", found.kind()))
}

const NONE: &Datum = &Datum::Null;

fn part<'a>(parts: &'a Fields, name: &str) -> &'a Datum {
    parts.get(name).unwrap_or(NONE)
}

fn has<'a>(datum: &'a Datum, name: &str) -> Option<&'a Datum> {
    match datum {
        Datum::Map(fields) => fields.get(name),
        _ => None,
    }
}

fn of<'a>(datum: &'a Datum, name: &str) -> &'a Datum {
    has(datum, name).unwrap_or(NONE)
}

fn text<'a>(datum: &'a Datum, name: &str) -> &'a str {
    match of(datum, name) {
        Datum::Str(text) => text,
        _ => "",
    }
}

fn list(datum: &Datum) -> &[Datum] {
    match datum {
        Datum::List(items) => items,
        _ => &[],
    }
}
