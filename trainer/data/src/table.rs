//! CSV as RFC 4180 has it, one row at a time, each cell with its place.
//!
//! Comma-separated, cells quoted where they hold commas, quotes or line breaks, LF or CRLF, an optional byte order
//! mark. Rows without any character are skipped, as pandas does.

use crate::value::{Row, Value};
use mlp_protocol::message::{Failure, Outcome, Place};
use std::borrow::Cow;

/// A cell's place in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    start: usize,
    end: usize,
    line: u64,
    line_start: usize,
    /// Whether quotes are doubled inside.
    escaped: bool,
}

/// A CSV text that is being read.
pub(crate) struct Table<'a> {
    text: &'a str,
    input: &'a str,
    path: Option<&'a str>,
    at: usize,
    line: u64,
    line_start: usize,
}

impl<'a> Table<'a> {
    /// Reads `bytes`; `input` and `path` are for the places of failures.
    ///
    /// # Errors
    /// When the bytes are not UTF-8.
    pub(crate) fn new(bytes: &'a [u8], input: &'a str, path: Option<&'a str>) -> Outcome<Table<'a>> {
        let text =
            std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to(), input, path))?;
        let at = if text.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        Ok(Table {
            text,
            input,
            path,
            at,
            line: 1,
            line_start: at,
        })
    }

    /// Reads the next row's cells into `cells`; false at the end of the text.
    ///
    /// # Errors
    /// When a quoted cell is malformed.
    pub(crate) fn next_row(&mut self, cells: &mut Vec<Cell>) -> Outcome<bool> {
        cells.clear();
        while self.at < self.text.len() && self.end_of_line() {}
        if self.at >= self.text.len() {
            return Ok(false);
        }
        loop {
            let cell = if self.byte() == Some(b'"') {
                self.quoted()?
            } else {
                self.plain()
            };
            cells.push(cell);
            if self.byte() == Some(b',') {
                self.at += 1;
            } else {
                self.end_of_line();
                return Ok(true);
            }
        }
    }

    /// What stands in a cell.
    pub(crate) fn text(&self, cell: &Cell) -> Cow<'a, str> {
        let text = &self.text[cell.start..cell.end];
        if cell.escaped {
            Cow::Owned(text.replace("\"\"", "\""))
        } else {
            Cow::Borrowed(text)
        }
    }

    /// Where a cell stands.
    pub(crate) fn place(&self, cell: &Cell) -> Place {
        let bytes = Some((
            (cell.start - cell.line_start) as u64,
            (cell.end - cell.line_start) as u64,
        ));
        Place {
            input: self.input.to_string(),
            path: self.path.map(str::to_string),
            line: cell.line,
            bytes,
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over a line break, if one is here.
    fn end_of_line(&mut self) -> bool {
        let rest = &self.text.as_bytes()[self.at..];
        let width = match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            [b'\r'] => 1,
            _ => return false,
        };
        self.at += width;
        self.line += 1;
        self.line_start = self.at;
        true
    }

    fn plain(&mut self) -> Cell {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let length = rest
            .iter()
            .position(|byte| matches!(byte, b',' | b'\n'))
            .unwrap_or(rest.len());
        let at_break = rest.get(length) != Some(&b',');
        let length = if at_break && length > 0 && rest[length - 1] == b'\r' {
            length - 1
        } else {
            length
        };
        self.at = start + length;
        Cell {
            start,
            end: self.at,
            line: self.line,
            line_start: self.line_start,
            escaped: false,
        }
    }

    fn quoted(&mut self) -> Outcome<Cell> {
        let open = Cell {
            start: self.at + 1,
            end: self.at + 1,
            line: self.line,
            line_start: self.line_start,
            escaped: false,
        };
        let mut cell = open;
        self.at += 1;
        loop {
            match self.byte() {
                None => {
                    let failure =
                        Failure::new("B0111", "a quoted cell is never closed").at(self.place(&open));
                    return Err(
                        failure.help("end the cell with a double quote; a quote inside it is doubled")
                    );
                }
                Some(b'"') if self.text.as_bytes().get(self.at + 1) == Some(&b'"') => {
                    cell.escaped = true;
                    self.at += 2;
                }
                Some(b'"') => {
                    cell.end = self.at;
                    self.at += 1;
                    return match &self.text.as_bytes()[self.at..] {
                        [] | [b',' | b'\n', ..] | [b'\r', b'\n', ..] | [b'\r'] => Ok(cell),
                        _ => Err(Failure::new("B0111", "text follows the closing quote of a cell")
                            .at(self.place(&cell))
                            .help("double the quotes that stand inside the cell")),
                    };
                }
                Some(b'\n') => {
                    self.end_of_line();
                }
                Some(_) => self.at += 1,
            }
        }
    }
}

/// A row of a table.
pub(crate) struct CsvRow<'t, 'a> {
    table: &'t Table<'a>,
    cells: &'t [Cell],
}

impl<'t, 'a> CsvRow<'t, 'a> {
    /// The row of these cells.
    pub(crate) fn new(table: &'t Table<'a>, cells: &'t [Cell]) -> Self {
        CsvRow { table, cells }
    }
}

impl Row for CsvRow<'_, '_> {
    fn value(&self, column: usize) -> Value<'_> {
        Value::Text(self.table.text(&self.cells[column]))
    }

    fn blame(&self, failure: Box<Failure>, column: usize) -> Box<Failure> {
        failure.at(self.table.place(&self.cells[column]))
    }
}

/// Writes one row, quoting what must be.
pub(crate) fn write_row<'a>(out: &mut String, cells: impl Iterator<Item = Cow<'a, str>>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.push(',');
        }
        // An empty row would be skipped when read, so a lone empty cell is quoted too.
        if cell.is_empty() && index == 0 || cell.contains([',', '"', '\n', '\r']) {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&cell);
        }
    }
    out.push('\n');
}

fn not_utf8(bytes: &[u8], at: usize, input: &str, path: Option<&str>) -> Box<Failure> {
    let before = &bytes[..at];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let column = (at - line_start) as u64;
    let place = Place {
        input: input.to_string(),
        path: path.map(str::to_string),
        line,
        bytes: Some((column, column + 1)),
    };
    Failure::new(
        "B0109",
        format!("byte 0x{:02x} is not UTF-8", bytes.get(at).copied().unwrap_or(0)),
    )
    .at(place)
    .help("convert the file, for instance by `iconv -f LATIN1 -t UTF-8 in.csv > out.csv`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        let mut table = Table::new(text.as_bytes(), "file", None).unwrap();
        let (mut rows, mut cells) = (Vec::new(), Vec::new());
        while table.next_row(&mut cells).unwrap() {
            rows.push(cells.iter().map(|cell| table.text(cell).into_owned()).collect());
        }
        rows
    }

    #[test]
    fn rows_and_cells() {
        assert_eq!(rows("a,b\n1,2\n"), [["a", "b"], ["1", "2"]]);
        assert_eq!(
            rows("\u{feff}a,b\r\n1,\r\n\r\n,2"),
            [["a", "b"], ["1", ""], ["", "2"]]
        );
        assert_eq!(rows("\"a,\"\"x\"\"\",\"b\nc\"\n"), [["a,\"x\"", "b\nc"]]);
        assert_eq!(rows("a\r"), [["a"]]);
        assert_eq!(rows("a,"), [["a", ""]]);
        assert_eq!(rows(""), Vec::<Vec<String>>::new());
        assert_eq!(rows("\n\n"), Vec::<Vec<String>>::new());
    }

    #[test]
    fn places_are_lines_and_bytes_in_them() {
        let mut table = Table::new("a,\"b\n\",ç,\"d\"\n".as_bytes(), "file", None).unwrap();
        let mut cells = Vec::new();
        assert!(table.next_row(&mut cells).unwrap());
        let places: Vec<_> = cells
            .iter()
            .map(|cell| (table.place(cell).line, table.place(cell).bytes))
            .collect();
        assert_eq!(
            places,
            [
                (1, Some((0, 1))),
                (1, Some((3, 5))),
                (2, Some((2, 4))),
                (2, Some((6, 7)))
            ]
        );
    }

    #[test]
    fn malformed_quotes_are_refused() {
        for text in ["\"a", "\"a\"b,c\n", "x,\"a\n\n"] {
            let mut table = Table::new(text.as_bytes(), "file", None).unwrap();
            assert_eq!(
                table.next_row(&mut Vec::new()).unwrap_err().code,
                "B0111",
                "{text}"
            );
        }
    }

    #[test]
    fn other_encodings_are_refused_with_their_place() {
        let failure = Table::new(b"a\nb\xe9", "file", None).err().unwrap();
        let place = failure.place.unwrap();
        assert_eq!(
            (failure.code.as_str(), place.line, place.bytes),
            ("B0109", 2, Some((1, 2)))
        );
    }

    #[test]
    fn written_rows_are_read_back() {
        let cells = ["", "a,b", "say \"x\"", "two\nlines", " plain "];
        let mut text = String::new();
        write_row(&mut text, cells.iter().map(|cell| Cow::Borrowed(*cell)));
        write_row(&mut text, std::iter::once(Cow::Borrowed("")));
        assert_eq!(rows(&text), [cells.to_vec(), vec![""]]);
    }
}
