//! Folders of failed builds that were to be kept: one a step, of its last try. Garbage collection removes old ones.

use super::Store;
use super::error::{StoreError, at};
use super::lease::remove_tree;
use crate::base::atomic;
use crate::base::digest::Digest;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

impl Store {
    /// Keeps the folder of a failed build of a static key, from a [`super::Scratch`], in the place of an earlier one. Gives
    /// where it is then.
    pub fn keep_failed(&self, static_key: Digest, folder: &Path) -> Result<PathBuf, StoreError> {
        let place = self.place_of_failed(static_key);
        let all = self.places.folder("failed");
        fs::create_dir_all(&all).map_err(at("make", &all))?;
        remove_tree(&place).map_err(at("remove", &place))?;
        // Its builder may have closed it, and renaming a folder writes its `..`.
        let own = fs::Permissions::from_mode(0o700);
        fs::set_permissions(folder, own).map_err(at("open", folder))?;
        atomic::rename(folder, &place).map_err(at("keep", &place))?;
        Ok(place)
    }

    /// The folder of the last failed build of a static key that was kept.
    pub fn failed(&self, static_key: Digest) -> Option<PathBuf> {
        Some(self.place_of_failed(static_key)).filter(|place| place.is_dir())
    }

    fn place_of_failed(&self, static_key: Digest) -> PathBuf {
        self.places.folder("failed").join(static_key.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_try_of_a_step_is_kept_whatever_its_modes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let key = Digest::of_blob(b"key");
        assert_eq!(store.failed(key), None);
        for text in ["first", "second"] {
            let scratch = store.scratch().unwrap();
            let build = scratch.path().join("build");
            fs::create_dir_all(build.join("closed")).unwrap();
            fs::write(build.join("closed/part"), text).unwrap();
            for closed in [build.join("closed"), build.clone()] {
                fs::set_permissions(closed, fs::Permissions::from_mode(0o555)).unwrap();
            }
            let kept = store.keep_failed(key, &build).unwrap();
            assert_eq!(fs::read_to_string(kept.join("closed/part")).unwrap(), text);
            assert_eq!(store.failed(key), Some(kept));
        }
        let partial = store.root().join("partial");
        fs::create_dir_all(&partial).unwrap();
        fs::write(partial.join("x"), "somebody is at it").unwrap();
        assert!(store.sweep_leftovers(u64::MAX, false).unwrap() > 0);
        assert!(partial.join("x").exists());
        assert_eq!(store.failed(key), None);
    }
}
