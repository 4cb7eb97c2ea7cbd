//! `ml.evaluate`.

use crate::agreement;
use crate::error::Outcome;
use crate::examples::Examples;
use crate::model;
use crate::numerics;
use crate::validation::Validation;
use mlp_data::{files, program};
use mlp_protocol::call::Call;
use mlp_protocol::data::{Schema, Target};
use mlp_protocol::message::Failure;
use mlp_protocol::train::{EvaluateArgs, ModelFile};
use serde_json::json;
use std::path::Path;
use std::time::Instant;

/// Whether the model may be measured on these examples. What a script trained on is known only where its step was given
/// the dataset; else the labels have to be of the same kind and number.
fn is_of(file: &ModelFile, on: &Schema) -> bool {
    let size = |target: &Target| match target {
        Target::Class { classes, .. } => ("class", *classes),
        Target::Real { size } => ("real", *size),
        Target::Tags { classes, .. } => ("tags", *classes),
    };
    match file.recipe.is_null() {
        true => size(&file.y) == size(&on.y),
        false => (&file.y, &file.recipe) == (&on.y, &on.recipe),
    }
}

/// Builds `ml.evaluate`.
///
/// # Errors
/// When model and data disagree, or files cannot be read or written.
pub(crate) fn build(call: &Call) -> Outcome<()> {
    let args: EvaluateArgs = program::arguments(call)?;
    agreement::check_device(&args.device)?;
    let (file, network, leaves) = model::read(Path::new(program::input(call, "model")?))?;
    let on = Examples::read(program::input(call, "on")?, "on")?;
    if !is_of(&file, &on.schema) {
        return Err(Failure::new(
            "B0204",
            "the model was trained on examples that were read by another recipe",
        )
        .argument("on")
        .help("evaluate it on a part of the dataset that it was trained on, or one read by the same codecs")
        .into());
    }
    let compares = agreement::compares(None, &args.metrics);
    agreement::check_data(&on.schema, &file.net, "on", compares)?;
    agreement::check_metrics(&args.metrics, &on.schema.y)?;
    let pool = numerics::workers(call.workers)?;
    let begun = Instant::now();
    let validation = Validation {
        metrics: &args.metrics,
        loss: None,
        batch_size: args.batch_size,
    };
    let metrics = validation.run(&network, &leaves, &on, &pool)?;
    let seconds = begun.elapsed().as_secs_f64();
    if let Some(path) = call.outputs.get("metrics") {
        files::write(Path::new(path), &files::json(&metrics))?;
    }
    if let Some(path) = call.outputs.get("timings") {
        let examples_per_second = on.schema.examples as f64 / seconds.max(f64::MIN_POSITIVE);
        let timings = json!({ "seconds": seconds, "examples_per_second": examples_per_second });
        files::write(Path::new(path), &files::json(&timings))?;
    }
    Ok(())
}
