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
    table.run(None);
    if table.faults == 0 {
        return table.closings;
    }
    // Which of the two readings a person meant is not known; the one with fewer mistakes is likelier.
    let [left_open, mistyped] = [false, true].map(|mistyped| {
        let mut table = Table::new(tokens);
        table.mistyped = mistyped;
        table.run(Some(&starts_item));
        table
    });
    let best = if mistyped.faults < left_open.faults {
        mistyped
    } else {
        left_open
    };
    best.closings
}

struct Table<'t> {
    tokens: &'t [Token],
    closings: Vec<Option<Closing>>,
    /// Open brackets.
    open: Vec<Open>,
    /// Whether a closing bracket of another shape closes the innermost one all the same, instead of one further out.
    mistyped: bool,
    /// How many brackets do not match.
    faults: usize,
}

/// An open bracket.
#[derive(Clone, Copy)]
struct Open {
    /// Its token.
    index: u32,
    /// The first closing bracket in it that fits nothing.
    stray: Option<u32>,
    /// How many brackets stand outside of the innermost string or `${` around it, which no closing bracket leaves.
    barrier: u32,
    /// How many `(`, `[` and `{` are open within that, it among them: a bracket that fits none need not be looked for,
    /// so that all this takes linear time.
    counts: [u32; 3],
}

fn count_of(kind: SyntaxKind) -> Option<usize> {
    match kind {
        K::LParen | K::RParen => Some(0),
        K::LBracket | K::RBracket => Some(1),
        K::LBrace | K::RBrace => Some(2),
        _ => None,
    }
}

impl<'t> Table<'t> {
    fn new(tokens: &'t [Token]) -> Self {
        Self {
            tokens,
            closings: vec![None; tokens.len()],
            open: Vec::new(),
            mistyped: false,
            faults: 0,
        }
    }

    fn run(&mut self, starts_item: Option<&dyn Fn(usize) -> bool>) {
        for index in 0..self.tokens.len() {
            let kind = self.tokens[index].kind;
            if closer(kind).is_some() {
                self.push(index, kind);
            } else if is_closer(kind) {
                self.close(index, kind);
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
        self.close_down_to(0, self.tokens.len().saturating_sub(1));
    }

    fn push(&mut self, index: usize, kind: SyntaxKind) {
        let (barrier, mut counts) = self
            .open
            .last()
            .map_or((0, [0; 3]), |open| (open.barrier, open.counts));
        let barrier = match count_of(kind) {
            Some(of) => {
                counts[of] += 1;
                barrier
            }
            None => {
                counts = [0; 3];
                self.open.len() as u32 + 1
            }
        };
        self.open.push(Open {
            index: index as u32,
            stray: None,
            barrier,
            counts,
        });
    }

    fn barrier(&self) -> usize {
        self.open.last().map_or(0, |open| open.barrier as usize)
    }

    /// Where the innermost open bracket stands that `closing` closes, if it leaves no string.
    fn innermost(&self, closing: SyntaxKind) -> Option<usize> {
        let fits = |open: &Open| closer(self.tokens[open.index as usize].kind) == Some(closing);
        match count_of(closing) {
            // The lexer pairs quotes and `${`, so these always find theirs.
            None => self.open.iter().rposition(fits),
            Some(of) if self.open.last().is_none_or(|open| open.counts[of] == 0) => None,
            Some(_) => self.open.iter().rposition(fits),
        }
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
        if let Some(at) = self.innermost(K::RBrace) {
            self.close_down_to(at + 1, index);
        }
    }

    fn close(&mut self, index: usize, kind: SyntaxKind) {
        match self.innermost(kind) {
            Some(at) if self.mistyped && at + 1 < self.open.len() && count_of(kind).is_some() => {
                if let Some(open) = self.open.pop() {
                    self.closings[open.index as usize] = Some(Closing::Mistyped(index as u32));
                    self.faults += 1;
                }
            }
            Some(at) => {
                self.close_down_to(at + 1, index);
                if let Some(open) = self.open.pop() {
                    self.closings[open.index as usize] = Some(Closing::Closed(index as u32));
                }
            }
            None => {
                self.faults += 1;
                let barrier = self.barrier();
                if self.open.len() > barrier
                    && let Some(open) = self.open.last_mut()
                {
                    open.stray.get_or_insert(index as u32);
                }
            }
        }
    }

    /// Ends all but the outermost `keep` brackets before the token `end`.
    fn close_down_to(&mut self, keep: usize, end: usize) {
        while self.open.len() > keep {
            if let Some(open) = self.open.pop() {
                self.faults += 1;
                self.closings[open.index as usize] = Some(match open.stray {
                    Some(stray) => Closing::Mistyped(stray),
                    None => Closing::Unclosed(end as u32),
                });
            }
        }
    }
}
