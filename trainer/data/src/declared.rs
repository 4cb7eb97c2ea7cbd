//! Artifacts that a script wrote: held against what the pipeline declares of them, and completed by what it knows, so that
//! the library's steps take them like their own. A script writes tensors, as safetensors; `mlp` writes the description.
//!
//! Of large files only headers are read.

use crate::dataset::{Dataset, FORMAT, check_labels};
use crate::files;
use crate::predictions;
use crate::safetensors::{self, Described};
use mlp_protocol::data::{Schema, Sizes, Target, offsets_of};
use mlp_protocol::net::Net;
use mlp_protocol::predictions::{BATCH_SIZE, PredictionsFile};
use mlp_protocol::state_dict::{Expected, state_dict};
use mlp_protocol::train::ModelFile;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Names that a list in a sentence has at most.
const NAMED: usize = 5;

/// What is wrong, as words that go on after "it", and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong(pub String, pub Option<String>);

impl From<String> for Wrong {
    fn from(reason: String) -> Self {
        Self(reason, None)
    }
}

type Checked<T> = Result<T, Wrong>;

/// What a dataset is declared to hold.
#[derive(Debug, Deserialize)]
pub struct Examples {
    /// The shape of an example, or of each of its named inputs; null is a size that only the files say.
    x: Inputs,
    /// Its label.
    y: Label,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Inputs {
    One(Sizes),
    Named(BTreeMap<String, Sizes>),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Label {
    Class { classes: u32 },
    Tags { classes: u32 },
    Real { size: Option<u32> },
}

/// What a model is declared to be.
#[derive(Debug, Deserialize)]
pub struct Declared {
    net: Net,
    y: Label,
}

impl Label {
    /// The tensor of `examples` labels; none is a size that may be any.
    fn expected(&self) -> (&'static str, Sizes) {
        match self {
            Label::Class { .. } => ("I64", vec![]),
            Label::Tags { classes } => ("F32", vec![Some(u64::from(*classes))]),
            Label::Real { size } => ("F32", vec![size.map(u64::from)]),
        }
    }

    /// What the label is, with the size that the file says.
    fn target(&self, size: Option<u64>) -> Target {
        let from_file = || size.and_then(|size| u32::try_from(size).ok());
        match self {
            Label::Class { classes } => Target::Class {
                classes: *classes,
                names: None,
            },
            Label::Real { size } => Target::Real {
                size: size.or_else(from_file).unwrap_or(1),
            },
            Label::Tags { classes } => Target::Tags {
                classes: *classes,
                names: None,
            },
        }
    }
}

/// Reads what the pipeline declares.
///
/// # Errors
/// When this version does not know it.
pub fn declaration<T: for<'de> Deserialize<'de>>(schema: Value) -> Checked<T> {
    serde_json::from_value(schema)
        .map_err(|error| format!("is of a kind that this version of mlp cannot check: {error}").into())
}

/// Holds the folder `path` against `declared`, and writes its `dataset.json`.
///
/// # Errors
/// What is wrong with it.
pub fn dataset(path: &Path, declared: &Examples) -> Checked<()> {
    let known = ["x.safetensors", "y.safetensors", "meta.csv", "dataset.json"];
    refuse_others(path, &known)?;
    let x = header(path, "x.safetensors")?;
    let y = header(path, "y.safetensors")?;
    let inputs: BTreeMap<&str, &Sizes> = match &declared.x {
        Inputs::One(sizes) => BTreeMap::from([("x", sizes)]),
        Inputs::Named(named) => named.iter().map(|(name, sizes)| (name.as_str(), sizes)).collect(),
    };
    let offsets: Vec<String> = inputs.keys().map(|name| offsets_of(name)).collect();
    let offsets = offsets
        .iter()
        .map(String::as_str)
        .filter(|name| x.contains_key(*name));
    same_names("x.safetensors", inputs.keys().copied().chain(offsets), &x)?;
    same_names("y.safetensors", ["y"].into_iter(), &y)?;
    let (dtype, sizes) = declared.y.expected();
    let labels = &y["y"];
    let examples = *labels.shape.first().ok_or_else(|| {
        Wrong(
            "has labels without a dimension, where one label an example belongs".to_owned(),
            None,
        )
    })?;
    check("y", labels, &[dtype], Some(examples), &sizes)?;
    let mut shapes = BTreeMap::new();
    for (name, sizes) in inputs {
        shapes.insert(
            name.to_owned(),
            input(name, &x[name], x.get(&offsets_of(name)), examples, sizes)?,
        );
    }
    if examples == 0 {
        return Err("holds no example".to_owned().into());
    }
    let schema = Schema {
        format: FORMAT,
        examples,
        x: shapes,
        y: declared.y.target(labels.shape.get(1).copied()),
        recipe: Value::Null,
    };
    files::write(&path.join("dataset.json"), &files::json(&schema)).map_err(|failure| failure.message)?;
    Dataset::check_labels_and_meta(path, &schema).map_err(Wrong::from)
}

/// Holds an input against its declaration; what its sizes are.
fn input(
    name: &str,
    tensor: &Described,
    offsets: Option<&Described>,
    examples: u64,
    sizes: &Sizes,
) -> Checked<Sizes> {
    if let Some(offsets) = offsets {
        // Of files only the number of channels is known.
        let [Some(_), None, None] = sizes[..] else {
            return Err(Wrong(
                format!("holds `{name}` as image files, where examples of one size belong"),
                Some("decode them, or declare `Image(3, _, _)`".to_owned()),
            ));
        };
        check(name, tensor, &["U8"], None, &vec![])?;
        check(&offsets_of(name), offsets, &["I64"], Some(examples + 1), &vec![])?;
        return Ok(sizes.clone());
    }
    check(name, tensor, &["F32", "U8", "I64"], Some(examples), sizes)?;
    Ok(tensor.shape[1..].iter().copied().map(Some).collect())
}

/// Makes the model `into` of the network that is declared and the weights at `path`, which are moved. `recipe` is that of
/// the dataset that it was trained on, and `y` what that one's labels are, where these are known.
///
/// # Errors
/// What is wrong with the weights.
pub fn model(path: &Path, into: &Path, declared: &Declared, trained_on: Option<&Schema>) -> Checked<()> {
    let found = safetensors::describe(path).map_err(|why| format!("is no whole safetensors file: {why}"))?;
    let expected = state_dict(&declared.net);
    same_names("the file", expected.keys().map(String::as_str), &found)?;
    for (name, Expected { shape, integers }) in &expected {
        let dtype = if *integers { "I64" } else { "F32" };
        let tensor = &found[name];
        let shape: Vec<u64> = shape.iter().map(|size| size.unsigned_abs()).collect();
        if tensor.shape != shape {
            return Err(Wrong(
                format!(
                    "holds `{name}` of shape {:?}, where the network has {shape:?}",
                    tensor.shape
                ),
                None,
            ));
        }
        typed(name, tensor, &[dtype])?;
    }
    let file = ModelFile {
        format: 1,
        net: declared.net.clone(),
        y: match trained_on {
            Some(schema) => schema.y.clone(),
            None => declared.y.target(None),
        },
        recipe: trained_on.map_or(Value::Null, |schema| schema.recipe.clone()),
    };
    files::create_dir(into).map_err(|failure| failure.message)?;
    files::write(&into.join("model.json"), &files::json(&file)).map_err(|failure| failure.message)?;
    take(path, &into.join("weights.safetensors"))
}

/// Makes the predictions `into` of the file of safetensors at `path`, which is moved. It is held against the labels that it
/// is of.
///
/// # Errors
/// What is wrong with them.
pub fn predictions(path: &Path, into: &Path, declared: &Examples) -> Checked<()> {
    let found = safetensors::describe(path).map_err(|why| format!("is no whole safetensors file: {why}"))?;
    same_names("the file", ["outputs", "y"].into_iter(), &found)?;
    let (dtype, sizes) = declared.y.expected();
    let examples = found["y"].shape.first().copied().unwrap_or(0);
    check("y", &found["y"], &[dtype], Some(examples), &sizes)?;
    let outputs = &found["outputs"];
    let width = match declared.y {
        // A single output says how likely the second of two classes is.
        Label::Class { classes: 2 } if outputs.shape.get(1) == Some(&1) => vec![Some(1)],
        Label::Class { classes } | Label::Tags { classes } => vec![Some(u64::from(classes))],
        Label::Real { .. } => sizes,
    };
    check("outputs", outputs, &["F32"], Some(examples), &width)?;
    if examples == 0 {
        return Err("holds no example".to_owned().into());
    }
    let target = declared.y.target(outputs.shape.get(1).copied());
    let tensors = safetensors::read(path, "the file", "B0220").map_err(|failure| failure.message)?;
    tensors.get("y").map_or(Ok(()), |y| check_labels(y, &target))?;
    let file = PredictionsFile {
        format: predictions::FORMAT,
        examples,
        outputs: outputs.shape[1..].to_vec(),
        y: target,
        batch_size: BATCH_SIZE,
    };
    files::create_dir(into).map_err(|failure| failure.message)?;
    files::write(&into.join(predictions::DESCRIPTION), &files::json(&file))
        .map_err(|failure| failure.message)?;
    take(path, &into.join(predictions::TENSORS))
}

fn take(from: &Path, to: &Path) -> Checked<()> {
    #[expect(
        clippy::disallowed_methods,
        reason = "scratch only: what is made durable later is made so by the store"
    )]
    fs::rename(from, to).map_err(|error| format!("cannot be taken: {error}").into())
}

fn header(folder: &Path, file: &str) -> Checked<BTreeMap<String, Described>> {
    let path = folder.join(file);
    if !path.exists() {
        let help = "a dataset is a folder with `x.safetensors` and `y.safetensors`, one row an example";
        return Err(Wrong(format!("lacks `{file}`"), Some(help.to_owned())));
    }
    safetensors::describe(&path)
        .map_err(|why| format!("holds `{file}`, no whole safetensors file: {why}").into())
}

/// What else lies in the folder was written by mistake, or belongs into another output.
fn refuse_others(folder: &Path, known: &[&str]) -> Checked<()> {
    let entries = fs::read_dir(folder).map_err(|error| format!("cannot be read: {error}"))?;
    let mut others: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !known.contains(&name.as_str()))
        .collect();
    others.sort();
    match others.first() {
        None => Ok(()),
        Some(other) => Err(Wrong(
            format!("holds `{other}`, which is no part of a dataset"),
            Some("write it elsewhere, and declare it as an output of its own".to_owned()),
        )),
    }
}

fn same_names<'n>(
    file: &str,
    expected: impl Iterator<Item = &'n str> + Clone,
    found: &BTreeMap<String, Described>,
) -> Checked<()> {
    let missing: Vec<&str> = expected
        .clone()
        .filter(|name| !found.contains_key(*name))
        .collect();
    let others: Vec<&str> = found
        .keys()
        .map(String::as_str)
        .filter(|name| expected.clone().all(|known| known != *name))
        .collect();
    match (missing.as_slice(), others.as_slice()) {
        ([], []) => Ok(()),
        ([], others) => Err(Wrong(
            format!("holds {}, which {file} should not", tensors(others)),
            Some(format!("it must hold {}", tensors(&expected.collect::<Vec<_>>()))),
        )),
        (missing, others) => Err(Wrong(
            format!("lacks {}", tensors(missing)),
            (!others.is_empty()).then(|| format!("{file} holds {}", tensors(others))),
        )),
    }
}

fn tensors(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = if names.len() == 1 {
        "the tensor"
    } else {
        "the tensors"
    };
    format!("{what} {}{more}", shown.join(", "))
}

/// Holds a tensor against `rows` of `sizes`, and one of the types `dtypes`.
fn check(name: &str, tensor: &Described, dtypes: &[&str], rows: Option<u64>, sizes: &Sizes) -> Checked<()> {
    let expected: Vec<Option<u64>> = [rows].into_iter().chain(sizes.iter().copied()).collect();
    let fits = tensor.shape.len() == expected.len()
        && tensor
            .shape
            .iter()
            .zip(&expected)
            .all(|(own, size)| size.is_none_or(|size| size == *own));
    if !fits {
        let shown: Vec<String> = expected
            .iter()
            .map(|size| size.map_or("?".to_owned(), |size| size.to_string()))
            .collect();
        return Err(format!(
            "holds `{name}` of shape {:?}, where [{}] belongs",
            tensor.shape,
            shown.join(", ")
        )
        .into());
    }
    typed(name, tensor, dtypes)
}

fn typed(name: &str, tensor: &Described, dtypes: &[&str]) -> Checked<()> {
    if !dtypes.contains(&tensor.dtype.as_str()) {
        let numpy = if dtypes[0] == "F32" { "float32" } else { "int64" };
        let (last, others) = (dtypes[dtypes.len() - 1], &dtypes[..dtypes.len() - 1]);
        let belongs = match others {
            [] => last.to_owned(),
            others => format!("{} or {last}", others.join(", ")),
        };
        return Err(Wrong(
            format!("holds `{name}` as {}, where {belongs} belongs", tensor.dtype),
            Some(format!(
                "convert it before it is written: `.astype(\"{numpy}\")` of an array, `.to(torch.{numpy})` of a tensor"
            )),
        ));
    }
    let size = match tensor.dtype.as_str() {
        "U8" => 1,
        "F32" => 4,
        _ => 8,
    };
    match tensor.is_whole(size) {
        true => Ok(()),
        false => Err(format!("holds `{name}` with another number of bytes than its shape needs").into()),
    }
}

#[cfg(test)]
#[path = "declared_tests.rs"]
mod tests;
