//! Datasets out of files, and what every step that makes a dataset shares.

use super::Table;
use super::codecs::{count_of, read_x, read_y};
use super::describe::Files;
use super::given::Given;
use crate::core::FunctionId;
use crate::eval::artifact::{About, Artifact, DatasetInfo};
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::Value;
use crate::shapes::{Dim, Features, Labels, Signal};
use crate::spec::{
    ArtifactKind, Builder, ByName, Datum, DerivationSpec, Fields, Input, InputSource, Origin, OutputSpec,
    Resources,
};
use std::rc::Rc;

pub(super) const TABLE: Table = &[
    ("csv", 4, csv),
    ("parquet", 4, parquet),
    ("arrays", 3, arrays),
    ("image_folder", 3, image_folder),
    ("idx", 5, idx),
    ("cifar", 2, cifar),
];

type Answer = Result<Value, Failed>;
type Args = Fields;
type Inputs = ByName<Input>;

/// A spec of a builtin; its outputs are added by the caller.
pub(super) fn builtin(
    machine: &Machine<'_>,
    name: &str,
    place: Place,
    args: Fields,
    inputs: ByName<Input>,
    resources: Resources,
) -> DerivationSpec {
    let (span, arguments) = machine.user_call(place);
    DerivationSpec {
        name: String::new(),
        origin: Origin { span, arguments },
        resources,
        builder: Builder::Builtin(name.into()),
        args: Datum::Map(args),
        env: None,
        vars: ByName::new(),
        cwd: None,
        inputs,
        outputs: ByName::new(),
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

/// A step with one dataset for its output.
pub(super) fn dataset_of(
    machine: &mut Machine<'_>,
    name: &str,
    place: Place,
    (args, inputs): (Args, Inputs),
    info: Rc<DatasetInfo>,
) -> Value {
    let mut spec = builtin(machine, name, place, args, inputs, Resources::default());
    spec.outputs
        .insert("dataset", output(ArtifactKind::Dataset, schema(&info)));
    let spec = machine.specs.add(spec);
    machine.artifacts.add(Artifact {
        source: InputSource::Output {
            spec,
            output: "dataset".into(),
        },
        kind: ArtifactKind::Dataset,
        about: About::Dataset(info),
    })
}

fn csv(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    table(machine, &given, "data.csv")
}

fn parquet(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    table(machine, &given, "data.parquet")
}

/// A file of columns.
fn table(machine: &mut Machine<'_>, given: &Given, name: &str) -> Answer {
    let mut inputs = Inputs::from([("file", given.input(machine, "file")?)]);
    let (mut args, info) = columns(machine, given, &mut inputs)?;
    let meta = machine.datum(&given.get("meta"), given.place)?;
    if meta != Datum::List(Vec::new()) {
        args.insert("meta", meta);
    }
    Ok(dataset_of(
        machine,
        name,
        given.place,
        (args, inputs),
        Rc::new(info),
    ))
}

/// What the codecs `x` and `y` say; the files that they read are inputs.
fn columns(
    machine: &mut Machine<'_>,
    given: &Given,
    inputs: &mut Inputs,
) -> Result<(Args, DatasetInfo), Failed> {
    let mut files = Files::below("x");
    let (features, x, x_span) = read_x(machine, given, &mut files)?;
    let (labels, y, y_span) = read_y(machine, given)?;
    inputs.extend(files.inputs());
    let info = DatasetInfo {
        x: features,
        y: labels,
        x_span,
        y_span,
    };
    Ok((Args::from([("x", x), ("y", y)]), info))
}

fn arrays(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let mut inputs = Inputs::new();
    let files = given.get("files");
    let Value::Map(files) = &files else {
        return Err(machine.unexpected(place, "a map of files", &files));
    };
    let span = given.span(machine, "files");
    for (name, file) in files.entries() {
        let Some(source) = machine.source_of(file) else {
            return Err(machine.unexpected(place, "a file", file));
        };
        inputs.insert(format!("file.{}", name.as_str()), Input { source, span });
    }
    let (args, mut info) = columns(machine, &given, &mut inputs)?;
    // An array is a column of as many numbers as only its file says.
    let is_vector =
        |codec: Option<&Datum>| matches!(codec, Some(Datum::Variant(kind, _)) if kind.as_str() == "vector");
    match (&mut info.x, args.get("x")) {
        (Features::One(signal), codec) if is_vector(codec) => signal.shape = vec![None],
        (Features::Named(inputs), Some(Datum::Map(codecs))) => {
            let vectors = inputs.iter_mut().filter(|(name, _)| is_vector(codecs.get(name)));
            vectors.for_each(|(_, signal)| signal.shape = vec![None]);
        }
        _ => {}
    }
    if let Labels::Real(size) = &mut info.y {
        *size = None;
    }
    let made = (args, inputs);
    Ok(dataset_of(machine, "data.arrays", place, made, Rc::new(info)))
}

/// The argument `classes`: how many there are, and its datum.
fn classes(machine: &mut Machine<'_>, given: &Given) -> Result<(Labels, Datum), Failed> {
    let value = given.get("classes");
    match count_of(&value) {
        Some(count) => Ok((Labels::Class(count), machine.datum(&value, given.place)?)),
        None => {
            let message = format!("`classes` is {}", machine.display(&value));
            Err(given.wrong(machine, "classes", message, "at least 2 classes are needed"))
        }
    }
}

/// Images in a format that says its own columns.
fn images(
    machine: &mut Machine<'_>,
    given: &Given,
    name: &str,
    shape: Vec<Dim>,
    (mut args, inputs): (Args, Inputs),
) -> Answer {
    let (labels, classes) = classes(machine, given)?;
    args.insert("classes", classes);
    let span = machine.user_span(given.place);
    let info = DatasetInfo {
        x: Features::One(Signal::numbers(shape)),
        y: labels,
        x_span: span,
        y_span: given.span(machine, "classes"),
    };
    Ok(dataset_of(
        machine,
        name,
        given.place,
        (args, inputs),
        Rc::new(info),
    ))
}

fn image_folder(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let channels = given.count(machine, "channels", 1)?;
    let args = Args::from([("channels", channels.map_or(Datum::Null, Datum::Int))]);
    let inputs = Inputs::from([("dir", given.input(machine, "dir")?)]);
    let shape = vec![channels, None, None];
    images(machine, &given, "data.image_folder", shape, (args, inputs))
}

fn idx(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let mut shape = vec![Some(1)];
    let mut args = Args::new();
    for name in ["height", "width"] {
        let size = given.count(machine, name, 1)?;
        args.insert(name.to_owned(), size.map_or(Datum::Null, Datum::Int));
        shape.push(size);
    }
    let mut inputs = Inputs::new();
    for name in ["images", "labels"] {
        inputs.insert(name.to_owned(), given.input(machine, name)?);
    }
    images(machine, &given, "data.idx", shape, (args, inputs))
}

fn cifar(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    if !matches!(given.get("classes"), Value::Int(10 | 100)) {
        let shown = machine.display(&given.get("classes"));
        let message = format!("`classes` is {shown}");
        return Err(given.wrong(machine, "classes", message, "CIFAR has 10 or 100"));
    }
    let inputs = numbered(machine, &given, "files", "file")?;
    let shape = vec![Some(3), Some(32), Some(32)];
    images(machine, &given, "data.cifar", shape, (Args::new(), inputs))
}

/// A list of files or artifacts as inputs `name.0`, `name.1`, …: their order counts.
pub(super) fn numbered(
    machine: &mut Machine<'_>,
    given: &Given,
    label: &str,
    name: &str,
) -> Result<Inputs, Failed> {
    let value = given.get(label);
    let Value::List(list) = &value else {
        return Err(machine.unexpected(given.place, "a list", &value));
    };
    if list.items().is_empty() {
        return Err(given.wrong(
            machine,
            label,
            format!("`{label}` is empty"),
            "needs at least one",
        ));
    }
    let span = given.span(machine, label);
    let mut inputs = Inputs::new();
    for (index, item) in list.items().iter().enumerate() {
        let Some(source) = machine.source_of(item) else {
            return Err(machine.unexpected(given.place, "a file or artifact", item));
        };
        inputs.insert(format!("{name}.{index}"), Input { source, span });
    }
    Ok(inputs)
}

/// What a dataset declares, as a datum: `{x: [1, 8, 8], y: class{classes: 10}}`; null is a size that is not known.
pub(super) fn schema(info: &DatasetInfo) -> Datum {
    let sizes = |shape: &[Dim]| {
        Datum::List(
            shape
                .iter()
                .map(|dim| dim.map_or(Datum::Null, Datum::Int))
                .collect(),
        )
    };
    let x = match &info.x {
        Features::One(signal) => sizes(&signal.shape),
        Features::Named(inputs) => Datum::Map(
            inputs
                .iter()
                .map(|(name, signal)| (name.clone(), sizes(&signal.shape)))
                .collect(),
        ),
    };
    let y = match info.y {
        Labels::Class(classes) => {
            let fields = ByName::from([("classes", Datum::Int(classes))]);
            Datum::Variant("class".into(), fields)
        }
        Labels::Tags(classes) => {
            let fields = ByName::from([("classes", Datum::Int(classes))]);
            Datum::Variant("tags".into(), fields)
        }
        Labels::Real(size) => {
            let fields = size.map(|size| ("size", Datum::Int(size))).into_iter().collect();
            Datum::Variant("real".into(), fields)
        }
    };
    Datum::Map(ByName::from([("x", x), ("y", y)]))
}
