//! A model on disk: `model.json` and `weights.safetensors`, the network's `state_dict`.

use crate::error::Outcome;
use crate::network::{Leaves, Network};
use crate::optimizer::copy;
use crate::tensors;
use mlp_data::files;
use mlp_data::safetensors::{self, Array};
use mlp_protocol::message::Failure;
use mlp_protocol::train::ModelFile;
use std::collections::BTreeMap;
use std::path::Path;
use tch::Tensor;

/// The version of the format.
pub(crate) const FORMAT: u32 = 1;

/// Weights by their paths.
pub(crate) type Weights = BTreeMap<String, Array>;

/// Copies a network's parameters and buffers out.
///
/// # Errors
/// When libtorch throws.
pub(crate) fn weights(network: &Network, leaves: &Leaves) -> Outcome<Weights> {
    let params = network.param_names.iter().zip(&leaves.params);
    let buffers = network.buffer_names.iter().zip(&leaves.buffers);
    params
        .chain(buffers)
        .map(|(name, tensor)| Ok((name.clone(), tensors::to_array(tensor)?)))
        .collect()
}

/// Copies weights into a network.
///
/// # Errors
/// When they are of another network.
pub(crate) fn load_weights(network: &Network, leaves: &Leaves, weights: &Weights) -> Outcome<()> {
    let params = network.param_names.iter().zip(&leaves.params);
    let buffers = network.buffer_names.iter().zip(&leaves.buffers);
    let own: BTreeMap<&str, &Tensor> = params
        .chain(buffers)
        .map(|(name, tensor)| (name.as_str(), tensor))
        .collect();
    if let Some(missing) = own.keys().find(|name| !weights.contains_key(**name)) {
        let (layer, tensor) = layer_of(missing);
        return Err(another(&format!("has no `{tensor}` of {layer}")).into());
    }
    if let Some(other) = weights.keys().find(|name| !own.contains_key(name.as_str())) {
        let what = format!("has the tensor `{other}`, and the network has none of that name");
        return Err(another(&what).into());
    }
    for (name, tensor) in own {
        let shape = || weights[name].shape.iter().map(|size| size.cast_signed());
        if !shape().eq(tensor.size()) {
            let (layer, part) = layer_of(name);
            let what = format!(
                "has a `{part}` of {layer} of shape {:?}, where the network has {:?}",
                shape().collect::<Vec<_>>(),
                tensor.size()
            );
            return Err(another(&what).into());
        }
        copy(weights, name, tensor)?;
    }
    Ok(())
}

/// Copies weights into a network, which may have others besides.
///
/// # Errors
/// When they are of another network.
pub(crate) fn start_from(network: &Network, leaves: &Leaves, weights: &Weights) -> Outcome<()> {
    let params = network.param_names.iter().zip(&leaves.params);
    let buffers = network.buffer_names.iter().zip(&leaves.buffers);
    params
        .chain(buffers)
        .filter(|(name, _)| weights.contains_key(*name))
        .try_for_each(|(name, tensor)| copy(weights, name, tensor))
}

/// The layer of a tensor in words, and what the tensor is in it: `head.weight` is the `weight` of the layer `head`.
fn layer_of(name: &str) -> (String, &str) {
    match name.rsplit_once('.') {
        Some((layer, part)) => (format!("the layer `{layer}`"), part),
        None => ("the only layer".to_owned(), name),
    }
}

/// The failure of weights that stand beside a network that they are not of.
fn another(what: &str) -> Box<Failure> {
    Failure::new(
        "B0208",
        format!("weights.safetensors is of another network: it {what}"),
    )
    .help("build the step that made it again, with `--check`")
}

/// Writes a model as the directory `path`.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write(path: &Path, file: &ModelFile, weights: &Weights) -> Outcome<()> {
    files::create_dir(path)?;
    files::write(&path.join("model.json"), &files::json(file))?;
    Ok(safetensors::write(&path.join("weights.safetensors"), weights)?)
}

/// Reads the model at `path`.
///
/// # Errors
/// When it is damaged, or of another version.
pub(crate) fn read(path: &Path) -> Outcome<(ModelFile, Network, Leaves)> {
    let text = files::read(&path.join("model.json"), "model.json")?;
    let file: ModelFile = serde_json::from_slice(&text).map_err(|error| {
        Failure::new("B0208", format!("model.json cannot be read: {error}")).argument("model")
    })?;
    if file.format != FORMAT {
        let message = format!(
            "model.json is of format {}, but this version reads {FORMAT}",
            file.format
        );
        return Err(Failure::new("B0208", message).argument("model").into());
    }
    let weights = safetensors::read(&path.join("weights.safetensors"), "weights.safetensors", "B0208")?;
    let (network, leaves) = Network::new(&file.net, 0)?;
    load_weights(&network, &leaves, &weights)?;
    Ok((file, network, leaves))
}
