//! Which comments and blank lines stand around each token.

use crate::syntax::{SyntaxKind, SyntaxToken, Tree};
use SyntaxKind as K;

/// A comment on a line of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comment<'t> {
    /// Its text, from `#` on, without white space at its end.
    pub(super) text: &'t str,
    /// Whether a blank line stands before it.
    pub(super) blank: bool,
}

/// What stands around a token.
#[derive(Clone, Debug, Default)]
pub(super) struct Around<'t> {
    /// Comments on lines of their own, before it.
    pub(super) leading: Vec<Comment<'t>>,
    /// Whether a blank line stands right before it.
    pub(super) blank: bool,
    /// The comment behind it on its line.
    pub(super) trailing: Option<&'t str>,
}

/// The surroundings of all tokens.
#[derive(Debug)]
pub(super) struct Comments<'t> {
    /// The first byte of each token that is no trivia, and what stands around it.
    tokens: Vec<(u32, Around<'t>)>,
    /// What stands behind the last.
    end: Around<'t>,
}

impl<'t> Comments<'t> {
    pub(super) fn new(tree: &'t Tree) -> Self {
        let mut tokens: Vec<(u32, Around<'t>)> = Vec::new();
        let mut next = Around::default();
        let mut breaks = 0;
        let mut on_line = false;
        for token in tree.tokens() {
            match token.kind() {
                K::Whitespace => {
                    let lines = token.text().matches('\n').count();
                    breaks += lines;
                    on_line &= lines == 0;
                }
                K::Comment | K::Doc | K::ModuleDoc => {
                    let text = token.text().trim_end();
                    match tokens.last_mut().filter(|_| on_line) {
                        Some((_, around)) => around.trailing = Some(text),
                        None => next.leading.push(Comment {
                            text,
                            blank: breaks > 1,
                        }),
                    }
                    on_line = false;
                    breaks = 0;
                }
                _ => {
                    next.blank = breaks > 1;
                    tokens.push((token.span().start, std::mem::take(&mut next)));
                    on_line = true;
                    breaks = 0;
                }
            }
        }
        Self { tokens, end: next }
    }

    /// What stands around a token that is no trivia.
    pub(super) fn around(&self, token: SyntaxToken<'t>) -> &Around<'t> {
        let start = token.span().start;
        // Of tokens that begin at one byte, all but the last are empty, which only malformed text has.
        match self.tokens.binary_search_by_key(&start, |(start, _)| *start) {
            Ok(index) => &self.tokens[index].1,
            Err(_) => &self.end,
        }
    }

    /// What stands behind the last token.
    pub(super) fn end(&self) -> &Around<'t> {
        &self.end
    }
}

impl Around<'_> {
    /// Whether a blank line stands before the token and its comments.
    pub(super) fn blank_before(&self) -> bool {
        self.leading.first().map_or(self.blank, |comment| comment.blank)
    }
}
