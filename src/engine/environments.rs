//! Describes the environments of a pipeline: reads what pins them, and asks the machine for what is its own.

use crate::base::digest::Digest;
use crate::environment::flake_nix::{self, Flake, Reads, Target};
use crate::environment::interpreter::Interpreter;
use crate::environment::key::FlakeShell;
use crate::environment::python_lock::{self, Place, PythonEnvironment};
use crate::environment::{codes, flake_lock, host, nix, wheels};
use crate::model::environment::{Described, EnvironmentTable};
use crate::model::node::Node;
use crate::model::source::{SourceContent, SourceRequest};
use crate::store::Sources;
use mlp_lang::diagnostic::{Diagnostic, Severity};
use mlp_lang::source::{SourceId, Sources as Texts, Span};
use mlp_lang::spec::{Datum, EnvRef, Environment, Fields};
use std::collections::BTreeMap;
use std::path::Path;

/// Where environments are described.
pub(super) struct Surroundings<'a> {
    /// The project's root.
    pub(super) root: &'a Path,
    /// The project's folder of local state.
    pub(super) state: &'a Path,
    /// The project's files.
    pub(super) sources: &'a Sources,
    /// Takes what is read, for messages.
    pub(super) texts: &'a mut Texts,
    /// Files that were read, by path: one that several environments name is read once.
    pub(super) read: BTreeMap<String, SourceId>,
}

type Told<T> = Result<T, Vec<Diagnostic>>;

impl Surroundings<'_> {
    /// Environments, as far as nothing is wrong with them; and what there is to say of them.
    pub(super) fn describe(&mut self, environments: &[&Environment]) -> (EnvironmentTable, Vec<Diagnostic>) {
        let (mut table, mut told) = (EnvironmentTable::new(), Vec::<Diagnostic>::new());
        for env in environments {
            let mut found = Vec::new();
            match self.one(env, &mut found) {
                Ok(described) => drop(table.insert(env.kind.clone(), described)),
                Err(wrong) => found.extend(wrong),
            }
            // Several shells of a flake are one flake, with its mistakes; and a file is not there only once.
            let names_its_file = |code| matches!(code, "E0501" | "E0503");
            found.retain(|new| {
                !told.iter().any(|known| {
                    known == new
                        || names_its_file(new.code)
                            && (known.code, &known.message) == (new.code, &new.message)
                })
            });
            told.extend(found);
        }
        (table, told)
    }

    /// An environment. Warnings go to `told`.
    fn one(&mut self, env: &Environment, told: &mut Vec<Diagnostic>) -> Told<Described> {
        match &env.kind {
            EnvRef::Host { tools } => host::describe(tools, env.origin.span).map(Described::Host),
            EnvRef::Python { lock, python } => {
                self.python(lock, argument(env, "lock"), python, argument(env, "python"), told)
            }
            EnvRef::Flake { file, shell } => self.flake(file, argument(env, "file"), shell, told),
        }
    }

    /// The flake whose flake.nix is `file`, and the folder that it is in.
    pub(super) fn flake_nix<'f>(
        &mut self,
        file: &'f str,
        span: Span,
    ) -> Told<(&'f str, Flake, Vec<Diagnostic>)> {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        if file.rsplit('/').next() != Some("flake.nix") {
            let error = Diagnostic::error(codes::NOT_A_FLAKE, span, format!("`{file}` is no flake.nix"));
            return Err(vec![error.help("name the file of the flake: `./flake.nix`")]);
        }
        let source = self.read(file, span)?;
        let (flake, told) = flake_nix::read(self.texts, source);
        match flake {
            Some(flake) if !is_wrong(&told) => Ok((folder, flake, told)),
            _ => Err(told),
        }
    }

    fn flake(
        &mut self,
        file: &str,
        span: Span,
        shell: &str,
        warnings: &mut Vec<Diagnostic>,
    ) -> Told<Described> {
        let (folder, flake, mut told) = self.flake_nix(file, span)?;
        let lock_path = joined(folder, "flake.lock");
        let lock = match self.root.join(&lock_path).exists() {
            true => {
                let source = self.read(&lock_path, span)?;
                let lock = flake_lock::read(self.texts, source).map_err(|error| vec![*error])?;
                told.extend(flake_lock::check(self.texts, &flake, &lock));
                Some(lock)
            }
            false => {
                told.extend(flake_lock::missing(&flake));
                None
            }
        };
        if is_wrong(&told) {
            return Err(told);
        }
        let system = nix::system();
        let shell_key = FlakeShell {
            tree: None,
            lock: lock.as_ref(),
            system: &system,
            shell,
        };
        let bytes = shell_key.canonical().map_err(|error| {
            vec![Diagnostic::error(
                codes::INVALID_LOCK,
                span,
                format!("this lock cannot be hashed: {error}"),
            )]
        })?;
        let text = lock.map(|lock| self.texts.get(lock.source).text.to_string());
        warnings.extend(told);
        let args = [
            ("lock", Datum::Str(Digest::of_blob(&bytes).to_string().into())),
            ("shell", Datum::Str(shell.into())),
            ("system", Datum::Str(system.into())),
        ];
        Ok(Described::Step {
            builtin: "env.flake".to_owned(),
            args: Datum::Map(args.map(|(name, value)| (name.to_owned(), value)).into()),
            inputs: self.flake_files(file, folder, &flake, span)?,
            locators: text
                .map(|text| ("flake.lock".to_owned(), text))
                .into_iter()
                .collect(),
            tools: Datum::Map(Fields::new()),
        })
    }

    /// The flake's own files by mount path: flake.nix, and what the paths in it lead to.
    pub(super) fn flake_files(
        &mut self,
        file: &str,
        folder: &str,
        flake: &Flake,
        span: Span,
    ) -> Told<BTreeMap<String, (String, Node)>> {
        let relative = flake.inputs.values().filter_map(|input| match &input.target {
            Target::Reference(reference) if reference.is_relative() => {
                reference.get("path").map(str::to_owned)
            }
            _ => None,
        });
        let mut waiting: Vec<String> = relative.filter_map(|path| below(folder, &path)).collect();
        waiting.push(file.to_owned());
        let mut found: BTreeMap<String, (String, Node)> = BTreeMap::new();
        while let Some(path) = waiting.pop() {
            if found.contains_key(&mount(folder, &path)) {
                continue;
            }
            if self.root.join(&path).is_dir() {
                self.folder(folder, &path, span, &mut found)?;
                continue;
            }
            let request = SourceRequest::Path(path.clone());
            let digested = self.sources.digest(&[request.clone()].into());
            // What is not there is for Nix to say: it may not be read at all.
            if let Some(Ok(SourceContent::Node(node))) = digested.get(&request) {
                found.insert(mount(folder, &path), (path.clone(), *node));
            }
            if !path.ends_with(".nix") {
                continue;
            }
            let text = std::fs::read_to_string(self.root.join(&path)).unwrap_or_default();
            let here = path.rsplit_once('/').map_or("", |(here, _)| here);
            match flake_nix::reads(&text) {
                Reads::Whole => self.folder(folder, folder, span, &mut found)?,
                Reads::Paths(paths) => waiting.extend(paths.iter().filter_map(|path| below(here, path))),
            }
        }
        Ok(found)
    }

    /// All files of a folder, less those that ignore files name.
    fn folder(
        &self,
        flake: &str,
        path: &str,
        span: Span,
        found: &mut BTreeMap<String, (String, Node)>,
    ) -> Told<()> {
        let request = SourceRequest::Glob(joined(path, "**"));
        let digested = self.sources.digest(&[request.clone()].into());
        let Some(Ok(SourceContent::Files(files))) = digested.get(&request) else {
            let message = format!("the flake reads the folder `{path}`, which has no files that can be read");
            return Err(vec![Diagnostic::error(codes::NOT_A_FLAKE, span, message)]);
        };
        for (path, node) in files {
            if *path != joined(flake, "flake.lock") {
                found.insert(mount(flake, path), (path.clone(), *node));
            }
        }
        Ok(())
    }

    fn python(
        &mut self,
        lock: &str,
        lock_span: Span,
        python: &str,
        python_span: Span,
        warnings: &mut Vec<Diagnostic>,
    ) -> Told<Described> {
        let target = python_lock::Target::new(python).map_err(|error| {
            vec![Diagnostic::error(
                codes::NO_PYTHON,
                python_span,
                error.to_string(),
            )]
        })?;
        let source = self.read(lock, lock_span)?;
        let (environment, mut told) = python_lock::read(self.texts, source, &target);
        let (folder, name) = lock.rsplit_once('/').unwrap_or(("", lock));
        let manifest = joined(folder, "pyproject.toml");
        if name == "uv.lock" && self.root.join(&manifest).is_file() && !is_wrong(&told) {
            let manifest = self.read(&manifest, lock_span)?;
            told.extend(python_lock::agree(self.texts, source, manifest));
        }
        if is_wrong(&told) {
            return Err(told);
        }
        warnings.extend(told);
        let interpreter = Interpreter::find(python, self.state, python_span);
        let interpreter = interpreter.map_err(|error| vec![*error])?;
        let tools = BTreeMap::from([("python".to_owned(), interpreter.datum())]);
        Ok(Described::Step {
            builtin: "env.python".to_owned(),
            args: wheels::datum(&environment, python, interpreter.datum()),
            inputs: self.own_wheels(&environment, lock, lock_span)?,
            locators: wheels::locators(&environment),
            tools: Datum::Map(tools.into_iter().collect()),
        })
    }

    /// Wheels that lie in the project, by mount path.
    fn own_wheels(
        &self,
        environment: &PythonEnvironment,
        lock: &str,
        span: Span,
    ) -> Told<BTreeMap<String, (String, Node)>> {
        let folder = lock.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut found = BTreeMap::new();
        for wheel in &environment.wheels {
            let Place::Path(path) = &wheel.place else { continue };
            let path = below(folder, path).unwrap_or_else(|| path.clone());
            let request = SourceRequest::Path(path.clone());
            let digested = self.sources.digest(&[request.clone()].into());
            match digested.get(&request) {
                Some(Ok(SourceContent::Node(node))) if !node.is_dir() => {
                    found.insert(format!("inputs/{}", wheel.file), (path, *node));
                }
                _ => {
                    let message = format!(
                        "the lock takes `{}` from `{path}`, and that is no file of the project",
                        wheel.name
                    );
                    let error = Diagnostic::error(codes::PYTHON_LOCK, span, message);
                    return Err(vec![error.help("put the wheel there, or lock again")]);
                }
            }
        }
        Ok(found)
    }

    /// Reads a file of the project into the sources that messages point into.
    fn read(&mut self, path: &str, span: Span) -> Told<SourceId> {
        if let Some(known) = self.read.get(path) {
            return Ok(*known);
        }
        match std::fs::read_to_string(self.root.join(path)) {
            Ok(text) => {
                let source = self.texts.add(path, text);
                self.read.insert(path.to_owned(), source);
                Ok(source)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let error = Diagnostic::error("E0501", span, format!("there is no `{path}` in the project"));
                let help = match path.ends_with(".nix") {
                    true => "paths are relative to the file that names them; add it, or mend the path",
                    false => {
                        "write it with `mlp env lock`; or mend the path, which is relative to the file that names it"
                    }
                };
                Err(vec![error.at("is not there").help(help)])
            }
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                let error = Diagnostic::error("E0503", span, format!("`{path}` is not text in UTF-8"));
                Err(vec![
                    error.help("restore it from version control, or write it anew"),
                ])
            }
            Err(error) => Err(vec![Diagnostic::error(
                "E0503",
                span,
                format!("`{path}` cannot be read: {error}"),
            )]),
        }
    }
}

/// Where an argument of an environment is written.
pub(super) fn argument(env: &Environment, label: &str) -> Span {
    let written = env.origin.arguments.get(label);
    written.copied().unwrap_or(env.origin.span)
}

fn is_wrong(told: &[Diagnostic]) -> bool {
    told.iter().any(|found| found.severity == Severity::Error)
}

/// Where a file of the flake in `folder` lies among its step's inputs.
fn mount(folder: &str, path: &str) -> String {
    let inner = match folder {
        "" => path,
        folder => path
            .strip_prefix(folder)
            .map_or(path, |rest| rest.trim_start_matches('/')),
    };
    format!("flake/{inner}")
}

pub(super) fn joined(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// `path` seen from `folder`, both from the project's root; none where it leaves that.
fn below(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
