//! The project's files as content: digested through the stat cache, in parallel; snapshotted into the store or bound
//! where they are when a build needs them. Talks to the file system, the stat cache and the store.

use super::error::{StoreError, at};
use super::import::{Bounds, hash};
use super::stat_cache::{Stat, StatCache, now_ns};
use super::walk::{Walk, walk};
use super::{Scratch, Store};
use crate::base::digest::Digest;
use crate::base::near::near;
use crate::model::node::{Entry, Node, Tree};
use crate::model::source::{SourceContent, SourceProblem, SourceRequest, SourceTable};
use globset::GlobBuilder;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Sources of at most so many bytes are snapshotted, larger ones are bound where they are.
const SNAPSHOT: u64 = 16 << 20;

/// The sources of a project.
#[derive(Debug)]
pub struct Sources {
    root: PathBuf,
    cache_file: Option<PathBuf>,
    cache: Mutex<StatCache>,
}

/// Where a source lies for a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provided {
    /// The place to bind, read-only.
    pub place: PathBuf,
    /// Whether it is the project's own: then [`Sources::recheck`] must say after the build that it did not change.
    pub in_place: bool,
}

/// A source could not be provided.
#[derive(Debug, thiserror::Error)]
pub enum ProvideError {
    /// It is no longer what it was when it was digested.
    #[error("`{path}` changed while it was read")]
    Changed {
        /// From the project's root.
        path: String,
    },
    /// The store could not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sources {
    /// The sources of the project at `root` (absolute). `cache_file` holds the stat cache; without it nothing is
    /// remembered.
    pub fn open(root: &Path, cache_file: Option<&Path>) -> Self {
        Self {
            root: root.to_owned(),
            cache_file: cache_file.map(Path::to_owned),
            cache: Mutex::new(cache_file.map(StatCache::load).unwrap_or_default()),
        }
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

    /// A place where the source at `path` can be bound, with the content of `node`.
    pub fn provide(&self, store: &Store, path: &str, node: &Node) -> Result<Provided, ProvideError> {
        if store.holds(node) {
            let place = store.materialise(node)?;
            return Ok(Provided {
                place,
                in_place: false,
            });
        }
        let changed = || ProvideError::Changed {
            path: path.to_owned(),
        };
        let real = self.real(path).map_err(|_| changed())?;
        let (bytes, whole) = match *node {
            Node::File { size, .. } => (size, true),
            Node::Dir { .. } => measure(&self.root, path)?,
        };
        if bytes > SNAPSHOT && whole {
            return Ok(Provided {
                place: real,
                in_place: true,
            });
        }
        let scratch = store.scratch()?;
        let taken = self.snapshot(store, &scratch, path, &real, node);
        match taken {
            Ok(taken) if taken == *node => Ok(Provided {
                place: store.materialise(node)?,
                in_place: false,
            }),
            Ok(_) => Err(changed()),
            Err(StoreError::Io { cause, .. }) if cause.kind() == ErrorKind::NotFound => Err(changed()),
            Err(error) => Err(error.into()),
        }
    }

    /// All files of the project that no ignore file names, by path from its root.
    pub fn files(&self) -> Result<Vec<String>, StoreError> {
        Ok(walk(&self.root, Path::new(""))?.files)
    }

    /// Whether the project has something at `path`.
    pub fn has(&self, path: &str) -> bool {
        self.real(path).is_ok()
    }

    /// After a build: whether the source at `path` is still `node`. Times decide where they can.
    pub fn recheck(&self, path: &str, node: &Node) -> Result<(), ProvideError> {
        match self.path(path) {
            Ok(now) if now == *node => Ok(()),
            _ => Err(ProvideError::Changed {
                path: path.to_owned(),
            }),
        }
    }

    /// Copies the source into the store.
    fn snapshot(
        &self,
        store: &Store,
        scratch: &Scratch,
        path: &str,
        real: &Path,
        node: &Node,
    ) -> Result<Node, StoreError> {
        if !node.is_dir() {
            return store.import(real, Bounds::default());
        }
        let copy = scratch.path().join("copy");
        fs::create_dir(&copy).map_err(at("make", &copy))?;
        let walk = walk(&self.root, Path::new(path))?;
        walk.files.par_iter().try_for_each(|file| {
            let (from, to) = (real.join(file), copy.join(file));
            make_parent(&to)?;
            fs::copy(&from, &to).map(drop).map_err(at("copy", &from))
        })?;
        for (link, target) in &walk.links {
            let to = copy.join(link);
            make_parent(&to)?;
            std::os::unix::fs::symlink(target, &to).map_err(at("link", &to))?;
        }
        store.move_in(&copy, Bounds::default())
    }

    /// The place of `path` on this machine, links followed.
    fn real(&self, path: &str) -> Result<PathBuf, SourceProblem> {
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

    fn path(&self, path: &str) -> Result<Node, SourceProblem> {
        let real = self.real(path)?;
        if !real.is_dir() {
            return self.file(path, &real).map_err(|error| self.problem(error));
        }
        self.directory(path, &real).map_err(|error| self.problem(error))
    }

    fn directory(&self, path: &str, real: &Path) -> Result<Node, StoreError> {
        let Walk { files, links, .. } = walk(&self.root, Path::new(path))?;
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
        let mut root = Folder::default();
        for (path, entry) in files.into_iter().chain(links) {
            root.insert(&path, entry);
        }
        Ok(Node::Dir { tree: root.digest()? })
    }

    /// The node of the file at `real`, remembered as `path`.
    fn file(&self, path: &str, real: &Path) -> Result<Node, StoreError> {
        let seen_ns = now_ns();
        let metadata = fs::symlink_metadata(real).map_err(at("read", real))?;
        if !metadata.is_file() {
            return Err(StoreError::Refused {
                path: real.to_owned(),
                reason: "is a device, a pipe or a socket".to_owned(),
            });
        }
        let stat = Stat::of(&metadata);
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let remembered = cache.find(path, stat);
        if remembered.is_some() {
            cache.keep(path);
        }
        drop(cache);
        let (size, digest) = match remembered {
            Some(digest) => (metadata.len(), digest),
            None => {
                let (size, digest) = hash(real)?;
                let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
                cache.note(path, stat, seen_ns, digest);
                (size, digest)
            }
        };
        Ok(Node::File {
            executable: metadata.permissions().mode() & 0o111 != 0,
            size,
            digest,
        })
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
        let real = self.real(&base).map_err(|problem| match problem {
            SourceProblem::Missing { .. } => SourceProblem::NoMatch,
            other => other,
        })?;
        let walk = walk(&self.root, Path::new(&base)).map_err(|error| self.problem(error))?;
        let names = walk.files.iter().chain(walk.links.iter().map(|(link, _)| link));
        let matches: Vec<(String, PathBuf)> = names
            .map(|name| (joined(&base, name), real.join(name)))
            .filter(|(path, _)| glob.is_match(path))
            .collect();
        let found: BTreeMap<String, Node> = matches
            .into_par_iter()
            .filter_map(|(path, place)| match place.canonicalize() {
                // A link to a folder is no file; its files are met where they are.
                Ok(place) if place.is_dir() => None,
                Ok(place) => Some(self.file(&path, &place).map(|node| (path, node))),
                Err(error) => Some(Err(at("read", &place)(error))),
            })
            .collect::<Result<_, _>>()
            .map_err(|error| self.problem(error))?;
        if found.is_empty() {
            Err(SourceProblem::NoMatch)
        } else {
            Ok(found)
        }
    }

    /// An error in the words of the project: paths from its root.
    fn problem(&self, error: StoreError) -> SourceProblem {
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

/// The bytes of a directory's files, and whether a walk leaves nothing of it out.
fn measure(root: &Path, path: &str) -> Result<(u64, bool), StoreError> {
    let walk = walk(root, Path::new(path))?;
    let directory = root.join(path);
    let sizes = walk.files.par_iter().map(|file| {
        let file = directory.join(file);
        fs::metadata(&file)
            .map(|metadata| metadata.len())
            .map_err(at("read", &file))
    });
    let bytes = sizes.try_reduce(|| 0, |sum, size| Ok(sum + size))?;
    Ok((bytes, !walk.partial))
}

fn make_parent(path: &Path) -> Result<(), StoreError> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).map_err(at("make", parent))
}

fn joined(base: &str, name: &str) -> String {
    if base.is_empty() {
        name.to_owned()
    } else {
        format!("{base}/{name}")
    }
}

/// A directory in the making.
#[derive(Default)]
struct Folder {
    entries: BTreeMap<String, Entry>,
    folders: BTreeMap<String, Folder>,
}

impl Folder {
    fn insert(&mut self, path: &str, entry: Entry) {
        match path.split_once('/') {
            Some((folder, rest)) => self
                .folders
                .entry(folder.to_owned())
                .or_default()
                .insert(rest, entry),
            None => drop(self.entries.insert(path.to_owned(), entry)),
        }
    }

    fn digest(self) -> Result<Digest, StoreError> {
        let mut entries = self.entries;
        for (name, folder) in self.folders {
            let tree = folder.digest()?;
            entries.insert(name, Entry::Node(Node::Dir { tree }));
        }
        Ok(Tree::digest_of(&Tree { entries }.encode()?))
    }
}

#[cfg(test)]
#[path = "sources_tests.rs"]
mod tests;
