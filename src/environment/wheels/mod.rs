//! Wheels: fetched by their hashes with pip, and installed as the binary distribution format says (PEP 427), into one tree
//! that steps see at one place. Their compiled code is told by hashes, not by times, so that equal wheels give equal trees.

mod pip;
mod unpack;

use super::python_lock::{Place, PythonEnvironment};
use mlp_lang::spec::{Datum, Fields};
use pip::fetch;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use unpack::unpack;

/// Where steps see the interpreter, below the build directory: what a package's programs name in their first line.
pub const PROGRAMS: &str = ".env/bin";
/// Where steps see the packages, below the build directory.
pub const PACKAGES: &str = ".env/packages";

/// Why packages could not be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotInstalled {
    /// What went wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

type Wrong = Box<NotInstalled>;

fn wrong(message: impl Into<String>) -> Wrong {
    Box::new(NotInstalled {
        message: message.into(),
        help: None,
    })
}

impl NotInstalled {
    fn help(mut self: Box<Self>, help: &str) -> Box<Self> {
        self.help = Some(help.to_owned());
        self
    }
}

/// What of an environment is hashed: each package with the hashes that its file may have.
/// `interpreter` is what is hashed of the one that compiles them.
pub fn datum(environment: &PythonEnvironment, python: &str, interpreter: Datum) -> Datum {
    let text = |text: &str| Datum::Str(text.into());
    let package = |name: &str, version: &str, hashes: &[String]| {
        Datum::Map(Fields::from([
            ("name".to_owned(), text(name)),
            (
                "sha256".to_owned(),
                Datum::List(hashes.iter().map(|hash| text(hash)).collect()),
            ),
            ("version".to_owned(), text(version)),
        ]))
    };
    let wheels = environment.wheels.iter();
    let wheels =
        wheels.map(|wheel| package(&wheel.name, &wheel.version, std::slice::from_ref(&wheel.sha256)));
    let unlocated = environment.unlocated.iter();
    let unlocated = unlocated.map(|wanted| package(&wanted.name, &wanted.version, &wanted.sha256));
    Datum::Map(Fields::from([
        (
            "packages".to_owned(),
            Datum::List(wheels.chain(unlocated).collect()),
        ),
        ("interpreter".to_owned(), interpreter),
        ("python".to_owned(), text(python)),
    ]))
}

/// Where the wheels are: for pip a requirement of each that is at a URL of its own, by name; those of the
/// index are found by theirs.
pub fn locators(environment: &PythonEnvironment) -> BTreeMap<String, String> {
    let wheels = environment.wheels.iter();
    let own = wheels.filter_map(|wheel| match &wheel.place {
        Place::Url(url) => Some((wheel.name.clone(), url.clone())),
        Place::Index | Place::Path(_) => None,
    });
    own.collect()
}

/// The version of Python that an environment is for.
pub fn python(args: &Datum) -> Option<&str> {
    packages(args).map(|(python, _)| python)
}

/// A package as its derivation has it.
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    hashes: BTreeSet<&'a str>,
}

fn packages(args: &Datum) -> Option<(&str, Vec<Package<'_>>)> {
    let Datum::Map(args) = args else { return None };
    let (Some(Datum::Str(python)), Some(Datum::List(list))) = (args.get("python"), args.get("packages"))
    else {
        return None;
    };
    fn hash(value: &Datum) -> Option<&str> {
        match value {
            Datum::Str(hash) => Some(hash.as_str()),
            _ => None,
        }
    }
    let mut packages = Vec::new();
    for package in list {
        let Datum::Map(fields) = package else { return None };
        let Some(Datum::List(hashes)) = fields.get("sha256") else {
            return None;
        };
        let Some(Datum::Str(name)) = fields.get("name") else {
            return None;
        };
        let Some(Datum::Str(version)) = fields.get("version") else {
            return None;
        };
        packages.push(Package {
            name,
            version,
            hashes: hashes.iter().filter_map(hash).collect(),
        });
    }
    Some((python, packages))
}

/// Makes the environment that `args` (of [`datum`]) describe in the directory `into`, with files in `scratch`. `files` are
/// wheels that are there already, by name; all else is fetched. `interpreter` compiles it.
pub fn install(
    args: &Datum,
    interpreter: &Path,
    locators: &BTreeMap<String, String>,
    files: &BTreeMap<String, PathBuf>,
    scratch: &Path,
    into: &Path,
    log: &Path,
) -> Result<(), Wrong> {
    let (python, packages) =
        packages(args).ok_or_else(|| wrong("this environment was described by another mlp"))?;
    let folder = scratch.join("wheels");
    fs::create_dir_all(&folder).map_err(|error| cannot("make", &folder, &error))?;
    for (name, file) in files {
        fs::copy(file, folder.join(name)).map_err(|error| cannot("copy", file, &error))?;
    }
    let known = hashes(&folder)?;
    let missing: Vec<&Package<'_>> = packages
        .iter()
        .filter(|package| !package.hashes.iter().any(|hash| known.contains_key(*hash)))
        .collect();
    for package in &missing {
        if let Some(name) = files.keys().find(|name| is_of(name, package.name)) {
            let message = format!("the file {name} of the project has another hash than the lock says");
            return Err(
                wrong(message).help("lock again, if you changed it; else put the file back that was locked")
            );
        }
    }
    if !missing.is_empty() {
        fetch(&missing, python, locators, scratch, &folder, log)?;
    }
    let known = hashes(&folder)?;
    fs::create_dir_all(into.join("site-packages")).map_err(|error| cannot("make", into, &error))?;
    for package in &packages {
        let wheel = package.hashes.iter().find_map(|hash| known.get(*hash));
        let wheel = wheel.ok_or_else(|| {
            wrong(format!(
                "no file of `{}` {} has the hash that the lock gives",
                package.name, package.version
            ))
        })?;
        unpack(wheel, into)?;
    }
    compile(interpreter, into, log)
}

/// Compiles the modules, so that steps need not do it each time that they start. What is compiled is told by the hash of
/// its source, which nobody looks at again, and not by times; names of files are those that steps see; and one process
/// compiles in a fixed order, since compiled code depends on what was compiled before.
fn compile(interpreter: &Path, into: &Path, log: &Path) -> Result<(), Wrong> {
    let out = OpenOptions::new().create(true).append(true).open(log);
    let out = out.map_err(|error| cannot("write", log, &error))?;
    let seen = format!("/build/{PACKAGES}");
    #[expect(clippy::disallowed_methods, reason = "compiling runs nothing of the packages")]
    let run = Command::new(interpreter)
        .args([
            "-I",
            "-S",
            "-m",
            "compileall",
            "-qq",
            "--invalidation-mode",
            "unchecked-hash",
            "-s",
        ])
        .arg(into)
        .args(["-p", &seen])
        .arg(into.join("site-packages"))
        .env_clear()
        .env("PYTHONHASHSEED", "0")
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(Stdio::null())
        .status();
    // Templates and tests of packages need not be code for this Python; a module without compiled code is compiled later.
    run.map(drop)
        .map_err(|error| wrong(format!("{} cannot be started: {error}", interpreter.display())))
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Wrong {
    wrong(format!("cannot {what} {}: {error}", path.display()))
}

/// Whether a wheel is one of the package: its name begins with the package's.
fn is_of(wheel: &str, package: &str) -> bool {
    let name = wheel.split('-').next().unwrap_or_default().to_lowercase();
    name.replace(['_', '.'], "-") == package
}

/// The files of a folder by their SHA-256.
fn hashes(folder: &Path) -> Result<BTreeMap<String, PathBuf>, Wrong> {
    let mut found = BTreeMap::new();
    let entries = fs::read_dir(folder).map_err(|error| cannot("read", folder, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| cannot("read", folder, &error))?.path();
        let mut hasher = Sha256::new();
        let hashed = File::open(&path).and_then(|mut file| io::copy(&mut file, &mut hasher));
        hashed.map_err(|error| cannot("read", &path, &error))?;
        let digits: String = hasher
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        found.insert(digits, path);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_of_the_project_is_taken_by_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own-1-py3-none-any.whl");
        let mut archive = zip::ZipWriter::new(File::create(&file).unwrap());
        archive
            .start_file("own.py", zip::write::FileOptions::default())
            .unwrap();
        archive.finish().unwrap();
        let hash = hashes(folder.path()).unwrap().into_keys().next().unwrap();
        let environment = |hash: String| PythonEnvironment {
            wheels: vec![crate::environment::python_lock::Wheel {
                name: "own".into(),
                version: "1".into(),
                file: "own-1-py3-none-any.whl".into(),
                place: Place::Path("own-1-py3-none-any.whl".into()),
                sha256: hash,
            }],
            unlocated: Vec::new(),
        };
        let args = datum(&environment(hash), "3.11", Datum::Null);
        let (scratch, into) = (folder.path().join("scratch"), folder.path().join("tree"));
        let log = folder.path().join("log");
        install(
            &args,
            Path::new("/bin/true"),
            &BTreeMap::new(),
            &BTreeMap::from([("own-1-py3-none-any.whl".to_owned(), file)]),
            &scratch,
            &into,
            &log,
        )
        .unwrap();
        assert!(into.join("site-packages/own.py").exists());
    }
}
