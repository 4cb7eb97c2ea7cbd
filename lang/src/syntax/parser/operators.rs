//! Operators, by level.

use super::{K, Mark, Parser};
use crate::diagnostic::{Diagnostic, Mend};

/// Levels of operators, loosest first. `not` stands between `And` and `Compare`, `-` between `Multiply` and `Power`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Compare,
    Coalesce,
    Pipe,
    Add,
    Multiply,
    Negate,
}

impl Level {
    fn of(kind: super::SyntaxKind) -> Option<Level> {
        Some(match kind {
            K::Or => Level::Or,
            K::And => Level::And,
            K::EqEq | K::Ne | K::Lt | K::Le | K::Gt | K::Ge => Level::Compare,
            K::QuestionQuestion => Level::Coalesce,
            K::PipeOp => Level::Pipe,
            K::Plus | K::Minus => Level::Add,
            K::Star | K::Slash | K::SlashSlash | K::Percent => Level::Multiply,
            _ => return None,
        })
    }

    fn tighter(self) -> Level {
        match self {
            Level::Or => Level::And,
            Level::And => Level::Not,
            Level::Not | Level::Compare => Level::Coalesce,
            Level::Coalesce => Level::Pipe,
            Level::Pipe => Level::Add,
            Level::Add => Level::Multiply,
            Level::Multiply | Level::Negate => Level::Negate,
        }
    }
}

impl Parser<'_> {
    /// `Or`.
    pub(super) fn or(&mut self) {
        let mark = self.start();
        self.operators(Level::Or);
        while self.pos > mark.pos && !self.at_end() && !self.first_on_line() && self.foreign_operator(mark) {}
    }

    /// Operands and operators no looser than `least`.
    fn operators(&mut self, least: Level) {
        let mark = self.start();
        if self.at(K::Not) {
            self.not(mark, least);
        } else {
            self.unary();
        }
        if self.pos == mark.pos {
            return;
        }
        // The level of the pipe that the left side is, for arithmetic behind it.
        let mut piped = false;
        while let Some(level) = self.operator().filter(|level| *level >= least) {
            match level {
                Level::Pipe => self.pipe(mark),
                Level::Compare => self.comparison(mark),
                _ => {
                    if piped && level > Level::Pipe {
                        self.arithmetic_after_pipe(mark);
                    }
                    self.chain(mark, level);
                }
            }
            piped = level == Level::Pipe;
        }
    }

    /// The level of the operator at hand. A `-` at the start of a line that touches its operand is none.
    fn operator(&self) -> Option<Level> {
        if self.at(K::Minus) && self.first_on_line() && self.glued(1) {
            return None;
        }
        Level::of(self.current())
    }

    fn chain(&mut self, mark: Mark, level: Level) {
        while self.operator() == Some(level) {
            self.bump();
            let before = self.pos;
            self.operators(level.tighter());
            if self.pos == before {
                break;
            }
        }
        self.finish(mark, K::Chain);
    }

    fn comparison(&mut self, mark: Mark) {
        self.bump();
        let middle = self.pos;
        self.operators(Level::Coalesce);
        if self.operator() == Some(Level::Compare) {
            return self.chained_comparison(mark, middle);
        }
        self.finish(mark, K::Chain);
    }

    /// At the second sign of `a < b < c`, with `b` from `middle` on.
    fn chained_comparison(&mut self, mark: Mark, middle: usize) {
        let (at, sign) = (self.pos, self.span_here());
        let first = self.span_since(mark);
        let first = self.slice(first.start, first.end);
        let between = self.slice(self.tokens[middle].start, self.ends[at - 1]);
        self.bump();
        self.operators(Level::Coalesce);
        let rest = self.slice(sign.start, self.span_after_previous().end);
        let more = self.operator() == Some(Level::Compare);
        while self.operator() == Some(Level::Compare) {
            self.bump();
            self.operators(Level::Coalesce);
        }
        let error = Diagnostic::error("E0123", sign, "comparisons are not chained");
        let better = format!("{first} and {between} {rest}");
        let error = if more || better.contains('\n') {
            error.help("write `a < b and b < c`")
        } else {
            error
                .help(format!("write `{better}`"))
                .mend("write `and`", self.span_since(mark), better)
        };
        let end = std::mem::replace(&mut self.pos, at);
        self.error(error);
        self.pos = end;
        self.finish(mark, K::ErrorNode);
    }

    /// A word that is an operator elsewhere (`in`, `is`, `AND`), with the left side read since `mark`: true if it was one.
    fn foreign_operator(&mut self, mark: Mark) -> bool {
        let span = self.span_here();
        let word = self.text_of(self.pos);
        let left = self.span_since(mark);
        let left = self.slice(left.start, left.end);
        let at = self.pos;
        let negated = match (self.current(), word) {
            (K::Uname, "AND" | "OR") => {
                let better = word.to_lowercase();
                let error = Diagnostic::error("E0124", span, format!("this is written `{better}`"))
                    .help(format!("write `{better}`"))
                    .mend(format!("write `{better}`"), span, better);
                self.error(error);
                self.bump();
                self.operators(Level::Or);
                self.finish(mark, K::Chain);
                return true;
            }
            (K::Not, _) if self.nth(1) == K::Lname && self.text_of(self.pos + 1) == "in" => true,
            (K::Lname, "is") => self.nth(1) == K::Not,
            // `let a = 1 in …` has a message of its own.
            (K::Lname, "in") if mark.pos >= 3 && self.tokens[mark.pos - 3].kind == K::Let => return false,
            (K::Lname, "in") => false,
            _ => return false,
        };
        let is = word == "is";
        self.bump();
        if negated {
            self.bump();
        }
        let operator = self.span(span.start, self.ends[self.pos - 1]);
        let none = self.at(K::Uname) && self.text_of(self.pos) == "None";
        let right = self.start();
        self.operators(Level::Coalesce);
        let right = self.span_since(right);
        let right = if none {
            "null"
        } else {
            self.slice(right.start, right.end)
        };
        let error = if is {
            let sign = if negated { "!=" } else { "==" };
            Diagnostic::error("E0124", operator, format!("this is written `{sign}`"))
                .help(format!("write `{left} {sign} {right}`"))
                .mend(
                    format!("write `{sign}`"),
                    self.span_since(mark),
                    format!("{left} {sign} {right}"),
                )
        } else {
            let better = format!("{}member({right}, {left})", if negated { "not " } else { "" });
            Diagnostic::error("E0124", operator, "`in` stands only behind `for`")
                .help(format!("whether a list has a value says `{better}`"))
                .mend(format!("write `{better}`"), self.span_since(mark), better)
        };
        let end = std::mem::replace(&mut self.pos, at);
        self.error(error);
        self.pos = end;
        self.finish(mark, K::ErrorNode);
        true
    }

    fn pipe(&mut self, mark: Mark) {
        while self.eat(K::PipeOp) {
            let target = self.start();
            let lambda = self.at(K::Lname) && self.nth(1) == K::FatArrow;
            if lambda || matches!(self.current(), K::If | K::Match | K::Let | K::Import) {
                self.branch_as_operand(target);
                break;
            }
            self.suffixed();
            if self.pos == target.pos {
                break;
            }
            let last = self.finished_since(target);
            if !matches!(last, Some(K::NameRef | K::Postfix | K::Paren | K::ErrorNode))
                || self.text_of(self.pos - 1) == "]"
            {
                let error = Diagnostic::error(
                    "E0122",
                    self.span_since(target),
                    "a value is piped into a function",
                )
                .help("write `x |> f`, `x |> f(a)`, which is `f(x, a)`, or `x |> (x => …)`");
                // Not about the token at hand.
                self.last_error = None;
                self.error(error);
                self.last_error = None;
            }
        }
        self.finish(mark, K::Pipe);
    }

    fn arithmetic_after_pipe(&mut self, mark: Mark) {
        let span = self.span_since(mark);
        let start = self.span(span.start, span.start);
        let end = self.span(span.end, span.end);
        let operator = self.found();
        let mut error = Diagnostic::error(
            "E0122",
            self.span_here(),
            format!("{operator} stands after a pipe"),
        )
        .label(span, "this is piped first")
        .help("put parentheses around the pipe");
        error.mend = Some(Mend {
            title: "put parentheses around the pipe".to_owned(),
            edits: vec![(start, "(".to_owned()), (end, ")".to_owned())],
        });
        self.error(error);
    }

    fn not(&mut self, mark: Mark, least: Level) {
        if least > Level::Not {
            let error = Diagnostic::error("E0140", self.span_here(), "`not` is no operand here")
                .help("put parentheses around it: `(not a)`");
            self.error(error);
        }
        self.bump();
        self.nested(|p| p.operators(Level::Not));
        self.finish(mark, K::NotExpr);
    }

    /// `Un`.
    fn unary(&mut self) {
        let mark = self.start();
        match self.current() {
            K::Minus if self.is_yaml_list() => {
                self.yaml_list(mark);
            }
            K::Minus => {
                self.bump();
                self.nested(Self::unary);
                self.finish(mark, K::NegExpr);
            }
            K::Plus => {
                let span = self.span_here();
                self.bump();
                // Without a value behind it, it is the value that is missing.
                if self.starts_expr() {
                    let error = Diagnostic::error("E0115", span, "a number has no `+` before it")
                        .help("leave the `+` out")
                        .mend("remove `+`", span, "");
                    self.error(error);
                }
                self.nested(Self::unary);
                self.finish(mark, K::ErrorNode);
            }
            K::If | K::Match | K::Let | K::Import => self.branch_as_operand(mark),
            K::Lname if self.nth(1) == K::FatArrow && mark.pos > 0 && self.is_operator_before() => {
                self.branch_as_operand(mark);
            }
            _ => {
                self.suffixed();
                if self.at(K::StarStar) && self.pos > mark.pos {
                    self.bump();
                    self.nested(Self::unary);
                    self.finish(mark, K::Chain);
                }
            }
        }
    }

    fn is_operator_before(&self) -> bool {
        let before = self.tokens[self.pos - 1].kind;
        !matches!(before, K::And | K::Or) && Level::of(before).is_some()
    }

    /// `if`, `match`, `let` or a lambda after an operator.
    fn branch_as_operand(&mut self, mark: Mark) {
        let word = self.found();
        let first = self.span_here();
        self.error(Diagnostic::error("E0140", first, format!("{word} is no operand")));
        let reported = self.errors.len();
        self.nested(|p| {
            p.branching_expr(mark);
        });
        let whole = self.span_since(mark);
        // The mend is known only now that the end is.
        if let Some(error) = reported.checked_sub(1).and_then(|at| self.errors.get_mut(at))
            && error.code == "E0140"
            && error.span() == first
        {
            error.help = Some("put parentheses around it".to_owned());
            let ends = [(whole.start, "("), (whole.end, ")")];
            error.mend = Some(Mend {
                title: "put parentheses around it".to_owned(),
                edits: ends
                    .map(|(at, text)| {
                        let span = crate::source::Span {
                            start: at,
                            end: at,
                            ..whole
                        };
                        (span, text.to_owned())
                    })
                    .into(),
            });
        }
    }
}
