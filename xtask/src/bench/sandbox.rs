//! What a sandbox costs: a step that does nothing, from its request to its end, against bubblewrap with the same binds.

use super::Row;
use crate::shell;
use serde_json::Value;

/// The rows for a few inputs and for many.
pub(super) fn rows() -> Result<Vec<Row>, String> {
    let mut bench = shell::command("cargo bench --quiet --package mlp --bench sandbox");
    let said =
        shell::output(&mut bench).ok_or("the bench of the sandbox fails: `cargo bench --bench sandbox`")?;
    let mut rows = Vec::new();
    for line in said.lines().filter(|line| line.starts_with('{')) {
        let figures: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
        let of = |name: &str| figures[name].as_f64();
        let few = figures["inputs"] == 5;
        let mut row = |what, ours, theirs, peer| {
            if let Some(ours) = of(ours) {
                rows.push(Row {
                    what,
                    ours,
                    theirs: of(theirs),
                    peer,
                    unit: "ms",
                });
            }
        };
        let [sandbox, landlock] = match few {
            true => ["a sandbox, 5 inputs", "landlock, 5 inputs"],
            false => ["a sandbox, 50 inputs", "landlock, 50 inputs"],
        };
        row(sandbox, "sandbox_ms", "bwrap_ms", "bubblewrap");
        row(sandbox, "sandbox_ms", "plain_ms", "a plain child");
        row(landlock, "landlock_ms", "bwrap_ms", "bubblewrap");
    }
    Ok(rows)
}
