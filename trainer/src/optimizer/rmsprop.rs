//! RMSprop, in the order of operations of `torch.optim.RMSprop`.

use crate::error::Outcome;
use tch::Tensor;

/// The state of RMSprop, by PyTorch's names.
pub(super) struct Rmsprop {
    pub(super) alpha: f64,
    pub(super) eps: f64,
    /// `square_avg`.
    pub(super) squares: Vec<Tensor>,
    /// `grad_avg`; empty where it is not centred.
    pub(super) averages: Vec<Tensor>,
    /// `momentum_buffer`; empty without momentum.
    pub(super) momenta: Vec<Tensor>,
}

impl Rmsprop {
    /// One train step.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(super) fn step(
        &self,
        params: &[Tensor],
        grads: &[Tensor],
        lr: f64,
        weight_decay: f64,
        momentum: f64,
    ) -> Outcome<()> {
        for (index, (param, grad)) in params.iter().zip(grads).enumerate() {
            let grad = if weight_decay == 0.0 {
                grad.shallow_clone()
            } else {
                grad.f_add(&param.f_mul_scalar(weight_decay)?)?
            };
            let mut square = self.squares[index].shallow_clone();
            let _ = square.f_mul_scalar_(self.alpha)?;
            let _ = square.f_add_(&grad.f_mul_scalar(1.0 - self.alpha)?.f_mul(&grad)?)?;
            let mean_square = match self.averages.get(index) {
                Some(average) => {
                    let _ = average.shallow_clone().f_lerp_(&grad, 1.0 - self.alpha)?;
                    square.f_sub(&average.f_mul(average)?)?
                }
                None => square,
            };
            let scale = mean_square.f_sqrt()?.f_add_scalar(self.eps)?;
            let mut param = param.shallow_clone();
            match self.momenta.get(index) {
                Some(buffer) => {
                    let mut buffer = buffer.shallow_clone();
                    let _ = buffer.f_mul_scalar_(momentum)?;
                    let _ = buffer.f_add_(&grad.f_div(&scale)?)?;
                    let _ = param.f_add_(&buffer.f_mul_scalar(-lr)?)?;
                }
                None => drop(param.f_add_(&grad.f_mul_scalar(-lr)?.f_div(&scale)?)?),
            }
        }
        Ok(())
    }
}
