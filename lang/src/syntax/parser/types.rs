//! Written types.

use super::{K, Mark, Parser};
use crate::diagnostic::Diagnostic;

impl Parser<'_> {
    /// `Type`.
    pub(super) fn ty(&mut self) {
        self.nested(Self::type_here);
    }

    fn type_here(&mut self) {
        let mark = self.start();
        match self.current() {
            K::LParen if self.closes_before(K::Arrow) => {
                self.comma_list(Self::ty);
                self.finish(mark, K::FnTypeParams);
                self.bump();
                self.ty();
                return self.finish(mark, K::FnType);
            }
            K::LParen => {
                let bracket = self.open();
                self.ty();
                self.close(bracket);
                self.finish(mark, K::ParenType);
            }
            K::LBrace => {
                self.comma_list(Self::record_type_field);
                self.finish(mark, K::RecordType);
            }
            K::Lname if self.at_word("typeof") && self.nth(1) == K::LParen => {
                self.bump();
                let bracket = self.open();
                self.expr();
                self.close(bracket);
                self.finish(mark, K::TypeofType);
            }
            K::Uname | K::Lname => self.named_type(mark),
            _ => return self.missing_type(),
        }
        while matches!(self.current(), K::Question | K::QuestionQuestion) {
            self.bump();
            self.finish(mark, K::OptionalType);
        }
        if self.at(K::Bar) && self.pos > mark.pos {
            let error = Diagnostic::error("E0133", self.span_here(), "a value has one type");
            let null = matches!(self.nth(1), K::Null)
                || self.nth(1) == K::Uname && self.text_of(self.pos + 1) == "None";
            let span = self.span_since(mark);
            let error = if null && self.nth(2) != K::Bar {
                let better = format!("{}?", self.slice(span.start, span.end));
                error.help(format!("one that may be null is written `{better}`"))
            } else {
                error.help("`T?` is a `T` or null; for several kinds of value declare an `enum`")
            };
            self.error(error);
            while self.eat(K::Bar) {
                self.skip_until(|p| {
                    !matches!(p.current(), K::Uname | K::Lname | K::Dot | K::Null | K::LBracket)
                });
            }
        }
    }

    fn missing_type(&mut self) {
        let found = self.found();
        let error = Diagnostic::error(
            "E0133",
            self.span_here(),
            format!("expected a type, found {found}"),
        );
        let error = match self.current() {
            K::Null => error.help("a value that may be null has a type such as `Int?`"),
            K::LBracket => error.help("a list of integers has the type `List[Int]`"),
            _ => error.help("types are written `Int`, `List[Str]`, `{ lr: Float }`, `(Int) -> Float`"),
        };
        self.error(error);
        if self.at(K::LBracket) || self.at(K::Null) || self.at(K::Str) {
            let mark = self.start();
            self.skip_token();
            self.finish(mark, K::ErrorNode);
        }
    }

    fn named_type(&mut self, mark: Mark) {
        while self.at(K::Lname) && self.nth(1) == K::Dot {
            self.bump();
            self.bump();
        }
        if self.at(K::Lname) {
            self.small_type();
        }
        if !self.eat(K::Uname) {
            if self.pos == mark.pos {
                return;
            }
            self.unexpected("the name of a type");
            return self.finish(mark, K::NamedType);
        }
        if self.at(K::LBracket) && !self.first_on_line() {
            let args = self.start();
            self.comma_list(Self::ty);
            self.finish(args, K::TypeArgs);
        } else if self.at(K::Lt) && self.glued(0) {
            self.angle_brackets();
        }
        if self.at(K::LParen) && !self.first_on_line() {
            let dims = self.start();
            self.comma_list(|p| match p.current() {
                K::Int | K::Lname => p.bump(),
                _ => {
                    p.unexpected("a number, the name of a parameter, or `_`");
                    p.skip_until(|p| p.at(K::Comma));
                }
            });
            self.finish(dims, K::Dims);
        }
        self.finish(mark, K::NamedType);
    }

    /// At the `<` of `List<Int>`.
    fn angle_brackets(&mut self) {
        let (at, open) = (self.pos, self.span_here());
        let name = self.span_of(at - 1);
        let error = Diagnostic::error("E0133", open, "the types in a type stand between `[` and `]`");
        self.skip_until(|p| p.at(K::Gt) || p.at(K::Assign) || p.at(K::LBrace) || p.first_on_line());
        let error = if self.at(K::Gt) {
            let inner = self.slice(open.end, self.span_here().start).trim();
            let better = format!("{}[{inner}]", self.slice(name.start, name.end));
            error.help(format!("write `{better}`"))
        } else {
            error.help("write `List[Int]`")
        };
        let end = std::mem::replace(&mut self.pos, at);
        self.error(error);
        self.pos = end;
        self.eat(K::Gt);
    }

    /// `int`, `str`: a type that begins with a small letter.
    fn small_type(&mut self) {
        let written = self.text_of(self.pos);
        let span = self.span_here();
        let known = match written {
            "int" | "integer" | "i64" | "long" => Some("Int"),
            "float" | "double" | "f64" | "f32" | "number" => Some("Float"),
            "str" | "string" => Some("Str"),
            "bool" | "boolean" => Some("Bool"),
            "path" => Some("Path"),
            "list" | "array" => Some("List"),
            "dict" | "map" => Some("Map"),
            "json" | "any" | "object" => Some("Json"),
            _ => None,
        };
        let mut letters = written.chars();
        let capital: String = letters
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .chain(letters)
            .collect();
        let better = known.map_or(capital, str::to_owned);
        let error = Diagnostic::error(
            "E0133",
            span,
            format!("`{written}` is no type: types begin with an upper-case letter"),
        )
        .help(if known.is_some() {
            format!("write `{better}`")
        } else {
            format!("write `{better}`; the type of a value is `typeof({written})`")
        })
        .mend(format!("write `{better}`"), span, better);
        let scope = self.item_start;
        self.habit_within("a type in small letters", scope, error);
        // Taken for the type that it stands for, with its arguments.
        self.tokens[self.pos].kind = K::Uname;
    }

    fn record_type_field(&mut self) {
        let mark = self.start();
        if self.eat(K::DotDot) {
            return;
        }
        if self.at(K::Ellipsis) {
            let span = self.span_here();
            let error = Diagnostic::error("E0133", span, "other fields are allowed by `..`")
                .help("write `..`")
                .mend("write `..`", span, "..");
            self.error(error);
            return self.bump();
        }
        if !self.current().is_label() && !self.at(K::Str) {
            self.unexpected("a field `name: Type`");
            return self.skip_until(|p| p.at(K::Comma));
        }
        self.bump();
        self.eat(K::Question);
        if self.at(K::Assign) {
            let span = self.span_here();
            let error = Diagnostic::error("E0129", span, "the type of a field stands after `:`")
                .help("write `:`; `=` stands before a default, after the type")
                .mend("write `:`", span, ":");
            self.error(error);
            self.bump();
            self.ty();
        } else if self.expect(K::Colon, "`:` and the field's type") {
            self.ty();
            if self.eat(K::Assign) {
                self.expr();
            }
        } else {
            self.skip_until(|p| p.at(K::Comma));
        }
        self.finish(mark, K::RecordTypeField);
    }
}
