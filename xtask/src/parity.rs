//! `cargo xtask parity`: the trainer against PyTorch, for each layer, loss, optimizer and schedule that both have.

use crate::{libtorch, machine, peers, shell};

/// Gets PyTorch and runs the table of cases; those alone whose name contains `case`.
pub(crate) fn run(case: &str) -> Result<(), String> {
    machine::check()?;
    let torch = libtorch::ensure()?;
    let programs = peers::ensure(&peers::PYTORCH).ok_or("there is no PyTorch to compare with")?;
    let line = "cargo test --package mlp-trainer --test program -- parity --ignored --nocapture";
    let mut command = shell::command(line);
    command
        .env("LIBTORCH", &torch)
        .env("MLP_PYTORCH", programs.join("python3"))
        .env("MLP_PARITY_CASE", case);
    shell::run(&mut command).map(|_| ())
}
