//! Marks the last use of each slot, so that the evaluator may move the value out and update it in place.
//!
//! The tree is walked against the order of evaluation with the set of slots that are read later. A mark is given only
//! where no way on reads the slot again; loops and what is not sure give none. The walk has its own stack.

use crate::core::{
    Body, Captured, Element, ForClause, Function, MapEntry, MatchArm, Node, NodeId, Pattern, RecordEntry,
    Slot,
};

/// Slots that are read later.
type Live = Vec<u64>;

enum Step {
    Visit(NodeId),
    /// Puts away what is live, before the first of several branches.
    Fork,
    /// Ends a branch: goes back to what was live, keeping what the branch added for `Join`.
    Branch,
    /// Ends all branches.
    Join,
    /// What these read stays live in them: they may run again. The slots are bound anew each time.
    Hold(Vec<NodeId>, Vec<Slot>),
}

/// Marks the last uses of `body`; `functions` say what closures capture.
pub(super) fn mark(body: &mut Body, functions: &[Function]) {
    let words = (body.slots as usize).div_ceil(64).max(1);
    let mut walk = Walk {
        body,
        functions,
        live: vec![0; words],
        forks: Vec::new(),
        steps: Vec::new(),
    };
    walk.steps.push(Step::Visit(walk.body.root));
    while let Some(step) = walk.steps.pop() {
        walk.step(step);
    }
}

struct Walk<'a> {
    body: &'a mut Body,
    functions: &'a [Function],
    live: Live,
    /// What was live after the branches, and what any branch has read.
    forks: Vec<(Live, Live)>,
    steps: Vec<Step>,
}

impl Walk<'_> {
    fn step(&mut self, step: Step) {
        match step {
            Step::Visit(node) => self.visit(node),
            Step::Fork => self.forks.push((self.live.clone(), self.live.clone())),
            Step::Branch => {
                if let Some((after, read)) = self.forks.last_mut() {
                    join(read, &self.live);
                    self.live.clone_from(after);
                }
            }
            Step::Join => {
                if let Some((_, read)) = self.forks.pop() {
                    self.live = read;
                }
            }
            Step::Hold(roots, bound) => self.hold(&roots, bound),
        }
    }

    fn read(&mut self, slot: Slot) -> bool {
        let (word, bit) = (slot.0 as usize / 64, 1_u64 << (slot.0 % 64));
        let first = self.live[word] & bit == 0;
        self.live[word] |= bit;
        first
    }

    /// Visits parts that are evaluated in this order: the last is walked first.
    fn sequence(&mut self, parts: impl DoubleEndedIterator<Item = NodeId>) {
        self.steps.extend(parts.map(Step::Visit));
    }

    /// `first` is evaluated, then one of `branches`.
    fn choice(&mut self, first: &[NodeId], branches: &[Vec<NodeId>]) {
        self.sequence(first.iter().copied());
        self.steps.push(Step::Join);
        for branch in branches.iter().rev() {
            self.steps.push(Step::Branch);
            self.sequence(branch.iter().copied());
        }
        self.steps.push(Step::Fork);
    }

    fn visit(&mut self, id: NodeId) {
        // Taken out while its parts are read; leaves are put back changed.
        let node = std::mem::replace(&mut self.body.nodes[id.0 as usize], Node::Error);
        match &node {
            Node::Local { slot, .. } => {
                let (slot, last) = (*slot, self.read(*slot));
                self.body.nodes[id.0 as usize] = Node::Local { slot, last };
                return;
            }
            Node::Closure(function) => {
                let functions = self.functions;
                for captured in &functions[function.0 as usize].captures {
                    if let Captured::Slot(slot) = captured {
                        self.read(*slot);
                    }
                }
            }
            Node::And(left, right) | Node::Or(left, right) | Node::Coalesce(left, right) => {
                self.choice(&[*left], &[vec![*right], vec![]]);
            }
            Node::If {
                condition,
                then,
                otherwise,
            } => {
                self.choice(&[*condition], &[vec![*then], vec![*otherwise]]);
            }
            Node::Match { scrutinee, arms } => self.arms(*scrutinee, arms),
            Node::ForList { clauses, element } => self.clauses(clauses, &[*element]),
            Node::ForMap { clauses, key, value } => self.clauses(clauses, &[*key, *value]),
            other => each_part(other, |part| self.steps.push(Step::Visit(part))),
        }
        self.body.nodes[id.0 as usize] = node;
    }

    fn arms(&mut self, scrutinee: NodeId, arms: &[MatchArm]) {
        // A guard that fails goes on to later arms: what they read is live in it. Guards and bodies are walked as one
        // branch each, with all guards' and bodies' reads held live in every guard.
        let branches: Vec<Vec<NodeId>> = arms.iter().map(|arm| vec![arm.body]).collect();
        let guards: Vec<NodeId> = arms.iter().filter_map(|arm| arm.guard).collect();
        self.sequence([scrutinee].into_iter());
        if !guards.is_empty() {
            self.sequence(guards.iter().copied());
            self.steps.push(Step::Hold(guards, Vec::new()));
        }
        self.choice(&[], &branches);
    }

    fn clauses(&mut self, clauses: &[ForClause], yields: &[NodeId]) {
        // The first source is evaluated once; everything else again in each round.
        let mut inner: Vec<NodeId> = clauses.iter().map(clause_node).collect();
        let first = (!inner.is_empty()).then(|| inner.remove(0));
        inner.extend_from_slice(yields);
        self.sequence(first.into_iter());
        self.sequence(inner.iter().copied());
        // What the innermost loop binds is read in one round only.
        let mut bound = Vec::new();
        let last = clauses
            .iter()
            .rev()
            .find(|clause| matches!(clause, ForClause::For { .. }));
        if let Some(ForClause::For { first, second, .. }) = last {
            slots(first, &mut bound);
            second.iter().for_each(|pattern| slots(pattern, &mut bound));
        }
        self.steps.push(Step::Hold(inner, bound));
    }

    /// Makes live all that `roots` read, but for what is `bound` in them.
    fn hold(&mut self, roots: &[NodeId], mut bound: Vec<Slot>) {
        let before = self.live.clone();
        let mut stack = roots.to_vec();
        while let Some(id) = stack.pop() {
            match &self.body.nodes[id.0 as usize] {
                Node::Local { slot, .. } => {
                    let slot = *slot;
                    self.read(slot);
                }
                Node::Closure(function) => {
                    let functions = self.functions;
                    for captured in &functions[function.0 as usize].captures {
                        if let Captured::Slot(slot) = captured {
                            self.read(*slot);
                        }
                    }
                }
                other => {
                    if let Node::Let { pattern, .. } = other {
                        slots(pattern, &mut bound);
                    }
                    each_part(other, |part| stack.push(part));
                }
            }
        }
        for slot in bound {
            let (word, bit) = (slot.0 as usize / 64, 1_u64 << (slot.0 % 64));
            self.live[word] = (self.live[word] & !bit) | (before[word] & bit);
        }
    }
}

/// The slots that a pattern binds.
fn slots(pattern: &Pattern, out: &mut Vec<Slot>) {
    match pattern {
        Pattern::Bind(slot) => out.push(*slot),
        Pattern::Record(fields) | Pattern::Variant { fields, .. } => {
            fields.iter().for_each(|(_, pattern)| slots(pattern, out));
        }
        Pattern::Wildcard | Pattern::Null | Pattern::Bool(_) | Pattern::Int(_) | Pattern::Str(_) => {}
    }
}

fn join(into: &mut Live, other: &Live) {
    for (a, b) in into.iter_mut().zip(other) {
        *a |= *b;
    }
}

fn clause_node(clause: &ForClause) -> NodeId {
    match clause {
        ForClause::For { source, .. } => *source,
        ForClause::If(condition) => *condition,
    }
}

/// Gives the operands of a node in the order of evaluation.
fn each_part(node: &Node, mut give: impl FnMut(NodeId)) {
    match node {
        Node::Error
        | Node::Const(_)
        | Node::Local { .. }
        | Node::Capture(_)
        | Node::Global(_)
        | Node::Closure(_)
        | Node::Default(_) => {}
        Node::Interpolate(parts) | Node::Pieces(parts) | Node::Path { parts, .. } => {
            parts.iter().copied().for_each(give);
        }
        Node::CallGlobal { args, .. } => args.iter().copied().for_each(give),
        Node::CallValue { callee, args } => [*callee].iter().chain(args).copied().for_each(give),
        Node::Field { base, .. } => give(*base),
        Node::Index { base: a, index: b }
        | Node::MapIndex { base: a, key: b }
        | Node::Binary {
            left: a, right: b, ..
        }
        | Node::And(a, b)
        | Node::Or(a, b)
        | Node::Coalesce(a, b)
        | Node::Let {
            value: a, body: b, ..
        } => [*a, *b].into_iter().for_each(give),
        Node::Neg(value) | Node::Not(value) | Node::Coerce { value, .. } | Node::Decode { value, .. } => {
            give(*value);
        }
        Node::If {
            condition,
            then,
            otherwise,
        } => [*condition, *then, *otherwise].into_iter().for_each(give),
        Node::Match { scrutinee, arms } => {
            give(*scrutinee);
            for arm in arms {
                arm.guard.into_iter().chain([arm.body]).for_each(&mut give);
            }
        }
        Node::List(elements) => elements.iter().for_each(|element| match element {
            Element::Item(node) | Element::Spread(node) => give(*node),
        }),
        Node::Record(entries) => entries.iter().for_each(|entry| match entry {
            RecordEntry::Field(_, node) | RecordEntry::Spread(node) => give(*node),
        }),
        Node::Map(entries) => entries.iter().for_each(|entry| match entry {
            MapEntry::Item(key, value) => [*key, *value].into_iter().for_each(&mut give),
            MapEntry::Spread(node) => give(*node),
        }),
        Node::Variant { fields, .. } => fields.iter().for_each(|(_, node)| give(*node)),
        Node::Output(declared) => declared.args.iter().for_each(|(_, node)| give(*node)),
        Node::ForList { clauses, element } => {
            clauses.iter().map(clause_node).chain([*element]).for_each(give);
        }
        Node::ForMap { clauses, key, value } => {
            clauses
                .iter()
                .map(clause_node)
                .chain([*key, *value])
                .for_each(give);
        }
    }
}
