//! Fieldwise types: names that the caller gives come back as the result's names.
//!
//! `MetricsOf[R]` is the record with the fields of `R`, each `T` of them a `Metric[T]`. While `R` is not known it stands
//! for itself; two of one family are equal just where their arguments are, so that inference goes both ways.

use super::{Con, Field, RecordType, Ty, TypeKind, Types};
use std::sync::Arc;

/// A family of fieldwise types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fieldwise {
    /// `Outputs[O]`: `T` to `Output[T]`.
    Outputs,
    /// `MetricsOf[R]`: `T` to `Metric[T]`.
    MetricsOf,
    /// `Dists[C]`: `T` to `Dist[T]`.
    Dists,
    /// A record of codecs, which is a codec of the record: `T` to `Codec[T]`. It has no written name.
    Codecs,
    /// `Shares[P, A]`: each field of `P` is an `A`; each share is a Float.
    Shares,
    /// `Each[P, A, B]`: each field of `P` is an `A`; here it is a `B`.
    Each,
    /// `Lists[C]`: `T` to `List[T]`.
    Lists,
    /// `Summaries[R]`: a number to `{ mean, std, n }`; what is no number is left out.
    Summaries,
}

impl Fieldwise {
    /// The family of that name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Outputs" => Self::Outputs,
            "MetricsOf" => Self::MetricsOf,
            "Dists" => Self::Dists,
            "Shares" => Self::Shares,
            "Each" => Self::Each,
            "Lists" => Self::Lists,
            "Summaries" => Self::Summaries,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Outputs => "Outputs",
            Self::MetricsOf => "MetricsOf",
            Self::Dists => "Dists",
            Self::Codecs => "Codec",
            Self::Shares => "Shares",
            Self::Each => "Each",
            Self::Lists => "Lists",
            Self::Summaries => "Summaries",
        }
    }

    /// What a field of type `ty` is wrapped to.
    pub fn wrap(self, types: &mut Types, ty: Ty, args: &[Ty]) -> Ty {
        match self {
            Self::Outputs => types.con(Con::Output, &[ty]),
            Self::MetricsOf => types.con(Con::Metric, &[ty]),
            Self::Dists => types.con(Con::Dist, &[ty]),
            Self::Codecs => types.con(Con::Codec, &[ty]),
            Self::Shares => Ty::FLOAT,
            Self::Each => args.get(2).copied().unwrap_or(Ty::ERROR),
            Self::Lists => types.list(ty),
            Self::Summaries => types.closed(vec![
                ("mean".into(), Ty::FLOAT),
                ("std".into(), Ty::FLOAT),
                ("n".into(), Ty::INT),
            ]),
        }
    }

    /// Whether a field of that type is in the record at all.
    fn keeps(self, types: &mut Types, ty: Ty) -> bool {
        self != Self::Summaries
            || matches!(
                types.kind(ty),
                TypeKind::Con(Con::Int | Con::Float, _) | TypeKind::Meta(_)
            )
    }

    /// The unwrapped type of a new field of a record that is still to be found.
    pub fn field(self, types: &mut Types, args: &[Ty]) -> Ty {
        match self {
            Self::Shares | Self::Each => args.get(1).copied().unwrap_or(Ty::ERROR),
            _ => types.meta(),
        }
    }
}

impl Types {
    /// A fieldwise type.
    pub fn fieldwise(&mut self, family: Fieldwise, args: &[Ty]) -> Ty {
        self.intern(TypeKind::Fieldwise(family, args.into()))
    }
}

/// The record that the type is, once its argument is a known record.
pub(super) fn expand(types: &mut Types, family: Fieldwise, args: &Arc<[Ty]>) -> Option<Ty> {
    let inner = *args.first()?;
    match types.kind(inner) {
        TypeKind::Error => Some(Ty::ERROR),
        TypeKind::Record(record) => {
            let mut fields = Vec::with_capacity(record.fields.len());
            for field in &record.fields {
                if family.keeps(types, field.ty) {
                    fields.push(Field {
                        name: field.name.clone(),
                        ty: family.wrap(types, field.ty, args),
                        default: None,
                    });
                }
            }
            Some(types.record(RecordType::new(fields, record.open, None)))
        }
        _ => None,
    }
}
