//! Running operations. Frames of `eval` and `run` are what deep programs fill the native stack with, so they stay small:
//! whatever is long stands in a function of its own.

use super::blame::Place;
use super::code::{At, Code, Element, Op, OutputOp, Pattern, RecordEntry, RecordOp, VariantOp};
use super::late::{Operation, Term};
use super::machine::{Failed, Machine};
use super::names::Symbol;
use super::value::{Closure, DeclaredOutput, List, Record, Value, Variant};
use crate::core::{Coercion, FunctionId};
use crate::hir::BinaryOp;
use std::rc::Rc;

impl<'c> Machine<'c> {
    /// The value of the operation `at`.
    pub(crate) fn eval(&mut self, code: &Code<'c>, at: At) -> Result<Value, Failed> {
        match &code.ops[at as usize] {
            Op::Const(value) => return Ok(value.clone()),
            Op::Local(slot) => return Ok(self.stack[self.base + *slot as usize].clone()),
            Op::Take(slot) => {
                return Ok(std::mem::replace(
                    &mut self.stack[self.base + *slot as usize],
                    Value::Null,
                ));
            }
            _ => {}
        }
        self.deeper(Place { code: code.id, at })?;
        let result = self.run(code, at);
        self.depth -= 1;
        result
    }

    /// Counts a level; the caller counts it off.
    #[inline]
    pub(crate) fn deeper(&mut self, place: Place) -> Result<(), Failed> {
        if self.depth >= self.deepest {
            self.deepen(place)?;
        }
        self.depth += 1;
        Ok(())
    }

    /// It is deeper than ever before; maybe too deep.
    #[cold]
    fn deepen(&mut self, place: Place) -> Result<(), Failed> {
        if self.depth >= self.limits.depth {
            return Err(self.calls_too_deep(place));
        }
        self.deepest = self.depth + 1;
        Ok(())
    }

    fn run(&mut self, code: &Code<'c>, mut at: At) -> Result<Value, Failed> {
        loop {
            match &code.ops[at as usize] {
                Op::If(condition, then, otherwise) => {
                    at = if self.truth(code, *condition)? {
                        *then
                    } else {
                        *otherwise
                    };
                }
                Op::Bind(slot, value, body) => {
                    self.bind_let(code, *slot, *value)?;
                    at = *body;
                }
                Op::Let(pattern, value, body) => {
                    let value = self.eval(code, *value)?;
                    self.bind(pattern, value);
                    at = *body;
                }
                Op::Match(scrutinee, arms) => {
                    let value = self.eval(code, *scrutinee)?;
                    at = self.choose(code, &value, arms, at)?;
                }
                Op::Coalesce(left, right) => match self.eval(code, *left)? {
                    Value::Null => at = *right,
                    late @ Value::Late(_) => {
                        return self.connect_late(code, BinaryOp::Coalesce, &late, *right, at);
                    }
                    value => return Ok(value),
                },
                Op::And(left, right) => match self.eval(code, *left)? {
                    Value::Bool(true) => at = *right,
                    Value::Bool(false) => return Ok(Value::Bool(false)),
                    left => return self.connect_late(code, BinaryOp::And, &left, *right, at),
                },
                Op::Or(left, right) => match self.eval(code, *left)? {
                    Value::Bool(false) => at = *right,
                    Value::Bool(true) => return Ok(Value::Bool(true)),
                    left => return self.connect_late(code, BinaryOp::Or, &left, *right, at),
                },
                Op::Const(_) | Op::Local(_) | Op::Take(_) => return self.eval(code, at),
                Op::Binary(op, left, right) => return self.binary(code, at, *op, *left, *right),
                Op::Call(function, args) => return self.call_function(code, at, *function, args),
                Op::Field(base, name, _) => return self.field(code, at, *base, *name),
                _ => return self.run_other(code, at),
            }
        }
    }

    #[inline(never)]
    fn run_other(&mut self, code: &Code<'c>, at: At) -> Result<Value, Failed> {
        let place = Place { code: code.id, at };
        match &code.ops[at as usize] {
            Op::Error => Err(Failed),
            Op::Global(global) => self.global(*global),
            Op::Closure(function, slots) => self.closure(*function, slots, place),
            Op::CallValue(callee, args) => {
                let callee = self.eval(code, *callee)?;
                for arg in args {
                    let value = self.eval(code, *arg)?;
                    self.stack.push(value);
                }
                self.call_value(&callee, args.len(), place)
            }
            Op::Default(..) => self.default(code, at),
            Op::Index(base, index) => self.index(code, *base, *index),
            Op::MapIndex(base, key) => self.map_index(code, *base, *key),
            Op::Neg(value) => {
                let value = self.eval(code, *value)?;
                self.negate(&value, place)
            }
            Op::Not(value) => match self.eval(code, *value)? {
                Value::Bool(value) => Ok(Value::Bool(!value)),
                Value::Late(id) => Ok(self.formula(Operation::Unary("not", Term::Late(id)), place)),
                other => Err(self.unexpected(place, "true or false", &other)),
            },
            Op::List(elements) => self.list_op(code, elements, place),
            Op::Record(record) => self.record_op(code, record, place),
            Op::Variant(variant) => self.variant_op(code, variant, place),
            Op::Map(entries) => self.map_op(code, entries, place),
            Op::For(comprehension) => self.comprehension(code, comprehension, place),
            Op::Interpolate(parts) => self.interpolate(code, parts),
            Op::Pieces(parts) => self.pieces(code, parts, place),
            Op::Path(source, parts) => self.path(code, *source, parts, place),
            Op::Output(output) => self.output_op(code, output, place),
            Op::Coerce(value, to) => self.coerce(code, *value, *to, place),
            Op::Decode(value, schema) => {
                let value = self.eval(code, *value)?;
                self.decode(&value, schema, place)
            }
            // `run` does all others.
            _ => self.run(code, at),
        }
    }

    pub(super) fn truth(&mut self, code: &Code<'c>, at: At) -> Result<bool, Failed> {
        match self.eval(code, at)? {
            Value::Bool(value) => Ok(value),
            other => Err(self.unexpected(Place { code: code.id, at }, "true or false", &other)),
        }
    }

    /// `left and …`, `left or …`, `left ?? …`, where the build will say what the left side is.
    #[cold]
    fn connect_late(
        &mut self,
        code: &Code<'c>,
        op: BinaryOp,
        left: &Value,
        right: At,
        at: At,
    ) -> Result<Value, Failed> {
        let place = Place { code: code.id, at };
        if !matches!(left, Value::Late(_)) {
            return Err(self.unexpected(place, "true or false", left));
        }
        let right = self.eval(code, right)?;
        self.operate_late(op, left, &right, place)
    }

    #[inline(never)]
    fn binary(
        &mut self,
        code: &Code<'c>,
        at: At,
        op: BinaryOp,
        left: At,
        right: At,
    ) -> Result<Value, Failed> {
        let left = self.eval(code, left)?;
        let right = self.eval(code, right)?;
        if let (Value::Int(left), Value::Int(right)) = (&left, &right) {
            let value = match op {
                BinaryOp::Add => left.checked_add(*right).map(Value::Int),
                BinaryOp::Sub => left.checked_sub(*right).map(Value::Int),
                BinaryOp::Lt => Some(Value::Bool(left < right)),
                BinaryOp::Eq => Some(Value::Bool(left == right)),
                _ => None,
            };
            if let Some(value) = value {
                return Ok(value);
            }
        }
        self.operate(op, left, right, Place { code: code.id, at })
    }

    #[inline(never)]
    fn call_function(
        &mut self,
        code: &Code<'c>,
        at: At,
        function: FunctionId,
        args: &[At],
    ) -> Result<Value, Failed> {
        let below = self.stack.len();
        for (index, arg) in args.iter().enumerate() {
            let made = self.specs.mark();
            match self.eval(code, *arg) {
                Ok(value) => self.stack.push(value),
                Err(Failed) => {
                    self.stack.truncate(below);
                    return Err(Failed);
                }
            }
            if self.specs.mark() > made {
                let param = &self.core.functions[function.0 as usize].params[index];
                self.specs.name(made, &format!(".{param}"));
            }
        }
        self.call(function, args.len(), Place { code: code.id, at })
    }

    #[inline(never)]
    fn bind_let(&mut self, code: &Code<'c>, slot: u32, value: At) -> Result<(), Failed> {
        let made = self.specs.mark();
        let value = self.eval(code, value)?;
        if self.specs.mark() > made
            && let Some(name) = code.slot_name(slot)
        {
            self.specs.name(made, &format!(".{name}"));
        }
        self.stack[self.base + slot as usize] = value;
        Ok(())
    }

    #[inline(never)]
    fn field(&mut self, code: &Code<'c>, at: At, base: At, name: Symbol) -> Result<Value, Failed> {
        // A local's field is read in its place: moving the record out and dropping it would cost more.
        if let Op::Local(slot) = code.ops[base as usize]
            && let Value::Record(record) = &self.stack[self.base + slot as usize]
        {
            let index = self.cell(code, at, record, name);
            if let Some(value) = index.and_then(|index| record.cells().get(index)) {
                return Ok(value.clone());
            }
        }
        let base = self.eval(code, base)?;
        if let Value::Record(record) = &base
            && let Some(index) = self.cell(code, at, record, name)
        {
            return Ok(record.cells()[index].clone());
        }
        self.field_of(&base, name, Place { code: code.id, at })
    }

    #[inline]
    fn cell(&self, code: &Code<'c>, at: At, record: &Record, name: Symbol) -> Option<usize> {
        let Op::Field(_, _, cache) = &code.ops[at as usize] else {
            return None;
        };
        let (shape, index) = cache.get();
        if shape == record.shape.0 {
            return Some(index as usize);
        }
        let index = self.names.index(record.shape, name)?;
        cache.set((record.shape.0, index as u32));
        Some(index)
    }

    #[inline(never)]
    fn default(&mut self, code: &Code<'c>, at: At) -> Result<Value, Failed> {
        let Op::Default(body, cache) = &code.ops[at as usize] else {
            return Err(Failed);
        };
        let own = match cache.get() {
            Some(id) => Rc::clone(&self.codes[id as usize]),
            None => {
                let own = self.compile_default(body);
                cache.set(Some(own.id));
                own
            }
        };
        self.frame(&own)
    }

    #[inline(never)]
    fn closure(&mut self, function: FunctionId, slots: &[u32], place: Place) -> Result<Value, Failed> {
        let captures = slots
            .iter()
            .map(|slot| self.stack[self.base + *slot as usize].clone())
            .collect();
        match Closure::new(function, captures) {
            Some(closure) => Ok(Value::Closure(closure)),
            None => Err(self.too_deep(place)),
        }
    }

    #[inline(never)]
    fn list_op(&mut self, code: &Code<'c>, elements: &[Element], place: Place) -> Result<Value, Failed> {
        let mut items = Vec::new();
        let mut deepest = 0;
        for (index, element) in elements.iter().enumerate() {
            let made = self.specs.mark();
            match element {
                Element::Item(at) => {
                    if items.capacity() == 0 {
                        items.reserve_exact(elements.len());
                    }
                    let value = self.eval(code, *at)?;
                    if self.specs.mark() > made {
                        self.specs.name(made, &format!("[{index}]"));
                    }
                    deepest = deepest.max(value.depth());
                    items.push(value);
                }
                Element::Spread(at) => match self.eval(code, *at)? {
                    Value::List(list) => {
                        deepest = deepest.max(list.deepest());
                        self.reserve((items.len() + list.items().len()) * 16, place)?;
                        if items.is_empty() {
                            items = List::into_items(list);
                        } else {
                            items.extend_from_slice(list.items());
                        }
                    }
                    other => return Err(self.unexpected(place, "a list", &other)),
                },
            }
        }
        self.list_with(items, deepest, place)
    }

    #[inline(never)]
    fn record_op(&mut self, code: &Code<'c>, record: &RecordOp, place: Place) -> Result<Value, Failed> {
        let Some(shape) = record.shape else {
            return self.spread_record(code, record, place);
        };
        let mut cells = Vec::with_capacity(record.entries.len());
        for entry in &record.entries {
            if let RecordEntry::Field(name, at) = entry {
                cells.push(self.named_field(code, *name, *at)?);
            }
        }
        self.record(shape, cells, place)
    }

    fn named_field(&mut self, code: &Code<'c>, name: Symbol, at: At) -> Result<Value, Failed> {
        let made = self.specs.mark();
        let value = self.eval(code, at)?;
        if self.specs.mark() > made {
            let segment = format!(".{}", self.names.text(name));
            self.specs.name(made, &segment);
        }
        Ok(value)
    }

    /// `{ ...base, a: 1 }`: in place where nothing else holds `base`, a copy with the same shape where it has the fields.
    fn spread_record(&mut self, code: &Code<'c>, op: &RecordOp, place: Place) -> Result<Value, Failed> {
        let mut entries = op.entries.iter();
        let mut base: Option<Rc<Record>> = None;
        if let Some(RecordEntry::Spread(at)) = op.entries.first() {
            let value = self.eval(code, *at)?;
            if let Value::Record(record) = value {
                base = Some(record);
                entries.next();
            } else if !matches!(value, Value::Map(_)) {
                return Err(self.unexpected(place, "a record", &value));
            }
        }
        let mut fields: Vec<(Symbol, Value)> = Vec::new();
        for entry in entries {
            match entry {
                RecordEntry::Field(name, at) => {
                    let value = self.named_field(code, *name, *at)?;
                    if let Some(record) = base.as_mut()
                        && let Some(index) = self.names.index(record.shape, *name)
                    {
                        if Rc::get_mut(record).is_none() {
                            *record = record.copy();
                        }
                        if !Rc::get_mut(record).is_some_and(|own| own.set(index, value)) {
                            return Err(self.too_deep(place));
                        }
                        continue;
                    }
                    if let Some(record) = base.take() {
                        self.unpack(&record, &mut fields);
                    }
                    put(&mut fields, *name, value);
                }
                RecordEntry::Spread(at) => {
                    if let Some(record) = base.take() {
                        self.unpack(&record, &mut fields);
                    }
                    match self.eval(code, *at)? {
                        Value::Record(record) => self.unpack(&record, &mut fields),
                        other => return Err(self.unexpected(place, "a record", &other)),
                    }
                }
            }
        }
        if let Some(record) = base {
            return Ok(Value::Record(record));
        }
        let symbols: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
        let shape = self.names.shape(&symbols);
        self.record(shape, fields.into_iter().map(|(_, value)| value).collect(), place)
    }

    fn unpack(&self, record: &Record, fields: &mut Vec<(Symbol, Value)>) {
        for (name, value) in self.names.fields(record.shape).iter().zip(record.cells()) {
            put(fields, *name, value.clone());
        }
    }

    #[inline(never)]
    fn variant_op(&mut self, code: &Code<'c>, op: &VariantOp, place: Place) -> Result<Value, Failed> {
        let mut cells = Vec::with_capacity(op.fields.len());
        for at in &op.fields {
            cells.push(self.eval(code, *at)?);
        }
        match Variant::new(op.name, op.shape, cells, 0) {
            Some(variant) => Ok(Value::Variant(variant)),
            None => Err(self.too_deep(place)),
        }
    }

    #[inline(never)]
    fn output_op(&mut self, code: &Code<'c>, op: &OutputOp, place: Place) -> Result<Value, Failed> {
        let mut args = Vec::new();
        for (name, at) in &op.args {
            args.push((*name, self.eval(code, *at)?));
        }
        let origin = self.origins.note(place, &self.calls, &self.codes);
        Ok(Value::Output(Rc::new(DeclaredOutput {
            kind: op.kind,
            args,
            schema: op.schema.clone(),
            origin,
        })))
    }

    #[inline(never)]
    fn coerce(&mut self, code: &Code<'c>, at: At, to: Coercion, place: Place) -> Result<Value, Failed> {
        let value = self.eval(code, at)?;
        match to {
            Coercion::Arg => self.argument(value, place),
        }
    }

    /// Binds the parts that an irrefutable pattern names.
    pub(crate) fn bind(&mut self, pattern: &Pattern, value: Value) {
        match pattern {
            Pattern::Bind(slot) => self.stack[self.base + *slot as usize] = value,
            Pattern::Record(fields) => {
                if let Value::Record(record) = &value {
                    for (name, pattern) in fields {
                        if let Some(index) = self.names.index(record.shape, *name) {
                            self.bind(pattern, record.cells()[index].clone());
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

fn put(fields: &mut Vec<(Symbol, Value)>, name: Symbol, value: Value) {
    match fields.iter_mut().find(|(own, _)| *own == name) {
        Some((_, own)) => *own = value,
        None => fields.push((name, value)),
    }
}
