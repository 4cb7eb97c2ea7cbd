//! What a model says, kept and measured later: the bits of measuring it at once.

use crate::call::{Place, dataset, evaluate, linear, mlp, sums, train, without_val};
use mlp_data::predictions::Predictions;
use mlp_data::random::Random;
use mlp_data::safetensors::Array;
use mlp_protocol::data::Target;
use serde_json::{Value, json};
use std::fs;

/// The call that keeps what the evaluation `call` measures, in `out/said`.
fn predict(call: &Value) -> Value {
    let mut call = call.clone();
    call["builtin"] = json!("ml.predict");
    call["args"].as_object_mut().unwrap().remove("metrics");
    call["outputs"] = json!({ "predictions": "out/said", "timings": "out/timings.json" });
    call
}

/// The call that measures `out/said`, moved to `said` first.
fn score(place: &Place, metrics: &Value) -> Value {
    let _ = fs::remove_dir_all(place.path("said"));
    fs::rename(place.path("out/said"), place.path("said")).unwrap();
    json!({
        "builtin": "ml.score", "args": { "metrics": metrics }, "inputs": { "predictions": "said" },
        "outputs": { "metrics": "out/metrics.json" }, "workers": 1,
    })
}

/// Builds both ways to the metrics, and holds them against each other, byte by byte.
#[track_caller]
fn same_both_ways(place: &Place, on: &str, metrics: &Value) -> Value {
    let mut call = evaluate(place, metrics);
    call["inputs"]["on"] = json!(on);
    for (batch_size, workers) in [(7, 1), (256, 3)] {
        call["args"]["batch_size"] = json!(batch_size);
        call["workers"] = json!(workers);
        place.build(&call);
        let evaluated = fs::read(place.path("out/metrics.json")).unwrap();
        place.build(&predict(&call));
        let timings = place.json("timings.json");
        assert!(
            timings["milliseconds_per_example"].as_f64().unwrap() > 0.0,
            "{timings}"
        );
        place.build(&score(place, metrics));
        let scored = fs::read(place.path("out/metrics.json")).unwrap();
        assert_eq!(
            String::from_utf8(scored).unwrap(),
            String::from_utf8(evaluated).unwrap()
        );
    }
    place.json("metrics.json")
}

/// `count` examples of two numbers, each with the tags "a is above 1/2", "b is above 1/2" and "their sum is above 1".
fn tagged(count: u64) -> mlp_data::dataset::Dataset {
    let mut random = Random::new(7, "tags");
    let x: Vec<f32> = (0..2 * count)
        .map(|_| random.below(1000) as f32 / 1000.0)
        .collect();
    let tags = |pair: &[f32]| {
        [pair[0] > 0.5, pair[1] > 0.5, pair[0] + pair[1] > 1.0].map(|tag| f32::from(u8::from(tag)))
    };
    let y: Vec<f32> = x.chunks(2).flat_map(tags).collect();
    let target = Target::Tags {
        classes: 3,
        names: None,
    };
    dataset(count, vec![2], &x, target, Array::from_f32(vec![count, 3], &y))
}

/// A training of a linear layer on the dataset `on`.
fn fit(on: &str, outputs: u32, loss: &Value) -> Value {
    let mut call = without_val(train(
        &json!({ "input": [2], "output": [outputs], "root": linear(2, outputs) }),
    ));
    call["inputs"]["on"] = json!(on);
    call["args"]["loss"] = loss.clone();
    call["args"]["metrics"] = json!({});
    call["args"]["epochs"] = json!(40);
    call["args"]["optimizer"]["lr"] = json!(0.1);
    call
}

#[test]
fn classes() {
    let place = Place::new();
    place.build(&train(&mlp()));
    fs::write(place.path("test/meta.csv"), "id\n".to_owned() + &"x\n".repeat(30)).unwrap();
    let average = json!({ "kind": "Macro" });
    let metrics = json!({
        "accuracy": { "kind": "accuracy", "top_k": 1 }, "confusion": { "kind": "confusion_matrix" },
        "auc": { "kind": "roc_auc", "average": average }, "f1": { "kind": "f1", "average": average, "threshold": 0.5 },
        "ce": { "kind": "loss", "loss": { "kind": "cross_entropy", "weight": [1.0, 2.0, 0.5] } },
        "ece": { "kind": "calibration_error", "bins": 5 },
    });
    same_both_ways(&place, "test", &metrics);
    // The targets and what was carried along are there, row by row.
    let said = Predictions::read(&place.path("said"), "said").unwrap();
    assert_eq!((said.file.examples, said.file.batch_size), (30, 256));
    assert_eq!(said.outputs.shape, [30, 3]);
    assert_eq!(
        fs::read(place.path("said/meta.csv")).unwrap(),
        fs::read(place.path("test/meta.csv")).unwrap()
    );
}

#[test]
fn tags_and_numbers_and_two_classes() {
    let place = Place::new();
    tagged(96).write(&place.path("tags")).unwrap();
    let focal = json!({ "kind": "focal", "gamma": 2.0 });
    let bce = json!({ "kind": "bce_with_logits", "pos_weight": [1.0, 2.0, 0.5] });
    for (loss, shards) in [(&bce, 1), (&bce, 3), (&focal, 1), (&focal, 3)] {
        let mut call = fit("tags", 3, loss);
        call["args"]["shards"] = json!(shards);
        place.build(&call);
        let history = place.json("history.json");
        let first = history[0]["train"]["loss"].as_f64().unwrap();
        let last = history[39]["train"]["loss"].as_f64().unwrap();
        assert!(last < first / 1.5, "{loss}: {first} to {last}");
    }
    let average = json!({ "kind": "Weighted" });
    let metrics = json!({
        "accuracy": { "kind": "accuracy", "top_k": 1 }, "loss": { "kind": "loss", "loss": bce },
        "auc": { "kind": "roc_auc", "average": average }, "ap": { "kind": "average_precision", "average": average },
        "recall": { "kind": "recall", "average": average, "threshold": 0.3 },
    });
    let found = same_both_ways(&place, "tags", &metrics);
    assert!(
        found["auc"].as_f64() > Some(0.95) && found["accuracy"].as_f64() > Some(0.75),
        "{found}"
    );

    sums(64).write(&place.path("sums")).unwrap();
    place.build(&fit("sums", 1, &json!({ "kind": "mse" })));
    same_both_ways(
        &place,
        "sums",
        &json!({ "mae": { "kind": "mae" }, "r2": { "kind": "r2" }, "huber": { "kind": "loss", "loss": { "kind": "huber", "delta": 0.1 } } }),
    );

    // One output says how likely the second of two classes is.
    let mut two = sums(64);
    let above: Vec<i64> = two.y.to_f32().iter().map(|sum| i64::from(*sum > 1.0)).collect();
    two.y = Array::from_i64(vec![64], &above);
    two.schema.y = Target::Class {
        classes: 2,
        names: None,
    };
    two.write(&place.path("two")).unwrap();
    place.build(&fit("two", 1, &json!({ "kind": "bce_with_logits" })));
    let average = json!({ "kind": "Binary" });
    let found = same_both_ways(
        &place,
        "two",
        &json!({ "accuracy": { "kind": "accuracy", "top_k": 1 }, "confusion": { "kind": "confusion_matrix" },
                 "auc": { "kind": "roc_auc", "average": average } }),
    );
    assert!(found["auc"].as_f64() > Some(0.95), "{found}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let place = Place::new();
    tagged(16).write(&place.path("tags")).unwrap();
    let refused = |call: &Value| {
        let failure = place.run(call).failure().clone();
        let word = |key: &str| failure[key].as_str().unwrap_or_default().to_owned();
        [word("code"), word("argument"), word("message"), word("help")].join(" | ")
    };
    let mut lines = Vec::new();
    for loss in [
        json!({ "kind": "cross_entropy" }),
        json!({ "kind": "bce_with_logits", "pos_weight": [1.0] }),
        json!({ "kind": "bce_with_logits", "pos_weight": [1.0, -1.0, 1.0] }),
    ] {
        lines.push(refused(&fit("tags", 3, &loss)));
    }
    let mut call = train(&mlp());
    call["args"]["loss"] = json!({ "kind": "bce_with_logits" });
    lines.push(refused(&call));
    for metric in [
        json!({ "kind": "accuracy", "top_k": 2 }),
        json!({ "kind": "confusion_matrix" }),
        json!({ "kind": "f1", "average": { "kind": "Binary" }, "threshold": 0.5 }),
    ] {
        let mut call = fit("tags", 3, &json!({ "kind": "bce_with_logits" }));
        call["args"]["metrics"] = json!({ "m": metric });
        lines.push(refused(&call));
    }
    // Of predictions.
    place.build(&train(&mlp()));
    let metrics = json!({ "accuracy": { "kind": "accuracy", "top_k": 1 } });
    place.build(&predict(&evaluate(&place, &metrics)));
    lines.push(refused(&score(&place, &json!({ "mae": { "kind": "mae" } }))));
    let call = json!({
        "builtin": "ml.score", "args": { "metrics": metrics }, "inputs": { "predictions": "said" },
        "outputs": { "metrics": "out/metrics.json" }, "workers": 1,
    });
    let description = place.path("said/predictions.json");
    let text = fs::read_to_string(&description).unwrap();
    fs::write(&description, text.replace("30", "31")).unwrap();
    lines.push(refused(&call));
    fs::remove_file(&description).unwrap();
    lines.push(refused(&call));
    fs::remove_dir_all(place.path("said")).unwrap();
    fs::write(place.path("said"), "").unwrap();
    lines.push(refused(&call));
    insta::assert_snapshot!(lines.join("\n"));
}
