//! The figures of a training, epoch by epoch, and what is decided on them: the best epoch, and when to stop.
//!
//! Both are functions of one figure of the validation alone, outside the chain of states.

use crate::scores::Metrics;
use mlp_protocol::train::EarlyStopping;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What training itself gave in an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainRow {
    /// From 1.
    pub(crate) epoch: u32,
    /// The learning rate.
    pub(crate) lr: f64,
    /// Figures of the training set.
    pub(crate) train: TrainFigures,
}

/// Figures of the training set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainFigures {
    /// The mean loss of the epoch's batches, each by its examples, before their steps.
    pub(crate) loss: f64,
}

/// An epoch of the `history` output.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    pub(crate) row: TrainRow,
    /// Metrics of the validation set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) val: Option<Metrics>,
}

/// The validation loss of an epoch; NaN where it is not finite, as JSON has it.
pub(crate) fn val_loss(val: &Metrics) -> f64 {
    val.get("loss").and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// What is watched of an epoch's validation, so that less is better; NaN where it is not finite.
pub(crate) fn cost(val: &Metrics, rule: Option<&EarlyStopping>) -> f64 {
    let figure = |name: &str| val.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
    match rule {
        Some(EarlyStopping { max: Some(name), .. }) => -figure(name),
        Some(EarlyStopping { min: Some(name), .. }) => figure(name),
        _ => val_loss(val),
    }
}

/// The epoch with the lowest cost: the first of equals, NaN behind every number.
#[derive(Debug, Default)]
pub(crate) struct Best {
    found: Option<(u32, f64)>,
}

impl Best {
    /// Takes an epoch; whether it is the best so far.
    pub(crate) fn observe(&mut self, epoch: u32, cost: f64) -> bool {
        let better = match self.found {
            None => true,
            Some((_, best)) => cost < best || (best.is_nan() && !cost.is_nan()),
        };
        if better {
            self.found = Some((epoch, cost));
        }
        better
    }

    /// The best epoch.
    pub(crate) fn epoch(&self) -> Option<u32> {
        self.found.map(|(epoch, _)| epoch)
    }
}

/// When to stop, as PyTorch Lightning's `EarlyStopping` does.
#[derive(Debug)]
pub(crate) struct Patience<'a> {
    rule: Option<&'a EarlyStopping>,
    best: f64,
    waited: u32,
}

impl<'a> Patience<'a> {
    /// The patience of `rule`; without it there is no end to it.
    pub(crate) fn new(rule: Option<&'a EarlyStopping>) -> Patience<'a> {
        Patience {
            rule,
            best: f64::INFINITY,
            waited: 0,
        }
    }

    /// Takes an epoch's cost; whether to stop after it.
    pub(crate) fn observe(&mut self, cost: f64) -> bool {
        let Some(rule) = self.rule else { return false };
        if cost < self.best - rule.min_delta {
            self.best = cost;
            self.waited = 0;
            return false;
        }
        self.waited += 1;
        self.waited >= rule.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(losses: &[f64]) -> Option<u32> {
        let mut best = Best::default();
        for (epoch, loss) in (1..).zip(losses) {
            best.observe(epoch, *loss);
        }
        best.epoch()
    }

    #[test]
    fn the_first_of_the_lowest_is_best() {
        assert_eq!(best(&[]), None);
        assert_eq!(best(&[2.0, 1.0, 1.0, 3.0]), Some(2));
        assert_eq!(best(&[f64::NAN, 2.0, f64::NAN]), Some(2));
        assert_eq!(best(&[f64::NAN, f64::NAN]), Some(1));
    }

    #[test]
    fn what_is_watched_is_lower_where_it_is_better() {
        let rule = |min: Option<&str>, max: Option<&str>| EarlyStopping {
            patience: 1,
            min_delta: 0.0,
            min: min.map(str::to_owned),
            max: max.map(str::to_owned),
        };
        let val = serde_json::json!({ "loss": 0.5, "accuracy": 0.75, "mae": null });
        let val: Metrics = serde_json::from_value(val).unwrap();
        assert_eq!(cost(&val, None), 0.5);
        assert_eq!(cost(&val, Some(&rule(None, None))), 0.5);
        assert_eq!(cost(&val, Some(&rule(None, Some("accuracy")))), -0.75);
        assert!(cost(&val, Some(&rule(Some("mae"), None))).is_nan());
    }

    #[test]
    fn patience_ends_after_epochs_without_improvement() {
        let rule = EarlyStopping {
            patience: 2,
            min_delta: 0.1,
            min: None,
            max: None,
        };
        let stop = |losses: &[f64]| {
            let mut patience = Patience::new(Some(&rule));
            losses.iter().position(|loss| patience.observe(*loss))
        };
        assert_eq!(stop(&[1.0, 0.95, 0.91, 0.5]), Some(2));
        assert_eq!(stop(&[1.0, 0.95, 0.8, 0.75, 0.6]), None);
        assert_eq!(stop(&[1.0, f64::NAN, f64::NAN]), Some(2));
        assert!(!Patience::new(None).observe(f64::NAN));
    }
}
