//! Summaries of modules: the types and values of their items, as far as these are plain. A check goes on from them where a
//! module, and all that it imports, is what it was.
//!
//! *Invariant*: a check with summaries that finds nothing to say, and lacks nothing ([`Outcome::lacks`]), would have found
//! nothing with the modules themselves. So it may say "all is well" and nothing else: whoever has something to say, says it
//! after a check without summaries. What a summary leaves out (functions, enums, descriptions, what stands behind an
//! artifact) is never guessed: asking for it is what `lacks` tells of.
//!
//! [`Outcome::lacks`]: crate::eval::Outcome::lacks

mod make;

pub(crate) use make::Making;
pub use make::evaluate_all;

use crate::hir::{self, Body, Expr, ExprId, ItemKind, Module, ModuleId, Name};
use crate::source::{SourceId, Span};
use crate::spec::ArtifactKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Summaries of modules, by their paths from the project's root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summaries {
    pub(crate) tables: Tables,
    modules: BTreeMap<String, Summary>,
    pub(crate) spent: Spent,
}

/// Types and values that summaries refer to by position. Each refers only to those before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tables {
    pub(crate) types: Vec<Type>,
    pub(crate) values: Vec<Value>,
}

/// What is known of a module, all of whose items are values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The variants of all enums of the modules that it imports, directly or not.
    pub(crate) variants: Vec<String>,
    pub(crate) items: Vec<Item>,
}

/// The name of an item, its type, and its value where it is plain and was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item(pub(crate) String, pub(crate) u32, pub(crate) Option<u32>);

/// A type that leaves nothing open.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Type {
    Unknown,
    Con(String, Vec<u32>),
    Shape(String, Vec<Option<i64>>),
    Record {
        fields: Vec<(String, u32)>,
        open: bool,
        label: Option<(String, Vec<u32>)>,
    },
    Optional(u32),
}

/// A value without code in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// Its bits.
    Float(u64),
    Duration(i64),
    Bytes(i64),
    Str(String),
    Path(String),
    /// The elements, and what they are called where that is known.
    List(Vec<u32>, Option<Vec<String>>),
    Record(Vec<(String, u32)>),
    Map(Vec<(String, u32)>),
    /// An output of a step, of which nothing more is known.
    Artifact {
        kind: ArtifactKind,
        output: String,
        /// Its call does not make it.
        absent: bool,
    },
    /// A part of such an output.
    Late {
        output: String,
        path: Vec<String>,
    },
}

/// What evaluations took, at the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Calls and rounds of loops.
    pub steps: u64,
    /// Bytes that values held.
    pub memory: usize,
    /// Nested operations.
    pub depth: u32,
}

impl Spent {
    /// What two evaluations took together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            steps: self.steps.saturating_add(other.steps),
            memory: self.memory.saturating_add(other.memory),
            depth: self.depth.saturating_add(other.depth),
        }
    }
}

impl Summaries {
    /// Keeps those modules whose paths are `wanted`.
    pub fn retain(&mut self, wanted: impl Fn(&str) -> bool) {
        self.modules.retain(|path, _| wanted(path));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty()
    }

    /// Whether there is one of the module at `path`.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.modules.contains_key(path)
    }

    /// The summary of the module at `path`, which is wanted once.
    pub(crate) fn take(&mut self, path: &str) -> Option<Summary> {
        self.modules.remove(path)
    }

    pub(crate) fn insert(&mut self, path: &str, summary: Summary) {
        self.modules.insert(path.to_owned(), summary);
    }
}

impl Summary {
    /// The module, with values that are no expressions.
    pub(crate) fn into_module(self, source: SourceId, name: Name, around: Vec<ModuleId>) -> Module {
        let nowhere = Span {
            source,
            start: 0,
            end: 0,
        };
        let item = |Item(name, ..): &Item| hir::Item {
            name: Name::new(name),
            name_span: nowhere,
            span: nowhere,
            doc: None,
            kind: ItemKind::Value {
                ty: None,
                body: Body {
                    expr: ExprId(0),
                    locals: Vec::new(),
                },
            },
        };
        Module {
            around,
            items: self.items.iter().map(item).collect(),
            exprs: vec![Expr::Error],
            expr_spans: vec![nowhere],
            summary: Some(Box::new(self)),
            ..Module::empty(source, name)
        }
    }
}

#[cfg(test)]
mod tests;
