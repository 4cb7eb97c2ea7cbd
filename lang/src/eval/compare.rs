//! Equality of data, and its order.

use super::names::Names;
use super::value::Value;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Whether two values are the same data. Fields of records may be in any order.
pub(crate) fn equal(names: &Names, left: &Value, right: &Value) -> bool {
    let mut comparison = Comparison {
        names,
        same: BTreeSet::new(),
    };
    comparison.values(left, right)
}

/// From this depth on it is remembered which parts are the same: parts that are shared would be compared as often as
/// they stand there, and that can be without end.
const DEEP: u16 = 8;

struct Comparison<'n> {
    names: &'n Names,
    /// Addresses of deep parts that were found to be the same; they live as long as the comparison.
    same: BTreeSet<(usize, usize)>,
}

impl Comparison<'_> {
    fn values(&mut self, left: &Value, right: &Value) -> bool {
        if left.depth() < DEEP {
            return self.parts(left, right);
        }
        let (Some(a), Some(b)) = (address(left), address(right)) else {
            return self.parts(left, right);
        };
        if a == b || self.same.contains(&(a, b)) {
            return true;
        }
        let same = self.parts(left, right);
        if same {
            self.same.insert((a, b));
        }
        same
    }

    fn parts(&mut self, left: &Value, right: &Value) -> bool {
        use Value::{Bool, Bytes, Duration, Float, Int, List, Map, Null, Path, Record, Str, Variant};
        match (left, right) {
            (Null, Null) => true,
            (Bool(a), Bool(b)) => a == b,
            (Int(a), Int(b)) | (Duration(a), Duration(b)) | (Bytes(a), Bytes(b)) => a == b,
            (Float(a), Float(b)) => a == b,
            // Only inside Json can a number of either kind stand in the same place.
            (Int(a), Float(b)) | (Float(b), Int(a)) => *a as f64 == *b,
            (Str(a), Str(b)) => a == b,
            (Path(a), Path(b)) => a.as_str() == b.as_str(),
            (List(a), List(b)) => self.all(a.items(), b.items()),
            (Record(a), Record(b)) if a.shape == b.shape => self.all(a.cells(), b.cells()),
            (Record(a), Record(b)) => {
                let names = self.names;
                let fields = names.fields(a.shape);
                fields.len() == names.fields(b.shape).len()
                    && fields.iter().zip(a.cells()).all(|(field, a)| {
                        let index = names.index(b.shape, *field);
                        index.is_some_and(|index| self.values(a, &b.cells()[index]))
                    })
            }
            (Map(a), Map(b)) => {
                a.entries().len() == b.entries().len()
                    && a.entries()
                        .iter()
                        .all(|(key, a)| b.entries().get(key).is_some_and(|b| self.values(a, b)))
            }
            (Variant(a), Variant(b)) => a.name == b.name && self.all(a.cells(), b.cells()),
            _ => false,
        }
    }

    fn all(&mut self, left: &[Value], right: &[Value]) -> bool {
        left.len() == right.len() && left.iter().zip(right).all(|(a, b)| self.values(a, b))
    }
}

/// Where a value with parts lies; only ever compared with others.
fn address(value: &Value) -> Option<usize> {
    match value {
        Value::List(list) => Some(Rc::as_ptr(list).addr()),
        Value::Record(record) => Some(Rc::as_ptr(record).addr()),
        Value::Map(map) => Some(Rc::as_ptr(map).addr()),
        Value::Variant(variant) => Some(Rc::as_ptr(variant).addr()),
        _ => None,
    }
}

/// The order of two values that have one.
pub(crate) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    use Value::{Bool, Bytes, Duration, Float, Int, List, Str};
    match (left, right) {
        (Int(a), Int(b)) | (Duration(a), Duration(b)) | (Bytes(a), Bytes(b)) => Some(a.cmp(b)),
        (Float(a), Float(b)) => a.partial_cmp(b),
        (Str(a), Str(b)) => Some(a.as_str().cmp(b.as_str())),
        (Bool(a), Bool(b)) => Some(a.cmp(b)),
        (List(a), List(b)) if left.depth() < DEEP => {
            for (a, b) in a.items().iter().zip(b.items()) {
                match order(a, b)? {
                    Ordering::Equal => {}
                    unequal => return Some(unequal),
                }
            }
            Some(a.items().len().cmp(&b.items().len()))
        }
        _ => None,
    }
}
