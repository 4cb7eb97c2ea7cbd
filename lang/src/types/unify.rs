//! Metas and unification. A failure says which two parts clash and at which field, and leaves metas that were solved on
//! the way solved: the caller rolls back where it only tries.

use super::{DimTy, RecordType, Ty, TypeKind, Types};
use crate::hir::Name;
use std::sync::Arc;

/// What is known of a meta.
#[derive(Clone, Debug)]
pub(super) struct Meta {
    solved: Option<Ty>,
    /// Int or Float.
    numeric: bool,
}

/// Why two types are not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The field in which they differ, outermost first; empty at the top.
    pub path: Vec<Name>,
    /// How.
    pub how: ClashKind,
}

/// How two types differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClashKind {
    /// One is not the other.
    Differ,
    /// The first lacks a field.
    Missing(Name),
    /// The second has no such field.
    Extra(Name),
    /// A type would contain itself.
    Endless,
}

impl Clash {
    pub(crate) fn new(how: ClashKind) -> Self {
        Self {
            path: Vec::new(),
            how,
        }
    }

    pub(crate) fn inside(mut self, field: &Name) -> Self {
        self.path.insert(0, field.clone());
        self
    }
}

/// A moment to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot(usize);

/// A moment to go back to as if nothing had come after it: no term, no meta, no solution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    kinds: usize,
    metas: usize,
    rigids: u32,
    solved: Snapshot,
}

impl Types {
    /// A new meta.
    pub fn meta(&mut self) -> Ty {
        self.new_meta(false)
    }

    /// A new numeric meta: Int or Float.
    pub fn number(&mut self) -> Ty {
        self.new_meta(true)
    }

    fn new_meta(&mut self, numeric: bool) -> Ty {
        let id = self.metas.len() as u32;
        self.metas.push(Meta {
            solved: None,
            numeric,
        });
        self.add_meta(id)
    }

    /// Whether `ty` is an unsolved numeric meta.
    pub fn is_number_meta(&mut self, ty: Ty) -> bool {
        match self.kind(ty) {
            TypeKind::Meta(id) => self.metas[id as usize].numeric,
            _ => false,
        }
    }

    /// The moment now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.trail.len())
    }

    /// Unsolves what was solved since.
    pub fn rollback(&mut self, to: Snapshot) {
        while self.trail.len() > to.0 {
            if let Some(id) = self.trail.pop() {
                self.metas[id as usize].solved = None;
            }
        }
    }

    /// The moment now, for [`Types::forget_since`].
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            kinds: self.kinds.len(),
            metas: self.metas.len(),
            rigids: self.rigids,
            solved: self.snapshot(),
        }
    }

    /// Goes back to a moment: what is made from here on gets the very ids that it would have got then.
    pub(crate) fn forget_since(&mut self, mark: Mark) {
        self.rollback(mark.solved);
        for (index, kind) in self.kinds.iter().enumerate().skip(mark.kinds) {
            let own = |ty: &Ty| ty.0 as usize == index;
            if let Ok(entry) = self.ids.find_entry(super::hash_of(kind), own) {
                entry.remove();
            }
        }
        self.kinds.truncate(mark.kinds);
        self.facts.truncate(mark.kinds);
        self.metas.truncate(mark.metas);
        self.rigids = mark.rigids;
        self.too_deep = false;
    }

    /// Follows solved metas.
    pub(super) fn prune(&self, mut ty: Ty) -> Ty {
        while let TypeKind::Meta(id) = self.kinds[ty.0 as usize] {
            match self.metas[id as usize].solved {
                Some(solved) => ty = solved,
                None => break,
            }
        }
        ty
    }

    /// Solves an unsolved meta; defaults of written types are taken away. Nothing is done to what is no unsolved meta.
    pub fn solve(&mut self, meta: Ty, ty: Ty) {
        let meta = self.prune(meta);
        if let TypeKind::Meta(id) = self.kinds[meta.0 as usize] {
            let ty = self.erase_defaults(ty);
            self.metas[id as usize].solved = Some(ty);
            self.trail.push(id);
        }
    }

    /// Solves `ty` to Int if it is a numeric meta.
    pub fn default_number(&mut self, ty: Ty) {
        if self.is_number_meta(ty) {
            self.solve(ty, Ty::INT);
        }
    }

    /// Makes two types one.
    pub fn unify(&mut self, a: Ty, b: Ty) -> Result<(), Clash> {
        let (a, b) = (self.shallow(a), self.shallow(b));
        if a == b {
            return Ok(());
        }
        match (self.kinds[a.0 as usize].clone(), self.kinds[b.0 as usize].clone()) {
            (TypeKind::Error, _) => {
                self.absorb(b);
                Ok(())
            }
            (_, TypeKind::Error) => {
                self.absorb(a);
                Ok(())
            }
            (TypeKind::Meta(_), _) => self.bind(a, b),
            (_, TypeKind::Meta(_)) => self.bind(b, a),
            (TypeKind::Unknown, TypeKind::Shape(..) | TypeKind::Record(_) | TypeKind::Rigid(..))
            | (TypeKind::Shape(..) | TypeKind::Record(_) | TypeKind::Rigid(..), TypeKind::Unknown) => Ok(()),
            (TypeKind::Con(x, xs), TypeKind::Con(y, ys)) if x == y => self.unify_all(&xs, &ys),
            (TypeKind::Enum(x, _, xs), TypeKind::Enum(y, _, ys)) if x == y => self.unify_all(&xs, &ys),
            (TypeKind::Fieldwise(x, xs), TypeKind::Fieldwise(y, ys)) if x == y => self.unify_all(&xs, &ys),
            (TypeKind::Fieldwise(family, args), TypeKind::Record(record))
            | (TypeKind::Record(record), TypeKind::Fieldwise(family, args)) => {
                let mut fields = Vec::with_capacity(record.fields.len());
                for field in &record.fields {
                    let inner = family.field(self, &args);
                    let wrapped = family.wrap(self, inner, &args);
                    self.unify(wrapped, field.ty)
                        .map_err(|clash| clash.inside(&field.name))?;
                    fields.push((field.name.clone(), inner));
                }
                let found = self.closed(fields);
                self.unify(args[0], found)
            }
            (TypeKind::Optional(x), TypeKind::Optional(y)) => self.unify(x, y),
            (TypeKind::Fn(xs, x), TypeKind::Fn(ys, y)) if xs.len() == ys.len() => {
                self.unify_all(&xs, &ys)?;
                self.unify(x, y)
            }
            (TypeKind::Shape(x, xs), TypeKind::Shape(y, ys)) if x == y && dims_agree(&xs, &ys) => Ok(()),
            (TypeKind::Record(x), TypeKind::Record(y)) => self.unify_records(&x, &y),
            _ => Err(Clash::new(ClashKind::Differ)),
        }
    }

    fn unify_all(&mut self, xs: &[Ty], ys: &[Ty]) -> Result<(), Clash> {
        xs.iter().zip(ys).try_for_each(|(x, y)| self.unify(*x, *y))
    }

    fn unify_records(&mut self, x: &Arc<RecordType>, y: &Arc<RecordType>) -> Result<(), Clash> {
        for field in &y.fields {
            if x.field(&field.name).is_none() {
                return Err(Clash::new(ClashKind::Missing(field.name.clone())));
            }
        }
        for field in &x.fields {
            let Some(other) = y.field(&field.name) else {
                return Err(Clash::new(ClashKind::Extra(field.name.clone())));
            };
            self.unify(field.ty, other.ty)
                .map_err(|clash| clash.inside(&field.name))?;
        }
        if x.open == y.open {
            Ok(())
        } else {
            Err(Clash::new(ClashKind::Differ))
        }
    }

    /// What meets the error type is not asked about again.
    pub(crate) fn absorb(&mut self, ty: Ty) {
        for meta in self.unsolved(ty) {
            self.solve(meta, Ty::ERROR);
        }
    }

    fn bind(&mut self, meta: Ty, ty: Ty) -> Result<(), Clash> {
        let numeric = self.is_number_meta(meta);
        if let TypeKind::Meta(other) = self.kinds[ty.0 as usize] {
            // What is numeric stays so. Else the younger becomes the older: the literals of a long chain are then all
            // one step from the first, not one after the other.
            let younger = match (numeric, self.metas[other as usize].numeric) {
                (true, false) => ty,
                (false, true) => meta,
                _ => meta.max(ty),
            };
            self.solve(younger, if younger == meta { ty } else { meta });
            return Ok(());
        }
        if numeric && ty != Ty::INT && ty != Ty::FLOAT {
            return Err(Clash::new(ClashKind::Differ));
        }
        if self.has_metas(ty) && self.unsolved(ty).contains(&meta) {
            return Err(Clash::new(ClashKind::Endless));
        }
        self.solve(meta, ty);
        Ok(())
    }
}

/// Whether dimensions may be the same: what is not known agrees with all.
fn dims_agree(xs: &[DimTy], ys: &[DimTy]) -> bool {
    xs.len() == ys.len()
        && xs.iter().zip(ys).all(|(x, y)| match (x, y) {
            (DimTy::Known(x), DimTy::Known(y)) => x == y,
            (DimTy::Param(x), DimTy::Param(y)) => x == y,
            _ => true,
        })
}
