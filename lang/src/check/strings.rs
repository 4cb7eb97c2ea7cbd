//! Strings, paths and the arguments of commands.

use super::literals::plain;
use super::suggest::a;
use super::{Checker, Typed, Why};
use crate::core::{Const, Node, NodeId};
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ItemRef, Name, StrPart};
use crate::source::Span;
use crate::types::{Con, Ty, TypeKind};

impl Checker<'_> {
    /// A string; one with a path, artifact or late value in it is an argument of a command.
    pub(super) fn synth_string(&mut self, parts: &[StrPart], span: Span) -> Typed {
        if let Some(text) = plain(parts) {
            return self.typed_const(Const::Str(Name::new(text)), Ty::STR, span);
        }
        let (nodes, pieces) = self.interpolated(parts, span);
        if pieces {
            let node = self.emit(Node::Pieces(nodes), span);
            return Typed { node, ty: Ty::ARG };
        }
        let node = self.emit(Node::Interpolate(nodes), span);
        Typed { node, ty: Ty::STR }
    }

    /// A string where an argument of a command is expected.
    pub(super) fn check_arg_string(&mut self, parts: &[StrPart], span: Span) -> NodeId {
        let (nodes, _) = self.interpolated(parts, span);
        self.emit(Node::Pieces(nodes), span)
    }

    fn interpolated(&mut self, parts: &[StrPart], span: Span) -> (Vec<NodeId>, bool) {
        let (mut nodes, mut pieces) = (Vec::with_capacity(parts.len()), false);
        for part in parts {
            match part {
                StrPart::Text(text) => nodes.push(self.emit_const(Const::Str(text.clone()), span)),
                StrPart::Interpolation(expr) => {
                    let (node, piece) = self.interpolation(*expr);
                    nodes.push(node);
                    pieces |= piece;
                }
            }
        }
        (nodes, pieces)
    }

    /// A part of a string, and whether it makes the string an argument.
    fn interpolation(&mut self, expr: ExprId) -> (NodeId, bool) {
        let found = self.synth(expr);
        self.types.default_number(found.ty);
        let fits = match self.types.kind(found.ty) {
            TypeKind::Error => Some(false),
            TypeKind::Con(Con::Path | Con::Arg | Con::Late, _) => Some(true),
            TypeKind::Con(con, _) if con.is_artifact() => Some(true),
            TypeKind::Con(Con::Str | Con::Int | Con::Float | Con::Bool | Con::Duration | Con::Bytes, _) => {
                Some(false)
            }
            TypeKind::Enum(item, ..) => self.is_plain_enum(item).then_some(false),
            TypeKind::Meta(_) => {
                self.report_unknown(self.span(expr), "this");
                Some(false)
            }
            _ => None,
        };
        match fits {
            Some(piece) => (found.node, piece),
            None => {
                self.report_no_text(found.ty, expr);
                (self.emit(Node::Error, self.span(expr)), false)
            }
        }
    }

    fn is_plain_enum(&mut self, item: ItemRef) -> bool {
        let sig = self.enumeration(item);
        sig.is_some_and(|sig| sig.variants.iter().all(|variant| variant.fields.is_empty()))
    }

    fn report_no_text(&mut self, ty: Ty, expr: ExprId) {
        let shown = self.shown(ty);
        let error = Diagnostic::error("E0234", self.span(expr), format!("{} cannot stand in a string", a(&shown)))
            .note("text, numbers, truth values, times, sizes and enums without fields can; in a command also paths, artifacts and late values");
        let text = self.source_text(expr);
        let error = match self.types.kind(ty) {
            TypeKind::Optional(_) => error.help(format!("say what holds for null: `{text} ?? …`")),
            TypeKind::Con(Con::List, _) => {
                error.help(format!("write `join({text}, \", \")`, or `to_json({text})`"))
            }
            TypeKind::Fn(..) => error.help(format!("call the function: `${{{text}(…)}}`")),
            TypeKind::Record(record) if !record.fields.is_empty() => error.help(format!(
                "name a field of it: `${{{text}.{}}}`; the whole is written by `to_json({text})`",
                record.fields[0].name
            )),
            TypeKind::Con(con, _) if con.is_description() => error.help("take its name, which you know"),
            _ => error.help(format!("write `to_json({text})`, or name a field of it")),
        };
        self.report(error);
    }

    /// A path, relative to the file in which it is written.
    pub(super) fn synth_path(&mut self, parts: &[StrPart], span: Span) -> Typed {
        let mut nodes = Vec::with_capacity(parts.len());
        for part in parts {
            nodes.push(match part {
                StrPart::Text(text) => self.emit_const(Const::Str(text.clone()), span),
                StrPart::Interpolation(expr) => {
                    let found = self.synth(*expr);
                    self.types.default_number(found.ty);
                    match self.types.kind(found.ty) {
                        TypeKind::Con(Con::Int, _) => self.emit(Node::Interpolate(vec![found.node]), span),
                        _ => self.coerce_or_report(found, Ty::STR, Why::Plain, *expr),
                    }
                }
            });
        }
        let source = self.module().source;
        let node = self.emit(Node::Path { source, parts: nodes }, span);
        Typed { node, ty: Ty::PATH }
    }
}
