//! The `mlp` program.
fn main() {}
