//! Edits of an open buffer.

use super::position::Lines;
use lsp_types::TextDocumentContentChangeEvent;

/// The text after `changes`, each of which counts on those before it.
pub(super) fn changed(text: &str, changes: Vec<TextDocumentContentChangeEvent>) -> String {
    let mut text = text.to_owned();
    for change in changes {
        let Some(range) = change.range else {
            text = change.text;
            continue;
        };
        let lines = Lines::new(&text);
        let (start, end) = (
            lines.offset(range.start) as usize,
            lines.offset(range.end) as usize,
        );
        text.replace_range(start..end.max(start), &change.text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsp_types::{Position, Range};

    fn change(range: Option<[u32; 4]>, text: &str) -> TextDocumentContentChangeEvent {
        let range = range.map(|[line, character, end_line, end]| Range {
            start: Position { line, character },
            end: Position {
                line: end_line,
                character: end,
            },
        });
        TextDocumentContentChangeEvent {
            range,
            range_length: None,
            text: text.to_owned(),
        }
    }

    #[test]
    fn changes_count_on_each_other() {
        let text = changed(
            "a = 1\nb = 2\n",
            vec![
                change(Some([0, 4, 0, 5]), "1\n\n"),
                change(Some([3, 0, 3, 1]), "ü𝒳"),
                change(Some([3, 3, 3, 6]), "c"),
            ],
        );
        assert_eq!(text, "a = 1\n\n\nü𝒳c2\n");
        assert_eq!(changed("old", vec![change(None, "new")]), "new");
    }

    #[test]
    fn ranges_that_are_not_there_do_no_harm() {
        assert_eq!(changed("ab", vec![change(Some([7, 0, 9, 9]), "c")]), "abc");
        assert_eq!(changed("ab", vec![change(Some([0, 2, 0, 1]), "c")]), "abc");
    }
}
