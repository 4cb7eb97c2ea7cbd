//! The pass through a tree: paths, the table, the way to each layer, and the tree with every size.

use super::layer::Layer;
use super::report::{Problem, argument, dims_text, mismatch};
use super::transfer::{Outcome, count, transfer};
use super::{Dim, LayerRow, Network, Step};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::spec::Datum;
use crate::tensor::{self, Graph};
use std::collections::{BTreeMap, BTreeSet};

/// What the network is fed.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// The shape without the batch.
    pub(crate) shape: Vec<Dim>,
    /// What declares it: the codec.
    pub(crate) span: Span,
}

/// Goes through `root` with the shape of the data.
pub(crate) fn infer(root: &Layer, input: &Input) -> Result<Network, Box<Diagnostic>> {
    let known: Option<Vec<i64>> = input.shape.iter().copied().collect();
    let shape = match known {
        Some(shape) => shape,
        None => resolve(root, input).map_err(|problem| Box::new(problem.report(input, &[])))?,
    };
    let mut pass = Pass::default();
    match pass.layer(root, shape.clone(), "") {
        Ok((output, root)) => {
            let list = |shape: &[i64]| Datum::List(shape.iter().copied().map(Datum::Int).collect());
            let datum = BTreeMap::from([
                ("input".to_owned(), list(&shape)),
                ("output".to_owned(), list(&output)),
                ("root".to_owned(), root),
            ]);
            Ok(Network {
                datum: Datum::Map(datum),
                input: shape,
                output,
                rows: pass.rows,
                steps: pass.steps,
                warnings: pass.warnings,
            })
        }
        Err(problem) => Err(Box::new(problem.report(input, &pass.steps))),
    }
}

/// A flat input whose size is not known takes it from the first layer that says one.
fn resolve(root: &Layer, input: &Input) -> Result<Vec<i64>, Box<Problem>> {
    let mut leaves = Vec::new();
    collect(root, &mut leaves);
    for layer in leaves {
        let (said, parameter) = match layer.kind.as_str() {
            "linear" => (layer.int("in_features"), "in_features"),
            "batch_norm" => (layer.int("num_features"), "num_features"),
            "conv2d" | "max_pool2d" | "avg_pool2d" => (None, ""),
            _ => continue,
        };
        if let (Some(size), [None]) = (said, input.shape.as_slice()) {
            return Ok(vec![size]);
        }
        let shape = dims_text(&input.shape);
        let message = format!("the size of the input of `{}` is not known", layer.kind);
        let problem = mismatch(layer, "E0315", message, format!("is fed {shape}"));
        return Err(match parameter {
            "" => problem.help("a convolution needs images: `data.pixels`"),
            parameter => problem.help(format!(
                "list the columns in `data.vector([\"a\", \"b\"])`, or write `{parameter} = …` here"
            )),
        });
    }
    Err(mismatch(
        root,
        "E0315",
        "the size of the input is not known",
        "no layer says it",
    )
    .help("list the columns in `data.vector([\"a\", \"b\"])`"))
}

fn collect<'a>(layer: &'a Layer, leaves: &mut Vec<&'a Layer>) {
    match layer.kind.as_str() {
        "sequential" | "named" => layer.children.iter().for_each(|child| collect(child, leaves)),
        _ => leaves.push(layer),
    }
}

/// What a traced layer does: each operation, and the shape that it gives.
type Operations = Vec<(String, String)>;

#[derive(Default)]
struct Pass {
    rows: Vec<LayerRow>,
    steps: Vec<Step>,
    warnings: Vec<Diagnostic>,
}

impl Pass {
    /// The output's shape, and the layer with every size.
    fn layer(
        &mut self,
        layer: &Layer,
        input: Vec<i64>,
        path: &str,
    ) -> Result<(Vec<i64>, Datum), Box<Problem>> {
        match layer.kind.as_str() {
            "sequential" => self.sequential(layer, input, path),
            "named" => self.named(layer, input, path),
            _ => self.leaf(layer, input, path),
        }
    }

    fn sequential(
        &mut self,
        layer: &Layer,
        mut shape: Vec<i64>,
        path: &str,
    ) -> Result<(Vec<i64>, Datum), Box<Problem>> {
        let mut layers = Vec::with_capacity(layer.children.len());
        let mut names = BTreeSet::new();
        for (index, child) in layer.children.iter().enumerate() {
            if let ("named", Some(Datum::Str(name))) = (child.kind.as_str(), child.args.get("name"))
                && !names.insert(name)
            {
                let problem = argument(
                    child,
                    "name",
                    format!("is \"{name}\" for two layers of one sequential"),
                    "is taken",
                );
                return Err(
                    problem.help("give each its own name, so that their parameters can be told apart")
                );
            }
            let own = if child.kind == "named" {
                path.to_owned()
            } else {
                below(path, &index.to_string())
            };
            let (output, datum) = self.layer(child, shape, &own)?;
            shape = output;
            layers.push(datum);
        }
        let fields = BTreeMap::from([("layers".to_owned(), Datum::List(layers))]);
        Ok((shape, Datum::Variant("sequential".to_owned(), fields)))
    }

    fn named(
        &mut self,
        layer: &Layer,
        input: Vec<i64>,
        path: &str,
    ) -> Result<(Vec<i64>, Datum), Box<Problem>> {
        let (Some(Datum::Str(name)), [child]) = (layer.args.get("name"), layer.children.as_slice()) else {
            return Err(argument(layer, "layer", "is missing", "needs a layer"));
        };
        if name.is_empty() || name.contains(['.', '/']) || name.starts_with(|c: char| c.is_ascii_digit()) {
            let problem = argument(
                layer,
                "name",
                format!("is \"{name}\""),
                "cannot be part of a path",
            );
            return Err(problem.help("a letter first, and no `.` or `/`: `head`, `block_1`"));
        }
        let (output, datum) = self.layer(child, input, &below(path, name))?;
        let fields = BTreeMap::from([
            ("name".to_owned(), Datum::Str(name.clone())),
            ("layer".to_owned(), datum),
        ]);
        Ok((output, Datum::Variant("named".to_owned(), fields)))
    }

    fn leaf(
        &mut self,
        layer: &Layer,
        input: Vec<i64>,
        path: &str,
    ) -> Result<(Vec<i64>, Datum), Box<Problem>> {
        let (outcome, operations) = match &layer.graph {
            Some(graph) => self.traced(graph, &input)?,
            None => (transfer(layer, &input)?, Vec::new()),
        };
        let elements = count(&outcome.output);
        self.rows.push(LayerRow {
            path: path.to_owned(),
            kind: layer.kind.clone(),
            output: outcome.output.clone(),
            parameters: u64::try_from(outcome.parameters).unwrap_or(u64::MAX),
            flops: u64::try_from(outcome.flops).unwrap_or(u64::MAX),
            activation_bytes: u64::try_from(elements.saturating_mul(4)).unwrap_or(u64::MAX),
            operations,
            span: layer.site.span,
        });
        self.steps.push(Step {
            kind: layer.kind.clone(),
            site: layer.site.clone(),
            input,
            output: outcome.output.clone(),
        });
        Ok((outcome.output, Datum::Variant(layer.kind.clone(), outcome.args)))
    }

    /// What a traced layer gives, and what it does, in words.
    fn traced(&mut self, graph: &Graph, input: &[i64]) -> Result<(Outcome, Operations), Box<Problem>> {
        let mut traced = tensor::layer(graph, input).map_err(|error| Problem::of_traced(*error))?;
        self.warnings.append(&mut traced.warnings);
        let outcome = Outcome {
            output: traced.output,
            args: BTreeMap::from([("graph".to_owned(), graph.datum())]),
            parameters: 0,
            flops: traced.flops,
        };
        Ok((outcome, traced.operations))
    }
}

fn below(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    }
}
