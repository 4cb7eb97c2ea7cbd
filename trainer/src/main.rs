//! The `mlp-trainer` program: builds trainings and evaluations on libtorch. `mlp` starts it in a build directory that
//! holds `call.json`; docs/trainer.md says how to run it by hand.

mod adapt;
mod agreement;
mod augment;
mod dropout;
mod ema;
mod error;
mod evaluate;
mod examples;
mod graph;
mod history;
mod learner;
mod loader;
mod loss;
mod model;
mod network;
mod numerics;
mod optimizer;
mod progress;
mod scores;
mod shim;
mod states;
mod tensors;
mod train;
mod validation;

use mlp_data::program;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Err(error) = numerics::ensure_environment() {
        eprintln!("the trainer cannot be started with its pinned arithmetic: {error}");
        return ExitCode::from(2);
    }
    if std::env::args().nth(1).as_deref() == Some(mlp_sandbox::HELPER_ARGUMENT) {
        // libtorch is loaded: every build from now on is a fork.
        mlp_sandbox::helper_main(Some(work));
    }
    ExitCode::from(work())
}

/// Builds what the call in the working directory says; gives the exit status.
fn work() -> u8 {
    program::status(|call, channel| {
        numerics::pin()?;
        match call.builtin.as_str() {
            "ml.train" => Ok(train::build(call, channel)?),
            "ml.evaluate" => Ok(evaluate::evaluate(call)?),
            "ml.predict" => Ok(evaluate::predict(call)?),
            "ml.score" => Ok(evaluate::score(call)?),
            other => Err(program::unknown_builtin("mlp-trainer", other)),
        }
    })
}
