//! A session at a prompt: a file that was loaded, and inputs after it, each of which sees what came before.
//!
//! ```text
//! Loaded (the file) -> extend by an input -> check -> evaluate -> Entered
//! ```
//! An input is a module of its own ([`crate::hir::Module::around`]): a later definition shadows an earlier one, and what
//! was defined before keeps its meaning. *Invariant*: what fails, whether to parse, to check or to evaluate, leaves the
//! session as it was. Pure, as the rest of the language; the prompt itself is the command line's.

mod network;
mod unfinished;

#[cfg(test)]
mod tests;

pub use unfinished::is_unfinished;

use crate::check::{Checked, check};
use crate::diagnostic::{Diagnostic, Severity};
use crate::doc::{self, Entry};
use crate::eval::{Bounds, Demand, Outcome, Render, Request, evaluate_within};
use crate::hir::{ItemKind, ItemRef, ModuleId};
use crate::ide::{Analysis, Completion, FileEntry, Position, complete_with};
use crate::lower::{Loaded, extend, load_text};
use crate::source::{Sources, World};

/// What an input may take: someone waits for it.
const BOUNDS: Bounds = Bounds {
    steps: 20_000_000,
    memory: 1 << 30,
};

/// What a text is called that is still being typed.
const PROMPT: &str = "prompt";

/// A session.
#[derive(Debug)]
pub struct Session {
    loaded: Loaded,
    /// What the next input sees, the nearest first.
    around: Vec<ModuleId>,
    /// The texts of the inputs that define something.
    kept: Vec<String>,
    /// How many inputs there were: each has a number, so that messages can name it.
    count: u32,
}

/// What an input came to.
#[derive(Debug)]
pub struct Entered {
    /// What the diagnostics point into.
    pub sources: Sources,
    /// What is wrong with it, or with what it uses.
    pub diagnostics: Vec<Diagnostic>,
    /// What it defines, as `name: Type`; empty where it failed.
    pub defined: Vec<String>,
    /// What its expression gives, if it ends with one: a value, a type, a table of layers.
    pub shown: Option<String>,
}

impl Entered {
    /// Whether it failed, and so changed nothing.
    pub fn failed(&self) -> bool {
        is_wrong(&self.diagnostics)
    }
}

fn is_wrong(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|found| found.severity == Severity::Error)
}

/// An input that was added to a copy of the session.
struct Tried {
    loaded: Loaded,
    checked: Checked,
    /// What was found in it, and in what it imports.
    diagnostics: Vec<Diagnostic>,
    /// The first of its sources.
    first: u32,
}

impl Tried {
    fn entry(&self) -> ModuleId {
        ModuleId((self.loaded.program.modules.len() - 1) as u32)
    }

    fn evaluate(&self, demand: &Demand, render: Render) -> Outcome {
        let request = Request {
            core: &self.checked.core,
            sources: &self.loaded.sources,
            demand,
            render,
        };
        evaluate_within(request, BOUNDS)
    }

    fn ends_with_expression(&self) -> bool {
        self.loaded.program.module(self.entry()).result.is_some()
    }

    /// Adds what evaluation found: warnings only of this input, since those of others were told when they were entered.
    fn told(&mut self, outcome: &mut Outcome) {
        let mut found = std::mem::take(&mut outcome.diagnostics);
        found.retain(|found| found.severity == Severity::Error || found.span().source.0 >= self.first);
        self.diagnostics.append(&mut found);
    }

    /// Where a value is missing and nothing was said, what it rests on did not check, and that was told long ago.
    fn told_again(&mut self) {
        if self.diagnostics.is_empty() {
            let all = self.loaded.diagnostics.iter().chain(&self.checked.diagnostics);
            let errors = all.filter(|found| found.severity == Severity::Error);
            self.diagnostics = errors.cloned().collect();
        }
    }

    fn into_entered(self, defined: Vec<String>, shown: Option<String>) -> Entered {
        Entered {
            sources: self.loaded.sources,
            diagnostics: self.diagnostics,
            defined,
            shown,
        }
    }
}

impl Default for Session {
    /// A session without a file.
    fn default() -> Self {
        Self::new(load_text(""))
    }
}

impl Session {
    /// A session over a file that was loaded, its settings included. What is wrong with the file is for the caller to
    /// tell; the rest of it can be used.
    pub fn new(loaded: Loaded) -> Self {
        let entry = ModuleId(loaded.program.modules.len().saturating_sub(1) as u32);
        let prelude = loaded.program.prelude();
        Self {
            loaded,
            around: std::iter::once(entry).chain(prelude).collect(),
            kept: Vec::new(),
            count: 0,
        }
    }

    /// The texts of the inputs that define something, to enter them again over a file that has changed.
    pub fn kept(&self) -> &[String] {
        &self.kept
    }

    /// Enters definitions, an expression, or both.
    pub fn enter(&mut self, world: &dyn World, text: &str) -> Entered {
        self.count += 1;
        let mut tried = self.tried(world, &self.path(), text);
        if is_wrong(&tried.diagnostics) {
            return tried.into_entered(Vec::new(), None);
        }
        let render = match tried.ends_with_expression() {
            true => Render::Text,
            false => Render::Nothing,
        };
        let mut outcome = tried.evaluate(&Demand::All, render);
        tried.told(&mut outcome);
        let demanded = tried.checked.core.entry.len() + usize::from(tried.ends_with_expression());
        if outcome.values.len() < demanded {
            tried.told_again();
        }
        if is_wrong(&tried.diagnostics) {
            return tried.into_entered(Vec::new(), None);
        }
        let shown = outcome.values.pop().filter(|_| tried.ends_with_expression());
        let defined = defined(&mut tried);
        let module = tried.loaded.program.module(tried.entry());
        if !module.items.is_empty() || !module.imports.is_empty() {
            self.keep(&tried, text);
        }
        tried.into_entered(defined, shown.map(|value| value.text))
    }

    /// The type of an expression.
    pub fn type_of(&mut self, world: &dyn World, text: &str) -> Entered {
        self.count += 1;
        let mut tried = self.tried(world, &self.path(), text);
        let shown = match is_wrong(&tried.diagnostics) {
            true => None,
            false => tried.checked.types.result(tried.entry()),
        };
        tried.into_entered(Vec::new(), shown)
    }

    /// What may be written at the byte `offset` of a text that is still being typed.
    pub fn complete(
        &self,
        world: &dyn World,
        text: &str,
        offset: usize,
        list: &dyn Fn(&str) -> Vec<FileEntry>,
    ) -> Vec<Completion> {
        let again = |text: String| {
            let Tried { loaded, checked, .. } = self.tried(world, PROMPT, &text);
            Analysis::of(loaded, checked)
        };
        let mut analysis = again(text.to_owned());
        let Some(source) = analysis.source(PROMPT) else {
            return Vec::new();
        };
        let at = Position {
            source,
            offset: offset as u32,
        };
        complete_with(&mut analysis, at, &again, list)
    }

    /// What is said of the names of the session, the latest first.
    pub fn documentation(&self) -> Vec<Entry> {
        let mut checked = check(&self.loaded.program, &self.loaded.sources);
        let Loaded { program, sources, .. } = &self.loaded;
        let mut entries = Vec::new();
        for module in self.around.iter().filter(|id| !program.module(**id).std) {
            entries.extend(doc::module(*module, program, sources, &mut checked.types));
        }
        entries
    }

    /// What messages call the input at hand.
    fn path(&self) -> String {
        format!("input {}", self.count)
    }

    fn tried(&self, world: &dyn World, path: &str, text: &str) -> Tried {
        let first = self.loaded.sources.iter().count() as u32;
        let loaded = extend(self.loaded.clone(), world, path, text, self.around.clone());
        let checked = check(&loaded.program, &loaded.sources);
        let all = loaded.diagnostics.iter().chain(&checked.diagnostics);
        let diagnostics = all
            .filter(|found| found.span().source.0 >= first)
            .cloned()
            .collect();
        Tried {
            loaded,
            checked,
            diagnostics,
            first,
        }
    }

    fn keep(&mut self, tried: &Tried, text: &str) {
        self.loaded = tried.loaded.clone();
        self.around.insert(0, tried.entry());
        self.kept.push(text.to_owned());
    }
}

/// What the input defines, as `name: Type`.
fn defined(tried: &mut Tried) -> Vec<String> {
    let entry = tried.entry();
    let items = &tried.loaded.program.module(entry).items;
    let mut defined = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = ItemRef {
            module: entry,
            item: index as u32,
        };
        defined.push(match item.kind {
            ItemKind::Type { .. } => format!("type {}", item.name),
            ItemKind::Enum { .. } => format!("enum {}", item.name),
            _ => {
                let ty = tried.checked.types.item(at).unwrap_or_default();
                format!("{}: {ty}", item.name)
            }
        });
    }
    defined
}
