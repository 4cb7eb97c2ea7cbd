//! The types of a checked program: for hovers, and for tests that reveal them.

use crate::hir::{ExprId, ItemRef, LocalId, ModuleId, Program};
use crate::types::{Ty, Types};
use std::collections::BTreeMap;

/// The types of expressions, locals and items.
#[derive(Debug, Default)]
pub struct TypeTable {
    types: Types,
    exprs: Vec<Vec<Option<Ty>>>,
    locals: BTreeMap<(ItemRef, LocalId), Ty>,
    items: BTreeMap<ItemRef, Ty>,
    results: BTreeMap<ModuleId, Ty>,
}

impl TypeTable {
    pub(super) fn new(program: &Program) -> Self {
        Self {
            exprs: program
                .modules
                .iter()
                .chain(program.settings.iter().map(|setting| &setting.module))
                .map(|module| vec![None; module.exprs.len()])
                .collect(),
            ..Self::default()
        }
    }

    pub(super) fn set_types(&mut self, types: Types) {
        self.types = types;
    }

    pub(super) fn set_expr(&mut self, module: ModuleId, expr: ExprId, ty: Ty) {
        self.exprs[module.0 as usize][expr.0 as usize] = Some(ty);
    }

    pub(super) fn set_local(&mut self, item: ItemRef, local: LocalId, ty: Ty) {
        self.locals.insert((item, local), ty);
    }

    pub(super) fn set_item(&mut self, item: ItemRef, ty: Ty) {
        self.items.insert(item, ty);
    }

    pub(super) fn set_result(&mut self, module: ModuleId, ty: Ty) {
        self.results.insert(module, ty);
    }

    /// The type of an expression, as it is written; none for one that nothing refers to.
    pub fn expr(&mut self, module: ModuleId, expr: ExprId) -> Option<String> {
        let ty = (*self.exprs.get(module.0 as usize)?.get(expr.0 as usize)?)?;
        Some(self.types.print(ty))
    }

    /// The type of a local of an item.
    pub fn local(&mut self, item: ItemRef, local: LocalId) -> Option<String> {
        let ty = *self.locals.get(&(item, local))?;
        Some(self.types.print(ty))
    }

    /// The type of a value, param or function.
    pub fn item(&mut self, item: ItemRef) -> Option<String> {
        let ty = *self.items.get(&item)?;
        Some(self.types.print(ty))
    }

    /// The type of the expression at the end of a module.
    pub fn result(&mut self, module: ModuleId) -> Option<String> {
        let ty = *self.results.get(&module)?;
        Some(self.types.print(ty))
    }
}
