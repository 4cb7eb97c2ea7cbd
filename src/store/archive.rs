//! An archive: results with their records and their bytes, as one stream. `archive_read` takes it in.
//!
//! ```text
//! mlp archive 1
//! <kind> <digest> <length>          an entry: this line, then so many bytes
//! …                                 entries ascend, by kind and then by digest: each stands once
//! end <digest>                      BLAKE3 of all that stands before this line
//! ```
//! Kinds in their order: `result` (by resolved key), `trace` and `derivation` (by static key), `tree`, `file`, `program`.
//! There is no path in an archive but for the names in trees, and no time: the same results give the same bytes.

use super::Store;
use super::error::{StoreError, at};
use super::read;
use crate::base::digest::{Digest, Hasher};
use crate::model::build::Isolation;
use crate::model::node::{Entry, Node};
use crate::model::record::{Realisation, Trace};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// The first line.
pub(super) const MAGIC: &str = "mlp archive 1\n";

/// What an entry is. The order is that of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EntryKind {
    Result,
    Trace,
    Derivation,
    Tree,
    File,
    Program,
}

impl EntryKind {
    const ALL: [(Self, &str); 6] = [
        (Self::Result, "result"),
        (Self::Trace, "trace"),
        (Self::Derivation, "derivation"),
        (Self::Tree, "tree"),
        (Self::File, "file"),
        (Self::Program, "program"),
    ];

    pub(super) fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(kind, _)| *kind == self);
        found.map_or("", |(_, word)| word)
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known)| *known == word);
        found.map(|(kind, _)| *kind)
    }
}

/// A result in an archive: what a resolved key came to, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ArchivedResult {
    /// What the step is called.
    pub(super) step: String,
    pub(super) realisation: Realisation,
    /// Whether its bytes are in the archive, too.
    pub(super) whole: bool,
    /// How hermetic its build was; none where nobody knows.
    pub(super) isolation: Option<(Isolation, Isolation)>,
}

/// What is to be exported.
#[derive(Clone, Debug, Default)]
pub struct Export {
    /// Steps by static key, with what people call them. Others that they are made from are looked up by it.
    pub names: BTreeMap<Digest, String>,
    /// The steps whose results go along with their bytes. Of what they are made from only the records do.
    pub whole: BTreeSet<Digest>,
}

/// What was exported.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exported {
    /// Results with their bytes.
    pub results: usize,
    /// Bytes of their content.
    pub bytes: u64,
}

/// The entries of an archive, in their order. Contents are read as they are written.
#[derive(Default)]
struct Entries {
    records: BTreeMap<(EntryKind, Digest), Vec<u8>>,
    contents: BTreeMap<(EntryKind, Digest), u64>,
}

impl Store {
    /// Writes an archive of `export` to `out`, which is called `path` in errors.
    pub fn export(&self, export: &Export, path: &Path, out: impl Write) -> Result<Exported, StoreError> {
        let mut entries = Entries::default();
        let mut pending: Vec<Digest> = export.whole.iter().copied().collect();
        let mut seen = BTreeSet::new();
        while let Some(static_key) = pending.pop() {
            if !seen.insert(static_key) {
                continue;
            }
            let Some(trace) = self.trace(static_key)? else {
                continue;
            };
            pending.extend(trace.dependencies.iter().map(|dependency| dependency.static_key));
            self.add_step(export, static_key, &trace, &mut entries)?;
        }
        let exported = Exported {
            results: export.whole.len(),
            bytes: entries.contents.values().sum(),
        };
        self.write(entries, path, out)?;
        Ok(exported)
    }

    fn add_step(
        &self,
        export: &Export,
        static_key: Digest,
        trace: &Trace,
        entries: &mut Entries,
    ) -> Result<(), StoreError> {
        let whole = export.whole.contains(&static_key);
        let outputs = trace.outputs.clone();
        if whole {
            for node in outputs.values().flatten() {
                self.pin([node])?;
                self.add_content(*node, entries)?;
            }
        }
        let made = self.attested(trace.resolved_key)?;
        let result = ArchivedResult {
            step: export.names.get(&static_key).cloned().unwrap_or_default(),
            realisation: Realisation { outputs },
            whole,
            isolation: made.map(|made| (made.isolation, made.effective)),
        };
        // Two steps may have come to one resolved key: what has its bytes stands.
        let place = (EntryKind::Result, trace.resolved_key);
        if whole || !entries.records.contains_key(&place) {
            entries.records.insert(place, json(&result)?);
        }
        entries
            .records
            .insert((EntryKind::Trace, static_key), json(trace)?);
        if let Some(bytes) = self.derivation(static_key)? {
            entries.records.insert((EntryKind::Derivation, static_key), bytes);
        }
        Ok(())
    }

    /// Adds what a node leads to.
    fn add_content(&self, node: Node, entries: &mut Entries) -> Result<(), StoreError> {
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            let (kind, digest) = entry_of(&node);
            if entries.contents.contains_key(&(kind, digest)) {
                continue;
            }
            let size = match node {
                Node::File { size, .. } => size,
                Node::Dir { tree } => {
                    let tree = read::tree(&self.places, tree)?;
                    pending.extend(tree.entries.values().filter_map(|entry| match entry {
                        Entry::Node(node) => Some(*node),
                        Entry::Symlink { .. } => None,
                    }));
                    tree.encode()?.len() as u64
                }
            };
            entries.contents.insert((kind, digest), size);
        }
        Ok(())
    }

    fn write(&self, entries: Entries, path: &Path, out: impl Write) -> Result<(), StoreError> {
        let mut out = Hashing {
            inner: out,
            hasher: Hasher::new(),
        };
        let cannot = |error| at("write", path)(error);
        out.write_all(MAGIC.as_bytes()).map_err(cannot)?;
        for ((kind, digest), bytes) in entries.records {
            out.write_all(header(kind, digest, bytes.len() as u64).as_bytes())
                .map_err(cannot)?;
            out.write_all(&bytes).map_err(cannot)?;
        }
        for ((kind, digest), size) in entries.contents {
            let place = match kind {
                EntryKind::Tree => self.places.tree(digest),
                kind => self.places.object(digest, kind == EntryKind::Program),
            };
            out.write_all(header(kind, digest, size).as_bytes())
                .map_err(cannot)?;
            self.copy(&place, digest, kind, &mut out, path)?;
        }
        let end = format!("end {}\n", out.hasher.finish());
        out.inner.write_all(end.as_bytes()).map_err(cannot)?;
        out.inner.flush().map_err(cannot)
    }

    /// Copies a content, each byte held against its digest on the way.
    fn copy(
        &self,
        place: &Path,
        digest: Digest,
        kind: EntryKind,
        out: &mut impl Write,
        path: &Path,
    ) -> Result<(), StoreError> {
        if kind == EntryKind::Tree {
            let bytes = read::tree(&self.places, digest)?.encode()?;
            return out.write_all(&bytes).map_err(at("write", path));
        }
        let mut file = File::open(place).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::Missing(digest),
            _ => at("read", place)(error),
        })?;
        let mut hasher = Hasher::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = match file.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other.map_err(at("read", place))?,
            };
            if read == 0 {
                break;
            }
            hasher.update(&chunk[..read]);
            out.write_all(&chunk[..read]).map_err(at("write", path))?;
        }
        match hasher.finish() == digest {
            true => Ok(()),
            false => Err(StoreError::Damaged {
                path: place.to_owned(),
                what: "its bytes are not those of its name".to_owned(),
            }),
        }
    }
}

/// Bytes read at a time.
pub(super) const CHUNK: usize = 1 << 20;

/// The line before an entry's bytes.
pub(super) fn header(kind: EntryKind, digest: Digest, length: u64) -> String {
    format!("{} {digest} {length}\n", kind.word())
}

/// What a node is in an archive.
pub(super) fn entry_of(node: &Node) -> (EntryKind, Digest) {
    match *node {
        Node::File {
            executable: false,
            digest,
            ..
        } => (EntryKind::File, digest),
        Node::File { digest, .. } => (EntryKind::Program, digest),
        Node::Dir { tree } => (EntryKind::Tree, tree),
    }
}

fn json(record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(record).map_err(|error| at("write", Path::new("record"))(error.into()))
}

/// Hashes what passes.
struct Hashing<W> {
    inner: W,
    hasher: Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
