//! Every example, with the arithmetic of this program: what the network says of it, and its target.

use crate::error::Outcome;
use mlp_protocol::train::Metric;
use tch::{Kind, Tensor};

/// Every example: what the network says of it, and its target.
pub(super) struct Rows {
    /// Numbers of an example.
    pub(super) width: usize,
    /// Probabilities of classes or tags, or outputs; row by row.
    pub(super) values: Vec<f64>,
    /// The targets.
    pub(super) targets: Targets,
}

/// The targets of all examples.
pub(super) enum Targets {
    /// The class of each.
    Classes(Vec<usize>),
    /// Tags, 0 or 1, or numbers; row by row.
    Each(Vec<f64>),
}

impl Rows {
    /// The rows that `metric` looks at.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(super) fn new(metric: &Metric, output: &Tensor, y: &Tensor) -> Outcome<Rows> {
        let classes = y.f_kind()? == Kind::Int64;
        let output = output.f_to_kind(Kind::Double)?;
        let output = match metric {
            Metric::R2 => output,
            // Of libtorch, whose exponential is pinned with it.
            _ if classes => output.f_softmax(-1, Kind::Double)?,
            _ => output.f_sigmoid()?,
        };
        let numbers =
            |tensor: &Tensor| Outcome::Ok(Vec::<f64>::try_from(tensor.f_contiguous()?.f_view(-1)?)?);
        let targets = numbers(&y.f_to_kind(Kind::Double)?)?;
        Ok(Rows {
            width: output.size().get(1).map_or(1, |width| *width as usize),
            values: numbers(&output)?,
            targets: match classes {
                true => Targets::Classes(targets.iter().map(|class| *class as usize).collect()),
                false => Targets::Each(targets),
            },
        })
    }

    /// The rows of each example.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.width.max(1))
    }

    /// Each example's class; none where it has tags.
    pub(super) fn classes(&self) -> impl Iterator<Item = usize> {
        let classes: &[usize] = match &self.targets {
            Targets::Classes(classes) => classes,
            Targets::Each(_) => &[],
        };
        classes.iter().copied()
    }

    /// The targets as numbers, row by row; none where they are classes.
    pub(super) fn numbers(&self) -> &[f64] {
        match &self.targets {
            Targets::Classes(_) => &[],
            Targets::Each(numbers) => numbers,
        }
    }

    /// Whether an example is of a class, or has a tag.
    pub(super) fn is_of(&self, example: usize, class: usize) -> bool {
        match &self.targets {
            Targets::Classes(classes) => classes[example] == class,
            Targets::Each(tags) => tags[example * self.width + class] > 0.5,
        }
    }
}

/// The output as metrics of classes take it: a number for each class. A single one, of two classes, is the second's logit
/// against a first of 0.
///
/// # Errors
/// When libtorch throws.
pub(super) fn of_each_class(output: &Tensor, y: &Tensor) -> Outcome<Tensor> {
    match output.size().as_slice() {
        [_, 1] if y.f_kind()? == Kind::Int64 => Ok(Tensor::f_cat(&[&output.f_zeros_like()?, output], 1)?),
        _ => Ok(output.shallow_clone()),
    }
}
