//! Syntax to [`hir`](crate::hir): finds a file and all that it imports through the [`World`], resolves every name, and
//! removes sugar. Never fails: what is wrong is a diagnostic, and `Error` in the program.
//!
//! **Scopes.** A name is looked for among the locals, from the inside outwards; then among the module's items and
//! imports; then in the prelude. A local may shadow a local, an item or a name of the prelude, and an item one of the
//! prelude: pipelines are full of short names, and `fn run(lr: Float)` beside `param lr` is no mistake. Two items, an
//! item and an import, two parameters, or two names of one pattern that are the same are errors.

mod again;
mod data;
mod documentation;
mod exprs;
mod imports;
mod items;
mod loader;
mod mentioned;
mod module;
mod patterns;
mod postfix;
mod scope;
mod settings;
mod strings;
mod types;
mod unknown;

pub use again::load_again;
pub(crate) use loader::extend;
pub use loader::{Loaded, Made, load, load_with};
pub use mentioned::load_mentioned;
pub use settings::set;

use crate::hir::Name;
use crate::source::{ReadError, World};
use crate::suggest;
use crate::types::{BUILTIN_TYPES, SHAPES};
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization;

/// A name in the form in which names are compared.
fn name(text: &str) -> Name {
    if text.is_ascii() {
        Name::new(text)
    } else {
        text.nfc().collect()
    }
}

/// A world of files that are given, for tests and for texts that stand nowhere.
#[derive(Clone, Debug, Default)]
pub struct Files {
    files: std::collections::BTreeMap<String, Arc<[u8]>>,
}

impl Files {
    /// Files by path from the root.
    pub fn new<'t>(files: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let file = |(path, text): (&str, &str)| (path.to_owned(), Arc::from(text.as_bytes()));
        Self {
            files: files.into_iter().map(file).collect(),
        }
    }

    /// Adds a file of any bytes.
    pub fn insert(&mut self, path: &str, bytes: &[u8]) {
        self.files.insert(path.to_owned(), Arc::from(bytes));
    }
}

impl World for Files {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, ReadError> {
        if let Some(bytes) = self.files.get(path) {
            return Ok(bytes.clone());
        }
        let folder = format!("{path}/");
        if self.files.keys().any(|file| file.starts_with(&folder)) {
            return Err(ReadError::Directory);
        }
        let near = suggest::near(path, self.files.keys().map(String::as_str));
        Err(ReadError::Missing {
            near: near.into_iter().map(str::to_owned).collect(),
        })
    }
}

/// Loads a text that stands for a whole project, as `main.mlp`, with the standard library.
pub fn load_text(text: &str) -> Loaded {
    load(&Files::new([("main.mlp", text)]), "main.mlp")
}

/// Reads the source at `path` as text: without a byte-order mark, and UTF-8.
fn decode(bytes: &[u8]) -> Result<&str, usize> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| error.valid_up_to())
}

fn is_builtin_type(name: &str) -> bool {
    builtin_types().any(|builtin| builtin == name)
}

/// Types that every module knows, shapes among them.
fn builtin_types<'n>() -> impl Iterator<Item = &'n str> {
    BUILTIN_TYPES
        .iter()
        .map(|ty| ty.name)
        .chain(SHAPES.iter().map(|shape| shape.name))
}

#[cfg(test)]
mod tests;
