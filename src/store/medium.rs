//! The file system that a store lies on: of what kind it is, how much is free, and whether it does what a store needs.

use super::Store;
use super::error::{StoreError, at};
use crate::base::atomic;
use rustix::fs::{StatVfsMountFlags, statvfs};
use std::io;
use std::path::Path;

/// A file system.
#[derive(Debug)]
pub struct Medium {
    /// Its kind, as `mount` names it, where it is known.
    pub kind: Option<&'static str>,
    /// Whether other machines may use it at the same time.
    pub network: bool,
    /// Bytes that this user may still write.
    pub free: u64,
    /// What it does not do, of all that was tried.
    pub refused: Vec<(Feature, io::Error)>,
}

/// What a store asks of its file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Files are replaced whole.
    Rename,
    /// Files are there after a loss of power.
    Sync,
    /// A file has several names: folders for steps to read are made of them, and what is in the way is not replaced.
    HardLink,
    /// Programs can be run from it.
    Execute,
}

/// Kinds by the number that statfs(2) gives, and whether they are of the network.
const KINDS: &[(i64, &str, bool)] = &[
    (0xef53, "ext4", false),
    (0x5846_5342, "xfs", false),
    (0x9123_683e, "btrfs", false),
    (0x2fc1_2fc1, "zfs", false),
    (0xf2f5_2010, "f2fs", false),
    (0xca45_1a4e, "bcachefs", false),
    (0x0102_1994, "tmpfs", false),
    (0x794c_7630, "overlay", false),
    (0x6573_5546, "fuse", true),
    (0x6969, "nfs", true),
    (0xff53_4d42, "cifs", true),
    (0xfe53_4d42, "smb2", true),
    (0x0102_1997, "9p", true),
    (0x00c3_6400, "ceph", true),
    (0x0bd0_0bd0, "lustre", true),
    (0x4750_4653, "gpfs", true),
    (0x1983_0326, "beegfs", true),
    (0x5346_414f, "afs", true),
];

impl Store {
    /// Looks at the file system, and tries it in a scratch folder.
    pub fn medium(&self) -> Result<Medium, StoreError> {
        let root = self.root();
        let told = rustix::fs::statfs(root).map_err(|errno| at("look at", root)(errno.into()))?;
        let kind = KINDS.iter().find(|(known, ..)| *known == told.f_type);
        let scratch = self.scratch()?;
        Ok(Medium {
            kind: kind.map(|(_, name, _)| *name),
            network: kind.is_some_and(|(.., network)| *network),
            free: told
                .f_bavail
                .saturating_mul(u64::try_from(told.f_bsize).unwrap_or_default()),
            refused: try_all(scratch.path()),
        })
    }
}

/// Bytes that the file system of `folder` holds when it is empty; no bound where it does not say.
pub(super) fn capacity(folder: &Path) -> u64 {
    let told = rustix::fs::statfs(folder).ok();
    let bytes = told.and_then(|told| told.f_blocks.checked_mul(u64::try_from(told.f_bsize).ok()?));
    bytes.filter(|bytes| *bytes > 0).unwrap_or(u64::MAX)
}

fn try_all(folder: &Path) -> Vec<(Feature, io::Error)> {
    let (one, other, third) = (folder.join("one"), folder.join("other"), folder.join("third"));
    let sync = || {
        atomic::create(&one, b"x")?;
        atomic::sync(&one)?;
        atomic::sync(folder)
    };
    let execute = || match statvfs(folder)?.f_flag.contains(StatVfsMountFlags::NOEXEC) {
        true => Err(io::Error::other("it is mounted with `noexec`")),
        false => Ok(()),
    };
    let tried = [
        (Feature::Sync, sync()),
        (Feature::Rename, atomic::rename(&one, &other)),
        (Feature::HardLink, atomic::link(&other, &third)),
        (Feature::Execute, execute()),
    ];
    let refused = tried.into_iter();
    refused
        .filter_map(|(feature, tried)| Some((feature, tried.err()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_file_system_does_all_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let medium = Store::open(&folder.path().join("store"))
            .unwrap()
            .medium()
            .unwrap();
        assert!(medium.free > 0);
        // Where temporary files are on a file system from which nothing may be run, that is told.
        let told = |(feature, _): &(Feature, io::Error)| *feature != Feature::Execute;
        assert!(!medium.refused.iter().any(told), "{:?}", medium.refused);
    }
}
