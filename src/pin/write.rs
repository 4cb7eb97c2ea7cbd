//! `mlp.lock` as text.

use super::VERSION;
use crate::model::node::Node;
use crate::model::pin::{Pin, Pins};
use std::fmt::Write;

const HEAD: &str =
    "# Data that is too large for git, pinned by `mlp add`. Commit this file in the place of the data.\n";

/// The text of a lock with these pins: a table for each, in the order of paths.
pub fn text(pins: &Pins) -> String {
    let mut text = format!("{HEAD}version = {VERSION}\n");
    for (path, Pin { node, size, files }) in pins {
        let path = quoted(path);
        // A string takes whatever is written to it.
        let _ = write!(text, "\n[pin.{path}]\n");
        let _ = match node {
            Node::File {
                executable, digest, ..
            } => {
                let executable = if *executable { "executable = true\n" } else { "" };
                write!(
                    text,
                    "kind = \"file\"\ndigest = \"{digest}\"\nsize = {size}\n{executable}"
                )
            }
            Node::Dir { tree } => write!(
                text,
                "kind = \"directory\"\ndigest = \"{tree}\"\nsize = {size}\nfiles = {files}\n"
            ),
        };
    }
    text
}

/// A basic string of TOML.
fn quoted(path: &str) -> String {
    let mut text = String::from('"');
    for letter in path.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(text, "\\u{:04X}", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    text.push('"');
    text
}
