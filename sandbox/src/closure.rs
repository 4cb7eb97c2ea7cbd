//! What a program needs to be visible: itself, its loader, and the libraries that it loads. And how such paths are laid
//! out in a new root, where the machine reaches some of them through symbolic links.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Folders of libraries of the whole system: of these only the files that are needed are shown.
const SYSTEM: [&str; 4] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];
/// By it the loader finds libraries that lie in no standard folder.
const LOADER_CACHE: &str = "/etc/ld.so.cache";

/// The closures of programs, each looked up once.
#[derive(Debug, Default)]
pub struct Closures(Mutex<BTreeMap<PathBuf, Vec<PathBuf>>>);

/// Why the closure of a program is not known.
#[derive(Debug, thiserror::Error)]
pub enum ClosureError {
    /// It cannot be read, or its loader cannot be run.
    #[error("cannot find out what {} needs: {error}", program.display())]
    Unreadable {
        /// The program or its loader.
        program: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The loader does not find a library.
    #[error("{} needs the library {library}, which is not found", program.display())]
    Missing {
        /// The program.
        program: PathBuf,
        /// The library's name.
        library: String,
    },
}

impl Closures {
    /// Absolute paths of `program`, an absolute path, and all that it loads at its start. Of a library outside the
    /// system's folders, the whole folder: what lies there is often opened later, as libtorch does.
    pub fn of(&self, program: &Path) -> Result<Vec<PathBuf>, ClosureError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(closure) = known.get(program) {
            return Ok(closure.clone());
        }
        let closure = closure_of(program)?;
        known.insert(program.to_owned(), closure.clone());
        Ok(closure)
    }
}

/// The libraries that `program` and the modules that it loads later (`modules`) need, as the program's loader finds them,
/// and the loader: these very files, no folders. What is not found is left out: a module without it is not loadable here.
pub fn libraries(program: &Path, modules: &[PathBuf]) -> io::Result<BTreeSet<PathBuf>> {
    let Some(loader) = loader_of(program)? else {
        return Ok(BTreeSet::new());
    };
    let mut found = BTreeSet::from([loader.clone()]);
    for file in modules.iter().map(PathBuf::as_path).chain([program]) {
        let output = list(&loader, file)?;
        let listing = String::from_utf8_lossy(&output.stdout);
        for library in listed(&listing).flatten() {
            found.insert(
                match library.components().any(|part| part == Component::ParentDir) {
                    true => library.canonicalize()?,
                    false => library.to_owned(),
                },
            );
        }
    }
    Ok(found)
}

/// What the loader says that `file` loads.
fn list(loader: &Path, file: &Path) -> io::Result<std::process::Output> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the loader only lists, and runs nothing of the program"
    )]
    Command::new(loader).arg("--list").arg(file).env_clear().output()
}

fn closure_of(program: &Path) -> Result<Vec<PathBuf>, ClosureError> {
    let unreadable = |error| ClosureError::Unreadable {
        program: program.to_owned(),
        error,
    };
    let mut closure = BTreeSet::from([program.to_owned()]);
    let Some(loader) = loader_of(program).map_err(unreadable)? else {
        return Ok(closure.into_iter().collect()); // statically linked
    };
    let output = list(&loader, program).map_err(|error| ClosureError::Unreadable {
        program: loader.clone(),
        error,
    })?;
    let listing = String::from_utf8_lossy(&output.stdout);
    for library in listed(&listing) {
        match library {
            Ok(path) => closure.extend(library_paths(path)),
            Err(name) => {
                return Err(ClosureError::Missing {
                    program: program.to_owned(),
                    library: name.to_owned(),
                });
            }
        }
    }
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(unreadable(io::Error::other(said)));
    }
    closure.insert(loader);
    if Path::new(LOADER_CACHE).exists() {
        closure.insert(LOADER_CACHE.into());
    }
    Ok(closure.into_iter().collect())
}

/// The libraries in the output of `ld.so --list`: a path, or the name of one that is missing. The kernel's own
/// (`linux-vdso.so.1`) has no path and no arrow.
fn listed(listing: &str) -> impl Iterator<Item = Result<&Path, &str>> {
    listing
        .lines()
        .filter_map(|line| match line.trim().split_once(" => ") {
            Some((name, "not found")) => Some(Err(name)),
            Some((_, found)) => Some(Ok(Path::new(
                found.rsplit_once(" (").map_or(found, |(path, _)| path),
            ))),
            None => {
                let path = line
                    .trim()
                    .rsplit_once(" (")
                    .map_or(line.trim(), |(path, _)| path);
                path.starts_with('/').then(|| Ok(Path::new(path)))
            }
        })
}

fn library_paths(library: &Path) -> Vec<PathBuf> {
    // The loader joins paths by text; `..` must not reach the new root's layout.
    let library = match library.components().any(|part| part == Component::ParentDir) {
        true => library.canonicalize().unwrap_or_else(|_| library.to_owned()),
        false => library.to_owned(),
    };
    let Some(folder) = library.parent() else {
        return vec![library];
    };
    if SYSTEM.iter().any(|system| folder.starts_with(system)) {
        return vec![library];
    }
    let mut paths = vec![folder.to_owned()];
    // A link out of the folder would lead nowhere inside.
    paths.extend(
        library
            .canonicalize()
            .ok()
            .filter(|real| !real.starts_with(folder)),
    );
    paths
}

/// The program interpreter of an ELF file; none where it is statically linked.
fn loader_of(program: &Path) -> io::Result<Option<PathBuf>> {
    const INTERPRETER: u32 = 3;
    let not_elf = || io::Error::new(io::ErrorKind::InvalidData, "it is no 64-bit ELF program");
    let mut file = File::open(program)?;
    let mut header = [0u8; 64];
    file.read_exact(&mut header).map_err(|_| not_elf())?;
    if header[..6] != *b"\x7fELF\x02\x01" {
        return Err(not_elf());
    }
    let table = u64_at(&header, 32);
    let (size, count) = (u16_at(&header, 54), u16_at(&header, 56));
    if size < 56 {
        return Err(not_elf());
    }
    for index in 0..count {
        let mut entry = [0u8; 56];
        file.read_exact_at(&mut entry, table + u64::from(index) * u64::from(size))?;
        if entry[..4] == INTERPRETER.to_le_bytes() {
            let length = usize::try_from(u64_at(&entry, 32))
                .unwrap_or(usize::MAX)
                .min(4096);
            let mut path = vec![0; length];
            file.read_exact_at(&mut path, u64_at(&entry, 8))?;
            let path = String::from_utf8(path).map_err(|_| not_elf())?;
            return Ok(Some(PathBuf::from(path.trim_end_matches('\0'))));
        }
    }
    Ok(None)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8]
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from(bytes[at]) | u16::from(bytes[at + 1]) << 8
}

/// How a closure is laid out in a new root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Bound at the same place, none below another, none through a link.
    pub binds: Vec<PathBuf>,
    /// Links to folders, with their text.
    pub links: Vec<(PathBuf, PathBuf)>,
}

/// Lays `closure` out. A path that is a link to a folder (`/lib` to `usr/lib`) stays one, and the folder is bound. Fails
/// with the first path that is not there.
pub fn layout(closure: &[PathBuf]) -> Result<Layout, (PathBuf, io::Error)> {
    let mut links = BTreeMap::new();
    let mut wanted = BTreeSet::new();
    for path in closure {
        let failed = |error| (path.clone(), error);
        let is_link = fs::symlink_metadata(path).map_err(failed)?.is_symlink();
        if is_link && fs::metadata(path).map_err(failed)?.is_dir() {
            links.insert(path.clone(), fs::read_link(path).map_err(failed)?);
            wanted.insert(path.canonicalize().map_err(failed)?);
        } else {
            wanted.insert(path.clone());
        }
    }
    let mut binds: BTreeSet<PathBuf> = BTreeSet::new();
    for path in wanted {
        let through_link = path.ancestors().skip(1).any(|above| links.contains_key(above));
        let path = match (through_link, path.parent(), path.file_name()) {
            (true, Some(parent), Some(name)) => parent
                .canonicalize()
                .map_err(|error| (path.clone(), error))?
                .join(name),
            _ => path,
        };
        binds.insert(path);
    }
    let covered = |path: &PathBuf| path.ancestors().skip(1).any(|above| binds.contains(above));
    let binds = binds.iter().filter(|path| !covered(path)).cloned().collect();
    Ok(Layout {
        binds,
        links: links.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loaders_listing_is_read() {
        let listing = "\tlinux-vdso.so.1 (0x7ffd)\n\tlibc.so.6 => /lib/libc.so.6 (0x7f1)\n\t/lib64/ld.so.2 (0x7f2)\n\
                       \tlibz.so => not found\n";
        let found: Vec<_> = listed(listing).collect();
        assert_eq!(
            found,
            [
                Ok(Path::new("/lib/libc.so.6")),
                Ok(Path::new("/lib64/ld.so.2")),
                Err("libz.so")
            ]
        );
    }

    #[test]
    fn a_program_needs_itself_and_its_loader() {
        let program = std::env::current_exe().unwrap();
        let closure = Closures::default().of(&program).unwrap();
        assert!(closure.contains(&program));
        assert!(
            closure.iter().any(|path| path.to_string_lossy().contains("ld")),
            "{closure:?}"
        );
    }

    #[test]
    fn text_is_no_program() {
        let error = Closures::default().of(Path::new("/etc/passwd")).unwrap_err();
        assert!(error.to_string().contains("no 64-bit ELF program"), "{error}");
    }

    #[test]
    fn what_lies_behind_a_link_is_bound_once() {
        let machine = tempfile::tempdir().unwrap();
        let at = |path: &str| machine.path().canonicalize().unwrap().join(path);
        fs::create_dir_all(at("usr/lib")).unwrap();
        fs::write(at("usr/lib/libc.so"), "").unwrap();
        std::os::unix::fs::symlink("usr/lib", at("lib")).unwrap();
        let laid = layout(&[at("lib"), at("lib/libc.so"), at("usr/lib/libc.so")]).unwrap();
        assert_eq!(laid.binds, [at("usr/lib")]);
        assert_eq!(laid.links, [(at("lib"), PathBuf::from("usr/lib"))]);
    }
}
