//! The `mlp-trainer` program, run as `mlp` runs it: on a `call.json` in its working directory.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bits;
mod call;
mod failures;
mod resume;
mod values;
