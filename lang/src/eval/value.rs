//! Values: 16 bytes each, shared by count, changed in place where nothing else holds them.
//!
//! **Invariant**: data is at most [`MAX_DEPTH`] levels deep ([`super::build`] refuses more), so that dropping, comparing
//! and rendering may recurse. **Invariant**: what the heap holds is counted in [`live_bytes`], by the constructors and
//! `Drop`s here and nowhere else.

use super::names::{Names, ShapeId, Symbol};
use super::pick::Pick;
pub(crate) use super::short::{Long, Text};
use crate::core::FunctionId;
use crate::spec::Datum;
use indexmap::IndexMap;
use std::cell::Cell;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

/// How deep lists and records may be nested.
pub(crate) const MAX_DEPTH: u16 = 1_000;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

/// Bytes that values of this thread hold on the heap.
pub(crate) fn live_bytes() -> usize {
    LIVE.get()
}

pub(super) fn grow(bytes: usize) {
    LIVE.set(LIVE.get() + bytes);
}

pub(super) fn shrink(bytes: usize) {
    LIVE.set(LIVE.get().saturating_sub(bytes));
}

/// A value. Cloning one is at most a count.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Milliseconds.
    Duration(i64),
    Bytes(i64),
    Str(Text),
    /// A path from the project's root.
    Path(Rc<Long>),
    List(Rc<List>),
    Record(Rc<Record>),
    Map(Rc<Map>),
    Variant(Rc<Variant>),
    Function(FunctionId),
    Closure(Rc<Closure>),
    Pieces(Rc<Pieces>),
    Artifact(ArtifactId),
    Late(LateId),
    Tensor(TensorId),
    Output(Rc<DeclaredOutput>),
    Pick(Rc<Pick>),
    /// `pick.use`, a function.
    Use(Rc<Pick>),
}

/// An artifact of the machine's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ArtifactId(pub(crate) u32);

/// A late value of the machine's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LateId(pub(crate) u32);

/// What an operation of a traced function gives: a node of the machine's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TensorId(pub(crate) u32);

/// A list.
#[derive(Debug)]
pub(crate) struct List {
    items: Vec<Value>,
    depth: u16,
    /// Where a comprehension made specs: what each element is called, `lr=0.01`.
    pub(crate) labels: Option<Rc<Vec<String>>>,
}

impl List {
    /// A list of `items`; `None` where it would be nested too deep.
    pub(crate) fn new(items: Vec<Value>) -> Option<Rc<Self>> {
        let deepest = items.iter().map(Value::depth).max().unwrap_or(0);
        Self::with(items, deepest)
    }

    /// A list of `items`, of which the deepest is known: a list that grows one by one must not look through all of them
    /// each time.
    pub(crate) fn with(items: Vec<Value>, deepest: u16) -> Option<Rc<Self>> {
        let depth = deepest.checked_add(1).filter(|depth| *depth <= MAX_DEPTH)?;
        grow(items.capacity() * 16 + 56);
        Some(Rc::new(Self {
            items,
            depth,
            labels: None,
        }))
    }

    pub(crate) fn items(&self) -> &[Value] {
        &self.items
    }

    /// The depth of the deepest element.
    pub(crate) fn deepest(&self) -> u16 {
        self.depth - 1
    }

    /// Takes the elements: moves them where nothing else holds the list.
    pub(crate) fn into_items(mut this: Rc<Self>) -> Vec<Value> {
        match Rc::get_mut(&mut this) {
            Some(list) => {
                shrink(list.items.capacity() * 16);
                std::mem::take(&mut list.items)
            }
            None => this.items.clone(),
        }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        shrink(self.items.capacity() * 16 + 56);
    }
}

/// A record: the names of its fields are in a shape that all records alike share.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) shape: ShapeId,
    depth: u16,
    cells: Box<[Value]>,
}

impl Record {
    /// A record; `None` where it would be nested too deep.
    pub(crate) fn new(shape: ShapeId, cells: Vec<Value>) -> Option<Rc<Self>> {
        let depth = depth_over(&cells)?;
        grow(cells.len() * 16 + 40);
        Some(Rc::new(Self {
            shape,
            depth,
            cells: cells.into_boxed_slice(),
        }))
    }

    pub(crate) fn cells(&self) -> &[Value] {
        &self.cells
    }

    /// A record of its own with the same cells.
    pub(crate) fn copy(&self) -> Rc<Self> {
        grow(self.cells.len() * 16 + 40);
        Rc::new(Self {
            shape: self.shape,
            depth: self.depth,
            cells: self.cells.clone(),
        })
    }

    /// Writes a cell; false where the record would be nested too deep.
    pub(crate) fn set(&mut self, index: usize, value: Value) -> bool {
        self.depth = self.depth.max(value.depth() + 1);
        self.cells[index] = value;
        self.depth <= MAX_DEPTH
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        shrink(self.cells.len() * 16 + 40);
    }
}

/// The hash of [`Map`]s: quick; the order of entries is that of writing and never depends on it.
#[derive(Default)]
pub(crate) struct QuickHasher(u64);

impl Hasher for QuickHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }
}

/// The entries of a map, in the order in which they were written.
pub(crate) type Entries = IndexMap<Text, Value, BuildHasherDefault<QuickHasher>>;

/// A map from strings; also a Json object.
#[derive(Debug)]
pub(crate) struct Map {
    entries: Entries,
    depth: u16,
}

impl Map {
    /// A map; `None` where it would be nested too deep.
    pub(crate) fn new(entries: Entries) -> Option<Rc<Self>> {
        let deepest = entries.values().map(Value::depth).max().unwrap_or(0);
        Self::with(entries, deepest)
    }

    /// A map of entries, of which the deepest is known.
    pub(crate) fn with(entries: Entries, deepest: u16) -> Option<Rc<Self>> {
        let depth = deepest.checked_add(1).filter(|depth| *depth <= MAX_DEPTH)?;
        grow(entries.capacity() * 48 + 64);
        Some(Rc::new(Self { entries, depth }))
    }

    pub(crate) fn entries(&self) -> &Entries {
        &self.entries
    }

    /// The depth of the deepest value.
    pub(crate) fn deepest(&self) -> u16 {
        self.depth - 1
    }

    /// Takes the entries: moves them where nothing else holds the map.
    pub(crate) fn into_entries(mut this: Rc<Self>) -> Entries {
        match Rc::get_mut(&mut this) {
            Some(map) => {
                shrink(map.entries.capacity() * 48);
                std::mem::take(&mut map.entries)
            }
            None => this.entries.clone(),
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        shrink(self.entries.capacity() * 48 + 64);
    }
}

/// A value of an enum, or a description: a layer, a loss, a codec.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) name: Symbol,
    pub(crate) shape: ShapeId,
    depth: u16,
    /// For descriptions: where it was written, in the machine's table of origins. 0 is nowhere.
    pub(crate) origin: u32,
    cells: Box<[Value]>,
}

impl Variant {
    /// A variant; `None` where it would be nested too deep.
    pub(crate) fn new(name: Symbol, shape: ShapeId, cells: Vec<Value>, origin: u32) -> Option<Rc<Self>> {
        let depth = depth_over(&cells)?;
        grow(cells.len() * 16 + 56);
        Some(Rc::new(Self {
            name,
            shape,
            depth,
            origin,
            cells: cells.into_boxed_slice(),
        }))
    }

    pub(crate) fn cells(&self) -> &[Value] {
        &self.cells
    }

    /// The field called `name`.
    pub(crate) fn field(&self, names: &Names, name: &str) -> Option<&Value> {
        let symbol = names.find(name)?;
        self.cells.get(names.index(self.shape, symbol)?)
    }
}

impl Drop for Variant {
    fn drop(&mut self) {
        shrink(self.cells.len() * 16 + 56);
    }
}

/// A lambda with what it captured.
#[derive(Debug)]
pub(crate) struct Closure {
    pub(crate) function: FunctionId,
    depth: u16,
    pub(crate) captures: Box<[Value]>,
}

impl Closure {
    /// A closure; `None` where it would be nested too deep.
    pub(crate) fn new(function: FunctionId, captures: Vec<Value>) -> Option<Rc<Self>> {
        let depth = depth_over(&captures)?;
        Some(Rc::new(Self {
            function,
            depth,
            captures: captures.into_boxed_slice(),
        }))
    }
}

/// A command's argument.
#[derive(Debug)]
pub(crate) struct Pieces(pub(crate) Vec<ArgPiece>);

/// A part of a command's argument.
#[derive(Clone, Debug)]
pub(crate) enum ArgPiece {
    Text(String),
    Path(Rc<Long>),
    /// The files of the project that a pattern matches.
    Glob(Rc<Long>),
    Artifact(ArtifactId),
    Late(LateId),
}

/// A declared output of a step, not yet an artifact.
#[derive(Debug)]
pub(crate) struct DeclaredOutput {
    pub(crate) kind: Symbol,
    pub(crate) args: Vec<(Symbol, Value)>,
    /// What it must hold, as `core::Node::Decode` writes types down.
    pub(crate) schema: Datum,
    /// Where it was written, in the machine's table of origins.
    pub(crate) origin: u32,
}

fn depth_over(values: &[Value]) -> Option<u16> {
    let deepest = values.iter().map(Value::depth).max().unwrap_or(0);
    deepest.checked_add(1).filter(|depth| *depth <= MAX_DEPTH)
}

impl Value {
    pub(crate) fn str(text: &str) -> Self {
        Self::Str(Text::new(text))
    }

    /// The levels below and with this value; 0 for what has no parts.
    pub(crate) fn depth(&self) -> u16 {
        match self {
            Self::List(list) => list.depth,
            Self::Record(record) => record.depth,
            Self::Map(map) => map.depth,
            Self::Variant(variant) => variant.depth,
            Self::Closure(closure) => closure.depth,
            Self::Output(_) => 1,
            Self::Pick(pick) | Self::Use(pick) => pick.depth(),
            _ => 0,
        }
    }

    /// What people call a value of this kind.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "Bool",
            Self::Int(_) => "Int",
            Self::Float(_) => "Float",
            Self::Duration(_) => "Duration",
            Self::Bytes(_) => "Bytes",
            Self::Str(_) => "Str",
            Self::Path(_) => "Path",
            Self::List(_) => "list",
            Self::Record(_) => "record",
            Self::Map(_) => "map",
            Self::Variant(_) => "variant",
            Self::Function(_) | Self::Closure(_) | Self::Use(_) => "function",
            Self::Pieces(_) => "argument",
            Self::Artifact(_) => "artifact",
            Self::Late(_) => "late value",
            Self::Tensor(_) => "tensor",
            Self::Output(_) => "declared output",
            Self::Pick(_) => "choice",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_16_bytes() {
        assert_eq!(size_of::<Value>(), 16);
        assert_eq!(size_of::<Result<Value, super::super::machine::Failed>>(), 16);
    }

    #[test]
    fn the_heap_is_counted_down_to_nothing() {
        let before = live_bytes();
        let mut list = List::new(vec![Value::str("a string that is long")]).unwrap();
        for _ in 0..10 {
            list = List::new(vec![Value::List(Rc::clone(&list)), Value::List(list)]).unwrap();
        }
        assert!(live_bytes() > before);
        let items = List::into_items(list);
        drop(items);
        assert_eq!(live_bytes(), before);
    }

    #[test]
    fn nesting_stops_at_1000() {
        let mut value = Value::Null;
        for _ in 0..MAX_DEPTH {
            value = Value::List(List::new(vec![value]).unwrap());
        }
        assert!(List::new(vec![value]).is_none());
    }
}
