//! The weaker level, for machines that refuse namespaces and whose kernel has Landlock: the program runs among the machine's
//! processes, and the kernel refuses it every file but those that it is given. Runs in the process that becomes the
//! program, after it has given up its rights and before its filters.
//!
//! What it leaves open, and namespaces close: the machine's names of users and hosts, processes in /proc, their numbers,
//! the clock of /proc; and places, which differ from build to build.

use super::first::{Step, step};
use super::syscall::{self, LandlockRules};
use super::wire::{Access, Refusal};
use nix::errno::Errno;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const TRUNCATE: u64 = 1 << 14;

/// What a rule for a file, not a folder, may allow.
const OF_FILES: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | 1 << 15;
/// Reading, and running.
const READ: u64 = EXECUTE | READ_FILE | READ_DIR;
/// Binding and connecting of TCP.
const TCP: u64 = 0b11;
/// Abstract sockets and signals of processes outside.
const OTHERS: u64 = 0b11;

/// Devices that may be written, and those that may be read.
const WRITABLE_DEVICES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];
const READABLE_DEVICES: [&str; 2] = ["/dev/random", "/dev/urandom"];

/// The version of the kernel's Landlock; why not, where it has none.
pub fn landlock_version() -> Result<u32, Refusal> {
    step(
        || "ask the kernel for Landlock".into(),
        syscall::landlock_version(),
    )
}

/// Rights over files that the kernel of this version can refuse.
fn handled(version: u32) -> u64 {
    let count = match version {
        1 => 13,
        2 => 14,
        3 | 4 => 15,
        _ => 16,
    };
    (1 << count) - 1
}

/// Leaves the process nothing but `access`, for good. Needs no_new_privs.
pub(super) fn restrict(access: &Access) -> Step<()> {
    let version = landlock_version()?;
    let files = handled(version);
    let rules = LandlockRules {
        files,
        network: if version >= 4 { TCP } else { 0 },
        scoped: if version >= 6 { OTHERS } else { 0 },
    };
    let rules = step(|| "make Landlock's rules".into(), syscall::landlock_rules(&rules))?;
    let allow = |path: &Path, rights: u64| {
        let words = || format!("let the program reach {}", path.display());
        let opened = File::options().read(true).custom_flags(libc::O_PATH).open(path);
        let file = step(words, super::enter::result(opened))?;
        let metadata = step(words, super::enter::result(file.metadata()))?;
        let rights = if metadata.is_dir() {
            rights
        } else {
            rights & OF_FILES
        };
        step(
            words,
            syscall::landlock_allow(rules.as_fd(), file.as_fd(), rights & files),
        )
    };
    access.read.iter().try_for_each(|path| allow(path, READ))?;
    access.write.iter().try_for_each(|path| allow(path, files))?;
    for device in WRITABLE_DEVICES {
        allow(Path::new(device), READ_FILE | WRITE_FILE | TRUNCATE)?;
    }
    for device in READABLE_DEVICES {
        allow(Path::new(device), READ_FILE)?;
    }
    allow(Path::new("/proc"), READ_FILE | READ_DIR)?;
    let restricted = syscall::landlock_restrict(rules.as_fd());
    step(|| "restrict the program by Landlock".into(), restricted)
}

/// What the errno of [`landlock_version`] means.
pub(super) fn why_none(errno: i32) -> &'static str {
    match Errno::from_raw(errno) {
        Errno::EOPNOTSUPP => {
            "this kernel has Landlock, and it is off: an administrator can start the machine with `lsm=landlock,…`"
        }
        Errno::ENOSYS => "this kernel has no Landlock: it is there from Linux 5.13 on",
        _ => "a container around mlp forbids it: its seccomp profile must allow landlock_create_ruleset",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_kernel_refuses_no_less() {
        let all: Vec<u64> = (1..9).map(handled).collect();
        assert!(all.is_sorted());
        assert_eq!((all[0], all[6]), (0x1fff, 0xffff));
    }

    #[test]
    fn a_kernel_without_landlock_is_explained() {
        let refusal = Refusal {
            operation: "ask the kernel for Landlock".into(),
            errno: libc::EOPNOTSUPP,
        };
        assert!(refusal.help().unwrap().contains("lsm=landlock"));
    }
}
