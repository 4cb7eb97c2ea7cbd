//! Views of written types.

use super::{Expr, TypeArgs, child, expr_child, views};
use crate::syntax::{Node, SyntaxKind, SyntaxToken};

views! {
    /// `Int`, `List[T]`, `lib.Config`, `Image(1, 28, 28)`.
    NamedType,
    /// `(1, 28, 28)` of a type.
    Dims,
    /// `(A) -> B`.
    FnType,
    /// `(A)` of `(A) -> B`.
    FnTypeParams,
    /// `typeof(e)`.
    TypeofType,
    /// `(T)`.
    ParenType,
    /// `{ a: T }`.
    RecordType,
    /// A field of a record type.
    RecordTypeField,
    /// `T?`.
    OptionalType,
}

/// A written type.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is the view of its name")]
pub enum Type<'t> {
    Named(NamedType<'t>),
    Fn(FnType<'t>),
    Typeof(TypeofType<'t>),
    Paren(ParenType<'t>),
    Record(RecordType<'t>),
    Optional(OptionalType<'t>),
}

impl<'t> Type<'t> {
    /// The view of `node`, if it is a type.
    pub fn cast(node: Node<'t>) -> Option<Self> {
        Some(match node.kind() {
            SyntaxKind::NamedType => Type::Named(NamedType(node)),
            SyntaxKind::FnType => Type::Fn(FnType(node)),
            SyntaxKind::TypeofType => Type::Typeof(TypeofType(node)),
            SyntaxKind::ParenType => Type::Paren(ParenType(node)),
            SyntaxKind::RecordType => Type::Record(RecordType(node)),
            SyntaxKind::OptionalType => Type::Optional(OptionalType(node)),
            _ => return None,
        })
    }

    /// The node.
    pub fn node(self) -> Node<'t> {
        match self {
            Type::Named(view) => view.0,
            Type::Fn(view) => view.0,
            Type::Typeof(view) => view.0,
            Type::Paren(view) => view.0,
            Type::Record(view) => view.0,
            Type::Optional(view) => view.0,
        }
    }
}

impl<'t> NamedType<'t> {
    /// Its names: those of modules, then its own.
    pub fn names(self) -> impl Iterator<Item = SyntaxToken<'t>> {
        self.0
            .tokens()
            .filter(|token| matches!(token.kind(), SyntaxKind::Lname | SyntaxKind::Uname))
    }

    /// Its type arguments.
    pub fn args(self) -> Option<TypeArgs<'t>> {
        child(self.0, TypeArgs::cast)
    }

    /// Its dimensions.
    pub fn dims(self) -> Option<Dims<'t>> {
        child(self.0, Dims::cast)
    }
}

impl<'t> Dims<'t> {
    /// Numbers, names and `_`.
    pub fn tokens(self) -> impl Iterator<Item = SyntaxToken<'t>> {
        self.0
            .tokens()
            .filter(|token| matches!(token.kind(), SyntaxKind::Int | SyntaxKind::Lname))
    }
}

impl<'t> FnType<'t> {
    /// The parameters' types.
    pub fn params(self) -> impl Iterator<Item = Type<'t>> {
        child(self.0, FnTypeParams::cast)
            .into_iter()
            .flat_map(|params| params.0.children())
            .filter_map(Type::cast)
    }

    /// The result's type.
    pub fn ret(self) -> Option<Type<'t>> {
        child(self.0, Type::cast)
    }
}

impl<'t> TypeofType<'t> {
    /// The expression whose type it is.
    pub fn expr(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> ParenType<'t> {
    /// The type in the parentheses.
    pub fn inner(self) -> Option<Type<'t>> {
        child(self.0, Type::cast)
    }
}

impl<'t> OptionalType<'t> {
    /// The type before the `?`.
    pub fn inner(self) -> Option<Type<'t>> {
        child(self.0, Type::cast)
    }
}

impl<'t> RecordType<'t> {
    /// The fields.
    pub fn fields(self) -> impl Iterator<Item = RecordTypeField<'t>> {
        self.0.children().filter_map(RecordTypeField::cast)
    }

    /// Whether `..` allows others.
    pub fn is_open(self) -> bool {
        self.0.token(SyntaxKind::DotDot).is_some()
    }
}

impl<'t> RecordTypeField<'t> {
    /// The name, or the string that it is written as.
    pub fn label(self) -> SyntaxToken<'t> {
        self.0.first_token()
    }

    /// Whether `?` stands after the name.
    pub fn is_optional(self) -> bool {
        self.0.token(SyntaxKind::Question).is_some()
    }

    /// The type.
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0, Type::cast)
    }

    /// The default.
    pub fn default(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}
