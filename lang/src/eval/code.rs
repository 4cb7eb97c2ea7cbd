//! What the machine runs: a [`Body`] with names as symbols, records as shapes and captures as slots.
//!
//! Operation i is node i of the body, so spans are the body's own. [`super::compile`] makes it, on first use.

use super::names::{ShapeId, Symbol};
use super::value::Value;
use crate::core::{Body, Coercion, FunctionId, GlobalId};
use crate::hir::BinaryOp;
use crate::source::{SourceId, Span};
use crate::spec::Datum;
use std::cell::Cell;
use std::rc::Rc;

/// An index into [`Code::ops`].
pub(crate) type At = u32;

/// A compiled body.
#[derive(Debug)]
pub(crate) struct Code<'c> {
    /// Its number among all code of the machine.
    pub(crate) id: u32,
    pub(crate) body: &'c Body,
    pub(crate) ops: Vec<Op<'c>>,
    /// Slots of the frame, without captures; captures stand after them.
    pub(crate) slots: u32,
}

impl Code<'_> {
    pub(crate) fn span(&self, at: At) -> Span {
        self.body.spans[at as usize]
    }

    /// What the person called a slot.
    pub(crate) fn slot_name(&self, slot: u32) -> Option<&str> {
        let name = self.body.slot_names.get(slot as usize)?;
        (!name.is_empty()).then_some(name)
    }
}

/// An operation.
#[derive(Debug)]
pub(crate) enum Op<'c> {
    Error,
    Const(Value),
    Interpolate(Box<[At]>),
    Pieces(Box<[At]>),
    Path(SourceId, Box<[At]>),
    Local(u32),
    /// The last use: moves the value out.
    Take(u32),
    Global(GlobalId),
    Closure(FunctionId, Rc<[u32]>),
    Call(FunctionId, Box<[At]>),
    CallValue(At, Box<[At]>),
    Default(&'c Body, Cell<Option<u32>>),
    /// The cache holds the shape that was met last and the index in it.
    Field(At, Symbol, Cell<(u32, u32)>),
    Index(At, At),
    MapIndex(At, At),
    Neg(At),
    Not(At),
    Binary(BinaryOp, At, At),
    And(At, At),
    Or(At, At),
    Coalesce(At, At),
    If(At, At, At),
    /// `let name = value`.
    Bind(u32, At, At),
    Let(Box<Pattern>, At, At),
    Match(At, Box<[Arm]>),
    List(Box<[Element]>),
    Record(Box<RecordOp>),
    Map(Box<[MapEntry]>),
    Variant(Box<VariantOp>),
    Output(Box<OutputOp>),
    For(Box<ForOp>),
    Coerce(At, Coercion),
    Decode(At, &'c Datum),
}

/// What destructures.
#[derive(Debug)]
pub(crate) enum Pattern {
    Wildcard,
    Bind(u32),
    Null,
    Bool(bool),
    Int(i64),
    Str(Box<str>),
    Record(Box<[(Symbol, Pattern)]>),
    Variant(Symbol, Box<[(Symbol, Pattern)]>),
}

/// An arm of a match.
#[derive(Debug)]
pub(crate) struct Arm {
    pub(crate) patterns: Box<[Pattern]>,
    pub(crate) guard: Option<At>,
    pub(crate) body: At,
}

/// An element of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Element {
    Item(At),
    Spread(At),
}

/// A record: `shape` is known where nothing is spread and no field is written twice.
#[derive(Debug)]
pub(crate) struct RecordOp {
    pub(crate) shape: Option<ShapeId>,
    pub(crate) entries: Box<[RecordEntry]>,
}

/// An entry of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RecordEntry {
    Field(Symbol, At),
    Spread(At),
}

/// An entry of a map.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MapEntry {
    Item(At, At),
    Spread(At),
}

/// A variant.
#[derive(Debug)]
pub(crate) struct VariantOp {
    pub(crate) name: Symbol,
    pub(crate) shape: ShapeId,
    pub(crate) fields: Box<[At]>,
}

/// A declared output.
#[derive(Debug)]
pub(crate) struct OutputOp {
    pub(crate) kind: Symbol,
    pub(crate) args: Box<[(Symbol, At)]>,
    /// What it must hold.
    pub(crate) schema: Datum,
}

/// A comprehension.
#[derive(Debug)]
pub(crate) struct ForOp {
    pub(crate) clauses: Box<[Clause]>,
    /// The key, of a map.
    pub(crate) key: Option<At>,
    pub(crate) value: At,
}

/// A clause of a comprehension.
#[derive(Debug)]
pub(crate) enum Clause {
    For {
        first: Pattern,
        second: Option<Pattern>,
        source: At,
    },
    If(At),
}
