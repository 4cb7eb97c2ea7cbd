//! The same mathematics as PyTorch, case by case: `cargo xtask parity` gets PyTorch and runs it.
//!
//! Weights, order of examples and arithmetic are the same on both sides, so the mean losses of every epoch, in training and
//! of the same examples in evaluation, agree within 1e-5 of them over 204 train steps. Dropout has masks of its own and is left out.

use crate::call::{Place, dataset, linear, train};
use mlp_data::random::Random;
use mlp_data::safetensors::Array;
use mlp_protocol::builtin::NUMERICS_ENVIRONMENT;
use mlp_protocol::data::Target;
use serde_json::{Value, json};
use std::process::Command;

/// What is trained on both sides.
struct Case {
    name: &'static str,
    input: Vec<u64>,
    layers: Value,
    /// Arguments of `ml.train` that differ from the usual ones.
    args: Value,
    /// Whether examples have tags; else each is of a class.
    tags: bool,
}

/// Examples of each case, in three classes.
const EXAMPLES: u64 = 90;

fn layer(kind: &str, mut fields: Value) -> Value {
    fields["kind"] = json!(kind);
    fields
}

fn conv(from: u32, to: u32, stride: u32, groups: u32) -> Value {
    layer(
        "conv2d",
        json!({ "in_channels": from, "out_channels": to, "kernel_size": [3, 3], "stride": [stride, stride],
                "padding": [1, 1], "dilation": [1, 1], "groups": groups, "bias": true }),
    )
}

fn pool(kind: &str) -> Value {
    layer(
        kind,
        json!({ "kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0] }),
    )
}

fn flatten() -> Value {
    layer("flatten", json!({ "start_dim": 1 }))
}

fn plain(kind: &str) -> Value {
    json!({ "kind": kind })
}

/// A network of each kind of layer.
fn networks() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name, input: &[u64], layers: Value| {
        cases.push(Case {
            name,
            input: input.to_vec(),
            layers,
            args: json!({}),
            tags: false,
        });
    };
    let image = [2, 8, 8];
    for name in [
        "relu",
        "relu6",
        "gelu",
        "silu",
        "mish",
        "hardswish",
        "softplus",
        "tanh",
        "sigmoid",
        "identity",
    ] {
        add(name, &[6], json!([linear(6, 8), plain(name), linear(8, 3)]));
    }
    for (name, fields) in [
        ("elu", json!({ "alpha": 0.7 })),
        ("leaky_relu", json!({ "negative_slope": 0.2 })),
    ] {
        add(
            name,
            &[6],
            json!([linear(6, 8), layer(name, fields), linear(8, 3)]),
        );
    }
    let norm = layer(
        "batch_norm",
        json!({ "num_features": 4, "eps": 1e-5, "momentum": 0.1 }),
    );
    add(
        "conv2d, batch_norm",
        &image,
        json!([conv(2, 4, 1, 1), norm, plain("relu"), flatten(), linear(256, 3)]),
    );
    add(
        "grouped conv2d",
        &image,
        json!([conv(2, 4, 2, 2), plain("relu"), flatten(), linear(64, 3)]),
    );
    let up = layer(
        "conv_transpose2d",
        json!({ "in_channels": 2, "out_channels": 3, "kernel_size": [3, 3], "stride": [2, 2], "padding": [1, 1],
                "output_padding": [1, 1], "dilation": [1, 1], "groups": 1, "bias": true }),
    );
    add(
        "conv_transpose2d",
        &image,
        json!([up, plain("relu"), pool("avg_pool2d"), flatten(), linear(192, 3)]),
    );
    for kind in ["max_pool2d", "avg_pool2d"] {
        add(kind, &image, json!([pool(kind), flatten(), linear(32, 3)]));
    }
    let adaptive = layer("adaptive_avg_pool2d", json!({ "output_size": [3, 2] }));
    add(
        "adaptive_avg_pool2d",
        &image,
        json!([conv(2, 4, 1, 1), adaptive, flatten(), linear(24, 3)]),
    );
    for mode in ["nearest", "bilinear"] {
        let up = layer("upsample", json!({ "scale_factor": [2, 2], "mode": mode }));
        add(
            mode,
            &image,
            json!([up, conv(2, 2, 2, 1), flatten(), linear(128, 3)]),
        );
    }
    let layer_norm = layer("layer_norm", json!({ "normalized_shape": 8, "eps": 1e-5 }));
    add(
        "layer_norm",
        &[6],
        json!([linear(6, 8), layer_norm, plain("relu"), linear(8, 3)]),
    );
    let group_norm = layer(
        "group_norm",
        json!({ "num_groups": 2, "num_channels": 4, "eps": 1e-5 }),
    );
    add(
        "group_norm",
        &image,
        json!([conv(2, 4, 1, 1), group_norm, flatten(), linear(256, 3)]),
    );
    let signal = |kind| layer(kind, json!({ "kernel_size": 2, "stride": 2, "padding": 0 }));
    let conv1d = layer(
        "conv1d",
        json!({ "in_channels": 2, "out_channels": 4, "kernel_size": 3, "stride": 1, "padding": 2, "dilation": 2,
                "groups": 1, "bias": true }),
    );
    let mean = layer("adaptive_avg_pool1d", json!({ "output_size": 2 }));
    add(
        "conv1d, max_pool1d",
        &[2, 12],
        json!([conv1d, signal("max_pool1d"), flatten(), linear(24, 3)]),
    );
    add(
        "avg_pool1d",
        &[2, 12],
        json!([conv1d, signal("avg_pool1d"), mean, flatten(), linear(8, 3)]),
    );
    let block = json!([conv(4, 4, 1, 1), plain("relu"), conv(4, 4, 1, 1)]);
    let residual = layer(
        "residual",
        json!({ "layer": layer("sequential", json!({ "layers": block })), "activation": plain("relu") }),
    );
    add(
        "residual",
        &image,
        json!([conv(2, 4, 2, 1), residual, flatten(), linear(64, 3)]),
    );
    let shortcut = layer(
        "residual",
        json!({ "layer": conv(2, 4, 2, 1), "shortcut": conv(2, 4, 2, 1) }),
    );
    add(
        "residual with shortcut",
        &image,
        json!([shortcut, flatten(), linear(64, 3)]),
    );
    let both = json!([conv(2, 2, 1, 1), conv(2, 3, 1, 1)]);
    add(
        "concat",
        &image,
        json!([
            layer("concat", json!({ "layers": both, "dim": 1 })),
            flatten(),
            linear(320, 3)
        ]),
    );
    let both = json!([linear(6, 8), linear(6, 8)]);
    add(
        "parallel",
        &[6],
        json!([
            layer("parallel", json!({ "layers": both })),
            plain("tanh"),
            linear(8, 3)
        ]),
    );
    for kind in ["lstm", "gru"] {
        for (output, bidirectional, width) in [("last", false, 5), ("last", true, 10), ("mean", true, 10)] {
            let recurrent = layer(
                kind,
                json!({ "input_size": 4, "hidden_size": 5, "num_layers": 2, "bidirectional": bidirectional,
                        "dropout": 0.0, "output": output }),
            );
            add(kind, &[7, 4], json!([recurrent, linear(width, 3)]));
        }
    }
    for norm_first in [false, true] {
        let encoder = layer(
            "transformer_encoder",
            json!({ "d_model": 8, "nhead": 2, "num_layers": 2, "dim_feedforward": 16, "dropout": 0.0,
                    "activation": "gelu", "norm_first": norm_first, "output": "mean" }),
        );
        let positions = layer("positional_encoding", json!({ "dropout": 0.0 }));
        add(
            "transformer_encoder",
            &[7, 8],
            json!([positions, encoder, linear(8, 3)]),
        );
    }
    cases
}

/// Losses, optimizers and schedules, on one network.
fn recipes() -> Vec<Case> {
    let adam = |kind: &str| json!({ "kind": kind, "lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01 });
    let sgd = |momentum: f64, nesterov: bool| json!({ "kind": "sgd", "lr": 0.05, "momentum": momentum, "nesterov": nesterov, "weight_decay": 1e-3 });
    let grouped = || {
        let mut optimizer = adam("adamw");
        optimizer["groups"] = json!([{ "layers": "0", "lr": 0.001 }, { "layers": "*", "weight_decay": 0.5 }]);
        optimizer
    };
    let rmsprop = |momentum: f64, centered: bool| {
        json!({ "kind": "rmsprop", "lr": 0.01, "alpha": 0.99, "eps": 1e-8, "weight_decay": 1e-3,
                "momentum": momentum, "centered": centered })
    };
    let all = [
        ("sgd", json!({ "optimizer": sgd(0.0, false) })),
        ("sgd, momentum", json!({ "optimizer": sgd(0.9, false) })),
        ("sgd, nesterov", json!({ "optimizer": sgd(0.9, true) })),
        ("adam, weight decay", json!({ "optimizer": adam("adam") })),
        ("adamw", json!({ "optimizer": adam("adamw") })),
        ("rmsprop", json!({ "optimizer": rmsprop(0.0, false) })),
        (
            "rmsprop, momentum, centered",
            json!({ "optimizer": rmsprop(0.5, true) }),
        ),
        (
            "schedule.multi_step",
            json!({ "schedule": { "kind": "multi_step", "milestones": [3, 20], "gamma": 0.1 } }),
        ),
        (
            "schedule.step",
            json!({ "schedule": { "kind": "step", "step_size": 5, "gamma": 0.5 } }),
        ),
        (
            "schedule.exponential",
            json!({ "schedule": { "kind": "exponential", "gamma": 0.9 } }),
        ),
        (
            "schedule.one_cycle, sgd, momentum",
            json!({ "schedule": { "kind": "one_cycle", "max_lr": 0.1, "over": 34 }, "optimizer": sgd(0.9, false) }),
        ),
        (
            "schedule.one_cycle, adam, beyond its end",
            json!({ "schedule": { "kind": "one_cycle", "max_lr": 0.02, "over": 30 } }),
        ),
        (
            "schedule.plateau",
            json!({ "schedule": { "kind": "plateau", "patience": 0, "factor": 0.5 }, "optimizer": sgd(0.9, false) }),
        ),
        (
            "groups, schedule.exponential",
            json!({ "optimizer": grouped(), "schedule": { "kind": "exponential", "gamma": 0.95 } }),
        ),
        ("freeze", json!({ "freeze": ["0"] })),
        ("ema", json!({ "ema": 0.95 })),
        (
            "schedule.cosine",
            json!({ "schedule": { "kind": "cosine", "over": 34, "warmup": 0, "min_lr": 1e-4 } }),
        ),
        (
            "cross_entropy, weight, label_smoothing",
            json!({ "loss": { "kind": "cross_entropy", "weight": [1.0, 2.0, 0.5], "label_smoothing": 0.1 } }),
        ),
    ];
    let layers = json!([linear(6, 8), plain("tanh"), linear(8, 3)]);
    let case = |(name, args)| Case {
        name,
        input: vec![6],
        layers: layers.clone(),
        args,
        tags: false,
    };
    let mut cases: Vec<Case> = all.map(case).into();
    cases.push(Case {
        name: "freeze, batch_norm",
        input: vec![2, 8, 8],
        layers: json!([
            conv(2, 4, 1, 1),
            layer(
                "batch_norm",
                json!({ "num_features": 4, "eps": 1e-5, "momentum": 0.1 })
            ),
            flatten(),
            linear(256, 3)
        ]),
        args: json!({ "freeze": ["1"] }),
        tags: false,
    });
    cases.push(Case {
        name: "nll, weight",
        input: vec![6],
        layers: json!([linear(6, 3), plain("log_softmax")]),
        args: json!({ "loss": { "kind": "nll", "weight": [1.0, 2.0, 0.5] } }),
        tags: false,
    });
    for (name, loss) in [
        ("bce_with_logits", json!({ "kind": "bce_with_logits" })),
        (
            "bce_with_logits, pos_weight",
            json!({ "kind": "bce_with_logits", "pos_weight": [1.0, 3.0, 0.5] }),
        ),
        ("focal of tags", json!({ "kind": "focal", "gamma": 1.5 })),
    ] {
        cases.push(Case {
            name,
            input: vec![6],
            layers: layers.clone(),
            args: json!({ "loss": loss }),
            tags: true,
        });
    }
    cases.push(Case {
        name: "focal of classes",
        input: vec![6],
        layers,
        args: json!({ "loss": { "kind": "focal", "gamma": 1.5 } }),
        tags: false,
    });
    cases
}

/// Validated on the training set, so that the plateau and the mean of the weights show.
fn call(case: &Case) -> Value {
    let mut call = train(&json!({
        "input": case.input, "output": [3], "root": { "kind": "sequential", "layers": case.layers },
    }));
    call["inputs"] = json!({ "on": "data", "val": "data" });
    call["args"]["epochs"] = json!(34);
    call["args"]["metrics"] = json!({});
    call.as_object_mut().unwrap().remove("chain");
    for (name, value) in case.args.as_object().unwrap() {
        call["args"][name] = value.clone();
    }
    call
}

/// Noise, in which the class shows.
fn write_data(place: &Place, case: &Case) {
    let size = case.input.iter().product::<u64>();
    let mut random = Random::new(7, case.name);
    let labels: Vec<i64> = (0..EXAMPLES).map(|_| random.below(3).cast_signed()).collect();
    let mut x = Vec::new();
    for label in &labels {
        for at in 0..size.cast_signed() {
            let noise = (random.bits() >> 40) as f32 / 8_388_608.0 - 1.0;
            x.push(if at % 5 == *label { noise + 0.7 } else { noise });
        }
    }
    let (classes, names) = (3, None);
    let (target, y) = if case.tags {
        // The class, and often the one after it.
        let mut tag = |label: i64, at: i64| at == label || (at == (label + 1) % 3 && random.below(2) == 0);
        let tags: Vec<f32> = labels
            .iter()
            .flat_map(|label| [0, 1, 2].map(|at| f32::from(u8::from(tag(*label, at)))))
            .collect();
        (
            Target::Tags { classes, names },
            Array::from_f32(vec![EXAMPLES, 3], &tags),
        )
    } else {
        (
            Target::Class { classes, names },
            Array::from_i64(vec![EXAMPLES], &labels),
        )
    };
    dataset(EXAMPLES, case.input.clone(), &x, target, y)
        .write(&place.path("data"))
        .unwrap();
}

/// Losses of PyTorch by epoch: of training, and of validation.
fn eager(python: &str, place: &Place) -> [Vec<f64>; 2] {
    let output = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/eager.py"))
        .args(["call.json", "data", "--fused"])
        .current_dir(place.path(""))
        .envs(NUMERICS_ENVIRONMENT.iter().copied())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    ["losses", "val"].map(|name| serde_json::from_value(printed[name].clone()).unwrap())
}

#[test]
#[ignore = "needs PyTorch: `cargo xtask parity` gets it"]
fn parity_with_pytorch() {
    let python = std::env::var("MLP_PYTORCH").expect("MLP_PYTORCH names a python3 that has torch");
    let only = std::env::var("MLP_PARITY_CASE").unwrap_or_default();
    let mut worst = Vec::new();
    let cases = networks().into_iter().chain(recipes());
    for case in cases.filter(|case| case.name.contains(&only)) {
        let place = Place::new();
        write_data(&place, &case);
        place.build(&call(&case));
        let history = place.json("history.json");
        let [train, val] = eager(&python, &place);
        let differences = [("train", train), ("val", val)].map(|(part, theirs)| {
            let rows = history.as_array().unwrap().iter();
            let ours = rows.map(|row| row[part]["loss"].as_f64().unwrap());
            let each = ours
                .zip(theirs)
                .map(|(ours, theirs)| ((ours - theirs) / theirs).abs());
            each.fold(
                0.0,
                |worst: f64, one| if one.is_nan() { one } else { worst.max(one) },
            )
        });
        println!(
            "{:<42}{:>10.1e}{:>10.1e}",
            case.name, differences[0], differences[1]
        );
        if differences
            .iter()
            .any(|difference| *difference > 1e-5 || difference.is_nan())
        {
            worst.push(case.name);
        }
    }
    assert!(worst.is_empty(), "further from PyTorch than 1e-5: {worst:?}");
}
