//! Cycles of values: reported with the way round.

use super::signatures::Scheme;
use super::{Checker, order};
use crate::diagnostic::Diagnostic;
use crate::hir::{ItemKind, ItemRef};
use crate::types::Ty;

impl Checker<'_> {
    /// Values that need themselves, outside of functions, have no value.
    pub(super) fn report_value_cycles(&mut self, items: &[ItemRef]) {
        let is_value = |item: ItemRef| {
            matches!(
                self.program.item(item).kind,
                ItemKind::Value { .. } | ItemKind::Param { .. }
            )
        };
        let values: Vec<ItemRef> = items.iter().copied().filter(|item| is_value(*item)).collect();
        let edges: Vec<Vec<u32>> = values
            .iter()
            .map(|from| {
                let references =
                    order::references(self.program.module(from.module), self.program.item(*from));
                let eager = references.iter().filter(|reference| !reference.lazy);
                let mut to: Vec<u32> = eager
                    .filter_map(|reference| values.binary_search(&reference.item).ok())
                    .map(|at| at as u32)
                    .collect();
                to.sort_unstable();
                to.dedup();
                to
            })
            .collect();
        for component in order::connected(&edges) {
            let first = component[0];
            if component.len() > 1 || edges[first as usize].contains(&first) {
                self.report_cycle(&values, &edges, &component);
            }
        }
    }

    fn report_cycle(&mut self, values: &[ItemRef], edges: &[Vec<u32>], component: &[u32]) {
        let start = component[0];
        let way = shortest_cycle(edges, component, start);
        let names: Vec<&str> = way
            .iter()
            .map(|node| self.program.item(values[*node as usize]).name.as_str())
            .collect();
        let shown = match names.len() {
            0..=12 => names.join(" → "),
            _ => format!(
                "{} → … → {}",
                names[..8].join(" → "),
                names[names.len() - 2..].join(" → ")
            ),
        };
        let span = self.program.item(values[start as usize]).name_span;
        let mut error = Diagnostic::error("E0401", span, format!("cycle: {shown}"))
            .at(format!("`{}` needs itself", names[0]));
        for node in way.iter().skip(1).take(way.len().saturating_sub(2)).take(3) {
            let item = self.program.item(values[*node as usize]);
            error = error.label(item.name_span, "on the way");
        }
        self.report(error.help(match names.len() {
            0..=2 => "a name is bound once and never changes: give the new value another name",
            _ => "one of them must not use the other; a function may refer to itself, a value may not",
        }));
        for node in component {
            let item = values[*node as usize];
            match self.values.get(item) {
                Some(scheme) => self.types.absorb(scheme.ty),
                None => self.values.insert(
                    item,
                    Scheme {
                        vars: Vec::new(),
                        ty: Ty::ERROR,
                    },
                ),
            }
        }
    }
}

/// The shortest way from `start` back to itself inside a component.
fn shortest_cycle(edges: &[Vec<u32>], component: &[u32], start: u32) -> Vec<u32> {
    let mut from: std::collections::BTreeMap<u32, u32> = std::collections::BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for to in edges[node as usize]
            .iter()
            .filter(|to| component.binary_search(to).is_ok())
        {
            if *to == start {
                let mut way = vec![start, node];
                let mut at = node;
                while at != start {
                    at = from.get(&at).copied().unwrap_or(start);
                    way.push(at);
                }
                way.reverse();
                if node == start {
                    way = vec![start, start];
                }
                return way;
            }
            if !from.contains_key(to) {
                from.insert(*to, node);
                queue.push_back(*to);
            }
        }
    }
    vec![start, start]
}
