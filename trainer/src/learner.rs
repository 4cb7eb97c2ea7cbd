//! A network in training: gradients of batches that are cut into shards, and the step on their sum.
//!
//! Each batch is cut into a number of shards that the derivation fixes. Any number of threads run them, each shard on its
//! own replica of the leaves over the same storage, with one libtorch thread. Gradients are summed in the order of the
//! shards. So the bits do not depend on how many threads there are.

use crate::dropout::Masks;
use crate::ema::Ema;
use crate::error::{Error, Outcome};
use crate::examples::Inputs;
use crate::loader::{Batch, Part};
use crate::loss::LossFunction;
use crate::network::{Leaves, Mode, Network};
use crate::optimizer::{Optimizer, Param};
use mlp_protocol::chain::{EpochPlan, StepPlan};
use mlp_protocol::message::Failure;
use mlp_protocol::optim::names_layer;
use mlp_protocol::train::TrainArgs;
use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use tch::{Kind, Tensor};

/// A network in training.
pub(crate) struct Learner {
    pub(crate) network: Network,
    pub(crate) leaves: Leaves,
    pub(crate) optimizer: Optimizer,
    /// The running mean of the weights, where one is kept.
    pub(crate) ema: Option<Ema>,
    /// The places of the parameters that are trained.
    trained: Vec<usize>,
    shards: Vec<Shard>,
    seed: i64,
}

/// What one shard's computation owns.
struct Shard {
    leaves: Leaves,
    /// Those of the leaves that are trained.
    trained: Vec<Tensor>,
    /// Where batch norm puts the shard's statistics; none where there is a single shard.
    statistics: Option<Vec<Tensor>>,
    loss: LossFunction,
}

/// The gradient of a batch.
pub(crate) struct Gradient {
    /// The batch's mean loss.
    pub(crate) loss: f64,
    grads: Vec<Tensor>,
}

/// Where in the training a batch stands.
#[derive(Clone, Copy)]
pub(crate) struct At {
    /// From 1.
    pub(crate) epoch: u32,
    /// The batch in the epoch, from 0.
    pub(crate) batch: u64,
}

impl Learner {
    /// A fresh learner.
    ///
    /// # Errors
    /// When a pattern names no layer, nothing is left to train, or libtorch has no memory for it.
    pub(crate) fn new(args: &TrainArgs) -> Outcome<Learner> {
        let (mut network, leaves) = Network::new(&args.net, args.seed)?;
        check_patterns(args, &network)?;
        network.freeze(&args.freeze, &leaves)?;
        let mut params = Vec::new();
        let mut trained = Vec::new();
        for (layer, places) in network.layers() {
            for place in places.filter(|place| leaves.params[*place].requires_grad()) {
                trained.push(place);
                params.push(Param {
                    name: network.param_names[place].clone(),
                    layer: layer.to_owned(),
                    tensor: leaves.params[place].shallow_clone(),
                });
            }
        }
        if trained.is_empty() {
            let argument = if args.freeze.is_empty() { "net" } else { "freeze" };
            return Err(Failure::new("B0202", "the network has no weights to train")
                .argument(argument)
                .into());
        }
        let optimizer = Optimizer::new(&args.optimizer, &params)?;
        let mean = |decay| Ema::new(decay, &leaves, &trained);
        let ema = args.ema.map(mean).transpose()?;
        let shard = |_| {
            let own = |buffer: &Tensor| Outcome::Ok(buffer.f_zeros_like()?);
            let statistics = || leaves.buffers.iter().map(own).collect::<Outcome<Vec<_>>>();
            let replica = leaves.replica()?;
            let of = |place: &usize| replica.params[*place].shallow_clone();
            Outcome::Ok(Shard {
                trained: trained.iter().map(of).collect(),
                leaves: replica,
                statistics: if args.shards > 1 {
                    Some(statistics()?)
                } else {
                    None
                },
                loss: LossFunction::new(&args.loss),
            })
        };
        let shards = (0..args.shards.max(1)).map(shard).collect::<Outcome<Vec<_>>>()?;
        Ok(Learner {
            network,
            leaves,
            optimizer,
            ema,
            trained,
            shards,
            seed: args.seed,
        })
    }

    /// Numbers that are trained.
    pub(crate) fn parameters(&self) -> u64 {
        let trained = self.trained.iter().map(|place| &self.leaves.params[*place]);
        trained.map(|param| param.numel() as u64).sum()
    }

    /// The 2-norm of all parameters.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn weight_norm(&self) -> Outcome<f64> {
        tch::no_grad(|| Ok(norm(&self.leaves.params)?.f_double_value(&[])?))
    }

    /// What is scored and kept: the running mean of the weights, or the weights themselves.
    pub(crate) fn scored(&self) -> &Leaves {
        self.ema.as_ref().map_or(&self.leaves, |ema| &ema.leaves)
    }

    /// The loss and gradient of a batch; updates batch norm's running statistics.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn gradient(&mut self, pool: &ThreadPool, batch: &Batch, at: At) -> Outcome<Gradient> {
        let (network, seed) = (&self.network, self.seed);
        if let ([shard], [part]) = (&self.shards[..], &batch.parts[..]) {
            return shard.gradient(network, part, None, Masks::new(seed, at.epoch, at.batch, 0));
        }
        let targets: Vec<&Tensor> = batch.parts.iter().map(|part| &part.y).collect();
        let mass = self.shards[0].loss.mass(&Tensor::f_cat(&targets, 0)?)?;
        let mut tasks = Vec::with_capacity(batch.parts.len());
        for (index, (shard, part)) in self.shards.iter_mut().zip(&batch.parts).enumerate() {
            let x = Inputs(part.x.0.iter().map(Tensor::shallow_clone).collect());
            let y = part.y.shallow_clone();
            tasks.push((shard, Part { x, y }, Masks::new(seed, at.epoch, at.batch, index)));
        }
        let used = tasks.len();
        let run = |(shard, part, masks): (&mut Shard, Part, Masks)| {
            shard.gradient(network, &part, Some(mass), masks)
        };
        // Collected in the order of the shards; the first failure in that order is told.
        let done: Vec<Outcome<Gradient>> = pool.install(|| tasks.into_par_iter().map(run).collect());
        let gradients = done.into_iter().collect::<Outcome<Vec<Gradient>>>()?;
        self.gather_statistics(used)?;
        sum(gradients)
    }

    /// One train step with a gradient.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn step(&mut self, gradient: &Gradient, plan: &EpochPlan, now: &StepPlan) -> Outcome<()> {
        if let Some(bound) = plan.clip_grad_norm {
            tch::no_grad(|| clip(&gradient.grads, bound))?;
        }
        self.optimizer.step(&gradient.grads, plan, now)?;
        match &mut self.ema {
            Some(ema) => ema.update(&self.leaves.params),
            None => Ok(()),
        }
    }

    /// Takes the shards' batch statistics into the running ones, in the order of the shards.
    fn gather_statistics(&mut self, used: usize) -> Outcome<()> {
        for (momentum, place) in self.network.batch_norms() {
            let running = &self.leaves.buffers[place.clone()];
            for own in self.shards[..used]
                .iter()
                .filter_map(|shard| shard.statistics.as_ref())
            {
                for (running, own) in running.iter().zip(&own[place.clone()]).take(2) {
                    let _ = running.shallow_clone().f_lerp_(own, momentum)?;
                }
            }
            let _ = running[2].shallow_clone().f_add_scalar_(1)?;
        }
        Ok(())
    }
}

impl Shard {
    /// The loss and gradient of a part of a batch: of the examples' mean, or of their sum over `mass`.
    fn gradient(
        &self,
        network: &Network,
        Part { x, y }: &Part,
        mass: Option<f64>,
        masks: Masks,
    ) -> Outcome<Gradient> {
        let mode = Mode::Training {
            masks,
            statistics: self.statistics.as_deref(),
        };
        let output = network.forward(&self.leaves, x, &mode)?;
        let loss = match mass {
            None => self.loss.mean(&output, y)?,
            Some(mass) => self.loss.sum(&output, y)?.f_div_scalar(mass)?,
        };
        if !loss.requires_grad() {
            return Err(no_gradient(None));
        }
        let grads = Tensor::f_run_backward(&[&loss], &self.trained, false, false)?;
        if let Some(place) = grads.iter().position(|grad| !grad.defined()) {
            let params = network.param_names.iter().zip(&self.leaves.params);
            let mut trained = params.filter(|(_, param)| param.requires_grad());
            return Err(no_gradient(trained.nth(place).map(|(name, _)| name.as_str())));
        }
        Ok(Gradient {
            loss: loss.f_double_value(&[])?,
            grads,
        })
    }
}

impl Gradient {
    /// The 2-norm of all of it.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn norm(&self) -> Outcome<f64> {
        Ok(norm(&self.grads)?.f_double_value(&[])?)
    }

    /// The mean of the gradients of several batches.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn mean(gradients: Vec<Gradient>) -> Outcome<Gradient> {
        let count = gradients.len();
        let mut total = sum(gradients)?;
        if count > 1 {
            for grad in &mut total.grads {
                let _ = grad.f_div_scalar_(count as f64)?;
            }
        }
        Ok(total)
    }
}

/// The failure of a parameter that the loss does not depend on, or of all of them.
fn no_gradient(name: Option<&str>) -> Error {
    let failure = match name {
        Some(name) => Failure::new(
            "B0212",
            format!("the parameter `{name}` gets no gradient from the loss"),
        )
        .argument("net")
        .help("take its layer out of the network, or name it in `freeze`"),
        None => Failure::new("B0212", "no parameter gets a gradient from the loss").argument("loss"),
    };
    failure.into()
}

/// Checks that each pattern names a layer. The language does, too; a call may be written by hand.
fn check_patterns(args: &TrainArgs, network: &Network) -> Outcome<()> {
    let freeze = args.freeze.iter().map(|pattern| ("freeze", pattern));
    let groups = args.optimizer.groups().iter();
    let groups = groups.map(|group| ("optimizer.groups", &group.layers));
    for (argument, pattern) in freeze.chain(groups) {
        if !network.layers().any(|(path, _)| names_layer(pattern, path)) {
            let message = format!("no layer has a path that matches \"{pattern}\"");
            return Err(Failure::new("B0207", message).argument(argument).into());
        }
    }
    Ok(())
}

/// The sum, from the first to the last.
fn sum(gradients: Vec<Gradient>) -> Outcome<Gradient> {
    let mut gradients = gradients.into_iter();
    let mut total = gradients.next().unwrap_or(Gradient {
        loss: 0.0,
        grads: Vec::new(),
    });
    for next in gradients {
        total.loss += next.loss;
        for (total, next) in total.grads.iter_mut().zip(&next.grads) {
            let _ = total.f_add_(next)?;
        }
    }
    Ok(total)
}

/// The common 2-norm of tensors, as PyTorch's `clip_grad_norm_` takes it.
fn norm(tensors: &[Tensor]) -> Outcome<Tensor> {
    let norms = tensors
        .iter()
        .map(|tensor| Ok(tensor.f_norm()?))
        .collect::<Outcome<Vec<Tensor>>>()?;
    Ok(Tensor::f_stack(&norms, 0)?.f_norm()?)
}

/// PyTorch's `clip_grad_norm_`: scales all gradients so that their common 2-norm is at most `bound`.
fn clip(grads: &[Tensor], bound: f64) -> Outcome<()> {
    let scale = (norm(grads)?
        .f_add_scalar(1e-6)?
        .f_reciprocal()?
        .f_mul_scalar(bound)?)
    .f_clamp_max(1.0)?;
    for grad in grads {
        let _ = grad.shallow_clone().f_mul_(&scale.f_to_kind(Kind::Float)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_bounds_the_common_norm() {
        let grads = [Tensor::from_slice(&[3.0_f32]), Tensor::from_slice(&[4.0_f32])];
        clip(&grads, 10.0).unwrap();
        assert_eq!(f64::try_from(&grads[0]).unwrap(), 3.0);
        clip(&grads, 1.0).unwrap();
        assert!((f64::try_from(&grads[0]).unwrap() - 0.6).abs() < 1e-5);
    }
}
