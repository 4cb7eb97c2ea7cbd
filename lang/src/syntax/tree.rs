//! The lossless syntax tree: all tokens of a text, and nodes that cover ranges of them.
//!
//! Flat: the nodes stand in an array in the order in which they begin, each with the number of nodes under it, so a tree
//! is two allocations, a node is an index, and the text comes back from the tokens alone. A node's range begins and ends
//! with tokens that are no trivia; trivia between two nodes belongs to the nearest node around both.
//! *Invariant*: a child's range lies in its parent's, siblings do not overlap, no node is empty but the file of an empty
//! text.

use super::kind::SyntaxKind;
use super::lexer::Token;
use crate::source::{SourceId, Span};
use std::sync::Arc;

/// A node as the parser finishes it: after its children.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawNode {
    /// What it is.
    pub(crate) kind: SyntaxKind,
    /// Its first token.
    pub(crate) first: u32,
    /// One past its last token.
    pub(crate) end: u32,
    /// How many nodes it and all under it are.
    pub(crate) size: u32,
}

#[derive(Clone, Copy, Debug)]
struct NodeData {
    raw: RawNode,
    parent: u32,
}

/// The syntax tree of a text.
#[derive(Clone, Debug)]
pub struct Tree {
    source: SourceId,
    text: Arc<str>,
    tokens: Vec<Token>,
    nodes: Vec<NodeData>,
}

impl Tree {
    /// Turns nodes that stand after their children into a tree, in linear time. The last is the root.
    pub(crate) fn new(source: SourceId, text: Arc<str>, tokens: Vec<Token>, finished: &[RawNode]) -> Self {
        let count = finished.len();
        let root = NodeData {
            raw: RawNode {
                kind: SyntaxKind::File,
                first: 0,
                end: tokens.len() as u32 - 1,
                size: count as u32,
            },
            parent: 0,
        };
        let mut nodes = vec![root; count];
        // Where each finished node comes to stand.
        let mut place = vec![0u32; count];
        for index in (0..count).rev() {
            let node = finished[index];
            let at = place[index];
            nodes[at as usize].raw = node;
            let mut end = at + node.size;
            let mut child = index;
            let first = index + 1 - node.size as usize;
            while child > first {
                child -= 1;
                end -= finished[child].size;
                place[child] = end;
                nodes[end as usize].parent = at;
                child -= finished[child].size as usize - 1;
            }
        }
        Self {
            source,
            text,
            tokens,
            nodes,
        }
    }

    /// The whole file.
    pub fn root(&self) -> Node<'_> {
        Node { tree: self, id: 0 }
    }

    /// The text that was parsed.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Its source.
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// All tokens, trivia too.
    pub fn tokens(&self) -> impl Iterator<Item = SyntaxToken<'_>> {
        (0..self.tokens.len() as u32 - 1).map(|index| SyntaxToken { tree: self, index })
    }

    /// The token that holds the byte `offset`.
    pub fn token_at(&self, offset: u32) -> Option<SyntaxToken<'_>> {
        let after = self.tokens.partition_point(|token| token.start <= offset);
        let index = (after as u32).checked_sub(1)?;
        (index + 1 < self.tokens.len() as u32).then_some(SyntaxToken { tree: self, index })
    }

    /// The tokens that begin at the byte `offset` or behind it, trivia too.
    pub fn tokens_from(&self, offset: u32) -> impl Iterator<Item = SyntaxToken<'_>> {
        let first = self.tokens.partition_point(|token| token.start < offset) as u32;
        (first..self.tokens.len() as u32 - 1).map(|index| SyntaxToken { tree: self, index })
    }

    fn token(&self, index: u32) -> Token {
        self.tokens[index as usize]
    }

    fn is_trivia(&self, index: u32) -> bool {
        self.token(index).kind.is_trivia()
    }
}

/// A node of a tree.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    id: u32,
}

impl<'t> Node<'t> {
    fn data(self) -> NodeData {
        self.tree.nodes[self.id as usize]
    }

    /// What it is.
    pub fn kind(self) -> SyntaxKind {
        self.data().raw.kind
    }

    /// Its tree.
    pub fn tree(self) -> &'t Tree {
        self.tree
    }

    /// The node around it; none for the file.
    pub fn parent(self) -> Option<Node<'t>> {
        (self.id > 0).then(|| Node {
            tree: self.tree,
            id: self.data().parent,
        })
    }

    /// Where it stands.
    pub fn span(self) -> Span {
        let raw = self.data().raw;
        let start = self.tree.token(raw.first).start;
        let end = self.tree.token(raw.end).start.max(start);
        Span {
            source: self.tree.source,
            start,
            end,
        }
    }

    /// Its text, with the trivia in it.
    pub fn text(self) -> &'t str {
        let span = self.span();
        &self.tree.text[span.start as usize..span.end as usize]
    }

    /// The nodes right under it.
    pub fn children(self) -> impl Iterator<Item = Node<'t>> + Clone + use<'t> {
        let end = self.id + self.data().raw.size;
        let mut next = self.id + 1;
        let tree = self.tree;
        std::iter::from_fn(move || {
            let node = (next < end).then_some(Node { tree, id: next })?;
            next += node.data().raw.size;
            Some(node)
        })
    }

    /// The nodes and tokens right under it, trivia too.
    pub fn elements(self) -> Elements<'t> {
        let raw = self.data().raw;
        Elements {
            tree: self.tree,
            token: raw.first,
            token_end: raw.end,
            node: self.id + 1,
            node_end: self.id + raw.size,
        }
    }

    /// The tokens right under it that are no trivia.
    pub fn tokens(self) -> impl Iterator<Item = SyntaxToken<'t>> + use<'t> {
        self.elements().filter_map(|element| match element {
            Element::Token(token) if !token.kind().is_trivia() => Some(token),
            _ => None,
        })
    }

    /// The first token right under it of this kind.
    pub fn token(self, kind: SyntaxKind) -> Option<SyntaxToken<'t>> {
        self.tokens().find(|token| token.kind() == kind)
    }

    /// Its first token, at whatever depth.
    pub fn first_token(self) -> SyntaxToken<'t> {
        SyntaxToken {
            tree: self.tree,
            index: self.data().raw.first,
        }
    }

    /// Its last token, at whatever depth. Of a file that may be trivia.
    pub fn last_token(self) -> SyntaxToken<'t> {
        let raw = self.data().raw;
        SyntaxToken {
            tree: self.tree,
            index: raw.end.max(raw.first + 1) - 1,
        }
    }

    /// The innermost node that holds the byte `offset`.
    pub fn innermost_at(self, offset: u32) -> Node<'t> {
        let mut node = self;
        while let Some(inner) = node.children().find(|child| {
            let span = child.span();
            span.start <= offset && offset < span.end
        }) {
            node = inner;
        }
        node
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}@{}..{}", self.kind(), self.span().start, self.span().end)
    }
}

/// A token of a tree.
#[derive(Clone, Copy)]
pub struct SyntaxToken<'t> {
    tree: &'t Tree,
    index: u32,
}

impl<'t> SyntaxToken<'t> {
    /// What it is.
    pub fn kind(self) -> SyntaxKind {
        self.tree.token(self.index).kind
    }

    /// Where it stands.
    pub fn span(self) -> Span {
        Span {
            source: self.tree.source,
            start: self.tree.token(self.index).start,
            end: self.tree.token(self.index + 1).start,
        }
    }

    /// Its text.
    pub fn text(self) -> &'t str {
        let span = self.span();
        &self.tree.text[span.start as usize..span.end as usize]
    }

    /// The token before it, trivia too.
    pub fn previous(self) -> Option<SyntaxToken<'t>> {
        let index = self.index.checked_sub(1)?;
        Some(SyntaxToken {
            tree: self.tree,
            index,
        })
    }

    /// Whether trivia stands before it.
    pub fn is_spaced(self) -> bool {
        self.tree.token(self.index).has(Token::SPACED)
    }
}

impl std::fmt::Debug for SyntaxToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?}", self.kind(), self.text())
    }
}

/// A node or a token.
#[derive(Clone, Copy, Debug)]
pub enum Element<'t> {
    /// A node.
    Node(Node<'t>),
    /// A token.
    Token(SyntaxToken<'t>),
}

/// What stands right under a node, in order.
#[derive(Clone)]
pub struct Elements<'t> {
    tree: &'t Tree,
    token: u32,
    token_end: u32,
    node: u32,
    node_end: u32,
}

impl<'t> Iterator for Elements<'t> {
    type Item = Element<'t>;

    fn next(&mut self) -> Option<Element<'t>> {
        if self.node < self.node_end {
            let data = self.tree.nodes[self.node as usize].raw;
            if data.first <= self.token {
                let node = Node {
                    tree: self.tree,
                    id: self.node,
                };
                self.node += data.size;
                self.token = data.end;
                return Some(Element::Node(node));
            }
        }
        if self.token >= self.token_end {
            return None;
        }
        let token = SyntaxToken {
            tree: self.tree,
            index: self.token,
        };
        self.token += 1;
        Some(Element::Token(token))
    }
}

impl Tree {
    /// The tree in lines, for tests: each node with its kind and range, each token with its text.
    pub fn dump(&self) -> String {
        let mut out = String::new();
        dump(self.root(), 0, &mut out);
        out
    }

    /// Whether `token` is the first of its line that is no trivia.
    pub fn is_first_on_line(&self, token: SyntaxToken<'_>) -> bool {
        self.token(token.index).has(Token::FIRST) && !self.is_trivia(token.index)
    }
}

fn dump(node: Node<'_>, depth: usize, out: &mut String) {
    use std::fmt::Write;
    let _ = writeln!(out, "{:indent$}{node:?}", "", indent = depth * 2);
    for element in node.elements() {
        match element {
            Element::Node(child) => dump(child, depth + 1, out),
            Element::Token(token) if token.kind() != SyntaxKind::Whitespace => {
                let _ = writeln!(out, "{:indent$}{token:?}", "", indent = depth * 2 + 2);
            }
            Element::Token(_) => {}
        }
    }
}
