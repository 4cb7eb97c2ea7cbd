//! What is registered and reused: cutoff, verification, comparison, sources.

use super::*;
use crate::model::event::{How, StepFailure};

fn hows(events: &[EventKind]) -> Vec<(String, How)> {
    let how = |event: &EventKind| match event {
        EventKind::StepFinished { step, how, .. } => Some((step.clone(), *how)),
        _ => None,
    };
    events.iter().filter_map(how).collect()
}

fn failure(events: &[EventKind]) -> StepFailure {
    let failure = |event: &EventKind| match event {
        EventKind::StepFailed { failure, .. } => Some(failure.clone()),
        _ => None,
    };
    events.iter().find_map(failure).unwrap()
}

fn differences(events: &[EventKind]) -> Vec<(Vec<String>, String)> {
    let differs = |event: &EventKind| match event {
        EventKind::Differs { outputs, detail, .. } => Some((outputs.clone(), detail.clone())),
        _ => None,
    };
    events.iter().filter_map(differs).collect()
}

fn two(first: &str) -> Graph {
    let mut graph = Graph::default();
    add(&mut graph, "a", first, &[]);
    add(&mut graph, "b", "b", &[0]);
    graph
}

#[test]
fn a_step_whose_inputs_come_out_the_same_is_not_built() {
    let place = Place::new();
    let same = |request: &BuildRequest| {
        if request.label == "a" {
            writes("same")
        } else {
            echo(request)
        }
    };
    assert_eq!(place.run(&two("old"), &Scripted::new(same)).0.built, 2);
    let executor = Scripted::new(same);
    let (summary, events) = place.run(&two("new"), &executor);
    assert_eq!(
        hows(&events),
        [("a".into(), How::Built), ("b".into(), How::Cutoff)]
    );
    assert_eq!((summary.built, summary.reused), (1, 1));
    assert_eq!(executor.requests().len(), 1);
    // The next look finds it without its inputs.
    let key = two("new").steps[1].static_key;
    assert_eq!(
        place.store.trace(key).unwrap().unwrap().outputs,
        summary.outcomes[&StepId(1)].outputs
    );
}

#[test]
fn a_build_is_attested() {
    let place = Place::new();
    let (summary, _) = place.run(&two("a"), &Scripted::new(echo));
    let attestations = place
        .store
        .attestations(summary.outcomes[&StepId(1)].resolved_key)
        .unwrap();
    let [attestation] = &attestations[..] else {
        panic!("{attestations:?}")
    };
    assert_eq!(
        (attestation.run.as_str(), attestation.step.as_str()),
        ("test", "b")
    );
    assert_eq!(attestation.effective, Isolation::HostTools);
}

#[test]
fn a_missing_output_is_named_with_its_place() {
    let place = Place::new();
    let (_, events) = place.run(&two("a"), &Scripted::new(|_| Answer::writes([])));
    let StepFailure::Output { output, reason, help } = failure(&events) else {
        panic!()
    };
    assert_eq!((output.as_str(), reason.as_str()), ("out", "was not written"));
    assert_eq!(
        help.as_deref(),
        Some("the step must write it at `out`; it wrote nothing")
    );
}

#[test]
fn observed_outputs_are_attested_and_in_no_result() {
    let place = Place::new();
    let mut graph = Graph::default();
    add(&mut graph, "a", "a", &[]);
    let timings = Output {
        kind: ArtifactKind::Value,
        path: "timings".into(),
        schema: Datum::Null,
        optional: false,
        observed: true,
    };
    graph.steps[0].derivation.outputs.insert("timings", timings);
    let executor = Scripted::new(|_| {
        Answer::writes([
            ("out".into(), b"x".to_vec()),
            ("timings".into(), br#"{"seconds": 2}"#.to_vec()),
        ])
    });
    let (summary, _) = place.run(&graph, &executor);
    let outcome = &summary.outcomes[&StepId(0)];
    assert_eq!(outcome.outputs.keys().collect::<Vec<_>>(), ["out"]);
    let attestation = &place.store.attestations(outcome.resolved_key).unwrap()[0];
    assert_eq!(attestation.observed["timings"], serde_json::json!({"seconds": 2}));
}

#[test]
fn check_builds_again_and_finds_the_same() {
    let mut place = Place::new();
    place.run(&two("a"), &Scripted::new(echo));
    place.options.check = true;
    let (summary, events) = place.run(&two("a"), &Scripted::new(echo));
    assert_eq!(
        hows(&events),
        [("a".into(), How::Checked), ("b".into(), How::Checked)]
    );
    assert_eq!((summary.differing, differences(&events)), (0, vec![]));
}

#[test]
fn check_says_what_differs_and_changes_nothing() {
    let mut place = Place::new();
    let (before, _) = place.run(&two("a"), &Scripted::new(echo));
    place.options.check = true;
    let executor = Scripted::new(|request| {
        if request.label == "a" {
            writes("A")
        } else {
            echo(request)
        }
    });
    let (after, events) = place.run(&two("a"), &executor);
    let words = "`out`: byte 0 is 65 instead of 97".to_owned();
    assert_eq!(differences(&events), [(vec!["out".to_owned()], words)]);
    assert_eq!((after.differing, &after.outcomes), (1, &before.outcomes));
    // What follows was compared on the registered input.
    let again = executor
        .requests()
        .into_iter()
        .find(|request| request.label == "b")
        .unwrap();
    let read = std::fs::read_to_string(again.inputs.values().next().unwrap()).unwrap();
    assert_eq!(read, "a");
}

#[test]
fn a_large_source_that_changes_while_it_is_read_fails_the_step() {
    let place = Place::new();
    let path = place.project("big.csv");
    let bytes = vec![b'1'; 17 << 20];
    std::fs::write(&path, &bytes).unwrap();
    let mut graph = Graph::default();
    add(&mut graph, "a", "a", &[]);
    let node = Node::File {
        executable: false,
        size: bytes.len() as u64,
        digest: crate::base::digest::Digest::of_blob(&bytes),
    };
    let source = Reference::Source {
        path: "big.csv".into(),
        node,
    };
    graph.steps[0].derivation.inputs.insert("big.csv", source);
    let (summary, _) = place.run(&graph, &Scripted::new(|_| writes("x")));
    assert_eq!(summary.built, 1);
    // Another key, so that it is built again.
    let derivation = Derivation {
        cwd: Some("elsewhere".into()),
        ..graph.steps[0].derivation.clone()
    };
    let mut graph = Graph::default();
    add_derivation(&mut graph, "a", derivation);
    let executor = Scripted::new(move |_| {
        std::fs::write(&path, b"2").unwrap();
        writes("x")
    });
    let (_, events) = place.run(&graph, &executor);
    assert_eq!(
        failure(&events),
        StepFailure::SourceChanged {
            path: "big.csv".into()
        }
    );
}

#[test]
fn each_build_has_its_log_in_the_runs_directory() {
    let place = Place::new();
    let (_, events) = place.run(&two("a"), &Scripted::new(echo));
    let logs: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            EventKind::StepStarted { log, .. } => Some(log.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(logs, ["logs/0000-a.log", "logs/0001-b.log"]);
}

#[test]
fn a_damaged_result_is_built_again_where_it_would_have_been_reused() {
    let place = Place::new();
    let same = |request: &BuildRequest| {
        if request.label == "a" {
            writes("same")
        } else {
            echo(request)
        }
    };
    let (before, _) = place.run(&two("old"), &Scripted::new(same));
    flip(&place.object(b"b(same)"));
    let place = place.opened_again();
    let (summary, events) = place.run(&two("new"), &Scripted::new(same));
    assert_eq!((summary.built, summary.reused), (2, 0));
    assert_eq!(warnings(&events).len(), 1, "{events:?}");
    assert_eq!(
        summary.outcomes[&StepId(1)].outputs,
        before.outcomes[&StepId(1)].outputs
    );
    assert_eq!(place.text(&summary.outcomes[&StepId(1)]), "b(same)");
}

#[test]
fn a_source_that_was_damaged_in_the_store_is_copied_again() {
    let place = Place::new();
    std::fs::write(place.project("a.csv"), "1,2").unwrap();
    let graph = |command: &str| {
        let mut graph = Graph::default();
        add(&mut graph, "a", command, &[]);
        let source = Reference::Source {
            path: "a.csv".into(),
            node: Node::File {
                executable: false,
                size: 3,
                digest: crate::base::digest::Digest::of_blob(b"1,2"),
            },
        };
        let mut derivation = graph.steps[0].derivation.clone();
        derivation.inputs.insert("a.csv", source);
        let mut graph = Graph::default();
        add_derivation(&mut graph, "a", derivation);
        graph
    };
    place.run(&graph("one"), &Scripted::new(echo));
    flip(&place.object(b"1,2"));
    let place = place.opened_again();
    let (summary, events) = place.run(&graph("two"), &Scripted::new(echo));
    assert_eq!(warnings(&events).len(), 1, "{events:?}");
    assert_eq!(place.text(&summary.outcomes[&StepId(0)]), "two(1,2)");
}
