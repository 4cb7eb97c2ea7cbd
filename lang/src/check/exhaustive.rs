//! Whether the arms of a `match` take every value: the usefulness of a row of patterns against the rows before it
//! (Maranget, "Warnings for pattern matching").

use crate::core::Pattern;
use crate::hir::Name;

/// What the values of a type look like, as far as patterns tell them apart.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// `true`, `false`.
    Bool,
    /// null, or what is inside.
    Optional(Box<Shape>),
    /// Fields.
    Record(Vec<(Name, Shape)>),
    /// Variants.
    Enum(Vec<Variant>),
    /// More values than patterns can list.
    Other,
}

/// A variant of an enum.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub(super) name: Name,
    pub(super) fields: Vec<(Name, Shape)>,
    /// Whether fields are written with labels.
    pub(super) labelled: bool,
}

/// A way in which a value can be made.
#[derive(Clone, Debug, PartialEq)]
enum Head {
    Null,
    Bool(bool),
    Int(i64),
    Str(Name),
    Record,
    Variant(Name),
}

const WILDCARD: Pattern = Pattern::Wildcard;

/// A value that `row` takes (any value, where there is none) and no one of `rows` does, in words for each column.
pub(super) fn missing(
    rows: &[Vec<&Pattern>],
    shapes: &[Shape],
    row: Option<&[&Pattern]>,
) -> Option<Vec<String>> {
    let Some((shape, rest)) = shapes.split_first() else {
        return rows.is_empty().then(Vec::new);
    };
    if let Some(Some(head)) = row.map(|row| head_of(row[0])) {
        return missing_with(rows, shape, rest, row, &head);
    }
    let inside = match shape {
        Shape::Optional(inner) => inner,
        shape => shape,
    };
    let used: Vec<Head> = rows.iter().filter_map(|row| head_of(row[0])).collect();
    let mut all = heads(inside);
    if let (Shape::Optional(_), Some(all)) = (shape, &mut all) {
        all.insert(0, Head::Null);
    }
    match all {
        // Every way of making a value is known: each is looked into, if patterns tell them apart at all.
        Some(all) if !used.is_empty() => all
            .iter()
            .find_map(|head| missing_with(rows, shape, rest, row, head)),
        _ => {
            let default: Vec<Vec<&Pattern>> = rows
                .iter()
                .filter(|row| head_of(row[0]).is_none())
                .map(|row| row[1..].to_vec())
                .collect();
            let more = missing(&default, rest, row.map(|row| &row[1..]))?;
            let mut first = "_".to_owned();
            if matches!(shape, Shape::Optional(_)) && !used.is_empty() && !used.contains(&Head::Null) {
                first = "null".to_owned();
            }
            Some(std::iter::once(first).chain(more).collect())
        }
    }
}

/// The same, among values that are made by `head`.
fn missing_with(
    rows: &[Vec<&Pattern>],
    shape: &Shape,
    rest: &[Shape],
    row: Option<&[&Pattern]>,
    head: &Head,
) -> Option<Vec<String>> {
    let fields = fields_of(shape, head);
    let rows: Vec<Vec<&Pattern>> = rows
        .iter()
        .filter_map(|row| specialise(row, head, &fields))
        .collect();
    let specialised = match row {
        Some(row) => Some(specialise(row, head, &fields)?),
        None => None,
    };
    let shapes: Vec<Shape> = fields
        .iter()
        .map(|(_, shape)| shape.clone())
        .chain(rest.iter().cloned())
        .collect();
    let mut found = missing(&rows, &shapes, specialised.as_deref())?;
    let rest = found.split_off(fields.len());
    let first = describe(shape, head, &fields, &found);
    Some(std::iter::once(first).chain(rest).collect())
}

fn specialise<'p>(row: &[&'p Pattern], head: &Head, fields: &[(Name, Shape)]) -> Option<Vec<&'p Pattern>> {
    let mut made: Vec<&'p Pattern> = match (row[0], head_of(row[0])) {
        (_, None) => vec![&WILDCARD; fields.len()],
        (Pattern::Record(given) | Pattern::Variant { fields: given, .. }, Some(own)) if own == *head => {
            fields
                .iter()
                .map(|(name, _)| {
                    given
                        .iter()
                        .find(|(field, _)| field == name)
                        .map_or(&WILDCARD, |(_, pattern)| pattern)
                })
                .collect()
        }
        (_, Some(own)) if own == *head => Vec::new(),
        _ => return None,
    };
    made.extend_from_slice(&row[1..]);
    Some(made)
}

fn head_of(pattern: &Pattern) -> Option<Head> {
    Some(match pattern {
        Pattern::Wildcard | Pattern::Bind(_) => return None,
        Pattern::Null => Head::Null,
        Pattern::Bool(value) => Head::Bool(*value),
        Pattern::Int(value) => Head::Int(*value),
        Pattern::Str(text) => Head::Str(text.clone()),
        Pattern::Record(_) => Head::Record,
        Pattern::Variant { name, .. } => Head::Variant(name.clone()),
    })
}

/// All ways of making a value; none where they cannot be listed.
fn heads(shape: &Shape) -> Option<Vec<Head>> {
    match shape {
        Shape::Bool => Some(vec![Head::Bool(true), Head::Bool(false)]),
        Shape::Record(_) => Some(vec![Head::Record]),
        Shape::Enum(variants) => Some(
            variants
                .iter()
                .map(|variant| Head::Variant(variant.name.clone()))
                .collect(),
        ),
        Shape::Optional(_) | Shape::Other => None,
    }
}

fn fields_of(shape: &Shape, head: &Head) -> Vec<(Name, Shape)> {
    let shape = match shape {
        Shape::Optional(inner) => inner,
        shape => shape,
    };
    match (shape, head) {
        (Shape::Record(fields), Head::Record) => fields.clone(),
        (Shape::Enum(variants), Head::Variant(name)) => variants
            .iter()
            .find(|variant| variant.name == *name)
            .map_or_else(Vec::new, |variant| variant.fields.clone()),
        _ => Vec::new(),
    }
}

fn describe(shape: &Shape, head: &Head, fields: &[(Name, Shape)], found: &[String]) -> String {
    let labelled = match (shape, head) {
        (Shape::Enum(variants), Head::Variant(name)) => variants
            .iter()
            .any(|variant| variant.name == *name && variant.labelled),
        _ => false,
    };
    match head {
        Head::Null => "null".to_owned(),
        Head::Bool(value) => value.to_string(),
        Head::Int(value) => value.to_string(),
        Head::Str(text) => format!("{text:?}"),
        Head::Record => {
            let told = fields.iter().zip(found).filter(|(_, text)| *text != "_");
            let told: Vec<String> = told
                .map(|((name, _), text)| format!("{name}: {text}, "))
                .collect();
            format!("{{ {}.. }}", told.concat())
        }
        Head::Variant(name) if found.is_empty() => name.to_string(),
        Head::Variant(name) => {
            let label = |(field, _): &(Name, Shape), text: &String| match labelled && text != "_" {
                true => format!("{field} = {text}"),
                false => text.clone(),
            };
            let args: Vec<String> = fields
                .iter()
                .zip(found)
                .map(|(field, text)| label(field, text))
                .collect();
            format!("{name}({})", args.join(", "))
        }
    }
}
