//! The pass through a tree: paths, the table, the way to each layer, and the tree with every size.

use super::layer::{LARGEST, Layer};
use super::report::{Problem, argument, features_text, mismatch, shape_text};
use super::transfer::{Outcome, count, ids, keeps_shape, transfer};
use super::{Dim, Features, Input, LayerRow, Network, Signal, Step};
use crate::diagnostic::Diagnostic;
use crate::spec::{ByName, Datum};
use crate::tensor::{self, Graph};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Goes through `root` with the shape of the data.
pub(crate) fn infer(root: &Layer, input: &Input) -> Result<Network, Box<Diagnostic>> {
    let features = said_by_first(root, &input.features).unwrap_or_else(|| input.features.clone());
    let mut pass = Pass::default();
    match pass.layer(root, features.clone(), "") {
        Ok((output, root)) => {
            let datum = ByName::from([
                ("input", features_datum(&features)),
                ("output", shape_datum(&output.shape)),
                ("root", root),
            ]);
            Ok(Network {
                datum: Datum::Map(datum),
                input: features,
                output: output.shape,
                rows: Arc::new(pass.rows),
                steps: pass.steps,
                warnings: pass.warnings,
                mixes: pass.mixes,
            })
        }
        Err(problem) => Err(Box::new(problem.report(input, &pass.steps))),
    }
}

/// A flat input whose size is not known takes it from the first layer that says one.
fn said_by_first(root: &Layer, features: &Features) -> Option<Features> {
    match features {
        Features::One(signal) if signal.shape == [None] && !signal.ids => {
            let size = said(root)??;
            Some(Features::One(Signal::numbers(vec![Some(size)])))
        }
        _ => None,
    }
}

/// The size that the first layer with one to say says; the outer `None` goes on to the next layer.
fn said(layer: &Layer) -> Option<Option<i64>> {
    match layer.kind.as_str() {
        "sequential" | "named" => layer.children.iter().find_map(|(_, child)| said(child)),
        "linear" => Some(layer.int("in_features")),
        "batch_norm" | "normalize" => layer.int("num_features").map(Some),
        kind if keeps_shape(kind) => None,
        _ => Some(None),
    }
}

fn shape_datum(shape: &[Dim]) -> Datum {
    let size = |dim: &Dim| dim.map_or(Datum::Null, Datum::Int);
    Datum::List(shape.iter().map(size).collect())
}

fn features_datum(features: &Features) -> Datum {
    match features {
        Features::One(signal) => shape_datum(&signal.shape),
        Features::Named(inputs) => {
            let shapes = inputs
                .iter()
                .map(|(name, one)| (name.clone(), shape_datum(&one.shape)));
            Datum::Map(shapes.collect())
        }
    }
}

#[derive(Default)]
pub(super) struct Pass {
    pub(super) rows: Vec<LayerRow>,
    pub(super) steps: Vec<Step>,
    warnings: Vec<Diagnostic>,
    mixes: bool,
}

/// What a layer gives, and the layer with every size.
pub(super) type Passed = Result<(Signal, Datum), Box<Problem>>;

impl Pass {
    pub(super) fn layer(&mut self, layer: &Layer, input: Features, path: &str) -> Passed {
        match (layer.kind.as_str(), input) {
            ("sequential", input) => self.sequential(layer, input, path),
            ("named", input) => self.named(layer, input, path),
            ("inputs", Features::Named(inputs)) => self.inputs(layer, &inputs, path),
            ("inputs", Features::One(_)) => Err(mismatch(
                layer,
                "E0322",
                "`inputs` shares out the inputs of an example, and there is one without a name",
                "expects named inputs",
            )
            .help(
                "leave `nn.inputs` out, or name them: `x = { image: data.image(…), age: data.numeric(…) }`",
            )),
            (_, Features::Named(inputs)) => Err(several(layer, inputs)),
            ("residual", Features::One(input)) => self.residual(layer, &input, path),
            ("parallel", Features::One(input)) => self.parallel(layer, &input, path),
            ("concat", Features::One(input)) => self.concat(layer, &input, path),
            (_, Features::One(input)) => self.leaf(layer, input, path),
        }
    }

    fn sequential(&mut self, layer: &Layer, mut input: Features, path: &str) -> Passed {
        let mut layers = Vec::with_capacity(layer.children.len());
        let mut names = BTreeSet::new();
        for (index, child) in &layer.children {
            let own = own_path(path, index, child, &mut names)?;
            let (output, datum) = self.layer(child, input, &own)?;
            input = Features::One(output);
            layers.push(datum);
        }
        let output = match input {
            Features::One(output) => output,
            Features::Named(inputs) => return Err(several(layer, inputs)),
        };
        let fields = ByName::from([("layers", Datum::List(layers))]);
        Ok((output, Datum::Variant("sequential".into(), fields)))
    }

    fn named(&mut self, layer: &Layer, input: Features, path: &str) -> Passed {
        let (Some(Datum::Str(name)), Some(child)) = (layer.args.get("name"), layer.child("layer")) else {
            return Err(argument(layer, "layer", "is missing", "needs a layer"));
        };
        if name.is_empty() || name.contains(['.', '/', '*']) || name.starts_with(|c: char| c.is_ascii_digit())
        {
            let is = format!("is \"{name}\"");
            let problem = argument(layer, "name", is, "cannot be part of a path");
            return Err(problem.help("a letter first, and no `.`, `/` or `*`: `head`, `block_1`"));
        }
        let (output, datum) = self.layer(child, input, &below(path, name))?;
        let fields = ByName::from([("name", Datum::Str(name.clone())), ("layer", datum)]);
        Ok((output, Datum::Variant("named".into(), fields)))
    }

    fn leaf(&mut self, layer: &Layer, input: Signal, path: &str) -> Passed {
        let outcome = match &layer.graph {
            Some(graph) => self.traced(layer, graph, &input)?,
            None => transfer(layer, &input)?,
        };
        let ids = input.ids && layer.kind == "identity";
        let output = Signal {
            shape: outcome.output.clone(),
            ids,
        };
        let datum = self.record(layer, input.shape, outcome, path)?;
        Ok((output, datum))
    }

    /// A row of the table and a step on the way.
    pub(super) fn record(
        &mut self,
        layer: &Layer,
        input: Vec<Dim>,
        outcome: Outcome,
        path: &str,
    ) -> Result<Datum, Box<Problem>> {
        if let Some(size) = outcome.output.iter().flatten().find(|size| **size > LARGEST) {
            let message = format!("a dimension of the output of `{}` is {size}", layer.kind);
            let label = format!("may be at most {LARGEST}");
            return Err(mismatch(layer, "E0316", message, label));
        }
        let bytes = count(&outcome.output).map(|elements| elements.saturating_mul(4));
        let number = |count: Option<u128>| Some(u64::try_from(count?).unwrap_or(u64::MAX));
        self.rows.push(LayerRow {
            path: path.to_owned(),
            kind: layer.kind.to_string(),
            output: outcome.output.clone(),
            parameters: number(outcome.parameters),
            flops: number(outcome.flops),
            activation_bytes: number(bytes),
            operations: outcome.operations,
            span: layer.site.span,
        });
        self.steps.push(Step {
            kind: layer.kind.to_string(),
            site: layer.site.clone(),
            input,
            output: outcome.output,
        });
        Ok(Datum::Variant(layer.kind.clone(), outcome.args))
    }

    /// What a traced layer gives, and what it does, in words.
    fn traced(&mut self, layer: &Layer, graph: &Graph, input: &Signal) -> Result<Outcome, Box<Problem>> {
        let sizes: Option<Vec<i64>> = input.shape.iter().copied().collect();
        let Some(sizes) = sizes.filter(|_| !input.ids) else {
            return Err(untraceable(layer, input));
        };
        let mut traced = tensor::layer(graph, &sizes).map_err(|error| Problem::of_traced(*error))?;
        self.warnings.append(&mut traced.warnings);
        self.mixes |= traced.mixes;
        let output = traced.output.into_iter().map(Some).collect();
        let outcome = Outcome {
            operations: traced.operations,
            ..Outcome::new(output, 0, Some(traced.flops))
        };
        Ok(outcome.with("graph", graph.datum()))
    }
}

/// A traced function runs on a tensor of numbers whose sizes are known.
fn untraceable(layer: &Layer, input: &Signal) -> Box<Problem> {
    if input.ids {
        return ids(layer);
    }
    let message = "the size of the input of a traced function is not known";
    let label = format!("is fed {}", shape_text(&input.shape));
    mismatch(layer, "E0315", message, label)
        .help("say it where the data is declared: `data.resize` sets height and width")
}

/// A layer that takes one tensor, and the data has several.
fn several(layer: &Layer, inputs: Vec<(String, Signal)>) -> Box<Problem> {
    let branches: Vec<_> = inputs.iter().map(|(name, _)| format!("{name}: …")).collect();
    let branches = branches.join(", ");
    let message = format!(
        "`{}` takes one input, and the data has {}: {}",
        layer.kind,
        inputs.len(),
        features_text(&Features::Named(inputs))
    );
    mismatch(layer, "E0322", message, "takes one input").help(format!(
        "begin with a layer for each: `nn.inputs({{ {branches} }})`"
    ))
}

/// The path of a layer in another: by its own name, or by `default`, what it is called there.
pub(super) fn own_path<'l>(
    path: &str,
    default: &str,
    child: &'l Layer,
    names: &mut BTreeSet<&'l str>,
) -> Result<String, Box<Problem>> {
    let ("named", Some(Datum::Str(name))) = (child.kind.as_str(), child.args.get("name")) else {
        return Ok(below(path, default));
    };
    if !names.insert(name) {
        let is = format!("is \"{name}\" for two layers that stand side by side");
        let problem = argument(child, "name", is, "is taken");
        return Err(problem.help("give each its own name, so that their parameters can be told apart"));
    }
    // The layer itself adds its name.
    Ok(path.to_owned())
}

pub(super) fn below(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    }
}

/// "`nn.linear` gives [batch, 3]".
pub(super) fn gives(layer: &Layer, shape: &[Dim]) -> String {
    format!("`{}` gives {}", layer.kind, shape_text(shape))
}
