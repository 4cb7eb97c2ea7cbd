//! The examples of a dataset, in the memory of its files, and batches of them as tensors.

use crate::error::Outcome;
use mlp_data::dataset::Dataset;
use mlp_data::safetensors::{Array, Dtype};
use mlp_protocol::data::{Schema, Target};
use mlp_protocol::message::Failure;
use std::ops::Range;
use std::path::Path;
use tch::{Kind, Tensor};

/// The examples of a dataset.
pub(crate) struct Examples {
    /// What they are.
    pub(crate) schema: Schema,
    handles: Handles,
}

/// The inputs of a batch, in the order of their names.
pub(crate) struct Inputs(pub(crate) Vec<Tensor>);

impl Examples {
    /// Reads the dataset at `path`; `name` is what the pipeline calls it.
    ///
    /// # Errors
    /// When it is damaged or empty, or its images are of many sizes.
    pub(crate) fn read(path: &str, name: &str) -> Outcome<Examples> {
        let dataset = Dataset::read(Path::new(path), name)?;
        if dataset.schema.examples == 0 {
            return Err(Failure::new("B0117", format!("`{name}` has no examples"))
                .argument(name)
                .into());
        }
        if let Some(input) = dataset
            .schema
            .x
            .keys()
            .find(|input| dataset.offsets(input).is_some())
        {
            let which = if input == "x" {
                String::new()
            } else {
                format!("`{input}` of ")
            };
            let message = format!("the images of {which}`{name}` are of many sizes");
            return Err(Failure::new("B0202", message)
                .argument(name)
                .help("make them alike by `data.resize`")
                .into());
        }
        let classes = match dataset.schema.y {
            Target::Class { classes, .. } => classes as usize,
            _ => 0,
        };
        Ok(Examples {
            handles: Handles {
                inputs: dataset.x.into_values().collect(),
                y: dataset.y,
                classes,
            },
            schema: dataset.schema,
        })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> i64 {
        self.schema.examples.cast_signed()
    }

    /// Other handles to the same memory, for another thread.
    pub(crate) fn handles(&self) -> Handles {
        self.handles.clone()
    }
}

/// One thread's handles to the examples.
#[derive(Clone)]
pub(crate) struct Handles {
    /// Float32, bytes that stand for fractions of 255, or int64 ids: [n, input shape…].
    inputs: Vec<Array>,
    /// Int64 [n] for classes, else float32 [n, size].
    y: Array,
    /// How many classes there are; 0 where targets are numbers.
    classes: usize,
}

impl Handles {
    /// The examples of `rows`, which are among them, and their targets.
    ///
    /// # Errors
    /// When libtorch has no memory for them.
    pub(crate) fn gather(&self, rows: &[usize]) -> Outcome<(Inputs, Tensor)> {
        let inputs = self.inputs.iter().map(|input| gathered(input, rows));
        Ok((Inputs(inputs.collect::<Outcome<_>>()?), self.targets(rows)?))
    }

    /// `length` examples from `start` on, and their targets.
    ///
    /// # Errors
    /// When libtorch has no memory for them.
    pub(crate) fn range(&self, start: i64, length: i64) -> Outcome<(Inputs, Tensor)> {
        let rows: Vec<usize> = (start as usize..(start + length) as usize).collect();
        self.gather(&rows)
    }

    /// The targets of `rows`.
    ///
    /// # Errors
    /// When libtorch has no memory for them.
    pub(crate) fn targets(&self, rows: &[usize]) -> Outcome<Tensor> {
        gathered(&self.y, rows)
    }

    /// The single input whose examples are numbers, for those who change them.
    pub(crate) fn numbers(&self) -> Option<Numbers<'_>> {
        match &self.inputs[..] {
            [input] if input.dtype != Dtype::I64 => Some(Numbers { of: self, input }),
            _ => None,
        }
    }

    /// About how many bytes an example has as numbers.
    pub(crate) fn size(&self) -> usize {
        let elements = |array: &Array| array.row_size() / array.dtype.size();
        self.inputs.iter().map(|input| elements(input) * 4).sum()
    }
}

/// Examples one by one, as numbers.
#[derive(Clone, Copy)]
pub(crate) struct Numbers<'a> {
    of: &'a Handles,
    input: &'a Array,
}

impl Numbers<'_> {
    /// How many examples there are.
    pub(crate) fn count(&self) -> usize {
        self.of.y.shape.first().map_or(0, |count| *count as usize)
    }

    /// The shape of an example.
    pub(crate) fn shape(&self) -> Vec<i64> {
        sizes(self.input).collect()
    }

    /// How many numbers an example has.
    pub(crate) fn len(&self) -> usize {
        self.input.row_size() / self.input.dtype.size()
    }

    /// How many numbers a target has where classes are shares: one for each.
    pub(crate) fn targets(&self) -> usize {
        match self.of.classes {
            0 => self.of.y.row_size() / self.of.y.dtype.size(),
            classes => classes,
        }
    }

    /// Reads the example `row`.
    pub(crate) fn read(&self, row: usize, to: &mut [f32]) {
        decode(self.input, bytes(self.input, row), to);
    }

    /// Reads the target of the example `row`; a class has the share 1.
    pub(crate) fn read_target(&self, row: usize, to: &mut [f32]) {
        let target = bytes(&self.of.y, row);
        if self.of.classes == 0 {
            return decode(&self.of.y, target, to);
        }
        to.fill(0.0);
        for class in ids(target) {
            to[class as usize] = 1.0;
        }
    }
}

/// The rows of an array: numbers as float32, ids as int64.
fn gathered(array: &Array, rows: &[usize]) -> Outcome<Tensor> {
    let shape: Vec<i64> = std::iter::once(rows.len() as i64).chain(sizes(array)).collect();
    if array.dtype != Dtype::U8 {
        let kind = if array.dtype == Dtype::I64 {
            Kind::Int64
        } else {
            Kind::Float
        };
        let mut content = Vec::with_capacity(rows.len() * array.row_size());
        rows.iter()
            .for_each(|row| content.extend_from_slice(bytes(array, *row)));
        return Ok(Tensor::f_from_data_size(&content, &shape, kind)?);
    }
    let mut numbers = vec![0.0_f32; rows.len() * array.row_size()];
    for (row, to) in rows.iter().zip(numbers.chunks_exact_mut(array.row_size().max(1))) {
        decode(array, bytes(array, *row), to);
    }
    Ok(Tensor::f_from_slice(&numbers)?.f_view(&shape[..])?)
}

fn sizes(array: &Array) -> impl Iterator<Item = i64> {
    array.shape.iter().skip(1).map(|size| size.cast_signed())
}

fn bytes(array: &Array, row: usize) -> &[u8] {
    let size = array.row_size();
    &array.bytes[Range {
        start: row * size,
        end: (row + 1) * size,
    }]
}

fn ids(bytes: &[u8]) -> impl Iterator<Item = i64> {
    let (chunks, _) = bytes.as_chunks::<8>();
    chunks.iter().map(|id| i64::from_le_bytes(*id))
}

/// Numbers as they are; bytes as fractions of 255.
fn decode(array: &Array, bytes: &[u8], to: &mut [f32]) {
    if array.dtype == Dtype::U8 {
        for (byte, to) in bytes.iter().zip(to) {
            *to = f32::from(*byte) / 255.0;
        }
        return;
    }
    let (chunks, _) = bytes.as_chunks::<4>();
    for (number, to) in chunks.iter().zip(to) {
        *to = f32::from_le_bytes(*number);
    }
}
