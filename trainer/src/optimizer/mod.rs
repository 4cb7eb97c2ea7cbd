//! Optimizers with their state: PyTorch's fused steps, and those that PyTorch has not fused.

mod kinds;
mod lion;
mod rmsprop;

use self::kinds::{Figures, Kind};
use crate::error::Outcome;
use crate::tensors;
use mlp_data::safetensors::Array;
use mlp_protocol::chain::{EpochPlan, StepPlan};
use mlp_protocol::message::Failure;
use mlp_protocol::optim::{Optimizer as Recipe, names_layer};
use std::collections::BTreeMap;
use tch::{Device, Tensor};

/// A parameter that is trained.
pub(crate) struct Param {
    /// Its path: `0.weight`.
    pub(crate) name: String,
    /// The path of its layer.
    pub(crate) layer: String,
    pub(crate) tensor: Tensor,
}

/// An optimizer of a network's parameters.
pub(crate) struct Optimizer {
    parts: Vec<Part>,
    /// Steps taken: float32, shape [], as PyTorch keeps it.
    step: Tensor,
}

/// The parameters that have their figures in common.
struct Part {
    /// The place of their group in the plan; none for those of no group.
    group: Option<usize>,
    /// Their places in the list of all.
    places: Vec<usize>,
    names: Vec<String>,
    params: Vec<Tensor>,
    kind: Kind,
}

impl Optimizer {
    /// A fresh optimizer for `params`.
    ///
    /// # Errors
    /// When libtorch has no memory for its state.
    pub(crate) fn new(recipe: &Recipe, params: &[Param]) -> Outcome<Optimizer> {
        let mut by_group: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        for (place, param) in params.iter().enumerate() {
            let mut groups = recipe.groups().iter();
            let group = groups.position(|group| names_layer(&group.layers, &param.layer));
            by_group.entry(group).or_default().push(place);
        }
        let part = |(group, places): (Option<usize>, Vec<usize>)| {
            let own: Vec<&Param> = places.iter().map(|place| &params[*place]).collect();
            let tensors: Vec<Tensor> = own.iter().map(|param| param.tensor.shallow_clone()).collect();
            Outcome::Ok(Part {
                group,
                names: own.iter().map(|param| param.name.clone()).collect(),
                kind: Kind::new(recipe, &tensors)?,
                params: tensors,
                places,
            })
        };
        Ok(Optimizer {
            parts: by_group.into_iter().map(part).collect::<Outcome<_>>()?,
            step: Tensor::f_zeros([0_i64; 0], (tch::Kind::Float, Device::Cpu))?,
        })
    }

    /// One train step: `grads` are of all parameters, in order.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn step(&mut self, grads: &[Tensor], epoch: &EpochPlan, now: &StepPlan) -> Outcome<()> {
        let first = self.step.f_double_value(&[])? == 0.0;
        let _ = tch::no_grad(|| self.step.f_add_scalar_(1))?;
        for part in &self.parts {
            let group = part.group.map(|group| &epoch.groups[group]);
            let (lr, weight_decay) = group.map_or((epoch.lr, epoch.weight_decay), |group| {
                (group.lr, group.weight_decay)
            });
            let figures = Figures {
                lr: lr * now.scale,
                weight_decay,
                momentum: &now.momentum,
                step: &self.step,
                first,
            };
            if self.parts.len() == 1 {
                part.kind.step(&part.params, grads, &figures)?;
                continue;
            }
            let own: Vec<Tensor> = part
                .places
                .iter()
                .map(|place| grads[*place].shallow_clone())
                .collect();
            part.kind.step(&part.params, &own, &figures)?;
        }
        Ok(())
    }

    /// The state, by PyTorch's words and the parameters' paths: `exp_avg.0.weight`, `step`.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn state(&self) -> Outcome<BTreeMap<String, Array>> {
        let mut state = BTreeMap::from([("step".to_string(), tensors::to_array(&self.step)?)]);
        for part in &self.parts {
            for (word, tensors) in part.kind.lists() {
                for (name, tensor) in part.names.iter().zip(tensors) {
                    state.insert(format!("{word}.{name}"), tensors::to_array(tensor)?);
                }
            }
        }
        Ok(state)
    }

    /// Takes up a state that [`Optimizer::state`] gave.
    ///
    /// # Errors
    /// When it is of other parameters.
    pub(crate) fn load(&mut self, state: &BTreeMap<String, Array>) -> Outcome<()> {
        copy(state, "step", &self.step)?;
        for part in &self.parts {
            for (word, tensors) in part.kind.lists() {
                for (name, tensor) in part.names.iter().zip(tensors) {
                    copy(state, &format!("{word}.{name}"), tensor)?;
                }
            }
        }
        Ok(())
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
