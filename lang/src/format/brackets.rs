//! What stands in brackets, with or without commas between.

use super::doc::Doc;
use super::layout::{Layout, ends_with_bracket, first_token, kind, last_token, own_lines};
use crate::syntax::{Element, SyntaxKind, SyntaxToken};
use SyntaxKind as K;
use std::rc::Rc;

/// An element, and the comma behind it.
struct Item<'t> {
    inline: Doc<'t>,
    broken: Doc<'t>,
    /// Whether comments stand before it.
    commented: bool,
    /// The comments behind it and around its comma.
    after: Vec<Doc<'t>>,
    begins_line: bool,
    blank: bool,
    /// Whether it ends with a bracket: of a list or the like, and of anything.
    ends: [bool; 2],
    /// Whether a comma may follow the last one.
    comma: bool,
}

impl<'t> Layout<'t> {
    /// An opening bracket, what is in it, and the closing one.
    pub(super) fn bracket(&self, parent: K, all: &[Element<'t>]) -> Doc<'t> {
        let [open, inside @ .., close] = all else {
            return Doc::nothing();
        };
        let (open, close) = (first_token(*open), first_token(*close));
        self.between_comments(open, close, || self.lay_out_bracket(parent, open, inside, close))
    }

    fn lay_out_bracket(
        &self,
        parent: K,
        open: SyntaxToken<'t>,
        inside: &[Element<'t>],
        close: SyntaxToken<'t>,
    ) -> Doc<'t> {
        let items = self.items(parent, inside);
        let end = self.comments.around(close);
        let closing = Doc::Text(close.text());
        let opening = self.token(open);
        if items.is_empty() && end.leading.is_empty() {
            return Doc::concat(vec![opening, closing]);
        }
        let rows = items.first().is_some_and(|item| item.begins_line);
        let commented = self.comments.around(open).trailing.is_some()
            || !end.leading.is_empty()
            || items.iter().any(|item| item.commented || !item.after.is_empty());
        let mut inner = self.rows(&items, rows);
        if let Some(first) = end.leading.first() {
            let blank = first.blank && !items.is_empty();
            inner.push(Doc::Hard { blank });
            inner.push(own_lines(&end.leading, None));
        }
        inner.push(Doc::Flush);
        let last_line = Doc::Hard { blank: false };
        let broken = Doc::concat(vec![
            opening.clone(),
            Doc::indent(inner),
            last_line,
            closing.clone(),
        ]);
        if rows || commented {
            return broken;
        }
        let pad = Doc::Text(if open.kind() == K::LBrace && parent != K::ImportStd {
            " "
        } else {
            ""
        });
        inline(parent, &items, [opening, pad, closing], broken)
    }

    fn items(&self, parent: K, inside: &[Element<'t>]) -> Vec<Item<'t>> {
        let mut items = Vec::new();
        for part in inside.split_inclusive(|element| kind(*element) == K::Comma) {
            let (comma, part) = match part.split_last() {
                Some((last, part)) if kind(*last) == K::Comma => (Some(first_token(*last)), part),
                _ => (None, part),
            };
            let (Some(first), Some(last)) = (part.first(), part.last()) else {
                continue;
            };
            let around = comma.map(|comma| self.comments.around(comma));
            let around_comma = around.iter().flat_map(|around| {
                let own = around.leading.iter().map(|comment| comment.text);
                own.chain(around.trailing)
            });
            let behind = self.comment_behind(last_token(*last));
            let after = behind.into_iter().chain(around_comma);
            let start = self.comments.around(first_token(*first));
            let (inline, broken) = self.item(parent, part);
            items.push(Item {
                inline,
                broken,
                commented: !start.leading.is_empty(),
                after: after.map(Doc::Suffix).collect(),
                begins_line: self.begins_line(*first),
                blank: start.blank_before(),
                ends: [false, true].map(|calls| ends_with_bracket(*last, calls)),
                comma: takes_comma(parent) && kind(*last) != K::DotDot,
            });
        }
        items
    }

    /// An element; a comprehension has its clauses on lines of their own where its bracket is broken.
    fn item(&self, parent: K, part: &[Element<'t>]) -> (Doc<'t>, Doc<'t>) {
        let is_clause = |element: &Element<'_>| matches!(kind(*element), K::ForClause | K::IfClause);
        let Some(first) = part.iter().position(is_clause) else {
            let doc = self.sequence(parent, part);
            return (doc.clone(), doc);
        };
        let (head, clauses) = part.split_at(first);
        let head = self.sequence(parent, head);
        let (mut inline, mut broken) = (vec![head.clone()], vec![head]);
        for clause in clauses {
            let clause = self.element(*clause);
            inline.extend([Doc::Text(" "), clause.clone()]);
            broken.extend([Doc::Hard { blank: false }, clause]);
        }
        (Doc::concat(inline), Doc::concat(broken))
    }

    /// The items on lines: in the rows in which they were written, or one a line.
    fn rows(&self, items: &[Item<'t>], rows: bool) -> Vec<Doc<'t>> {
        let mut docs = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let mut parts = vec![item.broken.clone()];
            if index + 1 < items.len() || item.comma {
                parts.push(Doc::Text(","));
            }
            parts.extend(item.after.iter().cloned());
            let doc = Doc::concat(parts);
            let joins = index > 0 && rows && !item.begins_line && items[index - 1].after.is_empty();
            if joins {
                docs.push(Doc::Fit(Rc::new(doc)));
            } else {
                docs.push(Doc::Hard {
                    blank: index > 0 && item.blank,
                });
                docs.push(doc);
            }
        }
        docs
    }
}

/// The items on one line if they fit, or all but the last on one where the last is a bracket.
fn inline<'t>(parent: K, items: &[Item<'t>], ends: [Doc<'t>; 3], broken: Doc<'t>) -> Doc<'t> {
    let [opening, pad, closing] = ends;
    let Some((last, others)) = items.split_last() else {
        return broken;
    };
    if others.iter().any(|item| item.inline.breaks()) {
        return broken;
    }
    let mut parts = vec![opening, pad.clone()];
    for item in others {
        parts.push(Doc::Flat(Rc::new(item.inline.clone())));
        parts.push(Doc::Text(", "));
    }
    parts.extend([last.inline.clone(), pad, closing]);
    let inline = Doc::concat(parts);
    let [literal, any] = last.ends;
    let hugs = matches!(
        parent,
        K::CallSuffix | K::Paren | K::TypeArgs | K::IndexSuffix | K::TypeofType
    );
    if hugs && (literal || (any && last.inline.breaks())) {
        Doc::hug(inline, broken)
    } else {
        Doc::choice(inline, broken)
    }
}

/// Whether a comma may stand behind the last thing in a bracket under `parent`.
fn takes_comma(parent: K) -> bool {
    !matches!(
        parent,
        K::Paren
            | K::IndexSuffix
            | K::TypeofType
            | K::ParenType
            | K::ComputedField
            | K::ListFor
            | K::RecordFor
    )
}
