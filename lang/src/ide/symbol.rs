//! What names stand for, and where: the one index that hovers, navigation and renaming read.

use super::{Analysis, is_name_char};
use crate::hir::{
    Entry, Expr, ExprId, ItemKind, ItemRef, Local, LocalId, Module, ModuleId, Name, Pat, PatId, TypeExpr,
    TypeId, VariantDef,
};
use crate::source::{Sources, Span};
use std::collections::BTreeSet;

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Symbol {
    /// A value, param, function, type or enum.
    Item(ItemRef),
    /// A variant of an enum, by its place.
    Variant(ItemRef, u32),
    /// A parameter, `let`, `for`, lambda or pattern binding.
    Local {
        /// The item that it is in; none for the expression at the end of a file.
        owner: Option<ItemRef>,
        /// Its number there.
        id: LocalId,
        /// Where it is bound.
        bound: Span,
    },
    /// A type parameter, by where it is declared.
    TypeParam(Span),
    /// A module.
    Module(ModuleId),
}

impl PartialEq for Symbol {
    /// A local is the same if it is bound at the same place: its label in a call knows no more.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Item(a), Self::Item(b)) => a == b,
            (Self::Variant(a, m), Self::Variant(b, n)) => a == b && m == n,
            (Self::Local { bound: a, .. }, Self::Local { bound: b, .. })
            | (Self::TypeParam(a), Self::TypeParam(b)) => a == b,
            (Self::Module(a), Self::Module(b)) => a == b,
            _ => false,
        }
    }
}

/// How a name stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is declared or bound here.
    Definition,
    /// It is used.
    Use,
    /// `{ a }`, where the name is a field's too.
    Shorthand,
}

/// A name in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occurrence {
    /// Where the name stands.
    pub(super) span: Span,
    /// What it stands for.
    pub(super) symbol: Symbol,
    /// How.
    pub(super) role: Role,
}

/// All names of the module `id`, in the order of the text.
pub(super) fn occurrences(analysis: &mut Analysis, id: ModuleId) -> Vec<Occurrence> {
    let Analysis { loaded, checked } = analysis;
    let module = loaded.program.module(id);
    let mut enums = Vec::new();
    for (index, expr) in module.exprs.iter().enumerate() {
        if let Expr::Variant { of: None, .. } = expr {
            let of = checked.types.enumeration(id, ExprId(index as u32));
            enums.push((index, of));
        }
    }
    let mut index = Index {
        sources: &loaded.sources,
        modules: &loaded.program.modules,
        module,
        id,
        shorthands: shorthands(module),
        found: Vec::new(),
    };
    index.declarations();
    for at in 0..module.exprs.len() {
        let of = enums
            .binary_search_by_key(&at, |(at, _)| *at)
            .ok()
            .and_then(|found| enums[found].1);
        index.expr(ExprId(at as u32), of);
    }
    for at in 0..module.pats.len() {
        index.pat(PatId(at as u32));
    }
    for at in 0..module.types.len() {
        index.ty(TypeId(at as u32));
    }
    let mut found = index.found;
    found.sort_by_key(|occurrence| (occurrence.span, occurrence.role != Role::Definition));
    found.dedup_by_key(|occurrence| occurrence.span);
    found
}

/// The places of fields that are written by a name alone.
fn shorthands(module: &Module) -> BTreeSet<Span> {
    let mut places = BTreeSet::new();
    for expr in &module.exprs {
        if let Expr::Record(entries) = expr {
            for entry in entries {
                if let Entry::Field { name_span, value, .. } = entry
                    && module.expr_spans[value.0 as usize] == *name_span
                {
                    places.insert(*name_span);
                }
            }
        }
    }
    for pat in &module.pats {
        if let Pat::Record { fields, .. } = pat {
            let own = |(_, span, pat): &&(Name, Span, PatId)| module.pat_spans[pat.0 as usize] == *span;
            places.extend(fields.iter().filter(own).map(|(_, span, _)| *span));
        }
    }
    places
}

struct Index<'a> {
    sources: &'a Sources,
    modules: &'a [Module],
    module: &'a Module,
    id: ModuleId,
    shorthands: BTreeSet<Span>,
    found: Vec<Occurrence>,
}

impl<'a> Index<'a> {
    fn add(&mut self, span: Span, symbol: Symbol, role: Role) {
        let role = if self.shorthands.contains(&span) {
            Role::Shorthand
        } else {
            role
        };
        self.found.push(Occurrence { span, symbol, role });
    }

    fn declarations(&mut self) {
        let module = self.module;
        for import in &module.imports {
            self.add(import.span, Symbol::Module(import.module), Role::Definition);
        }
        for (index, item) in module.items.iter().enumerate() {
            let at = ItemRef {
                module: self.id,
                item: index as u32,
            };
            self.add(item.name_span, Symbol::Item(at), Role::Definition);
            for (id, local) in locals_of(&item.kind).iter().enumerate() {
                let symbol = local_symbol(Some(at), id, local);
                self.add(local.span, symbol, Role::Definition);
            }
            match &item.kind {
                ItemKind::Enum { tparams, variants } => {
                    self.type_params(tparams);
                    for (place, variant) in variants.iter().enumerate() {
                        self.add(variant.span, Symbol::Variant(at, place as u32), Role::Definition);
                    }
                }
                ItemKind::Type { tparams, .. } => self.type_params(tparams),
                ItemKind::Fn(function) => self.type_params(&function.tparams),
                ItemKind::Value { .. } | ItemKind::Param { .. } => {}
            }
        }
        for (id, local) in module
            .result
            .iter()
            .flat_map(|body| body.locals.iter().enumerate())
        {
            self.add(local.span, local_symbol(None, id, local), Role::Definition);
        }
    }

    fn type_params(&mut self, tparams: &[(Name, Span)]) {
        for (_, span) in tparams {
            self.add(*span, Symbol::TypeParam(*span), Role::Definition);
        }
    }

    /// The item around `span`, and the locals of what is there.
    fn owner(&self, span: Span) -> (Option<ItemRef>, &'a [Local]) {
        let module = self.module;
        let after = module.items.partition_point(|item| item.span.start <= span.start);
        if let Some(index) = after.checked_sub(1)
            && span.end <= module.items[index].span.end
        {
            let at = ItemRef {
                module: self.id,
                item: index as u32,
            };
            return (Some(at), locals_of(&module.items[index].kind));
        }
        (None, module.result.as_ref().map_or(&[], |body| &body.locals))
    }

    fn local(&mut self, id: LocalId, span: Span) {
        let (owner, locals) = self.owner(span);
        let Some(local) = locals.get(id.0 as usize) else {
            return;
        };
        if self.sources.text(span) == local.name {
            let symbol = local_symbol(owner, id.0 as usize, local);
            self.add(span, symbol, Role::Use);
        }
    }

    fn expr(&mut self, id: ExprId, of: Option<ItemRef>) {
        let module = self.module;
        let span = module.expr_spans[id.0 as usize];
        match &module.exprs[id.0 as usize] {
            Expr::Local(local) => self.local(*local, span),
            Expr::Item(item) => {
                let own = self.last_name(span);
                let declared = &self.modules[item.module.0 as usize].items[item.item as usize];
                if self.sources.text(own) == declared.name {
                    self.add(own, Symbol::Item(*item), Role::Use);
                    self.alias(span, own);
                }
            }
            Expr::Variant { of: written, name } => {
                let own = self.last_name(span);
                if let Some(item) = (*written).or(of).or_else(|| self.enum_with(name)) {
                    self.variant(item, name, own);
                    if let Some(item) = written {
                        self.enum_before(*item, span, own);
                    }
                    self.alias(span, own);
                }
            }
            Expr::Call { callee, args, .. } => {
                let Expr::Item(item) = &module.exprs[callee.0 as usize] else {
                    return;
                };
                let declared = &self.modules[item.module.0 as usize].items[item.item as usize];
                let ItemKind::Fn(function) = &declared.kind else {
                    return;
                };
                for (label, span) in args.iter().filter_map(|arg| arg.label.as_ref()) {
                    let params = &function.params;
                    if let Some(place) = params.iter().position(|param| param.label == *label) {
                        let symbol = Symbol::Local {
                            owner: Some(*item),
                            id: LocalId(place as u32),
                            bound: params[place].span,
                        };
                        self.add(*span, symbol, Role::Use);
                    }
                }
            }
            _ => {}
        }
    }

    fn variant(&mut self, item: ItemRef, name: &str, span: Span) {
        let place = self
            .variants(item)
            .iter()
            .position(|variant| variant.name == name);
        if let Some(place) = place.filter(|_| self.sources.text(span) == name) {
            self.add(span, Symbol::Variant(item, place as u32), Role::Use);
        }
    }

    /// The enum's name in `lib.Color.Red`.
    fn enum_before(&mut self, item: ItemRef, span: Span, own: Span) {
        let name = &self.modules[item.module.0 as usize].items[item.item as usize].name;
        let before = Span {
            end: own.start.saturating_sub(1).max(span.start),
            ..span
        };
        let place = self.last_name(before);
        if self.sources.text(place) == *name {
            self.add(place, Symbol::Item(item), Role::Use);
        }
    }

    /// The only enum that has a variant of this name.
    fn enum_with(&self, name: &str) -> Option<ItemRef> {
        let mut found = self.modules.iter().enumerate().flat_map(|(module, of)| {
            of.items.iter().enumerate().filter_map(move |(item, declared)| {
                let ItemKind::Enum { variants, .. } = &declared.kind else {
                    return None;
                };
                let has = variants.iter().any(|variant| variant.name == name);
                has.then_some(ItemRef {
                    module: ModuleId(module as u32),
                    item: item as u32,
                })
            })
        });
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    fn variants(&self, item: ItemRef) -> &'a [VariantDef] {
        match &self.modules[item.module.0 as usize].items[item.item as usize].kind {
            ItemKind::Enum { variants, .. } => variants,
            _ => &[],
        }
    }

    fn pat(&mut self, id: PatId) {
        let span = self.module.pat_spans[id.0 as usize];
        match &self.module.pats[id.0 as usize] {
            Pat::Bind(local) => self.local(*local, span),
            Pat::Variant { of, name, .. } => {
                let text = self.sources.text(span);
                let head = text.split('(').next().unwrap_or(text).trim_end();
                let own = self.last_name(Span {
                    end: span.start + head.len() as u32,
                    ..span
                });
                if let Some(item) = (*of).or_else(|| self.enum_with(name)) {
                    self.variant(item, name, own);
                }
            }
            _ => {}
        }
    }

    fn ty(&mut self, id: TypeId) {
        let span = self.module.type_spans[id.0 as usize];
        match &self.module.types[id.0 as usize] {
            TypeExpr::Item { item, .. } => {
                let text = self.sources.text(span);
                let head = text.split(['[', '(']).next().unwrap_or(text).trim_end();
                let whole = Span {
                    end: span.start + head.len() as u32,
                    ..span
                };
                let own = self.last_name(whole);
                self.add(own, Symbol::Item(*item), Role::Use);
                self.alias(whole, own);
            }
            TypeExpr::Param(place) => {
                let (Some(owner), _) = self.owner(span) else {
                    return;
                };
                let tparams = match &self.module.items[owner.item as usize].kind {
                    ItemKind::Fn(function) => &function.tparams,
                    ItemKind::Type { tparams, .. } | ItemKind::Enum { tparams, .. } => tparams,
                    _ => return,
                };
                if let Some((_, bound)) = tparams.get(*place as usize) {
                    self.add(span, Symbol::TypeParam(*bound), Role::Use);
                }
            }
            _ => {}
        }
    }

    /// The module's name in `nn.conv2d`.
    fn alias(&mut self, whole: Span, own: Span) {
        if whole.start == own.start {
            return;
        }
        let text = self.sources.text(whole);
        let end = text.find(|c| !is_name_char(c)).unwrap_or(text.len());
        let found = self
            .module
            .imports
            .iter()
            .find(|import| import.name == text[..end]);
        if let Some(import) = found {
            let span = Span {
                end: whole.start + end as u32,
                ..whole
            };
            self.add(span, Symbol::Module(import.module), Role::Use);
        }
    }

    /// The name at the end of `span`.
    fn last_name(&self, span: Span) -> Span {
        let text = self.sources.text(span);
        let name = text.trim_end_matches(is_name_char);
        Span {
            start: span.start + name.len() as u32,
            ..span
        }
    }
}

fn local_symbol(owner: Option<ItemRef>, id: usize, local: &Local) -> Symbol {
    Symbol::Local {
        owner,
        id: LocalId(id as u32),
        bound: local.span,
    }
}

/// The locals that an item's code binds.
pub(super) fn locals_of(kind: &ItemKind) -> &[Local] {
    match kind {
        ItemKind::Value { body, .. } => &body.locals,
        ItemKind::Param { default, .. } => default.as_ref().map_or(&[], |body| &body.locals),
        ItemKind::Fn(function) => &function.locals,
        ItemKind::Type { .. } | ItemKind::Enum { .. } => &[],
    }
}

/// The name at `position`.
pub(super) fn occurrence_at(found: &[Occurrence], offset: u32) -> Option<Occurrence> {
    // The one that the cursor is in goes before the one that it is behind.
    let inside = |of: &&Occurrence| of.span.start <= offset && offset < of.span.end;
    let behind = |of: &&Occurrence| of.span.end == offset;
    found
        .iter()
        .find(inside)
        .or_else(|| found.iter().find(behind))
        .copied()
}
