//! The `mlp-data` program: builds data derivations. `mlp` starts it in a build directory that holds `call.json`.

use mlp_data::{csv, program, split};
use std::process::ExitCode;

fn main() -> ExitCode {
    program::run(|call, channel| match call.builtin.as_str() {
        "data.csv" => csv::build(call, channel),
        "data.split" => split::build(call, channel),
        other => Err(program::unknown_builtin("mlp-data", other)),
    })
}
