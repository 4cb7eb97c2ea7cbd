//! What the language read of a project, by digest.

use super::super::world::ProjectWorld;
use crate::base::digest::Digest;
use mlp_lang::source::{ReadError, World};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Files that were read, each with the digest of its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    pub(super) files: Vec<(String, Digest)>,
}

/// A world that notes what is read of it.
pub(crate) struct Reading<'w> {
    world: &'w ProjectWorld,
    /// None for a file that could not be read.
    read: RefCell<BTreeMap<String, Option<Digest>>>,
}

impl<'w> Reading<'w> {
    /// Nothing of `world` is read yet.
    pub(crate) fn new(world: &'w ProjectWorld) -> Self {
        Self {
            world,
            read: RefCell::default(),
        }
    }

    /// The paths that were asked for, whatever was there.
    pub(crate) fn paths(&self) -> BTreeSet<String> {
        self.read.borrow().keys().cloned().collect()
    }

    /// What was read; none where something could not be: there is no digest of why.
    pub(crate) fn noted(self) -> Option<Noted> {
        let files = self.read.into_inner().into_iter();
        let files: Option<Vec<_>> = files.map(|(path, digest)| Some((path, digest?))).collect();
        files.map(|files| Noted { files })
    }
}

impl World for Reading<'_> {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, ReadError> {
        let read = self.world.read(path);
        let digest = read.as_ref().ok().map(|bytes| Digest::of_blob(bytes));
        let mut known = self.read.borrow_mut();
        let standing = known.entry(path.to_owned()).or_insert(digest);
        // Changed between two readings: what was made of it is of neither.
        if *standing != digest {
            *standing = None;
        }
        read
    }
}
