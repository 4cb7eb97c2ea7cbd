//! Training against PyTorch eager: the same network, weights, order and optimizer on the same examples, which PyTorch has of
//! a `DataLoader`. Runs of the two alternate, and the quickest epoch counts, so that other load on the machine matters
//! little. Besides: the time from start to the end of a training of one batch, and memory.

use super::Row;
use crate::measure::{Usage, measured};
use crate::{demo, libtorch, machine, peers, shell};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

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
    /// What its rows are called: on one core, on two, with our instruction set, its memory.
    what: [&'static str; 4],
    /// Columns of the CSV file, and their values' codec.
    columns: usize,
    examples: usize,
    x: Value,
    net: Value,
    batch_size: u32,
    /// What `shards` is where a pipeline does not say.
    shards: u32,
}

/// A run of either side: how long the quickest epoch and the whole took, in milliseconds, and what the process took.
struct Run {
    epoch: f64,
    whole: f64,
    usage: Usage,
}

/// Rows for each case, against PyTorch as people run it, on one core and on two, and with our instruction set; without PyTorch
/// here, ours alone.
pub(super) fn rows() -> Result<Vec<Row>, String> {
    machine::check()?;
    demo::build(&libtorch::ensure()?)?;
    let python = peers::ensure(&peers::PYTORCH).map(|programs| programs.join("python3"));
    let python = python.as_deref();
    let mut rows = Vec::new();
    for case in cases() {
        let folder = prepare(&case)?;
        let [one, two, pinned_too, held] = case.what;
        for (cores, what) in [(1, one), (2, two)] {
            let (mut ours, mut eager, mut pinned) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..RUNS {
                ours.push(trainer(&case, &folder, cores, 3)?);
                eager.extend(python.and_then(|python| pytorch(python, &folder, cores, &[])));
                let run = python.filter(|_| cores == 1);
                pinned.extend(run.and_then(|python| pytorch(python, &folder, cores, PINNED)));
            }
            rows.push(row(what, "ms", (&ours, &eager), "PyTorch eager", |run| run.epoch));
            if cores == 1 {
                rows.push(row(
                    pinned_too,
                    "ms",
                    (&ours, &pinned),
                    "PyTorch on AVX2",
                    |run| run.epoch,
                ));
                let memory = |run: &Run| run.usage.memory;
                rows.push(row(held, "MiB", (&ours, &eager), "PyTorch eager", memory));
            }
        }
    }
    rows.push(start(python)?);
    Ok(rows)
}

/// The least figure of each side.
fn row(
    what: &'static str,
    unit: &'static str,
    (ours, theirs): (&[Run], &[Run]),
    peer: &'static str,
    figure: impl Fn(&Run) -> f64,
) -> Row {
    Row {
        what,
        ours: ours.iter().map(&figure).fold(f64::INFINITY, f64::min),
        theirs: theirs.iter().map(&figure).reduce(f64::min),
        peer,
        unit,
    }
}

/// From the start of the process to the end of a training of one batch.
fn start(python: Option<&Path>) -> Result<Row, String> {
    let mut case = perceptron();
    case.examples = 32;
    let folder = prepare(&case)?;
    let (mut ours, mut eager) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(trainer(&case, &folder, 1, 1)?);
        eager.extend(python.and_then(|python| pytorch(python, &folder, 1, &[])));
    }
    Ok(row(
        "start to first batch",
        "ms",
        (&ours, &eager),
        "PyTorch eager",
        |run| run.whole,
    ))
}

fn cases() -> [Case; 4] {
    let pool = json!({ "kind": "max_pool2d", "kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0] });
    let flatten = json!({ "kind": "flatten", "start_dim": 1 });
    let small = |norm: bool| {
        let mut layers = vec![];
        for (from, to) in [(3, 32), (32, 64)] {
            layers.push(conv(from, to, 3, 1, !norm));
            layers.extend(norm.then(|| batch_norm(to)));
            layers.extend([relu(), pool.clone()]);
        }
        layers.extend([flatten.clone(), linear(4096, 10)]);
        net(json!([3, 32, 32]), layers)
    };
    [
        image(
            [
                "small CNN",
                "small CNN, 2 cores",
                "small CNN, AVX2",
                "small CNN, memory",
            ],
            1280,
            small(false),
            4,
        ),
        image(
            [
                "batch norm CNN",
                "batch norm CNN, 2 cores",
                "batch norm CNN, AVX2",
                "batch norm CNN, memory",
            ],
            1280,
            small(true),
            1,
        ),
        image(
            [
                "ResNet-18",
                "ResNet-18, 2 cores",
                "ResNet-18, AVX2",
                "ResNet-18, memory",
            ],
            128,
            net(json!([3, 32, 32]), resnet18()),
            1,
        ),
        perceptron(),
    ]
}

fn image(what: [&'static str; 4], examples: usize, net: Value, shards: u32) -> Case {
    Case {
        what,
        columns: 3072,
        examples,
        x: json!({ "kind": "pixels", "cols": "p*", "channels": 3, "height": 32, "width": 32, "max": 255.0 }),
        net,
        batch_size: 64,
        shards,
    }
}

fn perceptron() -> Case {
    Case {
        what: ["MLP 64-128-10", "MLP, 2 cores", "MLP, AVX2", "MLP, memory"],
        columns: 64,
        examples: 8192,
        x: json!({ "kind": "vector", "cols": "p*" }),
        net: net(json!([64]), vec![linear(64, 128), relu(), linear(128, 10)]),
        batch_size: 32,
        shards: 1,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "made where it is given")]
fn net(input: Value, layers: Vec<Value>) -> Value {
    json!({ "input": input, "output": [10], "root": { "kind": "sequential", "layers": layers } })
}

fn linear(from: u32, to: u32) -> Value {
    json!({ "kind": "linear", "in_features": from, "out_features": to, "bias": true })
}

fn conv(from: u32, to: u32, size: u32, stride: u32, bias: bool) -> Value {
    json!({
        "kind": "conv2d", "in_channels": from, "out_channels": to, "kernel_size": [size, size], "stride": [stride, stride],
        "padding": [size / 2, size / 2], "dilation": [1, 1], "groups": 1, "bias": bias,
    })
}

fn relu() -> Value {
    json!({ "kind": "relu" })
}

fn batch_norm(channels: u32) -> Value {
    json!({ "kind": "batch_norm", "num_features": channels, "eps": 1e-5, "momentum": 0.1 })
}

/// As `nn.resnet18` has it.
fn resnet18() -> Vec<Value> {
    let block = |from: u32, to: u32, stride: u32| {
        let layers = [
            conv(from, to, 3, stride, false),
            batch_norm(to),
            relu(),
            conv(to, to, 3, 1, false),
            batch_norm(to),
        ];
        let mut block = json!({ "kind": "residual", "activation": relu(),
            "layer": { "kind": "sequential", "layers": layers } });
        if from != to {
            let shortcut = [conv(from, to, 1, stride, false), batch_norm(to)];
            block["shortcut"] = json!({ "kind": "sequential", "layers": shortcut });
        }
        block
    };
    let pool = json!({ "kind": "max_pool2d", "kernel_size": [3, 3], "stride": [2, 2], "padding": [1, 1] });
    let mut layers = vec![conv(3, 64, 7, 2, false), batch_norm(64), relu(), pool];
    let mut from = 64;
    for to in [64, 128, 256, 512] {
        layers.push(block(from, to, if from == to { 1 } else { 2 }));
        layers.push(block(to, to, 1));
        from = to;
    }
    layers.push(json!({ "kind": "adaptive_avg_pool2d", "output_size": [1, 1] }));
    layers.push(json!({ "kind": "flatten", "start_dim": 1 }));
    layers.push(linear(512, 10));
    layers
}

/// A folder with the case's dataset.
fn prepare(case: &Case) -> Result<PathBuf, String> {
    let folder = shell::target().join(format!("bench/train-{}-{}", case.columns, case.examples));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    write(&folder.join("in.csv"), &csv(case))?;
    let call = json!({
        "builtin": "data.csv",
        "args": { "x": case.x, "y": { "kind": "label", "col": "y", "classes": 10 } },
        "inputs": { "file": "in.csv" }, "outputs": { "dataset": "examples" }, "workers": 1,
    });
    write(&folder.join("call.json"), &call.to_string())?;
    let _ = fs::remove_dir_all(folder.join("examples"));
    run(&builder("mlp-data", &folder))?;
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

fn trainer(case: &Case, folder: &Path, cores: u32, epochs: u32) -> Result<Run, String> {
    let call = json!({
        "builtin": "ml.train",
        "args": {
            "net": case.net, "loss": { "kind": "cross_entropy" },
            "optimizer": { "kind": "adam", "lr": 1e-3, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0 },
            "epochs": epochs, "batch_size": case.batch_size, "seed": 1, "keep": "last", "shards": case.shards,
            "precision": "fp32", "device": "cpu",
        },
        "inputs": { "on": "examples" }, "outputs": { "timings": "timings.json" }, "workers": cores,
    });
    write(&folder.join("call.json"), &call.to_string())?;
    let (_, whole, usage) = run(&builder("mlp-trainer", folder))?;
    let path = folder.join("timings.json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let timings: Value =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let seconds = timings["epochs"].as_array().into_iter().flatten();
    let seconds = seconds.filter_map(|epoch| epoch["seconds"].as_f64());
    let epoch = seconds.reduce(f64::min).ok_or("the trainer timed no epoch")?;
    Ok(Run {
        epoch: epoch * 1000.0,
        whole,
        usage,
    })
}

/// PyTorch on the trainer's last call; none where it fails.
fn pytorch(python: &Path, folder: &Path, cores: u32, environment: &[(&str, &str)]) -> Option<Run> {
    let mut command = shell::program(python, folder);
    command
        .arg(shell::root().join("trainer/benches/eager.py"))
        .args(["call.json", "examples", "--loader"])
        .arg(format!("--threads={cores}"));
    command.envs(environment.iter().copied());
    let (printed, whole, usage) = run(&command).ok()?;
    let printed: Value = serde_json::from_str(&printed).ok()?;
    let seconds = printed["seconds"].as_array()?.iter().filter_map(Value::as_f64);
    Some(Run {
        epoch: seconds.reduce(f64::min)? * 1000.0,
        whole,
        usage,
    })
}

/// A builder program of the release build on the call in `folder`.
fn builder(program: &str, folder: &Path) -> Command {
    shell::program(&shell::target().join("release").join(program), folder)
}

/// What a program prints, how many milliseconds it ran, and what it took.
fn run(command: &Command) -> Result<(String, f64, Usage), String> {
    let start = Instant::now();
    let (printed, usage) = measured(command)?;
    Ok((printed, start.elapsed().as_secs_f64() * 1000.0, usage))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
