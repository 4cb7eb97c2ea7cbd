//! Choices of the build: what is chosen is built, and what is not is left alone.

use super::*;
use crate::model::event::StepFailure;
use crate::plan::Decision;
use std::collections::BTreeSet;

/// Three candidates, each with a step of its own before it; a chooser; and a reader of what it chooses.
fn graph() -> Graph {
    let mut graph = Graph::default();
    for at in 0..3 {
        add(&mut graph, &format!("before{at}"), "before", &[]);
        let derivation = &mut graph.steps[2 * at].derivation;
        derivation.args = Datum::Map([("n".to_owned(), Datum::Int(at as i64))].into());
        key(&mut graph, 2 * at);
        add(
            &mut graph,
            &format!("candidate{at}"),
            "candidate",
            &[2 * at as u32],
        );
    }
    let chooser = add(&mut graph, "choose", "choose", &[]);
    let reader = add(&mut graph, "reader", "reader", &[]);
    let choice = choice(chooser, &[1, 3, 5]);
    let derivation = &mut graph.steps[reader.0 as usize].derivation;
    derivation.inputs.insert("inputs/chosen", choice);
    key(&mut graph, reader.0 as usize);
    graph.targets.retain(|target| target.label == "reader");
    graph
}

/// Static keys are made when a step is added; this one changed.
fn key(graph: &mut Graph, at: usize) {
    let bytes = instantiate::static_bytes(graph, StepId(at as u32)).unwrap();
    let context = crate::base::digest::Context::StaticKey;
    graph.steps[at].static_key = crate::base::digest::Digest::of(context, &bytes);
}

fn output(step: StepId) -> Reference {
    Reference::Output {
        step,
        output: "out".into(),
    }
}

fn choice(chooser: StepId, candidates: &[u32]) -> Reference {
    Reference::Chosen {
        index: Box::new((output(chooser), vec!["0".into()])),
        candidates: candidates.iter().map(|step| output(StepId(*step))).collect(),
    }
}

/// A chooser that writes `choice`, and steps that write their names.
fn chooses(choice: &'static str) -> Scripted {
    Scripted::new(move |request| match request.label.as_str() {
        "choose" => writes(choice),
        label => writes(label),
    })
}

fn built(events: &[EventKind]) -> BTreeSet<&str> {
    let mut built = BTreeSet::new();
    for event in events {
        if let EventKind::StepStarted { step, .. } = event {
            built.insert(step.as_str());
        }
    }
    built
}

#[test]
fn only_what_is_chosen_is_built() {
    let place = Place::new();
    let (summary, events) = place.run(&graph(), &chooses("[1]"));
    assert_eq!(
        built(&events),
        ["before1", "candidate1", "choose", "reader"].into()
    );
    assert_eq!((summary.built, summary.failed, summary.skipped), (4, 0, 0));
    // Nothing is left to do, and nobody asks for the others.
    let (summary, events) = place.run(&graph(), &chooses("[0]"));
    assert_eq!((summary.built, summary.skipped, events.len()), (0, 0, 0));
}

#[test]
fn a_plan_says_what_must_and_what_may_be_built() {
    let place = Place::new();
    let graph = graph();
    let circumstances = Circumstances {
        snapshot: &place.store,
        last: &|_| None,
        check: false,
    };
    let planned = plan(&graph, &circumstances).unwrap();
    let said: Vec<_> = planned
        .steps
        .iter()
        .map(|planned| (graph.step(planned.step).name(), &planned.decision))
        .collect();
    let (may, must) = (Decision::May, Decision::Build);
    assert_eq!(
        said,
        [
            ("before0", &may),
            ("candidate0", &may),
            ("before1", &may),
            ("candidate1", &may),
            ("before2", &may),
            ("candidate2", &may),
            ("choose", &must),
            ("reader", &Decision::Unknown),
        ]
    );
}

#[test]
fn a_choice_that_is_known_demands_its_winner_alone() {
    let place = Place::new();
    let mut graph = graph();
    let all = std::mem::take(&mut graph.targets);
    graph.targets.push(Target {
        label: "choose".into(),
        source: output(StepId(6)),
        kind: ArtifactKind::Value,
    });
    place.run(&graph, &chooses("[2]"));
    graph.targets = all;
    let circumstances = Circumstances {
        snapshot: &place.store,
        last: &|_| None,
        check: false,
    };
    let planned = plan(&graph, &circumstances).unwrap();
    let names = |steps: BTreeSet<StepId>| -> Vec<String> {
        steps
            .into_iter()
            .map(|step| graph.step(step).name().to_owned())
            .collect()
    };
    assert_eq!(names(planned.todo()), ["before2", "candidate2", "reader"]);
    assert!(planned.may().is_empty());
    let (_, events) = place.run(&graph, &chooses("[2]"));
    assert_eq!(built(&events), ["before2", "candidate2", "reader"].into());
}

#[test]
fn a_choice_can_be_a_target() {
    let place = Place::new();
    let mut graph = graph();
    graph.targets = vec![Target {
        label: "best".into(),
        source: choice(StepId(6), &[1, 3, 5]),
        kind: ArtifactKind::File,
    }];
    let (summary, events) = place.run(&graph, &chooses("[0]"));
    assert_eq!(built(&events), ["before0", "candidate0", "choose"].into());
    assert_eq!((summary.built, summary.skipped), (3, 0));
    let (summary, events) = place.run(&graph, &chooses("[1]"));
    assert_eq!((summary.built, events.len()), (0, 0));
}

#[test]
fn a_candidate_that_fails_skips_its_reader() {
    let place = Place::new();
    let executor = Scripted::new(|request| match request.label.as_str() {
        "choose" => writes("[1]"),
        "before1" => fails(),
        label => writes(label),
    });
    let (summary, events) = place.run(&graph(), &executor);
    assert_eq!((summary.built, summary.failed), (1, 1));
    assert_eq!(built(&events), ["before1", "choose"].into());
    // The reader and the winner are not tried; of the others nothing is said.
    assert_eq!(summary.skipped, 2);
}

#[test]
fn a_position_that_no_candidate_has_is_said() {
    let place = Place::new();
    let (summary, events) = place.run(&graph(), &chooses("[7]"));
    assert_eq!((summary.built, summary.failed), (1, 1));
    let reason = events.iter().find_map(|event| match event {
        EventKind::StepFailed {
            failure: StepFailure::NotStarted { reason, .. },
            ..
        } => Some(reason.as_str()),
        _ => None,
    });
    assert_eq!(reason, Some("an input cannot be used: there is no candidate 7"));
}

#[test]
fn building_again_to_compare_follows_the_choice() {
    let mut place = Place::new();
    place.run(&graph(), &chooses("[1]"));
    place.options.check = true;
    let (summary, events) = place.run(&graph(), &chooses("[1]"));
    assert_eq!(summary.differing, 0);
    assert_eq!(
        built(&events),
        ["before1", "candidate1", "choose", "reader"].into()
    );
}
