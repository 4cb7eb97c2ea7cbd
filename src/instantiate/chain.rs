//! Keys of a training's states. They cover what a state depends on and nothing else: not metrics, early stopping, nor
//! which epoch is kept; and the validation data only where a plateau of their loss moves the learning rate.

use super::resolve::Resolution;
use crate::base::digest::{Context, Digest};
use crate::base::encoding::{EncodeError, Writer};
use crate::model::datum;
use crate::model::derivation::{Builder, Derivation};
use mlp_protocol::chain::plan_chain;
use mlp_protocol::train::TrainArgs;

/// The schema of what chain keys hash.
const SCHEMA: u16 = 1;
/// The builtin that has a chain.
const TRAIN: &str = "ml.train";

/// Why a training has no chain.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The arguments are not those of a training.
    #[error("the arguments of `ml.train` cannot be read: {0}")]
    Args(#[from] serde_json::Error),
    /// A value without canonical form.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Keys of the states of a training: before its first epoch, then after each. None for any other derivation.
pub fn chain_keys(
    derivation: &Derivation,
    resolution: &Resolution,
) -> Result<Option<Vec<Digest>>, ChainError> {
    let Builder::Builtin {
        name,
        version,
        numerics,
    } = &derivation.builder
    else {
        return Ok(None);
    };
    if name != TRAIN {
        return Ok(None);
    }
    let args: TrainArgs = serde_json::from_value(datum::to_json(&derivation.args))?;
    let plan = plan_chain(&args);
    let input = |name: &str| resolution.inputs.get(&super::mount::of_input(name));
    let mut writer = Writer::new(SCHEMA);
    writer.record(|record| {
        record.field(1, |writer| writer.bytes(&plan.base));
        for (id, name) in [(2, "on"), (3, "init")] {
            if let Some(input) = input(name) {
                record.field(id, |writer| input.node.write(writer));
            }
        }
        for (id, text) in [(4, &derivation.device_class), (5, numerics)] {
            if let Some(text) = text {
                record.field(id, |writer| writer.str(text));
            }
        }
        record.field(6, |writer| writer.int(i64::from(*version)));
        if let Some(val) = input("val").filter(|_| plan.validated) {
            record.field(7, |writer| val.node.write(writer));
        }
    });
    let mut keys = vec![Digest::of(Context::ChainBase, &writer.finish()?)];
    for epoch in &plan.epochs {
        let mut writer = Writer::new(SCHEMA);
        writer.record(|record| {
            // The list began with one and only grows.
            record.field(1, |writer| writer.bytes(keys[keys.len() - 1].as_bytes()));
            record.field(2, |writer| writer.bytes(&epoch.bytes()));
        });
        keys.push(Digest::of(Context::ChainStep, &writer.finish()?));
    }
    Ok(Some(keys))
}
