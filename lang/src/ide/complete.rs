//! What may be written at a place.

use super::context::{Call, Context, Wanted, context, imported, imports, is_function, resolve, sight};
use super::describe::{describe, type_text};
use super::symbol::{Symbol, locals_of};
use super::{Analysis, Position};
use crate::hir::{Expr, ItemKind, ItemRef, LocalId, ModuleId, TypeExpr, TypeId};
use crate::library::Library;
use crate::source::{ReadError, Span, World};
use crate::syntax::{Node, SyntaxKind, Tree};
use crate::types::{BUILTIN_TYPES, SHAPES};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Something that may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What is shown, and, but for `insert`, written.
    pub label: String,
    /// What is written, where it is more than the label.
    pub insert: Option<String>,
    /// Its type, or what it is.
    pub detail: String,
    /// Its doc comment.
    pub doc: Option<String>,
    /// What it is.
    pub kind: CompletionKind,
    /// What it replaces.
    pub replace: Span,
}

/// What a completion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as it is written")]
pub enum CompletionKind {
    Argument,
    Field,
    Local,
    Value,
    Param,
    Function,
    Module,
    Type,
    Enum,
    Variant,
    Keyword,
    File,
    Folder,
}

/// A file or folder of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name.
    pub name: String,
    /// Whether it is a folder.
    pub folder: bool,
}

/// Words that begin a value, and those that begin an item.
const VALUE_WORDS: &[&str] = &[
    "else", "false", "if", "let", "match", "not", "null", "then", "true",
];
const ITEM_WORDS: &[&str] = &["enum", "fn", "import", "param", "type"];

/// What may be written at `at`. `list` gives the entries of a folder, by its path from the project's root; `world` is
/// that of the analysis, which may be read again with a name in the place of one that is still to come.
pub fn complete(
    analysis: &mut Analysis,
    at: Position,
    world: &dyn World,
    list: &dyn Fn(&str) -> Vec<FileEntry>,
) -> Vec<Completion> {
    let path = analysis.loaded.sources.get(at.source).path.to_string();
    let again = |text: String| {
        let patched = Patched {
            world,
            path: &path,
            text: text.into_bytes().into(),
        };
        Analysis::new(&patched, &path)
    };
    complete_with(analysis, at, &again, list)
}

/// As [`complete`]; `again` is the analysis of another text in the place of the one that `at` is in.
pub(crate) fn complete_with(
    analysis: &mut Analysis,
    at: Position,
    again: &dyn Fn(String) -> Analysis,
    list: &dyn Fn(&str) -> Vec<FileEntry>,
) -> Vec<Completion> {
    let Some((id, _)) = analysis.module_of(at.source) else {
        return Vec::new();
    };
    let parse = analysis.parse(at.source);
    let place = context(&parse.tree, at);
    let mut found = Found {
        completions: Vec::new(),
        names: BTreeSet::new(),
        replace: place.replace,
        first: place.prefix.chars().next(),
    };
    match &place.wanted {
        Wanted::Nothing => {}
        Wanted::Path(folder) => files(analysis, at, folder, list, &mut found),
        Wanted::LibraryModule => {
            for name in Library::standard().names() {
                found.add(name, "a module of the library", None, CompletionKind::Module);
            }
        }
        Wanted::Type => types(analysis, id, at, &mut found),
        Wanted::Item => {
            words(ITEM_WORDS, &mut found);
            // What is typed at a prompt is a value as often.
            if analysis.loaded.program.module(id).is_input() {
                names(analysis, id, at, &parse.tree, &mut found);
            }
        }
        Wanted::Member(path) => member(analysis, id, at, again, (path, &place), &mut found),
        Wanted::Value(call) => {
            if let Some(call) = call {
                argument(analysis, id, call, &mut found);
            }
            names(analysis, id, at, &parse.tree, &mut found);
        }
    }
    found.completions
}

struct Found {
    completions: Vec<Completion>,
    names: BTreeSet<String>,
    replace: Span,
    /// The letter that all begin with.
    first: Option<char>,
}

impl Found {
    /// Adds a name; of two that are the same the first stays, which hides the other.
    fn add(&mut self, label: &str, detail: &str, doc: Option<String>, kind: CompletionKind) {
        self.insert(label, None, detail, doc, kind);
    }

    fn fits(&self, label: &str) -> bool {
        let lower = |c: char| c.to_lowercase().next();
        self.first
            .is_none_or(|first| label.chars().any(|c| lower(c) == lower(first)))
    }

    fn insert(
        &mut self,
        label: &str,
        insert: Option<String>,
        detail: &str,
        doc: Option<String>,
        kind: CompletionKind,
    ) {
        if !self.fits(label) || !self.names.insert(label.to_owned()) {
            return;
        }
        self.completions.push(Completion {
            label: label.to_owned(),
            insert,
            detail: detail.to_owned(),
            doc,
            kind,
            replace: self.replace,
        });
    }
}

fn words(words: &[&str], found: &mut Found) {
    for word in words {
        found.add(word, "", None, CompletionKind::Keyword);
    }
}

fn files(
    analysis: &Analysis,
    at: Position,
    folder: &str,
    list: &dyn Fn(&str) -> Vec<FileEntry>,
    found: &mut Found,
) {
    let file = &analysis.loaded.sources.get(at.source).path;
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in folder.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return;
                }
            }
            part => parts.push(part),
        }
    }
    for entry in list(&parts.join("/")) {
        // Others need quotation marks.
        let plain = |c: char| c.is_alphanumeric() || "_-.+@%~".contains(c);
        if !entry.name.chars().all(plain) || entry.name.starts_with('.') {
            continue;
        }
        match entry.folder {
            true => {
                let inserted = Some(format!("{}/", entry.name));
                found.insert(&entry.name, inserted, "folder", None, CompletionKind::Folder);
            }
            false => found.add(&entry.name, "file", None, CompletionKind::File),
        }
    }
}

fn types(analysis: &mut Analysis, id: ModuleId, at: Position, found: &mut Found) {
    let module = analysis.loaded.program.module(id);
    let around = module
        .items
        .iter()
        .find(|item| item.span.start <= at.offset && at.offset <= item.span.end);
    if let Some(ItemKind::Fn(function)) = around.map(|item| &item.kind) {
        for (name, _) in &function.tparams {
            found.add(name, "type parameter", None, CompletionKind::Type);
        }
    }
    for of in sight(analysis, id).collect::<Vec<_>>() {
        items(analysis, of, found, |kind| {
            matches!(kind, ItemKind::Type { .. } | ItemKind::Enum { .. })
        });
    }
    for row in BUILTIN_TYPES {
        found.add(row.name, "type", Some(row.doc.to_owned()), CompletionKind::Type);
    }
    for shape in SHAPES {
        let detail = format!("{}({})", shape.name, shape.dims.join(", "));
        found.add(shape.name, &detail, None, CompletionKind::Type);
    }
    modules(analysis, id, found);
}

fn modules(analysis: &Analysis, id: ModuleId, found: &mut Found) {
    let program = &analysis.loaded.program;
    for import in imports(analysis, id) {
        let doc = program.module(import.module).doc.clone();
        found.add(&import.name, "module", doc, CompletionKind::Module);
    }
}

/// The items of a module that `wanted` takes.
fn items(analysis: &mut Analysis, of: ModuleId, found: &mut Found, wanted: impl Fn(&ItemKind) -> bool) {
    let count = analysis.loaded.program.module(of).items.len() as u32;
    for item in 0..count {
        let at = ItemRef { module: of, item };
        let declared = analysis.loaded.program.item(at);
        if !wanted(&declared.kind) || !found.fits(&declared.name) {
            continue;
        }
        let kind = match declared.kind {
            ItemKind::Value { .. } => CompletionKind::Value,
            ItemKind::Param { .. } => CompletionKind::Param,
            ItemKind::Fn(_) => CompletionKind::Function,
            ItemKind::Type { .. } => CompletionKind::Type,
            ItemKind::Enum { .. } => CompletionKind::Enum,
        };
        let name = declared.name.clone();
        let description = describe(analysis, Symbol::Item(at));
        found.add(&name, &description.code, description.doc, kind);
    }
}

/// What stands behind a dot.
fn member(
    analysis: &mut Analysis,
    id: ModuleId,
    at: Position,
    again: &dyn Fn(String) -> Analysis,
    (path, place): (&[String], &Context),
    found: &mut Found,
) {
    if let [name] = path
        && let Some(module) = imported(analysis, id, name)
    {
        return items(analysis, module, found, |_| true);
    }
    if let Some(item) = resolve(analysis, id, path)
        && let ItemKind::Enum { .. } = analysis.loaded.program.item(item).kind
    {
        return variants(analysis, item, "", found);
    }
    let mut fields = fields_at(analysis, id, place.replace.start);
    if fields.is_none() {
        // The name is still to come: read the file again as if it stood there.
        let source = analysis.loaded.sources.get(at.source);
        let (before, after) = source.text.split_at(at.offset as usize);
        let mut again = again(format!("{before}here{after}"));
        let path = source.path.clone();
        let module = again.source(&path).and_then(|source| again.module_of(source));
        if let Some((id, _)) = module {
            fields = fields_at(&mut again, id, place.replace.start);
        }
    }
    for (name, ty) in fields.into_iter().flatten() {
        found.add(&name, &ty, None, CompletionKind::Field);
    }
}

/// The fields of what stands before the name at `start`.
fn fields_at(analysis: &mut Analysis, id: ModuleId, start: u32) -> Option<Vec<(crate::hir::Name, String)>> {
    let module = analysis.loaded.program.module(id);
    let base = module.exprs.iter().find_map(|expr| match expr {
        Expr::Field { base, name_span, .. } if name_span.start == start => Some(*base),
        _ => None,
    })?;
    Some(analysis.checked.types.fields(id, base))
}

/// A world in which a file has another text.
struct Patched<'w> {
    world: &'w dyn World,
    path: &'w str,
    text: Arc<[u8]>,
}

impl World for Patched<'_> {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, ReadError> {
        match path == self.path {
            true => Ok(self.text.clone()),
            false => self.world.read(path),
        }
    }
}

fn variants(analysis: &mut Analysis, item: ItemRef, detail: &str, found: &mut Found) {
    let ItemKind::Enum { variants, .. } = &analysis.loaded.program.item(item).kind else {
        return;
    };
    let names: Vec<String> = variants.iter().map(|variant| variant.name.to_string()).collect();
    for (place, name) in names.iter().enumerate() {
        let description = describe(analysis, Symbol::Variant(item, place as u32));
        let detail = if detail.is_empty() {
            &description.code
        } else {
            detail
        };
        found.add(name, detail, description.doc, CompletionKind::Variant);
    }
}

/// Labels that the call still takes, and the variants of an argument that is an enum.
fn argument(analysis: &mut Analysis, id: ModuleId, call: &Call, found: &mut Found) {
    let Some(item) = resolve(analysis, id, &call.callee).filter(|item| is_function(analysis, *item)) else {
        return;
    };
    let ItemKind::Fn(function) = &analysis.loaded.program.item(item).kind else {
        return;
    };
    let params: Vec<(String, TypeId, bool)> = function
        .params
        .iter()
        .map(|param| (param.label.to_string(), param.ty, param.named))
        .collect();
    let at_cursor = match &call.label {
        Some(label) => params.iter().find(|(name, ..)| name == label),
        None => params.get(call.place).filter(|(.., named)| !named),
    };
    if let Some((_, ty, _)) = at_cursor
        && let Some(of) = enum_of(analysis, item.module, *ty)
    {
        variants(analysis, of, "", found);
    }
    if !call.starts {
        return;
    }
    for (place, (label, ty, named)) in params.iter().enumerate() {
        let placed = !named && place < call.place;
        if call.given.contains(label) || placed {
            continue;
        }
        let detail = type_text(analysis, item, *ty);
        let insert = Some(format!("{label} = "));
        found.insert(label, insert, &detail, None, CompletionKind::Argument);
    }
}

/// The enum that a written type is, or is or null.
fn enum_of(analysis: &Analysis, module: ModuleId, ty: TypeId) -> Option<ItemRef> {
    match &analysis.loaded.program.module(module).types[ty.0 as usize] {
        TypeExpr::Item { item, .. } => {
            let kind = &analysis.loaded.program.item(*item).kind;
            matches!(kind, ItemKind::Enum { .. }).then_some(*item)
        }
        TypeExpr::Optional(inner) => enum_of(analysis, module, *inner),
        _ => None,
    }
}

/// All names that are in sight.
fn names(analysis: &mut Analysis, id: ModuleId, at: Position, tree: &Tree, found: &mut Found) {
    locals(analysis, id, at, tree, found);
    for of in sight(analysis, id).collect::<Vec<_>>() {
        let prelude = of != id && analysis.loaded.program.module(of).std;
        items(analysis, of, found, |kind| match prelude {
            true => matches!(kind, ItemKind::Fn(_)),
            false => !matches!(kind, ItemKind::Type { .. }),
        });
    }
    modules(analysis, id, found);
    words(VALUE_WORDS, found);
}

fn locals(analysis: &mut Analysis, id: ModuleId, at: Position, tree: &Tree, found: &mut Found) {
    let module = analysis.loaded.program.module(id);
    let item = module
        .items
        .iter()
        .position(|item| item.span.start <= at.offset && at.offset <= item.span.end);
    let (owner, locals) = match item {
        Some(item) => {
            let owner = ItemRef {
                module: id,
                item: item as u32,
            };
            (Some(owner), locals_of(&module.items[item].kind))
        }
        None => (None, module.result.as_ref().map_or(&[][..], |body| &body.locals)),
    };
    let seen = locals.iter().enumerate().rev().filter(|(_, local)| {
        let scope = scope_of(tree, local.span);
        local.name != "_" && scope.is_some_and(|scope| scope.0 <= at.offset && at.offset <= scope.1)
    });
    let seen: Vec<(LocalId, String, Span)> = seen
        .map(|(id, local)| (LocalId(id as u32), local.name.to_string(), local.span))
        .collect();
    for (local, name, bound) in seen {
        let symbol = Symbol::Local {
            owner,
            id: local,
            bound,
        };
        let description = describe(analysis, symbol);
        found.add(&name, &description.code, None, CompletionKind::Local);
    }
}

/// From where to where a local can be named: behind its own line for a `let`, all of what it is bound for else.
fn scope_of(tree: &Tree, bound: Span) -> Option<(u32, u32)> {
    let mut node: Node<'_> = tree.root().innermost_at(bound.start);
    let mut from = bound.end;
    loop {
        match node.kind() {
            SyntaxKind::LetLine => from = node.span().end,
            SyntaxKind::Lets | SyntaxKind::Lambda | SyntaxKind::Arm | SyntaxKind::FnItem => {
                return Some((from, node.span().end));
            }
            // What each round gives stands before the clause that binds.
            SyntaxKind::ListFor | SyntaxKind::RecordFor => return Some((node.span().start, node.span().end)),
            _ => {}
        }
        node = node.parent()?;
    }
}
