//! Statements of other languages at the top of a file: blocks, several names at once, `let`. Each is one mistake, and the
//! names that it would bind are known all the same.

use super::{K, Mark, Parser};
use crate::diagnostic::Diagnostic;
use crate::syntax::lexer::{Token, UNITS};

impl Parser<'_> {
    /// `try:`, `with open(f) as g:`: a block that some other language begins with a word; true if it was one.
    pub(super) fn foreign_block(&mut self, mark: Mark) -> bool {
        let word = self.text_of(self.pos);
        let begins = matches!(word, "try" | "except" | "finally" | "with");
        if !begins || self.line_end_is_colon().is_none() {
            return false;
        }
        let error = Diagnostic::error(
            "E0127",
            self.span_here(),
            format!("there is no statement `{word}`"),
        )
        .help("a file consists of imports, bindings `name = value`, functions and types");
        self.error(error);
        self.skip_statement(mark);
        true
    }

    /// The colon at the end of the line at hand, with nothing but a block behind it.
    fn line_end_is_colon(&self) -> Option<usize> {
        let mut at = self.pos;
        while at < self.limit {
            let next = match self.closings[at] {
                Some(closing) => closing.end().max(at),
                None => at,
            } + 1;
            if next >= self.limit || self.tokens[next].has(Token::FIRST) {
                return (self.tokens[at].kind == K::Colon).then_some(at);
            }
            at = next;
        }
        None
    }

    /// Whether `if` stands here as a statement: with a colon at the end of its line.
    pub(super) fn is_if_statement(&self) -> bool {
        self.tokens[self.pos].has(Token::COLUMN_0) && self.line_end_is_colon().is_some()
    }

    pub(super) fn if_statement(&mut self, mark: Mark) {
        let error = Diagnostic::error(
            "E0127",
            self.span_here(),
            "there are no statements: `if` is a value",
        )
        .help("bind what it comes to: `name = if condition then value else other`");
        self.error(error);
        self.skip_statement(mark);
    }

    /// Skips a statement with its blocks, also those that follow from it. What they assign is bound once.
    pub(super) fn skip_statement(&mut self, mark: Mark) {
        let mut bound: Vec<&str> = Vec::new();
        let mut skipped = mark;
        while !self.at_end() {
            let at_top = self.pos > mark.pos && self.tokens[self.pos].has(Token::COLUMN_0);
            let goes_on = self.at(K::Else)
                || ["elif", "except", "finally", "case"]
                    .iter()
                    .any(|word| self.at_word(word));
            if at_top && !goes_on && !super::super::brackets::is_closer(self.current()) {
                break;
            }
            let assigned = self.first_on_line() && self.at(K::Lname) && self.nth(1) == K::Assign;
            let name = self.text_of(self.pos);
            if assigned && !at_top && self.pos > mark.pos && !bound.contains(&name) {
                bound.push(name);
                self.finish(skipped, K::ErrorNode);
                let inner = self.start();
                self.bump();
                self.finish(inner, K::Binding);
                skipped = self.start();
            } else {
                self.skip_token();
            }
        }
        self.finish(skipped, K::ErrorNode);
    }

    /// `a, b = …`; true if it was.
    pub(super) fn several_names(&mut self, mark: Mark) -> bool {
        let mut at = self.pos;
        let mut names = vec![at];
        let is_name = |kind: K| matches!(kind, K::Lname | K::Uname);
        while is_name(self.tokens[at].kind) && self.tokens[at + 1].kind == K::Comma {
            at += 2;
            names.push(at);
        }
        if at + 1 >= self.limit || !is_name(self.tokens[at].kind) || self.tokens[at + 1].kind != K::Assign {
            return false;
        }
        let first = self.text_of(self.pos);
        let span = self.span(self.tokens[self.pos].start, self.ends[at]);
        let error = Diagnostic::error("E0142", span, "one name is bound at a time").help(format!(
            "bind the whole, and take its parts: `both = …`, `{first} = both[0]`"
        ));
        self.error(error);
        for _ in names {
            let inner = self.start();
            let kind = if self.at(K::Lname) {
                K::Binding
            } else {
                K::ErrorNode
            };
            self.bump();
            self.finish(inner, kind);
            let separator = self.start();
            self.bump();
            self.finish(separator, K::ErrorNode);
        }
        let value = self.start();
        self.expr();
        self.skip_to_item();
        self.finish(value, K::ErrorNode);
        self.finish(mark, K::ErrorNode);
        true
    }

    /// Whether a value follows the `let` lines that begin here, so that they are the file's result.
    pub(super) fn lets_have_result(&self) -> bool {
        let mut at = self.pos;
        while at < self.limit {
            let starts = self.tokens[at].has(Token::COLUMN_0);
            if starts && self.tokens[at].kind != K::Let {
                return !super::starts_item(self.text, &self.tokens, at);
            }
            at = match self.closings[at] {
                Some(closing) => closing.end().max(at),
                None => at,
            } + 1;
        }
        // Indented: a value may stand there.
        (self.pos..self.limit).any(|at| {
            let token = self.tokens[at];
            token.has(Token::FIRST) && !token.has(Token::COLUMN_0) && token.kind != K::Let
        })
    }

    /// `let name = value` at the top.
    pub(super) fn let_item(&mut self, mark: Mark) {
        let word = self.span_here();
        let removed = self.span(word.start, self.tokens[self.pos + 1].start);
        let error = Diagnostic::error(
            "E0128",
            word,
            "at the top of a file a binding is written without `let`",
        )
        .help("write `name = value`")
        .mend("remove `let`", removed, "");
        self.habit_within("let at the top", 0, error);
        self.bump();
        let inner = self.start();
        self.bump();
        if self.eat(K::Colon) {
            self.ty();
        }
        if self.eat(K::Assign) {
            self.expr();
        }
        self.finish(inner, K::Binding);
        let _ = mark;
    }

    /// The `=` on the line at hand that comes after something other than a name.
    pub(super) fn assign_behind_target(&self) -> Option<usize> {
        if !matches!(self.current(), K::Lname | K::Unit | K::Uname) {
            return None;
        }
        let mut at = self.pos;
        loop {
            at = match self.closings[at] {
                Some(closing) => closing.end().max(at),
                None => at,
            } + 1;
            if at >= self.limit || self.tokens[at].has(Token::FIRST) {
                return None;
            }
            match self.tokens[at].kind {
                K::Assign => return Some(at),
                K::Dot | K::LParen | K::LBracket | K::Minus | K::RParen | K::RBracket => {}
                kind if kind.is_label() => {}
                _ => return None,
            }
        }
    }

    /// `learning-rate = 1`, `config.lr = 1`, `f(x) = x`: the `=` stands at `assign`.
    pub(super) fn no_name_to_bind(&mut self, mark: Mark, assign: usize) {
        let span = self.span(self.tokens[mark.pos].start, self.ends[assign - 1]);
        let text = self.slice(span.start, span.end);
        let kinds = || self.tokens[mark.pos..assign].iter().map(|token| token.kind);
        let error = if kinds().any(|kind| kind == K::Minus)
            && kinds().all(|kind| kind == K::Minus || kind.is_label())
        {
            let better = text.replace('-', "_").replace(' ', "");
            Diagnostic::error("E0124", span, "a name has no `-` in it")
                .help(format!("write `{better}`"))
                .mend(format!("write `{better}`"), span, better)
        } else if kinds().any(|kind| kind == K::LParen) {
            Diagnostic::error("E0127", span, "functions are written with `fn`")
                .help("write `fn name(x: Float) = value`")
        } else if kinds().any(|kind| matches!(kind, K::Dot | K::LBracket)) {
            let base = self.text_of(mark.pos);
            Diagnostic::error("E0124", span, "a value never changes").help(format!(
                "make a new one: `changed = {{ ...{base}, field: value }}`"
            ))
        } else if self.at(K::Unit) {
            // The number's own message says it.
            self.bump();
            self.pos = assign + 1;
            self.expr();
            return self.finish(mark, K::ErrorNode);
        } else {
            Diagnostic::error("E0116", span, "a binding has one name before its `=`")
                .help("write `name = value`")
        };
        self.error(error);
        self.pos = assign + 1;
        self.quiet_until = self.quiet_until.max(self.pos);
        self.expr();
        self.finish(mark, K::ErrorNode);
    }

    /// What to say of a token that follows the end of an item on its line.
    pub(super) fn follows_directly(&self) -> Diagnostic {
        let found = self.found();
        let previous = self.describe(self.pos - 1);
        let span = self.span_here();
        let error = Diagnostic::error("E0116", span, format!("{found} follows {previous} directly"));
        let number = matches!(self.tokens[self.pos - 1].kind, K::Int | K::Float);
        if let Some((unit, _)) = UNITS
            .iter()
            .find(|(unit, _)| number && *unit == self.text_of(self.pos))
        {
            let whole = self.span(self.tokens[self.pos - 1].start, span.end);
            let better = format!("{}{unit}", self.text_of(self.pos - 1));
            return Diagnostic::error("E0106", whole, "a unit touches its number")
                .help(format!("write `{better}`"))
                .mend(format!("write `{better}`"), whole, better);
        }
        if self.at(K::Lname) && self.nth(1) == K::Assign {
            let gap = self.span(self.ends[self.pos - 1], span.start);
            return error
                .help(format!("begin the binding of {found} on a line of its own"))
                .mend("begin a new line", gap, "\n");
        }
        error.help("put an operator or a comma between, or begin a new line")
    }

    /// Behind a value in `${…}`: `lr:.4f`, `env:HOME`.
    pub(super) fn format_in_string(&mut self, string: usize) {
        if !self.at(K::Colon) {
            return;
        }
        let rest = self.span(self.tokens[self.pos].start, self.tokens[self.limit].start);
        let value = self.slice(self.tokens[string].start, rest.start);
        let value = value.rsplit("${").next().unwrap_or_default();
        let error = match value {
            "env" | "oc.env" | "ENV" => {
                let whole = self.span(rest.start - value.len() as u32, rest.end);
                let name = self.slice(rest.start + 1, rest.end).to_lowercase();
                Diagnostic::error("E0115", whole, "the environment is not read").help(format!(
                    "declare `param {name}: Str`, give it with `--set {name}=…`, and write `${{{name}}}`"
                ))
            }
            _ => Diagnostic::error("E0115", rest, "a value in a string has no format")
                .help(format!("write `${{{value}}}`: numbers are written out"))
                .mend("remove the format", rest, ""),
        };
        self.error(error);
        self.skip_until(|_| false);
    }

    /// What to say of a comma behind an item.
    pub(super) fn comma_behind_item(&self) -> Diagnostic {
        let span = self.span_here();
        let digits = |index: usize| self.tokens[index].kind == K::Int;
        if digits(self.pos - 1) && self.nth(1) == K::Int && self.glued(0) && self.glued(1) {
            let whole = self.span(self.tokens[self.pos - 1].start, self.ends[self.pos + 1]);
            let better = format!("{}.{}", self.text_of(self.pos - 1), self.text_of(self.pos + 1));
            return Diagnostic::error("E0104", whole, "a number has a point, not a comma")
                .help(format!("write `{better}`"))
                .mend(format!("write `{better}`"), whole, better);
        }
        let error = Diagnostic::error("E0115", span, "a line does not end with `,` here");
        if self.nth(1) == K::Eof || self.tokens[self.pos + 1].has(Token::FIRST) {
            error.help("remove the comma").mend("remove `,`", span, "")
        } else {
            error.help("a list of values is written `[a, b]`")
        }
    }
}
