//! The `mlp` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    mlp::cli::main()
}
