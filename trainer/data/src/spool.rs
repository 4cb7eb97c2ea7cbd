//! Bytes on their way into a dataset whose number is not known before the last: in memory while they are few, beyond
//! that in a file without a name. So a reader needs no more memory for a large file than for a small one.

use crate::bytes::Bytes;
use crate::files::cannot_write;
use mlp_protocol::message::Outcome;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes that one spool keeps in memory.
const MEMORY: usize = 32 << 20;

/// Numbers scratch files, whose names nobody sees.
static SCRATCH: AtomicU32 = AtomicU32::new(0);

/// Where bytes are put, one after the other.
pub(crate) struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
    limit: usize,
}

impl Default for Spool {
    fn default() -> Self {
        Self::of(MEMORY)
    }
}

impl Spool {
    /// A spool that keeps `limit` bytes in memory.
    fn of(limit: usize) -> Spool {
        Spool {
            memory: Vec::new(),
            file: None,
            limit,
        }
    }

    /// Puts bytes.
    ///
    /// # Errors
    /// When the scratch file cannot be written.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Outcome<()> {
        if self.memory.len() + bytes.len() > self.limit {
            self.spill()
                .map_err(|error| cannot_write(Path::new("a scratch file"), &error))?;
        }
        self.memory.extend_from_slice(bytes);
        Ok(())
    }

    /// All of them.
    ///
    /// # Errors
    /// When the scratch file cannot be written or mapped.
    pub(crate) fn finish(mut self) -> Outcome<Bytes> {
        let finished = || {
            if self.file.is_none() {
                return Ok(Bytes::from(self.memory));
            }
            self.spill()?;
            self.file.as_ref().map_or(Ok(Bytes::from(Vec::new())), Bytes::of)
        };
        finished().map_err(|error| cannot_write(Path::new("a scratch file"), &error))
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(scratch()?),
        };
        file.write_all(&self.memory)?;
        self.memory.clear();
        Ok(())
    }
}

/// A new file in the working directory, which is the step's own, without a name.
fn scratch() -> io::Result<File> {
    let name = format!(
        ".scratch-{}-{}",
        std::process::id(),
        SCRATCH.fetch_add(1, Ordering::Relaxed)
    );
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&name)?;
    std::fs::remove_file(&name)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_as_they_went_in_whether_they_fit_or_not() {
        for limit in [0, 3, 7, 1000] {
            let mut spool = Spool::of(limit);
            for part in [&b"abcd"[..], b"", b"ef", b"ghijk"] {
                spool.put(part).unwrap();
            }
            assert_eq!(spool.file.is_none(), limit == 1000);
            assert_eq!(*spool.finish().unwrap(), *b"abcdefghijk", "{limit}");
        }
    }
}
