//! `docs/stdlib.md` says what the library says.

use mlp_lang::doc;
use mlp_lang::library::Library;
use std::path::Path;

#[test]
fn the_librarys_reference_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/stdlib.md");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let current = doc::markdown(&doc::library(Library::standard()));
    assert!(
        written.replace("\r\n", "\n") == current,
        "docs/stdlib.md is not current: run `cargo xtask docs`"
    );
}
