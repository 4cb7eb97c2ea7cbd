//! Putting damaged things aside, so that what is built or fetched next takes their place.

use super::error::{StoreError, at};
use super::lease::{Lease, remove_tree};
use super::place::Places;
use crate::base::atomic;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Moves the file at `path` out of the store's sight, and every view that shares its bytes.
pub(super) fn put_aside(places: &Places, lease: &Lease, path: &Path) -> Result<(), StoreError> {
    let Some(metadata) = unless_gone(fs::symlink_metadata(path)).map_err(at("read", path))? else {
        return Ok(());
    };
    if path.starts_with(places.folder("views")) {
        return remove_view(lease, path);
    }
    let name = path
        .strip_prefix(&places.root)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('/', "-");
    let aside = places.folder("damaged").join(name);
    if unless_gone(atomic::rename(path, &aside))
        .map_err(at("put aside", path))?
        .is_none()
    {
        return Ok(());
    }
    if metadata.nlink() < 2 {
        return Ok(());
    }
    for fan in folders(&places.folder("views"))? {
        for view in folders(&fan)? {
            if shares(&view, (metadata.dev(), metadata.ino()))? {
                remove_view(lease, &view)?;
            }
        }
    }
    Ok(())
}

/// A view can be made again at any time.
fn remove_view(lease: &Lease, view: &Path) -> Result<(), StoreError> {
    let doomed = lease.fresh();
    if view.is_dir() {
        // Renaming a folder writes its `..`, which a read-only one does not let its owner do.
        let open = fs::Permissions::from_mode(0o700);
        unless_gone(fs::set_permissions(view, open)).map_err(at("open", view))?;
    }
    match unless_gone(atomic::rename(view, &doomed)).map_err(at("put aside", view))? {
        Some(()) => remove_tree(&doomed).map_err(at("remove", &doomed)),
        None => Ok(()),
    }
}

/// None where the thing is not there any more: whoever found the same damage put it aside first.
fn unless_gone<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Whether some file below `view` is the inode.
fn shares(view: &Path, inode: (u64, u64)) -> Result<bool, StoreError> {
    let mut pending = vec![view.to_owned()];
    while let Some(folder) = pending.pop() {
        let Some(entries) = unless_gone(fs::read_dir(&folder)).map_err(at("read", &folder))? else {
            continue;
        };
        for entry in entries {
            let entry = entry.map_err(at("read", &folder))?;
            let Some(metadata) = unless_gone(entry.metadata()).map_err(at("read", &folder))? else {
                continue;
            };
            if metadata.is_dir() {
                pending.push(entry.path());
            } else if (metadata.dev(), metadata.ino()) == inode {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn folders(path: &Path) -> Result<Vec<PathBuf>, StoreError> {
    fs::read_dir(path)
        .map_err(at("read", path))?
        .map(|entry| entry.map(|entry| entry.path()).map_err(at("read", path)))
        .filter(|path| path.as_ref().map_or(true, |path| path.is_dir()))
        .collect()
}
