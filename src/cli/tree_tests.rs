use super::*;
use crate::base::digest::Digest;
use crate::model::derivation::Derivation;
use crate::model::graph::Target;
use crate::model::node::Node;
use mlp_lang::source::{SourceId, Span};
use mlp_lang::spec::{ArtifactKind, ByName, Datum, Fields, Origin, Resources};

fn step(name: &str, builtin: &str, inputs: Vec<(&str, Reference)>) -> Step {
    let inputs = inputs.into_iter();
    Step {
        derivation: Derivation {
            builder: Builder::Builtin {
                name: builtin.into(),
                version: 1,
                numerics: None,
            },
            args: Datum::Map(Fields::new()),
            env: None,
            vars: ByName::new(),
            cwd: None,
            inputs: inputs
                .map(|(name, input)| (format!("inputs/{name}"), input))
                .collect(),
            outputs: ByName::new(),
            threads: 1,
            device_class: None,
        },
        static_key: Digest::of_blob(name.as_bytes()),
        names: vec![name.into()],
        origin: Origin {
            span: Span {
                source: SourceId(0),
                start: 0,
                end: 0,
            },
            arguments: ByName::new(),
        },
        resources: Resources::default(),
        locators: std::collections::BTreeMap::new(),
    }
}

fn output(step: u32, output: &str) -> Reference {
    Reference::Output {
        step: StepId(step),
        output: output.into(),
    }
}

fn graph() -> Graph {
    let file = Reference::Source {
        path: "digits.csv".into(),
        node: Node::Dir {
            tree: Digest::of_blob(b""),
        },
    };
    Graph {
        steps: vec![
            step("digits", "data.csv", vec![("file", file)]),
            step("parts", "data.split", vec![("dataset", output(0, "dataset"))]),
            step(
                "fit",
                "ml.train",
                vec![("on", output(1, "train")), ("val", output(1, "val"))],
            ),
            step(
                "evaluate",
                "ml.evaluate",
                vec![("model", output(2, "model")), ("on", output(1, "test"))],
            ),
        ],
        targets: vec![Target {
            label: "evaluate".into(),
            source: Reference::Output {
                step: StepId(3),
                output: "metrics".into(),
            },
            kind: ArtifactKind::Metrics,
        }],
    }
}

#[test]
fn a_tree_unfolds_each_step_once() {
    insta::assert_snapshot!(tree(&graph()));
}

#[test]
fn dot_and_mermaid_have_every_edge() {
    insta::assert_snapshot!(dot(&graph()));
    insta::assert_snapshot!(mermaid(&graph()));
}
