//! A confusion matrix as a table: rows are the true classes, columns what they were taken for.

use super::table::{Align, table};
use serde_json::Value;

/// Past this many classes a matrix no longer fits a screen.
const DRAWN: usize = 20;

/// The counts, if `value` is a square list of lists of them with at least two classes.
pub fn counts(value: &Value) -> Option<Vec<Vec<u64>>> {
    let rows: Vec<Vec<u64>> = value
        .as_array()?
        .iter()
        .map(|row| row.as_array()?.iter().map(Value::as_u64).collect())
        .collect::<Option<_>>()?;
    (rows.len() >= 2 && rows.iter().all(|row| row.len() == rows.len())).then_some(rows)
}

/// The matrix as lines. Zeros are dots, so that errors stand out; the last column is the share that was right.
pub fn draw(counts: &[Vec<u64>]) -> Vec<String> {
    if counts.len() > DRAWN {
        return vec![format!("{0} x {0} counts", counts.len())];
    }
    let mut heading = vec!["true".to_owned()];
    heading.extend((0..counts.len()).map(|class| class.to_string()));
    heading.push("right".to_owned());
    let mut rows = vec![heading];
    for (class, row) in counts.iter().enumerate() {
        let all: u64 = row.iter().sum();
        let mut cells = vec![class.to_string()];
        cells.extend(row.iter().map(|&count| {
            if count == 0 {
                "·".to_owned()
            } else {
                count.to_string()
            }
        }));
        cells.push(if all == 0 {
            "-".to_owned()
        } else {
            format!("{:.1}%", 100.0 * row[class] as f64 / all as f64)
        });
        rows.push(cells);
    }
    let mut lines = vec!["predicted as".to_owned()];
    lines.extend(table(&rows, &vec![Align::Right; counts.len() + 2]));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_drawn() {
        let matrix = counts(&serde_json::json!([[10, 0, 1], [0, 9, 0], [0, 0, 0]])).unwrap();
        insta::assert_snapshot!(draw(&matrix).join("\n"));
    }

    #[test]
    fn what_is_no_matrix_is_none() {
        for value in [
            serde_json::json!([[1, 2], [3]]),
            serde_json::json!([[0.5, 1], [1, 2]]),
            serde_json::json!([]),
            serde_json::json!(3),
        ] {
            assert_eq!(counts(&value), None);
        }
    }

    #[test]
    fn a_large_matrix_is_only_named() {
        assert_eq!(draw(&vec![vec![0; 100]; 100]), ["100 x 100 counts"]);
    }
}
