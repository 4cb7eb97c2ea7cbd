//! Finding what is damaged when it is used. Sizes are looked at whenever something is planned; here every byte is held
//! against its digest, once in the life of a process, before anybody goes on from it. Talks to `read` and `aside`.

use super::error::StoreError;
use super::place::Content;
use super::{Store, read};
use crate::model::node::Node;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{MutexGuard, PoisonError};

impl Store {
    /// Reads all bytes of `node` and puts aside what is damaged, so that what is built or copied next takes its place.
    /// Gives what was damaged; whether the bytes are here after that, [`Store::holds`] says. A node that was found whole
    /// is not read again by this process. It is pinned before it is looked for: no collector of garbage takes it then.
    pub fn mend(&self, node: &Node) -> Result<Vec<StoreError>, StoreError> {
        if self.whole().contains(node) {
            return Ok(Vec::new());
        }
        self.pin([node])?;
        let mut damaged = Vec::new();
        let mut is_whole = true;
        let mut errors = self.verify(node);
        if errors.iter().any(|error| matches!(error, StoreError::Missing(_))) && self.rescue(node)? {
            errors = self.verify(node);
        }
        for error in errors {
            is_whole = false;
            match error {
                StoreError::Damaged { .. } => damaged.push(error),
                // Planned to be built again by whoever sees that it is not here.
                StoreError::Missing(_) => {}
                error => return Err(error),
            }
        }
        if is_whole {
            self.whole().insert(*node);
        } else {
            // They may share what goes now.
            self.whole().clear();
        }
        self.put_aside(&damaged)?;
        Ok(damaged)
    }

    /// Reads all bytes of `node`, which is pinned before as by [`Store::mend`], and puts nothing aside. What was found whole
    /// need not be read again.
    pub fn is_whole(&self, node: &Node) -> bool {
        let whole = self.whole().contains(node) || (self.pin([node]).is_ok() && self.verify(node).is_empty());
        if whole {
            self.whole().insert(*node);
        }
        whole
    }

    /// Keeps the collector of garbage from `nodes` for the life of this process. Where the store cannot be written nothing
    /// is pinned: this process cannot build into it either.
    pub(super) fn pin<'n>(&self, nodes: impl IntoIterator<Item = &'n Node>) -> Result<(), StoreError> {
        match self.lease() {
            Ok(lease) => lease.pin(nodes.into_iter().map(Content::of)),
            Err(_) => Ok(()),
        }
    }

    /// As [`Store::materialise`], where a directory's view that shows something else than it should is made again. Its
    /// content is not read.
    pub fn show(&self, node: &Node) -> Result<PathBuf, StoreError> {
        if let Node::Dir { tree } = node
            && let Err(error) = read::verify_view(&self.places, *tree)
        {
            self.put_aside(&[error])?;
        }
        self.materialise(node)
    }

    fn whole(&self) -> MutexGuard<'_, BTreeSet<Node>> {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
