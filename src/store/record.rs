//! Records: one line of JSON, and under it the BLAKE3 digest of that line. The first that is put stands. A record that
//! is damaged is as if it were absent: whoever puts next takes its place.

use super::batch::make_folder;
use super::error::{StoreError, at};
use super::lease::Lease;
use crate::base::atomic;
use crate::base::digest::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

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

/// A record that is written and has no place yet.
#[derive(Debug)]
pub(super) struct Staged<T> {
    record: T,
    /// Where its bytes are.
    pub(super) at: PathBuf,
    place: PathBuf,
}

/// Writes a record that [`Staged::put`] puts at `place`.
pub(super) fn stage<T: Serialize>(lease: &Lease, place: &Path, record: T) -> Result<Staged<T>, StoreError> {
    let bytes = encode(place, &record)?;
    let at_first = lease.fresh();
    atomic::create(&at_first, &bytes).map_err(at("write", &at_first))?;
    Ok(Staged {
        record,
        at: at_first,
        place: place.to_owned(),
    })
}

impl<T: Serialize + DeserializeOwned> Staged<T> {
    /// Puts the record unless one stands there, and gives what stands then.
    pub(super) fn put(self) -> Result<Standing<T>, StoreError> {
        let Self {
            record,
            at: staged,
            place,
        } = self;
        make_folder(&place)?;
        let linked = atomic::link(&staged, &place);
        // What stays for some reason goes with the lease.
        let _ = fs::remove_file(staged);
        match linked {
            Ok(()) => return Ok(Standing { record, first: true }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(at("write", &place)(error)),
        }
        match get(&place)? {
            Some(record) => Ok(Standing { record, first: false }),
            None => replace(&place, record),
        }
    }
}

/// Puts `record` at `place` unless one stands there, and gives what stands then. A failure of the power in the next
/// seconds may lose or tear it.
pub(super) fn put<T: Serialize + DeserializeOwned>(
    lease: &Lease,
    place: &Path,
    record: T,
) -> Result<Standing<T>, StoreError> {
    stage(lease, place, record)?.put()
}

/// Puts `record` in the place of whatever stands there, durably.
pub(super) fn replace<T: Serialize>(place: &Path, record: T) -> Result<Standing<T>, StoreError> {
    let bytes = encode(place, &record)?;
    make_folder(place)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::Realisation;
    use std::collections::BTreeMap;

    fn written() -> Vec<u8> {
        let outputs = BTreeMap::from([("out".to_owned(), None), ("other".to_owned(), None)]);
        encode(Path::new("r"), &Realisation { outputs }).unwrap()
    }

    proptest::proptest! {
        #[test]
        fn a_record_is_read_as_it_was_written_or_not_at_all(bytes in crate::base::faults::mutated(written())) {
            let read: Option<Realisation> = decode(&bytes);
            proptest::prop_assert_eq!(read.is_some(), bytes == written());
        }
    }
}
