//! Lines of YAML: `name: value`, `- item`, and what only YAML has for a value.

use super::{K, Mark, Parser};
use crate::diagnostic::Diagnostic;

/// The habit of YAML's lines.
const YAML: &str = "a binding with :";

impl Parser<'_> {
    /// At `name:` or `"name":` at the top of a file, which is no annotation of a binding.
    pub(super) fn yaml_line(&mut self, mark: Mark) {
        let name = self.text_of(self.pos).trim_matches('"').to_owned();
        let head = self.span(self.tokens[self.pos].start, self.ends[self.pos + 1]);
        self.bump();
        self.bump();
        let nested = self.at_end() || self.first_on_line();
        let value = if nested { self.pos } else { self.end_of_line() };
        if !nested && let Some(error) = self.yaml_value(&name, head.start, value) {
            self.pos = mark.pos;
            self.habit_within(YAML, 0, error);
            self.pos = value;
            self.skip_block();
            return self.finish(mark, K::ErrorNode);
        }
        let error = if nested && self.at(K::Minus) {
            Diagnostic::error("E0117", head, format!("a list is written `{name} = [ … ]`"))
                .help(format!("write `{name} = [first, second]`"))
        } else if nested {
            let error = Diagnostic::error("E0117", head, format!("a record is written `{name} = {{ … }}`"));
            error.help(match name.as_str() {
                "stages" | "jobs" | "steps" | "tasks" => {
                    "write each step as a binding: `prepare = step([\"python\", ./src/prepare.py], …)`"
                        .to_owned()
                }
                _ => format!("write `{name} = {{ key: value, … }}`"),
            })
        } else {
            let span = self.span(self.tokens[self.pos].start, self.ends[value - 1]);
            let text = super::shorten(self.slice(span.start, span.end));
            let error = Diagnostic::error("E0117", head, format!("a binding is written `{name} = {text}`"));
            let word = value == self.pos + 1 && self.at(K::Lname);
            let error = if word {
                error.help(format!(
                    "write `{name} =`; text stands between quotes: `{name} = \"{text}\"`"
                ))
            } else if self.habits.iter().any(|(key, ..)| *key == YAML) {
                error.help(format!("write `{name} =`"))
            } else {
                error.help(
                    "at the top of a file names are bound with `=`; `:` stands before a type, or in a record",
                )
            };
            error.mend(format!("write `{name} =`"), head, format!("{name} ="))
        };
        // The line was looked at as a whole; where it is reported is its start.
        self.pos = mark.pos;
        self.habit_within(YAML, 0, error);
        self.pos = value;
        if nested {
            self.skip_block();
        }
        // A binding all the same, so that its name is known.
        self.finish(
            mark,
            if self.tokens[mark.pos].kind == K::Lname {
                K::Binding
            } else {
                K::ErrorNode
            },
        );
    }

    /// What only YAML has for a value, from here to the token `end`: a tag, an anchor, a text of several lines.
    fn yaml_value(&self, name: &str, start: u32, end: usize) -> Option<Diagnostic> {
        let whole = self.span(start, self.ends[end - 1]);
        let text = self.slice(self.tokens[self.pos - 1].start, whole.end);
        let value = text.trim_start_matches([':', ' ']);
        let (message, help) = match value.chars().next()? {
            '|' | '>' => (
                "a text of several lines stands between `\"\"\"`".to_owned(),
                format!("write `{name} = \"\"\"`, the lines, and `\"\"\"` on a line of its own"),
            ),
            '&' | '*' => (
                "there are no anchors: a value has a name".to_owned(),
                format!("write `{name} = {{ … }}`, and `{{ ...{name}, other: value }}` where it is used"),
            ),
            '!' if value.starts_with("!include") => (
                "a file is imported with its type".to_owned(),
                format!("write `{name} = import ./file.yaml as {{ … }}`"),
            ),
            '!' => (
                "there are no tags".to_owned(),
                format!("write `{name} = value`, and its type as `{name}: Type = value`"),
            ),
            _ => return None,
        };
        Some(Diagnostic::error("E0117", whole, message).help(help))
    }

    /// Whether two lines or more begin here with `- `, the first of them where a value stands.
    pub(super) fn is_yaml_list(&self) -> bool {
        let dashes = |at: usize| {
            let next = self.tokens.get(at + 1).map_or(0, |token| token.flags);
            self.tokens[at].kind == K::Minus
                && self.tokens[at].has(super::Token::FIRST)
                && next & (super::Token::SPACED | super::Token::FIRST) == super::Token::SPACED
        };
        dashes(self.pos) && Some(self.end_of_line()).is_some_and(|next| next < self.limit && dashes(next))
    }

    /// Lines of `- item`, where a value stands.
    pub(super) fn yaml_list(&mut self, mark: Mark) {
        let error = Diagnostic::error(
            "E0117",
            self.span_here(),
            "the elements of a list stand in `[ … ]`",
        )
        .help("write `[first, second]`");
        self.error(error);
        let top = self.tokens[mark.pos].has(super::Token::COLUMN_0);
        self.skip_until(|p| {
            p.pos > mark.pos
                && p.first_on_line()
                && !p.at(K::Minus)
                && (top || p.tokens[p.pos].has(super::Token::COLUMN_0))
        });
    }
}
