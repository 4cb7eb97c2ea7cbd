//! Views of patterns.

use super::{child, label_token, views};
use crate::syntax::{Node, SyntaxKind, SyntaxToken};

views! {
    /// `_`.
    WildcardPat,
    /// A name.
    BindPat,
    /// A number, string, truth value or null.
    LiteralPat,
    /// `{ a, b: p, .. }`.
    RecordPat,
    /// A field of a record pattern.
    PatField,
    /// `Color.Rgb(r, g = p)`.
    VariantPat,
    /// `(r, g = p)`.
    PatArgs,
    /// A field of a variant pattern.
    PatArg,
}

/// A pattern.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is the view of its name")]
pub enum Pattern<'t> {
    Wildcard(WildcardPat<'t>),
    Bind(BindPat<'t>),
    Literal(LiteralPat<'t>),
    Record(RecordPat<'t>),
    Variant(VariantPat<'t>),
}

impl<'t> Pattern<'t> {
    /// The view of `node`, if it is a pattern.
    pub fn cast(node: Node<'t>) -> Option<Self> {
        Some(match node.kind() {
            SyntaxKind::WildcardPat => Pattern::Wildcard(WildcardPat(node)),
            SyntaxKind::BindPat => Pattern::Bind(BindPat(node)),
            SyntaxKind::LiteralPat => Pattern::Literal(LiteralPat(node)),
            SyntaxKind::RecordPat => Pattern::Record(RecordPat(node)),
            SyntaxKind::VariantPat => Pattern::Variant(VariantPat(node)),
            _ => return None,
        })
    }

    /// The node.
    pub fn node(self) -> Node<'t> {
        match self {
            Pattern::Wildcard(view) => view.0,
            Pattern::Bind(view) => view.0,
            Pattern::Literal(view) => view.0,
            Pattern::Record(view) => view.0,
            Pattern::Variant(view) => view.0,
        }
    }
}

impl<'t> LiteralPat<'t> {
    /// Whether a minus stands before it.
    pub fn is_negative(self) -> bool {
        self.0.first_token().kind() == SyntaxKind::Minus
    }

    /// The literal.
    pub fn token(self) -> Option<SyntaxToken<'t>> {
        self.0.tokens().find(|token| token.kind() != SyntaxKind::Minus)
    }
}

impl<'t> RecordPat<'t> {
    /// The fields.
    pub fn fields(self) -> impl Iterator<Item = PatField<'t>> {
        self.0.children().filter_map(PatField::cast)
    }

    /// Whether `..` allows others.
    pub fn is_open(self) -> bool {
        self.0.token(SyntaxKind::DotDot).is_some()
    }
}

impl<'t> PatField<'t> {
    /// The name.
    pub fn label(self) -> SyntaxToken<'t> {
        self.0.first_token()
    }

    /// Whether a `:` was written; without one the name is bound.
    pub fn has_colon(self) -> bool {
        self.0.token(SyntaxKind::Colon).is_some()
    }

    /// The pattern after `:`.
    pub fn pattern(self) -> Option<Pattern<'t>> {
        child(self.0, Pattern::cast)
    }
}

impl<'t> VariantPat<'t> {
    /// Names of modules, of the enum, of the variant.
    pub fn names(self) -> impl Iterator<Item = SyntaxToken<'t>> {
        self.0
            .tokens()
            .filter(|token| matches!(token.kind(), SyntaxKind::Lname | SyntaxKind::Uname))
    }

    /// The patterns of its fields.
    pub fn args(self) -> impl Iterator<Item = PatArg<'t>> {
        child(self.0, PatArgs::cast)
            .into_iter()
            .flat_map(|args| args.0.children())
            .filter_map(PatArg::cast)
    }
}

impl<'t> PatArg<'t> {
    /// The label before `=`.
    pub fn label(self) -> Option<SyntaxToken<'t>> {
        label_token(self.0)
    }

    /// The pattern.
    pub fn pattern(self) -> Option<Pattern<'t>> {
        child(self.0, Pattern::cast)
    }
}
