//! The pinned arithmetic: which instruction set, how many threads, which kernels. Results must not depend on the machine.

use crate::error::Outcome;
use crate::shim;
use mlp_protocol::builtin::NUMERICS_ENVIRONMENT;
use mlp_protocol::message::Failure;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Starts the program anew if libtorch was loaded without the environment that pins its kernels: it is read once, before
/// `main`. `mlp` sets it; a person who runs the trainer by hand need not.
///
/// # Errors
/// When the program cannot be started anew.
#[expect(
    clippy::disallowed_methods,
    reason = "the program becomes itself, and starts no other"
)]
pub(crate) fn ensure_environment() -> std::io::Result<()> {
    let is_set = |(name, value): &(&str, &str)| std::env::var_os(name).is_some_and(|now| now == *value);
    if NUMERICS_ENVIRONMENT.iter().all(is_set) {
        return Ok(());
    }
    let program = std::env::current_exe()?;
    let environment = NUMERICS_ENVIRONMENT.iter().copied();
    Err(Command::new(program)
        .args(std::env::args_os().skip(1))
        .envs(environment)
        .exec())
}

/// Pins what can be pinned in the process. To be called before the first tensor.
///
/// # Errors
/// When the machine lacks the instruction set, or libtorch chose another.
pub(crate) fn pin() -> Outcome<()> {
    if !has_avx2() {
        return Err(Failure::new("B0209", "this machine's processor has no AVX2")
            .help("train on an x86-64 machine made since 2013 (Intel Haswell, AMD Excavator or later)")
            .into());
    }
    let capability = shim::cpu_capability();
    if capability != "AVX2" {
        let message = format!("libtorch chose its kernels for {capability} instead of AVX2");
        return Err(Failure::new("B0209", message).into());
    }
    shim::keep_memory();
    tch::set_num_threads(1);
    shim::deterministic()
}

/// Threads that each run libtorch with one thread of its own: whatever their number, each operation's bits are the same.
///
/// # Errors
/// When they cannot be started.
pub(crate) fn workers(count: u32) -> Outcome<ThreadPool> {
    let pool = ThreadPoolBuilder::new()
        .num_threads(count.max(1) as usize)
        .start_handler(|_| tch::set_num_threads(1));
    pool.build()
        .map_err(|error| Failure::new("B0002", format!("worker threads cannot be started: {error}")).into())
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx2() -> bool {
    false
}
