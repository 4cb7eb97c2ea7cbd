//! The disk format of a dataset, which [`mlp_protocol::data`] describes.

use crate::files;
use crate::safetensors::{self, Array, Dtype};
use crate::table::{Table, write_row};
use mlp_protocol::data::{Schema, Target};
use mlp_protocol::message::{Failure, Outcome};
use std::collections::BTreeMap;
use std::path::Path;

/// The version of the disk format.
pub const FORMAT: u32 = 1;

/// A dataset in memory. Row i of each array is example i.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// What it holds.
    pub schema: Schema,
    /// The inputs by name, float32.
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
        if let Target::Class { classes, .. } = schema.y {
            let y = safetensors::read(&path.join("y.safetensors"), "y.safetensors", "B0117");
            let y = y.map_err(|failure| failure.message)?;
            y.get("y").map_or(Ok(()), |y| check_classes(y, classes))?;
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
        files::create_dir(path)?;
        files::write(&path.join("dataset.json"), &files::json(&self.schema))?;
        safetensors::write(&path.join("x.safetensors"), &self.x)?;
        safetensors::write(
            &path.join("y.safetensors"),
            &BTreeMap::from([("y".to_string(), self.y.clone())]),
        )?;
        match &self.meta {
            Some(meta) => files::write(&path.join("meta.csv"), meta.as_bytes()),
            None => Ok(()),
        }
    }

    /// The class of each example; none where `y` is real numbers.
    pub fn classes(&self) -> Option<Vec<i64>> {
        matches!(self.schema.y, Target::Class { .. }).then(|| self.y.to_i64())
    }

    /// The examples at `rows`, in that order.
    ///
    /// # Errors
    /// When `meta.csv` cannot be read.
    pub fn select(&self, rows: &[usize]) -> Outcome<Dataset> {
        let schema = Schema {
            examples: rows.len() as u64,
            ..self.schema.clone()
        };
        let x = self
            .x
            .iter()
            .map(|(name, array)| (name.clone(), select_rows(array, rows)))
            .collect();
        let meta = self
            .meta
            .as_ref()
            .map(|text| select_lines(text, rows))
            .transpose()?;
        Ok(Dataset {
            schema,
            x,
            y: select_rows(&self.y, rows),
            meta,
        })
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
        if x.keys().ne(self.x.keys()) {
            return Err("x.safetensors has other tensors than dataset.json says".to_string());
        }
        for (name, shape) in x {
            check_array(&self.x[name], name, Dtype::F32, *examples, shape)?;
        }
        match y {
            Target::Class { classes, .. } => {
                check_array(&self.y, "y", Dtype::I64, *examples, &[])?;
                check_classes(&self.y, *classes).map_err(|what| format!("it {what}"))
            }
            Target::Real { size } => check_array(&self.y, "y", Dtype::F32, *examples, &[u64::from(*size)]),
        }
    }
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

fn select_rows(array: &Array, rows: &[usize]) -> Array {
    let count = array.shape.first().copied().unwrap_or(0) as usize;
    let width = array.bytes.len().checked_div(count).unwrap_or(0);
    let mut bytes = Vec::with_capacity(rows.len() * width);
    for &row in rows {
        bytes.extend_from_slice(&array.bytes[row * width..(row + 1) * width]);
    }
    let shape = std::iter::once(rows.len() as u64)
        .chain(array.shape.iter().skip(1).copied())
        .collect();
    Array {
        dtype: array.dtype,
        shape,
        bytes,
    }
}

fn select_lines(text: &str, rows: &[usize]) -> Outcome<String> {
    let mut table = Table::new(text.as_bytes(), "dataset", Some("meta.csv"))?;
    let (mut lines, mut cells) = (Vec::new(), Vec::new());
    while table.next_row(&mut cells)? {
        let mut line = String::new();
        write_row(&mut line, cells.iter().map(|cell| table.text(cell)));
        lines.push(line);
    }
    let short = || damaged("dataset", "meta.csv has fewer rows than the dataset");
    let mut selected = lines.first().ok_or_else(short)?.clone();
    for row in rows {
        selected.push_str(lines.get(row + 1).ok_or_else(short)?);
    }
    Ok(selected)
}

fn damaged(name: &str, why: &str) -> Box<Failure> {
    Failure::new("B0117", format!("`{name}` is no whole dataset: {why}"))
}
