//! Losses: PyTorch's, with the mean as reduction.

use crate::error::Outcome;
use crate::graph;
use mlp_protocol::train::Loss;
use tch::{Kind, Reduction, Tensor};

/// PyTorch's `ignore_index`: no class has it.
const IGNORE: i64 = -100;

/// A loss with its tensors.
pub(crate) struct LossFunction {
    loss: Loss,
    weight: Option<Tensor>,
}

impl LossFunction {
    /// The function of `loss`.
    pub(crate) fn new(loss: &Loss) -> LossFunction {
        let weight = match loss {
            Loss::CrossEntropy {
                weight: Some(weight), ..
            }
            | Loss::Nll { weight: Some(weight) } => Some(Tensor::from_slice(weight).to_kind(Kind::Float)),
            _ => None,
        };
        LossFunction {
            loss: loss.clone(),
            weight,
        }
    }

    /// The mean loss of outputs against targets.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn mean(&self, output: &Tensor, y: &Tensor) -> Outcome<Tensor> {
        self.reduced(output, y, Reduction::Mean)
    }

    /// The sum of the losses of outputs against targets. The sum of a batch's parts over [`LossFunction::mass`] of the
    /// batch is its mean.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn sum(&self, output: &Tensor, y: &Tensor) -> Outcome<Tensor> {
        self.reduced(output, y, Reduction::Sum)
    }

    /// By what a sum over `y` is divided to be a mean: the weight of its classes, or its number of elements.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn mass(&self, y: &Tensor) -> Outcome<f64> {
        match (&self.loss, &self.weight) {
            (Loss::Custom { .. }, _) => Ok(examples(y)),
            // Shares of classes: PyTorch's mean is over examples, whatever their weight.
            (Loss::CrossEntropy { .. }, _) if y.f_kind()? == Kind::Float => Ok(examples(y)),
            (_, Some(weight)) => Ok(weight
                .f_index_select(0, y)?
                .f_sum(Kind::Double)?
                .f_double_value(&[])?),
            (_, None) => Ok(y.numel() as f64),
        }
    }

    fn reduced(&self, output: &Tensor, y: &Tensor, reduction: Reduction) -> Outcome<Tensor> {
        Ok(match &self.loss {
            Loss::CrossEntropy { label_smoothing, .. } => {
                output.f_cross_entropy_loss(y, self.weight.as_ref(), reduction, IGNORE, *label_smoothing)?
            }
            Loss::Nll { .. } => output.f_nll_loss(y, self.weight.as_ref(), reduction, IGNORE)?,
            Loss::Focal { gamma } => {
                let log_p = output.f_log_softmax(-1, Kind::Float)?;
                let log_p = log_p.f_gather(1, &y.f_unsqueeze(1)?, false)?.f_squeeze_dim(1)?;
                let miss = log_p.f_exp()?.f_neg()?.f_add_scalar(1.0)?;
                let losses = miss.f_pow_tensor_scalar(*gamma)?.f_mul(&log_p)?.f_neg()?;
                match reduction {
                    Reduction::Sum => losses.f_sum(Kind::Float)?,
                    _ => losses.f_mean(Kind::Float)?,
                }
            }
            Loss::Mse => output.f_mse_loss(y, reduction)?,
            Loss::L1 => output.f_l1_loss(y, reduction)?,
            Loss::Custom { graph } => {
                let mean = graph::run(graph, &[output, y])?;
                match reduction {
                    Reduction::Sum => mean.f_mul_scalar(examples(y))?,
                    _ => mean,
                }
            }
            Loss::Huber { delta } => output.f_huber_loss(y, reduction, *delta)?,
        })
    }
}

/// How many examples targets are of: a loss that was written by hand is taken for a mean over them.
fn examples(y: &Tensor) -> f64 {
    y.size().first().map_or(1.0, |count| *count as f64)
}
