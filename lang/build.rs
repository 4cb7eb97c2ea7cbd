//! Lists what is compiled in, sorted: the files of the standard library for `src/library.rs`, the pages of the errors
//! for `src/codes.rs`.

use std::fmt::Write;
use std::{env, fs, path::Path};

fn main() {
    list("../stdlib", "mlp", "STDLIB", "stdlib.rs");
    list("../docs/errors", "md", "PAGES", "codes.rs");
}

/// Writes a table of the names and texts of the files in `folder` that end in `extension`.
fn list(folder: &str, extension: &str, table: &str, output: &str) {
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
    for (name, path) in files {
        writeln!(code, "    ({name:?}, include_str!({path:?})),").expect("a string takes all");
    }
    code.push_str("];\n");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join(output), code).expect("OUT_DIR can be written");
}
