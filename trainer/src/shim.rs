//! The C++ shim (`shim/shim.cc`) and `mallopt`: what tch does not expose.

#![expect(unsafe_code, reason = "calls into the C++ shim and the C library")]

use crate::error::{Error, Outcome};
use std::ffi::{CStr, c_char};
use tch::Tensor;

type TensorPointers = *const *const torch_sys::C_tensor;

unsafe extern "C" {
    fn mlp_shim_free(text: *mut c_char);
    fn mlp_shim_adam(
        params: TensorPointers,
        grads: TensorPointers,
        averages: TensorPointers,
        squares: TensorPointers,
        count: usize,
        step: *const torch_sys::C_tensor,
        lr: f64,
        beta1: f64,
        beta2: f64,
        weight_decay: f64,
        eps: f64,
        decoupled: bool,
    ) -> *mut c_char;
    fn mlp_shim_sgd(
        params: TensorPointers,
        grads: TensorPointers,
        momenta: TensorPointers,
        count: usize,
        weight_decay: f64,
        momentum: f64,
        lr: f64,
        nesterov: bool,
        first: bool,
    ) -> *mut c_char;
    fn mlp_shim_max_pool2d(
        x: *const torch_sys::C_tensor,
        sizes: *const i64,
        pooled: *mut *mut torch_sys::C_tensor,
    ) -> *mut c_char;
    fn mlp_shim_deterministic() -> *mut c_char;
    fn mlp_shim_cpu_capability() -> *mut c_char;
}

/// What a step of Adam needs besides tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adam {
    pub(crate) lr: f64,
    pub(crate) betas: [f64; 2],
    pub(crate) weight_decay: f64,
    pub(crate) eps: f64,
    /// Whether weight decay acts on the weights (AdamW) instead of on the gradients.
    pub(crate) decoupled: bool,
}

/// What a step of SGD needs besides tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sgd {
    pub(crate) lr: f64,
    pub(crate) momentum: f64,
    pub(crate) weight_decay: f64,
    pub(crate) nesterov: bool,
    /// Whether the momenta are still unset.
    pub(crate) first: bool,
}

/// One fused step of Adam, the `step`-th (float32, shape []): changes `params` and both moments.
///
/// # Errors
/// When libtorch throws.
pub(crate) fn adam(
    params: &[Tensor],
    grads: &[Tensor],
    averages: &[Tensor],
    squares: &[Tensor],
    step: &Tensor,
    by: Adam,
) -> Outcome<()> {
    let count = params.len();
    assert!(
        [grads.len(), averages.len(), squares.len()]
            .iter()
            .all(|len| *len == count),
        "lists of one length"
    );
    let (p, g, m, v) = (
        pointers(params),
        pointers(grads),
        pointers(averages),
        pointers(squares),
    );
    let Adam {
        lr,
        betas: [beta1, beta2],
        weight_decay,
        eps,
        decoupled,
    } = by;
    // SAFETY: each list holds `count` pointers to tensors that live until the end of this function.
    let thrown = unsafe {
        let (p, g, m, v) = (p.as_ptr(), g.as_ptr(), m.as_ptr(), v.as_ptr());
        mlp_shim_adam(
            p,
            g,
            m,
            v,
            count,
            step.as_ptr(),
            lr,
            beta1,
            beta2,
            weight_decay,
            eps,
            decoupled,
        )
    };
    check(thrown)
}

/// One fused step of SGD: changes `params`, and `momenta` where momentum is used (else it is empty).
///
/// # Errors
/// When libtorch throws.
pub(crate) fn sgd(params: &[Tensor], grads: &[Tensor], momenta: &[Tensor], by: Sgd) -> Outcome<()> {
    let count = params.len();
    assert!(
        grads.len() == count && [0, count].contains(&momenta.len()),
        "lists of one length"
    );
    let (p, g, m) = (pointers(params), pointers(grads), pointers(momenta));
    let Sgd {
        lr,
        momentum,
        weight_decay,
        nesterov,
        first,
    } = by;
    let momenta = if m.is_empty() {
        std::ptr::null()
    } else {
        m.as_ptr()
    };
    // SAFETY: as in `adam`; the shim takes null momenta for none.
    let thrown = unsafe {
        mlp_shim_sgd(
            p.as_ptr(),
            g.as_ptr(),
            momenta,
            count,
            weight_decay,
            momentum,
            lr,
            nesterov,
            first,
        )
    };
    check(thrown)
}

/// The largest value of each window, with the bits and gradients of `at::max_pool2d`, in a fraction of its time.
///
/// # Errors
/// When libtorch throws.
pub(crate) fn max_pool2d(
    x: &Tensor,
    kernel_size: [i64; 2],
    stride: [i64; 2],
    padding: [i64; 2],
) -> Outcome<Tensor> {
    let sizes = [kernel_size, stride, padding].concat();
    let mut pooled = std::ptr::null_mut();
    // SAFETY: the shim reads six sizes; where it throws nothing, it gives a tensor that nobody else has.
    unsafe {
        check(mlp_shim_max_pool2d(x.as_ptr(), sizes.as_ptr(), &raw mut pooled))?;
        Ok(Tensor::from_ptr(pooled))
    }
}

/// Chooses deterministic kernels wherever there is a choice.
///
/// # Errors
/// When libtorch throws.
pub(crate) fn deterministic() -> Outcome<()> {
    // SAFETY: takes nothing.
    check(unsafe { mlp_shim_deterministic() })
}

/// The instruction set that ATen's kernels were chosen for: `AVX2`.
pub(crate) fn cpu_capability() -> String {
    // SAFETY: takes nothing, and gives a text that `take` frees.
    take(unsafe { mlp_shim_cpu_capability() })
}

/// Keeps large blocks inside the heap, instead of mapping and unmapping them at each operation: convolutions spend up to
/// a quarter of their time there else. To be called before the first tensor.
pub(crate) fn keep_memory() {
    const MIB: i32 = 1 << 20;
    // SAFETY: changes only the allocator's parameters; a refused one leaves it as it was.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1024 * MIB);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 2047 * MIB);
        libc::mallopt(libc::M_TOP_PAD, 64 * MIB);
    }
}

/// Seconds of all processors that this program has used, and the most bytes of memory that it has held.
pub(crate) fn usage() -> (f64, f64) {
    // SAFETY: `getrusage` fills the structure that it is given, for which zeros are a value.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    (cpu, usage.ru_maxrss as f64 * 1024.0)
}

fn pointers(tensors: &[Tensor]) -> Vec<*const torch_sys::C_tensor> {
    tensors.iter().map(Tensor::as_ptr).collect()
}

fn check(thrown: *mut c_char) -> Outcome<()> {
    if thrown.is_null() {
        Ok(())
    } else {
        Err(Error::Torch(take(thrown)))
    }
}

/// Copies and frees a text of the shim's.
fn take(text: *mut c_char) -> String {
    // SAFETY: the shim gives a string by strdup, and nobody else has it.
    unsafe {
        let copied = CStr::from_ptr(text).to_string_lossy().into_owned();
        mlp_shim_free(text);
        copied
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlp_data::random::Random;
    use tch::Kind;

    /// Few different values, so that windows have ties; zeros of both signs, NaN and infinities among them.
    fn images(shape: &[i64], random: &mut Random) -> Tensor {
        let values = [
            -2.0,
            -1.0,
            -0.0,
            0.0,
            1.0,
            2.0,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
        ];
        let count = shape.iter().product::<i64>();
        let mut value = || match random.below(40) as usize {
            rare @ 6..=8 => values[rare],
            other => values[other % 6],
        };
        let numbers: Vec<f32> = (0..count).map(|_| value()).collect();
        Tensor::from_slice(&numbers).view(shape)
    }

    /// Outputs, and the gradient of their weighted sum, as bits.
    fn bits(x: &Tensor, weight: &Tensor, pool: impl Fn(&Tensor) -> Tensor) -> (Vec<i64>, Vec<u32>, Vec<u32>) {
        let x = x.detach().set_requires_grad(true);
        let y = pool(&x);
        let grads = Tensor::run_backward(&[&(&y * weight).sum(Kind::Float)], &[&x], false, false);
        let raw = |tensor: &Tensor| {
            let numbers = Vec::<f32>::try_from(tensor.detach().contiguous().view(-1)).unwrap();
            // Of NaN there are many.
            let canonical = |number: &f32| if number.is_nan() { f32::NAN } else { *number };
            numbers
                .iter()
                .map(|number| canonical(number).to_bits())
                .collect::<Vec<u32>>()
        };
        (y.size(), raw(&y), raw(&grads[0]))
    }

    #[test]
    fn max_pooling_has_the_bits_of_libtorchs() {
        let mut random = Random::new(1, "test");
        for (kernel, stride, padding) in [
            ([2, 2], [2, 2], [0, 0]),
            ([3, 3], [2, 2], [1, 1]),
            ([3, 2], [1, 3], [1, 0]),
            ([3, 3], [3, 3], [0, 0]),
            ([1, 5], [1, 4], [0, 2]),
            ([17, 17], [2, 2], [0, 0]),
        ] {
            for size in [[18, 17], [19, 32], [21, 20]] {
                let x = images(&[2, 3, size[0], size[1]], &mut random);
                let theirs = |x: &Tensor| x.max_pool2d(kernel, stride, padding, [1, 1], false);
                let weight = images(&theirs(&x).size(), &mut random).nan_to_num(3.0, 4.0, -0.0);
                let ours = |x: &Tensor| max_pool2d(x, kernel, stride, padding).unwrap();
                let found = bits(&x, &weight, ours);
                assert!(
                    found == bits(&x, &weight, theirs),
                    "{kernel:?} {stride:?} {padding:?} {size:?}"
                );
                // Other layouts of memory, and without a gradient.
                let turned = x.transpose(2, 3).contiguous().transpose(2, 3);
                assert!(bits(&turned, &weight, ours) == found);
                let plain = tch::no_grad(|| ours(&x)).nan_to_num(3.0, 4.0, 5.0);
                assert!(plain.equal(&theirs(&x).nan_to_num(3.0, 4.0, 5.0)));
            }
        }
    }

    #[test]
    fn sizes_that_are_wrong_are_libtorchs_errors() {
        let x = Tensor::zeros([1, 1, 2, 2], (Kind::Float, tch::Device::Cpu));
        assert!(max_pool2d(&x, [3, 3], [1, 1], [0, 0]).is_err());
        assert!(max_pool2d(&x, [2, 2], [1, 1], [2, 2]).is_err());
    }
}
