//! Core to code: one operation a node, in the same order.

use super::code::{
    Arm, Clause, Code, Element, ForOp, MapEntry, Op, OutputOp, Pattern, RecordEntry, RecordOp, VariantOp,
};
use super::names::Names;
use super::value::Value;
use crate::core::{self, Body, Captured, Const, Core, ForClause, Node, NodeId};
use crate::hir::Name;
use crate::spec::Datum;
use std::cell::Cell;

/// Compiles `body`; its code is the `id`-th.
pub(crate) fn compile<'c>(core: &'c Core, body: &'c Body, id: u32, names: &mut Names) -> Code<'c> {
    let mut compiler = Compiler {
        core,
        names,
        slots: body.slots,
    };
    Code {
        id,
        body,
        ops: body.nodes.iter().map(|node| compiler.node(node)).collect(),
        slots: body.slots,
    }
}

struct Compiler<'c, 'n> {
    core: &'c Core,
    names: &'n mut Names,
    slots: u32,
}

fn ids(nodes: &[NodeId]) -> Box<[u32]> {
    nodes.iter().map(|node| node.0).collect()
}

/// A constant as a value.
pub(crate) fn constant(constant: &Const) -> Value {
    match constant {
        Const::Null => Value::Null,
        Const::Bool(value) => Value::Bool(*value),
        Const::Int(value) => Value::Int(*value),
        Const::Float(value) => Value::Float(*value),
        Const::Duration(value) => Value::Duration(*value),
        Const::Bytes(value) => Value::Bytes(*value),
        Const::Str(value) => Value::str(value),
    }
}

impl<'c> Compiler<'c, '_> {
    fn node(&mut self, node: &'c Node) -> Op<'c> {
        match node {
            Node::Error => Op::Error,
            Node::Const(value) => Op::Const(constant(value)),
            Node::Interpolate(parts) => Op::Interpolate(ids(parts)),
            Node::Pieces(parts) => Op::Pieces(ids(parts)),
            Node::Path { source, parts } => Op::Path(*source, ids(parts)),
            Node::Local { slot, last: true } => Op::Take(slot.0),
            Node::Local { slot, last: false } => Op::Local(slot.0),
            Node::Capture(index) => Op::Local(self.slots + index),
            Node::Global(global) => Op::Global(*global),
            Node::Closure(function) => {
                let captures = &self.core.functions[function.0 as usize].captures;
                let slots = captures.iter().map(|captured| match captured {
                    Captured::Slot(slot) => slot.0,
                    Captured::Capture(index) => self.slots + index,
                });
                Op::Closure(*function, slots.collect())
            }
            Node::CallGlobal { function, args, .. } => Op::Call(*function, ids(args)),
            Node::CallValue { callee, args } => Op::CallValue(callee.0, ids(args)),
            Node::Default(body) => Op::Default(body, Cell::new(None)),
            Node::Field { base, name } => {
                Op::Field(base.0, self.names.symbol(name), Cell::new((u32::MAX, 0)))
            }
            Node::Index { base, index } => Op::Index(base.0, index.0),
            Node::MapIndex { base, key } => Op::MapIndex(base.0, key.0),
            Node::Neg(value) => Op::Neg(value.0),
            Node::Not(value) => Op::Not(value.0),
            Node::Binary { op, left, right } => Op::Binary(*op, left.0, right.0),
            Node::And(left, right) => Op::And(left.0, right.0),
            Node::Or(left, right) => Op::Or(left.0, right.0),
            Node::Coalesce(left, right) => Op::Coalesce(left.0, right.0),
            Node::If {
                condition,
                then,
                otherwise,
            } => Op::If(condition.0, then.0, otherwise.0),
            Node::Let { pattern, value, body } => match &**pattern {
                core::Pattern::Bind(slot) => Op::Bind(slot.0, value.0, body.0),
                pattern => Op::Let(Box::new(self.pattern(pattern)), value.0, body.0),
            },
            Node::Match { scrutinee, arms } => {
                Op::Match(scrutinee.0, arms.iter().map(|arm| self.arm(arm)).collect())
            }
            Node::List(elements) => Op::List(elements.iter().map(element).collect()),
            Node::Record(entries) => self.record(entries),
            Node::Map(entries) => Op::Map(entries.iter().map(map_entry).collect()),
            Node::Variant { name, fields } => self.variant(name, fields),
            Node::Output(declared) => Op::Output(Box::new(OutputOp {
                kind: self.names.symbol(&declared.kind),
                schema: declared.schema.clone().unwrap_or(Datum::Null),
                args: declared
                    .args
                    .iter()
                    .map(|(name, at)| (self.names.symbol(name), at.0))
                    .collect(),
            })),
            Node::ForList { clauses, element } => self.comprehension(clauses, None, element.0),
            Node::ForMap { clauses, key, value } => self.comprehension(clauses, Some(key.0), value.0),
            Node::Coerce { value, to } => Op::Coerce(value.0, *to),
            Node::Decode { value, schema } => Op::Decode(value.0, schema),
        }
    }

    fn record(&mut self, entries: &[core::RecordEntry]) -> Op<'c> {
        let entries: Box<[_]> = entries
            .iter()
            .map(|entry| match entry {
                core::RecordEntry::Field(name, at) => RecordEntry::Field(self.names.symbol(name), at.0),
                core::RecordEntry::Spread(at) => RecordEntry::Spread(at.0),
            })
            .collect();
        let mut fields = Vec::new();
        for entry in &entries {
            match entry {
                RecordEntry::Field(name, _) if !fields.contains(name) => fields.push(*name),
                _ => return Op::Record(Box::new(RecordOp { shape: None, entries })),
            }
        }
        let shape = Some(self.names.shape(&fields));
        Op::Record(Box::new(RecordOp { shape, entries }))
    }

    fn variant(&mut self, name: &Name, fields: &[(Name, NodeId)]) -> Op<'c> {
        let symbols: Vec<_> = fields.iter().map(|(field, _)| self.names.symbol(field)).collect();
        Op::Variant(Box::new(VariantOp {
            name: self.names.symbol(name),
            shape: self.names.shape(&symbols),
            fields: fields.iter().map(|(_, at)| at.0).collect(),
        }))
    }

    fn arm(&mut self, arm: &core::MatchArm) -> Arm {
        Arm {
            patterns: arm.patterns.iter().map(|pattern| self.pattern(pattern)).collect(),
            guard: arm.guard.map(|guard| guard.0),
            body: arm.body.0,
        }
    }

    fn pattern(&mut self, pattern: &core::Pattern) -> Pattern {
        match pattern {
            core::Pattern::Wildcard => Pattern::Wildcard,
            core::Pattern::Bind(slot) => Pattern::Bind(slot.0),
            core::Pattern::Null => Pattern::Null,
            core::Pattern::Bool(value) => Pattern::Bool(*value),
            core::Pattern::Int(value) => Pattern::Int(*value),
            core::Pattern::Str(value) => Pattern::Str(value.as_str().into()),
            core::Pattern::Record(fields) => Pattern::Record(self.fields(fields)),
            core::Pattern::Variant { name, fields } => {
                Pattern::Variant(self.names.symbol(name), self.fields(fields))
            }
        }
    }

    fn fields(&mut self, fields: &[(Name, core::Pattern)]) -> Box<[(super::names::Symbol, Pattern)]> {
        fields
            .iter()
            .map(|(name, pattern)| (self.names.symbol(name), self.pattern(pattern)))
            .collect()
    }

    fn comprehension(&mut self, clauses: &[ForClause], key: Option<u32>, value: u32) -> Op<'c> {
        let clauses = clauses
            .iter()
            .map(|clause| match clause {
                ForClause::For {
                    first,
                    second,
                    source,
                    ..
                } => Clause::For {
                    first: self.pattern(first),
                    second: second.as_ref().map(|pattern| self.pattern(pattern)),
                    source: source.0,
                },
                ForClause::If(condition) => Clause::If(condition.0),
            })
            .collect();
        Op::For(Box::new(ForOp { clauses, key, value }))
    }
}

fn element(element: &core::Element) -> Element {
    match element {
        core::Element::Item(at) => Element::Item(at.0),
        core::Element::Spread(at) => Element::Spread(at.0),
    }
}

fn map_entry(entry: &core::MapEntry) -> MapEntry {
    match entry {
        core::MapEntry::Item(key, value) => MapEntry::Item(key.0, value.0),
        core::MapEntry::Spread(at) => MapEntry::Spread(at.0),
    }
}
