//! The table of a network's layers as an editor shows it.

use super::LayerRow;
use super::report::shape_text;

const COLUMNS: [&str; 5] = ["layer", "kind", "output", "parameters", "FLOPs"];

/// A table of layers as people read it.
pub fn table(rows: &[LayerRow]) -> String {
    let mut lines = vec![COLUMNS.map(str::to_owned)];
    for row in rows {
        lines.push([
            row.path.clone(),
            row.kind.clone(),
            shape_text(&row.output),
            known(row.parameters),
            known(row.flops),
        ]);
    }
    let sum = |of: fn(&LayerRow) -> Option<u64>| {
        known(
            rows.iter()
                .try_fold(0u64, |sum, row| Some(sum.saturating_add(of(row)?))),
        )
    };
    lines.push([
        String::new(),
        "total".to_owned(),
        String::new(),
        sum(|row| row.parameters),
        sum(|row| row.flops),
    ]);
    let widths: Vec<usize> = (0..COLUMNS.len())
        .map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in &lines {
        let mut shown = String::new();
        for (column, cell) in line.iter().enumerate() {
            let width = widths[column];
            shown += &match column {
                0..3 => format!("{cell:width$}  "),
                _ => format!("{cell:>width$}  "),
            };
        }
        text += shown.trim_end();
        text.push('\n');
    }
    text
}

fn known(count: Option<u64>) -> String {
    count.map_or("?".to_owned(), |count| count.to_string())
}
