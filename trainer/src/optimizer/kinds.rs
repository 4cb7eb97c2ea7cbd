//! What each optimizer keeps of the gradients, and does with it.

use super::lion;
use super::rmsprop::Rmsprop;
use crate::error::Outcome;
use crate::shim::{self, Adam, Sgd};
use mlp_protocol::optim::Optimizer as Recipe;
use tch::Tensor;

/// An optimizer's state for some parameters.
pub(super) enum Kind {
    Adam {
        averages: Vec<Tensor>,
        squares: Vec<Tensor>,
        eps: f64,
        decoupled: bool,
    },
    /// Without momentum `momenta` is empty.
    Sgd {
        momenta: Vec<Tensor>,
        nesterov: bool,
    },
    Rmsprop(Rmsprop),
    Lion {
        averages: Vec<Tensor>,
    },
}

/// The figures of a train step.
pub(super) struct Figures<'a> {
    pub(super) lr: f64,
    pub(super) weight_decay: f64,
    /// Momentum, or Adam's betas.
    pub(super) momentum: &'a [f64],
    /// The steps so far, this one included.
    pub(super) step: &'a Tensor,
    /// Whether it is the first one.
    pub(super) first: bool,
}

impl Kind {
    /// Fresh state for `params`.
    ///
    /// # Errors
    /// When libtorch has no memory for it.
    pub(super) fn new(recipe: &Recipe, params: &[Tensor]) -> Outcome<Kind> {
        let zeros = || {
            params
                .iter()
                .map(|param| Ok(param.f_detach()?.f_zeros_like()?))
                .collect::<Outcome<Vec<_>>>()
        };
        Ok(match recipe {
            Recipe::Adam { eps, .. } => Kind::Adam {
                averages: zeros()?,
                squares: zeros()?,
                eps: *eps,
                decoupled: false,
            },
            Recipe::Adamw { eps, .. } => Kind::Adam {
                averages: zeros()?,
                squares: zeros()?,
                eps: *eps,
                decoupled: true,
            },
            Recipe::Sgd {
                momentum, nesterov, ..
            } => Kind::Sgd {
                momenta: if *momentum == 0.0 { Vec::new() } else { zeros()? },
                nesterov: *nesterov,
            },
            Recipe::Rmsprop {
                alpha,
                eps,
                momentum,
                centered,
                ..
            } => Kind::Rmsprop(Rmsprop {
                alpha: *alpha,
                eps: *eps,
                squares: zeros()?,
                averages: if *centered { zeros()? } else { Vec::new() },
                momenta: if *momentum == 0.0 { Vec::new() } else { zeros()? },
            }),
            Recipe::Lion { .. } => Kind::Lion { averages: zeros()? },
        })
    }

    /// One train step of `params`.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(super) fn step(&self, params: &[Tensor], grads: &[Tensor], figures: &Figures<'_>) -> Outcome<()> {
        let Figures {
            lr,
            weight_decay,
            momentum,
            ..
        } = *figures;
        match self {
            Kind::Adam {
                averages,
                squares,
                eps,
                decoupled,
            } => {
                let by = Adam {
                    lr,
                    betas: [momentum[0], momentum[1]],
                    weight_decay,
                    eps: *eps,
                    decoupled: *decoupled,
                };
                shim::adam(params, grads, averages, squares, figures.step, by)
            }
            Kind::Sgd { momenta, nesterov } => {
                let by = Sgd {
                    lr,
                    momentum: momentum[0],
                    weight_decay,
                    nesterov: *nesterov,
                    first: figures.first,
                };
                shim::sgd(params, grads, momenta, by)
            }
            Kind::Rmsprop(state) => tch::no_grad(|| state.step(params, grads, lr, weight_decay, momentum[0])),
            Kind::Lion { averages } => {
                let betas = [momentum[0], momentum[1]];
                tch::no_grad(|| lion::step(params, grads, averages, lr, weight_decay, betas))
            }
        }
    }

    /// The state, by PyTorch's words for it.
    pub(super) fn lists(&self) -> Vec<(&'static str, &[Tensor])> {
        match self {
            Kind::Adam {
                averages, squares, ..
            } => vec![("exp_avg", averages), ("exp_avg_sq", squares)],
            Kind::Sgd { momenta, .. } => vec![("momentum_buffer", momenta)],
            Kind::Rmsprop(state) => vec![
                ("square_avg", &state.squares),
                ("grad_avg", &state.averages),
                ("momentum_buffer", &state.momenta),
            ],
            Kind::Lion { averages } => vec![("exp_avg", averages)],
        }
    }
}
