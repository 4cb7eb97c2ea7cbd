//! `import ./params.yaml as T`: data held against a type. Mistakes are the data file's, once, with the type beside them.

use super::suggest::{a, listed, nearest, parameter};
use super::{Checker, Typed};
use crate::core::{Const, Element, MapEntry, Node, NodeId, RecordEntry};
use crate::diagnostic::Diagnostic;
use crate::hir::{DataFile, DataNode, DataValue, Name, TypeId};
use crate::source::Span;
use crate::types::{Con, RecordType, Ty, TypeKind};

impl Checker<'_> {
    pub(super) fn import_data(&mut self, written: TypeId, data: Option<&DataFile>, span: Span) -> Typed {
        let ty = self.written(written);
        let Some(data) = data else {
            let node = self.emit(Node::Error, span);
            return Typed { node, ty };
        };
        if !self.types.is_ground(ty) {
            let error = Diagnostic::error(
                "E0217",
                self.type_span(written),
                "an import needs a type known here",
            );
            self.report(error.help("write what the file holds: `as { lr: Float }`"));
            return self.error_node(span);
        }
        if self.schema(ty, self.type_span(written)).is_none() {
            return self.error_node(span);
        }
        let node = self.data_node(&data.value, ty, self.type_span(written));
        Typed { node, ty }
    }

    /// A value of a data file as one of a type. `written` is where the type stands.
    fn data_node(&mut self, data: &DataNode, ty: Ty, written: Span) -> NodeId {
        let span = data.span;
        match (&data.value, self.types.kind(ty)) {
            (_, TypeKind::Error) => self.emit(Node::Error, span),
            (DataValue::Null, TypeKind::Optional(_) | TypeKind::Con(Con::Json, _)) => {
                self.emit_const(Const::Null, span)
            }
            (_, TypeKind::Optional(inner)) => self.data_node(data, inner, written),
            (DataValue::Bool(value), TypeKind::Con(Con::Bool | Con::Json, _)) => {
                self.emit_const(Const::Bool(*value), span)
            }
            (DataValue::Int(value), TypeKind::Con(Con::Int | Con::Json, _)) => {
                self.emit_const(Const::Int(*value), span)
            }
            (DataValue::Int(value), TypeKind::Con(Con::Float, _)) => {
                self.emit_const(Const::Float(*value as f64), span)
            }
            (DataValue::Float(value), TypeKind::Con(Con::Float | Con::Json, _)) => {
                self.emit_const(Const::Float(*value), span)
            }
            (DataValue::Str(text), TypeKind::Con(Con::Str | Con::Json, _)) => {
                self.emit_const(Const::Str(text.clone()), span)
            }
            (DataValue::Int(value), TypeKind::Con(Con::Duration, _)) => {
                self.emit_const(Const::Duration(*value), span)
            }
            (DataValue::Int(value), TypeKind::Con(Con::Bytes, _)) => {
                self.emit_const(Const::Bytes(*value), span)
            }
            (DataValue::Str(text), TypeKind::Enum(item, ..)) => self.data_variant(text, item, span, written),
            (DataValue::List(elements), TypeKind::Con(Con::List, args)) => {
                self.data_list(elements, args[0], span, written)
            }
            (DataValue::List(elements), TypeKind::Con(Con::Json, _)) => {
                self.data_list(elements, Ty::JSON, span, written)
            }
            (DataValue::Map(entries), TypeKind::Con(Con::Map, args)) => {
                self.data_map(entries, args[0], span, written)
            }
            (DataValue::Map(entries), TypeKind::Con(Con::Json, _)) => {
                self.data_map(entries, Ty::JSON, span, written)
            }
            (DataValue::Map(entries), TypeKind::Record(record)) => {
                self.data_record(entries, &record, ty, span, written)
            }
            _ => self.report_data(data, ty, written),
        }
    }

    fn data_list(&mut self, elements: &[DataNode], ty: Ty, span: Span, written: Span) -> NodeId {
        let nodes = elements
            .iter()
            .map(|element| Element::Item(self.data_node(element, ty, written)));
        let nodes = nodes.collect();
        self.emit(Node::List(nodes), span)
    }

    fn data_map(&mut self, entries: &[(Name, Span, DataNode)], ty: Ty, span: Span, written: Span) -> NodeId {
        let mut nodes = Vec::with_capacity(entries.len());
        for (key, at, value) in entries {
            let key = self.emit_const(Const::Str(key.clone()), *at);
            nodes.push(MapEntry::Item(key, self.data_node(value, ty, written)));
        }
        self.emit(Node::Map(nodes), span)
    }

    fn data_record(
        &mut self,
        entries: &[(Name, Span, DataNode)],
        record: &RecordType,
        ty: Ty,
        span: Span,
        written: Span,
    ) -> NodeId {
        let mut nodes = Vec::with_capacity(record.fields.len());
        let mut taken_for: Vec<&str> = Vec::new();
        for (name, at, value) in entries {
            match record.field(name) {
                Some(field) => {
                    let node = self.data_node(value, field.ty, written);
                    nodes.push(RecordEntry::Field(name.clone(), node));
                }
                None => {
                    let free = record.fields.iter().map(|field| field.name.as_str());
                    let free = free.filter(|field| !entries.iter().any(|(name, ..)| name == field));
                    let near = parameter(name, free.clone());
                    taken_for.extend(near);
                    let shown = self.shown(ty);
                    let error = Diagnostic::error("E0204", *at, format!("`{shown}` has no field `{name}`"))
                        .label(written, "the data must be of this type");
                    self.report(match near {
                        Some(near) => error.help(format!("did you mean `{near}`?")),
                        None => error.help("leave it out of the file, or add it to the type"),
                    });
                }
            }
        }
        for field in &record.fields {
            if entries.iter().any(|(name, ..)| *name == field.name)
                || taken_for.contains(&field.name.as_str())
            {
                continue;
            }
            let node = match field.default {
                Some(default) => self.emit_field_default(default, span),
                None => {
                    let error =
                        Diagnostic::error("E0213", span, format!("field `{}` is missing", field.name))
                            .label(written, "the data must be of this type");
                    self.report(error.help(format!("add `{}` to the file", field.name)));
                    self.emit(Node::Error, span)
                }
            };
            nodes.push(RecordEntry::Field(field.name.clone(), node));
        }
        self.emit(Node::Record(nodes), span)
    }

    fn data_variant(&mut self, text: &Name, item: crate::hir::ItemRef, span: Span, written: Span) -> NodeId {
        let Some(sig) = self.enumeration(item) else {
            return self.emit(Node::Error, span);
        };
        let plain = |variant: &&super::signatures::VariantSig| {
            variant.fields.is_empty() && super::outputs::variant_text(&variant.name, text)
        };
        match sig.variants.iter().find(plain) {
            Some(variant) => {
                let node = Node::Variant {
                    name: variant.name.clone(),
                    fields: Box::default(),
                };
                self.emit(node, span)
            }
            None => {
                let names = || sig.variants.iter().map(|variant| variant.name.as_str());
                let error =
                    Diagnostic::error("E0220", span, format!("`{}` has no variant `{text}`", sig.name))
                        .label(written, "the data must be of this type");
                self.report(match nearest(text, names()) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error.note(format!("its variants are {}", listed(names()))),
                });
                self.emit(Node::Error, span)
            }
        }
    }

    fn report_data(&mut self, data: &DataNode, ty: Ty, written: Span) -> NodeId {
        let shown = self.shown(ty);
        let found = match &data.value {
            DataValue::Null => "null",
            DataValue::Bool(_) => "a truth value",
            DataValue::Int(_) => "a whole number",
            DataValue::Float(_) => "a number with a point",
            DataValue::Str(_) => "text",
            DataValue::List(_) => "a list",
            DataValue::Map(_) => "a map",
        };
        let error = Diagnostic::error(
            "E0231",
            data.span,
            format!("{} is expected, this is {found}", a(&shown)),
        )
        .label(written, "the data must be of this type");
        let wanted = self.types.shallow(ty);
        let first = match self.types.kind(ty) {
            TypeKind::Record(record) => record
                .fields
                .first()
                .map_or("".into(), |field| field.name.clone()),
            _ => Name::from(""),
        };
        self.report(match (&data.value, wanted) {
            (DataValue::Str(text), Ty::INT | Ty::FLOAT) if text.parse::<f64>().is_ok() => {
                error.help("write the number without quotes")
            }
            (DataValue::Int(_) | DataValue::Float(_) | DataValue::Bool(_), Ty::STR) => {
                error.help("put it into quotes")
            }
            (DataValue::Str(word), Ty::BOOL)
                if matches!(word.as_str(), "yes" | "on" | "no" | "off" | "True" | "False") =>
            {
                let truth = matches!(word.as_str(), "yes" | "on" | "True");
                error.help(format!("write `{truth}`"))
            }
            (DataValue::Null, _) if !first.is_empty() => {
                error.help(format!("nothing is written here: write `{first}: …`"))
            }
            (DataValue::Null, _) => error.help(format!("if it may be null, say so in the type: `{shown}?`")),
            _ => error.help("mend the file, or the type"),
        });
        self.emit(Node::Error, data.span)
    }
}
