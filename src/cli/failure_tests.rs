use super::*;
use crate::base::digest::Digest;
use crate::cli::render::render;
use crate::model::derivation::{Builder, Derivation};
use crate::model::event::Undeclared;
use crate::model::node::Node;
use crate::report::style::Style;
use mlp_lang::spec::{ByName, Datum, Fields, Origin, Resources};

const PIPELINE: &str = "digits = data.csv(\n  ./digits.csv,\n  y = data.label(\"digit\", classes = 10),\n)\n";

/// The step `digits` of the pipeline above.
fn step(sources: &mut Sources) -> Step {
    let source = sources.add("pipeline.mlp", PIPELINE);
    let span = |part: &str| {
        let start = PIPELINE.find(part).unwrap() as u32;
        Span {
            source,
            start,
            end: start + part.len() as u32,
        }
    };
    let node = Node::File {
        executable: false,
        size: 0,
        digest: Digest::of_blob(b""),
    };
    let file = Reference::Source {
        path: "digits.csv".into(),
        node,
    };
    Step {
        derivation: Derivation {
            builder: Builder::Builtin {
                name: "data.csv".into(),
                version: 1,
                numerics: None,
            },
            args: Datum::Map(Fields::new()),
            env: None,
            vars: ByName::new(),
            cwd: None,
            inputs: ByName::from([("inputs/file".to_owned(), file)]),
            outputs: ByName::new(),
            threads: 1,
            device_class: None,
        },
        static_key: Digest::of_blob(b""),
        names: vec!["digits".into()],
        origin: Origin {
            span: span(&PIPELINE[9..PIPELINE.len() - 1]),
            arguments: ByName::from([("y".to_owned(), span("data.label(\"digit\", classes = 10)"))]),
        },
        resources: Resources::default(),
        locators: std::collections::BTreeMap::new(),
    }
}

fn shown(failure: &StepFailure, tail: &[String]) -> String {
    let mut sources = Sources::default();
    let step = step(&mut sources);
    let row = format!("{}12", "0,".repeat(64));
    let failed = Failed {
        step: "digits",
        failure,
        tail,
        log: Some(".mlp/runs/1/digits.log".into()),
        kept: None,
        declared: Some(&step),
        sources: &sources,
        line: &|_, _| Some(row.clone()),
    };
    render(&failed.notice(), Style::PLAIN)
}

#[test]
fn a_builders_failure_shows_the_cell_and_the_argument() {
    let failure = Failure::new("B0106", "the label 12 is outside the 10 classes")
        .at(Place {
            input: "file".into(),
            path: None,
            line: 814,
            bytes: Some((128, 130)),
        })
        .argument("y.classes")
        .help("write `classes = 13`, or mend the row");
    insta::assert_snapshot!(shown(&StepFailure::Builder(*failure), &[]));
}

#[test]
fn a_killed_program_shows_the_call_and_its_last_words() {
    let tail = ["epoch 3".to_owned(), "epoch 4".to_owned()];
    insta::assert_snapshot!(shown(&StepFailure::Signalled { signal: 9 }, &tail));
}

#[test]
fn every_code_has_a_page() {
    let failures = [
        StepFailure::Exited { status: 1 },
        StepFailure::Script {
            status: 1,
            words: None,
            place: None,
            undeclared: vec![Undeclared {
                path: "x".into(),
                made_by: None,
            }],
        },
        StepFailure::Signalled { signal: 9 },
        StepFailure::OutOfTime { limit_ms: None },
        StepFailure::OutOfMemory {
            limit: None,
            held: None,
        },
        StepFailure::OutOfDisk { limit: None },
        StepFailure::Cancelled,
        StepFailure::NotStarted {
            reason: "x".into(),
            help: None,
        },
        StepFailure::Output {
            output: "x".into(),
            reason: "x".into(),
            help: None,
        },
        StepFailure::SourceChanged { path: "x".into() },
        StepFailure::SourceAbsent { path: "x".into() },
        StepFailure::Store {
            reason: "x".into(),
            help: None,
        },
    ];
    for failure in failures {
        let mut sources = Sources::default();
        let declared = step(&mut sources);
        let failed = Failed {
            step: "digits",
            failure: &failure,
            tail: &[],
            log: None,
            kept: None,
            declared: Some(&declared),
            sources: &sources,
            line: &|_, _| None,
        };
        let code = failed.told().code;
        assert!(crate::cli::explain::page(&code).is_some(), "{code}");
    }
}

/// What a test cannot bring about without harm to the machine: memory that runs out, a store that fails.
#[test]
fn failures_of_the_machine_say_what_to_do() {
    let failures = [
        StepFailure::OutOfMemory {
            limit: None,
            held: None,
        },
        StepFailure::OutOfMemory {
            limit: Some(4 << 30),
            held: Some(5 << 30),
        },
        StepFailure::OutOfTime {
            limit_ms: Some(90_000),
        },
        StepFailure::OutOfDisk { limit: Some(1 << 20) },
        StepFailure::Cancelled,
        StepFailure::NotStarted {
            reason: "the kernel refuses user namespaces".into(),
            help: Some(
                "allow them: `sysctl kernel.unprivileged_userns_clone=1`, or build with `--sandbox=off`"
                    .into(),
            ),
        },
        StepFailure::SourceChanged {
            path: "digits.csv".into(),
        },
        StepFailure::Store {
            reason: "no space left on device".into(),
            help: Some("make room on the disk of the store".into()),
        },
    ];
    let shown: Vec<String> = failures.iter().map(|failure| shown(failure, &[])).collect();
    insta::assert_snapshot!(shown.join("\n"));
}
