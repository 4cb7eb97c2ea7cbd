//! Strings and paths to `hir`: escapes replaced, the indentation of `"""` strings removed.

use super::module::Lower;
use super::name;
use crate::diagnostic::Diagnostic;
use crate::hir::{Name, StrPart};
use crate::syntax::ast::{self, StringPart};
use crate::syntax::{SyntaxKind, SyntaxToken, literal};

impl Lower<'_> {
    /// The text of a string on one line that interpolates nothing.
    pub(super) fn plain_string(&mut self, token: SyntaxToken<'_>) -> Name {
        let text = token.text();
        // Quotation marks of other kinds, which were reported, may have several bytes.
        let mut inner = text.chars();
        inner.next();
        inner.next_back();
        let inner = inner.as_str();
        if !inner.contains(['\\', '\r']) {
            return Name::new(inner);
        }
        let mut out = String::new();
        literal::unescape(inner, &mut out);
        Name::from(out)
    }

    pub(super) fn string_parts(&mut self, string: ast::StringExpr<'_>) -> Vec<StrPart> {
        if let Some(token) = string.plain() {
            let text = self.plain_string(token);
            return if text.is_empty() {
                Vec::new()
            } else {
                vec![StrPart::Text(text)]
            };
        }
        let mut parts = Parts::default();
        let indentation = if string.is_triple() {
            self.indentation(string)
        } else {
            None
        };
        let count = string.parts().count();
        for (index, part) in string.parts().enumerate() {
            match part {
                StringPart::Text(token) => {
                    let mut raw = token.text();
                    if string.is_triple() {
                        raw = trim_ends(raw, index == 0, index + 1 == count);
                    }
                    match indentation {
                        Some(indentation) if !indentation.is_empty() => {
                            // The last part's last line is the one of the closing quotes; it is gone.
                            let first_at_start = index == 0;
                            self.strip(token, raw, indentation, first_at_start, &mut parts.text);
                        }
                        _ => literal::unescape(raw, &mut parts.text),
                    }
                }
                StringPart::Interp(interp) => {
                    let value = self.expr_or_error(interp.expr(), interp.node().span());
                    parts.flush();
                    parts.parts.push(StrPart::Interpolation(value));
                }
            }
        }
        parts.flush();
        parts.parts
    }

    pub(super) fn path_parts(&mut self, path: ast::PathExpr<'_>) -> Vec<StrPart> {
        let head = StrPart::Text(name(path.token().text()));
        let Some(string) = path.string() else {
            return vec![head];
        };
        let mut parts = vec![head];
        parts.extend(self.string_parts(string));
        // Text parts that meet become one.
        if let [StrPart::Text(first), StrPart::Text(second)] = parts.as_slice() {
            return vec![StrPart::Text(Name::from(format!("{first}{second}")))];
        }
        parts
    }

    /// The white space before the closing `"""`.
    fn indentation<'t>(&mut self, string: ast::StringExpr<'t>) -> Option<&'t str> {
        let close = string.node().token(SyntaxKind::StrClose)?;
        if close.text().is_empty() {
            return None;
        }
        let text: &'t str = string.node().tree().text();
        let start = string.node().first_token().span().end as usize;
        let before = &text[start..close.span().start as usize];
        let line = before.rfind('\n').map_or("", |at| &before[at + 1..]);
        if before.contains('\n') && line.trim().is_empty() {
            return Some(line);
        }
        if before.contains('\n') {
            let error = Diagnostic::error(
                "E0108",
                close.span(),
                "`\"\"\"` closes a text on a line of its own",
            )
            .help("put a line break before it; the last one is no part of the text");
            self.report(error);
        }
        None
    }

    /// Appends `raw` with `indentation` removed from the start of each of its lines.
    fn strip(
        &mut self,
        token: SyntaxToken<'_>,
        raw: &str,
        indentation: &str,
        at_start: bool,
        out: &mut String,
    ) {
        for (index, line) in raw.split_inclusive('\n').enumerate() {
            if index == 0 && !at_start {
                literal::unescape(line, out);
                continue;
            }
            match line.strip_prefix(indentation) {
                Some(line) => literal::unescape(line, out),
                None if line.trim().is_empty() => out.push_str(if line.ends_with('\n') { "\n" } else { "" }),
                None => {
                    let offset = line.as_ptr() as usize - token.text().as_ptr() as usize;
                    let mut span = token.span();
                    span.start += offset as u32;
                    span.end = span.start + (line.len() - line.trim_start().len()).max(1) as u32;
                    let error = Diagnostic::error(
                        "E0108",
                        span,
                        "this line is indented less than the closing `\"\"\"`",
                    )
                    .help("the white space before the closing `\"\"\"` is removed from every line");
                    self.report(error);
                    literal::unescape(line.trim_start(), out);
                }
            }
        }
    }
}

/// Drops the line break after the opening quotes, and the one before the closing quotes with the indentation after it.
fn trim_ends(raw: &str, first: bool, last: bool) -> &str {
    let mut raw = raw;
    if first {
        raw = raw.find('\n').map_or(raw, |at| &raw[at + 1..]);
    }
    if last && let Some(at) = raw.rfind('\n') {
        if raw[at..].trim().is_empty() {
            raw = raw[..at].strip_suffix('\r').unwrap_or(&raw[..at]);
        }
    } else if last && first && raw.trim().is_empty() {
        raw = "";
    }
    raw
}

#[derive(Default)]
struct Parts {
    parts: Vec<StrPart>,
    text: String,
}

impl Parts {
    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.parts
                .push(StrPart::Text(Name::from(std::mem::take(&mut self.text))));
        }
    }
}
