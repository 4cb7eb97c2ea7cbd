//! Descriptions (layers, losses, codecs, …) as the shape pass and the specs take them.

use crate::core::GlobalKind;
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::{Value, Variant};
use crate::shapes::{self, Layer, LayerRow, Site};
use crate::source::Span;
use crate::spec::{ByName, Datum, Input, InputSource};
use std::rc::Rc;
use std::sync::Arc;

/// More layers than anybody means.
const MOST_LAYERS: u32 = 100_000;

/// The way through a layer tree.
struct Walk {
    place: Place,
    left: u32,
    files: Files,
}

/// The files and artifacts in descriptions, each an input of the step. A description has the input's name in the place of
/// the file.
pub(super) struct Files {
    prefix: &'static str,
    found: Vec<Input>,
}

impl Files {
    /// Inputs `prefix.0`, `prefix.1`, …
    pub(super) fn below(prefix: &'static str) -> Self {
        Self {
            prefix,
            found: Vec::new(),
        }
    }

    /// The name of an input; a file that is there already is not another.
    pub(super) fn add(&mut self, source: InputSource, span: Span) -> String {
        let known = self.found.iter().position(|input| input.source == source);
        let index = known.unwrap_or_else(|| {
            self.found.push(Input { source, span });
            self.found.len() - 1
        });
        format!("{}.{index}", self.prefix)
    }

    /// The inputs by name.
    pub(super) fn inputs(self) -> impl Iterator<Item = (String, Input)> {
        let prefix = self.prefix;
        let found = self.found.into_iter().enumerate();
        found.map(move |(index, input)| (format!("{prefix}.{index}"), input))
    }
}

impl Machine<'_> {
    /// A file or artifact as an input.
    pub(super) fn source_of(&self, value: &Value) -> Option<InputSource> {
        match value {
            Value::Path(path) => Some(InputSource::Source(path.as_str().to_owned())),
            Value::Artifact(artifact) => Some(self.artifacts.source(*artifact).clone()),
            _ => None,
        }
    }

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

    /// The place alone of [`site`](Self::site).
    pub(super) fn site_span(&self, variant: &Variant, place: Place) -> Span {
        let written = self.origin_span(variant.origin);
        written.unwrap_or_else(|| self.user_span(place))
    }

    /// Where a description was written; `place` where that is not known.
    pub(super) fn site(&self, variant: &Variant, place: Place) -> Site {
        self.site_of(variant.origin, place)
    }

    /// The layers of the entry's result, fed `input`.
    pub(crate) fn result_layers(&mut self, input: &shapes::Input) -> Result<Arc<Vec<LayerRow>>, Failed> {
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
        let (root, _) = self.layers(&value, place)?;
        let network = shapes::infer(&root, input).map_err(|error| self.fail(*error))?;
        Ok(network.rows)
    }

    /// A layer tree for the shape pass, and the files that layers read.
    pub(super) fn layers(&mut self, value: &Value, place: Place) -> Result<(Layer, Files), Failed> {
        let mut walk = Walk {
            place,
            left: MOST_LAYERS,
            files: Files::below("net"),
        };
        let root = self.layer(value, &mut walk)?;
        Ok((root, walk.files))
    }

    fn layer(&mut self, value: &Value, walk: &mut Walk) -> Result<Layer, Failed> {
        let place = walk.place;
        walk.left = walk.left.saturating_sub(1);
        if walk.left == 0 {
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
        self.known(&variant, place)?;
        let site = self.site(&variant, place);
        let mut args = ByName::new();
        let mut children = Vec::new();
        let mut graph = None;
        let fields = self.names.fields(variant.shape).to_vec();
        for (field, cell) in fields.into_iter().zip(variant.cells()) {
            let name = self.names.text(field).to_owned();
            match cell {
                Value::Null => {}
                inner if is_description(inner) => {
                    children.push((name, self.layer(inner, walk)?));
                }
                Value::List(layers) if layers.items().first().is_some_and(is_description) => {
                    for (index, layer) in layers.items().iter().enumerate() {
                        children.push((index.to_string(), self.layer(layer, walk)?));
                    }
                }
                Value::Tensor(result) => graph = Some(self.graph(*result, place)),
                Value::Map(layers) if layers.entries().values().next().is_some_and(is_description) => {
                    for (key, layer) in layers.entries() {
                        children.push((key.as_str().to_owned(), self.layer(layer, walk)?));
                    }
                }
                _ => {
                    let datum = match self.source_of(cell) {
                        Some(source) => Datum::Str(walk.files.add(source, site.span).into()),
                        None => self.datum(cell, place)?,
                    };
                    args.insert(name, datum);
                }
            }
        }
        Ok(Layer {
            kind: self.names.text(variant.name).into(),
            args,
            children,
            graph,
            site,
        })
    }
}

/// Whether a value describes something, a layer here; the variants of an enum have no origin.
fn is_description(value: &Value) -> bool {
    match value {
        Value::Variant(variant) => variant.origin != 0,
        Value::Function(_) => true,
        _ => false,
    }
}
