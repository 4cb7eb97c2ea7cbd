//! The graph of a traced function.

use crate::shapes::Site;
use crate::spec::Datum;
use std::collections::BTreeMap;

/// What a traced function computes. Nodes stand after those that they take; the last is the result, and each is needed
/// for it. Equal operations on equal arguments are one node.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    /// What the person called the inputs.
    pub(crate) params: Vec<String>,
    pub(crate) nodes: Vec<Node>,
}

/// An operation: `input`, or a function of the library's module `tensor` (operators have names there too).
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) op: String,
    /// Its arguments by the function's parameters; those that are null are left out.
    pub(crate) args: BTreeMap<String, Arg>,
    /// Where a person wrote it. No part of the graph's meaning.
    pub(crate) site: Site,
}

/// An argument of an operation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Arg {
    /// What an earlier node gives, by its index.
    Node(usize),
    List(Vec<Arg>),
    /// A number or a truth value.
    Given(Datum),
}

impl Graph {
    /// The graph as specs have it: a list of variants in which `{"node": i}` is what the i-th of them gives.
    pub(crate) fn datum(&self) -> Datum {
        let nodes = self.nodes.iter().map(|node| {
            let args = node.args.iter().map(|(name, arg)| (name.clone(), arg.datum()));
            Datum::Variant(node.op.as_str().into(), args.collect())
        });
        Datum::List(nodes.collect())
    }
}

impl Arg {
    fn datum(&self) -> Datum {
        match self {
            Self::Node(index) => {
                let index = i64::try_from(*index).unwrap_or(i64::MAX);
                Datum::Map([("node", Datum::Int(index))].into())
            }
            Self::List(items) => Datum::List(items.iter().map(Self::datum).collect()),
            Self::Given(datum) => datum.clone(),
        }
    }

    /// The nodes in it.
    pub(crate) fn nodes(&self) -> Vec<usize> {
        match self {
            Self::Node(index) => vec![*index],
            Self::List(items) => items.iter().flat_map(Self::nodes).collect(),
            Self::Given(_) => Vec::new(),
        }
    }
}
