//! Wheels: fetched by their hashes with pip, and installed as the binary distribution format says (PEP 427), into one tree
//! that steps see at one place. No compiled bytecode is among them, so that equal wheels give equal trees.

use super::codes;
use super::python_lock::{Place, PythonEnvironment};
use mlp_lang::spec::Datum;
use mlp_protocol::message::Failure;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

/// Where steps see the interpreter, below the build directory: what a package's programs name in their first line.
pub const PROGRAMS: &str = ".env/bin";
/// Where steps see the packages, below the build directory.
pub const PACKAGES: &str = ".env/packages";

/// The largest file of a wheel that is installed.
const LARGEST: u64 = 8 << 30;

/// Why packages could not be installed.
type Wrong = Box<Failure>;

fn wrong(message: impl Into<String>) -> Wrong {
    Failure::new(codes::NOT_FETCHED, message)
}

/// What of an environment is hashed: each package with the hashes that its file may have.
pub fn datum(environment: &PythonEnvironment, python: &str) -> Datum {
    let text = |text: &str| Datum::Str(text.to_owned());
    let package = |name: &str, version: &str, hashes: &[String]| {
        Datum::Map(BTreeMap::from([
            ("name".to_owned(), text(name)),
            ("sha256".to_owned(), Datum::List(hashes.iter().map(|hash| text(hash)).collect())),
            ("version".to_owned(), text(version)),
        ]))
    };
    let wheels = environment.wheels.iter();
    let wheels = wheels.map(|wheel| package(&wheel.name, &wheel.version, std::slice::from_ref(&wheel.sha256)));
    let unlocated = environment.unlocated.iter();
    let unlocated = unlocated.map(|wanted| package(&wanted.name, &wanted.version, &wanted.sha256));
    Datum::Map(BTreeMap::from([
        ("packages".to_owned(), Datum::List(wheels.chain(unlocated).collect())),
        ("python".to_owned(), text(python)),
    ]))
}

/// Where the wheels are: for pip a requirement of each that is at a URL of its own, by name; of files the mount path.
pub fn locators(environment: &PythonEnvironment) -> BTreeMap<String, String> {
    let wheels = environment.wheels.iter();
    let own = wheels.filter_map(|wheel| match &wheel.place {
        // The index has it under its name, and may be a mirror.
        Place::Url(url) if url.starts_with("https://files.pythonhosted.org/") => None,
        Place::Url(url) => Some((wheel.name.clone(), url.clone())),
        Place::Path(_) => None,
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
    let (Some(Datum::Str(python)), Some(Datum::List(list))) = (args.get("python"), args.get("packages")) else {
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
        let Some(Datum::List(hashes)) = fields.get("sha256") else { return None };
        let Some(Datum::Str(name)) = fields.get("name") else { return None };
        let Some(Datum::Str(version)) = fields.get("version") else { return None };
        packages.push(Package {
            name,
            version,
            hashes: hashes.iter().filter_map(hash).collect(),
        });
    }
    Some((python, packages))
}

/// Makes the environment that `args` (of [`datum`]) describe in the directory `into`, with files in `scratch`. `files` are
/// wheels that are there already; all else is fetched.
pub fn install(
    args: &Datum,
    locators: &BTreeMap<String, String>,
    files: &[PathBuf],
    scratch: &Path,
    into: &Path,
    log: &Path,
) -> Result<(), Wrong> {
    let (python, packages) = packages(args).ok_or_else(|| wrong("this environment was described by another mlp"))?;
    let folder = scratch.join("wheels");
    fs::create_dir_all(&folder).map_err(|error| cannot("make", &folder, &error))?;
    for file in files {
        let to = folder.join(file.file_name().unwrap_or_default());
        fs::copy(file, &to).map_err(|error| cannot("copy", file, &error))?;
    }
    let known = hashes(&folder)?;
    let missing: Vec<&Package<'_>> = packages
        .iter()
        .filter(|package| !package.hashes.iter().any(|hash| known.contains_key(*hash)))
        .collect();
    if !missing.is_empty() {
        fetch(&missing, python, locators, scratch, &folder, log)?;
    }
    let known = hashes(&folder)?;
    fs::create_dir_all(into.join("site-packages")).map_err(|error| cannot("make", into, &error))?;
    for package in &packages {
        let wheel = package.hashes.iter().find_map(|hash| known.get(*hash));
        let wheel = wheel.ok_or_else(|| {
            wrong(format!("no file of `{}` {} has the hash that the lock gives", package.name, package.version))
        })?;
        unpack(wheel, into)?;
    }
    Ok(())
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Wrong {
    wrong(format!("cannot {what} {}: {error}", path.display()))
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
        let digits: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        found.insert(digits, path);
    }
    Ok(found)
}

/// Has pip download the packages: by hash, and as wheels for the environment's Python, whichever runs pip.
fn fetch(
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
    let mut arguments: Vec<OsString> = ["download", "--no-deps", "--require-hashes", "--only-binary=:all:", "--progress-bar=off"]
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
    let named = ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"];
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
        #[expect(clippy::disallowed_methods, reason = "pip is no step: it fetches what steps run with, by hash")]
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
        return wrong("a package's file has another hash than the lock says")
            .help("the index serves another file than was locked; lock again, if you trust it")
            ;
    }
    let network = ["Temporary failure in name resolution", "Connection refused", "timed out", "Network is unreachable"];
    if network.iter().any(|word| said.contains(word)) {
        return wrong("the packages cannot be fetched: the package index cannot be reached")
            .help("connect to the network once; what was fetched is kept")
            ;
    }
    let line = line.unwrap_or("its last words are in the log");
    wrong(format!("pip cannot fetch the packages: {line}"))
        .help("the index must have the files that the lock names; `PIP_INDEX_URL` chooses another index")
}

/// Installs a wheel into the tree.
fn unpack(wheel: &Path, into: &Path) -> Result<(), Wrong> {
    let name = wheel.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let broken = |why: String| wrong(format!("the wheel {name} cannot be installed: {why}"));
    let file = File::open(wheel).map_err(|error| cannot("open", wheel, &error))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| broken(error.to_string()))?;
        if entry.is_dir() {
            continue;
        }
        let inner = PathBuf::from(entry.name());
        if !inner.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(broken(format!("it holds `{}`, which leads out of it", inner.display())));
        }
        if entry.size() > LARGEST {
            return Err(broken(format!("`{}` has {} bytes", inner.display(), entry.size())));
        }
        let (to, is_script) = place(&inner, into);
        let executable = is_script || entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0 && mode & 0o170_000 != 0o120_000);
        let mut bytes = Vec::new();
        (&mut entry).take(LARGEST).read_to_end(&mut bytes).map_err(|error| broken(error.to_string()))?;
        if is_script {
            bytes = with_interpreter(bytes);
        }
        put(&to, &bytes, executable).map_err(|error| broken(error.to_string()))?;
        if inner.ends_with("entry_points.txt") {
            for (name, script) in console_scripts(&String::from_utf8_lossy(&bytes)) {
                let to = into.join("bin").join(name);
                put(&to, script.as_bytes(), true).map_err(|error| broken(error.to_string()))?;
            }
        }
    }
    Ok(())
}

/// Where a wheel's file belongs, and whether it is a script.
fn place(inner: &Path, into: &Path) -> (PathBuf, bool) {
    let mut parts = inner.components();
    let first = parts.next().map(|part| part.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
    if first.ends_with(".data") {
        let kind = parts.next().map(|part| part.as_os_str().to_string_lossy().into_owned());
        let rest = parts.as_path();
        match kind.as_deref() {
            Some("scripts") => return (into.join("bin").join(rest), true),
            Some("data") => return (into.join(rest), false),
            Some("headers") => return (into.join("include").join(rest), false),
            Some("purelib" | "platlib") => return (into.join("site-packages").join(rest), false),
            _ => {}
        }
    }
    (into.join("site-packages").join(inner), false)
}

/// Writes a file. Of one that several wheels have the last stands, as with pip; wheels are installed in the order of names.
fn put(to: &Path, bytes: &[u8], executable: bool) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, bytes)?;
    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(to, fs::Permissions::from_mode(mode))
}

/// A script whose first line says `#!python`, with the interpreter that steps have.
fn with_interpreter(bytes: Vec<u8>) -> Vec<u8> {
    match bytes.strip_prefix(b"#!python") {
        Some(rest) => {
            let rest = rest.strip_prefix(b"w").unwrap_or(rest);
            [format!("#!/build/{PROGRAMS}/python").as_bytes(), rest].concat()
        }
        None => bytes,
    }
}

/// The programs that `entry_points.txt` promises, by name.
fn console_scripts(text: &str) -> Vec<(String, String)> {
    let mut scripts = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == "[console_scripts]";
        } else if let Some((name, target)) = line.split_once('=').filter(|_| inside && !line.starts_with(['#', ';'])) {
            let target = target.split('[').next().unwrap_or(target).trim();
            let (module, object) = target.split_once(':').unwrap_or((target, "main"));
            let name = name.trim();
            if name.is_empty() || name.contains('/') || name.starts_with('.') {
                continue;
            }
            let first = object.split('.').next().unwrap_or(object);
            let script = format!(
                "#!/build/{PROGRAMS}/python\nimport sys\nfrom {module} import {first}\nsys.exit({object}())\n"
            );
            scripts.push((name.to_owned(), script));
        }
    }
    scripts
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn wheel(folder: &Path, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let path = folder.join(name);
        let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
        for (inner, text) in files {
            archive.start_file(*inner, zip::write::FileOptions::default()).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
        path
    }

    #[test]
    fn a_wheels_files_go_where_they_belong() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("pkg/__init__.py", "x = 1\n"),
            ("pkg-1.data/scripts/run", "#!python\nprint()\n"),
            ("pkg-1.data/purelib/pure.py", ""),
            ("pkg-1.data/data/share/pkg/table.csv", "1"),
            ("pkg-1.dist-info/entry_points.txt", "[console_scripts]\npkg = pkg.cli:app.main [extra]\n[gui_scripts]\ng = pkg:g\n"),
        ];
        let wheel = wheel(folder.path(), "pkg-1-py3-none-any.whl", &files);
        let into = folder.path().join("tree");
        unpack(&wheel, &into).unwrap();
        let text = |path: &str| fs::read_to_string(into.join(path)).unwrap();
        assert_eq!(text("site-packages/pkg/__init__.py"), "x = 1\n");
        assert_eq!(text("bin/run"), "#!/build/.env/bin/python\nprint()\n");
        assert_eq!(text("share/pkg/table.csv"), "1");
        assert!(into.join("site-packages/pure.py").exists() && !into.join("bin/g").exists());
        assert_eq!(
            text("bin/pkg"),
            "#!/build/.env/bin/python\nimport sys\nfrom pkg.cli import app\nsys.exit(app.main())\n"
        );
        let mode = fs::metadata(into.join("bin/pkg")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }

    #[test]
    fn wheels_that_reach_out_or_are_torn_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("tree");
        let bad = wheel(folder.path(), "a-1-py3-none-any.whl", &[("../out.py", "")]);
        assert!(unpack(&bad, &into).unwrap_err().message.contains("leads out of it"));
        let torn = folder.path().join("e-1-py3-none-any.whl");
        fs::write(&torn, "no zip").unwrap();
        assert!(unpack(&torn, &into).unwrap_err().message.contains("e-1-py3-none-any.whl"));
    }

    #[test]
    fn what_pip_says_is_told_in_words() {
        let said = |text: &str| refused(text).message;
        assert!(said("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM\n").contains("another hash"));
        assert!(said("Retrying … Temporary failure in name resolution").contains("cannot be reached"));
        assert_eq!(
            said("noise\nERROR: No matching distribution found for x==1\n"),
            "pip cannot fetch the packages: No matching distribution found for x==1"
        );
    }

    #[test]
    fn a_wheel_of_the_project_is_taken_by_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let file = wheel(folder.path(), "own-1-py3-none-any.whl", &[("own.py", "")]);
        let hash = hashes(folder.path()).unwrap().into_keys().next().unwrap();
        let environment = |hash: String| PythonEnvironment {
            wheels: vec![super::super::python_lock::Wheel {
                name: "own".into(),
                version: "1".into(),
                file: "own-1-py3-none-any.whl".into(),
                place: Place::Path("own-1-py3-none-any.whl".into()),
                sha256: hash,
            }],
            unlocated: Vec::new(),
        };
        let args = datum(&environment(hash), "3.11");
        let (scratch, into) = (folder.path().join("scratch"), folder.path().join("tree"));
        let log = folder.path().join("log");
        install(&args, &BTreeMap::new(), &[file], &scratch, &into, &log).unwrap();
        assert!(into.join("site-packages/own.py").exists());
    }
}
