//! Which bracket closes which, known before parsing: the parser then never leaves a bracket by mistake, and a lambda's
//! parentheses are told from others by what follows them.

use super::kind::SyntaxKind;
use super::lexer::Token;
use SyntaxKind as K;

/// How an opening bracket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// By the bracket at this index.
    Closed(u32),
    /// By a bracket of another shape, at this index.
    Mistyped(u32),
    /// Not at all; it ends before the token at this index.
    Unclosed(u32),
}

impl Closing {
    /// Where what is inside ends.
    pub(super) fn end(self) -> usize {
        let (Closing::Closed(end) | Closing::Mistyped(end) | Closing::Unclosed(end)) = self;
        end as usize
    }
}

/// The bracket that closes `kind`.
pub(super) fn closer(kind: SyntaxKind) -> Option<SyntaxKind> {
    Some(match kind {
        K::LParen => K::RParen,
        K::LBracket => K::RBracket,
        K::LBrace => K::RBrace,
        K::StrOpen => K::StrClose,
        K::InterpOpen => K::InterpClose,
        _ => return None,
    })
}

/// Whether `kind` closes a bracket.
pub(super) fn is_closer(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        K::RParen | K::RBracket | K::RBrace | K::StrClose | K::InterpClose
    )
}

/// For each token, how it is closed if it opens a bracket. Where the brackets do not match, an item that begins at the
/// first column closes all that are open (`starts_item` says which tokens do), and a line that begins with a field closes
/// what is open within its record.
pub(super) fn match_brackets(tokens: &[Token], starts_item: impl Fn(usize) -> bool) -> Vec<Option<Closing>> {
    let mut table = Table::new(tokens);
    if table.run(None) {
        return table.closings;
    }
    let mut table = Table::new(tokens);
    table.run(Some(&starts_item));
    table.closings
}

struct Table<'t> {
    tokens: &'t [Token],
    closings: Vec<Option<Closing>>,
    /// Open brackets, and for each the first closing bracket in it that fits nothing.
    open: Vec<(u32, Option<u32>)>,
}

impl<'t> Table<'t> {
    fn new(tokens: &'t [Token]) -> Self {
        Self {
            tokens,
            closings: vec![None; tokens.len()],
            open: Vec::new(),
        }
    }

    /// Whether all brackets match.
    fn run(&mut self, starts_item: Option<&dyn Fn(usize) -> bool>) -> bool {
        let mut matched = true;
        for index in 0..self.tokens.len() {
            let kind = self.tokens[index].kind;
            if closer(kind).is_some() {
                self.open.push((index as u32, None));
            } else if is_closer(kind) {
                matched &= self.close(index, kind);
            } else if let Some(starts_item) = starts_item
                && !self.open.is_empty()
            {
                if starts_item(index) {
                    self.close_down_to(self.barrier(), index);
                } else if self.starts_field(index) {
                    self.close_in_record(index);
                }
            }
        }
        matched &= self.open.is_empty();
        self.close_down_to(0, self.tokens.len().saturating_sub(1));
        matched
    }

    /// How many of the open brackets stand outside of the innermost `${`.
    fn barrier(&self) -> usize {
        let string =
            |(index, _): &(u32, _)| matches!(self.tokens[*index as usize].kind, K::InterpOpen | K::StrOpen);
        self.open.iter().rposition(string).map_or(0, |at| at + 1)
    }

    /// Whether a line begins here with `name:`.
    fn starts_field(&self, index: usize) -> bool {
        let token = self.tokens[index];
        token.has(Token::FIRST)
            && (token.kind.is_label() || token.kind == K::Str)
            && self
                .tokens
                .get(index + 1)
                .is_some_and(|next| next.kind == K::Colon)
    }

    /// Ends what is open within the innermost record, if it is open within one.
    fn close_in_record(&mut self, index: usize) {
        let barrier = self.barrier();
        let record = |(open, _): &(u32, _)| self.tokens[*open as usize].kind == K::LBrace;
        if let Some(at) = self.open[barrier..].iter().rposition(record) {
            self.close_down_to(barrier + at + 1, index);
        }
    }

    fn close(&mut self, index: usize, kind: SyntaxKind) -> bool {
        // The lexer pairs quotes and `${`, so these always find theirs.
        let barrier = if matches!(kind, K::StrClose | K::InterpClose) {
            0
        } else {
            self.barrier()
        };
        let fits = |(open, _): &(u32, _)| closer(self.tokens[*open as usize].kind) == Some(kind);
        match self.open[barrier..].iter().rposition(fits) {
            Some(at) => {
                let at = barrier + at;
                let exact = at + 1 == self.open.len();
                self.close_down_to(at + 1, index);
                if let Some((open, _)) = self.open.pop() {
                    self.closings[open as usize] = Some(Closing::Closed(index as u32));
                }
                exact
            }
            None => {
                if self.open.len() > barrier
                    && let Some((_, stray)) = self.open.last_mut()
                {
                    stray.get_or_insert(index as u32);
                }
                false
            }
        }
    }

    /// Ends all but the outermost `keep` brackets before the token `end`.
    fn close_down_to(&mut self, keep: usize, end: usize) {
        while self.open.len() > keep {
            if let Some((open, stray)) = self.open.pop() {
                self.closings[open as usize] = Some(match stray {
                    Some(stray) => Closing::Mistyped(stray),
                    None => Closing::Unclosed(end as u32),
                });
            }
        }
    }
}
