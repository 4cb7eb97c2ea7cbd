//! `cargo xtask docs`: the pages that are generated. Only `docs/stdlib.md` is; a test holds that it is current.

use crate::shell;

/// Writes `docs/stdlib.md`: what `mlp doc --format markdown` prints.
pub(crate) fn run() -> Result<(), String> {
    let mut command = shell::command("cargo run --quiet --package mlp -- doc --format markdown");
    let text = shell::output(&mut command).ok_or("`mlp doc --format markdown` cannot be built or run")?;
    let path = shell::root().join("docs/stdlib.md");
    std::fs::write(&path, text + "\n").map_err(|error| format!("{}: {error}", path.display()))
}
