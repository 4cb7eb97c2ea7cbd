//! The files below a directory of the project, less those that ignore files name. Talks to the file system.
//!
//! Only `.gitignore` files inside the project count: what lies above the checkout, and the settings of who runs it, must
//! decide no digest. A directory that is named counts even where an ignore file names it; so does what `mlp.lock` pins, and
//! inside that no ignore file holds: what git does not track is not for git's rules to decide. Directories without files are
//! left out, as git leaves them out: a fresh clone must come to the same digest.

use super::error::{StoreError, at};
use super::pinned::Pinned;
use super::place::{joined, stays_inside};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rayon::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Never content: git's own folder and the folder of local state.
const SKIPPED: [&str; 2] = [".git", ".mlp"];
/// The project's link to results, which every build changes: no content where the walk is of the whole project.
const RESULT: &str = "result";
/// Folders inside folders, at most.
const DEPTH: usize = 128;

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Regular files, by path from the directory that was walked.
    pub(super) files: Vec<String>,
    /// Symbolic links: path and target, which stays inside the directory.
    pub(super) links: Vec<(String, String)>,
    /// The folders, itself among them, with when names in each were last changed.
    pub(super) folders: Vec<(PathBuf, Option<SystemTime>)>,
    /// Whether anything was left out.
    pub(super) partial: bool,
}

/// When names in a folder were last changed.
pub(super) fn changed_at(folder: &Path) -> Option<SystemTime> {
    fs::metadata(folder).and_then(|metadata| metadata.modified()).ok()
}

/// Walks `directory` of the project at `root` (relative, empty for the root itself).
pub(super) fn walk(root: &Path, directory: &str, pinned: &Pinned) -> Result<Walk, StoreError> {
    let mut ground = Ground::Pinned;
    if !pinned.covers(directory) {
        let mut above = root.to_owned();
        let mut rules = None;
        for name in directory.split('/').filter(|name| !name.is_empty()) {
            rules = Rules::of(&above, rules);
            above.push(name);
        }
        ground = Ground::Ruled(rules);
    }
    let walker = Walker {
        root,
        directory,
        pinned,
    };
    walker.folder(&Place {
        inside: String::new(),
        depth: 0,
        ground,
    })
}

/// What ignore files decide in a folder.
#[derive(Clone)]
enum Ground {
    /// The rules that hold there.
    Ruled(Option<Arc<Rules>>),
    /// It is ignored, but for what is pinned in it.
    Ignored,
    /// It is pinned: no rule holds.
    Pinned,
}

/// The ignore files that hold in a folder, innermost first.
struct Rules {
    own: Gitignore,
    outer: Option<Arc<Rules>>,
}

impl Rules {
    /// Those of `folder`, with the rules of its own ignore file if it has one.
    fn of(folder: &Path, outer: Option<Arc<Self>>) -> Option<Arc<Self>> {
        match ignore_file(folder) {
            Some(own) => Some(Arc::new(Self { own, outer })),
            None => outer,
        }
    }

    /// The innermost ignore file that speaks of `path` decides.
    fn ignore(&self, path: &Path, is_dir: bool) -> bool {
        match self.own.matched(path, is_dir) {
            Match::Ignore(_) => true,
            Match::Whitelist(_) => false,
            Match::None => (self.outer.as_ref()).is_some_and(|outer| outer.ignore(path, is_dir)),
        }
    }
}

struct Walker<'w> {
    root: &'w Path,
    directory: &'w str,
    pinned: &'w Pinned,
}

/// A folder that a walk is in.
struct Place {
    /// Its path from the directory that is walked.
    inside: String,
    depth: usize,
    ground: Ground,
}

impl Walker<'_> {
    /// The folder, and those in it at once.
    fn folder(&self, place: &Place) -> Result<Walk, StoreError> {
        let path = self.root.join(joined_in(self.directory, &place.inside));
        if place.depth > DEPTH {
            return Err(unfit(&path, "is nested too deeply"));
        }
        let ground = match &place.ground {
            Ground::Ruled(rules) => Ground::Ruled(Rules::of(&path, rules.clone())),
            other => other.clone(),
        };
        let mut walk = Walk::default();
        let mut folders = Vec::new();
        walk.folders.push((path.clone(), changed_at(&path)));
        for entry in fs::read_dir(&path).map_err(at("read", &path))? {
            let entry = entry.map_err(at("read", &path))?;
            folders.extend(self.entry(&entry, place, &ground, &mut walk)?);
        }
        let deeper = folders.par_iter().map(|folder| self.folder(folder));
        for mut found in deeper.collect::<Result<Vec<Walk>, _>>()? {
            walk.files.append(&mut found.files);
            walk.links.append(&mut found.links);
            walk.folders.append(&mut found.folders);
            walk.partial |= found.partial;
        }
        walk.partial |= walk.files.is_empty() && walk.links.is_empty();
        Ok(walk)
    }

    /// Notes an entry of the folder `place`, or gives the folder that it is.
    fn entry(
        &self,
        entry: &fs::DirEntry,
        place: &Place,
        ground: &Ground,
        walk: &mut Walk,
    ) -> Result<Option<Place>, StoreError> {
        let path = || entry.path();
        let kind = entry.file_type().map_err(|error| at("read", &path())(error))?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|_| unfit(&path(), "has a name that is not UTF-8"))?;
        let is_result = self.directory.is_empty() && place.depth == 0 && kind.is_symlink() && name == RESULT;
        let inside = joined(&place.inside, &name);
        let taken = match is_result || SKIPPED.contains(&name.as_str()) {
            true => None,
            false => self.ground(ground, &path, &inside, kind.is_dir()),
        };
        let Some(ground) = taken else {
            walk.partial = true;
            return Ok(None);
        };
        if kind.is_dir() {
            return Ok(Some(Place {
                inside,
                depth: place.depth + 1,
                ground,
            }));
        }
        if kind.is_symlink() {
            let target = target(&path(), &inside)?;
            walk.links.push((inside, target));
        } else if kind.is_file() {
            walk.files.push(inside);
        } else {
            return Err(unfit(&path(), "is a device, a pipe or a socket"));
        }
        Ok(None)
    }

    /// On which ground an entry stands; none where it is left out.
    fn ground(
        &self,
        around: &Ground,
        path: &dyn Fn() -> PathBuf,
        inside: &str,
        is_dir: bool,
    ) -> Option<Ground> {
        if matches!(around, Ground::Pinned) {
            return Some(Ground::Pinned);
        }
        if !self.pinned.is_nothing() {
            let whole = joined_in(self.directory, inside);
            if self.pinned.names(&whole) {
                return Some(Ground::Pinned);
            }
            let leads_to_a_pin = is_dir && self.pinned.below(&whole).next().is_some();
            if leads_to_a_pin && self.ignores(around, path, is_dir) {
                return Some(Ground::Ignored);
            }
        }
        (!self.ignores(around, path, is_dir)).then(|| around.clone())
    }

    fn ignores(&self, ground: &Ground, path: &dyn Fn() -> PathBuf, is_dir: bool) -> bool {
        match ground {
            Ground::Ruled(None) | Ground::Pinned => false,
            Ground::Ruled(Some(rules)) => rules.ignore(&path(), is_dir),
            Ground::Ignored => true,
        }
    }
}

/// The path `inside` a directory as seen from where that is seen from.
fn joined_in(directory: &str, inside: &str) -> String {
    match inside {
        "" => directory.to_owned(),
        inside => joined(directory, inside),
    }
}

/// Where the link at `path` leads.
fn target(path: &Path, inside: &str) -> Result<String, StoreError> {
    let target = fs::read_link(path).map_err(at("read", path))?;
    let names: Vec<String> = inside.split('/').map(str::to_owned).collect();
    match target.to_str() {
        Some(target) if stays_inside(&names, target) => Ok(target.to_owned()),
        _ => Err(unfit(
            path,
            &format!(
                "is a symbolic link that leaves the directory, to `{}`",
                target.display()
            ),
        )),
    }
}

fn unfit(path: &Path, reason: &str) -> StoreError {
    StoreError::Refused {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

/// The rules of a folder's `.gitignore`. Lines that are no patterns are passed over, as git does.
fn ignore_file(folder: &Path) -> Option<Gitignore> {
    let file: PathBuf = folder.join(".gitignore");
    if !file.is_file() {
        return None;
    }
    let mut builder = GitignoreBuilder::new(folder);
    let _ = builder.add(&file);
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(root: &Path, directory: &str) -> (Vec<String>, bool) {
        let mut walk = walk(root, directory, &Pinned::default()).unwrap();
        walk.files.sort();
        (walk.files, walk.partial)
    }

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn committed_ignore_files_apply_from_the_root_down() {
        let project = project(&[
            (".gitignore", "*.pyc\n/data\n"),
            ("src/a.py", ""),
            ("src/a.pyc", ""),
            ("src/deep/.gitignore", "!kept.pyc\n"),
            ("src/deep/kept.pyc", ""),
            ("src/cache/b.pyc", ""),
            ("data/x.csv", ""),
            ("data/x.pyc", ""),
        ]);
        let (files, partial) = paths(project.path(), "src");
        assert_eq!(files, ["a.py", "deep/.gitignore", "deep/kept.pyc"]);
        assert!(partial);
        // Named, it counts, though an ignore file names it; what the rules say of its files holds.
        assert_eq!(paths(project.path(), "data").0, ["x.csv"]);
    }

    #[test]
    fn a_walk_that_leaves_nothing_out_says_so() {
        let project = project(&[("data/a", ""), ("data/sub/b", "")]);
        assert_eq!(
            paths(project.path(), "data"),
            (vec!["a".into(), "sub/b".into()], false)
        );
        fs::create_dir(project.path().join("data/empty")).unwrap();
        assert!(paths(project.path(), "data").1);
    }

    #[test]
    fn a_link_that_leaves_is_an_error() {
        let project = project(&[("data/a", "")]);
        std::os::unix::fs::symlink("a", project.path().join("data/b")).unwrap();
        let found = walk(project.path(), "data", &Pinned::default()).unwrap();
        assert_eq!(found.links, [("b".to_owned(), "a".to_owned())]);
        std::os::unix::fs::symlink("/etc/passwd", project.path().join("data/c")).unwrap();
        let error = walk(project.path(), "data", &Pinned::default());
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("leaves the directory, to `/etc/passwd`"),
            "{error}"
        );
    }
}
