//! Modules with names resolved and sugar removed: what lowering makes of the syntax tree, and what the checker reads.
//!
//! Plain data. Each module has arenas; an id is an index into the arena of its module. What did not parse or resolve is
//! `Error` and was reported: nothing may report it again.
//!
//! Lowering reports, besides unknown names, whatever is written twice: items, parameters, labels of a call, fields of a
//! record, of a type or a pattern, variants; and `let`s and imports that nothing uses.
//!
//! Lowering removes: pipes (`x |> f(a)` is `Call(f, [x, a])`), parentheses, field shorthand (`{ a }` is `{ a: a }`),
//! negated literals, comprehension clauses nested by `For`, module paths (`nn.conv2d` is `Item`).

mod expr;

use crate::source::{SourceId, Span};
use crate::summary::{Spent, Summary, Tables};
pub use expr::{
    Arg, Arm, BinaryOp, Clause, DataFile, DataNode, DataValue, Element, Entry, Expr, StrPart, Yield,
};
pub use smol_str::SmolStr as Name;
use std::sync::Arc;

/// A module of a [`Program`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub u32);

/// An item of any module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemRef {
    /// The module.
    pub module: ModuleId,
    /// The index in [`Module::items`].
    pub item: u32,
}

/// An expression of its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExprId(pub u32);

/// A pattern of its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatId(pub u32);

/// A written type of its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u32);

/// A parameter, `let`, `for`, lambda or pattern binding: unique in its item, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalId(pub u32);

/// Everything that a file and its imports hold.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Modules: a module stands after those that it imports; the prelude (`std/prelude.mlp`, whose names every module
    /// sees) is the first, the entry the last. A module without a name is an input of a session.
    pub modules: Vec<Module>,
    /// Values from outside for params of the entry. Their modules are numbered after `modules`.
    pub settings: Vec<Setting>,
    /// What summaries of modules refer to.
    pub tables: Arc<Tables>,
    /// What the values of summaries took when they were evaluated.
    pub spent: Spent,
}

/// `--set name=value`: a value in the place of a param's default.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The param.
    pub param: ItemRef,
    /// A module of its own, whose `result` is the value. It sees the prelude, and enum variants by their bare names.
    pub module: Module,
}

impl Program {
    /// The module that every module sees, where there is one.
    pub fn prelude(&self) -> Option<ModuleId> {
        let first = self.modules.first()?;
        (first.std && first.name == crate::library::PRELUDE).then_some(ModuleId(0))
    }

    /// The module `id`.
    pub fn module(&self, id: ModuleId) -> &Module {
        let index = id.0 as usize;
        self.modules
            .get(index)
            .unwrap_or_else(|| &self.settings[index - self.modules.len()].module)
    }

    /// The value from outside for `param`, and the number of its module. Of several the last counts.
    pub fn setting(&self, param: ItemRef) -> Option<(ModuleId, &Module)> {
        let index = self.settings.iter().rposition(|setting| setting.param == param)?;
        let id = ModuleId((self.modules.len() + index) as u32);
        Some((id, &self.settings[index].module))
    }

    /// The item `at`.
    pub fn item(&self, at: ItemRef) -> &Item {
        &self.module(at.module).items[at.item as usize]
    }
}

/// A file.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its text.
    pub source: SourceId,
    /// The stem of its file: `pipeline`, `nn`.
    pub name: Name,
    /// Whether it belongs to the standard library; only there may a body be `intrinsic`.
    pub std: bool,
    /// Its doc comment (`##!` lines at the top), if any.
    pub doc: Option<String>,
    /// Modules whose names it sees besides its own, the nearest first: of a file the prelude, of an input of a session
    /// also the inputs before it and the file that was loaded, and their imports.
    pub around: Vec<ModuleId>,
    /// Its imports, for completion and for "imported here".
    pub imports: Vec<Import>,
    /// Its items in the order of the file. Of two with one name the first stays; the other was reported.
    pub items: Vec<Item>,
    /// The expression at the end of the file, as an item body of its own.
    pub result: Option<Body>,
    /// Expressions.
    pub exprs: Vec<Expr>,
    /// Where each of `exprs` stands.
    pub expr_spans: Vec<Span>,
    /// Patterns.
    pub pats: Vec<Pat>,
    /// Where each of `pats` stands.
    pub pat_spans: Vec<Span>,
    /// Written types.
    pub types: Vec<TypeExpr>,
    /// Where each of `types` stands.
    pub type_spans: Vec<Span>,
    /// Items in whose text something was reported that leaves open what was meant: nothing more is said about them, and
    /// they have no value.
    pub broken: Vec<Span>,
    /// What is known of it where it was not read: its items are names alone.
    pub summary: Option<Box<Summary>>,
}

impl Module {
    /// Whether it is an input of a session, and no file.
    pub fn is_input(&self) -> bool {
        self.name.is_empty()
    }

    /// Whether the place belongs to an item of which nothing more is said.
    pub fn is_broken(&self, span: Span) -> bool {
        let holds =
            |item: &Span| item.source == span.source && item.start <= span.start && span.start <= item.end;
        self.broken.iter().any(holds)
    }

    /// A module of `source` without anything in it.
    pub fn empty(source: SourceId, name: Name) -> Self {
        Self {
            source,
            name,
            std: false,
            doc: None,
            around: Vec::new(),
            imports: Vec::new(),
            items: Vec::new(),
            result: None,
            exprs: Vec::new(),
            expr_spans: Vec::new(),
            pats: Vec::new(),
            pat_spans: Vec::new(),
            types: Vec::new(),
            type_spans: Vec::new(),
            broken: Vec::new(),
            summary: None,
        }
    }

    /// The variants of its enums; of a summary those of all that the module imports.
    pub(crate) fn variants(&self) -> impl Iterator<Item = &str> {
        let own = self.items.iter().flat_map(|item| match &item.kind {
            ItemKind::Enum { variants, .. } => variants.as_slice(),
            _ => &[],
        });
        let imported = self.summary.iter().flat_map(|summary| &summary.variants);
        own.map(|variant| variant.name.as_str())
            .chain(imported.map(String::as_str))
    }
}

/// A name that an import brings.
#[derive(Clone, Debug)]
pub struct Import {
    /// The name in this module.
    pub name: Name,
    /// Where it is written.
    pub span: Span,
    /// The module it names.
    pub module: ModuleId,
}

/// A declaration.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its name.
    pub name: Name,
    /// Where the name stands.
    pub name_span: Span,
    /// The whole item.
    pub span: Span,
    /// Its doc comment (`##` lines before it).
    pub doc: Option<String>,
    /// What it declares.
    pub kind: ItemKind,
}

/// What an item declares.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// `name = body`.
    Value {
        /// The annotation.
        ty: Option<TypeId>,
        /// The value.
        body: Body,
    },
    /// `param name: T = default`.
    Param {
        /// The annotation.
        ty: Option<TypeId>,
        /// The default; a param without one must be set.
        default: Option<Body>,
    },
    /// `fn`.
    Fn(FnItem),
    /// `type Name[T] = …`.
    Type {
        /// Type parameters.
        tparams: Vec<(Name, Span)>,
        /// What it stands for.
        ty: TypeId,
    },
    /// `enum Name[T] { … }`.
    Enum {
        /// Type parameters.
        tparams: Vec<(Name, Span)>,
        /// Its variants in order.
        variants: Vec<VariantDef>,
    },
}

/// An expression with the locals that it binds.
#[derive(Clone, Debug)]
pub struct Body {
    /// The expression.
    pub expr: ExprId,
    /// The locals bound inside, by `LocalId`.
    pub locals: Vec<Local>,
}

/// A local binding.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name.
    pub name: Name,
    /// Where it is bound.
    pub span: Span,
}

/// A function.
#[derive(Clone, Debug)]
pub struct FnItem {
    /// Type parameters.
    pub tparams: Vec<(Name, Span)>,
    /// Parameters in order; `LocalId(i)` is parameter i.
    pub params: Vec<Param>,
    /// The written result type.
    pub ret: Option<TypeId>,
    /// The body; `None` is `intrinsic`, in the standard library.
    pub body: Option<ExprId>,
    /// All locals, the parameters first (also those of the defaults).
    pub locals: Vec<Local>,
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its label, also its name inside.
    pub label: Name,
    /// Where the label stands.
    pub span: Span,
    /// The annotation.
    pub ty: TypeId,
    /// The default; it sees earlier parameters and the module.
    pub default: Option<ExprId>,
    /// Whether it stands after a lone `*` or has a default, and so must be named.
    pub named: bool,
}

/// A variant of an enum.
#[derive(Clone, Debug)]
pub struct VariantDef {
    /// Its name.
    pub name: Name,
    /// Where it stands.
    pub span: Span,
    /// Its doc comment.
    pub doc: Option<String>,
    /// Its fields; without a label they are `0`, `1`, ….
    pub fields: Vec<VariantField>,
}

/// A field of a variant.
#[derive(Clone, Debug)]
pub struct VariantField {
    /// The label, if written.
    pub label: Option<Name>,
    /// The type.
    pub ty: TypeId,
    /// The default, with no locals of its own beyond those it binds.
    pub default: Option<Body>,
}

/// A pattern.
#[derive(Clone, Debug)]
pub enum Pat {
    /// Reported already.
    Error,
    /// `_`.
    Wildcard,
    /// A name.
    Bind(LocalId),
    /// `null`.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A string.
    Str(Name),
    /// `{ a, b: p, .. }`.
    Record {
        /// Fields: name, where it stands, pattern.
        fields: Vec<(Name, Span, PatId)>,
        /// Whether `..` allows others.
        open: bool,
    },
    /// `Color.Rgb(r, g = p)` or `Rgb(…)`.
    Variant {
        /// The enum, where it is written.
        of: Option<ItemRef>,
        /// The variant's name.
        name: Name,
        /// Field patterns with their labels, if written.
        args: Vec<(Option<Name>, PatId)>,
    },
}

/// A written type.
#[derive(Clone, Debug)]
pub enum TypeExpr {
    /// Reported already.
    Error,
    /// A type of the language: `Int`, `List[T]`, `Dataset[Image(1, 28, 28), Class(10)]`, `Image(1, h, w)`.
    Builtin {
        /// The name.
        name: Name,
        /// Type arguments.
        args: Vec<TypeId>,
        /// Dimensions.
        dims: Vec<Dim>,
    },
    /// A `type` or `enum` of some module.
    Item {
        /// Which.
        item: ItemRef,
        /// Type arguments.
        args: Vec<TypeId>,
    },
    /// A type parameter of the enclosing item, by index.
    Param(u32),
    /// `T?`.
    Optional(TypeId),
    /// `(A, B) -> C`.
    Fn {
        /// Parameters.
        params: Vec<TypeId>,
        /// Result.
        ret: TypeId,
    },
    /// `typeof(e)`.
    Typeof(ExprId),
    /// `{ a: T, b?: U = 1, .. }`.
    Record {
        /// Its fields.
        fields: Vec<TypeField>,
        /// Whether `..` allows others.
        open: bool,
    },
}

/// A field of a record type. `note?: T` is `note: T? = null`.
#[derive(Clone, Debug)]
pub struct TypeField {
    /// Its name.
    pub name: Name,
    /// Where it stands.
    pub span: Span,
    /// Its type; already optional where `?` was written after the name.
    pub ty: TypeId,
    /// Its default (`null` where `?` was written after the name).
    pub default: Option<Body>,
}

/// A dimension in a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dim {
    /// A number.
    Int(i64),
    /// A parameter of the function, or of the enclosing signature, of type Int.
    Name(Name),
    /// `_`: not known.
    Unknown,
}
