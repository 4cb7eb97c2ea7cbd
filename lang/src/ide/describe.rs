//! What is said of a symbol: how it is declared, its type, its documentation. Hovers, completion and signatures share it.

use super::Analysis;
use super::symbol::{Symbol, locals_of};
use crate::hir::{FnItem, ItemKind, ItemRef, Param, TypeId};
use crate::source::Span;

/// A declaration as people read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Description {
    /// A line or more of `.mlp`.
    pub(super) code: String,
    /// Its doc comment.
    pub(super) doc: Option<String>,
}

/// A function's head: its text, and where in it each parameter stands, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) text: String,
    pub(super) params: Vec<(u32, u32)>,
}

/// Declarations longer than this are cut.
const LONGEST: usize = 1_200;

pub(super) fn describe(analysis: &mut Analysis, symbol: Symbol) -> Description {
    match symbol {
        Symbol::Item(item) => describe_item(analysis, item),
        Symbol::Variant(item, place) => variant(analysis, item, place),
        Symbol::Local { owner, id, bound } => {
            let name = analysis.loaded.sources.text(bound).to_owned();
            let ty = owner.and_then(|owner| analysis.checked.types.local(owner, id));
            let param = owner.and_then(|owner| written_param(analysis, owner, id.0 as usize));
            let code = match (param, ty) {
                (Some(param), _) => param,
                (None, Some(ty)) => format!("{name}: {ty}"),
                (None, None) => name,
            };
            Description { code, doc: None }
        }
        Symbol::TypeParam(span) => Description {
            code: analysis.loaded.sources.text(span).to_owned(),
            doc: Some("A type parameter: any type, the same in all of the declaration.".to_owned()),
        },
        Symbol::Module(module) => {
            let module = analysis.loaded.program.module(module);
            let path = &analysis.loaded.sources.get(module.source).path;
            let code = match module.std {
                true => format!("import std.{}", module.name),
                false => format!("import ./{path}"),
            };
            Description {
                code,
                doc: module.doc.clone(),
            }
        }
    }
}

/// A parameter of a function as it is written.
fn written_param(analysis: &Analysis, owner: ItemRef, place: usize) -> Option<String> {
    let ItemKind::Fn(function) = &analysis.loaded.program.item(owner).kind else {
        return None;
    };
    Some(param_text(analysis, owner, function.params.get(place)?))
}

/// `name: T = default`.
fn param_text(analysis: &Analysis, item: ItemRef, param: &Param) -> String {
    let module = analysis.loaded.program.module(item.module);
    let default = param.default.map(|default| module.expr_spans[default.0 as usize]);
    let default = default.map_or(String::new(), |span| {
        format!(" = {}", flat(analysis.loaded.sources.text(span)))
    });
    format!(
        "{}: {}{default}",
        param.label,
        type_text(analysis, item, param.ty)
    )
}

fn describe_item(analysis: &mut Analysis, item: ItemRef) -> Description {
    let ty = analysis.checked.types.item(item);
    let declared = analysis.loaded.program.item(item);
    let sources = &analysis.loaded.sources;
    let code = match &declared.kind {
        ItemKind::Fn(_) => head(analysis, item, ty.as_deref()).text,
        ItemKind::Value { .. } => format!("{}: {}", declared.name, ty.as_deref().unwrap_or("_")),
        ItemKind::Param { default, .. } => {
            let module = analysis.loaded.program.module(item.module);
            let default = default
                .as_ref()
                .map(|body| module.expr_spans[body.expr.0 as usize]);
            let default = default.map_or(String::new(), |span| format!(" = {}", flat(sources.text(span))));
            format!(
                "param {}: {}{default}",
                declared.name,
                ty.as_deref().unwrap_or("_")
            )
        }
        ItemKind::Type { .. } | ItemKind::Enum { .. } => cut(sources.text(declared.span)),
    };
    Description {
        code,
        doc: declared.doc.clone(),
    }
}

fn variant(analysis: &Analysis, item: ItemRef, place: u32) -> Description {
    let declared = analysis.loaded.program.item(item);
    let ItemKind::Enum { variants, .. } = &declared.kind else {
        return Description::default();
    };
    let Some(variant) = variants.get(place as usize) else {
        return Description::default();
    };
    let fields = variant.fields.iter().map(|field| {
        let ty = type_text(analysis, item, field.ty);
        match &field.label {
            Some(label) => format!("{label}: {ty}"),
            None => ty,
        }
    });
    let fields: Vec<String> = fields.collect();
    let fields = match fields.as_slice() {
        [] => String::new(),
        fields => format!("({})", fields.join(", ")),
    };
    Description {
        code: format!("{}.{}{fields}", declared.name, variant.name),
        doc: variant.doc.clone().or_else(|| declared.doc.clone()),
    }
}

/// A function's head: `fn linear(out_features: Int, *, bias: Bool = true) -> Layer`. `ty`: its type, if it is known.
pub(super) fn head(analysis: &Analysis, item: ItemRef, ty: Option<&str>) -> Head {
    let declared = analysis.loaded.program.item(item);
    let ItemKind::Fn(function) = &declared.kind else {
        return Head::default();
    };
    let module = analysis.loaded.program.module(item.module);
    let own_file = module.std && module.name != crate::library::PRELUDE;
    let mut head = Head {
        text: match own_file {
            true => format!("fn {}.{}", module.name, declared.name),
            false => format!("fn {}", declared.name),
        },
        params: Vec::new(),
    };
    if !function.tparams.is_empty() {
        let names: Vec<&str> = function.tparams.iter().map(|(name, _)| name.as_str()).collect();
        head.text += &format!("[{}]", names.join(", "));
    }
    head.text.push('(');
    params(analysis, item, function, &mut head);
    head.text.push(')');
    let ret = match function.ret {
        Some(ret) => Some(type_text(analysis, item, ret)),
        None => ty.and_then(result_of).map(str::to_owned),
    };
    if let Some(ret) = ret {
        head.text += &format!(" -> {ret}");
    }
    head
}

fn params(analysis: &Analysis, item: ItemRef, function: &FnItem, head: &mut Head) {
    let mut star = false;
    for (place, param) in function.params.iter().enumerate() {
        head.text += if place == 0 { "" } else { ", " };
        // What has a default is named too, wherever the `*` was written.
        if param.named && !star {
            star = true;
            head.text += "*, ";
        }
        let start = head.text.len() as u32;
        head.text += &param_text(analysis, item, param);
        head.params.push((start, head.text.len() as u32));
    }
}

pub(super) fn type_text(analysis: &Analysis, item: ItemRef, ty: TypeId) -> String {
    let module = analysis.loaded.program.module(item.module);
    let span: Span = module.type_spans[ty.0 as usize];
    flat(analysis.loaded.sources.text(span))
}

/// `C` of `(A, B) -> C`.
fn result_of(ty: &str) -> Option<&str> {
    let mut depth = 0;
    for (at, c) in ty.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return ty[at..].strip_prefix(") -> ");
        }
    }
    None
}

/// On one line.
pub(super) fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The locals of the item `item`.
pub(super) fn item_locals(analysis: &Analysis, item: ItemRef) -> &[crate::hir::Local] {
    locals_of(&analysis.loaded.program.item(item).kind)
}
