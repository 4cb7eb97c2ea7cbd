//! One layout for every `.mlp` text, without options. Reads the lossless tree of [`crate::syntax`]; `mlp fmt` and the
//! language server write what it gives.
//!
//! Lines are at most 110 characters, indentation is two spaces a level. A person decides two things, and both are kept:
//! - *Brackets.* What is broken behind its opening bracket stays broken, and its elements stay in their rows; an element
//!   that does not fit into its row begins the next. Everything else is put on one line if it fits, and if not has an
//!   element a line. A call whose last argument is a list, a record or a lambda breaks only that one if it can.
//! - *Operators.* A chain of operators, pipes or an `if` with a line break at one of its operators or words has one at
//!   all of them.
//!
//! Broken brackets end with a comma. Of blank lines one is kept. Comments stay between the same tokens, and begin a line
//! or end one as they did. Strings and paths are not touched.
//! *Invariant*: formatting what is formatted changes nothing, and the tokens stay as they were but for such commas.

mod brackets;
mod comments;
mod doc;
mod layout;
mod print;
mod same;

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::SourceId;
use crate::syntax::{Tree, parse};
use std::sync::Arc;

/// How long a line may be, in characters.
const WIDTH: usize = 110;

/// The text as it should be laid out.
///
/// # Errors
/// The errors of syntax, with spans of source 0: what does not parse is not formatted.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = parse(SourceId(0), Arc::from(text));
    let mut errors = parsed.diagnostics;
    errors.retain(|diagnostic| diagnostic.severity == Severity::Error);
    if !errors.is_empty() {
        return Err(errors);
    }
    let formatted = laid_out(&parsed.tree);
    let again = parse(SourceId(0), Arc::from(formatted.as_str()));
    // Never observed; and if it were, a text laid out badly is better than one that means something else.
    if !again.diagnostics.is_empty() || !same::mean_the_same(&parsed.tree, &again.tree) {
        return Ok(text.to_owned());
    }
    Ok(formatted)
}

fn laid_out(tree: &Tree) -> String {
    let layout = layout::Layout::new(tree);
    print::print(&layout.file(tree.root()), WIDTH)
}
