//! A running mean of the weights, as `torch.optim.swa_utils.AveragedModel` keeps it with `get_ema_multi_avg_fn`: after the
//! first train step the weights themselves, then `decay * mean + (1 - decay) * weights`. Buffers are those of the network.

use crate::error::Outcome;
use crate::network::Leaves;
use crate::optimizer::copy;
use crate::tensors;
use mlp_data::safetensors::Array;
use std::collections::BTreeMap;
use tch::Tensor;

/// The mean of a network's weights.
pub(crate) struct Ema {
    decay: f64,
    /// The means, and for parameters that are not trained the parameters, with the network's buffers.
    pub(crate) leaves: Leaves,
    /// The places of the parameters that are trained.
    trained: Vec<usize>,
    /// Whether a train step was taken up.
    begun: bool,
}

impl Ema {
    /// A mean of `leaves`, of which the parameters at `trained` are trained.
    ///
    /// # Errors
    /// When libtorch has no memory for it.
    pub(crate) fn new(decay: f64, leaves: &Leaves, trained: &[usize]) -> Outcome<Ema> {
        let own = |(place, param): (usize, &Tensor)| {
            Outcome::Ok(if trained.contains(&place) {
                param.f_detach()?.f_zeros_like()?
            } else {
                param.shallow_clone()
            })
        };
        Ok(Ema {
            decay,
            leaves: Leaves {
                params: leaves
                    .params
                    .iter()
                    .enumerate()
                    .map(own)
                    .collect::<Outcome<_>>()?,
                buffers: leaves.buffers.iter().map(Tensor::shallow_clone).collect(),
            },
            trained: trained.to_vec(),
            begun: false,
        })
    }

    /// Takes up the weights after a train step.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn update(&mut self, params: &[Tensor]) -> Outcome<()> {
        tch::no_grad(|| {
            for place in &self.trained {
                let mut mean = self.leaves.params[*place].shallow_clone();
                if self.begun {
                    let _ = mean.f_lerp_(&params[*place], 1.0 - self.decay)?;
                } else {
                    mean.f_copy_(&params[*place])?;
                }
            }
            Outcome::Ok(())
        })?;
        self.begun = true;
        Ok(())
    }

    /// The means by the parameters' paths.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn state(&self, names: &[String]) -> Outcome<BTreeMap<String, Array>> {
        let array = |place: &usize| {
            Ok((
                names[*place].clone(),
                tensors::to_array(&self.leaves.params[*place])?,
            ))
        };
        self.trained.iter().map(array).collect()
    }

    /// Takes up what [`Ema::state`] gave after some train step.
    ///
    /// # Errors
    /// When it is of other parameters.
    pub(crate) fn load(&mut self, state: &BTreeMap<String, Array>, names: &[String]) -> Outcome<()> {
        for place in &self.trained {
            copy(state, &names[*place], &self.leaves.params[*place])?;
        }
        self.begun = true;
        Ok(())
    }
}
