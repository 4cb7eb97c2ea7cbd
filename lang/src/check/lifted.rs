//! Functions of the library that take plain and late values alike. Their signatures are general; what they ask of the
//! type, and whether the result is late, is said here.

use super::Checker;
use super::signatures::FnSig;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::types::{Con, Substitution, Ty, TypeKind};

impl Checker<'_> {
    /// The result of a call of `sig`, whose type parameters were found to be those of `found`.
    pub(super) fn lifted(&mut self, sig: &FnSig, found: &Substitution, ret: Ty, span: Span) -> Ty {
        if !self.program.module(sig.item.module).std {
            return ret;
        }
        let Some((_, last)) = found.types.last() else {
            return ret;
        };
        let (inner, late) = self.without_late(*last);
        match sig.name.as_str() {
            "mean" | "std" if !self.is_number(inner) => {
                self.report_lifted(sig, "numbers", *last, span);
                Ty::ERROR
            }
            "sqrt" | "exp" | "log" if !self.is_number(inner) => {
                self.report_lifted(sig, "a number", *last, span);
                Ty::ERROR
            }
            "mean" | "std" | "sqrt" | "exp" | "log" if late => self.types.late(ret),
            "min_by" | "max_by" | "search.halving" | "search.bayes" if !self.is_number(inner) => {
                self.report_lifted(sig, "candidates by a late number", *last, span);
                Ty::ERROR
            }
            "plot.scatter" => {
                for (_, ty) in found.types.iter().skip(1) {
                    let (inner, _) = self.without_late(*ty);
                    if !self.is_number(inner) {
                        self.report_lifted(sig, "functions that give numbers, plain or late", *ty, span);
                        return Ty::ERROR;
                    }
                }
                ret
            }
            "assert"
                if !matches!(
                    self.types.kind(inner),
                    TypeKind::Con(Con::Bool, _) | TypeKind::Error
                ) =>
            {
                self.report_lifted(sig, "a `Bool`, plain or late", *last, span);
                Ty::ERROR
            }
            _ => ret,
        }
    }

    /// Whether a type is, or may still become, a number.
    fn is_number(&mut self, ty: Ty) -> bool {
        matches!(
            self.types.kind(ty),
            TypeKind::Con(Con::Int | Con::Float, _) | TypeKind::Meta(_) | TypeKind::Error
        )
    }

    fn report_lifted(&mut self, sig: &FnSig, takes: &str, found: Ty, span: Span) {
        let shown = self.shown(found);
        let error = Diagnostic::error(
            "E0203",
            span,
            format!("`{}` takes {takes}, and this is `{shown}`", sig.name),
        );
        let error = match self.types.kind(found) {
            TypeKind::Rigid(_, name) => error.note(format!("a caller may choose any type for `{name}`")),
            _ => error,
        };
        self.report(error);
    }
}
