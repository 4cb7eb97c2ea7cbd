//! What people bring from Python and other languages, and how it is written here.

use super::{K, Mark, Parser};
use crate::diagnostic::Diagnostic;
use crate::habits;
use crate::source::Span;

impl Parser<'_> {
    /// The token after the line at hand, brackets taken whole.
    pub(super) fn end_of_line(&self) -> usize {
        let mut at = self.pos;
        loop {
            at = match self.closings[at] {
                Some(closing) => closing.end().max(at),
                None => at,
            } + 1;
            if at >= self.limit || self.tokens[at].has(super::Token::FIRST) {
                return at.min(self.limit);
            }
        }
    }

    /// A statement of another language at the top of a file; true if it was one, and is skipped.
    pub(super) fn foreign_item(&mut self, mark: Mark) -> bool {
        let word = self.text_of(self.pos);
        let span = self.span_here();
        let next = self.nth(1);
        let same_line = self.nth(1) != K::Eof && !self.tokens[self.pos + 1].has(super::Token::FIRST);
        let names = matches!(next, K::Lname | K::Uname) && same_line;
        let error = match word {
            "def" | "function" | "func" | "fun" if names => {
                let error = Diagnostic::error("E0127", span, format!("functions are written with `fn`, not `{word}`"))
                    .help("write `fn name(x: Float) = value`");
                if word == "def" { error } else { error.mend("write `fn`", span, "fn") }
            }
            "class" | "struct" if names => {
                Diagnostic::error("E0127", span, format!("there is no `{word}`")).help(
                    "a type is written `type Config = { lr: Float }`; layers are values, put together by functions",
                )
            }
            "rule" | "process" | "task" | "target" | "stage" | "workflow"
                if names && matches!(self.nth(2), K::Colon | K::LBrace) =>
            {
                let name = self.text_of(self.pos + 1);
                Diagnostic::error("E0127", span, format!("there is no `{word}`: a step is a value"))
                    .help(format!("write `{name} = step([\"python\", ./train.py], …)`; `mlp doc step` says what it takes"))
            }
            "from" if names || next == K::Dot => Diagnostic::error("E0127", span, "imports are written with `import`")
                .help("write `import std.{nn}`, or `import ./lib.mlp` and `lib.name`"),
            "export" if matches!(self.nth(1), K::Lname) && self.text_of(self.pos + 1) == "default" => {
                Diagnostic::error("E0127", span, "there is no `export`")
                    .help("all that a file binds can be imported; an expression at its end is its result")
            }
            "load" if next == K::LParen && !self.closes_last() => {
                Diagnostic::error("E0139", span, "a file is imported with `import`")
                    .help("write `import ./lib.mlp`, and its names as `lib.name`")
            }
            "return" if same_line => Diagnostic::error("E0127", span, "there is no `return`")
                .help("a function's value is the expression after `=`"),
            "while" if same_line => Diagnostic::error("E0127", span, "there are no loops")
                .help("write `[… for x in xs]`, `map`, `filter` or `fold`"),
            "print" if next == K::LParen && same_line && !self.closes_last() => {
                Diagnostic::error("E0127", span, "there is no `print`: nothing runs while a pipeline is read")
                    .help("`mlp eval name` shows the value of a name")
            }
            "include" | "require" | "use" | "source" | "load" if matches!(next, K::Str | K::Path) && same_line => {
                Diagnostic::error("E0139", span, "a file is imported with `import`")
                    .help("write `import ./lib.mlp`, and its names as `lib.name`")
            }
            "with" | "try" | "async" | "await" | "global" | "del" | "raise" | "print" | "assert"
                if same_line
                    && matches!(
                        next,
                        K::Lname | K::Uname | K::Str | K::StrOpen | K::Colon | K::True | K::Int | K::Not
                    ) =>
            {
                Diagnostic::error("E0127", span, format!("there is no statement `{word}`")).help(match word {
                    "assert" => "`assert(condition, \"message\")` is a value: `checked = assert(scores.accuracy > 0.9, \"too low\")`",
                    _ => "a file consists of imports, bindings `name = value`, functions and types",
                })
            }
            "const" | "var" | "val" | "local" | "static" | "export" | "public" | "auto" | "mut"
                if names && self.pos + 2 < self.limit && matches!(self.nth(2), K::Assign | K::Colon) =>
            {
                let end = self.tokens[self.pos + 1].start;
                let error = Diagnostic::error("E0127", span, format!("a binding is written without `{word}`"))
                    .help("write `name = value`")
                    .mend(format!("remove `{word}`"), self.span(span.start, end), "");
                self.error(error);
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
                return true;
            }
            _ => return false,
        };
        match word {
            "from" => self.habit_within("imports of Python", 0, error),
            _ => self.error(error),
        }
        self.bump();
        if matches!(
            word,
            "def"
                | "function"
                | "func"
                | "fun"
                | "class"
                | "struct"
                | "rule"
                | "process"
                | "task"
                | "target"
                | "stage"
                | "workflow"
        ) {
            // Its name is bound, so that those who use it are no mistakes too.
            let inner = self.start();
            self.bump();
            self.skip_block();
            self.finish(inner, K::Binding);
        } else {
            self.skip_block();
            self.finish(mark, K::ErrorNode);
        }
        true
    }

    /// Whether the call at hand is the last of the file, and so its result.
    fn closes_last(&self) -> bool {
        match self.closings[self.pos + 1] {
            Some(super::Closing::Closed(end)) => end as usize + 1 >= self.limit,
            _ => true,
        }
    }

    /// `x += 1`.
    pub(super) fn augmented_assignment(&mut self, mark: Mark) {
        let name = self.text_of(self.pos);
        let operator = self.text_of(self.pos + 1);
        let span = self.span(self.tokens[self.pos + 1].start, self.ends[self.pos + 2]);
        let error = Diagnostic::error("E0124", span, "a name is bound once and never changes").help(format!(
            "give the new value a name of its own: `next = {name} {operator} …`"
        ));
        self.error(error);
        self.skip_block();
        self.finish(mark, K::ErrorNode);
    }

    /// `for` at the top of a file.
    pub(super) fn foreign_loop(&mut self, mark: Mark) {
        let error = Diagnostic::error("E0127", self.span_here(), "there are no loops")
            .help("a list is made by `[f(x) for x in xs]`");
        self.error(error);
        self.bump();
        self.skip_block();
        self.finish(mark, K::ErrorNode);
    }

    /// `[for x in xs : f(x)]`, as Terraform has it: the rest of the brackets is skipped. False where it is something else.
    pub(super) fn for_before_value(&mut self, help: &'static str) -> bool {
        let is_one = self.at(K::For) && matches!(self.nth(1), K::Lname | K::LBrace | K::LParen);
        if !is_one {
            return false;
        }
        let mark = self.start();
        let error = Diagnostic::error(
            "E0141",
            self.span_here(),
            "in a comprehension the value comes first",
        )
        .help(help);
        self.error(error);
        self.skip_until(|_| false);
        self.finish(mark, K::ErrorNode);
        true
    }

    /// `import nn`, `import "./lib.mlp"`, …
    pub(super) fn foreign_import(&mut self) {
        let span = self.span_here();
        let error = match self.current() {
            K::Lname => {
                let name = self.text_of(self.pos);
                match name {
                    name if habits::is_python_module(name) => {
                        let error = Diagnostic::error("E0139", span, format!("`{name}` is Python\'s, and this is no Python"))
                            .help("networks are written with `import std.{nn}`; Python scripts run in steps");
                        self.habit_within("a module of Python", 0, error);
                        return self.skip_import();
                    }
                    _ => Diagnostic::error("E0139", span, format!("`{name}` is not imported so"))
                        .help(format!("write `import std.{{{name}}}` for the library's, `import ./{name}.mlp` for a file"))
                        .mend(format!("write `import std.{{{name}}}`"), span, format!("std.{{{name}}}")),
                }
            }
            K::Str => {
                let text = self.text_of(self.pos).trim_matches('"');
                let path = if text.starts_with("./") || text.starts_with("../") {
                    text.to_owned()
                } else {
                    format!("./{text}")
                };
                Diagnostic::error(
                    "E0139",
                    span,
                    "a file is imported by its path, without quotation marks",
                )
                .help(format!("write `import {path}`"))
                .mend(format!("write `{path}`"), span, path)
            }
            K::LBrace if self.is_from_behind() => {
                Diagnostic::error("E0139", span, "where an import is from stands first")
                    .help("write `import std.{nn}`")
            }
            K::LBrace => Diagnostic::error("E0139", span, "what is imported from is missing")
                .help("write `import std.{nn}`")
                .mend("write `std.`", self.span(span.start, span.start), "std."),
            _ => Diagnostic::error(
                "E0139",
                span,
                format!("expected what to import, found {}", self.found()),
            )
            .help("write `import std.{nn}`, or `import ./lib.mlp`"),
        };
        self.error(error);
        self.skip_import();
    }

    fn skip_import(&mut self) {
        if !self.first_on_line() {
            self.bump();
            self.skip_to_item();
        }
    }

    /// Whether `from` follows the braces at hand.
    fn is_from_behind(&self) -> bool {
        let after = self.closings[self.pos].map_or(self.pos, |closing| closing.end()) + 1;
        after < self.limit && self.text_of(after) == "from"
    }

    /// A word of another language where a value stands; true if it was one, and is skipped.
    pub(super) fn foreign_word(&mut self, mark: Mark) -> bool {
        let word = self.text_of(self.pos);
        let span = self.span_here();
        let next = self.nth(1);
        let error = match word {
            "lambda" if matches!(next, K::Lname | K::Colon) => {
                self.python_lambda(mark);
                return true;
            }
            "return" if self.starts_value_after_word() => {
                let removed = self.span(span.start, self.tokens[self.pos + 1].start);
                let error = Diagnostic::error("E0127", span, "there is no `return`")
                    .help("a function's value is what stands after `=`, or after `=>`")
                    .mend("remove `return`", removed, "");
                self.error(error);
                self.bump();
                self.expr();
                return true;
            }
            "f" | "r" | "b" | "u" if matches!(next, K::Str | K::StrOpen) && self.glued(1) => {
                self.prefixed_string(word, span)
            }
            _ => return false,
        };
        self.error(error);
        self.bump();
        self.string();
        self.finish(mark, K::ErrorNode);
        true
    }

    /// `f"…{value}…"`, `r"…"`.
    fn prefixed_string(&self, word: &str, span: Span) -> Diagnostic {
        let error = Diagnostic::error("E0127", span, format!("strings have no `{word}` before them"));
        let string = self.span_of(self.pos + 1);
        let text = self.slice(string.start, string.end);
        let braces =
            word == "f" && self.nth(1) == K::Str && text.contains('{') && !text.contains(['$', ':', '!']);
        let better = if braces && !text.contains("{{") {
            text.replace('{', "${")
        } else {
            text.to_owned()
        };
        let error = match word {
            "f" if braces => error.help(format!(
                "values are put in by `${{…}}`: write `{}`",
                super::shorten_to(&better, 60)
            )),
            "f" => error.help("values are put in by `\"${value}\"`"),
            _ => error.help(format!("leave the `{word}` out")),
        };
        let whole = self.span(span.start, string.end);
        error.mend(format!("remove `{word}`"), whole, better)
    }

    /// `lambda x, y: value`, read as what it means.
    fn python_lambda(&mut self, mark: Mark) {
        let (at, word) = (self.pos, self.span_here());
        self.bump();
        let first = self.pos;
        while self.at(K::Lname) {
            let param = self.start();
            self.bump();
            self.finish(param, K::LambdaParam);
            if !self.eat(K::Comma) {
                break;
            }
        }
        let names: Vec<&str> = (first..self.pos)
            .filter(|index| self.tokens[*index].kind == K::Lname)
            .map(|index| self.text_of(index))
            .collect();
        let head = match names.as_slice() {
            [one] => format!("{one} =>"),
            names => format!("({}) =>", names.join(", ")),
        };
        let error = Diagnostic::error(
            "E0127",
            word,
            format!("a function without a name is written `{head} …`"),
        )
        .help(format!("write `{head}`"));
        let error = if self.at(K::Colon) {
            error.mend(
                format!("write `{head}`"),
                self.span(word.start, self.ends[self.pos]),
                head,
            )
        } else {
            error
        };
        let end = std::mem::replace(&mut self.pos, at);
        self.error(error);
        self.pos = end;
        if self.eat(K::Colon) {
            self.expr();
            self.finish(mark, K::Lambda);
        } else {
            self.skip_until(|p| p.at(K::Comma) || p.first_on_line());
            self.finish(mark, K::ErrorNode);
        }
    }

    /// `fn` in an expression.
    pub(super) fn foreign_fn(&mut self, mark: Mark) {
        let error = Diagnostic::error("E0127", self.span_here(), "`fn` stands only at the top of a file")
            .help("a function without a name is written `x => …`, or `(x: Int, y: Int) => …`");
        self.error(error);
        self.bump();
        self.skip_until(|p| p.at(K::Comma) || p.first_on_line());
        self.finish(mark, K::ErrorNode);
    }

    /// `value if condition else other`, with the value read since `mark`.
    pub(super) fn python_conditional(&mut self, mark: Mark) {
        let span = self.span_since(mark);
        let value = self.slice(span.start, span.end);
        let word = self.span_here();
        let at = self.pos;
        let last_error = self.last_error;
        self.bump();
        let condition = self.part(Self::or);
        if let (K::For, Some(condition)) = (self.current(), &condition) {
            return self.filter_before_for(mark, at, condition);
        }
        let other = if self.eat(K::Else) {
            self.part(Self::expr)
        } else {
            None
        };
        let error = match (condition, other) {
            (Some(condition), Some(other)) => {
                let better = format!("if {condition} then {value} else {other}");
                let whole = self.span_since(mark);
                let shown = if better.chars().count() > 60 || better.contains('\n') {
                    "if condition then value else other"
                } else {
                    &better
                };
                Diagnostic::error("E0121", word, "the condition comes first")
                    .help(format!("write `{shown}`"))
                    .mend(format!("write `{shown}`"), whole, better)
            }
            _ => Diagnostic::error("E0121", word, "`if` cannot follow a value")
                .help("write `if condition then value else other`"),
        };
        // Where it is reported is the `if`, whatever was read since.
        let end = std::mem::replace(&mut self.pos, at);
        self.last_error = last_error;
        self.error(error);
        self.pos = end;
        self.finish(mark, K::ErrorNode);
    }

    /// `[value if condition for x in xs]`: at the `for`, with the `if` at `at`.
    fn filter_before_for(&mut self, mark: Mark, at: usize, condition: &str) {
        let value = self.pos;
        self.clauses();
        let word = self.span_of(at);
        let removed = self.span(self.ends[at - 1], self.ends[value - 1]);
        let end = self.span_after_previous();
        let mut error = Diagnostic::error(
            "E0121",
            word,
            "the condition of a comprehension stands at its end",
        )
        .help(format!("write `[… for … in … if {condition}]`"));
        error.mend = Some(crate::diagnostic::Mend {
            title: "move the condition to the end".to_owned(),
            edits: vec![(removed, String::new()), (end, format!(" if {condition}"))],
        });
        let end = std::mem::replace(&mut self.pos, at);
        self.error(error);
        self.pos = end;
        self.finish(mark, K::ErrorNode);
    }

    /// `condition ? value : other`, with the condition read since `mark`.
    pub(super) fn c_conditional(&mut self, mark: Mark) {
        let span = self.span_since(mark);
        let condition = self.slice(span.start, span.end);
        let (at, sign) = (self.pos, self.span_here());
        let last_error = self.last_error;
        self.bump();
        let value = self.part(Self::or);
        let other = if self.eat(K::Colon) {
            self.part(Self::expr)
        } else {
            None
        };
        let error = Diagnostic::error("E0121", sign, "a choice is written with `if`");
        let error = match (value, other) {
            (Some(value), Some(other)) => {
                let better = format!("if {condition} then {value} else {other}");
                error.help("write `if condition then value else other`").mend(
                    "write it with `if`",
                    self.span_since(mark),
                    better,
                )
            }
            _ => error.help("write `if condition then value else other`"),
        };
        let end = std::mem::replace(&mut self.pos, at);
        self.last_error = last_error;
        self.error(error);
        self.pos = end;
        self.finish(mark, K::ErrorNode);
    }

    /// Parses a part, and gives its text if there is one.
    fn part(&mut self, parse: fn(&mut Self)) -> Option<String> {
        let mark = self.start();
        parse(self);
        let span = self.span_since(mark);
        (self.pos > mark.pos).then(|| self.text[span.start as usize..span.end as usize].to_owned())
    }

    /// `=` after an expression.
    pub(super) fn assign_in_expr(&mut self, mark: Mark) {
        let span = self.span_here();
        let error = Diagnostic::error("E0124", span, "`=` does not compare")
            .help("write `==`")
            .mend("write `==`", span, "==");
        self.error(error);
        self.bump();
        self.expr();
        self.finish(mark, K::ErrorNode);
    }

    /// The name at hand begins with a letter of the wrong case.
    pub(super) fn wrong_case(&mut self, upper: bool) {
        let name = self.text_of(self.pos);
        let span = self.span_here();
        let mut letters = name.chars();
        let first = letters.next().into_iter();
        let (better, message): (String, _) = if upper {
            let better: String = first.flat_map(char::to_uppercase).chain(letters).collect();
            (
                camel_case(&better),
                "names of types and variants begin with an upper-case letter",
            )
        } else {
            (
                snake_case(name),
                "names of values and functions begin with a small letter",
            )
        };
        let error = Diagnostic::error("E0119", span, message)
            .help(format!("write `{better}`"))
            .mend(format!("write `{better}`"), span, better);
        self.error(error);
        self.last_error = None;
    }

    /// The word at hand stands where a name is given.
    pub(super) fn reserved_name(&mut self) {
        let found = self.found();
        let span = self.span_here();
        let better = format!("{}_", self.text_of(self.pos));
        let error = Diagnostic::error(
            "E0120",
            span,
            format!("{found} is a word of the language and cannot be a name"),
        )
        .help(format!("write another name, such as `{better}`"))
        .mend(format!("write `{better}`"), span, better);
        self.error(error);
        self.last_error = None;
    }
}

/// `BatchSize`, `BATCH_SIZE` as `batch_size`.
fn snake_case(name: &str) -> String {
    let mut better = String::new();
    let mut small = false;
    for letter in name.chars() {
        if letter.is_uppercase() && small {
            better.push('_');
        }
        small = letter.is_lowercase() || letter.is_ascii_digit();
        better.extend(letter.to_lowercase());
    }
    better
}

/// `Batch_size` as `BatchSize`.
fn camel_case(name: &str) -> String {
    let capital = |part: &str| {
        let mut letters = part.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters).collect::<String>()
    };
    name.split('_').map(capital).collect()
}
