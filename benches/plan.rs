//! `cargo bench --bench plan`: from an evaluation of 10,000 steps to a plan, with a store on disk. Prints the median of
//! some rounds; nothing fails on it.

use mlp::base::digest::Digest;
use mlp::instantiate::{Machine, instantiate};
use mlp::model::graph::Graph;
use mlp::model::node::Node;
use mlp::model::source::{SourceContent, SourceRequest, SourceTable};
use mlp::plan::{Circumstances, plan};
use mlp::store::Store;
use mlp_lang::source::{SourceId, Span};
use mlp_lang::spec::{
    ArtifactKind, Builder, ByName, Datum, DerivationSpec, Evaluation, Fields, Input, InputSource, Origin,
    OutputSpec, Resources, SpecId, TargetArtifact,
};
use std::path::Path;
use std::time::Instant;

const STEPS: u32 = 10_000;
const ROUNDS: usize = 15;

fn main() {
    let evaluation = evaluation();
    let sources = sources();
    let machine = Machine {
        cpu: "cpu".to_owned(),
        cuda: None,
    };
    let graph = median("instantiate", || {
        // Instantiation takes an evaluation apart; copying it is small beside it.
        instantiate(&mut evaluation.clone(), &sources, &Default::default(), &machine)
            .expect("every spec is right")
    });
    let folder = tempfile::tempdir().expect("a folder for the store");
    let store = Store::open(folder.path()).expect("a store");
    median("plan, nothing built", || lay(&graph, &store));
}

fn lay(graph: &Graph, store: &Store) -> usize {
    let circumstances = Circumstances {
        snapshot: store,
        last: &|_| None,
        check: false,
    };
    plan(graph, &circumstances).expect("a plan").steps.len()
}

/// Prints the median time of some rounds, and gives what the last came to.
fn median<T>(what: &str, mut round: impl FnMut() -> T) -> T {
    let mut times = Vec::with_capacity(ROUNDS);
    let mut last = round();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let now = round();
        times.push(began.elapsed());
        // What the round before gave is freed outside of what is timed.
        last = now;
    }
    times.sort();
    println!(
        "{what:<24}{:>9.1} ms for {STEPS} steps",
        times[ROUNDS / 2].as_secs_f64() * 1e3
    );
    last
}

/// A table, and splits of it and of one another, ten of each.
fn evaluation() -> Evaluation {
    let mut specs = vec![spec(
        "data.csv",
        "file",
        InputSource::Source("points.csv".to_owned()),
        Datum::Map(Fields::new()),
        &["out"],
    )];
    for index in 1..STEPS {
        let of = (index - 1) / 10;
        let output = if of == 0 { "out" } else { "a" };
        let source = InputSource::Output {
            spec: SpecId(of),
            output: output.into(),
        };
        let half = || Datum::Float(0.5);
        let shares = Datum::Map([("a".to_owned(), half()), ("b".to_owned(), half())].into());
        let args = Datum::Map(
            [
                ("seed".to_owned(), Datum::Int(index.into())),
                ("shares".to_owned(), shares),
                ("stratify".to_owned(), Datum::Bool(false)),
            ]
            .into(),
        );
        specs.push(spec("data.split", "dataset", source, args, &["a", "b"]));
    }
    let targets = (1..STEPS).map(|index| TargetArtifact {
        label: format!("splits[{index}].a"),
        source: InputSource::Output {
            spec: SpecId(index),
            output: "a".into(),
        },
        kind: ArtifactKind::Dataset,
    });
    Evaluation {
        targets: targets.collect(),
        specs,
    }
}

fn spec(builder: &str, input: &str, source: InputSource, args: Datum, outputs: &[&str]) -> DerivationSpec {
    let span = Span {
        source: SourceId(0),
        start: 0,
        end: 0,
    };
    let output = OutputSpec {
        kind: ArtifactKind::Dataset,
        path: None,
        schema: Datum::Null,
        optional: false,
        observed: false,
    };
    DerivationSpec {
        name: "step".to_owned(),
        origin: Origin {
            span,
            arguments: ByName::new(),
        },
        resources: Resources::default(),
        builder: Builder::Builtin(builder.into()),
        args,
        env: None,
        vars: ByName::new(),
        cwd: None,
        inputs: [(input.to_owned(), Input { source, span })].into(),
        outputs: outputs
            .iter()
            .map(|name| ((*name).to_owned(), output.clone()))
            .collect(),
    }
}

fn sources() -> SourceTable {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).expect("Cargo.toml");
    let node = Node::File {
        executable: false,
        size: bytes.len() as u64,
        digest: Digest::of_blob(&bytes),
    };
    let request = SourceRequest::Path("points.csv".to_owned());
    [(request, Ok(SourceContent::Node(node)))].into()
}
