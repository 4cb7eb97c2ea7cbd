//! A traced function: the graph of the operations that a lambda did on symbolic tensors.

use serde::{Deserialize, Serialize};

/// What a traced function computes. An operation stands after those that it takes; the last is the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Graph(pub Vec<Operation>);

/// What an operation takes: a tensor, or a number that is taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Operand {
    /// What an earlier operation gives.
    #[serde(rename_all = "snake_case")]
    Node {
        /// Its index.
        node: usize,
    },
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
}

/// An operation of torch. Names are torch's; `dim` that is absent is all dimensions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the operations are torch's, each documented in the standard library's module `tensor`"
)]
pub enum Operation {
    /// An input of the function, by its index: the output and the targets, or the batch.
    Input {
        index: usize,
    },
    Exp {
        x: Operand,
    },
    Expm1 {
        x: Operand,
    },
    Log {
        x: Operand,
    },
    Log1p {
        x: Operand,
    },
    Sqrt {
        x: Operand,
    },
    Rsqrt {
        x: Operand,
    },
    Square {
        x: Operand,
    },
    Abs {
        x: Operand,
    },
    Neg {
        x: Operand,
    },
    Sign {
        x: Operand,
    },
    Floor {
        x: Operand,
    },
    Ceil {
        x: Operand,
    },
    Round {
        x: Operand,
    },
    Sin {
        x: Operand,
    },
    Cos {
        x: Operand,
    },
    Erf {
        x: Operand,
    },
    Relu {
        x: Operand,
    },
    Gelu {
        x: Operand,
    },
    Silu {
        x: Operand,
    },
    Tanh {
        x: Operand,
    },
    Sigmoid {
        x: Operand,
    },
    Logsigmoid {
        x: Operand,
    },
    Softplus {
        x: Operand,
    },
    Float {
        x: Operand,
    },
    LogicalNot {
        x: Operand,
    },
    LeakyRelu {
        x: Operand,
        negative_slope: f64,
    },
    Clamp {
        x: Operand,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f64>,
    },
    Add {
        x: Operand,
        y: Operand,
    },
    Sub {
        x: Operand,
        y: Operand,
    },
    Mul {
        x: Operand,
        y: Operand,
    },
    Div {
        x: Operand,
        y: Operand,
    },
    Pow {
        x: Operand,
        y: Operand,
    },
    Maximum {
        x: Operand,
        y: Operand,
    },
    Minimum {
        x: Operand,
        y: Operand,
    },
    Eq {
        x: Operand,
        y: Operand,
    },
    Ne {
        x: Operand,
        y: Operand,
    },
    Lt {
        x: Operand,
        y: Operand,
    },
    Le {
        x: Operand,
        y: Operand,
    },
    Gt {
        x: Operand,
        y: Operand,
    },
    Ge {
        x: Operand,
        y: Operand,
    },
    LogicalAnd {
        x: Operand,
        y: Operand,
    },
    LogicalOr {
        x: Operand,
        y: Operand,
    },
    Where {
        condition: Operand,
        x: Operand,
        y: Operand,
    },
    Matmul {
        x: Operand,
        y: Operand,
    },
    Sum {
        x: Operand,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dim: Option<i64>,
        keepdim: bool,
    },
    Mean {
        x: Operand,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dim: Option<i64>,
        keepdim: bool,
    },
    Max {
        x: Operand,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dim: Option<i64>,
        keepdim: bool,
    },
    Min {
        x: Operand,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dim: Option<i64>,
        keepdim: bool,
    },
    Argmax {
        x: Operand,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dim: Option<i64>,
        keepdim: bool,
    },
    Argmin {
        x: Operand,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dim: Option<i64>,
        keepdim: bool,
    },
    Var {
        x: Operand,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dim: Option<i64>,
        correction: i64,
        keepdim: bool,
    },
    Norm {
        x: Operand,
        p: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dim: Option<i64>,
        keepdim: bool,
    },
    Logsumexp {
        x: Operand,
        dim: i64,
        keepdim: bool,
    },
    Softmax {
        x: Operand,
        dim: i64,
    },
    LogSoftmax {
        x: Operand,
        dim: i64,
    },
    Cumsum {
        x: Operand,
        dim: i64,
    },
    Transpose {
        x: Operand,
        dim0: i64,
        dim1: i64,
    },
    Permute {
        x: Operand,
        dims: Vec<i64>,
    },
    Reshape {
        x: Operand,
        shape: Vec<i64>,
    },
    Flatten {
        x: Operand,
        start_dim: i64,
        end_dim: i64,
    },
    Unsqueeze {
        x: Operand,
        dim: i64,
    },
    Squeeze {
        x: Operand,
        dim: i64,
    },
    Cat {
        tensors: Vec<Operand>,
        dim: i64,
    },
    Stack {
        tensors: Vec<Operand>,
        dim: i64,
    },
    Select {
        x: Operand,
        dim: i64,
        index: i64,
    },
    Narrow {
        x: Operand,
        dim: i64,
        start: i64,
        length: i64,
    },
    Gather {
        x: Operand,
        dim: i64,
        index: Operand,
    },
    OneHot {
        x: Operand,
        num_classes: i64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_reads_back() {
        let text = r#"[{"index":0,"kind":"input"},{"kind":"pow","x":{"node":0},"y":2.0},{"dim":1,"keepdim":false,"kind":"mean","x":{"node":1}},{"kind":"mul","x":2,"y":{"node":2}}]"#;
        let graph: Graph = serde_json::from_str(text).unwrap();
        let expected = Graph(vec![
            Operation::Input { index: 0 },
            Operation::Pow {
                x: Operand::Node { node: 0 },
                y: Operand::Float(2.0),
            },
            Operation::Mean {
                x: Operand::Node { node: 1 },
                dim: Some(1),
                keepdim: false,
            },
            Operation::Mul {
                x: Operand::Int(2),
                y: Operand::Node { node: 2 },
            },
        ]);
        assert_eq!(graph, expected);
        let written = serde_json::to_value(&graph).unwrap();
        assert_eq!(written, serde_json::from_str::<serde_json::Value>(text).unwrap());
    }
}
