//! Collects the pages of `docs/errors` into a table, so that `mlp explain` has them wherever the program is.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=docs/errors");
    // At a fixed address `mlp` starts without twelve thousand relocations, a third of the time of its shortest commands. As
    // Go's programs are; what reads foreign bytes is safe Rust.
    let target = (env::var("CARGO_CFG_TARGET_OS"), env::var("CARGO_CFG_TARGET_ENV"));
    if let (Ok("linux"), Ok("gnu")) = (target.0.as_deref(), target.1.as_deref()) {
        println!("cargo:rustc-link-arg-bin=mlp=-no-pie");
    }
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
