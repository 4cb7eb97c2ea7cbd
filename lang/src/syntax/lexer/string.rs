//! Strings: on one line, and between `"""`.

use super::{K, Lexer, Mode, Token};
use crate::diagnostic::Diagnostic;

impl Lexer<'_> {
    /// At `"`.
    pub(super) fn string(&mut self) {
        let start = self.pos;
        if self.rest().starts_with("\"\"\"") {
            self.bump(K::StrOpen, 3);
            self.modes.push(Mode::Text {
                triple: true,
                open: start as u32,
            });
            self.after_triple_open(start);
            return;
        }
        // Most strings are plain: one token.
        let mut end = start + 1;
        loop {
            match self.bytes.get(end) {
                Some(b'"') => {
                    self.pos = end + 1;
                    self.escapes(start + 1, end);
                    return self.push(K::Str, start);
                }
                Some(b'\\') if !matches!(self.bytes.get(end + 1), None | Some(b'\n')) => end += 2,
                Some(b'$') if self.interpolate && self.bytes.get(end + 1) == Some(&b'{') => break,
                Some(b'\n') if let Some(close) = self.closed_on_later_line(end) => {
                    return self.string_over_lines(start, close);
                }
                None | Some(b'\n') => break,
                Some(_) => end += 1,
            }
        }
        self.bump(K::StrOpen, 1);
        self.modes.push(Mode::Text {
            triple: false,
            open: start as u32,
        });
    }

    /// The `"` that closes, on a later line, a string that does not end on its own at `end`: where no item begins before,
    /// and where the quotes of that line would not match otherwise.
    fn closed_on_later_line(&self, end: usize) -> Option<usize> {
        let mut at = end + 1;
        for line in self.text[at..].split_inclusive('\n').take(20) {
            let words = line.trim_start_matches(|c: char| c == '_' || c.is_alphanumeric());
            let item = words.len() < line.len() && words.trim_start().starts_with(['=', ':']);
            if item || self.modes.last().is_some() {
                return None;
            }
            match line.matches('"').count() {
                0 => at += line.len(),
                count if count % 2 == 1 => return line.find('"').map(|quote| at + quote),
                _ => return None,
            }
        }
        None
    }

    fn string_over_lines(&mut self, start: usize, close: usize) {
        let span = self.span(start, start + 1);
        let error = Diagnostic::error("E0102", span, "a string between `\"` ends on its line")
            .at("opened here")
            .help("text of several lines stands between `\"\"\"`, each on a line of its own");
        self.error(error);
        self.pos = close + 1;
        self.push(K::Str, start);
    }

    /// `"""` stands at the end of its line.
    fn after_triple_open(&mut self, start: usize) {
        let line = self.rest();
        let line = &line[..line.find('\n').unwrap_or(line.len())];
        if !line.trim_end().is_empty() {
            let span = self.span(start, start + 3);
            self.error(
                Diagnostic::error(
                    "E0108",
                    span,
                    "the text of a `\"\"\"` string begins on the next line",
                )
                .help("put a line break after `\"\"\"`, or write the text between single `\"`; comments begin with `#`"),
            );
        }
    }

    /// In a string: reads text up to `${` or the closing quotes.
    pub(super) fn string_text(&mut self) {
        let Some(&Mode::Text { triple, .. }) = self.modes.last() else {
            return;
        };
        let start = self.pos;
        loop {
            match self.peek(0) {
                b'"' if !triple || self.rest().starts_with("\"\"\"") => {
                    self.text_until_here(start);
                    self.bump(K::StrClose, if triple { 3 } else { 1 });
                    self.modes.pop();
                    return;
                }
                b'$' if self.interpolate && self.peek(1) == b'{' => {
                    self.text_until_here(start);
                    let open = self.pos as u32;
                    self.bump(K::InterpOpen, 2);
                    self.modes.push(Mode::Interp { braces: 0, open });
                    return;
                }
                b'\\' if self.peek(1) != b'\n' && self.pos + 1 < self.bytes.len() => self.pos += 2,
                b'\n' if self.outermost_oneline().is_some() => {
                    self.text_until_here(start);
                    return self.close_modes(self.outermost_oneline().unwrap_or(0));
                }
                _ if self.pos >= self.bytes.len() => return self.text_until_here(start),
                _ => self.pos += 1,
            }
            // A jump over an escape may land inside a character.
            while !self.text.is_char_boundary(self.pos) {
                self.pos += 1;
            }
        }
    }

    fn text_until_here(&mut self, start: usize) {
        if self.pos > start {
            self.escapes(start, self.pos);
            self.push(K::StrText, start);
        }
    }

    /// At `}`.
    pub(super) fn right_brace(&mut self) {
        match self.modes.last_mut() {
            Some(Mode::Interp { braces: 0, .. }) => {
                self.modes.pop();
                self.bump(K::InterpClose, 1);
            }
            Some(Mode::Interp { braces, .. }) => {
                *braces -= 1;
                self.bump(K::RBrace, 1);
            }
            _ => self.bump(K::RBrace, 1),
        }
    }

    /// Closes what is open from the `at`-th mode on, by empty tokens, and reports it once.
    pub(super) fn close_modes(&mut self, at: usize) {
        if self.modes.len() <= at {
            return;
        }
        // In `"a ${b"` it is the `}` that is missing, and the last `"` opens nothing.
        let closed = &self.modes[at..];
        let interp = closed.iter().find(|mode| matches!(mode, Mode::Interp { .. }));
        let culprit = *interp.unwrap_or(&self.modes[self.modes.len() - 1]);
        while self.modes.len() > at {
            let kind = match self.modes.pop() {
                Some(Mode::Interp { .. }) => K::InterpClose,
                _ => K::StrClose,
            };
            self.push(kind, self.pos);
        }
        let end = self.pos;
        self.error(match culprit {
            Mode::Interp { open, .. } => {
                let open = self.span(open as usize, open as usize + 2);
                Diagnostic::error("E0102", self.span(end, end), "`${` is not closed")
                    .at("`}` is missing")
                    .label(open, "opened here")
                    .help("what stands in `${…}` of a string on one line stands on that line too")
            }
            Mode::Text { triple, open } => {
                let quotes = if triple { "\"\"\"" } else { "\"" };
                let span = self.span(open as usize, open as usize + quotes.len());
                let at = self.span(end, end);
                let error = Diagnostic::error("E0102", span, "the string is not closed").at("opened here");
                // Where it was to end is plain only if nothing but words follow.
                let words = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/');
                let plain = self.text[span.end as usize..end].chars().all(words);
                let error = if plain {
                    error.mend(format!("write `{quotes}` at its end"), at, quotes)
                } else {
                    error
                };
                if triple {
                    error.help("close it with `\"\"\"` on a line of its own")
                } else {
                    error.help("write `\"` at its end; text of several lines stands between `\"\"\"`")
                }
            }
        });
    }

    /// Reports the escapes between `start` and `end` that are none.
    fn escapes(&mut self, start: usize, end: usize) {
        // The parser says that there are no raw strings.
        if self.tokens.last().is_some_and(|token| token.kind == K::Lname)
            && self.text[..start].ends_with("r\"")
            && self.flags & Token::SPACED == 0
        {
            return;
        }
        let mut at = start;
        while let Some(offset) = self.text[at..end].find('\\') {
            at += offset;
            match super::super::literal::escape(&self.text[at..end]) {
                Ok((_, length)) => at += length,
                Err(length) => {
                    let span = self.span(at, at + length);
                    let text = &self.text[at..at + length];
                    let error = Diagnostic::error("E0103", span, format!("`{text}` is no character"));
                    let error = if text.starts_with("\\u") {
                        error.help("characters are written `\\u00e9` or `\\u{1f600}`")
                    } else {
                        error
                            .note("escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\$ \\u00e9 \\u{1f600}")
                            .help("for a backslash write `\\\\`; the folders of a path are divided by `/`")
                            .mend("write `\\\\`", self.span(at, at + 1), "\\\\")
                    };
                    self.error(error);
                    at += length;
                }
            }
        }
    }

    /// At the end of a line in `${`: whether it is closed, and its string too, on the next.
    pub(super) fn interpolation_goes_on(&self) -> bool {
        let next = &self.text[self.pos + 1..];
        let next = &next[..next.find('\n').unwrap_or(next.len())];
        matches!(self.modes.as_slice(), [Mode::Text { .. }, Mode::Interp { .. }])
            && next
                .split_once('}')
                .is_some_and(|(before, after)| !before.contains(['"', '{']) && after.contains('"'))
    }

    pub(super) fn report_broken_interpolation(&mut self) {
        if let Some(Mode::Interp { open, .. }) = self.modes.last() {
            let span = self.span(*open as usize, *open as usize + 2);
            let error = Diagnostic::error("E0102", span, "this `${` is not closed on its line").help(
                "what stands in `${…}` of a string on one line stands on that line too; give it a name",
            );
            self.error(error);
        }
    }

    /// At a typographic quotation mark: takes what is between it and the next for a string. False if there is none.
    pub(super) fn typographic_string(&mut self) -> bool {
        let start = self.pos;
        let line = self.rest();
        let line = &line[..line.find(['\n', '\r']).unwrap_or(line.len())];
        let mut marks = line
            .match_indices(['\u{201c}', '\u{201d}', '\u{201e}', '"'])
            .skip(1);
        let Some((at, mark)) = marks.next() else {
            return false;
        };
        self.pos += at + mark.len();
        let better = format!("\"{}\"", &line['\u{201c}'.len_utf8()..at]);
        let span = self.span(start, self.pos);
        self.error(
            Diagnostic::error("E0107", span, "these are typographic quotation marks")
                .help(format!("write `{better}`"))
                .mend(format!("write `{better}`"), span, better),
        );
        self.push(K::Str, start);
        true
    }

    /// At `'`: a string of another language.
    pub(super) fn single_quoted(&mut self) {
        let start = self.pos;
        let line = self.rest();
        let line = &line[1..line.find(['\n', '\r']).unwrap_or(line.len())];
        let Some(length) = line.find('\'') else {
            return self.junk('\'');
        };
        self.pos += length + 2;
        let better = format!("\"{}\"", line[..length].replace('"', "\\\""));
        let span = self.span(start, self.pos);
        self.error(
            Diagnostic::error("E0107", span, "strings are written with `\"`")
                .help(format!("write `{better}`"))
                .mend(format!("write `{better}`"), span, better),
        );
        self.push(K::Str, start);
    }
}
