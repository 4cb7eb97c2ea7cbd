//! A training as a chain of states: what each epoch's state depends on.
//!
//! [`plan_chain`] computes the schedule once; the bytes that it gives are hashed by `mlp`, and the values in them are
//! those that the trainer uses, so that the two cannot come apart. Early stopping and the choice of the best epoch are no
//! part of it, and validation is none unless a plateau moves the learning rate by it.

use crate::augment::Augment;
use crate::optim::{Group, Optimizer};
use crate::schedule::{OneCycle, Plateau, Schedule, learning_rate};
use crate::train::TrainArgs;
use serde::Serialize;
use serde_json::{Value, json};

/// What the chain of a training hashes.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainPlan {
    /// Canonical bytes of what the state before the first epoch depends on, besides the nodes of the inputs `on` and
    /// `init`, the device class, the numerics and the builtin's version, which `mlp` adds.
    pub base: Vec<u8>,
    /// Whether the validation acts on the training: then the node of the input `val` is hashed, too.
    pub validated: bool,
    /// What acts in each epoch, from the first.
    pub epochs: Vec<EpochPlan>,
}

/// What acts in one epoch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EpochPlan {
    /// The learning rate; [`EpochPlan::at`] says what it is multiplied by at each train step.
    pub lr: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Momentum, or Adam's betas.
    pub momentum: Vec<f64>,
    /// Clipping of the gradient's norm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_grad_norm: Option<f64>,
    /// Random changes of the examples.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub augment: Vec<Augment>,
    /// Where the epoch stands in a one-cycle schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_cycle: Option<OneCycle>,
    /// The rule that multiplies the rate by what the validation losses before came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plateau: Option<Plateau>,
    /// What the parameters of some layers have for themselves; the first that names a layer holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupPlan>,
    /// Patterns of the layers that are not trained.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<String>,
    /// The decay of the weights' running mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
}

/// What acts in one epoch on the parameters of some layers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupPlan {
    /// The pattern of the layers.
    pub layers: String,
    /// The learning rate.
    pub lr: f64,
    /// Weight decay.
    pub weight_decay: f64,
}

impl EpochPlan {
    /// The canonical bytes that are hashed into the epoch's key: JSON with sorted keys.
    pub fn bytes(&self) -> Vec<u8> {
        canonical(self)
    }
}

/// The figures of one train step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepPlan {
    /// What the rates of the epoch are multiplied by.
    pub scale: f64,
    /// Momentum, or Adam's betas.
    pub momentum: Vec<f64>,
}

impl EpochPlan {
    /// The figures of train step `step` (from 0) of an epoch of `steps`.
    pub fn at(&self, step: u64, steps: u64) -> StepPlan {
        let mut plan = StepPlan {
            scale: 1.0,
            momentum: self.momentum.clone(),
        };
        if let Some(cycle) = self.one_cycle {
            let (scale, momentum) = cycle.at(step, steps);
            plan.scale = scale;
            // An optimizer that was given no momentum keeps none.
            if let Some(first) = plan.momentum.first_mut().filter(|first| **first != 0.0) {
                *first = momentum;
            }
        }
        plan
    }
}

/// The chain of `args`: a pure function, shared by `mlp` (which hashes it) and the trainer (which follows it).
pub fn plan_chain(args: &TrainArgs) -> ChainPlan {
    let (kind, fixed) = match &args.optimizer {
        Optimizer::Sgd { nesterov, .. } => ("sgd", json!({ "nesterov": nesterov })),
        Optimizer::Adam { eps, .. } => ("adam", json!({ "eps": eps })),
        Optimizer::Adamw { eps, .. } => ("adamw", json!({ "eps": eps })),
        Optimizer::Rmsprop {
            alpha, eps, centered, ..
        } => (
            "rmsprop",
            json!({ "alpha": alpha, "eps": eps, "centered": centered }),
        ),
        Optimizer::Lion { .. } => ("lion", Value::Null),
    };
    let mut base = json!({
        "net": args.net,
        "loss": args.loss,
        "optimizer": kind,
        "optimizer_args": fixed,
        "batch_size": args.batch_size,
        "accumulate": args.accumulate,
        "seed": args.seed,
        "shards": args.shards,
        "precision": args.precision,
    });
    if let Some(init) = &args.init {
        base["init"] = json!(init);
    }
    if let Some(smoke) = args.smoke {
        base["smoke"] = json!(smoke);
    }
    let epochs = (1..=args.epochs).map(|epoch| plan_epoch(args, epoch)).collect();
    ChainPlan {
        base: canonical(&base),
        validated: matches!(args.schedule, Some(Schedule::Plateau { .. })),
        epochs,
    }
}

fn plan_epoch(args: &TrainArgs, epoch: u32) -> EpochPlan {
    let optimizer = &args.optimizer;
    let (one_cycle, plateau) = match args.schedule {
        Some(Schedule::OneCycle { over, .. }) => {
            let done = epoch - 1;
            (Some(OneCycle { done, over }), None)
        }
        Some(Schedule::Plateau { patience, factor }) => (None, Some(Plateau { patience, factor })),
        _ => (None, None),
    };
    // One-cycle has a rate of its own; a group keeps its proportion to the optimizer's.
    let first = |lr: f64| match args.schedule {
        Some(Schedule::OneCycle { max_lr, .. }) if lr == optimizer.lr() => max_lr,
        Some(Schedule::OneCycle { max_lr, .. }) => max_lr * (lr / optimizer.lr()),
        _ => lr,
    };
    let rate = |lr: f64| learning_rate(first(lr), args.schedule.as_ref(), epoch);
    let group = |group: &Group| GroupPlan {
        layers: group.layers.clone(),
        lr: rate(group.lr.unwrap_or(optimizer.lr())),
        weight_decay: group.weight_decay.unwrap_or(optimizer.weight_decay()),
    };
    EpochPlan {
        lr: rate(optimizer.lr()),
        weight_decay: optimizer.weight_decay(),
        momentum: optimizer.momentum(),
        clip_grad_norm: args.clip_grad_norm,
        augment: args.augment.clone(),
        one_cycle,
        plateau,
        groups: optimizer.groups().iter().map(group).collect(),
        freeze: args.freeze.clone(),
        ema: args.ema,
    }
}

/// JSON with sorted keys and shortest round-trip floats.
fn canonical(value: &impl Serialize) -> Vec<u8> {
    // A map of serde_json is a BTreeMap here, so going through `Value` sorts; plain data cannot fail to serialise.
    let value = serde_json::to_value(value).unwrap_or(serde_json::Value::Null);
    value.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_bytes_are_sorted() {
        let plan = EpochPlan {
            lr: 1e-3,
            weight_decay: 0.0,
            momentum: vec![0.9, 0.999],
            clip_grad_norm: None,
            augment: Vec::new(),
            one_cycle: None,
            plateau: None,
            groups: Vec::new(),
            freeze: Vec::new(),
            ema: None,
        };
        assert_eq!(
            plan.bytes(),
            br#"{"lr":0.001,"momentum":[0.9,0.999],"weight_decay":0.0}"#
        );
    }
}
