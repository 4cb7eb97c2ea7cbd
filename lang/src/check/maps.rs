//! Maps and Json objects as they are written.

use super::records::Spread;
use super::{Checker, Typed, Why};
use crate::core::{Const, MapEntry, Node, NodeId};
use crate::hir::{Entry, ExprId};
use crate::source::Span;
use crate::types::{RecordType, Ty};

impl Checker<'_> {
    /// A map, or a Json object: keys are strings.
    pub(super) fn map_literal(&mut self, entries: &[Entry], value_ty: Ty, why: Why, span: Span) -> NodeId {
        let mut nodes = Vec::with_capacity(entries.len());
        let open = self.is_open(value_ty);
        let mut found: Vec<(ExprId, Typed)> = Vec::new();
        for entry in entries {
            let (key, value) = match entry {
                Entry::Field {
                    name,
                    name_span,
                    value,
                    ..
                } => (self.emit_const(Const::Str(name.clone()), *name_span), *value),
                Entry::Computed { key, value } => (self.check_expr(*key, Ty::STR, Why::Plain), *value),
                Entry::Spread(expr) => {
                    nodes.push(MapEntry::Spread(self.spread_map(*expr, value_ty)));
                    continue;
                }
            };
            let node = if open {
                let typed = self.synth(value);
                found.push((value, typed));
                typed.node
            } else {
                self.check_expr(value, value_ty, why)
            };
            nodes.push(MapEntry::Item(key, node));
        }
        if open {
            let joined = self.join(&found, "values");
            if self.types.unify(value_ty, joined).is_err() {
                self.types.absorb(value_ty);
            }
        }
        self.emit(Node::Map(nodes), span)
    }

    fn spread_map(&mut self, expr: ExprId, value: Ty) -> NodeId {
        let (node, spread) = self.spread_record(expr);
        let (from, wanted) = match spread {
            Spread::Failed => return node,
            Spread::Map(inner) => (self.types.map(inner), self.types.map(value)),
            // A record's fields become keys, where all are of the map's type.
            Spread::Record(record) => {
                let fields = record
                    .fields
                    .iter()
                    .map(|field| (field.name.clone(), value))
                    .collect();
                (
                    self.types.record(RecordType::clone(&record)),
                    self.types.closed(fields),
                )
            }
        };
        self.coerce_or_report(Typed { node, ty: from }, wanted, Why::Plain, expr)
    }
}
