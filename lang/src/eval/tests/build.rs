//! A checked program, node by node.

use crate::core::{
    Body, Captured, Const, Core, Function, FunctionCode, FunctionId, Global, GlobalId, GlobalKind, Node,
    NodeId, Slot,
};
use crate::eval::{Demand, Outcome, Render, Request, evaluate};
use crate::hir::{BinaryOp, Name};
use crate::source::{SourceId, Sources, Span};

/// A body under construction; node i stands at bytes i to i + 1.
#[derive(Default)]
pub(super) struct Nodes(Vec<Node>);

impl Nodes {
    pub(super) fn add(&mut self, node: Node) -> NodeId {
        self.0.push(node);
        NodeId((self.0.len() - 1) as u32)
    }

    pub(super) fn int(&mut self, value: i64) -> NodeId {
        self.add(Node::Const(Const::Int(value)))
    }

    pub(super) fn local(&mut self, slot: u32) -> NodeId {
        self.add(Node::Local {
            slot: Slot(slot),
            last: false,
        })
    }

    pub(super) fn last(&mut self, slot: u32) -> NodeId {
        self.add(Node::Local {
            slot: Slot(slot),
            last: true,
        })
    }

    pub(super) fn binary(&mut self, op: BinaryOp, left: NodeId, right: NodeId) -> NodeId {
        self.add(Node::Binary { op, left, right })
    }

    pub(super) fn call(&mut self, function: FunctionId, args: Vec<NodeId>) -> NodeId {
        let written = (0..args.len() as u32).map(Some).collect();
        self.add(Node::CallGlobal {
            function,
            args: args.into(),
            written,
        })
    }

    /// The body whose root is the last node.
    pub(super) fn body(self, slots: u32) -> Body {
        let source = SourceId(0);
        let spans = (0..self.0.len() as u32)
            .map(|start| Span {
                source,
                start,
                end: start + 1,
            })
            .collect();
        Body {
            root: NodeId((self.0.len() - 1) as u32),
            nodes: self.0,
            spans,
            slots,
            slot_names: Vec::new(),
        }
    }
}

/// A program under construction.
#[derive(Default)]
pub(super) struct Program(Core);

impl Program {
    pub(super) fn function(&mut self, name: &str, params: &[&str], code: FunctionCode) -> FunctionId {
        self.0.functions.push(Function {
            name: name.into(),
            params: params.iter().map(|param| Name::from(*param)).collect(),
            code,
            captures: Vec::new(),
        });
        FunctionId((self.0.functions.len() - 1) as u32)
    }

    pub(super) fn lambda(&mut self, params: &[&str], body: Body, captures: Vec<Captured>) -> FunctionId {
        let function = self.function("λ", params, FunctionCode::Body(body));
        self.0.functions[function.0 as usize].captures = captures;
        function
    }

    pub(super) fn intrinsic(&mut self, name: &str, params: &[&str]) -> FunctionId {
        self.function(name, params, FunctionCode::Intrinsic { result: None })
    }

    pub(super) fn binding(&mut self, name: &str, body: Body) -> GlobalId {
        let id = GlobalId(self.0.globals.len() as u32);
        let at = self.0.globals.len() as u32;
        self.0.globals.push(Global {
            name: name.into(),
            item: None,
            span: Span {
                source: SourceId(0),
                start: at,
                end: at + 1,
            },
            kind: GlobalKind::Value(body),
        });
        self.0.entry.push((name.into(), id));
        id
    }

    /// Evaluates all bindings: `name = value` lines, then messages.
    pub(super) fn outcome(&self) -> Outcome {
        let mut sources = Sources::default();
        sources.add("pipeline.mlp", "0123456789".repeat(20));
        evaluate(Request {
            core: &self.0,
            sources: &sources,
            demand: &Demand::All,
            render: Render::Text,
        })
    }

    pub(super) fn text(&self) -> String {
        let outcome = self.outcome();
        let values = outcome
            .values
            .iter()
            .map(|shown| format!("{} = {}", shown.label, shown.text));
        let errors = outcome
            .diagnostics
            .iter()
            .map(|error| format!("{} {}", error.code, error.message));
        values.chain(errors).collect::<Vec<_>>().join("\n")
    }
}
