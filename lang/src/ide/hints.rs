//! What an editor writes between the words: inferred types, and shapes behind layers.

use super::describe::item_locals;
use super::{Analysis, Position, networks};
use crate::hir::{Expr, ItemKind, ItemRef, LocalId, Module};
use crate::source::Span;
use crate::syntax::SyntaxKind;
use std::collections::BTreeSet;

/// A word between the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Where it stands.
    pub at: Position,
    /// The text: `: Int`, or ` → [batch, 10]`.
    pub text: String,
    /// Whether it is a shape, else a type.
    pub shape: bool,
}

/// Longer types are cut; the hover has them whole.
const LONGEST: usize = 40;

/// The hints in `range`, in the order of the text.
pub fn hints(analysis: &mut Analysis, range: Span) -> Vec<Hint> {
    let Some((id, module)) = analysis.module_of(range.source) else {
        return Vec::new();
    };
    let inside = |span: Span| span.start < range.end && range.start < span.end;
    let items = module
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| inside(item.span));
    let items: Vec<u32> = items.map(|(index, _)| index as u32).collect();
    let annotated = annotated(analysis, range);
    let mut hints = Vec::new();
    for item in items {
        let at = ItemRef { module: id, item };
        bindings(analysis, at, &annotated, &mut hints);
    }
    hints.retain(|hint| range.start <= hint.at.offset && hint.at.offset <= range.end);
    for (span, rows) in networks::layers(analysis, id, range) {
        hints.push(Hint {
            at: Position {
                source: span.source,
                offset: span.end,
            },
            text: format!(" → {}", networks::shapes(&rows)),
            shape: true,
        });
    }
    hints.sort_by_key(|hint| hint.at.offset);
    hints
}

/// The inferred types of what an item binds.
fn bindings(analysis: &mut Analysis, at: ItemRef, annotated: &BTreeSet<u32>, hints: &mut Vec<Hint>) {
    let module = analysis.loaded.program.module(at.module);
    let item = &module.items[at.item as usize];
    let own = match &item.kind {
        ItemKind::Value { ty: None, body } => !says_itself(module, &module.exprs[body.expr.0 as usize]),
        ItemKind::Param { ty: None, .. } => true,
        _ => false,
    };
    let name_span = item.name_span;
    // Parameters have written types.
    let params = match &item.kind {
        ItemKind::Fn(function) => function.params.len(),
        _ => 0,
    };
    let locals = item_locals(analysis, at).iter().enumerate().skip(params);
    let locals: Vec<(u32, Span)> = locals
        .filter(|(_, local)| !annotated.contains(&local.span.end) && !local.name.starts_with('_'))
        .map(|(id, local)| (id as u32, local.span))
        .collect();
    if own && let Some(ty) = analysis.checked.types.item(at) {
        hints.extend(hint(name_span, &ty));
    }
    for (id, span) in locals {
        if let Some(ty) = analysis.checked.types.local(at, LocalId(id)) {
            hints.extend(hint(span, &ty));
        }
    }
}

fn hint(span: Span, ty: &str) -> Option<Hint> {
    // Nothing is known of it; its mistake is reported.
    if ty == "_" {
        return None;
    }
    let text = match ty.char_indices().nth(LONGEST) {
        Some((end, _)) => format!(": {}…", &ty[..end]),
        None => format!(": {ty}"),
    };
    Some(Hint {
        at: Position {
            source: span.source,
            offset: span.end,
        },
        text,
        shape: false,
    })
}

/// Whether the value shows its type by itself.
fn says_itself(module: &Module, value: &Expr) -> bool {
    match value {
        Expr::Bool(_)
        | Expr::Int(_)
        | Expr::Float(_)
        | Expr::Duration(_)
        | Expr::Bytes(_)
        | Expr::Str(_)
        | Expr::Path(_)
        | Expr::Null
        | Expr::ImportData { .. }
        | Expr::Error => true,
        Expr::Let { body, .. } => says_itself(module, &module.exprs[body.0 as usize]),
        _ => false,
    }
}

/// Where names end that a `:` follows: those of `let x: Int` and `(x: Int) => …`.
fn annotated(analysis: &Analysis, range: Span) -> BTreeSet<u32> {
    let parse = analysis.parse(range.source);
    let mut ends = BTreeSet::new();
    let mut name = None;
    for token in parse.tree.tokens().filter(|token| !token.kind().is_trivia()) {
        match (token.kind(), name) {
            (SyntaxKind::Colon, Some(end)) => {
                ends.insert(end);
            }
            _ => name = (token.kind() == SyntaxKind::Lname).then(|| token.span().end),
        }
    }
    ends
}
