//! The library's reference as Markdown.

use super::{Entry, Page, summary};
use std::fmt::Write as _;

/// A document with a section for each page.
pub fn markdown(pages: &[Page]) -> String {
    let mut out =
        "# The standard library\n\nGenerated from the doc comments of `stdlib/` by `cargo xtask docs`. \
                   `mlp doc NAME` prints the same at the command line.\n"
            .to_owned();
    for page in pages {
        // A string takes all that is written.
        let _ = write!(out, "\n## {}\n\n{}\n", title(page), page.doc.trim());
        if page.name == "types" {
            out.push_str("\n| type | |\n|---|---|\n");
            for Entry { signature, doc, .. } in &page.entries {
                let _ = writeln!(out, "| `{signature}` | {} |", summary(doc));
            }
            continue;
        }
        for Entry { name, signature, doc } in &page.entries {
            let _ = write!(out, "\n### `{name}`\n\n```text\n{signature}\n```\n");
            if !doc.is_empty() {
                let _ = write!(out, "\n{doc}\n");
            }
        }
    }
    out
}

fn title(page: &Page) -> String {
    match page.name.as_str() {
        "prelude" => "The prelude".to_owned(),
        "types" => "Types".to_owned(),
        name => format!("`std.{name}`"),
    }
}
