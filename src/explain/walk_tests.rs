//! Which differences are causes, and what merely follows.

use super::*;
use crate::base::digest::Context;
use crate::explain::{Naming, clause};
use crate::instantiate::static_bytes;
use crate::model::derivation::{Builder, Derivation, Output, Piece, Reference};
use crate::model::graph::{Graph, Step, StepId};
use mlp_lang::source::{SourceId, Span};
use mlp_lang::spec::{ArtifactKind, ByName, Datum, Origin, Resources};

/// A graph, and what its steps came to.
#[derive(Default)]
struct Known {
    graph: Graph,
    came_to: BTreeMap<Digest, Node>,
}

impl Known {
    /// Adds a builtin's step.
    fn made(&mut self, name: &str, args: Datum, inputs: &[(&str, Reference)]) -> StepId {
        self.add(
            name,
            Builder::Builtin {
                name: format!("make.{}", name.trim_end_matches(char::is_numeric)),
                version: 1,
                numerics: None,
            },
            args,
            inputs,
        )
    }

    fn add(&mut self, name: &str, builder: Builder, args: Datum, inputs: &[(&str, Reference)]) -> StepId {
        let output = |name: &str| {
            let output = Output {
                kind: ArtifactKind::File,
                path: name.to_owned(),
                schema: Datum::Null,
                optional: false,
                observed: false,
            };
            (name.to_owned(), output)
        };
        let inputs = inputs
            .iter()
            .map(|(name, reference)| (format!("inputs/{name}"), reference.clone()));
        let derivation = Derivation {
            builder,
            args,
            env: None,
            vars: ByName::new(),
            cwd: None,
            inputs: inputs.collect(),
            outputs: ["one", "other"].map(output).into(),
            threads: 1,
            device_class: None,
        };
        let span = Span {
            source: SourceId(0),
            start: 0,
            end: 0,
        };
        let id = StepId(self.graph.steps.len() as u32);
        self.graph.steps.push(Step {
            derivation,
            static_key: Digest::of_blob(b""),
            names: vec![name.to_owned()],
            origin: Origin {
                span,
                arguments: ByName::new(),
            },
            resources: Resources::default(),
            locators: BTreeMap::new(),
        });
        let bytes = static_bytes(&self.graph, id).unwrap();
        self.graph.steps[id.0 as usize].static_key = Digest::of(Context::StaticKey, &bytes);
        id
    }

    fn key(&self, step: StepId) -> Digest {
        self.graph.step(step).static_key
    }

    fn find(&self, key: Digest) -> Option<(StepId, &Step)> {
        let found = self.graph.steps.iter().position(|step| step.static_key == key)?;
        Some((StepId(found as u32), &self.graph.steps[found]))
    }
}

impl Side for Known {
    fn bytes(&self, key: Digest) -> Option<Vec<u8>> {
        static_bytes(&self.graph, self.find(key)?.0).ok()
    }

    fn has(&self, key: Digest) -> bool {
        self.find(key).is_some()
    }

    fn came_to(&self, key: Digest, _: &str) -> Option<Node> {
        self.came_to.get(&key).copied()
    }
}

impl Naming for Known {
    fn step(&self, key: Digest) -> Option<String> {
        Some(self.find(key)?.1.name().to_owned())
    }

    fn input(&self, _: &str) -> Option<String> {
        None
    }
}

fn node(content: &str) -> Node {
    Node::File {
        executable: false,
        size: content.len() as u64,
        digest: Digest::of_blob(content.as_bytes()),
    }
}

fn source(content: &str) -> Reference {
    Reference::Source {
        path: "data.csv".into(),
        node: node(content),
    }
}

fn output(step: StepId, output: &str) -> Reference {
    Reference::Output {
        step,
        output: output.into(),
    }
}

fn lr(lr: f64) -> Datum {
    Datum::Map([("lr".to_owned(), Datum::Float(lr))].into())
}

/// Data, parts, a training, a score; the last one is asked about.
fn row(content: &str, rate: f64, part: &str) -> (Known, StepId) {
    let mut known = Known::default();
    let data = known.made("data", lr(0.0), &[("file", source(content))]);
    let parts = known.made("parts", lr(0.0), &[("data", output(data, "one"))]);
    let fit = known.made("fit", lr(rate), &[("on", output(parts, part))]);
    let score = known.made(
        "score",
        lr(0.0),
        &[("model", output(fit, "one")), ("on", output(parts, "other"))],
    );
    (known, score)
}

/// Each step that differs with its clauses, those that are asked about first.
fn told(old: &(Known, StepId), new: &(Known, StepId)) -> Vec<String> {
    let keys = (old.0.key(old.1), new.0.key(new.1));
    let comparison = compare(&old.0, &new.0, &[keys]);
    let line = |pair: &&Pair| {
        let hashed = Hashed::read(&new.0.bytes(pair.new).unwrap()).unwrap();
        let own = pair.own.iter().flatten();
        let own: Vec<String> = own
            .map(|difference| clause(&new.0, &hashed, difference))
            .collect();
        format!("{}: {}", new.0.step(pair.new).unwrap(), own.join(", "))
    };
    comparison.behind([keys.1]).iter().map(line).collect()
}

#[test]
fn an_argument_is_the_cause_and_what_reads_it_follows() {
    assert_eq!(
        told(&row("a", 0.1, "one"), &row("a", 0.2, "one")),
        ["score: ", "fit: its argument `lr` was 0.1, is 0.2"]
    );
    assert!(told(&row("a", 0.1, "one"), &row("a", 0.1, "one")).is_empty());
}

#[test]
fn two_causes_are_both_found() {
    assert_eq!(
        told(&row("a", 0.1, "one"), &row("b", 0.2, "one")),
        [
            "score: ",
            "fit: its argument `lr` was 0.1, is 0.2",
            "parts: ",
            "data: its input `file` changed"
        ]
    );
}

#[test]
fn nothing_follows_from_what_came_out_the_same() {
    let (mut old, mut new) = (row("a", 0.1, "one"), row("b", 0.2, "one"));
    for known in [&mut old.0, &mut new.0] {
        let data = known.key(StepId(0));
        known.came_to.insert(data, node("the same"));
    }
    assert_eq!(
        told(&old, &new),
        ["score: ", "fit: its argument `lr` was 0.1, is 0.2", "parts: "]
    );
}

#[test]
fn an_input_from_another_place_is_told_as_that() {
    let (old, new) = (row("a", 0.1, "one"), row("a", 0.1, "other"));
    assert_eq!(
        told(&old, &new),
        [
            "score: ",
            "fit: its input `on` was `one` of `parts`, is `other` of `parts`"
        ]
    );
    // A step that is there still did not become the other one.
    let two = |read: usize| {
        let mut known = Known::default();
        let data = [
            known.made("data", lr(1.0), &[]),
            known.made("data2", lr(2.0), &[]),
        ];
        let fit = known.made("fit", lr(0.0), &[("on", output(data[read], "one"))]);
        (known, fit)
    };
    assert_eq!(
        told(&two(0), &two(1)),
        ["fit: its input `on` was `one` of `data`, is `one` of `data2`"]
    );
}

#[test]
fn steps_are_matched_without_names() {
    let mut new = row("a", 0.2, "one");
    new.0.graph.steps[2].names = vec!["trained".to_owned()];
    assert_eq!(
        told(&row("a", 0.1, "one"), &new),
        ["score: ", "trained: its argument `lr` was 0.1, is 0.2"]
    );
}

#[test]
fn words_of_a_command_and_lists_are_told_by_what_was_put_in() {
    let command = |words: &[&str]| {
        let argv = words.iter().map(|word| vec![Piece::Text((*word).into())]);
        let builder = Builder::Command {
            argv: argv.collect(),
            stdin: None,
        };
        let mut known = Known::default();
        let step = known.add("run", builder, Datum::Map(ByName::new()), &[]);
        (known, step)
    };
    let old = command(&["python", "fit.py", "--epochs", "5"]);
    assert_eq!(
        told(&old, &command(&["python", "fit.py", "--epochs", "6"])),
        ["run: word 4 of its command was \"5\", is \"6\""]
    );
    assert_eq!(
        told(&old, &command(&["python", "-O", "fit.py", "--epochs", "5"])),
        ["run: word 2 of its command is new"]
    );
}

/// A training's argument: a network of these layers.
fn net(layers: Vec<Datum>) -> Datum {
    let variant = |name: &str, fields: Vec<(&str, Datum)>| {
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
        Datum::Variant(name.into(), fields.collect())
    };
    let root = variant("sequential", vec![("layers", Datum::List(layers))]);
    let net = [("root".to_owned(), root)].into();
    Datum::Map([("net".to_owned(), Datum::Map(net))].into())
}

fn linear(from: i64, to: i64) -> Datum {
    let sizes = [("in_features", from), ("out_features", to)];
    let sizes = sizes.map(|(name, size)| (name.to_owned(), Datum::Int(size)));
    Datum::Variant("linear".into(), sizes.into())
}

fn layer(name: &str) -> Datum {
    Datum::Variant(name.into(), ByName::new())
}

#[test]
fn layers_are_named_by_their_place_in_the_network() {
    let model = |layers: Vec<Datum>| {
        let mut known = Known::default();
        let step = known.made("fit", net(layers), &[]);
        (known, step)
    };
    let head = |layer: Datum| {
        let fields = [
            ("layer".to_owned(), layer),
            ("name".to_owned(), Datum::Str("head".into())),
        ];
        Datum::Variant("named".into(), fields.into())
    };
    let old = model(vec![linear(2, 16), layer("relu"), head(linear(16, 2))]);
    assert_eq!(
        told(
            &old,
            &model(vec![linear(2, 8), layer("gelu"), head(linear(8, 2))])
        ),
        ["fit: `out_features` in layer `0` of its network was 16, is 8, \
          layer `1` of its network was relu, is gelu, \
          `in_features` in layer `head` of its network was 16, is 8"]
    );
    let more = vec![
        linear(2, 16),
        layer("relu"),
        layer("dropout"),
        head(linear(16, 2)),
    ];
    assert_eq!(
        told(&old, &model(more)),
        ["fit: layer `2` of its network is new: dropout"]
    );
}
