//! What is planned, and why.

use super::*;
use crate::model::derivation::{Builder, Output, Reference};
use crate::model::graph::{Step, Target};
use mlp_lang::source::{SourceId, Span};
use mlp_lang::spec::{ArtifactKind, ByName, Datum, Origin, Resources};
use std::cell::{Cell, RefCell};
use std::convert::Infallible;

/// A store in memory.
#[derive(Default)]
struct Memory {
    traces: BTreeMap<Digest, Trace>,
    realisations: BTreeMap<Digest, Realisation>,
    derivations: BTreeMap<Digest, Vec<u8>>,
    gone: BTreeSet<Node>,
    removed: BTreeMap<Digest, u64>,
    looks: Cell<u32>,
}

impl Snapshot for Memory {
    type Error = Infallible;

    fn trace(&self, static_key: Digest) -> Result<Option<Trace>, Infallible> {
        self.looks.set(self.looks.get() + 1);
        Ok(self.traces.get(&static_key).cloned())
    }

    fn realisation(&self, resolved_key: Digest) -> Result<Option<Realisation>, Infallible> {
        self.looks.set(self.looks.get() + 1);
        Ok(self.realisations.get(&resolved_key).cloned())
    }

    fn derivation(&self, static_key: Digest) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.derivations.get(&static_key).cloned())
    }

    fn removed(&self, key: Digest) -> Result<Option<u64>, Infallible> {
        Ok(self.removed.get(&key).copied())
    }

    fn holds(&self, node: &Node) -> bool {
        !self.gone.contains(node)
    }

    fn json(&self, _: &Node) -> Result<serde_json::Value, String> {
        Ok(serde_json::json!({}))
    }
}

fn node(content: &str) -> Node {
    Node::File {
        executable: false,
        size: content.len() as u64,
        digest: Digest::of_blob(content.as_bytes()),
    }
}

/// A row of steps, each of which reads the one before it; the first reads a source.
struct Row {
    source: &'static str,
    /// Name and argument `lr` of each step.
    steps: Vec<(&'static str, f64)>,
}

impl Row {
    fn graph(&self) -> Graph {
        let mut graph = Graph::default();
        for (at, (name, lr)) in self.steps.iter().enumerate() {
            let input = match at.checked_sub(1) {
                None => Reference::Source {
                    path: "digits.csv".into(),
                    node: node(self.source),
                },
                Some(before) => Reference::Output {
                    step: StepId(before as u32),
                    output: "out".into(),
                },
            };
            let derivation = derivation(*lr, input);
            graph.steps.push(step(name, derivation));
            let id = StepId(at as u32);
            let bytes = crate::instantiate::static_bytes(&graph, id).unwrap();
            graph.steps[at].static_key = Digest::of(crate::base::digest::Context::StaticKey, &bytes);
        }
        graph.targets.push(Target {
            label: "target".into(),
            source: Reference::Output {
                step: StepId(self.steps.len() as u32 - 1),
                output: "out".into(),
            },
            kind: ArtifactKind::File,
        });
        graph
    }
}

fn derivation(lr: f64, input: Reference) -> Derivation {
    let output = Output {
        kind: ArtifactKind::File,
        path: "out/out".into(),
        schema: Datum::Null,
        optional: false,
        observed: false,
    };
    Derivation {
        builder: Builder::Builtin {
            name: "data.csv".into(),
            version: 1,
            numerics: None,
        },
        args: Datum::Map([("lr".to_owned(), Datum::Float(lr))].into()),
        env: None,
        vars: ByName::new(),
        cwd: None,
        inputs: [("inputs/in".to_owned(), input)].into(),
        outputs: [("out".to_owned(), output)].into(),
        threads: 1,
        device_class: None,
    }
}

fn step(name: &str, derivation: Derivation) -> Step {
    let span = Span {
        source: SourceId(0),
        start: 0,
        end: 0,
    };
    Step {
        derivation,
        static_key: Digest::of_blob(b""),
        names: vec![name.to_owned()],
        origin: Origin {
            span,
            arguments: ByName::new(),
        },
        resources: Resources::default(),
        locators: std::collections::BTreeMap::new(),
    }
}

/// Builds everything that is planned; step `at` gives what `content` says.
fn build(
    memory: &mut Memory,
    last: &RefCell<BTreeMap<String, Digest>>,
    row: &Row,
    content: impl Fn(usize) -> Node,
) {
    let graph = row.graph();
    for (at, step) in graph.steps.iter().enumerate() {
        let known = Circumstances {
            snapshot: &*memory,
            last: &|_| None,
            check: false,
        };
        let mut planner = Planner {
            graph: &graph,
            circumstances: &known,
            lost: BTreeSet::new(),
            demanded: vec![Demand::Must; graph.steps.len()],
            open: false,
            found: vec![None; graph.steps.len()],
            ready: vec![false; graph.steps.len()],
        };
        let Ok(()) = planner.trace();
        let resolution = resolve(&graph, StepId(at as u32), &planner).unwrap();
        let outputs: BTreeMap<_, _> = [("out".to_owned(), Some(content(at)))].into();
        let trace = Trace {
            resolved_key: resolution.key,
            outputs: outputs.clone(),
            dependencies: resolution.dependencies,
        };
        memory
            .realisations
            .insert(resolution.key, Realisation { outputs });
        memory.traces.insert(step.static_key, trace);
        let bytes = crate::instantiate::static_bytes(&graph, StepId(at as u32)).unwrap();
        memory.derivations.insert(step.static_key, bytes);
        last.borrow_mut().insert(step.name().to_owned(), step.static_key);
    }
}

fn by_name(at: usize) -> Node {
    node(&format!("content of {at}"))
}

/// The plan as lines: step, decision, reason.
fn lines(memory: &Memory, last: &RefCell<BTreeMap<String, Digest>>, row: &Row, check: bool) -> Vec<String> {
    let graph = row.graph();
    let circumstances = Circumstances {
        snapshot: memory,
        last: &|name| last.borrow().get(name).copied(),
        check,
    };
    let Ok(plan) = plan(&graph, &circumstances);
    let line = |planned: &PlannedStep| {
        let decision = match planned.decision {
            Decision::Reuse(_) => "reuse",
            Decision::Build => "build",
            Decision::Unknown => "maybe",
            Decision::May => "if chosen",
        };
        format!(
            "{} {decision}: {}",
            graph.step(planned.step).name(),
            planned.reason
        )
    };
    plan.steps.iter().map(line).collect()
}

fn row(source: &'static str, lrs: [f64; 3]) -> Row {
    let steps = ["parts", "fit", "evaluate"].into_iter().zip(lrs).collect();
    Row { source, steps }
}

fn built() -> (Memory, RefCell<BTreeMap<String, Digest>>) {
    let (mut memory, last) = (Memory::default(), RefCell::default());
    build(&mut memory, &last, &row("a", [1.0; 3]), by_name);
    memory.looks.set(0);
    (memory, last)
}

#[test]
fn what_was_never_built_is_built() {
    let expected = [
        "parts build: it was never built",
        "fit maybe: it was never built",
        "evaluate maybe: it was never built",
    ];
    assert_eq!(
        lines(
            &Memory::default(),
            &RefCell::default(),
            &row("a", [1.0; 3]),
            false
        ),
        expected
    );
}

#[test]
fn an_unchanged_target_is_one_look_up() {
    let (memory, last) = built();
    let expected = ["evaluate reuse: nothing that it depends on changed"];
    assert_eq!(lines(&memory, &last, &row("a", [1.0; 3]), false), expected);
    assert_eq!(memory.looks.get(), 1);
}

#[test]
fn a_changed_argument_is_named_with_both_values() {
    let (memory, last) = built();
    let expected = [
        "parts reuse: nothing that it depends on changed",
        "fit build: its argument `lr` was 1.0, is 0.5",
        "evaluate maybe: `fit` may change",
    ];
    assert_eq!(lines(&memory, &last, &row("a", [1.0, 0.5, 1.0]), false), expected);
}

#[test]
fn a_changed_source_is_named_by_its_path() {
    let (memory, last) = built();
    let expected = [
        "parts build: its input `digits.csv` changed",
        "fit maybe: `parts` may change",
        "evaluate maybe: `fit` may change",
    ];
    assert_eq!(lines(&memory, &last, &row("b", [1.0; 3]), false), expected);
}

#[test]
fn inputs_that_come_out_the_same_stop_there() {
    let (mut memory, last) = built();
    // The source changes, `parts` is built, and comes out as before.
    let changed = row("b", [1.0; 3]);
    let first = Row {
        source: "b",
        steps: changed.steps[..1].to_vec(),
    };
    build(&mut memory, &last, &first, by_name);
    let expected = [
        "parts reuse: nothing that it depends on changed",
        "fit reuse: its inputs came out as they were in an earlier build",
        "evaluate reuse: its inputs came out as they were in an earlier build",
    ];
    assert_eq!(lines(&memory, &last, &changed, false), expected);
    let graph = changed.graph();
    let circumstances = Circumstances {
        snapshot: &memory,
        last: &|_| None,
        check: false,
    };
    let Ok(plan) = plan(&graph, &circumstances);
    let new: Vec<bool> = plan
        .reused()
        .map(|(_, found)| found.new_trace.is_some())
        .collect();
    assert_eq!(new, [false, true, true]);
    assert!(plan.todo().is_empty());
}

#[test]
fn a_changed_input_of_a_step_that_is_ready_is_named_by_the_step() {
    let (mut memory, last) = built();
    let first = Row {
        source: "b",
        steps: vec![("parts", 1.0)],
    };
    build(&mut memory, &last, &first, |_| node("other parts"));
    let expected = [
        "parts reuse: nothing that it depends on changed",
        "fit build: its input `parts` changed",
        "evaluate maybe: `fit` may change",
    ];
    assert_eq!(lines(&memory, &last, &row("b", [1.0; 3]), false), expected);
}

#[test]
fn bytes_that_are_gone_are_built_again_and_only_where_they_are_needed() {
    let (mut memory, last) = built();
    memory.gone.extend([by_name(0), by_name(1)]);
    let unchanged = row("a", [1.0; 3]);
    let expected = ["evaluate reuse: nothing that it depends on changed"];
    assert_eq!(lines(&memory, &last, &unchanged, false), expected);
    // A target's own bytes are gone: all that it reads is needed, and gone too.
    memory.gone.insert(by_name(2));
    let gone = "build: its result is not in the store any more";
    let expected = ["parts", "fit", "evaluate"].map(|name| format!("{name} {gone}"));
    assert_eq!(lines(&memory, &last, &unchanged, false), expected);
}

#[test]
fn what_garbage_collection_took_is_said_with_the_day() {
    let (mut memory, last) = built();
    memory.gone.extend([by_name(0), by_name(1), by_name(2)]);
    let unchanged = row("a", [1.0; 3]);
    memory
        .removed
        .insert(unchanged.graph().steps[0].static_key, 1_769_869_500);
    let planned = lines(&memory, &last, &unchanged, false);
    assert_eq!(
        planned[0],
        "parts build: its result was removed from the store on 2026-01-31"
    );
}

#[test]
fn another_store_is_said_so() {
    let (_, last) = built();
    let planned = lines(&Memory::default(), &last, &row("a", [1.0; 3]), false);
    assert_eq!(planned[0], "parts build: its result is not in this store");
}

#[test]
fn a_check_builds_everything_again() {
    let (memory, last) = built();
    let again = "build: it is built again, to compare";
    let expected = ["parts", "fit", "evaluate"].map(|name| format!("{name} {again}"));
    assert_eq!(lines(&memory, &last, &row("a", [1.0; 3]), true), expected);
}
