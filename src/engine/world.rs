//! The project's files, as the language sees them.

use mlp_lang::source::{ReadError, World};
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Reads sources below a root.
#[derive(Clone, Debug)]
pub(super) struct ProjectWorld {
    root: PathBuf,
}

impl ProjectWorld {
    pub(super) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }
}

impl World for ProjectWorld {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, ReadError> {
        let relative = Path::new(path);
        if !relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(ReadError::Outside);
        }
        let full = self.root.join(relative);
        match std::fs::read(&full) {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(ReadError::Missing {
                near: near(&self.root, relative),
            }),
            Err(_) if full.is_dir() => Err(ReadError::Directory),
            Err(error) => Err(ReadError::Other(error.to_string())),
        }
    }
}

/// Names in the folder of `wanted` that look like its name, best first, as paths from `root`.
pub(super) fn near(root: &Path, wanted: &Path) -> Vec<String> {
    let folder = wanted.parent().unwrap_or(Path::new(""));
    let Some(name) = wanted.file_name().and_then(|name| name.to_str()) else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
        return Vec::new();
    };
    let mut near: Vec<(usize, String)> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .map(|other| (strsim::damerau_levenshtein(name, &other), other))
        .filter(|(distance, other)| *distance <= name.len().max(other.len()) / 3)
        .collect();
    near.sort();
    near.truncate(3);
    near.into_iter()
        .map(|(_, name)| folder.join(name).display().to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_comes_with_names_near_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("digits.csv"), "a\n").unwrap();
        std::fs::write(folder.path().join("unrelated.txt"), "").unwrap();
        let world = ProjectWorld::new(folder.path());
        assert_eq!(
            world.read("digit.csv"),
            Err(ReadError::Missing {
                near: vec!["digits.csv".into()]
            })
        );
        assert_eq!(world.read("digits.csv").as_deref(), Ok(&b"a\n"[..]));
        assert_eq!(world.read("../x"), Err(ReadError::Outside));
    }
}
