//! What holds between modules: who may use whom, how files begin and how long they are, that documents name what exists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Modules of `src` that each may use, besides itself: ARCHITECTURE.md's table.
const MAY_USE: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("model", &["base"]),
    ("pin", &["base", "model"]),
    ("fetch", &["base", "model"]),
    ("store", &["base", "model"]),
    ("environment", &["base", "model"]),
    ("instantiate", &["base", "model"]),
    ("explain", &["base", "model", "instantiate"]),
    ("plan", &["base", "model", "instantiate", "explain", "store"]),
    ("executor", &["base", "model", "store"]),
    (
        "scheduler",
        &[
            "base",
            "model",
            "store",
            "environment",
            "executor",
            "plan",
            "instantiate",
            "fetch",
        ],
    ),
    ("report", &["base", "model"]),
    ("progress", &["base", "model", "report"]),
    (
        "engine",
        &[
            "base",
            "model",
            "pin",
            "store",
            "environment",
            "instantiate",
            "explain",
            "plan",
            "executor",
            "scheduler",
        ],
    ),
    ("lsp", &["base", "engine"]),
    ("cli", &["base", "model", "report", "progress", "engine", "lsp"]),
];

/// What the language must not touch: it is pure.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::process",
    "std::env",
    "std::time",
    "std::thread",
    "std::net",
    "std::io::stdin",
    "println!",
    "eprintln!",
];

/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "manager", "common", "misc", "imp"];

/// Lines that no file goes past: such a file is about two things.
const LONGEST: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below `folder` with one of the extensions, sorted, by path from the root.
fn files(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("target") && !path.ends_with("snapshots") {
                    folders.push(path);
                }
            } else if path
                .extension()
                .is_some_and(|found| extensions.iter().any(|wanted| found == *wanted))
            {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<PathBuf> {
    ["src", "lang", "sandbox", "trainer", "xtask", "tests"]
        .iter()
        .flat_map(|folder| files(folder, &["rs"]))
        .collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The file without comments, and without the tests at its end.
fn code(path: &Path) -> String {
    let text = read(path);
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

fn all_hold(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// The top-level modules that a file names after `crate::`.
fn used(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        // `use crate::{a::b, c}` names several.
        let list = match rest.strip_prefix('{') {
            Some(rest) => rest
                .split('}')
                .next()
                .unwrap_or_default()
                .split(',')
                .map(str::trim)
                .collect(),
            None => vec![rest],
        };
        for path in list {
            let name: String = path
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            used.insert(name);
        }
    }
    used
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let mut faults = Vec::new();
    for path in files("src", &["rs"]) {
        let mut parts = path.iter().skip(1);
        let first = parts.next().unwrap().to_string_lossy();
        let module = first.trim_end_matches(".rs");
        if parts.next().is_none() && ["lib", "main"].contains(&module) {
            continue;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            faults.push(format!("{}: `{module}` stands in no layer", path.display()));
            continue;
        };
        let tests = path.to_string_lossy().contains("test");
        for name in used(&code(&path)) {
            let known = MAY_USE.iter().any(|(other, _)| *other == name);
            if known && name != module && !allowed.contains(&name.as_str()) && !tests {
                faults.push(format!("{}: `{module}` must not use `{name}`", path.display()));
            }
        }
    }
    all_hold(&faults);
}

#[test]
fn only_the_command_line_knows_clap_and_miette_and_only_the_trainer_libtorch() {
    let mut faults = Vec::new();
    for path in sources() {
        let code = code(&path);
        for (library, home) in [
            ("clap::", "src/cli"),
            ("miette::", "src/cli"),
            ("rustyline::", "src/cli"),
            ("lsp_types::", "src/lsp"),
            ("lsp_server::", "src/lsp"),
            ("indicatif::", "src/progress"),
            ("tch::", "trainer/src"),
        ] {
            let named = code.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            let uses = named.into_iter().any(|word| word.starts_with(library));
            if uses && !path.starts_with(home) && !path.starts_with("tests") {
                faults.push(format!("{}: `{library}` belongs in {home}", path.display()));
            }
        }
    }
    all_hold(&faults);
}

#[test]
fn the_language_is_pure() {
    let mut faults = Vec::new();
    for path in files("lang/src", &["rs"]) {
        let code = code(&path);
        let impure = IMPURE.iter().filter(|impure| code.contains(**impure));
        if !path.to_string_lossy().contains("test") {
            faults.extend(impure.map(|impure| format!("{}: {impure}", path.display())));
        }
    }
    all_hold(&faults);
}

#[test]
fn every_module_says_what_it_is() {
    let faults: Vec<String> = sources()
        .iter()
        .filter(|path| !read(path).starts_with("//!") && !path.to_string_lossy().contains("test"))
        .map(|path| format!("{} does not open with `//!`", path.display()))
        .collect();
    all_hold(&faults);
}

#[test]
fn no_file_is_about_two_things() {
    let mut faults = Vec::new();
    let library = files("stdlib", &["mlp"]);
    for path in sources().iter().chain(&library) {
        let lines = read(path).lines().count();
        if lines > LONGEST {
            faults.push(format!("{}: {lines} lines", path.display()));
        }
        let stem = path.file_stem().unwrap().to_string_lossy();
        if EMPTY_NAMES.contains(&stem.as_ref()) {
            faults.push(format!("{}: the name says nothing", path.display()));
        }
    }
    all_hold(&faults);
}

#[test]
fn documents_name_what_exists() {
    let mut faults = Vec::new();
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"] {
        for path in named_paths(&read(Path::new(document))) {
            if !root().join(&path).exists() {
                faults.push(format!("{document} names `{path}`, which is not there"));
            }
        }
    }
    all_hold(&faults);
}

/// Words in backticks, and targets of links, that look like paths of this repository.
fn named_paths(text: &str) -> BTreeSet<String> {
    const TOP: &[&str] = &[
        "src", "lang", "stdlib", "trainer", "examples", "tests", "docs", "xtask", "editors", ".ci",
    ];
    let quoted = text.split('`').skip(1).step_by(2);
    let linked = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    quoted
        .chain(linked)
        .filter(|word| !word.contains(|c: char| c.is_whitespace() || "{*<=…".contains(c)))
        .filter(|word| {
            let (top, rest) = word.split_once('/').unwrap_or((word, ""));
            (TOP.contains(&top) && word.contains('/') && !rest.contains(':'))
                || (word.ends_with(".md") && !word.contains("//"))
        })
        .map(|word| word.trim_end_matches('/').to_owned())
        .collect()
}

#[test]
fn the_readme_shows_the_example_as_it_is() {
    let pipeline = read(Path::new("examples/digits/pipeline.mlp"));
    assert!(read(Path::new("README.md")).contains(&format!("```mlp\n{pipeline}```")));
}

#[test]
fn every_error_code_has_a_page() {
    let pages: BTreeSet<String> = files("docs/errors", &["md"])
        .iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let mut faults = Vec::new();
    for path in files("lang/src", &["rs"]) {
        let missing = codes(&code(&path))
            .into_iter()
            .filter(|code| !pages.contains(code));
        faults.extend(missing.map(|code| format!("{}: docs/errors/{code}.md is missing", path.display())));
    }
    all_hold(&faults);
}

/// String literals of the form `"E0310"`.
fn codes(code: &str) -> BTreeSet<String> {
    let literals = code.split('"').skip(1).step_by(2);
    let is_code = |text: &&str| {
        text.len() == 5 && text.starts_with(['E', 'W']) && text[1..].chars().all(|c| c.is_ascii_digit())
    };
    literals.filter(is_code).map(str::to_owned).collect()
}
