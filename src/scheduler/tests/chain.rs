//! Trainings: states are kept as they come, and found again.

use super::*;
use crate::model::datum;
use mlp_protocol::call::Call;
use mlp_protocol::message::Message;
use serde_json::json;

/// A training of `epochs` on the output of a command.
pub(super) fn training(epochs: u32) -> Graph {
    let args = json!({
        "net": {
            "input": [2], "output": [1],
            "root": {"kind": "linear", "in_features": 2, "out_features": 1, "bias": true}
        },
        "loss": {"kind": "mse"},
        "optimizer": {"kind": "sgd", "lr": 0.1, "momentum": 0.0, "nesterov": false, "weight_decay": 0.0},
        "epochs": epochs, "batch_size": 4, "seed": 1, "keep": "last", "accumulate": 1, "shards": 1,
        "checkpoint_every": 1, "precision": "fp32", "device": "cpu",
    });
    let mut graph = Graph::default();
    add(&mut graph, "data", "data", &[]);
    let derivation = Derivation {
        builder: Builder::Builtin {
            name: "ml.train".into(),
            version: 1,
            numerics: Some("test".into()),
        },
        args: datum::from_json(&args).unwrap(),
        inputs: [(
            "inputs/on".to_owned(),
            Reference::Output {
                step: StepId(0),
                output: "out".into(),
            },
        )]
        .into(),
        outputs: [out(ArtifactKind::File)].into(),
        device_class: Some("cpu".into()),
        ..graph.steps[0].derivation.clone()
    };
    add_derivation(&mut graph, "fit", derivation);
    graph
}

/// A trainer that makes the states from the last that it was given up to `until`, and then ends so. Its epochs hold
/// `mark` and their number.
fn trainer(until: u32, mark: &'static str, ending: Ending) -> Scripted {
    Scripted::new(move |request| {
        if request.label == "data" {
            return echo(request);
        }
        let mut answer = train(request, until, mark);
        answer.ending = ending.clone();
        answer
    })
}

/// A training up to `until` from the last state that it was given.
pub(super) fn train(request: &BuildRequest, until: u32, mark: &str) -> Answer {
    let call: Call = serde_json::from_slice(&request.files["call.json"]).unwrap();
    let chain = call.chain.unwrap();
    let last = chain.have.keys().next_back().copied().unwrap_or(0);
    let mut answer = writes("model");
    for epoch in last + 1..=until {
        let name = format!("epoch-{epoch}");
        answer.files.insert(
            format!("{}/{name}/weights", chain.new),
            format!("{mark}{epoch}").into(),
        );
        answer.messages.push(Message::State { epoch, name });
    }
    answer
}

fn found(events: &[EventKind]) -> Option<(u32, u32)> {
    events.iter().find_map(|event| match event {
        EventKind::ChainFound { epochs, of, .. } => Some((*epochs, *of)),
        _ => None,
    })
}

#[test]
fn a_killed_training_goes_on_from_its_last_state() {
    let place = Place::new();
    let (summary, events) = place.run(&training(5), &trainer(3, "w", Ending::Signalled(9)));
    assert_eq!((summary.failed, found(&events)), (1, Some((0, 5))));
    let executor = trainer(5, "w", Ending::Succeeded);
    let (summary, events) = place.run(&training(5), &executor);
    assert_eq!((summary.built, found(&events)), (1, Some((3, 5))));
    let request = executor.requests().pop().unwrap();
    let state = &request.inputs["states/epoch-3"];
    assert_eq!(std::fs::read_to_string(state.join("weights")).unwrap(), "w3");
}

#[test]
fn more_epochs_cost_only_those() {
    let place = Place::new();
    place.run(&training(3), &trainer(3, "w", Ending::Succeeded));
    let executor = trainer(5, "w", Ending::Succeeded);
    let (_, events) = place.run(&training(5), &executor);
    assert_eq!(found(&events), Some((3, 5)));
}

#[test]
fn check_trains_anew_and_names_the_first_epoch_that_differs() {
    let mut place = Place::new();
    place.run(&training(3), &trainer(3, "w", Ending::Succeeded));
    place.options.check = true;
    let executor = trainer(3, "w", Ending::Succeeded);
    let (summary, _) = place.run(&training(3), &executor);
    assert_eq!(summary.differing, 0);
    assert!(
        !executor
            .requests()
            .pop()
            .unwrap()
            .inputs
            .contains_key("states/epoch-1")
    );

    let (summary, events) = place.run(&training(3), &trainer(3, "v", Ending::Succeeded));
    assert_eq!(summary.differing, 1);
    let detail = events.iter().find_map(|event| match event {
        EventKind::Differs { detail, .. } => Some(detail.as_str()),
        _ => None,
    });
    assert_eq!(
        detail,
        Some("the state after epoch 1: `weights`: byte 0 is 118 instead of 119")
    );
}

#[test]
fn a_state_beyond_the_last_epoch_fails_the_training() {
    let place = Place::new();
    let (summary, _) = place.run(&training(1), &trainer(2, "w", Ending::Succeeded));
    assert_eq!(summary.failed, 1);
}

#[test]
fn a_damaged_state_is_ignored_and_trained_again() {
    let place = Place::new();
    place.run(&training(5), &trainer(3, "w", Ending::Signalled(9)));
    let object = place.object(b"w3");
    flip(&object);
    let place = place.opened_again();
    let executor = trainer(5, "w", Ending::Succeeded);
    let (summary, events) = place.run(&training(5), &executor);
    assert_eq!((summary.built, found(&events)), (1, Some((2, 5))));
    assert_eq!(warnings(&events).len(), 1, "{events:?}");
    assert_eq!(std::fs::read(&object).unwrap(), b"w3", "made again");
}
