//! Text to syntax tree: never fails, gives a tree and diagnostics. The tree is lossless; [`ast`] has typed views of it.

pub mod ast;
mod brackets;
mod kind;
pub(crate) mod lexer;
pub(crate) mod literal;
mod parser;
mod tree;

pub use kind::SyntaxKind;
pub use tree::{Element, Elements, Node, SyntaxToken, Tree};

use crate::diagnostic::Diagnostic;
use crate::source::SourceId;
use std::sync::Arc;

/// A parsed text.
#[derive(Clone, Debug)]
pub struct Parse {
    /// Its tree.
    pub tree: Tree,
    /// What did not parse, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses a file.
pub fn parse(source: SourceId, text: Arc<str>) -> Parse {
    parse_with(source, text, parser::parse_file)
}

/// Parses a text that is one expression, such as a setting. The expression stands under the root.
pub fn parse_expression(source: SourceId, text: Arc<str>) -> Parse {
    parse_with(source, text, parser::parse_expr)
}

type ParseTokens = fn(SourceId, &str, &mut lexer::Lexed) -> Vec<tree::RawNode>;

fn parse_with(source: SourceId, text: Arc<str>, parse: ParseTokens) -> Parse {
    let mut lexed = lexer::lex(source, &text, true);
    let nodes = parse(source, &text, &mut lexed);
    let mut diagnostics = lexed.errors;
    diagnostics.sort_by_key(|diagnostic| diagnostic.span().start);
    Parse {
        tree: Tree::new(source, text, lexed.tokens, &nodes),
        diagnostics,
    }
}

#[cfg(test)]
mod tests;
