//! What builds are done with: mlp's own builder programs, and the tools of the machine that environments come from.

use super::{Finding, shown};
use crate::base::processor;
use crate::engine::build::libexec;
use crate::engine::capacity;
use crate::environment::nix::Nix;
use crate::environment::versions::{self, Found};
use crate::model::event::StepFailure;
use crate::scheduler::Programs;
use mlp_protocol::builtin::{NUMERICS, TORCH_VERSION};
use std::fs;
use std::path::{Path, PathBuf};

/// The library by which a folder of libtorch is told.
const LIBTORCH: &str = "libtorch_cpu.so";

/// The programs that build the library's steps, and what they load.
pub(super) fn builders() -> Vec<Finding> {
    let programs = Programs::find(libexec().as_deref());
    let data = match programs.of("data.csv") {
        Ok((program, _)) => Finding::good("mlp-data", shown(&program)),
        Err(failure) => missing("mlp-data", &failure, "the library's data steps cannot be built"),
    };
    let mut found = vec![data];
    match programs.of("ml.train") {
        Ok((program, closure)) => {
            found.push(Finding::good("mlp-trainer", shown(&program)));
            found.push(libtorch(&closure));
        }
        Err(failure) => found.push(missing("mlp-trainer", &failure, "trainings cannot be built")),
    }
    found.push(instructions());
    found
}

fn missing(name: &'static str, failure: &StepFailure, so: &str) -> Finding {
    let StepFailure::NotStarted { reason, help } = failure else {
        return Finding::limited(name, so);
    };
    let finding = Finding::limited(name, format!("{reason}: {so}"));
    match help {
        Some(help) => finding.help(help),
        None => finding,
    }
}

/// Which libtorch the trainer loads. Its version stands beside `lib`.
fn libtorch(closure: &[PathBuf]) -> Finding {
    let folder = closure.iter().find(|path| path.join(LIBTORCH).is_file());
    let Some(folder) = folder else {
        return Finding::limited("libtorch", format!("mlp-trainer loads no {LIBTORCH}"))
            .help("`cargo xtask libtorch` gets it; build mlp-trainer with LIBTORCH set to the folder that it prints");
    };
    let version = folder
        .parent()
        .and_then(|above| fs::read_to_string(above.join("build-version")).ok());
    let version = version.as_deref().map(str::trim).unwrap_or(TORCH_VERSION);
    Finding::good("libtorch", format!("{version}, in {}", shown(folder)))
}

/// The instructions that results are pinned to.
fn instructions() -> Finding {
    let class = processor::class();
    match class.ends_with(" no avx2") {
        false => Finding::good(
            "processor",
            format!("{class}; trainings are pinned to {NUMERICS}"),
        ),
        true => Finding::limited("processor", format!("{class}: trainings need AVX2"))
            .help("build trainings on a machine whose processor has AVX2: any x86-64 since 2015 or so"),
    }
}

/// GPUs of the machine, and the driver.
pub(super) fn gpus() -> Vec<Finding> {
    let gpus = capacity::gpus();
    if gpus.is_empty() {
        return vec![Finding::good("gpus", "none; steps with `gpus` are refused")];
    }
    let text = fs::read_to_string("/proc/driver/nvidia/version").unwrap_or_default();
    let driver = text
        .split_whitespace()
        .find(|word| word.contains('.') && word.starts_with(|first: char| first.is_ascii_digit()));
    let numbers: Vec<String> = gpus.iter().map(u32::to_string).collect();
    let there = format!("{} with a device: {}", gpus.len(), numbers.join(", "));
    vec![match driver {
        Some(driver) => Finding::good("gpus", format!("{there}; driver {driver}")),
        None => Finding::limited("gpus", format!("{there}, and no driver is loaded"))
            .help("install NVIDIA's driver, or load it: `modprobe nvidia`"),
    }]
}

/// Tools of the machine, each with what it is for.
pub(super) fn tools() -> Vec<Finding> {
    let [nix, uv, python, git] = versions::of(["nix", "uv", "python3", "git"]);
    // It takes half a second to say what it is.
    let pip = versions::place("pip3").map(|place| Found { place, version: None });
    // It may lie where PATH does not lead.
    let elsewhere = || {
        let place = Nix::installed()?.program().to_owned();
        Some(Found { place, version: None })
    };
    let fetches = match (uv, pip) {
        (Some(uv), _) => tool("uv", Some(uv), "", ""),
        (None, pip) => tool(
            "pip",
            pip,
            "packages of `env.python` cannot be fetched, and uv.lock cannot be written",
            "install uv: https://docs.astral.sh/uv, or `pip install uv`",
        ),
    };
    vec![
        tool(
            "nix",
            nix.or_else(elsewhere),
            "environments of `env.flake` cannot be made",
            "install Nix: https://nixos.org/download; it is needed for flakes alone",
        ),
        fetches,
        tool(
            "python",
            python,
            "environments of `env.python` cannot be made",
            "install Python 3: the interpreter of `env.python` is the machine's",
        ),
        tool(
            "git",
            git,
            "flakes in a git repository cannot be locked",
            "install git",
        ),
    ]
}

fn tool(name: &'static str, found: Option<Found>, without: &str, help: &str) -> Finding {
    match found {
        Some(Found { place, version }) => {
            let version = version.map(|version| format!("{version}, ")).unwrap_or_default();
            Finding::good(name, format!("{version}{}", shown(Path::new(&place))))
        }
        None => Finding::limited(name, format!("is not here: {without}")).help(help),
    }
}
