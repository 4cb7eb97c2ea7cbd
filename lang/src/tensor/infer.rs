//! The pass through a graph: a kind and shape for every operation.

use super::graph::{Arg, Graph};
use super::operation::{Call, Made, rule};
use super::shape::{TensorType, elements};
use crate::diagnostic::Diagnostic;
use crate::shapes::Site;
use crate::spec::Datum;

/// As many as PyTorch takes.
const MOST_DIMENSIONS: usize = 64;

/// What a traced function is fed.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) ty: TensorType,
    /// Whether a loss is to have a gradient with regard to it.
    pub(crate) learned: bool,
    /// What it is: "the network's output".
    pub(crate) what: &'static str,
}

/// What is known of an operation.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) ty: TensorType,
    /// Whether a gradient reaches it from a learned input.
    pub(super) learned: bool,
    /// Whether it depends on a learned input at all.
    pub(super) depends: bool,
    /// The first operation on the way that mixes the examples of a batch.
    pub(super) mixes: Option<usize>,
    /// Operations an example.
    pub(super) flops: u128,
}

/// What the graph gives, and warnings on the way.
pub(super) struct Inferred {
    pub(super) facts: Vec<Fact>,
    pub(super) warnings: Vec<Diagnostic>,
}

/// Gives every operation its kind and shape.
pub(super) fn infer(graph: &Graph, inputs: &[Input]) -> Result<Inferred, Box<Diagnostic>> {
    let mut facts: Vec<Fact> = Vec::with_capacity(graph.nodes.len());
    let mut warnings = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        if node.op == "input" {
            facts.push(of_input(node.args.get("index"), inputs));
            continue;
        }
        let call = Call {
            node,
            nodes: &graph.nodes,
            facts: &facts,
        };
        let made = match rule(&node.op) {
            Some(rule) => rule(&call),
            None => Err(call
                .wrong_kind(format!("{} has no rule", call.name()), "cannot be traced yet")
                .into()),
        };
        let made = made.and_then(|made| {
            if made.ty.rank() > MOST_DIMENSIONS {
                let message = format!("{} gives {} dimensions", call.name(), made.ty.rank());
                let label = format!("a tensor has at most {MOST_DIMENSIONS}");
                return Err(call.misfit(message, label).into());
            }
            Ok(made)
        });
        let mut made = made.map_err(|error| Box::new(told(*error, graph, inputs)))?;
        if let Some(warning) = made.warning.take() {
            warnings.push(told(*warning, graph, inputs));
        }
        let fact = after(&call, made, index);
        facts.push(fact);
    }
    Ok(Inferred { facts, warnings })
}

fn of_input(index: Option<&Arg>, inputs: &[Input]) -> Fact {
    let index = match index {
        Some(Arg::Given(Datum::Int(index))) => usize::try_from(*index).unwrap_or(0),
        _ => 0,
    };
    let input = &inputs[index.min(inputs.len() - 1)];
    Fact {
        ty: input.ty.clone(),
        learned: input.learned,
        depends: input.learned,
        mixes: None,
        flops: 0,
    }
}

fn after(call: &Call<'_>, made: Made, index: usize) -> Fact {
    let taken: Vec<&Fact> = call
        .node
        .args
        .values()
        .flat_map(Arg::nodes)
        .map(|index| &call.facts[index])
        .collect();
    let before = taken.iter().find_map(|fact| fact.mixes);
    let each = u128::try_from(elements(&made.ty.shape).count).unwrap_or(0);
    Fact {
        learned: made.smooth && taken.iter().any(|fact| fact.learned),
        depends: taken.iter().any(|fact| fact.depends),
        mixes: before.or(made.mixes.then_some(index)),
        flops: each.saturating_add(made.work),
        ty: made.ty,
    }
}

/// The message with what the inputs are.
pub(super) fn told(error: Diagnostic, graph: &Graph, inputs: &[Input]) -> Diagnostic {
    let said: Vec<_> = graph
        .params
        .iter()
        .zip(inputs)
        .map(|(name, input)| format!("`{name}` is {}, {} {}", input.what, input.ty.kind, input.ty))
        .collect();
    let mut error = error;
    error.notes.insert(0, said.join("; "));
    error
}

/// An error at a place.
pub(super) fn error_at(site: &Site, code: &'static str, message: impl Into<String>) -> Diagnostic {
    let mut error = Diagnostic::error(code, site.span, message);
    error.notes.clone_from(&site.notes);
    error
}
