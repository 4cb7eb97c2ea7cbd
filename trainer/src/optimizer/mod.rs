//! Optimizers with their state: PyTorch's fused steps, and those that PyTorch has not fused.

mod lion;
mod rmsprop;

use self::rmsprop::Rmsprop;
use crate::error::Outcome;
use crate::shim::{self, Adam, Sgd};
use crate::tensors;
use mlp_data::safetensors::Array;
use mlp_protocol::chain::EpochPlan;
use mlp_protocol::message::Failure;
use mlp_protocol::train::Optimizer as Recipe;
use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor};

/// An optimizer of a network's parameters.
pub(crate) struct Optimizer {
    kind: Kinds,
    /// Steps taken: float32, shape [], as PyTorch keeps it.
    step: Tensor,
}

enum Kinds {
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

impl Optimizer {
    /// A fresh optimizer for `params`.
    ///
    /// # Errors
    /// When libtorch has no memory for its state.
    pub(crate) fn new(recipe: &Recipe, params: &[Tensor]) -> Outcome<Optimizer> {
        let zeros = || {
            params
                .iter()
                .map(|param| Ok(param.f_detach()?.f_zeros_like()?))
                .collect::<Outcome<Vec<_>>>()
        };
        let kind = match recipe {
            Recipe::Adam { eps, .. } => Kinds::Adam {
                averages: zeros()?,
                squares: zeros()?,
                eps: *eps,
                decoupled: false,
            },
            Recipe::Adamw { eps, .. } => Kinds::Adam {
                averages: zeros()?,
                squares: zeros()?,
                eps: *eps,
                decoupled: true,
            },
            Recipe::Sgd {
                momentum, nesterov, ..
            } => {
                let momenta = if *momentum == 0.0 { Vec::new() } else { zeros()? };
                Kinds::Sgd {
                    momenta,
                    nesterov: *nesterov,
                }
            }
            Recipe::Rmsprop {
                alpha,
                eps,
                momentum,
                centered,
                ..
            } => Kinds::Rmsprop(Rmsprop {
                alpha: *alpha,
                eps: *eps,
                squares: zeros()?,
                averages: if *centered { zeros()? } else { Vec::new() },
                momenta: if *momentum == 0.0 { Vec::new() } else { zeros()? },
            }),
            Recipe::Lion { .. } => Kinds::Lion { averages: zeros()? },
        };
        Ok(Optimizer {
            kind,
            step: Tensor::f_zeros([0_i64; 0], (Kind::Float, Device::Cpu))?,
        })
    }

    /// One train step with the epoch's figures.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn step(&mut self, params: &[Tensor], grads: &[Tensor], plan: &EpochPlan) -> Outcome<()> {
        let EpochPlan {
            lr,
            weight_decay,
            ref momentum,
            ..
        } = *plan;
        match &self.kind {
            Kinds::Adam {
                averages,
                squares,
                eps,
                decoupled,
            } => {
                let betas = [momentum[0], momentum[1]];
                let by = Adam {
                    lr,
                    betas,
                    weight_decay,
                    eps: *eps,
                    decoupled: *decoupled,
                };
                shim::adam(params, grads, averages, squares, &self.step, by)
            }
            Kinds::Sgd { momenta, nesterov } => {
                let first = self.step.f_double_value(&[])? == 0.0;
                let by = Sgd {
                    lr,
                    momentum: momentum[0],
                    weight_decay,
                    nesterov: *nesterov,
                    first,
                };
                shim::sgd(params, grads, momenta, by)?;
                let _ = self.step.f_add_scalar_(1)?;
                Ok(())
            }
            Kinds::Rmsprop(state) => {
                tch::no_grad(|| state.step(params, grads, lr, weight_decay, momentum[0]))?;
                let _ = self.step.f_add_scalar_(1)?;
                Ok(())
            }
            Kinds::Lion { averages } => {
                let betas = [momentum[0], momentum[1]];
                tch::no_grad(|| lion::step(params, grads, averages, lr, weight_decay, betas))?;
                let _ = self.step.f_add_scalar_(1)?;
                Ok(())
            }
        }
    }

    /// The state, by PyTorch's words and the parameters' paths: `exp_avg.0.weight`, `step`.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn state(&self, names: &[String]) -> Outcome<BTreeMap<String, Array>> {
        let mut state = BTreeMap::from([("step".to_string(), tensors::to_array(&self.step)?)]);
        for (word, tensors) in self.lists() {
            for (name, tensor) in names.iter().zip(tensors) {
                state.insert(format!("{word}.{name}"), tensors::to_array(tensor)?);
            }
        }
        Ok(state)
    }

    /// Takes up a state that [`Optimizer::state`] gave.
    ///
    /// # Errors
    /// When it is of other parameters.
    pub(crate) fn load(&mut self, state: &BTreeMap<String, Array>, names: &[String]) -> Outcome<()> {
        copy(state, "step", &self.step)?;
        for (word, tensors) in self.lists() {
            for (name, tensor) in names.iter().zip(tensors) {
                copy(state, &format!("{word}.{name}"), tensor)?;
            }
        }
        Ok(())
    }

    fn lists(&self) -> Vec<(&'static str, &[Tensor])> {
        match &self.kind {
            Kinds::Adam {
                averages, squares, ..
            } => vec![("exp_avg", averages), ("exp_avg_sq", squares)],
            Kinds::Sgd { momenta, .. } => vec![("momentum_buffer", momenta)],
            Kinds::Rmsprop(state) => vec![
                ("square_avg", &state.squares),
                ("grad_avg", &state.averages),
                ("momentum_buffer", &state.momenta),
            ],
            Kinds::Lion { averages } => vec![("exp_avg", averages)],
        }
    }
}

/// Copies the array called `name` into a tensor of its type and shape.
///
/// # Errors
/// When there is none, or it is of another type or shape.
pub(crate) fn copy(arrays: &BTreeMap<String, Array>, name: &str, into: &Tensor) -> Outcome<()> {
    let missing = || Failure::new("B0208", format!("there is no tensor `{name}`"));
    let tensor = tensors::from_array(arrays.get(name).ok_or_else(missing)?)?;
    if tensor.size() != into.size() || tensor.f_kind()? != into.f_kind()? {
        let message = format!(
            "tensor `{name}` has shape {:?}, but the network's has {:?}",
            tensor.size(),
            into.size()
        );
        return Err(Failure::new("B0208", message).into());
    }
    tch::no_grad(|| into.shallow_clone().f_copy_(&tensor))?;
    Ok(())
}
