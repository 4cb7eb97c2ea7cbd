//! `[e for x in xs if c]` and `{ k: v for … }`.

use super::suggest::a;
use super::{Checker, Typed, Why};
use crate::core::{ForClause, Node, NodeId, Pattern};
use crate::diagnostic::Diagnostic;
use crate::hir::{Clause, ExprId, PatId, Yield};
use crate::source::Span;
use crate::types::{Con, Ty, TypeKind};

impl Checker<'_> {
    pub(super) fn comprehension(
        &mut self,
        yields: &Yield,
        clauses: &[Clause],
        wanted: Option<(Ty, Why)>,
        span: Span,
    ) -> Typed {
        let mut made = Vec::with_capacity(clauses.len());
        let mut failed = false;
        for clause in clauses {
            made.push(match clause {
                Clause::For {
                    first,
                    second,
                    source,
                } => {
                    let errors = self.diagnostics.len();
                    let made = self.for_clause(*first, *second, *source);
                    failed |= self.errors_since(errors);
                    made
                }
                Clause::If(condition) => ForClause::If(self.check_condition(*condition)),
            });
        }
        // What each round is expected to give, where the whole is a list or map as well.
        let wanted = wanted.and_then(|(ty, why)| match (self.types.kind(ty), yields) {
            (TypeKind::Con(Con::List, args), Yield::Element(_)) => Some((args[0], why)),
            (TypeKind::Con(Con::Map, args), Yield::Entry(..)) => Some((args[0], why)),
            _ => None,
        });
        let (node, ty) = match yields {
            Yield::Element(element) => {
                let found = self.round(*element, wanted);
                let node = Node::ForList {
                    clauses: made,
                    element: found.node,
                };
                (node, self.types.list(found.ty))
            }
            Yield::Entry(key, value) => {
                let key = self.check_expr(*key, Ty::STR, Why::Plain);
                let found = self.round(*value, wanted);
                let node = Node::ForMap {
                    clauses: made,
                    key,
                    value: found.node,
                };
                (node, self.types.map(found.ty))
            }
        };
        let node = self.emit(if failed { Node::Error } else { node }, span);
        Typed { node, ty }
    }

    fn round(&mut self, expr: ExprId, wanted: Option<(Ty, Why)>) -> Typed {
        match wanted {
            Some((ty, why)) if !self.is_open(ty) => {
                let node = self.check_expr(expr, ty, why);
                Typed { node, ty }
            }
            _ => self.synth(expr),
        }
    }

    fn for_clause(&mut self, first: PatId, second: Option<PatId>, source: ExprId) -> ForClause {
        let found = self.synth(source);
        self.default_numbers_in(found.ty);
        let (element, map) = self.run_through(found.ty, source);
        let Some(second) = second else {
            if map {
                self.report(
                    Diagnostic::error("E0232", self.span(source), "a map has keys and values")
                        .help("write `for key, value in …`, or go through `keys(m)` or `values(m)`"),
                );
            }
            let first = self.irrefutable(first, if map { Ty::ERROR } else { element });
            return clause(first, None, found.node, map);
        };
        let index = match (map, element) {
            (true, _) => Ty::STR,
            (false, Ty::ERROR) => Ty::ERROR,
            (false, _) => Ty::INT,
        };
        let first = self.irrefutable(first, index);
        let second = self.irrefutable(second, element);
        clause(first, Some(second), found.node, map)
    }

    /// The type of what a `for` runs through, and whether it is a map.
    fn run_through(&mut self, ty: Ty, source: ExprId) -> (Ty, bool) {
        let span = self.span(source);
        match self.types.kind(ty) {
            TypeKind::Con(Con::List, args) => return (args[0], false),
            TypeKind::Con(Con::Map, args) => return (args[0], true),
            TypeKind::Error => {}
            TypeKind::Meta(_) => self.report_unknown(span, "this"),
            TypeKind::Con(Con::Late, _) => self.report_late(span, "how often a `for` runs"),
            kind => {
                let (shown, text) = (self.shown(ty), self.source_text(source));
                let error =
                    Diagnostic::error("E0232", span, format!("a `for` cannot run through {}", a(&shown)))
                        .note("it runs through lists and maps");
                self.report(match kind {
                    TypeKind::Con(Con::Int, _) => error.help(format!("write `for i in range({text})`")),
                    TypeKind::Con(Con::Str, _) => error.help(format!("write `for c in chars({text})`")),
                    TypeKind::Optional(_) => error.help(format!("say what holds for null: `{text} ?? []`")),
                    TypeKind::Record(_) => {
                        error.help("a record's fields are of different types: name them, or use a map")
                    }
                    _ => error,
                });
            }
        }
        (Ty::ERROR, false)
    }
}

fn clause(first: Pattern, second: Option<Pattern>, source: NodeId, map: bool) -> ForClause {
    ForClause::For {
        first,
        second,
        source,
        map,
    }
}
