//! Where a command is run: the project, and names that are near a mistyped one.

use super::exit::Refusal;
use crate::engine::{Project, ProjectError};
use std::path::Path;

/// The project here, or in the nearest folder above.
pub(super) fn project() -> Result<Project, Refusal> {
    Project::find(Path::new(".")).map_err(|error| {
        let refusal = Refusal::new(error.to_string());
        match error {
            ProjectError::Missing(_) => refusal.hint("`mlp init` writes one to start from"),
            ProjectError::Unreadable { .. } => refusal,
        }
    })
}

/// The name that a mistyped one was most likely meant to be.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|other| (strsim::damerau_levenshtein(name, other), other))
        .filter(|(distance, other)| *distance <= name.len().max(other.len()) / 3)
        .min()
        .map(|(_, other)| other)
}
