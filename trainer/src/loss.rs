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
    /// The weight of each class, or of the positives of each tag.
    weight: Option<Tensor>,
}

impl LossFunction {
    /// The function of `loss`.
    pub(crate) fn new(loss: &Loss) -> LossFunction {
        let weight = match loss {
            Loss::CrossEntropy { weight, .. } | Loss::Nll { weight } => weight.as_deref(),
            Loss::BceWithLogits { pos_weight } => pos_weight.as_deref(),
            _ => None,
        };
        LossFunction {
            loss: loss.clone(),
            weight: weight.map(|weight| Tensor::from_slice(weight).to_kind(Kind::Float)),
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
            (Loss::CrossEntropy { .. } | Loss::Nll { .. }, Some(weight)) => Ok(weight
                .f_index_select(0, y)?
                .f_sum(Kind::Double)?
                .f_double_value(&[])?),
            _ => Ok(y.numel() as f64),
        }
    }

    fn reduced(&self, output: &Tensor, y: &Tensor, reduction: Reduction) -> Outcome<Tensor> {
        Ok(match &self.loss {
            Loss::CrossEntropy { label_smoothing, .. } => {
                output.f_cross_entropy_loss(y, self.weight.as_ref(), reduction, IGNORE, *label_smoothing)?
            }
            Loss::Nll { .. } => output.f_nll_loss(y, self.weight.as_ref(), reduction, IGNORE)?,
            Loss::BceWithLogits { .. } => {
                // Of two classes the target is whether it is the second; of tags it has the outputs' shape.
                let y = y.f_to_kind(Kind::Float)?.f_view_as(output)?;
                let each: Option<&Tensor> = None;
                output.f_binary_cross_entropy_with_logits(&y, each, self.weight.as_ref(), reduction)?
            }
            Loss::Focal { gamma } => {
                let log_p = log_probability(output, y)?;
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

/// The logarithm of the probability that logits give to the targets: to the class of each example, or to each tag's being
/// there or not.
fn log_probability(output: &Tensor, y: &Tensor) -> Outcome<Tensor> {
    if y.f_kind()? == Kind::Int64 {
        let log_p = output.f_log_softmax(-1, Kind::Float)?;
        return Ok(log_p.f_gather(1, &y.f_unsqueeze(1)?, false)?.f_squeeze_dim(1)?);
    }
    // A tag that is not there has the probability 1 - σ(out) = σ(-out).
    let sign = y.f_mul_scalar(2.0)?.f_sub_scalar(1.0)?;
    Ok(output.f_mul(&sign)?.f_log_sigmoid()?)
}

/// How many examples targets are of: a loss that was written by hand is taken for a mean over them.
fn examples(y: &Tensor) -> f64 {
    y.size().first().map_or(1.0, |count| *count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(values: &[f32], width: i64) -> Tensor {
        Tensor::from_slice(values).view([-1, width])
    }

    #[track_caller]
    fn assert_near(found: &Tensor, expected: f64) {
        let found = f64::try_from(found).unwrap();
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }

    fn softplus(x: f64) -> f64 {
        x.exp().ln_1p()
    }

    #[test]
    fn bce_of_tags_and_of_two_classes() {
        let (output, y) = (
            numbers(&[0.5, -1.0, 2.0, 0.0], 2),
            numbers(&[1.0, 0.0, 0.0, 1.0], 2),
        );
        // -log σ(x) is softplus(-x), -log(1 - σ(x)) is softplus(x).
        let parts = [softplus(-0.5), softplus(-1.0), softplus(2.0), softplus(0.0)];
        let plain = LossFunction::new(&Loss::BceWithLogits { pos_weight: None });
        assert_near(&plain.mean(&output, &y).unwrap(), parts.iter().sum::<f64>() / 4.0);
        assert_near(&plain.sum(&output, &y).unwrap(), parts.iter().sum::<f64>());
        assert_eq!(plain.mass(&y).unwrap(), 4.0);
        // The mean is over all tags of all examples, whatever their weight.
        let weighted = LossFunction::new(&Loss::BceWithLogits {
            pos_weight: Some(vec![3.0, 0.5]),
        });
        let expected = 3.0 * parts[0] + parts[1] + parts[2] + 0.5 * parts[3];
        assert_near(&weighted.mean(&output, &y).unwrap(), expected / 4.0);
        assert_eq!(weighted.mass(&y).unwrap(), 4.0);

        let (output, y) = (numbers(&[0.5, -1.0], 1), Tensor::from_slice(&[1_i64, 0]));
        assert_near(&plain.mean(&output, &y).unwrap(), (parts[0] + parts[1]) / 2.0);
        assert_eq!(plain.mass(&y).unwrap(), 2.0);
    }

    #[test]
    fn focal_of_tags_is_bce_weighted_by_the_miss() {
        let (output, y) = (numbers(&[0.5, -1.0], 2), numbers(&[1.0, 0.0], 2));
        let part = |loss: f64| (1.0 - (-loss).exp()).powi(2) * loss;
        let expected = (part(softplus(-0.5)) + part(softplus(-1.0))) / 2.0;
        let focal = LossFunction::new(&Loss::Focal { gamma: 2.0 });
        assert_near(&focal.mean(&output, &y).unwrap(), expected);
        assert_near(&focal.sum(&output, &y).unwrap(), 2.0 * expected);
        let flat = LossFunction::new(&Loss::Focal { gamma: 0.0 });
        let bce = LossFunction::new(&Loss::BceWithLogits { pos_weight: None });
        let bce = f64::try_from(bce.mean(&output, &y).unwrap()).unwrap();
        assert_near(&flat.mean(&output, &y).unwrap(), bce);
    }
}
