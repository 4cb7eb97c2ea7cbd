//! What a store is kept for: projects that build into it, which the collector of garbage asks what they still need; when
//! something was last used; and what was removed.

use super::Store;
use super::error::{StoreError, at};
use super::place::RecordKind;
use crate::base::clock;
use crate::base::digest::{Context, Digest};
use crate::model::node::Node;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Within so much time a second use is not noted.
const OFTEN: Duration = Duration::from_secs(3600);

impl Store {
    /// Notes that the project in the folder `root` (absolute) builds into this store, for as long as the folder is there.
    pub fn know_project(&self, root: &Path) -> Result<(), StoreError> {
        let folder = self.places.folder("roots");
        let name = Digest::of(Context::Local, root.as_os_str().as_bytes()).to_string();
        let link = folder.join(name);
        if link.symlink_metadata().is_ok() {
            return Ok(());
        }
        fs::create_dir_all(&folder).map_err(at("make", &folder))?;
        match std::os::unix::fs::symlink(root, &link) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(at("write", &link)(error)),
            _ => Ok(()),
        }
    }

    /// The folders of the projects that build into this store. Those that are gone are forgotten.
    pub fn projects(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut found = Vec::new();
        for entry in super::census::entries(&self.places.folder("roots"))? {
            let link = entry.path();
            let Ok(root) = fs::read_link(&link) else { continue };
            match fs::metadata(&root) {
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    // A store that cannot be written can still be asked.
                    let _ = fs::remove_file(&link);
                }
                // One that cannot be looked into just now is still there.
                _ => found.push(root),
            }
        }
        found.sort();
        Ok(found)
    }

    /// The directory of this store that the symbolic link at `path` leads to; none where it leads elsewhere, or is none.
    pub fn linked(&self, path: &Path) -> Option<Node> {
        let target = fs::read_link(path).ok()?;
        let inside = target.strip_prefix(self.places.folder("views")).ok()?;
        let name: String = inside.iter().map(|part| part.to_string_lossy()).collect();
        let tree = name.parse().ok()?;
        Some(Node::Dir { tree })
    }

    /// Notes that the result of a resolved key is used.
    pub fn note_use(&self, resolved_key: Digest) {
        touch(&self.places.record(RecordKind::Realisation, resolved_key));
    }

    /// Notes that a state of a training is used.
    pub fn note_use_of_state(&self, chain_key: Digest) {
        touch(&self.places.record(RecordKind::Chain, chain_key));
    }
}

/// Sets the time of a record, which is when it was used last. It only decides what goes first: a failure is as if it had
/// not been used.
fn touch(record: &Path) {
    let now = clock::since_epoch();
    let noted = || {
        let file = File::open(record)?;
        let before = file.metadata()?.modified()?;
        let before = before.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        match before + OFTEN < now {
            true => file.set_modified(SystemTime::UNIX_EPOCH + now),
            false => Ok(()),
        }
    };
    let _: std::io::Result<()> = noted();
}
