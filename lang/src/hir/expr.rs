//! Expressions with names resolved, and what stands in them: data of imports, arguments, arms, entries, clauses. Part of
//! the resolved program that [`crate::hir`] describes.

use super::{ExprId, ItemRef, LocalId, Name, PatId, TypeId};
use crate::source::{SourceId, Span};

/// An expression.
#[derive(Clone, Debug)]
pub enum Expr {
    /// Reported already.
    Error,
    /// `null`.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer, its sign folded in.
    Int(i64),
    /// A number with a point or exponent.
    Float(f64),
    /// Milliseconds.
    Duration(i64),
    /// Bytes.
    Bytes(i64),
    /// A string; a plain one has at most one `Text` part.
    Str(Vec<StrPart>),
    /// `./…`: parts make up the path relative to the module's directory.
    Path(Vec<StrPart>),
    /// A local.
    Local(LocalId),
    /// A value, param or function of this or another module.
    Item(ItemRef),
    /// `Color.Red`, or `Red` alone (then the expected type says of which enum).
    Variant {
        /// The enum, where it is written.
        of: Option<ItemRef>,
        /// The variant's name.
        name: Name,
    },
    /// A type's name where a value stands, as in `File("a")`, `Metrics[R]("m.json")`, `Dataset(…)`.
    Constructor {
        /// The name.
        name: Name,
        /// Written type arguments.
        targs: Vec<TypeId>,
    },
    /// `base.name`.
    Field {
        /// The value.
        base: ExprId,
        /// The field.
        name: Name,
        /// Where the field's name stands.
        name_span: Span,
    },
    /// `base[index]`.
    Index {
        /// The value.
        base: ExprId,
        /// The index.
        index: ExprId,
    },
    /// `callee[T](args)`.
    Call {
        /// The function.
        callee: ExprId,
        /// Written type arguments, none where nothing is written.
        targs: Box<[TypeId]>,
        /// The arguments as written; a piped value is the first positional one.
        args: Box<[Arg]>,
    },
    /// `-x`.
    Neg(ExprId),
    /// `not x`.
    Not(ExprId),
    /// `a + b`, and so on; chains are nested to the left, `**` and `??` to the right.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Where the operator stands.
        op_span: Span,
        /// The left operand.
        left: ExprId,
        /// The right operand.
        right: ExprId,
    },
    /// `if c then a else b`.
    If {
        /// The condition.
        condition: ExprId,
        /// The value when it holds.
        then: ExprId,
        /// The value when it does not.
        otherwise: ExprId,
    },
    /// `match x { … }`.
    Match {
        /// What is matched.
        scrutinee: ExprId,
        /// The arms in order.
        arms: Vec<Arm>,
    },
    /// `let p: T = value` before `body`.
    Let {
        /// What is bound: an irrefutable pattern.
        pat: PatId,
        /// The annotation.
        ty: Option<TypeId>,
        /// The value.
        value: ExprId,
        /// What comes after.
        body: ExprId,
    },
    /// `(a, b: T) => body`.
    Lambda {
        /// The parameters.
        params: Vec<(LocalId, Option<TypeId>)>,
        /// The body.
        body: ExprId,
    },
    /// `[a, ...b]`.
    List(Vec<Element>),
    /// `{ a: 1, ...b, "c": 2, [k]: 3 }`: a record, or a map or Json where one is expected.
    Record(Vec<Entry>),
    /// `[body for … ]` and `{ key: body for … }`.
    For {
        /// What each round gives.
        yields: Yield,
        /// `for` and `if` clauses, outermost first.
        clauses: Vec<Clause>,
    },
    /// `import ./params.yaml as T`.
    ImportData {
        /// The path from the project's root, where it is a plain one.
        path: Name,
        /// Where the path stands.
        path_span: Span,
        /// The type that the data must have.
        ty: TypeId,
        /// The data's source and content; `None` where it could not be read (reported).
        data: Option<Box<DataFile>>,
    },
}

/// A data file that was read and parsed.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// Its text.
    pub source: SourceId,
    /// Its content.
    pub value: DataNode,
}

/// A value of a data file, with its place.
#[derive(Clone, Debug)]
pub struct DataNode {
    /// Where it stands in the data file.
    pub span: Span,
    /// What it is.
    pub value: DataValue,
}

/// What a data file can hold.
#[derive(Clone, Debug)]
pub enum DataValue {
    /// null.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A string.
    Str(Name),
    /// A list.
    List(Vec<DataNode>),
    /// Keys with their places, in the order of the file, each once.
    Map(Vec<(Name, Span, DataNode)>),
}

/// A part of a string or path.
#[derive(Clone, Debug)]
pub enum StrPart {
    /// Text, escapes replaced.
    Text(Name),
    /// `${…}`.
    Interpolation(ExprId),
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub struct Arg {
    /// `label =`, if written, and where.
    pub label: Option<(Name, Span)>,
    /// Whether `...` stands before it.
    pub spread: bool,
    /// The value.
    pub value: ExprId,
}

/// An arm of a `match`.
#[derive(Clone, Debug)]
pub struct Arm {
    /// Alternatives; each binds the same names, whose locals are shared.
    pub pats: Vec<PatId>,
    /// `if` after the pattern.
    pub guard: Option<ExprId>,
    /// The value.
    pub body: ExprId,
}

/// An element of a list.
#[derive(Clone, Debug)]
pub enum Element {
    /// A value.
    Item(ExprId),
    /// `...xs`.
    Spread(ExprId),
}

/// An entry of a record or map.
#[derive(Clone, Debug)]
pub enum Entry {
    /// `name: value`, or `"name": value` when `quoted`.
    Field {
        /// The name.
        name: Name,
        /// Where it stands.
        name_span: Span,
        /// Whether it was written as a string (then a map is meant if it is no label).
        quoted: bool,
        /// The value.
        value: ExprId,
    },
    /// `[key]: value`.
    Computed {
        /// The key.
        key: ExprId,
        /// The value.
        value: ExprId,
    },
    /// `...record`.
    Spread(ExprId),
}

/// What a comprehension gives each round.
#[derive(Clone, Debug)]
pub enum Yield {
    /// An element.
    Element(ExprId),
    /// A key and a value.
    Entry(ExprId, ExprId),
}

/// A clause of a comprehension.
#[derive(Clone, Debug)]
pub enum Clause {
    /// `for a, b in source`: over a list `a` is the element; with two patterns over a list they are index and element,
    /// over a map key and value.
    For {
        /// The first pattern.
        first: PatId,
        /// The second, if written.
        second: Option<PatId>,
        /// What is run through.
        source: ExprId,
    },
    /// `if condition`.
    If(ExprId),
}

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as it is written")]
pub enum BinaryOp {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// `??`
    Coalesce,
    Add,
    Sub,
    Mul,
    Div,
    /// `//`
    FloorDiv,
    /// `%`
    Mod,
    /// `**`
    Pow,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_small() {
        assert!(size_of::<Expr>() <= 56, "{}", size_of::<Expr>());
    }
}
