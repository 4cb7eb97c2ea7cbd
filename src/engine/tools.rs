//! What a person needs in a sandbox whose step needs no more than its interpreter: a shell, and a few programs to look
//! around with. Files one by one, with the libraries that they load, so that nothing else of the machine comes in sight.

use mlp_sandbox::Closures;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Shells, the best to sit at first.
const SHELLS: [&str; 2] = ["bash", "sh"];
/// Programs to look around with.
const PROGRAMS: &[&str] = &[
    "awk",
    "basename",
    "cat",
    "chmod",
    "clear",
    "cmp",
    "cp",
    "cut",
    "date",
    "df",
    "diff",
    "dirname",
    "du",
    "env",
    "file",
    "find",
    "grep",
    "gzip",
    "head",
    "id",
    "less",
    "ls",
    "md5sum",
    "mkdir",
    "more",
    "mv",
    "nano",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "sed",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "stty",
    "tail",
    "tar",
    "tee",
    "touch",
    "tr",
    "tree",
    "uniq",
    "vi",
    "wc",
    "which",
    "xargs",
    "xxd",
];
/// Where they are looked for: the folders of every machine, not those of who calls.
const FOLDERS: [&str; 2] = ["/usr/bin", "/bin"];
/// What programs know of terminals.
const TERMINALS: [&str; 2] = ["/lib/terminfo", "/usr/share/terminfo"];

/// Paths of the machine to be shown besides a step's closure, and the folders in which there are programs.
pub(super) fn closure() -> (Vec<PathBuf>, &'static [&'static str]) {
    let closures = Closures::default();
    let mut shown = BTreeSet::new();
    for name in SHELLS.iter().chain(PROGRAMS) {
        let places = FOLDERS.iter().map(|folder| Path::new(folder).join(name));
        // Several names may be links to one program, which must be there too.
        let found = places.filter_map(|place| Some((place.canonicalize().ok()?, place)));
        for (program, place) in found {
            // What is no ELF program is a script of some interpreter: it is left out.
            if let Ok(needed) = closures.of(&program) {
                shown.extend(needed);
                shown.insert(place);
            }
        }
    }
    shown.extend(
        TERMINALS
            .iter()
            .map(PathBuf::from)
            .filter(|path| Path::exists(path)),
    );
    (shown.into_iter().collect(), &FOLDERS)
}

/// The shell to sit at: the first of [`SHELLS`] in the folders of `path` that is visible by `closure`.
pub(super) fn shell(path: &str, closure: &[PathBuf]) -> Option<String> {
    let visible = |place: &Path| closure.iter().any(|shown| place.starts_with(shown)) && place.exists();
    let in_folder = |name: &str| {
        let mut places = path.split(':').map(|folder| Path::new(folder).join(name));
        places.find(|place| visible(place))
    };
    SHELLS
        .iter()
        .find_map(|name| in_folder(name))
        .map(|place| place.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_is_one_that_is_visible() {
        let (closure, folders) = closure();
        let path = folders.join(":");
        let shell = super::shell(&format!("/nowhere:{path}"), &closure).unwrap();
        assert!(shell.ends_with("/bash") || shell.ends_with("/sh"), "{shell}");
        assert_eq!(super::shell(&path, &[]), None);
    }
}
