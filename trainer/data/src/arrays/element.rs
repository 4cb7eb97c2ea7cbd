//! Elements of arrays as other programs write them.

use crate::bytes::Bytes;
use crate::value::Value;
use half::{bf16, f16};

/// The type of an element. Texts have so many bytes, or characters of four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    Bf16,
    F32,
    F64,
    Ascii(usize),
    Unicode(usize),
}

impl Element {
    /// Bytes of one.
    pub(super) fn size(self) -> usize {
        match self {
            Element::Bool | Element::I8 | Element::U8 => 1,
            Element::I16 | Element::U16 | Element::F16 | Element::Bf16 => 2,
            Element::I32 | Element::U32 | Element::F32 => 4,
            Element::I64 | Element::U64 | Element::F64 => 8,
            Element::Ascii(length) => length,
            Element::Unicode(length) => 4 * length,
        }
    }
}

/// An array of a file.
#[derive(Debug)]
pub(super) struct Stored {
    /// What codecs call it.
    pub(super) name: String,
    pub(super) element: Element,
    pub(super) big_endian: bool,
    /// At least one dimension: the examples.
    pub(super) shape: Vec<u64>,
    /// As many bytes as shape and element say.
    pub(super) bytes: Bytes,
}

impl Stored {
    pub(super) fn rows(&self) -> usize {
        self.shape[0] as usize
    }

    /// Elements of a row.
    pub(super) fn width(&self) -> usize {
        self.shape[1..].iter().product::<u64>() as usize
    }

    /// An element.
    pub(super) fn value(&self, row: usize, at: usize) -> Value<'static> {
        let size = self.element.size();
        let start = (row * self.width() + at) * size;
        let bytes = &self.bytes[start..start + size];
        match self.element {
            Element::Bool => Value::Int(i64::from(bytes[0] != 0)),
            Element::I8 => Value::Int(i64::from(bytes[0].cast_signed())),
            Element::U8 => Value::Int(i64::from(bytes[0])),
            Element::I16 => Value::Int(i64::from(i16::from_le_bytes(self.little(bytes)))),
            Element::U16 => Value::Int(i64::from(u16::from_le_bytes(self.little(bytes)))),
            Element::I32 => Value::Int(i64::from(i32::from_le_bytes(self.little(bytes)))),
            Element::U32 => Value::Int(i64::from(u32::from_le_bytes(self.little(bytes)))),
            Element::I64 => Value::Int(i64::from_le_bytes(self.little(bytes))),
            Element::U64 => {
                let number = u64::from_le_bytes(self.little(bytes));
                i64::try_from(number).map_or(Value::Float(number as f64), Value::Int)
            }
            Element::F16 => Value::Float(f16::from_le_bytes(self.little(bytes)).into()),
            Element::Bf16 => Value::Float(bf16::from_le_bytes(self.little(bytes)).into()),
            Element::F32 => Value::Float(f32::from_le_bytes(self.little(bytes)).into()),
            Element::F64 => Value::Float(f64::from_le_bytes(self.little(bytes))),
            Element::Ascii(_) => {
                let text = String::from_utf8_lossy(bytes);
                Value::Text(text.trim_end_matches('\0').to_owned().into())
            }
            Element::Unicode(_) => {
                let (characters, _) = bytes.as_chunks::<4>();
                let text: String = characters
                    .iter()
                    .map(|bytes| u32::from_le_bytes(self.little(bytes)))
                    .filter(|character| *character != 0)
                    .map(|character| char::from_u32(character).unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect();
                Value::Text(text.into())
            }
        }
    }

    fn little<const N: usize>(&self, bytes: &[u8]) -> [u8; N] {
        let mut element = [0; N];
        element.copy_from_slice(bytes);
        if self.big_endian {
            element.reverse();
        }
        element
    }
}
