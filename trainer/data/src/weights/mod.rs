//! Weights that a training starts from: the tensors of a file, held against those that a network has.
//!
//! Files are safetensors, or what `torch.save` wrote of a `state_dict`. Nothing of a file is executed.

mod pickle;
mod torch_file;

use crate::bytes::Bytes;
use crate::columns::nearest;
use crate::safetensors::{Array, Described, Dtype};
use crate::{files, safetensors};
use mlp_protocol::message::{Failure, Outcome};
use mlp_protocol::net::Net;
use mlp_protocol::optim::names_layer;
use mlp_protocol::state_dict::{Expected, state_dict};
use mlp_protocol::train::Init;
use std::collections::BTreeMap;
use std::path::Path;

/// The code of files that weights cannot be taken from.
const CODE: &str = "B0211";
/// Tensors that a message lists by name.
const LISTED: usize = 6;

/// A tensor of a file: dense, in row-major order, little-endian.
struct Stored {
    element: Element,
    shape: Vec<u64>,
    bytes: Bytes,
}

/// What a tensor's elements are.
#[derive(Clone, Debug, PartialEq)]
enum Element {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    /// What no network has, as its file calls it, and the bytes of one.
    Other(String, usize),
}

impl Element {
    fn size(&self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Other(_, size) => *size,
        }
    }
}

/// The tensors that a network of `net` takes from the input `init` at `path`, by their names in the network. Those that
/// `init` skips are left out, and so is what a file need not hold: the numbers that `nn.normalize` learns from the data,
/// and batch norm's count of batches, which older files lack.
///
/// # Errors
/// When the file cannot be read, or lacks a tensor of the network, or has it in another shape.
pub fn taken(path: &Path, init: &Init, net: &Net) -> Outcome<BTreeMap<String, Array>> {
    let (at, skip) = match init {
        Init::Model {} => ("", &[][..]),
        Init::Weights { at, skip } => (at.as_str(), skip.as_slice()),
    };
    let stored = below(read(path)?, at)?;
    let mut wanted = state_dict(net);
    wanted.retain(|name, _| !skip.iter().any(|pattern| names_layer(pattern, name)));
    let learned: Vec<String> = learned(&wanted);
    wanted.retain(|name, _| stored.contains_key(name) || !learned.contains(name));
    disagreements(&stored, &wanted)?;
    let array = |(name, expected): (String, Expected)| {
        let tensor = &stored[&name];
        let array = converted(tensor, expected.integers);
        array.map(|array| (name.clone(), array)).ok_or_else(|| {
            let elements = match &tensor.element {
                Element::Other(kind, _) => kind.clone(),
                element => format!("{element:?}").to_uppercase(),
            };
            let what = "which is not what the network has";
            let message = format!("tensor `{name}` of `init` has elements of {elements}, {what}");
            refused(message)
        })
    };
    wanted.into_iter().map(array).collect()
}

/// The names that a file may lack.
fn learned(wanted: &BTreeMap<String, Expected>) -> Vec<String> {
    let of_normalize = |name: &str| {
        let layer = name.strip_suffix("mean").or_else(|| name.strip_suffix("std"));
        // Of a layer's tensors only these two: a normalization that learns them.
        layer.is_some_and(|layer| layer.is_empty() || layer.ends_with('.'))
    };
    let counts = |name: &str| name.ends_with("num_batches_tracked");
    let names = wanted.keys().filter(|name| of_normalize(name) || counts(name));
    names.cloned().collect()
}

/// The tensors of a file, by its first bytes; of a model, those of its weights.
fn read(path: &Path) -> Outcome<BTreeMap<String, Stored>> {
    if path.is_dir() {
        let weights = path.join("weights.safetensors");
        if !weights.is_file() {
            let message = "`init` is a directory, and no model";
            return Err(refused(message).help("name the file inside the directory"));
        }
        return read(&weights);
    }
    let file = files::map(path, "the file of `init`")?;
    if let Some(found) = torch_file::read(&file) {
        return found.map_err(|why| {
            refused(format!("the file of `init` cannot be read: {why}"))
                .help("in Python, write the weights alone: `torch.save(model.state_dict(), \"weights.pth\")`")
        });
    }
    let tensors = safetensors::stored(&file).map_err(|why| {
        refused(format!(
            "the file of `init` is neither a whole safetensors file nor one of `torch.save`: {why}"
        ))
    })?;
    let element = |dtype: &str| match dtype {
        "F64" => Element::F64,
        "F32" => Element::F32,
        "F16" => Element::F16,
        "BF16" => Element::Bf16,
        "I64" => Element::I64,
        other => Element::Other(other.to_owned(), 0),
    };
    let one = |(name, (described, bytes)): (String, (Described, Bytes))| {
        let element = element(&described.dtype);
        if !matches!(element, Element::Other(..)) && !described.is_whole(element.size()) {
            let message = format!("tensor `{name}` of `init` has not as many bytes as its shape needs");
            return Err(refused(message));
        }
        let shape = described.shape;
        Ok((
            name,
            Stored {
                element,
                shape,
                bytes,
            },
        ))
    };
    tensors.into_iter().map(one).collect()
}

/// The tensors below a path, by the rest of their names.
fn below(stored: BTreeMap<String, Stored>, at: &str) -> Outcome<BTreeMap<String, Stored>> {
    if at.is_empty() {
        return Ok(stored);
    }
    let names: Vec<String> = stored.keys().cloned().collect();
    let prefix = format!("{at}.");
    let rest: BTreeMap<String, Stored> = stored
        .into_iter()
        .filter_map(|(name, tensor)| Some((name.strip_prefix(&prefix)?.to_owned(), tensor)))
        .collect();
    if !rest.is_empty() {
        return Ok(rest);
    }
    let mut tops: Vec<&str> = names.iter().filter_map(|name| name.split('.').next()).collect();
    tops.dedup();
    tops.truncate(LISTED);
    let message = format!("the file of `init` has no tensors below `{at}`");
    Err(refused(message).help(format!("its tensors begin with {}", quoted(&tops))))
}

/// An error where a tensor is not there, or of another shape: all of them at once.
fn disagreements(stored: &BTreeMap<String, Stored>, wanted: &BTreeMap<String, Expected>) -> Outcome<()> {
    let unused: Vec<String> = stored
        .keys()
        .filter(|name| !wanted.contains_key(*name))
        .cloned()
        .collect();
    let mut missing = Vec::new();
    let mut shapes = Vec::new();
    for (name, expected) in wanted {
        match stored.get(name) {
            None => missing.push(match nearest(name, &unused) {
                Some(near) => format!("`{name}` (there is `{near}`)"),
                None => format!("`{name}`"),
            }),
            Some(tensor) if !same_shape(&tensor.shape, &expected.shape) => shapes.push(format!(
                "`{name}` has shape {:?}, the network's {:?}",
                tensor.shape, expected.shape
            )),
            Some(_) => {}
        }
    }
    let mut said = Vec::new();
    if !missing.is_empty() {
        said.push(format!("they lack {}", listed(&missing)));
    }
    if !shapes.is_empty() {
        said.push(listed(&shapes));
    }
    if said.is_empty() {
        return Ok(());
    }
    let mut message = format!("the weights of `init` are not the network's: {}", said.join("; "));
    if missing.len() == wanted.len() {
        let names: Vec<&str> = unused.iter().take(LISTED).map(String::as_str).collect();
        message = format!(
            "the weights of `init` have no tensor of the network: they have {}, the network {}",
            quoted(&names),
            quoted(&wanted.keys().take(LISTED).map(String::as_str).collect::<Vec<_>>())
        );
    }
    Err(refused(message).help(
        "`nn.weights(…, at = \"…\")` takes the tensors below a path of the file, `skip = [\"fc\"]` lets layers keep their \
         first weights",
    ))
}

fn same_shape(found: &[u64], wanted: &[i64]) -> bool {
    found.len() == wanted.len() && found.iter().zip(wanted).all(|(a, b)| i64::try_from(*a) == Ok(*b))
}

fn listed(all: &[String]) -> String {
    let shown = all.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn refused(message: impl Into<String>) -> Box<Failure> {
    Failure::new(CODE, message).argument("init")
}

/// A tensor as a network has it: 64-bit integers, or 32-bit floats, to which others are rounded or widened.
fn converted(tensor: &Stored, integers: bool) -> Option<Array> {
    let floats = |values: Vec<f32>| Array::from_f32(tensor.shape.clone(), &values);
    let array = match (&tensor.element, integers) {
        (Element::I64, true) => Array {
            dtype: Dtype::I64,
            shape: tensor.shape.clone(),
            bytes: tensor.bytes.clone(),
        },
        (Element::F32, false) => Array {
            dtype: Dtype::F32,
            shape: tensor.shape.clone(),
            bytes: tensor.bytes.clone(),
        },
        (Element::F64, false) => {
            let values = tensor.bytes.as_chunks::<8>().0.iter();
            floats(values.map(|bytes| f64::from_le_bytes(*bytes) as f32).collect())
        }
        (Element::F16, false) => {
            let values = tensor.bytes.as_chunks::<2>().0.iter();
            floats(values.map(|bytes| half(u16::from_le_bytes(*bytes))).collect())
        }
        (Element::Bf16, false) => {
            let values = tensor.bytes.as_chunks::<2>().0.iter();
            let wide = |bytes: &[u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(*bytes)) << 16);
            floats(values.map(wide).collect())
        }
        _ => return None,
    };
    Some(array)
}

/// A number in half precision: each is one in single precision.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = ((bits >> 10) & 0x1f, f32::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2.0_f32.powi(-24),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        exponent => (1.0 + fraction / 1024.0) * 2.0_f32.powi(i32::from(exponent) - 15),
    }
}

#[cfg(test)]
mod tests;
