//! `ml.summary` and `ml.compare`: several results side by side.

use super::Table;
use super::given::Given;
use super::measure::measured;
use crate::core::FunctionId;
use crate::eval::artifact::{About, Artifact};
use crate::eval::blame::Place;
use crate::eval::late::{Late, Operation, Term, value_of, value_output};
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::Value;
use crate::spec::{ArtifactKind, ByName, Datum, InputSource, LateValue};

pub(super) const TABLE: Table = &[("compare", 6, compare), ("summary", 1, summary)];

type Answer = Result<Value, Failed>;

fn summary(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let results = given.get("results");
    let Value::List(list) = &results else {
        return Err(machine.unexpected(place, "a list", &results));
    };
    if list.items().len() < 2 {
        let message = format!("a summary of {} has no standard deviation", list.items().len());
        return Err(given.wrong(machine, "results", message, "give at least 2 results"));
    }
    let mut sources = Vec::with_capacity(list.items().len());
    for result in list.items() {
        match result {
            Value::Artifact(artifact) => sources.push(machine.artifacts.source(*artifact).clone()),
            other => return Err(machine.unexpected(place, "metrics", other)),
        }
    }
    let fields = sources
        .first()
        .and_then(|source| machine.schema(source))
        .map(numeric_fields)
        .unwrap_or_default();
    if fields.is_empty() {
        let message = "these results have no metric that is one number";
        return Err(given.wrong(machine, "results", message, "nothing to summarise"));
    }
    let mut record = Vec::with_capacity(fields.len());
    let mut schema = ByName::new();
    for field in fields {
        record.push((field.clone(), of_field(machine, &sources, &field)));
        schema.insert(field, statistics_schema());
    }
    let origin = machine.origin(place);
    let output = value_output(ArtifactKind::Metrics, Datum::Map(schema));
    let spec = machine.calc(&Operation::Record(record), origin, output);
    Ok(machine.artifacts.add(Artifact {
        source: value_of(spec),
        kind: ArtifactKind::Metrics,
        about: About::Nothing,
    }))
}

/// `{ mean, std, n }` of one field.
fn of_field(machine: &mut Machine<'_>, sources: &[InputSource], field: &str) -> Term {
    let values: Vec<Term> = sources
        .iter()
        .map(|source| {
            Term::Late(machine.artifacts.late_id(Late::At(LateValue {
                source: source.clone(),
                path: vec![field.to_owned()],
            })))
        })
        .collect();
    let statistic = |op| Term::Of(Box::new(Operation::Statistic(op, values.clone())));
    Term::Of(Box::new(Operation::Record(vec![
        ("mean".to_owned(), statistic("mean")),
        ("std".to_owned(), statistic("std")),
        ("n".to_owned(), Term::Known(Datum::Int(sources.len() as i64))),
    ])))
}

fn statistics_schema() -> Datum {
    let text = |name: &str| Datum::Str(name.into());
    Datum::Map(ByName::from([
        ("mean", text("Float")),
        ("std", text("Float")),
        ("n", text("Int")),
    ]))
}

/// The fields of metrics that are one number each.
fn numeric_fields(schema: &Datum) -> Vec<String> {
    let is_number = |ty: &Datum| matches!(ty, Datum::Str(name) if name == "Float" || name == "Int");
    match schema {
        Datum::Map(fields) => {
            let numbers = fields.iter().filter(|(_, ty)| is_number(ty));
            numbers.map(|(name, _)| name.to_string()).collect()
        }
        // What a step declares: `{fields: [{name, type}]}`.
        Datum::Variant(_, record) => {
            let Some(Datum::List(fields)) = record.get("fields") else {
                return Vec::new();
            };
            let number = |field: &Datum| match field {
                Datum::Map(field) => match (field.get("name"), field.get("type")) {
                    (Some(Datum::Str(name)), Some(ty)) if is_number(ty) => Some(name.to_string()),
                    _ => None,
                },
                _ => None,
            };
            fields.iter().filter_map(number).collect()
        }
        _ => Vec::new(),
    }
}

fn compare(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let models = given.get("models");
    let Value::Record(record) = &models else {
        return Err(machine.unexpected(place, "a record of models", &models));
    };
    let mut cells = Vec::with_capacity(record.cells().len());
    for (index, model) in record.cells().iter().enumerate() {
        let made = machine.specs.mark();
        cells.push(measured(
            machine,
            &given.instead("models", "model", model.clone()),
        )?);
        let name = machine.names.fields(record.shape)[index];
        let segment = format!(".{}", machine.names.text(name));
        machine.specs.name(made, &segment);
    }
    machine.record(record.shape, cells, place)
}
