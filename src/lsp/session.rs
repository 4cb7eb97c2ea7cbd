//! Open buffers, and the analyses of the files that were asked about.

use super::overlay::{Buffers, Overlay};
use super::position::Lines;
use crate::engine::PIPELINE;
use lsp_types::{Position, Uri};
use mlp_lang::ide::{self, Analysis};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file of a project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The project's folder.
    pub(super) root: PathBuf,
    /// The path from there, with `/`.
    pub(super) path: String,
}

/// An open buffer.
#[derive(Clone, Debug)]
pub(super) struct Buffer {
    /// Its address, as the editor writes it.
    pub(super) uri: Uri,
    pub(super) text: Arc<str>,
}

/// An analysis, and the paths that it asked for.
#[derive(Debug)]
struct Known {
    analysis: Analysis,
    read: BTreeSet<String>,
    /// Whether something that it read has changed since.
    stale: bool,
}

/// What the server remembers.
#[derive(Debug, Default)]
pub(super) struct Session {
    buffers: BTreeMap<Place, Buffer>,
    known: BTreeMap<Place, Known>,
}

impl Session {
    /// Opens a buffer, or puts another text in it.
    pub(super) fn set(&mut self, place: Place, buffer: Buffer) {
        self.forget(&place);
        self.buffers.insert(place, buffer);
    }

    /// Closes a buffer: the disk counts again.
    pub(super) fn close(&mut self, place: &Place) {
        self.forget(place);
        self.buffers.remove(place);
        self.known.remove(place);
    }

    pub(super) fn buffer(&self, place: &Place) -> Option<&Buffer> {
        self.buffers.get(place)
    }

    /// A file has changed: what was found of the files that read it holds no more as it is.
    pub(super) fn forget(&mut self, changed: &Place) {
        for (place, known) in &mut self.known {
            known.stale |= place.root == changed.root && known.read.contains(&changed.path);
        }
    }

    /// Nothing that was found holds: an analysis failed in the middle of its work.
    pub(super) fn forget_all(&mut self) {
        self.known.clear();
    }

    /// The roots of all open buffers, each with its texts.
    pub(super) fn projects(&self) -> BTreeMap<PathBuf, Buffers> {
        let mut projects: BTreeMap<PathBuf, Buffers> = BTreeMap::new();
        for (place, buffer) in &self.buffers {
            let project = projects.entry(place.root.clone()).or_default();
            project.insert(place.path.clone(), buffer.text.clone());
        }
        projects
    }

    pub(super) fn overlay(&self, root: &Path) -> Overlay {
        let own = self.buffers.iter().filter(|(place, _)| place.root == root);
        let buffers = own.map(|(place, buffer)| (place.path.clone(), buffer.text.clone()));
        Overlay::new(root, buffers.collect())
    }

    /// The analysis of a file and of what it imports.
    pub(super) fn analysis(&mut self, place: &Place) -> &mut Analysis {
        let found = match self.known.remove(place) {
            Some(known) if !known.stale => known,
            before => {
                let world = self.overlay(&place.root);
                let analysis = match before {
                    Some(known) => known.analysis.again(&world, &place.path),
                    None => Analysis::new(&world, &place.path),
                };
                Known {
                    analysis,
                    read: world.into_read(),
                    stale: false,
                }
            }
        };
        &mut self.known.entry(place.clone()).or_insert(found).analysis
    }

    /// The files whose programs may mention what `place` declares: the pipeline, the open buffers, and itself.
    pub(super) fn entries(&self, place: &Place) -> BTreeSet<Place> {
        let pipeline = Place {
            root: place.root.clone(),
            path: PIPELINE.to_owned(),
        };
        let mut entries = BTreeSet::from([place.clone()]);
        let open = self.buffers.keys().filter(|other| other.root == place.root);
        entries.extend(open.cloned());
        if self.buffers.contains_key(&pipeline) || place.root.join(PIPELINE).exists() {
            entries.insert(pipeline);
        }
        entries
    }
}

/// The file at an absolute path, in the nearest folder upwards that has a pipeline; else alone in its own.
pub(super) fn place_of(path: &Path) -> Option<Place> {
    let folders = path.ancestors().skip(1);
    let root = folders
        .into_iter()
        .find(|folder| folder.join(PIPELINE).exists())
        .or(path.parent())?;
    let parts = path.strip_prefix(root).ok()?.components();
    let parts: Option<Vec<&str>> = parts.map(|part| part.as_os_str().to_str()).collect();
    Some(Place {
        root: root.to_owned(),
        path: parts?.join("/"),
    })
}

/// Where `position` is in the source of `place`.
pub(super) fn position_in(analysis: &Analysis, place: &Place, position: Position) -> Option<ide::Position> {
    let source = analysis.source(&place.path)?;
    let offset = Lines::new(&analysis.sources().get(source).text).offset(position);
    Some(ide::Position { source, offset })
}
