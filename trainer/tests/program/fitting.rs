//! What a training does besides stepping down a gradient: schedules, groups, freezing, means, and when it ends.

use crate::call::{Place, cnn, mlp, train, without_val};
use mlp_data::safetensors::{self, Array};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn with(net: &Value, args: Value) -> Value {
    let mut call = train(net);
    let Value::Object(args) = args else { panic!() };
    call["args"].as_object_mut().unwrap().extend(args);
    call
}

fn tensors(place: &Place, file: &str) -> BTreeMap<String, Array> {
    safetensors::read(&place.path(file), file, "B0208").unwrap()
}

/// The learning rates of the history.
fn rates(place: &Place) -> Vec<f64> {
    let history = place.json("history.json");
    let rows = history.as_array().unwrap().iter();
    rows.map(|row| row["lr"].as_f64().unwrap()).collect()
}

#[test]
fn one_cycle_moves_with_every_train_step() {
    let place = Place::new();
    let cycle = json!({ "kind": "one_cycle", "max_lr": 0.05, "over": 4 });
    place.build(&with(&mlp(), json!({ "schedule": cycle })));
    let found = rates(&place);
    assert_eq!(found[3], 0.05 / 25.0 / 1e4, "the last train step's");
    // Six train steps an epoch: the highest rate stands at step 6.2 of 24.
    assert!(found[0] > 0.04 && found[1] > found[2], "{found:?}");
}

#[test]
fn a_plateau_lowers_the_rate_where_the_validation_loss_stands() {
    let place = Place::new();
    let rule = json!({ "kind": "plateau", "patience": 0, "factor": 0.5 });
    let call = with(
        &mlp(),
        json!({ "schedule": rule, "epochs": 5, "optimizer": {
        "kind": "sgd", "lr": 0.0, "momentum": 0.0, "nesterov": false, "weight_decay": 0.0,
        "groups": [{ "layers": "1", "lr": 1e-12 }] } }),
    );
    place.build(&call);
    // Nothing moves: the loss stands from the second epoch on.
    let control: Value =
        serde_json::from_slice(&std::fs::read(place.path("new/epoch-5/control.json")).unwrap()).unwrap();
    assert_eq!(control["plateau"]["scale"], json!(0.0625));
    let refused = place.run(&without_val(call));
    assert_eq!(refused.failure()["argument"], "schedule");
}

#[test]
fn groups_have_rates_of_their_own_and_the_first_holds() {
    let place = Place::new();
    let optimizer = |groups: Value| {
        json!({ "optimizer": { "kind": "adam", "lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0,
                "groups": groups } })
    };
    let still = json!({ "layers": "1", "lr": 0.0 });
    let trained = |groups: Value| {
        place.build(&with(&mlp(), optimizer(groups)));
        tensors(&place, "out/last/weights.safetensors")
    };
    let (plain, all) = (
        trained(json!([])),
        trained(json!([{ "layers": "*", "lr": 0.01 }])),
    );
    assert_eq!(
        plain, all,
        "a group with the optimizer's own figures changes nothing"
    );
    let first = trained(json!([still, { "layers": "*", "lr": 0.01 }]));
    let second = trained(json!([{ "layers": "*", "lr": 0.01 }, still]));
    assert_eq!(second, plain);
    let fresh = fresh(&place);
    assert_eq!(first["1.weight"], fresh["1.weight"]);
    assert_ne!(first["3.weight"], fresh["3.weight"]);
    let run = place.run(&with(&mlp(), optimizer(json!([{ "layers": "9" }]))));
    assert_eq!(run.failure()["argument"], "optimizer.groups");
}

/// The weights that the perceptron begins with.
fn fresh(place: &Place) -> BTreeMap<String, Array> {
    let still = json!({ "kind": "sgd", "lr": 0.0, "momentum": 0.0, "nesterov": false, "weight_decay": 0.0 });
    place.build(&with(&mlp(), json!({ "optimizer": still, "epochs": 1 })));
    tensors(place, "out/last/weights.safetensors")
}

#[test]
fn frozen_layers_stay_and_so_do_their_running_statistics() {
    let place = Place::new();
    for shards in [1, 3] {
        let args = json!({ "freeze": ["1", "2"], "epochs": 1, "shards": shards });
        let run = place.build(&with(&cnn(), args));
        // The head's alone.
        assert_eq!(run.of("training_started")[0]["parameters"], json!(99));
        let frozen = tensors(&place, "out/last/weights.safetensors");
        assert_eq!(frozen["2.running_mean"].to_f32(), [0.0; 8]);
        assert_eq!(frozen["2.running_var"].to_f32(), [1.0; 8]);
        assert_eq!(frozen["2.num_batches_tracked"].to_i64(), [0]);
        let optimizer = tensors(&place, "new/epoch-1/optimizer.safetensors");
        let names: Vec<&str> = optimizer.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "exp_avg.head.bias",
                "exp_avg.head.weight",
                "exp_avg_sq.head.bias",
                "exp_avg_sq.head.weight",
                "step"
            ]
        );
    }
    let run = place.run(&with(&mlp(), json!({ "freeze": ["1", "3"] })));
    assert_eq!(run.failure()["argument"], "freeze");
}

#[test]
fn the_mean_of_the_weights_is_what_is_scored_and_kept() {
    let place = Place::new();
    let call = |keep: &str| with(&cnn(), json!({ "ema": 0.9, "keep": keep }));
    place.build(&call("last"));
    let (model, last) = (
        tensors(&place, "out/model/weights.safetensors"),
        tensors(&place, "out/last/weights.safetensors"),
    );
    let ema = tensors(&place, "new/epoch-4/ema.safetensors");
    for (name, mean) in &ema {
        assert_eq!(mean, &model[name]);
        assert_ne!(mean, &last[name]);
    }
    assert_eq!(model["2.running_mean"], last["2.running_mean"]);
    // Training itself knows nothing of the mean.
    place.build(&train(&cnn()));
    assert_eq!(last, tensors(&place, "out/last/weights.safetensors"));
}

#[test]
fn early_stopping_watches_any_figure_either_way() {
    let place = Place::new();
    let rule = |watched: Value| {
        let mut rule = json!({ "patience": 1, "min_delta": 0.0 });
        rule.as_object_mut()
            .unwrap()
            .extend(watched.as_object().unwrap().clone());
        json!({ "early_stopping": rule, "epochs": 12 })
    };
    let epochs = |watched: Value| {
        place.build(&with(&mlp(), rule(watched)));
        let history = place.json("history.json");
        let figure = |row: &Value, name: &str| row["val"][name].as_f64().unwrap();
        let of = |name: &str| -> Vec<f64> {
            history
                .as_array()
                .unwrap()
                .iter()
                .map(|row| figure(row, name))
                .collect()
        };
        let best = place.json("best.json")["epoch"].as_u64().unwrap() as usize;
        (of("accuracy"), best)
    };
    let (accuracies, best) = epochs(json!({ "max": "accuracy" }));
    let highest = accuracies.iter().copied().fold(f64::MIN, f64::max);
    assert_eq!(accuracies[best - 1], highest);
    assert_eq!(
        accuracies.iter().position(|one| *one == highest),
        Some(best - 1),
        "the first of equals"
    );
    // It ended where the accuracy rose no more.
    let ended = accuracies.len();
    assert!(
        ended < 12 && accuracies[ended - 1] <= accuracies[ended - 2],
        "{accuracies:?}"
    );
    let (accuracies, best) = epochs(json!({ "min": "accuracy" }));
    let lowest = accuracies.iter().copied().fold(f64::MAX, f64::min);
    assert_eq!(accuracies[best - 1], lowest);
    let run = place.run(&with(&mlp(), rule(json!({ "max": "f1" }))));
    assert_eq!(run.failure()["argument"], "early_stopping");
}

#[test]
fn fine_tuning_in_two_phases() {
    let place = Place::new();
    // First the head alone, then all of it, from the model that the first phase came to.
    place.build(&with(&cnn(), json!({ "freeze": ["1", "2"], "epochs": 2 })));
    let first = tensors(&place, "out/model/weights.safetensors");
    std::fs::rename(place.path("out/model"), place.path("first")).unwrap();
    let still = json!({ "kind": "sgd", "lr": 0.0, "momentum": 0.0, "nesterov": false, "weight_decay": 0.0 });
    let second = |args: Value| {
        let mut call = with(&cnn(), args);
        call["inputs"]["init"] = json!("first");
        call["inputs"]["on"] = json!("test");
        call
    };
    place.build(&second(
        json!({ "init": { "kind": "model" }, "optimizer": still, "epochs": 1, "freeze": ["2"] }),
    ));
    let began = tensors(&place, "out/last/weights.safetensors");
    assert_eq!(
        began, first,
        "normalization too is that of the first phase, not of the new data"
    );
    let call = second(json!({ "init": { "kind": "model" } }));
    place.build(&call);
    let tuned = place.digest("last/weights.safetensors");
    assert_ne!(
        tensors(&place, "out/last/weights.safetensors")["1.weight"],
        first["1.weight"]
    );
    // The file itself, with a head that begins anew.
    let mut file = second(
        json!({ "init": { "kind": "weights", "at": "", "skip": ["head"] }, "optimizer": still, "epochs": 1 }),
    );
    file["inputs"]["init"] = json!("first/weights.safetensors");
    place.build(&file);
    let found = tensors(&place, "out/last/weights.safetensors");
    assert_eq!(found["1.weight"], first["1.weight"]);
    assert_ne!(found["head.weight"], first["head.weight"]);
    // Killed and gone on, it is the same.
    place.build(&call);
    let mut resumed = call;
    resumed["chain"]["have"] = place.keep_states(&[1, 2]);
    place.build(&resumed);
    assert_eq!(place.digest("last/weights.safetensors"), tuned);
    let mut other = with(&mlp(), json!({ "init": { "kind": "model" } }));
    other["inputs"]["init"] = json!("first");
    let run = place.run(&other);
    assert_eq!(run.failure()["code"], "B0211");
}

#[test]
fn a_parameter_without_a_gradient_is_named() {
    let place = Place::new();
    // The second layer's outputs are multiplied by nothing that depends on them.
    let graph = json!([{ "kind": "input", "index": 0 }, { "kind": "argmax", "x": { "node": 0 }, "dim": 1, "keepdim": false },
        { "kind": "one_hot", "x": { "node": 1 }, "num_classes": 3 }]);
    let net = crate::call::net(
        &json!([{ "kind": "flatten", "start_dim": 1 }, { "kind": "parallel", "layers": [
        crate::call::linear(32, 3),
        { "kind": "sequential", "layers": [crate::call::linear(32, 3), { "kind": "fn", "graph": graph }] },
    ] }]),
    );
    let run = place.run(&train(&net));
    let failure = run.failure();
    assert_eq!(failure["code"], "B0212", "{failure}");
    assert_eq!(
        failure["message"],
        "the parameter `1.1.0.weight` gets no gradient from the loss"
    );
}

#[test]
fn what_is_seen_of_an_epoch_is_told_and_in_no_output() {
    let place = Place::new();
    let run = place.build(&with(&mlp(), json!({ "clip_grad_norm": 1e-3 })));
    let seen = run.of("observed");
    assert_eq!(seen.len(), 4);
    for one in seen {
        let figure = |name: &str| one["figures"][name].as_f64().unwrap();
        assert!(figure("gradient_norm") > 1e-3, "before it is clipped");
        assert!(figure("weight_norm") > 1.0 && figure("memory_bytes") > 1e6 && figure("cpu_seconds") >= 0.0);
        assert!(figure("waiting_seconds") >= 0.0);
    }
    let history = place.json("history.json");
    assert!(!history.to_string().contains("norm"));
}
