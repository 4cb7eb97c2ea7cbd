//! The standard library: the `.mlp` files under `stdlib/`, compiled in. The build script lists them.

include!(concat!(env!("OUT_DIR"), "/stdlib.rs"));

/// The modules that `import std.…` finds, and the prelude.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    /// Names and texts, sorted by name.
    modules: &'static [(&'static str, &'static str)],
}

/// The prelude's name: every module sees its items.
pub const PRELUDE: &str = "prelude";

impl Library {
    /// The library of this program.
    pub fn standard() -> Self {
        Self { modules: STDLIB }
    }

    /// Another library, for tests; sorted by name.
    pub fn of(modules: &'static [(&'static str, &'static str)]) -> Self {
        Self { modules }
    }

    /// The text of the module `name`.
    pub fn text(self, name: &str) -> Option<&'static str> {
        let at = self
            .modules
            .binary_search_by(|(module, _)| (*module).cmp(name))
            .ok()?;
        Some(self.modules[at].1)
    }

    /// The names of all modules but the prelude, sorted.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.modules
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| *name != PRELUDE)
    }
}
