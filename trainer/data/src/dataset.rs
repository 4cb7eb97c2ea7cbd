//! The disk format of a dataset, which [`mlp_protocol::data`] describes.

use crate::files;
use crate::safetensors::{self, Array, Dtype};
use crate::selection::Selection;
use crate::table::Table;
use mlp_protocol::data::{Schema, Sizes, Target, offsets_of};
use mlp_protocol::message::{Failure, Outcome};
use std::collections::BTreeMap;
use std::path::Path;

/// The version of the disk format.
pub const FORMAT: u32 = 1;

/// A dataset, whose arrays are views of its files where it was read. Row i of each array is example i.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// What it holds.
    pub schema: Schema,
    /// The inputs by name: F32, U8 or I64. Where rows differ in length (encoded images), `NAME` is U8 [bytes] and
    /// `NAME.offsets` says where each begins.
    pub x: BTreeMap<String, Array>,
    /// The targets.
    pub y: Array,
    /// The columns carried along, as CSV with a header.
    pub meta: Option<String>,
}

impl Dataset {
    /// Reads the dataset at `path`, an input called `name`, and checks that its files agree.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn read(path: &Path, name: &str) -> Outcome<Dataset> {
        if !path.is_dir() {
            return Err(damaged(name, "it is not a directory"));
        }
        let schema = files::read(&path.join("dataset.json"), "dataset.json")
            .map_err(|error| damaged(name, &error.message))?;
        let schema: Schema = serde_json::from_slice(&schema)
            .map_err(|error| damaged(name, &format!("dataset.json: {error}")))?;
        let tensors = |file: &str| {
            safetensors::read(&path.join(file), file, "B0117").map_err(|error| damaged(name, &error.message))
        };
        let x = tensors("x.safetensors")?;
        let y = tensors("y.safetensors")?
            .remove("y")
            .ok_or_else(|| damaged(name, "y.safetensors has no tensor `y`"))?;
        let meta = path.join("meta.csv");
        let meta = if meta.exists() {
            let text = String::from_utf8(files::read(&meta, "meta.csv")?);
            Some(text.map_err(|_| damaged(name, "meta.csv is not UTF-8"))?)
        } else {
            None
        };
        let dataset = Dataset { schema, x, y, meta };
        dataset.check().map_err(|why| damaged(name, &why))?;
        Ok(dataset)
    }

    /// Looks at what headers do not say of the dataset at `path`: that classes are among those of `schema`, and that
    /// `meta.csv` has a row for each example. An error is words about the folder.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check_labels_and_meta(path: &Path, schema: &Schema) -> Result<(), String> {
        let read = |file: &str| {
            safetensors::read(&path.join(file), file, "B0117").map_err(|failure| failure.message)
        };
        if !matches!(schema.y, Target::Real { .. }) {
            let y = read("y.safetensors")?;
            y.get("y").map_or(Ok(()), |y| check_labels(y, &schema.y))?;
        }
        let x = read("x.safetensors")?;
        for (name, array) in &x {
            if let Some(offsets) = x.get(&offsets_of(name)) {
                check_offsets(name, array, offsets, schema.examples).map_err(|what| format!("has {what}"))?;
            }
        }
        let meta = path.join("meta.csv");
        if !meta.exists() {
            return Ok(());
        }
        let bytes = files::read(&meta, "meta.csv").map_err(|failure| failure.message)?;
        let rows = count_rows(&bytes).map_err(|failure| failure.message)?;
        if rows != schema.examples {
            return Err(format!(
                "holds `meta.csv` with {rows} rows, and {} examples",
                schema.examples
            ));
        }
        Ok(())
    }

    /// Writes the dataset as the directory `path`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, path: &Path) -> Outcome<()> {
        let rest = Rest {
            schema: &self.schema,
            y: &self.y,
            meta: self.meta.as_deref(),
        };
        rest.write(path, |file| safetensors::write(file, &self.x))
    }

    /// Where the rows of the input `name` begin, and the last ends; none where all have one size.
    pub fn offsets(&self, name: &str) -> Option<Vec<u64>> {
        let offsets = self.x.get(&offsets_of(name))?;
        Some(offsets.to_i64().into_iter().map(i64::cast_unsigned).collect())
    }

    /// The class of each example; none where `y` is no class.
    pub fn classes(&self) -> Option<Vec<i64>> {
        matches!(self.schema.y, Target::Class { .. }).then(|| self.y.to_i64())
    }

    /// The examples at `rows`, in that order, to be written.
    ///
    /// # Errors
    /// When `meta.csv` cannot be read.
    pub fn select(&self, rows: &[usize]) -> Outcome<Selection<'_>> {
        Selection::of(vec![(self, rows.to_vec())])
    }

    fn check(&self) -> Result<(), String> {
        let Schema {
            format,
            examples,
            x,
            y,
            ..
        } = &self.schema;
        if *format != FORMAT {
            return Err(format!("its format is {format}, but this version reads {FORMAT}"));
        }
        let expected = x.keys().map(String::as_str);
        let is_input = |name: &&str| !x.keys().any(|input| offsets_of(input) == **name);
        if self.x.keys().map(String::as_str).filter(is_input).ne(expected) {
            return Err("x.safetensors has other tensors than dataset.json says".to_string());
        }
        for (name, sizes) in x {
            let array = &self.x[name];
            match self.x.get(&offsets_of(name)) {
                Some(offsets) => check_offsets(name, array, offsets, *examples)?,
                None => check_input(array, name, *examples, sizes)?,
            }
        }
        match y {
            Target::Class { .. } => check_array(&self.y, "y", Dtype::I64, *examples, &[])?,
            Target::Real { size } | Target::Tags { classes: size, .. } => {
                check_array(&self.y, "y", Dtype::F32, *examples, &[u64::from(*size)])?;
            }
        }
        check_labels(&self.y, y).map_err(|what| format!("it {what}"))
    }
}

/// All of a dataset but its inputs.
pub(crate) struct Rest<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) y: &'a Array,
    pub(crate) meta: Option<&'a str>,
}

impl Rest<'_> {
    /// Writes the dataset as the directory `path`, with the `x.safetensors` that `x` writes.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn write(&self, path: &Path, x: impl FnOnce(&Path) -> Outcome<()>) -> Outcome<()> {
        files::create_dir(path)?;
        files::write(&path.join("dataset.json"), &files::json(self.schema))?;
        x(&path.join("x.safetensors"))?;
        let y = BTreeMap::from([("y".to_string(), self.y.clone())]);
        safetensors::write(&path.join("y.safetensors"), &y)?;
        match self.meta {
            Some(meta) => files::write(&path.join("meta.csv"), meta.as_bytes()),
            None => Ok(()),
        }
    }
}

/// What labels are, beyond their shape.
pub(crate) fn check_labels(y: &Array, target: &Target) -> Result<(), String> {
    match target {
        Target::Class { classes, .. } => check_classes(y, *classes),
        Target::Tags { .. } => {
            let other = y.to_f32().into_iter().find(|tag| ![0.0, 1.0].contains(tag));
            other.map_or(Ok(()), |tag| {
                Err(format!("has the tag {tag}, which is neither 0 nor 1"))
            })
        }
        Target::Real { .. } => Ok(()),
    }
}

/// That `offsets` cuts `array` into rows.
fn check_offsets(name: &str, array: &Array, offsets: &Array, examples: u64) -> Result<(), String> {
    let wrong = || {
        format!(
            "`{}` that do not cut `{name}` into {examples} rows",
            offsets_of(name)
        )
    };
    if array.dtype != Dtype::U8 || array.shape.len() != 1 || offsets.shape != [examples + 1] {
        return Err(wrong());
    }
    let offsets = offsets.to_i64();
    let ends = offsets.first() == Some(&0) && offsets.last() == Some(&(array.bytes.len() as i64));
    if ends && offsets.is_sorted() {
        Ok(())
    } else {
        Err(wrong())
    }
}

fn check_input(array: &Array, name: &str, examples: u64, sizes: &Sizes) -> Result<(), String> {
    let known: Option<Vec<u64>> = sizes.iter().copied().collect();
    let Some(shape) = known else {
        return Err(format!(
            "tensor `{name}` has no rows of their own, but sizes that only these say"
        ));
    };
    let dtype = if array.dtype == Dtype::F64 {
        Dtype::F32
    } else {
        array.dtype
    };
    check_array(array, name, dtype, examples, &shape)
}

fn check_classes(y: &Array, classes: u32) -> Result<(), String> {
    let outside = y
        .to_i64()
        .into_iter()
        .find(|class| !(0..i64::from(classes)).contains(class));
    outside.map_or(Ok(()), |class| {
        Err(format!("has the class {class}, but {classes} classes"))
    })
}

/// The rows of a CSV file with a header.
fn count_rows(text: &[u8]) -> Outcome<u64> {
    let mut table = Table::new(text, "dataset", Some("meta.csv"))?;
    let (mut rows, mut cells) = (0_u64, Vec::new());
    while table.next_row(&mut cells)? {
        rows += 1;
    }
    Ok(rows.saturating_sub(1))
}

fn check_array(array: &Array, name: &str, dtype: Dtype, examples: u64, shape: &[u64]) -> Result<(), String> {
    let expected: Vec<u64> = std::iter::once(examples).chain(shape.iter().copied()).collect();
    if array.dtype == dtype && array.shape == expected {
        return Ok(());
    }
    Err(format!(
        "tensor `{name}` is {:?} {:?}, but {dtype:?} {expected:?} by dataset.json",
        array.dtype, array.shape
    ))
}

pub(crate) fn damaged(name: &str, why: &str) -> Box<Failure> {
    Failure::new("B0117", format!("`{name}` is no whole dataset: {why}"))
}
