//! Types as summaries of modules have them, and back.

use super::{BUILTIN_TYPES, Con, DimTy, Field, RecordType, SHAPES, Ty, TypeKind, Types};
use crate::hir::Name;
use crate::summary::{self, Making, Tables};

impl Types {
    /// The type by what it is built of; none where something is open in it, or it has a part of the program in it.
    pub(crate) fn summarise(&mut self, ty: Ty, making: &mut Making) -> Option<u32> {
        let made = match self.kind(ty) {
            TypeKind::Unknown => summary::Type::Unknown,
            TypeKind::Con(con, args) => {
                summary::Type::Con(name_of(con)?.to_owned(), self.all(&args, making)?)
            }
            TypeKind::Shape(name, dims) => {
                summary::Type::Shape(name.to_owned(), dims.iter().map(dim).collect::<Option<_>>()?)
            }
            TypeKind::Record(record) => {
                let fields = record.fields.iter().map(|field| {
                    let plain = field.default.is_none().then_some(field.ty)?;
                    Some((field.name.to_string(), self.summarise(plain, making)?))
                });
                summary::Type::Record {
                    fields: fields.collect::<Option<_>>()?,
                    open: record.open,
                    label: match &record.label {
                        Some((name, args)) => Some((name.to_string(), self.all(args, making)?)),
                        None => None,
                    },
                }
            }
            TypeKind::Optional(inner) => summary::Type::Optional(self.summarise(inner, making)?),
            TypeKind::Error
            | TypeKind::Fn(..)
            | TypeKind::Enum(..)
            | TypeKind::Rigid(..)
            | TypeKind::Meta(_)
            | TypeKind::Fieldwise(..) => return None,
        };
        Some(making.ty(made))
    }

    fn all(&mut self, types: &[Ty], making: &mut Making) -> Option<Vec<u32>> {
        types.iter().map(|ty| self.summarise(*ty, making)).collect()
    }

    /// The types of summaries, by position; none for what this program does not know.
    pub(crate) fn recall(&mut self, tables: &Tables) -> Vec<Option<Ty>> {
        let mut known: Vec<Option<Ty>> = Vec::with_capacity(tables.types.len());
        for ty in &tables.types {
            let ty = self.recall_one(ty, &known);
            known.push(ty);
        }
        known
    }

    fn recall_one(&mut self, ty: &summary::Type, known: &[Option<Ty>]) -> Option<Ty> {
        let part = |at: &u32| known.get(*at as usize).copied().flatten();
        Some(match ty {
            summary::Type::Unknown => Ty::UNKNOWN,
            summary::Type::Con(name, args) => {
                let row = BUILTIN_TYPES.iter().find(|row| row.name == name)?;
                let args: Vec<Ty> = args.iter().map(part).collect::<Option<_>>()?;
                self.con(row.con?, &args)
            }
            summary::Type::Shape(name, dims) => {
                let shape = SHAPES.iter().find(|shape| shape.name == name)?;
                let dims = dims.iter().map(|dim| dim.map_or(DimTy::Unknown, DimTy::Known));
                self.shape(shape.name, dims.collect())
            }
            summary::Type::Record { fields, open, label } => {
                let fields = fields.iter().map(|(name, ty)| {
                    Some(Field {
                        name: Name::new(name),
                        ty: part(ty)?,
                        default: None,
                    })
                });
                let fields = fields.collect::<Option<_>>()?;
                let label = match label {
                    Some((name, args)) => {
                        Some((Name::new(name), args.iter().map(part).collect::<Option<_>>()?))
                    }
                    None => None,
                };
                self.record(RecordType::new(fields, *open, label))
            }
            summary::Type::Optional(inner) => {
                let inner = part(inner)?;
                self.optional(inner)
            }
        })
    }
}

fn name_of(con: Con) -> Option<&'static str> {
    let row = BUILTIN_TYPES.iter().find(|row| row.con == Some(con))?;
    Some(row.name)
}

fn dim(dim: &DimTy) -> Option<Option<i64>> {
    match dim {
        DimTy::Known(size) => Some(Some(*size)),
        DimTy::Unknown => Some(None),
        DimTy::Param(_) => None,
    }
}
