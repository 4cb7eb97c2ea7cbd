//! Lists as they are written, alone and against a type.

use super::suggest::a;
use super::{Checker, Typed, Why};
use crate::core::{Element as CoreElement, Node, NodeId};
use crate::diagnostic::Diagnostic;
use crate::hir::{Element, ExprId};
use crate::source::Span;
use crate::types::{Con, Ty, TypeKind};

impl Checker<'_> {
    pub(super) fn synth_list(&mut self, elements: &[Element], span: Span) -> Typed {
        let mut found: Vec<(ExprId, Typed)> = Vec::with_capacity(elements.len());
        let mut nodes = Vec::with_capacity(elements.len());
        for element in elements {
            match element {
                Element::Item(expr) => {
                    let typed = self.synth(*expr);
                    found.push((*expr, typed));
                    nodes.push(CoreElement::Item(typed.node));
                }
                Element::Spread(expr) => {
                    let ty = self.types.meta();
                    let node = self.spread_list(*expr, ty);
                    found.push((*expr, Typed { node, ty }));
                    nodes.push(CoreElement::Spread(node));
                }
            }
        }
        let element = self.join(&found, "list");
        let node = self.emit(Node::List(nodes), span);
        let ty = match element {
            Ty::ERROR => Ty::ERROR,
            _ => self.types.list(element),
        };
        Typed { node, ty }
    }

    /// `...xs` of a list whose elements are of the wanted type.
    fn spread_list(&mut self, expr: ExprId, wanted: Ty) -> NodeId {
        let found = self.synth(expr);
        let span = self.span(expr);
        self.types.default_number(found.ty);
        match self.types.kind(found.ty) {
            TypeKind::Con(Con::List, _) | TypeKind::Error => {
                let list = self.types.list(wanted);
                self.coerce_or_report(found, list, Why::Plain, expr)
            }
            TypeKind::Meta(_) => {
                self.report_unknown(span, "this");
                self.emit(Node::Error, span)
            }
            TypeKind::Con(Con::Late, _) => {
                self.report_late(span, "how long a list is");
                self.emit(Node::Error, span)
            }
            _ => {
                let shown = self.shown(found.ty);
                let error = Diagnostic::error(
                    "E0215",
                    span,
                    format!("{} cannot be spread into a list", a(&shown)),
                );
                self.report(error.note("only a list can"));
                self.emit(Node::Error, span)
            }
        }
    }

    /// A list against a type; none where the type says nothing about elements.
    pub(super) fn check_list(
        &mut self,
        elements: &[Element],
        wanted: Ty,
        why: Why,
        span: Span,
    ) -> Option<NodeId> {
        let element = match self.types.kind(wanted) {
            TypeKind::Con(Con::List, args) if !self.is_open(args[0]) => args[0],
            TypeKind::Con(Con::Json, _) => Ty::JSON,
            TypeKind::Con(Con::Pair, _) => Ty::INT,
            TypeKind::Con(Con::Columns | Con::Classes, _) => Ty::STR,
            _ => return None,
        };
        let why = match why {
            Why::Sibling(_) => Why::Plain,
            why => why,
        };
        let mut nodes = Vec::with_capacity(elements.len());
        for item in elements {
            nodes.push(match item {
                Element::Item(expr) => CoreElement::Item(self.check_expr(*expr, element, why)),
                Element::Spread(expr) => CoreElement::Spread(self.spread_list(*expr, element)),
            });
        }
        if self.types.shallow(wanted) == self.types.con(Con::Pair, &[]) && elements.len() != 2 {
            let error = Diagnostic::error(
                "E0201",
                span,
                format!("a size is one number or a list of two, not of {}", elements.len()),
            );
            self.report(error.help("write `[height, width]`"));
            return Some(self.emit(crate::core::Node::Error, span));
        }
        Some(self.emit(Node::List(nodes), span))
    }
}
