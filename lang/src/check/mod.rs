//! The checker: resolved modules to core. One walk infers types and makes code, so that every default, coercion and
//! slot is written where it was decided.
//!
//! Items are checked in the order of their references, a cycle of functions at once (`order`, `items`). Expressions go
//! both ways: [`Checker::synth`] finds a type, [`Checker::check_expr`] holds an expression against one. What did not
//! check has the error type, which fits everywhere: one mistake is one error.

mod advice;
mod arguments;
mod branches;
mod calls;
mod coerce;
mod comprehensions;
mod connectives;
mod cycles;
mod data;
mod exhaustive;
mod exprs;
mod fields;
mod frames;
mod functions;
mod items;
mod lambdas;
mod last_use;
mod lifted;
mod lists;
mod literals;
mod maps;
mod meant;
mod mismatch;
mod operators;
mod order;
mod outputs;
mod patterns;
mod per_item;
mod records;
mod remembered;
mod schema;
mod signatures;
mod strings;
mod table;
mod written;

pub use table::TypeTable;

use crate::core::{Core, GlobalId, NodeId};
use crate::diagnostic::{Diagnostic, Severity};
use crate::hir::{self, ExprId, ItemRef, ModuleId, Name, PatId, Program, TypeId};
use crate::source::{Sources, Span};
use crate::suggest;
use crate::types::{self, Ty, Types};
use frames::{Frame, NumberLiteral};
use per_item::PerItem;
use rustc_hash::FxHashMap;
use signatures::{EnumSig, FieldDefault, FnSig, Scheme};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// What the checker makes.
#[derive(Debug, Default)]
pub struct Checked {
    /// The program to run; what did not check is `Error` in it.
    pub core: Core,
    /// The types of expressions, locals and items.
    pub types: TypeTable,
    /// Errors and warnings, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether something of an item was asked that its summary does not say.
    pub lacks: bool,
    /// What a check of the same program with other last modules goes on from.
    known: Known,
}

/// Checks a program, its settings against the types of their params.
pub fn check(program: &Program, sources: &Sources) -> Checked {
    let mut checker = Checker::new(program, sources);
    checker.check_program(0);
    checker.finish()
}

/// Checks a program as [`check`] does, but of the library only what the program leads to: for who builds, and asks for no
/// type or documentation of anything else. Messages name what else there is, so a program with a mistake is to be checked
/// whole.
pub fn check_needed(program: &Program, sources: &Sources) -> Checked {
    let mut checker = Checker::new(program, sources);
    checker.needed = Some(order::needed(program));
    checker.check_program(0);
    checker.finish()
}

/// Checks a program whose first `kept` modules are the very ones that `before` was made of.
///
/// *Invariant*: what comes out is what [`check`] gives. It holds because a module is checked when all before it are, and
/// whatever it adds to the checker's state is cut off again at the mark that was made before it: the state at the mark is
/// that of a check from the start. Nothing may be known of an item but in tables that are cut.
pub fn check_again(program: &Program, sources: &Sources, before: Checked, kept: usize) -> Checked {
    // The entry is always checked: it alone says what is built.
    let kept = kept.min(program.modules.len().saturating_sub(1));
    let mut checker = Checker::from(program, sources, before, kept);
    checker.check_program(kept);
    checker.finish()
}

/// What is known of items, and where each module's part of the tables begins.
#[derive(Debug, Default)]
struct Known {
    globals: PerItem<GlobalId>,
    functions: PerItem<Rc<FnSig>>,
    values: PerItem<Scheme>,
    enums: PerItem<Rc<EnumSig>>,
    aliases: PerItem<signatures::Alias>,
    field_defaults: Vec<FieldDefault>,
    /// As they were found.
    diagnostics: Vec<Diagnostic>,
    marks: Vec<Mark>,
}

/// How much was there before a module was checked.
#[derive(Clone, Copy, Debug)]
struct Mark {
    types: types::Mark,
    globals: usize,
    functions: usize,
    field_defaults: usize,
    diagnostics: usize,
}

/// A node with its type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typed {
    pub(super) node: NodeId,
    pub(super) ty: Ty,
}

/// Why a type is expected: what an error says beside it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Why {
    /// It goes without saying.
    Plain,
    /// A type that was written there.
    Written(Span),
    /// The parameter of a function.
    Param(ItemRef, u32),
    /// The field of a declared type or variant.
    Field(Span),
    /// An earlier branch or element.
    Sibling(Span),
    /// A condition.
    Condition,
}

/// An operation on a type that was not known yet.
#[derive(Debug)]
pub(super) struct Deferred {
    ty: Ty,
    span: Span,
    rule: operators::Rule,
}

/// What belongs to the item that is being checked.
#[derive(Debug)]
pub(super) struct Context {
    module: ModuleId,
    /// The item, for the table of locals.
    item: Option<ItemRef>,
    frames: Vec<Frame>,
    /// Types of locals, by `LocalId`.
    locals: Vec<Ty>,
    tparams: Vec<Ty>,
    /// Parameters that a dimension may name.
    dims: Vec<Name>,
    /// Whether a written type may be an open record.
    open_records: bool,
    numbers: Vec<NumberLiteral>,
    deferred: Vec<Deferred>,
    /// Loops around that count where pairs may have been meant to be taken apart.
    counting: Vec<comprehensions::Counting>,
    /// Parts of long chains that are done; see [`Checker::synth`].
    ready: FxHashMap<ExprId, Typed>,
    depth: u32,
}

impl Context {
    fn new(module: ModuleId, item: Option<ItemRef>, locals: usize) -> Self {
        Self {
            module,
            item,
            frames: Vec::new(),
            locals: vec![Ty::ERROR; locals],
            tparams: Vec::new(),
            dims: Vec::new(),
            open_records: false,
            numbers: Vec::new(),
            deferred: Vec::new(),
            counting: Vec::new(),
            ready: FxHashMap::default(),
            depth: 0,
        }
    }
}

/// The state of a check.
pub(super) struct Checker<'p> {
    program: &'p Program,
    /// The module that a person builds from.
    entry: ModuleId,
    sources: &'p Sources,
    types: Types,
    diagnostics: Vec<Diagnostic>,
    core: Core,
    table: TypeTable,
    globals: PerItem<GlobalId>,
    functions: PerItem<Rc<FnSig>>,
    values: PerItem<Scheme>,
    enums: PerItem<Rc<EnumSig>>,
    aliases: PerItem<signatures::Alias>,
    field_defaults: Vec<FieldDefault>,
    marks: Vec<Mark>,
    cx: Context,
    /// What is checked; none is all.
    needed: Option<order::Needed>,
    /// Operations whose types other items of the component may still settle.
    left_open: Vec<Deferred>,
    /// The types of summaries, once one is met.
    remembered: Option<Vec<Option<Ty>>>,
    lacks: Cell<bool>,
}

impl<'p> Checker<'p> {
    fn new(program: &'p Program, sources: &'p Sources) -> Self {
        Self::from(program, sources, Checked::default(), 0)
    }

    /// The state after the first `kept` modules of `before`.
    fn from(program: &'p Program, sources: &'p Sources, before: Checked, kept: usize) -> Self {
        let Checked {
            mut core,
            types: mut table,
            mut known,
            ..
        } = before;
        let mut types = table.take_types();
        let first = ModuleId(kept as u32);
        if let Some(mark) = known.marks.get(kept) {
            types.forget_since(mark.types);
            core.globals.truncate(mark.globals);
            core.functions.truncate(mark.functions);
            known.field_defaults.truncate(mark.field_defaults);
            known.diagnostics.truncate(mark.diagnostics);
        }
        core.entry.clear();
        core.result = None;
        known.globals.forget_from(first);
        known.functions.forget_from(first);
        known.values.forget_from(first);
        known.enums.forget_from(first);
        known.aliases.forget_from(first);
        known.marks.truncate(kept);
        table.forget_from(first, program);
        Self {
            entry: ModuleId(program.modules.len().saturating_sub(1) as u32),
            program,
            sources,
            types,
            diagnostics: known.diagnostics,
            core,
            table,
            globals: known.globals,
            functions: known.functions,
            values: known.values,
            enums: known.enums,
            aliases: known.aliases,
            field_defaults: known.field_defaults,
            marks: known.marks,
            cx: Context::new(ModuleId(0), None, 0),
            needed: None,
            left_open: Vec::new(),
            remembered: None,
            lacks: Cell::new(false),
        }
    }

    fn finish(mut self) -> Checked {
        let modules = &self.program.modules;
        let broken = |found: &Diagnostic| modules.iter().any(|module| module.is_broken(found.span()));
        let mut diagnostics = self.diagnostics.clone();
        diagnostics.retain(|found| !broken(found));
        diagnostics.sort_by(|a, b| (a.span(), a.code).cmp(&(b.span(), b.code)));
        diagnostics.dedup();
        self.table.set_types(self.types);
        self.core.tables = Arc::clone(&self.program.tables);
        Checked {
            lacks: self.lacks.get(),
            core: self.core,
            types: self.table,
            diagnostics,
            known: Known {
                globals: self.globals,
                functions: self.functions,
                values: self.values,
                enums: self.enums,
                aliases: self.aliases,
                field_defaults: self.field_defaults,
                diagnostics: self.diagnostics,
                marks: self.marks,
            },
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            types: self.types.mark(),
            globals: self.core.globals.len(),
            functions: self.core.functions.len(),
            field_defaults: self.field_defaults.len(),
            diagnostics: self.diagnostics.len(),
        }
    }

    /// Runs `work` in a context of its own.
    fn within<T>(&mut self, context: Context, work: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.cx, context);
        let made = work(self);
        self.cx = outer;
        made
    }

    fn module_id(&self) -> ModuleId {
        self.cx.module
    }

    fn module(&self) -> &'p hir::Module {
        self.program.module(self.module_id())
    }

    fn expr(&self, id: ExprId) -> &'p hir::Expr {
        &self.module().exprs[id.0 as usize]
    }

    fn span(&self, id: ExprId) -> Span {
        self.module().expr_spans[id.0 as usize]
    }

    fn pat(&self, id: PatId) -> &'p hir::Pat {
        &self.module().pats[id.0 as usize]
    }

    fn pat_span(&self, id: PatId) -> Span {
        self.module().pat_spans[id.0 as usize]
    }

    fn type_span(&self, id: TypeId) -> Span {
        self.module().type_spans[id.0 as usize]
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        let diagnostic = match self.cx.counting.is_empty() {
            true => Some(diagnostic),
            false => self.with_counting(diagnostic),
        };
        self.diagnostics.extend(diagnostic);
    }

    /// Whether errors were reported since there were `count` diagnostics.
    fn errors_since(&self, count: usize) -> bool {
        self.diagnostics[count..]
            .iter()
            .any(|found| found.severity == Severity::Error)
    }

    /// The text of an expression, for mends; nothing for one of several lines.
    fn source_text(&self, id: ExprId) -> &'p str {
        let text = self.sources.text(self.span(id));
        if text.contains('\n') { "…" } else { text }
    }
}
