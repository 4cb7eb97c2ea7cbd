//! Safetensors files, byte for byte the same for the same tensors.
//!
//! The format allows any order and spacing; written here are the names in byte order, both in the header and in the
//! data, and the header padded by spaces to a multiple of eight. Anything that the format allows is read.

use crate::bytes::Bytes;
use crate::files;
use mlp_protocol::message::{Failure, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

/// The largest header that is read: the format's own bound.
const MAX_HEADER: u64 = 100_000_000;

/// The element type of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dtype {
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 64-bit signed integer.
    I64,
    /// 8-bit unsigned integer: what pixels and encoded images are.
    U8,
}

impl Dtype {
    /// Bytes an element.
    pub fn size(self) -> usize {
        match self {
            Dtype::F32 => 4,
            Dtype::F64 | Dtype::I64 => 8,
            Dtype::U8 => 1,
        }
    }
}

/// A dense array in row-major order, little-endian.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The element type.
    pub dtype: Dtype,
    /// The shape; empty for a scalar.
    pub shape: Vec<u64>,
    /// The elements: as many bytes as dtype and shape say.
    pub bytes: Bytes,
}

impl Array {
    /// An array of float32.
    pub fn from_f32(shape: Vec<u64>, values: &[f32]) -> Array {
        Array {
            dtype: Dtype::F32,
            shape,
            bytes: encoded(values.iter().map(|value| value.to_le_bytes())),
        }
    }

    /// An array of int64.
    pub fn from_i64(shape: Vec<u64>, values: &[i64]) -> Array {
        Array {
            dtype: Dtype::I64,
            shape,
            bytes: encoded(values.iter().map(|value| value.to_le_bytes())),
        }
    }

    /// An array of bytes.
    pub fn from_u8(shape: Vec<u64>, values: impl Into<Bytes>) -> Array {
        Array {
            dtype: Dtype::U8,
            shape,
            bytes: values.into(),
        }
    }

    /// How many bytes a row has: an element along the first dimension.
    pub fn row_size(&self) -> usize {
        let elements: u64 = self.shape.iter().skip(1).product();
        elements as usize * self.dtype.size()
    }

    /// Whether it stands for numbers that are learned from: as they are, or bytes that stand for fractions of 255.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self.dtype, Dtype::F32 | Dtype::U8)
    }

    /// The elements of an array of int64; empty for another type.
    pub fn to_i64(&self) -> Vec<i64> {
        let (chunks, []) = self.bytes.as_chunks::<8>() else {
            return Vec::new();
        };
        if self.dtype != Dtype::I64 {
            return Vec::new();
        }
        chunks.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect()
    }

    /// The elements of an array of float32; empty for another type.
    pub fn to_f32(&self) -> Vec<f32> {
        let (chunks, []) = self.bytes.as_chunks::<4>() else {
            return Vec::new();
        };
        if self.dtype != Dtype::F32 {
            return Vec::new();
        }
        chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }
}

fn encoded<const N: usize>(values: impl ExactSizeIterator<Item = [u8; N]>) -> Bytes {
    let mut bytes = Vec::with_capacity(values.len() * N);
    values.for_each(|value| bytes.extend_from_slice(&value));
    bytes.into()
}

/// A tensor's entry in the header.
#[derive(Serialize, Deserialize)]
struct Entry {
    dtype: Dtype,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// What stands before the data of a file: tensors by name, whose data follow in the order of their names.
pub(crate) fn header<'a>(tensors: impl Iterator<Item = (&'a str, Dtype, &'a [u64])>) -> Vec<u8> {
    let mut end = 0;
    let entries: BTreeMap<&str, Entry> = tensors
        .map(|(name, dtype, shape)| {
            let start = end;
            end += shape.iter().product::<u64>() * dtype.size() as u64;
            let entry = Entry {
                dtype,
                shape: shape.to_vec(),
                data_offsets: (start, end),
            };
            (name, entry)
        })
        .collect();
    // Names are strings and entries plain data: this always serialises.
    let mut header = serde_json::to_vec(&entries).unwrap_or_default();
    header.resize(header.len().next_multiple_of(8), b' ');
    [&(header.len() as u64).to_le_bytes()[..], &header].concat()
}

fn header_of(tensors: &BTreeMap<String, Array>) -> Vec<u8> {
    header(
        tensors
            .iter()
            .map(|(name, array)| (name.as_str(), array.dtype, array.shape.as_slice())),
    )
}

/// The file of `tensors`.
pub fn encode(tensors: &BTreeMap<String, Array>) -> Vec<u8> {
    let mut file = header_of(tensors);
    file.reserve_exact(tensors.values().map(|array| array.bytes.len()).sum());
    tensors
        .values()
        .for_each(|array| file.extend_from_slice(&array.bytes));
    file
}

/// A tensor as a header describes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Described {
    /// The element type, as the format calls it: `F32`.
    pub dtype: String,
    /// The shape; empty for a scalar.
    pub shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// The tensors of a file by name, by its header alone. An error is words about the file.
///
/// # Errors
/// When it cannot be read or is no whole safetensors file.
pub fn describe(path: &Path) -> Result<BTreeMap<String, Described>, String> {
    let cut = |error: std::io::Error| match error.kind() {
        ErrorKind::UnexpectedEof => "it is cut short".to_owned(),
        _ => error.to_string(),
    };
    let mut file = File::open(path).map_err(cut)?;
    let size = file.metadata().map_err(cut)?.len();
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(cut)?;
    let length = u64::from_le_bytes(length);
    let data = size.checked_sub(8).and_then(|rest| rest.checked_sub(length));
    let Some(data) = data.filter(|_| length <= MAX_HEADER) else {
        return Err(format!("its header would have {length} bytes"));
    };
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header).map_err(cut)?;
    let mut entries: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&header).map_err(|error| format!("its header: {error}"))?;
    entries.remove("__metadata__");
    let described = |(name, entry)| {
        let entry: Described =
            serde_json::from_value(entry).map_err(|error| format!("tensor `{name}`: {error}"))?;
        let (start, end) = entry.data_offsets;
        match start <= end && end <= data {
            true => Ok((name, entry)),
            false => Err(format!("tensor `{name}` lies outside the file")),
        }
    };
    entries.into_iter().map(described).collect()
}

impl Described {
    /// Its bytes in the file that it was described of.
    pub(crate) fn bytes_of(&self, file: &Bytes) -> Option<Bytes> {
        let (length, _) = file.split_first_chunk::<8>()?;
        let data = usize::try_from(u64::from_le_bytes(*length))
            .ok()?
            .checked_add(8)?;
        let at = |offset: u64| data.checked_add(usize::try_from(offset).ok()?);
        file.slice(at(self.data_offsets.0)?..at(self.data_offsets.1)?)
    }

    /// Whether it has as many bytes as elements of `size` bytes in its shape need.
    pub fn is_whole(&self, size: usize) -> bool {
        let elements = self
            .shape
            .iter()
            .try_fold(1_u64, |product, size| product.checked_mul(*size));
        let (start, end) = self.data_offsets;
        elements.and_then(|elements| elements.checked_mul(size as u64)) == Some(end - start)
    }
}

/// Writes `tensors` to a file.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, tensors: &BTreeMap<String, Array>) -> Outcome<()> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(&header_of(tensors))?;
        tensors
            .values()
            .try_for_each(|array| file.write_all(&array.bytes))
    });
    written.map_err(|error| files::cannot_write(path, &error))
}

/// Reads a file, whose arrays are views of it; `name` is what a failure calls it, `code` the failure's code.
///
/// # Errors
/// When it cannot be read or is no safetensors file.
pub fn read(path: &Path, name: &str, code: &'static str) -> Outcome<BTreeMap<String, Array>> {
    let file = files::map(path, name)?;
    decode(&file).map_err(|why| Failure::new(code, format!("{name} is no whole safetensors file: {why}")))
}

/// Each tensor of a file as it is described, with its bytes: also those of types that arrays have not.
///
/// # Errors
/// When it is no whole safetensors file, in words.
pub(crate) fn stored(file: &Bytes) -> Result<BTreeMap<String, (Described, Bytes)>, String> {
    let (entries, data) = parts(file)?;
    let stored = |(name, entry)| {
        let entry: Described =
            serde_json::from_value(entry).map_err(|error| format!("tensor `{name}`: {error}"))?;
        let (start, end) = entry.data_offsets;
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let bytes = range.and_then(|(start, end)| data.slice(start..end));
        let bytes = bytes.ok_or_else(|| format!("tensor `{name}` lies outside the file"))?;
        Ok((name, (entry, bytes)))
    };
    entries.into_iter().map(stored).collect()
}

fn decode(file: &Bytes) -> Result<BTreeMap<String, Array>, String> {
    let (entries, data) = parts(file)?;
    let decode = |(name, entry)| {
        let entry: Entry =
            serde_json::from_value(entry).map_err(|error| format!("tensor `{name}`: {error}"))?;
        let array = slice(&entry, &data).ok_or_else(|| format!("tensor `{name}` lies outside the file"))?;
        Ok((name, array))
    };
    entries.into_iter().map(decode).collect()
}

/// The entries of a file's header, and its data.
fn parts(file: &Bytes) -> Result<(BTreeMap<String, serde_json::Value>, Bytes), String> {
    let (length, rest) = file
        .split_first_chunk::<8>()
        .ok_or("it is shorter than 8 bytes")?;
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER || length > rest.len() as u64 {
        return Err(format!("its header would have {length} bytes"));
    }
    let header = &rest[..length as usize];
    let data = file
        .slice(8 + length as usize..file.len())
        .ok_or("its header lies outside")?;
    let mut entries: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|error| format!("its header: {error}"))?;
    entries.remove("__metadata__");
    Ok((entries, data))
}

/// The array of an entry, if its shape and offsets agree and lie in `data`.
fn slice(entry: &Entry, data: &Bytes) -> Option<Array> {
    let (start, end) = entry.data_offsets;
    let bytes = data.slice(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?;
    let elements = entry
        .shape
        .iter()
        .try_fold(1_u64, |product, size| product.checked_mul(*size))?;
    let expected = elements.checked_mul(entry.dtype.size() as u64)?;
    (bytes.len() as u64 == expected).then(|| Array {
        dtype: entry.dtype,
        shape: entry.shape.clone(),
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> BTreeMap<String, Array> {
        BTreeMap::from([
            ("b".to_string(), Array::from_i64(vec![2], &[1, -2])),
            ("a".to_string(), Array::from_f32(vec![1, 3], &[0.5, 1.0, -2.0])),
        ])
    }

    #[test]
    fn comes_back() {
        assert_eq!(decode(&encode(&sample()).into()).unwrap(), sample());
    }

    #[test]
    fn bytes_never_change() {
        let file = encode(&sample());
        let header = r#"{"a":{"dtype":"F32","shape":[1,3],"data_offsets":[0,12]},"b":{"dtype":"I64","shape":[2],"data_offsets":[12,28]}}"#;
        assert_eq!(file.len() % 8, (8 + 28) % 8);
        assert!(file[8..].starts_with(header.as_bytes()));
    }

    #[test]
    fn a_file_is_what_is_encoded_and_its_arrays_are_views() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.safetensors");
        let mut tensors = sample();
        tensors.insert(
            "pixels".to_string(),
            Array::from_u8(vec![2, 2], vec![0, 1, 2, 255]),
        );
        write(&path, &tensors).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), encode(&tensors));
        assert_eq!(read(&path, "a", "B0117").unwrap(), tensors);
        assert_eq!(tensors["a"].row_size(), 12);
        assert_eq!(tensors["b"].row_size(), 8);
    }

    #[test]
    fn every_cut_is_refused() {
        let file = encode(&sample());
        for cut in 0..file.len() {
            assert!(decode(&file[..cut].to_vec().into()).is_err(), "{cut}");
        }
    }

    #[test]
    fn hostile_headers_are_refused() {
        let file = |header: &str| {
            let mut file = (header.len() as u64).to_le_bytes().to_vec();
            file.extend_from_slice(header.as_bytes());
            file
        };
        let huge = u64::MAX;
        for header in [
            format!(r#"{{"a":{{"dtype":"F32","shape":[{huge},{huge}],"data_offsets":[0,0]}}}}"#),
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#.to_string(),
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.to_string(),
            r#"{"a":{"dtype":"X9","shape":[],"data_offsets":[0,0]}}"#.to_string(),
            "[]".to_string(),
        ] {
            assert!(decode(&file(&header).into()).is_err(), "{header}");
        }
    }
}
