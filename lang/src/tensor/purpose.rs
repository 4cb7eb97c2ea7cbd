//! What a traced function is used for, and what its result must be for that.

use super::graph::{Arg, Graph};
use super::infer::{Fact, Input, error_at, infer, told};
use super::shape::{Kind, Size, TensorType};
use crate::diagnostic::{Diagnostic, Severity};

/// Uses whose result is one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Loss,
    Metric,
}

/// A traced layer that fits.
pub(crate) struct Traced {
    /// The shape that it gives, without the batch.
    pub(crate) output: Vec<i64>,
    /// Operations an example.
    pub(crate) flops: u128,
    /// Whether what it gives for an example depends on the others in its batch.
    pub(crate) mixes: bool,
    /// What it does: each operation, and the shape that it gives.
    pub(crate) operations: Vec<(String, String)>,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// A layer: of every example it makes one, and of nothing else.
pub(crate) fn layer(graph: &Graph, shape: &[i64]) -> Result<Traced, Box<Diagnostic>> {
    let inputs = [Input {
        ty: TensorType::batched(Kind::Float, shape),
        learned: true,
        what: "what comes in",
    }];
    let mut inferred = infer(graph, &inputs)?;
    let result = result(&inferred.facts);
    let output: Option<Vec<i64>> = match result.ty.shape.split_first() {
        Some((&Size::BATCH, rest)) => rest.iter().map(|size| size.known()).collect(),
        _ => None,
    };
    let Some(output) = output.filter(|_| result.ty.kind == Kind::Float) else {
        return Err(Box::new(no_layer(graph, &inputs, &result.ty)));
    };
    let mixes = result.mixes;
    if let Some(at) = mixes {
        inferred.warnings.push(told(mixed(graph, at), graph, &inputs));
    }
    Ok(Traced {
        output,
        mixes: mixes.is_some(),
        flops: inferred
            .facts
            .iter()
            .fold(0, |sum: u128, fact| sum.saturating_add(fact.flops)),
        operations: super::words::lines(graph, &inferred.facts),
        warnings: inferred.warnings,
    })
}

/// A loss or a metric: one number of an output and its targets. What comes back are warnings.
pub(crate) fn scalar(
    graph: &Graph,
    inputs: &[Input; 2],
    purpose: Scalar,
) -> Result<Vec<Diagnostic>, Box<Diagnostic>> {
    let inferred = infer(graph, inputs)?;
    let result = result(&inferred.facts);
    let wanted = match purpose {
        Scalar::Loss => result.ty.kind == Kind::Float,
        Scalar::Metric => result.ty.kind != Kind::Bool,
    };
    if !result.ty.shape.is_empty() || !wanted {
        return Err(Box::new(no_scalar(graph, inputs, purpose, &result.ty)));
    }
    if purpose == Scalar::Loss && !result.learned {
        return Err(Box::new(no_gradient(graph, inputs, &inferred.facts)));
    }
    Ok(inferred.warnings)
}

fn result(facts: &[Fact]) -> &Fact {
    // The evaluator hands in no graph without a node.
    &facts[facts.len() - 1]
}

fn last(graph: &Graph, code: &'static str, message: String) -> Diagnostic {
    error_at(&graph.nodes[graph.nodes.len() - 1].site, code, message)
}

fn no_scalar(graph: &Graph, inputs: &[Input], purpose: Scalar, ty: &TensorType) -> Diagnostic {
    let (what, over) = match purpose {
        Scalar::Loss => ("loss", "the batch"),
        Scalar::Metric => ("metric", "all examples"),
    };
    if ty.shape.is_empty() {
        let error = last(
            graph,
            "E0332",
            format!("a {what} is a number, and this is {}", ty.kind),
        );
        return told(
            error
                .at(format!("gives {}", ty.kind))
                .help("make it Float: `tensor.float(…)`"),
            graph,
            inputs,
        );
    }
    let mean = match ty.kind {
        Kind::Float => "`tensor.mean(…)`",
        _ => "`tensor.mean(tensor.float(…))`",
    };
    let error = last(
        graph,
        "E0333",
        format!("a {what} is one number, and this gives {ty}"),
    )
    .at(format!("gives {ty}"))
    .help(format!("take the mean over {over}: {mean}"));
    told(error, graph, inputs)
}

fn no_layer(graph: &Graph, inputs: &[Input], ty: &TensorType) -> Diagnostic {
    if ty.kind != Kind::Float {
        let error = last(
            graph,
            "E0332",
            format!("a layer gives Float, and this gives {}", ty.kind),
        )
        .at(format!("gives {} {ty}", ty.kind))
        .help("make it Float: `tensor.float(…)`");
        return told(error, graph, inputs);
    }
    let shown = match ty.shape.as_slice() {
        [] => "one number".to_owned(),
        _ => ty.to_string(),
    };
    let error = last(
        graph,
        "E0333",
        format!("a layer gives one result for each example, and this gives {shown}"),
    )
    .at(format!("gives {shown}"))
    .help("keep the batch as the first dimension, and work on the others: `dim = 1`");
    told(error, graph, inputs)
}

/// The first operation that the gradient does not go through.
fn no_gradient(graph: &Graph, inputs: &[Input], facts: &[Fact]) -> Diagnostic {
    let stops = graph.nodes.iter().enumerate().find(|(index, node)| {
        let fact = &facts[*index];
        let taken = node.args.values().flat_map(Arg::nodes);
        fact.depends && !fact.learned && taken.into_iter().any(|before| facts[before].learned)
    });
    let out = graph.params.first().map_or("out", String::as_str);
    let error = match stops {
        Some((index, node)) => {
            let name = super::operation::written(&node.op);
            error_at(
                &node.site,
                "E0334",
                format!("the loss has no gradient: {name} is flat almost everywhere"),
            )
            .at(format!("gives {}, which no gradient goes through", facts[index].ty.kind))
            .help("use what changes a little when the output does: `tensor.softmax`, `tensor.sigmoid`, a difference")
        }
        None => last(
            graph,
            "E0334",
            format!("the loss does not depend on the network's output, `{out}`"),
        )
        .at(format!("is the same whatever `{out}` is"))
        .help(format!("compare `{out}` with the targets")),
    };
    told(error, graph, inputs)
}

fn mixed(graph: &Graph, at: usize) -> Diagnostic {
    let node = &graph.nodes[at];
    let mut warning = error_at(
        &node.site,
        "E0336",
        "what this layer gives for an example depends on the others in its batch",
    );
    warning.severity = Severity::Warning;
    warning.at("goes over the batch").help(
        "work on the dimensions of an example: `dim = 1`; `nn.batch_norm` keeps its figures for evaluation",
    )
}
