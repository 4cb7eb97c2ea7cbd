//! Archives of all formats, honest and hostile.

use super::*;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

/// What a directory holds: files by their text, links by `-> target`, folders by `/`; executable files with a `*`.
fn listed(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap();
            let what = if kind.is_dir() {
                folders.push(path.clone());
                "/".to_owned()
            } else if kind.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else {
                let star = if kind.permissions().mode() & 0o111 != 0 {
                    "*"
                } else {
                    ""
                };
                fs::read_to_string(&path).unwrap() + star
            };
            found.insert(path.strip_prefix(root).unwrap().display().to_string(), what);
        }
    }
    found
}

fn bounded(bytes: &[u8], bounds: Option<(u64, u64)>) -> Result<BTreeMap<String, String>, String> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("out");
    fs::create_dir(&root).unwrap();
    let mut into = Extraction::new(&root, bytes.len() as u64, None);
    if let Some((entries, bytes)) = bounds {
        into = into.bounded(entries, bytes);
    }
    let start = &bytes[..bytes.len().min(BLOCK)];
    let done = unpack(Cursor::new(bytes), start, &mut into);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "something lies outside"
    );
    match done {
        Ok(()) => Ok(listed(&root)),
        Err(failure) => Err(format!("{} {}", failure.code, failure.message)),
    }
}

fn unpacked(bytes: &[u8]) -> Result<BTreeMap<String, String>, String> {
    bounded(bytes, None)
}

/// An entry of a tar: its kind, its name, its content or where it leads.
type Entry<'e> = (EntryType, &'e str, &'e str);

/// A tar whose names are written as they are, whatever they are.
fn tar_of(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (kind, name, content) in entries {
        let mut header = tar::Header::new_ustar();
        let old = header.as_mut_bytes();
        old[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(if name.ends_with(".sh") { 0o4755 } else { 0o644 });
        let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
        if is_link {
            header.as_mut_bytes()[157..157 + content.len()].copy_from_slice(content.as_bytes());
        }
        header.set_size(if is_link { 0 } else { content.len() as u64 });
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
        if !is_link {
            archive.extend_from_slice(content.as_bytes());
            archive.resize(archive.len().next_multiple_of(BLOCK), 0);
        }
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

fn honest() -> Vec<u8> {
    tar_of(&[
        (
            EntryType::XGlobalHeader,
            "pax_global_header",
            "19 comment=abcdefg\n",
        ),
        (EntryType::Directory, "./", ""),
        (EntryType::Directory, "./data/", ""),
        (EntryType::Regular, "./data/a.csv", "1,2\n"),
        (EntryType::Regular, "data/run.sh", "#!/bin/sh\n"),
        (EntryType::Regular, "deep/er/b", "b"),
        (EntryType::Symlink, "deep/link", "../data/a.csv"),
        (EntryType::Link, "same", "data/a.csv"),
        (EntryType::Directory, "empty/", ""),
    ])
}

fn expected() -> BTreeMap<String, String> {
    let all = [
        ("data", "/"),
        ("data/a.csv", "1,2\n"),
        ("data/run.sh", "#!/bin/sh\n*"),
        ("deep", "/"),
        ("deep/er", "/"),
        ("deep/er/b", "b"),
        ("deep/link", "-> ../data/a.csv"),
        ("same", "1,2\n"),
        ("empty", "/"),
    ];
    all.map(|(path, what)| (path.to_owned(), what.to_owned())).into()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip_of(entries: &[(&str, u32, &str)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mode, content) in entries {
        let options = zip::write::FileOptions::default().unix_permissions(*mode);
        match mode & KIND {
            LINK => archive.add_symlink(*name, *content, options).unwrap(),
            _ if name.ends_with('/') => archive.add_directory(*name, options).unwrap(),
            _ => {
                archive.start_file(*name, options).unwrap();
                archive.write_all(content.as_bytes()).unwrap();
            }
        }
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn every_format_gives_the_same() {
    let tar = honest();
    assert_eq!(unpacked(&tar), Ok(expected()));
    assert_eq!(unpacked(&gzip(&tar)), Ok(expected()));
    // In several members, as pigz and bgzip write.
    let (one, other) = tar.split_at(700);
    assert_eq!(unpacked(&[gzip(one), gzip(other)].concat()), Ok(expected()));
    let zstd =
        |bytes: &[u8]| ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
    assert_eq!(unpacked(&zstd(&tar)), Ok(expected()));
    assert_eq!(unpacked(&[zstd(one), zstd(other)].concat()), Ok(expected()));
    let zip = zip_of(&[
        ("data/", 0o755, ""),
        ("data/a.csv", 0o644, "1,2\n"),
        ("data/run.sh", 0o755, "#!/bin/sh\n"),
        ("deep/er/b", 0o644, "b"),
        ("deep/link", LINK | 0o777, "../data/a.csv"),
        ("same", 0o644, "1,2\n"),
        ("empty/", 0o755, ""),
    ]);
    assert_eq!(unpacked(&zip), Ok(expected()));
    assert_eq!(unpacked(&tar_of(&[])), Ok(BTreeMap::new()));
}

#[test]
fn an_xz_is_read() {
    // `printf x > x; tar --format=ustar -c x | xz`, made once.
    let archive = include_bytes!("x.tar.xz");
    assert_eq!(unpacked(archive), Ok([("x".to_owned(), "x".to_owned())].into()));
}

#[test]
fn hostile_archives_are_refused() {
    use EntryType::{Block, Char, Directory, Fifo, Link, Regular, Symlink};
    let deep = "d/".repeat(200) + "x";
    let long = "x".repeat(300);
    let cases: Vec<Vec<Entry<'_>>> = vec![
        vec![(Regular, "../out", "x")],
        vec![(Regular, "a/../../out", "x")],
        vec![(Regular, "/etc/out", "x")],
        vec![(Directory, "../out/", "")],
        vec![(Symlink, "link", "/etc/passwd")],
        vec![(Symlink, "link", "../out")],
        vec![(Symlink, "a/link", "b/../../../out")],
        vec![(Symlink, "link", ".."), (Regular, "link/out", "x")],
        vec![
            (Directory, "d/", ""),
            (Symlink, "link", "d"),
            (Regular, "link/x", "x"),
        ],
        vec![(Symlink, "link", "a"), (Regular, "link", "x")],
        vec![(Regular, "a", "x"), (Regular, "./a", "y")],
        vec![(Regular, "a", "x"), (Regular, "a/b", "y")],
        vec![(Regular, "a", "x"), (Directory, "a/", "")],
        vec![(Link, "same", "nothing")],
        vec![(Link, "same", "../out")],
        vec![(Symlink, "link", "a"), (Link, "same", "link")],
        vec![(Char, "null", "")],
        vec![(Block, "disk", "")],
        vec![(Fifo, "pipe", "")],
        vec![(Regular, ".", "x")],
        vec![(EntryType::new(b'Q'), "odd", "")],
    ];
    let mut told: Vec<String> = cases
        .iter()
        .map(|case| unpacked(&tar_of(case)).unwrap_err())
        .collect();
    let zips = [
        zip_of(&[("../out", 0o644, "x")]),
        zip_of(&[("/out", 0o644, "x")]),
        zip_of(&[("link", LINK | 0o777, "../out")]),
        zip_of(&[("link", LINK | 0o777, "d"), ("link/x", 0o644, "x")]),
        zip_of(&[(&deep, 0o644, "x")]),
        zip_of(&[(&long, 0o644, "x")]),
    ];
    told.extend(zips.iter().map(|zip| unpacked(zip).unwrap_err()));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_is_too_much_is_refused() {
    let tar = honest();
    assert!(bounded(&tar, Some((9, 100))).is_ok());
    assert!(bounded(&tar, Some((8, 100))).unwrap_err().starts_with("B0414"));
    assert!(bounded(&tar, Some((9, 18))).unwrap_err().starts_with("B0414"));
    // What lies behind the end of a tar is decompressed, too.
    let tail = gzip(&[tar, vec![0; 10_000]].concat());
    assert!(bounded(&tail, Some((9, 5_000))).unwrap_err().starts_with("B0414"));
}

#[test]
fn what_is_no_archive_or_damaged_is_said() {
    let tar = honest();
    let mut flipped = gzip(&tar);
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    let zip = zip_of(&[(
        "a",
        0o644,
        "some text that is long enough to be deflated, deflated, deflated",
    )]);
    let mut torn = zip.clone();
    torn[40] ^= 0xff;
    let cases: [&[u8]; 10] = [
        b"",
        b"a,b\n1,2\n",
        &gzip(b"a,b\n1,2\n"),
        &tar[..tar.len() - 2 * BLOCK - 100],
        &gzip(&tar)[..100],
        &flipped,
        &zip[..zip.len() - 10],
        &torn,
        b"\x28\xb5\x2f\xfd but no frame",
        b"\xfd7zXZ\x00 but no stream",
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|bytes| unpacked(bytes).map_or_else(|told| told, |found| format!("{found:?}")))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}
