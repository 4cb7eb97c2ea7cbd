//! Sources and places in them; the `World` that hands sources in.

use smol_str::SmolStr;
use std::sync::Arc;

/// A source of a [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A range of bytes of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The source.
    pub source: SourceId,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A text, and the name that people know it by.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path from the project's root with `/` between its parts; `std/nn.mlp` for the standard library,
    /// `--set lr` for a setting.
    pub path: SmolStr,
    /// The text, after a byte-order mark is dropped. Carriage returns stay: spans count the bytes of the file.
    pub text: Arc<str>,
}

/// All sources of a program, in the order in which they were met.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    sources: Vec<Source>,
}

impl Sources {
    /// Adds a source.
    pub fn add(&mut self, path: impl Into<SmolStr>, text: impl Into<Arc<str>>) -> SourceId {
        let id = self.next();
        self.sources.push(Source {
            path: path.into(),
            text: text.into(),
        });
        id
    }

    /// The number that the next source will have.
    pub(crate) fn next(&self) -> SourceId {
        SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX))
    }

    /// The source `id`.
    pub fn get(&self, id: SourceId) -> &Source {
        &self.sources[id.0 as usize]
    }

    /// The text under `span`.
    pub fn text(&self, span: Span) -> &str {
        &self.get(span.source).text[span.start as usize..span.end as usize]
    }

    /// All of them with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.sources
            .iter()
            .enumerate()
            .map(|(index, source)| (SourceId(index as u32), source))
    }
}

/// Why a source could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// Nothing is there; names that are near it, best first.
    Missing {
        /// Paths from the project's root.
        near: Vec<String>,
    },
    /// A directory is there.
    Directory,
    /// The path leaves the project.
    Outside,
    /// Anything else, in words.
    Other(String),
}

/// The outside, as far as the language may see it. Implementations answer the same question always the same.
pub trait World {
    /// The bytes of the file at `path`: relative to the project's root, normalised, with `/`.
    fn read(&self, path: &str) -> Result<Arc<[u8]>, ReadError>;
}
