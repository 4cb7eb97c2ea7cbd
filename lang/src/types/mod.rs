//! Types: hash-consed terms, so that equal types are one id and comparing them is comparing numbers.
//!
//! [`Types`] owns the terms and the metas (what inference is still to find out). `unify` makes two terms equal,
//! `print` writes them as people do. Only `check` makes types; the evaluator never sees
//! them.

mod builtin;
mod fieldwise;
mod print;
mod summarise;
mod transform;
mod unify;

pub use builtin::{BUILTIN_TYPES, BuiltinType, Con, SHAPES, Shape};
pub use fieldwise::Fieldwise;
pub(crate) use transform::Substitution;
pub(crate) use unify::Mark;
pub use unify::{Clash, ClashKind, Snapshot};

use crate::hir::{ItemRef, Name};
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// How deep types may nest. Programs nest expressions to 256; a chain of bindings could nest types without end.
const DEPTH_LIMIT: u16 = 300;

/// A type of a [`Types`]. Equal ids are equal types; different ids may still be equal through solved metas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ty(u32);

impl Ty {
    /// What did not check; it fits everywhere, so that one mistake is one error.
    pub const ERROR: Self = Self(0);
    /// An example's shape of which nothing is known; it fits every other.
    pub const UNKNOWN: Self = Self(1);
    /// `Int`.
    pub const INT: Self = Self(2);
    /// `Float`.
    pub const FLOAT: Self = Self(3);
    /// `Bool`.
    pub const BOOL: Self = Self(4);
    /// `Str`.
    pub const STR: Self = Self(5);
    /// `Json`.
    pub const JSON: Self = Self(6);
    /// `Arg`.
    pub const ARG: Self = Self(7);
    /// `Path`.
    pub const PATH: Self = Self(8);
    /// `Duration`.
    pub const DURATION: Self = Self(9);
    /// `Bytes`.
    pub const BYTES: Self = Self(10);
}

/// The outermost form of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// See [`Ty::ERROR`].
    Error,
    /// See [`Ty::UNKNOWN`].
    Unknown,
    /// A built-in type and its arguments.
    Con(Con, Arc<[Ty]>),
    /// The shape of an example: `Image(1, 28, 28)`.
    Shape(&'static str, Arc<[DimTy]>),
    /// A record.
    Record(Arc<RecordType>),
    /// A function value: neither labels nor defaults.
    Fn(Arc<[Ty]>, Ty),
    /// `T?`; never of another optional.
    Optional(Ty),
    /// A declared enum and its arguments.
    Enum(ItemRef, Name, Arc<[Ty]>),
    /// A type parameter, unique by number.
    Rigid(u32, Name),
    /// To be inferred.
    Meta(u32),
    /// A record whose fields are those of another, each wrapped.
    Fieldwise(Fieldwise, Arc<[Ty]>),
}

/// A record type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordType {
    /// Fields in the order in which they were written.
    pub fields: Vec<Field>,
    /// Whether a value may have others.
    pub open: bool,
    /// The declared name and arguments that it is printed as. No part of its meaning.
    pub label: Option<(Name, Vec<Ty>)>,
    /// Indices of `fields`, sorted by name.
    sorted: Vec<u32>,
}

impl RecordType {
    /// A record type; of two fields with one name the first is found.
    pub fn new(fields: Vec<Field>, open: bool, label: Option<(Name, Vec<Ty>)>) -> Self {
        let mut sorted: Vec<u32> = (0..fields.len() as u32).collect();
        sorted.sort_by(|a, b| fields[*a as usize].name.cmp(&fields[*b as usize].name));
        Self {
            fields,
            open,
            label,
            sorted,
        }
    }

    /// The field `name`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let at = self
            .sorted
            .binary_search_by(|index| self.fields[*index as usize].name.as_str().cmp(name))
            .ok()?;
        Some(&self.fields[self.sorted[at] as usize])
    }
}

/// A field of a record type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Ty,
    /// Its default. Only types that are written have defaults; binding a meta takes them away.
    pub default: Option<DefaultId>,
}

/// A default of a field of a written type, in the checker's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefaultId(pub u32);

/// A dimension of a shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DimTy {
    /// A number.
    Known(i64),
    /// What the parameter of this name of the enclosing function is given.
    Param(Name),
    /// Known only when the program runs.
    Unknown,
}

/// What is known of a term without walking it.
#[derive(Clone, Copy, Debug, Default)]
struct Facts {
    metas: bool,
    rigids: bool,
    defaults: bool,
    dims: bool,
    /// The error type is in it.
    error: bool,
    depth: u16,
}

/// The terms and metas of a program.
#[derive(Clone, Debug)]
pub struct Types {
    kinds: Vec<TypeKind>,
    facts: Vec<Facts>,
    /// By the hash of their kinds; looked up, never iterated. Metas are not in it: no two are the same.
    ids: HashTable<Ty>,
    metas: Vec<unify::Meta>,
    trail: Vec<u32>,
    rigids: u32,
    too_deep: bool,
}

fn hash_of(kind: &TypeKind) -> u64 {
    if let TypeKind::Con(con, args) = kind {
        return hash_con(*con, args);
    }
    let mut hasher = FxHasher::default();
    kind.hash(&mut hasher);
    hasher.finish()
}

fn hash_con(con: Con, args: &[Ty]) -> u64 {
    let mut hasher = FxHasher::default();
    (con, args).hash(&mut hasher);
    hasher.finish()
}

impl Default for Types {
    fn default() -> Self {
        Self::new()
    }
}

impl Types {
    /// The built-in types alone.
    pub fn new() -> Self {
        let mut types = Self {
            kinds: Vec::new(),
            facts: Vec::new(),
            ids: HashTable::new(),
            metas: Vec::new(),
            trail: Vec::new(),
            rigids: 0,
            too_deep: false,
        };
        // In the order of the constants of `Ty`.
        types.intern(TypeKind::Error);
        types.intern(TypeKind::Unknown);
        for con in [
            Con::Int,
            Con::Float,
            Con::Bool,
            Con::Str,
            Con::Json,
            Con::Arg,
            Con::Path,
            Con::Duration,
            Con::Bytes,
        ] {
            types.con(con, &[]);
        }
        types
    }

    fn intern(&mut self, kind: TypeKind) -> Ty {
        let hash = hash_of(&kind);
        let same = |ty: &Ty| self.kinds[ty.0 as usize] == kind;
        if let Some(ty) = self.ids.find(hash, same) {
            return *ty;
        }
        self.add(kind, hash)
    }

    /// A term that is not there yet.
    fn add(&mut self, kind: TypeKind, hash: u64) -> Ty {
        let facts = self.facts_of(&kind);
        if facts.depth > DEPTH_LIMIT {
            self.too_deep = true;
            return Ty::ERROR;
        }
        let ty = Ty(self.kinds.len() as u32);
        self.kinds.push(kind);
        self.facts.push(facts);
        let kinds = &self.kinds;
        self.ids
            .insert_unique(hash, ty, |other| hash_of(&kinds[other.0 as usize]));
        ty
    }

    /// A meta, which equals no other term.
    fn add_meta(&mut self, id: u32) -> Ty {
        let ty = Ty(self.kinds.len() as u32);
        self.kinds.push(TypeKind::Meta(id));
        self.facts.push(Facts {
            metas: true,
            ..Facts::default()
        });
        ty
    }

    fn facts_of(&self, kind: &TypeKind) -> Facts {
        let mut facts = Facts::default();
        let mut add = |ty: &Ty| {
            let inner = self.facts[ty.0 as usize];
            facts.metas |= inner.metas;
            facts.rigids |= inner.rigids;
            facts.defaults |= inner.defaults;
            facts.dims |= inner.dims;
            facts.error |= inner.error;
            facts.depth = facts.depth.max(inner.depth + 1);
        };
        match kind {
            TypeKind::Error => facts.error = true,
            TypeKind::Unknown => {}
            TypeKind::Con(_, args) | TypeKind::Enum(_, _, args) | TypeKind::Fieldwise(_, args) => {
                args.iter().for_each(add);
            }
            TypeKind::Shape(_, dims) => {
                facts.dims = dims.iter().any(|dim| matches!(dim, DimTy::Param(_)));
            }
            TypeKind::Record(record) => {
                for field in &record.fields {
                    add(&field.ty);
                }
                if let Some((_, args)) = &record.label {
                    args.iter().for_each(&mut add);
                }
                facts.defaults |= record.fields.iter().any(|field| field.default.is_some());
            }
            TypeKind::Fn(params, ret) => {
                params.iter().for_each(&mut add);
                add(ret);
            }
            TypeKind::Optional(inner) => add(inner),
            TypeKind::Rigid(..) => facts.rigids = true,
            TypeKind::Meta(_) => facts.metas = true,
        }
        facts
    }

    /// Whether a type was given up because it nests too deep, since this was last asked.
    pub fn take_too_deep(&mut self) -> bool {
        std::mem::take(&mut self.too_deep)
    }

    /// A built-in type.
    pub fn con(&mut self, con: Con, args: &[Ty]) -> Ty {
        // Most are there: they are found without making one.
        let hash = hash_con(con, args);
        let same = |ty: &Ty| matches!(&self.kinds[ty.0 as usize], TypeKind::Con(own, of) if *own == con && **of == *args);
        match self.ids.find(hash, same) {
            Some(ty) => *ty,
            None => self.add(TypeKind::Con(con, args.into()), hash),
        }
    }

    /// `List[T]`.
    pub fn list(&mut self, element: Ty) -> Ty {
        self.con(Con::List, &[element])
    }

    /// `Map[V]`.
    pub fn map(&mut self, value: Ty) -> Ty {
        self.con(Con::Map, &[value])
    }

    /// `Late[T]`; of what is late already, itself.
    pub fn late(&mut self, ty: Ty) -> Ty {
        match self.kind(ty) {
            TypeKind::Con(Con::Late, _) | TypeKind::Error => ty,
            _ => self.con(Con::Late, &[ty]),
        }
    }

    /// `T?`; of an optional, itself.
    pub fn optional(&mut self, ty: Ty) -> Ty {
        match self.kind(ty) {
            TypeKind::Optional(_) | TypeKind::Error => self.shallow(ty),
            _ => self.intern(TypeKind::Optional(ty)),
        }
    }

    /// `(A, B) -> C`.
    pub fn function(&mut self, params: &[Ty], ret: Ty) -> Ty {
        self.intern(TypeKind::Fn(params.into(), ret))
    }

    /// A record type.
    pub fn record(&mut self, record: RecordType) -> Ty {
        self.intern(TypeKind::Record(Arc::new(record)))
    }

    /// A closed record without defaults.
    pub fn closed(&mut self, fields: Vec<(Name, Ty)>) -> Ty {
        let fields = fields.into_iter().map(|(name, ty)| Field {
            name,
            ty,
            default: None,
        });
        self.record(RecordType::new(fields.collect(), false, None))
    }

    /// An enum.
    pub fn enumeration(&mut self, item: ItemRef, name: Name, args: &[Ty]) -> Ty {
        self.intern(TypeKind::Enum(item, name, args.into()))
    }

    /// A shape.
    pub fn shape(&mut self, name: &'static str, dims: Vec<DimTy>) -> Ty {
        self.intern(TypeKind::Shape(name, dims.into()))
    }

    /// A type parameter that equals no other.
    pub fn rigid(&mut self, name: Name) -> Ty {
        self.rigids += 1;
        self.intern(TypeKind::Rigid(self.rigids, name))
    }

    /// `ty`, or what it was solved to; a fieldwise type over a known record is that record, wrapped.
    pub fn shallow(&mut self, ty: Ty) -> Ty {
        let ty = self.prune(ty);
        match &self.kinds[ty.0 as usize] {
            TypeKind::Fieldwise(family, args) => {
                let (family, args) = (*family, args.clone());
                fieldwise::expand(self, family, &args).unwrap_or(ty)
            }
            _ => ty,
        }
    }

    /// The outermost form of `ty`, solved as far as is known.
    pub fn kind(&mut self, ty: Ty) -> TypeKind {
        let ty = self.shallow(ty);
        self.kinds[ty.0 as usize].clone()
    }

    /// Whether `ty` mentions metas, solved or not.
    fn has_metas(&self, ty: Ty) -> bool {
        self.facts[ty.0 as usize].metas
    }

    /// Whether a dimension in `ty` is that of a parameter.
    pub(crate) fn names_dims(&self, ty: Ty) -> bool {
        self.facts[ty.0 as usize].dims
    }
}
