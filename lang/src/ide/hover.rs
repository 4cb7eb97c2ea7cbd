//! What is said where the mouse rests.

use super::describe::{Description, describe};
use super::symbol::{Symbol, occurrence_at, occurrences};
use super::{Analysis, Position, networks};
use crate::hir::{Entry, Expr, ExprId, Module, ModuleId};
use crate::source::Span;
use crate::syntax::SyntaxKind;
use crate::types::{BUILTIN_TYPES, SHAPES};

/// What is said of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// What it is about.
    pub span: Span,
    /// The declaration or the type, as `.mlp`.
    pub code: String,
    /// The doc comment.
    pub doc: Option<String>,
    /// Of a layer: the shape that it gives and what it costs. Of a training: the table of its layers.
    pub network: Option<String>,
}

/// What is known of `at`.
pub fn hover(analysis: &mut Analysis, at: Position) -> Option<Hover> {
    let (id, _) = analysis.module_of(at.source)?;
    let found = named(analysis, id, at.offset)
        .or_else(|| type_name(analysis, at))
        .or_else(|| field(analysis, id, at.offset))
        .or_else(|| expression(analysis, id, at.offset));
    let (span, Description { code, doc }) = found?;
    let network = networks::about(analysis, id, span, &code);
    Some(Hover {
        span,
        code,
        doc,
        network,
    })
}

fn named(analysis: &mut Analysis, id: ModuleId, offset: u32) -> Option<(Span, Description)> {
    let found = occurrences(analysis, id);
    let occurrence = occurrence_at(&found, offset)?;
    // A value's own type at its use says more than what its declaration leaves open.
    let mut description = describe(analysis, occurrence.symbol);
    if let Symbol::Local { owner: None, .. } = occurrence.symbol
        && let Some((_, at)) = expression(analysis, id, occurrence.span.start)
    {
        let name = analysis.loaded.sources.text(occurrence.span);
        description.code = format!("{name}: {}", at.code);
    }
    Some((occurrence.span, description))
}

/// The name of a type of the language.
fn type_name(analysis: &Analysis, at: Position) -> Option<(Span, Description)> {
    let parse = analysis.parse(at.source);
    let token = parse.tree.token_at(at.offset)?;
    if token.kind() != SyntaxKind::Uname {
        return None;
    }
    let name = token.text();
    if let Some(row) = BUILTIN_TYPES.iter().find(|row| row.name == name) {
        let args = ["A", "B", "C"].get(..row.arity).unwrap_or_default().join(", ");
        let code = if args.is_empty() {
            name.to_owned()
        } else {
            format!("{name}[{args}]")
        };
        let doc = Some(row.doc.to_owned());
        return Some((token.span(), Description { code, doc }));
    }
    let shape = SHAPES.iter().find(|shape| shape.name == name)?;
    let doc = Some("The shape of an example of a dataset, without the batch.".to_owned());
    let code = format!("{name}({})", shape.dims.join(", "));
    Some((token.span(), Description { code, doc }))
}

/// A field's name: of what is taken from a record, or of what is written into one.
fn field(analysis: &mut Analysis, id: ModuleId, offset: u32) -> Option<(Span, Description)> {
    let module = analysis.loaded.program.module(id);
    let (name, span, expr) = module
        .exprs
        .iter()
        .enumerate()
        .find_map(|(index, expr)| match expr {
            Expr::Field { name, name_span, .. } if super::touches(*name_span, offset) => {
                Some((name.clone(), *name_span, ExprId(index as u32)))
            }
            Expr::Record(entries) => entries.iter().find_map(|entry| match entry {
                Entry::Field {
                    name,
                    name_span,
                    value,
                    ..
                } if super::touches(*name_span, offset) => Some((name.clone(), *name_span, *value)),
                _ => None,
            }),
            _ => None,
        })?;
    let ty = analysis.checked.types.expr(id, expr)?;
    let code = format!("{name}: {ty}");
    Some((span, Description { code, doc: None }))
}

/// The type of the innermost expression.
fn expression(analysis: &mut Analysis, id: ModuleId, offset: u32) -> Option<(Span, Description)> {
    let module = analysis.loaded.program.module(id);
    let (expr, span) = innermost(module, offset)?;
    let code = analysis.checked.types.expr(id, expr)?;
    Some((span, Description { code, doc: None }))
}

fn innermost(module: &Module, offset: u32) -> Option<(ExprId, Span)> {
    let spans = module.expr_spans.iter().enumerate();
    spans
        .filter(|(_, span)| span.source == module.source && span.start <= offset && offset < span.end)
        .min_by_key(|(_, span)| span.end - span.start)
        .map(|(index, span)| (ExprId(index as u32), *span))
}
