//! Names of specs by interval: whatever names things (a binding, a field, an element, a `let`, an argument) notes how
//! many specs there were, and puts its segment before the names of those that came since. Names enter no key.

use crate::source::{SourceId, Span};
use crate::spec::{Builder, ByName, Command, Datum, DerivationSpec, Fields, Origin, Resources, SpecId};
use rustc_hash::FxHashMap;
use std::cell::Cell;

/// The specs that were made.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    specs: Vec<DerivationSpec>,
    /// Whether the name begins with its binding, and so is whole.
    closed: Vec<bool>,
    /// What stands for those that are not remembered, and whether somebody looked at it.
    unknown: Option<SpecId>,
    asked: Cell<bool>,
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

    /// What stands for a spec that is not remembered.
    pub(crate) fn unknown(&mut self) -> SpecId {
        if let Some(id) = self.unknown {
            return id;
        }
        let id = self.add(nothing());
        self.unknown = Some(id);
        id
    }

    /// Whether something was asked of a spec that is not remembered.
    pub(crate) fn lacks(&self) -> bool {
        self.asked.get()
    }

    pub(crate) fn get(&self, id: SpecId) -> &DerivationSpec {
        if self.unknown == Some(id) {
            self.asked.set(true);
        }
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

/// A step that says nothing.
fn nothing() -> DerivationSpec {
    DerivationSpec {
        name: String::new(),
        origin: Origin {
            span: Span {
                source: SourceId(0),
                start: 0,
                end: 0,
            },
            arguments: ByName::new(),
        },
        resources: Resources::default(),
        builder: Builder::Command(Command {
            argv: Vec::new(),
            stdin: None,
            threads: 1,
        }),
        args: Datum::Map(Fields::new()),
        env: None,
        vars: ByName::new(),
        cwd: None,
        inputs: ByName::new(),
        outputs: ByName::new(),
    }
}
