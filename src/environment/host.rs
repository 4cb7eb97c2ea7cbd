//! Tools of this machine: what of them is hashed. Talks to the sandbox, which knows what a program loads.
//!
//! A tool is its own bytes and those of the libraries that it loads at its start, by name: where they lie on a machine is no
//! matter. A script is its bytes and its interpreter besides.

use super::codes;
use crate::base::digest::Digest;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::Span;
use mlp_lang::spec::{Datum, Fields};
use mlp_sandbox::Closures;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folders in which a step finds tools, in the order of its `PATH`.
pub const FOLDERS: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// How many scripts may be each other's interpreters.
const DEEPEST: usize = 4;

/// What of `tools` is hashed: by name, the digests of the files that it is made of.
pub fn describe(tools: &[String], span: Span) -> Result<Datum, Vec<Diagnostic>> {
    let closures = Closures::default();
    let (mut described, mut wrong) = (Fields::new(), Vec::new());
    if tools.is_empty() {
        let error = Diagnostic::error(
            codes::NO_TOOL,
            span,
            "an environment of the machine's tools names none",
        );
        wrong.push(error.help("name the programs that the steps run: `env.host([\"python3\", \"sh\"])`"));
    }
    for tool in tools {
        match files(tool, &closures) {
            Ok(files) => drop(described.insert(tool.clone(), Datum::Map(files))),
            Err(problem) => wrong.push(problem.diagnostic(tool, span)),
        }
    }
    if wrong.is_empty() {
        Ok(Datum::Map(described))
    } else {
        Err(wrong)
    }
}

/// Why a tool cannot be used.
enum Problem {
    Missing,
    /// It is a script whose interpreter is not there.
    Interpreter(String),
    /// What it loads cannot be found out.
    Unreadable(String),
}

impl Problem {
    fn diagnostic(self, tool: &str, span: Span) -> Diagnostic {
        let folders = FOLDERS.join(", ");
        match self {
            Self::Missing if tool.contains('/') => Diagnostic::error(
                codes::NO_TOOL,
                span,
                format!("`{tool}` is a path, and tools are named"),
            )
            .help(format!("write its name alone; it is looked for in {folders}")),
            Self::Missing => Diagnostic::error(
                codes::NO_TOOL,
                span,
                format!("the tool `{tool}` is not on this machine"),
            )
            .note(format!(
                "tools are looked for in {folders}, where steps find them"
            ))
            .help("install it, or pin it: `env.flake` and `env.python` bring their own"),
            Self::Interpreter(interpreter) => {
                let message = format!(
                    "the tool `{tool}` is a script for `{interpreter}`, which is not on this machine"
                );
                Diagnostic::error(codes::NO_TOOL, span, message).help("install it")
            }
            Self::Unreadable(why) => Diagnostic::error(
                codes::NO_TOOL,
                span,
                format!("the tool `{tool}` cannot be used: {why}"),
            ),
        }
    }
}

/// Where a tool lies.
pub fn find(tool: &str) -> Option<PathBuf> {
    let named = !tool.is_empty() && !tool.contains('/');
    let mut places = FOLDERS.iter().map(|folder| Path::new(folder).join(tool));
    places.find(|place| named && place.is_file())
}

/// The digests of the files that a tool is made of, by their names.
fn files(tool: &str, closures: &Closures) -> Result<Fields, Problem> {
    let unreadable =
        |path: &Path, error: &io::Error| Problem::Unreadable(format!("{}: {error}", path.display()));
    let mut place = find(tool).ok_or(Problem::Missing)?;
    let mut found = Fields::new();
    for _ in 0..DEEPEST {
        let real = place.canonicalize().map_err(|error| unreadable(&place, &error))?;
        let bytes = fs::read(&real).map_err(|error| unreadable(&real, &error))?;
        note(&mut found, &real, &bytes);
        if !bytes.starts_with(b"#!") {
            let closure = closures
                .of(&real)
                .map_err(|error| Problem::Unreadable(error.to_string()))?;
            for library in closure
                .iter()
                .filter(|path| **path != real && path.is_file() && !is_cache(path))
            {
                let bytes = fs::read(library).map_err(|error| unreadable(library, &error))?;
                note(&mut found, library, &bytes);
            }
            return Ok(found);
        }
        let interpreter = interpreter(&bytes);
        place = Some(PathBuf::from(&interpreter))
            .filter(|path| path.is_absolute() && path.is_file())
            .or_else(|| find(&interpreter))
            .ok_or(Problem::Interpreter(interpreter))?;
    }
    Err(Problem::Unreadable(
        "its interpreter is a script of a script".to_owned(),
    ))
}

/// The loader's index of libraries: it says where they are, and is no part of them.
fn is_cache(path: &Path) -> bool {
    path.starts_with("/etc")
}

fn note(found: &mut Fields, path: &Path, bytes: &[u8]) {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    found.insert(name, Datum::Str(Digest::of_blob(bytes).to_string().into()));
}

/// What the first line of a script names: `/bin/sh`; of `/usr/bin/env python3` the tool.
fn interpreter(script: &[u8]) -> String {
    let line = script.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(&line[2.min(line.len())..]).into_owned();
    let mut words = line.split_whitespace();
    match words.next() {
        Some(env) if env.ends_with("/env") => words
            .find(|word| !word.starts_with('-'))
            .unwrap_or_default()
            .to_owned(),
        first => first.unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlp_lang::source::SourceId;

    const SPAN: Span = Span {
        source: SourceId(0),
        start: 0,
        end: 0,
    };

    #[test]
    fn a_tool_is_itself_and_what_it_loads() {
        let Datum::Map(tools) = describe(&["sh".to_owned()], SPAN).unwrap() else {
            panic!("no tools")
        };
        let Datum::Map(files) = tools.get("sh").unwrap() else {
            panic!("no files")
        };
        assert!(!files.is_empty());
        assert!(files.keys().all(|name| !name.contains('/')), "{files:?}");
        assert_eq!(describe(&["sh".to_owned()], SPAN).unwrap(), Datum::Map(tools));
    }

    #[test]
    fn a_tool_that_is_not_there_is_named() {
        let wrong = describe(&["no-such-tool".to_owned(), "/bin/sh".to_owned()], SPAN).unwrap_err();
        let said: Vec<_> = wrong.iter().map(|error| error.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "the tool `no-such-tool` is not on this machine",
                "`/bin/sh` is a path, and tools are named"
            ]
        );
        assert_eq!(describe(&[], SPAN).unwrap_err().len(), 1);
    }

    #[test]
    fn a_script_names_its_interpreter() {
        assert_eq!(interpreter(b"#!/bin/sh -e\necho"), "/bin/sh");
        assert_eq!(interpreter(b"#! /usr/bin/env -S python3 -u\n"), "python3");
        assert_eq!(interpreter(b"#!"), "");
    }
}
