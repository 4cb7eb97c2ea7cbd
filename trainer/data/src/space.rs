//! Candidates of a search as points in a cube: what `propose` measures distances in.

use mlp_protocol::propose::Cell;

/// The middle of a column of numbers.
pub(crate) const MIDDLE: f64 = 0.5;

/// A point for each candidate. A column of numbers is their ranks, from 0 to 1: the pool says on which scale they were drawn,
/// and rates that were drawn by orders of magnitude are as far apart as these. Any other column is a dimension for each of
/// its values, so that two that differ are 1 apart. A column that is the same for all is none.
pub(crate) fn points(pool: &[Vec<Cell>]) -> Vec<Vec<f64>> {
    let mut points = vec![Vec::new(); pool.len()];
    let columns = pool.iter().map(Vec::len).min().unwrap_or(0);
    for column in 0..columns {
        let cells: Vec<&Cell> = pool.iter().map(|row| &row[column]).collect();
        if cells.windows(2).all(|pair| pair[0] == pair[1]) {
            continue;
        }
        let numbers: Option<Vec<f64>> = cells.iter().map(|cell| number(cell)).collect();
        match numbers {
            Some(numbers) => {
                for (point, rank) in points.iter_mut().zip(ranks(&numbers)) {
                    point.push(rank);
                }
            }
            None => kinds(&cells, &mut points),
        }
    }
    points
}

/// The distance between two points.
pub(crate) fn distance(a: &[f64], b: &[f64]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    squares.sqrt()
}

fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number(number) => Some(*number),
        Cell::Text(_) => None,
    }
}

/// The rank of each number among the different ones, from 0 to 1.
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let last = (sorted.len().max(2) - 1) as f64;
    let rank = |number: &f64| sorted.partition_point(|other| other.total_cmp(number).is_lt()) as f64 / last;
    numbers.iter().map(rank).collect()
}

/// A dimension for each value of a column.
fn kinds(cells: &[&Cell], points: &mut [Vec<f64>]) {
    let texts: Vec<String> = cells
        .iter()
        .map(|cell| match cell {
            Cell::Number(number) => number.to_string(),
            Cell::Text(text) => text.clone(),
        })
        .collect();
    let mut values: Vec<&String> = texts.iter().collect();
    values.sort_unstable();
    values.dedup();
    for value in values {
        for (point, text) in points.iter_mut().zip(&texts) {
            // Two that differ do so in two dimensions.
            let own = if text == value {
                std::f64::consts::FRAC_1_SQRT_2
            } else {
                0.0
            };
            point.push(own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: f64, text: &str) -> Vec<Cell> {
        vec![Cell::Number(number), Cell::Text(text.into()), Cell::Number(7.0)]
    }

    #[test]
    fn numbers_are_ranks_and_kinds_are_one_apart() {
        let points = points(&[row(1e-4, "a"), row(1e-3, "b"), row(1e-2, "b"), row(1e-3, "c")]);
        let first: Vec<f64> = points.iter().map(|point| point[0]).collect();
        assert_eq!(first, [0.0, 0.5, 1.0, 0.5]);
        assert_eq!(points[0].len(), 4);
        assert!((distance(&points[1], &points[3]) - 1.0).abs() < 1e-12);
        assert!((distance(&points[1], &points[2]) - 0.5).abs() < 1e-12);
    }
}
