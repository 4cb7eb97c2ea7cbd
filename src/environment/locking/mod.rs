//! Writing locks of Python packages: which program writes which, what it is given, and what it said where it failed. It
//! writes another file than the project's lock, which is replaced whole or not at all. Talks to uv, pip
//! and pip-tools.

mod program;

use super::codes;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::Span;
use program::{Program, run};
use std::path::Path;

/// How much of what a lock pins is chosen anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal<'a> {
    /// Nothing that still fits.
    Missing,
    /// Everything.
    All,
    /// These inputs or packages.
    Named(&'a [String]),
}

/// Why a lock was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotLocked {
    /// It is no lock of a form that is known.
    NoLock,
    /// There is nothing that says what to lock.
    NoSource {
        /// What was looked for beside the lock.
        wanted: Vec<String>,
    },
    /// No program that writes such a lock is here.
    NoProgram {
        /// The programs.
        programs: Vec<&'static str>,
    },
    /// The program failed.
    Refused {
        /// The command, as a person would type it.
        command: String,
        /// The end of what it said.
        said: Vec<String>,
    },
}

impl NotLocked {
    /// The message about the lock `path`, at the place in the pipeline that names it.
    pub fn diagnostic(self, path: &str, span: Span) -> Diagnostic {
        match self {
            Self::NoLock => {
                let message = format!("`{path}` is no lock of Python packages that is understood");
                Diagnostic::error(codes::PYTHON_LOCK, span, message)
                    .help("name a uv.lock, a pylock.toml, or requirements in a .txt")
            }
            Self::NoSource { wanted } => {
                let wanted: Vec<String> = wanted.iter().map(|name| format!("`{name}`")).collect();
                Diagnostic::error(
                    codes::NOTHING_TO_LOCK,
                    span,
                    format!("nothing beside `{path}` says what to lock"),
                )
                .note(format!("there is no {}", wanted.join(", and no ")))
                .help("write the packages that the steps import into such a file, then `mlp env lock`")
            }
            Self::NoProgram { programs } => {
                let (first, rest) = (programs.first().copied().unwrap_or_default(), &programs[1..]);
                let others: String = rest.iter().map(|name| format!(", or `{name}`")).collect();
                Diagnostic::error(
                    codes::NO_LOCKER,
                    span,
                    format!("`{path}` is written by `{first}`{others}, which is not here"),
                )
                .help("install uv: `pip install uv`, or https://docs.astral.sh/uv")
            }
            Self::Refused { command, said } => {
                let error =
                    Diagnostic::error(codes::LOCKER_FAILED, span, format!("`{path}` was not written"));
                let error = said.into_iter().fold(error, Diagnostic::note);
                error.help(format!("`{command}` says the same in a terminal"))
            }
        }
    }
}

/// The name under which a new lock can be written beside the lock `name`: a form that its program knows. None where it writes
/// that name alone.
pub fn beside(name: &str) -> Option<String> {
    match name {
        "uv.lock" => None,
        name if name.ends_with(".txt") => Some(format!("mlp-new.{name}")),
        _ => Some("pylock.mlp-new.toml".to_owned()),
    }
}

/// Has the lock `name` written in `folder` as the file `output`, which holds what of the old lock is to be kept; what it is
/// locked from lies beside. Its form is what the name says, for Python `python`.
pub fn lock(
    folder: &Path,
    name: &str,
    output: &str,
    python: &str,
    renewal: Renewal<'_>,
) -> Result<(), NotLocked> {
    let known = name == "uv.lock" || name.ends_with(".txt") || name.starts_with("pylock.");
    if !known {
        return Err(NotLocked::NoLock);
    }
    let programs = if name == "uv.lock" {
        source(folder, &["pyproject.toml".to_owned()])?;
        vec![uv_lock(python, renewal)]
    } else {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let wanted = match name.ends_with(".txt") {
            true => [format!("{stem}.in"), "pyproject.toml".to_owned()],
            false => ["requirements.in".to_owned(), "pyproject.toml".to_owned()],
        };
        let source = source(folder, &wanted)?;
        let last = match name.ends_with(".txt") {
            true => pip_compile(&source, output, renewal),
            false => pip_lock(&source, output),
        };
        vec![uv_compile(&source, output, python, renewal), last]
    };
    for program in &programs {
        if run(program, folder)? {
            return Ok(());
        }
    }
    Err(NotLocked::NoProgram {
        programs: programs.iter().map(|program| program.name).collect(),
    })
}

/// What says which packages there are to be: the first of `wanted` that is there.
fn source(folder: &Path, wanted: &[String]) -> Result<String, NotLocked> {
    let there = wanted.iter().find(|name| folder.join(name).is_file());
    there.cloned().ok_or_else(|| NotLocked::NoSource {
        wanted: wanted.to_vec(),
    })
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// `--upgrade`, or `--upgrade-package NAME` of each.
fn upgrade(renewal: Renewal<'_>) -> Vec<String> {
    match renewal {
        Renewal::Missing => Vec::new(),
        Renewal::All => words(&["--upgrade"]),
        Renewal::Named(names) => names
            .iter()
            .flat_map(|name| ["--upgrade-package".to_owned(), name.clone()])
            .collect(),
    }
}

fn uv_lock(python: &str, renewal: Renewal<'_>) -> Program {
    let arguments = words(&["lock", "--no-progress", "--python", python]);
    Program {
        name: "uv",
        arguments: [arguments, upgrade(renewal)].concat(),
    }
}

fn uv_compile(source: &str, name: &str, python: &str, renewal: Renewal<'_>) -> Program {
    let form = match name.ends_with(".txt") {
        true => "requirements.txt",
        false => "pylock.toml",
    };
    let arguments = words(&[
        "pip",
        "compile",
        source,
        "--no-progress",
        "--quiet",
        "--generate-hashes",
        "--only-binary",
        ":all:",
        "--python-version",
        python,
        "--python-platform",
        "x86_64-manylinux_2_28",
        "--format",
        form,
        "--custom-compile-command",
        "mlp env lock",
        "--output-file",
        name,
    ]);
    Program {
        name: "uv",
        arguments: [arguments, upgrade(renewal)].concat(),
    }
}

/// pip-tools choose for the Python that they run on; whether that fits is seen when the lock is read.
fn pip_compile(source: &str, name: &str, renewal: Renewal<'_>) -> Program {
    let arguments = words(&["--quiet", "--generate-hashes", "--output-file", name, source]);
    Program {
        name: "pip-compile",
        arguments: [upgrade(renewal), arguments].concat(),
    }
}

/// `pip lock` keeps nothing of an old lock.
fn pip_lock(source: &str, name: &str) -> Program {
    let from = match source.ends_with(".toml") {
        true => words(&["."]),
        false => words(&["-r", source]),
    };
    let arguments = words(&["lock", "--quiet", "--only-binary=:all:", "-o", name]);
    Program {
        name: "pip",
        arguments: [arguments, from].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_lock_from_stands_beside_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = |name: &str| match lock(folder.path(), name, name, "3.11", Renewal::Missing) {
            Err(NotLocked::NoSource { wanted }) => wanted,
            other => panic!("{other:?}"),
        };
        let other = lock(folder.path(), "Pipfile.lock", "x", "3.11", Renewal::Missing);
        assert_eq!(other, Err(NotLocked::NoLock));
        assert_eq!(wanted("uv.lock"), ["pyproject.toml"]);
        assert_eq!(wanted("train.txt"), ["train.in", "pyproject.toml"]);
        assert_eq!(wanted("pylock.train.toml"), ["requirements.in", "pyproject.toml"]);
    }

    #[test]
    fn what_is_renewed_is_named_to_the_program() {
        let names = ["numpy".to_owned()];
        let arguments = uv_lock("3.11", Renewal::Named(&names)).arguments;
        assert!(
            arguments.ends_with(&words(&["--upgrade-package", "numpy"])),
            "{arguments:?}"
        );
        let arguments = pip_compile("a.in", "a.txt", Renewal::All).arguments;
        assert_eq!(arguments.first().map(String::as_str), Some("--upgrade"));
    }
}
