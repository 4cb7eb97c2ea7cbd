//! The scratch directory of a build: made before it, looked into after it, without ever following a link that the
//! builder made.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use crate::model::build::BuildRequest;

/// Where nothing can be mounted, files of at most so many bytes are copied instead of linked to.
const COPIED: u64 = 16 << 20;

/// The folder of a scratch directory that is `/build` inside.
pub const BUILD_FOLDER: &str = "build";

/// The directories of a build in its scratch directory.
#[derive(Debug)]
pub(super) struct Directories {
    /// The builder's own: `/build` inside.
    pub(super) build: PathBuf,
    /// `/tmp` inside.
    pub(super) tmp: PathBuf,
    /// Over which the new root is mounted.
    pub(super) root: PathBuf,
    /// Where states go, out of the builder's reach.
    states: PathBuf,
}

impl Directories {
    /// Makes them, with the request's files, the parents of its outputs, and a mount point for each input; where nothing
    /// can be mounted (`linked`), a link to each input. Errors are words about the request.
    pub(super) fn make(request: &BuildRequest, linked: bool) -> Result<Self, String> {
        let scratch = &request.scratch;
        let directories = Self {
            build: scratch.join(BUILD_FOLDER),
            tmp: scratch.join("tmp"),
            root: scratch.join("root"),
            states: scratch.join("states"),
        };
        for path in [
            &directories.build,
            &directories.tmp,
            &directories.root,
            &directories.states,
        ] {
            fs::create_dir_all(path).map_err(|error| failed("make", path, &error))?;
        }
        // Programs of other users must not get at what lies here.
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(scratch, private).map_err(|error| failed("protect", scratch, &error))?;
        let sticky = fs::Permissions::from_mode(0o1777);
        fs::set_permissions(&directories.tmp, sticky)
            .map_err(|error| failed("open", &directories.tmp, &error))?;
        directories.fill(request, linked)?;
        Ok(directories)
    }

    fn fill(&self, request: &BuildRequest, linked: bool) -> Result<(), String> {
        let place = |relative: &str| -> Result<PathBuf, String> {
            let path = self.build.join(relative);
            if !is_inside(Path::new(relative)) {
                return Err(format!("`{relative}` leads out of the build directory"));
            }
            Ok(path)
        };
        let parent = |path: &Path| match path.parent() {
            Some(parent) => fs::create_dir_all(parent).map_err(|error| failed("make", parent, &error)),
            None => Ok(()),
        };
        for (relative, bytes) in &request.files {
            let path = place(relative)?;
            parent(&path)?;
            fs::write(&path, bytes).map_err(|error| failed("write", &path, &error))?;
        }
        for (relative, from) in &request.copies {
            let path = place(relative)?;
            parent(&path)?;
            copy(from, &path)?;
        }
        for (relative, target) in &request.links {
            let path = place(relative)?;
            parent(&path)?;
            symlink(target, &path).map_err(|error| failed("link", &path, &error))?;
        }
        let own = request
            .inputs
            .iter()
            .filter(|(relative, _)| request.outer(relative).is_none());
        for (relative, source) in own {
            let path = place(relative)?;
            parent(&path)?;
            let metadata = fs::metadata(source).map_err(|error| failed("find", source, &error))?;
            let made = match (linked, metadata.is_dir()) {
                // Python looks for a script's modules beside the file that a link leads to.
                (true, false) if metadata.len() <= COPIED => fs::copy(source, &path).map(drop),
                (true, _) => symlink(source, &path),
                (false, true) => fs::create_dir(&path),
                (false, false) => fs::write(&path, ""),
            };
            made.map_err(|error| failed("make a place for the input", &path, &error))?;
        }
        for relative in request.outputs.values() {
            parent(&place(relative)?)?;
        }
        let directories = request
            .states
            .iter()
            .chain([&request.cwd])
            .filter(|relative| !relative.is_empty());
        for relative in directories {
            let path = place(relative)?;
            fs::create_dir_all(&path).map_err(|error| failed("make", &path, &error))?;
        }
        Ok(())
    }

    /// Where `relative` lies if it is there, and is reached through no link.
    pub(super) fn find(&self, relative: &str) -> Option<PathBuf> {
        if !is_inside(Path::new(relative)) {
            return None;
        }
        let mut path = self.build.clone();
        let mut parts = Path::new(relative).components().peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            let metadata = fs::symlink_metadata(&path).ok()?;
            if parts.peek().is_some() && !metadata.is_dir() {
                return None;
            }
        }
        Some(path)
    }

    /// Moves the state `name` out of the builder's reach. `among` is where the request says that states are made.
    pub(super) fn take_state(&self, among: &str, name: &str) -> Result<PathBuf, String> {
        let single = matches!(
            Path::new(name).components().collect::<Vec<_>>()[..],
            [Component::Normal(_)]
        );
        let found = if single {
            self.find(&format!("{among}/{name}"))
        } else {
            None
        };
        let found = found.filter(|path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()));
        let found = found.ok_or_else(|| format!("the state `{name}` is no directory in `{among}`"))?;
        let taken = self.states.join(name);
        #[expect(
            clippy::disallowed_methods,
            reason = "scratch only: what is made durable later is made so by the store"
        )]
        fs::rename(&found, &taken).map_err(|error| failed("take", &found, &error))?;
        Ok(taken)
    }
}

/// Copies what nobody may write, a file or a folder, to what its owner may. Links stay what they are.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let kind = fs::symlink_metadata(from).map_err(|error| failed("read", from, &error))?;
    if kind.is_symlink() {
        let made = fs::read_link(from).and_then(|target| symlink(target, to));
        return made.map_err(|error| failed("link", to, &error));
    }
    if kind.is_file() {
        fs::copy(from, to).map_err(|error| failed("copy", from, &error))?;
        let writable = fs::Permissions::from_mode(kind.permissions().mode() | 0o200);
        return fs::set_permissions(to, writable).map_err(|error| failed("open", to, &error));
    }
    if !kind.is_dir() {
        // A pipe or a socket that a program left: nobody is at its other end.
        return Ok(());
    }
    fs::create_dir_all(to).map_err(|error| failed("make", to, &error))?;
    for entry in fs::read_dir(from).map_err(|error| failed("read", from, &error))? {
        let entry = entry.map_err(|error| failed("read", from, &error))?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Relative, and without `..`.
fn is_inside(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn failed(what: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {what} {}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directories(at: &Path) -> Directories {
        let part = |name: &str| at.join(name);
        let made = Directories {
            build: part("build"),
            tmp: part("tmp"),
            root: part("root"),
            states: part("states"),
        };
        fs::create_dir_all(made.build.join("new/epoch-1")).unwrap();
        fs::create_dir_all(&made.states).unwrap();
        made
    }

    #[test]
    fn no_output_is_found_through_a_link() {
        let at = tempfile::tempdir().unwrap();
        let made = directories(at.path());
        fs::create_dir(at.path().join("secret")).unwrap();
        fs::write(at.path().join("secret/key"), "x").unwrap();
        symlink(at.path().join("secret"), made.build.join("out")).unwrap();
        assert_eq!(made.find("out/key"), None);
        assert_eq!(made.find("../secret/key"), None);
        assert!(made.find("new/epoch-1").is_some());
    }

    #[test]
    fn a_state_is_taken_once_and_only_from_its_place() {
        let at = tempfile::tempdir().unwrap();
        let made = directories(at.path());
        let taken = made.take_state("new", "epoch-1").unwrap();
        assert!(taken.is_dir() && !made.build.join("new/epoch-1").exists());
        assert!(made.take_state("new", "epoch-1").is_err());
        assert!(made.take_state("new", "../../states").is_err());
    }
}
