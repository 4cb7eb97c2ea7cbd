//! The machine: globals on demand, calls with frames on one stack, and the limits that keep every program finite.
//!
//! [`super::run`] runs operations on it, [`super::intrinsics`] are functions over it, [`super::blame`] says where an
//! error is. A value is eager within a binding; a binding is evaluated when something first asks for it.

use super::artifact::Artifacts;
use super::blame::{Call, Origins, Place};
use super::code::Code;
use super::compile::compile;
use super::intrinsics::{self, Intrinsic, Networks};
use super::names::{Names, ShapeId, Symbol};
use super::naming::Drafts;
use super::trace::Tensors;
use super::value::{Closure, List, Map, Record, Value, Variant, live_bytes};
use crate::core::{Body, Core, FunctionCode, FunctionId, GlobalId, GlobalKind};
use crate::diagnostic::Diagnostic;
use crate::source::Sources;
use crate::summary::Spent;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// It failed, and that was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// What bounds an evaluation. The same in every build, so that a pipeline never works on one machine only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Nested operations: each takes up to 2 KiB of native stack in a debug build, and all of them together must fit in
    /// a thread of 8 MiB.
    pub(crate) depth: u32,
    /// Calls and rounds of loops.
    pub(crate) steps: u64,
    /// Bytes that values hold.
    pub(crate) memory: usize,
    /// Bytes of a value's text.
    pub(crate) text: usize,
}

impl Limits {
    /// What is left where `spent` was taken before.
    pub(super) fn leave_out(&mut self, spent: Spent) {
        self.steps = self.steps.saturating_sub(spent.steps);
        self.memory = self.memory.saturating_sub(spent.memory);
        self.depth = self.depth.saturating_sub(spent.depth);
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 2_500,
            // Tests go up to these.
            steps: if cfg!(test) { 300_000 } else { 200_000_000 },
            memory: if cfg!(test) { 64 << 20 } else { 2 << 30 },
            text: if cfg!(test) { 4 << 20 } else { 256 << 20 },
        }
    }
}

/// How far a binding is.
#[derive(Clone, Debug)]
enum State {
    Todo,
    Running,
    Done(Value),
    Failed,
}

/// What a function runs.
#[derive(Clone)]
pub(crate) enum Callable<'c> {
    Code(Rc<Code<'c>>),
    Intrinsic(Intrinsic),
    /// Makes a variant of its own name and parameters.
    Describe(Symbol, ShapeId),
    /// An operation on symbolic tensors, by its own name.
    Tensor(Symbol),
}

/// The machine.
pub(crate) struct Machine<'c> {
    pub(crate) core: &'c Core,
    pub(crate) sources: &'c Sources,
    pub(crate) names: Names,
    pub(crate) stack: Vec<Value>,
    /// Where the running frame begins in `stack`.
    pub(crate) base: usize,
    pub(crate) calls: Vec<Call>,
    pub(crate) codes: Vec<Rc<Code<'c>>>,
    pub(crate) depth: u32,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) specs: Drafts,
    pub(crate) artifacts: Artifacts,
    pub(crate) origins: Origins,
    pub(crate) tensors: Tensors,
    pub(crate) networks: Networks,
    pub(crate) limits: Limits,
    functions: Vec<Option<Callable<'c>>>,
    /// The codes of defaults, by the addresses of their bodies. Looked up, never iterated.
    defaults: FxHashMap<usize, u32>,
    globals: Vec<State>,
    running: Vec<GlobalId>,
    steps: u64,
    /// The most bytes that values held when that was asked.
    most: usize,
    /// The most operations that were nested.
    pub(super) deepest: u32,
    /// Values of summaries that were asked for.
    pub(super) recalled: FxHashMap<u32, Value>,
    /// Whether a value was asked for that is not remembered.
    lacks: bool,
}

impl<'c> Machine<'c> {
    pub(crate) fn new(core: &'c Core, sources: &'c Sources) -> Self {
        Self {
            core,
            sources,
            names: Names::new(),
            stack: Vec::new(),
            base: 0,
            calls: Vec::new(),
            codes: Vec::new(),
            depth: 0,
            diagnostics: Vec::new(),
            specs: Drafts::default(),
            artifacts: Artifacts::default(),
            origins: Origins::new(sources),
            tensors: Tensors::default(),
            networks: Networks::default(),
            limits: Limits::default(),
            functions: vec![None; core.functions.len()],
            defaults: FxHashMap::default(),
            globals: vec![State::Todo; core.globals.len()],
            running: Vec::new(),
            steps: 0,
            most: 0,
            deepest: 0,
            recalled: FxHashMap::default(),
            lacks: false,
        }
    }

    /// The value of a global, evaluated if nothing asked for it before.
    pub(crate) fn global(&mut self, id: GlobalId) -> Result<Value, Failed> {
        match &self.globals[id.0 as usize] {
            State::Done(value) => Ok(value.clone()),
            State::Failed => Err(Failed),
            State::Running => Err(self.cycle(id)),
            State::Todo => self.demand(id),
        }
    }

    fn demand(&mut self, id: GlobalId) -> Result<Value, Failed> {
        let core = self.core;
        let global = &core.globals[id.0 as usize];
        let body = match &global.kind {
            GlobalKind::Remembered(value) => return self.recall(id, *value),
            GlobalKind::Function(function) => return Ok(Value::Function(*function)),
            GlobalKind::Value(body) => body,
            GlobalKind::Param { value } => match value {
                Some(body) => body,
                None => {
                    let error = Diagnostic::error(
                        "E0413",
                        global.span,
                        format!("param `{}` has no value", global.name),
                    )
                    .at("has no default")
                    .help(format!(
                        "give one with `--set {}=…`, or write a default",
                        global.name
                    ));
                    self.globals[id.0 as usize] = State::Failed;
                    return Err(self.fail(error));
                }
            },
        };
        self.globals[id.0 as usize] = State::Running;
        self.running.push(id);
        let calls = std::mem::take(&mut self.calls);
        let made = self.specs.mark();
        let code = self.compile(body);
        let result = self.frame(&code);
        self.forget_ops(code);
        self.specs.close(made, &global.name);
        self.calls = calls;
        self.running.pop();
        self.globals[id.0 as usize] = match &result {
            Ok(value) => State::Done(value.clone()),
            Err(Failed) => State::Failed,
        };
        result
    }

    /// The value of a global that a summary stands for.
    fn recall(&mut self, id: GlobalId, value: Option<u32>) -> Result<Value, Failed> {
        let value = value.and_then(|at| self.remembered(at));
        self.globals[id.0 as usize] = match &value {
            Some(value) => State::Done(value.clone()),
            None => State::Failed,
        };
        self.lacks |= value.is_none();
        value.ok_or(Failed)
    }

    /// The value of a global that was asked for and did not fail.
    pub(super) fn value_of(&self, id: GlobalId) -> Option<&Value> {
        match &self.globals[id.0 as usize] {
            State::Done(value) => Some(value),
            _ => None,
        }
    }

    /// What was taken so far.
    pub(super) fn spent(&self) -> Spent {
        Spent {
            steps: self.steps,
            memory: self.most,
            depth: self.deepest,
        }
    }

    fn cycle(&mut self, id: GlobalId) -> Failed {
        let core = self.core;
        let start = self
            .running
            .iter()
            .position(|running| *running == id)
            .unwrap_or(0);
        let ring = &self.running[start..];
        let names: Vec<_> = ring
            .iter()
            .chain([&id])
            .map(|id| core.globals[id.0 as usize].name.as_str())
            .collect();
        let mut error = Diagnostic::error(
            "E0401",
            core.globals[id.0 as usize].span,
            format!("cycle: {}", names.join(" → ")),
        )
        .at("needs its own value");
        for other in ring.iter().skip(1).take(3) {
            error = error.label(core.globals[other.0 as usize].span, "needed on the way");
        }
        self.fail(error.help("let one of them not use the others"))
    }

    /// Drops the operations of code that never runs again. Messages that point into it read its body.
    fn forget_ops(&mut self, code: Rc<Code<'c>>) {
        let id = code.id as usize;
        drop(code);
        if let Some(code) = Rc::get_mut(&mut self.codes[id]) {
            code.ops = Vec::new();
        }
    }

    /// Runs code without parameters in a frame of its own.
    pub(crate) fn frame(&mut self, code: &Code<'c>) -> Result<Value, Failed> {
        let top = self.stack.len();
        self.stack.resize(top + code.slots as usize, Value::Null);
        let base = std::mem::replace(&mut self.base, top);
        let result = self.eval(code, code.body.root.0);
        self.base = base;
        self.stack.truncate(top);
        result
    }

    pub(crate) fn compile(&mut self, body: &'c Body) -> Rc<Code<'c>> {
        let id = self.codes.len() as u32;
        let code = Rc::new(compile(self.core, body, id, &mut self.names));
        self.codes.push(Rc::clone(&code));
        code
    }

    /// The code of a default, which many calls share.
    pub(crate) fn compile_default(&mut self, body: &'c Body) -> Rc<Code<'c>> {
        let address = std::ptr::from_ref(body).addr();
        if let Some(code) = self.defaults.get(&address) {
            return Rc::clone(&self.codes[*code as usize]);
        }
        let code = self.compile(body);
        self.defaults.insert(address, code.id);
        code
    }

    fn callable(&mut self, function: FunctionId) -> Callable<'c> {
        if let Some(callable) = &self.functions[function.0 as usize] {
            return callable.clone();
        }
        let core = self.core;
        let definition = &core.functions[function.0 as usize];
        let callable = match &definition.code {
            FunctionCode::Body(body) => Callable::Code(self.compile(body)),
            FunctionCode::Intrinsic { result } => match intrinsics::find(&definition.name) {
                Some(intrinsic) => Callable::Intrinsic(intrinsic),
                None => {
                    let own = definition.name.rsplit('.').next().unwrap_or(&definition.name);
                    if result.as_deref() == Some("Tensor") {
                        let callable = Callable::Tensor(self.names.symbol(own));
                        self.functions[function.0 as usize] = Some(callable.clone());
                        return callable;
                    }
                    let fields: Vec<_> = definition
                        .params
                        .iter()
                        .map(|param| self.names.symbol(param))
                        .collect();
                    Callable::Describe(self.names.symbol(own), self.names.shape(&fields))
                }
            },
        };
        self.functions[function.0 as usize] = Some(callable.clone());
        callable
    }

    /// Calls `function` with the top `count` values of the stack, which it takes.
    pub(crate) fn call(&mut self, function: FunctionId, count: usize, place: Place) -> Result<Value, Failed> {
        self.step(place)?;
        match self.callable(function) {
            Callable::Code(code) => self.enter(&code, function, count, None, place),
            Callable::Intrinsic(intrinsic) => {
                let below = self.stack.len() - count;
                let result = intrinsic(self, function, place);
                self.stack.truncate(below);
                result
            }
            Callable::Tensor(op) => Ok(self.tensor_call(function, op, place)),
            Callable::Describe(name, shape) => {
                let cells = self.stack.split_off(self.stack.len() - count);
                let origin = self.origins.note(place, &self.calls, &self.codes);
                match Variant::new(name, shape, cells, origin) {
                    Some(variant) => Ok(Value::Variant(variant)),
                    None => Err(self.too_deep(place)),
                }
            }
        }
    }

    /// Calls a function value with the top `count` values of the stack, which it takes.
    pub(crate) fn call_value(&mut self, callee: &Value, count: usize, place: Place) -> Result<Value, Failed> {
        match callee {
            Value::Function(function) => self.call(*function, count, place),
            Value::Closure(closure) => {
                self.step(place)?;
                match self.callable(closure.function) {
                    Callable::Code(code) => self.enter(&code, closure.function, count, Some(closure), place),
                    _ => self.call(closure.function, count, place),
                }
            }
            Value::Use(pick) => {
                self.step(place)?;
                let [f] = self.args();
                self.use_pick(pick, &f, place)
            }
            other => Err(self.unexpected(place, "a function", other)),
        }
    }

    /// Calls a function value with these arguments.
    pub(crate) fn apply<const N: usize>(
        &mut self,
        callee: &Value,
        args: [Value; N],
        place: Place,
    ) -> Result<Value, Failed> {
        self.stack.extend(args);
        self.call_value(callee, N, place)
    }

    fn enter(
        &mut self,
        code: &Code<'c>,
        function: FunctionId,
        count: usize,
        closure: Option<&Closure>,
        place: Place,
    ) -> Result<Value, Failed> {
        let base = self.stack.len() - count;
        self.stack.resize(base + code.slots as usize, Value::Null);
        if let Some(closure) = closure {
            self.stack.extend_from_slice(&closure.captures);
        }
        let caller = std::mem::replace(&mut self.base, base);
        self.calls.push(Call { place, function });
        let result = self.eval(code, code.body.root.0);
        self.calls.pop();
        self.base = caller;
        self.stack.truncate(base);
        result
    }

    /// Counts a call or a round of a loop.
    #[inline]
    pub(crate) fn step(&mut self, place: Place) -> Result<(), Failed> {
        self.steps += 1;
        if self.steps > self.limits.steps || live_bytes() > self.most {
            return self.more(place);
        }
        Ok(())
    }

    /// More was taken than ever before; maybe more than there is.
    #[cold]
    fn more(&mut self, place: Place) -> Result<(), Failed> {
        if self.steps > self.limits.steps || live_bytes() > self.limits.memory {
            return Err(self.exhausted(place));
        }
        // Not each byte more is to be noted.
        let more = live_bytes().saturating_add(live_bytes() / 8);
        self.most = more.min(self.limits.memory);
        Ok(())
    }

    /// Whether something was asked that is not remembered.
    pub(super) fn lacks(&self) -> bool {
        self.lacks || self.specs.lacks() || self.artifacts.lacks()
    }

    #[cold]
    fn exhausted(&mut self, place: Place) -> Failed {
        if live_bytes() > self.limits.memory {
            return self.out_of_memory(place);
        }
        let steps = self.limits.steps;
        let error = self
            .error(place, "E0408", format!("not done after {steps} steps"))
            .at("was running here")
            .help("does it ever end? Heavy work belongs in a step, not in the pipeline's text");
        self.fail(error)
    }

    /// Refuses what would take more memory than there may be.
    pub(crate) fn reserve(&mut self, bytes: usize, place: Place) -> Result<(), Failed> {
        if bytes > self.limits.memory.saturating_sub(live_bytes()) {
            return Err(self.out_of_memory(place));
        }
        self.most = self.most.max(live_bytes() + bytes);
        Ok(())
    }

    #[cold]
    pub(crate) fn out_of_memory(&mut self, place: Place) -> Failed {
        let limit = self.limits.memory >> 20;
        let error = self
            .error(
                place,
                "E0409",
                format!("the pipeline's values need more than {limit} MiB"),
            )
            .at("this would take it above the limit")
            .help("data belongs in files that steps read; the pipeline only names them");
        self.fail(error)
    }

    #[cold]
    pub(crate) fn too_deep(&mut self, place: Place) -> Failed {
        let error = self
            .error(place, "E0410", "data nested deeper than 1,000")
            .at("one more level is added here")
            .help("use a list whose elements stand side by side");
        self.fail(error)
    }

    #[cold]
    pub(crate) fn calls_too_deep(&mut self, place: Place) -> Failed {
        let error = self
            .error(place, "E0407", "calls nested too deep")
            .at("would go on further down")
            .help("does it ever end? Long lists are gone through with `fold`, `map` or `for`");
        self.fail(error)
    }

    /// A value that the checker should have kept out.
    #[cold]
    pub(crate) fn unexpected(&mut self, place: Place, wanted: &str, found: &Value) -> Failed {
        // The checker keeps out late values, but for those that stand for the differing plain values of a choice.
        if let Value::Late(_) = found {
            return self.too_late(place, wanted, found);
        }
        let error = self
            .error(
                place,
                "E0419",
                format!("{wanted} is needed here, not a {}", found.kind()),
            )
            .at(format!("this is a {}", found.kind()));
        let error = match found {
            Value::Tensor(_) => {
                error.help("operations on tensors are functions of `std.tensor`: `tensor.maximum(x, 0)`")
            }
            _ => error,
        };
        self.fail(error)
    }

    /// A list, if it is not nested too deep.
    pub(crate) fn list(&mut self, items: Vec<Value>, place: Place) -> Result<Value, Failed> {
        let deepest = items.iter().map(Value::depth).max().unwrap_or(0);
        self.list_with(items, deepest, place)
    }

    /// A list whose deepest element is known, if it is not nested too deep.
    pub(crate) fn list_with(
        &mut self,
        items: Vec<Value>,
        deepest: u16,
        place: Place,
    ) -> Result<Value, Failed> {
        match List::with(items, deepest) {
            Some(list) => Ok(Value::List(list)),
            None => Err(self.too_deep(place)),
        }
    }

    /// A record, if it is not nested too deep.
    pub(crate) fn record(
        &mut self,
        shape: ShapeId,
        cells: Vec<Value>,
        place: Place,
    ) -> Result<Value, Failed> {
        match Record::new(shape, cells) {
            Some(record) => Ok(Value::Record(record)),
            None => Err(self.too_deep(place)),
        }
    }

    /// A map, if it is not nested too deep.
    pub(crate) fn map(&mut self, entries: super::value::Entries, place: Place) -> Result<Value, Failed> {
        let deepest = entries.values().map(Value::depth).max().unwrap_or(0);
        self.map_with(entries, deepest, place)
    }

    /// A map whose deepest value is known, if it is not nested too deep.
    pub(crate) fn map_with(
        &mut self,
        entries: super::value::Entries,
        deepest: u16,
        place: Place,
    ) -> Result<Value, Failed> {
        match Map::with(entries, deepest) {
            Some(map) => Ok(Value::Map(map)),
            None => Err(self.too_deep(place)),
        }
    }

    /// Takes the arguments of an intrinsic off the stack.
    pub(crate) fn args<const N: usize>(&mut self) -> [Value; N] {
        let mut args = [const { Value::Null }; N];
        for arg in args.iter_mut().rev() {
            *arg = self.stack.pop().unwrap_or(Value::Null);
        }
        args
    }
}
