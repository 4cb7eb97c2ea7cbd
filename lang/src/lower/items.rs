//! Items to `hir`: names are collected first, so that items may stand in any order.

use super::imports::Wanted;
use super::loader::Exports;
use super::name;
use super::scope::{LocalScope, ModuleScope, Target};
use crate::diagnostic::Diagnostic;
use crate::hir::{self, Body, ExprId, ItemKind, ItemRef, Local, ModuleId, Name, Program, TypeExpr};
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
    /// Where the module's file stands.
    pub(super) directory: &'a str,
    pub(super) diagnostics: &'a mut Vec<Diagnostic>,
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
    /// Where a bracket or string is not closed, in order: what the names about it were meant for cannot be known.
    unclosed: Vec<u32>,
    /// Whether the item at hand has such a place.
    murky: bool,
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
    let mut lower = Lower::new(cx, parse.tree.source(), stem, std);
    lower.broken = !parse.diagnostics.is_empty();
    let unclosed = parse
        .diagnostics
        .iter()
        .filter(|error| matches!(error.code, "E0102" | "E0110" | "E0112" | "E0113"));
    lower.unclosed = unclosed.map(|error| error.span().start).collect();
    if let Some(file) = ast::File::cast(parse.tree.root()) {
        lower.module.doc = file.doc();
        lower.imports(wanted, found);
        let items = lower.collect(file);
        for item in items {
            let item = lower.item(item);
            lower.module.items.push(item);
        }
        if let Some(result) = file.result() {
            lower.at_item(result.node().span());
            lower.module.result = Some(lower.body(Some(result)));
        }
        lower.unused_imports(wanted);
    }
    lower.module
}

/// Lowers a setting: a module with nothing but a result.
pub(super) fn lower_setting(cx: Lowering<'_>, tree: &Tree, param: &str) -> hir::Module {
    let mut lower = Lower::new(cx, tree.source(), name(param), false);
    let expr = tree.root().children().find_map(Expr::cast);
    lower.module.result = Some(lower.body(expr));
    lower.module
}

impl<'a> Lower<'a> {
    fn new(cx: Lowering<'a>, source: SourceId, stem: Name, std: bool) -> Self {
        let id = ModuleId((cx.program.modules.len() + cx.program.settings.len()) as u32);
        let module = hir::Module {
            std,
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
            unclosed: Vec::new(),
            murky: false,
        }
    }

    /// Reports, unless it may follow from a bracket that is not closed.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if !self.murky {
            self.cx.diagnostics.push(diagnostic);
        }
    }

    /// The item at hand stands at `span`.
    fn at_item(&mut self, span: Span) {
        let after = self.unclosed.partition_point(|at| *at < span.start);
        self.murky = self.unclosed.get(after).is_some_and(|at| *at <= span.end);
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
            .help("give one of them another name");
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
            if let Some((target, before)) = self.scope.names.get(&own) {
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

    fn item(&mut self, (token, item): (SyntaxToken<'_>, Item<'_>)) -> hir::Item {
        self.at_item(item.node().span());
        let kind = match item {
            Item::Binding(binding) => self.value(binding),
            Item::Param(param) => self.param(param),
            Item::FnItem(function) => self.function(function),
            Item::TypeItem(item) => self.type_item(item),
            Item::EnumItem(item) => self.enum_item(item),
            // Imports are no items; `collect` leaves them out.
            Item::ImportFile(_) | Item::ImportStd(_) => ItemKind::Param {
                ty: None,
                default: None,
            },
        };
        self.tparams.clear();
        self.murky = false;
        hir::Item {
            name: name(token.text()),
            name_span: token.span(),
            span: item.node().span(),
            doc: ast::doc_before(item.node().first_token()),
            kind,
        }
    }

    fn value(&mut self, binding: ast::Binding<'_>) -> ItemKind {
        let ((ty, expr), locals) = self.with_locals(|lower| {
            let ty = binding.ty().map(|ty| lower.ty(ty));
            (ty, lower.expr_or_error(binding.value(), binding.node().span()))
        });
        ItemKind::Value {
            ty,
            body: Body { expr, locals },
        }
    }

    fn param(&mut self, param: ast::Param<'_>) -> ItemKind {
        let ty = param.ty().map(|ty| self.type_alone(ty));
        ItemKind::Param {
            ty,
            default: param.default().map(|default| self.body(Some(default))),
        }
    }

    fn type_item(&mut self, item: ast::TypeItem<'_>) -> ItemKind {
        self.type_params(item.params());
        let ty = match item.ty() {
            Some(ty) => self.type_alone(ty),
            None => self.add_type(TypeExpr::Error, item.node().span()),
        };
        ItemKind::Type {
            tparams: self.tparams.clone(),
            ty,
        }
    }

    fn enum_item(&mut self, item: ast::EnumItem<'_>) -> ItemKind {
        self.type_params(item.params());
        let mut variants: Vec<hir::VariantDef> = Vec::new();
        for variant in item.variants() {
            let Some(token) = variant.name() else {
                continue;
            };
            let own = name(token.text());
            if let Some(before) = variants.iter().find(|before| before.name == own) {
                let before = before.span;
                self.twice(&own, "variant", before, token.span());
                continue;
            }
            let fields = variant.fields().map(|field| self.variant_field(field)).collect();
            variants.push(hir::VariantDef {
                name: own,
                span: token.span(),
                doc: ast::doc_before(variant.node().first_token()),
                fields,
            });
        }
        ItemKind::Enum {
            tparams: self.tparams.clone(),
            variants,
        }
    }

    fn variant_field(&mut self, field: ast::VariantField<'_>) -> hir::VariantField {
        let ty = match field.ty() {
            Some(ty) => self.type_alone(ty),
            None => self.add_type(TypeExpr::Error, field.node().span()),
        };
        hir::VariantField {
            label: field.label().map(|label| name(label.text())),
            ty,
            default: field.default().map(|default| self.body(Some(default))),
        }
    }

    fn type_params(&mut self, params: Option<ast::TypeParams<'_>>) {
        self.tparams.clear();
        for token in params.into_iter().flat_map(ast::TypeParams::names) {
            let own = name(token.text());
            if let Some((_, before)) = self.tparams.iter().find(|(before, _)| *before == own) {
                let before = *before;
                self.twice(&own, "type parameter", before, token.span());
            }
            // A second one keeps its place: arguments are counted.
            self.tparams.push((own, token.span()));
        }
    }

    fn function(&mut self, function: ast::FnItem<'_>) -> ItemKind {
        self.type_params(function.type_params());
        let mut params = Vec::new();
        let ((ret, body), locals) = self.with_locals(|lower| {
            lower.fn_params(function, &mut params);
            let ret = function.ret().map(|ty| lower.ty(ty));
            (ret, lower.fn_body(function))
        });
        ItemKind::Fn(hir::FnItem {
            tparams: self.tparams.clone(),
            params,
            ret,
            body,
            locals,
        })
    }

    fn fn_params(&mut self, function: ast::FnItem<'_>, params: &mut Vec<hir::Param>) {
        // All of them first: the n-th local is the n-th parameter, whatever their defaults bind.
        let labelled = function
            .params()
            .flatten()
            .filter_map(|param| Some((param, param.label()?)));
        let ids: Vec<_> = labelled
            .map(|(_, label)| self.locals.declare(name(label.text()), label.span(), false))
            .collect();
        let mut ids = ids.into_iter();
        let mut star = false;
        for param in function.params() {
            let Some(param) = param else {
                star = true;
                continue;
            };
            let Some(label) = param.label() else {
                continue;
            };
            let own = name(label.text());
            if let Some(before) = params.iter().find(|before| before.label == own) {
                let before = before.span;
                self.twice(&own, "parameter", before, label.span());
            }
            let ty = match param.ty() {
                Some(ty) => self.ty(ty),
                None => self.add_type(TypeExpr::Error, param.node().span()),
            };
            let default = param.default().map(|default| self.expr(default));
            if let Some(id) = ids.next() {
                self.locals.show(id);
            }
            params.push(hir::Param {
                label: own,
                span: label.span(),
                ty,
                named: star || default.is_some(),
                default,
            });
        }
    }

    /// The body; `intrinsic` is none.
    fn fn_body(&mut self, function: ast::FnItem<'_>) -> Option<ExprId> {
        if let Some(Expr::NameRef(body)) = function.body()
            && body.node().text() == "intrinsic"
            && self.locals.find("intrinsic").is_none()
            && !self.scope.names.contains_key("intrinsic")
        {
            if self.module.std {
                return None;
            }
            let span = body.node().span();
            let error = Diagnostic::error(
                "E0259",
                span,
                "only the standard library has `intrinsic` functions",
            )
            .help("write the function's value after `=`");
            self.report(error);
            return Some(self.add_expr(hir::Expr::Error, span));
        }
        Some(self.expr_or_error(function.body(), function.node().span()))
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
        if self.broken || self.module.std {
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
