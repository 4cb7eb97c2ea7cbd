//! A Gaussian process over points of a cube: what `propose` expects of a candidate that was not tried.
//!
//! Matérn's covariance of smoothness 5/2, one length for all dimensions. The length and the noise are those of a small
//! grid under which the scores are likeliest. Sums run in one order, and logarithms and exponentials are libm's, so that
//! a proposal is the same on every machine.

use crate::space::distance;

/// Lengths over which scores change, as shares of the cube's diagonal.
const LENGTHS: [f64; 5] = [0.1, 0.2, 0.4, 0.8, 1.6];
/// Variances of what a score has to do with chance, where all scores together have 1.
const NOISES: [f64; 3] = [1e-4, 1e-2, 1e-1];

/// A process that has seen some points.
pub(crate) struct Process<'p> {
    seen: &'p [&'p [f64]],
    /// The covariance of the points is this lower triangle times its transpose.
    factor: Vec<Vec<f64>>,
    /// The inverse of the covariance times the scores.
    weights: Vec<f64>,
    length: f64,
    best: f64,
}

impl<'p> Process<'p> {
    /// The process under which `scores`, of mean 0 and variance 1, are likeliest.
    pub(crate) fn fit(seen: &'p [&'p [f64]], scores: &[f64]) -> Self {
        let dimensions = seen.first().map_or(1, |point| point.len().max(1));
        let diagonal = (dimensions as f64).sqrt();
        let mut likeliest = Self::new(seen, scores, LENGTHS[0] * diagonal, NOISES[0]);
        let mut highest = likeliest.likelihood(scores);
        for share in LENGTHS {
            for noise in NOISES {
                let process = Self::new(seen, scores, share * diagonal, noise);
                let likelihood = process.likelihood(scores);
                if likelihood > highest {
                    (highest, likeliest) = (likelihood, process);
                }
            }
        }
        likeliest
    }

    fn new(seen: &'p [&'p [f64]], scores: &[f64], length: f64, noise: f64) -> Self {
        let factor = factor(seen, length, noise);
        Self {
            weights: solve_transposed(&factor, solve(&factor, scores)),
            best: scores.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            seen,
            factor,
            length,
        }
    }

    /// The logarithm of how likely the scores are, up to a constant.
    fn likelihood(&self, scores: &[f64]) -> f64 {
        let weighted = scores.iter().zip(&self.weights);
        let fit: f64 = weighted.map(|(score, weight)| score * weight).sum();
        let rows = self.factor.iter().enumerate();
        let volume: f64 = rows.map(|(at, row)| libm::log(row[at])).sum();
        -0.5 * fit - volume
    }

    /// Mean and standard deviation of the score at `point`.
    fn predict(&self, point: &[f64]) -> (f64, f64) {
        let near: Vec<f64> = self
            .seen
            .iter()
            .map(|seen| covariance(distance(seen, point) / self.length))
            .collect();
        let mean = near
            .iter()
            .zip(&self.weights)
            .map(|(near, weight)| near * weight)
            .sum();
        let known: f64 = solve(&self.factor, &near).iter().map(|part| part * part).sum();
        (mean, (1.0 - known).max(0.0).sqrt())
    }

    /// By how much the score at `point` is above the best one, in the mean over what it may be.
    pub(crate) fn expected_improvement(&self, point: &[f64]) -> f64 {
        let (mean, deviation) = self.predict(point);
        let above = mean - self.best;
        if deviation < 1e-9 {
            return above.max(0.0);
        }
        let z = above / deviation;
        let density = libm::exp(-0.5 * z * z) / (2.0 * std::f64::consts::PI).sqrt();
        let share = 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
        above * share + deviation * density
    }
}

/// Matérn's covariance at a distance.
fn covariance(distance: f64) -> f64 {
    let scaled = 5.0_f64.sqrt() * distance;
    (1.0 + scaled + scaled * scaled / 3.0) * libm::exp(-scaled)
}

/// The Cholesky factor of the points' covariance. The noise keeps what is under the root above 0.
fn factor(seen: &[&[f64]], length: f64, noise: f64) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(seen.len());
    for (i, point) in seen.iter().enumerate() {
        let mut row: Vec<f64> = Vec::with_capacity(i + 1);
        for (j, other) in seen[..i].iter().enumerate() {
            let below: f64 = row.iter().zip(&rows[j]).map(|(a, b)| a * b).sum();
            row.push((covariance(distance(point, other) / length) - below) / rows[j][j]);
        }
        let below: f64 = row.iter().map(|a| a * a).sum();
        row.push((1.0 + noise - below).max(noise * 0.5).sqrt());
        rows.push(row);
    }
    rows
}

/// `x` of `factor x = values`.
fn solve(factor: &[Vec<f64>], values: &[f64]) -> Vec<f64> {
    let mut solved: Vec<f64> = Vec::with_capacity(values.len());
    for (at, (row, value)) in factor.iter().zip(values).enumerate() {
        let below: f64 = row.iter().zip(&solved).map(|(a, x)| a * x).sum();
        solved.push((value - below) / row[at]);
    }
    solved
}

/// `x` of `factorᵀ x = values`.
fn solve_transposed(factor: &[Vec<f64>], mut values: Vec<f64>) -> Vec<f64> {
    for at in (0..values.len()).rev() {
        values[at] /= factor[at][at];
        let solved = values[at];
        for (value, part) in values[..at].iter_mut().zip(&factor[at]) {
            *value -= part * solved;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_goes_through_what_it_has_seen_and_is_unsure_elsewhere() {
        let points: Vec<Vec<f64>> = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6].map(|x| vec![x]).to_vec();
        // A line, of mean 0 and variance 1.
        let scores = [-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5];
        let seen: Vec<&[f64]> = points.iter().map(Vec::as_slice).collect();
        let process = Process::fit(&seen, &scores);
        for (point, score) in points.iter().zip(scores) {
            let (mean, deviation) = process.predict(point);
            assert!(
                (mean - score).abs() < 0.1 && deviation < 0.2,
                "{mean} {deviation}"
            );
        }
        let (near, far) = (process.predict(&[0.55]), process.predict(&[1.0]));
        assert!(near.1 < far.1, "{near:?} {far:?}");
        // Beyond the best, where scores rise, more is expected than behind the worst.
        assert!(process.expected_improvement(&[0.7]) > process.expected_improvement(&[0.1]));
    }

    #[test]
    fn a_factor_solves_what_it_was_made_of() {
        let points = [[0.1, 0.9], [0.4, 0.2], [0.8, 0.7]];
        let seen: Vec<&[f64]> = points.iter().map(<[f64; 2]>::as_slice).collect();
        let (length, noise) = (0.5, 0.01);
        let factor = factor(&seen, length, noise);
        let weights = solve_transposed(&factor, solve(&factor, &[1.0, -2.0, 0.5]));
        for (i, expected) in [1.0, -2.0, 0.5].into_iter().enumerate() {
            let sum: f64 = (0..3)
                .map(|j| {
                    let own = if i == j { noise } else { 0.0 };
                    (covariance(distance(seen[i], seen[j]) / length) + own) * weights[j]
                })
                .sum();
            assert!((sum - expected).abs() < 1e-12, "{sum} for {expected}");
        }
    }
}
