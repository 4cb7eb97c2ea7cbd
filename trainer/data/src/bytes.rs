//! Bytes in memory, or of a file that the system reads as they are looked at: which of the two is nobody's concern. A
//! slice shares what it is of, so that the arrays of a file of any size cost nothing.

#![expect(
    unsafe_code,
    reason = "a mapped file is memory that the type system cannot vouch for"
)]

use memmap2::Mmap;
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

/// Bytes that are read only, cheap to clone and to slice.
#[derive(Clone)]
pub struct Bytes {
    source: Arc<dyn AsRef<[u8]> + Send + Sync>,
    range: Range<usize>,
}

impl Bytes {
    /// The content of the file at `path`, mapped.
    ///
    /// # Errors
    /// When it cannot be opened or mapped.
    pub fn map(path: &Path) -> io::Result<Bytes> {
        Bytes::of(&File::open(path)?)
    }

    /// The content of an open file, mapped. It stays when the file's name goes.
    ///
    /// # Errors
    /// When it cannot be mapped.
    pub fn of(file: &File) -> io::Result<Bytes> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        if metadata.len() == 0 {
            return Ok(Bytes::from(Vec::new()));
        }
        // SAFETY: inputs of a step are read-only, and its own scratch files are written by nobody else once they are
        // mapped; who cuts a file under a running program ends the program, and no wrong result is kept.
        let map = unsafe { Mmap::map(file)? };
        let range = 0..map.len();
        Ok(Bytes {
            source: Arc::new(map),
            range,
        })
    }

    /// A part of them; nothing where `range` leads outside.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Option<Bytes> {
        let (start, end) = (
            self.range.start.checked_add(range.start)?,
            self.range.start.checked_add(range.end)?,
        );
        (start <= end && end <= self.range.end).then(|| Bytes {
            source: Arc::clone(&self.source),
            range: start..end,
        })
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &(*self.source).as_ref()[self.range.clone()]
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        Bytes {
            source: Arc::new(bytes),
            range,
        }
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_a_part_and_never_more() {
        let bytes = Bytes::from(vec![1, 2, 3, 4]).slice(1..4).unwrap();
        assert_eq!(*bytes, [2, 3, 4]);
        assert_eq!(*bytes.slice(1..3).unwrap(), [3, 4]);
        assert_eq!(bytes.slice(1..4), None);
        assert_eq!(bytes.slice(2..usize::MAX), None);
    }

    #[test]
    fn a_file_is_mapped_and_an_empty_one_is_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, b"abc").unwrap();
        let bytes = Bytes::map(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(*bytes, *b"abc");
        std::fs::write(&path, b"").unwrap();
        assert!(Bytes::map(&path).unwrap().is_empty());
        assert!(Bytes::map(dir.path()).is_err());
    }
}
