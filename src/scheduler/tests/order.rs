//! Order, parallelism, failures: each step comes to one end, after what it reads.

use super::*;
use crate::model::event::StepFailure;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};

/// A chain of three and one beside it.
fn diamond() -> Graph {
    let mut graph = Graph::default();
    add(&mut graph, "a", "a", &[]);
    add(&mut graph, "b", "b", &[0]);
    add(&mut graph, "c", "c", &[0]);
    add(&mut graph, "d", "d", &[1, 2]);
    graph
}

#[test]
fn steps_read_what_was_built_before() {
    let place = Place::new();
    let (summary, _) = place.run(&diamond(), &Scripted::new(echo));
    assert_eq!((summary.built, summary.failed, summary.skipped), (4, 0, 0));
    assert_eq!(place.text(&summary.outcomes[&StepId(3)]), "d(b(a))(c(a))");
}

#[test]
fn two_steps_are_built_at_once() {
    let place = Place::new();
    // Each of the two waits for the other: with one at a time this would never end.
    let barrier = Arc::new(Barrier::new(2));
    let executor = Scripted::new(move |request| {
        let meets = request.label == "b" || request.label == "c";
        Answer {
            barrier: meets.then(|| barrier.clone()),
            ..echo(request)
        }
    });
    assert_eq!(place.run(&diamond(), &executor).0.built, 4);
    assert_eq!(executor.most_at_once(), 2);
}

/// Three steps beside each other, the middle one with these resources.
fn three(resources: Resources) -> Graph {
    let mut graph = Graph::default();
    for name in ["a", "b", "c"] {
        add(&mut graph, name, name, &[]);
    }
    graph.steps[1].resources = resources;
    graph
}

#[test]
fn processors_memory_and_gpus_bound_what_is_built_at_once() {
    for resources in [
        Resources {
            cpus: Some(2),
            ..Resources::default()
        },
        Resources {
            memory: Some(6),
            ..Resources::default()
        },
        Resources {
            gpus: Some(1),
            ..Resources::default()
        },
    ] {
        let mut place = Place::new();
        place.options.budget.jobs = 3;
        place.options.budget.cpus = 3;
        place.options.budget.memory = Some(10);
        place.options.budget.gpus = vec![4];
        let mut graph = three(resources.clone());
        for step in &mut graph.steps {
            step.resources = resources.clone();
        }
        let executor = Scripted::new(echo);
        assert_eq!(place.run(&graph, &executor).0.built, 3);
        assert_eq!(executor.most_at_once(), 1, "{resources:?}");
        let gpus = |request: &BuildRequest| resources.gpus.is_none() || request.gpus == [4];
        assert!(executor.requests().iter().all(gpus));
    }
}

#[test]
fn a_step_without_room_lets_others_go_before_it() {
    let mut place = Place::new();
    place.expected = [(StepId(0), 10), (StepId(1), 5)].into();
    // `b` needs both processors and `a` has one; `c` must be built beside `a`, or neither comes to its end.
    let barrier = Arc::new(Barrier::new(2));
    let executor = Scripted::new(move |request| Answer {
        barrier: (request.label != "b").then(|| barrier.clone()),
        ..echo(request)
    });
    let graph = three(Resources {
        cpus: Some(2),
        ..Resources::default()
    });
    assert_eq!(place.run(&graph, &executor).0.built, 3);
    let order: Vec<String> = executor
        .requests()
        .into_iter()
        .map(|request| request.label)
        .collect();
    assert_eq!(order[2], "b");
}

#[test]
fn what_can_never_be_given_is_a_failure_and_no_hang() {
    let mut place = Place::new();
    place.options.keep_going = true;
    let graph = three(Resources {
        gpus: Some(1),
        ..Resources::default()
    });
    let (summary, events) = place.run(&graph, &Scripted::new(echo));
    assert_eq!((summary.built, summary.failed), (2, 1));
    let told = format!("{events:?}");
    assert!(told.contains("it asks for 1 GPU, and there is none"), "{told}");
}

#[test]
fn what_took_long_goes_first_and_order_changes_nothing() {
    let orders = [[(StepId(0), 1), (StepId(2), 9)], [(StepId(0), 9), (StepId(2), 1)]].map(|expected| {
        let mut place = Place::new();
        place.options.budget.jobs = 1;
        place.expected = expected.into();
        let executor = Scripted::new(echo);
        let (summary, _) = place.run(&three(Resources::default()), &executor);
        let order: Vec<String> = executor
            .requests()
            .into_iter()
            .map(|request| request.label)
            .collect();
        (order.concat(), summary.outcomes)
    });
    assert_eq!((orders[0].0.as_str(), orders[1].0.as_str()), ("cab", "abc"));
    assert_eq!(orders[0].1, orders[1].1);
}

#[test]
fn what_follows_from_a_failure_is_skipped_and_says_why() {
    let mut place = Place::new();
    place.options.keep_going = true;
    let executor = Scripted::new(|request| {
        if request.label == "b" {
            fails()
        } else {
            echo(request)
        }
    });
    let (summary, events) = place.run(&diamond(), &executor);
    assert_eq!((summary.built, summary.failed, summary.skipped), (2, 1, 1));
    assert!(events.contains(&EventKind::StepSkipped {
        step: "d".into(),
        because: Some("b".into())
    }));
    let failed = events.iter().find_map(|event| match event {
        EventKind::StepFailed { step, failure, .. } => Some((step.as_str(), failure.clone())),
        _ => None,
    });
    assert_eq!(failed, Some(("b", StepFailure::Exited { status: 1 })));
}

#[test]
fn after_a_failure_nothing_new_is_started() {
    let mut place = Place::new();
    place.options.budget.jobs = 1;
    let executor = Scripted::new(|request| {
        if request.label == "a" {
            fails()
        } else {
            echo(request)
        }
    });
    let mut graph = Graph::default();
    add(&mut graph, "a", "a", &[]);
    add(&mut graph, "b", "b", &[]);
    let (summary, events) = place.run(&graph, &executor);
    assert_eq!((summary.built, summary.failed, summary.skipped), (0, 1, 1));
    assert!(events.contains(&EventKind::StepSkipped {
        step: "b".into(),
        because: None
    }));
}

#[test]
fn failures_are_never_results() {
    let place = Place::new();
    let mut graph = Graph::default();
    add(&mut graph, "a", "a", &[]);
    assert_eq!(place.run(&graph, &Scripted::new(|_| fails())).0.failed, 1);
    assert_eq!(place.run(&graph, &Scripted::new(echo)).0.built, 1);
}

#[test]
fn cancelling_skips_the_rest_and_registers_nothing() {
    let place = Place::new();
    let cancel = place.cancel.clone();
    let executor = Scripted::new(move |request| {
        cancel.cancel();
        echo(request)
    });
    let (summary, events) = place.run(&diamond(), &executor);
    assert_eq!((summary.built, summary.failed, summary.skipped), (0, 1, 3));
    let cancelled = |event: &EventKind| {
        matches!(
            event,
            EventKind::StepFailed {
                failure: StepFailure::Cancelled,
                ..
            }
        )
    };
    assert!(events.iter().any(cancelled));
    assert!(summary.outcomes.is_empty());
}

#[test]
fn a_panic_in_a_builds_thread_is_a_failure_and_no_hang() {
    let place = Place::new();
    let executor = Scripted::new(|request| match request.label.as_str() {
        "a" => panic!("a bug"),
        _ => echo(request),
    });
    let (summary, _) = place.run(&diamond(), &executor);
    assert_eq!((summary.failed, summary.skipped), (1, 3));
}

#[test]
fn two_schedulers_on_one_store_build_each_step_once() {
    let place = Place::new();
    let executor = Scripted::new(|request| {
        // Long enough for the other to come to the lock.
        std::thread::yield_now();
        echo(request)
    });
    let mut graph = Graph::default();
    for step in 0..20 {
        add(
            &mut graph,
            &format!("s{step}"),
            &format!("s{step}"),
            if step < 10 { &[] } else { &[3, 7] },
        );
    }
    let summaries = std::thread::scope(|scope| {
        let runs = [0, 1].map(|_| scope.spawn(|| place.run(&graph, &executor).0));
        runs.map(|run| run.join().unwrap())
    });
    assert_eq!(executor.requests().len(), 20);
    assert_eq!(summaries[0].outcomes, summaries[1].outcomes);
    assert_eq!(summaries.iter().map(|summary| summary.built).sum::<u32>(), 20);
}

/// For each step those that it reads, and whether it fails.
fn graphs() -> impl Strategy<Value = Vec<(BTreeSet<u32>, bool)>> {
    prop::collection::vec(
        (
            prop::collection::btree_set(0u32..12, 0..4),
            prop::bool::weighted(0.2),
        ),
        1..12,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_step_comes_to_one_end_after_what_it_reads(
        steps in graphs(), jobs in 1usize..4, keep_going in any::<bool>()
    ) {
        let mut place = Place::new();
        place.options.budget.jobs = jobs;
        place.options.budget.cpus = 4;
        place.options.keep_going = keep_going;
        let mut graph = Graph::default();
        let mut inputs_of = Vec::new();
        for (step, (inputs, _)) in steps.iter().enumerate() {
            let inputs: Vec<u32> = inputs.iter().copied().filter(|input| (*input as usize) < step).collect();
            add(&mut graph, &step.to_string(), &step.to_string(), &inputs);
            inputs_of.push(inputs);
        }
        let failing: Vec<bool> = steps.iter().map(|(_, fails)| *fails).collect();
        let table = failing.clone();
        let executor = Scripted::new(move |request| {
            let step: usize = request.label.parse().unwrap();
            if table[step] { fails() } else { echo(request) }
        });
        let (summary, events) = place.run(&graph, &executor);

        prop_assert!(executor.most_at_once() <= jobs);
        let mut ends: BTreeMap<usize, &str> = BTreeMap::new();
        for event in &events {
            let (step, end) = match event {
                EventKind::StepStarted { step, .. } => {
                    let step: usize = step.parse().unwrap();
                    let done = |input: &u32| ends.get(&(*input as usize)) == Some(&"done");
                    prop_assert!(inputs_of[step].iter().all(done), "{step} began before its inputs were done");
                    continue;
                }
                EventKind::StepFinished { step, .. } => (step, "done"),
                EventKind::StepFailed { step, .. } => (step, "failed"),
                EventKind::StepSkipped { step, .. } => (step, "skipped"),
                _ => continue,
            };
            prop_assert_eq!(ends.insert(step.parse().unwrap(), end), None, "{} ended twice", step);
        }
        prop_assert_eq!(ends.len(), steps.len());
        prop_assert_eq!(summary.built + summary.failed + summary.skipped, steps.len() as u32);
        for step in 0..steps.len() {
            let blocked = inputs_of[step].iter().any(|input| ends[&(*input as usize)] != "done");
            let end = ends[&step];
            prop_assert!(!blocked || end == "skipped", "{step} was {end} though an input was not there");
            if keep_going && !blocked {
                prop_assert_eq!(end, if failing[step] { "failed" } else { "done" });
            }
        }
    }
}
