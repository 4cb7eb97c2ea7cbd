//! `mlp fmt`: lays pipelines out in the one style. The layout itself is the language's.

use super::exit::{Exit, Refusal};
use super::notice::Notice;
use super::{place, told};
use crate::base::atomic;
use ignore::WalkBuilder;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::format::format;
use mlp_lang::source::Sources;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Lay out .mlp files in the one style there is.
///
/// Without files, all of the project but those that ignore files name. Lines that you broke behind an opening bracket
/// stay broken, comments and single blank lines stay; files with errors of syntax are left as they are.
///
///   mlp fmt
///   mlp fmt pipeline.mlp
///   mlp fmt --check                (lists what differs, changes nothing; exit code 1)
///   mlp fmt - < pipeline.mlp       (prints it, for editors)
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// The files, or `-` for what comes on stdin.
    files: Vec<PathBuf>,
    /// Only list the files that would change.
    #[arg(long)]
    check: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    if arguments.files.iter().any(|file| file.as_os_str() == "-") {
        return stdin(arguments);
    }
    let files = if arguments.files.is_empty() {
        project_files(&place::project()?.root)?
    } else {
        arguments.files.clone()
    };
    let mut exit = Exit::Success;
    let mut changed = 0;
    for file in &files {
        let text = text(file, std::fs::read(file))?;
        match format(&text) {
            Ok(formatted) if formatted == text => {}
            Ok(formatted) => {
                changed += 1;
                if arguments.check {
                    println!("{}", place::shown(file));
                    exit = Exit::Mend;
                } else {
                    write(file, &formatted)?;
                }
            }
            Err(errors) => {
                tell(&place::shown(file), &text, &errors);
                exit = Exit::Mend;
            }
        }
    }
    eprintln!("{}", sum(files.len(), changed, arguments.check));
    Ok(exit)
}

/// Formats stdin to stdout; with `--check` only says whether it would change.
fn stdin(arguments: &Arguments) -> Result<Exit, Refusal> {
    let name = Path::new("-");
    if arguments.files.len() > 1 {
        return Err(
            Refusal::new("`-` stands for stdin, and there are other files").hint("give one or the other")
        );
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().read_to_end(&mut bytes);
    let text = text(name, read.map(|_| bytes))?;
    let formatted = match format(&text) {
        Ok(formatted) => formatted,
        Err(errors) => {
            tell("<stdin>", &text, &errors);
            return Ok(Exit::Mend);
        }
    };
    if arguments.check {
        return Ok(if formatted == text {
            Exit::Success
        } else {
            Exit::Mend
        });
    }
    std::io::stdout()
        .write_all(formatted.as_bytes())
        .map_err(|error| Refusal::new(format!("stdout cannot be written: {error}")))?;
    Ok(Exit::Success)
}

/// The .mlp files of a project in the order of their paths, but for those that ignore files name.
fn project_files(root: &Path) -> Result<Vec<PathBuf>, Refusal> {
    let mut files = Vec::new();
    // The settings of who runs it and what lies above the project count no more than in a build.
    let walk = WalkBuilder::new(root)
        .git_global(false)
        .git_exclude(false)
        .parents(false)
        .require_git(false)
        .build();
    for entry in walk {
        let entry = entry.map_err(|error| Refusal::new(format!("the project cannot be read: {error}")))?;
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        if is_file
            && entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "mlp")
        {
            files.push(entry.into_path());
        }
    }
    files.sort();
    Ok(files)
}

fn text(file: &Path, bytes: std::io::Result<Vec<u8>>) -> Result<String, Refusal> {
    let shown = place::shown(file);
    let bytes = bytes.map_err(|error| Refusal::new(format!("`{shown}` cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Refusal::new(format!(
            "`{shown}` is not UTF-8: byte {at} is part of no character"
        ))
    })?;
    // A byte-order mark is no part of a text; it goes when the file is written anew.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Replaces a file, or what a symbolic link stands for; who may read it stays as it was.
fn write(file: &Path, text: &str) -> Result<(), Refusal> {
    let replace = || {
        let file = file.canonicalize()?;
        let permissions = file.metadata()?.permissions();
        atomic::write(&file, text.as_bytes())?;
        std::fs::set_permissions(&file, permissions)
    };
    replace().map_err(|error| Refusal::new(format!("`{}` cannot be written: {error}", place::shown(file))))
}

/// Tells why a text is not formatted.
fn tell(name: &str, text: &str, errors: &[Diagnostic]) {
    let mut sources = Sources::default();
    // The first source is the one that the errors' places are of.
    sources.add(name, text);
    let notices: Vec<Notice> = errors.iter().map(|error| Notice::of(error, &sources)).collect();
    told::show(&notices);
}

fn sum(files: usize, changed: usize, check: bool) -> String {
    let files = match files {
        1 => "1 file".to_owned(),
        _ => format!("{files} files"),
    };
    match (changed, check) {
        (0, _) => format!("{files} looked at, none to change"),
        (_, true) => format!("{files} looked at, {changed} to change: `mlp fmt` does it"),
        (_, false) => format!("{files} looked at, {changed} changed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn arguments(file: &Path, check: bool) -> Arguments {
        Arguments {
            files: vec![file.to_owned()],
            check,
        }
    }

    #[test]
    fn a_file_is_checked_then_changed_then_well() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.mlp");
        fs::write(&file, "x=1").unwrap();
        assert_eq!(run(&arguments(&file, true)).unwrap(), Exit::Mend);
        assert_eq!(fs::read_to_string(&file).unwrap(), "x=1");
        assert_eq!(run(&arguments(&file, false)).unwrap(), Exit::Success);
        assert_eq!(fs::read_to_string(&file).unwrap(), "x = 1\n");
        assert_eq!(run(&arguments(&file, true)).unwrap(), Exit::Success);
    }

    #[test]
    fn what_does_not_parse_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.mlp");
        fs::write(&file, "x=[1").unwrap();
        assert_eq!(run(&arguments(&file, false)).unwrap(), Exit::Mend);
        assert_eq!(fs::read_to_string(&file).unwrap(), "x=[1");
    }

    #[test]
    fn ignored_and_hidden_files_are_not_of_the_project() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("b.mlp", ""),
            ("a/c.mlp", ""),
            ("out/d.mlp", ""),
            (".mlp/e.mlp", ""),
            ("f.csv", ""),
            (".gitignore", "out/\n"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let files = project_files(folder.path()).unwrap();
        let names: Vec<_> = files
            .iter()
            .map(|file| file.strip_prefix(folder.path()).unwrap().to_owned())
            .collect();
        assert_eq!(names, [Path::new("a/c.mlp"), Path::new("b.mlp")]);
    }

    #[test]
    fn no_file_is_a_refusal() {
        assert!(run(&arguments(Path::new("does/not/exist.mlp"), false)).is_err());
    }
}
