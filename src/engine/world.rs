//! The project's files, as the language sees them.

use crate::base::near::near;
use mlp_lang::ide::FileEntry;
use mlp_lang::source::{ReadError, World};
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Reads sources below a root.
#[derive(Clone, Debug)]
pub struct ProjectWorld {
    root: PathBuf,
}

impl ProjectWorld {
    /// The files below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// What is in a folder, by its path from the root, sorted; nothing where it cannot be read.
    pub fn list(&self, folder: &str) -> Vec<FileEntry> {
        let mut entries: Vec<FileEntry> = std::fs::read_dir(self.root.join(folder))
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let entry = entry.ok()?;
                Some(FileEntry {
                    name: entry.file_name().into_string().ok()?,
                    folder: entry.path().is_dir(),
                })
            })
            .collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries
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
