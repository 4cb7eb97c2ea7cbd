//! What keys came to: registering, and looking up. Whoever goes on after a build uses what registering returns, not what
//! was built: where two builds of one key differ, the first that was registered stands.

use super::batch::{Batch, make_folder, name_in};
use super::error::{StoreError, at};
use super::place::RecordKind;
use super::record::Standing;
use super::{Staged, Store, record};
use crate::base::atomic;
use crate::base::digest::Digest;
use crate::model::node::Node;
use crate::model::record::{Attestation, ChainState, Dependency, Realisation, Removal, StateOf, Trace};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A build's result, to be registered.
#[derive(Debug)]
pub struct Registration<'r> {
    /// The resolved key.
    pub resolved_key: Digest,
    /// The static key.
    pub static_key: Digest,
    /// What was built; its nodes are in the store, or staged.
    pub realisation: Realisation,
    /// Content of it that has no place yet.
    pub staged: Vec<Staged>,
    /// The direct dependencies, as they were.
    pub dependencies: Vec<Dependency>,
    /// The canonical bytes of the static key, for comparisons later on.
    pub derivation: &'r [u8],
    /// How it came about; `differs` is filled in here.
    pub attestation: Attestation,
}

/// What stands after registering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The outputs to go on with.
    pub standing: Realisation,
    /// How they relate to what was built.
    pub verdict: Verdict,
}

/// How a build's result relates to the standing one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing stood there.
    First,
    /// The same stood there.
    Same,
    /// Another stands: the step is not deterministic in these outputs.
    Differs(Vec<String>),
    /// Another stood there whose bytes are gone, so that nothing could go on from it: this one took its place. The step
    /// is not deterministic in these outputs.
    Superseded(Vec<String>),
}

impl Store {
    /// Registers what was built. When this returns, no failure of the power loses the result.
    pub fn register(&self, registration: Registration<'_>) -> Result<Registered, StoreError> {
        let Registration {
            resolved_key,
            static_key,
            realisation,
            staged,
            dependencies,
            derivation,
            mut attestation,
        } = registration;
        self.check_complete(&realisation, &staged)?;
        let place = self.places.record(RecordKind::Realisation, resolved_key);
        let (stood, names) = self.put_over(staged, &place, realisation.clone())?;
        if !stood.first {
            self.pin(stood.record.outputs.values().flatten())?;
        }
        let different = different(&stood.record, &realisation);
        let verdict = if stood.first {
            Verdict::First
        } else if different.is_empty() {
            Verdict::Same
        } else if self.holds_all(&stood.record) {
            Verdict::Differs(different)
        } else {
            record::replace(&place, realisation.clone())?;
            Verdict::Superseded(different)
        };
        let standing = match &verdict {
            Verdict::Differs(_) => {
                attestation.differs = Some(realisation.outputs);
                stood.record
            }
            _ => realisation,
        };
        self.attest(&attestation)?;
        self.put_derivation(static_key, derivation)?;
        let trace = Trace {
            resolved_key,
            outputs: standing.outputs.clone(),
            dependencies,
        };
        if matches!(verdict, Verdict::Superseded(_)) {
            record::replace(&self.places.record(RecordKind::Trace, static_key), trace)?;
        } else {
            self.put_trace(static_key, trace)?;
        }
        self.syncer.sync(self.root(), names)?;
        Ok(Registered { standing, verdict })
    }

    /// Puts a record over staged content: all bytes are on the disk before any of it is visible, and the content has its
    /// names before the record has. Gives the folders whose names are to be made durable.
    fn put_over<T: Serialize + DeserializeOwned>(
        &self,
        staged: Vec<Staged>,
        place: &Path,
        record: T,
    ) -> Result<(Standing<T>, BTreeSet<PathBuf>), StoreError> {
        let mut batch = Batch::default();
        staged.into_iter().for_each(|staged| batch.join(staged.batch));
        let record = record::stage(self.lease()?, place, record)?;
        let contents = batch.contents().chain([record.at.clone()]);
        self.syncer.sync(self.root(), contents)?;
        let mut names = batch.place()?;
        let stood = record.put()?;
        name_in(place, &mut names);
        Ok((stood, names))
    }

    /// No record may stand over objects that are not here.
    fn check_complete(&self, realisation: &Realisation, staged: &[Staged]) -> Result<(), StoreError> {
        let is_here = |node: &Node| staged.iter().any(|staged| staged.node == *node) || self.holds(node);
        let mut outputs = realisation.outputs.iter();
        let missing = outputs.find(|(_, node)| node.is_some_and(|node| !is_here(&node)));
        missing.map_or(Ok(()), |(output, _)| {
            Err(StoreError::Incomplete {
                output: output.clone(),
            })
        })
    }

    /// Whether all bytes of a realisation are here.
    pub fn holds_all(&self, realisation: &Realisation) -> bool {
        realisation
            .outputs
            .values()
            .flatten()
            .all(|node| self.holds(node))
    }

    /// What a static key came to.
    pub fn trace(&self, static_key: Digest) -> Result<Option<Trace>, StoreError> {
        record::get(&self.places.record(RecordKind::Trace, static_key))
    }

    /// Puts what a static key came to, where its resolved key was found (early cutoff). Gives what stands.
    pub fn put_trace(&self, static_key: Digest, trace: Trace) -> Result<Trace, StoreError> {
        let place = self.places.record(RecordKind::Trace, static_key);
        Ok(record::put(self.lease()?, &place, trace)?.record)
    }

    /// What a resolved key came to.
    pub fn realisation(&self, resolved_key: Digest) -> Result<Option<Realisation>, StoreError> {
        record::get(&self.places.record(RecordKind::Realisation, resolved_key))
    }

    /// Puts what a resolved key came to elsewhere. Gives what stands.
    pub(super) fn put_realisation(&self, key: Digest, new: Realisation) -> Result<Realisation, StoreError> {
        let place = self.places.record(RecordKind::Realisation, key);
        let (stood, names) = self.put_over(Vec::new(), &place, new)?;
        self.syncer.sync(self.root(), names)?;
        Ok(stood.record)
    }

    /// A state of a training chain. Its bytes may be gone: see [`Store::holds`].
    pub fn chain(&self, chain_key: Digest) -> Result<Option<ChainState>, StoreError> {
        record::get(&self.places.record(RecordKind::Chain, chain_key))
    }

    /// Puts a state of a training chain, durably. Gives what stands: the first, unless its bytes are gone.
    pub fn put_chain(
        &self,
        chain_key: Digest,
        staged: Staged,
        of: Option<StateOf>,
    ) -> Result<ChainState, StoreError> {
        let new = ChainState {
            state: staged.node,
            of,
        };
        let place = self.places.record(RecordKind::Chain, chain_key);
        let (stood, names) = self.put_over(vec![staged], &place, new.clone())?;
        self.syncer.sync(self.root(), names)?;
        self.pin([&stood.record.state])?;
        if stood.record.state == new.state || self.holds(&stood.record.state) {
            return Ok(stood.record);
        }
        Ok(record::replace(&place, new)?.record)
    }

    /// Keeps the canonical bytes of a static key.
    pub fn put_derivation(&self, static_key: Digest, bytes: &[u8]) -> Result<(), StoreError> {
        let place = self.places.record(RecordKind::Derivation, static_key);
        if fs::read(&place).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        let temporary = self.lease()?.fresh();
        make_folder(&place)?;
        // Renamed, so that what was torn there goes. Its key is the digest of its bytes.
        atomic::create(&temporary, bytes).map_err(at("write", &temporary))?;
        atomic::rename(&temporary, &place).map_err(at("write", &place))
    }

    /// The canonical bytes of a static key; none where they are not here or not those of the key.
    pub fn derivation(&self, static_key: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let place = self.places.record(RecordKind::Derivation, static_key);
        match fs::read(&place) {
            Ok(bytes) => {
                let whole = Digest::of(crate::base::digest::Context::StaticKey, &bytes) == static_key;
                Ok(whole.then_some(bytes))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at("read", &place)(error)),
        }
    }

    /// Notes that what a key, static or resolved, came to is taken away now. The last time stands.
    pub fn note_removal(&self, key: Digest, removal: Removal) -> Result<(), StoreError> {
        let place = self.places.record(RecordKind::Removal, key);
        record::replace(&place, removal).map(drop)
    }

    /// When what a key came to was taken away, if it ever was.
    pub fn removal(&self, key: Digest) -> Result<Option<Removal>, StoreError> {
        record::get(&self.places.record(RecordKind::Removal, key))
    }

    /// Adds an attestation.
    pub fn attest(&self, attestation: &Attestation) -> Result<(), StoreError> {
        let folder = self.places.attestations(attestation.resolved_key);
        let text = serde_json::to_vec(attestation).map_err(|error| at("write", &folder)(error.into()))?;
        // Named by content: the same attestation twice is one.
        let place = folder.join(Digest::of_blob(&text).to_string());
        record::put(self.lease()?, &place, attestation.clone()).map(drop)
    }

    /// How the registered result of a key came about: of the builds that gave it, the most hermetic. None where nothing is
    /// attested.
    pub fn attested(&self, resolved_key: Digest) -> Result<Option<Attestation>, StoreError> {
        let same = self.attestations(resolved_key)?.into_iter();
        let same = same.filter(|attestation| attestation.differs.is_none());
        Ok(same.max_by_key(|attestation| (attestation.effective, attestation.isolation)))
    }

    /// How a resolved key's realisations came about, oldest first. Damaged ones are left out.
    pub fn attestations(&self, resolved_key: Digest) -> Result<Vec<Attestation>, StoreError> {
        let folder = self.places.attestations(resolved_key);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(at("read", &folder))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(at("read", &folder))?.path();
            if let Some(attestation) = record::get::<Attestation>(&path)? {
                found.push((attestation.started, path, attestation));
            }
        }
        found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        Ok(found.into_iter().map(|(_, _, attestation)| attestation).collect())
    }
}

/// The outputs in which two realisations of one key differ.
fn different(one: &Realisation, other: &Realisation) -> Vec<String> {
    let names = one.outputs.keys().chain(other.outputs.keys());
    let mut names: Vec<String> = names
        .filter(|name| one.outputs.get(*name) != other.outputs.get(*name))
        .cloned()
        .collect();
    names.sort();
    names.dedup();
    names
}
