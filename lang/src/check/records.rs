//! Lists, records and maps as they are written, alone and against a type.

use super::suggest::{a, listed, parameter};
use super::{Checker, Typed, Why};
use crate::core::{MapEntry, Node, NodeId, RecordEntry};
use crate::diagnostic::Diagnostic;
use crate::hir::{Entry, ExprId, ItemRef, Name};
use crate::source::Span;
use crate::types::{Con, Field, Fieldwise, RecordType, Ty, TypeKind};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Checker<'_> {
    pub(super) fn synth_record(&mut self, entries: &[Entry], span: Span) -> Typed {
        if is_map(entries) {
            let value = self.types.meta();
            let node = self.map_literal(entries, value, Why::Plain, span);
            let ty = self.types.map(value);
            return Typed { node, ty };
        }
        let mut fields = Fields::default();
        let mut nodes = Vec::with_capacity(entries.len());
        for entry in entries {
            match entry {
                Entry::Field { name, value, .. } => {
                    let found = self.synth(*value);
                    fields.set(name, found.ty);
                    nodes.push(RecordEntry::Field(name.clone(), found.node));
                }
                Entry::Spread(expr) => {
                    let (node, record) = self.spread_record(*expr);
                    nodes.push(RecordEntry::Spread(node));
                    match record {
                        Spread::Record(record) => {
                            record
                                .fields
                                .iter()
                                .for_each(|field| fields.set(&field.name, field.ty));
                        }
                        Spread::Map(value) if entries.len() == 1 => {
                            let node = self.emit(Node::Map(vec![MapEntry::Spread(node)]), span);
                            let ty = self.types.map(value);
                            return Typed { node, ty };
                        }
                        Spread::Map(_) => {
                            self.report_spread_map(*expr);
                            return self.error_node(span);
                        }
                        Spread::Failed => return self.error_node(span),
                    }
                }
                Entry::Computed { .. } => {}
            }
        }
        let node = self.emit(Node::Record(nodes), span);
        let ty = self.types.record(RecordType::new(fields.list, false, None));
        Typed { node, ty }
    }

    fn report_spread_map(&mut self, expr: ExprId) {
        self.report(
            Diagnostic::error("E0215", self.span(expr), "a map cannot be spread into a record")
                .note("a record's fields are known before anything is evaluated, a map's keys are not")
                .help("put two maps together with `merge(a, b)`"),
        );
    }

    /// What `...x` in a record gives.
    pub(super) fn spread_record(&mut self, expr: ExprId) -> (NodeId, Spread) {
        let found = self.synth(expr);
        let span = self.span(expr);
        let spread = match self.types.kind(found.ty) {
            TypeKind::Record(record) if !record.open => Spread::Record(record),
            TypeKind::Con(Con::Map, args) => Spread::Map(args[0]),
            TypeKind::Error => Spread::Failed,
            TypeKind::Meta(_) => {
                self.report_unknown(span, "this");
                Spread::Failed
            }
            kind => {
                let shown = self.shown(found.ty);
                let error = Diagnostic::error("E0215", span, format!("{} cannot be spread", a(&shown)));
                self.report(match kind {
                    TypeKind::Record(_) => error
                        .at("this is an open record: a caller may have passed other fields too")
                        .help("write the fields that you need: `{ a: x.a }`"),
                    TypeKind::Optional(_) => error.help("say what holds for null first: `...(x ?? {})`"),
                    _ => error.note("only a record or a map can"),
                });
                Spread::Failed
            }
        };
        (found.node, spread)
    }

    /// A record literal against a type; none where the type says nothing about fields.
    pub(super) fn check_record(
        &mut self,
        entries: &[Entry],
        wanted: Ty,
        why: Why,
        span: Span,
    ) -> Option<NodeId> {
        match self.types.kind(wanted) {
            TypeKind::Record(record) if !is_map(entries) => {
                Some(self.check_fields(entries, &record, wanted, why, span))
            }
            TypeKind::Con(Con::Map, args) => Some(self.map_literal(entries, args[0], why, span)),
            TypeKind::Con(Con::Json, _) => Some(self.map_literal(entries, Ty::JSON, why, span)),
            TypeKind::Fieldwise(family, args) if !is_map(entries) => {
                Some(self.check_fieldwise(entries, family, &args, why, span))
            }
            _ => None,
        }
    }

    fn check_fields(
        &mut self,
        entries: &[Entry],
        record: &Arc<RecordType>,
        wanted: Ty,
        why: Why,
        span: Span,
    ) -> NodeId {
        let mut nodes = Vec::with_capacity(entries.len());
        let (mut given, mut silent, mut failed) = (Vec::new(), false, false);
        for entry in entries {
            match entry {
                Entry::Field {
                    name,
                    name_span,
                    value,
                    ..
                } => {
                    given.push(name.clone());
                    let node = match record.field(name) {
                        Some(field) => self.check_expr(*value, field.ty, why),
                        None => {
                            failed |= !record.open;
                            silent |= self.unknown_field(record, wanted, name, *name_span);
                            self.synth(*value).node
                        }
                    };
                    nodes.push(RecordEntry::Field(name.clone(), node));
                }
                Entry::Spread(expr) => {
                    let (node, spread) = self.spread_record(*expr);
                    match spread {
                        Spread::Record(other) => {
                            given.extend(other.fields.iter().map(|field| field.name.clone()));
                            let node = self.spread_fields(node, &other, record, wanted, *expr);
                            nodes.push(RecordEntry::Spread(node));
                        }
                        Spread::Map(_) => {
                            self.report_spread_map(*expr);
                            silent = true;
                        }
                        Spread::Failed => silent = true,
                    }
                }
                Entry::Computed { .. } => {}
            }
        }
        let mut missing = Vec::new();
        let given: std::collections::BTreeSet<&str> = given.iter().map(|name| name.as_str()).collect();
        for field in record
            .fields
            .iter()
            .filter(|field| !given.contains(field.name.as_str()))
        {
            match field.default {
                Some(default) => {
                    let node = self.emit_field_default(default, span);
                    nodes.push(RecordEntry::Field(field.name.clone(), node));
                }
                None => missing.push(format!("`{}`", field.name)),
            }
        }
        if !missing.is_empty() && !silent {
            self.report_missing(&missing, wanted, why, span);
        }
        if failed || silent || !missing.is_empty() {
            return self.emit(Node::Error, span);
        }
        self.emit(Node::Record(nodes), span)
    }

    /// The fields of a spread record as those that are expected.
    fn spread_fields(
        &mut self,
        node: NodeId,
        other: &RecordType,
        record: &RecordType,
        wanted: Ty,
        expr: ExprId,
    ) -> NodeId {
        let fields = other.fields.iter().map(|field| {
            let ty = record.field(&field.name).map_or(field.ty, |wanted| wanted.ty);
            (field.name.clone(), ty)
        });
        let fields: Vec<(Name, Ty)> = fields.collect();
        for field in &other.fields {
            if record.field(&field.name).is_none() {
                self.unknown_field(record, wanted, &field.name, self.span(expr));
            }
        }
        let target = self.types.closed(fields);
        let ty = self.types.record(other.clone());
        self.coerce_or_report(Typed { node, ty }, target, Why::Plain, expr)
    }

    /// Reports a field that is not declared; true, if it was likely meant to be one that is.
    fn unknown_field(&mut self, record: &RecordType, wanted: Ty, name: &str, at: Span) -> bool {
        if record.open {
            return false;
        }
        let shown = self.shown(wanted);
        let error = Diagnostic::error("E0204", at, format!("`{shown}` has no field `{name}`"));
        let near = parameter(name, record.fields.iter().map(|field| field.name.as_str()));
        let error = match near {
            Some(near) => {
                error
                    .help(format!("did you mean `{near}`?"))
                    .mend(format!("write `{near}`"), at, near)
            }
            None if self.is_of_library(wanted) => error.help(format!(
                "its fields are {}",
                listed(record.fields.iter().map(|field| field.name.as_str()))
            )),
            None => error.help("leave it out, or declare it in the type"),
        };
        self.report(error);
        near.is_some()
    }

    /// Whether a record is of a type that the library declares: nobody declares more fields there.
    fn is_of_library(&mut self, ty: Ty) -> bool {
        let TypeKind::Record(record) = self.types.kind(ty) else {
            return false;
        };
        let Some((name, _)) = &record.label else {
            return false;
        };
        let declares = |module: &crate::hir::Module| module.items.iter().any(|item| item.name == *name);
        let own = |module: &&crate::hir::Module| !module.std && declares(module);
        !self.program.modules.iter().any(|module| own(&module))
    }

    fn report_missing(&mut self, missing: &[String], wanted: Ty, why: Why, span: Span) {
        let plural = if missing.len() == 1 { "" } else { "s" };
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let shown = self.shown(wanted);
        let message = format!("field{plural} {} {verb} missing", missing.join(", "));
        let error = Diagnostic::error("E0213", span, message).at(format!("{} is expected", a(&shown)));
        let labelled = matches!(self.types.kind(wanted), TypeKind::Record(record) if record.label.is_some());
        let error = match why {
            Why::Plain | Why::Sibling(_) if labelled => error.note(INFERRED),
            Why::Param(item, index) if labelled && self.is_generic_param(item, index) => error.note(INFERRED),
            _ => error,
        };
        let error = self.because(error, why);
        self.report(error.help(format!("add {}", missing.join(", "))));
    }

    fn is_generic_param(&mut self, item: ItemRef, index: u32) -> bool {
        let ty = self.functions.get(item).map(|sig| sig.params[index as usize].ty);
        ty.is_some_and(|ty| matches!(self.types.kind(ty), TypeKind::Rigid(..)))
    }

    /// `{ accuracy: metrics.accuracy }` against `MetricsOf[R]`: finds `R`.
    fn check_fieldwise(
        &mut self,
        entries: &[Entry],
        family: Fieldwise,
        args: &[Ty],
        why: Why,
        span: Span,
    ) -> NodeId {
        let mut inner = Fields::default();
        let mut nodes = Vec::with_capacity(entries.len());
        for entry in entries {
            match entry {
                Entry::Field { name, value, .. } => {
                    let ty = family.field(&mut self.types, args);
                    let wrapped = family.wrap(&mut self.types, ty, args);
                    let node = self.check_expr(*value, wrapped, why);
                    inner.set(name, ty);
                    nodes.push(RecordEntry::Field(name.clone(), node));
                }
                Entry::Spread(expr) => {
                    let (node, spread) = self.spread_record(*expr);
                    let Spread::Record(record) = spread else { continue };
                    let mut wrapped = Vec::new();
                    for field in &record.fields {
                        let ty = family.field(&mut self.types, args);
                        inner.set(&field.name, ty);
                        wrapped.push((field.name.clone(), family.wrap(&mut self.types, ty, args)));
                    }
                    let wrapped = self.types.closed(wrapped);
                    let ty = self.types.record(RecordType::clone(&record));
                    let node = self.coerce_or_report(Typed { node, ty }, wrapped, why, *expr);
                    nodes.push(RecordEntry::Spread(node));
                }
                Entry::Computed { .. } => {}
            }
        }
        let found = self.types.record(RecordType::new(inner.list, false, None));
        if self.types.unify(args[0], found).is_err() {
            let (shown, other) = (self.shown(args[0]), self.shown(found));
            let error = Diagnostic::error(
                "E0201",
                span,
                format!("the fields are those of `{other}`, not of `{shown}`"),
            );
            let error = self.because(error, why);
            self.report(error);
        }
        self.emit(Node::Record(nodes), span)
    }
}

/// Why a default was not taken.
const INFERRED: &str = "defaults need a written type: what is inferred has none";

/// What a spread gives.
pub(super) enum Spread {
    Record(Arc<RecordType>),
    Map(Ty),
    Failed,
}

/// Fields in the order in which they are written; a later one of the same name counts.
#[derive(Default)]
struct Fields {
    list: Vec<Field>,
    places: BTreeMap<Name, usize>,
}

impl Fields {
    fn set(&mut self, name: &Name, ty: Ty) {
        if let Some(place) = self.places.get(name) {
            self.list[*place].ty = ty;
            return;
        }
        self.places.insert(name.clone(), self.list.len());
        self.list.push(Field {
            name: name.clone(),
            ty,
            default: None,
        });
    }
}

/// Whether braces can only be a map: a key is computed, or is no label.
fn is_map(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| match entry {
        Entry::Computed { .. } => true,
        Entry::Field {
            name, quoted: true, ..
        } => !is_label(name),
        Entry::Field { .. } | Entry::Spread(_) => false,
    })
}

fn is_label(name: &str) -> bool {
    name.chars().all(|c| c == '_' || c.is_alphanumeric())
        && name.chars().next().is_some_and(|c| !c.is_numeric())
}
