//! Walks that rebuild types: solving metas, putting arguments for parameters, taking defaults away.

use super::{DimTy, Field, RecordType, Ty, TypeKind, Types};
use crate::hir::Name;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// What is put for type parameters and for dimensions that name parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Substitution {
    /// Type parameters, each with what it becomes.
    pub(crate) types: Vec<(Ty, Ty)>,
    /// Parameters of the function, each with its dimension; one that is missing becomes unknown.
    pub(crate) dims: Vec<(Name, DimTy)>,
}

/// A rebuilding walk. Shared terms are walked once.
trait Walk {
    /// What `ty` becomes as a whole, if it is not its parts that are walked.
    fn whole(&mut self, types: &mut Types, ty: Ty) -> Option<Ty>;
    /// What a dimension becomes.
    fn dim(&self, dim: &DimTy) -> DimTy {
        dim.clone()
    }
    /// Whether defaults stay.
    fn defaults(&self) -> bool {
        true
    }
}

struct Zonk;
impl Walk for Zonk {
    fn whole(&mut self, types: &mut Types, ty: Ty) -> Option<Ty> {
        (!types.has_metas(ty)).then_some(ty)
    }
}

struct Erase;
impl Walk for Erase {
    fn whole(&mut self, types: &mut Types, ty: Ty) -> Option<Ty> {
        let facts = types.facts[ty.0 as usize];
        (!facts.defaults && !facts.metas).then_some(ty)
    }
    fn defaults(&self) -> bool {
        false
    }
}

impl Walk for &Substitution {
    fn whole(&mut self, types: &mut Types, ty: Ty) -> Option<Ty> {
        let facts = types.facts[ty.0 as usize];
        if !facts.rigids && !facts.dims && !facts.metas {
            return Some(ty);
        }
        self.types.iter().find(|(from, _)| *from == ty).map(|(_, to)| *to)
    }
    fn dim(&self, dim: &DimTy) -> DimTy {
        let DimTy::Param(name) = dim else {
            return dim.clone();
        };
        let given = self.dims.iter().find(|(param, _)| param == name);
        given.map_or(DimTy::Unknown, |(_, dim)| dim.clone())
    }
}

impl Types {
    /// `ty` with all solved metas replaced.
    pub fn zonk(&mut self, ty: Ty) -> Ty {
        if !self.has_metas(ty) {
            return ty;
        }
        self.walk(ty, &mut Zonk, &mut FxHashMap::default())
    }

    /// `ty` without defaults.
    pub(super) fn erase_defaults(&mut self, ty: Ty) -> Ty {
        if !self.facts[ty.0 as usize].defaults {
            return ty;
        }
        self.walk(ty, &mut Erase, &mut FxHashMap::default())
    }

    /// `ty` with arguments for parameters.
    pub(crate) fn substitute(&mut self, ty: Ty, substitution: &Substitution) -> Ty {
        let mut walk = substitution;
        self.walk(ty, &mut walk, &mut FxHashMap::default())
    }

    fn walk(&mut self, ty: Ty, walk: &mut impl Walk, done: &mut FxHashMap<Ty, Ty>) -> Ty {
        let ty = self.shallow(ty);
        if let Some(whole) = walk.whole(self, ty) {
            return whole;
        }
        if let Some(made) = done.get(&ty) {
            return *made;
        }
        let made = self.walk_parts(ty, walk, done);
        done.insert(ty, made);
        made
    }

    fn walk_parts(&mut self, ty: Ty, walk: &mut impl Walk, done: &mut FxHashMap<Ty, Ty>) -> Ty {
        let mut all = |types: &mut Self, tys: &[Ty]| -> Vec<Ty> {
            tys.iter().map(|ty| types.walk(*ty, walk, done)).collect()
        };
        match self.kinds[ty.0 as usize].clone() {
            TypeKind::Error | TypeKind::Unknown | TypeKind::Rigid(..) | TypeKind::Meta(_) => ty,
            TypeKind::Con(con, args) => {
                let args = all(self, &args);
                self.con(con, &args)
            }
            TypeKind::Enum(item, name, args) => {
                let args = all(self, &args);
                self.enumeration(item, name, &args)
            }
            TypeKind::Fieldwise(family, args) => {
                let args = all(self, &args);
                let made = self.fieldwise(family, &args);
                self.shallow(made)
            }
            TypeKind::Fn(params, ret) => {
                let params = all(self, &params);
                let ret = self.walk(ret, walk, done);
                self.function(&params, ret)
            }
            TypeKind::Optional(inner) => {
                let inner = self.walk(inner, walk, done);
                self.optional(inner)
            }
            TypeKind::Shape(name, dims) => {
                let dims = dims.iter().map(|dim| walk.dim(dim)).collect();
                self.shape(name, dims)
            }
            TypeKind::Record(record) => {
                let record = self.walk_record(&record, walk, done);
                self.record(record)
            }
        }
    }

    fn walk_record(
        &mut self,
        record: &Arc<RecordType>,
        walk: &mut impl Walk,
        done: &mut FxHashMap<Ty, Ty>,
    ) -> RecordType {
        let mut made = RecordType::clone(record);
        for field in &mut made.fields {
            let default = field.default.filter(|_| walk.defaults());
            *field = Field {
                name: field.name.clone(),
                ty: self.walk(field.ty, walk, done),
                default,
            };
        }
        if let Some((_, args)) = &mut made.label {
            for arg in args {
                *arg = self.walk(*arg, walk, done);
            }
        }
        made
    }

    /// The unsolved metas of `ty`, each once, in the order in which they stand.
    pub(crate) fn unsolved(&mut self, ty: Ty) -> Vec<Ty> {
        let (mut found, mut seen) = (Vec::new(), FxHashSet::default());
        self.collect_unsolved(ty, &mut found, &mut seen);
        found
    }

    /// Shared terms are gone through once.
    fn collect_unsolved(&mut self, ty: Ty, found: &mut Vec<Ty>, seen: &mut FxHashSet<Ty>) {
        let ty = self.shallow(ty);
        if !self.has_metas(ty) || !seen.insert(ty) {
            return;
        }
        match self.kinds[ty.0 as usize].clone() {
            TypeKind::Meta(_) => found.push(ty),
            TypeKind::Con(_, args) | TypeKind::Enum(_, _, args) | TypeKind::Fieldwise(_, args) => {
                for arg in args.iter() {
                    self.collect_unsolved(*arg, found, seen);
                }
            }
            TypeKind::Fn(params, ret) => {
                for part in params.iter().chain([&ret]) {
                    self.collect_unsolved(*part, found, seen);
                }
            }
            TypeKind::Optional(inner) => self.collect_unsolved(inner, found, seen),
            TypeKind::Record(record) => {
                let label = record.label.iter().flat_map(|(_, args)| args);
                for part in record.fields.iter().map(|field| &field.ty).chain(label) {
                    self.collect_unsolved(*part, found, seen);
                }
            }
            TypeKind::Error | TypeKind::Unknown | TypeKind::Shape(..) | TypeKind::Rigid(..) => {}
        }
    }

    /// Whether `ty` has neither metas nor type parameters.
    pub fn is_ground(&mut self, ty: Ty) -> bool {
        let ty = self.zonk(ty);
        let facts = self.facts[ty.0 as usize];
        !facts.metas && !facts.rigids
    }

    /// Whether something in `ty` did not check, or is not known.
    pub(crate) fn is_unsure(&mut self, ty: Ty) -> bool {
        let ty = self.zonk(ty);
        let facts = self.facts[ty.0 as usize];
        facts.metas || facts.error
    }
}
