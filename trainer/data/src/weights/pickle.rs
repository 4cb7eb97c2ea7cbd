//! What `pickle` wrote of tensors, read without executing anything: of its machine the operations that dictionaries of
//! tensors need, and of what it may call the functions that make them. All else is refused by name.

use super::{Element, Stored};
use crate::bytes::Bytes;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The deepest nesting of dictionaries that is looked into.
const DEEPEST: usize = 16;
/// The most tensors that a file may have.
const MOST: usize = 1 << 20;

/// A value of the machine.
#[derive(Clone)]
pub(super) enum Value {
    None,
    Int(i64),
    /// What no tensor needs, and a checkpoint may hold: a float, a truth value, a large integer.
    Plain,
    Text(Rc<str>),
    Tuple(Rc<[Value]>),
    /// A list or a dictionary: a place in the machine's table, since both change after they are made.
    List(usize),
    Dict(usize),
    Callable(Callable),
    /// A type of storage: of what its elements are.
    Storage(Element),
    /// A storage of the file.
    Stored(Rc<Source>),
    Tensor(Rc<View>),
}

/// What may be called.
#[derive(Clone, Copy)]
pub(super) enum Callable {
    OrderedDict,
    Tensor,
    Parameter,
}

/// A storage of a file.
pub(super) struct Source {
    pub(super) key: String,
    pub(super) element: Element,
    pub(super) count: u64,
}

/// A tensor as a view of a storage.
pub(super) struct View {
    pub(super) source: Rc<Source>,
    offset: u64,
    shape: Vec<u64>,
    stride: Vec<u64>,
}

/// The machine.
pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    /// How far it has read.
    pub(super) at: usize,
    stack: Vec<Value>,
    /// Places in the stack.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Value>,
    lists: Vec<Vec<Value>>,
    dicts: Vec<Vec<(Value, Value)>>,
}

type Step<T> = Result<T, String>;

impl<'a> Machine<'a> {
    /// A machine that reads `bytes` from `at` on.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Machine<'a> {
        Machine {
            bytes,
            at,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: BTreeMap::new(),
            lists: Vec::new(),
            dicts: Vec::new(),
        }
    }

    /// Reads one value, to its end.
    pub(super) fn run(&mut self) -> Step<Value> {
        loop {
            let operation = self.take(1)?[0];
            if operation == b'.' {
                return self.pop();
            }
            self.step(operation)?;
        }
    }

    /// The texts of a list.
    pub(super) fn texts(&self, value: &Value) -> Option<Vec<String>> {
        let Value::List(list) = value else { return None };
        let text = |value: &Value| match value {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        };
        self.lists[*list].iter().map(text).collect()
    }

    /// The tensors of a value by their paths through dictionaries.
    pub(super) fn tensors(&self, value: &Value) -> Step<BTreeMap<String, Rc<View>>> {
        let mut found = BTreeMap::new();
        self.visit(value, "", 0, &mut 0, &mut found)?;
        Ok(found)
    }

    fn visit(
        &self,
        value: &Value,
        path: &str,
        depth: usize,
        seen: &mut usize,
        found: &mut BTreeMap<String, Rc<View>>,
    ) -> Step<()> {
        *seen += 1;
        if depth > DEEPEST || *seen > MOST {
            return Err("it is nested too deep, or has too many parts".to_owned());
        }
        match value {
            Value::Tensor(view) => {
                found.insert(path.to_owned(), Rc::clone(view));
            }
            Value::Dict(dict) => {
                for (key, value) in &self.dicts[*dict] {
                    let Value::Text(key) = key else { continue };
                    let path = if path.is_empty() {
                        key.to_string()
                    } else {
                        format!("{path}.{key}")
                    };
                    self.visit(value, &path, depth + 1, seen, found)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> Step<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..count).ok_or("it is cut short")?;
        self.at += count;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Step<u32> {
        let mut whole = [0; 4];
        whole[..N].copy_from_slice(self.take(N)?);
        Ok(u32::from_le_bytes(whole))
    }

    fn text(&mut self, length: usize) -> Step<Value> {
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| "a name in it is not UTF-8")?;
        Ok(Value::Text(text.into()))
    }

    /// A line, without its end.
    fn line(&mut self) -> Step<&'a str> {
        let rest = &self.bytes[self.at..];
        let length = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or("it is cut short")?;
        self.at += length + 1;
        std::str::from_utf8(&rest[..length]).map_err(|_| "a name in it is not UTF-8".to_owned())
    }

    fn pop(&mut self) -> Step<Value> {
        let bottom = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= bottom {
            return Err("its operations do not fit each other".to_owned());
        }
        self.stack.pop().ok_or_else(|| "it is empty".to_owned())
    }

    fn top(&self) -> Step<&Value> {
        self.stack
            .last()
            .ok_or_else(|| "its operations do not fit each other".to_owned())
    }

    /// What lies above the last mark, which goes.
    fn marked(&mut self) -> Step<Vec<Value>> {
        let mark = self.marks.pop().ok_or("its operations do not fit each other")?;
        Ok(self.stack.split_off(mark))
    }

    fn step(&mut self, operation: u8) -> Step<()> {
        let value = match operation {
            // The version, which says nothing that the operations do not.
            0x80 => return self.take(1).map(|_| ()),
            b'(' => {
                self.marks.push(self.stack.len());
                return Ok(());
            }
            b'q' | b'r' => {
                let place = if operation == b'q' {
                    self.number::<1>()
                } else {
                    self.number::<4>()
                }?;
                let value = self.top()?.clone();
                self.memo.insert(place, value);
                return Ok(());
            }
            b'h' | b'j' => {
                let place = if operation == b'h' {
                    self.number::<1>()
                } else {
                    self.number::<4>()
                }?;
                self.memo
                    .get(&place)
                    .ok_or("it refers to what is not there")?
                    .clone()
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                return self.extend(vec![key, value]);
            }
            b'u' | b'e' => {
                let all = self.marked()?;
                return self.extend(all);
            }
            b'a' => {
                let value = self.pop()?;
                return self.extend(vec![value]);
            }
            // Attributes of a dictionary: the versions of its modules.
            b'b' => {
                self.pop()?;
                return match self.top()? {
                    Value::Dict(_) => Ok(()),
                    _ => Err("it sets attributes of what is no dictionary".to_owned()),
                };
            }
            b'R' => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                self.call(&callable, &arguments)?
            }
            b'Q' => {
                let id = self.pop()?;
                storage(&id)?
            }
            _ => self.literal(operation)?,
        };
        self.stack.push(value);
        Ok(())
    }

    /// What an operation makes by itself, or of the values on top of the stack.
    fn literal(&mut self, operation: u8) -> Step<Value> {
        Ok(match operation {
            b'N' => Value::None,
            0x88 | 0x89 => Value::Plain,
            b'K' => Value::Int(i64::from(self.number::<1>()?)),
            b'M' => Value::Int(i64::from(self.number::<2>()?)),
            b'J' => Value::Int(i64::from(self.number::<4>()?.cast_signed())),
            0x8a => self.long()?,
            b'G' => {
                self.take(8)?;
                Value::Plain
            }
            b'X' => {
                let length = self.number::<4>()? as usize;
                self.text(length)?
            }
            b'}' => {
                self.dicts.push(Vec::new());
                Value::Dict(self.dicts.len() - 1)
            }
            b']' => {
                self.lists.push(Vec::new());
                Value::List(self.lists.len() - 1)
            }
            b')' => Value::Tuple(Rc::new([])),
            b't' => Value::Tuple(self.marked()?.into()),
            0x85..=0x87 => {
                let mut items = Vec::new();
                for _ in 0x84..operation {
                    items.insert(0, self.pop()?);
                }
                Value::Tuple(items.into())
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                global(module, name)?
            }
            other => {
                return Err(format!(
                    "it uses the operation {other:#04x} of pickle, which tensors do not need"
                ));
            }
        })
    }

    fn long(&mut self) -> Step<Value> {
        let length = self.number::<1>()? as usize;
        let bytes = self.take(length)?;
        if length > 8 {
            return Ok(Value::Plain);
        }
        let fill = if bytes.last().is_some_and(|byte| byte >> 7 == 1) {
            0xff
        } else {
            0
        };
        let mut whole = [fill; 8];
        whole[..length].copy_from_slice(bytes);
        Ok(Value::Int(i64::from_le_bytes(whole)))
    }

    /// Adds to the list or dictionary on top of the stack.
    fn extend(&mut self, values: Vec<Value>) -> Step<()> {
        match *self.top()? {
            Value::Dict(dict) => {
                let mut values = values.into_iter();
                while let (Some(key), Some(value)) = (values.next(), values.next()) {
                    self.dicts[dict].push((key, value));
                }
                Ok(())
            }
            Value::List(list) => {
                self.lists[list].extend(values);
                Ok(())
            }
            _ => Err("its operations do not fit each other".to_owned()),
        }
    }

    fn call(&mut self, callable: &Value, arguments: &Value) -> Step<Value> {
        let (Value::Callable(callable), Value::Tuple(arguments)) = (callable, arguments) else {
            return Err("it calls what cannot be called".to_owned());
        };
        match (callable, &arguments[..]) {
            (Callable::OrderedDict, []) => {
                self.dicts.push(Vec::new());
                Ok(Value::Dict(self.dicts.len() - 1))
            }
            (Callable::Parameter, [tensor @ Value::Tensor(_), ..]) => Ok(tensor.clone()),
            (Callable::Tensor, [Value::Stored(source), Value::Int(offset), shape, stride, ..]) => {
                let view = View {
                    source: Rc::clone(source),
                    offset: u64::try_from(*offset).map_err(|_| "a tensor begins before its storage")?,
                    shape: sizes(shape)?,
                    stride: sizes(stride)?,
                };
                Ok(Value::Tensor(Rc::new(view)))
            }
            _ => Err("a tensor in it is described in an unknown way".to_owned()),
        }
    }
}

fn sizes(value: &Value) -> Step<Vec<u64>> {
    let wrong = || "a tensor in it has a shape that is none".to_owned();
    let Value::Tuple(items) = value else {
        return Err(wrong());
    };
    let size = |item: &Value| match item {
        Value::Int(size) => u64::try_from(*size).map_err(|_| wrong()),
        _ => Err(wrong()),
    };
    items.iter().map(size).collect()
}

fn global(module: &str, name: &str) -> Step<Value> {
    let other = |size| Element::Other(name.to_owned(), size);
    let element = match (module, name) {
        ("collections", "OrderedDict") => return Ok(Value::Callable(Callable::OrderedDict)),
        ("torch._utils", "_rebuild_tensor_v2") => return Ok(Value::Callable(Callable::Tensor)),
        ("torch._utils", "_rebuild_parameter") => return Ok(Value::Callable(Callable::Parameter)),
        ("torch", "FloatStorage") => Element::F32,
        ("torch", "DoubleStorage") => Element::F64,
        ("torch", "HalfStorage") => Element::F16,
        ("torch", "BFloat16Storage") => Element::Bf16,
        ("torch", "LongStorage") => Element::I64,
        ("torch", "IntStorage") => other(4),
        ("torch", "ShortStorage") => other(2),
        ("torch", "CharStorage" | "ByteStorage" | "BoolStorage") => other(1),
        _ => {
            return Err(format!(
                "it refers to `{module}.{name}`, and only tensors are read"
            ));
        }
    };
    Ok(Value::Storage(element))
}

/// The storage of a persistent id: `("storage", type, key, place, count)`.
fn storage(id: &Value) -> Step<Value> {
    if let Value::Tuple(items) = id
        && let [
            Value::Text(word),
            Value::Storage(element),
            Value::Text(key),
            _,
            Value::Int(count),
            rest @ ..,
        ] = &items[..]
        && &**word == "storage"
        && matches!(rest, [] | [Value::None])
    {
        return Ok(Value::Stored(Rc::new(Source {
            key: key.to_string(),
            element: element.clone(),
            count: u64::try_from(*count).map_err(|_| "a storage has less than nothing")?,
        })));
    }
    Err("a storage in it is described in an unknown way".to_owned())
}

impl View {
    /// The tensor, out of the bytes of its storage: a part of them where it is one.
    pub(super) fn stored(&self, storage: &Bytes) -> Step<Stored> {
        let wrong = || "a tensor in it lies outside of its storage".to_owned();
        let size = self.source.element.size();
        let count = self
            .shape
            .iter()
            .try_fold(1_u64, |count, size| count.checked_mul(*size));
        let count =
            count.filter(|count| self.stride.len() == self.shape.len() && *count <= self.source.count);
        let count = count.ok_or_else(wrong)?;
        let held = self.source.count.checked_mul(size as u64);
        if held.is_none_or(|held| (storage.len() as u64) < held) {
            return Err("a storage in it is cut short".to_owned());
        }
        let whole = |bytes: Bytes| Stored {
            element: self.source.element.clone(),
            shape: self.shape.clone(),
            bytes,
        };
        if self.is_row_major() {
            let start = usize::try_from(self.offset)
                .ok()
                .and_then(|offset| offset.checked_mul(size));
            let end = start.and_then(|start| start.checked_add(count as usize * size));
            let range = start.zip(end).and_then(|(start, end)| storage.slice(start..end));
            return range.map(whole).ok_or_else(wrong);
        }
        let mut bytes = Vec::with_capacity(count as usize * size);
        let mut index = vec![0; self.shape.len()];
        for _ in 0..count {
            let place = index
                .iter()
                .zip(&self.stride)
                .try_fold(self.offset, |place, (index, stride)| {
                    place.checked_add(stride.checked_mul(*index)?)
                });
            let place = place
                .filter(|place| *place < self.source.count)
                .ok_or_else(wrong)? as usize;
            bytes.extend_from_slice(&storage[place * size..][..size]);
            for (index, size) in index.iter_mut().zip(&self.shape).rev() {
                *index += 1;
                if *index < *size {
                    break;
                }
                *index = 0;
            }
        }
        Ok(whole(bytes.into()))
    }

    /// Whether its elements lie one after the other.
    fn is_row_major(&self) -> bool {
        let mut next = Some(1_u64);
        self.shape.iter().zip(&self.stride).rev().all(|(size, stride)| {
            let fits = *size == 1 || next == Some(*stride);
            next = next.and_then(|next| next.checked_mul(*size));
            fits
        })
    }
}
