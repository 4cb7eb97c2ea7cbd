//! A store as a plan sees it: what keys came to, read and never written.

use super::node::Node;
use super::record::{Realisation, Trace};
use crate::base::digest::Digest;

/// What is realised.
pub trait Snapshot {
    /// Why it cannot be read.
    type Error;

    /// What a static key came to.
    fn trace(&self, static_key: Digest) -> Result<Option<Trace>, Self::Error>;
    /// What a resolved key came to.
    fn realisation(&self, resolved_key: Digest) -> Result<Option<Realisation>, Self::Error>;
    /// The canonical bytes of a static key that was built once.
    fn derivation(&self, static_key: Digest) -> Result<Option<Vec<u8>>, Self::Error>;
    /// When garbage collection took what a key, static or resolved, came to: seconds since the epoch.
    fn removed(&self, key: Digest) -> Result<Option<u64>, Self::Error>;
    /// Whether all bytes of a node are here.
    fn holds(&self, node: &Node) -> bool;
    /// The JSON in a file; the error is a sentence.
    fn json(&self, node: &Node) -> Result<serde_json::Value, String>;
}
