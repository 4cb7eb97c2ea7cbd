//! Which of two figures is the better one: what a metric says of itself, followed through what is computed from it.

use super::late::{Late, Operation, Term};
use super::machine::Machine;
use super::value::LateId;
use crate::hir::BinaryOp;
use crate::spec::{Builder, Datum, InputSource, LateValue};

/// Formulas in formulas that are followed.
const DEEPEST: u32 = 8;

/// Whether the higher figures are the better ones, and the metric that says so.
type Better = (bool, String);

/// Whether the higher figures of a metric are the better ones; none where its figures have no order. The protocol's
/// `Metric::direction` says the same of what a build measured.
pub(super) fn of_metric(metric: &Datum) -> Option<bool> {
    let Datum::Variant(kind, fields) = metric else {
        return None;
    };
    match kind.as_str() {
        "accuracy" | "precision" | "recall" | "f1" | "roc_auc" | "average_precision" | "r2" => Some(true),
        "loss" | "calibration_error" | "mae" | "rmse" => Some(false),
        _ => match fields.get("direction") {
            Some(Datum::Str(direction)) => Some(direction == "maximize"),
            _ => None,
        },
    }
}

impl Machine<'_> {
    /// Whether the higher values of a late value are the better ones, and the metric that says so; none where nothing does.
    pub(super) fn higher_is_better(&self, id: LateId) -> Option<Better> {
        self.of_late(id, DEEPEST)
    }

    fn of_late(&self, id: LateId, depth: u32) -> Option<Better> {
        let depth = depth.checked_sub(1)?;
        match self.artifacts.late(id) {
            Late::At(value) => self.of_value(value),
            Late::Formula(formula) => self.of_operation(&formula.operation, depth),
        }
    }

    fn of_value(&self, value: &LateValue) -> Option<Better> {
        let (spec, output) = match &value.source {
            InputSource::Output { spec, output } => (self.specs.get(*spec), output),
            InputSource::Chosen { candidates, .. } => {
                return self.of_value(&LateValue {
                    source: candidates.first()?.clone(),
                    path: value.path.clone(),
                });
            }
            InputSource::Source(_) | InputSource::Glob(_) => return None,
        };
        let (Builder::Builtin(_), Datum::Map(args), [name]) =
            (&spec.builder, &spec.args, value.path.as_slice())
        else {
            return None;
        };
        let higher = match (args.get("metrics"), output.as_str(), name.as_str()) {
            (_, "val", "loss") => false,
            (Some(Datum::Map(metrics)), ..) => of_metric(metrics.get(name)?)?,
            _ => return None,
        };
        Some((higher, name.clone()))
    }

    fn of_operation(&self, operation: &Operation, depth: u32) -> Option<Better> {
        match operation {
            Operation::Same(term) | Operation::Unary("sqrt" | "exp" | "log", term) => {
                self.of_term(term, depth)
            }
            Operation::Unary("neg", term) => self.of_term(term, depth).map(turned),
            Operation::Statistic("mean" | "sum" | "min" | "max", terms) => {
                self.of_term(terms.first()?, depth)
            }
            Operation::Binary(BinaryOp::Add | BinaryOp::Sub, left, Term::Known(_)) => {
                self.of_term(left, depth)
            }
            Operation::Binary(BinaryOp::Add, Term::Known(_), right) => self.of_term(right, depth),
            Operation::Binary(BinaryOp::Sub, Term::Known(_), right) => self.of_term(right, depth).map(turned),
            Operation::Binary(BinaryOp::Mul | BinaryOp::Div, left, Term::Known(factor)) => self
                .of_term(left, depth)
                .and_then(|better| scaled(better, factor)),
            Operation::Binary(BinaryOp::Mul, Term::Known(factor), right) => self
                .of_term(right, depth)
                .and_then(|better| scaled(better, factor)),
            _ => None,
        }
    }

    fn of_term(&self, term: &Term, depth: u32) -> Option<Better> {
        match term {
            Term::Late(id) => self.of_late(*id, depth),
            Term::Of(operation) => self.of_operation(operation, depth.checked_sub(1)?),
            Term::Known(_) => None,
        }
    }
}

fn turned((higher, metric): Better) -> Better {
    (!higher, metric)
}

/// The same after it was multiplied.
fn scaled(better: Better, factor: &Datum) -> Option<Better> {
    let factor = match factor {
        Datum::Int(factor) => *factor as f64,
        Datum::Float(factor) => *factor,
        _ => return None,
    };
    match factor.partial_cmp(&0.0)? {
        std::cmp::Ordering::Greater => Some(better),
        std::cmp::Ordering::Less => Some(turned(better)),
        std::cmp::Ordering::Equal => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Fields;
    use mlp_protocol::train::{Direction, Metric};
    use serde_json::json;

    #[test]
    fn the_language_and_the_protocol_agree_on_every_metric() {
        let average = json!({ "kind": "Macro" });
        let metrics = [
            json!({ "kind": "accuracy", "top_k": 1 }),
            json!({ "kind": "loss", "loss": { "kind": "mse" } }),
            json!({ "kind": "confusion_matrix" }),
            json!({ "kind": "precision", "average": average, "threshold": 0.5 }),
            json!({ "kind": "recall", "average": average, "threshold": 0.5 }),
            json!({ "kind": "f1", "average": average, "threshold": 0.5 }),
            json!({ "kind": "roc_auc", "average": average }),
            json!({ "kind": "average_precision", "average": average }),
            json!({ "kind": "calibration_error", "bins": 15 }),
            json!({ "kind": "mae" }),
            json!({ "kind": "rmse" }),
            json!({ "kind": "r2" }),
        ];
        for metric in metrics {
            let kind = metric["kind"].as_str().unwrap().to_owned();
            let known: Metric = serde_json::from_value(metric).unwrap();
            let own = of_metric(&Datum::Variant(kind.as_str().into(), Fields::new()));
            let theirs = known
                .direction()
                .map(|direction| direction == Direction::Maximize);
            assert_eq!(own, theirs, "{kind}");
        }
    }
}
