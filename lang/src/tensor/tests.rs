//! The rules, one by one; messages are tested on whole pipelines.

use super::graph::{Arg, Graph, Node};
use super::infer::{Input, infer};
use super::operation::rule;
use super::shape::{Kind, Size, TensorType};
use crate::library::Library;
use crate::shapes::Site;
use crate::source::{SourceId, Span};
use crate::spec::{ByName, Datum};
use std::collections::BTreeMap;

fn site() -> Site {
    Site {
        span: Span {
            source: SourceId(0),
            start: 0,
            end: 1,
        },
        arguments: ByName::new(),
        notes: Vec::new(),
    }
}

/// Sizes as they are written here: `B` is the batch.
fn ty(text: &str) -> TensorType {
    let (kind, sizes) = text.split_once(' ').unwrap_or((text, ""));
    let kind = match kind {
        "Bool" => Kind::Bool,
        "Int" => Kind::Int,
        _ => Kind::Float,
    };
    let size = |size: &str| match size {
        "B" => Size::BATCH,
        size => Size::of(size.parse().unwrap()),
    };
    TensorType::new(kind, sizes.split_whitespace().map(size).collect())
}

fn number(value: i64) -> Arg {
    Arg::Given(Datum::Int(value))
}

fn numbers(values: &[i64]) -> Arg {
    Arg::List(values.iter().map(|value| number(*value)).collect())
}

/// What an operation gives of these tensors, its first parameters, and other arguments; or its message.
fn gives(op: &str, tensors: &[&str], others: &[(&str, Arg)]) -> String {
    let names: &[&str] = match op {
        "where" => &["condition", "x", "y"],
        "gather" => &["x", "index"],
        _ => &["x", "y"],
    };
    let inputs: Vec<Input> = tensors
        .iter()
        .map(|text| Input {
            ty: ty(text),
            learned: true,
            what: "given",
        })
        .collect();
    let mut nodes: Vec<Node> = (0..tensors.len())
        .map(|index| Node {
            op: "input".to_owned(),
            args: BTreeMap::from([("index".to_owned(), number(i64::try_from(index).unwrap()))]),
            site: site(),
        })
        .collect();
    let taken = |index: usize| Arg::Node(index);
    let mut args: BTreeMap<String, Arg> = match op {
        "cat" | "stack" => BTreeMap::from([(
            "tensors".to_owned(),
            Arg::List((0..tensors.len()).map(taken).collect()),
        )]),
        _ => (0..tensors.len())
            .map(|index| (names[index].to_owned(), taken(index)))
            .collect(),
    };
    args.extend(others.iter().map(|(name, arg)| ((*name).to_owned(), arg.clone())));
    nodes.push(Node {
        op: op.to_owned(),
        args,
        site: site(),
    });
    let graph = Graph {
        params: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
        nodes,
    };
    match infer(&graph, &inputs) {
        Ok(inferred) => {
            let fact = inferred.facts.last().unwrap();
            let warned = inferred
                .warnings
                .iter()
                .map(|warning| format!(" {}", warning.code));
            format!("{} {}{}", fact.ty.kind, fact.ty, warned.collect::<String>())
        }
        Err(error) => format!("{} {}", error.code, error.labels[0].text),
    }
}

#[test]
fn every_operation_of_the_library_has_a_rule() {
    let text = Library::standard().text("tensor").unwrap();
    let mut count = 0;
    for item in text.split("\nfn ").skip(1) {
        let head = item.split("\n#").next().unwrap();
        if head.trim_end().ends_with("= intrinsic") {
            let name = head.split('(').next().unwrap();
            assert!(rule(name).is_some(), "{name}");
            count += 1;
        }
    }
    assert!(count > 40, "{count}");
}

#[test]
fn broadcasting_is_pytorchs() {
    assert_eq!(
        gives("add", &["Float B 10", "Float 10"], &[]),
        "Float [batch, 10]"
    );
    assert_eq!(
        gives("mul", &["Float B 1 8", "Float 4 1"], &[]),
        "Float [batch, 4, 8]"
    );
    assert_eq!(gives("sub", &["Float B 10", "Float"], &[]), "Float [batch, 10]");
    assert_eq!(
        gives("sub", &["Float B 10", "Float B"], &[]),
        "E0330 10 and batch are not one size"
    );
    assert_eq!(
        gives("add", &["Float B 10", "Float B 3"], &[]),
        "E0330 10 and 3 are not one size"
    );
    assert_eq!(
        gives("sub", &["Float B 1", "Float B"], &[]),
        "Float [batch, batch] E0335"
    );
    // Meant: both say where they stand.
    assert_eq!(
        gives("sub", &["Float B 1 4", "Float 1 B 4"], &[]),
        "Float [batch, batch, 4]"
    );
}

#[test]
fn kinds_are_promoted() {
    assert_eq!(gives("add", &["Int B", "Float B"], &[]), "Float [batch]");
    assert_eq!(gives("mul", &["Int B"], &[("y", number(2))]), "Int [batch]");
    assert_eq!(gives("div", &["Int B"], &[("y", number(2))]), "Float [batch]");
    assert_eq!(gives("exp", &["Int B"], &[]), "Float [batch]");
    assert_eq!(gives("mul", &["Bool B", "Float B"], &[]), "Float [batch]");
    assert_eq!(
        gives("sub", &["Bool B", "Float B"], &[]),
        "E0332 is given Bool [batch] and Float [batch]"
    );
    assert_eq!(gives("eq", &["Int B", "Int B"], &[]), "Bool [batch]");
    assert_eq!(gives("sum", &["Bool B"], &[]), "Int []");
    assert_eq!(gives("mean", &["Int B"], &[]), "E0332 is given Int [batch]");
    assert_eq!(
        gives("pow", &["Int B"], &[("y", number(-1))]),
        "E0332 is given Int [batch]"
    );
    assert_eq!(
        gives("where", &["Bool B 1", "Float B 4", "Int"], &[]),
        "Float [batch, 4]"
    );
    assert_eq!(
        gives("where", &["Float B", "Float B", "Float B"], &[]),
        "E0332 is given Float [batch]"
    );
    assert_eq!(gives("logical_and", &["Bool B", "Bool B"], &[]), "Bool [batch]");
    assert_eq!(
        gives("logical_not", &["Int B"], &[]),
        "E0332 is given Int [batch]"
    );
}

#[test]
fn reductions() {
    let dim = |dim: i64| ("dim", number(dim));
    let keep = ("keepdim", Arg::Given(Datum::Bool(true)));
    assert_eq!(gives("mean", &["Float B 3 4"], &[]), "Float []");
    assert_eq!(gives("mean", &["Float B 3 4"], &[dim(1)]), "Float [batch, 4]");
    assert_eq!(
        gives("max", &["Float B 3 4"], &[dim(-1), keep.clone()]),
        "Float [batch, 3, 1]"
    );
    assert_eq!(
        gives("sum", &["Float B 3"], std::slice::from_ref(&keep)),
        "Float [1, 1]"
    );
    assert_eq!(gives("argmax", &["Float B 3"], &[dim(1)]), "Int [batch]");
    assert_eq!(gives("softmax", &["Float B 3"], &[dim(1)]), "Float [batch, 3]");
    assert_eq!(
        gives("softmax", &["Float B 3"], &[dim(2)]),
        "E0331 may be 0 to 1, or -2 to -1"
    );
    assert_eq!(gives("cumsum", &["Int B 3"], &[dim(0)]), "Int [batch, 3]");
    assert_eq!(
        gives("sum", &["Float"], &[dim(0)]),
        "E0331 there are no dimensions: it is one number"
    );
    assert_eq!(
        gives("sum", &["Float B"], &[dim(i64::MIN)]),
        "E0331 may be 0: there is one dimension"
    );
}

#[test]
fn products_of_matrices() {
    assert_eq!(
        gives("matmul", &["Float B 3", "Float 3 5"], &[]),
        "Float [batch, 5]"
    );
    assert_eq!(
        gives("matmul", &["Float B 2 3", "Float B 3 5"], &[]),
        "Float [batch, 2, 5]"
    );
    assert_eq!(
        gives("matmul", &["Float B 2 3", "Float 3"], &[]),
        "Float [batch, 2]"
    );
    assert_eq!(gives("matmul", &["Float 3", "Float 3"], &[]), "Float []");
    assert_eq!(
        gives("matmul", &["Float B 3", "Float 3 B"], &[]),
        "Float [batch, batch]"
    );
    assert_eq!(
        gives("matmul", &["Float B 3", "Float B 3"], &[]),
        "E0330 3 columns meet batch rows"
    );
    assert_eq!(
        gives("matmul", &["Float B 3", "Int 3 5"], &[]),
        "E0332 takes two tensors of one kind of number"
    );
    assert_eq!(
        gives("matmul", &["Float B 3", "Float"], &[]),
        "E0330 takes tensors with dimensions"
    );
}

#[test]
fn other_dimensions() {
    let at = |dim: i64| ("dim", number(dim));
    let shape = |sizes: &[i64]| [("shape", numbers(sizes))];
    assert_eq!(
        gives("reshape", &["Float B 3 4"], &shape(&[-1, 12])),
        "Float [batch, 12]"
    );
    assert_eq!(
        gives("reshape", &["Float B 3 4"], &shape(&[-1, 4])),
        "Float [3*batch, 4]"
    );
    assert_eq!(gives("reshape", &["Float 6"], &shape(&[2, 3])), "Float [2, 3]");
    assert_eq!(
        gives("reshape", &["Float B 3"], &shape(&[2, -1])),
        "E0330 holds 3*batch elements"
    );
    assert_eq!(
        gives("reshape", &["Float B 3"], &shape(&[4, 3])),
        "E0330 holds 3*batch elements"
    );
    let one = "E0331 has sizes of 1 or more, and at most one -1, which is what is left";
    assert_eq!(gives("reshape", &["Float B 3"], &shape(&[-1, -1])), one);
    assert_eq!(gives("reshape", &["Float B 3"], &shape(&[0, 3])), one);
    let ends = [("start_dim", number(1)), ("end_dim", number(-1))];
    assert_eq!(gives("flatten", &["Float B 3 4"], &ends), "Float [batch, 12]");
    let turned = [("dim0", number(-1)), ("dim1", number(0))];
    assert_eq!(
        gives("transpose", &["Float B 3 4"], &turned),
        "Float [4, 3, batch]"
    );
    assert_eq!(
        gives("permute", &["Float B 3 4"], &[("dims", numbers(&[0, -1, 1]))]),
        "Float [batch, 4, 3]"
    );
    for dims in [&[0, 0, 1][..], &[0, 1], &[0, 1, 3], &[0, 1, 2, 0]] {
        assert_eq!(
            gives("permute", &["Float B 3 4"], &[("dims", numbers(dims))]),
            "E0331 names each dimension once",
            "{dims:?}"
        );
    }
    assert_eq!(
        gives("unsqueeze", &["Float B 3"], &[at(-1)]),
        "Float [batch, 3, 1]"
    );
    assert_eq!(gives("squeeze", &["Float B 1"], &[at(1)]), "Float [batch]");
    assert_eq!(
        gives("squeeze", &["Float B 3"], &[at(1)]),
        "E0330 has 3 numbers there, not 1"
    );
    assert_eq!(
        gives("cat", &["Float B 3", "Float B 4"], &[at(1)]),
        "Float [batch, 7]"
    );
    assert_eq!(
        gives("cat", &["Float B 3", "Float B 3"], &[at(0)]),
        "Float [2*batch, 3]"
    );
    assert_eq!(
        gives("cat", &["Float B 3", "Float 4 3"], &[at(0)]),
        "E0330 the batch and a number cannot be added"
    );
    assert_eq!(
        gives("cat", &["Float B 3", "Float B"], &[at(1)]),
        "E0330 all sizes but those along it must be equal"
    );
    assert_eq!(gives("cat", &[], &[at(0)]), "E0331 needs a tensor");
    assert_eq!(
        gives("stack", &["Float B", "Int B"], &[at(1)]),
        "Float [batch, 2]"
    );
    assert_eq!(
        gives("stack", &["Float B", "Float 3"], &[at(1)]),
        "E0330 takes tensors of one shape"
    );
}

#[test]
fn choosing_by_number() {
    let at = |dim: i64, rest: &[(&'static str, i64)]| {
        let rest = rest.iter().map(|(name, value)| (*name, number(*value)));
        [("dim", number(dim))].into_iter().chain(rest).collect::<Vec<_>>()
    };
    assert_eq!(
        gives("select", &["Float B 3"], &at(1, &[("index", -1)])),
        "Float [batch]"
    );
    assert_eq!(
        gives("select", &["Float B 3"], &at(1, &[("index", 3)])),
        "E0331 may be 0 to 2: dimension 1 of [batch, 3]"
    );
    assert_eq!(
        gives("select", &["Float B 3"], &at(0, &[("index", 0)])),
        "E0331 how many examples there are is not known"
    );
    assert_eq!(
        gives("narrow", &["Float B 8"], &at(1, &[("start", 2), ("length", 6)])),
        "Float [batch, 6]"
    );
    assert_eq!(
        gives("narrow", &["Float B 8"], &at(1, &[("start", 2), ("length", 7)])),
        "E0331 may be 1 to 6 from 2 on: dimension 1 of [batch, 8]"
    );
    assert_eq!(
        gives("gather", &["Float B 10", "Int B 1"], &at(1, &[])),
        "Float [batch, 1]"
    );
    assert_eq!(
        gives("gather", &["Float B 10", "Int B"], &at(1, &[])),
        "E0330 all sizes but that of dimension 1 must be equal"
    );
    assert_eq!(
        gives("gather", &["Float B 10", "Float B 1"], &at(1, &[])),
        "E0332 is given Float [batch, 1]"
    );
    assert_eq!(
        gives("one_hot", &["Int B"], &[("num_classes", number(10))]),
        "Int [batch, 10]"
    );
    assert_eq!(
        gives("one_hot", &["Float B"], &[("num_classes", number(10))]),
        "E0332 is given Float [batch]"
    );
}
