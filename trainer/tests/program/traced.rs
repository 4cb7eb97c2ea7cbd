//! Traced functions: losses, layers and metrics that a pipeline wrote by hand.

use crate::call::{Place, evaluate, linear, mlp, train, without_val};
use serde_json::{Value, json};

fn node(index: usize) -> Value {
    json!({ "node": index })
}

/// The cross-entropy of logits and classes, in single operations.
fn cross_entropy() -> Value {
    json!([
        { "kind": "input", "index": 0 },
        { "kind": "log_softmax", "x": node(0), "dim": 1 },
        { "kind": "input", "index": 1 },
        { "kind": "unsqueeze", "x": node(2), "dim": 1 },
        { "kind": "gather", "x": node(1), "dim": 1, "index": node(3) },
        { "kind": "mean", "x": node(4), "keepdim": false },
        { "kind": "neg", "x": node(5) },
    ])
}

/// The share of examples whose likeliest class is theirs.
fn accuracy() -> Value {
    json!([
        { "kind": "input", "index": 0 },
        { "kind": "argmax", "x": node(0), "dim": 1, "keepdim": false },
        { "kind": "input", "index": 1 },
        { "kind": "eq", "x": node(1), "y": node(2) },
        { "kind": "float", "x": node(3) },
        { "kind": "mean", "x": node(4), "keepdim": false },
    ])
}

fn last_loss(place: &Place) -> f64 {
    let history = place.json("history.json");
    history.as_array().unwrap().last().unwrap()["train"]["loss"]
        .as_f64()
        .unwrap()
}

#[test]
fn a_loss_of_single_operations_trains_like_the_kernel() {
    let place = Place::new();
    let call = without_val(train(&mlp()));
    place.build(&call);
    let kernel = last_loss(&place);
    for shards in [1, 3] {
        let mut call = call.clone();
        call["args"]["loss"] = json!({ "kind": "custom", "graph": cross_entropy() });
        call["args"]["shards"] = json!(shards);
        place.build(&call);
        let traced = last_loss(&place);
        assert!((traced - kernel).abs() < 1e-4, "{traced} and {kernel}");
    }
}

#[test]
fn a_layer_of_single_operations_is_the_layer() {
    let layers = |activation: &Value| {
        let layers =
            json!([{ "kind": "flatten", "start_dim": 1 }, linear(32, 16), activation, linear(16, 3)]);
        json!({ "input": [2, 4, 4], "output": [3], "root": { "kind": "sequential", "layers": layers } })
    };
    let graph = json!([
        { "kind": "input", "index": 0 },
        { "kind": "maximum", "x": node(0), "y": 0 },
    ]);
    let place = Place::new();
    place.build(&train(&layers(&json!({ "kind": "relu" }))));
    let (kernel, digest) = (last_loss(&place), place.digest("model/weights.safetensors"));
    place.build(&train(&layers(&json!({ "kind": "fn", "graph": graph }))));
    assert_eq!(last_loss(&place), kernel);
    assert_eq!(place.digest("model/weights.safetensors"), digest);
}

#[test]
fn a_metric_is_of_all_examples_at_once() {
    let place = Place::new();
    place.build(&train(&mlp()));
    let metrics = json!({
        "own": { "kind": "custom", "graph": accuracy(), "direction": "maximize" },
        "accuracy": { "kind": "accuracy", "top_k": 1 },
        // The variance of all outputs: no mean of what batches give.
        "spread": { "kind": "custom", "direction": "minimize", "graph": [
            { "kind": "input", "index": 0 },
            { "kind": "var", "x": node(0), "correction": 1, "keepdim": false },
        ] },
    });
    let mut call = evaluate(&place, &metrics);
    let mut found = Vec::new();
    for (batch_size, workers) in [(30, 1), (8, 1), (7, 3)] {
        call["args"]["batch_size"] = json!(batch_size);
        call["workers"] = json!(workers);
        place.build(&call);
        found.push(place.json("metrics.json"));
    }
    for metrics in &found {
        let figure = |name: &str| metrics[name].as_f64().unwrap();
        assert!((figure("own") - figure("accuracy")).abs() < 1e-6, "{metrics}");
        assert!((figure("spread") - found[0]["spread"].as_f64().unwrap()).abs() < 1e-5);
        assert!(figure("spread") > 0.0);
    }
}

#[test]
fn only_traced_functions_take_any_output() {
    let place = Place::new();
    let layers = json!([{ "kind": "flatten", "start_dim": 1 }, linear(32, 5)]);
    let net =
        json!({ "input": [2, 4, 4], "output": [5], "root": { "kind": "sequential", "layers": layers } });
    let mut call = train(&net);
    call["args"]["loss"] = json!({ "kind": "custom", "graph": [
        { "kind": "input", "index": 0 },
        { "kind": "square", "x": node(0) },
        { "kind": "mean", "x": node(1), "keepdim": false },
    ] });
    assert_eq!(place.run(&call).failure()["code"], "B0202");
    call["args"]["metrics"] = json!({});
    place.build(&call);
    assert!(last_loss(&place) > 0.0);
}
