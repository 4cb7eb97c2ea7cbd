//! Takes an archive in. Everything in it may be a lie: nothing is believed that is not held against its digest, nothing
//! that it says becomes a path, and nothing is registered before all of it was read and found right.
//!
//! Who imports an archive believes whoever made it that these are the results of these keys. Bytes are believed of nobody,
//! and no result that stands here is replaced.

use super::archive::{ArchivedResult, CHUNK, EntryKind, MAGIC, entry_of};
use super::batch::{Batch, seal};
use super::error::{StoreError, at};
use super::import::Bounds;
use super::lease::Scratch;
use super::read::verify;
use super::{Store, unfold};
use crate::base::digest::{Context, Digest, Hasher};
use crate::model::node::{Entry, Node, Tree};
use crate::model::record::{Attestation, Dependency, Trace};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes of a line before an entry, at most.
const LINE: u64 = 128;
/// Bytes of a record, at most, and of a tree.
const RECORD: u64 = 64 << 20;
/// The run that imported results are of.
const RUN: &str = "imported";

/// What was imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The names of the results whose bytes came along.
    pub steps: BTreeSet<String>,
    /// The bytes of their content.
    pub bytes: u64,
    /// Results for which another one stands here: that one stays.
    pub differing: BTreeSet<String>,
    /// Results whose inputs are not here as they were there: they are found only once these came out the same.
    pub untraced: BTreeSet<String>,
}

impl Store {
    /// Takes in the archive that `from` gives, which is called `path` in errors.
    pub fn import_archive(&self, path: &Path, from: impl Read) -> Result<Imported, StoreError> {
        let scratch = self.scratch()?;
        let mut reader = Reader {
            path,
            from: BufReader::with_capacity(CHUNK, from),
            hasher: Hasher::new(),
            scratch: &scratch,
        };
        let archive = reader.all()?;
        let contents = archive.check().map_err(|reason| unfit(path, reason))?;
        self.place_archived(&archive, &contents)?;
        self.take_records(&archive)
    }

    /// Gives the contents their places.
    fn place_archived(&self, archive: &Archive, contents: &BTreeSet<Node>) -> Result<(), StoreError> {
        self.pin(contents)?;
        let nodes: BTreeMap<_, &Node> = contents.iter().map(|node| (entry_of(node), node)).collect();
        let mut batch = Batch::default();
        for bytes in archive.tree_bytes.values() {
            batch.add_bytes(self.lease()?, bytes, self.places.tree(Tree::digest_of(bytes)))?;
        }
        for ((kind, digest), (_, staged)) in &archive.files {
            let executable = *kind == EntryKind::Program;
            seal(staged, executable)?;
            let place = self.places.object(*digest, executable);
            let node = nodes.get(&(*kind, *digest));
            let is_here = node.is_some_and(|node| verify(&self.places, node).is_empty());
            batch.add(staged.clone(), place, is_here);
        }
        batch.commit(self.root(), &self.syncer)
    }

    fn take_records(&self, archive: &Archive) -> Result<Imported, StoreError> {
        let mut imported = Imported {
            bytes: archive.bytes(),
            ..Imported::default()
        };
        for (key, result) in &archive.results {
            let standing = self.put_realisation(*key, result.realisation.clone())?;
            if standing != result.realisation {
                imported.differing.insert(result.step.clone());
                continue;
            }
            if result.whole {
                imported.steps.insert(result.step.clone());
            }
            if let Some((isolation, effective)) = result.isolation
                && self.attested(*key)?.is_none()
            {
                self.attest(&Attestation {
                    resolved_key: *key,
                    isolation,
                    effective,
                    run: RUN.to_owned(),
                    step: result.step.clone(),
                    started: 0,
                    wall_ms: 0,
                    cpu_ms: None,
                    peak_memory: None,
                    machine: String::new(),
                    observed: BTreeMap::new(),
                    differs: None,
                })?;
            }
        }
        for (key, bytes) in &archive.derivations {
            self.put_derivation(*key, bytes)?;
        }
        let left = self.take_traces(archive.traces.clone())?;
        for (_, trace) in left {
            let result = archive.results.get(&trace.resolved_key);
            imported.untraced.extend(
                result
                    .filter(|result| result.whole)
                    .map(|result| result.step.clone()),
            );
        }
        Ok(imported)
    }

    /// Takes over traces, each after those that it depends on, and only where these are here as they were there. Gives those
    /// that were not taken over.
    fn take_traces(&self, mut left: BTreeMap<Digest, Trace>) -> Result<BTreeMap<Digest, Trace>, StoreError> {
        loop {
            let before = left.len();
            let mut rest = BTreeMap::new();
            for (key, trace) in left {
                let stands = self.realisation(trace.resolved_key)?;
                let is_so = stands.is_some_and(|stands| stands.outputs == trace.outputs);
                if is_so && self.agrees(&trace.dependencies)? {
                    self.put_trace(key, trace)?;
                } else {
                    rest.insert(key, trace);
                }
            }
            left = rest;
            if left.is_empty() || left.len() == before {
                return Ok(left);
            }
        }
    }

    fn agrees(&self, dependencies: &[Dependency]) -> Result<bool, StoreError> {
        for dependency in dependencies {
            let here = self.trace(dependency.static_key)?;
            let node = here.and_then(|trace| *trace.outputs.get(&dependency.output)?);
            if node != Some(dependency.node) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// All of an archive, each entry held against its digest.
#[derive(Default)]
struct Archive {
    results: BTreeMap<Digest, ArchivedResult>,
    traces: BTreeMap<Digest, Trace>,
    derivations: BTreeMap<Digest, Vec<u8>>,
    trees: BTreeMap<Digest, Tree>,
    tree_bytes: BTreeMap<Digest, Vec<u8>>,
    /// Sizes, and where the bytes are staged.
    files: BTreeMap<(EntryKind, Digest), (u64, PathBuf)>,
}

impl Archive {
    fn bytes(&self) -> u64 {
        let trees = self.tree_bytes.values().map(|bytes| bytes.len() as u64);
        trees.chain(self.files.values().map(|(size, _)| *size)).sum()
    }

    /// Whether its parts are of one piece. Gives all content that results lead to; the error is a clause about the archive.
    fn check(&self) -> Result<BTreeSet<Node>, String> {
        for (key, trace) in &self.traces {
            let result = self.results.get(&trace.resolved_key);
            if result.is_none_or(|result| result.realisation.outputs != trace.outputs) {
                return Err(format!("says of the step {key} what none of its results says"));
            }
        }
        let mut contents = BTreeSet::new();
        let whole = self.results.values().filter(|result| result.whole);
        for node in whole.flat_map(|result| result.realisation.outputs.values().flatten()) {
            if let Node::Dir { tree } = node {
                unfold::check(*tree, &self.trees, Bounds::default())?;
            }
            self.follow(*node, &mut contents)?;
        }
        match contents.len() == self.trees.len() + self.files.len() {
            true => Ok(contents),
            false => Err("holds content that none of its results leads to".to_owned()),
        }
    }

    fn follow(&self, node: Node, contents: &mut BTreeSet<Node>) -> Result<(), String> {
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            if !contents.insert(node) {
                continue;
            }
            match node {
                Node::Dir { tree } => {
                    let tree = self.trees.get(&tree);
                    let tree =
                        tree.ok_or_else(|| "holds a result without all of its directories".to_owned())?;
                    pending.extend(tree.entries.values().filter_map(|entry| match entry {
                        Entry::Node(node) => Some(*node),
                        Entry::Symlink { .. } => None,
                    }));
                }
                Node::File { size, digest, .. } => match self.files.get(&entry_of(&node)) {
                    Some((there, _)) if *there == size => {}
                    Some((there, _)) => {
                        return Err(format!(
                            "says that the file {digest} has {size} bytes: it has {there}"
                        ));
                    }
                    None => return Err(format!("holds a result without its file {digest}")),
                },
            }
        }
        Ok(())
    }
}

/// Reads an archive from its beginning to its end.
struct Reader<'r, R> {
    path: &'r Path,
    from: BufReader<R>,
    /// Of all that was read.
    hasher: Hasher,
    scratch: &'r Scratch,
}

impl<R: Read> Reader<'_, R> {
    fn all(&mut self) -> Result<Archive, StoreError> {
        if self.line()? != MAGIC {
            return Err(self.unfit("is no archive of this version of mlp"));
        }
        let mut archive = Archive::default();
        let mut last = None;
        let mut left = Bounds::default();
        loop {
            let so_far = self.hasher.finish();
            let line = self.line()?;
            if let Some(digest) = line.strip_prefix("end ") {
                if digest.trim_end_matches('\n').parse() != Ok(so_far) {
                    return Err(self.unfit("is damaged: its bytes are not those that its end speaks of"));
                }
                return self.end().map(|()| archive);
            }
            let (kind, key, length) =
                header(&line).ok_or_else(|| self.unfit("has a line that belongs to no archive"))?;
            if last.is_some_and(|last| last >= (kind, key)) {
                return Err(self.unfit("holds something twice, or not in its order"));
            }
            last = Some((kind, key));
            left.entries = left
                .entries
                .checked_sub(1)
                .ok_or_else(|| self.unfit("holds too much"))?;
            left.bytes = left
                .bytes
                .checked_sub(length)
                .ok_or_else(|| self.unfit("holds too much"))?;
            self.entry(kind, key, length, &mut archive)?;
        }
    }

    fn entry(
        &mut self,
        kind: EntryKind,
        key: Digest,
        length: u64,
        archive: &mut Archive,
    ) -> Result<(), StoreError> {
        match kind {
            EntryKind::Result => drop(archive.results.insert(key, self.record(length)?)),
            EntryKind::Trace => drop(archive.traces.insert(key, self.record(length)?)),
            EntryKind::Derivation => {
                let bytes = self.bytes(length)?;
                if Digest::of(Context::StaticKey, &bytes) != key {
                    return Err(self.lie(kind, key));
                }
                archive.derivations.insert(key, bytes);
            }
            EntryKind::Tree => {
                let bytes = self.bytes(length)?;
                if Tree::digest_of(&bytes) != key {
                    return Err(self.lie(kind, key));
                }
                let tree = Tree::decode(&bytes);
                let tree =
                    tree.map_err(|error| self.unfit(format!("holds a directory that is none: {error}")))?;
                archive.trees.insert(key, tree);
                archive.tree_bytes.insert(key, bytes);
            }
            EntryKind::File | EntryKind::Program => {
                let staged = self.file(kind, key, length)?;
                archive.files.insert((kind, key), (length, staged));
            }
        }
        Ok(())
    }

    /// Copies a file to the scratch folder, under a name of ours.
    fn file(&mut self, kind: EntryKind, key: Digest, length: u64) -> Result<PathBuf, StoreError> {
        let staged = self.scratch.path().join(format!("{}-{key}", kind.word()));
        let mut file = File::create_new(&staged).map_err(at("write", &staged))?;
        let mut hasher = Hasher::new();
        let mut chunk = vec![0; CHUNK];
        let mut left = length;
        while left > 0 {
            let some = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            self.fill(&mut chunk[..some])?;
            hasher.update(&chunk[..some]);
            file.write_all(&chunk[..some]).map_err(at("write", &staged))?;
            left -= some as u64;
        }
        match hasher.finish() == key {
            true => Ok(staged),
            false => Err(self.lie(kind, key)),
        }
    }

    fn record<T: DeserializeOwned>(&mut self, length: u64) -> Result<T, StoreError> {
        let bytes = self.bytes(length)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| self.unfit(format!("holds a record that cannot be read: {error}")))
    }

    /// Bytes for the memory, which come as they are read: a length that lies takes none.
    fn bytes(&mut self, length: u64) -> Result<Vec<u8>, StoreError> {
        if length > RECORD {
            return Err(self.unfit("holds a record that is too large"));
        }
        let mut bytes = Vec::new();
        let read = (&mut self.from).take(length).read_to_end(&mut bytes);
        read.map_err(at("read", self.path))?;
        if (bytes.len() as u64) < length {
            return Err(self.cut_short());
        }
        self.hasher.update(&bytes);
        Ok(bytes)
    }

    fn fill(&mut self, chunk: &mut [u8]) -> Result<(), StoreError> {
        self.from.read_exact(chunk).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.cut_short(),
            _ => at("read", self.path)(error),
        })?;
        self.hasher.update(chunk);
        Ok(())
    }

    /// A line, with its end.
    fn line(&mut self) -> Result<String, StoreError> {
        let mut line = Vec::new();
        let read = (&mut self.from).take(LINE).read_until(b'\n', &mut line);
        read.map_err(at("read", self.path))?;
        if line.last() != Some(&b'\n') {
            return Err(match (line.len() as u64) < LINE {
                true => self.cut_short(),
                false => self.unfit("has a line that belongs to no archive"),
            });
        }
        self.hasher.update(&line);
        String::from_utf8(line).map_err(|_| self.unfit("has a line that belongs to no archive"))
    }

    /// Nothing may stand after the end.
    fn end(&mut self) -> Result<(), StoreError> {
        let more = self.from.fill_buf().map_err(at("read", self.path))?;
        match more.is_empty() {
            true => Ok(()),
            false => Err(self.unfit("has something after its end")),
        }
    }

    fn unfit(&self, reason: impl Into<String>) -> StoreError {
        unfit(self.path, reason.into())
    }

    fn cut_short(&self) -> StoreError {
        self.unfit("was cut short")
    }

    fn lie(&self, kind: EntryKind, key: Digest) -> StoreError {
        self.unfit(format!(
            "is damaged: the bytes of the {} {key} are others",
            kind.word()
        ))
    }
}

fn unfit(path: &Path, reason: String) -> StoreError {
    StoreError::Archive {
        path: path.to_owned(),
        reason,
    }
}

/// A line before an entry, written in the only way there is.
fn header(line: &str) -> Option<(EntryKind, Digest, u64)> {
    let mut words = line.strip_suffix('\n')?.split(' ');
    let (kind, digest, length) = (words.next()?, words.next()?, words.next()?);
    let found = (EntryKind::of(kind)?, digest.parse().ok()?, length.parse().ok()?);
    (super::archive::header(found.0, found.1, found.2) == line).then_some(found)
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
