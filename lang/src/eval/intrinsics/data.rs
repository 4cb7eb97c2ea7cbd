//! `data.csv` and `data.split`.

use super::Table;
use super::given::Given;
use crate::core::FunctionId;
use crate::eval::artifact::{About, Artifact, DatasetInfo};
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::names::Symbol;
use crate::eval::value::{Value, Variant};
use crate::shapes::{Dim, Labels};
use crate::spec::{
    ArtifactKind, Builder, Datum, DerivationSpec, Input, InputSource, Origin, OutputSpec, Resources,
};
use std::collections::BTreeMap;
use std::rc::Rc;

pub(super) const TABLE: Table = &[("csv", 4, csv), ("split", 4, split)];

type Answer = Result<Value, Failed>;

/// A spec of a builtin; its outputs are added by the caller.
pub(super) fn builtin(
    machine: &Machine<'_>,
    name: &str,
    place: Place,
    args: BTreeMap<String, Datum>,
    inputs: BTreeMap<String, Input>,
    resources: Resources,
) -> DerivationSpec {
    let blame = machine.blame(place);
    DerivationSpec {
        name: String::new(),
        origin: Origin {
            span: blame.span,
            arguments: blame.arguments,
        },
        resources,
        builder: Builder::Builtin(name.to_owned()),
        args: Datum::Map(args),
        env: None,
        vars: BTreeMap::new(),
        cwd: None,
        inputs,
        outputs: BTreeMap::new(),
    }
}

/// An output of a builtin, which is told where to write it.
pub(super) fn output(kind: ArtifactKind, schema: Datum) -> OutputSpec {
    OutputSpec {
        kind,
        path: None,
        schema,
        optional: false,
        observed: false,
    }
}

fn csv(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let file = given.input(machine, "file")?;
    let x = machine.description(&given.get("x"), place)?;
    let y = machine.description(&given.get("y"), place)?;
    let info = DatasetInfo {
        x: features(machine, &given, &x)?,
        y: labels(machine, &given, &y)?,
        x_span: machine.site(&x, place).span,
        y_span: machine.site(&y, place).span,
    };
    let mut args = BTreeMap::from([
        ("x".to_owned(), machine.datum(&Value::Variant(x), place)?),
        ("y".to_owned(), machine.datum(&Value::Variant(y), place)?),
    ]);
    let meta = machine.datum(&given.get("meta"), place)?;
    if meta != Datum::List(Vec::new()) {
        args.insert("meta".to_owned(), meta);
    }
    let inputs = BTreeMap::from([("file".to_owned(), file)]);
    let mut spec = builtin(machine, "data.csv", place, args, inputs, Resources::default());
    spec.outputs
        .insert("dataset".to_owned(), output(ArtifactKind::Dataset, schema(&info)));
    let spec = machine.specs.add(spec);
    Ok(machine.artifacts.add(Artifact {
        source: InputSource::Output {
            spec,
            output: "dataset".to_owned(),
        },
        kind: ArtifactKind::Dataset,
        about: About::Dataset(Rc::new(info)),
    }))
}

/// What a dataset declares, as a datum: `{x: [1, 8, 8], y: class{classes: 10}}`; null is a size that is not known.
fn schema(info: &DatasetInfo) -> Datum {
    let x = info
        .x
        .iter()
        .map(|dim| dim.map_or(Datum::Null, Datum::Int))
        .collect();
    let y = match info.y {
        Labels::Class(classes) => {
            let fields = BTreeMap::from([("classes".to_owned(), Datum::Int(classes))]);
            Datum::Variant("class".to_owned(), fields)
        }
        Labels::Real(size) => {
            let fields = size
                .map(|size| ("size".to_owned(), Datum::Int(size)))
                .into_iter()
                .collect();
            Datum::Variant("real".to_owned(), fields)
        }
    };
    Datum::Map(BTreeMap::from([
        ("x".to_owned(), Datum::List(x)),
        ("y".to_owned(), y),
    ]))
}

/// The shape of `x` that a codec gives.
fn features(machine: &mut Machine<'_>, given: &Given, codec: &Variant) -> Result<Vec<Dim>, Failed> {
    match machine.names.text(codec.name) {
        "pixels" => {
            let mut shape = Vec::new();
            for name in ["channels", "height", "width"] {
                shape.push(Some(size(machine, given, codec, name)?));
            }
            if let Some(Value::Float(max)) = codec.field(&machine.names, "max")
                && *max <= 0.0
            {
                return Err(wrong(
                    machine,
                    given,
                    codec,
                    "max",
                    &format!("`max` is {max}"),
                    "must be above 0",
                ));
            }
            Ok(shape)
        }
        "vector" => Ok(vec![columns(machine, codec)]),
        "numeric" => Ok(vec![Some(1)]),
        kind => {
            let message = format!("`data.{kind}` reads what is predicted, not what it is predicted from");
            Err(given.wrong(
                machine,
                "x",
                message,
                "`x` needs `data.pixels`, `data.vector` or `data.numeric`",
            ))
        }
    }
}

/// How many columns a codec names; not known where a name is a glob.
fn columns(machine: &Machine<'_>, codec: &Variant) -> Dim {
    let exact = |name: &Value| matches!(name, Value::Str(name) if !name.as_str().contains(['*', '?', '[']));
    match codec.field(&machine.names, "cols") {
        Some(Value::List(names)) if names.items().iter().all(exact) => Some(names.items().len() as i64),
        Some(name @ Value::Str(_)) if exact(name) => Some(1),
        _ => None,
    }
}

fn labels(machine: &mut Machine<'_>, given: &Given, codec: &Variant) -> Result<Labels, Failed> {
    match machine.names.text(codec.name) {
        "label" => match codec.field(&machine.names, "classes") {
            Some(Value::List(names)) if names.items().len() >= 2 => {
                Ok(Labels::Class(names.items().len() as i64))
            }
            Some(Value::Int(classes @ 2..=0xffff_ffff)) => Ok(Labels::Class(*classes)),
            other => {
                let shown = other.map(|classes| machine.display(classes)).unwrap_or_default();
                let message = format!("`classes` is {shown}");
                Err(wrong(
                    machine,
                    given,
                    codec,
                    "classes",
                    &message,
                    "at least 2 classes are needed",
                ))
            }
        },
        "target" => Ok(Labels::Real(columns(machine, codec))),
        kind => {
            let message = format!("`data.{kind}` does not read what is predicted");
            Err(given.wrong(machine, "y", message, "`y` needs `data.label` or `data.target`"))
        }
    }
}

/// A size of a codec, at least 1.
fn size(machine: &mut Machine<'_>, given: &Given, codec: &Variant, name: &str) -> Result<i64, Failed> {
    match codec.field(&machine.names, name) {
        Some(Value::Int(size @ 1..=0xffff)) => Ok(*size),
        other => {
            let shown = other.map(|size| machine.display(size)).unwrap_or_default();
            Err(wrong(
                machine,
                given,
                codec,
                name,
                &format!("`{name}` is {shown}"),
                "must be 1 to 65535",
            ))
        }
    }
}

/// An argument of a codec that is out of range.
fn wrong(
    machine: &mut Machine<'_>,
    given: &Given,
    codec: &Variant,
    name: &str,
    message: &str,
    at: &str,
) -> Failed {
    let site = machine.site(codec, given.place);
    let span = site.arguments.get(name).copied().unwrap_or(site.span);
    let mut error = crate::diagnostic::Diagnostic::error("E0412", span, message).at(at);
    error.notes = site.notes;
    machine.fail(error)
}

fn split(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let input = given.input(machine, "dataset")?;
    let (Value::Artifact(dataset), Value::Record(shares)) = (given.get("dataset"), given.get("shares"))
    else {
        return Err(machine.unexpected(place, "a dataset and its shares", &given.get("shares")));
    };
    let About::Dataset(info) = machine.artifacts.get(dataset).about.clone() else {
        return Err(machine.unexpected(place, "a dataset", &Value::Artifact(dataset)));
    };
    let fields = machine.names.fields(shares.shape).to_vec();
    let parts = parts(machine, &given, &fields, shares.cells())?;
    let order = parts.iter().map(|(name, _)| Datum::Str(name.clone())).collect();
    let shares_datum = parts
        .iter()
        .map(|(name, share)| (name.clone(), Datum::Float(*share)))
        .collect();
    let mut args = BTreeMap::from([
        ("shares".to_owned(), Datum::Map(shares_datum)),
        ("order".to_owned(), Datum::List(order)),
        ("seed".to_owned(), machine.datum(&given.get("seed"), place)?),
    ]);
    if let Value::Bool(true) = given.get("stratify") {
        if let Labels::Real(_) = info.y {
            let message = "`stratify` keeps classes' proportions, and the labels are numbers";
            return Err(given.wrong(machine, "stratify", message, "leave it out"));
        }
        args.insert("stratify".to_owned(), Datum::Bool(true));
    }
    let inputs = BTreeMap::from([("dataset".to_owned(), input)]);
    let mut spec = builtin(machine, "data.split", place, args, inputs, Resources::default());
    for (name, _) in &parts {
        spec.outputs
            .insert(name.clone(), output(ArtifactKind::Dataset, schema(&info)));
    }
    let spec = machine.specs.add(spec);
    let cells = parts
        .into_iter()
        .map(|(name, _)| {
            machine.artifacts.add(Artifact {
                source: InputSource::Output { spec, output: name },
                kind: ArtifactKind::Dataset,
                about: About::Dataset(Rc::clone(&info)),
            })
        })
        .collect();
    machine.record(shares.shape, cells, place)
}

/// The parts of a split with their shares, which sum to 1.
fn parts(
    machine: &mut Machine<'_>,
    given: &Given,
    names: &[Symbol],
    shares: &[Value],
) -> Result<Vec<(String, f64)>, Failed> {
    let mut parts = Vec::new();
    for (name, share) in names.iter().zip(shares) {
        let name = machine.names.text(*name).to_owned();
        match share {
            Value::Float(share) if *share > 0.0 && *share <= 1.0 => parts.push((name, *share)),
            other => {
                let shown = machine.display(other);
                return Err(given.wrong(
                    machine,
                    "shares",
                    format!("the share of `{name}` is {shown}"),
                    "each must be above 0 and at most 1",
                ));
            }
        }
    }
    let sum: f64 = parts.iter().map(|(_, share)| share).sum();
    if (sum - 1.0).abs() > 1e-9 {
        let shown = crate::eval::render::float((sum * 1e6).round() / 1e6);
        return Err(given.wrong(
            machine,
            "shares",
            format!("the shares sum to {shown}"),
            "must sum to 1",
        ));
    }
    Ok(parts)
}
