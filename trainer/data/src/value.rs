//! What stands in a cell of a table, be it text (CSV) or typed (Parquet).

use mlp_protocol::message::Failure;
use std::borrow::Cow;

/// A cell's content.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// Text, which may be that of a number.
    Text(Cow<'a, str>),
    /// A number.
    Float(f64),
}

impl Value<'_> {
    /// Whether nothing stands there.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Value::Text(text) if text.trim().is_empty())
    }

    /// The content as text.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Value::Text(text) => Cow::Borrowed(text),
            Value::Float(number) => Cow::Owned(number.to_string()),
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
