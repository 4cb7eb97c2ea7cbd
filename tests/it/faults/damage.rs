//! A bit flipped in, or the whole of, each kind of file of a store and of a project's state: the next build comes to the
//! right result.

use crate::faults::place::Place;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// All regular files below `folder`, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(at) = pending.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => pending.push(entry.path()),
                kind if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    if let Some(byte) = bytes.get_mut(path.as_os_str().len() % 7) {
        *byte ^= 1;
    }
    open(path);
    std::fs::write(path, bytes).unwrap();
}

fn cut(path: &Path) {
    open(path);
    let half = std::fs::metadata(path).unwrap().len() / 2;
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(half).unwrap();
}

fn remove(path: &Path) {
    let parent = path.parent().unwrap();
    std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::remove_file(path).unwrap();
}

fn open(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
}

/// Harms all files of each kind, one kind after the other, and builds after each.
fn every_kind_survives(harm: fn(&Path)) {
    let place = Place::new();
    place.succeeds();
    for kind in ["objects", "trees", "views", "r", "s", "drv", "attest", "locks"] {
        for path in files(&place.store().join(kind)) {
            harm(&path);
        }
        place.succeeds();
    }
    // With the traces gone as well, results are found by what went into them, and read for the next steps.
    for path in ["objects", "s"]
        .map(|kind| files(&place.store().join(kind)))
        .concat()
    {
        harm(&path);
    }
    place.succeeds();
    for path in files(&place.project().join(".mlp")) {
        harm(&path);
    }
    place.succeeds();
}

/// Every object holds the bytes of its name, every record those of its sum.
pub(crate) fn store_is_whole(place: &Place) {
    for path in files(&place.store().join("objects")) {
        let name = path.iter().rev().take(2).map(|part| part.to_str().unwrap());
        let name = name.collect::<Vec<_>>().into_iter().rev().collect::<String>();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(
            blake3::hash(&bytes).to_hex().as_str(),
            name.trim_end_matches("-x"),
            "{path:?}"
        );
    }
    for path in ["r", "s", "c"]
        .map(|kind| files(&place.store().join(kind)))
        .concat()
    {
        let text = std::fs::read_to_string(&path).unwrap();
        let (line, sum) = text.trim_end().split_once('\n').unwrap();
        assert_eq!(blake3::hash(line.as_bytes()).to_hex().as_str(), sum, "{path:?}");
    }
}

#[test]
fn flipped_bits_are_mended() {
    every_kind_survives(flip);
}

#[test]
fn files_that_are_cut_short_are_mended() {
    every_kind_survives(cut);
}

#[test]
fn files_that_are_gone_are_made_again() {
    every_kind_survives(remove);
}

#[test]
fn what_was_mended_is_told() {
    let place = Place::new();
    place.succeeds();
    // The very inode of the object, which no step reads and a person does.
    flip(&place.project().join("result/splits[s=3].b/x.safetensors"));
    let report = place.succeeds();
    let warnings = report["warnings"].to_string();
    assert!(
        warnings.contains("it was put aside and is made again"),
        "{report}"
    );
    let again = place.succeeds();
    assert!(!again.to_string().contains("put aside"), "{again}");
}

#[test]
fn a_store_of_another_kind_is_refused() {
    let place = Place::new();
    place.succeeds();
    flip(&place.store().join("version"));
    let ran = place.run();
    ran.failed_clearly();
    assert!(ran.err.contains("no store of this version"), "{}", ran.err);
}
