//! Patterns. Whether one that must always fit does is for lowering to say.

use super::{K, Mark, Parser};
use crate::diagnostic::Diagnostic;

impl Parser<'_> {
    /// `Pat`.
    pub(super) fn pattern(&mut self) {
        self.nested(Self::pattern_here);
    }

    fn pattern_here(&mut self) {
        let mark = self.start();
        match self.current() {
            K::Lname if self.text_of(self.pos) == "_" => {
                self.bump();
                self.finish(mark, K::WildcardPat);
            }
            K::Lname if self.nth(1) == K::Dot => self.variant_pattern(mark),
            K::Lname => {
                self.bump();
                self.finish(mark, K::BindPat);
            }
            K::Uname => self.variant_pattern(mark),
            K::Minus if self.nth(1) == K::Int => {
                self.bump();
                self.bump();
                self.finish(mark, K::LiteralPat);
            }
            K::Int | K::Str | K::True | K::False | K::Null => {
                self.bump();
                self.finish(mark, K::LiteralPat);
            }
            K::LBrace => {
                self.comma_list(Self::field_pattern);
                self.finish(mark, K::RecordPat);
            }
            _ => self.bad_pattern(),
        }
    }

    fn bad_pattern(&mut self) {
        let found = self.found();
        let error = Diagnostic::error(
            "E0132",
            self.span_here(),
            format!("expected a pattern, found {found}"),
        );
        let error = match self.current() {
            K::Else => {
                let span = self.span_here();
                error
                    .help("write `_` for all other cases")
                    .mend("write `_`", span, "_")
            }
            K::Float => error.help("floats are compared in a guard: `x if x < 0.5 => …`"),
            K::LBracket => error.help("lists are not taken apart by patterns; use `len`, `xs[0]`, `fold`"),
            K::LParen => error.help("patterns have no parentheses; records are taken apart by `{ a, b }`"),
            K::StrOpen => error.help("strings in patterns have no `${`"),
            kind if kind.is_reserved() => error.note(format!("{found} is a word of the language")),
            _ => error,
        };
        self.error(error);
        let stop = |p: &Self| {
            matches!(p.current(), K::Comma | K::FatArrow | K::Assign | K::If | K::Bar)
                || p.at_word("in")
                || (p.first_on_line() && p.at_next_item())
        };
        self.skip_until(stop);
    }

    fn field_pattern(&mut self) {
        if self.eat(K::DotDot) {
            return;
        }
        let mark = self.start();
        if self.at(K::Ellipsis) {
            let span = self.span_here();
            let error = Diagnostic::error("E0132", span, "other fields are allowed by `..`")
                .help("write `..`")
                .mend("write `..`", span, "..");
            self.error(error);
            return self.bump();
        }
        if !self.current().is_label() {
            self.unexpected("the name of a field");
            return self.skip_until(|p| p.at(K::Comma));
        }
        self.bump();
        if self.eat(K::Colon) {
            self.pattern();
        }
        self.finish(mark, K::PatField);
    }

    /// `Color.Red`, `lib.Color.Rgb(r, g = p)`, `Red`.
    fn variant_pattern(&mut self, mark: Mark) {
        while matches!(self.current(), K::Lname | K::Uname) && self.nth(1) == K::Dot {
            self.bump();
            self.bump();
        }
        if !self.expect(K::Uname, "the name of a variant") {
            return self.finish(mark, K::VariantPat);
        }
        if self.at(K::LParen) && !self.first_on_line() {
            let args = self.start();
            self.comma_list(|p| {
                let mark = p.start();
                if p.current().is_label() && p.nth(1) == K::Assign {
                    p.bump();
                    p.bump();
                } else if p.current().is_label() && p.nth(1) == K::Colon {
                    let label = p.text_of(p.pos);
                    let span = p.span(p.tokens[p.pos].start, p.ends[p.pos + 1]);
                    let error = Diagnostic::error(
                        "E0125",
                        span,
                        format!("a variant's fields are written `{label} = …`"),
                    )
                    .help(format!("write `{label} =`"))
                    .mend(format!("write `{label} =`"), span, format!("{label} ="));
                    p.error(error);
                    p.bump();
                    p.bump();
                }
                p.pattern();
                p.finish(mark, K::PatArg);
            });
            self.finish(args, K::PatArgs);
        }
        self.finish(mark, K::VariantPat);
    }
}
