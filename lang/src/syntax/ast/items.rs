//! Views of a file and its items.

use super::{Expr, Pattern, Type, child, doc_line, expr_child, label_token, name_token, views};
use crate::syntax::{Node, SyntaxKind, SyntaxToken};

views! {
    /// A file.
    File,
    /// `import ./lib.mlp as lib`.
    ImportFile,
    /// `import std.{nn, ml}`.
    ImportStd,
    /// `param lr: Float = 0.1`.
    Param,
    /// `type Config = …`.
    TypeItem,
    /// `enum Color { … }`.
    EnumItem,
    /// A variant of an enum.
    Variant,
    /// A field of a variant.
    VariantField,
    /// `fn`.
    FnItem,
    /// `[T, U]`.
    TypeParams,
    /// The parameters of a function.
    FnParams,
    /// A parameter of a function.
    FnParam,
    /// `name = value`.
    Binding,
}

/// An item.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is the view of its name")]
pub enum Item<'t> {
    ImportFile(ImportFile<'t>),
    ImportStd(ImportStd<'t>),
    Param(Param<'t>),
    TypeItem(TypeItem<'t>),
    EnumItem(EnumItem<'t>),
    FnItem(FnItem<'t>),
    Binding(Binding<'t>),
}

impl<'t> Item<'t> {
    /// The view of `node`, if it is an item.
    pub fn cast(node: Node<'t>) -> Option<Self> {
        Some(match node.kind() {
            SyntaxKind::ImportFile => Item::ImportFile(ImportFile(node)),
            SyntaxKind::ImportStd => Item::ImportStd(ImportStd(node)),
            SyntaxKind::Param => Item::Param(Param(node)),
            SyntaxKind::TypeItem => Item::TypeItem(TypeItem(node)),
            SyntaxKind::EnumItem => Item::EnumItem(EnumItem(node)),
            SyntaxKind::FnItem => Item::FnItem(FnItem(node)),
            SyntaxKind::Binding => Item::Binding(Binding(node)),
            _ => return None,
        })
    }

    /// The node.
    pub fn node(self) -> Node<'t> {
        match self {
            Item::ImportFile(view) => view.0,
            Item::ImportStd(view) => view.0,
            Item::Param(view) => view.0,
            Item::TypeItem(view) => view.0,
            Item::EnumItem(view) => view.0,
            Item::FnItem(view) => view.0,
            Item::Binding(view) => view.0,
        }
    }
}

impl<'t> File<'t> {
    /// Its items.
    pub fn items(self) -> impl Iterator<Item = Item<'t>> {
        self.0.children().filter_map(Item::cast)
    }

    /// The expression at its end.
    pub fn result(self) -> Option<Expr<'t>> {
        let last = self.0.children().last()?;
        Expr::cast(last).filter(|_| last.kind() != SyntaxKind::ErrorNode)
    }

    /// Its doc comment: the `##!` lines.
    pub fn doc(self) -> Option<String> {
        let top = self
            .0
            .tree()
            .tokens()
            .take_while(|token| token.kind().is_trivia());
        let docs = top.filter(|token| token.kind() == SyntaxKind::ModuleDoc);
        let lines: Vec<_> = docs.map(|token| doc_line(token.text(), "##!")).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

impl<'t> ImportFile<'t> {
    /// The path.
    pub fn path(self) -> Option<super::PathExpr<'t>> {
        child(self.0, super::PathExpr::cast)
    }

    /// The name after `as`.
    pub fn alias(self) -> Option<SyntaxToken<'t>> {
        name_token(self.0, 1)
    }
}

impl<'t> ImportStd<'t> {
    /// Names of modules, each with the name that it gets here.
    pub fn names(self) -> Vec<(SyntaxToken<'t>, SyntaxToken<'t>)> {
        let mut names = Vec::new();
        let mut tokens = self
            .0
            .tokens()
            .skip(3)
            .filter(|token| token.kind() == SyntaxKind::Lname);
        let braces = self.0.token(SyntaxKind::LBrace).is_some();
        while let Some(name) = tokens.next() {
            if braces {
                names.push((name, name));
                continue;
            }
            // `nn`, or `nn as layers`.
            tokens.next();
            names.push((name, tokens.next().unwrap_or(name)));
        }
        names
    }
}

impl<'t> Param<'t> {
    /// Its name.
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name_token(self.0, 1)
    }

    /// Its type.
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0, Type::cast)
    }

    /// Its default.
    pub fn default(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> TypeItem<'t> {
    /// Its name.
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name_token(self.0, 1)
    }

    /// Its type parameters.
    pub fn params(self) -> Option<TypeParams<'t>> {
        child(self.0, TypeParams::cast)
    }

    /// What it stands for.
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0, Type::cast)
    }
}

impl<'t> TypeParams<'t> {
    /// Their names.
    pub fn names(self) -> impl Iterator<Item = SyntaxToken<'t>> {
        self.0
            .tokens()
            .filter(|token| matches!(token.kind(), SyntaxKind::Uname | SyntaxKind::Lname))
    }
}

impl<'t> EnumItem<'t> {
    /// Its name.
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name_token(self.0, 1)
    }

    /// Its type parameters.
    pub fn params(self) -> Option<TypeParams<'t>> {
        child(self.0, TypeParams::cast)
    }

    /// Its variants.
    pub fn variants(self) -> impl Iterator<Item = Variant<'t>> {
        self.0.children().filter_map(Variant::cast)
    }
}

impl<'t> Variant<'t> {
    /// Its name.
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name_token(self.0, 0)
    }

    /// Its fields.
    pub fn fields(self) -> impl Iterator<Item = VariantField<'t>> {
        self.0.children().filter_map(VariantField::cast)
    }
}

impl<'t> VariantField<'t> {
    /// Its label.
    pub fn label(self) -> Option<SyntaxToken<'t>> {
        label_token(self.0)
    }

    /// Its type.
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0, Type::cast)
    }

    /// Its default.
    pub fn default(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> FnItem<'t> {
    /// Its name.
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        self.0.tokens().skip(1).find(|token| token.kind().is_label())
    }

    /// Its type parameters.
    pub fn type_params(self) -> Option<TypeParams<'t>> {
        child(self.0, TypeParams::cast)
    }

    /// Its parameters, and `None` for a lone `*`.
    pub fn params(self) -> impl Iterator<Item = Option<FnParam<'t>>> {
        let params = child(self.0, FnParams::cast);
        params
            .into_iter()
            .flat_map(|params| params.0.children())
            .filter_map(|node| match node.kind() {
                SyntaxKind::FnParam => Some(FnParam::cast(node)),
                SyntaxKind::Star1 => Some(None),
                _ => None,
            })
    }

    /// Its result's type.
    pub fn ret(self) -> Option<Type<'t>> {
        child(self.0, Type::cast)
    }

    /// Its body.
    pub fn body(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> FnParam<'t> {
    /// Its label.
    pub fn label(self) -> Option<SyntaxToken<'t>> {
        label_token(self.0)
    }

    /// Its type.
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0, Type::cast)
    }

    /// Its default.
    pub fn default(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> Binding<'t> {
    /// Its name.
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        label_token(self.0)
    }

    /// Its type.
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0, Type::cast)
    }

    /// Its value.
    pub fn value(self) -> Option<Expr<'t>> {
        self.0.children().filter_map(Expr::cast).last()
    }
}

/// What a `let` line binds.
impl<'t> super::LetLine<'t> {
    /// The pattern.
    pub fn pattern(self) -> Option<Pattern<'t>> {
        child(self.0, Pattern::cast)
    }

    /// The type.
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0, Type::cast)
    }

    /// The value.
    pub fn value(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}
