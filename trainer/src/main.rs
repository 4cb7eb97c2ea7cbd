//! The `mlp-trainer` program.
fn main() {}
