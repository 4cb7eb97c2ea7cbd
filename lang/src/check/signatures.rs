//! What the checker knows of items before it looks into them: signatures, schemes, enums, declared types.

use crate::core::{Const, FunctionId};
use crate::hir::{ItemRef, Name};
use crate::source::Span;
use crate::types::{DimTy, Ty};
use std::sync::Arc;

/// The type of a value, general in `vars`.
#[derive(Clone, Debug)]
pub(super) struct Scheme {
    /// Type variables that each use has its own of.
    pub(super) vars: Vec<Ty>,
    /// The type.
    pub(super) ty: Ty,
}

/// A function as its callers see it.
#[derive(Clone, Debug)]
pub(super) struct FnSig {
    pub(super) item: ItemRef,
    /// As people write it: `nn.conv2d`.
    pub(super) name: Name,
    pub(super) function: FunctionId,
    /// Type parameters and what was left open in the result.
    pub(super) vars: Vec<Ty>,
    /// How many of `vars` are written.
    pub(super) written: usize,
    pub(super) params: Vec<ParamSig>,
    pub(super) ret: Ty,
    /// Whether the result was written.
    pub(super) stated: bool,
}

/// A parameter.
#[derive(Clone, Debug)]
pub(super) struct ParamSig {
    pub(super) label: Name,
    pub(super) span: Span,
    pub(super) ty: Ty,
    pub(super) named: bool,
    pub(super) default: Option<ParamDefault>,
}

/// A default of a parameter.
#[derive(Clone, Debug)]
pub(super) struct ParamDefault {
    pub(super) code: DefaultCode,
    /// What type parameters are where the default is taken: `R` is `{}` where `metrics: MetricsOf[R] = {}` is.
    pub(super) pins: Vec<(Ty, Ty)>,
    /// What was left open in `pins`.
    pub(super) vars: Vec<Ty>,
    /// The size that it gives where a dimension names the parameter.
    pub(super) dim: DimTy,
}

/// How a default comes into a call.
#[derive(Clone, Debug)]
pub(super) enum DefaultCode {
    /// As a constant.
    Const(Const),
    /// As an expression that reads nothing of the call.
    Alone(Arc<crate::core::Body>),
    /// By a call of a function of the earlier parameters that it reads.
    Call { function: FunctionId, reads: Vec<u32> },
    /// It did not check.
    Error,
}

/// A default of a field of a written type or variant.
#[derive(Clone, Debug)]
pub(super) struct FieldDefault {
    pub(super) code: DefaultCode,
    /// For data that is read at run time.
    pub(super) datum: Option<crate::spec::Datum>,
}

/// An enum.
#[derive(Clone, Debug)]
pub(super) struct EnumSig {
    pub(super) name: Name,
    pub(super) span: Span,
    pub(super) vars: Vec<Ty>,
    pub(super) variants: Vec<VariantSig>,
}

/// A variant.
#[derive(Clone, Debug)]
pub(super) struct VariantSig {
    pub(super) name: Name,
    pub(super) span: Span,
    pub(super) fields: Vec<VariantFieldSig>,
}

/// A field of a variant.
#[derive(Clone, Debug)]
pub(super) struct VariantFieldSig {
    /// `0`, `1`, … where no label is written.
    pub(super) name: Name,
    pub(super) span: Span,
    pub(super) labelled: bool,
    pub(super) ty: Ty,
    pub(super) default: Option<crate::types::DefaultId>,
}

impl EnumSig {
    pub(super) fn variant(&self, name: &str) -> Option<&VariantSig> {
        self.variants.iter().find(|variant| variant.name == name)
    }
}

/// A declared type.
#[derive(Clone, Debug)]
pub(super) enum Alias {
    /// It is being looked at: to meet it again is a cycle.
    Running,
    /// It contains itself, which was reported.
    Endless,
    /// What it stands for.
    Done(Scheme),
}

impl FnSig {
    /// Whether every parameter has a default.
    pub(super) fn defaults_only(&self) -> bool {
        self.params.iter().all(|param| param.default.is_some())
    }
}
