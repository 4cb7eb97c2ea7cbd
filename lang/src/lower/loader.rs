//! Reads a file and all that it imports, and lowers each after those that it imports.

use super::again::{Before, Trace};
use super::imports::{self, Wanted};
use super::module::{Lowering, lower_module};
use super::{decode, name};
use crate::diagnostic::Diagnostic;
use crate::hir::{ModuleId, Name, Program};
use crate::library::{Library, Needed, PRELUDE};
use crate::source::{ReadError, SourceId, Sources, Span, World};
use crate::summary::{Summaries, Summary};
use crate::syntax::{Parse, parse};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A program with its sources, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// All sources.
    pub sources: Sources,
    /// All modules.
    pub program: Program,
    /// In the order of the sources, and in a source in that of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// How each module came about.
    pub(super) traces: Vec<Trace>,
    /// How many modules, from the first on, were taken over from the load before.
    pub(super) kept: usize,
}

impl Loaded {
    /// How many modules, from the first on, [`load_again`](super::load_again) took over.
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// Of each module what it was made of.
    pub fn made_of(&self) -> Vec<Made> {
        self.traces.iter().map(Trace::made_of).collect()
    }
}

/// What a module was made of; of one that a summary stands for, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Files that were read for it alone: its own, and data.
    pub files: Vec<Name>,
    /// Modules that it imports.
    pub imports: Vec<ModuleId>,
}

/// Loads the file `entry` of `world`, a path from the project's root, with the standard library.
pub fn load(world: &dyn World, entry: &str) -> Loaded {
    load_with(world, Library::standard(), entry)
}

/// Loads the file `entry` of `world` with a library of one's own.
pub fn load_with(world: &dyn World, library: Library, entry: &str) -> Loaded {
    run(world, library, entry, Before::default())
}

/// Texts of files that were read, by their paths.
pub(super) type Texts = BTreeMap<Name, String>;

/// Loads with summaries in the place of the modules that are `known`, and of the library what is `needed`.
pub(super) fn run_needed(
    world: &dyn World,
    entry: &str,
    mut known: Summaries,
    texts: Texts,
    needed: Needed,
) -> Loaded {
    let mut loader = Loader::new(world, Library::standard(), Loaded::default());
    loader.loaded.program.tables = Arc::new(std::mem::take(&mut known.tables));
    loader.loaded.program.spent = known.spent;
    loader.known = known;
    loader.texts = texts;
    loader.needed = Some(needed);
    loader.load(entry)
}

/// Loads, and takes over what `before` has that is still so.
pub(super) fn run(world: &dyn World, library: Library, entry: &str, before: Before) -> Loaded {
    let mut loader = Loader::new(world, library, Loaded::default());
    loader.before = before;
    loader.load(entry)
}

/// Adds `text` to what is loaded, as its new entry: a module without a name, that sees the names of the modules `around`,
/// the nearest first. `path`: what messages call it. Its own paths start at the project's root.
pub(crate) fn extend(
    loaded: Loaded,
    world: &dyn World,
    path: &str,
    text: &str,
    around: Vec<ModuleId>,
) -> Loaded {
    let mut loader = Loader::new(world, Library::standard(), loaded);
    loader.around = around;
    loader.push(Place::Input, path, text);
    loader.run();
    loader.finish()
}

/// Where a module stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// A file of the world, by its path from the root.
    File(Name),
    /// A module of the library.
    Std(Name),
    /// An input of a session, which stands nowhere.
    Input,
}

/// A module that is being loaded.
pub(super) struct Unit {
    pub(super) place: Place,
    /// Its path without the file's name; empty at the root.
    directory: String,
    pub(super) source: SourceId,
    /// Not parsed where the text is that of the load before.
    parse: Option<Parse>,
    pub(super) wanted: Vec<Wanted>,
    /// What the first of `wanted` came to.
    pub(super) found: Vec<Option<ModuleId>>,
    /// How many of `diagnostics` its own text is the reason of.
    pub(super) of_text: usize,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Names of a module's items.
pub(super) type Exports = FxHashMap<Name, u32>;

struct Loader<'w> {
    world: &'w dyn World,
    library: Library,
    before: Before,
    /// What stands for modules that were not met yet.
    known: Summaries,
    /// Files that were read already.
    texts: Texts,
    /// What is read of the library; none is all.
    needed: Option<Needed>,
    /// How many traces have their diagnostics among those of `loaded` already.
    told: usize,
    loaded: Loaded,
    exports: Vec<Exports>,
    /// Variants of all enums that were met.
    variants: BTreeSet<Name>,
    done: FxHashMap<Place, Option<ModuleId>>,
    /// What an input sees.
    around: Vec<ModuleId>,
    /// A loop over this instead of recursion: chains of imports may be long.
    stack: Vec<Unit>,
}

impl<'w> Loader<'w> {
    /// A loader that goes on from `loaded`.
    fn new(world: &'w dyn World, library: Library, loaded: Loaded) -> Self {
        let mut loader = Self {
            world,
            library,
            before: Before::default(),
            known: Summaries::default(),
            texts: Texts::default(),
            needed: None,
            told: loaded.traces.len(),
            loaded,
            exports: Vec::new(),
            variants: BTreeSet::new(),
            done: FxHashMap::default(),
            around: Vec::new(),
            stack: Vec::new(),
        };
        for (index, module) in loader.loaded.program.modules.iter().enumerate() {
            collect_variants(module, &mut loader.variants);
            loader.exports.push(exports_of(module));
            let place = match module.std {
                true => Place::Std(module.name.clone()),
                false => Place::File(loader.loaded.sources.get(module.source).path.clone()),
            };
            loader.done.insert(place, Some(ModuleId(index as u32)));
        }
        loader
    }

    /// Loads the prelude and the file `entry`.
    fn load(mut self, entry: &str) -> Loaded {
        if self.library.text(PRELUDE).is_some() {
            self.open(Place::Std(PRELUDE.into()), None);
            self.run();
        }
        self.open(Place::File(entry.into()), None);
        self.run();
        self.finish()
    }

    /// Loads what is on the stack, and what it imports.
    fn run(&mut self) {
        while let Some(unit) = self.stack.last() {
            let Some(wanted) = unit.wanted.get(unit.found.len()) else {
                self.lower_top();
                continue;
            };
            let (place, span) = (wanted.place.clone(), wanted.span);
            match place {
                None => self.found(None),
                Some(place) => self.want(place, span),
            }
        }
    }

    /// The module on top of the stack wants `place`.
    fn want(&mut self, place: Place, span: Span) {
        if let Some(&module) = self.done.get(&place) {
            self.found(module);
        } else if let Some(at) = self.stack.iter().position(|unit| unit.place == place) {
            self.report_cycle(at, span);
            self.found(None);
        } else {
            self.open(place, Some(span));
        }
    }

    fn found(&mut self, module: Option<ModuleId>) {
        if let Some(unit) = self.stack.last_mut() {
            unit.found.push(module);
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        match self.stack.last_mut() {
            Some(unit) => unit.diagnostics.push(diagnostic),
            None => self.loaded.diagnostics.push(diagnostic),
        }
    }

    fn report_cycle(&mut self, at: usize, span: Span) {
        let path = |unit: &Unit| self.loaded.sources.get(unit.source).path.clone();
        let mut way: Vec<Name> = self.stack[at..].iter().map(path).collect();
        way.push(way[0].clone());
        let mut error = Diagnostic::error(
            "E0010",
            span,
            format!("files import each other: {}", way.join(" → ")),
        )
        .at("this import closes the circle")
        .help("move what both need to a file that imports neither");
        for unit in &self.stack[at..self.stack.len() - 1] {
            if let Some(wanted) = unit.wanted.get(unit.found.len()) {
                error = error.label(wanted.span, "imported here");
            }
        }
        self.report(error);
    }

    /// Reads and parses the module at `place`, and puts it on the stack. `span`: the import that wants it.
    fn open(&mut self, place: Place, span: Option<Span>) {
        if let (Place::File(path), Some(_)) = (&place, span)
            && let Some(summary) = self.known.take(path)
        {
            return self.recall(path.clone(), summary);
        }
        let (path, text) = match &place {
            Place::Std(module) => match self.library.text(module) {
                Some(text) => (format!("std/{module}.mlp"), Ok(std::borrow::Cow::Borrowed(text))),
                None => return self.unknown_module(place, span),
            },
            Place::File(path) => (path.to_string(), self.read(path).map(std::borrow::Cow::Owned)),
            // Nothing imports it, and who pushes it has its text.
            Place::Input => return,
        };
        let text = match text {
            Ok(text) => text,
            Err(reason) => {
                let span = span.unwrap_or_else(|| Span {
                    source: self.loaded.sources.add(path.as_str(), ""),
                    start: 0,
                    end: 0,
                });
                let error = unreadable(&path, &reason, span);
                self.report(error);
                self.done.insert(place, None);
                return self.found(None);
            }
        };
        self.push(place, &path, &text);
    }

    /// Parses a text, and puts it on the stack.
    fn push(&mut self, place: Place, path: &str, text: &str) {
        let directory = path
            .rsplit_once('/')
            .map_or("", |(directory, _)| directory)
            .to_owned();
        let next = self.loaded.sources.next();
        let (text, known) = match self.before.same_text(&place, next, text) {
            Some((text, trace)) => (text, Some(trace)),
            None => (Arc::from(text), None),
        };
        let source = self.loaded.sources.add(path, text);
        let unit = match known {
            Some(trace) => Unit {
                place,
                directory,
                source,
                parse: None,
                wanted: trace.wanted.clone(),
                found: Vec::new(),
                of_text: trace.of_text,
                diagnostics: trace.diagnostics[..trace.of_text].to_vec(),
            },
            None => {
                let parse = parse(source, self.text(&place, source));
                let mut diagnostics = parse.diagnostics.clone();
                let wanted = imports::wanted(&parse.tree, &directory, self.library, &mut diagnostics);
                Unit {
                    place,
                    directory,
                    source,
                    parse: Some(parse),
                    wanted,
                    found: Vec::new(),
                    of_text: diagnostics.len(),
                    diagnostics,
                }
            }
        };
        self.stack.push(unit);
    }

    /// What is parsed of a source.
    fn text(&self, place: &Place, source: SourceId) -> Arc<str> {
        match (place, &self.needed) {
            (Place::Std(module), Some(needed)) => {
                let text = self.library.text(module).unwrap_or_default();
                needed.of(module, text).into()
            }
            _ => self.loaded.sources.get(source).text.clone(),
        }
    }

    /// Takes the file at `path` for what its summary says.
    fn recall(&mut self, path: Name, summary: Summary) {
        let id = ModuleId(self.loaded.program.modules.len() as u32);
        let source = self.loaded.sources.add(path.clone(), "");
        let around = self.loaded.program.prelude().into_iter().collect();
        let module = summary.into_module(source, stem(&path), around);
        let place = Place::File(path);
        self.loaded.program.modules.push(module);
        self.loaded.traces.push(Trace::of_summary(place.clone(), source));
        self.lowered(place, id);
    }

    fn read(&mut self, path: &str) -> Result<String, Unreadable> {
        if let Some(text) = self.texts.remove(path) {
            return Ok(text);
        }
        decode_source(self.world.read(path))
    }

    fn unknown_module(&mut self, place: Place, span: Option<Span>) {
        if let (Place::Std(module), Some(span)) = (&place, span) {
            let error = imports::unknown_module(module, span, self.library);
            self.report(error);
        }
        self.done.insert(place, None);
        self.found(None);
    }

    /// Lowers the module on top of the stack, all of whose imports are there.
    fn lower_top(&mut self) {
        let Some(mut unit) = self.stack.pop() else {
            return;
        };
        let id = ModuleId(self.loaded.program.modules.len() as u32);
        if self.keep_top(&unit, id) {
            return self.lowered(unit.place, id);
        }
        let parse = unit
            .parse
            .take()
            .unwrap_or_else(|| parse(unit.source, self.loaded.sources.get(unit.source).text.clone()));
        let (of_text, of_imports) = (unit.of_text, unit.diagnostics.len());
        let first_data = self.loaded.sources.next();
        let mut data = Vec::new();
        let std = matches!(unit.place, Place::Std(_));
        let around = match unit.place {
            Place::Input => self.around.clone(),
            _ => self.loaded.program.prelude().into_iter().collect(),
        };
        let lowering = Lowering {
            world: self.world,
            library: self.library,
            around,
            sources: &mut self.loaded.sources,
            program: &self.loaded.program,
            exports: &self.exports,
            variants: &self.variants,
            directory: &unit.directory,
            diagnostics: &mut unit.diagnostics,
            data: &mut data,
        };
        let stem = match &unit.place {
            Place::Std(module) => module.clone(),
            Place::File(path) => stem(path),
            Place::Input => Name::default(),
        };
        let module = lower_module(lowering, &parse, stem, std, &unit.wanted, &unit.found);
        self.loaded.traces.push(Trace {
            place: unit.place.clone(),
            source: unit.source,
            wanted: unit.wanted,
            found: unit.found,
            of_text,
            of_imports,
            diagnostics: unit.diagnostics,
            data_sources: (first_data, self.loaded.sources.next()),
            data,
            is_summary: false,
        });
        self.loaded.program.modules.push(module);
        self.lowered(unit.place, id);
    }

    /// Takes the module over from the load before, if it would come out as it did.
    fn keep_top(&mut self, unit: &Unit, id: ModuleId) -> bool {
        let loaded = &mut self.loaded;
        if loaded.kept != id.0 as usize || unit.parse.is_some() {
            return false;
        }
        let Some((module, trace)) = self.before.take_over(unit, id, self.world, &mut loaded.sources) else {
            return false;
        };
        loaded.program.modules.push(module);
        loaded.traces.push(trace);
        loaded.kept += 1;
        true
    }

    /// The module that is the last of the program was wanted at `place`.
    fn lowered(&mut self, place: Place, id: ModuleId) {
        if let Some(module) = self.loaded.program.modules.last() {
            collect_variants(module, &mut self.variants);
            self.exports.push(exports_of(module));
        }
        self.done.insert(place, Some(id));
        self.found(Some(id));
    }

    fn finish(mut self) -> Loaded {
        let of_modules = self.loaded.traces[self.told..]
            .iter()
            .flat_map(|trace| &trace.diagnostics);
        self.loaded.diagnostics.extend(of_modules.cloned());
        self.loaded.diagnostics.sort_by_key(|diagnostic| {
            let span = diagnostic.span();
            (span.source, span.start, span.end)
        });
        self.loaded
    }
}

/// Larger sources than this are refused; offsets have 32 bits.
pub(super) const MAX_SOURCE: usize = 256 << 20;

/// Why a source cannot be used.
pub(super) enum Unreadable {
    Read(ReadError),
    NotUtf8 { line: usize },
    Large,
}

/// The text of a source, without a byte-order mark.
pub(super) fn decode_source(bytes: Result<Arc<[u8]>, ReadError>) -> Result<String, Unreadable> {
    let bytes = bytes.map_err(Unreadable::Read)?;
    if bytes.len() > MAX_SOURCE {
        return Err(Unreadable::Large);
    }
    decode(&bytes)
        .map(str::to_owned)
        .map_err(|offset| Unreadable::NotUtf8 {
            line: bytes[..offset].iter().filter(|byte| **byte == b'\n').count() + 1,
        })
}

/// Says that the file at `path`, wanted at `span`, cannot be used.
pub(super) fn unreadable(path: &str, reason: &Unreadable, span: Span) -> Diagnostic {
    match reason {
        Unreadable::Read(ReadError::Missing { near }) => {
            let error = Diagnostic::error("E0001", span, format!("there is no file `{path}`"));
            let near: Vec<&str> = near.iter().map(String::as_str).take(3).collect();
            match super::suggest::did_you_mean(&near) {
                Some(help) => error.help(help),
                None => error.help("paths are relative to the file that they are written in"),
            }
        }
        Unreadable::Read(ReadError::Directory) => Diagnostic::error(
            "E0002",
            span,
            format!("`{path}` is a directory, and a file is needed"),
        )
        .help("name a file in it"),
        Unreadable::Read(ReadError::Outside) => {
            Diagnostic::error("E0003", span, format!("`{path}` is outside of the project"))
                .note("the same pipeline must give the same result wherever the project lies")
                .help("move the file into the project")
        }
        Unreadable::Read(ReadError::Other(reason)) => {
            Diagnostic::error("E0004", span, format!("`{path}` cannot be read: {reason}"))
                .help("see that you may read it, and that links on the way lead somewhere")
        }
        Unreadable::NotUtf8 { line } => {
            Diagnostic::error("E0005", span, format!("`{path}` is not UTF-8 text"))
                .note(format!("the first byte that is none is on line {line}"))
                .help("save it as UTF-8")
        }
        Unreadable::Large => Diagnostic::error("E0006", span, format!("`{path}` is larger than 256 MiB"))
            .help("data of this size is read by a step, or by `std.data`"),
    }
}

/// The stem of a file's name.
pub(super) fn stem(path: &str) -> Name {
    let file = path.rsplit('/').next().unwrap_or(path);
    name(file.strip_suffix(".mlp").unwrap_or(file))
}

pub(super) fn exports_of(module: &crate::hir::Module) -> Exports {
    let items = module.items.iter().enumerate();
    items
        .map(|(index, item)| (item.name.clone(), index as u32))
        .collect()
}

pub(super) fn collect_variants(module: &crate::hir::Module, variants: &mut BTreeSet<Name>) {
    variants.extend(module.variants().map(Name::new));
}
