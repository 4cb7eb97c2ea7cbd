//! Items: imports, params, types, enums, functions, bindings; and the expression at the end of a file.

use super::{K, Mark, Parser};
use crate::diagnostic::Diagnostic;

impl Parser<'_> {
    pub(super) fn file(&mut self) {
        while !self.at_end() {
            let before = self.pos;
            self.item();
            self.end_of_item(before);
        }
    }

    /// A text that is one expression.
    pub(super) fn lone_expr(&mut self) {
        self.expr();
        if !self.at_end() {
            self.unexpected("the end of the value");
            self.skip_until(|_| false);
        }
    }

    /// Goes to the next item, which begins on a line of its own.
    fn end_of_item(&mut self, before: usize) {
        if self.pos > before && (self.at_end() || self.first_on_line()) && !self.at_stray_closer() {
            return;
        }
        if self.starts_expr() && self.pos > before && !self.first_on_line() {
            let error = self.follows_directly();
            self.error(error);
        } else if self.at(K::Comma) && self.pos > before {
            // Of `1,000` the lexer has said it; `0` alone is a number.
            let next = self.text_of(self.pos + 1);
            let thousands = self.nth(1) == K::Int && next.starts_with('0') && next.len() > 1;
            if !thousands {
                let error = self.comma_behind_item();
                self.error(error);
            }
        } else {
            self.unexpected("");
        }
        if self.pos == before {
            let mark = self.start();
            self.bump();
            self.finish(mark, K::ErrorNode);
        }
        self.skip_to_item();
    }

    fn at_stray_closer(&self) -> bool {
        super::super::brackets::is_closer(self.current())
    }

    /// Skips to a token that may begin an item: the first of its line, and at the first column or followed by `=`.
    pub(super) fn skip_to_item(&mut self) {
        self.skip_until(|p| {
            p.first_on_line()
                && !p.at_stray_closer()
                && (p.tokens[p.pos].has(super::Token::COLUMN_0)
                    || (p.at(K::Lname) && p.nth(1) == K::Assign)
                    || matches!(p.current(), K::Import | K::Fn))
        });
    }

    /// Skips to the next line that is not indented.
    pub(super) fn skip_block(&mut self) {
        self.skip_until(|p| p.tokens[p.pos].has(super::Token::COLUMN_0) && !p.at_stray_closer());
    }

    fn item(&mut self) {
        let mark = self.start();
        self.item_start = mark.pos;
        let word = if self.at(K::Lname) {
            self.text_of(self.pos)
        } else {
            ""
        };
        let same_line = !self.tokens[(self.pos + 1).min(self.limit)].has(super::Token::FIRST);
        match (self.current(), self.nth(1)) {
            (K::Import, _) => self.import_item(mark),
            (K::Fn, K::LParen) => self.item_expr(mark),
            (K::Fn, _) => self.fn_item(mark),
            (K::Lname, K::Lname) if word == "param" && same_line => self.param(mark),
            (K::Lname, K::Lname | K::Uname) if word == "type" && same_line => self.type_item(mark),
            (K::Lname, K::Lname | K::Uname) if word == "enum" && same_line => self.enum_item(mark),
            (K::Lname, K::Assign) => self.binding(mark),
            (K::Lname, _) if self.foreign_block(mark) => {}
            (K::Lname, K::Colon) => self.typed_binding_or_yaml(mark),
            (K::Uname, K::Assign) => {
                self.wrong_case(false);
                self.binding(mark);
            }
            (K::Uname, K::Colon) => {
                if self.assign_on_line() {
                    self.wrong_case(false);
                }
                self.typed_binding_or_yaml(mark);
            }
            (K::Str, K::Colon) => self.yaml_line(mark),
            (
                K::Lname,
                K::Plus | K::Minus | K::Star | K::Slash | K::StarStar | K::SlashSlash | K::Percent,
            ) if self.nth(2) == K::Assign && self.glued(2) => {
                self.augmented_assignment(mark);
            }
            (kind, K::Assign) if kind.is_reserved() && kind != K::Let => {
                self.reserved_name();
                self.binding(mark);
            }
            (K::Lname, _) if self.foreign_item(mark) => {}
            (K::Lname | K::Uname, K::Comma) if self.several_names(mark) => {}
            (K::For, _) => self.foreign_loop(mark),
            (K::If, _) if self.is_if_statement() => self.if_statement(mark),
            (K::Let, K::Lname) if matches!(self.nth(2), K::Assign | K::Colon) && !self.lets_have_result() => {
                self.let_item(mark);
            }
            _ => self.item_expr(mark),
        }
    }

    /// The expression at the end of the file.
    fn item_expr(&mut self, mark: Mark) {
        let errors = self.errors.len();
        self.or_binding(mark);
        let misplaced =
            self.pos > mark.pos && !self.at_end() && self.first_on_line() && !self.at_stray_closer();
        let junk = self.tokens[mark.pos].has(super::Token::AFTER_JUNK);
        if misplaced && !junk && self.errors.len() == errors {
            let error = self.value_without_name(mark);
            // Not about the token at hand.
            let last_error = self.last_error.take();
            match self.is_section(mark) {
                true => self.habit_within("a section of TOML", 0, error),
                false => self.error(error),
            }
            self.last_error = last_error;
        }
    }

    /// `[train]`, which is read as a list.
    fn is_section(&self, mark: Mark) -> bool {
        let kind = |ahead: usize| self.tokens.get(mark.pos + ahead).map(|token| token.kind);
        (kind(0), kind(1), kind(2)) == (Some(K::LBracket), Some(K::Lname), Some(K::RBracket))
    }

    fn value_without_name(&self, mark: Mark) -> Diagnostic {
        let span = self.span_since(mark);
        let error = Diagnostic::error(
            "E0118",
            span,
            "an expression without a name stands only at the end of a file",
        );
        let text = |index: usize| self.text_of(mark.pos + index);
        let kinds = [0, 1, 2].map(|ahead| {
            self.tokens
                .get(mark.pos + ahead)
                .map_or(K::Eof, |token| token.kind)
        });
        match kinds {
            [K::Lname, K::EqEq, _] => {
                let sign = self.span_of(mark.pos + 1);
                error
                    .help(format!("`==` compares; a binding is written `{} = …`", text(0)))
                    .mend("write `=`", sign, "=")
            }
            [K::Str | K::StrOpen, ..] => {
                error.help("comments begin with `#`; `##!` lines at the top describe the file")
            }
            [K::LBracket, K::Lname, K::RBracket] => error.help(format!(
                "give it a name: `name = …`; a section of TOML is a record here: `{} = {{ … }}`",
                text(1)
            )),
            _ => error.help("give it a name: `name = …`"),
        }
    }

    /// An expression; or a binding whose left side is no name.
    fn or_binding(&mut self, mark: Mark) {
        if let Some(assign) = self.assign_behind_target() {
            return self.no_name_to_bind(mark, assign);
        }
        self.expr();
    }

    fn binding(&mut self, mark: Mark) {
        self.bump();
        self.bump();
        self.expr();
        self.finish(mark, K::Binding);
    }

    /// `name: Type = value`, or YAML's `name: value`.
    fn typed_binding_or_yaml(&mut self, mark: Mark) {
        if !self.assign_on_line() {
            return self.yaml_line(mark);
        }
        self.bump();
        self.bump();
        self.ty();
        self.value_after_type();
        self.finish(mark, K::Binding);
    }

    pub(super) fn value_after_type(&mut self) {
        if self.expect(K::Assign, "`=` and a value") {
            self.expr();
        }
    }

    /// Whether `=` stands on this line, or on one that its brackets and arrows reach, outside of brackets.
    fn assign_on_line(&self) -> bool {
        let mut at = self.pos + 2;
        while at < self.limit {
            let token = self.tokens[at];
            if token.has(super::Token::FIRST) && self.tokens[at - 1].kind != K::Arrow {
                // A value on the next line, after a type.
                return token.kind == K::Assign;
            }
            if token.kind == K::Assign {
                return true;
            }
            at = match self.closings[at] {
                Some(closing) => closing.end().max(at) + 1,
                None => at + 1,
            };
        }
        false
    }

    fn param(&mut self, mark: Mark) {
        self.bump();
        self.bump();
        if self.eat(K::Colon) {
            self.ty();
        }
        if self.eat(K::Assign) {
            self.expr();
        }
        self.finish(mark, K::Param);
    }

    fn type_item(&mut self, mark: Mark) {
        self.bump();
        self.upper_name();
        self.type_params();
        if self.expect(K::Assign, "`=` and a type") {
            self.ty();
        }
        self.finish(mark, K::TypeItem);
    }

    /// The name of a type, which begins with an upper-case letter.
    fn upper_name(&mut self) {
        if self.at(K::Lname) {
            self.wrong_case(true);
        }
        self.bump();
    }

    fn enum_item(&mut self, mark: Mark) {
        self.bump();
        self.upper_name();
        self.type_params();
        if self.at(K::LBrace) {
            self.comma_list(Self::variant);
        } else {
            self.unexpected("`{` and the variants");
        }
        self.finish(mark, K::EnumItem);
    }

    fn variant(&mut self) {
        let mark = self.start();
        match self.current() {
            K::Uname => self.bump(),
            K::Lname => {
                self.wrong_case(true);
                self.bump();
            }
            _ => return self.unexpected("the name of a variant"),
        }
        if self.at(K::LParen) {
            self.comma_list(|p| {
                let mark = p.start();
                if p.current().is_label() && p.nth(1) == K::Colon {
                    p.bump();
                    p.bump();
                }
                p.ty();
                if p.eat(K::Assign) {
                    p.expr();
                }
                p.finish(mark, K::VariantField);
            });
        }
        self.finish(mark, K::Variant);
    }

    fn type_params(&mut self) {
        if !self.at(K::LBracket) {
            return;
        }
        let mark = self.start();
        self.comma_list(|p| match p.current() {
            K::Uname => p.bump(),
            K::Lname => {
                p.wrong_case(true);
                p.bump();
            }
            _ => p.unexpected("the name of a type"),
        });
        self.finish(mark, K::TypeParams);
    }

    fn fn_item(&mut self, mark: Mark) {
        self.bump();
        match self.current() {
            // `fn` is a name behind a module's: `nn.fn`.
            K::Lname | K::Fn => self.bump(),
            K::Uname => {
                self.wrong_case(false);
                self.bump();
            }
            kind if kind.is_reserved() => {
                self.reserved_name();
                self.bump();
            }
            _ => self.unexpected("the function's name"),
        }
        self.type_params();
        if self.at(K::LParen) {
            let params = self.start();
            self.comma_list(Self::fn_param);
            self.finish(params, K::FnParams);
        } else {
            self.unexpected("`(` and the parameters");
        }
        if self.eat(K::Arrow) {
            self.ty();
        }
        self.fn_body();
        self.finish(mark, K::FnItem);
    }

    fn fn_body(&mut self) {
        if self.eat(K::Assign) {
            return self.expr();
        }
        let span = self.span_here();
        let error = match self.current() {
            K::Colon | K::FatArrow => {
                let found = self.found();
                let error = Diagnostic::error(
                    "E0130",
                    span,
                    format!("a function's body follows `=`, not {found}"),
                )
                .help("write `fn name(x: Int) = value`; `let` lines may stand before the value");
                if self.nth(1) == K::Eof || self.tokens[self.pos + 1].has(super::Token::FIRST) {
                    error
                } else {
                    error.mend("write `=`", span, " =")
                }
            }
            K::LBrace => Diagnostic::error("E0130", span, "a function's body follows `=`").help(
                "write `fn name(x: Int) = value`; there are no blocks: `let` lines stand before the value",
            ),
            _ => Diagnostic::error("E0130", self.span_after_previous(), "the function has no body")
                .help("write `=` and its value"),
        };
        self.error(error);
        if matches!(self.current(), K::Colon | K::FatArrow | K::LBrace) {
            if !self.at(K::LBrace) {
                self.bump();
            }
            // A body of several lines is another language's; nothing of it can be judged.
            if self.at_end() || self.first_on_line() || self.at(K::LBrace) || self.at_word("return") {
                self.skip_block();
            } else {
                self.expr();
            }
        }
    }

    fn fn_param(&mut self) {
        let mark = self.start();
        if self.at(K::Star) && !matches!(self.nth(1), K::Lname) {
            self.bump();
            return self.finish(mark, K::Star1);
        }
        if self.at(K::Star) || self.at(K::StarStar) {
            let error = Diagnostic::error(
                "E0131",
                self.span_here(),
                "a function has as many parameters as are written",
            )
            .help("take a list: `xs: List[Float]`");
            self.error(error);
            return self.skip_until(|p| p.at(K::Comma));
        }
        if !self.current().is_label() {
            return self.unexpected("a parameter");
        }
        let name = self.text_of(self.pos);
        let name_span = self.span_here();
        self.bump();
        if self.eat(K::Colon) {
            self.ty();
        } else {
            let error = Diagnostic::error("E0131", name_span, format!("the parameter `{name}` has no type"))
                .help(format!("write its type, such as `{name}: Float`"));
            self.error(error);
        }
        if self.eat(K::Assign) {
            self.expr();
        }
        self.finish(mark, K::FnParam);
    }

    fn import_item(&mut self, mark: Mark) {
        self.bump();
        match self.current() {
            K::Path => {
                self.path();
                let data = !self.nodes_text_ends_with(".mlp");
                if self.at_word("as") {
                    self.bump();
                    match self.current() {
                        K::Lname if !data => self.bump(),
                        // `import ./a.yaml as T`, a value without a name.
                        _ if data => {
                            self.ty();
                            return self.finish(mark, K::ImportData);
                        }
                        _ => self.unexpected("a name that begins with a small letter"),
                    }
                }
                self.finish(mark, K::ImportFile);
            }
            K::Lname if self.at_word("std") => {
                self.bump();
                self.std_names();
                self.finish(mark, K::ImportStd);
            }
            _ => {
                self.foreign_import();
                self.finish(mark, K::ErrorNode);
            }
        }
    }

    /// Whether the path that was just read ends so.
    fn nodes_text_ends_with(&self, suffix: &str) -> bool {
        self.pos > 0 && self.text_of(self.pos - 1).trim_end_matches('"').ends_with(suffix)
    }

    fn std_names(&mut self) {
        if !self.eat(K::Dot) {
            let error = Diagnostic::error(
                "E0139",
                self.span_after_previous(),
                "which modules of the library is missing",
            )
            .help("write `import std.{nn, data}`");
            return self.error(error);
        }
        match self.current() {
            K::Lname => {
                self.bump();
                if self.at_word("as") {
                    self.bump();
                    self.expect(K::Lname, "a name that begins with a small letter");
                }
                if self.at(K::Dot) {
                    self.part_of_module();
                }
            }
            K::LBrace => self.comma_list(|p| {
                if p.expect(K::Lname, "the name of a module") && p.at_word("as") {
                    let error = Diagnostic::error("E0139", p.span_here(), "names in braces have no `as`")
                        .help("import it on a line of its own: `import std.nn as layers`");
                    p.error(error);
                    p.skip_until(|p| p.at(K::Comma));
                }
            }),
            K::Star => {
                let error =
                    Diagnostic::error("E0139", self.span_here(), "modules are imported by their names")
                        .help("write those that you need: `import std.{nn, data}`");
                self.error(error);
                self.skip_to_item();
            }
            _ => self.unexpected("the name of a module, or `{` and several"),
        }
    }

    /// At the second point of `std.nn.conv2d`.
    fn part_of_module(&mut self) {
        let module = self.text_of(self.pos - 1);
        let part = if self.nth(1).is_label() {
            self.text_of(self.pos + 1)
        } else {
            "relu"
        };
        let error = Diagnostic::error("E0139", self.span_here(), "modules are imported whole")
            .help(format!("write `import std.{module}`, and then `{module}.{part}`"));
        self.error(error);
        self.skip_to_item();
    }
}
