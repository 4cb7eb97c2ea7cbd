//! Whether a line that is typed at a prompt goes on.

use crate::source::SourceId;
use crate::syntax::parse;
use std::sync::Arc;

/// Whether the text lacks its end: a bracket or a text of several lines is open, or what it says needs something more.
/// The latter ends with an empty line, so that nobody is caught in it.
pub fn is_unfinished(text: &str) -> bool {
    let last = text.lines().last().unwrap_or_default().trim_start();
    if last.starts_with("## ") && !text.ends_with('\n') {
        // What it is said of comes next.
        return true;
    }
    let parsed = parse(SourceId(0), Arc::from(text));
    // What stands before it is a mistake that more lines do not mend.
    let Some(first) = parsed.diagnostics.first() else {
        return false;
    };
    let start = first.span().start as usize;
    match first.code {
        "E0110" => true,
        "E0102" => text[start..].starts_with("\"\"\""),
        _ if text.ends_with('\n') => false,
        // Said at the `let` lines that lack their value.
        "E0128" => parsed.diagnostics.len() == 1,
        _ => start >= text.trim_end().len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_goes_on_while_something_is_open() {
        for open in [
            "x = [1,",
            "f(a, {",
            "x = {\n  a: 1,\n\n",
            "x = \"\"\"\n  text",
            "x =",
            "1 +",
            "fn f(x: Int) =",
            "fn f(x: Int) =\n  let y = x",
            "x = if a then",
            "x = a =>",
            "match x {",
            "xs |>",
            "import",
            "enum Color {",
            "## Twice.",
        ] {
            assert!(is_unfinished(open), "{open}");
        }
        for closed in [
            "",
            "x = 1",
            "f(a, b)",
            "[1, 2]",
            "x = \"a",
            "x = )",
            "a b",
            "x =\n",
            "1 +\n",
            "fn f(x: Int) =\n  x",
            "# [",
            "## Twice.\nx = 1",
            "x = [1}",
            "\"[\"",
            "x = \"\"\"\n  a\n  \"\"\"",
        ] {
            assert!(!is_unfinished(closed), "{closed}");
        }
    }
}
