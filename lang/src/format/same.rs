//! Whether two texts are one but for layout: the same nodes, and the same tokens but for commas before closing brackets.

use crate::syntax::{SyntaxKind, SyntaxToken, Tree};
use SyntaxKind as K;

/// Whether the trees differ in nothing but white space, commas that end a list, and where a line's comment stands.
pub(super) fn mean_the_same(left: &Tree, right: &Tree) -> bool {
    nodes(left) == nodes(right) && words(left) == words(right) && comments(left) == comments(right)
}

fn nodes(tree: &Tree) -> Vec<K> {
    let mut kinds = Vec::new();
    let mut open = vec![tree.root()];
    while let Some(node) = open.pop() {
        kinds.push(node.kind());
        open.extend(node.children());
    }
    kinds
}

/// The tokens that carry meaning.
pub(super) fn words(tree: &Tree) -> Vec<String> {
    let mut words: Vec<SyntaxToken<'_>> = Vec::new();
    for token in tree.tokens().filter(|token| !token.kind().is_trivia()) {
        if matches!(token.kind(), K::RParen | K::RBracket | K::RBrace) {
            words.pop_if(|last| last.kind() == K::Comma);
        }
        words.push(token);
    }
    words
        .into_iter()
        .map(|token| token.text().replace("\r\n", "\n"))
        .collect()
}

/// The comments, sorted: one in the middle of what comes to stand on one line ends that line.
fn comments(tree: &Tree) -> Vec<&str> {
    let tokens = tree.tokens();
    let comments = tokens.filter(|token| matches!(token.kind(), K::Comment | K::Doc | K::ModuleDoc));
    let mut texts: Vec<&str> = comments.map(|token| token.text().trim_end()).collect();
    texts.sort_unstable();
    texts
}
