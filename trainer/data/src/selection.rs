//! Examples of one dataset or of several on their way into another: nothing is copied before it is written, and then a
//! row at a time, so that what is selected may be larger than memory.

use crate::dataset::{Dataset, Rest, damaged};
use crate::files;
use crate::safetensors::{self, Array, Dtype};
use crate::table::{Table, write_row};
use mlp_protocol::data::{Schema, offsets_of};
use mlp_protocol::message::{Failure, Outcome};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// What is written at a time.
const BUFFER: usize = 1 << 20;

/// A dataset that is made of rows of others. What is small may be changed before it is written.
pub struct Selection<'a> {
    /// What it holds.
    pub schema: Schema,
    /// The targets.
    pub y: Array,
    /// The columns carried along, as CSV with a header.
    pub meta: Option<String>,
    parts: Vec<(&'a Dataset, Vec<usize>)>,
}

impl<'a> Selection<'a> {
    /// Of each dataset the examples at its rows, in that order. Datasets must have inputs of one shape; what they are
    /// is taken from the first.
    ///
    /// # Errors
    /// When inputs differ, or a `meta.csv` cannot be read.
    pub fn of(parts: Vec<(&'a Dataset, Vec<usize>)>) -> Outcome<Selection<'a>> {
        let Some((first, _)) = parts.first() else {
            return Err(Failure::new("B0001", "nothing is selected"));
        };
        let schema = Schema {
            examples: parts.iter().map(|(_, rows)| rows.len() as u64).sum(),
            ..first.schema.clone()
        };
        let mut y = Array {
            dtype: first.y.dtype,
            shape: first.y.shape.clone(),
            bytes: Vec::new().into(),
        };
        y.shape[0] = schema.examples;
        let mut labels = Vec::with_capacity(y.row_size() * schema.examples as usize);
        let mut meta = first.meta.as_ref().map(|_| String::new());
        for (dataset, rows) in &parts {
            let alike = dataset.schema.x == schema.x && dataset.x.keys().eq(first.x.keys());
            let fit = |(name, array): (&String, &Array)| {
                array.dtype == first.x[name].dtype || array.is_number() && first.x[name].is_number()
            };
            if !alike
                || !dataset.x.iter().all(fit)
                || dataset.y.dtype != y.dtype
                || dataset.y.shape[1..] != y.shape[1..]
            {
                return Err(
                    Failure::new("B0118", "the datasets hold examples of different shapes or kinds")
                        .help("make images alike by `data.resize` first"),
                );
            }
            for row in rows {
                labels.extend_from_slice(row_of(&dataset.y, *row));
            }
            meta = match (meta, &dataset.meta) {
                (Some(so_far), Some(text)) => Some(select_lines(so_far, text, rows)?),
                _ => None,
            };
        }
        y.bytes = labels.into();
        Ok(Selection {
            schema,
            y,
            meta,
            parts,
        })
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
        rest.write(path, |file| {
            self.write_x(file)
                .map_err(|error| files::cannot_write(file, &error))
        })
    }

    fn write_x(&self, file: &Path) -> io::Result<()> {
        let (first, _) = self.parts[0];
        let mut tensors: BTreeMap<String, (Dtype, Vec<u64>, Tensor<'a>)> = BTreeMap::new();
        for name in self.schema.x.keys() {
            let of_name: Vec<&Array> = self.parts.iter().map(|(dataset, _)| &dataset.x[name]).collect();
            if let Some((offsets, rows)) = self.ragged(name) {
                let total = offsets.last().copied().unwrap_or(0);
                let offsets = Array::from_i64(vec![offsets.len() as u64], &offsets);
                tensors.insert(
                    offsets_of(name),
                    (Dtype::I64, offsets.shape.clone(), Tensor::Whole(offsets)),
                );
                let shape = vec![total.cast_unsigned()];
                tensors.insert(name.clone(), (Dtype::U8, shape, Tensor::Ragged(rows)));
                continue;
            }
            // Bytes that stand for pixels become numbers where they come to lie beside numbers.
            let alike = of_name.iter().all(|array| array.dtype == of_name[0].dtype);
            let dtype = if alike { of_name[0].dtype } else { Dtype::F32 };
            let mut shape = first.x[name].shape.clone();
            shape[0] = self.schema.examples;
            tensors.insert(name.clone(), (dtype, shape, Tensor::Rows(of_name)));
        }
        let header = safetensors::header(
            tensors
                .iter()
                .map(|(name, (dtype, shape, _))| (name.as_str(), *dtype, shape.as_slice())),
        );
        let mut out = BufWriter::with_capacity(BUFFER, File::create(file)?);
        out.write_all(&header)?;
        for (dtype, _, tensor) in tensors.values() {
            match tensor {
                Tensor::Whole(array) => out.write_all(&array.bytes)?,
                Tensor::Ragged(rows) => rows.iter().try_for_each(|row| out.write_all(row))?,
                Tensor::Rows(arrays) => {
                    for ((_, rows), array) in self.parts.iter().zip(arrays) {
                        for row in rows {
                            write_as(&mut out, array, *row, *dtype)?;
                        }
                    }
                }
            }
        }
        out.flush()
    }

    /// The rows of an input whose rows differ in length, and where they come to begin.
    fn ragged(&self, name: &str) -> Option<(Vec<i64>, Vec<&'a [u8]>)> {
        let (mut offsets, mut all, mut end) = (vec![0], Vec::new(), 0);
        for (dataset, rows) in &self.parts {
            let dataset: &'a Dataset = dataset;
            let begins = dataset.offsets(name)?;
            let bytes: &'a [u8] = &dataset.x[name].bytes;
            for row in rows {
                let row = &bytes[begins[*row] as usize..begins[row + 1] as usize];
                end += row.len() as i64;
                offsets.push(end);
                all.push(row);
            }
        }
        Some((offsets, all))
    }
}

/// What is written of a tensor.
enum Tensor<'a> {
    Whole(Array),
    Ragged(Vec<&'a [u8]>),
    /// The selected rows of the array of each part.
    Rows(Vec<&'a Array>),
}

fn row_of(array: &Array, row: usize) -> &[u8] {
    let size = array.row_size();
    &array.bytes[row * size..(row + 1) * size]
}

fn write_as(out: &mut impl Write, array: &Array, row: usize, dtype: Dtype) -> io::Result<()> {
    let row = row_of(array, row);
    if array.dtype == dtype {
        return out.write_all(row);
    }
    row.iter()
        .try_for_each(|byte| out.write_all(&(f32::from(*byte) / 255.0).to_le_bytes()))
}

/// Puts the lines of `text` at `rows` to `selected`, with the header where nothing is there yet.
fn select_lines(mut selected: String, text: &str, rows: &[usize]) -> Outcome<String> {
    let mut table = Table::new(text.as_bytes(), "dataset", Some("meta.csv"))?;
    let (mut lines, mut cells) = (Vec::new(), Vec::new());
    while table.next_row(&mut cells)? {
        let mut line = String::new();
        write_row(&mut line, cells.iter().map(|cell| table.text(cell)));
        lines.push(line);
    }
    let short = || damaged("dataset", "meta.csv has fewer rows than the dataset");
    let header = lines.first().ok_or_else(short)?;
    if selected.is_empty() {
        selected.clone_from(header);
    } else if !selected.starts_with(header.as_str()) {
        return Err(
            Failure::new("B0118", "the datasets carry different columns along")
                .help("give `meta` the same columns in each"),
        );
    }
    for row in rows {
        selected.push_str(lines.get(row + 1).ok_or_else(short)?);
    }
    Ok(selected)
}

#[cfg(test)]
#[path = "selection_tests.rs"]
mod tests;
