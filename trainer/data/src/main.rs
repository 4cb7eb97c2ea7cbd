//! The `mlp-data` program: builds data derivations.
fn main() {}
