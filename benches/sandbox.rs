//! `cargo bench --bench sandbox`: from the request of a step that does nothing to its end, in milliseconds, beside bubblewrap
//! with the same binds where it is installed, and beside a plain child. Prints a JSON object a line; nothing fails on it.
//!
//! Repetitions alternate, so that other load on the machine falls on all.
#![expect(
    clippy::disallowed_methods,
    reason = "other programs are what is measured against"
)]

use mlp::executor::{Cancel, Executor, Local, environment};
use mlp::model::build::{BuildObserver, BuildRequest, Channel, Ending, Isolation, Limits};
use mlp_protocol::message::Message;
use mlp_sandbox::Helper;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Counted runs of each.
const RUNS: usize = 60;
/// What is run: it ends at once.
const PROGRAM: &str = "/usr/bin/true";

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let local = Local::new(Helper::new(env!("CARGO_BIN_EXE_mlp")));
    for inputs in [5, 50] {
        let inputs = files(&folder.path().join(inputs.to_string()), inputs);
        let mut number = 0;
        let mut fresh = || {
            number += 1;
            let scratch = folder.path().join(format!("{}-{number}", inputs.len()));
            fs::create_dir(&scratch).expect("a scratch folder");
            scratch
        };
        let mut times: [Vec<f64>; 4] = Default::default();
        for run in 0..=RUNS {
            let ours = |isolation, scratch: &Path| {
                let request = request(&inputs, isolation, scratch);
                took(|| {
                    let cancel = Cancel::new().expect("a pipe");
                    let outcome = local.build(&request, &mut Nobody, &cancel);
                    assert_eq!(outcome.ending, Ending::Succeeded, "{outcome:?}");
                })
            };
            let round = [
                Some(ours(Isolation::HostTools, &fresh())),
                mlp_sandbox::landlock_version()
                    .ok()
                    .map(|_| ours(Isolation::Landlock, &fresh())),
                bubblewrap(&inputs, &fresh()),
                Some(took(|| drop(Command::new(PROGRAM).status()))),
            ];
            // The first one warms what is warm from then on.
            if run > 0 {
                let known = times.iter_mut().zip(round);
                known.for_each(|(times, time)| times.extend(time.map(|time| time.as_secs_f64() * 1000.0)));
            }
        }
        let [sandbox, landlock, bwrap, plain] = times.map(median);
        let shown = serde_json::json!({
            "inputs": inputs.len(), "sandbox_ms": sandbox, "landlock_ms": landlock, "bwrap_ms": bwrap, "plain_ms": plain,
        });
        println!("{shown}");
    }
}

struct Nobody;

impl BuildObserver for Nobody {
    fn message(&mut self, _: &Message, _: Option<PathBuf>) -> Result<(), String> {
        Ok(())
    }
}

fn took(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

fn files(folder: &Path, count: usize) -> Vec<PathBuf> {
    fs::create_dir(folder).expect("a folder");
    let file = |number| {
        let path = folder.join(format!("input-{number}"));
        fs::write(&path, "content\n").expect("a file");
        path
    };
    (0..count).map(file).collect()
}

fn name(input: &Path) -> String {
    input
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn request(inputs: &[PathBuf], isolation: Isolation, scratch: &Path) -> BuildRequest {
    BuildRequest {
        label: "nothing".into(),
        argv: vec![PROGRAM.into()],
        vars: environment::fixed(1),
        cwd: String::new(),
        stdin: None,
        links: BTreeMap::new(),
        files: BTreeMap::new(),
        copies: BTreeMap::new(),
        inputs: inputs
            .iter()
            .map(|input| (format!("inputs/{}", name(input)), input.clone()))
            .collect(),
        closure: environment::host_tools(),
        outputs: BTreeMap::new(),
        states: None,
        log: scratch.join("log"),
        scratch: scratch.to_owned(),
        limits: Limits::default(),
        gpus: Vec::new(),
        channel: Channel::Silent,
        isolation,
        resident: None,
    }
}

/// The same place by bubblewrap; none where it is not installed.
fn bubblewrap(inputs: &[PathBuf], scratch: &Path) -> Option<Duration> {
    let mut command = Command::new("bwrap");
    command.args([
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--hostname",
        "mlp",
    ]);
    command.args(["--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"]);
    for path in environment::host_tools() {
        command.arg("--ro-bind").arg(&path).arg(&path);
    }
    command.args(["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]);
    command.arg("--bind").arg(scratch).arg("/build");
    for input in inputs {
        command
            .arg("--ro-bind")
            .arg(input)
            .arg(format!("/build/inputs/{}", name(input)));
    }
    command.args(["--chdir", "/build", PROGRAM]).env_clear();
    command.stdin(Stdio::null());
    let mut succeeded = None;
    let time = took(|| succeeded = command.status().ok());
    let status = succeeded?;
    assert!(status.success(), "bwrap: {status}");
    Some(time)
}
