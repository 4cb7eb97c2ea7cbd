//! What is known of items, found by their places in the program.

use crate::hir::{ItemRef, ModuleId};

/// A table of items. Modules come in their order, and go from the last.
#[derive(Debug)]
pub(super) struct PerItem<T> {
    modules: Vec<Vec<Option<T>>>,
}

impl<T> Default for PerItem<T> {
    fn default() -> Self {
        Self { modules: Vec::new() }
    }
}

impl<T> PerItem<T> {
    pub(super) fn get(&self, at: ItemRef) -> Option<&T> {
        let module = self.modules.get(at.module.0 as usize)?;
        module.get(at.item as usize)?.as_ref()
    }

    pub(super) fn contains(&self, at: ItemRef) -> bool {
        self.get(at).is_some()
    }

    pub(super) fn insert(&mut self, at: ItemRef, known: T) {
        *self.place(at) = Some(known);
    }

    /// Forgets an item.
    pub(super) fn remove(&mut self, at: ItemRef) {
        *self.place(at) = None;
    }

    fn place(&mut self, at: ItemRef) -> &mut Option<T> {
        let (module, item) = (at.module.0 as usize, at.item as usize);
        if self.modules.len() <= module {
            self.modules.resize_with(module + 1, Vec::new);
        }
        let items = &mut self.modules[module];
        if items.len() <= item {
            items.resize_with(item + 1, || None);
        }
        &mut items[item]
    }

    /// Changes what is known of an item, which is at first the default.
    pub(super) fn update(&mut self, at: ItemRef, change: impl FnOnce(&mut T))
    where
        T: Default,
    {
        change(self.place(at).get_or_insert_default());
    }

    /// Forgets the items of `first` and of all modules behind it.
    pub(super) fn forget_from(&mut self, first: ModuleId) {
        self.modules.truncate(first.0 as usize);
    }
}
