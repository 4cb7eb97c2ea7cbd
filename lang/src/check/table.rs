//! The types of a checked program: for hovers, and for tests that reveal them.

use super::per_item::PerItem;
use crate::hir::{ExprId, ItemRef, LocalId, ModuleId, Name, Program};
use crate::types::{Con, Ty, TypeKind, Types};

/// The types of expressions, locals and items.
#[derive(Debug, Default)]
pub struct TypeTable {
    types: Types,
    /// By module and expression.
    exprs: Vec<Vec<Option<Ty>>>,
    /// By item and local.
    locals: PerItem<Vec<Option<Ty>>>,
    items: PerItem<Ty>,
    /// By module.
    results: Vec<Option<Ty>>,
}

impl TypeTable {
    /// Keeps what is known of the modules before `first`, and makes room for the others of `program`.
    pub(super) fn forget_from(&mut self, first: ModuleId, program: &Program) {
        let first_index = first.0 as usize;
        self.exprs.truncate(first_index);
        self.locals.forget_from(first);
        self.items.forget_from(first);
        self.results.truncate(first_index);
        let settings = program.settings.iter().map(|setting| &setting.module);
        let modules = program.modules.iter().chain(settings);
        let rooms = modules
            .skip(first_index)
            .map(|module| vec![None; module.exprs.len()]);
        self.exprs.extend(rooms);
        self.results.resize(program.modules.len(), None);
    }

    pub(super) fn take_types(&mut self) -> Types {
        std::mem::take(&mut self.types)
    }

    pub(super) fn types_mut(&mut self) -> &mut Types {
        &mut self.types
    }

    pub(super) fn set_types(&mut self, types: Types) {
        self.types = types;
    }

    pub(super) fn set_expr(&mut self, module: ModuleId, expr: ExprId, ty: Ty) {
        self.exprs[module.0 as usize][expr.0 as usize] = Some(ty);
    }

    pub(super) fn set_local(&mut self, item: ItemRef, local: LocalId, ty: Ty) {
        self.locals.update(item, |locals: &mut Vec<Option<Ty>>| {
            let index = local.0 as usize;
            if locals.len() <= index {
                locals.resize(index + 1, None);
            }
            locals[index] = Some(ty);
        });
    }

    pub(super) fn set_item(&mut self, item: ItemRef, ty: Ty) {
        self.items.insert(item, ty);
    }

    pub(super) fn set_result(&mut self, module: ModuleId, ty: Ty) {
        if let Some(result) = self.results.get_mut(module.0 as usize) {
            *result = Some(ty);
        }
    }

    /// The type of an expression, as it is written; none for one that nothing refers to.
    pub fn expr(&mut self, module: ModuleId, expr: ExprId) -> Option<String> {
        let ty = (*self.exprs.get(module.0 as usize)?.get(expr.0 as usize)?)?;
        Some(self.types.print(ty))
    }

    /// The fields of what an expression gives, in order, with their types.
    pub fn fields(&mut self, module: ModuleId, expr: ExprId) -> Vec<(Name, String)> {
        let found = self
            .exprs
            .get(module.0 as usize)
            .and_then(|exprs| exprs.get(expr.0 as usize));
        let Some(ty) = found.copied().flatten() else {
            return Vec::new();
        };
        let mut fields = match self.types.kind(ty) {
            TypeKind::Con(Con::Pick, args) => {
                let chosen = self.types.print(args[0]);
                return vec![
                    ("use".into(), format!("(({chosen}) -> _) -> _")),
                    ("value".into(), format!("Late[{chosen}]")),
                ];
            }
            TypeKind::Con(Con::Metrics | Con::Validation | Con::Late, args) => self.late_fields(args[0]),
            _ => self.record_fields(ty),
        };
        if let TypeKind::Con(Con::Validation, _) = self.types.kind(ty)
            && fields.iter().all(|(name, _)| name != "loss")
        {
            let loss = self.types.late(Ty::FLOAT);
            fields.push(("loss".into(), loss));
        }
        fields
            .into_iter()
            .map(|(name, ty)| (name, self.types.print(ty)))
            .collect()
    }

    fn record_fields(&mut self, ty: Ty) -> Vec<(Name, Ty)> {
        match self.types.kind(ty) {
            TypeKind::Record(record) => {
                let fields = record.fields.iter();
                fields.map(|field| (field.name.clone(), field.ty)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn late_fields(&mut self, ty: Ty) -> Vec<(Name, Ty)> {
        let fields = self.record_fields(ty);
        fields
            .into_iter()
            .map(|(name, ty)| (name, self.types.late(ty)))
            .collect()
    }

    /// The enum that an expression is of, or is of or null.
    pub fn enumeration(&mut self, module: ModuleId, expr: ExprId) -> Option<ItemRef> {
        let ty = (*self.exprs.get(module.0 as usize)?.get(expr.0 as usize)?)?;
        let kind = match self.types.kind(ty) {
            TypeKind::Optional(inner) => self.types.kind(inner),
            kind => kind,
        };
        match kind {
            TypeKind::Enum(item, ..) => Some(item),
            _ => None,
        }
    }

    /// The type of a local of an item.
    pub fn local(&mut self, item: ItemRef, local: LocalId) -> Option<String> {
        let ty = (*self.locals.get(item)?.get(local.0 as usize)?)?;
        Some(self.types.print(ty))
    }

    /// The type of a value, param or function.
    pub fn item(&mut self, item: ItemRef) -> Option<String> {
        let ty = *self.items.get(item)?;
        Some(self.types.print(ty))
    }

    /// The type of the expression at the end of a module.
    pub fn result(&mut self, module: ModuleId) -> Option<String> {
        let ty = (*self.results.get(module.0 as usize)?)?;
        Some(self.types.print(ty))
    }
}
