//! Names of fields as small numbers, and the shapes that records share. The machine owns one table.

use crate::hir::Name;
use rustc_hash::FxHashMap;

/// A name of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Symbol(pub(crate) u32);

/// A list of field names of the table, in the order in which they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ShapeId(pub(crate) u32);

/// The shape without fields.
pub(crate) const EMPTY: ShapeId = ShapeId(0);

/// The table. Its maps are looked up, never iterated.
#[derive(Debug)]
pub(crate) struct Names {
    symbols: Vec<Name>,
    by_name: FxHashMap<Name, Symbol>,
    shapes: Vec<Vec<Symbol>>,
    by_fields: FxHashMap<Vec<Symbol>, ShapeId>,
}

impl Names {
    pub(crate) fn new() -> Self {
        Self {
            symbols: Vec::new(),
            by_name: FxHashMap::default(),
            shapes: vec![Vec::new()],
            by_fields: FxHashMap::from_iter([(Vec::new(), EMPTY)]),
        }
    }

    /// The symbol of `name`, made if it is new.
    pub(crate) fn symbol(&mut self, name: &str) -> Symbol {
        if let Some(symbol) = self.by_name.get(name) {
            return *symbol;
        }
        let symbol = Symbol(self.symbols.len() as u32);
        self.symbols.push(name.into());
        self.by_name.insert(name.into(), symbol);
        symbol
    }

    /// The symbol of `name`, if any record or variant ever had it.
    pub(crate) fn find(&self, name: &str) -> Option<Symbol> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        &self.symbols[symbol.0 as usize]
    }

    /// The shape of these fields, which must differ from each other.
    pub(crate) fn shape(&mut self, fields: &[Symbol]) -> ShapeId {
        if let Some(shape) = self.by_fields.get(fields) {
            return *shape;
        }
        let shape = ShapeId(self.shapes.len() as u32);
        self.shapes.push(fields.to_vec());
        self.by_fields.insert(fields.to_vec(), shape);
        shape
    }

    /// The shape of fields with these names.
    pub(crate) fn shape_of(&mut self, fields: &[&str]) -> ShapeId {
        let symbols: Vec<_> = fields.iter().map(|field| self.symbol(field)).collect();
        self.shape(&symbols)
    }

    pub(crate) fn fields(&self, shape: ShapeId) -> &[Symbol] {
        &self.shapes[shape.0 as usize]
    }

    /// Where the field stands in a shape.
    pub(crate) fn index(&self, shape: ShapeId, field: Symbol) -> Option<usize> {
        self.fields(shape).iter().position(|own| *own == field)
    }
}
