//! Where nodes go: a frame for each function or lambda that is being checked, with its slots and captures.

use super::Checker;
use crate::core::{Body, Captured, Const, FunctionId, Node, NodeId, Slot};
use crate::hir::{LocalId, Name};
use crate::source::Span;
use crate::types::Ty;
use rustc_hash::FxHashMap;

/// Code that is being made.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// The lambda or function it will be; none for the body of a value.
    pub(super) function: Option<FunctionId>,
    nodes: Vec<Node>,
    spans: Vec<Span>,
    slots: u32,
    slot_names: Vec<Name>,
    // Looked up, never iterated.
    places: FxHashMap<LocalId, Place>,
    captures: Vec<Captured>,
}

/// Where a local lives in a frame.
#[derive(Clone, Copy, Debug)]
enum Place {
    Slot(Slot),
    Capture(u32),
}

/// A number literal whose type is found out later.
#[derive(Debug)]
pub(super) struct NumberLiteral {
    function: Option<FunctionId>,
    node: NodeId,
    ty: Ty,
}

impl Checker<'_> {
    fn frame(&mut self) -> &mut Frame {
        let frames = &mut self.cx.frames;
        if frames.is_empty() {
            frames.push(Frame::default());
        }
        let last = frames.len() - 1;
        &mut frames[last]
    }

    /// Adds a node to the innermost frame.
    pub(super) fn emit(&mut self, node: Node, span: Span) -> NodeId {
        let frame = self.frame();
        let id = NodeId(frame.nodes.len() as u32);
        frame.nodes.push(node);
        frame.spans.push(span);
        id
    }

    /// A constant.
    pub(super) fn emit_const(&mut self, value: Const, span: Span) -> NodeId {
        self.emit(Node::Const(value), span)
    }

    /// An integer literal that may turn out to be a Float.
    pub(super) fn emit_number(&mut self, value: i64, ty: Ty, span: Span) -> NodeId {
        let node = self.emit_const(Const::Int(value), span);
        let function = self.frame().function;
        self.cx.numbers.push(NumberLiteral { function, node, ty });
        node
    }

    /// The node, if it can be used twice without being evaluated twice.
    pub(super) fn repeatable(&mut self, node: NodeId) -> Option<Node> {
        match &self.frame().nodes[node.0 as usize] {
            same @ (Node::Const(_) | Node::Local { .. } | Node::Capture(_) | Node::Global(_)) => {
                Some(same.clone())
            }
            _ => None,
        }
    }

    /// A slot that no name has.
    pub(super) fn fresh_slot(&mut self) -> Slot {
        let frame = self.frame();
        frame.slots += 1;
        frame.slot_names.push(Name::default());
        Slot(frame.slots - 1)
    }

    /// The copy of a number literal becomes what the literal becomes.
    pub(super) fn number_again(&mut self, literal: NodeId, copy: NodeId) {
        let function = self.frame().function;
        let same = |number: &&NumberLiteral| number.node == literal && number.function == function;
        if let Some(ty) = self.cx.numbers.iter().rev().find(same).map(|number| number.ty) {
            let node = copy;
            self.cx.numbers.push(NumberLiteral { function, node, ty });
        }
    }

    /// The slot that binds `local` in the innermost frame.
    pub(super) fn bind_slot(&mut self, local: LocalId) -> Slot {
        if let Some(Place::Slot(slot)) = self.frame().places.get(&local) {
            return *slot;
        }
        let slot = self.fresh_slot();
        let name = self.local_name(local);
        if let Some(place) = self.frame().slot_names.last_mut() {
            *place = name;
        }
        self.frame().places.insert(local, Place::Slot(slot));
        slot
    }

    /// Whether the innermost frame binds `local` already.
    pub(super) fn is_bound(&mut self, local: LocalId) -> bool {
        self.frame().places.contains_key(&local)
    }

    /// Reads a local of this frame or, by capturing, of one around it.
    pub(super) fn emit_local(&mut self, local: LocalId, span: Span) -> NodeId {
        let innermost = self.cx.frames.len().saturating_sub(1);
        let node = match self.place(innermost, local) {
            Some(Place::Slot(slot)) => Node::Local { slot, last: false },
            Some(Place::Capture(index)) => Node::Capture(index),
            None => Node::Error,
        };
        self.emit(node, span)
    }

    fn place(&mut self, depth: usize, local: LocalId) -> Option<Place> {
        let frame = self.cx.frames.get(depth)?;
        if let Some(place) = frame.places.get(&local) {
            return Some(*place);
        }
        let captured = match self.place(depth.checked_sub(1)?, local)? {
            Place::Slot(slot) => Captured::Slot(slot),
            Place::Capture(index) => Captured::Capture(index),
        };
        let frame = &mut self.cx.frames[depth];
        let place = Place::Capture(frame.captures.len() as u32);
        frame.captures.push(captured);
        frame.places.insert(local, place);
        Some(place)
    }

    /// Opens the frame of a function.
    pub(super) fn open_frame(&mut self, function: Option<FunctionId>) {
        self.cx.frames.push(Frame {
            function,
            ..Frame::default()
        });
    }

    /// Closes the innermost frame: its code and what it captures.
    pub(super) fn close_frame(&mut self, root: NodeId) -> (Body, Vec<Captured>) {
        let frame = self.cx.frames.pop().unwrap_or_default();
        let body = Body {
            nodes: frame.nodes,
            spans: frame.spans,
            root,
            slots: frame.slots,
            slot_names: frame.slot_names,
        };
        (body, frame.captures)
    }

    /// Settles the number literals that are left: those that inference did not make Floats are Ints. `root` is the
    /// code of the item itself; the lambdas in it are in `core` already.
    pub(super) fn settle_numbers(&mut self, root: &mut Body, own: Option<FunctionId>) {
        for number in std::mem::take(&mut self.cx.numbers) {
            self.types.default_number(number.ty);
            if self.types.shallow(number.ty) != Ty::FLOAT {
                continue;
            }
            let nodes = match number.function {
                Some(id) if number.function != own => match &mut self.core.functions[id.0 as usize].code {
                    crate::core::FunctionCode::Body(body) => &mut body.nodes,
                    crate::core::FunctionCode::Intrinsic { .. } => continue,
                },
                _ => &mut root.nodes,
            };
            if let Node::Const(value @ Const::Int(_)) = &mut nodes[number.node.0 as usize]
                && let Const::Int(int) = *value
            {
                *value = Const::Float(int as f64);
            }
        }
    }
}
