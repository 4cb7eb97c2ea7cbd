//! Figures of predicted classes and tags, after scikit-learn's definitions; a figure without examples is 0.

use super::rows::{Rows, Targets};
use mlp_protocol::train::Average;

/// How often a class was rightly, wrongly, and not predicted.
#[derive(Clone, Copy, Default)]
struct Counts {
    right: f64,
    wrong: f64,
    missed: f64,
}

impl Counts {
    fn precision(self) -> f64 {
        share(self.right, self.right + self.wrong)
    }

    fn recall(self) -> f64 {
        share(self.right, self.right + self.missed)
    }

    fn f1(self) -> f64 {
        share(2.0 * self.right, 2.0 * self.right + self.wrong + self.missed)
    }
}

fn share(part: f64, of: f64) -> f64 {
    if of > 0.0 { part / of } else { 0.0 }
}

/// TP / (TP + FP).
pub(super) fn precision(rows: &Rows, average: Average, threshold: f64) -> f64 {
    averaged(rows, average, threshold, Counts::precision)
}

/// TP / (TP + FN).
pub(super) fn recall(rows: &Rows, average: Average, threshold: f64) -> f64 {
    averaged(rows, average, threshold, Counts::recall)
}

/// 2 TP / (2 TP + FP + FN).
pub(super) fn f1(rows: &Rows, average: Average, threshold: f64) -> f64 {
    averaged(rows, average, threshold, Counts::f1)
}

fn averaged(rows: &Rows, average: Average, threshold: f64, figure: fn(Counts) -> f64) -> f64 {
    let counts = counts(rows, threshold);
    match average {
        Average::Binary => counts.get(1).copied().map_or(f64::NAN, figure),
        Average::Macro => counts.iter().copied().map(figure).sum::<f64>() / counts.len() as f64,
        Average::Weighted => {
            let weighted = counts
                .iter()
                .map(|count| figure(*count) * (count.right + count.missed));
            let examples = counts.iter().map(|count| count.right + count.missed);
            share(weighted.sum(), examples.sum())
        }
        Average::Micro => figure(counts.iter().fold(Counts::default(), |sum, count| Counts {
            right: sum.right + count.right,
            wrong: sum.wrong + count.wrong,
            missed: sum.missed + count.missed,
        })),
    }
}

/// The counts of each class or tag. A tag, and the second of two classes, is predicted from `threshold` on; of more classes
/// the likeliest is.
fn counts(rows: &Rows, threshold: f64) -> Vec<Counts> {
    let mut counts = vec![Counts::default(); rows.width];
    if let Targets::Each(tags) = &rows.targets {
        for (row, tags) in rows.iter().zip(tags.chunks_exact(rows.width.max(1))) {
            for ((count, probability), tag) in counts.iter_mut().zip(row).zip(tags) {
                match (*probability >= threshold, *tag > 0.5) {
                    (true, true) => count.right += 1.0,
                    (true, false) => count.wrong += 1.0,
                    (false, true) => count.missed += 1.0,
                    (false, false) => {}
                }
            }
        }
        return counts;
    }
    for (row, class) in rows.iter().zip(rows.classes()) {
        let predicted = match row {
            [_, second] => usize::from(*second >= threshold),
            row => likeliest(row).0,
        };
        if predicted == class {
            counts[class].right += 1.0;
        } else {
            counts[predicted].wrong += 1.0;
            counts[class].missed += 1.0;
        }
    }
    counts
}

/// The likeliest class, the first of equals, and its probability.
fn likeliest(row: &[f64]) -> (usize, f64) {
    let first = (0, f64::NEG_INFINITY);
    row.iter()
        .copied()
        .enumerate()
        .fold(first, |best, next| if next.1 > best.1 { next } else { best })
}

/// The expected calibration error (Naeini et al., 2015): over `bins` equal ranges of confidence, how far confidence is from
/// accuracy, weighted by their examples.
pub(super) fn calibration_error(rows: &Rows, bins: usize) -> f64 {
    let mut sums = vec![0.0; bins];
    for (row, class) in rows.iter().zip(rows.classes()) {
        let (predicted, confidence) = likeliest(row);
        let bin = ((confidence * bins as f64).ceil() as usize).clamp(1, bins) - 1;
        sums[bin] += f64::from(u8::from(predicted == class)) - confidence;
    }
    share(
        sums.iter().map(|sum| sum.abs()).sum(),
        rows.classes().count() as f64,
    )
}
