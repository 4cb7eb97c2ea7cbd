//! What a command's environment puts around it: tools that are visible, variables, files.

use super::Build;
use super::failure::Attempt;
use crate::executor::environment;
use crate::instantiate::Resolution;
use crate::model::build::Isolation;
use crate::model::derivation::Derivation;
use std::collections::BTreeMap;
use std::path::PathBuf;

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
    _build: &Build<'_>,
    _derivation: &Derivation,
    _resolution: &Resolution,
) -> Attempt<Furnished> {
    Ok(Furnished {
        closure: environment::host_tools(),
        vars: BTreeMap::new(),
        inputs: BTreeMap::new(),
        links: BTreeMap::new(),
        isolation: Isolation::HostTools,
    })
}
