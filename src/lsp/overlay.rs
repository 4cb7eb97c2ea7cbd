//! The project as the editor has it: open buffers over the disk. Remembers what was read.

use crate::engine::ProjectWorld;
use mlp_lang::ide::FileEntry;
use mlp_lang::source::{ReadError, World};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// The texts of open buffers, by their paths from the root.
pub(super) type Buffers = BTreeMap<String, Arc<str>>;

/// A project's files.
#[derive(Debug)]
pub(super) struct Overlay {
    buffers: Buffers,
    disk: ProjectWorld,
    read: RefCell<BTreeSet<String>>,
}

impl Overlay {
    pub(super) fn new(root: &Path, buffers: Buffers) -> Self {
        Self {
            buffers,
            disk: ProjectWorld::new(root),
            read: RefCell::default(),
        }
    }

    /// The paths that were asked for, found or not.
    pub(super) fn into_read(self) -> BTreeSet<String> {
        self.read.into_inner()
    }

    /// What is in a folder, by its path from the root, sorted.
    pub(super) fn list(&self, folder: &str) -> Vec<FileEntry> {
        self.disk.list(folder)
    }
}

impl World for Overlay {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, ReadError> {
        self.read.borrow_mut().insert(path.to_owned());
        match self.buffers.get(path) {
            Some(text) => Ok(Arc::from(text.clone())),
            None => self.disk.read(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_goes_before_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.mlp"), "disk").unwrap();
        std::fs::write(folder.path().join("b.mlp"), "disk").unwrap();
        let buffers = Buffers::from([("a.mlp".to_owned(), "buffer".into())]);
        let overlay = Overlay::new(folder.path(), buffers);
        assert_eq!(overlay.read("a.mlp").as_deref(), Ok(&b"buffer"[..]));
        assert_eq!(overlay.read("b.mlp").as_deref(), Ok(&b"disk"[..]));
        assert!(overlay.read("c.mlp").is_err());
        assert_eq!(overlay.list("").len(), 2);
        assert_eq!(overlay.into_read().len(), 3);
    }
}
