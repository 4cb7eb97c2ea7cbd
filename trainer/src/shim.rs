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

/// One fused step of Adam: changes `params`, both moments, and adds one to `step` (float32, shape []).
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
