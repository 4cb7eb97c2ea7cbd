//! Primary expressions: literals, strings, paths, names, lists, records, comprehensions.

use super::{K, Mark, Parser};
use crate::diagnostic::Diagnostic;

impl Parser<'_> {
    /// `Prim`.
    pub(super) fn primary(&mut self) {
        let mark = self.start();
        if self.first_on_line() && self.at_next_item() {
            return self.missing_value();
        }
        match self.current() {
            K::Int | K::Float | K::Unit | K::True | K::False | K::Null => {
                self.bump();
                self.finish(mark, K::Literal);
            }
            K::Str | K::StrOpen => self.string(),
            K::Path => self.path(),
            K::Lname if self.foreign_word(mark) => {}
            K::Lname => {
                self.bump();
                self.finish(mark, K::NameRef);
            }
            K::Uname => {
                self.bump();
                self.finish(mark, K::ConRef);
            }
            K::LParen => self.paren(mark),
            K::LBracket => self.list(mark),
            K::LBrace => self.record(mark),
            K::Fn => self.foreign_fn(mark),
            kind if kind.is_reserved() && self.nth(1) == K::FatArrow => {
                self.reserved_name();
                self.bump();
                self.bump();
                self.expr();
                self.finish(mark, K::ErrorNode);
            }
            _ => self.missing_value(),
        }
    }

    /// No expression begins here.
    pub(super) fn missing_value(&mut self) {
        let previous = self.pos.checked_sub(1).map(|at| self.describe(at));
        let at_end = self.at_end() || self.first_on_line();
        let span = if at_end {
            self.span_after_previous()
        } else {
            self.span_here()
        };
        let error = match previous {
            Some(previous) if at_end => {
                Diagnostic::error("E0114", span, format!("a value is missing after {previous}"))
            }
            Some(previous) if self.at(K::Comma) && self.pos > 0 && !self.opens_or_separates(self.pos - 1) => {
                Diagnostic::error("E0114", span, format!("a value is missing after {previous}"))
            }
            _ => Diagnostic::error("E0114", span, format!("expected a value, found {}", self.found())),
        };
        let error = match self.current() {
            _ if at_end => self.help_for_missing(error),
            K::Slash if self.glued(1) => error.help("a path begins with `./`, and stays within the project"),
            K::Comma => error.help("write the value, or leave the name out too"),
            kind if kind.is_reserved() => error.note(format!("{} is a word of the language", self.found())),
            _ => error,
        };
        self.error(error);
        if self.at(K::Slash) && !at_end {
            self.skip_until(|p| p.at(K::Comma) || p.first_on_line());
        }
    }

    fn opens_or_separates(&self, index: usize) -> bool {
        matches!(
            self.tokens[index].kind,
            K::LParen | K::LBracket | K::LBrace | K::Comma
        )
    }

    /// What to do about a value that is missing after the last token.
    fn help_for_missing(&self, error: Diagnostic) -> Diagnostic {
        let Some(previous) = self.pos.checked_sub(1) else {
            return error;
        };
        match self.tokens[previous].kind {
            K::Percent if previous > 0 && matches!(self.tokens[previous - 1].kind, K::Int | K::Float) => {
                error.help("`%` is the rest of a division; a share is written `0.7`")
            }
            K::InterpOpen => {
                error.help("write a value between the braces; for the characters `${` write `\\${`")
            }
            K::Assign | K::Colon | K::FatArrow => error.help("write the value"),
            _ => error.help("write what is missing, or leave the operator out"),
        }
    }

    /// At the first comma between parentheses, which are no tuple.
    fn tuple(&mut self, mark: Mark, bracket: &super::Bracket) {
        let error = Diagnostic::error("E0142", self.span_of(mark.pos), "there are no tuples")
            .help("write a list `[a, b]`, or a record `{ first: a, second: b }`");
        let error = match bracket.closing {
            super::Closing::Closed(end) => {
                let whole = self.span(self.tokens[mark.pos].start, self.ends[end as usize]);
                let inner = self.slice(self.ends[mark.pos], self.tokens[end as usize].start);
                let list = format!("[{}]", inner.trim().trim_end_matches(','));
                let error = error.help(format!("write a list: `{}`", super::shorten_to(&list, 60)));
                let mut error = error.mend("write a list", whole, list);
                error.labels[0].span = whole;
                error
            }
            _ => error,
        };
        self.error(error);
        // Nothing more is said about what was meant as one value.
        let last = self.errors.len();
        while self.eat(K::Comma) && !self.at_end() {
            self.expr();
        }
        self.take_back(last);
    }

    /// `{ let x = 1 x }`: a block of another language. Read as if it had no braces.
    fn braces_of_block(&mut self, mark: Mark) {
        let bracket = self.open();
        let open = self.span_of(mark.pos);
        let error = Diagnostic::error("E0130", open, "there are no blocks: `{` begins a record")
            .help("write the `let` lines and the value without braces");
        self.error(error);
        self.last_error = None;
        self.expr();
        self.close(bracket);
        self.finish(mark, K::ErrorNode);
    }

    /// A string with what is interpolated.
    pub(super) fn string(&mut self) {
        let mark = self.start();
        if self.eat(K::Str) {
            return self.finish(mark, K::StringExpr);
        }
        let bracket = self.open();
        if self.text_of(self.limit).is_empty() {
            // Not closed: the lexer has said so.
            self.quiet_until = self.quiet_until.max(self.limit + 1);
        }
        while !self.at_end() {
            if self.at(K::InterpOpen) {
                let interp = self.start();
                let inner = self.open();
                if self.at_end() {
                    self.missing_value();
                } else {
                    self.expr();
                    self.format_in_string(mark.pos);
                }
                self.close(inner);
                self.finish(interp, K::Interp);
            } else {
                self.bump();
            }
        }
        self.close(bracket);
        self.finish(mark, K::StringExpr);
    }

    /// `./a.csv`, `./"a ${b}.csv"`.
    pub(super) fn path(&mut self) {
        let mark = self.start();
        let bare = matches!(self.text_of(self.pos), "./" | "../");
        self.bump();
        if bare && matches!(self.current(), K::Str | K::StrOpen) && self.glued(0) {
            self.string();
        }
        self.finish(mark, K::PathExpr);
    }

    fn paren(&mut self, mark: Mark) {
        let bracket = self.open();
        if self.at_end() {
            let error = Diagnostic::error("E0114", self.span_since(mark), "these parentheses hold nothing")
                .help("an empty list is written `[]`, an empty record `{}`, the absence of a value `null`");
            self.error(error);
        } else {
            self.expr();
        }
        if self.at(K::Comma) {
            self.tuple(mark, &bracket);
        }
        self.close(bracket);
        self.finish(mark, K::Paren);
    }

    fn list(&mut self, mark: Mark) {
        let bracket = self.open();
        let first = self.start();
        let mut is_for = false;
        if !self.for_before_value("write `[x * 2 for x in xs]`") && !self.at_end() && !self.at(K::Comma) {
            self.list_element();
            if self.at(K::For) {
                is_for = true;
                self.clauses();
                self.eat(K::Comma);
            } else if !self.at_end() && !self.eat(K::Comma) {
                self.after_first_element(first);
            }
        }
        self.elements(Self::list_element);
        self.close(bracket);
        self.finish(mark, if is_for { K::ListFor } else { K::List });
    }

    fn after_first_element(&mut self, first: Mark) {
        if self.at(K::Colon) && self.pos == first.pos + 1 {
            let label = self.describe(first.pos);
            let error = Diagnostic::error(
                "E0129",
                self.span_here(),
                format!("{label} is a field, and this is a list"),
            )
            .help("records are written `{ a: 1 }`");
            self.error(error);
            // What would be names are labels.
            self.pos = self.limit;
            return self.finish(first, K::ErrorNode);
        }
        self.missing_comma(first.pos);
    }

    fn list_element(&mut self) {
        let mark = self.start();
        if self.eat(K::Ellipsis) {
            self.expr();
            return self.finish(mark, K::Spread);
        }
        if self.at(K::Star) {
            let span = self.span_here();
            let error = Diagnostic::error("E0115", span, "`*` does not spread a list here")
                .help("write `...xs`")
                .mend("write `...`", span, "...");
            self.error(error);
            self.bump();
        }
        self.expr();
    }

    /// `Cls`.
    pub(super) fn clauses(&mut self) {
        loop {
            let mark = self.start();
            match self.current() {
                K::For => {
                    self.bump();
                    self.pattern();
                    if self.eat(K::Comma) {
                        self.pattern();
                    }
                    if self.at_word("in") {
                        self.bump();
                        self.or();
                    } else {
                        self.unexpected("`in` and a list or map");
                    }
                    self.finish(mark, K::ForClause);
                }
                K::If => {
                    self.bump();
                    self.or();
                    self.finish(mark, K::IfClause);
                }
                _ => return,
            }
        }
    }

    fn record(&mut self, mark: Mark) {
        if self.nth(1) == K::Let && !matches!(self.nth(2), K::Colon | K::Comma | K::Eof) {
            return self.braces_of_block(mark);
        }
        let bracket = self.open();
        let mut is_for = false;
        self.for_before_value("write `{ [name]: size for name, size in sizes }`");
        self.elements(|p| {
            p.entry();
            if p.at(K::For) && !is_for {
                is_for = true;
                p.clauses();
            }
        });
        self.close(bracket);
        self.finish(mark, if is_for { K::RecordFor } else { K::Record });
    }

    fn entry(&mut self) {
        let mark = self.start();
        match self.current() {
            K::Ellipsis => {
                self.bump();
                self.expr();
                self.finish(mark, K::Spread);
            }
            K::LBracket => {
                let bracket = self.open();
                self.expr();
                self.close(bracket);
                self.entry_value(mark);
                self.finish(mark, K::ComputedField);
            }
            K::StrOpen => {
                self.string();
                self.entry_value(mark);
                self.finish(mark, K::ComputedField);
            }
            K::Str => {
                self.bump();
                self.entry_value(mark);
                self.finish(mark, K::Field);
            }
            K::Lname if self.at_word("return") && self.starts_value_after_word() => {
                let error = Diagnostic::error("E0127", self.span_here(), "there is no `return`")
                    .help("a function's value is the expression after `=>`; there are no blocks");
                self.error(error);
                self.skip_until(|_| false);
            }
            kind if kind.is_label() => {
                self.bump();
                match self.current() {
                    K::Comma | K::Eof => {}
                    K::Colon | K::Assign => self.entry_value(mark),
                    // `{ a b: 1 }`: the list says that a comma is missing.
                    _ if self.current().is_label() || self.first_on_line() => {}
                    _ => self.entry_value(mark),
                }
                self.finish(mark, K::Field);
            }
            K::Int | K::Float | K::Minus => {
                let error = match self.nth(1) {
                    K::Comma | K::Eof => Diagnostic::error(
                        "E0143",
                        self.span_here(),
                        "there are no sets: `{` begins a record",
                    )
                    .help("for a list write `[…]`; the different elements of one are `unique(xs)`"),
                    _ => Diagnostic::error("E0143", self.span_here(), "the keys of a map are strings")
                        .help("write the number between `\"`; for a list write `[…]`"),
                };
                self.error(error);
                self.quiet_until = self.quiet_until.max(self.limit);
                self.skip_until(|p| p.at(K::Comma));
            }
            K::StarStar | K::Star => {
                let found = self.found();
                let span = self.span_here();
                let error =
                    Diagnostic::error("E0115", span, format!("{found} does not spread a record here"))
                        .help("write `...record`")
                        .mend("write `...`", span, "...");
                self.error(error);
                self.bump();
                self.expr();
                self.finish(mark, K::Spread);
            }
            _ => {
                self.unexpected("a field `name: value`");
                self.skip_until(|p| p.at(K::Comma));
            }
        }
    }

    /// Whether a value follows the word at hand on its line.
    pub(super) fn starts_value_after_word(&self) -> bool {
        let next = self.nth(1);
        (next.is_label()
            || matches!(
                next,
                K::Int | K::Float | K::Str | K::StrOpen | K::LBracket | K::LBrace
            ))
            && !self.tokens[self.pos + 1].has(super::Token::FIRST)
    }

    /// `: value` of an entry that began at `mark`.
    fn entry_value(&mut self, mark: Mark) {
        if self.eat(K::Colon) {
            return self.expr();
        }
        let label = self.text_of(mark.pos);
        if self.at(K::Assign) {
            let span = self.span(self.tokens[mark.pos].start, self.ends[self.pos]);
            let value = self.preview(self.pos + 1);
            let error = Diagnostic::error("E0129", span, format!("fields are written `{label}: {value}`"))
                .help("write `:` for `=`")
                .mend("write `:`", span, format!("{label}:"));
            self.habit("a field with =", error);
            self.bump();
            return self.expr();
        }
        let found = self.found();
        let error = Diagnostic::error(
            "E0129",
            self.span_here(),
            format!("expected `:` and a value, found {found}"),
        )
        .help("fields are written `name: value`");
        self.error(error);
        self.skip_until(|p| p.at(K::Comma));
    }
}
