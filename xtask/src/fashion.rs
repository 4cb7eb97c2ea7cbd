//! `cargo xtask fashion`: trains and scores the example on Fashion-MNIST, whose data is Debian's package of it.

use crate::{demo, libtorch, machine, shell};
use std::fs;
use std::path::{Path, PathBuf};

/// Debian's package of the data.
const PACKAGE: &str = "dataset-fashion-mnist";
/// Where the files lie in it.
const INSIDE: &str = "usr/share/datasets/fashion-mnist";
/// The files that the example reads.
const FILES: [&str; 4] = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
];

/// Gets the data and libtorch, builds in release, and builds `evaluate` of the example.
pub(crate) fn run() -> Result<(), String> {
    machine::check()?;
    let example = shell::root().join("examples/fashion-mnist");
    data(&example.join("data"))?;
    let torch = libtorch::ensure()?;
    demo::build(&torch)?;
    let took = shell::run(demo::evaluate(&example).env("LIBTORCH", &torch))?;
    eprintln!("\n== trained and scored in {} s", took.as_secs());
    Ok(())
}

/// Puts the files into `folder`, where they are not there already.
fn data(folder: &Path) -> Result<(), String> {
    if FILES.iter().all(|file| folder.join(file).is_file()) {
        return Ok(());
    }
    let from = match std::env::var_os("MLP_FASHION_MNIST") {
        Some(folder) => PathBuf::from(folder),
        None => downloaded()?,
    };
    fs::create_dir_all(folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    for file in FILES {
        let source = from.join(file);
        fs::copy(&source, folder.join(file)).map_err(|error| {
            format!(
                "{} cannot be copied: {error}\nhint: MLP_FASHION_MNIST names the folder of the four .gz files",
                source.display()
            )
        })?;
    }
    Ok(())
}

/// The folder of the files, out of the package, which is downloaded once and not installed.
fn downloaded() -> Result<PathBuf, String> {
    let folder = shell::cache()?.join(PACKAGE);
    let files = folder.join(INSIDE);
    if files.is_dir() {
        return Ok(files);
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    let mut download = shell::program(Path::new("apt-get"), &folder);
    shell::run(download.args(["download", PACKAGE])).map_err(|error| {
        format!("{error}\nhint: `apt-get update` first; elsewhere than on Debian, set MLP_FASHION_MNIST to a folder of the files")
    })?;
    let entries = fs::read_dir(&folder).map_err(|error| error.to_string())?;
    let archive = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"));
    let archive = archive.ok_or_else(|| format!("apt-get left no package in {}", folder.display()))?;
    let mut unpack = shell::program(Path::new("dpkg-deb"), &folder);
    shell::run(unpack.arg("-x").arg(&archive).arg("."))?;
    Ok(files)
}
