//! The declarations of a file, for a tree beside it.

use super::Analysis;
use crate::hir::{Item, ItemKind};
use crate::source::{SourceId, Span};

/// A declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Its name.
    pub name: String,
    /// Its type, if it has one.
    pub detail: String,
    /// What it is.
    pub kind: OutlineKind,
    /// All of it.
    pub span: Span,
    /// Its name's place.
    pub name_span: Span,
    /// What is declared in it.
    pub children: Vec<Outline>,
}

/// What a declaration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as it is written")]
pub enum OutlineKind {
    Value,
    Param,
    Function,
    Type,
    Enum,
    Variant,
}

/// The declarations of `source`, in its order.
pub fn outline(analysis: &mut Analysis, source: SourceId) -> Vec<Outline> {
    let Analysis { loaded, checked } = analysis;
    let modules = loaded.program.modules.iter().enumerate();
    let Some((index, module)) = modules.into_iter().find(|(_, module)| module.source == source) else {
        return Vec::new();
    };
    let items = module.items.iter().enumerate().map(|(item, declared)| {
        let at = crate::hir::ItemRef {
            module: crate::hir::ModuleId(index as u32),
            item: item as u32,
        };
        entry(declared, checked.types.item(at).unwrap_or_default())
    });
    items.collect()
}

fn entry(item: &Item, detail: String) -> Outline {
    let (kind, children) = match &item.kind {
        ItemKind::Value { .. } => (OutlineKind::Value, Vec::new()),
        ItemKind::Param { .. } => (OutlineKind::Param, Vec::new()),
        ItemKind::Fn(_) => (OutlineKind::Function, Vec::new()),
        ItemKind::Type { .. } => (OutlineKind::Type, Vec::new()),
        ItemKind::Enum { variants, .. } => {
            let variants = variants.iter().map(|variant| Outline {
                name: variant.name.to_string(),
                detail: String::new(),
                kind: OutlineKind::Variant,
                span: variant.span,
                name_span: variant.span,
                children: Vec::new(),
            });
            (OutlineKind::Enum, variants.collect())
        }
    };
    Outline {
        name: item.name.to_string(),
        detail,
        kind,
        span: item.span,
        name_span: item.name_span,
        children,
    }
}
