//! Makes the parser of `grammar.js`, and compiles it with the scanner. Node.js reads the grammar; without it nothing is
//! made, and the tests say so.

use std::path::Path;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(generated)");
    for file in ["grammar.js", "src/scanner.c"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let out = std::env::var("OUT_DIR").unwrap_or_default();
    match generate(Path::new(&out)) {
        Ok(()) => println!("cargo::rustc-cfg=generated"),
        Err(message) => println!("cargo::warning={}", message.replace('\n', " ")),
    }
}

fn generate(out: &Path) -> Result<(), String> {
    let mut remarks = Vec::new();
    tree_sitter_generate::generate_parser_in_directory(
        ".",
        Some(out),
        Some("grammar.js"),
        tree_sitter_generate::ABI_VERSION_MAX,
        None,
        Some("node"),
        true,
        tree_sitter_generate::OptLevel::default(),
        &mut remarks,
    )
    .map_err(|error| error.to_string())?;
    cc::Build::new()
        .std("c11")
        .include(out)
        .flag_if_supported("-Wno-unused")
        .file(out.join("parser.c"))
        .file("src/scanner.c")
        .try_compile("tree-sitter-mlp")
        .map_err(|error| error.to_string())
}
