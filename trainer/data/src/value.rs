//! What stands in a cell of a table, be it text (CSV) or typed (Parquet).

use mlp_protocol::message::Failure;
use std::borrow::Cow;

/// A cell's content.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// Text, which may be that of a number.
    Text(Cow<'a, str>),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Nothing.
    Empty,
}

impl<'a> Value<'a> {
    /// Whether nothing stands there.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Value::Text(text) => text.trim().is_empty(),
            Value::Empty => true,
            Value::Int(_) | Value::Float(_) => false,
        }
    }

    /// The content as text, kept where it is text.
    pub(crate) fn into_text(self) -> Cow<'a, str> {
        match self {
            Value::Text(text) => text,
            other => Cow::Owned(other.text().into_owned()),
        }
    }

    /// The content as text.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Value::Text(text) => Cow::Borrowed(text),
            Value::Int(number) => Cow::Owned(number.to_string()),
            Value::Float(number) => Cow::Owned(number.to_string()),
            Value::Empty => Cow::Borrowed(""),
        }
    }
}

/// A row of a table.
pub(crate) trait Row {
    /// What stands in a column.
    fn value(&self, column: usize) -> Value<'_>;

    /// Says where the cell in `column` is.
    fn blame(&self, failure: Box<Failure>, column: usize) -> Box<Failure>;
}
