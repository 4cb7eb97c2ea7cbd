//! `[e for x in xs if c]` and `{ k: v for … }`.

use super::suggest::a;
use super::{Checker, Typed, Why};
use crate::core::{ForClause, Node, NodeId, Pattern};
use crate::diagnostic::Diagnostic;
use crate::hir::{Clause, ExprId, LocalId, Name, Pat, PatId, Yield};
use crate::source::Span;
use crate::types::{Con, Ty, TypeKind};

/// A `for a, b in xs` that may have been meant otherwise: `a` is the index, and `b` the element.
#[derive(Debug)]
pub(super) struct Counting {
    names: (LocalId, LocalId),
    meant: Meant,
    source: ExprId,
    /// Whether an error told of it; what else is wrong with the names follows from it.
    told: bool,
}

/// What may have been meant by the two names of a loop.
#[derive(Debug)]
enum Meant {
    /// The fields of records, as Python takes pairs apart.
    Fields(Name, Name),
    /// The parts of lists.
    Parts,
    /// The element, then the index.
    Swapped,
}

/// Names that people give to an index.
const INDICES: &[&str] = &["i", "j", "k", "n", "idx", "index", "pos", "position"];

impl Checker<'_> {
    /// Says of an error about one of the names of a loop that counts how elements are taken apart; none, if another error
    /// said so.
    pub(super) fn with_counting(&mut self, error: Diagnostic) -> Option<Diagnostic> {
        let blames = |name: &Name| {
            let mut labels = error.labels.iter();
            labels.any(|label| self.sources.text(label.span) == name.as_str())
        };
        let found = self.cx.counting.iter().rposition(|counting| {
            let (a, b) = counting.names;
            blames(&self.local_name(a)) || blames(&self.local_name(b))
        });
        let Some(found) = found else {
            return Some(error);
        };
        if std::mem::replace(&mut self.cx.counting[found].told, true) {
            return None;
        }
        let Counting {
            names: (a, b),
            meant,
            source,
            ..
        } = &self.cx.counting[found];
        let (a, b, text) = (
            self.local_name(*a),
            self.local_name(*b),
            self.source_text(*source),
        );
        let counted = text
            .strip_prefix("enumerate(")
            .and_then(|text| text.strip_suffix(')'));
        let help = match (counted, meant) {
            (Some(list), _) => format!("leave `enumerate` out: `for {a}, {b} in {list}`"),
            (None, Meant::Swapped) => format!("the index stands first: `for {b}, {a} in {text}`"),
            (None, Meant::Fields(first, second)) => {
                format!("to take the elements apart write `for {{ {first}: {a}, {second}: {b} }} in {text}`")
            }
            (None, Meant::Parts) => {
                format!("to take the elements apart write `for pair in {text}`, and `pair[0]`, `pair[1]`")
            }
        };
        Some(
            error
                .note(format!(
                    "`for {a}, {b} in …` counts: `{a}` is the index, `{b}` the element"
                ))
                .help(help),
        )
    }

    pub(super) fn comprehension(
        &mut self,
        yields: &Yield,
        clauses: &[Clause],
        wanted: Option<(Ty, Why)>,
        span: Span,
    ) -> Typed {
        let mut made = Vec::with_capacity(clauses.len());
        let around = self.cx.counting.len();
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
        self.cx.counting.truncate(around);
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
        self.note_counting(map, (first, second), element, source);
        let first = self.irrefutable(first, index);
        let second = self.irrefutable(second, element);
        clause(first, Some(second), found.node, map)
    }

    fn note_counting(&mut self, map: bool, (first, second): (PatId, PatId), element: Ty, source: ExprId) {
        let (&Pat::Bind(a), &Pat::Bind(b), false) = (self.pat(first), self.pat(second), map) else {
            return;
        };
        let is_index = |name: Name| INDICES.contains(&name.as_str());
        let is_swapped = is_index(self.local_name(b)) && !is_index(self.local_name(a));
        let meant = match self.types.kind(element) {
            TypeKind::Record(pair) if pair.fields.len() == 2 => {
                Meant::Fields(pair.fields[0].name.clone(), pair.fields[1].name.clone())
            }
            TypeKind::Con(Con::List, _) => Meant::Parts,
            _ if is_swapped => Meant::Swapped,
            _ => return,
        };
        self.cx.counting.push(Counting {
            names: (a, b),
            meant,
            source,
            told: false,
        });
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
