//! An operation whose arguments' shapes are known: what a rule may ask of it, and which rule it has.

use super::graph::{Arg, Node};
use super::infer::Fact;
use super::shape::{Kind, Size, TensorType};
use super::{elementwise, reduce, view};
use crate::diagnostic::Diagnostic;
use crate::spec::Datum;

/// What an operation gives.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) ty: TensorType,
    /// Whether a gradient goes through it.
    pub(super) smooth: bool,
    /// Whether what it gives for an example depends on the others of its batch.
    pub(super) mixes: bool,
    /// Operations besides one an element of the result.
    pub(super) work: u128,
    pub(super) warning: Option<Box<Diagnostic>>,
}

impl Made {
    pub(super) fn new(kind: Kind, shape: Vec<Size>) -> Self {
        Self {
            ty: TensorType::new(kind, shape),
            smooth: kind == Kind::Float,
            mixes: false,
            work: 0,
            warning: None,
        }
    }

    /// What no gradient goes through: it is flat, or no number.
    pub(super) fn flat(self) -> Self {
        Self {
            smooth: false,
            ..self
        }
    }
}

pub(super) type Rule = fn(&Call<'_>) -> Answer;
pub(super) type Answer = Result<Made, Box<Diagnostic>>;

/// A table: the names of operations and their rule.
pub(super) type Table = &'static [(&'static [&'static str], Rule)];

/// The rule of an operation.
pub(super) fn rule(op: &str) -> Option<Rule> {
    [elementwise::TABLE, reduce::TABLE, view::TABLE]
        .into_iter()
        .flatten()
        .find(|(names, _)| names.contains(&op))
        .map(|(_, rule)| *rule)
}

/// An operation, with what is known of those before it.
pub(super) struct Call<'a> {
    pub(super) node: &'a Node,
    pub(super) nodes: &'a [Node],
    pub(super) facts: &'a [Fact],
}

impl Call<'_> {
    pub(super) fn op(&self) -> &str {
        &self.node.op
    }

    pub(super) fn name(&self) -> String {
        written(self.op())
    }

    /// The tensor that an argument is; a number is one without dimensions.
    pub(super) fn tensor(&self, name: &str) -> TensorType {
        self.node
            .args
            .get(name)
            .map_or(TensorType::scalar(Kind::Float), |arg| self.type_of(arg))
    }

    /// The tensors of a list.
    pub(super) fn tensors(&self, name: &str) -> Vec<TensorType> {
        match self.node.args.get(name) {
            Some(Arg::List(items)) => items.iter().map(|item| self.type_of(item)).collect(),
            _ => Vec::new(),
        }
    }

    fn type_of(&self, arg: &Arg) -> TensorType {
        match arg {
            Arg::Node(index) => self.facts[*index].ty.clone(),
            Arg::Given(Datum::Int(_)) => TensorType::scalar(Kind::Int),
            Arg::Given(Datum::Bool(_)) => TensorType::scalar(Kind::Bool),
            Arg::Given(_) | Arg::List(_) => TensorType::scalar(Kind::Float),
        }
    }

    pub(super) fn int(&self, name: &str) -> Option<i64> {
        match self.node.args.get(name) {
            Some(Arg::Given(Datum::Int(value))) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.node.args.get(name), Some(Arg::Given(Datum::Bool(true))))
    }

    pub(super) fn ints(&self, name: &str) -> Vec<i64> {
        match self.node.args.get(name) {
            Some(Arg::List(items)) => items
                .iter()
                .filter_map(|item| match item {
                    Arg::Given(Datum::Int(value)) => Some(*value),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The dimension that the argument `name` says, counted from the end where it is negative; `None` where it is left
    /// out. `rank` is how many there are.
    pub(super) fn dim(&self, name: &str, rank: usize) -> Result<Option<usize>, Box<Diagnostic>> {
        let Some(dim) = self.int(name) else {
            return Ok(None);
        };
        let count = i64::try_from(rank).unwrap_or(i64::MAX);
        let found = if dim < 0 {
            dim.checked_add(count)
        } else {
            Some(dim)
        };
        match found.and_then(|dim| usize::try_from(dim).ok()) {
            Some(found) if found < rank => Ok(Some(found)),
            _ => {
                let bound = match rank {
                    0 => "there are no dimensions: it is one number".to_owned(),
                    1 => "may be 0: there is one dimension".to_owned(),
                    _ => format!("may be 0 to {}, or -{count} to -1", rank - 1),
                };
                Err(self.wrong(name, format!("is {dim}"), bound).into())
            }
        }
    }

    /// The dimension that the argument `name` says, which has no default.
    pub(super) fn needed_dim(&self, name: &str, rank: usize) -> Result<usize, Box<Diagnostic>> {
        match self.dim(name, rank)? {
            Some(dim) => Ok(dim),
            None => Err(self.wrong(name, "is missing", "needs a dimension").into()),
        }
    }

    /// A shape that an argument has and must not have.
    pub(super) fn misfit(&self, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        self.fault("E0330", message, label)
    }

    /// An argument that is out of range: "`dim` of `tensor.sum` is 3", of which `is` is the end.
    pub(super) fn wrong(
        &self,
        name: &str,
        is: impl std::fmt::Display,
        label: impl Into<String>,
    ) -> Diagnostic {
        let message = format!("`{name}` of {} {is}", self.name());
        let mut error = self.fault("E0331", message, label);
        if let Some(span) = self.node.site.arguments.get(name) {
            error.labels[0].span = *span;
        }
        error
    }

    /// A kind of number that does not fit.
    pub(super) fn wrong_kind(&self, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        self.fault("E0332", message, label)
    }

    /// An error at the operation, with the shapes of what it takes at the places where that was made.
    fn fault(&self, code: &'static str, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        let site = &self.node.site;
        let mut error = Diagnostic::error(code, site.span, message).at(label);
        for index in self.node.args.values().flat_map(Arg::nodes).take(4) {
            let (made, ty) = (&self.nodes[index], &self.facts[index].ty);
            let known = error.labels.iter().any(|known| known.span == made.site.span);
            if made.op != "input" && !known {
                error = error.label(made.site.span, format!("this is {} {ty}", ty.kind));
            }
        }
        error.notes.clone_from(&site.notes);
        error
    }
}

/// How a person writes an operation: `+`, `tensor.softmax`.
pub(super) fn written(op: &str) -> String {
    match sign(op) {
        Some(sign) => format!("`{sign}`"),
        None => format!("`tensor.{op}`"),
    }
}

/// The operator that an operation is written as.
pub(super) fn sign(op: &str) -> Option<&'static str> {
    Some(match op {
        "add" => "+",
        "sub" | "neg" => "-",
        "mul" => "*",
        "div" => "/",
        "pow" => "**",
        "eq" => "==",
        "ne" => "!=",
        "lt" => "<",
        "le" => "<=",
        "gt" => ">",
        "ge" => ">=",
        _ => return None,
    })
}
