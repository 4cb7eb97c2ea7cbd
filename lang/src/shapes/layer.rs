//! The layer tree as the shape pass reads it, and reading of a layer's arguments.

use super::report::{Problem, argument};
use crate::source::Span;
use crate::spec::{ByName, Datum, Fields};
use crate::tensor::Graph;
use smol_str::SmolStr;

/// A layer as it was written: its kind, its arguments (null ones left out), and the layers in it.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) kind: SmolStr,
    pub(crate) args: Fields,
    /// Each with what it is called in this layer: its index in a list, its key in a map, or the parameter.
    pub(crate) children: Vec<(String, Layer)>,
    /// What a traced layer computes.
    pub(crate) graph: Option<Graph>,
    pub(crate) site: Site,
}

/// Where a person wrote a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) span: Span,
    /// Its arguments by label, those that were written.
    pub(crate) arguments: ByName<Span>,
    /// The calls in the middle of which it was made.
    pub(crate) notes: Vec<String>,
}

/// The largest size that is taken for meant.
pub(super) const LARGEST: i64 = 1 << 31;

impl Layer {
    /// The layer that the parameter `name` was given.
    pub(crate) fn child(&self, name: &str) -> Option<&Layer> {
        self.children
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, child)| child)
    }

    /// Which variant of an enum an argument is, in snake case.
    pub(crate) fn choice(&self, name: &str) -> Option<String> {
        match self.args.get(name) {
            Some(Datum::Variant(variant, _)) => Some(snake(variant)),
            _ => None,
        }
    }

    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        match self.args.get(name) {
            Some(Datum::Int(value)) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn float(&self, name: &str) -> Option<f64> {
        match self.args.get(name) {
            Some(Datum::Float(value)) => Some(*value),
            Some(Datum::Int(value)) => Some(*value as f64),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.args.get(name), Some(Datum::Bool(true)))
    }

    pub(crate) fn floats(&self, name: &str) -> Option<Vec<f64>> {
        match self.args.get(name) {
            Some(Datum::List(items)) => Some(
                items
                    .iter()
                    .filter_map(|item| match item {
                        Datum::Float(value) => Some(*value),
                        Datum::Int(value) => Some(*value as f64),
                        _ => None,
                    })
                    .collect(),
            ),
            _ => None,
        }
    }

    /// A size of at least `least`.
    pub(crate) fn size(&self, name: &str, least: i64) -> Result<i64, Box<Problem>> {
        let value = self.int(name).unwrap_or(least);
        self.within(name, value, least)?;
        Ok(value)
    }

    fn within(&self, name: &str, value: i64, least: i64) -> Result<(), Box<Problem>> {
        if (least..=LARGEST).contains(&value) {
            return Ok(());
        }
        let bound = match value {
            _ if value < least => format!("must be {least} or more"),
            _ => format!("must be at most {LARGEST}"),
        };
        Err(argument(self, name, format!("is {value}"), bound))
    }

    /// A size for height and width: one number for both, or a list of the two.
    pub(crate) fn pair(&self, name: &str, least: i64) -> Result<[i64; 2], Box<Problem>> {
        let pair = match self.args.get(name) {
            Some(Datum::Int(value)) => [*value, *value],
            Some(Datum::List(items)) => match items.as_slice() {
                [Datum::Int(height), Datum::Int(width)] => [*height, *width],
                _ => {
                    let message = format!("is a list of {}", items.len());
                    return Err(argument(
                        self,
                        name,
                        message,
                        "needs one number, or a list of height and width",
                    ));
                }
            },
            _ => [least, least],
        };
        self.within(name, pair[0], least)?;
        self.within(name, pair[1], least)?;
        Ok(pair)
    }

    /// A probability.
    pub(crate) fn probability(&self, name: &str) -> Result<f64, Box<Problem>> {
        let value = self.float(name).unwrap_or(0.0);
        if (0.0..=1.0).contains(&value) {
            return Ok(value);
        }
        Err(argument(
            self,
            name,
            format!("is {value}"),
            "must be between 0 and 1",
        ))
    }
}

/// `Fp32` as `fp32`, `LeakyRelu` as `leaky_relu`.
pub(crate) fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (index, c) in name.char_indices() {
        if c.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}
