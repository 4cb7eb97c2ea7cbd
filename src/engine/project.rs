//! A project: the folder of a pipeline file, and the folder in which `mlp` keeps what is local to it.

use std::path::{Component, Path, PathBuf};

/// The file that makes a folder a project.
pub const PIPELINE: &str = "pipeline.mlp";
/// Local state inside a project: runs with their logs, caches. Never in a key, safe to delete.
pub(super) const STATE: &str = ".mlp";

/// A project on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The folder of the pipeline file, absolute.
    pub root: PathBuf,
}

/// No project is here.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Neither the folder nor any parent has a pipeline file.
    #[error("there is no {PIPELINE} in `{0}` or in any folder above it")]
    Missing(PathBuf),
    /// The folder itself cannot be looked at.
    #[error("`{path}` cannot be read: {cause}")]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

impl Project {
    /// The project that `start` lies in: the nearest folder upwards with a pipeline file.
    pub fn find(start: &Path) -> Result<Self, ProjectError> {
        let start = start.canonicalize().map_err(|cause| ProjectError::Unreadable {
            path: start.to_owned(),
            cause,
        })?;
        start
            .ancestors()
            .find(|folder| folder.join(PIPELINE).exists())
            .map(|folder| Self {
                root: folder.to_owned(),
            })
            .ok_or(ProjectError::Missing(start))
    }

    /// The path from the root that `path` stands for in the folder `here` (absolute); none where it is the root itself, lies
    /// outside, or is not UTF-8. Links are not followed: what is named counts.
    pub fn path_of(&self, here: &Path, path: &Path) -> Option<String> {
        let mut whole = PathBuf::new();
        for part in here.join(path).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => drop(whole.pop()),
                part => whole.push(part),
            }
        }
        let inside = whole.strip_prefix(&self.root).ok()?.to_str()?;
        (!inside.is_empty()).then(|| inside.to_owned())
    }

    /// The folder of local state, made where it is missing, with an ignore file for git inside.
    pub fn state(&self) -> std::io::Result<PathBuf> {
        let state = self.root.join(STATE);
        if !state.is_dir() {
            std::fs::create_dir_all(&state)?;
            std::fs::write(state.join(".gitignore"), "*\n")?;
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_pipeline_upwards_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        assert!(matches!(Project::find(&inner), Err(ProjectError::Missing(_))));
        std::fs::write(folder.path().join(PIPELINE), "").unwrap();
        let project = Project::find(&inner).unwrap();
        assert_eq!(project.root, folder.path().canonicalize().unwrap());
        let here = inner.canonicalize().unwrap();
        let path = |path: &str| project.path_of(&here, Path::new(path));
        assert_eq!(path("../x.csv").as_deref(), Some("a/x.csv"));
        assert_eq!(path("./y/").as_deref(), Some("a/b/y"));
        assert_eq!(
            (path("../.."), path("../../../z"), path("/etc")),
            (None, None, None)
        );
        let state = project.state().unwrap();
        assert_eq!(std::fs::read_to_string(state.join(".gitignore")).unwrap(), "*\n");
    }
}
