//! The standard library: the `.mlp` files under `stdlib/`, compiled in. The build script lists them.

use std::collections::BTreeSet;

include!(concat!(env!("OUT_DIR"), "/stdlib.rs"));
include!(concat!(env!("OUT_DIR"), "/library_parts.rs"));

/// An item of the library with the comments before it.
#[derive(Debug)]
struct Part {
    module: &'static str,
    start: usize,
    end: usize,
    /// The parts whose names are written in it.
    needs: &'static [u16],
}

/// The parts of the library that a program may lead to: those whose names its texts mention, and what these mention.
#[derive(Clone, Debug)]
pub(crate) struct Needed {
    /// By [`PARTS`].
    parts: Vec<bool>,
}

impl Needed {
    /// What `texts` mention, whatever they mean by it.
    pub(crate) fn by<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut needed = Self {
            parts: vec![false; PARTS.len()],
        };
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for text in texts {
            for word in text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()) {
                if !word.is_empty() && seen.insert(word) {
                    needed.mention(word);
                }
            }
        }
        needed
    }

    fn mention(&mut self, word: &str) {
        let Ok(at) = NAMES.binary_search_by(|(name, _)| (*name).cmp(word)) else {
            return;
        };
        let mut queue: Vec<u16> = NAMES[at].1.to_vec();
        while let Some(part) = queue.pop() {
            let known = &mut self.parts[usize::from(part)];
            if !std::mem::replace(known, true) {
                queue.extend(PARTS[usize::from(part)].needs);
            }
        }
    }

    /// The text of a module with blanks for what is not needed, so that all else stands where it stands.
    pub(crate) fn of(&self, module: &str, text: &'static str) -> String {
        let mut needed = String::with_capacity(text.len());
        for (part, is_needed) in PARTS.iter().zip(&self.parts) {
            if part.module == module && !is_needed {
                needed.push_str(&text[needed.len()..part.start]);
                needed.extend(std::iter::repeat_n(' ', part.end - part.start));
            }
        }
        needed.push_str(&text[needed.len()..]);
        needed
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;
    use crate::syntax::ast::{File, Item};
    use crate::syntax::parse;

    #[test]
    fn parts_are_the_items() {
        for (module, text) in STDLIB {
            let parse = parse(SourceId(0), (*text).into());
            let file = File::cast(parse.tree.root()).unwrap();
            let mut items = Vec::new();
            for item in file.items() {
                let name = match item {
                    Item::TypeItem(item) => item.name(),
                    Item::FnItem(item) => item.name(),
                    Item::Binding(item) => item.name(),
                    Item::EnumItem(_) => continue,
                    Item::ImportFile(_) | Item::ImportStd(_) | Item::Param(_) => {
                        panic!("{module}: a part may need what it cannot see")
                    }
                };
                items.push((name.unwrap().text().to_owned(), item.node().span()));
            }
            let parts: Vec<_> = PARTS.iter().filter(|part| part.module == *module).collect();
            assert_eq!(parts.len(), items.len(), "{module}");
            for (part, (name, span)) in parts.iter().zip(&items) {
                assert!(part.start <= span.start as usize, "{module}.{name}");
                assert_eq!(
                    text[..part.end].trim_end().len(),
                    span.end as usize,
                    "{module}.{name}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_mentioned_is_blank() {
        let text = Library::standard().text("nn").unwrap();
        let needed = Needed::by(["nn.conv2d(8)"]).of("nn", text);
        assert_eq!(needed.len(), text.len());
        let at = text.find("fn conv2d").unwrap();
        assert_eq!(needed[at..at + 9], text[at..at + 9]);
        assert!(!needed.contains("fn linear") && needed.contains("enum Activation"));
    }
}
