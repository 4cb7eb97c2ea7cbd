//! Examples of a dataset, to be looked at: their labels in words, what their inputs hold, and those that are images as
//! pictures.

use crate::dataset::Dataset;
use crate::plot::png;
use crate::random::Random;
use crate::safetensors::{Array, Dtype};
use mlp_protocol::data::Target;

/// How many of an input's numbers are kept to be shown.
const FIRST: usize = 8;

/// An example.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Its row in the dataset, from 0.
    pub row: usize,
    /// Its label, in words.
    pub label: String,
    /// Its inputs by name.
    pub inputs: Vec<(String, Input)>,
}

/// An input of an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Its shape.
    pub shape: Vec<u64>,
    /// Its smallest and its largest number; none where it is a file of an image.
    pub range: Option<[f64; 2]>,
    /// Its first numbers.
    pub first: Vec<f64>,
    /// It as a picture, where it is an image.
    pub picture: Option<Picture>,
}

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// `png` or `jpeg`.
    pub media: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
    /// Width and height.
    pub size: [u64; 2],
}

/// `n` rows of a dataset of `count`, drawn without replacement; without a seed the first.
pub fn rows(count: usize, n: usize, seed: Option<i64>) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..count).collect();
    if let Some(seed) = seed {
        Random::new(seed, "plot.images").shuffle(&mut rows);
    }
    rows.truncate(n);
    rows
}

/// The examples at `rows`.
pub fn examples(dataset: &Dataset, rows: &[usize]) -> Vec<Example> {
    let labels = Labels::of(dataset);
    let inputs: Vec<(&String, Option<Vec<u64>>)> = dataset
        .schema
        .x
        .keys()
        .map(|name| (name, dataset.offsets(name)))
        .collect();
    let example = |row: &usize| Example {
        row: *row,
        label: labels.text(*row),
        inputs: inputs
            .iter()
            .map(|(name, offsets)| {
                let array = &dataset.x[*name];
                let input = match offsets {
                    Some(offsets) => file(array, offsets[*row] as usize..offsets[*row + 1] as usize),
                    None => numbers(array, *row),
                };
                ((*name).clone(), input)
            })
            .collect(),
    };
    rows.iter().map(example).collect()
}

/// An input that is the file of an image.
fn file(array: &Array, range: std::ops::Range<usize>) -> Input {
    let bytes = array.bytes.get(range).unwrap_or_default();
    let media = if bytes.starts_with(b"\x89PNG") {
        "png"
    } else {
        "jpeg"
    };
    let found = if media == "png" {
        png::size(bytes)
    } else {
        jpeg_size(bytes)
    };
    let [channels, height, width] = found.unwrap_or([0; 3]);
    Input {
        shape: vec![channels, height, width],
        range: None,
        first: Vec::new(),
        picture: found.map(|_| Picture {
            media,
            bytes: bytes.to_vec(),
            size: [width, height],
        }),
    }
}

/// Channels, height and width of a JPEG file, from the header of its frame.
fn jpeg_size(bytes: &[u8]) -> Option<[u64; 3]> {
    let mut at = 2;
    loop {
        let (marker, rest) = (bytes.get(at..at + 2)?, bytes.get(at + 2..)?);
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        match marker {
            // SOF0 to SOF15, but for the three of them that are other segments.
            [0xff, 0xc0..=0xcf] if ![0xc4, 0xc8, 0xcc].contains(&marker[1]) => {
                let [_, _, _, high, low, wide, narrow, channels] = *rest.first_chunk::<8>()?;
                let size = |bytes| u64::from(u16::from_be_bytes(bytes));
                return Some([u64::from(channels), size([high, low]), size([wide, narrow])]);
            }
            [0xff, _] => at += 2 + length,
            _ => return None,
        }
    }
}

fn numbers(array: &Array, row: usize) -> Input {
    let shape = array.shape.get(1..).unwrap_or_default().to_vec();
    let size = array.row_size();
    let bytes = array.bytes.get(row * size..(row + 1) * size).unwrap_or_default();
    let values: Vec<f64> = match array.dtype {
        Dtype::U8 => bytes.iter().map(|byte| f64::from(*byte) / 255.0).collect(),
        Dtype::F32 => chunks(bytes, |bytes| f64::from(f32::from_le_bytes(bytes))),
        Dtype::I64 => chunks(bytes, |bytes| i64::from_le_bytes(bytes) as f64),
        Dtype::F64 => chunks(bytes, f64::from_le_bytes),
    };
    let fold = |of: fn(f64, f64) -> f64| values.iter().copied().reduce(of);
    Input {
        range: fold(f64::min).zip(fold(f64::max)).map(|(low, high)| [low, high]),
        first: values.iter().take(FIRST).copied().collect(),
        picture: picture(&shape, &values).filter(|_| array.dtype != Dtype::I64),
        shape,
    }
}

fn chunks<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|bytes| number(*bytes)).collect()
}

/// Numbers of the shape of an image, from 0 to 1, as one; of other than three channels the first is shown.
fn picture(shape: &[u64], values: &[f64]) -> Option<Picture> {
    let &[channels, height, width] = shape else {
        return None;
    };
    let (wide, pixels) = (width as usize, (height * width) as usize);
    let shown = if channels == 3 { 3 } else { 1 };
    if pixels == 0 || channels == 0 {
        return None;
    }
    let mut bytes = Vec::with_capacity(pixels * shown);
    for pixel in 0..pixels {
        for channel in 0..shown {
            let value = values.get(channel * pixels + pixel)?;
            bytes.push((value.clamp(0.0, 1.0) * 255.0).round() as u8);
        }
    }
    Some(Picture {
        media: "png",
        bytes: png::encode(wide, height as usize, shown, &bytes),
        size: [width, height],
    })
}

/// The labels of a dataset.
enum Labels<'d> {
    Classes(Vec<i64>, Option<&'d [String]>),
    Tags(Vec<f32>, usize, Option<&'d [String]>),
    Numbers(Vec<f32>, usize),
}

impl<'d> Labels<'d> {
    fn of(dataset: &'d Dataset) -> Labels<'d> {
        let y = &dataset.y;
        match &dataset.schema.y {
            Target::Class { names, .. } => Labels::Classes(y.to_i64(), names.as_deref()),
            Target::Tags { classes, names } => Labels::Tags(y.to_f32(), *classes as usize, names.as_deref()),
            Target::Real { size } => Labels::Numbers(y.to_f32(), *size as usize),
        }
    }

    fn text(&self, row: usize) -> String {
        let name = |class: usize, names: &Option<&[String]>| {
            let name = names.and_then(|names| names.get(class)).cloned();
            name.unwrap_or_else(|| class.to_string())
        };
        match self {
            Labels::Classes(classes, names) => name(classes[row] as usize, names),
            Labels::Tags(tags, width, names) => {
                let own = tags[row * width..(row + 1) * width].iter().enumerate();
                let there: Vec<String> = own
                    .filter(|(_, tag)| **tag > 0.5)
                    .map(|(class, _)| name(class, names))
                    .collect();
                there.join(", ")
            }
            Labels::Numbers(numbers, width) => {
                let own = &numbers[row * width..(row + 1) * width];
                own.iter().map(f32::to_string).collect::<Vec<_>>().join(", ")
            }
        }
    }
}
