//! The machine's Python: found by its version, and all that steps see of it. Its packages are none of that: they come from a
//! lock. Talks to the sandbox, which knows what a program loads, and to the interpreter itself.

use super::{codes, host};
use crate::base::digest::Digest;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::Span;
use mlp_lang::spec::{Datum, Fields};
use mlp_sandbox::libraries;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What wheels may load without bringing it (PEP 600), as far as it has to do with computing.
const PROMISED: &[&str] = &[
    "libatomic.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libexpat.so.1",
    "libgcc_s.so.1",
    "libm.so.6",
    "libmvec.so.1",
    "libnsl.so.1",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libstdc++.so.6",
    "libutil.so.1",
    "libz.so.1",
];

/// Parts of an interpreter's folder that are no part of it: packages, caches, its own tests.
const FOREIGN: &[&str] = &["__pycache__", "dist-packages", "site-packages", "test"];

/// Asked of the interpreter.
const QUESTION: &str = "import json, sys, sysconfig; print(json.dumps({'version': sys.version, 'library': \
                        sysconfig.get_path('stdlib'), 'modules': sysconfig.get_config_var('DESTSHARED')}))";

/// An installed Python.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    /// The program, links followed.
    pub program: PathBuf,
    /// `3.11.2 (main, …)`: the version with its build.
    pub version: String,
    /// Of the program, its library, and the libraries that these load.
    pub digest: Digest,
    /// What a step sees of it.
    pub closure: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Answer {
    version: String,
    library: PathBuf,
    modules: Option<PathBuf>,
}

impl Interpreter {
    /// The interpreter of `version` (`3.11`, `3.11.2`). A file in the folder `state` remembers what it was found to be, for
    /// as long as the program does not change.
    pub fn find(version: &str, state: &Path, span: Span) -> Result<Self, Box<Diagnostic>> {
        let cache = &state.join("interpreters");
        let minor: Vec<&str> = version.split('.').take(2).collect();
        let name = format!("python{}", minor.join("."));
        let Some(program) = installed(&name) else {
            let error = Diagnostic::error(
                codes::NO_PYTHON,
                span,
                format!("there is no Python {} here", minor.join(".")),
            );
            return Err(Box::new(
                error
                    .note(format!(
                        "`{name}` is looked for in {}, and along PATH",
                        host::FOLDERS.join(", ")
                    ))
                    .help(format!("install it, or lock for another: {}", others())),
            ));
        };
        let found = Self::remembered(&program, cache).or_else(|| {
            let found = Self::look_at(&program).map_err(|error| (program.display().to_string(), error));
            if let Ok(found) = &found {
                found.remember(cache);
            }
            Some(found)
        });
        let found = match found {
            Some(Ok(found)) => found,
            Some(Err((program, error))) => {
                let message = format!("{program} cannot be used: {error}");
                return Err(Box::new(Diagnostic::error(codes::NO_PYTHON, span, message)));
            }
            None => {
                return Err(Box::new(Diagnostic::error(
                    codes::NO_PYTHON,
                    span,
                    "no Python is here",
                )));
            }
        };
        let own = found.version.split_whitespace().next().unwrap_or_default();
        if version.split('.').count() > 2 && own != version {
            let message = format!("the environment is for Python {version}, and this machine has {own}");
            let help = format!(
                "write `python = \"{}\"`, if any of its patches will do",
                minor.join(".")
            );
            return Err(Box::new(
                Diagnostic::error(codes::NO_PYTHON, span, message).help(help),
            ));
        }
        Ok(found)
    }

    /// What of it is hashed.
    pub fn datum(&self) -> Datum {
        Datum::Map(Fields::from([
            ("digest".to_owned(), Datum::Str(self.digest.to_string().into())),
            ("version".to_owned(), Datum::Str(self.version.as_str().into())),
        ]))
    }

    fn look_at(program: &Path) -> io::Result<Self> {
        let Answer {
            version,
            library,
            modules,
        } = ask(program)?;
        let mut closure = BTreeSet::from([program.to_owned()]);
        for entry in fs::read_dir(&library)? {
            let entry = entry?;
            if !FOREIGN.iter().any(|foreign| *entry.file_name() == **foreign) {
                closure.insert(entry.path());
            }
        }
        let modules = modules.unwrap_or_else(|| library.join("lib-dynload"));
        let mut extensions: Vec<PathBuf> = fs::read_dir(&modules)
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        extensions.sort();
        let mut loaded = libraries(program, &extensions)?;
        let folder = loaded
            .iter()
            .find(|path| path.ends_with("libc.so.6"))
            .and_then(|libc| libc.parent());
        let promised: Vec<PathBuf> = folder
            .into_iter()
            .flat_map(|folder| PROMISED.iter().map(|name| folder.join(name)))
            .filter(|path| path.exists())
            .collect();
        loaded.extend(promised);
        let mut content = BTreeMap::new();
        note(&mut content, "program", program)?;
        for library in &loaded {
            let name = library.file_name().unwrap_or_default().to_string_lossy();
            note(&mut content, &format!("libraries/{name}"), library)?;
        }
        for path in closure.iter().filter(|path| *path != program) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            note(&mut content, &format!("library/{name}"), path)?;
        }
        closure.extend(loaded);
        let cache = Path::new("/etc/ld.so.cache");
        closure.extend(cache.exists().then(|| cache.to_owned()));
        let listed: String = content
            .iter()
            .map(|(name, digest)| format!("{name} {digest}\n"))
            .collect();
        Ok(Self {
            program: program.to_owned(),
            version,
            digest: Digest::of_blob(listed.as_bytes()),
            closure: closure.into_iter().collect(),
        })
    }

    /// What the file `cache` says of `program`, if the program is still that one and all that it needs is there.
    fn remembered(program: &Path, cache: &Path) -> Option<Result<Self, (String, io::Error)>> {
        let known: BTreeMap<String, Self> = serde_json::from_slice(&fs::read(cache).ok()?).ok()?;
        let found = known.get(&stamp(program)?)?.clone();
        found
            .closure
            .iter()
            .all(|path| path.exists())
            .then_some(Ok(found))
    }

    /// A cache that cannot be written costs time alone.
    fn remember(&self, cache: &Path) {
        let known = stamp(&self.program).map(|stamp| BTreeMap::from([(stamp, self)]));
        if let Some(Ok(bytes)) = known.map(|known| serde_json::to_vec(&known)) {
            let _ = crate::base::atomic::write(cache, &bytes);
        }
    }
}

/// What tells one state of a program from another.
fn stamp(program: &Path) -> Option<String> {
    let metadata = fs::metadata(program).ok()?;
    let (size, inode) = (metadata.len(), metadata.ino());
    let (seconds, changed) = (metadata.mtime(), metadata.ctime());
    Some(format!(
        "{} {size} {inode} {seconds} {changed}",
        program.display()
    ))
}

/// Notes the digests of a file, or of a folder's files.
fn note(content: &mut BTreeMap<String, Digest>, name: &str, path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        content.insert(name.to_owned(), Digest::of_blob(&fs::read(path)?));
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if !FOREIGN.iter().any(|foreign| *entry.file_name() == **foreign) {
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            note(content, &name, &entry.path())?;
        }
    }
    Ok(())
}

/// The folders in which an interpreter may be, those of steps' tools first.
fn folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = host::FOLDERS.iter().map(PathBuf::from);
    own.chain(std::env::split_paths(&path))
        .filter(|folder| folder.is_absolute())
        .collect()
}

/// The program `name`, links followed. Scripts that choose a version by themselves are passed over.
fn installed(name: &str) -> Option<PathBuf> {
    let places = folders().into_iter().map(|folder| folder.join(name));
    let mut real = places.filter_map(|place| place.canonicalize().ok());
    real.find(|place| is_program(place))
}

fn is_program(path: &Path) -> bool {
    let mut head = [0; 4];
    let read = fs::File::open(path).and_then(|mut file| io::Read::read_exact(&mut file, &mut head));
    read.is_ok() && head == *b"\x7fELF"
}

/// The versions that there are, as a message says them.
fn others() -> String {
    let there: Vec<String> = (8..20)
        .filter(|minor| installed(&format!("python3.{minor}")).is_some())
        .map(|minor| format!("3.{minor}"))
        .collect();
    match there.as_slice() {
        [] => "none is installed".to_owned(),
        there => format!("this machine has {}", there.join(", ")),
    }
}

fn ask(program: &Path) -> io::Result<Answer> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the interpreter is asked where its parts are"
    )]
    let output = Command::new(program)
        .args(["-I", "-S", "-c", QUESTION])
        .env_clear()
        .stdin(Stdio::null())
        .output()?;
    serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&output.stderr);
        io::Error::other(match said.trim() {
            "" => format!("its answer cannot be read: {error}"),
            said => said.to_owned(),
        })
    })
}
