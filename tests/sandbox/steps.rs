//! Steps that are commands, all the way: planned, scheduled, built with the machine's tools, registered, found again.

use super::mlp_program;
use mlp::base::digest::{Context, Digest};
use mlp::executor::{Cancel, Local};
use mlp::instantiate;
use mlp::model::build::Isolation;
use mlp::model::derivation::{Builder, Derivation, Output, Piece, Reference};
use mlp::model::event::EventKind;
use mlp::model::graph::{Graph, Step, StepId, Target};
use mlp::plan::{Circumstances, plan};
use mlp::scheduler::{Build, Options, Programs, Summary, run};
use mlp::store::{Sources, Store};
use mlp_lang::source::{SourceId, Span};
use mlp_lang::spec::{ArtifactKind, ByName, Datum, Fields, Origin, Resources};
use mlp_sandbox::Helper;
use std::sync::Mutex;

/// Adds a shell script whose output is the JSON file `out/value`.
fn add(graph: &mut Graph, name: &str, argv: Vec<Vec<Piece>>, inputs: ByName<Reference>) -> StepId {
    let output = Output {
        kind: ArtifactKind::Value,
        path: "out/value".into(),
        schema: Datum::Null,
        optional: false,
        observed: false,
    };
    let id = StepId(graph.steps.len() as u32);
    let span = Span {
        source: SourceId(0),
        start: 0,
        end: 0,
    };
    graph.steps.push(Step {
        derivation: Derivation {
            builder: Builder::Command { argv, stdin: None },
            args: Datum::Map(Fields::new()),
            env: None,
            vars: ByName::new(),
            cwd: None,
            inputs,
            outputs: [("value".to_owned(), output)].into(),
            threads: 1,
            device_class: None,
        },
        static_key: Digest::of_blob(b""),
        names: vec![name.to_owned()],
        origin: Origin {
            span,
            arguments: ByName::new(),
        },
        resources: Resources::default(),
        locators: std::collections::BTreeMap::new(),
    });
    let bytes = instantiate::static_bytes(graph, id).unwrap();
    graph.steps[id.0 as usize].static_key = Digest::of(Context::StaticKey, &bytes);
    id
}

fn text(text: &str) -> Vec<Piece> {
    vec![Piece::Text(text.into())]
}

/// One step writes a figure; the other gets it as an argument, and the file beside it.
fn pipeline() -> Graph {
    let mut graph = Graph::default();
    let argv = vec![text("sh"), text("-c"), text("echo '{\"lr\": 0.5}' > out/value")];
    let first = add(&mut graph, "first", argv, ByName::new());
    let value = Reference::Output {
        step: first,
        output: "value".into(),
    };
    let argv = vec![
        text("sh"),
        text("-c"),
        text("echo \"[$(cat $0), $1]\" > out/value; echo said"),
        vec![Piece::Mount("inputs/first".into())],
        vec![Piece::Late(Box::new((value.clone(), vec!["lr".into()])))],
    ];
    let second = add(
        &mut graph,
        "second",
        argv,
        [("inputs/first".to_owned(), value)].into(),
    );
    graph.targets.push(Target {
        label: "second".into(),
        source: Reference::Output {
            step: second,
            output: "value".into(),
        },
        kind: ArtifactKind::Value,
    });
    graph
}

#[test]
fn commands_are_built_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let graph = pipeline();
    let events = Mutex::new(Vec::new());
    let build = |isolation: Isolation| -> Summary {
        let plan = plan(
            &graph,
            &Circumstances {
                snapshot: &store,
                last: &|_| None,
                check: false,
            },
        )
        .unwrap();
        run(&Build {
            expected: &std::collections::BTreeMap::new(),
            graph: &graph,
            plan: &plan,
            store: &store,
            sources: &Sources::open(folder.path(), None),
            executor: &Local::new(Helper::new(mlp_program())),
            programs: &Programs::find(None),
            state: std::path::Path::new("/nonexistent"),
            options: &Options {
                budget: mlp::model::budget::Budget {
                    jobs: 2,
                    cpus: 2,
                    memory: None,
                    gpus: Vec::new(),
                },
                workers: 1,
                keep_going: false,
                keep_failed: false,
                check: false,
                isolation,
            },
            run: "test",
            directory: &folder.path().join("run"),
            events: &|event| events.lock().unwrap().push(event),
            cancel: &Cancel::new().unwrap(),
        })
    };
    let summary = build(Isolation::Sandboxed);
    assert_eq!(summary.built, 2, "{:?}", events.lock().unwrap());
    let outcome = &summary.outcomes[&StepId(1)];
    let value: serde_json::Value = store.read_json(&outcome.outputs["value"].unwrap()).unwrap();
    assert_eq!(value, serde_json::json!([{"lr": 0.5}, 0.5]));
    let attestation = &store.attestations(outcome.resolved_key).unwrap()[0];
    assert_eq!(attestation.effective, Isolation::HostTools);
    let log = events.lock().unwrap().iter().find_map(|event| match event {
        EventKind::StepStarted { step, log, .. } if step == "second" => {
            Some(folder.path().join("run").join(log))
        }
        _ => None,
    });
    assert_eq!(std::fs::read_to_string(log.unwrap()).unwrap(), "said\n");

    let again = build(Isolation::Sandboxed);
    assert_eq!((again.built, &again.outcomes[&StepId(1)]), (0, outcome));
}
