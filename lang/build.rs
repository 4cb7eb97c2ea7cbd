//! Lists the files of the standard library, sorted, for `src/library.rs` to compile in.

use std::fmt::Write;
use std::{env, fs, path::Path};

fn main() {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../stdlib");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut modules = Vec::new();
    for entry in fs::read_dir(&folder).expect("the folder stdlib stands beside lang") {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_some_and(|extension| extension == "mlp") {
            let name = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .expect("names are ASCII")
                .to_owned();
            modules.push((name, fs::canonicalize(&path).expect("the file is there")));
        }
    }
    modules.sort();
    let mut code = String::from("static STDLIB: &[(&str, &str)] = &[\n");
    for (name, path) in modules {
        writeln!(code, "    ({name:?}, include_str!({path:?})),").expect("a string takes all");
    }
    code.push_str("];\n");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("stdlib.rs"), code).expect("OUT_DIR can be written");
}
