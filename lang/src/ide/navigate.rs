//! Where a name is declared, and where it is used.

use super::symbol::{Occurrence, Role, Symbol, occurrence_at, occurrences};
use super::{Analysis, Position, touches};
use crate::hir::{Entry, Expr, ExprId, ItemKind, ItemRef, Module, ModuleId};
use crate::source::{SourceId, Span};
use crate::syntax::ast::{ImportFile, PathExpr};

/// Where what stands at `at` is declared. Of a module and of an imported file: its first byte.
pub fn definition(analysis: &mut Analysis, at: Position) -> Option<Span> {
    let (id, _) = analysis.module_of(at.source)?;
    if let Some(symbol) = symbol_at(analysis, id, at.offset) {
        return Some(declared(analysis, symbol.symbol));
    }
    field(analysis, id, at.offset).or_else(|| imported(analysis, id, at))
}

/// All places of what stands at `at`, in the order of the files and of their texts. `declaration`: its own too.
pub fn references(analysis: &mut Analysis, at: Position, declaration: bool) -> Vec<Span> {
    let found = occurrences_of(analysis, at).map_or(Vec::new(), |(_, found)| found);
    found
        .into_iter()
        .filter(|occurrence| declaration || occurrence.role != Role::Definition)
        .map(|occurrence| occurrence.span)
        .collect()
}

pub(super) fn symbol_at(analysis: &mut Analysis, id: ModuleId, offset: u32) -> Option<Occurrence> {
    let found = occurrences(analysis, id);
    occurrence_at(&found, offset)
}

/// What stands at `at`, and where else it does.
pub(super) fn occurrences_of(analysis: &mut Analysis, at: Position) -> Option<(Symbol, Vec<Occurrence>)> {
    let (id, _) = analysis.module_of(at.source)?;
    let symbol = symbol_at(analysis, id, at.offset)?.symbol;
    let mut all = Vec::new();
    for module in 0..analysis.loaded.program.modules.len() as u32 {
        // The library never uses what a project declares; what it declares is found in it.
        let std = analysis.loaded.program.module(ModuleId(module)).std;
        if std && !of_library(analysis, symbol) {
            continue;
        }
        let found = occurrences(analysis, ModuleId(module));
        all.extend(found.into_iter().filter(|occurrence| occurrence.symbol == symbol));
    }
    all.sort_by_key(|occurrence| occurrence.span);
    Some((symbol, all))
}

/// Whether the library declares it.
pub(super) fn of_library(analysis: &Analysis, symbol: Symbol) -> bool {
    let source = declared(analysis, symbol).source;
    analysis.module_of(source).is_some_and(|(_, module)| module.std)
}

/// Where a symbol is declared.
pub(super) fn declared(analysis: &Analysis, symbol: Symbol) -> Span {
    let program = &analysis.loaded.program;
    match symbol {
        Symbol::Item(item) => program.item(item).name_span,
        Symbol::Variant(item, place) => match &program.item(item).kind {
            ItemKind::Enum { variants, .. } => variants
                .get(place as usize)
                .map_or(program.item(item).name_span, |variant| variant.span),
            _ => program.item(item).name_span,
        },
        Symbol::Local { bound, .. } | Symbol::TypeParam(bound) => bound,
        Symbol::Module(module) => start_of(program.module(module).source),
    }
}

fn start_of(source: SourceId) -> Span {
    Span {
        source,
        start: 0,
        end: 0,
    }
}

/// Where a field was written: followed through bindings to the record that has it.
fn field(analysis: &Analysis, id: ModuleId, offset: u32) -> Option<Span> {
    let module = analysis.loaded.program.module(id);
    let (base, name) = module.exprs.iter().find_map(|expr| match expr {
        Expr::Field {
            base,
            name,
            name_span,
        } if touches(*name_span, offset) => Some((*base, name.clone())),
        _ => None,
    })?;
    let (module, record) = written(analysis, id, base, 0)?;
    let Expr::Record(entries) = &module.exprs[record.0 as usize] else {
        return None;
    };
    entries.iter().find_map(|entry| match entry {
        Entry::Field {
            name: own, name_span, ..
        } if *own == name => Some(*name_span),
        _ => None,
    })
}

/// How many bindings a field is followed through.
const MOST_STEPS: u32 = 16;

/// The expression that `expr` is the value of.
fn written(analysis: &Analysis, id: ModuleId, expr: ExprId, steps: u32) -> Option<(&Module, ExprId)> {
    let module = analysis.loaded.program.module(id);
    if steps > MOST_STEPS {
        return None;
    }
    let body_of = |item: &ItemRef| match &analysis.loaded.program.item(*item).kind {
        ItemKind::Value { body, .. } => Some(body.expr),
        ItemKind::Fn(function) => function.body,
        _ => None,
    };
    match &module.exprs[expr.0 as usize] {
        Expr::Item(item) => written(analysis, item.module, body_of(item)?, steps + 1),
        Expr::Call { callee, .. } => match &module.exprs[callee.0 as usize] {
            Expr::Item(item) => written(analysis, item.module, body_of(item)?, steps + 1),
            _ => None,
        },
        Expr::Let { body, .. } => written(analysis, id, *body, steps + 1),
        Expr::Field { base, name, .. } => {
            let (of, record) = written(analysis, id, *base, steps + 1)?;
            let Expr::Record(entries) = &of.exprs[record.0 as usize] else {
                return None;
            };
            let value = entries.iter().find_map(|entry| match entry {
                Entry::Field { name: own, value, .. } if own == name => Some(*value),
                _ => None,
            })?;
            let (of, _) = analysis.module_of(of.source)?;
            written(analysis, of, value, steps + 1)
        }
        _ => Some((module, expr)),
    }
}

/// The file that an import names.
fn imported(analysis: &Analysis, id: ModuleId, at: Position) -> Option<Span> {
    let parse = analysis.parse(at.source);
    let mut node = parse.tree.root().innermost_at(at.offset);
    while PathExpr::cast(node).is_none() {
        node = node.parent()?;
    }
    let data = analysis
        .loaded
        .program
        .module(id)
        .exprs
        .iter()
        .find_map(|expr| match expr {
            Expr::ImportData { path_span, data, .. } if touches(*path_span, at.offset) => {
                data.as_ref().map(|data| data.source)
            }
            _ => None,
        });
    if let Some(source) = data {
        return Some(start_of(source));
    }
    let import = ImportFile::cast(node.parent()?)?;
    let place = match import.alias() {
        Some(alias) => alias.span(),
        None => node.span(),
    };
    let imports = &analysis.loaded.program.module(id).imports;
    let found = imports.iter().find(|import| import.span == place)?;
    Some(start_of(analysis.loaded.program.module(found.module).source))
}
