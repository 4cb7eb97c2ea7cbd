//! The networks of trainings: the shape pass goes once through all that are written alike, in one place.

use super::describe::Files;
use super::given::Given;
use crate::diagnostic::Diagnostic;
use crate::eval::artifact::DatasetInfo;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::Value;
use crate::shapes::{self, Features, Fitting, Layer, Network};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// The networks that were gone through, by what was written and fed to them. Looked up, never iterated.
pub(crate) type Networks = FxHashMap<Box<[u64]>, Rc<Network>>;

/// The argument `net`, fed what `on` declares; and the files that its layers read.
pub(super) fn network(
    machine: &mut Machine<'_>,
    given: &Given,
    on: &DatasetInfo,
) -> Result<(Rc<Network>, Files), Failed> {
    let mut words = Words::default();
    words.features(&on.x);
    let written = words.value(machine, &given.get("net")).then_some(words.0);
    if let Some(known) = written.as_deref().and_then(|words| machine.networks.get(words)) {
        return Ok((Rc::clone(known), Files::below("net")));
    }
    let (_, network, files) = inferred(machine, given, on)?;
    let network = Rc::new(network);
    if let Some(words) = written {
        machine.networks.insert(words.into(), Rc::clone(&network));
    }
    Ok((network, files))
}

/// What the loss has against the network. The network may be one that another call made, and an error must tell of this
/// call: it is gone through again.
pub(super) fn against_loss(
    machine: &mut Machine<'_>,
    given: &Given,
    (on, network): (&DatasetInfo, &Network),
    (loss, span): (&str, crate::source::Span),
) -> Result<Option<Diagnostic>, Failed> {
    let input = input(on);
    let fitting = |network, net| Fitting {
        network,
        input: &input,
        net,
        labels: on.y,
        labels_span: on.y_span,
    };
    if fitting(network, None).loss(loss, span).is_none() {
        return Ok(None);
    }
    let (root, own, _) = inferred(machine, given, on)?;
    Ok(fitting(&own, Some(&root.site)).loss(loss, span))
}

fn input(on: &DatasetInfo) -> shapes::Input {
    shapes::Input {
        features: on.x.clone(),
        span: on.x_span,
    }
}

fn inferred(
    machine: &mut Machine<'_>,
    given: &Given,
    on: &DatasetInfo,
) -> Result<(Layer, Network, Files), Failed> {
    let (root, files) = machine.layers(&given.get("net"), given.place)?;
    let network = shapes::infer(&root, &input(on)).map_err(|error| machine.fail(*error))?;
    Ok((root, network, files))
}

/// More words than a network is worth: parts may be shared, and a network of a few layers in memory have 2^60 of them.
const MOST_WORDS: usize = 1 << 16;

/// A value as numbers, equal for values that are equal and were written in the same place.
#[derive(Default)]
struct Words(Vec<u64>);

impl Words {
    fn text(&mut self, text: &str) {
        self.0.push(text.len() as u64);
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0.push(u64::from_le_bytes(word));
        }
    }

    fn features(&mut self, features: &Features) {
        let signals: Vec<_> = match features {
            Features::One(signal) => vec![("", signal)],
            Features::Named(inputs) => inputs.iter().map(|(name, one)| (name.as_str(), one)).collect(),
        };
        self.0.push(signals.len() as u64);
        for (name, signal) in signals {
            self.text(name);
            self.0.extend([u64::from(signal.ids), signal.shape.len() as u64]);
            // No size is negative.
            self.0
                .extend(signal.shape.iter().map(|size| size.unwrap_or(-1) as u64));
        }
    }

    /// False for what is very long, and for what is not plain data: files, artifacts, functions, traced results.
    fn value(&mut self, machine: &Machine<'_>, value: &Value) -> bool {
        if self.0.len() > MOST_WORDS {
            return false;
        }
        let (tag, word) = match value {
            Value::Null => (0, 0),
            Value::Bool(value) => (1, u64::from(*value)),
            Value::Int(value) => (2, *value as u64),
            Value::Float(value) => (3, value.to_bits()),
            Value::Str(text) => {
                self.0.push(4);
                self.text(text.as_str());
                return true;
            }
            Value::List(list) => {
                self.0.extend([5, list.items().len() as u64]);
                return list.items().iter().all(|item| self.value(machine, item));
            }
            Value::Record(record) => {
                self.0.extend([6, u64::from(record.shape.0)]);
                return record.cells().iter().all(|cell| self.value(machine, cell));
            }
            Value::Map(map) => {
                self.0.extend([7, map.entries().len() as u64]);
                return map.entries().iter().all(|(key, value)| {
                    self.text(key.as_str());
                    self.value(machine, value)
                });
            }
            Value::Variant(variant) => {
                let (name, shape) = (u64::from(variant.name.0), u64::from(variant.shape.0));
                self.0.extend([8, name << 32 | shape]);
                // The table of layers says where each was written.
                let place = machine.origin_span(variant.origin).map_or([0, 0], |span| {
                    let range = u64::from(span.start) << 32 | u64::from(span.end);
                    [u64::from(span.source.0) + 1, range]
                });
                self.0.extend(place);
                return variant.cells().iter().all(|cell| self.value(machine, cell));
            }
            Value::Duration(_)
            | Value::Bytes(_)
            | Value::Path(_)
            | Value::Function(_)
            | Value::Closure(_)
            | Value::Pieces(_)
            | Value::Artifact(_)
            | Value::Late(_)
            | Value::Tensor(_)
            | Value::Output(_)
            | Value::Pick(_)
            | Value::Use(_) => return false,
        };
        self.0.extend([tag, word]);
        true
    }
}
