//! What a model says of a dataset: `ml.evaluate` measures it, `ml.predict` keeps it, and `ml.score` measures what was kept.

use crate::agreement;
use crate::error::Outcome;
use crate::examples::Examples;
use crate::model;
use crate::network::{Leaves, Network};
use crate::numerics;
use crate::tensors;
use crate::validation::{Passes, Validation};
use mlp_data::predictions::{FORMAT, Predictions};
use mlp_data::{files, program};
use mlp_protocol::call::Call;
use mlp_protocol::data::{Schema, Target};
use mlp_protocol::message::Failure;
use mlp_protocol::predictions::{PredictArgs, PredictionsFile, ScoreArgs};
use mlp_protocol::train::{EvaluateArgs, ModelFile};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use tch::Tensor;

/// Builds `ml.evaluate`.
///
/// # Errors
/// When model and data disagree, or files cannot be read or written.
pub(crate) fn evaluate(call: &Call) -> Outcome<()> {
    let args: EvaluateArgs = program::arguments(call)?;
    let run = ModelOn::read(call, &args.device, agreement::compares(None, &args.metrics))?;
    agreement::check_metrics(&args.metrics, &run.on.schema.y, &run.file.net.output)?;
    let pool = numerics::workers(call.workers)?;
    let begun = Instant::now();
    let validation = Validation {
        metrics: &args.metrics,
        loss: None,
        batch_size: args.batch_size,
        smoke: args.smoke,
    };
    let metrics = validation.run(&run.network, &run.leaves, &run.on, &pool)?;
    let took = begun.elapsed();
    if let Some(path) = call.outputs.get("metrics") {
        files::write(Path::new(path), &files::json(&metrics))?;
    }
    timings(call, took, run.on.schema.examples)
}

/// Builds `ml.predict`.
///
/// # Errors
/// When model and data disagree, or files cannot be read or written.
pub(crate) fn predict(call: &Call) -> Outcome<()> {
    let args: PredictArgs = program::arguments(call)?;
    let run = ModelOn::read(call, &args.device, false)?;
    let pool = numerics::workers(call.workers)?;
    let begun = Instant::now();
    let passes = Passes {
        network: &run.network,
        leaves: &run.leaves,
        examples: &run.on,
        batch_size: args.batch_size,
        smoke: args.smoke,
        pool: &pool,
    };
    let said = passes.run(
        || (),
        |(): &(), output, y| Ok((output.shallow_clone(), y.shallow_clone())),
    )?;
    let took = begun.elapsed();
    let (outputs, targets): (Vec<_>, Vec<_>) = said.into_iter().unzip();
    let outputs = tensors::to_array(&Tensor::f_cat(&outputs, 0)?)?;
    let Some(path) = call.outputs.get("predictions") else {
        return timings(call, took, run.on.schema.examples);
    };
    let meta = Path::new(program::input(call, "on")?).join("meta.csv");
    // A trial predicts the first examples alone, and drops what is carried along.
    let meta = (args.smoke.is_none() && meta.exists())
        .then(|| files::read(&meta, "meta.csv"))
        .transpose()?;
    let predictions = Predictions {
        file: PredictionsFile {
            format: FORMAT,
            examples: outputs.shape.first().copied().unwrap_or(0),
            outputs: outputs.shape.get(1..).unwrap_or_default().to_vec(),
            y: run.on.schema.y.clone(),
            batch_size: args.batch_size,
        },
        outputs,
        y: tensors::to_array(&Tensor::f_cat(&targets, 0)?)?,
        meta,
    };
    predictions.write(Path::new(path))?;
    timings(call, took, run.on.schema.examples)
}

/// Builds `ml.score`.
///
/// # Errors
/// When a metric does not fit the predictions, or files cannot be read or written.
pub(crate) fn score(call: &Call) -> Outcome<()> {
    let args: ScoreArgs = program::arguments(call)?;
    let said = Predictions::read(Path::new(program::input(call, "predictions")?), "predictions")?;
    if said.file.examples == 0 {
        return Err(Failure::new("B0220", "`predictions` are of no examples")
            .argument("predictions")
            .into());
    }
    let output: Vec<i64> = said.file.outputs.iter().map(|size| size.cast_signed()).collect();
    if agreement::compares(None, &args.metrics) {
        agreement::check_output(&said.file.y, &output, "predictions")?;
    }
    agreement::check_metrics(&args.metrics, &said.file.y, &output)?;
    let validation = Validation {
        metrics: &args.metrics,
        loss: None,
        batch_size: said.file.batch_size,
        smoke: None,
    };
    let metrics = validation.of(
        &tensors::from_array(&said.outputs)?,
        &tensors::from_array(&said.y)?,
    )?;
    match call.outputs.get("metrics") {
        Some(path) => Ok(files::write(Path::new(path), &files::json(&metrics))?),
        None => Ok(()),
    }
}

/// A model and the examples that it is run on.
struct ModelOn {
    file: ModelFile,
    network: Network,
    leaves: Leaves,
    on: Examples,
}

impl ModelOn {
    /// The call's inputs; `compares` is whether outputs are held against targets number by number.
    fn read(call: &Call, device: &str, compares: bool) -> Outcome<Self> {
        agreement::check_device(device)?;
        let (file, network, leaves) = model::read(Path::new(program::input(call, "model")?))?;
        let on = Examples::read(program::input(call, "on")?, "on")?;
        if !is_of(&file, &on.schema) {
            return Err(other_recipe(&file, &on.schema).into());
        }
        agreement::check_data(&on.schema, &file.net, "on", compares)?;
        Ok(ModelOn {
            file,
            network,
            leaves,
            on,
        })
    }
}

/// Whether the model may be measured on these examples. What a script trained on is known only where its step was given
/// the dataset; else the labels have to be of the same kind and number.
fn is_of(file: &ModelFile, on: &Schema) -> bool {
    let size = |target: &Target| match target {
        Target::Class { classes, .. } => (0, *classes),
        Target::Tags { classes, .. } => (1, *classes),
        Target::Real { size } => (2, *size),
    };
    match file.recipe.is_null() {
        true => size(&file.y) == size(&on.y),
        false => (&file.y, &file.recipe) == (&on.y, &on.recipe),
    }
}

fn other_recipe(file: &ModelFile, on: &Schema) -> Box<Failure> {
    let message = match (file.recipe.is_null(), file.y == on.y) {
        (false, true) => "the model was trained on examples that were read by another recipe",
        _ => "the model was trained on examples with other labels",
    };
    Failure::new("B0204", message)
        .argument("on")
        .help("evaluate it on a part of the dataset that it was trained on, or one read by the same codecs")
}

/// Writes the observed output `timings`: how long the network and what was made of its outputs took.
fn timings(call: &Call, took: Duration, examples: u64) -> Outcome<()> {
    let Some(path) = call.outputs.get("timings") else {
        return Ok(());
    };
    let seconds = took.as_secs_f64();
    let timings = json!({
        "seconds": seconds,
        "examples_per_second": examples as f64 / seconds.max(f64::MIN_POSITIVE),
        "milliseconds_per_example": 1000.0 * seconds / examples.max(1) as f64,
    });
    Ok(files::write(Path::new(path), &files::json(&timings))?)
}
