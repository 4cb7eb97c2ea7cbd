//! Describes the environments of a pipeline: reads what pins them, and asks the machine for what is its own.

use super::error::EngineError;
use crate::environment::interpreter::Interpreter;
use crate::environment::python_lock::{self, Place, PythonEnvironment, Target};
use crate::environment::{codes, host, wheels};
use crate::instantiate;
use crate::model::environment::{Described, EnvironmentTable};
use crate::model::node::Node;
use crate::model::source::{SourceContent, SourceRequest};
use crate::store::Sources;
use mlp_lang::diagnostic::{Diagnostic, Severity};
use mlp_lang::source::{SourceId, Sources as Texts, Span};
use mlp_lang::spec::{Datum, EnvRef, Environment, Evaluation};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where environments are described.
pub(super) struct Surroundings<'a> {
    /// The project's root.
    pub(super) root: &'a Path,
    /// A file that remembers what interpreters were found to be.
    pub(super) interpreters: PathBuf,
    /// The project's files.
    pub(super) sources: &'a Sources,
    /// Takes what is read, for messages.
    pub(super) texts: &'a mut Texts,
}

type Told<T> = Result<T, Vec<Diagnostic>>;

impl Surroundings<'_> {
    /// The environments that the targets of `evaluation` need.
    pub(super) fn describe(&mut self, evaluation: &Evaluation) -> Result<EnvironmentTable, EngineError> {
        let (mut table, mut wrong) = (EnvironmentTable::new(), Vec::new());
        for env in instantiate::environments(evaluation) {
            match self.one(env) {
                Ok(described) => drop(table.insert(env.kind.clone(), described)),
                Err(found) => wrong.extend(found),
            }
        }
        if wrong.is_empty() {
            Ok(table)
        } else {
            Err(EngineError::Pipeline(wrong))
        }
    }

    fn one(&mut self, env: &Environment) -> Told<Described> {
        let argument = |label: &str| env.origin.arguments.get(label).copied().unwrap_or(env.origin.span);
        match &env.kind {
            EnvRef::Host { tools } => host::describe(tools, env.origin.span).map(Described::Host),
            EnvRef::Python { lock, python } => self.python(lock, argument("lock"), python, argument("python")),
            EnvRef::Flake { .. } => Err(vec![
                Diagnostic::error("E0512", env.origin.span, "this environment cannot be realised yet")
                    .help("use `env.python` or `env.host`"),
            ]),
        }
    }

    fn python(&mut self, lock: &str, lock_span: Span, python: &str, python_span: Span) -> Told<Described> {
        let target = Target::new(python).map_err(|error| {
            vec![Diagnostic::error(codes::NO_PYTHON, python_span, error.to_string())]
        })?;
        let source = self.read(lock, lock_span)?;
        let (environment, told) = python_lock::read(self.texts, source, &target);
        if told.iter().any(|found| found.severity == Severity::Error) {
            return Err(told);
        }
        let interpreter = Interpreter::find(python, &self.interpreters, python_span);
        let interpreter = interpreter.map_err(|error| vec![*error])?;
        let tools = BTreeMap::from([("python".to_owned(), interpreter.datum())]);
        Ok(Described::Step {
            builtin: "env.python".to_owned(),
            args: wheels::datum(&environment, python),
            inputs: self.own_wheels(&environment, lock, lock_span)?,
            locators: wheels::locators(&environment),
            tools: Datum::Map(tools),
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
            let path = match folder {
                "" => path.trim_start_matches("./").to_owned(),
                folder => format!("{folder}/{}", path.trim_start_matches("./")),
            };
            let request = SourceRequest::Path(path.clone());
            let digested = self.sources.digest(&[request.clone()].into());
            match digested.get(&request) {
                Some(Ok(SourceContent::Node(node))) if !node.is_dir() => {
                    found.insert(format!("inputs/{}", wheel.file), (path, *node));
                }
                _ => {
                    let message = format!("the lock takes `{}` from `{path}`, and that is no file of the project", wheel.name);
                    let error = Diagnostic::error(codes::PYTHON_LOCK, span, message);
                    return Err(vec![error.help("put the wheel there, or lock again")]);
                }
            }
        }
        Ok(found)
    }

    /// Reads a file of the project into the sources that messages point into.
    fn read(&mut self, path: &str, span: Span) -> Told<SourceId> {
        match std::fs::read_to_string(self.root.join(path)) {
            Ok(text) => Ok(self.texts.add(path, text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let error = Diagnostic::error("E0501", span, format!("there is no `{path}` in the project"));
                Err(vec![error.at("is not there").help("paths are relative to the file that names them; add it, or mend the path")])
            }
            Err(error) => Err(vec![Diagnostic::error("E0503", span, format!("`{path}` cannot be read: {error}"))]),
        }
    }
}
