//! Traced functions: their graphs, run on tensors. Autograd goes through them as through any other operation.

use crate::error::Outcome;
use mlp_protocol::graph::{Graph, Operand, Operation};
use mlp_protocol::message::Failure;
use tch::{Kind, Tensor};

/// What the function of `graph` gives of `inputs`.
///
/// # Errors
/// When libtorch throws, or the graph takes what is not there.
pub(crate) fn run(graph: &Graph, inputs: &[&Tensor]) -> Outcome<Tensor> {
    let mut run = Run {
        inputs,
        made: Vec::with_capacity(graph.0.len()),
    };
    for operation in &graph.0 {
        let tensor = run.operation(operation)?;
        run.made.push(tensor);
    }
    run.made.pop().ok_or_else(broken)
}

struct Run<'a> {
    inputs: &'a [&'a Tensor],
    /// What each operation so far gave.
    made: Vec<Tensor>,
}

impl Run<'_> {
    fn operation(&self, operation: &Operation) -> Outcome<Tensor> {
        use Operation as Op;
        Ok(match operation {
            Op::Input { index } => self.inputs.get(*index).ok_or_else(broken)?.shallow_clone(),
            Op::Add { .. }
            | Op::Sub { .. }
            | Op::Mul { .. }
            | Op::Div { .. }
            | Op::Pow { .. }
            | Op::Maximum { .. }
            | Op::Minimum { .. }
            | Op::Eq { .. }
            | Op::Ne { .. }
            | Op::Lt { .. }
            | Op::Le { .. }
            | Op::Gt { .. }
            | Op::Ge { .. }
            | Op::LogicalNot { .. }
            | Op::LogicalAnd { .. }
            | Op::LogicalOr { .. }
            | Op::Where { .. }
            | Op::Matmul { .. } => self.of_two(operation)?,
            Op::Sum { .. }
            | Op::Mean { .. }
            | Op::Max { .. }
            | Op::Min { .. }
            | Op::Argmax { .. }
            | Op::Argmin { .. }
            | Op::Var { .. }
            | Op::Norm { .. }
            | Op::Logsumexp { .. }
            | Op::Softmax { .. }
            | Op::LogSoftmax { .. }
            | Op::Cumsum { .. } => self.along(operation)?,
            Op::Transpose { .. }
            | Op::Permute { .. }
            | Op::Reshape { .. }
            | Op::Flatten { .. }
            | Op::Unsqueeze { .. }
            | Op::Squeeze { .. }
            | Op::Cat { .. }
            | Op::Stack { .. }
            | Op::Select { .. }
            | Op::Narrow { .. }
            | Op::Gather { .. }
            | Op::OneHot { .. } => self.view(operation)?,
            _ => self.of_each(operation)?,
        })
    }

    /// Operations that work on each element.
    fn of_each(&self, operation: &Operation) -> Outcome<Tensor> {
        use Operation as Op;
        Ok(match operation {
            Op::Exp { x } => self.real(x)?.f_exp()?,
            Op::Expm1 { x } => self.real(x)?.f_expm1()?,
            Op::Log { x } => self.real(x)?.f_log()?,
            Op::Log1p { x } => self.real(x)?.f_log1p()?,
            Op::Sqrt { x } => self.real(x)?.f_sqrt()?,
            Op::Rsqrt { x } => self.real(x)?.f_rsqrt()?,
            Op::Sin { x } => self.real(x)?.f_sin()?,
            Op::Cos { x } => self.real(x)?.f_cos()?,
            Op::Erf { x } => self.real(x)?.f_erf()?,
            Op::Gelu { x } => self.real(x)?.f_gelu("none")?,
            Op::Silu { x } => self.real(x)?.f_silu()?,
            Op::Tanh { x } => self.real(x)?.f_tanh()?,
            Op::Sigmoid { x } => self.real(x)?.f_sigmoid()?,
            Op::Logsigmoid { x } => self.real(x)?.f_log_sigmoid()?,
            Op::Softplus { x } => self.real(x)?.f_softplus()?,
            Op::Float { x } => self.real(x)?,
            // tch's leaky_relu knows the default slope only.
            Op::LeakyRelu { x, negative_slope } => {
                let slope = Tensor::f_from_slice(&[*negative_slope])?.f_to_kind(Kind::Float)?;
                self.real(x)?.f_prelu(&slope)?
            }
            Op::Square { x } => self.tensor(x)?.f_square()?,
            Op::Abs { x } => self.tensor(x)?.f_abs()?,
            Op::Neg { x } => self.tensor(x)?.f_neg()?,
            Op::Sign { x } => self.tensor(x)?.f_sign()?,
            Op::Floor { x } => self.tensor(x)?.f_floor()?,
            Op::Ceil { x } => self.tensor(x)?.f_ceil()?,
            Op::Round { x } => self.tensor(x)?.f_round()?,
            Op::Relu { x } => self.tensor(x)?.f_relu()?,
            Op::Clamp { x, min, max } => {
                let x = self.tensor(x)?;
                match (min, max) {
                    (Some(min), Some(max)) => x.f_clamp(*min, *max)?,
                    (Some(min), None) => x.f_clamp_min(*min)?,
                    (None, Some(max)) => x.f_clamp_max(*max)?,
                    (None, None) => x,
                }
            }
            _ => return Err(broken()),
        })
    }

    fn of_two(&self, operation: &Operation) -> Outcome<Tensor> {
        use Operation as Op;
        let tensor = |operand: &Operand| self.tensor(operand);
        Ok(match operation {
            Op::Add { x, y } => tensor(x)?.f_add(&tensor(y)?)?,
            Op::Sub { x, y } => tensor(x)?.f_sub(&tensor(y)?)?,
            Op::Mul { x, y } => tensor(x)?.f_mul(&tensor(y)?)?,
            Op::Div { x, y } => tensor(x)?.f_div(&tensor(y)?)?,
            // A power that is a number has a kernel of its own, and a gradient without a logarithm.
            Op::Pow {
                x,
                y: Operand::Int(power),
            } => tensor(x)?.f_pow_tensor_scalar(*power)?,
            Op::Pow {
                x,
                y: Operand::Float(power),
            } => tensor(x)?.f_pow_tensor_scalar(*power)?,
            Op::Pow { x, y } => tensor(x)?.f_pow(&tensor(y)?)?,
            Op::Maximum { x, y } => tensor(x)?.f_maximum(&tensor(y)?)?,
            Op::Minimum { x, y } => tensor(x)?.f_minimum(&tensor(y)?)?,
            Op::Eq { x, y } => tensor(x)?.f_eq_tensor(&tensor(y)?)?,
            Op::Ne { x, y } => tensor(x)?.f_ne_tensor(&tensor(y)?)?,
            Op::Lt { x, y } => tensor(x)?.f_lt_tensor(&tensor(y)?)?,
            Op::Le { x, y } => tensor(x)?.f_le_tensor(&tensor(y)?)?,
            Op::Gt { x, y } => tensor(x)?.f_gt_tensor(&tensor(y)?)?,
            Op::Ge { x, y } => tensor(x)?.f_ge_tensor(&tensor(y)?)?,
            Op::LogicalNot { x } => tensor(x)?.f_logical_not()?,
            Op::LogicalAnd { x, y } => tensor(x)?.f_logical_and(&tensor(y)?)?,
            Op::LogicalOr { x, y } => tensor(x)?.f_logical_or(&tensor(y)?)?,
            Op::Where { condition, x, y } => tensor(x)?.f_where_self(&tensor(condition)?, &tensor(y)?)?,
            Op::Matmul { x, y } => tensor(x)?.f_matmul(&tensor(y)?)?,
            _ => return Err(broken()),
        })
    }

    /// Operations along a dimension; all dimensions are an empty list of them.
    fn along(&self, operation: &Operation) -> Outcome<Tensor> {
        use Operation as Op;
        Ok(match operation {
            Op::Sum { x, dim, keepdim } => {
                self.tensor(x)?
                    .f_sum_dim_intlist(dim.as_slice(), *keepdim, None::<Kind>)?
            }
            Op::Mean { x, dim, keepdim } => {
                self.real(x)?.f_mean_dim(dim.as_slice(), *keepdim, None::<Kind>)?
            }
            Op::Max { x, dim, keepdim } => self.tensor(x)?.f_amax(dim.as_slice(), *keepdim)?,
            Op::Min { x, dim, keepdim } => self.tensor(x)?.f_amin(dim.as_slice(), *keepdim)?,
            Op::Argmax { x, dim, keepdim } => self.tensor(x)?.f_argmax(*dim, *keepdim)?,
            Op::Argmin { x, dim, keepdim } => self.tensor(x)?.f_argmin(*dim, *keepdim)?,
            Op::Var {
                x,
                dim,
                correction,
                keepdim,
            } => self
                .real(x)?
                .f_var_correction(dim.as_slice(), *correction, *keepdim)?,
            Op::Norm { x, p, dim, keepdim } => {
                self.real(x)?.f_norm_scalaropt_dim(*p, dim.as_slice(), *keepdim)?
            }
            Op::Logsumexp { x, dim, keepdim } => self.real(x)?.f_logsumexp([*dim], *keepdim)?,
            Op::Softmax { x, dim } => self.real(x)?.f_softmax(*dim, None::<Kind>)?,
            Op::LogSoftmax { x, dim } => self.real(x)?.f_log_softmax(*dim, None::<Kind>)?,
            Op::Cumsum { x, dim } => self.tensor(x)?.f_cumsum(*dim, None::<Kind>)?,
            _ => return Err(broken()),
        })
    }

    /// Operations that put elements elsewhere.
    fn view(&self, operation: &Operation) -> Outcome<Tensor> {
        use Operation as Op;
        let several = |tensors: &[Operand]| {
            let made = tensors.iter().map(|operand| self.tensor(operand));
            made.collect::<Outcome<Vec<Tensor>>>()
        };
        Ok(match operation {
            Op::Transpose { x, dim0, dim1 } => self.tensor(x)?.f_transpose(*dim0, *dim1)?,
            Op::Permute { x, dims } => self.tensor(x)?.f_permute(&dims[..])?,
            Op::Reshape { x, shape } => self.tensor(x)?.f_reshape(&shape[..])?,
            Op::Flatten {
                x,
                start_dim,
                end_dim,
            } => self.tensor(x)?.f_flatten(*start_dim, *end_dim)?,
            Op::Unsqueeze { x, dim } => self.tensor(x)?.f_unsqueeze(*dim)?,
            Op::Squeeze { x, dim } => self.tensor(x)?.f_squeeze_dim(*dim)?,
            Op::Cat { tensors, dim } => Tensor::f_cat(&several(tensors)?, *dim)?,
            Op::Stack { tensors, dim } => Tensor::f_stack(&several(tensors)?, *dim)?,
            Op::Select { x, dim, index } => self.tensor(x)?.f_select(*dim, *index)?,
            Op::Narrow {
                x,
                dim,
                start,
                length,
            } => self.tensor(x)?.f_narrow(*dim, *start, *length)?,
            Op::Gather { x, dim, index } => self.tensor(x)?.f_gather(*dim, &self.tensor(index)?, false)?,
            Op::OneHot { x, num_classes } => self.tensor(x)?.f_one_hot(*num_classes)?,
            _ => return Err(broken()),
        })
    }

    /// An operand as it is; a number is a tensor without dimensions, of the kinds that data has.
    fn tensor(&self, operand: &Operand) -> Outcome<Tensor> {
        Ok(match operand {
            Operand::Node { node } => self.made.get(*node).ok_or_else(broken)?.shallow_clone(),
            Operand::Int(value) => Tensor::from(*value),
            Operand::Float(value) => Tensor::from(*value).f_to_kind(Kind::Float)?,
        })
    }

    /// An operand as Float.
    fn real(&self, operand: &Operand) -> Outcome<Tensor> {
        let tensor = self.tensor(operand)?;
        Ok(match tensor.kind() {
            Kind::Float => tensor,
            _ => tensor.f_to_kind(Kind::Float)?,
        })
    }
}

/// The language makes no such graph.
fn broken() -> crate::error::Error {
    Failure::new("B0001", "a traced function takes what is not there").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What a single operation gives of x = [[1, -2, 3], [0.5, 0, -1]] and y = [2, 0], without inputs: as JSON.
    #[track_caller]
    fn holds(operation: &Value, expected: &[f64]) {
        let x = Tensor::from_slice(&[1.0_f32, -2.0, 3.0, 0.5, 0.0, -1.0]).view([2, 3]);
        let y = Tensor::from_slice(&[2_i64, 0]);
        let graph = json!([{ "kind": "input", "index": 0 }, { "kind": "input", "index": 1 }, operation]);
        let graph: Graph = serde_json::from_value(graph).unwrap();
        let found = run(&graph, &[&x, &y]).unwrap().to_kind(Kind::Double).reshape(-1);
        let found = Vec::<f64>::try_from(found).unwrap();
        let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-4;
        assert!(
            found.len() == expected.len() && found.iter().zip(expected).all(near),
            "{operation}: {found:?}"
        );
    }

    fn x() -> Value {
        json!({ "node": 0 })
    }

    fn y() -> Value {
        json!({ "node": 1 })
    }

    #[test]
    fn operations_are_torchs() {
        holds(
            &json!({ "kind": "relu", "x": x() }),
            &[1.0, 0.0, 3.0, 0.5, 0.0, 0.0],
        );
        holds(
            &json!({ "kind": "leaky_relu", "x": x(), "negative_slope": 0.1 }),
            &[1.0, -0.2, 3.0, 0.5, 0.0, -0.1],
        );
        holds(
            &json!({ "kind": "clamp", "x": x(), "min": -1.0, "max": 1.0 }),
            &[1.0, -1.0, 1.0, 0.5, 0.0, -1.0],
        );
        holds(
            &json!({ "kind": "clamp", "x": x(), "max": 0.0 }),
            &[0.0, -2.0, 0.0, 0.0, 0.0, -1.0],
        );
        holds(
            &json!({ "kind": "sub", "x": 1, "y": x() }),
            &[0.0, 3.0, -2.0, 0.5, 1.0, 2.0],
        );
        holds(
            &json!({ "kind": "pow", "x": x(), "y": 2 }),
            &[1.0, 4.0, 9.0, 0.25, 0.0, 1.0],
        );
        holds(&json!({ "kind": "pow", "x": 2.0, "y": y() }), &[4.0, 1.0]);
        holds(&json!({ "kind": "div", "x": y(), "y": 4 }), &[0.5, 0.0]);
        holds(&json!({ "kind": "exp", "x": y() }), &[7.389_056, 1.0]);
        holds(
            &json!({ "kind": "gt", "x": x(), "y": 0 }),
            &[1.0, 0.0, 1.0, 1.0, 0.0, 0.0],
        );
        holds(&json!({ "kind": "sum", "x": x(), "keepdim": false }), &[1.5]);
        holds(
            &json!({ "kind": "mean", "x": x(), "dim": 1, "keepdim": false }),
            &[2.0 / 3.0, -0.5 / 3.0],
        );
        holds(
            &json!({ "kind": "max", "x": x(), "dim": 1, "keepdim": false }),
            &[3.0, 0.5],
        );
        holds(&json!({ "kind": "min", "x": x(), "keepdim": true }), &[-2.0]);
        holds(
            &json!({ "kind": "argmax", "x": x(), "dim": 1, "keepdim": false }),
            &[2.0, 0.0],
        );
        holds(
            &json!({ "kind": "var", "x": x(), "dim": 1, "correction": 0, "keepdim": false }),
            &[4.222_222, 0.388_888],
        );
        holds(
            &json!({ "kind": "norm", "x": x(), "p": 2.0, "dim": 1, "keepdim": false }),
            &[3.741_657, 1.118_034],
        );
        holds(
            &json!({ "kind": "norm", "x": x(), "p": 1.0, "keepdim": false }),
            &[7.5],
        );
        holds(
            &json!({ "kind": "logsumexp", "x": x(), "dim": 1, "keepdim": false }),
            &[3.132_84, 1.104_131],
        );
        holds(
            &json!({ "kind": "cumsum", "x": x(), "dim": 1 }),
            &[1.0, -1.0, 2.0, 0.5, 0.5, -0.5],
        );
        holds(
            &json!({ "kind": "transpose", "x": x(), "dim0": 0, "dim1": -1 }),
            &[1.0, 0.5, -2.0, 0.0, 3.0, -1.0],
        );
        holds(
            &json!({ "kind": "select", "x": x(), "dim": 1, "index": -1 }),
            &[3.0, -1.0],
        );
        holds(
            &json!({ "kind": "narrow", "x": x(), "dim": 1, "start": 1, "length": 1 }),
            &[-2.0, 0.0],
        );
        holds(
            &json!({ "kind": "one_hot", "x": y(), "num_classes": 3 }),
            &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0],
        );
        holds(
            &json!({ "kind": "cat", "tensors": [y(), y()], "dim": 0 }),
            &[2.0, 0.0, 2.0, 0.0],
        );
        holds(
            &json!({ "kind": "stack", "tensors": [y(), y()], "dim": 1 }),
            &[2.0, 2.0, 0.0, 0.0],
        );
    }

    /// A number does not make Double of what is Float.
    #[test]
    fn numbers_are_of_the_kinds_that_data_has() {
        let graph: Graph = serde_json::from_value(json!([
            { "kind": "input", "index": 0 },
            { "kind": "mean", "x": x(), "keepdim": false },
            { "kind": "mul", "x": { "node": 1 }, "y": 0.1 },
        ]))
        .unwrap();
        let input = Tensor::from_slice(&[1.0_f32, 2.0]);
        assert_eq!(run(&graph, &[&input]).unwrap().kind(), Kind::Float);
    }

    #[test]
    fn a_graph_that_takes_what_is_not_there_fails() {
        for graph in [
            json!([]),
            json!([{ "kind": "exp", "x": { "node": 0 } }]),
            json!([{ "kind": "input", "index": 3 }]),
        ] {
            let graph: Graph = serde_json::from_value(graph).unwrap();
            assert!(run(&graph, &[]).is_err());
        }
    }
}
