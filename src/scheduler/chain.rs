//! The states of a training: those that are found before it is built, and those that come while it is built.

use super::Build;
use super::difference::difference;
use super::failure::store_failure;
use crate::base::digest::Digest;
use crate::model::build::BuildObserver;
use crate::model::event::{EventKind, StepFailure};
use crate::model::node::Node;
use crate::model::record::StateOf;
use crate::store::{Bounds, Store, StoreError};
use mlp_protocol::message::Message;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A training's chain.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    /// Keys of states: before the first epoch, then after each.
    pub(super) keys: Vec<Digest>,
    /// States that exist and whose bytes are here, by epoch.
    pub(super) found: BTreeMap<u32, Node>,
}

impl Chain {
    /// The chain of `keys`, with the states that the store holds whole.
    pub(super) fn look_up(build: &Build<'_>, keys: Vec<Digest>) -> Result<Self, StoreError> {
        let mut found = BTreeMap::new();
        for (epoch, key) in (0..).zip(&keys).skip(1) {
            if let Some(record) = build.store.chain(*key)?
                && build.is_whole(&record.state)?
            {
                build.store.note_use_of_state(*key);
                found.insert(epoch, record.state);
            }
        }
        Ok(Self { keys, found })
    }

    /// The same chain, as if no state existed.
    pub(super) fn anew(&self) -> Self {
        Self {
            keys: self.keys.clone(),
            found: BTreeMap::new(),
        }
    }

    /// The last epoch whose state was found; 0 where there is none.
    pub(super) fn last(&self) -> u32 {
        self.found.keys().next_back().copied().unwrap_or(0)
    }
}

/// Hears a builder: passes on what it says, and keeps its states.
pub(super) struct Listener<'a> {
    pub(super) events: &'a (dyn Fn(EventKind) + Sync),
    pub(super) store: &'a Store,
    pub(super) step: &'a str,
    /// The resolved key of the step.
    pub(super) training: Digest,
    pub(super) chain: Option<&'a Chain>,
    /// Where states are compared with the registered ones instead of being registered: those that are.
    pub(super) registered: Option<&'a BTreeMap<u32, Node>>,
    /// What the store could not do with a state.
    pub(super) trouble: Option<Box<StepFailure>>,
    /// The first state that was not the registered one, in words.
    pub(super) differs: Option<String>,
}

impl BuildObserver for Listener<'_> {
    fn message(&mut self, message: &Message, state: Option<PathBuf>) -> Result<(), String> {
        if let (Message::State { epoch, .. }, Some(state)) = (message, state) {
            self.keep(*epoch, &state)?;
        }
        (self.events)(EventKind::Builder {
            step: self.step.to_owned(),
            message: message.clone(),
        });
        Ok(())
    }
}

impl Listener<'_> {
    fn keep(&mut self, epoch: u32, state: &Path) -> Result<(), String> {
        let index = usize::try_from(epoch).unwrap_or(usize::MAX);
        let key = self
            .chain
            .and_then(|chain| chain.keys.get(index))
            .filter(|_| epoch > 0)
            .copied();
        let key = key.ok_or_else(|| format!("there is no epoch {epoch} in this training"))?;
        let kept = match self.registered {
            None => self.register(epoch, key, state),
            Some(registered) => self.compare(epoch, registered, state),
        };
        kept.map_err(|error| {
            self.trouble = Some(store_failure(&error));
            error.to_string()
        })
    }

    /// Puts the state. Where another stands, the training is not deterministic, and the registered state is what the
    /// next run goes on from.
    fn register(&mut self, epoch: u32, key: Digest, state: &Path) -> Result<(), StoreError> {
        let staged = self.store.stage(state, Bounds::default())?;
        let node = staged.node();
        let before = self
            .chain
            .and_then(|chain| chain.keys.get(usize::try_from(epoch).ok()?.checked_sub(1)?));
        let of = StateOf {
            step: self.step.to_owned(),
            training: self.training,
            epoch,
            before: before.copied(),
        };
        let standing = self.store.put_chain(key, staged, Some(of))?;
        if standing.state != node {
            self.note(epoch, &standing.state, &node)?;
        }
        Ok(())
    }

    fn compare(
        &mut self,
        epoch: u32,
        registered: &BTreeMap<u32, Node>,
        state: &Path,
    ) -> Result<(), StoreError> {
        let node = self.store.move_in(state, Bounds::default())?;
        match registered.get(&epoch) {
            Some(standing) if *standing != node => self.note(epoch, standing, &node),
            _ => Ok(()),
        }
    }

    fn note(&mut self, epoch: u32, standing: &Node, built: &Node) -> Result<(), StoreError> {
        if self.differs.is_none() {
            let words = difference(self.store, standing, built)?.unwrap_or_default();
            self.differs = Some(format!("the state after epoch {epoch}: {words}"));
        }
        Ok(())
    }
}
