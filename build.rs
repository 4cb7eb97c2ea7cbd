//! Collects the pages of `docs/errors` into a table, so that `mlp explain` has them wherever the program is.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=docs/errors");
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let mut rows = Vec::new();
    for entry in fs::read_dir(Path::new(&root).join("docs/errors"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let code = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            rows.push(format!("    ({code:?}, include_str!({path:?})),\n"));
        }
    }
    rows.sort();
    let table = format!("&[\n{}]\n", rows.concat());
    fs::write(Path::new(&out).join("error_pages.rs"), table)
}
