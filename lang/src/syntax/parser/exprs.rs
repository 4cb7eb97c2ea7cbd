//! Expressions that are no operands: `if`, `match`, `let`, lambdas, imports of data.

use super::{K, Mark, Parser};
use crate::diagnostic::{Diagnostic, Mend};

impl Parser<'_> {
    /// Whether an expression can begin with the token at hand.
    pub(super) fn starts_expr(&self) -> bool {
        matches!(
            self.current(),
            K::Int
                | K::Float
                | K::Unit
                | K::Str
                | K::StrOpen
                | K::Path
                | K::Lname
                | K::Uname
                | K::LParen
                | K::LBracket
                | K::LBrace
                | K::Minus
                | K::If
                | K::Match
                | K::Let
                | K::True
                | K::False
                | K::Null
                | K::Not
                | K::Import
        )
    }

    /// `Expr`.
    pub(super) fn expr(&mut self) {
        self.nested(Self::expr_here);
    }

    fn expr_here(&mut self) {
        let mark = self.start();
        if mark.pos > 0 && self.first_on_line() && self.at_next_item() && !self.at(K::Import) {
            return self.missing_value();
        }
        if self.branching_expr(mark) {
            return;
        }
        self.or();
        if self.pos == mark.pos || self.at_end() || self.first_on_line() {
            return;
        }
        match self.current() {
            K::If => self.python_conditional(mark),
            K::Question => self.c_conditional(mark),
            K::Assign => self.assign_in_expr(mark),
            _ => {}
        }
    }

    /// An expression that is no operand: true if there was one.
    pub(super) fn branching_expr(&mut self, mark: Mark) -> bool {
        match self.current() {
            K::If => self.if_expr(mark),
            K::Match => self.match_expr(mark),
            K::Let => self.lets(mark),
            K::Import => self.import_data(mark),
            K::Lname if self.nth(1) == K::FatArrow => {
                self.lambda_param();
                self.lambda_body(mark);
            }
            K::LParen if self.closes_before(K::FatArrow) => {
                self.comma_list(Self::lambda_param);
                self.lambda_body(mark);
            }
            _ => return false,
        }
        true
    }

    /// Whether the token after the bracket at hand is `kind`.
    pub(super) fn closes_before(&self, kind: super::SyntaxKind) -> bool {
        let Some(super::Closing::Closed(end)) = self.closings[self.pos] else {
            return false;
        };
        let after = end as usize + 1;
        after < self.limit && self.tokens[after].kind == kind
    }

    fn if_expr(&mut self, mark: Mark) {
        self.bump();
        self.expr();
        if self.at(K::Then) {
            self.bump();
        } else {
            if self.at(K::Colon) {
                return self.if_with_colons(mark);
            }
            let span = self.span_here();
            let error = Diagnostic::error("E0137", span, format!("expected `then`, found {}", self.found()))
                .help("write `if condition then value else other`");
            self.error(error);
            if !self.starts_expr() {
                return self.finish(mark, K::IfExpr);
            }
        }
        self.expr();
        if self.eat(K::Else) {
            self.expr();
        } else if self.at_word("elif") {
            let span = self.span_here();
            let error = Diagnostic::error("E0127", span, "`elif` is written `else if`")
                .help("write `else if`")
                .mend("write `else if`", span, "else if");
            self.error(error);
            let inner = self.start();
            self.nested(|p| p.if_expr(inner));
        } else {
            let span = self.span_of(mark.pos);
            let error = Diagnostic::error("E0137", span, "this `if` has no `else`").help(
                "an `if` is a value, so it needs one for either case: `if condition then value else other`",
            );
            self.error(error);
        }
        self.finish(mark, K::IfExpr);
    }

    /// At the colon of `if condition:`: an `if` of Python. What follows is read as it was meant; a block of statements
    /// is skipped.
    fn if_with_colons(&mut self, mark: Mark) {
        let (at, colon) = (self.pos, self.span_here());
        let mut edits = vec![(colon, " then".to_owned())];
        let quiet_until = self.quiet_until;
        self.bump();
        if self.at(K::Lname) && self.nth(1) == K::Assign && self.first_on_line() {
            edits.clear();
            self.skip_statement(mark);
        } else {
            let (errors, last_error) = (self.errors.len(), self.last_error);
            self.expr();
            if self.eat(K::Else) {
                if self.at(K::Colon) {
                    edits.push((self.span_here(), String::new()));
                    self.bump();
                }
                self.expr();
            } else {
                edits.clear();
                self.skip_statement(mark);
            }
            // The one mistake is the colon.
            self.take_back(errors);
            self.last_error = last_error;
        }
        let error = Diagnostic::error(
            "E0137",
            colon,
            "the condition of an `if` is followed by `then`, not `:`",
        )
        .help("write `if condition then value else other`");
        let error = Diagnostic {
            mend: (!edits.is_empty()).then(|| Mend {
                title: "write `then`".to_owned(),
                edits,
            }),
            ..error
        };
        // What was said of the branches is taken back, so it keeps nothing else from being said.
        let end = std::mem::replace(&mut self.pos, at);
        let after = std::mem::replace(&mut self.quiet_until, quiet_until);
        self.error(error);
        (self.pos, self.quiet_until) = (end, after);
        self.finish(mark, K::ErrorNode);
    }

    fn match_expr(&mut self, mark: Mark) {
        self.bump();
        self.or();
        if self.at(K::LBrace) {
            self.comma_list(Self::arm);
        } else if self.at(K::Colon) {
            let error = Diagnostic::error(
                "E0138",
                self.span_here(),
                "the cases of a `match` stand in `{ … }`",
            )
            .help("write `match value { first => a, _ => b }`");
            self.error(error);
            self.skip_statement(mark);
        } else {
            self.unexpected("`{` and the cases");
        }
        self.finish(mark, K::MatchExpr);
    }

    fn arm(&mut self) {
        let mark = self.start();
        self.pattern();
        while self.eat(K::Bar) {
            self.pattern();
        }
        if self.at(K::If) {
            let guard = self.start();
            self.bump();
            self.or();
            self.finish(guard, K::Guard);
        }
        if self.eat(K::FatArrow) {
            self.expr();
        } else {
            let span = self.span_here();
            let error = Diagnostic::error("E0138", span, format!("expected `=>`, found {}", self.found()))
                .help("a case is written `pattern => value`");
            let error = match self.current() {
                K::Colon | K::Arrow | K::Assign => error.mend("write `=>`", span, " =>"),
                _ => error,
            };
            self.error(error);
            if matches!(self.current(), K::Colon | K::Arrow | K::Assign) {
                self.bump();
                self.expr();
            } else {
                self.skip_until(|p| p.at(K::Comma));
            }
        }
        self.finish(mark, K::Arm);
    }

    /// `let` lines and their result: a loop, since there may be many.
    fn lets(&mut self, mark: Mark) {
        while self.at(K::Let) {
            let line = self.start();
            self.bump();
            self.pattern();
            if self.eat(K::Colon) {
                self.ty();
            }
            if self.expect(K::Assign, "`=` and a value") {
                self.expr();
            }
            self.finish(line, K::LetLine);
            if self.pos == line.pos {
                break;
            }
        }
        self.let_result(mark);
        self.finish(mark, K::Lets);
    }

    fn let_result(&mut self, mark: Mark) {
        if self.at_end() || self.at_next_item() {
            let span = self.span_of(mark.pos);
            let error = Diagnostic::error(
                "E0128",
                span,
                "after the `let` lines comes a value, and there is none",
            );
            let error = if self.tokens[mark.pos].has(super::Token::COLUMN_0) {
                let removed = self.span(span.start, self.tokens[mark.pos + 1].start);
                error
                    .help("at the top of a file a binding is written without `let`: `name = value`")
                    .mend("remove `let`", removed, "")
            } else {
                error.help("write the value on a line of its own after them")
            };
            return self.error(error);
        }
        if self.first_on_line() {
            return self.expr();
        }
        let found = self.found();
        let error = Diagnostic::error(
            "E0128",
            self.span_here(),
            format!("the value after `let` begins a new line, found {found}"),
        )
        .help("write the value on a line of its own");
        self.error(error);
        if self.at_word("in") {
            self.bump();
            self.expr();
        }
    }

    fn import_data(&mut self, mark: Mark) {
        self.bump();
        if self.at(K::Path) {
            self.path();
        } else {
            self.unexpected("a path such as `./params.yaml`");
        }
        if self.at_word("as") {
            self.bump();
            self.ty();
        } else {
            let gap = self.span_after_previous();
            let error = Diagnostic::error("E0139", gap, "data is imported with its type")
                .at("`as` and a type are missing")
                .help("write `import ./params.yaml as { lr: Float }`, or `as Json` for any data");
            self.error(error);
        }
        self.finish(mark, K::ImportData);
    }

    fn lambda_param(&mut self) {
        let mark = self.start();
        if !self.eat(K::Lname) {
            return self.unexpected("the name of a parameter");
        }
        if self.eat(K::Colon) {
            self.ty();
        }
        self.finish(mark, K::LambdaParam);
    }

    fn lambda_body(&mut self, mark: Mark) {
        self.expect(K::FatArrow, "`=>`");
        self.expr();
        self.finish(mark, K::Lambda);
    }
}
