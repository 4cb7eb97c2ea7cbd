//! The signature of the call that is being written.

use super::context::{call_around, resolve};
use super::describe::head;
use super::{Analysis, Position};
use crate::hir::ItemKind;

/// A function's head, and which parameter the cursor is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureHelp {
    /// The head: `fn linear(out_features: Int, *, bias: Bool = true) -> Layer`.
    pub label: String,
    /// Its doc comment.
    pub doc: Option<String>,
    /// Where in the label each parameter stands, in bytes.
    pub params: Vec<(u32, u32)>,
    /// The parameter at the cursor.
    pub active: Option<u32>,
}

/// The signature of the call around `at`.
pub fn signature(analysis: &mut Analysis, at: Position) -> Option<SignatureHelp> {
    let (id, _) = analysis.module_of(at.source)?;
    let parse = analysis.parse(at.source);
    let call = call_around(&parse.tree, at)?;
    let item = resolve(analysis, id, &call.callee)?;
    let ty = analysis.checked.types.item(item);
    let declared = analysis.loaded.program.item(item);
    let ItemKind::Fn(function) = &declared.kind else {
        return None;
    };
    let active = match &call.label {
        Some(label) => function.params.iter().position(|param| param.label == *label),
        None => function
            .params
            .get(call.place)
            .filter(|param| !param.named)
            .map(|_| call.place),
    };
    let head = head(analysis, item, ty.as_deref());
    Some(SignatureHelp {
        label: head.text,
        doc: declared.doc.clone(),
        params: head.params,
        active: active.map(|place| place as u32),
    })
}
