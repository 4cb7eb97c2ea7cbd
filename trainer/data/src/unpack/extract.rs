//! Writing what an archive holds, and refusing what must not be written: names that lead out, links that do, what goes
//! through a link, what comes twice, devices, and more than any honest archive comes to.

use crate::channel::Channel;
use crate::files::cannot_write;
use mlp_protocol::message::{Failure, Message, Outcome};
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Files, folders and links, at most.
const ENTRIES: u64 = 2_000_000;
/// Folders inside folders, at most.
const DEPTH: usize = 128;
/// Bytes that any archive may come to.
const ALWAYS: u64 = 16 << 30;
/// So many times its size a larger archive may come to. What is compressed further is made to fill a disk.
const TIMES: u64 = 200;
/// Bytes of a link's target, at most.
pub(super) const LONGEST: u64 = 4096;
/// Bytes that are written at a time.
const CHUNK: usize = 256 << 10;
/// Letters of a name that are shown.
const SHOWN: usize = 80;
/// How often is told how far it is.
const OFTEN: Duration = Duration::from_millis(200);

/// A directory into which an archive is unpacked.
pub(super) struct Extraction<'c> {
    root: PathBuf,
    entries_left: u64,
    bytes_left: u64,
    /// The folder that was last seen to be one, all of its way.
    folder: Option<String>,
    channel: Option<&'c Channel>,
    written: u64,
    told: Instant,
}

impl<'c> Extraction<'c> {
    /// Into `root`, from an archive of so many bytes.
    pub(super) fn new(root: &Path, size: u64, channel: Option<&'c Channel>) -> Self {
        Self {
            root: root.to_owned(),
            entries_left: ENTRIES,
            bytes_left: ALWAYS.max(size.saturating_mul(TIMES)),
            folder: None,
            channel,
            written: 0,
            told: Instant::now(),
        }
    }

    /// With other bounds: entries and bytes.
    #[cfg(test)]
    pub(super) fn bounded(mut self, entries: u64, bytes: u64) -> Self {
        (self.entries_left, self.bytes_left) = (entries, bytes);
        self
    }

    /// A folder.
    pub(super) fn folder(&mut self, name: &[u8]) -> Outcome<()> {
        match self.path(name)? {
            Some(path) => self.enter(&path, name),
            None => Ok(()),
        }
    }

    /// A file with what `content` holds.
    pub(super) fn file(&mut self, name: &[u8], executable: bool, content: &mut dyn Read) -> Outcome<()> {
        let place = self.place(name)?;
        let mut file = OpenOptions::new();
        file.write(true).create_new(true);
        file.mode(if executable { 0o755 } else { 0o644 });
        let mut file = file
            .open(&place)
            .map_err(|error| not_made(name, &place, &error))?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = read(content, &mut chunk).map_err(|error| super::damaged(&error))?;
            if read == 0 {
                return Ok(());
            }
            self.count(read)?;
            file.write_all(&chunk[..read])
                .map_err(|error| cannot_write(&place, &error))?;
            self.tell();
        }
    }

    /// A symbolic link.
    pub(super) fn link(&mut self, name: &[u8], target: &[u8]) -> Outcome<()> {
        let depth = self.path(name)?.map_or(0, |path| path.matches('/').count());
        let place = self.place(name)?;
        let target = std::str::from_utf8(target)
            .ok()
            .filter(|target| (target.len() as u64) < LONGEST && stays_inside(depth, target));
        let target = target.ok_or_else(|| refused(name, "is a link that leaves the archive"))?;
        std::os::unix::fs::symlink(target, &place).map_err(|error| not_made(name, &place, &error))
    }

    /// A file that is the same as one before it.
    pub(super) fn same(&mut self, name: &[u8], other: &[u8]) -> Outcome<()> {
        let path = self.path(other)?;
        let is_file =
            |path: &String| fs::symlink_metadata(self.root.join(path)).is_ok_and(|found| found.is_file());
        let path = path.filter(is_file);
        let path = path.ok_or_else(|| refused(name, "is a link to a file that is not in the archive"))?;
        // Sees that there is no link on the way to it.
        self.enter(&parent(&path), other)?;
        let from = self.root.join(path);
        let metadata = fs::metadata(&from);
        let executable = metadata.is_ok_and(|found| found.permissions().mode() & 0o111 != 0);
        let mut content = fs::File::open(&from).map_err(|error| cannot_write(&from, &error))?;
        self.file(name, executable, &mut content)
    }

    /// Reads a stream to its end.
    pub(super) fn pass_over(&mut self, stream: &mut dyn Read) -> Outcome<()> {
        let mut chunk = vec![0; CHUNK];
        loop {
            match read(stream, &mut chunk).map_err(|error| super::damaged(&error))? {
                0 => return Ok(()),
                read => self.count(read)?,
            }
        }
    }

    /// The path of a name, without what says nothing; none where it is the root.
    fn path(&self, name: &[u8]) -> Outcome<Option<String>> {
        let text = std::str::from_utf8(name).map_err(|_| refused(name, "has a name that is not UTF-8"))?;
        if text.starts_with('/') {
            return Err(refused(name, "has a name that begins at the root of the machine"));
        }
        if text.contains('\0') {
            return Err(refused(name, "has a name with a zero byte"));
        }
        let parts: Vec<&str> = text
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect();
        if parts.contains(&"..") {
            return Err(refused(name, "has a name that leads out of the archive"));
        }
        if parts.len() > DEPTH {
            return Err(refused(name, "is nested too deeply"));
        }
        Ok((!parts.is_empty()).then(|| parts.join("/")))
    }

    /// Where something is to be made; the folder around it is there then.
    fn place(&mut self, name: &[u8]) -> Outcome<PathBuf> {
        let path = self.path(name)?;
        let path = path.ok_or_else(|| refused(name, "has no name"))?;
        self.entry()?;
        self.enter(&parent(&path), name)?;
        Ok(self.root.join(path))
    }

    /// Makes the folder `path`, and sees that it and all on its way are folders, and no links.
    fn enter(&mut self, path: &str, name: &[u8]) -> Outcome<()> {
        if self.folder.as_deref() == Some(path) {
            return Ok(());
        }
        let mut here = self.root.clone();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            here.push(part);
            match fs::symlink_metadata(&here) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(refused(name, "lies behind a link or a file")),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    self.entry()?;
                    fs::create_dir(&here).map_err(|error| not_made(name, &here, &error))?;
                }
                Err(error) => return Err(not_made(name, &here, &error)),
            }
        }
        self.folder = Some(path.to_owned());
        Ok(())
    }

    fn entry(&mut self) -> Outcome<()> {
        let left = self.entries_left.checked_sub(1);
        self.entries_left =
            left.ok_or_else(|| too_much(&format!("more than {ENTRIES} files and folders")))?;
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Outcome<()> {
        let left = self.bytes_left.checked_sub(bytes as u64);
        self.bytes_left = left.ok_or_else(|| {
            too_much(&format!(
                "more than {} GiB, and more than {TIMES} times its own size",
                ALWAYS >> 30
            ))
        })?;
        self.written += bytes as u64;
        Ok(())
    }

    /// Says how far it is, now and then. Who does not listen is told in vain.
    fn tell(&mut self) {
        if let Some(channel) = self.channel.filter(|_| self.told.elapsed() > OFTEN) {
            self.told = Instant::now();
            let _ = channel.send(&Message::Progress {
                done: self.written,
                total: None,
                unit: "bytes".to_owned(),
            });
        }
    }
}

fn read(from: &mut dyn Read, chunk: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(chunk) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn parent(path: &str) -> String {
    path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned()
}

/// Whether the target of a link, so many folders deep, stays below the root whatever other links are there: it may go up only
/// before it goes down, as in mlp's store.
fn stays_inside(depth: usize, target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') || target.contains('\0') {
        return false;
    }
    let mut parts = target.split('/').filter(|part| !matches!(*part, "" | "."));
    let up = parts.by_ref().take_while(|part| *part == "..").count();
    up <= depth && parts.all(|part| part != "..")
}

/// An entry that must not be unpacked.
pub(super) fn refused(name: &[u8], why: &str) -> Box<Failure> {
    let name = String::from_utf8_lossy(name).escape_debug().to_string();
    let shown: String = name.chars().take(SHOWN).collect();
    let more = if shown.len() < name.len() { "…" } else { "" };
    Failure::new("B0413", format!("`{shown}{more}` in the archive {why}"))
        .argument(super::ARCHIVE)
        .help("nothing of it was kept; unpack it by a step of your own if you trust it, or have it packed again")
}

fn too_much(what: &str) -> Box<Failure> {
    Failure::new("B0414", format!("the archive comes to {what}"))
        .argument(super::ARCHIVE)
        .help("it looks as if it were made to fill a disk; unpack it by a step of your own if you trust it")
}

fn not_made(name: &[u8], place: &Path, error: &io::Error) -> Box<Failure> {
    match error.kind() {
        ErrorKind::AlreadyExists => refused(name, "is in it twice"),
        ErrorKind::InvalidFilename => refused(name, "has a name that is too long"),
        _ => cannot_write(place, error),
    }
}
