//! Strings: up to 14 bytes stand in the value itself, longer ones on the heap.

use super::value::{grow, shrink};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// A string: up to 14 bytes stand in the value itself.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    /// The bytes; the last one is their number.
    Short([u8; 15]),
    Long(Rc<Long>),
}

/// A string on the heap.
#[derive(Debug)]
pub(crate) struct Long(Box<str>);

impl Long {
    pub(crate) fn new(text: &str) -> Rc<Self> {
        grow(text.len() + 32);
        Rc::new(Self(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Drop for Long {
    fn drop(&mut self) {
        shrink(self.0.len() + 32);
    }
}

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        if bytes.len() <= 14 {
            let mut short = [0; 15];
            short[..bytes.len()].copy_from_slice(bytes);
            short[14] = bytes.len() as u8;
            Self::Short(short)
        } else {
            Self::Long(Long::new(text))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            // Only `new` makes these bytes, out of a `str`.
            Self::Short(short) => std::str::from_utf8(&short[..short[14] as usize]).unwrap_or_default(),
            Self::Long(long) => long.as_str(),
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Short(a), Self::Short(b)) => a == b,
            _ => self.as_str() == other.as_str(),
        }
    }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_14_bytes_stand_inline() {
        assert!(matches!(Text::new("fourteen bytes"), Text::Short(_)));
        assert!(matches!(Text::new("fifteen bytes !"), Text::Long(_)));
        for text in ["", "é", "fourteen bytes", "fifteen bytes !"] {
            assert_eq!(Text::new(text).as_str(), text);
        }
    }
}
