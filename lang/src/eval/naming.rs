//! Names of specs by interval: whatever names things (a binding, a field, an element, a `let`, an argument) notes how
//! many specs there were, and puts its segment before the names of those that came since. Names enter no key.

use crate::spec::{DerivationSpec, SpecId};
use rustc_hash::FxHashMap;

/// The specs that were made.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    specs: Vec<DerivationSpec>,
    /// Whether the name begins with its binding, and so is whole.
    closed: Vec<bool>,
}

impl Drafts {
    /// Where an interval begins.
    #[inline]
    pub(crate) fn mark(&self) -> usize {
        self.specs.len()
    }

    pub(crate) fn add(&mut self, mut spec: DerivationSpec) -> SpecId {
        if let Some(before) = self.specs.last() {
            spec.share(before);
        }
        self.specs.push(spec);
        self.closed.push(false);
        SpecId((self.specs.len() - 1) as u32)
    }

    pub(crate) fn get(&self, id: SpecId) -> &DerivationSpec {
        &self.specs[id.0 as usize]
    }

    /// Ends an interval: puts `segment` (`.fit`, `[0]`) before the names in it.
    pub(crate) fn name(&mut self, mark: usize, segment: &str) {
        for (spec, closed) in self.specs[mark..].iter_mut().zip(&self.closed[mark..]) {
            if !closed {
                spec.name.insert_str(0, segment);
            }
        }
    }

    /// Ends the interval of a binding.
    pub(crate) fn close(&mut self, mark: usize, binding: &str) {
        self.name(mark, binding);
        self.closed[mark..].fill(true);
    }

    /// The specs, with `#2`, `#3`, … behind names that came before.
    pub(crate) fn finish(self) -> Vec<DerivationSpec> {
        let mut specs = self.specs;
        let mut counts: FxHashMap<&str, u32> = FxHashMap::default();
        let mut again = Vec::new();
        for (index, spec) in specs.iter().enumerate() {
            let count = counts.entry(&spec.name).or_insert(0);
            *count += 1;
            if *count > 1 {
                again.push((index, *count));
            }
        }
        for (index, count) in again {
            specs[index].name += &format!("#{count}");
        }
        specs
    }
}
