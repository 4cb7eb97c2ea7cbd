//! The canonical encoding of everything that is hashed: one value, one sequence of bytes. `docs/design/encoding.md` says
//! it byte by byte. [`Writer`] refuses what has no canonical form; [`decode`] refuses whatever would not encode back to
//! itself. Knows nothing of what is encoded.

use std::collections::BTreeMap;
use std::ops::Range;

/// The first bytes of every message.
const MAGIC: [u8; 4] = *b"mlp\0";
/// Containers inside containers, at most: deeper than the language lets data nest.
const DEPTH: usize = 1100;

const NULL: u8 = 0;
const BOOL: u8 = 1;
const INT: u8 = 2;
const FLOAT: u8 = 3;
const STR: u8 = 4;
const BYTES: u8 = 5;
const LIST: u8 = 6;
const MAP: u8 = 7;
const VARIANT: u8 = 8;
const RECORD: u8 = 9;

/// What has no canonical form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// NaN or infinite.
    #[error("a number that is not finite has no canonical form")]
    NotFinite,
    /// A key that does not stand after the one before it.
    #[error("the key `{0}` is written twice or out of order")]
    Unsorted(String),
    /// A field whose id does not stand after the one before it.
    #[error("the field {0} is written twice or out of order")]
    UnsortedField(u16),
}

/// Bytes that are no canonical message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not canonical at byte {at}: {what}")]
pub struct DecodeError {
    /// The offset.
    pub at: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// Writes one message, front to back. What is invalid is remembered and told by [`Writer::finish`].
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    invalid: Option<EncodeError>,
}

impl Writer {
    /// Begins a message of a schema; it holds exactly one value.
    pub fn new(schema: u16) -> Self {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&schema.to_le_bytes());
        Self { bytes, invalid: None }
    }

    /// The message.
    pub fn finish(self) -> Result<Vec<u8>, EncodeError> {
        self.invalid.map_or(Ok(self.bytes), Err)
    }

    /// Nothing.
    pub fn null(&mut self) {
        self.leaf(NULL, &[]);
    }

    /// A truth value.
    pub fn bool(&mut self, value: bool) {
        self.leaf(BOOL, &[u8::from(value)]);
    }

    /// An integer.
    pub fn int(&mut self, value: i64) {
        self.leaf(INT, &value.to_le_bytes());
    }

    /// A float: finite; -0.0 is written as 0.0.
    pub fn float(&mut self, value: f64) {
        if !value.is_finite() {
            self.invalidate(EncodeError::NotFinite);
        }
        let value = if value == 0.0 { 0.0 } else { value };
        self.leaf(FLOAT, &value.to_bits().to_le_bytes());
    }

    /// A string, as it is.
    pub fn str(&mut self, value: &str) {
        self.leaf(STR, value.as_bytes());
    }

    /// Bytes: digests, other messages.
    pub fn bytes(&mut self, value: &[u8]) {
        self.leaf(BYTES, value);
    }

    /// A list: `items` writes each item.
    pub fn list(&mut self, items: impl FnOnce(&mut Self)) {
        self.container(LIST, items);
    }

    /// A map: `entries` writes each entry, keys ascending by their bytes.
    pub fn map(&mut self, entries: impl FnOnce(&mut MapWriter<'_>)) {
        self.container(MAP, |writer| entries(&mut MapWriter { writer, last: None }));
    }

    /// A variant: its name and its fields.
    pub fn variant(&mut self, name: &str, fields: impl FnOnce(&mut MapWriter<'_>)) {
        self.container(VARIANT, |writer| {
            writer.str(name);
            writer.map(fields);
        });
    }

    /// A record: fields by number, ascending.
    pub fn record(&mut self, fields: impl FnOnce(&mut RecordWriter<'_>)) {
        self.container(RECORD, |writer| fields(&mut RecordWriter { writer, last: None }));
    }

    fn leaf(&mut self, tag: u8, payload: &[u8]) {
        self.bytes.push(tag);
        self.bytes
            .extend_from_slice(&(payload.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(payload);
    }

    fn container(&mut self, tag: u8, content: impl FnOnce(&mut Self)) {
        self.bytes.push(tag);
        let length_at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 8]);
        content(self);
        let length = (self.bytes.len() - length_at - 8) as u64;
        self.bytes[length_at..length_at + 8].copy_from_slice(&length.to_le_bytes());
    }

    fn invalidate(&mut self, error: EncodeError) {
        self.invalid.get_or_insert(error);
    }
}

/// Writes a map's entries.
#[derive(Debug)]
pub struct MapWriter<'w> {
    writer: &'w mut Writer,
    /// Where the last key's bytes stand in the message.
    last: Option<Range<usize>>,
}

impl MapWriter<'_> {
    /// An entry: `value` writes exactly one value.
    pub fn entry(&mut self, key: &str, value: impl FnOnce(&mut Writer)) {
        if let Some(last) = self.last.take()
            && self.writer.bytes[last] >= *key.as_bytes()
        {
            self.writer.invalidate(EncodeError::Unsorted(key.to_owned()));
        }
        self.writer.str(key);
        let end = self.writer.bytes.len();
        self.last = Some(end - key.len()..end);
        value(self.writer);
    }
}

/// Writes a record's fields.
#[derive(Debug)]
pub struct RecordWriter<'w> {
    writer: &'w mut Writer,
    last: Option<u16>,
}

impl RecordWriter<'_> {
    /// A field: `value` writes exactly one value.
    pub fn field(&mut self, id: u16, value: impl FnOnce(&mut Writer)) {
        if self.last.is_some_and(|last| last >= id) {
            self.writer.invalidate(EncodeError::UnsortedField(id));
        }
        self.writer.bytes.extend_from_slice(&id.to_le_bytes());
        value(self.writer);
        self.last = Some(id);
    }
}

/// A decoded value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A finite float.
    Float(f64),
    /// A string.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Value>),
    /// A map.
    Map(BTreeMap<String, Value>),
    /// A variant.
    Variant(String, BTreeMap<String, Value>),
    /// A record.
    Record(BTreeMap<u16, Value>),
}

impl Value {
    /// Writes it.
    pub fn write(&self, writer: &mut Writer) {
        let entries = |map: &mut MapWriter<'_>, fields: &BTreeMap<String, Self>| {
            for (key, value) in fields {
                map.entry(key, |writer| value.write(writer));
            }
        };
        match self {
            Self::Null => writer.null(),
            Self::Bool(value) => writer.bool(*value),
            Self::Int(value) => writer.int(*value),
            Self::Float(value) => writer.float(*value),
            Self::Str(value) => writer.str(value),
            Self::Bytes(value) => writer.bytes(value),
            Self::List(items) => writer.list(|writer| items.iter().for_each(|item| item.write(writer))),
            Self::Map(fields) => writer.map(|map| entries(map, fields)),
            Self::Variant(name, fields) => writer.variant(name, |map| entries(map, fields)),
            Self::Record(fields) => writer.record(|record| {
                for (id, value) in fields {
                    record.field(*id, |writer| value.write(writer));
                }
            }),
        }
    }
}

/// The value in a message of `schema`; whatever a [`Writer`] would not have written so is an error.
pub fn decode(schema: u16, message: &[u8]) -> Result<Value, DecodeError> {
    let mut reader = Reader {
        bytes: message,
        at: 0,
        end: message.len(),
    };
    if reader.take(MAGIC.len())? != MAGIC {
        return Err(reader.wrong("the magic number is missing"));
    }
    if reader.take(2)? != schema.to_le_bytes() {
        return Err(reader.wrong("another schema"));
    }
    let value = reader.value(DEPTH)?;
    if reader.at == reader.end {
        Ok(value)
    } else {
        Err(reader.wrong("bytes after the value"))
    }
}

/// Reads values from `bytes[at..end]`.
struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    end: usize,
}

impl<'b> Reader<'b> {
    fn wrong(&self, what: &'static str) -> DecodeError {
        DecodeError { at: self.at, what }
    }

    fn take(&mut self, count: usize) -> Result<&'b [u8], DecodeError> {
        if count > self.end - self.at {
            return Err(self.wrong("it ends too early"));
        }
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// The tag and the payload of the value that begins here; the reader stands behind it then.
    fn element(&mut self) -> Result<(u8, Reader<'b>), DecodeError> {
        let tag = self.array::<1>()?[0];
        let length = u64::from_le_bytes(self.array()?);
        let length = usize::try_from(length).map_err(|_| self.wrong("it ends too early"))?;
        let at = self.at;
        self.take(length)?;
        let payload = Reader {
            bytes: self.bytes,
            at,
            end: self.at,
        };
        Ok((tag, payload))
    }

    fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.wrong("nested too deeply"));
        };
        let (tag, mut payload) = self.element()?;
        let value = match tag {
            NULL => Value::Null,
            BOOL => Value::Bool(match payload.array::<1>()? {
                [0] => false,
                [1] => true,
                _ => return Err(payload.wrong("a truth value is 0 or 1")),
            }),
            INT => Value::Int(i64::from_le_bytes(payload.array()?)),
            FLOAT => Value::Float(payload.float()?),
            STR => Value::Str(payload.text()?),
            BYTES => Value::Bytes(payload.take(payload.end - payload.at)?.to_vec()),
            LIST => {
                let mut items = Vec::new();
                while payload.at < payload.end {
                    items.push(payload.value(depth)?);
                }
                Value::List(items)
            }
            MAP => Value::Map(payload.entries(depth)?),
            VARIANT => payload.variant(depth)?,
            RECORD => Value::Record(payload.fields(depth)?),
            _ => return Err(self.wrong("an unknown tag")),
        };
        if payload.at == payload.end {
            Ok(value)
        } else {
            Err(payload.wrong("a value is longer than it should be"))
        }
    }

    fn float(&mut self) -> Result<f64, DecodeError> {
        let value = f64::from_bits(u64::from_le_bytes(self.array()?));
        let canonical = value.is_finite() && (value != 0.0 || value.is_sign_positive());
        if canonical {
            Ok(value)
        } else {
            Err(self.wrong("a float without canonical form"))
        }
    }

    /// The rest as text.
    fn text(&mut self) -> Result<String, DecodeError> {
        let start = self.at;
        match std::str::from_utf8(self.take(self.end - self.at)?) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(DecodeError {
                at: start + error.valid_up_to(),
                what: "not UTF-8",
            }),
        }
    }

    fn string(&mut self) -> Result<String, DecodeError> {
        let (tag, mut payload) = self.element()?;
        if tag == STR {
            payload.text()
        } else {
            Err(payload.wrong("a string belongs here"))
        }
    }

    fn entries(&mut self, depth: usize) -> Result<BTreeMap<String, Value>, DecodeError> {
        let mut entries = BTreeMap::new();
        while self.at < self.end {
            let key = self.string()?;
            if entries.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(self.wrong("a key is written twice or out of order"));
            }
            entries.insert(key, self.value(depth)?);
        }
        Ok(entries)
    }

    fn variant(&mut self, depth: usize) -> Result<Value, DecodeError> {
        let name = self.string()?;
        let (tag, mut payload) = self.element()?;
        if tag != MAP {
            return Err(payload.wrong("a variant's fields belong here"));
        }
        Ok(Value::Variant(name, payload.entries(depth)?))
    }

    fn fields(&mut self, depth: usize) -> Result<BTreeMap<u16, Value>, DecodeError> {
        let mut fields = BTreeMap::new();
        while self.at < self.end {
            let id = u16::from_le_bytes(self.array()?);
            if fields.last_key_value().is_some_and(|(last, _)| *last >= id) {
                return Err(self.wrong("a field is written twice or out of order"));
            }
            fields.insert(id, self.value(depth)?);
        }
        Ok(fields)
    }
}

#[cfg(test)]
#[path = "encoding_tests.rs"]
mod tests;
