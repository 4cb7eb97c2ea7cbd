//! A graph as people read it: `v1 = sigmoid(x)`.

use super::graph::{Arg, Graph, Node};
use super::infer::Fact;
use super::operation::sign;
use crate::spec::Datum;

/// Each operation, and the shape that it gives.
pub(super) fn lines(graph: &Graph, facts: &[Fact]) -> Vec<(String, String)> {
    let mut names = Vec::with_capacity(graph.nodes.len());
    let mut lines = Vec::new();
    for (node, fact) in graph.nodes.iter().zip(facts) {
        if node.op == "input" {
            names.push(graph.params.first().cloned().unwrap_or_else(|| "x".to_owned()));
            continue;
        }
        let name = format!("v{}", lines.len() + 1);
        lines.push((format!("{name} = {}", call(node, &names)), fact.ty.to_string()));
        names.push(name);
    }
    lines
}

fn call(node: &Node, names: &[String]) -> String {
    let side = |name: &str| {
        node.args
            .get(name)
            .map_or_else(String::new, |arg| shown(arg, names))
    };
    match (sign(&node.op), node.args.contains_key("y")) {
        (Some(sign), true) => format!("{} {sign} {}", side("x"), side("y")),
        (Some(sign), false) => format!("{sign}{}", side("x")),
        (None, _) => {
            let tensors = |arg: &Arg| !arg.nodes().is_empty();
            // Tensors first, as they are written; the others by name.
            let first = node
                .args
                .values()
                .filter(|arg| tensors(arg))
                .map(|arg| shown(arg, names));
            let rest = node.args.iter().filter(|(_, arg)| !tensors(arg));
            let rest = rest.map(|(name, arg)| format!("{name} = {}", shown(arg, names)));
            let all: Vec<_> = first.chain(rest).collect();
            format!("{}({})", node.op, all.join(", "))
        }
    }
}

fn shown(arg: &Arg, names: &[String]) -> String {
    match arg {
        Arg::Node(index) => names[*index].clone(),
        Arg::List(items) => {
            let items: Vec<_> = items.iter().map(|item| shown(item, names)).collect();
            format!("[{}]", items.join(", "))
        }
        Arg::Given(Datum::Int(value)) => value.to_string(),
        Arg::Given(Datum::Float(value)) => format!("{value:?}"),
        Arg::Given(Datum::Bool(value)) => value.to_string(),
        Arg::Given(_) => "null".to_owned(),
    }
}
