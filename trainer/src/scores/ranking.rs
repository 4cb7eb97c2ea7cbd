//! Figures of how examples are ranked by the probability of a class or tag, after scikit-learn's definitions.

use super::rows::Rows;
use mlp_protocol::train::Average;

/// The probability of a class, and whether the example is of it.
type Ranked = Vec<(f64, bool)>;

/// A figure of each class against the others, put together by `average`. A class for which the figure is not defined is
/// left out; NaN where it is defined for none.
pub(super) fn averaged(rows: &Rows, average: Average, figure: fn(Ranked) -> Option<f64>) -> f64 {
    let of = |class: usize| -> Ranked {
        let probabilities = rows.iter().map(|row| row[class]).enumerate();
        probabilities
            .map(|(example, probability)| (probability, rows.is_of(example, class)))
            .collect()
    };
    let (mut sum, mut mass) = (0.0, 0.0);
    let mut add = |ranked: Ranked, weight: f64| {
        if let Some(value) = figure(ranked) {
            sum += weight * value;
            mass += weight;
        }
    };
    match average {
        Average::Binary => add(of(1), 1.0),
        Average::Micro => add((0..rows.width).flat_map(of).collect(), 1.0),
        Average::Macro => (0..rows.width).for_each(|class| add(of(class), 1.0)),
        Average::Weighted => (0..rows.width).for_each(|class| {
            let ranked = of(class);
            let weight = positives(&ranked);
            add(ranked, weight);
        }),
    }
    sum / mass
}

fn positives(ranked: &Ranked) -> f64 {
    ranked.iter().filter(|(_, own)| *own).count() as f64
}

/// The area under the receiver operating characteristic: the sum of the positives' ranks (Mann and Whitney), ties by
/// half. None without both kinds of example.
pub(super) fn roc_auc(mut ranked: Ranked) -> Option<f64> {
    let own = positives(&ranked);
    let others = ranked.len() as f64 - own;
    if own == 0.0 || others == 0.0 {
        return None;
    }
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut area) = (0.0, 0.0);
    for ties in ranked.chunk_by(|a, b| a.0 == b.0) {
        let right = ties.iter().filter(|(_, own)| *own).count() as f64;
        let wrong = ties.len() as f64 - right;
        area += right * (below + wrong / 2.0);
        below += wrong;
    }
    Some(area / (own * others))
}

/// The sum of precisions at each distinct threshold, weighted by the growth of recall. None without positives.
pub(super) fn average_precision(mut ranked: Ranked) -> Option<f64> {
    let own = positives(&ranked);
    if own == 0.0 {
        return None;
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut seen, mut sum) = (0.0, 0.0, 0.0);
    for ties in ranked.chunk_by(|a, b| a.0 == b.0) {
        let more = ties.iter().filter(|(_, own)| *own).count() as f64;
        right += more;
        seen += ties.len() as f64;
        sum += more / own * (right / seen);
    }
    Some(sum)
}
