//! Views of expressions.

use super::{Pattern, Type, child, expr_child, label_token, views};
use crate::syntax::{Element, Node, SyntaxKind, SyntaxToken};

views! {
    /// A number, unit, truth value or null.
    Literal,
    /// A string.
    StringExpr,
    /// `${…}`.
    Interp,
    /// A path.
    PathExpr,
    /// A lower-case name.
    NameRef,
    /// An upper-case name.
    ConRef,
    /// `(e)`.
    Paren,
    /// `[a, b]`.
    List,
    /// `[e for x in xs]`.
    ListFor,
    /// `{ a: 1 }`.
    Record,
    /// `{ [k]: v for k, v in m }`.
    RecordFor,
    /// `...e`.
    Spread,
    /// `a: 1`, `a`, `"a": 1`.
    Field,
    /// `[k]: 1`, `"${k}": 1`.
    ComputedField,
    /// `for x in xs`.
    ForClause,
    /// `if c`.
    IfClause,
    /// Operands and operators of one level.
    Chain,
    /// `x |> f |> g`.
    Pipe,
    /// `not e`.
    NotExpr,
    /// `-e`.
    NegExpr,
    /// A primary expression and its suffixes.
    Postfix,
    /// `.name`.
    DotSuffix,
    /// `(args)`.
    CallSuffix,
    /// `[i]`.
    IndexSuffix,
    /// `[T]`.
    TypeArgs,
    /// An argument.
    Arg,
    /// `if`.
    IfExpr,
    /// `match`.
    MatchExpr,
    /// A case of a match.
    Arm,
    /// `let` lines and their result.
    Lets,
    /// A `let` line.
    LetLine,
    /// `x => e`.
    Lambda,
    /// A parameter of a lambda.
    LambdaParam,
    /// `import ./a.yaml as T`.
    ImportData,
}

/// An expression.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is the view of its name")]
pub enum Expr<'t> {
    Literal(Literal<'t>),
    StringExpr(StringExpr<'t>),
    PathExpr(PathExpr<'t>),
    NameRef(NameRef<'t>),
    ConRef(ConRef<'t>),
    Paren(Paren<'t>),
    List(List<'t>),
    ListFor(ListFor<'t>),
    Record(Record<'t>),
    RecordFor(RecordFor<'t>),
    Chain(Chain<'t>),
    Pipe(Pipe<'t>),
    NotExpr(NotExpr<'t>),
    NegExpr(NegExpr<'t>),
    Postfix(Postfix<'t>),
    IfExpr(IfExpr<'t>),
    MatchExpr(MatchExpr<'t>),
    Lets(Lets<'t>),
    Lambda(Lambda<'t>),
    ImportData(ImportData<'t>),
    /// What did not parse.
    Error(Node<'t>),
}

impl<'t> Expr<'t> {
    /// The view of `node`, if it is an expression.
    pub fn cast(node: Node<'t>) -> Option<Self> {
        Some(match node.kind() {
            SyntaxKind::Literal => Expr::Literal(Literal(node)),
            SyntaxKind::StringExpr => Expr::StringExpr(StringExpr(node)),
            SyntaxKind::PathExpr => Expr::PathExpr(PathExpr(node)),
            SyntaxKind::NameRef => Expr::NameRef(NameRef(node)),
            SyntaxKind::ConRef => Expr::ConRef(ConRef(node)),
            SyntaxKind::Paren => Expr::Paren(Paren(node)),
            SyntaxKind::List => Expr::List(List(node)),
            SyntaxKind::ListFor => Expr::ListFor(ListFor(node)),
            SyntaxKind::Record => Expr::Record(Record(node)),
            SyntaxKind::RecordFor => Expr::RecordFor(RecordFor(node)),
            SyntaxKind::Chain => Expr::Chain(Chain(node)),
            SyntaxKind::Pipe => Expr::Pipe(Pipe(node)),
            SyntaxKind::NotExpr => Expr::NotExpr(NotExpr(node)),
            SyntaxKind::NegExpr => Expr::NegExpr(NegExpr(node)),
            SyntaxKind::Postfix => Expr::Postfix(Postfix(node)),
            SyntaxKind::IfExpr => Expr::IfExpr(IfExpr(node)),
            SyntaxKind::MatchExpr => Expr::MatchExpr(MatchExpr(node)),
            SyntaxKind::Lets => Expr::Lets(Lets(node)),
            SyntaxKind::Lambda => Expr::Lambda(Lambda(node)),
            SyntaxKind::ImportData => Expr::ImportData(ImportData(node)),
            SyntaxKind::ErrorNode => Expr::Error(node),
            _ => return None,
        })
    }

    /// The node.
    pub fn node(self) -> Node<'t> {
        match self {
            Expr::Literal(view) => view.0,
            Expr::StringExpr(view) => view.0,
            Expr::PathExpr(view) => view.0,
            Expr::NameRef(view) => view.0,
            Expr::ConRef(view) => view.0,
            Expr::Paren(view) => view.0,
            Expr::List(view) => view.0,
            Expr::ListFor(view) => view.0,
            Expr::Record(view) => view.0,
            Expr::RecordFor(view) => view.0,
            Expr::Chain(view) => view.0,
            Expr::Pipe(view) => view.0,
            Expr::NotExpr(view) => view.0,
            Expr::NegExpr(view) => view.0,
            Expr::Postfix(view) => view.0,
            Expr::IfExpr(view) => view.0,
            Expr::MatchExpr(view) => view.0,
            Expr::Lets(view) => view.0,
            Expr::Lambda(view) => view.0,
            Expr::ImportData(view) => view.0,
            Expr::Error(node) => node,
        }
    }
}

impl<'t> Literal<'t> {
    /// The token.
    pub fn token(self) -> SyntaxToken<'t> {
        self.0.first_token()
    }
}

/// A part of a string.
#[derive(Clone, Copy, Debug)]
pub enum StringPart<'t> {
    /// Text with its escapes.
    Text(SyntaxToken<'t>),
    /// `${…}`.
    Interp(Interp<'t>),
}

impl<'t> StringExpr<'t> {
    /// The whole string, if it is on one line and interpolates nothing.
    pub fn plain(self) -> Option<SyntaxToken<'t>> {
        let first = self.0.first_token();
        (first.kind() == SyntaxKind::Str).then_some(first)
    }

    /// Whether it stands between `"""`.
    pub fn is_triple(self) -> bool {
        self.plain().is_none() && self.0.first_token().text().len() == 3
    }

    /// Its parts, where it is not plain.
    pub fn parts(self) -> impl Iterator<Item = StringPart<'t>> {
        self.0.elements().filter_map(|element| match element {
            Element::Node(node) => Interp::cast(node).map(StringPart::Interp),
            Element::Token(token) => (token.kind() == SyntaxKind::StrText).then_some(StringPart::Text(token)),
        })
    }
}

impl<'t> Interp<'t> {
    /// What is interpolated.
    pub fn expr(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> PathExpr<'t> {
    /// The part without quotation marks.
    pub fn token(self) -> SyntaxToken<'t> {
        self.0.first_token()
    }

    /// The quoted part.
    pub fn string(self) -> Option<StringExpr<'t>> {
        child(self.0, StringExpr::cast)
    }
}

impl<'t> Paren<'t> {
    /// What is in the parentheses.
    pub fn inner(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> Spread<'t> {
    /// What is spread.
    pub fn expr(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> Field<'t> {
    /// Its name, or the string that it is written as.
    pub fn label(self) -> SyntaxToken<'t> {
        self.0.first_token()
    }

    /// Whether a `:` was written; without one the name stands for the value too.
    pub fn has_colon(self) -> bool {
        self.0
            .tokens()
            .any(|token| matches!(token.kind(), SyntaxKind::Colon | SyntaxKind::Assign))
    }

    /// Its value.
    pub fn value(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> ComputedField<'t> {
    /// The key.
    pub fn key(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }

    /// The value.
    pub fn value(self) -> Option<Expr<'t>> {
        expr_child(self.0, 1)
    }
}

impl<'t> ForClause<'t> {
    /// The patterns: one or two.
    pub fn patterns(self) -> impl Iterator<Item = Pattern<'t>> {
        self.0.children().filter_map(Pattern::cast)
    }

    /// What is run through.
    pub fn source(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> IfClause<'t> {
    /// The condition.
    pub fn condition(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> NotExpr<'t> {
    /// What is negated.
    pub fn operand(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> NegExpr<'t> {
    /// What is negated.
    pub fn operand(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> DotSuffix<'t> {
    /// The name after the dot.
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        label_token(self.0)
    }
}

impl<'t> CallSuffix<'t> {
    /// The arguments.
    pub fn args(self) -> impl Iterator<Item = Arg<'t>> {
        self.0.children().filter_map(Arg::cast)
    }
}

impl<'t> IndexSuffix<'t> {
    /// The index.
    pub fn index(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> TypeArgs<'t> {
    /// The types.
    pub fn types(self) -> impl Iterator<Item = Type<'t>> {
        self.0.children().filter_map(Type::cast)
    }
}

impl<'t> Arg<'t> {
    /// The label before `=`.
    pub fn label(self) -> Option<SyntaxToken<'t>> {
        label_token(self.0)
    }

    /// Whether `...` stands before it.
    pub fn is_spread(self) -> bool {
        self.0.first_token().kind() == SyntaxKind::Ellipsis
    }

    /// The value.
    pub fn value(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> IfExpr<'t> {
    /// The condition.
    pub fn condition(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }

    /// The value when it holds.
    pub fn then(self) -> Option<Expr<'t>> {
        expr_child(self.0, 1)
    }

    /// The value when it does not.
    pub fn otherwise(self) -> Option<Expr<'t>> {
        expr_child(self.0, 2)
    }
}

impl<'t> MatchExpr<'t> {
    /// What is matched.
    pub fn scrutinee(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }

    /// The cases.
    pub fn arms(self) -> impl Iterator<Item = Arm<'t>> {
        self.0.children().filter_map(Arm::cast)
    }
}

impl<'t> Arm<'t> {
    /// The patterns: alternatives.
    pub fn patterns(self) -> impl Iterator<Item = Pattern<'t>> {
        self.0.children().filter_map(Pattern::cast)
    }

    /// The condition after `if`.
    pub fn guard(self) -> Option<Expr<'t>> {
        let guard = self.0.children().find(|node| node.kind() == SyntaxKind::Guard)?;
        expr_child(guard, 0)
    }

    /// The value.
    pub fn body(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> Lets<'t> {
    /// The lines.
    pub fn lines(self) -> impl Iterator<Item = LetLine<'t>> {
        self.0.children().filter_map(LetLine::cast)
    }

    /// The value after them.
    pub fn result(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> Lambda<'t> {
    /// The parameters.
    pub fn params(self) -> impl Iterator<Item = LambdaParam<'t>> {
        self.0.children().filter_map(LambdaParam::cast)
    }

    /// The body.
    pub fn body(self) -> Option<Expr<'t>> {
        expr_child(self.0, 0)
    }
}

impl<'t> LambdaParam<'t> {
    /// The name.
    pub fn name(self) -> SyntaxToken<'t> {
        self.0.first_token()
    }

    /// The type.
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0, Type::cast)
    }
}

impl<'t> ImportData<'t> {
    /// The path.
    pub fn path(self) -> Option<PathExpr<'t>> {
        child(self.0, PathExpr::cast)
    }

    /// The type.
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0, Type::cast)
    }
}
