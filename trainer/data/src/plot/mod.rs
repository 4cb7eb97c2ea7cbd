//! `plot.…`: figures of results, as SVG.

mod axes;
mod confusion;
mod curves;
mod images;
pub(crate) mod png;
mod roc;
mod scatter;
mod svg;

use crate::channel::Channel;
use crate::{files, program};
use mlp_protocol::call::Call;
use mlp_protocol::message::Outcome;
use std::path::Path;

pub use images::images;

/// Builds the figure that the call names.
///
/// # Errors
/// When it has nothing to show, or files cannot be read or written.
pub fn build(call: &Call, _: &Channel) -> Outcome<()> {
    let figure = match call.builtin.as_str() {
        "plot.confusion" => confusion::figure(call)?,
        "plot.curves" => curves::figure(call)?,
        "plot.images" => images::figure(call)?,
        "plot.roc" => roc::figure(call)?,
        "plot.scatter" => scatter::figure(call)?,
        other => return Err(program::unknown_builtin("mlp-data", other)),
    };
    match call.outputs.get("plot") {
        Some(path) => files::write(Path::new(path), figure.as_bytes()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
