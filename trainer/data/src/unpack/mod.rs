//! `unpack`: what is in an archive, as a directory. Formats are told by their first bytes: tar, by itself or compressed by
//! gzip, zstd or xz, and zip. An archive is somebody else's: what may be written is for [`extract`] to say.

mod compressed;
mod extract;

use crate::channel::Channel;
use crate::{files, program};
use compressed::{Compression, decoder};
use extract::Extraction;
use mlp_protocol::call::Call;
use mlp_protocol::message::{Failure, Outcome};
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use tar::EntryType;
use zip::result::ZipError;

/// The name of the input.
const ARCHIVE: &str = "archive";
/// The size of a block of tar.
const BLOCK: usize = 512;
/// What a file of zip may be: the bits of its mode that say so, and those of a symbolic link.
const KIND: u32 = 0o170_000;
const LINK: u32 = 0o120_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

/// Builds `unpack`.
///
/// # Errors
/// When the input is no archive, is damaged, or holds what must not be written.
pub fn build(call: &Call, channel: &Channel) -> Outcome<()> {
    let archive = Path::new(program::input(call, ARCHIVE)?);
    let unreadable = |error: io::Error| {
        Failure::new("B0002", format!("the archive cannot be read: {error}")).argument(ARCHIVE)
    };
    for output in call.outputs.values() {
        files::create_dir(Path::new(output))?;
        let mut file = File::open(archive).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let mut into = Extraction::new(Path::new(output), size, Some(channel));
        let start = beginning(&mut file).map_err(unreadable)?;
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        unpack(file, &start, &mut into)?;
    }
    Ok(())
}

/// The first bytes of a file.
fn beginning(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(BLOCK);
    file.take(BLOCK as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// Unpacks what begins with `start`, which `file` stands before.
fn unpack(file: impl Read + Seek, start: &[u8], into: &mut Extraction<'_>) -> Outcome<()> {
    if [&b"PK\x03\x04"[..], b"PK\x05\x06"]
        .iter()
        .any(|magic| start.starts_with(magic))
    {
        return unzip(file, into);
    }
    let Some(compression) = Compression::of(start) else {
        return match is_tar(start) {
            true => untar(io::BufReader::new(file), into),
            false => Err(no_archive(None)),
        };
    };
    let mut decoder = decoder(compression, io::BufReader::new(file)).map_err(|error| damaged(&error))?;
    let start = beginning(&mut decoder).map_err(|error| damaged(&error))?;
    if !is_tar(&start) {
        return Err(no_archive(Some(compression)));
    }
    let mut whole = Cursor::new(start).chain(decoder);
    untar(&mut whole, into)?;
    // To its end, where its checksum is.
    into.pass_over(&mut whole)
}

/// Whether a block is the first of a tar: its checksum is right, or nothing follows.
fn is_tar(block: &[u8]) -> bool {
    const SUM: std::ops::Range<usize> = 148..156;
    if block.len() < BLOCK {
        return false;
    }
    if block.iter().all(|byte| *byte == 0) {
        return true;
    }
    let written: String = block[SUM].iter().map(|byte| char::from(*byte)).collect();
    let written = u64::from_str_radix(written.trim_matches([' ', '\0']), 8);
    let bytes = block.iter().enumerate();
    let sum = bytes.map(|(at, byte)| u64::from(if SUM.contains(&at) { b' ' } else { *byte }));
    written == Ok(sum.sum())
}

fn untar(archive: impl Read, into: &mut Extraction<'_>) -> Outcome<()> {
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries().map_err(|error| damaged(&error))? {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        let kind = entry.header().entry_type();
        let name = entry.path_bytes().into_owned();
        let target = entry.link_name_bytes().map(|target| target.into_owned());
        let executable = entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0);
        match (kind, target) {
            (EntryType::XGlobalHeader, _) => {}
            (EntryType::Directory, _) => into.folder(&name)?,
            // Old programs wrote folders as files.
            (EntryType::Regular, _) if name.ends_with(b"/") => into.folder(&name)?,
            (EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse, _) => {
                into.file(&name, executable, &mut entry)?;
            }
            (EntryType::Symlink, Some(target)) => into.link(&name, &target)?,
            (EntryType::Link, Some(target)) => into.same(&name, &target)?,
            (EntryType::Char | EntryType::Block | EntryType::Fifo, _) => {
                return Err(extract::refused(&name, "is a device or a pipe"));
            }
            _ => {
                return Err(extract::refused(
                    &name,
                    "is neither a file nor a folder nor a link",
                ));
            }
        }
    }
    Ok(())
}

fn unzip(archive: impl Read + Seek, into: &mut Extraction<'_>) -> Outcome<()> {
    let mut archive = zip::ZipArchive::new(archive).map_err(|error| broken_zip(&error))?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| broken_zip(&error))?;
        let name = entry.name().as_bytes().to_vec();
        let mode = entry.unix_mode().unwrap_or(REGULAR);
        match mode & KIND {
            _ if entry.is_dir() => into.folder(&name)?,
            LINK => {
                let mut target = Vec::new();
                let read = (&mut entry).take(extract::LONGEST).read_to_end(&mut target);
                read.map_err(|error| damaged(&error))?;
                into.link(&name, &target)?;
            }
            // Programs that are not of Unix write no kind.
            REGULAR | 0 => into.file(&name, mode & 0o111 != 0, &mut entry)?,
            FOLDER => into.folder(&name)?,
            _ => return Err(extract::refused(&name, "is a device or a pipe")),
        }
    }
    Ok(())
}

fn no_archive(compression: Option<Compression>) -> Box<Failure> {
    let failure = match compression {
        None => Failure::new("B0411", "the file is no archive that `unpack` knows"),
        Some(compression) => {
            let name = compression.name();
            Failure::new(
                "B0411",
                format!("the file is compressed by {name}, and what is in it is no tar"),
            )
        }
    };
    let help = match compression {
        None => "it takes .tar, .tar.gz, .tar.zst, .tar.xz and .zip".to_owned(),
        Some(compression) => format!(
            "decompress it in a step: `step([\"sh\", \"-c\", \"{} -dc inputs/file > out\"], …)`",
            compression.name()
        ),
    };
    failure.argument(ARCHIVE).help(help)
}

/// What a decoder or tar says of bytes that are not what they should be.
fn damaged(error: &io::Error) -> Box<Failure> {
    Failure::new("B0412", format!("the archive is damaged: {error}"))
        .argument(ARCHIVE)
        .help("get it again, and compare its digest with that of who made it")
}

fn broken_zip(error: &ZipError) -> Box<Failure> {
    match error {
        ZipError::UnsupportedArchive(what) => Failure::new(
            "B0411",
            format!("the zip is of a kind that `unpack` does not know: {what}"),
        )
        .argument(ARCHIVE)
        .help("pack it again, stored or deflated, without a password; or as .tar.gz"),
        ZipError::Io(error) => damaged(error),
        error => damaged(&io::Error::other(error.to_string())),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
