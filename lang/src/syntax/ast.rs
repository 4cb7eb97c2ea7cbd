//! Typed views of the syntax tree: a name for each kind of node, and for each of its parts. A part that is missing (it
//! was reported) is `None`; nothing here fails.

mod exprs;
mod items;
mod patterns;
mod types;

pub use exprs::*;
pub use items::*;
pub use patterns::*;
pub use types::*;

/// Makes views of the kinds of the same names.
macro_rules! views {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'t>(pub(super) crate::syntax::Node<'t>);

        impl<'t> $name<'t> {
            /// The view of `node`, if it is of this kind.
            pub fn cast(node: crate::syntax::Node<'t>) -> Option<Self> {
                (node.kind() == crate::syntax::SyntaxKind::$name).then_some(Self(node))
            }

            /// The node.
            pub fn node(self) -> crate::syntax::Node<'t> {
                self.0
            }
        }
    )*};
}
pub(crate) use views;

use super::{Node, SyntaxKind, SyntaxToken};

/// The first child that `cast` takes.
fn child<'t, V>(node: Node<'t>, cast: impl Fn(Node<'t>) -> Option<V>) -> Option<V> {
    node.children().find_map(cast)
}

/// The `n`-th child that is an expression.
fn expr_child(node: Node<'_>, n: usize) -> Option<Expr<'_>> {
    node.children().filter_map(Expr::cast).nth(n)
}

/// The first token that can label something.
fn label_token(node: Node<'_>) -> Option<SyntaxToken<'_>> {
    node.tokens().find(|token| token.kind().is_label())
}

/// The `n`-th name among the tokens.
fn name_token(node: Node<'_>, n: usize) -> Option<SyntaxToken<'_>> {
    let is_name = |token: &SyntaxToken<'_>| matches!(token.kind(), SyntaxKind::Lname | SyntaxKind::Uname);
    node.tokens().filter(is_name).nth(n)
}

/// The text of the doc comments right before `token`: `##` lines without a line of anything else between.
pub fn doc_before(token: SyntaxToken<'_>) -> Option<String> {
    let mut lines = Vec::new();
    let mut before = token.previous();
    while let Some(token) = before {
        match token.kind() {
            SyntaxKind::Whitespace if token.text().bytes().filter(|byte| *byte == b'\n').count() <= 1 => {}
            // What stands behind something on its line is about that, if about anything.
            SyntaxKind::Doc if is_behind(token) => break,
            SyntaxKind::Doc => lines.push(doc_line(token.text(), "##")),
            _ => break,
        }
        before = token.previous();
    }
    lines.reverse();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Whether something else than blanks stands before a token on its line.
fn is_behind(token: SyntaxToken<'_>) -> bool {
    match token.previous() {
        None => false,
        Some(before) => {
            before.kind() != SyntaxKind::Whitespace
                || !before.text().contains('\n') && before.previous().is_some()
        }
    }
}

fn doc_line<'t>(text: &'t str, mark: &str) -> &'t str {
    let line = text.strip_prefix(mark).unwrap_or(text);
    line.strip_prefix(' ').unwrap_or(line).trim_end()
}
