//! The project's files as content: digested through the stat cache, in parallel. Of what is pinned and not here, the pin
//! is taken. Talks to the file system and the stat cache.

use super::error::{StoreError, at};
use super::folder::Folder;
use super::import::hash;
use super::pinned::{Known, Pinned, may_match_in};
use super::place::joined;
use super::stat_cache::{Stat, StatCache, now_ns};
use super::walk::{Walk, walk};
use crate::base::digest::Digest;
use crate::base::near::near;
use crate::model::node::{Entry, Node, Tree};
use crate::model::source::{SourceContent, SourceProblem, SourceRequest, SourceTable};
use globset::{GlobBuilder, GlobMatcher};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// The sources of a project.
#[derive(Debug)]
pub struct Sources {
    pub(super) root: PathBuf,
    pub(super) pinned: Pinned,
    cache_file: Option<PathBuf>,
    cache: Mutex<StatCache>,
}

/// What a directory of the project holds.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Regular files, by path from the directory.
    pub(super) files: Vec<String>,
    /// Symbolic links: path and target, which stays inside the directory.
    pub(super) links: Vec<(String, String)>,
    /// What is pinned and not here.
    pub(super) absent: Vec<(String, Node)>,
    /// Its folders, with when names in each were last changed.
    pub(super) folders: Vec<(PathBuf, Option<SystemTime>)>,
    /// Whether anything that lies there was left out.
    pub(super) partial: bool,
}

impl Sources {
    /// The sources of the project at `root` (absolute). `cache_file` holds the stat cache; without it nothing is
    /// remembered.
    pub fn open(root: &Path, cache_file: Option<&Path>) -> Self {
        Self {
            root: root.to_owned(),
            pinned: Pinned::default(),
            cache_file: cache_file.map(Path::to_owned),
            cache: Mutex::new(cache_file.map(StatCache::load).unwrap_or_default()),
        }
    }

    /// The same, of a project that pins data.
    #[must_use]
    pub fn with_pins(self, pinned: Pinned) -> Self {
        Self { pinned, ..self }
    }

    /// Digests what is asked for.
    pub fn digest(&self, requests: &BTreeSet<SourceRequest>) -> SourceTable {
        requests
            .par_iter()
            .map(|request| {
                let content = match request {
                    SourceRequest::Path(path) => self.path(path).map(SourceContent::Node),
                    SourceRequest::Glob(glob) => self.glob(glob).map(SourceContent::Files),
                };
                (request.clone(), content)
            })
            .collect::<Vec<_>>()
            .into_iter()
            .collect()
    }

    /// Writes the stat cache, if anything in it changed.
    pub fn save(&self) -> Result<(), StoreError> {
        let Some(file) = &self.cache_file else {
            return Ok(());
        };
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.save(file).map_err(at("write", file))
    }

    /// All files of the project that no ignore file names, by path from its root, and those that are pinned.
    pub fn files(&self) -> Result<Vec<String>, StoreError> {
        let Gathered {
            mut files, absent, ..
        } = self.gather("")?;
        for (pin, node) in absent {
            let inside = self.pinned.files(node).unwrap_or_default().into_keys();
            files.extend(inside.map(|file| joined_to(&pin, &file)));
        }
        Ok(files)
    }

    /// Whether the project has something at `path`, here or pinned.
    pub fn has(&self, path: &str) -> bool {
        self.real(path).is_ok() || !matches!(self.pinned.at(path), Known::Nothing)
    }

    /// The place of `path` on this machine, links followed.
    pub(super) fn real(&self, path: &str) -> Result<PathBuf, SourceProblem> {
        let relative = Path::new(path);
        if !relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(SourceProblem::Outside);
        }
        self.root.join(relative).canonicalize().map_err(|error| {
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
                SourceProblem::Missing {
                    near: near(&self.root, relative),
                }
            } else {
                SourceProblem::Unreadable {
                    path: path.to_owned(),
                    reason: error.to_string(),
                }
            }
        })
    }

    /// What lies at `path`: what is here, else what is pinned.
    pub(super) fn path(&self, path: &str) -> Result<Node, SourceProblem> {
        let real = match self.real(path) {
            Err(SourceProblem::Missing { near }) => return self.pinned_at(path, near),
            other => other?,
        };
        if !real.is_dir() {
            return self.file(path, &real).map_err(|error| self.problem(error));
        }
        if self.pinned.over(path).is_some() && self.is_empty(path) {
            return self.pinned_at(path, Vec::new());
        }
        let gathered = self.gather(path);
        let folder = gathered.and_then(|gathered| self.folder(path, gathered));
        let node = folder.and_then(|mut folder| tree(&mut folder, &mut |_| {}));
        node.map_err(|error| self.problem(error))
    }

    /// What lies in the directory at `path` and below, by path from it, if that is `node` still.
    pub fn listing(&self, path: &str, node: Node) -> Option<BTreeMap<String, Entry>> {
        let mut folder = self.folder(path, self.gather(path).ok()?).ok()?;
        let found = tree(&mut folder, &mut |_| {}).ok()?;
        let paths = || folder.paths().into_iter();
        (found == node).then(|| paths().map(|(path, entry)| (path, entry.clone())).collect())
    }

    /// What is pinned at a path where nothing is.
    fn pinned_at(&self, path: &str, near: Vec<String>) -> Result<Node, SourceProblem> {
        match self.pinned.at(path) {
            Known::Node(node) => Ok(node),
            Known::Unlisted(pin) => Err(SourceProblem::Unlisted { pin }),
            Known::Nothing if self.pinned.below(path).next().is_none() => {
                Err(SourceProblem::Missing { near })
            }
            Known::Nothing => {
                let mut folder = Folder::default();
                for (pin, node) in self.pinned.below(path) {
                    folder.insert(&pin[path.len() + 1..], Entry::Node(node));
                }
                tree(&mut folder, &mut |_| {}).map_err(|error| self.problem(error))
            }
        }
    }

    /// What the directory at `path` holds.
    pub(super) fn gather(&self, path: &str) -> Result<Gathered, StoreError> {
        let Walk {
            files,
            links,
            folders,
            partial,
        } = walk(&self.root, path, &self.pinned)?;
        let start = joined(path, "").len();
        let below = self.pinned.below(path).filter(|(pin, _)| self.is_empty(pin));
        Ok(Gathered {
            files,
            links,
            absent: below.map(|(pin, node)| (pin[start..].to_owned(), node)).collect(),
            folders,
            partial,
        })
    }

    /// Whether nothing is at `path`, or a folder without any file.
    pub(super) fn is_empty(&self, path: &str) -> bool {
        is_empty(&self.root.join(path))
    }

    /// The directory at `path` of which everything is gathered, its files digested.
    pub(super) fn folder(&self, path: &str, gathered: Gathered) -> Result<Folder<Entry>, StoreError> {
        let Gathered {
            files, links, absent, ..
        } = gathered;
        let real = self.root.join(path);
        let files = files
            .into_par_iter()
            .map(|file| {
                let node = self.file(&joined(path, &file), &real.join(&file))?;
                Ok((file, Entry::Node(node)))
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        let links = links
            .into_iter()
            .map(|(link, symlink)| (link, Entry::Symlink { symlink }));
        let absent = absent.into_iter().map(|(pin, node)| (pin, Entry::Node(node)));
        let mut folder = Folder::default();
        for (path, entry) in files.into_iter().chain(links).chain(absent) {
            folder.insert(&path, entry);
        }
        Ok(folder)
    }

    /// The node of the file at `real`, remembered as `path`.
    pub(super) fn file(&self, path: &str, real: &Path) -> Result<Node, StoreError> {
        let seen_ns = now_ns();
        let metadata = fs::symlink_metadata(real).map_err(at("read", real))?;
        if !metadata.is_file() {
            return Err(StoreError::Refused {
                path: real.to_owned(),
                reason: "is a device, a pipe or a socket".to_owned(),
            });
        }
        let stat = Stat::of(&metadata);
        let (size, digest) = match self.remembered(path, stat) {
            Some(digest) => (metadata.len(), digest),
            None => {
                let (size, digest) = hash(real)?;
                let after = fs::symlink_metadata(real).map_err(at("read", real))?;
                if Stat::of(&after) != stat {
                    return Err(StoreError::Refused {
                        path: real.to_owned(),
                        reason: "changed while it was read".to_owned(),
                    });
                }
                self.note(path, stat, seen_ns, digest);
                (size, digest)
            }
        };
        Ok(Node::File {
            executable: metadata.permissions().mode() & 0o111 != 0,
            size,
            digest,
        })
    }

    /// The digest of the file at `path`, where it is remembered.
    pub(super) fn remembered(&self, path: &str, stat: Stat) -> Option<Digest> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.find(path, stat)
    }

    /// Remembers the digest of the file at `path`, that was looked at before it was read.
    pub(super) fn note(&self, path: &str, stat: Stat, seen_ns: i64, digest: Digest) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.note(path, stat, seen_ns, digest);
    }

    fn glob(&self, pattern: &str) -> Result<BTreeMap<String, Node>, SourceProblem> {
        let invalid = |error: globset::Error| SourceProblem::InvalidGlob(error.kind().to_string());
        let glob = GlobBuilder::new(pattern)
            .literal_separator(true)
            .build()
            .map_err(invalid)?
            .compile_matcher();
        // The folders before the first wildcard need no walk above them.
        let parts: Vec<&str> = pattern.split('/').collect();
        let fixed = parts
            .iter()
            .take_while(|part| !part.contains(['*', '?', '[', '{', '\\']))
            .count();
        let base = parts[..fixed.min(parts.len() - 1)].join("/");
        let mut found = match self.real(&base) {
            Ok(real) => self.matches(&glob, &base, &real)?,
            Err(SourceProblem::Missing { .. }) => BTreeMap::new(),
            Err(other) => return Err(other),
        };
        self.pinned_matches(&glob, pattern, &base, &mut found)?;
        if found.is_empty() {
            Err(SourceProblem::NoMatch)
        } else {
            Ok(found)
        }
    }

    /// Files that are here.
    fn matches(
        &self,
        glob: &GlobMatcher,
        base: &str,
        real: &Path,
    ) -> Result<BTreeMap<String, Node>, SourceProblem> {
        let walk = walk(&self.root, base, &self.pinned).map_err(|error| self.problem(error))?;
        let names = walk.files.iter().chain(walk.links.iter().map(|(link, _)| link));
        let matches: Vec<(String, PathBuf)> = names
            .map(|name| (joined(base, name), real.join(name)))
            .filter(|(path, _)| glob.is_match(path))
            .collect();
        matches
            .into_par_iter()
            .filter_map(|(path, place)| match place.canonicalize() {
                // A link to a folder is no file; its files are met where they are.
                Ok(place) if place.is_dir() => None,
                Ok(place) => Some(self.file(&path, &place).map(|node| (path, node))),
                Err(error) => Some(Err(at("read", &place)(error))),
            })
            .collect::<Result<_, _>>()
            .map_err(|error| self.problem(error))
    }

    /// Files that are pinned and not here.
    fn pinned_matches(
        &self,
        glob: &GlobMatcher,
        pattern: &str,
        base: &str,
        found: &mut BTreeMap<String, Node>,
    ) -> Result<(), SourceProblem> {
        let over = self.pinned.over(base).into_iter();
        let pins = over.chain(self.pinned.below(base));
        for (pin, node) in pins.filter(|(pin, _)| self.is_empty(pin)) {
            if node.is_dir() && !may_match_in(pattern, pin) {
                continue;
            }
            let files = self
                .pinned
                .files(node)
                .ok_or_else(|| SourceProblem::Unlisted { pin: pin.to_owned() })?;
            let files = files
                .into_iter()
                .map(|(file, node)| (joined_to(pin, &file), node));
            found.extend(files.filter(|(file, _)| glob.is_match(file)));
        }
        Ok(())
    }

    /// An error in the words of the project: paths from its root.
    pub(super) fn problem(&self, error: StoreError) -> SourceProblem {
        let relative = |path: &Path| {
            path.strip_prefix(&self.root)
                .unwrap_or(path)
                .display()
                .to_string()
        };
        match error {
            StoreError::Refused { path, reason } => SourceProblem::Unfit {
                path: relative(&path),
                reason,
            },
            StoreError::Io { path, cause, .. } => SourceProblem::Unreadable {
                path: relative(&path),
                reason: cause.to_string(),
            },
            other => SourceProblem::Unreadable {
                path: String::new(),
                reason: other.to_string(),
            },
        }
    }
}

/// The path of what lies at `path` in `pin`; a pinned file lies at no path in itself.
fn joined_to(pin: &str, path: &str) -> String {
    match path {
        "" => pin.to_owned(),
        path => joined(pin, path),
    }
}

/// Whether nothing is at `path`, or a folder without any file. What cannot be read is something.
fn is_empty(path: &Path) -> bool {
    if !path.is_dir() {
        return !path.exists();
    }
    let Ok(entries) = fs::read_dir(path) else {
        return false;
    };
    entries.into_iter().all(|entry| {
        entry.is_ok_and(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_empty(&entry.path()))
    })
}

/// The directory that a folder is; `each` is told the bytes of every tree in it. The folder is as it was in the end.
pub(super) fn tree(folder: &mut Folder<Entry>, each: &mut dyn FnMut(Vec<u8>)) -> Result<Node, StoreError> {
    // Hundreds of thousands of entries are not copied for this.
    let mut entries = std::mem::take(&mut folder.entries);
    for (name, inner) in &mut folder.folders {
        entries.insert(name.clone(), Entry::Node(tree(inner, each)?));
    }
    let mut whole = Tree { entries };
    let bytes = whole.encode()?;
    whole.entries.retain(|name, _| !folder.folders.contains_key(name));
    folder.entries = whole.entries;
    let tree = Tree::digest_of(&bytes);
    each(bytes);
    Ok(Node::Dir { tree })
}

#[cfg(test)]
#[path = "sources_tests.rs"]
mod tests;
