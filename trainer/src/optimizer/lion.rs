//! Lion (Chen et al., 2023, algorithm 2), which PyTorch has not.

use crate::error::Outcome;
use tch::Tensor;

/// One train step: weights move by the sign of an interpolation of gradient and mean gradient; weight decay acts on the
/// weights.
///
/// # Errors
/// When libtorch throws.
pub(super) fn step(
    params: &[Tensor],
    grads: &[Tensor],
    averages: &[Tensor],
    lr: f64,
    weight_decay: f64,
    betas: [f64; 2],
) -> Outcome<()> {
    for ((param, grad), average) in params.iter().zip(grads).zip(averages) {
        let mut param = param.shallow_clone();
        if weight_decay != 0.0 {
            let _ = param.f_mul_scalar_(1.0 - lr * weight_decay)?;
        }
        let direction = average.f_lerp(grad, 1.0 - betas[0])?.f_sign()?;
        let _ = param.f_add_(&direction.f_mul_scalar(-lr)?)?;
        let _ = average.shallow_clone().f_lerp_(grad, 1.0 - betas[1])?;
    }
    Ok(())
}
