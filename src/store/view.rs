//! Content as files that can be bound: an object's own place for a file, a tree of hardlinks for a directory. Views are
//! disposable: whoever needs one that is gone makes it again.

use super::batch::make_folder;
use super::error::{StoreError, at};
use super::lease::remove_tree;
use super::place::{Places, stays_inside};
use super::read;
use crate::base::atomic;
use crate::base::digest::Digest;
use crate::model::node::{Entry, Node};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The place of an object, if it is there in its full size.
pub(super) fn object(
    places: &Places,
    digest: Digest,
    executable: bool,
    size: u64,
) -> Result<PathBuf, StoreError> {
    let place = places.object(digest, executable);
    match fs::symlink_metadata(&place) {
        Ok(there) if there.is_file() && there.len() == size => Ok(place),
        Ok(there) => Err(StoreError::Damaged {
            path: place,
            what: format!("it has {} bytes of {size}", there.len()),
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(StoreError::Missing(digest)),
        Err(error) => Err(at("read", &place)(error)),
    }
}

/// The view of a tree, made where it is missing.
pub(super) fn tree(
    places: &Places,
    lease: impl FnOnce() -> Result<PathBuf, StoreError>,
    tree: Digest,
) -> Result<PathBuf, StoreError> {
    let place = places.view(tree);
    if place.is_dir() {
        return Ok(place);
    }
    let staged = lease()?;
    let made = fill(places, &staged, tree, &mut Vec::new()).and_then(|()| {
        make_folder(&place)?;
        match atomic::rename(&staged, &place) {
            // Renaming writes the folder's own `..`, so it is closed only now.
            Ok(()) => close(&place),
            // Another process made it meanwhile.
            Err(_) if place.is_dir() => Ok(()),
            Err(error) => Err(at("write", &place)(error)),
        }
    });
    if made.is_err() || staged.exists() {
        let _ = remove_tree(&staged);
    }
    made.map(|()| place)
}

/// Makes `folder` a view of `tree`; `inside` are the names from the view's root.
fn fill(places: &Places, folder: &Path, tree: Digest, inside: &mut Vec<String>) -> Result<(), StoreError> {
    fs::create_dir(folder).map_err(at("make", folder))?;
    for (name, entry) in read::tree(places, tree)?.entries {
        let path = folder.join(&name);
        inside.push(name);
        match entry {
            Entry::Node(Node::File {
                executable,
                size,
                digest,
            }) => link(&object(places, digest, executable, size)?, &path)?,
            Entry::Node(Node::Dir { tree }) => {
                fill(places, &path, tree, inside)?;
                close(&path)?;
            }
            Entry::Symlink { symlink } if stays_inside(inside, &symlink) => {
                std::os::unix::fs::symlink(&symlink, &path).map_err(at("link", &path))?;
            }
            Entry::Symlink { symlink } => {
                return Err(StoreError::Damaged {
                    path: places.tree(tree),
                    what: format!("the link `{symlink}` leaves the directory"),
                });
            }
        }
        inside.pop();
    }
    Ok(())
}

/// How often an object is looked up anew that was replaced by its equal at the moment it was linked.
const AGAIN: usize = 16;

/// A second name for the object, or a copy where the file system gives it no more names.
fn link(object: &Path, path: &Path) -> Result<(), StoreError> {
    // Two that place one object at once replace it by its equal; the kernel then calls the name that it had just found
    // missing.
    let replaced = |done: &std::io::Result<()>| {
        matches!(done, Err(error) if error.kind() == ErrorKind::NotFound) && object.exists()
    };
    let mut done = atomic::link(object, path);
    for _ in 0..AGAIN {
        if !replaced(&done) {
            break;
        }
        done = atomic::link(object, path);
    }
    match done {
        Ok(()) => Ok(()),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::TooManyLinks | ErrorKind::PermissionDenied
            ) =>
        {
            fs::copy(object, path).map_err(at("write", path)).map(drop)
        }
        Err(error) => Err(at("link", path)(error)),
    }
}

/// Makes a view's folder read-only, with the time that all content has.
fn close(folder: &Path) -> Result<(), StoreError> {
    let file = File::open(folder).map_err(at("open", folder))?;
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    file.set_modified(time).map_err(at("write", folder))?;
    file.set_permissions(fs::Permissions::from_mode(0o555))
        .map_err(at("change the mode of", folder))
}
