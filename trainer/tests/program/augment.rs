//! Training on examples that are changed at random.

use crate::call::{Place, cnn, mlp, sums, train};
use mlp_protocol::train::TrainArgs;
use serde_json::{Value, json};

/// A training of the convolutional network with every augmentation.
pub(crate) fn augmented() -> Value {
    let mut call = train(&cnn());
    call["args"]["augment"] = json!([
        { "kind": "horizontal_flip", "p": 0.5 },
        { "kind": "vertical_flip", "p": 0.1 },
        { "kind": "random_crop", "size": 4, "padding": [1, 0] },
        { "kind": "rotate", "degrees": 60.0 },
        { "kind": "scale", "lo": 0.6, "hi": 1.5 },
        { "kind": "translate", "share": 0.4 },
        { "kind": "color_jitter", "brightness": 0.2, "contrast": 0.2, "saturation": 0.0, "hue": 0.0 },
        { "kind": "cutout", "size": 2 },
        { "kind": "mixup", "alpha": 0.2 },
        { "kind": "time_mask", "max": 1 },
        { "kind": "freq_mask", "max": 1 },
        { "kind": "gaussian_noise", "std": 0.05 },
    ]);
    call
}

const OUTPUTS: [&str; 3] = ["last/weights.safetensors", "history.json", "val.json"];

#[test]
fn workers_change_nothing() {
    let place = Place::new();
    for shards in [1, 4] {
        let outputs = |workers: u32| {
            let mut call = augmented();
            call["args"]["shards"] = json!(shards);
            call["workers"] = json!(workers);
            place.build(&call);
            OUTPUTS.map(|name| place.digest(name))
        };
        let one = outputs(1);
        for workers in [2, 4] {
            assert_eq!(outputs(workers), one, "{shards} shards, {workers} workers");
        }
    }
}

#[test]
fn each_augmentation_changes_the_training_and_learns_nevertheless() {
    let place = Place::new();
    place.build(&train(&mlp()));
    let mut seen = vec![place.digest(OUTPUTS[0])];
    let mut call = train(&mlp());
    for step in augmented()["args"]["augment"].as_array().unwrap() {
        call["args"]["augment"] = json!([step]);
        place.build(&call);
        let losses = place.json("history.json");
        let loss = |epoch: usize| losses[epoch]["train"]["loss"].as_f64().unwrap();
        assert!(loss(3) < loss(0), "{step}: {losses}");
        let digest = place.digest(OUTPUTS[0]);
        assert!(!seen.contains(&digest), "{step} changes nothing");
        seen.push(digest);
    }
}

#[test]
fn a_plan_without_augmentation_hashes_as_ever() {
    let args: TrainArgs = serde_json::from_value(train(&mlp())["args"].clone()).unwrap();
    let plan = mlp_protocol::chain::plan_chain(&args);
    let bytes = String::from_utf8(plan.epochs[0].bytes()).unwrap();
    assert!(!bytes.contains("augment"), "{bytes}");
    let args: TrainArgs = serde_json::from_value(augmented()["args"].clone()).unwrap();
    let plan = mlp_protocol::chain::plan_chain(&args);
    let bytes = String::from_utf8(plan.epochs[0].bytes()).unwrap();
    assert!(
        bytes.contains(r#"{"kind":"random_crop","padding":[1,0],"size":[4,4]}"#),
        "{bytes}"
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let place = Place::new();
    sums(30).write(&place.path("sums")).unwrap();
    let refused = |on: &str, step: Value, message: &str| {
        let mut call = train(&mlp());
        call["inputs"] = json!({ "on": on });
        call["outputs"].as_object_mut().unwrap().remove("val");
        if on == "sums" {
            call["args"]["net"] = json!({ "input": [2], "output": [1], "root":
                { "kind": "linear", "in_features": 2, "out_features": 1, "bias": true } });
            call["args"]["loss"] = json!({ "kind": "mse" });
            call["args"]["metrics"] = json!({});
        }
        call["args"]["augment"] = json!([step]);
        let run = place.run(&call);
        let failure = run.failure();
        assert_eq!(
            (&failure["code"], &failure["argument"]),
            (&json!("B0207"), &json!("augment")),
            "{failure}"
        );
        assert!(
            failure["message"].as_str().unwrap().contains(message),
            "{failure}"
        );
    };
    refused(
        "sums",
        json!({ "kind": "horizontal_flip", "p": 0.5 }),
        "images are changed",
    );
    refused(
        "sums",
        json!({ "kind": "mixup", "alpha": 0.2 }),
        "`loss.cross_entropy`",
    );
    refused(
        "train",
        json!({ "kind": "random_crop", "size": 3, "padding": 0 }),
        "a crop of [3, 3] of images of [4, 4]",
    );
    refused(
        "train",
        json!({ "kind": "mixup", "alpha": 0.0 }),
        "`alpha` is out of range",
    );
}
