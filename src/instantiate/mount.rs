//! Where inputs are mounted and outputs are written, below the build directory.

/// Where an artifact, or any input of a builtin, is mounted.
pub(super) fn of_input(name: &str) -> String {
    format!("inputs/{name}")
}

/// Where a builtin writes an output.
pub(super) fn of_output(name: &str) -> String {
    format!("out/{name}")
}
