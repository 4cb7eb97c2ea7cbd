//! Digests of files by what `stat` says of them, so that what did not change is not read again. A local file: it may be
//! deleted at any time, and one that cannot be read is as if it were empty.
//!
//! An entry counts only if the file's times are older than the moment at which it was looked at by more than the
//! coarsest clock of a file system: a file that was changed twice within one tick keeps its times, and must be read
//! again ("racily clean").

use crate::base::digest::Digest;
use crate::base::{atomic, clock};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The first line of the file.
const MAGIC: &[u8] = b"mlp stat cache 1\n";
/// The coarsest clock of a file system, with room for one that runs a little behind ours.
const TICK_NS: i64 = 2_000_000_000;
/// Entries that nobody asked for are kept up to this number.
const KEPT: usize = 100_000;

/// What `stat` says of a regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    size: u64,
    modified_ns: i64,
    changed_ns: i64,
    inode: u64,
    device: u64,
}

impl Stat {
    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        let ns = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            size: metadata.size(),
            modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            device: metadata.dev(),
        }
    }
}

/// A remembered digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Remembered {
    stat: Stat,
    /// When `stat` was asked, before the file was read.
    seen_ns: i64,
    digest: Digest,
}

/// The moment of a look at a file, taken before it.
pub(super) fn now_ns() -> i64 {
    i64::try_from(clock::since_epoch().as_nanos()).unwrap_or(i64::MAX)
}

/// Remembered digests, by path from the project's root.
#[derive(Debug, Default)]
pub(super) struct StatCache {
    entries: BTreeMap<String, Kept>,
    /// How many were asked for, or are new.
    used: usize,
    changed: bool,
}

/// A remembered digest, and whether anybody asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    remembered: Remembered,
    used: bool,
}

impl StatCache {
    /// What is remembered at `file`.
    pub(super) fn load(file: &Path) -> Self {
        let entries = fs::read(file)
            .ok()
            .and_then(|bytes| decode(&bytes))
            .unwrap_or_default();
        Self {
            entries,
            ..Self::default()
        }
    }

    /// The digest of the file at `path`, if it is as it was when it was last read.
    pub(super) fn find(&mut self, path: &str, stat: Stat) -> Option<Digest> {
        let Kept { remembered, used } = self.entries.get_mut(path)?;
        let last_change = stat.modified_ns.max(stat.changed_ns);
        let clean = last_change.saturating_add(TICK_NS) < remembered.seen_ns;
        if remembered.stat != stat || !clean {
            return None;
        }
        self.used += usize::from(!std::mem::replace(used, true));
        Some(remembered.digest)
    }

    /// Remembers a digest.
    pub(super) fn note(&mut self, path: &str, stat: Stat, seen_ns: i64, digest: Digest) {
        let remembered = Remembered {
            stat,
            seen_ns,
            digest,
        };
        let kept = Kept {
            remembered,
            used: true,
        };
        let before = self.entries.insert(path.to_owned(), kept);
        self.used += usize::from(before.is_none_or(|before| !before.used));
        self.changed = true;
    }

    /// Writes to `file` what changed since it was loaded.
    pub(super) fn save(&mut self, file: &Path) -> io::Result<()> {
        if !self.changed {
            return Ok(());
        }
        if self.entries.len() > KEPT.max(2 * self.used) {
            self.entries.retain(|_, kept| kept.used);
        }
        atomic::write(file, &encode(&self.entries))?;
        self.changed = false;
        Ok(())
    }
}

fn encode(entries: &BTreeMap<String, Kept>) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for (path, Kept { remembered, .. }) in entries {
        let Ok(length) = u32::try_from(path.len()) else {
            continue;
        };
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(path.as_bytes());
        let Remembered {
            stat,
            seen_ns,
            digest,
        } = remembered;
        for number in [stat.size, stat.inode, stat.device] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for time in [stat.modified_ns, stat.changed_ns, *seen_ns] {
            bytes.extend_from_slice(&time.to_le_bytes());
        }
        bytes.extend_from_slice(digest.as_bytes());
    }
    let sum = Digest::of_blob(&bytes);
    bytes.extend_from_slice(sum.as_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<BTreeMap<String, Kept>> {
    let (content, sum) = bytes.split_last_chunk::<32>()?;
    if Digest::of_blob(content) != Digest::from_bytes(*sum) {
        return None;
    }
    let mut rest = content.strip_prefix(MAGIC)?;
    // In the order of paths, so that the map is made at once.
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(*take(&mut rest)?) as usize;
        let (path, after) = rest.split_at_checked(length)?;
        rest = after;
        let path = std::str::from_utf8(path).ok()?.to_owned();
        let mut number = || take(&mut rest).map(|bytes| u64::from_le_bytes(*bytes));
        let (size, inode, device) = (number()?, number()?, number()?);
        let mut time = || take(&mut rest).map(|bytes| i64::from_le_bytes(*bytes));
        let (modified_ns, changed_ns, seen_ns) = (time()?, time()?, time()?);
        let stat = Stat {
            size,
            modified_ns,
            changed_ns,
            inode,
            device,
        };
        let digest = Digest::from_bytes(*take(&mut rest)?);
        let remembered = Remembered {
            stat,
            seen_ns,
            digest,
        };
        let kept = Kept {
            remembered,
            used: false,
        };
        entries.push((path, kept));
    }
    Some(entries.into_iter().collect())
}

fn take<'b, const N: usize>(rest: &mut &'b [u8]) -> Option<&'b [u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn stat(time: i64) -> Stat {
        Stat {
            size: 3,
            modified_ns: time,
            changed_ns: time,
            inode: 1,
            device: 1,
        }
    }

    #[test]
    fn an_entry_counts_only_when_the_file_was_quiet_before_it_was_read() {
        let digest = Digest::of_blob(b"x");
        let mut cache = StatCache::default();
        cache.note("quiet", stat(0), 10 * SECOND, digest);
        assert_eq!(cache.find("quiet", stat(0)), Some(digest));
        // Changed in the tick in which it was read: its times say nothing.
        cache.note("racy", stat(9 * SECOND), 10 * SECOND, digest);
        assert_eq!(cache.find("racy", stat(9 * SECOND)), None);
        // A file of the future, or a clock that was set back.
        cache.note("future", stat(20 * SECOND), 10 * SECOND, digest);
        assert_eq!(cache.find("future", stat(20 * SECOND)), None);
    }

    #[test]
    fn whatever_stat_tells_apart_is_read_again() {
        let digest = Digest::of_blob(b"x");
        let mut cache = StatCache::default();
        cache.note("a", stat(0), 10 * SECOND, digest);
        let others = [
            Stat { size: 4, ..stat(0) },
            Stat {
                modified_ns: 1,
                ..stat(0)
            },
            Stat {
                changed_ns: 1,
                ..stat(0)
            },
            Stat { inode: 2, ..stat(0) },
            Stat { device: 2, ..stat(0) },
        ];
        for other in others {
            assert_eq!(cache.find("a", other), None);
        }
    }

    #[test]
    fn what_was_saved_is_loaded_and_what_is_damaged_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stat");
        let mut cache = StatCache::default();
        cache.note("a/ä", stat(5), 10 * SECOND, Digest::of_blob(b"x"));
        cache.note("b", stat(-5), 10 * SECOND, Digest::of_blob(b"y"));
        cache.save(&file).unwrap();
        let mut loaded = StatCache::load(&file);
        assert_eq!(encode(&loaded.entries), encode(&cache.entries));
        assert_eq!(loaded.find("a/ä", stat(5)), Some(Digest::of_blob(b"x")));
        assert_eq!((loaded.used, cache.used), (1, 2));
        let whole = fs::read(&file).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            assert_eq!(decode(&bytes), None);
        }
        fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        assert!(StatCache::load(&file).entries.is_empty());
        assert!(StatCache::load(&folder.path().join("none")).entries.is_empty());
    }

    fn written() -> Vec<u8> {
        let mut cache = StatCache::default();
        cache.note("a/ä", stat(5), 10 * SECOND, Digest::of_blob(b"x"));
        cache.note("b", stat(-5), 10 * SECOND, Digest::of_blob(b"y"));
        encode(&cache.entries)
    }

    proptest::proptest! {
        #[test]
        fn a_cache_is_read_as_it_was_written_or_not_at_all(bytes in crate::base::faults::mutated(written())) {
            proptest::prop_assert_eq!(decode(&bytes).is_some(), bytes == written());
        }

        /// A sum can be had by whoever writes the file: what is behind it must not make mlp fail either.
        #[test]
        fn no_bytes_make_it_panic(bytes in crate::base::faults::mutated(written()[..written().len() - 32].to_vec())) {
            let sum = Digest::of_blob(&bytes);
            let _ = decode(&[&bytes, sum.as_bytes().as_slice()].concat());
        }
    }
}
