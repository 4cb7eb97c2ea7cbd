//! The arguments of `calc`: a small formula over values in JSON files.
//!
//! What a pipeline computes from results (`mean`, `a - b`, `assert`) is one formula a derivation. A constant stands for
//! itself; everything else is an object of its `kind`.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use std::collections::BTreeMap;

/// The arguments of `calc`. It writes the value, as JSON, to its one output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalcArgs {
    /// What is computed.
    pub value: Term,
}

/// A part of a formula.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Term {
    /// A truth value.
    Bool(bool),
    /// A number: an integer where it is written as one.
    Number(Number),
    /// A text.
    Text(String),
    /// Something that is looked up or computed.
    Formula(Formula),
}

/// What is looked up or computed. A figure that is not finite is `null` in a file; whatever is computed from it is `null`
/// too, and compares as false.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Formula {
    /// Data that is no number, truth value or text.
    Constant {
        /// The data; absent is null.
        #[serde(default)]
        value: Value,
    },
    /// A value in an input's JSON.
    Input {
        /// The input.
        name: String,
        /// Names of fields, and positions in lists, on the way to the value.
        path: Vec<String>,
    },
    /// An operation on one.
    Unary {
        /// Which.
        op: UnaryOp,
        /// The operand.
        of: Box<Term>,
    },
    /// An operation on two.
    Binary {
        /// Which.
        op: BinaryOp,
        /// The left operand.
        left: Box<Term>,
        /// The right operand.
        right: Box<Term>,
    },
    /// A figure of several numbers.
    Statistic {
        /// Which.
        op: StatisticOp,
        /// The numbers, at least one; two for `std`.
        over: Vec<Term>,
    },
    /// Gives `condition` where it holds, and fails where it does not.
    Assert {
        /// What must hold.
        condition: Box<Term>,
        /// What is said where it does not.
        message: String,
    },
    /// An array.
    List {
        /// Its elements.
        items: Vec<Term>,
    },
    /// An object.
    Record {
        /// Its fields.
        fields: BTreeMap<String, Term>,
    },
}

/// Operations on one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the operation of that name")]
pub enum UnaryOp {
    Neg,
    Abs,
    Not,
    Sqrt,
    Exp,
    Log,
}

/// Operations on two operands, with the meaning of the language's operators. Two integers give an integer but for `div`;
/// a number with a point on either side makes both such. What `and`, `or` and `coalesce` do not need is not computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the operation of that name")]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    And,
    Or,
    Coalesce,
}

/// Figures of several numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatisticOp {
    /// The sum.
    Sum,
    /// The mean.
    Mean,
    /// The standard deviation of a sample, with n - 1.
    Std,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}
