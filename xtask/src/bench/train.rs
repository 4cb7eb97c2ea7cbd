//! Training throughput against PyTorch eager: the same network, weights, order and optimizer on the same examples. Runs of
//! the two alternate, on one thread each, and the quickest epoch counts, so that other load on the machine matters little.

use super::Row;
use crate::shell;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Runs of each side.
const RUNS: usize = 3;

/// The trainer's own instruction set, for PyTorch: what is pinned for equal bits costs speed where there is AVX-512.
const PINNED: &[(&str, &str)] = &[
    ("ATEN_CPU_CAPABILITY", "avx2"),
    ("MKL_CBWR", "AVX2"),
    ("ONEDNN_MAX_CPU_ISA", "AVX2"),
];

/// What is trained.
struct Case {
    what: &'static str,
    /// Columns of the CSV file, and their values' codec.
    columns: usize,
    examples: usize,
    x: Value,
    net: Value,
    batch_size: u32,
}

/// Rows for each case, against PyTorch as it is and with our instruction set; without PyTorch here, ours alone.
pub(super) fn rows(python: Option<&Path>) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for case in cases() {
        let folder = prepare(&case)?;
        let (mut ours, mut eager, mut pinned) = (f64::INFINITY, None, None);
        for _ in 0..RUNS {
            ours = ours.min(trainer(&case, &folder)?);
            eager = least(eager, python.and_then(|python| pytorch(python, &folder, &[])));
            pinned = least(pinned, python.and_then(|python| pytorch(python, &folder, PINNED)));
        }
        let row = |theirs, peer| Row {
            what: case.what,
            ours,
            theirs,
            peer,
            unit: "ms",
        };
        rows.push(row(eager, "PyTorch eager"));
        rows.push(row(pinned, "PyTorch on AVX2"));
    }
    Ok(rows)
}

fn cases() -> [Case; 2] {
    let linear = |from: u32, to: u32| json!({ "kind": "linear", "in_features": from, "out_features": to, "bias": true });
    let conv = |from: u32, to: u32| {
        json!({
            "kind": "conv2d", "in_channels": from, "out_channels": to, "kernel_size": [3, 3], "stride": [1, 1],
            "padding": [1, 1], "dilation": [1, 1], "groups": 1, "bias": true,
        })
    };
    let relu = json!({ "kind": "relu" });
    let pool = json!({ "kind": "max_pool2d", "kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0] });
    let flatten = json!({ "kind": "flatten", "start_dim": 1 });
    let net = |input: Value, layers: Value| json!({ "input": input, "output": [10], "root": { "kind": "sequential", "layers": layers } });
    [
        Case {
            what: "epoch of a small CNN, 3x32x32",
            columns: 3072,
            examples: 1280,
            x: json!({ "kind": "pixels", "cols": "p*", "channels": 3, "height": 32, "width": 32, "max": 255.0 }),
            net: net(
                json!([3, 32, 32]),
                json!([
                    conv(3, 32),
                    relu,
                    pool,
                    conv(32, 64),
                    relu,
                    pool,
                    flatten,
                    linear(4096, 10)
                ]),
            ),
            batch_size: 64,
        },
        Case {
            what: "epoch of an MLP, 64-128-10",
            columns: 64,
            examples: 8192,
            x: json!({ "kind": "vector", "cols": "p*" }),
            net: net(json!([64]), json!([linear(64, 128), relu, linear(128, 10)])),
            batch_size: 32,
        },
    ]
}

/// A folder with the case's dataset.
fn prepare(case: &Case) -> Result<PathBuf, String> {
    let folder = shell::target().join(format!("bench/train-{}", case.columns));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    write(&folder.join("in.csv"), &csv(case))?;
    let call = json!({
        "builtin": "data.csv",
        "args": { "x": case.x, "y": { "kind": "label", "col": "y", "classes": 10 } },
        "inputs": { "file": "in.csv" }, "outputs": { "dataset": "examples" }, "workers": 1,
    });
    write(&folder.join("call.json"), &call.to_string())?;
    built("mlp-data", &folder)?;
    Ok(folder)
}

/// Numbers without meaning, the same each time.
fn csv(case: &Case) -> String {
    let mut text: String = (0..case.columns).fold(String::new(), |mut header, column| {
        let _ = write!(header, "p{column},");
        header
    });
    text.push_str("y\n");
    let mut state = 1_u64;
    let mut below = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % bound
    };
    for _ in 0..case.examples {
        for _ in 0..case.columns {
            let _ = write!(text, "{},", below(256));
        }
        let _ = writeln!(text, "{}", below(10));
    }
    text
}

/// Milliseconds of the quickest epoch of the trainer.
fn trainer(case: &Case, folder: &Path) -> Result<f64, String> {
    let call = json!({
        "builtin": "ml.train",
        "args": {
            "net": case.net, "loss": { "kind": "cross_entropy" },
            "optimizer": { "kind": "adam", "lr": 1e-3, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0 },
            "epochs": 4, "batch_size": case.batch_size, "seed": 1, "keep": "last", "shards": 1, "precision": "fp32",
            "device": "cpu",
        },
        "inputs": { "on": "examples" }, "outputs": { "timings": "timings.json" }, "workers": 1,
    });
    write(&folder.join("call.json"), &call.to_string())?;
    built("mlp-trainer", folder)?;
    let path = folder.join("timings.json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let timings: Value =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let seconds = timings["epochs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|epoch| epoch["seconds"].as_f64());
    seconds
        .reduce(f64::min)
        .map(|least| least * 1000.0)
        .ok_or_else(|| "the trainer timed no epoch".to_owned())
}

/// Milliseconds of the quickest epoch of PyTorch on the trainer's last call; none where it fails.
fn pytorch(python: &Path, folder: &Path, environment: &[(&str, &str)]) -> Option<f64> {
    let mut command = shell::program(python, folder);
    command
        .arg(shell::root().join("trainer/benches/eager.py"))
        .args(["call.json", "examples"]);
    command.envs(environment.iter().copied());
    let printed: Value = serde_json::from_str(&shell::output(&mut command)?).ok()?;
    let seconds = printed["seconds"].as_array()?.iter().filter_map(Value::as_f64);
    seconds.reduce(f64::min).map(|least| least * 1000.0)
}

/// Runs a builder program of the release build on the call in `folder`.
fn built(program: &str, folder: &Path) -> Result<(), String> {
    let path = shell::target().join("release").join(program);
    let done = shell::output(&mut shell::program(&path, folder));
    done.map(|_| ())
        .ok_or_else(|| format!("{program} fails in {}", folder.display()))
}

fn least(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
