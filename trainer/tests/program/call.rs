//! Small datasets, networks and calls, and runs of the program on them.

use mlp_data::dataset::{Dataset, FORMAT};
use mlp_data::random::Random;
use mlp_data::safetensors::Array;
use mlp_protocol::builtin::NUMERICS_ENVIRONMENT;
use mlp_protocol::data::{Schema, Target};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A build directory with datasets in it.
pub(crate) struct Place {
    dir: TempDir,
}

/// What a run of the program came to.
pub(crate) struct Run {
    pub(crate) status: Option<i32>,
    pub(crate) messages: Vec<Value>,
}

impl Run {
    /// The messages of a type.
    pub(crate) fn of(&self, kind: &str) -> Vec<&Value> {
        self.messages
            .iter()
            .filter(|message| message["type"] == kind)
            .collect()
    }

    /// The failure that the run ended with.
    #[track_caller]
    pub(crate) fn failure(&self) -> &Value {
        assert_eq!(self.status, Some(1), "{:?}", self.messages);
        self.messages.last().unwrap()
    }
}

impl Place {
    /// A directory with `train` (90 examples of three classes), `val` and `test` (30 each), shaped [2, 4, 4].
    pub(crate) fn new() -> Place {
        let place = Place {
            dir: tempfile::tempdir().unwrap(),
        };
        for (name, count) in [("train", 90), ("val", 30), ("test", 30)] {
            classes(count, name).write(&place.path(name)).unwrap();
        }
        place
    }

    /// A path in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a call whose outputs go to the directory `out`, made anew.
    pub(crate) fn run(&self, call: &Value) -> Run {
        self.prepare(call);
        let output = self.command().output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let messages = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        Run {
            status: output.status.code(),
            messages,
        }
    }

    /// Runs a call that must succeed.
    #[track_caller]
    pub(crate) fn build(&self, call: &Value) -> Run {
        let run = self.run(call);
        assert_eq!(run.status, Some(0), "{:?}", run.messages.last());
        run
    }

    /// Writes the call and empties what it writes into.
    pub(crate) fn prepare(&self, call: &Value) {
        for name in ["out", "new"] {
            let _ = fs::remove_dir_all(self.path(name));
            fs::create_dir(self.path(name)).unwrap();
        }
        fs::write(self.path("call.json"), call.to_string()).unwrap();
    }

    /// The program, to be started here.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlp-trainer"));
        command
            .current_dir(self.dir.path())
            .env_remove("MLP_SOCKET")
            .envs(NUMERICS_ENVIRONMENT.iter().copied());
        command
    }

    /// The digest of a file of the outputs.
    pub(crate) fn digest(&self, name: &str) -> String {
        blake3::hash(&fs::read(self.path("out").join(name)).unwrap())
            .to_hex()
            .to_string()
    }

    /// A JSON output.
    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path("out").join(name)).unwrap()).unwrap()
    }

    /// Moves the states that the last run made to `have`, and gives the call's map of those in `epochs`.
    pub(crate) fn keep_states(&self, epochs: &[u32]) -> Value {
        let _ = fs::remove_dir_all(self.path("have"));
        fs::rename(self.path("new"), self.path("have")).unwrap();
        let entry = |epoch: &u32| (epoch.to_string(), json!(format!("have/epoch-{epoch}")));
        Value::Object(epochs.iter().map(entry).collect())
    }
}

/// `count` examples of three classes: noise, brighter in another place for each class.
pub(crate) fn classes(count: u64, purpose: &str) -> Dataset {
    let mut random = Random::new(7, purpose);
    let labels: Vec<i64> = (0..count).map(|_| random.below(3).cast_signed()).collect();
    let mut pixel = |class: i64, at: i64| {
        let noise = (random.bits() >> 40) as f32 / 16_777_216.0;
        if at % 5 == class { noise + 0.7 } else { noise }
    };
    let x: Vec<f32> = labels
        .iter()
        .flat_map(|class| (0..32).map(|at| pixel(*class, at)).collect::<Vec<_>>())
        .collect();
    let y = Array::from_i64(vec![count], &labels);
    dataset(
        count,
        vec![2, 4, 4],
        &x,
        Target::Class {
            classes: 3,
            names: None,
        },
        y,
    )
}

/// `count` examples of two numbers, and their sum.
pub(crate) fn sums(count: u64) -> Dataset {
    let mut random = Random::new(7, "sums");
    let x: Vec<f32> = (0..2 * count)
        .map(|_| random.below(1000) as f32 / 1000.0)
        .collect();
    let y: Vec<f32> = x.chunks(2).map(|pair| pair[0] + pair[1]).collect();
    dataset(
        count,
        vec![2],
        &x,
        Target::Real { size: 1 },
        Array::from_f32(vec![count, 1], &y),
    )
}

pub(crate) fn dataset(examples: u64, shape: Vec<u64>, x: &[f32], y: Target, targets: Array) -> Dataset {
    let full = std::iter::once(examples).chain(shape.iter().copied()).collect();
    let schema = Schema {
        format: FORMAT,
        examples,
        x: BTreeMap::from([("x".to_string(), shape.into_iter().map(Some).collect())]),
        y,
        recipe: json!("test"),
    };
    Dataset {
        schema,
        x: BTreeMap::from([("x".to_string(), Array::from_f32(full, x))]),
        y: targets,
        meta: None,
    }
}

/// A perceptron of one hidden layer.
pub(crate) fn mlp() -> Value {
    net(&json!([{ "kind": "flatten", "start_dim": 1 }, linear(32, 16), { "kind": "relu" }, linear(16, 3)]))
}

/// A convolutional network with batch norm, dropout and a normalization that is learned from the data.
pub(crate) fn cnn() -> Value {
    net(&json!([
        { "kind": "normalize", "num_features": 2 },
        {
            "kind": "conv2d", "in_channels": 2, "out_channels": 8, "kernel_size": [3, 3], "stride": [1, 1],
            "padding": [1, 1], "dilation": [1, 1], "groups": 1, "bias": true,
        },
        { "kind": "batch_norm", "num_features": 8, "eps": 1e-5, "momentum": 0.1 },
        { "kind": "relu" },
        { "kind": "max_pool2d", "kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0] },
        { "kind": "flatten", "start_dim": 1 },
        { "kind": "dropout", "p": 0.3 },
        { "kind": "named", "name": "head", "layer": linear(32, 3) },
    ]))
}

/// The channels of the examples as sequences of two, through an LSTM with dropout.
pub(crate) fn lstm() -> Value {
    sequence(
        &json!({
            "kind": "lstm", "input_size": 16, "hidden_size": 6, "num_layers": 2, "bidirectional": true,
            "dropout": 0.2, "output": "last",
        }),
        12,
    )
}

/// The channels of the examples as sequences of two, through a transformer with dropout.
pub(crate) fn transformer() -> Value {
    sequence(
        &json!({
            "kind": "transformer_encoder", "d_model": 16, "nhead": 2, "num_layers": 2, "dim_feedforward": 8,
            "dropout": 0.1, "activation": "relu", "norm_first": false, "output": "mean",
        }),
        16,
    )
}

fn sequence(layer: &Value, features: u32) -> Value {
    net(&json!([{ "kind": "flatten", "start_dim": 2 }, layer, linear(features, 3)]))
}

pub(crate) fn linear(inputs: u32, outputs: u32) -> Value {
    json!({ "kind": "linear", "in_features": inputs, "out_features": outputs, "bias": true })
}

pub(crate) fn net(layers: &Value) -> Value {
    json!({ "input": [2, 4, 4], "output": [3], "root": { "kind": "sequential", "layers": layers } })
}

/// A training of `net` with validation, whose states go to `new`.
pub(crate) fn train(net: &Value) -> Value {
    json!({
        "builtin": "ml.train",
        "args": {
            "net": net,
            "loss": { "kind": "cross_entropy" },
            "optimizer": { "kind": "adam", "lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0 },
            "metrics": { "accuracy": { "kind": "accuracy", "top_k": 1 }, "confusion": { "kind": "confusion_matrix" } },
            "epochs": 4, "batch_size": 16, "seed": 42, "keep": "best", "shards": 1, "precision": "fp32", "device": "cpu",
        },
        "inputs": { "on": "train", "val": "val" },
        "outputs": {
            "model": "out/model", "last": "out/last", "history": "out/history.json", "val": "out/val.json",
            "best": "out/best.json", "timings": "out/timings.json",
        },
        "workers": 1,
        "chain": { "have": {}, "new": "new" },
    })
}

/// The call without validation.
pub(crate) fn without_val(mut call: Value) -> Value {
    call["inputs"].as_object_mut().unwrap().remove("val");
    call["outputs"].as_object_mut().unwrap().remove("val");
    call
}

/// An evaluation of `out/model`, copied to `model` first, on `test`.
pub(crate) fn evaluate(place: &Place, metrics: &Value) -> Value {
    let _ = fs::remove_dir_all(place.path("model"));
    copy_dir(&place.path("out/model"), &place.path("model"));
    json!({
        "builtin": "ml.evaluate",
        "args": { "metrics": metrics, "batch_size": 8, "device": "cpu" },
        "inputs": { "model": "model", "on": "test" },
        "outputs": { "metrics": "out/metrics.json", "timings": "out/timings.json" },
        "workers": 1,
    })
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
