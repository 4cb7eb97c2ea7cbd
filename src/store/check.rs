//! Looks through all of a store for damage: every byte of content is held against its digest, every record against its
//! own, every view against its tree.

use super::aside::put_aside;
use super::census::{ItemKind, entries, fanned_out};
use super::error::StoreError;
use super::place::{Content, RecordKind};
use super::read::{verify_content, verify_view};
use super::{Store, record};
use crate::base::digest::Digest;
use crate::model::record::{Attestation, ChainState, Realisation, Removal, Trace};
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a look through a store came to.
#[derive(Debug, Default)]
pub struct Checked {
    /// Contents that were read.
    pub contents: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Records that were read.
    pub records: usize,
    /// What is damaged.
    pub damages: Vec<Damage>,
}

/// Something damaged.
#[derive(Debug)]
pub struct Damage {
    /// Where it lies.
    pub path: PathBuf,
    /// What is wrong with it: "its bytes are not those of its name".
    pub what: String,
    /// What becomes of it once it is put aside.
    pub remedy: Remedy,
}

/// How something damaged comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// These steps are built again, or trained again, as soon as they are needed.
    Built(BTreeSet<String>),
    /// It is a copy: of a file of a project, or of something that was added. It comes back only from there.
    Copied,
    /// It is made of other things of the store.
    Derived,
}

impl Store {
    /// Looks through the store. With `repair` what is damaged is put aside, so that whatever needs it makes it again.
    pub fn check(&self, repair: bool) -> Result<Checked, StoreError> {
        let mut checked = Checked::default();
        let broken = self.check_contents(&mut checked)?;
        self.check_records(&mut checked)?;
        self.check_views(&mut checked)?;
        let damaged = broken.iter().map(|(content, _)| *content).collect();
        let census = self.census_past(&damaged)?;
        for (content, error) in broken {
            let holders = || {
                census
                    .items
                    .iter()
                    .filter(|item| item.contents.contains(&content))
            };
            let steps: BTreeSet<String> = holders().filter_map(|item| item.step.clone()).collect();
            let remedy = match holders().any(|item| item.kind != ItemKind::Loose) {
                true => Remedy::Built(steps),
                false => Remedy::Copied,
            };
            checked
                .damages
                .push(damage(self.places.content(content), &error, remedy));
        }
        checked.damages.sort_by(|a, b| a.path.cmp(&b.path));
        if repair {
            for damage in &checked.damages {
                put_aside(&self.places, self.lease()?, &damage.path)?;
            }
        }
        Ok(checked)
    }

    fn check_contents(&self, checked: &mut Checked) -> Result<Vec<(Content, StoreError)>, StoreError> {
        let held = super::census::contents(&self.places)?;
        checked.contents = held.len();
        checked.bytes = held.values().map(|held| held.bytes).sum();
        let broken =
            held.into_par_iter()
                .filter_map(|(content, _)| match verify_content(&self.places, content) {
                    // Put aside or collected since it was listed.
                    Ok(()) | Err(StoreError::Missing(_)) => None,
                    Err(error) => Some((content, error)),
                });
        let broken: Vec<(Content, StoreError)> = broken.collect();
        // What cannot be read at all is no damage of the store's.
        match broken
            .iter()
            .position(|(_, error)| !matches!(error, StoreError::Damaged { .. }))
        {
            Some(at) => Err(broken
                .into_iter()
                .nth(at)
                .map_or(StoreError::Collecting, |(_, error)| error)),
            None => Ok(broken),
        }
    }

    fn check_records(&self, checked: &mut Checked) -> Result<(), StoreError> {
        self.records_of::<Realisation>(RecordKind::Realisation, checked, |store, key| {
            let made = store.attestations(key).unwrap_or_default();
            Remedy::Built(made.into_iter().map(|made| made.step).collect())
        })?;
        self.records_of::<Trace>(RecordKind::Trace, checked, |_, _| Remedy::Derived)?;
        self.records_of::<ChainState>(RecordKind::Chain, checked, |_, _| Remedy::Built(BTreeSet::new()))?;
        self.records_of::<Removal>(RecordKind::Removal, checked, |_, _| Remedy::Derived)?;
        for (key, path) in self.named(RecordKind::Derivation)? {
            checked.records += 1;
            if self.derivation(key)?.is_none() && path.exists() {
                checked.damages.push(bad_record(path, Remedy::Derived));
            }
        }
        for (key, _) in fanned_out(&self.places.folder("attest"))? {
            let Ok(key) = key.parse::<Digest>() else { continue };
            for entry in entries(&self.places.attestations(key))? {
                checked.records += 1;
                if record::get::<Attestation>(&entry.path())?.is_none() {
                    checked.damages.push(bad_record(entry.path(), Remedy::Derived));
                }
            }
        }
        Ok(())
    }

    fn records_of<T: DeserializeOwned + Send>(
        &self,
        kind: RecordKind,
        checked: &mut Checked,
        remedy: impl Fn(&Self, Digest) -> Remedy,
    ) -> Result<(), StoreError> {
        let all = self.named(kind)?;
        checked.records += all.len();
        let broken: Vec<(Digest, PathBuf)> = all
            .into_par_iter()
            .map(|(key, path)| {
                Ok((record::get::<T>(&path)?.is_none() && path.exists()).then_some((key, path)))
            })
            .filter_map(Result::transpose)
            .collect::<Result<_, StoreError>>()?;
        let damages = broken
            .into_iter()
            .map(|(key, path)| bad_record(path, remedy(self, key)));
        checked.damages.extend(damages);
        Ok(())
    }

    fn named(&self, kind: RecordKind) -> Result<Vec<(Digest, PathBuf)>, StoreError> {
        let all = super::census::records(&self.places, kind)?.into_iter();
        Ok(all.map(|(key, _)| (key, self.places.record(kind, key))).collect())
    }

    fn check_views(&self, checked: &mut Checked) -> Result<(), StoreError> {
        for (name, _) in fanned_out(&self.places.folder("views"))? {
            let Ok(tree) = name.parse::<Digest>() else {
                continue;
            };
            match verify_view(&self.places, tree) {
                // One whose tree is damaged or gone can show nothing.
                Err(error @ (StoreError::Damaged { .. } | StoreError::Missing(_))) => {
                    checked
                        .damages
                        .push(damage(self.places.view(tree), &error, Remedy::Derived));
                }
                other => other?,
            }
        }
        Ok(())
    }
}

fn bad_record(path: PathBuf, remedy: Remedy) -> Damage {
    let what = "it is no whole record".to_owned();
    Damage { path, what, remedy }
}

fn damage(path: PathBuf, error: &StoreError, remedy: Remedy) -> Damage {
    let what = match error {
        StoreError::Damaged { path: other, what } if *other == path => what.clone(),
        StoreError::Damaged { path: other, .. } => format!("it hangs on {}, which is damaged", name(other)),
        other => other.to_string(),
    };
    Damage { path, what, remedy }
}

fn name(path: &Path) -> String {
    format!("`{}`", path.display())
}
