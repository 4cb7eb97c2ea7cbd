//! Stores on disks that are full, read-only or gone.
#![expect(
    clippy::disallowed_methods,
    reason = "mounting is what a test of a full disk needs"
)]

use crate::faults::dice::{Dice, is_long};
use crate::faults::place::Place;
use std::path::Path;
use std::process::Command;

/// A file system of its own, of `size`, which is unmounted at the end.
struct Mounted {
    folder: tempfile::TempDir,
}

impl Mounted {
    /// None where this process may not mount.
    fn of(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=0755");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { folder });
        }
        eprintln!("not tested: mounting a small file system needs root");
        None
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let done = Command::new("mount")
            .args(["-o", &options])
            .arg(self.path())
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.path()).output());
    }
}

#[test]
fn a_full_disk_is_said_and_the_next_build_goes_on() {
    let Some(disk) = Mounted::of("8k") else { return };
    let place = Place::with_store(&disk.path().join("store"));
    let mut dice = Dice::of("a full disk");
    let mut size = 8;
    // A little more each time, so that it is full at ever later a write.
    loop {
        size += 40 + dice.below(if is_long() { 10 } else { 200 });
        disk.remount(&format!("size={size}k"));
        let ran = place.run();
        if ran.code == Some(0) {
            break;
        }
        ran.failed_clearly();
        // A failed step is told in the report, a store that cannot be made at once.
        let said = format!("{}{}", ran.out, ran.err);
        assert!(
            said.contains("the disk is full") || said.contains("No space left"),
            "{said}"
        );
    }
    assert!(size > 300, "it was full at some time");
    place.succeeds();
    crate::faults::damage::store_is_whole(&place);
}

#[test]
fn a_read_only_store_is_said_and_what_is_in_it_can_be_used() {
    let Some(disk) = Mounted::of("64m") else { return };
    let place = Place::with_store(&disk.path().join("store"));
    let empty = disk.path().join("store");
    disk.remount("ro");
    let ran = place.run();
    ran.failed_clearly();
    assert!(ran.err.contains("read-only"), "{}", ran.err);
    disk.remount("rw");
    place.succeeds();
    assert!(empty.is_dir());
    disk.remount("ro");
    place.succeeds();
    disk.remount("rw");
}

#[test]
fn a_store_that_vanishes_is_made_anew() {
    let place = Place::new();
    let mut child = place.start();
    while !place.store().join("version").exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    std::fs::rename(place.store(), place.store().with_extension("gone")).unwrap();
    let ran = crate::faults::place::Ran::of(child);
    ran.failed_clearly();
    if place.store().exists() {
        // What was made at the old place meanwhile is no store, and is said to be none.
        std::fs::remove_dir_all(place.store()).unwrap();
    }
    place.succeeds();
}

#[test]
fn a_source_that_is_edited_while_builds_run_never_gives_a_mixed_result() {
    let place = Place::new();
    let path = place.project().join("points.csv");
    let right = std::fs::read_to_string(&path).unwrap();
    for wrong in [
        right.replace("7,", "6,"),
        String::new(),
        right[..right.len() / 2].to_owned(),
    ] {
        std::fs::write(&path, &right).unwrap();
        let child = place.start();
        std::fs::write(&path, wrong).unwrap();
        let ran = crate::faults::place::Ran::of(child);
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
    }
    std::fs::write(&path, &right).unwrap();
    place.succeeds();
}
