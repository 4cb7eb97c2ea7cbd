//! Records: one line of JSON, and under it the BLAKE3 digest of that line. The first that is put stands. A record that
//! is damaged is as if it were absent: whoever puts next takes its place.

use super::batch::{make_folder, make_folder_that};
use super::error::{StoreError, at};
use super::lease::Lease;
use crate::base::atomic::{self, Outlives};
use crate::base::digest::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// What stands after a put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing<T> {
    pub(super) record: T,
    /// Whether it is the one that was put just now.
    pub(super) first: bool,
}

/// The record at `place`; none if there is none or if it is damaged.
pub(super) fn get<T: DeserializeOwned>(place: &Path) -> Result<Option<T>, StoreError> {
    match fs::read(place) {
        Ok(bytes) => Ok(decode(&bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at("read", place)(error)),
    }
}

/// Puts `record` at `place` unless one stands there, and gives what stands then.
pub(super) fn put<T: Serialize + DeserializeOwned>(
    lease: &Lease,
    place: &Path,
    record: T,
    outlives: Outlives,
) -> Result<Standing<T>, StoreError> {
    let bytes = encode(place, &record)?;
    make_folder_that(place.parent().unwrap_or(Path::new("/")), outlives)?;
    let written =
        atomic::write_if_absent(place, &lease.fresh(), &bytes, outlives).map_err(at("write", place))?;
    if written {
        return Ok(Standing { record, first: true });
    }
    match get(place)? {
        Some(record) => Ok(Standing { record, first: false }),
        None => replace(place, record),
    }
}

/// Puts `record` in the place of whatever stands there.
pub(super) fn replace<T: Serialize>(place: &Path, record: T) -> Result<Standing<T>, StoreError> {
    let bytes = encode(place, &record)?;
    make_folder(place.parent().unwrap_or(Path::new("/")))?;
    atomic::write(place, &bytes).map_err(at("write", place))?;
    Ok(Standing { record, first: true })
}

fn encode(place: &Path, record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let mut bytes = serde_json::to_vec(record).map_err(|error| at("write", place)(error.into()))?;
    let digest = Digest::of_blob(&bytes);
    bytes.extend_from_slice(format!("\n{digest}\n").as_bytes());
    Ok(bytes)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (line, digest) = bytes.split_at_checked(bytes.len().checked_sub(66)?)?;
    let digest = std::str::from_utf8(digest.strip_prefix(b"\n")?).ok()?;
    if digest.strip_suffix('\n')?.parse() != Ok(Digest::of_blob(line)) {
        return None;
    }
    serde_json::from_slice(line).ok()
}
