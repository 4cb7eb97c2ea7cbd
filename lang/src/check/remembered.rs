//! Items of modules that a summary stands for, and the types that summaries have.

use super::signatures::Scheme;
use super::{Checked, Checker};
use crate::core::GlobalId;
use crate::hir::{ItemRef, ModuleId};
use crate::summary::{Making, Summary};
use crate::types::Ty;

impl Checker<'_> {
    /// Makes the types of a module's items known.
    pub(super) fn take_summary(&mut self, module: ModuleId, summary: &Summary) {
        if self.remembered.is_none() {
            self.remembered = Some(self.types.recall(&self.program.tables));
        }
        for (index, item) in summary.items.iter().enumerate() {
            let known = self
                .remembered
                .as_ref()
                .and_then(|types| types.get(item.1 as usize));
            let ty = known.copied().flatten();
            self.lacks.set(self.lacks.get() || ty.is_none());
            let at = ItemRef {
                module,
                item: index as u32,
            };
            let ty = ty.unwrap_or(Ty::ERROR);
            self.values.insert(at, Scheme { vars: Vec::new(), ty });
        }
    }
}

impl Checked {
    /// The type of a value as summaries have it; none where something is open in it.
    pub(crate) fn summarise(&mut self, item: ItemRef, making: &mut Making) -> Option<u32> {
        let scheme = self.known.values.get(item)?;
        let ty = scheme.vars.is_empty().then_some(scheme.ty)?;
        self.types.types_mut().summarise(ty, making)
    }

    /// Where the evaluator has the value of an item.
    pub(crate) fn global(&self, item: ItemRef) -> Option<GlobalId> {
        self.known.globals.get(item).copied()
    }
}
