//! Metrics: tallied batch by batch, summed in the order of batches, with the arithmetic of this file, not of a kernel.

mod classes;
mod ranking;
mod rows;

use crate::error::Outcome;
use crate::graph;
use crate::loss::LossFunction;
use mlp_protocol::train::{Loss, Metric};
use rows::{Rows, of_each_class};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tch::Tensor;

/// The metrics of a split by name.
pub(crate) type Metrics = BTreeMap<String, Value>;

/// What is counted of each batch.
pub(crate) struct Scorer {
    metrics: Vec<(String, Kind)>,
}

enum Kind {
    Accuracy(usize),
    ConfusionMatrix,
    Loss(LossFunction),
    /// The mean absolute error.
    Mae,
    /// The root of the mean squared error.
    Rmse,
    /// A figure that no sums over batches give: computed of all examples at the end.
    Whole(Metric),
}

/// The counts of some batches, one a metric.
pub(crate) struct Tally(Vec<Count>);

enum Count {
    Mean {
        sum: f64,
        mass: f64,
    },
    /// Row by row.
    Matrix {
        width: usize,
        cells: Vec<u64>,
    },
    /// Outputs and targets, batch by batch.
    Kept(Vec<(Tensor, Tensor)>),
}

impl Scorer {
    /// The scorer of `metrics`, and of `loss` under that name where there is one.
    pub(crate) fn new(metrics: &BTreeMap<String, Metric>, loss: Option<&Loss>) -> Scorer {
        let named = metrics.iter().map(|(name, metric)| {
            let kind = match metric {
                Metric::Accuracy { top_k } => Kind::Accuracy(*top_k as usize),
                Metric::ConfusionMatrix => Kind::ConfusionMatrix,
                Metric::Loss { loss } => Kind::Loss(LossFunction::new(loss)),
                Metric::Mae => Kind::Mae,
                Metric::Rmse => Kind::Rmse,
                metric => Kind::Whole(metric.clone()),
            };
            (name.clone(), kind)
        });
        let loss = loss.map(|loss| ("loss".to_string(), Kind::Loss(LossFunction::new(loss))));
        Scorer {
            metrics: named.chain(loss).collect(),
        }
    }

    /// The counts of a batch: outputs [n, k] against targets.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn tally(&self, output: &Tensor, y: &Tensor) -> Outcome<Tally> {
        let of_classes = of_each_class(output, y)?;
        let batch = Batch {
            width: of_classes.size().get(1).map_or(1, |width| *width as usize),
            values: Vec::try_from(of_classes.f_contiguous()?.f_view(-1)?)?,
            output,
            y,
        };
        let counts = self.metrics.iter().map(|(_, kind)| kind.count(&batch));
        Ok(Tally(counts.collect::<Outcome<_>>()?))
    }

    /// The metrics of all batches.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn finish(&self, tallies: impl IntoIterator<Item = Tally>) -> Outcome<Metrics> {
        let mut tallies = tallies.into_iter();
        let mut total = tallies.next().map_or_else(Vec::new, |first| first.0);
        for tally in tallies {
            total
                .iter_mut()
                .zip(tally.0)
                .for_each(|(total, next)| total.add(next));
        }
        let value = |((name, kind), count): (&(String, Kind), Count)| Ok((name.clone(), count.value(kind)?));
        self.metrics.iter().zip(total).map(value).collect()
    }
}

/// What is counted.
struct Batch<'a> {
    /// The network's output, as losses and traced functions take it.
    output: &'a Tensor,
    y: &'a Tensor,
    /// Numbers of an example: one for each class, tag or target.
    width: usize,
    /// They, row by row.
    values: Vec<f32>,
}

impl Kind {
    fn count(&self, batch: &Batch<'_>) -> Outcome<Count> {
        let Batch { output, y, width, .. } = *batch;
        let values = &batch.values;
        let rows = || values.chunks_exact(width.max(1));
        Ok(match self {
            Kind::Whole(_) => Count::Kept(vec![(output.shallow_clone(), y.shallow_clone())]),
            Kind::Accuracy(_) if y.f_kind()? != tch::Kind::Int64 => {
                let tags = Vec::<f32>::try_from(y.f_contiguous()?.f_view(-1)?)?;
                // A probability of 0.5 is a logit of 0; of NaN nothing is right.
                let right =
                    |(value, tag): &(&f32, &f32)| !value.is_nan() && (**value >= 0.0) == (**tag > 0.5);
                Count::Mean {
                    sum: values.iter().zip(&tags).filter(right).count() as f64,
                    mass: tags.len() as f64,
                }
            }
            Kind::Loss(loss) => Count::Mean {
                sum: loss.sum(output, y)?.f_double_value(&[])?,
                mass: loss.mass(y)?,
            },
            Kind::Accuracy(top_k) => {
                let classes = Vec::<i64>::try_from(y)?;
                let right = rows()
                    .zip(&classes)
                    .filter(|(row, class)| rank(row, **class as usize) < *top_k)
                    .count();
                Count::Mean {
                    sum: right as f64,
                    mass: classes.len() as f64,
                }
            }
            Kind::ConfusionMatrix => {
                let mut cells = vec![0; width * width];
                for (row, class) in rows().zip(Vec::<i64>::try_from(y)?) {
                    cells[class as usize * width + likeliest(row)] += 1;
                }
                Count::Matrix { width, cells }
            }
            Kind::Mae | Kind::Rmse => {
                let targets = Vec::<f32>::try_from(y.f_contiguous()?.f_view(-1)?)?;
                let differences = values
                    .iter()
                    .zip(&targets)
                    .map(|(value, target)| f64::from(*value) - f64::from(*target));
                let sum = match self {
                    Kind::Mae => differences.fold(0.0, |sum, difference| sum + difference.abs()),
                    _ => differences.fold(0.0, |sum, difference| sum + difference * difference),
                };
                Count::Mean {
                    sum,
                    mass: targets.len() as f64,
                }
            }
        })
    }
}

impl Count {
    fn add(&mut self, other: Count) {
        match (self, other) {
            (
                Count::Mean { sum, mass },
                Count::Mean {
                    sum: more,
                    mass: heavier,
                },
            ) => {
                *sum += more;
                *mass += heavier;
            }
            (Count::Matrix { cells, .. }, Count::Matrix { cells: more, .. }) => {
                cells.iter_mut().zip(more).for_each(|(cell, more)| *cell += more);
            }
            (Count::Kept(batches), Count::Kept(more)) => batches.extend(more),
            // One scorer's counts are of one kind each.
            _ => {}
        }
    }

    /// JSON has no NaN: what is not finite becomes null.
    fn value(self, kind: &Kind) -> Outcome<Value> {
        Ok(match (self, kind) {
            (Count::Mean { sum, mass }, Kind::Rmse) => json!((sum / mass).sqrt()),
            (Count::Mean { sum, mass }, _) => json!(sum / mass),
            (Count::Matrix { width, cells }, _) => cells.chunks(width.max(1)).collect(),
            (Count::Kept(batches), Kind::Whole(metric)) => {
                let (outputs, targets): (Vec<_>, Vec<_>) = batches.into_iter().unzip();
                let (output, y) = (Tensor::f_cat(&outputs, 0)?, Tensor::f_cat(&targets, 0)?);
                json!(whole(metric, &output, &y)?)
            }
            (Count::Kept(_), _) => Value::Null,
        })
    }
}

/// A figure of all examples; NaN where it is not defined, or the network gave NaN.
fn whole(metric: &Metric, output: &Tensor, y: &Tensor) -> Outcome<f64> {
    if let Metric::Custom { graph, .. } = metric {
        return Ok(graph::run(graph, &[output, y])?.f_double_value(&[])?);
    }
    let rows = &Rows::new(metric, &of_each_class(output, y)?, y)?;
    if rows.values.iter().any(|value| value.is_nan()) {
        return Ok(f64::NAN);
    }
    Ok(match metric {
        Metric::Precision { average, threshold } => classes::precision(rows, *average, *threshold),
        Metric::Recall { average, threshold } => classes::recall(rows, *average, *threshold),
        Metric::F1 { average, threshold } => classes::f1(rows, *average, *threshold),
        Metric::RocAuc { average } => ranking::averaged(rows, *average, ranking::roc_auc),
        Metric::AveragePrecision { average } => ranking::averaged(rows, *average, ranking::average_precision),
        Metric::CalibrationError { bins } => classes::calibration_error(rows, *bins as usize),
        Metric::R2 => r2(rows),
        _ => f64::NAN,
    })
}

/// The coefficient of determination: the mean over the outputs, as scikit-learn's `r2_score`.
fn r2(rows: &Rows) -> f64 {
    let width = rows.width.max(1);
    let numbers = rows.numbers();
    let count = (numbers.len() / width).max(1) as f64;
    let of = |column: usize| {
        let targets = || numbers.iter().skip(column).step_by(width);
        let outputs = rows.values.iter().skip(column).step_by(width);
        let mean = targets().sum::<f64>() / count;
        let residual: f64 = targets().zip(outputs).map(|(y, out)| (y - out) * (y - out)).sum();
        let total: f64 = targets().map(|y| (y - mean) * (y - mean)).sum();
        1.0 - residual / total
    };
    (0..width).map(of).sum::<f64>() / width as f64
}

/// How many classes are likelier than `class`: NaN is likelier than any number, and a lower index than an equal higher.
fn rank(row: &[f32], class: usize) -> usize {
    let own = row[class];
    if own.is_nan() {
        // Nothing was predicted: never right.
        return row.len();
    }
    let ahead = |(index, value): &(usize, &f32)| {
        value.is_nan() || **value > own || (**value == own && *index < class)
    };
    row.iter().enumerate().filter(ahead).count()
}

/// The likeliest class, the first of equals.
fn likeliest(row: &[f32]) -> usize {
    let better = |value: f32, best: f32| (value.is_nan() && !best.is_nan()) || value > best;
    (1..row.len()).fold(0, |best, index| {
        if better(row[index], row[best]) {
            index
        } else {
            best
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlp_protocol::train::Average;

    fn scores(metric: Metric, output: &Tensor, y: &Tensor) -> Value {
        let scorer = Scorer::new(&BTreeMap::from([("m".to_string(), metric)]), None);
        // Two batches, so that sums are crossed.
        let half = output.size()[0] / 2;
        let rest = output.size()[0] - half;
        let tally = |start, length| {
            scorer
                .tally(&output.narrow(0, start, length), &y.narrow(0, start, length))
                .unwrap()
        };
        scorer
            .finish([tally(0, half), tally(half, rest)])
            .unwrap()
            .remove("m")
            .unwrap()
    }

    #[test]
    fn classification() {
        let output =
            Tensor::from_slice(&[3.0_f32, 1.0, 2.0, 0.0, 0.0, -1.0, 1.0, f32::NAN, 0.0]).view([3, 3]);
        let y = Tensor::from_slice(&[0_i64, 1, 0]);
        assert_eq!(
            scores(Metric::Accuracy { top_k: 1 }, &output, &y),
            json!(1.0 / 3.0)
        );
        assert_eq!(scores(Metric::Accuracy { top_k: 2 }, &output, &y), json!(1.0));
        assert_eq!(
            scores(Metric::ConfusionMatrix, &output, &y),
            json!([[1, 1, 0], [1, 0, 0], [0, 0, 0]])
        );
    }

    /// Four examples of two classes, as logits whose softmax is exact enough: 0.9, 0.6, 0.4, 0.2 for class 1.
    fn two_classes() -> (Tensor, Tensor) {
        let logit = |p: f32| [0.0, (p / (1.0 - p)).ln()];
        let logits: Vec<f32> = [0.9, 0.6, 0.4, 0.2].into_iter().flat_map(logit).collect();
        (
            Tensor::from_slice(&logits).view([4, 2]),
            Tensor::from_slice(&[1_i64, 0, 1, 0]),
        )
    }

    #[track_caller]
    fn assert_near(found: &Value, expected: f64) {
        let found = found.as_f64().unwrap();
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }

    // Expected figures are scikit-learn's on the same numbers.
    #[test]
    fn figures_of_all_examples() {
        let (output, y) = two_classes();
        let of = |metric| scores(metric, &output, &y);
        let (average, threshold) = (Average::Binary, 0.5);
        assert_near(&of(Metric::Precision { average, threshold }), 0.5);
        assert_near(&of(Metric::Recall { average, threshold }), 0.5);
        assert_near(&of(Metric::F1 { average, threshold }), 0.5);
        let threshold = 0.3;
        assert_near(&of(Metric::Precision { average, threshold }), 2.0 / 3.0);
        assert_near(&of(Metric::Recall { average, threshold }), 1.0);
        assert_near(&of(Metric::F1 { average, threshold }), 0.8);
        assert_near(&of(Metric::RocAuc { average }), 0.75);
        assert_near(&of(Metric::AveragePrecision { average }), 5.0 / 6.0);
        let average = Average::Macro;
        assert_near(&of(Metric::F1 { average, threshold }), (0.8 + 2.0 / 3.0) / 2.0);
        assert_near(&of(Metric::RocAuc { average }), 0.75);
        // Confidences 0.9, 0.6, 0.6, 0.8 of which the first and the last are right.
        assert_near(&of(Metric::CalibrationError { bins: 5 }), (0.1 + 1.2 + 0.2) / 4.0);
    }

    /// A single output says how likely the second of two classes is: all figures are those of the two.
    #[test]
    fn one_output_for_two_classes() {
        let (two, y) = two_classes();
        let one = two.narrow(1, 1, 1) - two.narrow(1, 0, 1);
        let (average, threshold) = (Average::Binary, 0.3);
        for metric in [
            Metric::Accuracy { top_k: 1 },
            Metric::ConfusionMatrix,
            Metric::Precision { average, threshold },
            Metric::F1 { average, threshold },
            Metric::RocAuc { average },
            Metric::AveragePrecision {
                average: Average::Macro,
            },
            Metric::CalibrationError { bins: 5 },
        ] {
            assert_eq!(scores(metric.clone(), &one, &y), scores(metric, &two, &y));
        }
        let bce = Metric::Loss {
            loss: Loss::BceWithLogits { pos_weight: None },
        };
        let entropy = Metric::Loss {
            loss: Loss::CrossEntropy {
                weight: None,
                label_smoothing: 0.0,
            },
        };
        let entropy = scores(entropy, &two, &y).as_f64().unwrap();
        assert_near(&scores(bce, &one, &y), entropy);
    }

    /// Three examples of two tags, as logits: the first tag is held likely of the first two, rightly of one; the second of the
    /// first, wrongly.
    fn tags() -> (Tensor, Tensor) {
        let output = Tensor::from_slice(&[2.0_f32, 0.5, 1.0, -1.0, -3.0, -0.5]).view([3, 2]);
        let y = Tensor::from_slice(&[1.0_f32, 0.0, 0.0, 0.0, 1.0, 1.0]).view([3, 2]);
        (output, y)
    }

    // Expected figures are scikit-learn's on the same numbers, accuracy torchmetrics'.
    #[test]
    fn figures_of_tags() {
        let (output, y) = tags();
        let of = |metric| scores(metric, &output, &y);
        // Of the first tag TP 1, FP 1, FN 1; of the second TP 0, FP 1, FN 1.
        let threshold = 0.5;
        let figures = |average| {
            [
                of(Metric::Precision { average, threshold }),
                of(Metric::Recall { average, threshold }),
                of(Metric::F1 { average, threshold }),
                of(Metric::RocAuc { average }),
                of(Metric::AveragePrecision { average }),
            ]
        };
        let near = |found: [Value; 5], expected: [f64; 5]| {
            found
                .iter()
                .zip(expected)
                .for_each(|(found, expected)| assert_near(found, expected));
        };
        // The first tag ranks 1, 0, 1; the second 0, 1, 0.
        near(
            figures(Average::Macro),
            [0.25, 0.25, 0.25, 0.5, (5.0 / 6.0 + 0.5) / 2.0],
        );
        near(
            figures(Average::Weighted),
            [
                1.0 / 3.0,
                1.0 / 3.0,
                1.0 / 3.0,
                0.5,
                (2.0 * 5.0 / 6.0 + 0.5) / 3.0,
            ],
        );
        // All in one line: 1, 0, 0, 1, 0, 1.
        near(
            figures(Average::Micro),
            [
                1.0 / 3.0,
                1.0 / 3.0,
                1.0 / 3.0,
                4.0 / 9.0,
                (1.0 + 0.5 + 0.5) / 3.0,
            ],
        );
        assert_near(&of(Metric::Accuracy { top_k: 1 }), 2.0 / 6.0);
        // From a probability of 0.2 on: the first tag of the first two, the second of all.
        let (average, threshold) = (Average::Micro, 0.2);
        assert_near(&of(Metric::Precision { average, threshold }), 0.4);
        assert_near(&of(Metric::Recall { average, threshold }), 2.0 / 3.0);
        let nan = Tensor::from_slice(&[f32::NAN, 0.5, 1.0, -1.0, -3.0, -0.5]).view([3, 2]);
        assert_eq!(scores(Metric::F1 { average, threshold }, &nan, &y), Value::Null);
        assert_near(&scores(Metric::Accuracy { top_k: 1 }, &nan, &y), 1.0 / 6.0);
    }

    #[test]
    fn regression() {
        let output = Tensor::from_slice(&[1.0_f32, 2.0, 5.0]).view([3, 1]);
        let y = Tensor::from_slice(&[1.0_f32, 4.0, 1.0]).view([3, 1]);
        assert_eq!(scores(Metric::Mae, &output, &y), json!(2.0));
        assert_eq!(scores(Metric::Rmse, &output, &y), json!((20.0_f64 / 3.0).sqrt()));
        assert_eq!(scores(Metric::Loss { loss: Loss::L1 }, &output, &y), json!(2.0));
        assert_eq!(scores(Metric::R2, &output, &y), json!(1.0 - 20.0 / 6.0));
        let nan = Tensor::from_slice(&[f32::NAN, 2.0, 5.0]).view([3, 1]);
        assert_eq!(scores(Metric::Mae, &nan, &y), Value::Null);
    }
}
