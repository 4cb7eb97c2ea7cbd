//! That what comes out is right: figures, choices, files.

use crate::call::{Place, cnn, evaluate, linear, mlp, sums, train, without_val};
use mlp_data::safetensors;
use serde_json::{Value, json};

fn accuracy() -> Value {
    json!({ "accuracy": { "kind": "accuracy", "top_k": 1 }, "top2": { "kind": "accuracy", "top_k": 2 },
            "confusion": { "kind": "confusion_matrix" }, "ce": { "kind": "loss", "loss": { "kind": "cross_entropy" } } })
}

fn losses(place: &Place) -> Vec<f64> {
    let history = place.json("history.json");
    history
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["train"]["loss"].as_f64().unwrap())
        .collect()
}

#[test]
fn learns_and_scores() {
    let place = Place::new();
    let mut call = train(&cnn());
    call["args"]["epochs"] = json!(12);
    let run = place.build(&call);
    let losses = losses(&place);
    assert!(losses.len() == 12 && losses[11] < losses[0] / 3.0, "{losses:?}");
    assert_eq!(run.of("training_started")[0]["examples"], 90);
    assert_eq!(run.of("epoch").len(), 12);

    // `val` is the row of the best epoch, which has the lowest loss.
    let history = place.json("history.json");
    let best = place.json("best.json")["epoch"].as_u64().unwrap() as usize;
    let val_loss = |row: &Value| row["val"]["loss"].as_f64().unwrap();
    assert_eq!(place.json("val.json"), history[best - 1]["val"]);
    assert!(
        history
            .as_array()
            .unwrap()
            .iter()
            .all(|row| val_loss(row) >= val_loss(&history[best - 1]))
    );

    let call = evaluate(&place, &accuracy());
    place.build(&call);
    let metrics = place.json("metrics.json");
    assert!(metrics["accuracy"].as_f64().unwrap() > 0.9, "{metrics}");
    assert!(metrics["top2"].as_f64() >= metrics["accuracy"].as_f64());
    let cells = metrics["confusion"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap());
    assert_eq!(cells.map(|cell| cell.as_u64().unwrap()).sum::<u64>(), 30);
}

#[test]
fn evaluation_repeats_the_validation() {
    let place = Place::new();
    place.build(&train(&cnn()));
    let val = place.json("val.json");
    let mut call = evaluate(&place, &accuracy());
    call["inputs"]["on"] = json!("val");
    call["args"]["batch_size"] = json!(16);
    for workers in [1, 3] {
        call["workers"] = json!(workers);
        place.build(&call);
        let metrics = place.json("metrics.json");
        assert_eq!(
            [&metrics["accuracy"], &metrics["confusion"], &metrics["ce"]],
            [&val["accuracy"], &val["confusion"], &val["loss"]]
        );
    }
}

#[test]
fn a_model_has_the_paths_of_a_state_dict() {
    let place = Place::new();
    place.build(&train(&cnn()));
    let weights =
        safetensors::read(&place.path("out/model/weights.safetensors"), "weights", "B0208").unwrap();
    let names: Vec<&str> = weights.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "0.mean",
            "0.std",
            "1.bias",
            "1.weight",
            "2.bias",
            "2.num_batches_tracked",
            "2.running_mean",
            "2.running_var",
            "2.weight",
            "head.bias",
            "head.weight"
        ]
    );
    assert_eq!(weights["2.num_batches_tracked"].to_i64(), [24]);

    // The statistics of the training set, channel by channel.
    let x = safetensors::read(&place.path("train/x.safetensors"), "x", "B0117").unwrap()["x"].to_f32();
    let channel: Vec<f64> = x
        .chunks(32)
        .flat_map(|example| &example[16..])
        .map(|value| f64::from(*value))
        .collect();
    let mean = channel.iter().sum::<f64>() / channel.len() as f64;
    let variance = channel.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / channel.len() as f64;
    assert!((f64::from(weights["0.mean"].to_f32()[1]) - mean).abs() < 1e-6);
    assert!((f64::from(weights["0.std"].to_f32()[1]) - variance.sqrt()).abs() < 1e-6);
}

#[test]
fn shards_and_accumulation_are_the_same_mathematics() {
    let place = Place::new();
    let run = |key: &str, value: u32, batch: u32| {
        let mut call = train(&mlp());
        call["args"]["loss"] =
            json!({ "kind": "cross_entropy", "weight": [1.0, 2.0, 0.5], "label_smoothing": 0.1 });
        call["args"]["clip_grad_norm"] = json!(0.5);
        call["args"]["batch_size"] = json!(batch);
        call["args"][key] = json!(value);
        place.build(&call);
        losses(&place)
    };
    let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4 * a.abs());
    let whole = run("shards", 1, 30);
    let sharded = run("shards", 4, 30);
    assert!(near(&whole, &sharded), "{whole:?} {sharded:?}");
    // Two batches of 15 are accumulated to one of 30; unweighted, since a mean of weighted means is another mean.
    let plain = |accumulate: u32, batch: u32| {
        let mut call = train(&mlp());
        call["args"]["accumulate"] = json!(accumulate);
        call["args"]["batch_size"] = json!(batch);
        place.build(&call);
        losses(&place)
    };
    let (once, twice) = (plain(1, 30), plain(2, 15));
    assert!(near(&once, &twice), "{once:?} {twice:?}");
}

#[test]
fn regression_with_every_optimizer() {
    let place = Place::new();
    sums(64).write(&place.path("sums")).unwrap();
    let net = json!({ "input": [2], "output": [1], "root": linear(2, 1) });
    for (optimizer, bound) in [
        (
            json!({ "kind": "sgd", "lr": 0.3, "momentum": 0.0, "nesterov": false, "weight_decay": 0.0 }),
            0.01,
        ),
        (
            json!({ "kind": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": false, "weight_decay": 0.0 }),
            0.01,
        ),
        (
            json!({ "kind": "adam", "lr": 0.05, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0 }),
            0.01,
        ),
        (
            json!({ "kind": "adamw", "lr": 0.05, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 1e-4 }),
            0.01,
        ),
        (
            json!({ "kind": "rmsprop", "lr": 0.02, "alpha": 0.9, "eps": 1e-8, "weight_decay": 0.0, "momentum": 0.0, "centered": true }),
            0.01,
        ),
        (
            json!({ "kind": "lion", "lr": 0.02, "betas": [0.9, 0.99], "weight_decay": 0.01 }),
            0.01,
        ),
    ] {
        let mut call = without_val(train(&net));
        call["inputs"]["on"] = json!("sums");
        call["args"]["loss"] = json!({ "kind": "mse" });
        call["args"]["metrics"] = json!({});
        call["args"]["epochs"] = json!(30);
        call["args"]["optimizer"] = optimizer.clone();
        call["args"]["schedule"] = json!({ "kind": "cosine", "over": 30, "warmup": 2, "min_lr": 0.0 });
        place.build(&call);
        let losses = losses(&place);
        assert!(losses[29] < bound, "{optimizer}: {losses:?}");
        assert_eq!(
            place.json("history.json")[0]["lr"],
            json!(optimizer["lr"].as_f64().unwrap() / 2.0)
        );
        // A linear layer finds the sum.
        let weights =
            safetensors::read(&place.path("out/model/weights.safetensors"), "weights", "B0208").unwrap();
        assert!(
            weights["weight"]
                .to_f32()
                .iter()
                .all(|weight| (weight - 1.0).abs() < 0.2)
        );

        let mut scored = evaluate(
            &place,
            &json!({ "mae": { "kind": "mae" }, "rmse": { "kind": "rmse" } }),
        );
        scored["inputs"]["on"] = json!("sums");
        place.build(&scored);
        let metrics = place.json("metrics.json");
        assert!(metrics["mae"].as_f64() <= metrics["rmse"].as_f64() && metrics["rmse"].as_f64() < Some(0.1));
    }
}

#[test]
fn every_loss_falls() {
    let place = Place::new();
    sums(64).write(&place.path("sums")).unwrap();
    let numbers = json!({ "input": [2], "output": [1], "root": linear(2, 1) });
    for (net, on, loss) in [
        (&mlp(), "train", json!({ "kind": "focal", "gamma": 2.0 })),
        (&numbers, "sums", json!({ "kind": "huber", "delta": 0.5 })),
        (&numbers, "sums", json!({ "kind": "l1" })),
    ] {
        for shards in [1, 3] {
            let mut call = without_val(train(net));
            call["inputs"]["on"] = json!(on);
            call["args"]["loss"] = loss.clone();
            call["args"]["metrics"] = json!({});
            call["args"]["epochs"] = json!(20);
            call["args"]["shards"] = json!(shards);
            place.build(&call);
            let losses = losses(&place);
            assert!(
                losses[19] < losses[0] / 2.0,
                "{loss}, {shards} shards: {losses:?}"
            );
        }
    }
}

#[test]
fn early_stopping_and_what_is_kept() {
    let place = Place::new();
    let mut call = train(&mlp());
    call["args"]["epochs"] = json!(50);
    call["args"]["optimizer"]["lr"] = json!(0.1);
    call["args"]["early_stopping"] = json!({ "patience": 2, "min_delta": 0.0 });
    let run = place.build(&call);
    let stopped = run.of("stopped_early")[0]["epoch"].as_u64().unwrap();
    let best = place.json("best.json")["epoch"].as_u64().unwrap();
    assert_eq!(
        place.json("history.json").as_array().unwrap().len() as u64,
        stopped
    );
    assert_eq!(best, stopped - 2);
    assert_ne!(
        place.digest("model/weights.safetensors"),
        place.digest("last/weights.safetensors")
    );

    call["args"]["keep"] = json!("last");
    place.build(&call);
    assert_eq!(place.json("best.json")["epoch"], stopped);
    assert_eq!(
        place.digest("model/weights.safetensors"),
        place.digest("last/weights.safetensors")
    );
}

#[test]
fn only_the_outputs_of_the_call_are_written() {
    let place = Place::new();
    let mut call = train(&mlp());
    call["outputs"] = json!({ "history": "out/history.json" });
    call.as_object_mut().unwrap().remove("chain");
    place.build(&call);
    let names: Vec<String> = std::fs::read_dir(place.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["history.json"]);
    assert!(std::fs::read_dir(place.path("new")).unwrap().next().is_none());
}

#[test]
fn examples_that_are_validated_on_too_are_told() {
    let place = Place::new();
    let mut call = train(&mlp());
    call["args"]["epochs"] = 1.into();
    assert!(place.build(&call).of("warning").is_empty());
    call["inputs"]["val"] = call["inputs"]["on"].clone();
    let run = place.build(&call);
    let warnings = run.of("warning");
    assert_eq!(warnings.len(), 1);
    let text = warnings[0]["text"].as_str().unwrap();
    assert!(
        text.starts_with("90 of the 90 examples of `val` are in `on` too"),
        "{text}"
    );
}
