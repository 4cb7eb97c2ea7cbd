//! Graphs and keys: what they must see, and what they must not.

use super::*;
use crate::model::node::Node;
use crate::model::source::SourceProblem;
use mlp_lang::source::SourceId;
use mlp_lang::spec::{ArtifactKind, Input, Origin, OutputSpec, Piece, Resources, SpecId, TargetArtifact};

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

fn map(fields: &[(&str, Datum)]) -> BTreeMap<String, Datum> {
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
            arguments: BTreeMap::new(),
        },
        resources: Resources::default(),
        builder: Builder::Builtin(builder.into()),
        args,
        env: None,
        vars: BTreeMap::new(),
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

fn training() -> BTreeMap<String, Datum> {
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
    instantiate(evaluation, &sources("a,b\n"), &machine()).unwrap()
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
    args.insert(name.into(), value);
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
        let figures = [("good", 0.9), ("bad", 0.1)];
        let found = figures.into_iter().find(|(content, _)| file(content) == *node);
        let (_, accuracy) = found.ok_or("not JSON")?;
        Ok(serde_json::json!({ "accuracy": accuracy }))
    }
}

#[test]
fn golden_static_keys() {
    let keys = keys(&graph(&pipeline()));
    let golden = [
        (
            keys["digits"],
            "658b729a0fd1f6489aed4ccadcf273d0a5c821cd5c54bfef7c9c36a09b29b49b",
        ),
        (
            keys["parts"],
            "6e1fe30329c999f7ac6124fd46673c6c28265241a622cf48f086502432858d25",
        ),
        (
            keys["fit"],
            "7b4021d02102f811142dcd6394de8fd60ee41c93a9ac5220b1a25368c9d81131",
        ),
        (
            keys["evaluate"],
            "fab644e8cbf87daff8cdf1db0c444b7841beefcca7df83cfb06bd91f4e27bc6f",
        ),
    ];
    for (key, golden) in golden {
        assert_eq!(key.to_string(), golden);
    }
}

#[test]
fn golden_resolved_and_chain_keys() {
    let graph = graph(&pipeline());
    let known = Outputs(vec![(1, "train", file("train")), (1, "val", file("val"))]);
    let resolution = resolve(&graph, StepId(2), &known).unwrap();
    let chain = chain_keys(&graph.steps[2].derivation, &resolution)
        .unwrap()
        .unwrap();
    assert_eq!(chain.len(), 4);
    let golden = [
        (
            resolution.key,
            "ff43adc67ebe3a63ca41570e04fd0bde771ed079c57ce7f1fb44d6c48bee424e",
        ),
        (
            chain[0],
            "503faf697b0480e5c990158e5ceb924beb740f8565f3c2e4034b732818a94c7b",
        ),
        (
            chain[3],
            "4909b1456e6a62fc381fd8b662f418f8b38eae12ec78a987566090a8f7e81f02",
        ),
    ];
    for (key, golden) in golden {
        assert_eq!(key.to_string(), golden);
    }
    assert!(
        chain_keys(&graph.steps[0].derivation, &resolution)
            .unwrap()
            .is_none()
    );
}

#[test]
fn names_places_spans_and_resources_are_in_no_key() {
    let untouched = changed_by(|evaluation| {
        for spec in &mut evaluation.specs {
            spec.origin.span = span(900);
            spec.origin.arguments.insert("lr".into(), span(901));
            spec.resources.cpus = Some(7);
            spec.resources.memory = Some(1);
            spec.inputs.values_mut().for_each(|input| input.span = span(902));
        }
        set(evaluation, 2, "schedule", Datum::Null);
        let Datum::Map(args) = &mut evaluation.specs[2].args else {
            panic!()
        };
        args.remove("schedule");
    });
    assert_eq!(untouched, Vec::<String>::new());

    let mut renamed = pipeline();
    renamed.specs[2].name = "trained".into();
    assert_eq!(
        keys(&graph(&renamed))["trained"],
        keys(&graph(&pipeline()))["fit"]
    );

    let mut moved = pipeline();
    moved.specs[0].inputs.get_mut("file").unwrap().source = InputSource::Source("data/digits.csv".into());
    let request = SourceRequest::Path("data/digits.csv".into());
    let table = [(request, Ok(SourceContent::Node(file("a,b\n"))))].into();
    let moved = instantiate(&moved, &table, &machine()).unwrap();
    assert_eq!(keys(&moved), keys(&graph(&pipeline())));
}

#[test]
fn what_decides_bits_is_in_the_keys_of_what_depends_on_it() {
    let after_fit = ["evaluate", "fit"];
    let everything = ["digits", "evaluate", "fit", "parts"];
    assert_eq!(
        changed_by(|evaluation| set(evaluation, 2, "seed", Datum::Int(43))),
        after_fit
    );
    assert_eq!(
        changed_by(|evaluation| set(evaluation, 2, "epochs", Datum::Int(4))),
        after_fit
    );
    // Int and Float are distinct: elaboration decides which it is.
    assert_eq!(
        changed_by(|evaluation| set(evaluation, 2, "seed", Datum::Float(42.0))),
        after_fit
    );
    assert_eq!(
        changed_by(|evaluation| set(evaluation, 0, "meta", Datum::List(vec![text("id")]))),
        everything
    );
    let schema = |evaluation: &mut Evaluation| {
        let metrics = evaluation.specs[3].outputs.get_mut("metrics").unwrap();
        metrics.schema = text("Float");
    };
    assert_eq!(changed_by(schema), ["evaluate"]);
    let swapped = |evaluation: &mut Evaluation| {
        let on = evaluation.specs[3].inputs.get_mut("on").unwrap();
        on.source = output(1, "train");
    };
    assert_eq!(changed_by(swapped), ["evaluate"]);

    let here = keys(&graph(&pipeline()));
    let other_machine = Machine {
        cpu: "Other avx2".into(),
        cuda: None,
    };
    let elsewhere = keys(&instantiate(&pipeline(), &sources("a,b\n"), &other_machine).unwrap());
    assert_eq!(here["parts"], elsewhere["parts"]);
    assert_ne!(here["fit"], elsewhere["fit"]);
    let other_content = keys(&instantiate(&pipeline(), &sources("a,b,c\n"), &machine()).unwrap());
    assert!(here.iter().all(|(name, key)| other_content[name] != *key));
}

#[test]
fn chain_keys_see_what_acts_in_their_epochs_and_nothing_else() {
    let known = Outputs(vec![
        (1, "train", file("train")),
        (1, "val", file("val")),
        (1, "test", file("test")),
    ]);
    let chain = |change: &dyn Fn(&mut Evaluation)| {
        let mut evaluation = pipeline();
        change(&mut evaluation);
        let graph = graph(&evaluation);
        let resolution = resolve(&graph, StepId(2), &known).unwrap();
        chain_keys(&graph.steps[2].derivation, &resolution)
            .unwrap()
            .unwrap()
    };
    let before = chain(&|_| {});
    let more_epochs = chain(&|evaluation| set(evaluation, 2, "epochs", Datum::Int(5)));
    assert_eq!(before, more_epochs[..4]);
    let metrics = chain(&|evaluation| {
        set(evaluation, 2, "metrics", Datum::Map(BTreeMap::new()));
        set(evaluation, 2, "keep", text("last"));
        let rule = map(&[("patience", Datum::Int(2)), ("min_delta", Datum::Float(0.0))]);
        set(evaluation, 2, "early_stopping", Datum::Map(rule));
        set(evaluation, 2, "checkpoint_every", Datum::Int(2));
        evaluation.specs[2].inputs.get_mut("val").unwrap().source = output(1, "test");
        let part = evaluation.specs[1].outputs["val"].clone();
        evaluation.specs[1].outputs.insert("test".into(), part);
    });
    assert_eq!(before, metrics);
    let reseeded = chain(&|evaluation| set(evaluation, 2, "seed", Datum::Int(43)));
    assert!(before.iter().zip(&reseeded).all(|(a, b)| a != b));
    let step = variant(
        "step",
        &[("step_size", Datum::Int(2)), ("gamma", Datum::Float(0.1))],
    );
    let scheduled = chain(&|evaluation| set(evaluation, 2, "schedule", step.clone()));
    assert_eq!(before[..3], scheduled[..3], "the rate moves in the third epoch");
    assert_ne!(before[3], scheduled[3]);
    let other_data = chain(&|evaluation| {
        evaluation.specs[2].inputs.get_mut("on").unwrap().source = output(1, "val");
    });
    assert_ne!(before[0], other_data[0]);
}

#[test]
fn equal_specs_are_one_step_with_all_its_names() {
    let mut evaluation = pipeline();
    let mut twin = evaluation.specs[2].clone();
    twin.name = "again".into();
    evaluation.specs.push(twin);
    evaluation.targets.push(TargetArtifact {
        label: "again.model".into(),
        source: output(4, "model"),
        kind: ArtifactKind::Model,
    });
    let graph = graph(&evaluation);
    assert_eq!(graph.steps.len(), 4);
    assert_eq!(graph.steps[2].names, ["fit", "again"]);
    assert_eq!(graph.targets[1].step, StepId(2));
}

#[test]
fn only_what_targets_demand_is_there() {
    let mut evaluation = pipeline();
    evaluation.targets[0].source = output(1, "train");
    let graph = graph(&evaluation);
    assert_eq!(keys(&graph).keys().collect::<Vec<_>>(), ["digits", "parts"]);
    evaluation.targets.clear();
    assert!(requests(&evaluation).is_empty());
}

#[test]
fn early_cutoff_keys_see_contents_alone() {
    let one = graph(&pipeline());
    let other = instantiate(&pipeline(), &sources("another file"), &machine()).unwrap();
    assert_ne!(one.steps[2].static_key, other.steps[2].static_key);
    let known = Outputs(vec![(1, "train", file("train")), (1, "val", file("val"))]);
    let (one, other) = (
        resolve(&one, StepId(2), &known).unwrap(),
        resolve(&other, StepId(2), &known).unwrap(),
    );
    assert_eq!(one.key, other.key);
    assert_ne!(one.dependencies, other.dependencies);
    let graph = graph(&pipeline());
    assert_eq!(
        resolve(&graph, StepId(3), &known),
        Err(Unresolved::Unknown(StepId(2)))
    );
}

#[test]
fn a_choice_is_its_winner() {
    let mut evaluation = pipeline();
    let by = |spec| LateValue {
        source: output(spec, "metrics"),
        path: vec!["accuracy".into()],
    };
    let mut loser = evaluation.specs[2].clone();
    loser.name = "other".into();
    evaluation.specs.push(loser);
    set(&mut evaluation, 4, "seed", Datum::Int(5));
    let mut scored = evaluation.specs[3].clone();
    scored.name = "scored".into();
    scored.inputs.get_mut("model").unwrap().source = output(4, "model");
    evaluation.specs.push(scored);
    let mut last = evaluation.specs[3].clone();
    last.name = "final".into();
    last.inputs.get_mut("model").unwrap().source = InputSource::Chosen {
        highest: true,
        by: vec![by(3), by(5)],
        candidates: vec![output(2, "model"), output(4, "model")],
    };
    evaluation.specs.push(last);
    evaluation.targets[0].source = output(6, "metrics");
    let graph = graph(&evaluation);
    assert_eq!(graph.steps.len(), 7);
    let known = |first: &str, second: &str| {
        Outputs(vec![
            (1, "val", file("val")),
            (2, "model", file("model 2")),
            (4, "model", file("model 4")),
            (3, "metrics", file(first)),
            (5, "metrics", file(second)),
        ])
    };
    let winner = |first, second| {
        let resolution = resolve(&graph, StepId(6), &known(first, second)).unwrap();
        resolution.inputs["inputs/model"].node
    };
    assert_eq!(winner("good", "bad"), file("model 2"));
    assert_eq!(winner("bad", "good"), file("model 4"));
    assert_eq!(winner("bad", "bad"), file("model 2"));
}

#[test]
fn what_is_wrong_with_sources_is_said_where_they_are_named() {
    let missing = SourceProblem::Missing {
        near: vec!["digits.csv".into()],
    };
    let request = SourceRequest::Path("digits.csv".into());
    let errors = instantiate(&pipeline(), &[(request.clone(), Err(missing))].into(), &machine()).unwrap_err();
    assert_eq!(errors.len(), 1, "none that follows from another: {errors:?}");
    assert_eq!((errors[0].code, errors[0].span()), ("E0501", span(10)));
    assert_eq!(errors[0].help.as_deref(), Some("did you mean `./digits.csv`?"));
    let directory = Node::Dir {
        tree: Digest::of_blob(b""),
    };
    let table = [(request, Ok(SourceContent::Node(directory)))].into();
    let errors = instantiate(&pipeline(), &table, &machine()).unwrap_err();
    assert_eq!(errors[0].code, "E0502");
    assert_eq!(
        errors[0].message,
        "`digits.csv` is a directory, and `data.csv` reads a file"
    );
    let mut evaluation = pipeline();
    set(&mut evaluation, 2, "device", text("cuda"));
    let errors = instantiate(&evaluation, &sources(""), &machine()).unwrap_err();
    assert_eq!(
        errors.iter().map(|error| error.code).collect::<Vec<_>>(),
        ["E0507"]
    );
}

#[test]
fn a_difference_is_named_by_the_way_to_it() {
    let one = graph(&pipeline());
    let mut evaluation = pipeline();
    let mut args = training();
    let Some(Datum::Variant(_, adam)) = args.get_mut("optimizer") else {
        panic!()
    };
    adam.insert("lr".into(), Datum::Float(0.0003));
    args.insert("clip_grad_norm".into(), Datum::Float(1.0));
    evaluation.specs[2].args = Datum::Map(args);
    let other = graph(&evaluation);
    let bytes = |graph: &Graph| static_bytes(graph, StepId(2)).unwrap();
    let found = differences(&bytes(&one), &bytes(&other)).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|found| (found.path.join("."), found.old.as_deref(), found.new.as_deref()))
        .collect();
    let expected = [
        ("args.clip_grad_norm".to_owned(), None, Some("1.0")),
        ("args.optimizer.lr".to_owned(), Some("0.001"), Some("0.0003")),
    ];
    assert_eq!(found, expected);
    assert_eq!(static_key::key(&bytes(&one)), one.steps[2].static_key);
    assert!(differences(b"", &bytes(&one)).is_err());
}

#[test]
fn commands_find_sources_at_their_own_paths_and_artifacts_at_inputs() {
    let mut evaluation = pipeline();
    let source = |path: &str| InputSource::Source(path.into());
    let mut command = spec(
        "table",
        "",
        Datum::Map(BTreeMap::new()),
        &[("data", output(1, "val"))],
        &[],
    );
    command.builder = Builder::Command(vec![
        vec![Piece::Text("python".into())],
        vec![Piece::Input(source("src/table.py"))],
        vec![Piece::Text("--on=".into()), Piece::Input(output(1, "val"))],
        vec![Piece::Input(output(1, "train"))],
        vec![Piece::Late(LateValue {
            source: output(3, "metrics"),
            path: vec!["accuracy".into()],
        })],
    ]);
    command.cwd = Some("src".into());
    let output_spec = OutputSpec {
        kind: ArtifactKind::File,
        path: Some("table.txt".into()),
        schema: Datum::Null,
        optional: false,
        observed: false,
    };
    command.outputs.insert("table".into(), output_spec);
    command.inputs.insert(
        "src".into(),
        Input {
            source: InputSource::Glob("lib/*.py".into()),
            span: span(20),
        },
    );
    evaluation.specs.push(command);
    evaluation.targets[0].source = output(4, "table");
    assert_eq!(requests(&evaluation).len(), 3);
    let mut table = sources("a,b\n");
    table.insert(
        SourceRequest::Path("src/table.py".into()),
        Ok(SourceContent::Node(file("script"))),
    );
    let files = [
        ("lib/a.py".to_owned(), file("a")),
        ("lib/b.py".to_owned(), file("b")),
    ];
    table.insert(
        SourceRequest::Glob("lib/*.py".into()),
        Ok(SourceContent::Files(files.into())),
    );
    let graph = instantiate(&evaluation, &table, &machine()).unwrap();
    let known = Outputs(vec![
        (1, "val", file("val")),
        (1, "train", file("train")),
        (3, "metrics", file("good")),
    ]);
    let resolution = resolve(&graph, StepId(4), &known).unwrap();
    assert_eq!(
        resolution.argv,
        [
            "python",
            "../src/table.py",
            "--on=../inputs/data",
            "../inputs/train",
            "0.9"
        ]
    );
    let mounts: Vec<_> = resolution.inputs.keys().map(String::as_str).collect();
    assert_eq!(
        mounts,
        [
            "inputs/data",
            "inputs/train",
            "lib/a.py",
            "lib/b.py",
            "src/table.py"
        ]
    );
    assert_eq!(
        resolution.inputs["src/table.py"].source.as_deref(),
        Some("src/table.py")
    );
    assert_eq!(resolution.inputs["inputs/data"].source, None);
}
