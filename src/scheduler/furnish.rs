//! What a command's environment puts around it: tools that are visible, variables, files. And how an environment that is a
//! step of its own is made: by mlp itself, outside of the sandbox, from what its derivation holds by hash.

use super::Build;
use super::failure::{Attempt, not_started, store_failure};
use super::request::provide;
use crate::environment::interpreter::Interpreter;
use crate::environment::wheels;
use crate::executor::environment;
use crate::instantiate::Resolution;
use crate::model::build::Isolation;
use crate::model::derivation::{Builder, Derivation, Reference};
use crate::model::event::StepFailure;
use crate::model::graph::Step;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
    let place = build.store.materialise(node).map_err(|error| store_failure(&error))?;
    python(build, build.graph.step(*step), place)
}

/// Packages of a lock, and the machine's interpreter for them.
fn python(build: &Build<'_>, env: &Step, packages: PathBuf) -> Attempt<Furnished> {
    let version = wheels::python(&env.derivation.args).unwrap_or_default();
    let interpreter = Interpreter::find(version, build.interpreters, env.origin.span)
        .map_err(|error| not_started(error.message, error.help.as_deref()))?;
    let mut links = BTreeMap::new();
    let minor: Vec<&str> = version.split('.').take(2).collect();
    for name in ["python".to_owned(), "python3".to_owned(), format!("python{}", minor.join("."))] {
        links.insert(format!("{}/{name}", wheels::PROGRAMS), interpreter.program.clone());
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

/// Whether the step is an environment, which mlp makes by itself.
pub(super) fn is_environment(step: &Step) -> bool {
    matches!(&step.derivation.builder, Builder::Builtin { name, .. } if name.starts_with("env."))
}

/// Makes the environment that `step` is, at `into`.
pub(super) fn make(
    build: &Build<'_>,
    step: &Step,
    resolution: &Resolution,
    scratch: &Path,
    into: &Path,
    log: &Path,
) -> Attempt<()> {
    let mut in_place = Vec::new();
    let files = resolution.inputs.values().map(|input| provide(build, input, &mut in_place));
    let files = files.collect::<Attempt<Vec<_>>>()?;
    let made = wheels::install(&step.derivation.args, &step.locators, &files, scratch, into, log);
    made.map_err(|failure| Box::new(StepFailure::Builder(*failure)))
}
