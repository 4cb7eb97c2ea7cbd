//! What stands in brackets with commas between: elements, entries, arguments, parameters.

use super::{K, Parser};
use crate::diagnostic::Diagnostic;

impl Parser<'_> {
    /// Reads the bracket at hand: elements with commas between, and after the last if one likes.
    pub(super) fn comma_list(&mut self, element: impl FnMut(&mut Self)) {
        let bracket = self.open();
        self.elements(element);
        self.close(bracket);
    }

    /// Reads elements up to the end of the bracket.
    pub(super) fn elements(&mut self, mut element: impl FnMut(&mut Self)) {
        while !self.at_end() {
            if self.at(K::Comma) {
                self.stray_comma();
                continue;
            }
            let before = self.pos;
            element(self);
            if self.at_end() || self.eat(K::Comma) {
                continue;
            }
            self.missing_comma(before);
        }
    }

    fn stray_comma(&mut self) {
        let span = self.span_here();
        let error = Diagnostic::error("E0114", span, "nothing stands before this comma")
            .help("remove the comma, or write what is missing")
            .mend("remove `,`", span, "");
        self.error(error);
        self.bump();
    }

    /// After an element that began at `before`: neither a comma nor the end.
    pub(super) fn missing_comma(&mut self, before: usize) {
        if self.pos > before && self.starts_element() {
            let found = self.found();
            let gap = self.span_after_previous();
            let error = Diagnostic::error(
                "E0126",
                self.element_span(),
                format!("missing comma before {found}"),
            );
            let blank = self.tokens[self.pos - 1].kind == K::Path
                && self.current().is_label()
                && !self.first_on_line();
            if blank && self.nth(1) != K::Assign {
                let error = Diagnostic::error(
                    "E0126",
                    self.span_here(),
                    "a path with a blank stands between quotes",
                )
                .help(format!(
                    "write `./\"{} …\"`",
                    self.text_of(self.pos - 1).trim_start_matches("./")
                ));
                return self.error(error);
            }
            let error = error.mend("write `,`", gap, ",");
            let error = if self.at(K::Minus) {
                error.help(format!(
                    "to subtract write `- {}`",
                    found.trim_matches(['`', '-'])
                ))
            } else {
                error.help(format!("write a comma after {}", self.describe(self.pos - 1)))
            };
            self.error(error);
            return;
        }
        self.unexpected("");
        self.skip_until(|p| p.at(K::Comma));
        self.eat(K::Comma);
    }

    /// The token at hand; a glued minus with its number.
    fn element_span(&self) -> crate::source::Span {
        let span = self.span_here();
        if self.at(K::Minus) && self.glued(1) {
            self.span(span.start, self.ends[self.pos + 1])
        } else {
            span
        }
    }

    fn starts_element(&self) -> bool {
        self.starts_expr() || self.at(K::Ellipsis) || self.current().is_label()
    }
}
