//! Bytes of a text to lines and UTF-16 columns, and back.

use lsp_types::{Position, Range};

/// Where the lines of a text begin. A line ends with LF, CRLF or CR.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<u32>,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            let ends = *byte == b'\n' || *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
            if ends {
                starts.push(at as u32 + 1);
            }
        }
        Self { text, starts }
    }

    /// Where the byte `offset` stands.
    pub(super) fn position(&self, offset: u32) -> Position {
        let offset = offset.min(self.text.len() as u32);
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let before = self
            .text
            .get(self.starts[line] as usize..offset as usize)
            .unwrap_or("");
        Position {
            line: line as u32,
            character: before.encode_utf16().count() as u32,
        }
    }

    /// The bytes before `position`; one behind the end of a line is its end, one behind the text the text's.
    pub(super) fn offset(&self, position: Position) -> u32 {
        let Some(start) = self.starts.get(position.line as usize) else {
            return self.text.len() as u32;
        };
        let mut column = 0;
        for (at, c) in self.text[*start as usize..].char_indices() {
            if column >= position.character || c == '\n' || c == '\r' {
                return start + at as u32;
            }
            column += c.len_utf16() as u32;
        }
        self.text.len() as u32
    }

    /// The range of the bytes from `start` to `end`.
    pub(super) fn range(&self, start: u32, end: u32) -> Range {
        Range {
            start: self.position(start),
            end: self.position(end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn columns_count_utf_16() {
        let lines = Lines::new("a\nü𝒳b\r\n\rc");
        for (offset, position) in [
            (0, at(0, 0)),
            (2, at(1, 0)),
            (4, at(1, 1)),
            (8, at(1, 3)),
            (9, at(1, 4)),
            (11, at(2, 0)),
            (12, at(3, 0)),
            (13, at(3, 1)),
        ] {
            assert_eq!(lines.position(offset), position, "{offset}");
            assert_eq!(lines.offset(position), offset, "{position:?}");
        }
    }

    #[test]
    fn what_lies_behind_is_the_end() {
        let lines = Lines::new("ab\ncd");
        assert_eq!(lines.offset(at(0, 9)), 2);
        assert_eq!(lines.offset(at(9, 0)), 5);
        assert_eq!(Lines::new("").offset(at(0, 1)), 0);
        // In the middle of a pair of surrogates: behind it.
        assert_eq!(Lines::new("𝒳").offset(at(0, 1)), 4);
    }
}
