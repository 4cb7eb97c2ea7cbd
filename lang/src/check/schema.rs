//! Types as data: what `decode` holds Json against, and what a step's output must hold.
//!
//! The form is written down at [`crate::core::Node::Decode`]. A dataset's shapes are `Shape{name, dims}` besides, each
//! dimension an Int, or null where it is not known.

use super::Checker;
use super::suggest::a;
use crate::core::Const;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::spec::{Datum, Fields};
use crate::types::{Con, DefaultId, DimTy, Substitution, Ty, TypeKind};

/// How deep schemas nest: an enum that contains itself has none.
const DEPTH: u32 = 64;

impl Checker<'_> {
    /// The type as data; what no data can be of is reported.
    pub(super) fn schema(&mut self, ty: Ty, span: Span) -> Option<Datum> {
        match self.schema_at(ty, 0) {
            Ok(datum) => Some(datum),
            Err(culprit) => {
                if culprit != Ty::ERROR {
                    let shown = self.shown(culprit);
                    self.report(
                        Diagnostic::error("E0231", span, format!("data cannot hold {}", a(&shown)))
                            .note("data holds numbers, text, truth values, lists, maps, records and enums that do not contain themselves"),
                    );
                }
                None
            }
        }
    }

    fn schema_at(&mut self, ty: Ty, depth: u32) -> Result<Datum, Ty> {
        if depth > DEPTH {
            return Err(ty);
        }
        Ok(match self.types.kind(ty) {
            TypeKind::Con(con @ (Con::List | Con::Map), args) => {
                variant(con.name(), [("of", self.schema_at(args[0], depth + 1)?)])
            }
            TypeKind::Optional(inner) => variant("Optional", [("of", self.schema_at(inner, depth + 1)?)]),
            TypeKind::Con(
                con @ (Con::Int
                | Con::Float
                | Con::Bool
                | Con::Str
                | Con::Json
                | Con::Duration
                | Con::Bytes
                | Con::Path),
                _,
            ) => text(con.name()),
            TypeKind::Record(record) => {
                let mut fields = Vec::with_capacity(record.fields.len());
                for field in &record.fields {
                    fields.push(self.schema_field(&field.name, field.ty, field.default, depth)?);
                }
                variant("Record", [("fields", Datum::List(fields))])
            }
            TypeKind::Enum(item, name, args) => {
                let Some(sig) = self.enumeration(item) else {
                    return Err(Ty::ERROR);
                };
                let types = sig.vars.iter().copied().zip(args.iter().copied()).collect();
                let substitution = Substitution {
                    types,
                    dims: Vec::new(),
                };
                let mut variants = Vec::with_capacity(sig.variants.len());
                for variant in &sig.variants {
                    let mut fields = Vec::with_capacity(variant.fields.len());
                    for field in &variant.fields {
                        let ty = self.types.substitute(field.ty, &substitution);
                        fields.push(self.schema_field(&field.name, ty, field.default, depth)?);
                    }
                    variants.push(map([
                        ("name", text(&variant.name)),
                        ("fields", Datum::List(fields)),
                    ]));
                }
                variant(
                    "Enum",
                    [("name", text(&name)), ("variants", Datum::List(variants))],
                )
            }
            TypeKind::Shape(name, dims) => {
                let dims = dims.iter().map(|dim| match dim {
                    DimTy::Known(size) => Datum::Int(*size),
                    DimTy::Param(_) | DimTy::Unknown => Datum::Null,
                });
                variant(
                    "Shape",
                    [("name", text(name)), ("dims", Datum::List(dims.collect()))],
                )
            }
            TypeKind::Error => return Err(Ty::ERROR),
            _ => return Err(ty),
        })
    }

    fn schema_field(
        &mut self,
        name: &str,
        ty: Ty,
        default: Option<DefaultId>,
        depth: u32,
    ) -> Result<Datum, Ty> {
        let ty = self.schema_at(ty, depth + 1)?;
        let default = default.and_then(|default| self.field_defaults[default.0 as usize].datum.clone());
        let parts = [("name", text(name)), ("type", ty)];
        Ok(map(parts
            .into_iter()
            .chain(default.map(|default| ("default", default)))))
    }
}

fn text(text: &str) -> Datum {
    Datum::Str(text.into())
}

fn map(parts: impl IntoIterator<Item = (&'static str, Datum)>) -> Datum {
    Datum::Map(named(parts))
}

fn variant(name: &str, parts: impl IntoIterator<Item = (&'static str, Datum)>) -> Datum {
    Datum::Variant(name.into(), named(parts))
}

fn named(parts: impl IntoIterator<Item = (&'static str, Datum)>) -> Fields {
    parts
        .into_iter()
        .map(|(name, part)| (name.to_owned(), part))
        .collect()
}

/// A constant as data.
pub(super) fn const_datum(value: &Const) -> Datum {
    match value {
        Const::Null => Datum::Null,
        Const::Bool(value) => Datum::Bool(*value),
        Const::Int(value) | Const::Duration(value) | Const::Bytes(value) => Datum::Int(*value),
        Const::Float(value) => Datum::Float(*value),
        Const::Str(text) => Datum::Str(text.clone()),
    }
}
