//! Writes the locks that a pipeline's environments are pinned by. A lock is made in a folder of ours, which holds what it is
//! made from, or in another file beside the project's, and put in its place whole: whatever fails on the way, the project's own
//! stays as it was.

use super::environments::{Surroundings, argument, joined};
use super::error::EngineError;
use super::workspace::Workspace;
use crate::base::atomic;
use crate::environment::flake_lock::{self, Edge, FlakeLock};
use crate::environment::nix::{self, Nix};
use crate::environment::python_lock::{self, Target};
use crate::environment::{codes, locking};
use crate::instantiate;
use crate::store::Sources;
use mlp_lang::diagnostic::{Diagnostic, Severity};
use mlp_lang::source::{Sources as Texts, Span};
use mlp_lang::spec::{EnvRef, Environment, Evaluation};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

pub use crate::environment::locking::Renewal;

/// A lock that was to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// Its path from the project's root.
    pub path: String,
    /// Whether it is another than before.
    pub written: bool,
    /// What it pins otherwise than before: names, with what they were and are.
    pub changes: Vec<(String, Option<String>, Option<String>)>,
}

/// What a lock pins, by name.
type Pinned = BTreeMap<String, String>;

/// A lock of the pipeline, and where it is asked for.
struct Wanted {
    /// Its path.
    path: String,
    /// The flake that it is of, or the version of Python.
    of: Of,
    span: Span,
}

enum Of {
    Flake(String),
    Python(String),
}

type Told<T> = Result<T, Vec<Diagnostic>>;

impl Workspace {
    /// What the lock of each environment pins: inputs of a flake with the hashes or revisions that they are locked to,
    /// packages with their versions. Nothing of a lock that is not there or cannot be read.
    pub fn pinned(&self, evaluation: &Evaluation) -> BTreeMap<EnvRef, BTreeMap<String, String>> {
        let sources = Sources::open(&self.project.root, None);
        let mut texts = Texts::default();
        let surroundings = self.surroundings(&sources, &mut texts);
        let environments = instantiate::environments(evaluation).into_iter();
        let locked =
            environments.filter_map(|env| Some((env.kind.clone(), surroundings.pinned(&lock_of(&env)?))));
        locked.collect()
    }

    /// Writes the locks of the pipeline's environments; where names are to be renewed, those that pin any of them.
    pub fn lock(
        &self,
        evaluation: &Evaluation,
        texts: &mut Texts,
        renewal: Renewal<'_>,
    ) -> Result<(Vec<Locked>, Vec<Diagnostic>), EngineError> {
        let sources = Sources::open(&self.project.root, Some(&self.state.join("stat-cache")));
        let (mut done, mut told) = (Vec::new(), Vec::new());
        for wanted in wanted(evaluation) {
            let mut surroundings = self.surroundings(&sources, texts);
            let before = surroundings.pinned(&wanted);
            let here: Vec<String>;
            let renewal = match renewal {
                Renewal::Named(names) => {
                    here = names
                        .iter()
                        .filter(|name| before.contains_key(*name))
                        .cloned()
                        .collect();
                    if here.is_empty() {
                        continue;
                    }
                    Renewal::Named(&here)
                }
                other => other,
            };
            let scratch = self.store.scratch()?;
            match surroundings.write(&wanted, renewal, scratch.path()) {
                Ok(written) => {
                    let after = surroundings.pinned(&wanted);
                    done.push(Locked {
                        path: wanted.path,
                        written,
                        changes: changes(&before, &after),
                    });
                }
                Err(found) => told.extend(found),
            }
        }
        Ok((done, told))
    }
}

/// The locks that the environments of a pipeline name, each once.
fn wanted(evaluation: &Evaluation) -> Vec<Wanted> {
    let mut found: Vec<Wanted> = Vec::new();
    for env in instantiate::environments(evaluation) {
        let Some(lock) = lock_of(&env) else { continue };
        if !found.iter().any(|known| known.path == lock.path) {
            found.push(lock);
        }
    }
    found
}

fn changes(before: &Pinned, after: &Pinned) -> Vec<(String, Option<String>, Option<String>)> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let pair = |name: &String| (before.get(name).cloned(), after.get(name).cloned());
    let changed = names.into_iter().map(|name| (name, pair(name)));
    changed
        .filter(|(_, (before, after))| before != after)
        .map(|(name, (before, after))| (name.clone(), before, after))
        .collect()
}

/// The lock of an environment that has one.
fn lock_of(env: &Environment) -> Option<Wanted> {
    match &env.kind {
        EnvRef::Flake { file, .. } => Some(Wanted {
            path: joined(
                file.rsplit_once('/').map_or("", |(folder, _)| folder),
                "flake.lock",
            ),
            of: Of::Flake(file.clone()),
            span: argument(env, "file"),
        }),
        EnvRef::Python { lock, python } => Some(Wanted {
            path: lock.clone(),
            of: Of::Python(python.clone()),
            span: argument(env, "lock"),
        }),
        EnvRef::Host { .. } => None,
    }
}

impl Surroundings<'_> {
    /// What the lock pins as it lies there; nothing where it cannot be read.
    fn pinned(&self, wanted: &Wanted) -> Pinned {
        let Ok(text) = fs::read_to_string(self.root.join(&wanted.path)) else {
            return Pinned::new();
        };
        let mut texts = Texts::default();
        let source = texts.add(&wanted.path, text);
        match &wanted.of {
            Of::Flake(_) => {
                flake_lock::read(&texts, source).map_or_else(|_| Pinned::new(), |lock| inputs(&lock))
            }
            Of::Python(python) => {
                let Ok(target) = Target::new(python) else {
                    return Pinned::new();
                };
                let (environment, _) = python_lock::read(&texts, source, &target);
                let wheels = environment
                    .wheels
                    .into_iter()
                    .map(|wheel| (wheel.name, wheel.version));
                let others = environment
                    .unlocated
                    .into_iter()
                    .map(|one| (one.name, one.version));
                wheels.chain(others).collect()
            }
        }
    }

    /// Has the lock written in `scratch`, and takes it over. False where it is as it was.
    fn write(&mut self, wanted: &Wanted, renewal: Renewal<'_>, scratch: &Path) -> Told<bool> {
        let new = match &wanted.of {
            Of::Flake(file) => self.flake_lock(file, wanted, renewal, scratch)?,
            Of::Python(python) => self.python_lock(python, wanted, renewal, scratch)?,
        };
        let place = self.root.join(&wanted.path);
        let Some(new) = new.filter(|new| !fs::read(&place).is_ok_and(|old| old == *new)) else {
            return Ok(false);
        };
        atomic::write(&place, &new).map_err(|error| {
            let message = format!("`{}` cannot be written: {error}", wanted.path);
            vec![Diagnostic::error(codes::LOCKER_FAILED, wanted.span, message)]
        })?;
        Ok(true)
    }

    fn flake_lock(
        &mut self,
        file: &str,
        wanted: &Wanted,
        renewal: Renewal<'_>,
        scratch: &Path,
    ) -> Told<Option<Vec<u8>>> {
        let nix = Nix::installed().ok_or_else(|| vec![nix::not_installed(wanted.span)])?;
        let (folder, flake, _) = self.flake_nix(file, wanted.span)?;
        let laid_out = |error: io::Error| {
            let message = format!("the flake cannot be laid out: {error}");
            vec![Diagnostic::error(codes::LOCKER_FAILED, wanted.span, message)]
        };
        for (mount, (path, _)) in self.flake_files(file, folder, &flake, wanted.span)? {
            let to = scratch.join(mount);
            to.parent().map_or(Ok(()), fs::create_dir_all).map_err(laid_out)?;
            fs::copy(self.root.join(path), &to).map_err(laid_out)?;
        }
        let lock = scratch.join("flake/flake.lock");
        // One that is no lock any more, as after a merge, is made anew: Nix would stop at it.
        if !self.pinned(wanted).is_empty() {
            fs::copy(self.root.join(&wanted.path), &lock).map_err(laid_out)?;
        }
        nix.lock(&scratch.join("flake"), renewal)
            .map_err(|error| vec![error.diagnostic(wanted.span)])?;
        match fs::read(&lock) {
            Ok(new) => Ok(Some(new)),
            // A flake without inputs has none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(laid_out(error)),
        }
    }

    fn python_lock(
        &mut self,
        python: &str,
        wanted: &Wanted,
        renewal: Renewal<'_>,
        scratch: &Path,
    ) -> Told<Option<Vec<u8>>> {
        let laid_out = |error: io::Error| {
            let message = format!("the project cannot be laid out: {error}");
            vec![Diagnostic::error(codes::LOCKER_FAILED, wanted.span, message)]
        };
        let (folder, name) = wanted.path.rsplit_once('/').unwrap_or(("", &wanted.path));
        let (there, output) = match locking::beside(name) {
            // In the project itself: what a lock says of files of the project is seen from its folder, links followed.
            Some(output) => (self.root.join(folder), output),
            None => {
                let there = scratch.join("project");
                let inner = lay_out(self.root, &there, folder, name).map_err(laid_out)?;
                (inner, name.to_owned())
            }
        };
        let lock = Passing(there.join(&output));
        let old = self.root.join(&wanted.path);
        if old.is_file() && self.is_lock(wanted, python) {
            fs::copy(old, &lock.0).map_err(laid_out)?;
        }
        locking::lock(&there, name, &output, python, renewal)
            .map_err(|error| vec![error.diagnostic(&wanted.path, wanted.span)])?;
        fs::read(&lock.0).map(Some).map_err(laid_out)
    }

    /// Whether what lies there can be read as a lock at all.
    fn is_lock(&self, wanted: &Wanted, python: &str) -> bool {
        let (Ok(text), Ok(target)) = (
            fs::read_to_string(self.root.join(&wanted.path)),
            Target::new(python),
        ) else {
            return false;
        };
        let mut texts = Texts::default();
        let source = texts.add(&wanted.path, text);
        let (_, told) = python_lock::read(&texts, source, &target);
        let broken = |told: &Diagnostic| told.severity == Severity::Error && told.code == codes::PYTHON_LOCK;
        !told.iter().any(broken)
    }
}

/// A file that is gone with this.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        // It is not there where it was never written.
        let _ = fs::remove_file(&self.0);
    }
}

/// Lays out the project by links at `there`, for a program that writes `name` into `folder`: all that lies beside it, and
/// beside the folders on the way. Gives the folder.
fn lay_out(root: &Path, there: &Path, folder: &str, name: &str) -> io::Result<PathBuf> {
    let (mut from, mut to) = (root.to_owned(), there.to_owned());
    let mut way = folder.split('/').filter(|part| !part.is_empty());
    loop {
        let next = way.next();
        fs::create_dir_all(&to)?;
        for entry in fs::read_dir(&from)? {
            let entry = entry?;
            if entry.file_name() != *next.unwrap_or(name) {
                symlink(entry.path(), to.join(entry.file_name()))?;
            }
        }
        let Some(next) = next else { return Ok(to) };
        from.push(next);
        to.push(next);
    }
}

/// What a flake's own inputs are locked to, in short.
fn inputs(lock: &FlakeLock) -> Pinned {
    let root = lock.nodes.get(&lock.root);
    let inputs = root.into_iter().flat_map(|root| &root.inputs);
    let pinned = inputs.filter_map(|(name, edge)| match edge {
        Edge::Node(node) => {
            let locked = lock.nodes.get(node)?.locked.as_ref()?;
            let hash = locked
                .nar_hash
                .as_deref()
                .map(|hash| hash.trim_start_matches("sha256-"));
            let exact = locked.reference.get("rev").or(hash).unwrap_or("not pinned");
            Some((name.clone(), exact.chars().take(10).collect()))
        }
        Edge::Follows(_) => None,
    });
    pinned.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_laid_out_around_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let (root, there) = (folder.path().join("root"), folder.path().join("there"));
        fs::create_dir_all(root.join("a/b")).unwrap();
        for file in ["top", "a/b/uv.lock", "a/b/pyproject.toml", "a/beside"] {
            fs::write(root.join(file), file).unwrap();
        }
        let inner = lay_out(&root, &there, "a/b", "uv.lock").unwrap();
        fs::write(inner.join("uv.lock"), "new").unwrap();
        assert_eq!(fs::read_to_string(inner.join("../beside")).unwrap(), "a/beside");
        assert_eq!(fs::read_to_string(inner.join("../../top")).unwrap(), "top");
        assert!(inner.join("pyproject.toml").is_file());
        assert_eq!(
            fs::read_to_string(root.join("a/b/uv.lock")).unwrap(),
            "a/b/uv.lock"
        );
    }

    #[test]
    fn changes_are_what_differs() {
        let pinned = |list: &[(&str, &str)]| -> Pinned {
            let own = |(name, what): &(&str, &str)| ((*name).to_owned(), (*what).to_owned());
            list.iter().map(own).collect()
        };
        let before = pinned(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let after = pinned(&[("b", "2"), ("c", "1"), ("d", "1")]);
        let text = |text: &str| Some(text.to_owned());
        let expected = [
            ("a", text("1"), None),
            ("b", text("1"), text("2")),
            ("d", None, text("1")),
        ];
        let expected = expected.map(|(name, before, after)| (name.to_owned(), before, after));
        assert_eq!(changes(&before, &after), expected);
    }
}
