//! `and`, `or`, `not` and `??`: what their left side decides. Where that is late, so is the result.

use super::{Checker, Typed, Why};
use crate::core::{Node, NodeId};
use crate::diagnostic::Diagnostic;
use crate::hir::{BinaryOp, Expr, ExprId};
use crate::source::Span;
use crate::types::{Ty, TypeKind};

impl Checker<'_> {
    /// `a and b`, `a or b`.
    pub(super) fn connected(&mut self, op: BinaryOp, left: ExprId, right: ExprId, span: Span) -> Typed {
        let errors = self.diagnostics.len();
        let (a, late_a) = self.truth(left);
        if self.errors_since(errors) {
            // The other side is likely wrong in the same way.
            self.synth(right);
            return self.error_node(span);
        }
        let (b, late_b) = self.truth(right);
        if self.errors_since(errors) {
            return self.error_node(span);
        }
        let node = if op == BinaryOp::And {
            Node::And(a, b)
        } else {
            Node::Or(a, b)
        };
        let node = self.emit(node, span);
        let ty = self.late_if(late_a || late_b, Ty::BOOL);
        Typed { node, ty }
    }

    /// An operand of `and`, `or` or `not`, and whether it is late.
    fn truth(&mut self, id: ExprId) -> (NodeId, bool) {
        let found = self.synth(id);
        let (inner, late) = self.without_late(found.ty);
        let found = Typed {
            ty: inner,
            node: found.node,
        };
        (self.coerce_or_report(found, Ty::BOOL, Why::Condition, id), late)
    }

    pub(super) fn synth_not(&mut self, operand: ExprId, span: Span) -> Typed {
        let (node, late) = self.truth(operand);
        let node = self.emit(Node::Not(node), span);
        let ty = self.late_if(late, Ty::BOOL);
        Typed { node, ty }
    }

    /// `a ?? b ?? c`, a chain of any length: nested to the right.
    pub(super) fn coalesce(&mut self, left: ExprId, right: ExprId, span: Span) -> Typed {
        let mut operands = vec![(left, span)];
        let mut last = right;
        while let Expr::Binary {
            op: BinaryOp::Coalesce,
            left,
            right,
            ..
        } = self.expr(last)
        {
            operands.push((*left, self.span(last)));
            last = *right;
        }
        let found: Vec<Typed> = operands.iter().map(|(operand, _)| self.synth(*operand)).collect();
        let mut rest = (self.last_operand(last, found.last().map(|found| found.ty)), last);
        for ((operand, span), found) in operands.into_iter().zip(found).rev() {
            rest = (self.coalesce_two((found, operand), rest, span), operand);
        }
        rest.0
    }

    /// What holds for null at last: a literal is held against what is before it, as `keep ?? "best"`.
    fn last_operand(&mut self, last: ExprId, before: Option<Ty>) -> Typed {
        let literal = matches!(
            self.expr(last),
            Expr::Str(_) | Expr::Record(_) | Expr::List(_) | Expr::Variant { .. } | Expr::Lambda { .. }
        );
        match before.map(|before| self.types.kind(before)) {
            Some(TypeKind::Optional(inner)) if literal && !self.is_open(inner) => Typed {
                node: self.check_expr(last, inner, Why::Plain),
                ty: inner,
            },
            _ => self.synth(last),
        }
    }

    fn coalesce_two(&mut self, (a, left): (Typed, ExprId), (b, right): (Typed, ExprId), span: Span) -> Typed {
        let why = Why::Sibling(self.span(left));
        let (first, late) = self.without_late(a.ty);
        if late && let TypeKind::Optional(inner) = self.types.kind(first) {
            return self.coalesce_late((a.node, inner), (b, right), span);
        }
        let ty = match self.types.kind(a.ty) {
            TypeKind::Optional(inner) => match self.types.kind(b.ty) {
                TypeKind::Optional(_) => self.types.optional(inner),
                _ => inner,
            },
            TypeKind::Error => b.ty,
            _ => {
                let text = self.source_text(left);
                self.report(
                    Diagnostic::warning("E0214", self.span(left), format!("`{text}` is never null"))
                        .at("so what follows `??` is never taken")
                        .help(format!("write `{text}` alone")),
                );
                a.ty
            }
        };
        let right = self.coerce_or_report(b, ty, why, right);
        let node = self.emit(Node::Coalesce(a.node, right), span);
        Typed { node, ty }
    }

    /// `a ?? b` where the build will say whether `a` is null.
    fn coalesce_late(&mut self, (a, inner): (NodeId, Ty), (b, right): (Typed, ExprId), span: Span) -> Typed {
        let (other, late) = self.without_late(b.ty);
        let wanted = match self.types.kind(other) {
            TypeKind::Optional(_) => self.types.optional(inner),
            _ => inner,
        };
        let ty = self.types.late(wanted);
        let held = if late { ty } else { wanted };
        let right = self.coerce_or_report(b, held, Why::Plain, right);
        let node = self.emit(Node::Coalesce(a, right), span);
        Typed { node, ty }
    }
}
