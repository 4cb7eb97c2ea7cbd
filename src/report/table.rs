//! Text in columns.

/// How a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows as lines, each column as wide as its widest cell, two spaces between columns, nothing at the ends of lines.
/// Columns past the end of `align` stand left.
pub fn table(rows: &[Vec<String>], align: &[Align]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let cell = |(column, text): (usize, &String)| {
        let space = " ".repeat(widths[column].saturating_sub(text.chars().count()));
        match align.get(column) {
            Some(Align::Right) => format!("{space}{text}"),
            _ => format!("{text}{space}"),
        }
    };
    rows.iter()
        .map(|row| {
            let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "1"], ["längst", "100"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(
            table(&rows, &[Align::Left, Align::Right]),
            ["a         1", "längst  100"]
        );
        assert!(table(&[], &[]).is_empty());
    }
}
