//! The tools that figures are compared with: PyPI's, versions pinned, each set in an environment of its own.

use crate::shell;
use std::fs;
use std::path::{Path, PathBuf};

/// A tool and what pip installs for it.
pub(crate) struct Peer {
    /// What people call it.
    pub(crate) name: &'static str,
    /// The name of its environment.
    folder: &'static str,
    packages: &'static [&'static str],
}

/// PyTorch of the version that the trainer links. Its wheel has CUDA with it, so it is a large download.
pub(crate) const PYTORCH: Peer = Peer {
    name: "PyTorch 2.11.0 (3 GB with the CUDA that its wheel wants)",
    folder: "pytorch",
    packages: &["torch==2.11.0", "numpy==2.3.4"],
};

/// DVC, whose pipelines do what a pipeline of scripts does.
pub(crate) const DVC: Peer = Peer {
    name: "DVC 3.67.1",
    folder: "dvc",
    packages: &["dvc==3.67.1"],
};

/// Where the peer's programs are; installs it the first time. None, with a word on why, where that is not possible.
pub(crate) fn ensure(peer: &Peer) -> Option<PathBuf> {
    match install(peer) {
        Ok(programs) => Some(programs),
        Err(why) => {
            eprintln!(
                "xtask: no {}: {why}\nhint: figures are printed without it",
                peer.name
            );
            None
        }
    }
}

fn install(peer: &Peer) -> Result<PathBuf, String> {
    let folder = shell::cache()?.join("peers").join(peer.folder);
    let (programs, stamp) = (folder.join("bin"), folder.join("installed"));
    let wanted = peer.packages.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    eprintln!("installing {}, once", peer.name);
    let mut venv = shell::program(Path::new("python3"), &shell::root());
    shell::run(venv.args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = shell::program(&programs.join("python3"), &shell::root());
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    shell::run(pip.args(peer.packages))?;
    fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(programs)
}
