//! Bad input: each refused with a code, the argument at fault, and nothing written.

use crate::call::{Place, cnn, evaluate, linear, mlp, net, sums, train, without_val};
use serde_json::{Value, json};
use std::fs;

/// Runs a call that must fail, and writes nothing.
#[track_caller]
fn refused(place: &Place, call: &Value, code: &str, argument: &str, message: &str, help: &str) {
    let run = place.run(call);
    let failure = run.failure();
    let word = |key: &str| failure[key].as_str().unwrap_or_default();
    assert_eq!((word("code"), word("argument")), (code, argument), "{failure}");
    assert!(
        word("message").contains(message) && word("help").contains(help),
        "{failure}"
    );
    assert!(
        fs::read_dir(place.path("out")).unwrap().next().is_none(),
        "an output of a failed step"
    );
}

#[test]
fn a_loss_that_is_not_finite() {
    let place = Place::new();
    let mut call = train(&mlp());
    call["args"]["optimizer"] =
        json!({ "kind": "sgd", "lr": 1e30, "momentum": 0.0, "nesterov": false, "weight_decay": 0.0 });
    refused(
        &place,
        &call,
        "B0201",
        "optimizer",
        "in epoch 1, step ",
        "which is 1e30 now",
    );
}

#[test]
fn arguments_out_of_range() {
    let place = Place::new();
    for (key, value, code, argument, message, help) in [
        (
            "epochs",
            json!(0),
            "B0207",
            "epochs",
            "`epochs` is 0, but must be 1 or above",
            "",
        ),
        (
            "batch_size",
            json!(0),
            "B0207",
            "batch_size",
            "must be 1 or above",
            "",
        ),
        ("shards", json!(0), "B0207", "shards", "must be 1 or above", ""),
        (
            "clip_grad_norm",
            json!(-1.0),
            "B0207",
            "clip_grad_norm",
            "above 0",
            "",
        ),
        (
            "device",
            json!("cuda"),
            "B0206",
            "device",
            "`cuda` is not available",
            "device = \"cpu\"",
        ),
        ("precision", json!("bf16"), "B0207", "precision", "bf16", "fp32"),
        (
            "optimizer",
            json!({ "kind": "adam", "lr": -1.0, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0 }),
            "B0207",
            "optimizer.lr",
            "`lr` is -1, but must be 0 or above",
            "",
        ),
        (
            "optimizer",
            json!({ "kind": "sgd", "lr": 0.1, "momentum": 0.0, "nesterov": true, "weight_decay": 0.0 }),
            "B0207",
            "optimizer.nesterov",
            "needs a momentum",
            "give `momentum`",
        ),
        (
            "schedule",
            json!({ "kind": "cosine", "over": 4, "warmup": 5, "min_lr": 0.0 }),
            "B0207",
            "schedule.warmup",
            "at most `over`, which is 4",
            "",
        ),
        (
            "loss",
            json!({ "kind": "mse" }),
            "B0203",
            "loss",
            "needs real numbers",
            "cross_entropy",
        ),
        (
            "loss",
            json!({ "kind": "cross_entropy", "weight": [1.0] }),
            "B0207",
            "loss.weight",
            "3 classes",
            "one number a class",
        ),
        (
            "metrics",
            json!({ "a": { "kind": "accuracy", "top_k": 4 } }),
            "B0207",
            "metrics.a.top_k",
            "from 1 to 3",
            "",
        ),
        (
            "metrics",
            json!({ "a": { "kind": "mae" } }),
            "B0203",
            "metrics.a",
            "`a` needs real numbers",
            "accuracy",
        ),
    ] {
        let mut call = train(&mlp());
        call["args"][key] = value;
        refused(&place, &call, code, argument, message, help);
    }
    let mut call = without_val(train(&mlp()));
    call["args"]["early_stopping"] = json!({ "patience": 2, "min_delta": 0.0 });
    refused(
        &place,
        &call,
        "B0207",
        "early_stopping",
        "there is no `val`",
        "give `val",
    );
}

#[test]
fn data_and_network_that_disagree() {
    let place = Place::new();
    let of = |input: Value, output: Value, root: Value| {
        train(&json!({ "input": input, "output": output, "root": root }))
    };
    refused(
        &place,
        &of(json!([32]), json!([3]), linear(32, 3)),
        "B0202",
        "on",
        "shape [2, 4, 4], but the network takes [32]",
        "",
    );
    let layers = json!([{ "kind": "flatten", "start_dim": 1 }, linear(32, 5)]);
    let five = json!({ "kind": "sequential", "layers": layers });
    refused(
        &place,
        &of(json!([2, 4, 4]), json!([5]), five),
        "B0202",
        "net",
        "3 classes, but the network gives [5]",
        "nn.linear(3)",
    );
    let flat = json!({ "kind": "flatten", "start_dim": 1 });
    let mut call = of(json!([2]), json!([1]), flat);
    sums(8).write(&place.path("sums")).unwrap();
    call["inputs"] = json!({ "on": "sums" });
    call["args"]["loss"] = json!({ "kind": "mse" });
    call["args"]["metrics"] = json!({});
    refused(&place, &call, "B0202", "net", "no weights to train", "");
}

#[test]
fn other_recipes_and_damaged_inputs() {
    let place = Place::new();
    let schema = place.path("val/dataset.json");
    let text = fs::read_to_string(&schema).unwrap();
    fs::write(&schema, text.replace("\"test\"", "\"another\"")).unwrap();
    refused(
        &place,
        &train(&mlp()),
        "B0204",
        "val",
        "different recipes",
        "data.split",
    );
    fs::write(&schema, text.replace("30", "31")).unwrap();
    refused(
        &place,
        &train(&mlp()),
        "B0117",
        "",
        "`val` is no whole dataset",
        "",
    );
    fs::write(&schema, text).unwrap();

    place.build(&train(&mlp()));
    let call = evaluate(&place, &json!({ "accuracy": { "kind": "accuracy", "top_k": 1 } }));
    let schema = place.path("test/dataset.json");
    let text = fs::read_to_string(&schema).unwrap();
    fs::write(&schema, text.replace("\"test\"", "\"another\"")).unwrap();
    refused(
        &place,
        &call,
        "B0204",
        "on",
        "read by another recipe",
        "same codecs",
    );
    fs::write(&schema, text).unwrap();
    let weights = place.path("model/weights.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, &bytes[..bytes.len() - 4]).unwrap();
    refused(&place, &call, "B0208", "", "no whole safetensors file", "");
    place.build(&train(&cnn()));
    fs::copy(place.path("out/model/weights.safetensors"), weights).unwrap();
    refused(
        &place,
        &call,
        "B0208",
        "",
        "weights.safetensors is of another network: it has no `bias` of the layer `3`",
        "--check",
    );
    place.build(&train(&mlp()));
    let wider =
        net(&json!([{ "kind": "flatten", "start_dim": 1 }, linear(32, 8), { "kind": "relu" }, linear(8, 3)]));
    let call = evaluate(&place, &json!({ "accuracy": { "kind": "accuracy", "top_k": 1 } }));
    let description = place.path("model/model.json");
    let mut file: Value = serde_json::from_slice(&fs::read(&description).unwrap()).unwrap();
    file["net"] = wider;
    fs::write(&description, file.to_string()).unwrap();
    refused(
        &place,
        &call,
        "B0208",
        "",
        "has a `bias` of the layer `1` of shape [16], where the network has [8]",
        "",
    );
}

#[test]
fn batch_norm_with_one_value_a_channel() {
    let place = Place::new();
    let layers = json!([
        { "kind": "flatten", "start_dim": 1 }, { "kind": "batch_norm", "num_features": 32, "eps": 1e-5, "momentum": 0.1 },
        linear(32, 3),
    ]);
    let mut call = train(
        &json!({ "input": [2, 4, 4], "output": [3], "root": { "kind": "sequential", "layers": layers } }),
    );
    // 90 examples leave one in the last batch.
    call["args"]["batch_size"] = json!(89);
    refused(
        &place,
        &call,
        "B0205",
        "batch_size",
        "single value per channel",
        "more than one example",
    );
}

#[test]
fn a_call_that_cannot_be_read() {
    let place = Place::new();
    let mut call = train(&mlp());
    call["args"]["epoch"] = json!(3);
    let run = place.run(&call);
    assert_eq!(run.failure()["code"], "B0001");
    assert_eq!(
        place
            .run(&json!({ "builtin": "ml.nothing", "args": {}, "inputs": {}, "outputs": {}, "workers": 1 }))
            .failure()["code"],
        "B0001"
    );
}
