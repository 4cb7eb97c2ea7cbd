//! Lists what is compiled in, sorted: the files of the standard library for `src/library.rs`, the pages of the errors
//! for `src/codes.rs`. And says which parts of the library need which others, so that a program need not read all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let library = list("../stdlib", "mlp", "STDLIB", "stdlib.rs");
    list("../docs/errors", "md", "PAGES", "codes.rs");
    let texts = library.iter().map(|(name, path)| {
        let text = fs::read_to_string(path).expect("the file can be read");
        (name.clone(), text)
    });
    output("library_parts.rs", &parts_table(&texts.collect()));
}

/// Writes a table of the names and texts of the files in `folder` that end in `extension`; the files.
fn list(folder: &str, extension: &str, table: &str, file: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join(folder);
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_some_and(|of| of == extension) {
            let name = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .expect("names are ASCII")
                .to_owned();
            files.push((name, fs::canonicalize(&path).expect("the file is there")));
        }
    }
    files.sort();
    let mut code = format!("static {table}: &[(&str, &str)] = &[\n");
    for (name, path) in &files {
        writeln!(code, "    ({name:?}, include_str!({path:?})),").expect("a string takes all");
    }
    code.push_str("];\n");
    output(file, &code);
    files
}

fn output(file: &str, code: &str) {
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join(file), code).expect("OUT_DIR can be written");
}

/// An item of the library with the comments before it.
struct Part {
    module: String,
    name: String,
    start: usize,
    end: usize,
    /// Words of its code.
    words: BTreeSet<String>,
}

/// The table of all items, and of the names that they go by.
fn parts_table(library: &BTreeMap<String, String>) -> String {
    let parts: Vec<Part> = library
        .iter()
        .flat_map(|(module, text)| parts(module, text))
        .collect();
    let mut names: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, part) in parts.iter().enumerate() {
        names.entry(&part.name).or_default().push(index);
    }
    let mut code = "static PARTS: &[Part] = &[\n".to_owned();
    for (index, part) in parts.iter().enumerate() {
        // A module sees its own items and those of the prelude; none imports another.
        let is_seen = |at: &&usize| {
            let other = &parts[**at];
            **at != index && (other.module == part.module || other.module == "prelude")
        };
        let found = part.words.iter().filter_map(|word| names.get(word.as_str()));
        let needs: Vec<usize> = found.flatten().filter(is_seen).copied().collect();
        let Part {
            module, start, end, ..
        } = part;
        writeln!(
            code,
            "    Part {{ module: {module:?}, start: {start}, end: {end}, needs: &{needs:?} }},"
        )
        .expect("a string takes all");
    }
    code.push_str("];\nstatic NAMES: &[(&str, &[u16])] = &[\n");
    for (name, parts) in names {
        writeln!(code, "    ({name:?}, &{parts:?}),").expect("a string takes all");
    }
    code + "];\n"
}

/// The items of a file of the library, which `mlp fmt` has laid out: what begins a line begins an item. Enums are left out, since
/// their variants go by names of their own: who reads a file reads them.
fn parts(module: &str, text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let (mut at, mut comments) = (0, None);
    let mut open: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let is_comment = line.starts_with('#') && !line.starts_with("##!");
        if is_comment {
            comments.get_or_insert(start);
            open = None;
        } else if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let mut words = words(line);
            let first = words.next().unwrap_or_default();
            let name = match first {
                "fn" | "type" => words.next().unwrap_or_default(),
                "enum" | "import" => "",
                name => name,
            };
            let start = comments.take().unwrap_or(start);
            open = (!name.is_empty()).then_some(parts.len());
            if !name.is_empty() {
                parts.push(Part {
                    module: module.to_owned(),
                    name: name.to_owned(),
                    start,
                    end: at,
                    words: BTreeSet::new(),
                });
            }
        } else if line.trim().is_empty() {
            comments = None;
        }
        if let Some(part) = open.map(|open| &mut parts[open])
            && !line.trim().is_empty()
            && !is_comment
        {
            part.end = at;
            part.words.extend(words(line).map(str::to_owned));
        }
    }
    parts
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty())
}
