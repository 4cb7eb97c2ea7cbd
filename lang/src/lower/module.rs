//! A module while it is lowered: its names are collected first, so that items may stand in any order.

use super::again::Read;
use super::documentation;
use super::imports::Wanted;
use super::loader::Exports;
use super::name;
use super::scope::{LocalScope, ModuleScope, Target};
use crate::diagnostic::{Diagnostic, Severity};
use crate::hir::{self, Body, ItemKind, ItemRef, Local, ModuleId, Name, Program};
use crate::library::Library;
use crate::source::{SourceId, Sources, Span, World};
use crate::syntax::ast::{self, Expr, Item};
use crate::syntax::{Parse, SyntaxKind, SyntaxToken, Tree};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// What lowering a module reads, and where it reports.
pub(super) struct Lowering<'a> {
    pub(super) world: &'a dyn World,
    pub(super) library: Library,
    pub(super) sources: &'a mut Sources,
    /// Modules that were lowered.
    pub(super) program: &'a Program,
    /// The names of their items.
    pub(super) exports: &'a [Exports],
    /// Variants of all their enums.
    pub(super) variants: &'a BTreeSet<Name>,
    /// Modules whose names it sees, the nearest first.
    pub(super) around: Vec<ModuleId>,
    /// Where the module's file stands.
    pub(super) directory: &'a str,
    pub(super) diagnostics: &'a mut Vec<Diagnostic>,
    /// Data files that it wants, with what came of reading them.
    pub(super) data: &'a mut Vec<(Name, Read)>,
}

/// A module that is being lowered.
pub(super) struct Lower<'a> {
    pub(super) cx: Lowering<'a>,
    pub(super) module: hir::Module,
    /// Its place in the program.
    id: ModuleId,
    pub(super) scope: ModuleScope,
    pub(super) locals: LocalScope,
    /// Type parameters of the item at hand.
    pub(super) tparams: Vec<(Name, Span)>,
    /// Variants of its own enums, by item.
    enums: FxHashMap<u32, Vec<Name>>,
    own_variants: BTreeSet<Name>,
    /// Kinds of its own items, before they are lowered.
    kinds: Vec<SyntaxKind>,
    /// For each import whether it is used.
    pub(super) used: Vec<bool>,
    /// Data files that were read, by path.
    pub(super) data: FxHashMap<Name, Option<hir::DataFile>>,
    /// Whether the file has syntax errors: then nothing is said to be unused.
    broken: bool,
    /// Whether it is a setting from the command line.
    pub(super) is_setting: bool,
}

/// What a name is, as far as resolution cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Value,
    Type,
    Enum,
}

/// Lowers a module whose imports have come to `found`.
pub(super) fn lower_module(
    cx: Lowering<'_>,
    parse: &Parse,
    stem: Name,
    std: bool,
    wanted: &[Wanted],
    found: &[Option<ModuleId>],
) -> hir::Module {
    let before = cx.diagnostics.len();
    let mut lower = Lower::new(cx, parse.tree.source(), stem, std);
    lower.broken = !parse.diagnostics.is_empty();
    lower.module.broken = broken_items(parse);
    if let Some(file) = ast::File::cast(parse.tree.root()) {
        lower.module.doc = file.doc();
        lower.imports(wanted, found);
        let items = lower.collect(file);
        for item in items {
            let item = lower.item(item);
            lower.module.items.push(item);
        }
        if let Some(result) = file.result() {
            lower.module.result = Some(lower.body(Some(result)));
        }
        lower.unused_imports(wanted);
    }
    if !std && !lower.broken {
        let of_nothing = documentation::of_nothing(&parse.tree);
        lower.cx.diagnostics.extend(of_nothing);
    }
    let Lower { cx, module, .. } = lower;
    let reported = cx.diagnostics.split_off(before);
    let sure = reported
        .into_iter()
        .filter(|found| !module.is_broken(found.span()));
    cx.diagnostics.extend(sure);
    module
}

/// What stands at the top of the file with a mistake in it that leaves open what was meant. Where the mend is certain the
/// parser has gone on as if it were made, and what else is wrong can be said.
fn broken_items(parse: &Parse) -> Vec<Span> {
    let guessed = |error: &&Diagnostic| {
        error.mend.is_none()
            || matches!(
                error.code,
                "E0102" | "E0110" | "E0112" | "E0113" | "E0115" | "E0140" | "E0142"
            )
    };
    let mut errors = parse
        .diagnostics
        .iter()
        .filter(guessed)
        .map(|error| error.span().start)
        .peekable();
    let mut broken = Vec::new();
    for node in parse.tree.root().children() {
        let span = node.span();
        while errors.next_if(|at| *at < span.start).is_some() {}
        if errors.peek().is_some_and(|at| *at <= span.end) {
            broken.push(span);
        }
    }
    broken
}

/// Lowers a setting: a module with nothing but a result.
pub(super) fn lower_setting(cx: Lowering<'_>, tree: &Tree, param: &str) -> hir::Module {
    let mut lower = Lower::new(cx, tree.source(), name(param), false);
    lower.is_setting = true;
    let expr = tree.root().children().find_map(Expr::cast);
    lower.module.result = Some(lower.body(expr));
    lower.module
}

/// Among more messages nobody looks for those that say the same.
const MANY: usize = 200;

impl<'a> Lower<'a> {
    fn new(cx: Lowering<'a>, source: SourceId, stem: Name, std: bool) -> Self {
        let id = ModuleId((cx.program.modules.len() + cx.program.settings.len()) as u32);
        let module = hir::Module {
            std,
            around: cx.around.clone(),
            ..hir::Module::empty(source, stem)
        };
        Self {
            cx,
            module,
            id,
            scope: ModuleScope::default(),
            locals: LocalScope::default(),
            tparams: Vec::new(),
            enums: FxHashMap::default(),
            own_variants: BTreeSet::new(),
            kinds: Vec::new(),
            used: Vec::new(),
            data: FxHashMap::default(),
            broken: false,
            is_setting: false,
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        // A name that is not there is one mistake, however often it is used.
        if matches!(diagnostic.code, "E0250" | "E0251" | "E0252") && self.cx.diagnostics.len() < MANY {
            let same = |known: &&mut Diagnostic| {
                known.code == diagnostic.code
                    && known.message == diagnostic.message
                    && known.span().source == diagnostic.span().source
            };
            if let Some(known) = self.cx.diagnostics.iter_mut().find(same) {
                return known.join(diagnostic);
            }
        }
        self.cx.diagnostics.push(diagnostic);
    }

    /// Binds the names that imports bring.
    fn imports(&mut self, wanted: &[Wanted], found: &[Option<ModuleId>]) {
        for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
            self.used.push(false);
            let target = match (*found, &wanted.item) {
                (None, _) => Target::Failed,
                (Some(module), None) => {
                    self.module.imports.push(hir::Import {
                        name: wanted.name.clone(),
                        span: wanted.span,
                        module,
                    });
                    Target::Module(index, module)
                }
                (Some(module), Some(item)) => match self.exported(module, item) {
                    Some(item) => Target::Imported(index, item),
                    None => Target::Failed,
                },
            };
            if let Some((_, before)) = self.scope.names.get(&wanted.name) {
                let before = *before;
                if wanted.place.is_some() {
                    self.duplicate(&wanted.name, before, wanted.span, "imported here too");
                }
                self.used[index] = true;
                continue;
            }
            self.scope
                .names
                .insert(wanted.name.clone(), (target, wanted.span));
        }
    }

    pub(super) fn exported(&self, module: ModuleId, name: &str) -> Option<ItemRef> {
        let item = *self.cx.exports.get(module.0 as usize)?.get(name)?;
        Some(ItemRef { module, item })
    }

    fn duplicate(&mut self, name: &str, before: Span, span: Span, text: &str) {
        let error = Diagnostic::error("E0254", span, format!("`{name}` is defined twice"))
            .at(text)
            .label(before, "first defined here")
            .help("a name is bound once: give one of them another name");
        self.report(error);
    }

    /// Binds the names of the items, and gives those that stay.
    fn collect<'t>(&mut self, file: ast::File<'t>) -> Vec<(SyntaxToken<'t>, Item<'t>)> {
        let mut items = Vec::new();
        for item in file.items() {
            let token = match item {
                Item::ImportFile(_) | Item::ImportStd(_) => continue,
                Item::Param(param) => param.name(),
                Item::TypeItem(item) => item.name(),
                Item::EnumItem(item) => item.name(),
                Item::FnItem(item) => item.name(),
                Item::Binding(item) => item.name(),
            };
            let Some(token) = token else {
                continue;
            };
            let own = name(token.text());
            if own == "_" {
                let error = Diagnostic::error("E0254", token.span(), "`_` is no name for an item")
                    .help("give it a name; only in patterns `_` stands for what is not needed");
                self.report(error);
                continue;
            }
            // What an import that failed was to bring does not stand in the way of an item.
            let taken = self
                .scope
                .names
                .get(&own)
                .filter(|(target, _)| !matches!(target, Target::Failed));
            if let Some((target, before)) = taken {
                let before = *before;
                if let Target::Module(index, _) | Target::Imported(index, _) = *target {
                    self.used[index] = true;
                }
                self.duplicate(&own, before, token.span(), "defined again here");
                continue;
            }
            let index = items.len() as u32;
            if let Item::EnumItem(item) = item {
                let names: Vec<Name> = item
                    .variants()
                    .filter_map(|v| v.name())
                    .map(|v| name(v.text()))
                    .collect();
                self.own_variants.extend(names.iter().cloned());
                self.enums.insert(index, names);
            }
            self.kinds.push(item.node().kind());
            self.scope.names.insert(own, (Target::Item(index), token.span()));
            items.push((token, item));
        }
        items
    }

    /// An item of this module.
    pub(super) fn own(&self, item: u32) -> ItemRef {
        ItemRef {
            module: self.id,
            item,
        }
    }

    /// What an item is.
    pub(super) fn shape(&self, at: ItemRef) -> Shape {
        if at.module == self.id {
            return match self.kinds[at.item as usize] {
                SyntaxKind::TypeItem => Shape::Type,
                SyntaxKind::EnumItem => Shape::Enum,
                _ => Shape::Value,
            };
        }
        match self.cx.program.item(at).kind {
            ItemKind::Type { .. } => Shape::Type,
            ItemKind::Enum { .. } => Shape::Enum,
            _ => Shape::Value,
        }
    }

    /// The variants of an enum.
    pub(super) fn variants_of(&self, at: ItemRef) -> Vec<Name> {
        if at.module == self.id {
            return self.enums.get(&at.item).cloned().unwrap_or_default();
        }
        match &self.cx.program.item(at).kind {
            ItemKind::Enum { variants, .. } => variants.iter().map(|variant| variant.name.clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether some enum has a variant of this name.
    pub(super) fn is_variant(&self, name: &str) -> bool {
        self.own_variants.contains(name) || self.cx.variants.contains(name)
    }

    /// All names of variants, for suggestions.
    pub(super) fn variant_names(&self) -> impl Iterator<Item = &str> {
        self.own_variants.iter().chain(self.cx.variants).map(Name::as_str)
    }

    /// Lowers a body with locals of its own.
    pub(super) fn body(&mut self, expr: Option<Expr<'_>>) -> Body {
        let span = expr.map_or(
            Span {
                source: self.module.source,
                start: 0,
                end: 0,
            },
            |expr| expr.node().span(),
        );
        let (expr, locals) = self.with_locals(|lower| lower.expr_or_error(expr, span));
        Body { expr, locals }
    }

    /// Runs `lower` with no local in sight, and gives those that it bound.
    pub(super) fn with_locals<R>(&mut self, lower: impl FnOnce(&mut Self) -> R) -> (R, Vec<Local>) {
        let outer = std::mem::take(&mut self.locals);
        let result = lower(self);
        let inner = std::mem::replace(&mut self.locals, outer);
        if !self.broken {
            for local in inner.unused() {
                let warning =
                    Diagnostic::warning("E0271", local.span, format!("`{}` is never used", local.name))
                        .help(format!("remove it, or call it `_{}`", local.name));
                self.cx.diagnostics.push(warning);
            }
        }
        (result, inner.locals)
    }

    /// Says that something is written twice in one list.
    pub(super) fn twice(&mut self, name: &str, what: &str, before: Span, span: Span) {
        let error = Diagnostic::error("E0256", span, format!("{what} `{name}` is written twice"))
            .at("again here")
            .label(before, "first here")
            .help("remove one of them");
        self.report(error);
    }

    fn unused_imports(&mut self, wanted: &[Wanted]) {
        // A name that was not found may have been meant for what an import brings.
        let failed = |found: &Diagnostic| {
            found.severity == Severity::Error && found.span().source == self.module.source
        };
        // What an input of a session imports is for the inputs after it.
        if self.broken || self.module.is_input() || self.module.std || self.cx.diagnostics.iter().any(failed)
        {
            return;
        }
        for (index, wanted) in wanted.iter().enumerate() {
            let failed = matches!(self.scope.names.get(&wanted.name), Some((Target::Failed, _)));
            if self.used[index] || failed {
                continue;
            }
            let warning = Diagnostic::warning(
                "E0270",
                wanted.span,
                format!("`{}` is imported and never used", wanted.name),
            )
            .help("remove it");
            let warning = match wanted.alone {
                Some(whole) => warning.mend("remove the import", whole, ""),
                None => warning,
            };
            self.report(warning);
        }
    }
}
