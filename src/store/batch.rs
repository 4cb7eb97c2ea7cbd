//! Placing many files at once: all of them are on the disk before any of them has its name.

use super::error::{StoreError, at};
use super::lease::Lease;
use crate::base::atomic::{self, Outlives};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Up to so many files are synced one by one; more of them by a sync of the file system.
const SYNCED_SINGLY: usize = 32;

/// Files with their final content and mode, and where they belong.
#[derive(Debug, Default)]
pub(super) struct Batch {
    files: Vec<(PathBuf, PathBuf)>,
}

impl Batch {
    /// Adds the file at `staged` (on the store's file system, with one name) for `place`. Where its bytes `are_there`, the
    /// staged file goes.
    pub(super) fn add(&mut self, staged: PathBuf, place: PathBuf, are_there: bool) {
        if are_there {
            // What stays for some reason goes with its folder.
            let _ = fs::remove_file(staged);
        } else {
            self.files.push((staged, place));
        }
    }

    /// Stages `bytes` in the lease for `place`.
    pub(super) fn add_bytes(
        &mut self,
        lease: &Lease,
        bytes: &[u8],
        place: PathBuf,
    ) -> Result<(), StoreError> {
        // Compared, for what lies there may have been damaged since.
        if fs::read(&place).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        let staged = lease.fresh();
        fs::write(&staged, bytes).map_err(at("write", &staged))?;
        seal(&staged, false)?;
        self.add(staged, place, false);
        Ok(())
    }

    /// Makes all content durable, then gives each file its name, then makes the names durable.
    pub(super) fn commit(self, root: &Path) -> Result<(), StoreError> {
        let many = self.files.len() > SYNCED_SINGLY;
        if many {
            sync_file_system(root)?;
        } else {
            self.files.par_iter().try_for_each(|(staged, _)| {
                File::open(staged)
                    .and_then(|file| file.sync_all())
                    .map_err(at("write", staged))
            })?;
        }
        let mut folders = BTreeSet::new();
        for (staged, place) in &self.files {
            let folder = place.parent().unwrap_or(root);
            if folders.insert(folder) {
                make_folder(folder)?;
            }
            atomic::rename(staged, place).map_err(at("write", place))?;
        }
        if many {
            return sync_file_system(root);
        }
        folders
            .into_par_iter()
            .try_for_each(|folder| atomic::sync_folder(folder).map_err(at("write", folder)))
    }
}

/// Places `bytes` as one file.
pub(super) fn place_bytes(
    root: &Path,
    lease: &Lease,
    bytes: &[u8],
    place: PathBuf,
) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    batch.add_bytes(lease, bytes, place)?;
    batch.commit(root)
}

/// Makes a fan-out folder whose name survives a power failure.
pub(super) fn make_folder(folder: &Path) -> Result<(), StoreError> {
    make_folder_that(folder, Outlives::Power)
}

/// Makes a fan-out folder.
pub(super) fn make_folder_that(folder: &Path, outlives: Outlives) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(at("make", folder))?;
    match folder.parent() {
        Some(parent) if outlives == Outlives::Power => {
            atomic::sync_folder(parent).map_err(at("write", parent))
        }
        _ => Ok(()),
    }
}

/// Gives a staged file the mode and time that all objects have, whatever it had: set-user-id and the like go.
pub(super) fn seal(path: &Path, executable: bool) -> Result<(), StoreError> {
    let file = File::open(path).map_err(at("read", path))?;
    // The time that the sandbox shows, too: one second, since some tools take zero for "no time".
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    file.set_modified(time).map_err(at("write", path))?;
    let mode = if executable { 0o555 } else { 0o444 };
    file.set_permissions(fs::Permissions::from_mode(mode))
        .map_err(at("change the mode of", path))
}

fn sync_file_system(root: &Path) -> Result<(), StoreError> {
    let folder = File::open(root).map_err(at("open", root))?;
    rustix::fs::syncfs(&folder).map_err(|error| at("write", root)(error.into()))
}
