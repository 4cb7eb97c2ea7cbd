//! Putting damaged things aside, so that what is built or fetched next takes their place.

use super::error::{StoreError, at};
use super::lease::{Lease, remove_tree};
use super::place::Places;
use crate::base::atomic;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Moves the file at `path` out of the store's sight, and every view that shares its bytes.
pub(super) fn put_aside(places: &Places, lease: &Lease, path: &Path) -> Result<(), StoreError> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.map_err(at("read", path))?,
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
    atomic::rename(path, &aside).map_err(at("put aside", path))?;
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
        fs::set_permissions(view, open).map_err(at("open", view))?;
    }
    atomic::rename(view, &doomed).map_err(at("put aside", view))?;
    remove_tree(&doomed).map_err(at("remove", &doomed))
}

/// Whether some file below `view` is the inode.
fn shares(view: &Path, inode: (u64, u64)) -> Result<bool, StoreError> {
    let mut pending = vec![view.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).map_err(at("read", &folder))? {
            let entry = entry.map_err(at("read", &folder))?;
            let metadata = entry.metadata().map_err(at("read", &folder))?;
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
