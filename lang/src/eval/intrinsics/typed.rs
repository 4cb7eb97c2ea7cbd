//! Outputs of a step that the library's own steps take: datasets, models, predictions. What is declared of them says as
//! much before anything runs as it does of those that the library makes.

use super::data;
use super::given::Given;
use crate::diagnostic::Diagnostic;
use crate::eval::artifact::{About, DatasetInfo, ModelInfo};
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::{ArgPiece, DeclaredOutput, Value};
use crate::shapes::{self, Features, Labels, LayerRow, Signal};
use crate::source::Span;
use crate::spec::{ArtifactKind, Datum, Fields};
use std::rc::Rc;
use std::sync::Arc;

/// What a declaration says of an artifact.
pub(super) struct Typed {
    /// What it must hold, as the engine checks it.
    pub(super) schema: Datum,
    /// What is known of it.
    pub(super) about: About,
    /// The layers of its network.
    pub(super) rows: Arc<Vec<LayerRow>>,
}

/// What the output declares; `net` is its network.
pub(super) fn typed(
    machine: &mut Machine<'_>,
    given: &Given,
    kind: ArtifactKind,
    output: &DeclaredOutput,
    (net, span): (Option<Value>, Span),
) -> Result<Typed, Failed> {
    let written = written(machine, &output.schema, span)?;
    match kind {
        ArtifactKind::Model => model(machine, given, written, &net.unwrap_or(Value::Null), span),
        ArtifactKind::Predictions => {
            let (_, info) = trained_on(machine, given, span, "predictions are of a dataset")?;
            Ok(Typed {
                schema: data::schema(&info),
                about: About::Predictions(info.y, info.y_span, None),
                rows: Arc::default(),
            })
        }
        _ => {
            let info =
                written.ok_or_else(|| machine.fail(unknown(span, "a dataset has shapes and labels")))?;
            Ok(Typed {
                schema: data::schema(&info),
                about: About::Dataset(Rc::new(info)),
                rows: Arc::default(),
            })
        }
    }
}

/// The types that are written: `[Image(1, 28, 28), Class(10)]`; none where there are none.
fn written(machine: &mut Machine<'_>, schema: &Datum, span: Span) -> Result<Option<DatasetInfo>, Failed> {
    let Some([x, y]) = pair(schema) else {
        return Ok(None);
    };
    let (Some(x), Some(y)) = (features(x), labels(y)) else {
        return Err(machine.fail(
            Diagnostic::error("E0423", span, "these types say no shape and no labels of examples")
                .at("is no type of examples")
                .help("write the shape of an example and what its label is: `[Image(1, 28, 28), Class(10)]`, `[Vector(4), Real(1)]`"),
        ));
    };
    Ok(Some(DatasetInfo {
        x,
        y,
        x_span: span,
        y_span: span,
    }))
}

fn model(
    machine: &mut Machine<'_>,
    given: &Given,
    written: Option<DatasetInfo>,
    net: &Value,
    span: Span,
) -> Result<Typed, Failed> {
    let (data, info) = match written {
        Some(info) => (None, Rc::new(info)),
        None => {
            let (name, info) = trained_on(machine, given, span, "a network is of the shape of its data")?;
            (Some(name), info)
        }
    };
    let (root, files) = machine.layers(net, given.place)?;
    if files.inputs().next().is_some() {
        let error = Diagnostic::error(
            "E0423",
            span,
            "this network has layers out of files, which have no weights of their own",
        )
        .help("have the step write a `File`");
        return Err(machine.fail(error));
    }
    let input = shapes::Input {
        features: info.x.clone(),
        span: info.x_span,
    };
    let network = shapes::infer(&root, &input).map_err(|error| machine.fail(*error))?;
    let Datum::Map(declared) = data::schema(&info) else {
        return Err(machine.unexpected(given.place, "a dataset", net));
    };
    let mut schema = Fields::from([("net", network.datum.clone())]);
    schema.extend(declared.into_iter().filter(|(name, _)| name == "y"));
    schema.extend(data.map(|name| ("data", Datum::Str(name.into()))));
    let rows = Arc::clone(&network.rows);
    let model = ModelInfo {
        network: Rc::new(network),
        labels: info.y,
        span,
    };
    Ok(Typed {
        schema: Datum::Map(schema),
        about: About::Model(Rc::new(model)),
        rows,
    })
}

/// The dataset among the step's inputs, and its name there.
fn trained_on(
    machine: &mut Machine<'_>,
    given: &Given,
    span: Span,
    why: &str,
) -> Result<(String, Rc<DatasetInfo>), Failed> {
    let mut found: Vec<(String, Rc<DatasetInfo>)> = Vec::new();
    if let Value::Map(inputs) = given.get("inputs") {
        for (name, value) in inputs.entries() {
            if let Value::Pieces(pieces) = value
                && let [ArgPiece::Artifact(id)] = pieces.0.as_slice()
                && let About::Dataset(info) = &machine.artifacts.get(*id).about
            {
                found.push((name.as_str().to_owned(), Rc::clone(info)));
            }
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    let alike = |other: &(String, Rc<DatasetInfo>)| other.1.x == found[0].1.x && other.1.y == found[0].1.y;
    if found.iter().all(alike)
        && let Some(first) = found.first()
    {
        return Ok(first.clone());
    }
    let message = match found.len() {
        0 => format!("{why}, and this step has no dataset among its inputs"),
        _ => format!("{why}, and this step has several datasets that differ among its inputs"),
    };
    Err(machine.fail(unknown(span, &message)))
}

fn unknown(span: Span, message: &str) -> Diagnostic {
    Diagnostic::error("E0423", span, message)
        .at("of which data?")
        .help("give the step that dataset: `inputs = { data: parts.train }`; a model may say the types instead: `Model[Image(1, 28, 28), Class(10)](net, \"model.safetensors\")`")
}

/// The two fields of a record of types.
fn pair(schema: &Datum) -> Option<[&Datum; 2]> {
    let Datum::Variant(_, parts) = schema else {
        return None;
    };
    let Some(Datum::List(fields)) = parts.get("fields") else {
        return None;
    };
    let ty = |wanted: &str| {
        fields
            .iter()
            .find_map(|field| field_type(field).filter(|(name, _)| *name == wanted))
    };
    Some([ty("x")?.1, ty("y")?.1])
}

fn field_type(field: &Datum) -> Option<(&str, &Datum)> {
    let Datum::Map(field) = field else { return None };
    match (field.get("name"), field.get("type")) {
        (Some(Datum::Str(name)), Some(ty)) => Some((name, ty)),
        _ => None,
    }
}

/// A shape's name and its sizes.
fn shape(ty: &Datum) -> Option<(&str, Vec<Option<i64>>)> {
    let Datum::Variant(kind, parts) = ty else {
        return None;
    };
    match (kind.as_str(), parts.get("name"), parts.get("dims")) {
        ("Shape", Some(Datum::Str(name)), Some(Datum::List(dims))) => {
            let size = |dim: &Datum| match dim {
                Datum::Int(size) => Some(*size),
                _ => None,
            };
            Some((name, dims.iter().map(size).collect()))
        }
        _ => None,
    }
}

fn features(ty: &Datum) -> Option<Features> {
    let signal = |ty: &Datum| {
        let (name, sizes) = shape(ty)?;
        ["Image", "Vector", "Wave", "Text"]
            .contains(&name)
            .then(|| Signal {
                shape: sizes,
                ids: name == "Text",
            })
    };
    if let Some(one) = signal(ty) {
        return Some(Features::One(one));
    }
    let Datum::Variant(_, parts) = ty else { return None };
    let Some(Datum::List(fields)) = parts.get("fields") else {
        return None;
    };
    let named = fields.iter().map(|field| {
        let (name, ty) = field_type(field)?;
        Some((name.to_owned(), signal(ty)?))
    });
    named.collect::<Option<Vec<_>>>().map(Features::Named)
}

fn labels(ty: &Datum) -> Option<Labels> {
    let (name, sizes) = shape(ty)?;
    match (name, sizes.first().copied().flatten()) {
        ("Class", Some(classes)) => Some(Labels::Class(classes)),
        ("Tags", Some(classes)) => Some(Labels::Tags(classes)),
        ("Real", size) => Some(Labels::Real(size)),
        _ => None,
    }
}
