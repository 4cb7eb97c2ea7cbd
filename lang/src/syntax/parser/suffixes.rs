//! Suffixes of primary expressions: fields, calls with their arguments, indices, type arguments.

use super::{K, Mark, Parser};
use crate::diagnostic::{Diagnostic, Mend};

impl Parser<'_> {
    /// `Post`.
    pub(super) fn suffixed(&mut self) {
        let mark = self.start();
        self.primary();
        if self.pos == mark.pos {
            return;
        }
        let mut suffixes = false;
        loop {
            let suffix = self.start();
            match self.current() {
                K::Dot => self.dot_suffix(suffix),
                K::LParen if !self.first_on_line() => {
                    self.comma_list(Self::arg);
                    self.finish(suffix, K::CallSuffix);
                }
                K::LBracket if !self.first_on_line() => self.bracket_suffix(suffix),
                _ => break,
            }
            suffixes = true;
        }
        if suffixes {
            self.finish(mark, K::Postfix);
        }
    }

    fn dot_suffix(&mut self, mark: Mark) {
        self.bump();
        if self.current().is_label() && !(self.first_on_line() && self.at_next_item()) {
            self.bump();
        } else if self.at(K::Int) {
            let index = self.text_of(self.pos);
            let dot = self.tokens[mark.pos].start;
            let span = self.span(dot, self.ends[self.pos]);
            let error = Diagnostic::error("E0115", span, "elements are taken by `[…]`")
                .help(format!("write `[{index}]`"))
                .mend(format!("write `[{index}]`"), span, format!("[{index}]"));
            self.error(error);
            self.bump();
        } else {
            let span = self.span_after_previous();
            let error = Diagnostic::error("E0115", span, "after `.` comes the name of a field");
            self.error(error.help("write the name, or leave the `.` out"));
        }
        self.finish(mark, K::DotSuffix);
    }

    /// `[index]`, or `[Types]` before a call.
    fn bracket_suffix(&mut self, mark: Mark) {
        if !matches!(self.nth(1), K::Uname | K::LBrace) {
            let bracket = self.open();
            if self.at_end() {
                self.missing_value();
            } else {
                self.expr();
            }
            if self.at(K::Colon) || self.at(K::Comma) {
                let error = Diagnostic::error("E0115", self.span_here(), "an index is one value")
                    .help("for a part of a list write `take(xs, n)` or `[x for i, x in xs if i < n]`");
                self.error(error);
                self.skip_until(|_| false);
            }
            self.close(bracket);
            return self.finish(mark, K::IndexSuffix);
        }
        self.comma_list(Self::ty);
        if !self.at(K::LParen) || self.first_on_line() {
            let error = Diagnostic::error("E0134", self.span_since(mark), "types in brackets stand before a call")
                .help("write the call, such as `decode[Config](json)`; to index by such a value put it in parentheses");
            self.last_error = None;
            self.error(error);
        }
        self.finish(mark, K::TypeArgs);
    }

    fn arg(&mut self) {
        let mark = self.start();
        if self.eat(K::Ellipsis) {
            self.expr();
            return self.finish(mark, K::Arg);
        }
        if self.current().is_label() && self.nth(1) == K::Assign {
            self.bump();
            self.bump();
        } else if self.current().is_label() && self.nth(1) == K::Colon {
            let label = self.text_of(self.pos);
            let span = self.span(self.tokens[self.pos].start, self.ends[self.pos + 1]);
            let value = self.preview(self.pos + 2);
            let error = Diagnostic::error(
                "E0125",
                span,
                format!("arguments are written `{label} = {value}`"),
            )
            .help("write `=` for `:`")
            .mend("write `=`", span, format!("{label} ="));
            self.habit("an argument with :", error);
            self.bump();
            self.bump();
        } else if matches!(self.current(), K::Star | K::StarStar) {
            let found = self.found();
            let span = self.span_here();
            let error = Diagnostic::error("E0115", span, format!("{found} does not spread arguments here"))
                .help("write `...` before a record of named arguments")
                .mend("write `...`", span, "...");
            self.error(error);
            self.bump();
        }
        self.expr();
        if self.at(K::For) {
            self.comprehension_in_call(mark);
        }
        self.finish(mark, K::Arg);
    }

    fn comprehension_in_call(&mut self, mark: Mark) {
        let error = Diagnostic::error("E0141", self.span_here(), "a comprehension stands in brackets")
            .help("write `[… for … in …]`");
        self.error(error);
        self.clauses();
        let whole = self.span_since(mark);
        let start = self.span(whole.start, whole.start);
        let end = self.span(whole.end, whole.end);
        if let Some(error) = self.errors.last_mut().filter(|error| error.code == "E0141") {
            error.mend = Some(Mend {
                title: "put brackets around it".to_owned(),
                edits: vec![(start, "[".to_owned()), (end, "]".to_owned())],
            });
        }
        self.finish(mark, K::ErrorNode);
    }
}
