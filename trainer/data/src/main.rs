//! The `mlp-data` program: builds data derivations and small arithmetic on results. `mlp` starts it in a build directory that holds `call.json`.

use mlp_data::{
    arrays, calc, choose, cifar, concat, csv, folds, idx, images, log_mel, parquet, plot, program, propose,
    sample, split, unpack,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    program::run(|call, channel| match call.builtin.as_str() {
        "calc" => calc::build(call, channel),
        "choose" => choose::build(call, channel),
        "data.arrays" => arrays::build(call, channel),
        "data.balance" => sample::build_balance(call, channel),
        "data.cifar" => cifar::build(call, channel),
        "data.concat" => concat::build(call, channel),
        "data.csv" => csv::build(call, channel),
        "data.folds" => folds::build(call, channel),
        "data.idx" => idx::build(call, channel),
        "data.image_folder" => images::folder::build(call, channel),
        "data.log_mel" => log_mel::build(call, channel),
        "data.parquet" => parquet::build(call, channel),
        "data.resize" => images::resize::build(call, channel),
        "data.split" => split::build(call, channel),
        "data.take" => sample::build_take(call, channel),
        "data.top_classes" => sample::build_top_classes(call, channel),
        "plot.confusion" | "plot.curves" | "plot.images" | "plot.roc" | "plot.scatter" => {
            plot::build(call, channel)
        }
        "propose" => propose::build(call, channel),
        "unpack" => unpack::build(call, channel),
        other => Err(program::unknown_builtin("mlp-data", other)),
    })
}
