//! Names that are visible at a place.

use crate::hir::{ItemRef, Local, LocalId, ModuleId, Name};
use crate::source::Span;
use std::collections::BTreeMap;

/// What a name of a module stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// An item of this module.
    Item(u32),
    /// A module, by the `n`-th name that imports bring.
    Module(usize, ModuleId),
    /// An item of another module, by the `n`-th name that imports bring.
    Imported(usize, ItemRef),
    /// An import that failed; it was reported.
    Failed,
}

/// What a name that the module itself does not bind stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Around {
    /// An item of a module around.
    Item(ItemRef),
    /// A module that one of them imports.
    Module(ModuleId),
}

/// Names of a module, with the place where each is bound.
#[derive(Debug, Default)]
pub(super) struct ModuleScope {
    /// By name.
    pub(super) names: BTreeMap<Name, (Target, Span)>,
}

/// The locals of a body, and which of them are visible.
#[derive(Debug, Default)]
pub(super) struct LocalScope {
    /// All locals of the body.
    pub(super) locals: Vec<Local>,
    /// For each whether it is used, and whether it should be.
    uses: Vec<Use>,
    visible: BTreeMap<Name, LocalId>,
    /// What each binding shadowed, to be put back.
    shadowed: Vec<(Name, Option<LocalId>)>,
}

#[derive(Clone, Copy, Debug)]
struct Use {
    used: bool,
    expected: bool,
}

impl LocalScope {
    /// Makes a local that is not yet visible. `expected`: whether one that is never used is a mistake.
    pub(super) fn declare(&mut self, name: Name, span: Span, expected: bool) -> LocalId {
        let id = LocalId(self.locals.len() as u32);
        let expected = expected && !name.starts_with('_');
        self.locals.push(Local { name, span });
        self.uses.push(Use {
            used: false,
            expected,
        });
        id
    }

    /// Makes a local visible.
    pub(super) fn show(&mut self, id: LocalId) {
        let name = self.locals[id.0 as usize].name.clone();
        let before = self.visible.insert(name.clone(), id);
        self.shadowed.push((name, before));
    }

    /// Where the scope stands, for [`LocalScope::leave`].
    pub(super) fn enter(&self) -> usize {
        self.shadowed.len()
    }

    /// Hides what was shown since.
    pub(super) fn leave(&mut self, mark: usize) {
        while self.shadowed.len() > mark {
            if let Some((name, before)) = self.shadowed.pop() {
                match before {
                    Some(id) => self.visible.insert(name, id),
                    None => self.visible.remove(&name),
                };
            }
        }
    }

    /// The visible local of this name, which is thereby used.
    pub(super) fn find(&mut self, name: &str) -> Option<LocalId> {
        let id = *self.visible.get(name)?;
        self.uses[id.0 as usize].used = true;
        Some(id)
    }

    /// Names of visible locals.
    pub(super) fn visible_names(&self) -> impl Iterator<Item = &str> {
        self.visible.keys().map(Name::as_str)
    }

    /// Locals that should have been used.
    pub(super) fn unused(&self) -> impl Iterator<Item = &Local> {
        let unused = |use_: &Use| use_.expected && !use_.used;
        self.locals
            .iter()
            .zip(&self.uses)
            .filter(move |(_, use_)| unused(use_))
            .map(|(local, _)| local)
    }
}
