//! Schedules: how the learning rate moves, after `torch.optim.lr_scheduler`.
//!
//! A rate is a function of the epoch, or under one-cycle of the train step; a plateau's besides of the validation losses
//! before it. All in plain arithmetic: what comes out is hashed.

use serde::{Deserialize, Serialize};

/// How the learning rate moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the fields are PyTorch's, each documented in the standard library"
)]
pub enum Schedule {
    Step {
        step_size: u32,
        gamma: f64,
    },
    Exponential {
        gamma: f64,
    },
    Cosine {
        over: u32,
        warmup: u32,
        min_lr: f64,
    },
    /// What the optimizer's rate is multiplied by in each epoch.
    Custom {
        factors: Vec<f64>,
    },
    MultiStep {
        milestones: Vec<u32>,
        gamma: f64,
    },
    /// Train step by train step, in the place of the optimizer's rate.
    OneCycle {
        max_lr: f64,
        over: u32,
    },
    Plateau {
        patience: u32,
        factor: f64,
    },
}

/// The learning rate of `epoch` (from 1), after `torch.optim.lr_scheduler`'s closed forms.
pub(crate) fn learning_rate(lr: f64, schedule: Option<&Schedule>, epoch: u32) -> f64 {
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
        // What these two are multiplied by is known train step by train step, and from the validation.
        Some(Schedule::OneCycle { .. } | Schedule::Plateau { .. }) => lr,
    }
}

/// Where an epoch stands in a one-cycle schedule: `OneCycleLR` with PyTorch's defaults, whose rate rises over three tenths
/// of all train steps from a 25th of the highest to it, and then falls to a 10,000th of where it began, while momentum
/// falls from 0.95 to 0.85 and rises again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OneCycle {
    /// Epochs before this one.
    pub done: u32,
    /// Epochs in all.
    pub over: u32,
}

/// The share of the train steps in which the rate rises.
const RISE: f64 = 0.3;
/// By what the highest rate is divided at the beginning.
const FIRST: f64 = 25.0;
/// By what the first rate is divided at the end.
const LAST: f64 = 1e4;
/// Momentum where the rate is lowest, and where it is highest.
const MOMENTUM: (f64, f64) = (0.95, 0.85);

impl OneCycle {
    /// What the highest rate is multiplied by, and momentum, at train step `step` (from 0) of an epoch of `steps`. After
    /// the last epoch of the cycle both stay as they were at its end.
    pub(crate) fn at(self, step: u64, steps: u64) -> (f64, f64) {
        let total = (u64::from(self.over) * steps).max(1);
        let step = (u64::from(self.done) * steps + step).min(total - 1) as f64;
        let (top, end) = (RISE * total as f64 - 1.0, (total - 1) as f64);
        let (low, high) = MOMENTUM;
        if step <= top {
            let at = step / top;
            return (half_cosine(1.0 / FIRST, 1.0, at), half_cosine(low, high, at));
        }
        let at = (step - top) / (end - top);
        (
            half_cosine(1.0, 1.0 / FIRST / LAST, at),
            half_cosine(high, low, at),
        )
    }
}

/// The rule of `ReduceLROnPlateau`, with PyTorch's threshold of a ten-thousandth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Plateau {
    /// Epochs without a lower validation loss that are waited for.
    pub patience: u32,
    /// By what the rate is multiplied in the epoch after them.
    pub factor: f64,
}

/// What a plateau's rule has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// The lowest validation loss; none before the first that is a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<f64>,
    /// Epochs since then, or since the rate fell.
    pub waited: u32,
    /// What the rate is multiplied by.
    pub scale: f64,
}

impl Default for Watched {
    fn default() -> Self {
        Self {
            best: None,
            waited: 0,
            scale: 1.0,
        }
    }
}

impl Watched {
    /// Takes up the validation loss of an epoch.
    pub fn observe(&mut self, rule: Plateau, loss: f64) {
        let better = match self.best {
            None => loss.is_finite(),
            Some(best) => loss < best * (1.0 - 1e-4),
        };
        if better {
            self.best = Some(loss);
            self.waited = 0;
            return;
        }
        self.waited += 1;
        if self.waited > rule.patience {
            self.scale *= rule.factor;
            self.waited = 0;
        }
    }
}

/// From `start` to `end` along half a cosine.
fn half_cosine(start: f64, end: f64, at: f64) -> f64 {
    end + (start - end) / 2.0 * (cos_pi(at) + 1.0)
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
    fn one_cycle_is_pytorchs() {
        // OneCycleLR(SGD(momentum = 0.9), max_lr = 0.1, total_steps = 10), two epochs of five train steps.
        let at = |step: u64| {
            let cycle = OneCycle {
                done: (step / 5) as u32,
                over: 2,
            };
            cycle.at(step % 5, 5)
        };
        let expected = [
            (0.004, 0.95),
            (0.052, 0.9),
            (0.1, 0.85),
            (0.09504846320134738, 0.854951556604879),
            (0.0811745653949763, 0.8688255099070633),
            (0.06112620219362893, 0.8888739533021842),
            (0.03887419780637107, 0.9111260466978157),
            (0.0188258346050237, 0.9311744900929366),
            (0.004951936798652629, 0.945048443395121),
            (4e-07, 0.95),
        ];
        for (step, (lr, momentum)) in (0..).zip(expected) {
            let (scale, found) = at(step);
            assert!(
                (0.1 * scale - lr).abs() < 1e-14 && (found - momentum).abs() < 1e-14,
                "{step}"
            );
        }
        let after = OneCycle { done: 2, over: 2 };
        assert_eq!(after.at(3, 5), at(9), "it stays");
        let single = OneCycle { done: 0, over: 1 };
        assert!(single.at(0, 1).0.is_finite());
    }

    #[test]
    fn a_plateau_is_pytorchs() {
        let rule = Plateau {
            patience: 1,
            factor: 0.5,
        };
        let scales = |losses: &[f64]| -> Vec<f64> {
            let mut watched = Watched::default();
            let observe = |loss: &f64| {
                watched.observe(rule, *loss);
                watched.scale
            };
            losses.iter().map(observe).collect()
        };
        // ReduceLROnPlateau(factor = 0.5, patience = 1): the second epoch in a row without a fall by a ten-thousandth.
        assert_eq!(
            scales(&[1.0, 0.99995, 1.0, 0.9, 0.9, 0.9]),
            [1.0, 1.0, 0.5, 0.5, 0.5, 0.25]
        );
        assert_eq!(scales(&[f64::NAN, 1.0, f64::NAN, f64::NAN]), [1.0, 1.0, 1.0, 0.5]);
    }
}
