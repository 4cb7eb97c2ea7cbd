//! What an editor asks of a program: hovers, completion, navigation, renaming, signatures, hints, outlines, mends.
//!
//! ```text
//! World, file -> Analysis (loaded, checked) -> a function a question -> plain data with spans
//! ```
//! Pure, and without a word of any editor's protocol: the language server and the read-eval-print loop turn the answers
//! into theirs. *Invariant*: every question has an answer over a broken file, if only an empty one. A question takes the
//! file that it is about as the entry of its program, so that what the file does not import costs nothing.

mod complete;
mod context;
mod describe;
mod hints;
mod hover;
mod mends;
mod navigate;
mod networks;
mod outline;
mod rename;
mod signature;
mod symbol;
mod written;

#[cfg(test)]
mod again_tests;
#[cfg(test)]
mod tests;

pub(crate) use complete::complete_with;
pub use complete::{Completion, CompletionKind, FileEntry, complete};
pub use hints::{Hint, hints};
pub use hover::{Hover, hover};
pub use mends::{Action, mends};
pub use navigate::{definition, references};
pub use outline::{Outline, OutlineKind, outline};
pub use rename::{Renaming, rename, renamed_at};
pub use signature::{SignatureHelp, signature};
pub use written::written;

use crate::check::{Checked, check, check_again};
use crate::diagnostic::{Diagnostic, is_worth_saying};
use crate::eval::Outcome;
use crate::hir::{Module, ModuleId};
use crate::lower::{Loaded, load, load_again};
use crate::source::{SourceId, Sources, Span, World};
use crate::syntax::{Parse, parse};

/// A file with all that it imports, loaded and checked.
#[derive(Debug)]
pub struct Analysis {
    loaded: Loaded,
    checked: Checked,
}

/// A place between two bytes of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The source.
    pub source: SourceId,
    /// The bytes before it.
    pub offset: u32,
}

impl Analysis {
    /// Loads and checks the file `entry` of `world` and what it imports.
    pub fn new(world: &dyn World, entry: &str) -> Self {
        let loaded = load(world, entry);
        let checked = check(&loaded.program, &loaded.sources);
        Self { loaded, checked }
    }

    /// Of a program that was loaded and checked already.
    pub(crate) fn of(loaded: Loaded, checked: Checked) -> Self {
        Self { loaded, checked }
    }

    /// The analysis of the file `entry` that this one is of, after something of `world` has changed: what [`new`](Self::new)
    /// gives, and no more work than for what comes behind the first change in the order of the modules. The entry is the
    /// last of them, so that what is typed into it costs itself alone.
    #[must_use]
    pub fn again(self, world: &dyn World, entry: &str) -> Self {
        let loaded = load_again(world, entry, self.loaded);
        let checked = check_again(&loaded.program, &loaded.sources, self.checked, loaded.kept());
        Self { loaded, checked }
    }

    /// All texts that were read.
    pub fn sources(&self) -> &Sources {
        &self.loaded.sources
    }

    /// The source of the file at `path`.
    pub fn source(&self, path: &str) -> Option<SourceId> {
        let mut sources = self.loaded.sources.iter();
        sources.find(|(_, source)| source.path == path).map(|(id, _)| id)
    }

    /// Whether a source belongs to the standard library, and so is in no file.
    pub fn is_library(&self, source: SourceId) -> bool {
        self.module_of(source).is_some_and(|(_, module)| module.std)
    }

    /// What is wrong, as far as it is known without evaluating anything.
    pub fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        let all: Vec<&Diagnostic> = self
            .loaded
            .diagnostics
            .iter()
            .chain(&self.checked.diagnostics)
            .collect();
        let kept: Vec<&Diagnostic> = all
            .iter()
            .filter(|found| is_worth_saying(found, &all))
            .copied()
            .collect();
        kept.into_iter()
    }

    /// All of the file, evaluated, with what only that finds wrong: shapes, limits, and what a value may not be. None where
    /// the program did not check, since a mistake may follow from that.
    pub fn evaluated(&self, steps: u64) -> Option<Outcome> {
        networks::evaluate_all(self, steps)
    }

    /// The module that `source` is, by its number.
    fn module_of(&self, source: SourceId) -> Option<(ModuleId, &Module)> {
        let modules = self.loaded.program.modules.iter().enumerate();
        modules
            .map(|(index, module)| (ModuleId(index as u32), module))
            .find(|(_, module)| module.source == source)
    }

    /// The syntax of `source`. Parsing one file again is cheaper than keeping the trees of all.
    fn parse(&self, source: SourceId) -> Parse {
        parse(source, self.loaded.sources.get(source).text.clone())
    }
}

/// Whether `offset` lies in `span` or right behind it, where a cursor after a word stands.
fn touches(span: Span, offset: u32) -> bool {
    span.start <= offset && offset <= span.end
}

/// Whether `c` may stand inside a name.
fn is_name_char(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
