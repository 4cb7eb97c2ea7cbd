//! Tokens to tree, by recursive descent. Gives a tree and errors always.
//!
//! *Invariants*: nothing is read past the bracket that is being read (`limit`), which a table knows beforehand, so that
//! no error leaves its bracket. Chains of operators, suffixes, `let` lines and elements are loops; everything else counts
//! towards [`MAX_NESTING`]. Within a bracket that is not closed, and right behind an error, nothing more is reported:
//! one mistake, one error.

mod exprs;
mod foreign;
mod items;
mod lists;
mod operators;
mod patterns;
mod primary;
mod statements;
mod suffixes;
mod types;
mod yaml;

use super::brackets::{Closing, closer, match_brackets};
use super::kind::SyntaxKind;
use super::lexer::{Lexed, Token};
use super::tree::RawNode;
use crate::diagnostic::Diagnostic;
use crate::source::{SourceId, Span};
use SyntaxKind as K;

/// How deep expressions, types and patterns may be nested.
pub(crate) const MAX_NESTING: u32 = 256;

/// Parses the tokens of `text` as a file. The nodes stand after their children.
pub(super) fn parse_file(source: SourceId, text: &str, lexed: &mut Lexed) -> Vec<RawNode> {
    run(source, text, lexed, |p| p.file())
}

/// Parses the tokens of `text` as one expression.
pub(super) fn parse_expr(source: SourceId, text: &str, lexed: &mut Lexed) -> Vec<RawNode> {
    run(source, text, lexed, |p| p.lone_expr())
}

fn run(source: SourceId, text: &str, lexed: &mut Lexed, start: fn(&mut Parser<'_>)) -> Vec<RawNode> {
    let mut places = Vec::with_capacity(lexed.tokens.len());
    let mut tokens = Vec::with_capacity(lexed.tokens.len());
    for (place, token) in lexed.tokens.iter().enumerate() {
        if !token.kind.is_trivia() {
            places.push(place as u32);
            tokens.push(*token);
        }
    }
    let ends = places.iter().map(|&place| {
        lexed
            .tokens
            .get(place as usize + 1)
            .map_or(text.len() as u32, |t| t.start)
    });
    let ends = ends.collect();
    let closings = match_brackets(&tokens, |index| starts_item(text, &tokens, index));
    let limit = tokens.len() - 1;
    let mut parser = Parser {
        text,
        source,
        nodes: Vec::with_capacity(tokens.len()),
        tokens,
        places,
        ends,
        closings,
        pos: 0,
        limit,
        depth: 0,
        item_start: 0,
        quiet_until: 0,
        last_error: None,
        habits: Vec::new(),
        errors: Vec::new(),
    };
    start(&mut parser);
    parser.nodes.push(RawNode {
        kind: K::File,
        first: 0,
        end: lexed.tokens.len() as u32 - 1,
        size: parser.nodes.len() as u32 + 1,
    });
    // Of a text that stands alone and is malformed too, it is said how it is written.
    let malformed = |span: Span| {
        lexed
            .errors
            .iter()
            .any(|error| span.start <= error.span().start && error.span().end <= span.end)
    };
    parser
        .errors
        .retain(|error| error.code != "E0118" || !malformed(error.span()));
    // What has no place at all is not blamed for how it is written too: `4f` of `${lr:.4f}`.
    let misplaced = |span: Span| {
        parser.errors.iter().any(|error| {
            let whole = error.span();
            matches!(error.code, "E0115" | "E0117") && whole.start < span.start && span.end <= whole.end
        })
    };
    lexed.errors.retain(|error| !misplaced(error.span()));
    lexed.errors.append(&mut parser.errors);
    parser.nodes
}

/// Whether an item begins at the first column with the token `index`.
fn starts_item(text: &str, tokens: &[Token], index: usize) -> bool {
    let token = tokens[index];
    if !token.has(Token::COLUMN_0) {
        return false;
    }
    let kind = |index: usize| tokens.get(index).map_or(K::Eof, |token| token.kind);
    match token.kind {
        K::Import | K::Fn => true,
        K::Lname => match kind(index + 1) {
            K::Assign => true,
            K::Lname | K::Uname => {
                let rest = &text[token.start as usize..];
                ["param ", "type ", "enum "]
                    .iter()
                    .any(|word| rest.starts_with(word))
            }
            _ => false,
        },
        _ => false,
    }
}

/// Where a node began.
#[derive(Clone, Copy)]
struct Mark {
    pos: usize,
    nodes: usize,
}

/// A bracket that is being read.
struct Bracket {
    opener: usize,
    closing: Closing,
    outer_limit: usize,
}

struct Parser<'t> {
    text: &'t str,
    source: SourceId,
    /// Tokens that are no trivia, and an `Eof`.
    tokens: Vec<Token>,
    /// Where each of them stands among all tokens.
    places: Vec<u32>,
    /// The byte after each of them.
    ends: Vec<u32>,
    closings: Vec<Option<Closing>>,
    pos: usize,
    /// Where the bracket that is being read ends.
    limit: usize,
    depth: u32,
    /// Where the item that is being read begins.
    item_start: usize,
    /// Before this token nothing is reported.
    quiet_until: usize,
    /// The token at which the last error was reported.
    last_error: Option<usize>,
    /// What was reported before that a person does again and again: its message without names, the bracket or file in
    /// which it was, and the error.
    habits: Vec<(&'static str, usize, usize)>,
    nodes: Vec<RawNode>,
    errors: Vec<Diagnostic>,
}

impl<'t> Parser<'t> {
    fn current(&self) -> SyntaxKind {
        self.nth(0)
    }

    fn nth(&self, ahead: usize) -> SyntaxKind {
        let at = self.pos + ahead;
        if at < self.limit {
            self.tokens[at].kind
        } else {
            K::Eof
        }
    }

    fn at(&self, kind: SyntaxKind) -> bool {
        self.current() == kind
    }

    fn at_end(&self) -> bool {
        self.pos >= self.limit
    }

    /// Whether the current token is the first of its line.
    fn first_on_line(&self) -> bool {
        self.tokens[self.pos].has(Token::FIRST)
    }

    /// Whether the token `ahead` of the current one touches the one before it.
    fn glued(&self, ahead: usize) -> bool {
        let at = self.pos + ahead;
        at < self.limit && self.tokens[at].flags & (Token::SPACED | Token::FIRST) == 0
    }

    /// The text between two places; nothing if they are not in order, as about tokens that are missing.
    fn slice(&self, start: u32, end: u32) -> &'t str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }

    fn text_of(&self, index: usize) -> &'t str {
        &self.text[self.tokens[index].start as usize..self.ends[index] as usize]
    }

    /// Whether the current token is the contextual word `word`.
    fn at_word(&self, word: &str) -> bool {
        self.at(K::Lname) && self.text_of(self.pos) == word
    }

    fn bump(&mut self) {
        if self.pos < self.limit {
            self.pos += 1;
        }
    }

    fn eat(&mut self, kind: SyntaxKind) -> bool {
        let is = self.at(kind);
        if is {
            self.bump();
        }
        is
    }

    fn start(&self) -> Mark {
        Mark {
            pos: self.pos,
            nodes: self.nodes.len(),
        }
    }

    /// Makes a node of all since `mark`. Nothing happens if there is nothing.
    fn finish(&mut self, mark: Mark, kind: SyntaxKind) {
        // The end of a string that is not closed is a token without text: no node is made of it alone.
        if self.pos == mark.pos || self.ends[self.pos - 1] == self.tokens[mark.pos].start {
            return;
        }
        self.nodes.push(RawNode {
            kind,
            first: self.places[mark.pos],
            end: self.places[self.pos - 1] + 1,
            size: (self.nodes.len() - mark.nodes) as u32 + 1,
        });
    }

    /// The kind of the node that was finished last since `mark`, if it began there.
    fn finished_since(&self, mark: Mark) -> Option<SyntaxKind> {
        (self.nodes.len() > mark.nodes).then(|| self.nodes[self.nodes.len() - 1].kind)
    }

    fn span_of(&self, index: usize) -> Span {
        self.span(self.tokens[index].start, self.ends[index])
    }

    fn span(&self, start: u32, end: u32) -> Span {
        Span {
            source: self.source,
            start,
            end,
        }
    }

    /// From the first token of `mark` to the last that was read.
    fn span_since(&self, mark: Mark) -> Span {
        let last = self.pos.max(mark.pos + 1) - 1;
        self.span(self.tokens[mark.pos].start, self.ends[last])
    }

    /// Right behind the last token that was read.
    fn span_after_previous(&self) -> Span {
        let end = self.pos.checked_sub(1).map_or(0, |previous| self.ends[previous]);
        self.span(end, end)
    }

    /// The current token; behind the last one at the end of a file.
    fn span_here(&self) -> Span {
        if self.tokens[self.pos].kind == K::Eof {
            self.span_after_previous()
        } else {
            self.span_of(self.pos)
        }
    }

    /// The current token as a message names it.
    fn found(&self) -> String {
        self.describe(self.pos)
    }

    fn describe(&self, index: usize) -> String {
        match self.tokens[index].kind {
            K::Eof => "the end of the file".to_owned(),
            K::InterpClose => "`}`".to_owned(),
            K::StrOpen | K::StrText | K::StrClose => "a string".to_owned(),
            K::Minus if index + 1 < self.tokens.len() && self.tokens[index + 1].flags == 0 => {
                format!("`-{}`", shorten(self.text_of(index + 1)))
            }
            _ => format!("`{}`", shorten(self.text_of(index))),
        }
    }

    /// The value that begins at `index`, if it is one token; else `…`.
    fn preview(&self, index: usize) -> &'t str {
        let ends = index + 1 >= self.limit || self.tokens[index + 1].kind == K::Comma;
        let short = index < self.limit && self.ends[index] - self.tokens[index].start <= 24;
        if ends && short { self.text_of(index) } else { "…" }
    }

    /// Reports, unless it follows from what was reported before.
    fn error(&mut self, diagnostic: Diagnostic) {
        let follows = self.pos < self.quiet_until
            || self.last_error == Some(self.pos)
            || self.tokens[self.pos].has(Token::AFTER_JUNK);
        self.last_error = Some(self.pos);
        if !follows {
            self.errors.push(diagnostic);
        }
    }

    /// Reads the opening bracket at hand; until [`Parser::close`], the end of what is in it is the end of all.
    fn open(&mut self) -> Bracket {
        let opener = self.pos;
        let outer_limit = self.limit;
        let closing = self.closings[opener].unwrap_or(Closing::Unclosed(outer_limit as u32));
        let bracket = Bracket {
            opener,
            closing,
            outer_limit,
        };
        if let Closing::Unclosed(end) = closing {
            self.report_unclosed(opener, end as usize);
        }
        self.pos += 1;
        self.limit = closing.end().min(outer_limit);
        bracket
    }

    fn report_unclosed(&mut self, opener: usize, end: usize) {
        if self.pos < self.quiet_until {
            return;
        }
        // Of a string that is not closed, the bracket's end is a part.
        let lost = |index: usize| self.tokens[index].kind == K::StrClose && self.text_of(index).is_empty();
        if (opener..end).any(lost) {
            self.quiet_until = end + 1;
            return;
        }
        let open = self.text_of(opener);
        let close = closer_text(self.tokens[opener].kind);
        let error = Diagnostic::error("E0110", self.span_of(opener), format!("`{open}` is not closed"))
            .at("opened here")
            .help(format!("write the `{close}` that is missing"));
        let before = end.max(1) - 1;
        let at = self.span(self.ends[before], self.ends[before]);
        let error = if end < self.tokens.len() - 1 {
            error.label(self.span_of(end), format!("`{close}` must stand before this"))
        } else {
            error
        };
        let last_error = self.last_error;
        self.error(error.mend(format!("write `{close}`"), at, close));
        self.last_error = last_error;
        // Also at the very token before which it ends.
        self.quiet_until = self.quiet_until.max(end + 1);
    }

    /// Leaves the bracket: what is left in it is an error.
    #[expect(clippy::needless_pass_by_value, reason = "a bracket is closed once")]
    fn close(&mut self, bracket: Bracket) {
        if self.pos < self.limit {
            self.unexpected("");
            let mark = self.start();
            self.pos = self.limit;
            self.finish(mark, K::ErrorNode);
        }
        self.limit = bracket.outer_limit;
        match bracket.closing {
            Closing::Closed(_) => self.bump(),
            Closing::Mistyped(at) => {
                let open = self.text_of(bracket.opener);
                let close = closer_text(self.tokens[bracket.opener].kind);
                let at = self.span_of(at as usize);
                let error = Diagnostic::error(
                    "E0112",
                    at,
                    format!("`{open}` is closed by `{}`", self.text_of(self.pos)),
                )
                .label(self.span_of(bracket.opener), "opened here")
                .help(format!("write `{close}`"))
                .mend(format!("write `{close}`"), at, close);
                self.error(error);
                self.bump();
            }
            Closing::Unclosed(_) => {}
        }
    }

    /// Reports a habit of another language. Within one bracket it is one mistake, however often it was made: what comes
    /// later joins the first, whose mend covers all.
    fn habit(&mut self, key: &'static str, diagnostic: Diagnostic) {
        let scope = self.limit;
        self.habit_within(key, scope, diagnostic);
    }

    fn habit_within(&mut self, key: &'static str, scope: usize, diagnostic: Diagnostic) {
        let before = self
            .habits
            .iter()
            .find(|(other, within, _)| *other == key && *within == scope);
        if let Some(&(_, _, index)) = before {
            self.errors[index].join(diagnostic);
            return;
        }
        let reported = self.errors.len();
        self.error(diagnostic);
        if self.errors.len() > reported {
            self.habits.push((key, scope, reported));
        }
    }

    /// Takes back what was reported since there were `count` errors; habits among it too, which no other may join.
    fn take_back(&mut self, count: usize) {
        self.errors.truncate(count);
        self.habits.retain(|(_, _, reported)| *reported < count);
    }

    /// Reports the token at hand as one that cannot stand here; `expected` is what could, or empty.
    fn unexpected(&mut self, expected: &str) {
        let found = self.found();
        if super::brackets::is_closer(self.tokens[self.pos].kind) && !self.at_end() {
            let span = self.span_here();
            let error = Diagnostic::error("E0111", span, format!("{found} closes nothing"))
                .help(format!("remove {found}, or open its bracket"))
                .mend(format!("remove {found}"), span, "");
            return self.error(error);
        }
        let error = if expected.is_empty() {
            let error = Diagnostic::error("E0115", self.span_here(), format!("{found} cannot stand here"));
            match self.at(K::Colon) && self.limit + 1 == self.tokens.len() {
                true => error.help(
                    "a name is bound with `=`: `name = value`; what makes a file is a step: `name = step(…)`",
                ),
                false => error,
            }
        } else {
            Diagnostic::error(
                "E0115",
                self.span_here(),
                format!("expected {expected}, found {found}"),
            )
        };
        self.error(error);
    }

    /// Reads `kind` or reports that it is missing.
    fn expect(&mut self, kind: SyntaxKind, expected: &str) -> bool {
        let is = self.eat(kind);
        if !is {
            self.unexpected(expected);
        }
        is
    }

    /// Skips what cannot be understood, up to a token for which `stop` holds; brackets are skipped whole.
    fn skip_until(&mut self, stop: impl Fn(&Self) -> bool) {
        let mark = self.start();
        while !self.at_end() && !stop(self) {
            self.skip_token();
        }
        self.finish(mark, K::ErrorNode);
    }

    /// Skips a token, or a bracket and all in it.
    fn skip_token(&mut self) {
        match self.closings[self.pos] {
            Some(Closing::Closed(end) | Closing::Mistyped(end)) => {
                self.pos = (end as usize + 1).min(self.limit);
            }
            Some(Closing::Unclosed(end)) => self.pos = (end as usize).max(self.pos + 1).min(self.limit),
            None => self.bump(),
        }
    }

    /// Runs `parse` one level deeper; beyond the limit skips the rest of the bracket.
    fn nested(&mut self, parse: impl FnOnce(&mut Self)) {
        if self.depth >= MAX_NESTING {
            let error = Diagnostic::error(
                "E0113",
                self.span_here(),
                format!("nested deeper than {MAX_NESTING}"),
            )
            .help("give parts of it names of their own");
            self.error(error);
            if self.pos >= self.quiet_until {
                let next_item = |index: &usize| starts_item(self.text, &self.tokens, *index);
                self.quiet_until = (self.pos + 1..self.tokens.len())
                    .find(next_item)
                    .unwrap_or(self.tokens.len());
            }
            self.skip_until(|_| false);
            return;
        }
        self.depth += 1;
        parse(self);
        self.depth -= 1;
    }

    /// Whether an item begins here, at the first column, outside of all brackets.
    fn at_next_item(&self) -> bool {
        self.limit == self.tokens.len() - 1
            && (starts_item(self.text, &self.tokens, self.pos)
                || (self.tokens[self.pos].has(Token::COLUMN_0)
                    && self.at(K::Lname)
                    && self.nth(1) == K::Colon))
    }
}

fn closer_text(opener: SyntaxKind) -> &'static str {
    match closer(opener) {
        Some(K::RParen) => ")",
        Some(K::RBracket) => "]",
        _ => "}",
    }
}

fn shorten(text: &str) -> &str {
    shorten_to(text, 24)
}

/// The first line of `text`, and at most `length` characters of it.
fn shorten_to(text: &str, length: usize) -> &str {
    let line = text.lines().next().unwrap_or("");
    match line.char_indices().nth(length) {
        Some((end, _)) => &line[..end],
        None => line,
    }
}
