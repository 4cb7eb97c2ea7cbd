//! Fetches wheels with pip, which knows the index, its mirrors and the network; the hashes say what is right. Talks to pip.

use super::{Package, Wrong, cannot, wrong};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Has pip download the packages: by hash, and as wheels for the environment's Python, whichever runs pip.
pub(super) fn fetch(
    packages: &[&Package<'_>],
    python: &str,
    locators: &BTreeMap<String, String>,
    scratch: &Path,
    into: &Path,
    log: &Path,
) -> Result<(), Wrong> {
    let mut wanted = String::new();
    for package in packages {
        match locators.get(package.name) {
            Some(url) => wanted.push_str(&format!("{} @ {url}", package.name)),
            None => wanted.push_str(&format!("{}=={}", package.name, package.version)),
        }
        for hash in &package.hashes {
            wanted.push_str(&format!(" --hash=sha256:{hash}"));
        }
        wanted.push('\n');
    }
    let list = scratch.join("requirements.txt");
    fs::write(&list, wanted).map_err(|error| cannot("write", &list, &error))?;
    let minor: Vec<&str> = python.split('.').take(2).collect();
    let mut arguments: Vec<OsString> = [
        "download",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        "--progress-bar=off",
    ]
    .map(OsString::from)
    .into();
    arguments.extend(["--implementation", "cp", "--python-version"].map(OsString::from));
    arguments.push(minor.join(".").into());
    let abi = format!("cp{}", minor.concat());
    for abi in [abi.as_str(), "abi3", "none"] {
        arguments.extend(["--abi".into(), abi.into()]);
    }
    for platform in platforms() {
        arguments.extend(["--platform".into(), platform.into()]);
    }
    arguments.extend(["--dest".into(), into.into(), "-r".into(), list.into()]);
    run_pip(&arguments, log)
}

/// The platforms whose wheels are taken, as [`super::python_lock::Target`] takes them.
fn platforms() -> Vec<String> {
    let newer = (5..=28).rev().map(|minor| format!("manylinux_2_{minor}_x86_64"));
    let named = [
        "manylinux2014_x86_64",
        "manylinux2010_x86_64",
        "manylinux1_x86_64",
        "linux_x86_64",
    ];
    newer.chain(named.map(str::to_owned)).collect()
}

/// The ways to start pip, in the order in which they are tried.
const PIPS: &[&[&str]] = &[&["pip"], &["pip3"], &["python3", "-m", "pip"]];

fn run_pip(arguments: &[OsString], log: &Path) -> Result<(), Wrong> {
    let open = || OpenOptions::new().create(true).append(true).open(log);
    let help = "install pip (`apt install python3-pip`), which fetches the packages";
    for pip in PIPS {
        let (out, err) = (open(), open());
        let (out, err) = (
            out.map_err(|error| cannot("write", log, &error))?,
            err.map_err(|error| cannot("write", log, &error))?,
        );
        #[expect(
            clippy::disallowed_methods,
            reason = "pip is no step: it fetches what steps run with, by hash"
        )]
        let run = Command::new(pip[0])
            .args(&pip[1..])
            .args(arguments)
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .env("PIP_NO_INPUT", "1")
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .status();
        match run {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(wrong(format!("pip cannot be started: {error}")).help(help)),
            Ok(status) if status.success() => return Ok(()),
            Ok(_) => {
                let said = fs::read_to_string(log).unwrap_or_default();
                if said.contains("No module named pip") {
                    continue;
                }
                return Err(refused(&said));
            }
        }
    }
    Err(wrong("there is no pip on this machine").help(help))
}

/// Why pip gave nothing, by what it said.
fn refused(said: &str) -> Wrong {
    let line = said.lines().rev().find_map(|line| line.strip_prefix("ERROR: "));
    if said.contains("DO NOT MATCH THE HASHES") {
        // The line after names the first of them: `numpy==2.0 from https://…`.
        let mut after = said
            .lines()
            .skip_while(|line| !line.contains("DO NOT MATCH THE HASHES"));
        let named = after.nth(1).and_then(|line| line.trim().split(" from ").next());
        let which = named.map_or("a package".to_owned(), |named| format!("`{named}`"));
        return wrong(format!("the file of {which} has another hash than the lock says"))
            .help("the index serves another file than was locked; lock again, if you trust it");
    }
    let network = [
        "Temporary failure in name resolution",
        "Connection refused",
        "timed out",
        "Network is unreachable",
    ];
    if network.iter().any(|word| said.contains(word)) {
        return wrong("the packages cannot be fetched: the package index cannot be reached")
            .help("connect to the network once; what was fetched is kept");
    }
    let line = line.unwrap_or("its last words are in the log");
    wrong(format!("pip cannot fetch the packages: {line}"))
        .help("the index must have the files that the lock names; `PIP_INDEX_URL` chooses another index")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pip_says_is_told_in_words() {
        let said = |text: &str| refused(text).message;
        assert_eq!(
            said(
                "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM …\n    x==1 from https://e.org/x.whl (from -r r.txt):\n"
            ),
            "the file of `x==1` has another hash than the lock says"
        );
        assert!(said("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM\n").contains("another hash"));
        assert!(said("Retrying … Temporary failure in name resolution").contains("cannot be reached"));
        assert_eq!(
            said("noise\nERROR: No matching distribution found for x==1\n"),
            "pip cannot fetch the packages: No matching distribution found for x==1"
        );
    }
}
