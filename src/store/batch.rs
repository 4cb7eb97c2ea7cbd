//! Placing many files at once: all of them are on the disk before any of them has its name.

use super::error::{StoreError, at};
use super::lease::Lease;
use super::sync::Syncer;
use crate::base::atomic;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Files with their final content and mode, and where they belong.
#[derive(Debug, Default)]
pub(super) struct Batch {
    files: Vec<(PathBuf, PathBuf)>,
    /// Places of files that are there already, maybe since a moment ago.
    there: Vec<PathBuf>,
}

impl Batch {
    /// Adds the file at `staged` (on the store's file system, with one name) for `place`. Where its bytes `are_there`, the
    /// staged file goes.
    pub(super) fn add(&mut self, staged: PathBuf, place: PathBuf, are_there: bool) {
        if are_there {
            // What stays for some reason goes with its folder.
            let _ = fs::remove_file(staged);
            self.there.push(place);
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
            self.there.push(place);
            return Ok(());
        }
        let staged = lease.fresh();
        atomic::create(&staged, bytes).map_err(at("write", &staged))?;
        seal(&staged, false)?;
        self.add(staged, place, false);
        Ok(())
    }

    /// Adds all of another batch.
    pub(super) fn join(&mut self, other: Self) {
        self.files.extend(other.files);
        self.there.extend(other.there);
    }

    /// The files that must be on the disk before [`Batch::place`].
    pub(super) fn contents(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.files.iter().map(|(staged, _)| staged.clone())
    }

    /// Gives each file its name. Gives the folders whose names are to be made durable.
    pub(super) fn place(self) -> Result<BTreeSet<PathBuf>, StoreError> {
        let mut folders = BTreeSet::new();
        for (staged, place) in &self.files {
            if name_in(place, &mut folders) {
                make_folder(place)?;
            }
            atomic::rename(staged, place).map_err(at("write", place))?;
        }
        for place in &self.there {
            name_in(place, &mut folders);
        }
        Ok(folders)
    }

    /// Makes all content durable, then gives each file its name, then makes the names durable.
    pub(super) fn commit(self, root: &Path, syncer: &Syncer) -> Result<(), StoreError> {
        if self.files.is_empty() {
            return Ok(());
        }
        syncer.sync(root, self.contents())?;
        syncer.sync(root, self.place()?)
    }
}

/// Adds the folders whose names lead to `place` from the store's root: its fan-out folder, and the one around that. True
/// where the first is new.
pub(super) fn name_in(place: &Path, folders: &mut BTreeSet<PathBuf>) -> bool {
    let Some(folder) = place.parent() else {
        return false;
    };
    if folders.contains(folder) {
        return false;
    }
    folders.extend(folder.parent().map(Path::to_owned));
    folders.insert(folder.to_owned())
}

/// Makes the fan-out folder of a place.
pub(super) fn make_folder(place: &Path) -> Result<(), StoreError> {
    match place.parent() {
        Some(folder) if !folder.is_dir() => atomic::make_folder(folder).map_err(at("make", folder)),
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
