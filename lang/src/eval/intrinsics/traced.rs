//! Descriptions that hold a traced function: `loss.custom`, `metrics.custom`, `nn.fn`.

use super::Table;
use super::given::Given;
use crate::core::FunctionId;
use crate::diagnostic::Diagnostic;
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::{Value, Variant};
use crate::shapes::Labels;
use crate::tensor::{self, Input, Kind, Scalar, TensorType};
use std::rc::Rc;

pub(super) const LOSS: Table = &[("custom", 1, custom)];
pub(super) const METRICS: Table = &[("custom", 2, custom)];
pub(super) const NN: Table = &[("fn", 1, layer)];

type Answer = Result<Value, Failed>;

/// Of the outputs and the targets.
fn custom(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    describe(machine, function, ("custom", 2), place)
}

/// Of the batch.
fn layer(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    describe(machine, function, ("fn", 1), place)
}

/// A description with the function's graph in the place of the function.
fn describe(
    machine: &mut Machine<'_>,
    function: FunctionId,
    (name, inputs): (&str, u32),
    place: Place,
) -> Answer {
    let given = Given::take(machine, function, place);
    let mut fields = vec!["graph"];
    let mut cells = vec![machine.trace(&given.get("f"), inputs, place)?];
    if !matches!(given.get("direction"), Value::Null) {
        fields.push("direction");
        cells.push(Value::str(&given.choice(machine, "direction")?));
    }
    let (name, shape) = (machine.names.symbol(name), machine.names.shape_of(&fields));
    let origin = machine.origins.note(place, &machine.calls, &machine.codes);
    match Variant::new(name, shape, cells, origin) {
        Some(variant) => Ok(Value::Variant(variant)),
        None => Err(machine.too_deep(place)),
    }
}

/// Holds the graph of a loss or metric against the output and the targets that it is given; whether it has one.
pub(super) fn traced(
    machine: &mut Machine<'_>,
    description: &Variant,
    purpose: Scalar,
    (labels, output): (Labels, &[i64]),
    place: Place,
) -> Result<bool, Failed> {
    // `metrics.loss(…)` has the graph in its loss.
    if let Some(Value::Variant(inner)) = description.field(&machine.names, "loss") {
        let inner = Rc::clone(inner);
        return traced(machine, &inner, Scalar::Loss, (labels, output), place);
    }
    let Some(Value::Tensor(result)) = description.field(&machine.names, "graph") else {
        return Ok(false);
    };
    let graph = machine.graph(*result, place);
    let y = match labels {
        Labels::Class(_) => TensorType::batched(Kind::Int, &[]),
        Labels::Real(Some(size)) | Labels::Tags(size) => TensorType::batched(Kind::Float, &[size]),
        // As many as the network gives: whether that is so is seen when the dataset is read.
        Labels::Real(None) => TensorType::batched(Kind::Float, output),
    };
    let inputs = [
        Input {
            ty: TensorType::batched(Kind::Float, output),
            learned: true,
            what: "the network's output",
        },
        Input {
            ty: y,
            learned: false,
            what: match labels {
                Labels::Class(_) => "the classes",
                Labels::Tags(_) => "the tags",
                Labels::Real(_) => "the targets",
            },
        },
    ];
    match tensor::scalar(&graph, &inputs, purpose) {
        Ok(warnings) => {
            once(machine, &warnings);
            Ok(true)
        }
        Err(error) => {
            once(machine, &[*error]);
            Err(Failed)
        }
    }
}

/// Reports what was not said already: a loss or a layer stands in many trainings.
pub(super) fn once(machine: &mut Machine<'_>, found: &[Diagnostic]) {
    for diagnostic in found {
        if !machine.diagnostics.contains(diagnostic) {
            machine.diagnostics.push(diagnostic.clone());
        }
    }
}
