//! What can be said of literals without types.

use crate::hir::{Element, Entry, Expr, ExprId, Module, StrPart};

/// Whether an expression is a JSON document: a list or record of nothing but literals.
pub(super) fn is_json(module: &Module, root: ExprId) -> bool {
    let expr = |id: ExprId| &module.exprs[id.0 as usize];
    if !matches!(expr(root), Expr::List(_) | Expr::Record(_)) {
        return false;
    }
    let mut stack = vec![root];
    while let Some(id) = stack.pop() {
        match expr(id) {
            Expr::Null | Expr::Bool(_) | Expr::Int(_) | Expr::Float(_) => {}
            Expr::Str(parts) if plain(parts).is_some() => {}
            Expr::List(elements) => {
                for element in elements {
                    let Element::Item(item) = element else {
                        return false;
                    };
                    stack.push(*item);
                }
            }
            Expr::Record(entries) => {
                for entry in entries {
                    let Entry::Field {
                        value, quoted: true, ..
                    } = entry
                    else {
                        return false;
                    };
                    stack.push(*value);
                }
            }
            _ => return false,
        }
    }
    true
}

/// The text of a string without `${}`.
pub(super) fn plain(parts: &[StrPart]) -> Option<&str> {
    match parts {
        [] => Some(""),
        [StrPart::Text(text)] => Some(text),
        _ => None,
    }
}
