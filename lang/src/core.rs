//! The checked, elaborated program: what the checker makes and the evaluator runs.
//!
//! Plain data. Every default is written in, every coercion is a node, every call is positional, every local is a slot,
//! every captured local is listed. The evaluator trusts it: a node whose operands have the wrong kind is a bug of the
//! checker, not of the user. What did not check is `Error`, whose evaluation fails silently (it was reported).

use crate::hir::{BinaryOp, ItemRef, Name};
use crate::source::{SourceId, Span};
use crate::summary::Tables;
use std::sync::Arc;

/// A checked program.
#[derive(Clone, Debug, Default)]
pub struct Core {
    /// Values, params and functions of all modules.
    pub globals: Vec<Global>,
    /// Bindings of the entry module in the order of the file, by name: what targets are found in.
    pub entry: Vec<(Name, GlobalId)>,
    /// The expression at the end of the entry file.
    pub result: Option<GlobalId>,
    /// Functions and lambdas.
    pub functions: Vec<Function>,
    /// Values that are remembered.
    pub tables: Arc<Tables>,
}

/// An index into [`Core::globals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GlobalId(pub u32);

/// An index into [`Core::functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub u32);

/// An index into [`Body::nodes`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// A slot of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u32);

/// A top-level binding.
#[derive(Clone, Debug)]
pub struct Global {
    /// Its name.
    pub name: Name,
    /// Where it came from.
    pub item: Option<ItemRef>,
    /// Where its name stands.
    pub span: Span,
    /// What it is.
    pub kind: GlobalKind,
}

/// What a global is.
#[derive(Clone, Debug)]
pub enum GlobalKind {
    /// Evaluated on demand, once.
    Value(Body),
    /// Evaluated on demand, once.
    Param {
        /// The value from outside, else the default; a param without either must be set.
        value: Option<Body>,
    },
    /// A function.
    Function(FunctionId),
    /// A value of [`Core::tables`]; none where it is not remembered.
    Remembered(Option<u32>),
}

/// Code with its own frame.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// Nodes; operands come before what uses them.
    pub nodes: Vec<Node>,
    /// Where each node stands.
    pub spans: Vec<Span>,
    /// The outermost node.
    pub root: NodeId,
    /// Slots that the frame needs.
    pub slots: u32,
    /// What each slot is called where the person named it, empty else: specs made in `let fit = …` and
    /// `for lr in …` are named after it. May be shorter than `slots`.
    pub slot_names: Vec<Name>,
}

/// A function or lambda. Parameters are slots 0 to n-1.
#[derive(Clone, Debug)]
pub struct Function {
    /// `nn.conv2d`, `cnn`; `λ` for a lambda.
    pub name: Name,
    /// Labels of the parameters.
    pub params: Vec<Name>,
    /// What runs.
    pub code: FunctionCode,
    /// Slots of the maker's frame (or, where the maker is itself a lambda, its captures) that are copied into the
    /// closure, in order; `Node::Capture(i)` is the i-th.
    pub captures: Vec<Captured>,
}

/// Where a capture comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Captured {
    /// A slot of the maker's frame.
    Slot(Slot),
    /// A capture of the maker.
    Capture(u32),
}

/// What a function runs.
#[derive(Clone, Debug)]
pub enum FunctionCode {
    /// `.mlp` code.
    Body(Body),
    /// Code of the evaluator, found by the function's qualified name (`list.map`). One that is not in the evaluator's
    /// table and whose result is a nominal type of descriptions makes a variant of its own name and parameters.
    Intrinsic {
        /// `Layer`, `Loss`, `Metric`, `Optimizer`, `Schedule`, `Codec`, …: the head of the result type, if it has one.
        result: Option<Name>,
    },
}

/// An operation.
#[derive(Clone, Debug)]
pub enum Node {
    /// Fails silently: it was reported.
    Error,
    /// A constant.
    Const(Const),
    /// A plain string of parts, each a Str, Int, Float, Bool, Duration, Bytes or enum without fields.
    Interpolate(Vec<NodeId>),
    /// A command-line argument of parts, each as above or a path, artifact or late value.
    Pieces(Vec<NodeId>),
    /// A path relative to the directory of `source`, from parts.
    Path {
        /// The file in which it is written.
        source: SourceId,
        /// Str parts.
        parts: Vec<NodeId>,
    },
    /// A slot. `last`: nothing reads the slot after this on any way, so the value may be moved out.
    Local {
        /// Which.
        slot: Slot,
        /// Whether it is the last use.
        last: bool,
    },
    /// A capture of the running closure.
    Capture(u32),
    /// A global's value; a function as a value.
    Global(GlobalId),
    /// A closure of a lambda.
    Closure(FunctionId),
    /// A call of a known function. Arguments are all there, in the order of the parameters.
    CallGlobal {
        /// The function.
        function: FunctionId,
        /// Its arguments; evaluated in this order.
        args: Box<[NodeId]>,
        /// The order in which they were written, for names by interval: `args[i]` stood at `labels[i]`; `None` for
        /// defaults.
        written: Box<[Option<u32>]>,
    },
    /// A call of a function value.
    CallValue {
        /// The function.
        callee: NodeId,
        /// Its arguments.
        args: Vec<NodeId>,
    },
    /// A default that reads nothing of the call, evaluated in a frame of its own. (A constant one is a `Const`; one
    /// that reads earlier parameters is a `CallGlobal` of a function of them.)
    Default(Arc<Body>),
    /// `base.name` of a record, enum variant or artifact.
    Field {
        /// The value.
        base: NodeId,
        /// The field.
        name: Name,
    },
    /// `base[index]` of a list.
    Index {
        /// The list.
        base: NodeId,
        /// The index; negative ones are errors.
        index: NodeId,
    },
    /// `base[key]` of a map (Str keys).
    MapIndex {
        /// The map.
        base: NodeId,
        /// The key.
        key: NodeId,
    },
    /// `-x` of Int, Float or Duration, or late.
    Neg(NodeId),
    /// `not x`.
    Not(NodeId),
    /// Any operator but `or`, `and`, `??`. Both operands have one type, save for `/` (Float from two Ints), Duration and
    /// Bytes scaled by a number. A late operand makes a late result.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// The left operand.
        left: NodeId,
        /// The right operand.
        right: NodeId,
    },
    /// `a and b`.
    And(NodeId, NodeId),
    /// `a or b`.
    Or(NodeId, NodeId),
    /// `a ?? b`.
    Coalesce(NodeId, NodeId),
    /// `if`.
    If {
        /// The condition.
        condition: NodeId,
        /// When it holds.
        then: NodeId,
        /// When it does not.
        otherwise: NodeId,
    },
    /// Binds `value` to a slot, and to the parts that `pattern` names, then runs `body`.
    Let {
        /// The pattern: irrefutable.
        pattern: Box<Pattern>,
        /// The value.
        value: NodeId,
        /// The rest.
        body: NodeId,
    },
    /// The first arm whose pattern and guard hold; the checker has shown that there is one.
    Match {
        /// What is matched.
        scrutinee: NodeId,
        /// The arms.
        arms: Vec<MatchArm>,
    },
    /// A list.
    List(Vec<Element>),
    /// A record: fields in the written order, later ones over earlier ones. Fields of a declared type that were not
    /// written are appended by the checker.
    Record(Vec<RecordEntry>),
    /// A map: keys are Str.
    Map(Vec<MapEntry>),
    /// An enum's value.
    Variant {
        /// The variant's name.
        name: Name,
        /// Its fields, in order of declaration; without a label the name is `0`, `1`, ….
        fields: Box<[(Name, NodeId)]>,
    },
    /// A declared output of a step: `File("m.bin")`, `Metrics[{ auc: Float }]("m.json")`.
    Output(Box<Declared>),
    /// A comprehension that gives a list: `clauses` run as nested loops around `element`.
    ForList {
        /// The clauses, outermost first.
        clauses: Vec<ForClause>,
        /// What each round gives.
        element: NodeId,
    },
    /// A comprehension that gives a map.
    ForMap {
        /// The clauses, outermost first.
        clauses: Vec<ForClause>,
        /// The key of each round.
        key: NodeId,
        /// The value of each round.
        value: NodeId,
    },
    /// A value of another type in the place of one that is expected.
    Coerce {
        /// The value.
        value: NodeId,
        /// How.
        to: Coercion,
    },
    /// A Json value held against a type: `decode[T](json)`, and imports of data that were not ground at check.
    Decode {
        /// The value.
        value: NodeId,
        /// The type: `Str("Int")`, `"Float"`, `"Bool"`, `"Str"`, `"Json"`; `Variant("List", {of})`, `"Map"` and
        /// `"Optional"` alike; `Variant("Record", {fields: [{name, type, default?}]})`, where `default` is the data of
        /// a default (a field without one is required); `Variant("Enum", {name, variants: [{name, fields: [{name,
        /// type}]}]})`, whose data is the variant's name, or `{"kind": name, …fields}`. Schemas of `Metrics` outputs are
        /// written in the same way.
        schema: Box<crate::spec::Datum>,
    },
}

/// A declared output.
#[derive(Clone, Debug)]
pub struct Declared {
    /// `File`, `Dir`, `Metrics`, `Plot`, `Dataset`, `Model`, `Predictions`, `State`.
    pub kind: Name,
    /// The arguments by label (`path` and what the kind has besides).
    pub args: Vec<(Name, NodeId)>,
    /// The type argument as a datum that says what the file must hold, where there is one.
    pub schema: Option<crate::spec::Datum>,
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Const {
    /// null.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float (also an integer literal where a Float is wanted).
    Float(f64),
    /// Milliseconds.
    Duration(i64),
    /// Bytes.
    Bytes(i64),
    /// A string.
    Str(Name),
}

/// A change of form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coercion {
    /// Str, Path, artifact or late value to a command's argument.
    Arg,
}

/// What destructures.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Anything.
    Wildcard,
    /// Anything, into a slot.
    Bind(Slot),
    /// null.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A string.
    Str(Name),
    /// Fields of a record.
    Record(Vec<(Name, Pattern)>),
    /// A variant with patterns of (some of) its fields.
    Variant {
        /// The variant's name.
        name: Name,
        /// Patterns by field.
        fields: Vec<(Name, Pattern)>,
    },
}

/// An arm.
#[derive(Clone, Debug)]
pub struct MatchArm {
    /// Alternatives, which bind the same slots.
    pub patterns: Vec<Pattern>,
    /// The guard.
    pub guard: Option<NodeId>,
    /// The value.
    pub body: NodeId,
}

/// An element of a list.
#[derive(Clone, Debug)]
pub enum Element {
    /// A value.
    Item(NodeId),
    /// The elements of a list.
    Spread(NodeId),
}

/// An entry of a record.
#[derive(Clone, Debug)]
pub enum RecordEntry {
    /// A field.
    Field(Name, NodeId),
    /// The fields of a record.
    Spread(NodeId),
}

/// An entry of a map.
#[derive(Clone, Debug)]
pub enum MapEntry {
    /// A key and a value.
    Item(NodeId, NodeId),
    /// The entries of a map or record.
    Spread(NodeId),
}

/// A clause of a comprehension.
#[derive(Clone, Debug)]
pub enum ForClause {
    /// Over the elements of a list, or the entries of a map.
    For {
        /// Element; index when `second` is there; key of a map.
        first: Pattern,
        /// Element, or value of a map.
        second: Option<Pattern>,
        /// What is run through.
        source: NodeId,
        /// Whether `source` is a map.
        map: bool,
    },
    /// Goes on only where it holds.
    If(NodeId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_small() {
        assert!(size_of::<Node>() <= 48, "{}", size_of::<Node>());
    }
}
