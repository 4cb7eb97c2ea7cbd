//! A training as a chain of states: what each epoch's state depends on.
//!
//! [`plan_chain`] computes the schedule once; the bytes that it gives are hashed by `mlp`, and the values in them are
//! those that the trainer uses, so that the two cannot come apart. Validation, early stopping and the choice of the best
//! epoch are no part of it.

use crate::augment::Augment;
use crate::train::{Optimizer, Schedule, TrainArgs};
use serde::Serialize;

/// What the chain of a training hashes.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainPlan {
    /// Canonical bytes of what the state before the first epoch depends on, besides the nodes of the inputs `on` and
    /// `init`, the device class, the numerics and the builtin's version, which `mlp` adds.
    pub base: Vec<u8>,
    /// What acts in each epoch, from the first.
    pub epochs: Vec<EpochPlan>,
}

/// What acts in one epoch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EpochPlan {
    /// The learning rate of every train step of the epoch.
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
}

impl EpochPlan {
    /// The canonical bytes that are hashed into the epoch's key: JSON with sorted keys.
    pub fn bytes(&self) -> Vec<u8> {
        canonical(self)
    }
}

/// The chain of `args`: a pure function, shared by `mlp` (which hashes it) and the trainer (which follows it).
pub fn plan_chain(args: &TrainArgs) -> ChainPlan {
    let (kind, lr, weight_decay, momentum, fixed) = match &args.optimizer {
        Optimizer::Sgd {
            lr,
            momentum,
            nesterov,
            weight_decay,
        } => (
            "sgd",
            *lr,
            *weight_decay,
            vec![*momentum],
            serde_json::json!({ "nesterov": nesterov }),
        ),
        Optimizer::Adam {
            lr,
            betas,
            eps,
            weight_decay,
        } => (
            "adam",
            *lr,
            *weight_decay,
            betas.to_vec(),
            serde_json::json!({ "eps": eps }),
        ),
        Optimizer::Adamw {
            lr,
            betas,
            eps,
            weight_decay,
        } => (
            "adamw",
            *lr,
            *weight_decay,
            betas.to_vec(),
            serde_json::json!({ "eps": eps }),
        ),
        Optimizer::Rmsprop {
            lr,
            alpha,
            eps,
            weight_decay,
            momentum,
            centered,
        } => (
            "rmsprop",
            *lr,
            *weight_decay,
            vec![*momentum],
            serde_json::json!({ "alpha": alpha, "eps": eps, "centered": centered }),
        ),
        Optimizer::Lion {
            lr,
            betas,
            weight_decay,
        } => (
            "lion",
            *lr,
            *weight_decay,
            betas.to_vec(),
            serde_json::Value::Null,
        ),
    };
    let base = serde_json::json!({
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
    let epochs = (1..=args.epochs)
        .map(|epoch| EpochPlan {
            lr: learning_rate(lr, args.schedule.as_ref(), epoch),
            weight_decay,
            momentum: momentum.clone(),
            clip_grad_norm: args.clip_grad_norm,
            augment: args.augment.clone(),
        })
        .collect();
    ChainPlan {
        base: canonical(&base),
        epochs,
    }
}

/// The learning rate of `epoch` (from 1), after `torch.optim.lr_scheduler`'s closed forms.
fn learning_rate(lr: f64, schedule: Option<&Schedule>, epoch: u32) -> f64 {
    let done = epoch - 1;
    match schedule {
        None => lr,
        Some(Schedule::Step { step_size, gamma }) => lr * power(*gamma, done / (*step_size).max(1)),
        Some(Schedule::MultiStep { milestones, gamma }) => {
            let passed = milestones.iter().filter(|milestone| **milestone <= done).count();
            lr * power(*gamma, u32::try_from(passed).unwrap_or(u32::MAX))
        }
        Some(Schedule::Exponential { gamma }) => lr * power(*gamma, done),
        Some(Schedule::Cosine { over, warmup, min_lr }) => cosine(lr, *over, *warmup, *min_lr, done),
        Some(Schedule::Custom { factors }) => lr * factors.get(done as usize).copied().unwrap_or(1.0),
    }
}

fn cosine(lr: f64, over: u32, warmup: u32, min_lr: f64, done: u32) -> f64 {
    if done < warmup {
        return lr * f64::from(done + 1) / f64::from(warmup);
    }
    let span = over.saturating_sub(warmup).max(1);
    let at = f64::from((done - warmup).min(span)) / f64::from(span);
    min_lr + (lr - min_lr) * (1.0 + cos_pi(at)) / 2.0
}

/// cos(pi x) for x in [0, 1], in plain arithmetic: the platform's libm must not decide a key. Taylor's series about the
/// nearer end or middle, whose error is below 1e-15 there.
fn cos_pi(x: f64) -> f64 {
    if x > 0.5 {
        return -cos_pi(1.0 - x);
    }
    let t = std::f64::consts::PI * x;
    let t2 = t * t;
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 1..=12 {
        term *= -t2 / f64::from((2 * n - 1) * (2 * n));
        sum += term;
    }
    sum
}

/// `base` to the power `n` by repeated multiplication: one order of operations on every machine.
fn power(base: f64, n: u32) -> f64 {
    (0..n).fold(1.0, |product, _| product * base)
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

    fn rates(schedule: Option<&Schedule>, epochs: u32) -> Vec<f64> {
        (1..=epochs)
            .map(|epoch| learning_rate(0.1, schedule, epoch))
            .collect()
    }

    fn near(found: &[f64], expected: &[f64]) -> bool {
        found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15)
    }

    #[test]
    fn schedules_are_pytorchs() {
        assert_eq!(rates(None, 2), [0.1, 0.1]);
        assert!(near(
            &rates(
                Some(&Schedule::Step {
                    step_size: 2,
                    gamma: 0.1
                }),
                5
            ),
            &[0.1, 0.1, 0.01, 0.01, 0.001]
        ));
        assert!(near(
            &rates(Some(&Schedule::Exponential { gamma: 0.5 }), 3),
            &[0.1, 0.05, 0.025]
        ));
        let custom = Schedule::Custom {
            factors: vec![1.0, 0.5],
        };
        assert!(near(&rates(Some(&custom), 2), &[0.1, 0.05]));
        let milestones = Schedule::MultiStep {
            milestones: vec![1, 3],
            gamma: 0.5,
        };
        assert!(near(
            &rates(Some(&milestones), 5),
            &[0.1, 0.05, 0.05, 0.025, 0.025]
        ));
        // CosineAnnealingLR(T_max = 4), held at its end.
        let cosine = Schedule::Cosine {
            over: 4,
            warmup: 0,
            min_lr: 0.0,
        };
        let quarter = 0.05 * (1.0 + std::f64::consts::FRAC_1_SQRT_2);
        assert!(near(
            &rates(Some(&cosine), 6),
            &[0.1, quarter, 0.05, 0.1 - quarter, 0.0, 0.0]
        ));
        let warm = Schedule::Cosine {
            over: 4,
            warmup: 2,
            min_lr: 0.02,
        };
        assert!(near(&rates(Some(&warm), 5), &[0.05, 0.1, 0.1, 0.06, 0.02]));
    }

    #[test]
    fn cosines_are_exact_to_the_last_digits() {
        for step in 0..=1000 {
            let x = f64::from(step) / 1000.0;
            assert!(
                (cos_pi(x) - (std::f64::consts::PI * x).cos()).abs() < 1e-15,
                "{x}"
            );
        }
    }

    #[test]
    fn canonical_bytes_are_sorted() {
        let plan = EpochPlan {
            lr: 1e-3,
            weight_decay: 0.0,
            momentum: vec![0.9, 0.999],
            clip_grad_norm: None,
            augment: Vec::new(),
        };
        assert_eq!(
            plan.bytes(),
            br#"{"lr":0.001,"momentum":[0.9,0.999],"weight_decay":0.0}"#
        );
    }
}
