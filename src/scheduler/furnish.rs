//! What a command's environment puts around it: tools that are visible, variables, files. And how an environment that is a
//! step of its own is made: by mlp itself, outside of the sandbox, from what its derivation holds by hash.

use super::Build;
use super::failure::{Attempt, not_started, store_failure};
use super::request::provide;
use crate::environment::interpreter::Interpreter;
use crate::environment::nix::{self, DevShell, Nix};
use crate::environment::{codes, wheels};
use crate::executor::environment;
use crate::instantiate::{Resolution, ResolvedInput};
use crate::model::build::Isolation;
use crate::model::derivation::{Builder, Derivation, Reference};
use crate::model::event::StepFailure;
use crate::model::graph::Step;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::spec::Datum;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The builtin that is a flake's shell.
const FLAKE: &str = "env.flake";

/// An environment, as a build takes it.
pub(super) struct Furnished {
    /// Paths of the machine that are visible.
    pub(super) closure: Vec<PathBuf>,
    pub(super) vars: BTreeMap<String, String>,
    /// Bound below the build directory.
    pub(super) inputs: BTreeMap<String, PathBuf>,
    /// Made below the build directory.
    pub(super) links: BTreeMap<String, PathBuf>,
    /// How hermetic it is at best.
    pub(super) isolation: Isolation,
}

/// The environment of a command whose inputs came to `resolution`.
pub(super) fn furnish(
    build: &Build<'_>,
    derivation: &Derivation,
    resolution: &Resolution,
) -> Attempt<Furnished> {
    let made = derivation.env.as_ref().and_then(|env| env.made.as_ref());
    let (Some(Reference::Output { step, .. }), Some(node)) = (made, &resolution.env) else {
        return Ok(Furnished {
            closure: environment::host_tools(),
            vars: BTreeMap::new(),
            inputs: BTreeMap::new(),
            links: BTreeMap::new(),
            isolation: Isolation::HostTools,
        });
    };
    let env = build.graph.step(*step);
    let place = build
        .store
        .materialise(node)
        .map_err(|error| store_failure(&error))?;
    match &env.derivation.builder {
        Builder::Builtin { name, .. } if name == FLAKE => flake(build, env, &place),
        _ => python(build, env, place),
    }
}

/// A flake's shell: its variables, and its closure in Nix's store and nothing else.
fn flake(build: &Build<'_>, env: &Step, output: &Path) -> Attempt<Furnished> {
    let unreadable = |error: String| {
        not_started(
            format!("the environment `{}` cannot be read: {error}", env.name()),
            None,
        )
    };
    let bytes = fs::read(output).map_err(|error| unreadable(error.to_string()))?;
    let shell: DevShell = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if shell.closure.iter().any(|path| !path.exists()) {
        // Nix's collector of garbage took it, or it was made on another machine.
        let scratch = build.store.scratch().map_err(|error| store_failure(&error))?;
        let log = scratch.path().join("log");
        make_flake(build, env, &files(build, env)?, scratch.path(), &log)?;
    }
    Ok(Furnished {
        closure: shell.closure,
        vars: shell.variables,
        inputs: BTreeMap::new(),
        links: BTreeMap::new(),
        isolation: Isolation::Sandboxed,
    })
}

/// Packages of a lock, and the machine's interpreter for them.
fn python(build: &Build<'_>, env: &Step, packages: PathBuf) -> Attempt<Furnished> {
    let version = wheels::python(&env.derivation.args).unwrap_or_default();
    let interpreter = interpreter(build, env)?;
    let mut links = BTreeMap::new();
    let minor: Vec<&str> = version.split('.').take(2).collect();
    for name in [
        "python".to_owned(),
        "python3".to_owned(),
        format!("python{}", minor.join(".")),
    ] {
        links.insert(
            format!("{}/{name}", wheels::PROGRAMS),
            interpreter.program.clone(),
        );
    }
    let (programs, tree) = (wheels::PROGRAMS, wheels::PACKAGES);
    let vars = [
        ("PATH", format!("/build/{programs}:/build/{tree}/bin")),
        ("PYTHONPATH", format!("/build/{tree}/site-packages")),
        ("PYTHONNOUSERSITE", "1".to_owned()),
    ];
    Ok(Furnished {
        closure: interpreter.closure,
        vars: vars.map(|(name, value)| (name.to_owned(), value)).into(),
        inputs: BTreeMap::from([(tree.to_owned(), packages)]),
        links,
        isolation: Isolation::Sandboxed,
    })
}

/// The interpreter that a Python environment is for.
fn interpreter(build: &Build<'_>, env: &Step) -> Attempt<Interpreter> {
    let version = wheels::python(&env.derivation.args).unwrap_or_default();
    Interpreter::find(version, build.state, env.origin.span)
        .map_err(|error| not_started(error.message, error.help.as_deref()))
}

/// Whether the step is an environment, which mlp makes by itself.
pub(super) fn is_environment(step: &Step) -> bool {
    matches!(&step.derivation.builder, Builder::Builtin { name, .. } if name.starts_with("env."))
}

/// Makes the environment that `step` is, at `into`.
pub(super) fn make(build: &Build<'_>, step: &Step, scratch: &Path, into: &Path, log: &Path) -> Attempt<()> {
    let files = files(build, step)?;
    if matches!(&step.derivation.builder, Builder::Builtin { name, .. } if name == FLAKE) {
        let shell = make_flake(build, step, &files, scratch, log)?;
        let written = serde_json::to_vec(&shell).map_err(io::Error::other);
        let written = written.and_then(|bytes| fs::write(into, bytes));
        return written
            .map_err(|error| not_started(format!("the environment cannot be written: {error}"), None));
    }
    let named = |mount: &str| mount.rsplit('/').next().unwrap_or(mount).to_owned();
    let files = files
        .into_iter()
        .map(|(mount, file)| (named(&mount), file))
        .collect();
    let made = wheels::install(
        &step.derivation.args,
        &interpreter(build, step)?.program,
        &step.locators,
        &files,
        scratch,
        into,
        log,
    );
    made.map_err(|wrong| {
        Box::new(StepFailure::Environment {
            code: codes::NOT_FETCHED.to_owned(),
            message: wrong.message,
            help: wrong.help,
        })
    })
}

/// The sources that an environment is made of, by mount path, as they lie on this machine.
fn files(build: &Build<'_>, step: &Step) -> Attempt<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for (mount, reference) in &step.derivation.inputs {
        if let Reference::Source { path, node } = reference {
            let input = ResolvedInput {
                node: *node,
                source: Some(path.clone()),
            };
            found.insert(mount.to_string(), provide(build, &input, &mut Vec::new())?);
        }
    }
    Ok(found)
}

/// Has Nix realise the shell, from a folder that holds the flake and nothing else.
fn make_flake(
    build: &Build<'_>,
    step: &Step,
    files: &BTreeMap<String, PathBuf>,
    scratch: &Path,
    log: &Path,
) -> Attempt<DevShell> {
    let cannot = |error: io::Error| not_started(format!("the flake cannot be laid out: {error}"), None);
    let folder = scratch.join("flake");
    fs::create_dir_all(&folder).map_err(cannot)?;
    for (mount, from) in files {
        let to = scratch.join(mount);
        to.parent().map_or(Ok(()), fs::create_dir_all).map_err(cannot)?;
        fs::copy(from, &to).map_err(cannot)?;
    }
    if let Some(lock) = step.locators.get("flake.lock") {
        fs::write(folder.join("flake.lock"), lock).map_err(cannot)?;
    }
    let argument = |name: &str| match &step.derivation.args {
        Datum::Map(args) => match args.get(name) {
            Some(Datum::Str(text)) => text.to_string(),
            _ => String::new(),
        },
        _ => String::new(),
    };
    // Keeps the shell from Nix's collector of garbage for as long as the project's local state is there.
    let roots = build.state.join("nix");
    fs::create_dir_all(&roots).map_err(cannot)?;
    let root = roots.join(step.static_key.to_string());
    let told = |diagnostic: Diagnostic| {
        let _ = fs::write(log, diagnostic.notes.join("\n"));
        Box::new(StepFailure::Environment {
            code: diagnostic.code.to_owned(),
            message: diagnostic.message,
            help: diagnostic.help,
        })
    };
    let nix = Nix::installed().ok_or_else(|| told(nix::not_installed(step.origin.span)))?;
    let shell = nix.dev_shell(&folder, &argument("system"), &argument("shell"), &root);
    shell.map_err(|error| told(error.diagnostic(step.origin.span)))
}
