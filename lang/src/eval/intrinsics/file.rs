//! Files that need no program: `json`, `fetch`, `unpack`.

use super::Table;
use super::data::{builtin, output};
use super::given::Given;
use super::measure::made;
use crate::core::FunctionId;
use crate::eval::artifact::{About, Artifact};
use crate::eval::blame::Place;
use crate::eval::late::{Operation, Term, value_of, value_output};
use crate::eval::machine::{Failed, Machine};
use crate::eval::names::EMPTY;
use crate::eval::value::Value;
use crate::spec::{ArtifactKind, ByName, Datum, Fields, Input, Resources};

pub(super) const TABLE: Table = &[("json", 1, json), ("fetch", 3, fetch), ("unpack", 1, unpack)];

/// How addresses begin.
const SCHEMES: [&str; 3] = ["https://", "http://", "file:///"];

type Answer = Result<Value, Failed>;

/// Hexadecimal digits of a BLAKE3 digest.
const DIGEST: usize = 64;

fn json(machine: &mut Machine<'_>, _: FunctionId, place: Place) -> Answer {
    let [value] = machine.args();
    let term = machine.data_term(&value, place)?;
    let origin = machine.origin(place);
    let output = value_output(ArtifactKind::File, Datum::Null);
    let spec = machine.calc(&Operation::Same(term), origin, output);
    Ok(machine.artifacts.add(Artifact {
        source: value_of(spec),
        kind: ArtifactKind::File,
        about: About::Nothing,
    }))
}

impl Machine<'_> {
    /// Data, of which parts may be late, as an operand; as `to_json` has it.
    fn data_term(&mut self, value: &Value, place: Place) -> Result<Term, Failed> {
        self.step(place)?;
        match value {
            Value::List(list) => {
                let mut items = Vec::with_capacity(list.items().len());
                for item in list.items() {
                    items.push(self.data_term(item, place)?);
                }
                Ok(list_term(items))
            }
            Value::Record(record) => {
                let fields: Vec<_> = self.fields(record.shape, record.cells()).collect();
                let fields = fields
                    .into_iter()
                    .map(|(name, cell)| (name.to_owned(), cell.clone()));
                let fields: Vec<_> = fields.collect();
                self.record_term(fields, place)
            }
            Value::Map(map) => {
                let entries = map.entries().iter();
                let fields = entries.map(|(key, value)| (key.as_str().to_owned(), value.clone()));
                self.record_term(fields.collect(), place)
            }
            Value::Variant(variant) if variant.origin == 0 => {
                let kind = self.names.text(variant.name).to_owned();
                if variant.shape == EMPTY {
                    return Ok(Term::Known(Datum::Str(kind.into())));
                }
                let cells = self.fields(variant.shape, variant.cells());
                let mut fields: Vec<_> = cells
                    .map(|(name, cell)| (name.to_owned(), cell.clone()))
                    .collect();
                fields.push(("kind".to_owned(), Value::str(&kind)));
                self.record_term(fields, place)
            }
            Value::Duration(number) | Value::Bytes(number) => Ok(Term::Known(Datum::Int(*number))),
            Value::Path(path) => Ok(Term::Known(Datum::Str(path.as_str().into()))),
            scalar => match self.term(scalar) {
                Some(term) => Ok(term),
                None => Err(self.unexpected(place, "plain data", scalar)),
            },
        }
    }

    fn record_term(&mut self, fields: Vec<(String, Value)>, place: Place) -> Result<Term, Failed> {
        let mut terms = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            terms.push((name, self.data_term(&value, place)?));
        }
        terms.sort_by(|(a, _), (b, _)| a.cmp(b));
        // Of known parts it is a constant; as a constant's field a null would be nothing.
        let known = |(name, term): &(String, Term)| Some((name.clone(), known(term)?));
        let fields: Option<ByName<_>> = terms.iter().map(known).collect();
        Ok(match fields {
            Some(fields) => Term::Known(Datum::Map(fields)),
            None => Term::Of(Box::new(Operation::Record(terms))),
        })
    }
}

fn list_term(items: Vec<Term>) -> Term {
    let data: Option<Vec<_>> = items.iter().map(known).collect();
    match data {
        Some(data) => Term::Known(Datum::List(data)),
        None => Term::Of(Box::new(Operation::List(items))),
    }
}

/// What a term is without a build, unless that is null.
fn known(term: &Term) -> Option<Datum> {
    match term {
        Term::Known(Datum::Null) | Term::Late(_) | Term::Of(_) => None,
        Term::Known(datum) => Some(datum.clone()),
    }
}

fn fetch(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let (Value::Str(url), Value::Str(digest)) = (given.get("url"), given.get("blake3")) else {
        return Err(machine.unexpected(place, "a text", &given.get("url")));
    };
    is_address(machine, &given, "url", url.as_str())?;
    let mut mirrors = Vec::new();
    if let Value::List(list) = given.get("mirrors") {
        for mirror in list.items() {
            let Value::Str(mirror) = mirror else {
                return Err(machine.unexpected(place, "a text", mirror));
            };
            is_address(machine, &given, "mirrors", mirror.as_str())?;
            mirrors.push(Datum::Str(mirror.as_str().into()));
        }
    }
    let digits = digest.as_str();
    let hexadecimal = digits.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    if digits.len() != DIGEST || !hexadecimal {
        let message = "`blake3` is no BLAKE3 digest";
        let at = format!("a digest has {DIGEST} digits `0-9a-f`, as `b3sum` prints them");
        return Err(given.wrong(machine, "blake3", message, at));
    }
    let args = ByName::from([
        ("url", Datum::Str(url.as_str().into())),
        ("blake3", Datum::Str(digits.into())),
        ("mirrors", Datum::List(mirrors)),
    ]);
    Ok(one(
        machine,
        "fetch",
        place,
        args,
        ByName::new(),
        ArtifactKind::File,
    ))
}

/// Refuses what no file can be had from.
fn is_address(machine: &mut Machine<'_>, given: &Given, label: &str, url: &str) -> Result<(), Failed> {
    let rest = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme));
    let plain =
        |rest: &str| !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control());
    if rest.is_some_and(plain) {
        return Ok(());
    }
    let message = format!("`{url}` is no address that a file can be had from");
    let at = "an address begins with `https://`, `http://` or `file:///`, and has no spaces";
    Err(given.wrong(machine, label, message, at))
}

fn unpack(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let inputs = ByName::from([("archive", given.input(machine, "archive")?)]);
    Ok(one(
        machine,
        "unpack",
        place,
        ByName::new(),
        inputs,
        ArtifactKind::Dir,
    ))
}

/// A step with one output, of the name of its kind.
fn one(
    machine: &mut Machine<'_>,
    name: &str,
    place: Place,
    args: Fields,
    inputs: ByName<Input>,
    kind: ArtifactKind,
) -> Value {
    let mut spec = builtin(machine, name, place, args, inputs, Resources::default());
    let of = if kind == ArtifactKind::Dir { "dir" } else { "file" };
    spec.outputs.insert(of.to_owned(), output(kind, Datum::Null));
    made(machine, spec, of, kind, About::Nothing)
}
