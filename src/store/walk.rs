//! The files below a directory of the project, less those that ignore files name. Talks to the file system.
//!
//! Only `.gitignore` files inside the project count: what lies above the checkout, and the settings of who runs it, must
//! decide no digest. A directory that is named counts even where an ignore file names it. Directories without files are
//! left out, as git leaves them out: a fresh clone must come to the same digest.

use super::error::{StoreError, at};
use super::place::stays_inside;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::fs;
use std::path::{Path, PathBuf};

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
    /// Whether anything was left out.
    pub(super) partial: bool,
}

/// Walks `directory` of the project at `root` (relative, empty for the root itself).
pub(super) fn walk(root: &Path, directory: &Path) -> Result<Walk, StoreError> {
    let mut rules = Vec::new();
    let mut above = root.to_owned();
    for name in directory.components() {
        rules.extend(ignore_file(&above));
        above.push(name);
    }
    let mut walker = Walker {
        of_project: directory.as_os_str().is_empty(),
        rules,
        inside: Vec::new(),
        walk: Walk::default(),
    };
    walker.folder(&root.join(directory))?;
    Ok(walker.walk)
}

struct Walker {
    /// Whether the walk begins at the project's root.
    of_project: bool,
    /// The ignore files that hold where the walk is, outermost first.
    rules: Vec<Gitignore>,
    inside: Vec<String>,
    walk: Walk,
}

impl Walker {
    fn folder(&mut self, path: &Path) -> Result<(), StoreError> {
        if self.inside.len() > DEPTH {
            return Err(unfit(path, "is nested too deeply"));
        }
        let own = ignore_file(path);
        let has_own = own.is_some();
        self.rules.extend(own);
        let before = self.walk.files.len() + self.walk.links.len();
        for entry in fs::read_dir(path).map_err(at("read", path))? {
            self.entry(&entry.map_err(at("read", path))?)?;
        }
        if has_own {
            self.rules.pop();
        }
        self.walk.partial |= before == self.walk.files.len() + self.walk.links.len();
        Ok(())
    }

    fn entry(&mut self, entry: &fs::DirEntry) -> Result<(), StoreError> {
        let path = entry.path();
        let kind = entry.file_type().map_err(at("read", &path))?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|_| unfit(&path, "has a name that is not UTF-8"))?;
        let is_result = self.of_project && self.inside.is_empty() && kind.is_symlink() && name == RESULT;
        if is_result || SKIPPED.contains(&name.as_str()) || self.ignores(&path, kind.is_dir()) {
            self.walk.partial = true;
            return Ok(());
        }
        self.inside.push(name);
        if kind.is_dir() {
            self.folder(&path)?;
        } else if kind.is_symlink() {
            let link = (self.inside.join("/"), self.target(&path)?);
            self.walk.links.push(link);
        } else if kind.is_file() {
            self.walk.files.push(self.inside.join("/"));
        } else {
            return Err(unfit(&path, "is a device, a pipe or a socket"));
        }
        self.inside.pop();
        Ok(())
    }

    /// The innermost ignore file that speaks of `path` decides.
    fn ignores(&self, path: &Path, is_dir: bool) -> bool {
        let decision = self
            .rules
            .iter()
            .rev()
            .find_map(|rules| match rules.matched(path, is_dir) {
                Match::None => None,
                Match::Ignore(_) => Some(true),
                Match::Whitelist(_) => Some(false),
            });
        decision.unwrap_or(false)
    }

    fn target(&self, path: &Path) -> Result<String, StoreError> {
        let target = fs::read_link(path).map_err(at("read", path))?;
        match target.to_str() {
            Some(target) if stays_inside(&self.inside, target) => Ok(target.to_owned()),
            _ => Err(unfit(
                path,
                &format!(
                    "is a symbolic link that leaves the directory, to `{}`",
                    target.display()
                ),
            )),
        }
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
        let mut walk = walk(root, Path::new(directory)).unwrap();
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
        let found = walk(project.path(), Path::new("data")).unwrap();
        assert_eq!(found.links, [("b".to_owned(), "a".to_owned())]);
        std::os::unix::fs::symlink("/etc/passwd", project.path().join("data/c")).unwrap();
        let error = walk(project.path(), Path::new("data")).unwrap_err().to_string();
        assert!(
            error.contains("leaves the directory, to `/etc/passwd`"),
            "{error}"
        );
    }
}
