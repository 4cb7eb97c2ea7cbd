//! `if`, `match` and what their branches have in common.

use super::{Checker, Typed, Why};
use crate::core::{MatchArm, Node, NodeId};
use crate::hir::ExprId;
use crate::source::Span;
use crate::types::{Con, Ty, TypeKind};

impl Checker<'_> {
    /// A condition: a Bool that is known before the build.
    pub(super) fn check_condition(&mut self, id: ExprId) -> NodeId {
        self.check_expr(id, Ty::BOOL, Why::Condition)
    }

    pub(super) fn if_expr(
        &mut self,
        condition: ExprId,
        then: ExprId,
        otherwise: ExprId,
        wanted: Option<(Ty, Why)>,
        span: Span,
    ) -> Typed {
        let condition = self.check_condition(condition);
        let (branches, ty) = self.branches(&[then, otherwise], wanted, "branches");
        let node = self.emit(
            Node::If {
                condition,
                then: branches[0],
                otherwise: branches[1],
            },
            span,
        );
        Typed { node, ty }
    }

    /// Expressions of which one is taken: each held against the wanted type, or all made one.
    pub(super) fn branches(
        &mut self,
        exprs: &[ExprId],
        wanted: Option<(Ty, Why)>,
        what: &str,
    ) -> (Vec<NodeId>, Ty) {
        if let Some((ty, why)) = wanted {
            return (
                exprs.iter().map(|expr| self.check_expr(*expr, ty, why)).collect(),
                ty,
            );
        }
        let found: Vec<(ExprId, Typed)> = exprs.iter().map(|expr| (*expr, self.synth(*expr))).collect();
        let ty = self.join(&found, what);
        (found.iter().map(|(_, typed)| typed.node).collect(), ty)
    }

    pub(super) fn match_expr(
        &mut self,
        scrutinee: ExprId,
        arms: &[crate::hir::Arm],
        wanted: Option<(Ty, Why)>,
        span: Span,
    ) -> Typed {
        let matched = self.synth(scrutinee);
        self.types.default_number(matched.ty);
        let mut ty = self.types.shallow(matched.ty);
        if let TypeKind::Con(Con::Late, _) = self.types.kind(ty) {
            self.report_late(self.span(scrutinee), "a `match`");
            ty = Ty::ERROR;
        }
        let errors = self.diagnostics.len();
        let patterns = self.arm_patterns(arms, ty, scrutinee);
        let failed = self.errors_since(errors);
        let guards: Vec<Option<NodeId>> = arms
            .iter()
            .map(|arm| arm.guard.map(|guard| self.check_condition(guard)))
            .collect();
        let bodies: Vec<ExprId> = arms.iter().map(|arm| arm.body).collect();
        let (bodies, result) = self.branches(&bodies, wanted, "arms");
        if failed {
            let node = self.emit(Node::Error, span);
            return Typed { node, ty: result };
        }
        let arms = patterns
            .into_iter()
            .zip(guards)
            .zip(bodies)
            .map(|((patterns, guard), body)| MatchArm {
                patterns,
                guard,
                body,
            });
        let node = Node::Match {
            scrutinee: matched.node,
            arms: arms.collect(),
        };
        let node = self.emit(node, span);
        Typed { node, ty: result }
    }
}
