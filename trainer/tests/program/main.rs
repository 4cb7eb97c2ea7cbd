//! The `mlp-trainer` program, run as `mlp` runs it: on a `call.json` in its working directory.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and stands for mlp: it starts programs"
)]

mod augment;
mod bits;
mod call;
mod failures;
mod fitting;
mod inputs;
mod parity;
mod predictions;
mod resume;
mod traced;
mod values;
