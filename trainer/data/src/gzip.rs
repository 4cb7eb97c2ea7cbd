//! Files that may be compressed by gzip: the first bytes decide, not the name.

use crate::bytes::Bytes;
use crate::files;
use crate::spool::Spool;
use flate2::read::MultiGzDecoder;
use mlp_protocol::message::{Failure, Outcome};
use std::io::Read;
use std::path::Path;

/// What is unpacked at a time.
const CHUNK: usize = 1 << 16;

/// The content of a file, unpacked where it is compressed. `name` is what a failure calls it, `code` that of one about a
/// damaged file.
///
/// # Errors
/// When it cannot be read, or is not whole.
pub(crate) fn map(path: &Path, name: &str, code: &'static str) -> Outcome<Bytes> {
    let bytes = files::map(path, name)?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut reader = MultiGzDecoder::new(&bytes[..]);
    let (mut spool, mut chunk) = (Spool::default(), vec![0; CHUNK]);
    loop {
        let count = reader.read(&mut chunk).map_err(|error| {
            Failure::new(code, format!("{name} is damaged: as a gzip file, {error}"))
                .help("get the file anew")
        })?;
        if count == 0 {
            return spool.finish();
        }
        spool.put(&chunk[..count])?;
    }
}
