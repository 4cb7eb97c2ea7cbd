//! Loading a file again: after a keystroke most of its program is as it was.
//!
//! *Invariant*: what comes out is what a load from nothing gives, all numbers of modules and sources among it. A module is
//! taken over only where all modules before it are, its text and number are those of before, its imports came to the same
//! modules with the same words about them, and its data files are the same: lowering it would read nothing that has
//! changed.

use super::imports::Wanted;
use super::loader::{self, Loaded, Made, Place, Unit};
use crate::diagnostic::Diagnostic;
use crate::hir::{Module, ModuleId, Name};
use crate::library::Library;
use crate::source::{ReadError, SourceId, Sources, World};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What came of reading a data file.
pub(super) type Read = Result<Arc<[u8]>, ReadError>;

/// How a module came about.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub(super) place: Place,
    pub(super) source: SourceId,
    pub(super) wanted: Vec<Wanted>,
    pub(super) found: Vec<Option<ModuleId>>,
    /// How many of `diagnostics` its text is the reason of; behind them stand those of its imports.
    pub(super) of_text: usize,
    /// How many of `diagnostics` were there before it was lowered.
    pub(super) of_imports: usize,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The number of the first source that lowering it added, and one past the last.
    pub(super) data_sources: (SourceId, SourceId),
    /// The data files that it wanted, in order.
    pub(super) data: Vec<(Name, Read)>,
    /// Whether it was not read: a summary stands for it.
    pub(super) is_summary: bool,
}

impl Trace {
    /// A module that a summary stands for.
    pub(super) fn of_summary(place: Place, source: SourceId) -> Self {
        let next = SourceId(source.0 + 1);
        Self {
            place,
            source,
            wanted: Vec::new(),
            found: Vec::new(),
            of_text: 0,
            of_imports: 0,
            diagnostics: Vec::new(),
            data_sources: (next, next),
            data: Vec::new(),
            is_summary: true,
        }
    }

    pub(super) fn made_of(&self) -> Made {
        let own = match &self.place {
            Place::File(path) if !self.is_summary => Some(path.clone()),
            _ => None,
        };
        Made {
            files: own
                .into_iter()
                .chain(self.data.iter().map(|(path, _)| path.clone()))
                .collect(),
            imports: self.found.iter().copied().flatten().collect(),
        }
    }
}

/// What a load left.
#[derive(Default)]
pub(super) struct Before {
    sources: Sources,
    /// Each until it is taken over.
    modules: Vec<Option<(Module, Trace)>>,
    by_place: FxHashMap<Place, usize>,
}

/// Loads the file that `before` was loaded from, in the order and with the numbers of a load from nothing.
pub fn load_again(world: &dyn World, entry: &str, before: Loaded) -> Loaded {
    let places = before.traces.iter().map(|trace| trace.place.clone());
    let by_place = places.enumerate().map(|(index, place)| (place, index)).collect();
    let modules = before.program.modules.into_iter().zip(before.traces);
    let before = Before {
        sources: before.sources,
        modules: modules.map(Some).collect(),
        by_place,
    };
    loader::run(world, Library::standard(), entry, before)
}

impl Before {
    /// The text and the trace of the module at `place`, where it had this number and this text.
    pub(super) fn same_text(
        &self,
        place: &Place,
        source: SourceId,
        text: &str,
    ) -> Option<(Arc<str>, &Trace)> {
        let (_, trace) = self.modules[*self.by_place.get(place)?].as_ref()?;
        let own = (trace.source == source).then(|| &self.sources.get(source).text)?;
        (**own == *text).then(|| (own.clone(), trace))
    }

    /// Takes the module over that `unit` came to, if it would come out as it did; adds its data to the sources.
    pub(super) fn take_over(
        &mut self,
        unit: &Unit,
        id: ModuleId,
        world: &dyn World,
        sources: &mut Sources,
    ) -> Option<(Module, Trace)> {
        let place = self.modules.get_mut(id.0 as usize)?;
        let (_, trace) = place.as_ref()?;
        let same = trace.place == unit.place
            && trace.source == unit.source
            && trace.found == unit.found
            && trace.diagnostics[..trace.of_imports] == unit.diagnostics
            && trace.data_sources.0 == sources.next()
            && trace.data.iter().all(|(path, read)| world.read(path) == *read);
        if !same {
            return None;
        }
        for id in trace.data_sources.0.0..trace.data_sources.1.0 {
            let source = self.sources.get(SourceId(id));
            sources.add(source.path.clone(), source.text.clone());
        }
        place.take()
    }
}
