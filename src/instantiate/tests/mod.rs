//! A pipeline to test graphs and keys with.

mod graph;
mod keys;

use super::*;
use crate::model::node::Node;
use crate::model::source::SourceProblem;
use mlp_lang::source::SourceId;
use mlp_lang::spec::{
    ArtifactKind, Command, Fields, Input, Origin, OutputSpec, Piece, Resources, SpecId, TargetArtifact,
};
use std::collections::BTreeMap;

fn span(start: u32) -> Span {
    Span {
        source: SourceId(0),
        start,
        end: start + 1,
    }
}

fn text(text: &str) -> Datum {
    Datum::Str(text.into())
}

fn map(fields: &[(&str, Datum)]) -> Fields {
    fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

fn variant(name: &str, fields: &[(&str, Datum)]) -> Datum {
    Datum::Variant(name.into(), map(fields))
}

fn output(spec: u32, output: &str) -> InputSource {
    InputSource::Output {
        spec: SpecId(spec),
        output: output.into(),
    }
}

fn spec(
    name: &str,
    builder: &str,
    args: Datum,
    inputs: &[(&str, InputSource)],
    outputs: &[(&str, ArtifactKind)],
) -> DerivationSpec {
    let inputs = inputs.iter().enumerate().map(|(index, (name, source))| {
        let input = Input {
            source: source.clone(),
            span: span(index as u32 + 10),
        };
        ((*name).to_owned(), input)
    });
    let outputs = outputs.iter().map(|(name, kind)| {
        let output = OutputSpec {
            kind: *kind,
            path: None,
            schema: Datum::Null,
            optional: false,
            observed: false,
        };
        ((*name).to_owned(), output)
    });
    DerivationSpec {
        name: name.into(),
        origin: Origin {
            span: span(1),
            arguments: ByName::new(),
        },
        resources: Resources::default(),
        builder: Builder::Builtin(builder.into()),
        args,
        env: None,
        vars: ByName::new(),
        cwd: None,
        inputs: inputs.collect(),
        outputs: outputs.collect(),
    }
}

/// A CSV, its split, a training and its evaluation.
fn pipeline() -> Evaluation {
    let csv = Datum::Map(map(&[("x", variant("vector", &[("cols", text("p*"))]))]));
    let shares = Datum::Map(map(&[("seed", Datum::Int(1))]));
    let dataset = ArtifactKind::Dataset;
    let specs = vec![
        spec(
            "digits",
            "data.csv",
            csv,
            &[("file", InputSource::Source("digits.csv".into()))],
            &[("dataset", dataset)],
        ),
        spec(
            "parts",
            "data.split",
            shares,
            &[("dataset", output(0, "dataset"))],
            &[("train", dataset), ("val", dataset)],
        ),
        spec(
            "fit",
            "ml.train",
            Datum::Map(training()),
            &[("on", output(1, "train")), ("val", output(1, "val"))],
            &[("model", ArtifactKind::Model), ("history", ArtifactKind::History)],
        ),
        spec(
            "evaluate",
            "ml.evaluate",
            Datum::Map(map(&[("device", text("auto"))])),
            &[("model", output(2, "model")), ("on", output(1, "val"))],
            &[("metrics", ArtifactKind::Metrics)],
        ),
    ];
    let targets = vec![TargetArtifact {
        label: "evaluate".into(),
        source: output(3, "metrics"),
        kind: ArtifactKind::Metrics,
    }];
    Evaluation { specs, targets }
}

fn training() -> Fields {
    let adam = [
        ("lr", Datum::Float(0.001)),
        ("betas", Datum::List(vec![Datum::Float(0.9), Datum::Float(0.999)])),
        ("eps", Datum::Float(1e-8)),
        ("weight_decay", Datum::Float(0.0)),
    ];
    let net = [
        ("input", Datum::List(vec![Datum::Int(4)])),
        ("output", Datum::List(vec![Datum::Int(2)])),
        ("root", variant("relu", &[])),
    ];
    map(&[
        ("net", Datum::Map(map(&net))),
        (
            "loss",
            variant(
                "cross_entropy",
                &[("weight", Datum::Null), ("label_smoothing", Datum::Float(0.0))],
            ),
        ),
        ("optimizer", variant("adam", &adam)),
        ("schedule", Datum::Null),
        (
            "metrics",
            Datum::Map(map(&[(
                "accuracy",
                variant("accuracy", &[("top_k", Datum::Int(1))]),
            )])),
        ),
        ("epochs", Datum::Int(3)),
        ("batch_size", Datum::Int(64)),
        ("seed", Datum::Int(42)),
        ("keep", text("best")),
        ("shards", Datum::Int(4)),
        ("precision", text("fp32")),
        ("device", text("auto")),
    ])
}

fn file(content: &str) -> Node {
    Node::File {
        executable: false,
        size: content.len() as u64,
        digest: Digest::of_blob(content.as_bytes()),
    }
}

fn sources(content: &str) -> SourceTable {
    let request = SourceRequest::Path("digits.csv".into());
    [(request, Ok(SourceContent::Node(file(content))))].into()
}

fn machine() -> Machine {
    Machine {
        cpu: "Maker avx2".into(),
        cuda: None,
    }
}

fn graph(evaluation: &Evaluation) -> Graph {
    instantiate(
        &mut evaluation.clone(),
        &sources("a,b\n"),
        &Default::default(),
        &machine(),
    )
    .unwrap()
}

fn keys(graph: &Graph) -> BTreeMap<String, Digest> {
    graph
        .steps
        .iter()
        .map(|step| (step.name().to_owned(), step.static_key))
        .collect()
}

/// The steps whose static key is another after `change`.
fn changed_by(change: impl FnOnce(&mut Evaluation)) -> Vec<String> {
    let before = keys(&graph(&pipeline()));
    let mut evaluation = pipeline();
    change(&mut evaluation);
    let after = keys(&graph(&evaluation));
    before
        .into_iter()
        .filter(|(name, key)| after.get(name) != Some(key))
        .map(|(name, _)| name)
        .collect()
}

fn set(evaluation: &mut Evaluation, spec: usize, name: &str, value: Datum) {
    let Datum::Map(args) = &mut evaluation.specs[spec].args else {
        panic!()
    };
    args.insert(name, value);
}

/// Steps are known when they are in the list.
struct Outputs(Vec<(u32, &'static str, Node)>);

impl Known for Outputs {
    fn output(&self, step: StepId, output: &str) -> Option<Option<Node>> {
        let known = self
            .0
            .iter()
            .find(|(own, name, _)| StepId(*own) == step && *name == output);
        known.map(|(_, _, node)| Some(*node))
    }

    fn json(&self, node: &Node) -> Result<serde_json::Value, String> {
        if *node == file("good") {
            return Ok(serde_json::json!({ "accuracy": 0.9 }));
        }
        let positions = ["first", "second", "third"];
        let found = positions.iter().position(|content| file(content) == *node);
        let position = found.ok_or("not JSON")?;
        Ok(serde_json::json!({ "best": [position] }))
    }
}
