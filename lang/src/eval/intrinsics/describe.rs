//! Descriptions (layers, losses, codecs, …) as the shape pass and the specs take them.

use crate::core::GlobalKind;
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::{Value, Variant};
use crate::shapes::{self, Layer, LayerRow, Site};
use std::collections::BTreeMap;
use std::rc::Rc;

/// More layers than anybody means.
const MOST_LAYERS: u32 = 100_000;

impl Machine<'_> {
    /// A description; a function without parameters stands for its result.
    pub(super) fn description(&mut self, value: &Value, place: Place) -> Result<Rc<Variant>, Failed> {
        match value {
            Value::Variant(variant) => Ok(Rc::clone(variant)),
            Value::Function(function) if self.core.functions[function.0 as usize].params.is_empty() => {
                match self.call_value(value, 0, place)? {
                    Value::Variant(variant) => Ok(variant),
                    other => Err(self.unexpected(place, "a description", &other)),
                }
            }
            other => Err(self.unexpected(place, "a layer, loss, metric or the like", other)),
        }
    }

    /// Where a description was written; `place` where that is not known.
    pub(super) fn site(&self, variant: &Variant, place: Place) -> Site {
        self.site_of(variant.origin, place)
    }

    /// The layers of the entry's result, fed `input`.
    pub(crate) fn result_layers(&mut self, input: &shapes::Input) -> Result<Vec<LayerRow>, Failed> {
        let core = self.core;
        let result = core.result.ok_or(Failed)?;
        let GlobalKind::Value(body) = &core.globals[result.0 as usize].kind else {
            return Err(Failed);
        };
        let value = self.global(result)?;
        let place = Place {
            code: self.compile(body).id,
            at: body.root.0,
        };
        let root = self.layers(&value, place)?;
        let network = shapes::infer(&root, input).map_err(|error| self.fail(*error))?;
        Ok(network.rows)
    }

    /// A layer tree for the shape pass.
    pub(super) fn layers(&mut self, value: &Value, place: Place) -> Result<Layer, Failed> {
        let mut left = MOST_LAYERS;
        self.layer(value, place, &mut left)
    }

    fn layer(&mut self, value: &Value, place: Place, left: &mut u32) -> Result<Layer, Failed> {
        *left = left.saturating_sub(1);
        if *left == 0 {
            let error = self
                .argument_error(
                    place,
                    "net",
                    "E0316",
                    format!("the network has more than {MOST_LAYERS} layers"),
                )
                .at("a layer counts as often as it stands in it");
            return Err(self.fail(error));
        }
        let variant = self.description(value, place)?;
        let mut args = BTreeMap::new();
        let mut children = Vec::new();
        let mut graph = None;
        let fields = self.names.fields(variant.shape).to_vec();
        for (field, cell) in fields.into_iter().zip(variant.cells()) {
            match (self.names.text(field), cell) {
                (_, Value::Null) => {}
                ("layers", Value::List(layers)) => {
                    for layer in layers.items() {
                        children.push(self.layer(layer, place, left)?);
                    }
                }
                ("graph", Value::Tensor(result)) => graph = Some(self.graph(*result, place)),
                ("layer", inner) => children.push(self.layer(inner, place, left)?),
                (name, _) => {
                    let name = name.to_owned();
                    let datum = self.datum(cell, place)?;
                    args.insert(name, datum);
                }
            }
        }
        Ok(Layer {
            kind: self.names.text(variant.name).to_owned(),
            args,
            children,
            graph,
            site: self.site(&variant, place),
        })
    }
}
