//! Documentation: signatures and doc comments of the standard library and of a project's own files. `mlp doc` prints it,
//! and `docs/stdlib.md` is generated from it.

mod markdown;

pub use markdown::markdown;

use crate::check::TypeTable;
use crate::hir::{ItemKind, ItemRef, ModuleId, Program};
use crate::library::{Library, PRELUDE};
use crate::source::{SourceId, Sources};
use crate::suggest;
use crate::syntax::ast::{File, Item, doc_before};
use crate::syntax::{Parse, SyntaxToken, parse};
use crate::types::{BUILTIN_TYPES, SHAPES};
use std::collections::BTreeMap;

/// What is said of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As it is called: `nn.conv2d`, `map`, `evaluate`.
    pub name: String,
    /// What it takes and gives, as a declaration is written, without its body.
    pub signature: String,
    /// Its doc comment; may be empty.
    pub doc: String,
}

/// What is said of a module.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its name: `nn`; `types` is the page of the language's own types.
    pub name: String,
    /// Its doc comment.
    pub doc: String,
    /// Its items in the order of the file.
    pub entries: Vec<Entry>,
}

/// What a name stands for.
#[derive(Debug)]
pub enum Found<'d> {
    /// Items: several where a name without its module stands in more than one.
    Entries(Vec<&'d Entry>),
    /// A module.
    Page(&'d Page),
    /// Nothing; names that are near.
    Nothing(Vec<&'d str>),
}

/// The pages of the library: the prelude, the modules by name, the language's types.
pub fn library(library: Library) -> Vec<Page> {
    let modules = std::iter::once(PRELUDE).chain(library.names());
    let mut pages: Vec<Page> = modules
        .filter_map(|name| Some(page(name, library.text(name)?)))
        .collect();
    pages.push(types());
    pages
}

fn page(name: &str, text: &str) -> Page {
    let prefix = match name {
        PRELUDE => String::new(),
        _ => format!("{name}."),
    };
    let parsed = parse(SourceId(0), text.into());
    Page {
        name: name.to_owned(),
        doc: file(&parsed).and_then(File::doc).unwrap_or_default(),
        entries: entries(&parsed, &prefix),
    }
}

/// The types that need no import.
fn types() -> Page {
    let plain = BUILTIN_TYPES.iter().map(|ty| Entry {
        name: ty.name.to_owned(),
        signature: match ty.arity {
            0 => ty.name.to_owned(),
            1 => format!("{}[T]", ty.name),
            _ => format!("{}[X, Y]", ty.name),
        },
        doc: ty.doc.to_owned(),
    });
    let shapes = SHAPES.iter().map(|shape| Entry {
        name: shape.name.to_owned(),
        signature: format!("{}({})", shape.name, shape.dims.join(", ")),
        doc: "A shape, for the types of datasets, models and codecs: each size is a number, or `_`."
            .to_owned(),
    });
    let mut entries: Vec<Entry> = plain.chain(shapes).collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Page {
        name: "types".to_owned(),
        doc: "The types that every file sees without an import.".to_owned(),
        entries,
    }
}

/// The items of one module; what no annotation says is taken from `types`.
pub(crate) fn module(
    id: ModuleId,
    program: &Program,
    sources: &Sources,
    types: &mut TypeTable,
) -> Vec<Entry> {
    revealed(id, "", program, sources, types)
}

/// The items of the entry file, and, with the file's name before theirs, of the project's files that it imports. What
/// no annotation says is taken from `types`.
pub fn project(program: &Program, sources: &Sources, types: &mut TypeTable) -> Vec<Entry> {
    let Some(entry) = program.modules.last() else {
        return Vec::new();
    };
    let own = ModuleId((program.modules.len() - 1) as u32);
    let imported = entry
        .imports
        .iter()
        .filter(|import| !program.module(import.module).std);
    let modules = std::iter::once((own, String::new()))
        .chain(imported.map(|import| (import.module, format!("{}.", import.name))));
    let mut found = Vec::new();
    for (id, prefix) in modules {
        found.extend(revealed(id, &prefix, program, sources, types));
    }
    found
}

/// The items of a module with their types, whether they are written or not.
fn revealed(
    id: ModuleId,
    prefix: &str,
    program: &Program,
    sources: &Sources,
    types: &mut TypeTable,
) -> Vec<Entry> {
    let module = program.module(id);
    let parsed = parse(module.source, sources.get(module.source).text.clone());
    let revealed: BTreeMap<String, String> = (0u32..)
        .zip(&module.items)
        .filter_map(|(item, of)| {
            let ty = types.item(ItemRef { module: id, item })?;
            let text = match &of.kind {
                ItemKind::Fn(function) if function.ret.is_some() => String::new(),
                ItemKind::Fn(_) => format!(" -> {}", result_of(&ty)?),
                ItemKind::Value { ty: None, .. } | ItemKind::Param { ty: None, .. } => format!(": {ty}"),
                _ => String::new(),
            };
            Some((format!("{prefix}{}", of.name), text))
        })
        .collect();
    let entries = entries(&parsed, prefix).into_iter().map(|mut entry| {
        if let Some(text) = revealed.get(&entry.name) {
            insert_type(&mut entry, text);
        }
        entry
    });
    entries.collect()
}

/// Puts a type that is not written behind the name of a binding or param, or behind the parameters of a function.
fn insert_type(entry: &mut Entry, ty: &str) {
    let named = entry
        .signature
        .find(&entry.name)
        .map_or(0, |at| at + entry.name.len());
    let at = match entry.signature[named..].starts_with(['(', '[']) {
        true => entry.signature.len(),
        false => named,
    };
    entry.signature.insert_str(at, ty);
}

/// `C` of `(A, B) -> C`.
fn result_of(ty: &str) -> Option<&str> {
    let mut depth = 0usize;
    for (at, letter) in ty.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return ty[at + 1..].strip_prefix(" -> ");
        }
    }
    None
}

fn file(parsed: &Parse) -> Option<File<'_>> {
    File::cast(parsed.tree.root())
}

fn entries(parsed: &Parse, prefix: &str) -> Vec<Entry> {
    let items = file(parsed).into_iter().flat_map(File::items);
    items.filter_map(|item| entry(item, prefix)).collect()
}

fn entry(item: Item<'_>, prefix: &str) -> Option<Entry> {
    let node = item.node();
    let whole = node.text().trim_end();
    // The text from the name up to `end`, with the module before it.
    let called = |name: SyntaxToken<'_>, end: Option<u32>| {
        let (start, stop) = (name.span().start, end.unwrap_or(node.span().end));
        let text = node.tree().text().get(start as usize..stop as usize)?;
        let text = text.trim_end().trim_end_matches('=').trim_end();
        Some(format!("{prefix}{text}"))
    };
    let (name, signature) = match item {
        Item::ImportFile(_) | Item::ImportStd(_) => return None,
        Item::FnItem(function) => {
            let name = function.name()?;
            let body = function.body().map(|body| body.node().span().start);
            (name, called(name, body)?)
        }
        Item::Binding(binding) => {
            let name = binding.name()?;
            let value = binding.value().map(|value| value.node().span().start);
            (name, called(name, value)?)
        }
        Item::Param(param) => {
            let name = param.name()?;
            (name, format!("param {}", called(name, None)?))
        }
        Item::TypeItem(item) => (item.name()?, whole.to_owned()),
        Item::EnumItem(item) => (item.name()?, whole.to_owned()),
    };
    Some(Entry {
        name: format!("{prefix}{}", name.text()),
        signature,
        doc: doc_before(node.first_token()).unwrap_or_default(),
    })
}

/// What `name` stands for. A project's own names come first; the module may be left out.
pub fn find<'d>(name: &str, project: &'d [Entry], library: &'d [Page]) -> Found<'d> {
    let name = name.strip_prefix("std.").unwrap_or(name);
    let all = || {
        project
            .iter()
            .chain(library.iter().flat_map(|page| &page.entries))
    };
    if let Some(entry) = all().find(|entry| entry.name == name) {
        return Found::Entries(vec![entry]);
    }
    if let Some(page) = library.iter().find(|page| page.name == name) {
        return Found::Page(page);
    }
    let inner: Vec<&Entry> = all().filter(|entry| last(&entry.name) == name).collect();
    if !inner.is_empty() {
        return Found::Entries(inner);
    }
    let names = all().map(|entry| entry.name.as_str());
    let near = suggest::near(name, names.chain(library.iter().map(|page| page.name.as_str())));
    if !near.is_empty() {
        return Found::Nothing(near);
    }
    // The module may be wrong, and the name in it right.
    let inner = last(name);
    let mut near = suggest::near(inner, all().map(|entry| last(&entry.name)));
    if all().any(|entry| last(&entry.name) == inner) {
        near = vec![inner];
    }
    let meant = all().map(|entry| entry.name.as_str());
    Found::Nothing(meant.filter(|full| near.contains(&last(full))).take(3).collect())
}

/// `conv2d` of `nn.conv2d`.
fn last(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, last)| last)
}

/// The first sentence of a doc comment, on one line.
pub fn summary(doc: &str) -> String {
    let line = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.find(". ") {
        Some(end) => line[..=end].to_owned(),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::check;
    use crate::lower::{Files, load};

    fn signature(found: &Found<'_>) -> String {
        match found {
            Found::Entries(entries) => entries
                .iter()
                .map(|entry| entry.signature.as_str())
                .collect::<Vec<_>>()
                .join("\n"),
            Found::Page(page) => format!("page {}", page.name),
            Found::Nothing(near) => format!("nothing, near {}", near.join(" ")),
        }
    }

    #[test]
    fn the_library_is_found_by_name() {
        let pages = library(Library::standard());
        let said = |name: &str| signature(&find(name, &[], &pages));
        assert_eq!(said("nn.dropout"), "nn.dropout(p: Float = 0.5) -> Layer");
        assert_eq!(said("std.nn.dropout"), said("dropout"));
        assert_eq!(said("len"), "len[T](xs: List[T]) -> Int");
        assert_eq!(said("nn"), "page nn");
        assert_eq!(said("Duration"), "Duration");
        assert_eq!(said("Image"), "Image(channels, height, width)");
        assert_eq!(said("ml.Keep"), "enum Keep { Best, Last }");
        assert_eq!(said("nn.Conv2D"), "nothing, near nn.conv2d");
        assert_eq!(said("layers.gelu"), "nothing, near nn.gelu tensor.gelu");
        assert_eq!(said("frobnicate"), "nothing, near ");
    }

    #[test]
    fn every_item_of_the_library_is_documented() {
        for page in library(Library::standard()) {
            assert!(!page.doc.is_empty(), "{}", page.name);
            for entry in &page.entries {
                assert!(!entry.doc.is_empty(), "{}", entry.name);
                assert!(!entry.signature.contains("intrinsic"), "{}", entry.signature);
            }
        }
    }

    #[test]
    fn a_project_shows_what_its_annotations_leave_out() {
        let files = Files::new([
            (
                "main.mlp",
                "import ./lib.mlp\n## Passes.\nparam epochs: Int = 20\nparam rate = 0.5\n\
                 fn f(g: (Int) -> Int, n: Int) =\n  let m = n\n  [g(m)]\nfn g(x: Int) -> Int = x\nxs = lib.xs\n",
            ),
            ("lib.mlp", "## Some.\n## More.\nxs: List[Float] = [1]\nn = 1\n"),
        ]);
        let loaded = load(&files, "main.mlp");
        let mut checked = check(&loaded.program, &loaded.sources);
        let entries = project(&loaded.program, &loaded.sources, &mut checked.types);
        let shown: Vec<String> = entries
            .iter()
            .map(|entry| format!("{} | {}", entry.signature, entry.doc))
            .collect();
        assert_eq!(
            shown,
            [
                "param epochs: Int = 20 | Passes.",
                "param rate: Float = 0.5 | ",
                "f(g: (Int) -> Int, n: Int) -> List[Int] | ",
                "g(x: Int) -> Int | ",
                "xs: List[Float] | ",
                "lib.xs: List[Float] | Some.\nMore.",
                "lib.n: Int | ",
            ]
        );
    }

    #[test]
    fn a_summary_is_a_sentence() {
        assert_eq!(summary("One\nline. Two."), "One line.");
        assert_eq!(summary("One"), "One");
    }
}
