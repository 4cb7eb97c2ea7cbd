//! Nodes of the syntax tree to documents. What stands in brackets is [`super::brackets`]'.

use super::comments::{Comment, Comments};
use super::doc::Doc;
use crate::syntax::{Element, Node, SyntaxKind, SyntaxToken, Tree};
use SyntaxKind as K;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Where a comment stands to its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Before,
    Behind,
}

/// Makes documents of the nodes of one tree.
pub(super) struct Layout<'t> {
    tree: &'t Tree,
    pub(super) comments: Comments<'t>,
    /// Tokens whose comments stand before or behind a node around them.
    hoisted: RefCell<BTreeSet<(u32, Side)>>,
}

impl<'t> Layout<'t> {
    pub(super) fn new(tree: &'t Tree) -> Self {
        Self {
            tree,
            comments: Comments::new(tree),
            hoisted: RefCell::default(),
        }
    }

    /// The whole file: its items, each on a line of its own, and the comments at its end.
    pub(super) fn file(&self, root: Node<'t>) -> Doc<'t> {
        let mut parts = self.lines(root);
        let end = self.comments.end();
        if let Some(first) = end.leading.first() {
            if !parts.is_empty() {
                parts.push(Doc::Hard { blank: first.blank });
            }
            parts.push(own_lines(&end.leading, None));
        }
        Doc::concat(parts)
    }

    /// The nodes under `node`, a line each.
    fn lines(&self, node: Node<'t>) -> Vec<Doc<'t>> {
        let mut parts = Vec::new();
        for child in node.children() {
            if !parts.is_empty() {
                let blank = self.comments.around(child.first_token()).blank_before();
                parts.push(Doc::Hard { blank });
            }
            let lay_out = || self.node(child);
            parts.push(self.between_comments(child.first_token(), child.last_token(), lay_out));
        }
        parts
    }

    pub(super) fn node(&self, node: Node<'t>) -> Doc<'t> {
        match node.kind() {
            K::StringExpr | K::PathExpr => self.verbatim(node),
            K::Lets => Doc::concat(self.lines(node)),
            K::Chain | K::Pipe => {
                self.between_comments(node.first_token(), node.last_token(), || self.chain(node))
            }
            K::IfExpr => self.between_comments(node.first_token(), node.last_token(), || self.if_expr(node)),
            K::Postfix => self.postfix(node),
            kind => self.sequence(kind, &elements(node)),
        }
    }

    /// A token with its comments.
    pub(super) fn token(&self, token: SyntaxToken<'t>) -> Doc<'t> {
        self.between_comments(token, token, || Doc::Text(token.text()))
    }

    fn verbatim(&self, node: Node<'t>) -> Doc<'t> {
        self.between_comments(node.first_token(), node.last_token(), || {
            Doc::Verbatim(node.text())
        })
    }

    /// What `lay_out` gives, between the comments before its first token and the one behind its last. These break no
    /// line in it, so whoever chooses between layouts asks for them before.
    pub(super) fn between_comments(
        &self,
        first: SyntaxToken<'t>,
        last: SyntaxToken<'t>,
        lay_out: impl FnOnce() -> Doc<'t>,
    ) -> Doc<'t> {
        let before = self.comments_before(first);
        let behind = self.comment_behind(last).map(Doc::Suffix);
        let doc = lay_out();
        if before.is_none() && behind.is_none() {
            return doc;
        }
        Doc::concat(before.into_iter().chain([doc]).chain(behind).collect())
    }

    /// The comments on lines of their own before a token: once, for whoever asks first.
    fn comments_before(&self, token: SyntaxToken<'t>) -> Option<Doc<'t>> {
        let around = self.comments.around(token);
        let any = !around.leading.is_empty() && self.hoist(token, Side::Before);
        any.then(|| own_lines(&around.leading, Some(around.blank)))
    }

    /// The comment behind a token: once, for whoever asks first.
    pub(super) fn comment_behind(&self, token: SyntaxToken<'t>) -> Option<&'t str> {
        let comment = self.comments.around(token).trailing?;
        self.hoist(token, Side::Behind).then_some(comment)
    }

    fn hoist(&self, token: SyntaxToken<'t>, side: Side) -> bool {
        self.hoisted.borrow_mut().insert((token.span().start, side))
    }

    /// Elements one after the other, with spaces where they belong.
    pub(super) fn sequence(&self, parent: K, elements: &[Element<'t>]) -> Doc<'t> {
        let mut parts = Vec::new();
        let mut before = None;
        let mut rest = elements;
        while let Some((&element, after)) = rest.split_first() {
            rest = after;
            match (before, element) {
                (Some(K::Assign | K::FatArrow | K::Colon), Element::Node(node)) => {
                    parts.push(self.value(node));
                }
                _ => {
                    if before.is_some_and(|before| is_spaced(parent, before, kind(element)))
                        || (parent == K::NegExpr && self.is_number_apart(element))
                    {
                        parts.push(Doc::Text(" "));
                    }
                    let all = bracketed(element, after);
                    parts.push(match all {
                        Some(length) => {
                            let start = elements.len() - after.len() - 1;
                            rest = &after[length..];
                            self.bracket(parent, &elements[start..=start + length])
                        }
                        // The parameters break before the type of the result does.
                        None if before == Some(K::Arrow) && parent == K::FnItem => {
                            self.element(element).flat()
                        }
                        None => self.element(element),
                    });
                }
            }
            before = Some(kind(elements[elements.len() - rest.len() - 1]));
        }
        Doc::concat(parts)
    }

    pub(super) fn element(&self, element: Element<'t>) -> Doc<'t> {
        match element {
            Element::Node(node) => self.node(node),
            Element::Token(token) => self.token(token),
        }
    }

    /// What stands behind `=`, `=>`, `:`, `then` or `else`: on the same line, or indented on the next.
    fn value(&self, node: Node<'t>) -> Doc<'t> {
        let behind = self.comment_behind(node.last_token()).map(Doc::Suffix);
        let doc = self.node(node);
        let next_line = Doc::indent(vec![Doc::Hard { blank: false }, doc.clone()]);
        let same_line = Doc::concat(vec![Doc::Text(" "), doc]);
        let commented = !self.comments.around(node.first_token()).leading.is_empty();
        let value = match node.kind() {
            _ if commented => next_line,
            K::Lets => next_line,
            K::IfExpr => Doc::choice(same_line, next_line),
            _ => same_line,
        };
        Doc::concat([value].into_iter().chain(behind).collect())
    }

    /// Operands with operators between: all on one line, or each operator at the start of one.
    fn chain(&self, node: Node<'t>) -> Doc<'t> {
        let elements = elements(node);
        let written_broken = elements[1..].iter().any(|element| self.begins_line(*element));
        let docs: Vec<Doc<'t>> = elements.iter().map(|element| self.element(*element)).collect();
        let mut broken = Vec::new();
        for pair in docs[1..].chunks(2) {
            broken.push(Doc::Hard { blank: false });
            broken.push(pair[0].clone());
            broken.extend(
                pair.get(1)
                    .map(|operand| Doc::concat(vec![Doc::Text(" "), operand.clone()])),
            );
        }
        let broken = Doc::concat(vec![docs[0].clone(), Doc::indent(broken)]);
        let (last, others) = match docs.split_last() {
            Some((last, others)) if !written_broken && !others.iter().any(Doc::breaks) => (last, others),
            _ => return broken,
        };
        let mut inline = Vec::new();
        for doc in others {
            inline.push(Doc::Flat(Rc::new(doc.clone())));
            inline.push(Doc::Text(" "));
        }
        inline.push(last.clone());
        let inline = Doc::concat(inline);
        if last.breaks() && elements.last().is_some_and(|last| ends_with_bracket(*last, true)) {
            Doc::hug(inline, broken)
        } else {
            Doc::choice(inline, broken)
        }
    }

    /// `if a then b else if c then d else e`, or a line for each `else`.
    fn if_expr(&self, node: Node<'t>) -> Doc<'t> {
        let mut inline = Vec::new();
        let mut broken = Vec::new();
        let mut written_broken = false;
        let mut rest = Some(node);
        while let Some(node) = rest.take() {
            let mut before = None;
            for element in elements(node) {
                match element {
                    Element::Token(token) => {
                        written_broken |= before.is_some() && self.begins_line(element);
                        let doc = self.token(token);
                        if token.kind() == K::Else {
                            broken.push(Doc::Hard { blank: false });
                        } else if before.is_some() {
                            broken.push(Doc::Text(" "));
                        }
                        if before.is_some() {
                            inline.push(Doc::Text(" "));
                        }
                        inline.push(doc.clone());
                        broken.push(doc);
                    }
                    Element::Node(next) if before == Some(K::Else) && next.kind() == K::IfExpr => {
                        inline.push(Doc::Text(" "));
                        broken.push(Doc::Text(" "));
                        rest = Some(next);
                    }
                    Element::Node(next) => {
                        let doc = if before == Some(K::If) {
                            Doc::concat(vec![Doc::Text(" "), self.node(next)])
                        } else {
                            self.value(next)
                        };
                        inline.push(doc.clone());
                        broken.push(doc);
                    }
                }
                before = Some(kind(element));
            }
        }
        let broken = Doc::concat(broken);
        if written_broken {
            return broken;
        }
        Doc::choice(Doc::concat(inline), broken)
    }

    /// A value and its suffixes. A `.` that began a line does so still.
    fn postfix(&self, node: Node<'t>) -> Doc<'t> {
        let elements = elements(node);
        let dots = |element: &Element<'t>| kind(*element) == K::DotSuffix && self.begins_line(*element);
        let Some(first) = elements.iter().position(dots) else {
            return self.sequence(K::Postfix, &elements);
        };
        let (head, tail) = elements.split_at(first);
        let mut parts = Vec::new();
        for element in tail {
            if dots(element) {
                parts.push(Doc::Hard { blank: false });
            }
            parts.push(self.element(*element));
        }
        Doc::concat(vec![self.sequence(K::Postfix, head), Doc::indent(parts)])
    }

    /// Whether the operand of a `-` is a number that does not touch it: to the language `- 1` is a negation, `-1` a number.
    fn is_number_apart(&self, element: Element<'t>) -> bool {
        let before = first_token(element).previous();
        kind(element) == K::Literal && before.is_some_and(|before| before.kind().is_trivia())
    }

    /// Whether the element is the first of its line, but for comments.
    pub(super) fn begins_line(&self, element: Element<'t>) -> bool {
        self.tree.is_first_on_line(first_token(element))
    }
}

/// Comments, a line each, and a line break behind the last where a token follows (`blank`: after a blank line).
pub(super) fn own_lines<'t>(comments: &[Comment<'t>], token: Option<bool>) -> Doc<'t> {
    let mut parts = vec![Doc::FreshLine];
    for (index, comment) in comments.iter().enumerate() {
        if index > 0 {
            parts.push(Doc::Hard { blank: comment.blank });
        }
        parts.push(Doc::Text(comment.text));
    }
    parts.extend(token.map(|blank| Doc::Hard { blank }));
    Doc::concat(parts)
}

/// How many of the elements `after` an opening bracket belong to it; none if `element` opens nothing.
fn bracketed(element: Element<'_>, after: &[Element<'_>]) -> Option<usize> {
    let closer = match kind(element) {
        K::LParen => K::RParen,
        K::LBracket => K::RBracket,
        K::LBrace => K::RBrace,
        _ => return None,
    };
    Some(after.iter().position(|element| kind(*element) == closer)? + 1)
}

/// The nodes and tokens right under `node` that are no trivia.
pub(super) fn elements<'t>(node: Node<'t>) -> Vec<Element<'t>> {
    node.elements()
        .filter(|element| !matches!(element, Element::Token(token) if token.kind().is_trivia()))
        .collect()
}

pub(super) fn kind(element: Element<'_>) -> K {
    match element {
        Element::Node(node) => node.kind(),
        Element::Token(token) => token.kind(),
    }
}

pub(super) fn first_token(element: Element<'_>) -> SyntaxToken<'_> {
    match element {
        Element::Node(node) => node.first_token(),
        Element::Token(token) => token,
    }
}

pub(super) fn last_token(element: Element<'_>) -> SyntaxToken<'_> {
    match element {
        Element::Node(node) => node.last_token(),
        Element::Token(token) => token,
    }
}

/// Whether a bracket, or a text of several lines, ends the element; `calls`: also that of a call.
pub(super) fn ends_with_bracket(element: Element<'_>, calls: bool) -> bool {
    let Element::Node(node) = element else {
        return false;
    };
    let last = || elements(node).last().copied();
    match node.kind() {
        K::List | K::ListFor | K::Record | K::RecordFor | K::RecordType | K::MatchExpr | K::Paren => true,
        K::StringExpr => node.text().contains('\n'),
        K::Postfix => {
            calls && last().is_some_and(|last| matches!(kind(last), K::CallSuffix | K::IndexSuffix))
        }
        K::NamedType => calls && last().is_some_and(|last| matches!(kind(last), K::TypeArgs | K::Dims)),
        K::Lambda => last().is_some_and(|last| ends_with_bracket(last, true)),
        K::Arg | K::Field | K::Spread => last().is_some_and(|last| ends_with_bracket(last, calls)),
        _ => false,
    }
}

/// Whether a space stands between two things under `parent`.
fn is_spaced(parent: K, before: K, after: K) -> bool {
    match (before, after) {
        // `1.a` and `./b.c` would be other tokens.
        (K::Literal | K::PathExpr, K::DotSuffix) => true,
        (
            _,
            K::Comma
            | K::Colon
            | K::Question
            | K::Dot
            | K::DotSuffix
            | K::CallSuffix
            | K::IndexSuffix
            | K::TypeArgs
            | K::TypeParams
            | K::FnParams
            | K::Dims
            | K::PatArgs
            | K::LParen,
        )
        | (K::Dot | K::Ellipsis, _) => false,
        (_, K::QuestionQuestion) => parent != K::OptionalType,
        (K::Minus, _) => !matches!(parent, K::NegExpr | K::LiteralPat),
        _ => true,
    }
}
