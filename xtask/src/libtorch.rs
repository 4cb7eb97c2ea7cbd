//! Gets libtorch, which the trainer links: a folder to set `LIBTORCH` to.
//!
//! PyPI has no CPU build of torch, but its wheel holds one: of the wheel, and of two of its dependencies, only what a CPU
//! process loads is unpacked (0.5 of 3 GB). Versions and hashes are pinned, so the folder is the same on every machine.
//! An existing `LIBTORCH` of the pinned version is taken as it is.

use crate::shell;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The version that results are pinned to; `mlp-protocol` and the trainer's shim name it too.
const VERSION: &str = "2.11.0";

/// What pip downloads. torch's wheels differ by Python version in their Python parts only, so one is enough.
const REQUIREMENTS: &str = "\
torch==2.11.0 --hash=sha256:7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a
nvidia-cuda-cupti==13.0.85 --hash=sha256:4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8
nvidia-cuda-runtime==13.0.96 --hash=sha256:7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548
";

/// Which builds of them, whatever Python is here.
const WHEELS: &[&str] = &[
    "--only-binary=:all:",
    "--implementation=cp",
    "--python-version=311",
    "--abi=cp311",
    "--abi=none",
    "--platform=manylinux_2_28_x86_64",
    "--platform=manylinux_2_25_x86_64",
    "--platform=manylinux_2_17_x86_64",
    "--platform=manylinux2014_x86_64",
];

/// Unpacks the wheels in argv[1] into argv[2]. The wheel's own libtorch.so needs CUDA; a linker script takes its place.
const UNPACK: &str = r#"
import os, shutil, sys, zipfile
wheels, out = sys.argv[1:]
libraries = {"torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libgomp.so.1",
             "nvidia/cu13/lib/libcupti.so.13", "nvidia/cu13/lib/libcudart.so.13"}
found = set()
for wheel in sorted(os.listdir(wheels)):
    if not wheel.endswith(".whl"):
        continue
    with zipfile.ZipFile(os.path.join(wheels, wheel)) as archive:
        for name in archive.namelist():
            if name in libraries:
                found.add(name)
                path = os.path.join(out, "lib", os.path.basename(name))
            elif name.startswith("torch/include/") and not name.endswith("/"):
                path = os.path.join(out, name[len("torch/"):])
            elif name.startswith("torch-") and "/licenses/" in name and not name.endswith("/"):
                path = os.path.join(out, "licenses", os.path.basename(name))
            else:
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.open(name) as source, open(path, "wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
missing = libraries - found
if missing:
    sys.exit("the wheels lack " + ", ".join(sorted(missing)))
with open(os.path.join(out, "lib", "libtorch.so"), "w") as script:
    script.write("INPUT(-ltorch_cpu)\n")
"#;

/// Bytes that downloading and unpacking need at once.
const SPACE: u64 = 1_100_000_000;

/// The folder to set `LIBTORCH` to: an existing one, the cache, or a fresh download.
pub(crate) fn ensure() -> Result<PathBuf, String> {
    if let Some(given) = env::var_os("LIBTORCH") {
        let folder = PathBuf::from(given);
        return check_given(&folder).map(|()| folder);
    }
    let folder = cache()?;
    if version(&folder).as_deref() == Some(VERSION) {
        return Ok(folder);
    }
    download(&folder)?;
    Ok(folder)
}

fn check_given(folder: &Path) -> Result<(), String> {
    let place = format!("LIBTORCH is {}", folder.display());
    let mend = "unset LIBTORCH to have the right one downloaded";
    match version(folder).as_deref() {
        Some(VERSION) if folder.join("include").is_dir() => Ok(()),
        Some(VERSION) => Err(format!("{place}, which has no include folder\nhint: {mend}")),
        Some(other) => Err(format!(
            "{place}, of version {other}, but results are pinned to {VERSION}\nhint: {mend}"
        )),
        None => Err(format!(
            "{place}, which is no libtorch: it has neither build-version nor version.py\nhint: {mend}"
        )),
    }
}

/// The version of a libtorch folder, without its build (`+cpu`): of a libtorch archive, or a Python package of torch.
fn version(folder: &Path) -> Option<String> {
    if !folder.join("lib/libtorch_cpu.so").is_file() {
        return None;
    }
    let text = match fs::read_to_string(folder.join("build-version")) {
        Ok(text) => text,
        Err(_) => python_version(&fs::read_to_string(folder.join("version.py")).ok()?)?,
    };
    text.trim().split('+').next().map(str::to_owned)
}

/// Of `__version__ = '2.11.0+cu130'` in torch/version.py.
fn python_version(text: &str) -> Option<String> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("__version__ = "))?;
    Some(line.trim_matches(['\'', '"']).to_owned())
}

/// `$MLP_LIBTORCH_DIR`, or a folder in the user's cache.
fn cache() -> Result<PathBuf, String> {
    match env::var_os("MLP_LIBTORCH_DIR").filter(|value| !value.is_empty()) {
        Some(folder) => Ok(PathBuf::from(folder)),
        None => Ok(shell::cache()?.join(format!("libtorch-{VERSION}-cpu"))),
    }
}

/// Makes `folder`: beside it first, then by a rename, so that it is whole or absent.
fn download(folder: &Path) -> Result<(), String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err("libtorch is pinned for x86-64 Linux only".to_owned());
    }
    let mut name = folder.file_name().map_or_else(OsString::new, OsString::from);
    name.push(format!(".partial-{}", std::process::id()));
    let partial = folder.with_file_name(name);
    let io = |path: &Path, error: &std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(partial.join("wheels")).map_err(|error| io(&partial, &error))?;
    let done = fill(&partial).and_then(|()| {
        // A damaged folder may stand there, or another process may have been quicker.
        if folder.exists() && version(folder).as_deref() != Some(VERSION) {
            fs::remove_dir_all(folder).map_err(|error| io(folder, &error))?;
        }
        match fs::rename(&partial, folder) {
            Err(error) if version(folder).as_deref() != Some(VERSION) => Err(io(folder, &error)),
            _ => Ok(()),
        }
    });
    // Nothing is left of a failed try; after a rename there is nothing to remove.
    let _ = fs::remove_dir_all(&partial);
    done
}

fn fill(partial: &Path) -> Result<(), String> {
    if let Some(free) = free_space(partial).filter(|free| *free < SPACE) {
        let (free, place) = (free / 1_000_000, partial.display());
        return Err(format!(
            "libtorch needs 1.1 GB while it is unpacked, but {place} has {free} MB\nhint: free some, or set \
             MLP_LIBTORCH_DIR to a folder on another disk"
        ));
    }
    let (wheels, requirements) = (partial.join("wheels"), partial.join("requirements.txt"));
    let write = |path: &Path, text: &str| {
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    };
    write(&requirements, REQUIREMENTS)?;
    python(
        Command::new("python3")
            .args(["-m", "pip", "--version"])
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )?;
    eprintln!("downloading libtorch {VERSION} (544 MB), once");
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--require-hashes",
        "--disable-pip-version-check",
    ])
    .args(WHEELS);
    pip.arg("--dest")
        .arg(&wheels)
        .arg("--requirement")
        .arg(&requirements)
        .stdout(Stdio::null());
    let done = pip.status().map_err(|error| format!("python3: {error}"))?;
    if !done.success() {
        return Err(format!(
            "pip could not download libtorch ({done}); its words are above\nhint: is there a network, or a proxy to \
             name in HTTPS_PROXY? An index of your own is named by PIP_INDEX_URL; or set LIBTORCH to a libtorch {VERSION}"
        ));
    }
    eprintln!("unpacking libtorch");
    let unpacked = Command::new("python3")
        .args(["-c", UNPACK])
        .arg(&wheels)
        .arg(partial)
        .status();
    if !unpacked.is_ok_and(|status| status.success()) {
        return Err("the wheels could not be unpacked; Python's words are above".to_owned());
    }
    fs::remove_dir_all(&wheels).map_err(|error| format!("{}: {error}", wheels.display()))?;
    // Last: a folder without it is taken for no libtorch.
    write(&partial.join("build-version"), &format!("{VERSION}\n"))
}

/// Runs a Python command that fails only where Python or pip is missing.
fn python(command: &mut Command) -> Result<(), String> {
    if command.status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(format!(
        "python3 with pip is missing, which downloads libtorch\nhint: sudo apt install python3-pip; or set LIBTORCH to a \
         libtorch {VERSION} that is here already"
    ))
}

/// Free bytes where `path` lies; none where `df` does not say.
fn free_space(path: &Path) -> Option<u64> {
    let output = Command::new("df")
        .args(["--output=avail", "-B1"])
        .arg(path)
        .output()
        .ok()?;
    String::from_utf8(output.stdout)
        .ok()?
        .lines()
        .nth(1)?
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(
            python_version("__all__ = []\n__version__ = '2.11.0+cu130'\n"),
            Some("2.11.0+cu130".to_owned())
        );
        assert_eq!(python_version("debug = False\n"), None);
        assert_eq!(version(Path::new("nowhere")), None);
    }

    #[test]
    fn a_folder_that_is_no_libtorch_is_refused() {
        let message = check_given(Path::new("nowhere")).unwrap_err();
        assert!(
            message.contains("no libtorch") && message.contains("hint: unset LIBTORCH"),
            "{message}"
        );
    }
}
