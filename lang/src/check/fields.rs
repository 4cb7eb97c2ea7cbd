//! `.name` and `[index]`.

use super::suggest::{a, listed, parameter};
use super::{Checker, Typed, Why};
use crate::core::Node;
use crate::diagnostic::Diagnostic;
use crate::hir::{Expr, ExprId, Name};
use crate::source::Span;
use crate::types::{Con, RecordType, Ty, TypeKind};

impl Checker<'_> {
    pub(super) fn synth_field(&mut self, base: ExprId, name: &Name, name_span: Span, span: Span) -> Typed {
        let found = self.synth(base);
        self.types.default_number(found.ty);
        let Some(ty) = self.field_type(found.ty, base, name, name_span) else {
            return self.error_node(span);
        };
        let node = Node::Field {
            base: found.node,
            name: name.clone(),
        };
        let node = self.emit(node, span);
        Typed { node, ty }
    }

    fn field_type(&mut self, of: Ty, base: ExprId, name: &Name, name_span: Span) -> Option<Ty> {
        match self.types.kind(of) {
            TypeKind::Error => None,
            TypeKind::Record(record) => match record.field(name) {
                Some(field) => Some(field.ty),
                None => self.no_field(of, Some(&record), base, name, name_span),
            },
            TypeKind::Con(Con::Late, args) => match self.types.kind(args[0]) {
                TypeKind::Record(record) => match record.field(name) {
                    Some(field) => Some(self.types.late(field.ty)),
                    None => self.no_field(of, Some(&record), base, name, name_span),
                },
                _ => self.no_field(of, None, base, name, name_span),
            },
            TypeKind::Con(Con::Validation, _) if name == "loss" => Some(self.types.late(Ty::FLOAT)),
            TypeKind::Con(Con::Metrics | Con::Validation, args) => match self.types.kind(args[0]) {
                TypeKind::Record(record) => match record.field(name) {
                    Some(field) => Some(self.types.late(field.ty)),
                    None => self.no_field(of, Some(&record), base, name, name_span),
                },
                TypeKind::Error => None,
                TypeKind::Meta(_) => {
                    self.report_unknown(self.span(base), "the metrics of this");
                    None
                }
                _ => self.no_field(of, None, base, name, name_span),
            },
            TypeKind::Con(Con::Pick, args) => match name.as_str() {
                "value" => Some(self.late_of(args[0])),
                "use" => {
                    let result = self.types.meta();
                    let function = self.types.function(&[args[0]], result);
                    Some(self.types.function(&[function], result))
                }
                _ => {
                    let shown = self.shown(of);
                    let error =
                        Diagnostic::error("E0205", name_span, format!("{} has no field `{name}`", a(&shown)));
                    let text = self.source_text(base);
                    let has = matches!(self.types.kind(args[0]), TypeKind::Record(record) if record.field(name).is_some());
                    self.report(error.help(match has {
                        true => format!("the build chooses: build on it by `{text}.use(c => … c.{name} …)`, see it by `{text}.value.{name}`"),
                        false => "use `.use(c => …)` to build on the choice, `.value` to see it".to_owned(),
                    }));
                    None
                }
            },
            TypeKind::Optional(_) => {
                let text = self.source_text(base);
                self.report(
                    Diagnostic::error(
                        "E0214",
                        name_span,
                        format!("`{text}` may be null, null has no field `{name}`"),
                    )
                    .label(self.span(base), "this may be null")
                    .help(format!(
                        "tell the cases apart: `match {text} {{ null => …, x => x.{name} }}`"
                    )),
                );
                None
            }
            TypeKind::Meta(_) => {
                self.report_unknown_value(base);
                None
            }
            TypeKind::Con(Con::Map, _) => {
                let (shown, text) = (self.shown(of), self.source_text(base));
                let error =
                    Diagnostic::error("E0205", name_span, format!("{} has keys, not fields", a(&shown)));
                self.report(error.help(format!("write `{text}[\"{name}\"]`")));
                None
            }
            TypeKind::Con(Con::Json, _) => {
                let text = self.source_text(base);
                let error = Diagnostic::error(
                    "E0205",
                    name_span,
                    format!("nothing is known of what is in this Json, nor of a field `{name}`"),
                );
                self.report(error.help(format!(
                    "open it first: `decode[{{ {name}: Str }}]({text}).{name}`, with the type that it has"
                )));
                None
            }
            TypeKind::Con(Con::Tensor, _) => {
                self.no_method(base, name, name_span);
                None
            }
            _ => self.no_field(of, None, base, name, name_span),
        }
    }

    /// PyTorch's `x.mean(…)`.
    fn no_method(&mut self, base: ExprId, name: &Name, name_span: Span) {
        let error = Diagnostic::error("E0205", name_span, format!("a `Tensor` has no field `{name}`"));
        let text = self.source_text(base);
        let known = crate::library::Library::standard()
            .text("tensor")
            .is_some_and(|library| library.contains(&format!("\nfn {name}(")));
        let error = match name.as_str() {
            _ if known => error.help(format!(
                "write `tensor.{name}({text})`: operations are functions of `std.tensor`"
            )),
            "shape" | "size" => error.note("the shape of a traced tensor is found when it meets the data"),
            name => match crate::habits::member(name) {
                Some(help) => error.help(help),
                None => error.note("operations are functions of `std.tensor`; `mlp doc tensor` lists them"),
            },
        };
        self.report(error);
    }

    fn no_field(
        &mut self,
        of: Ty,
        record: Option<&RecordType>,
        base: ExprId,
        name: &Name,
        name_span: Span,
    ) -> Option<Ty> {
        let shown = self.shown(of);
        let text = self.source_text(base);
        let what = match text {
            "…" => "this".to_owned(),
            text if text.len() > 40 => "this".to_owned(),
            text => format!("`{text}`"),
        };
        let error = Diagnostic::error("E0205", name_span, format!("{what} has no field `{name}`"));
        let error = match record {
            None => error.label(self.span(base), format!("this is {}", a(&shown))),
            Some(_) => error,
        };
        if let Some(help) = self.method_help(of, text, name, name_span) {
            self.report(error.help(help));
            return None;
        }
        let names = || {
            record
                .iter()
                .flat_map(|record| record.fields.iter().map(|field| field.name.as_str()))
        };
        let error = match parameter(name, names()) {
            Some(near) => {
                error
                    .help(format!("did you mean `{near}`?"))
                    .mend(format!("write `{near}`"), name_span, near)
            }
            None if names().count() == 1 => error.help(format!("its only field is {}", listed(names()))),
            None if names().next().is_some() => error.help(format!("its fields are {}", listed(names()))),
            None if matches!(self.types.kind(of), TypeKind::Record(_)) => error.note("it has no fields"),
            None => error,
        };
        self.report(error);
        None
    }

    /// What a value of a choice is before the build: artifacts stand for what they will be, data is late.
    fn late_of(&mut self, ty: Ty) -> Ty {
        match self.types.kind(ty) {
            TypeKind::Con(Con::List, args) => {
                let element = self.late_of(args[0]);
                self.types.list(element)
            }
            TypeKind::Con(con, _) if con.is_artifact() || con.is_description() => ty,
            TypeKind::Record(record) => {
                let fields = record
                    .fields
                    .iter()
                    .map(|field| (field.name.clone(), self.late_of(field.ty)));
                let fields = fields.collect();
                self.types.closed(fields)
            }
            TypeKind::Error | TypeKind::Meta(_) => ty,
            _ => self.types.late(ty),
        }
    }

    /// The type of something had to be known, and is not.
    pub(super) fn report_unknown(&mut self, span: Span, what: &str) {
        self.report(
            Diagnostic::error("E0212", span, format!("the type of {what} is not known here"))
                .note("types are found from left to right; what comes later does not help")
                .help("write the type: `(x: Int) => …` for a parameter, `let x: Int = …` for a binding"),
        );
    }

    /// The type of an expression had to be known: said once of each name.
    pub(super) fn report_unknown_value(&mut self, expr: ExprId) {
        let (span, text) = (self.span(expr), self.source_text(expr));
        let Expr::Local(local) = self.expr(expr) else {
            return self.report_unknown(span, "this");
        };
        let ty = self.cx.locals[local.0 as usize];
        self.types.absorb(ty);
        self.report(
            Diagnostic::error("E0212", span, format!("the type of `{text}` is not known here"))
                .note("types are found from left to right; what comes later does not help")
                .help(format!(
                    "write it where `{text}` is named: `({text}: Int) => …`, `let {text}: Int = …`"
                )),
        );
    }

    pub(super) fn synth_index(&mut self, base: ExprId, index: ExprId, span: Span) -> Typed {
        let found = self.synth(base);
        let base_node = found.node;
        self.types.default_number(found.ty);
        match self.types.kind(found.ty) {
            TypeKind::Con(Con::List, args) => {
                let index = self.check_index(index, Ty::INT);
                let node = self.emit(
                    Node::Index {
                        base: base_node,
                        index,
                    },
                    span,
                );
                Typed { node, ty: args[0] }
            }
            TypeKind::Con(Con::Map, args) => {
                let key = self.check_index(index, Ty::STR);
                let node = self.emit(Node::MapIndex { base: base_node, key }, span);
                Typed { node, ty: args[0] }
            }
            TypeKind::Con(Con::Late, args) => {
                if !matches!(self.types.kind(args[0]), TypeKind::Con(Con::List, _)) {
                    self.report_not_indexed(found.ty, base, index);
                } else {
                    self.report_late(self.span(base), "an index");
                }
                self.synth(index);
                self.error_node(span)
            }
            kind => {
                match kind {
                    TypeKind::Error => {}
                    TypeKind::Meta(_) => self.report_unknown_value(base),
                    _ => self.report_not_indexed(found.ty, base, index),
                }
                self.synth(index);
                self.error_node(span)
            }
        }
    }

    fn check_index(&mut self, index: ExprId, wanted: Ty) -> crate::core::NodeId {
        let found = self.synth(index);
        if let TypeKind::Con(Con::Late, _) = self.types.kind(found.ty) {
            self.report_late(self.span(index), "an index");
            return self.emit(Node::Error, self.span(index));
        }
        self.coerce_or_report(found, wanted, Why::Plain, index)
    }

    /// The field of a record that a text means: `train` of `"train.csv"`.
    fn field_meant(&mut self, ty: Ty, text: &str) -> Option<Name> {
        let TypeKind::Record(record) = self.types.kind(ty) else {
            return None;
        };
        let stem = text.split('.').next().unwrap_or(text);
        let near = parameter(stem, record.fields.iter().map(|field| field.name.as_str()));
        record
            .field(stem)
            .map(|field| field.name.clone())
            .or_else(|| near.map(Name::from))
    }

    fn report_not_indexed(&mut self, ty: Ty, base: ExprId, index: ExprId) {
        let shown = self.shown(ty);
        let error = Diagnostic::error(
            "E0233",
            self.span(base),
            format!("{} has no elements to index", a(&shown)),
        )
        .at(format!("this is `{shown}`"));
        let text = self.source_text(base);
        let error = match (self.types.kind(ty), self.expr(index)) {
            (TypeKind::Record(_), crate::hir::Expr::Str(parts)) => match super::literals::plain(parts) {
                Some(field) => match self.field_meant(ty, field) {
                    Some(own) => error.help(format!("a field is written `{text}.{own}`")),
                    None => error.help("its fields are known by name: write `.field`, or use a map"),
                },
                None => error.help("a record's fields are known by name: write `.field`, or use a map"),
            },
            (TypeKind::Con(Con::Tensor, _), _) => error.help(format!(
                "for `{text}[:, 0]` write `tensor.select({text}, dim = 1, index = 0)`"
            )),
            (TypeKind::Optional(_), _) => {
                error.help(format!("say what holds for null: `({text} ?? []) [i]`"))
            }
            _ => error.note("lists are indexed by an Int from 0, maps by a Str"),
        };
        self.report(error);
    }
}
