//! Traced functions: the operations that a lambda did on symbolic tensors, as a graph, and what shapes it gives.
//!
//! [`crate::eval`] runs a lambda once and hands in its [`Graph`]: it says which operations there are and where a person
//! wrote each, and knows no shape. This module gives every operation a shape and a kind of number once those of the
//! inputs are known ([`infer()`]), and holds the result against what it is used for ([`layer`], [`scalar`]). The batch is
//! symbolic here too, but it is a dimension: the first, as in PyTorch.

mod elementwise;
mod graph;
mod infer;
mod operation;
mod purpose;
mod reduce;
mod shape;
mod view;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use graph::{Arg, Graph, Node};
pub(crate) use infer::Input;
pub(crate) use purpose::{Scalar, layer, scalar};
pub(crate) use shape::{Kind, TensorType};
