//! Shapes with a symbolic batch, and kinds of numbers.

use std::fmt;

/// A size: a number times a power of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) count: i64,
    pub(crate) batch: u32,
}

/// What a tensor's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Bool,
    Int,
    Float,
}

/// A tensor's kind and shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TensorType {
    pub(crate) kind: Kind,
    pub(crate) shape: Vec<Size>,
}

impl Size {
    pub(crate) const ONE: Self = Self::of(1);
    pub(crate) const BATCH: Self = Self { count: 1, batch: 1 };

    pub(crate) const fn of(count: i64) -> Self {
        Self { count, batch: 0 }
    }

    /// The number, where the batch has no part in it.
    pub(crate) fn known(self) -> Option<i64> {
        (self.batch == 0).then_some(self.count)
    }

    pub(crate) fn is_one(self) -> bool {
        self == Self::ONE
    }

    pub(crate) fn times(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_mul(other.count),
            batch: self.batch.saturating_add(other.batch),
        }
    }

    /// The size that makes `self` with `other`.
    pub(crate) fn over(self, other: Self) -> Option<Self> {
        let batch = self.batch.checked_sub(other.batch)?;
        (other.count != 0 && self.count % other.count == 0).then(|| Self {
            count: self.count / other.count,
            batch,
        })
    }

    /// The sum, where it is a size too: batches and numbers cannot be added.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        (self.batch == other.batch).then(|| Self {
            count: self.count.saturating_add(other.count),
            ..self
        })
    }
}

/// The elements of a shape.
pub(crate) fn elements(shape: &[Size]) -> Size {
    shape.iter().fold(Size::ONE, |product, size| product.times(*size))
}

impl TensorType {
    pub(crate) fn new(kind: Kind, shape: Vec<Size>) -> Self {
        Self { kind, shape }
    }

    /// One number.
    pub(crate) fn scalar(kind: Kind) -> Self {
        Self::new(kind, Vec::new())
    }

    /// [batch, …].
    pub(crate) fn batched(kind: Kind, example: &[i64]) -> Self {
        let rest = example.iter().map(|size| Size::of(*size));
        Self::new(kind, [Size::BATCH].into_iter().chain(rest).collect())
    }

    pub(crate) fn rank(&self) -> usize {
        self.shape.len()
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let power = match self.batch {
            0 => return write!(f, "{}", self.count),
            1 => "batch".to_owned(),
            n => format!("batch^{n}"),
        };
        match self.count {
            1 => f.write_str(&power),
            count => write!(f, "{count}*{power}"),
        }
    }
}

/// `[batch, 10]`; one number is `[]`, as PyTorch has it.
impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<_> = self.shape.iter().map(Size::to_string).collect();
        write!(f, "[{}]", sizes.join(", "))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "Bool",
            Self::Int => "Int",
            Self::Float => "Float",
        })
    }
}
