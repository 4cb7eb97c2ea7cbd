//! Variants of enums and declared outputs of steps: what a capitalised name makes.

use super::signatures::{DefaultCode, EnumSig, VariantSig};
use super::suggest::{listed, nearest};
use super::{Checker, Typed, Why};
use crate::core::{Declared, Node, NodeId};
use crate::diagnostic::Diagnostic;
use crate::hir::{Arg, ExprId, ItemKind, ItemRef, ModuleId, Name, StrPart, TypeId};
use crate::source::Span;
use crate::types::{BUILTIN_TYPES, Con, DefaultId, Substitution, Ty, TypeKind};
use std::rc::Rc;

/// The name of a kind, its type, its parameters.
type Output = (&'static str, Con, &'static [(&'static str, Ty)]);

/// Parameters of every declared output: where it is written, whether it may be left out, whether it is observed alone. All
/// but the path have the default `false`.
const PATH: &[(&str, Ty)] = &[("path", Ty::STR), ("optional", Ty::BOOL), ("observed", Ty::BOOL)];

/// Parameters of the constructors of declared outputs, by kind.
const OUTPUTS: &[Output] = &[
    ("Dataset", Con::Dataset, PATH),
    ("Dir", Con::Dir, PATH),
    ("File", Con::File, PATH),
    ("Metrics", Con::Metrics, PATH),
    // The types `Layer` and `List[Str]` are no constants: see `output_arguments`.
    (
        "Model",
        Con::Model,
        &[("net", Ty::ERROR), ("path", Ty::STR), ("optional", Ty::BOOL)],
    ),
    ("Plot", Con::Plot, PATH),
    ("Predictions", Con::Predictions, PATH),
    ("State", Con::State, &[("path", Ty::STR), ("extends", Ty::ERROR)]),
];

/// Whether a name is a type's; else it may be a variant's.
pub(super) fn is_type(name: &str) -> bool {
    BUILTIN_TYPES.iter().any(|row| row.name == name)
}

impl Checker<'_> {
    /// `File("m.bin")`: what a step is declared to write.
    pub(super) fn synth_output(&mut self, name: &Name, targs: &[TypeId], args: &[Arg], span: Span) -> Typed {
        let Some((_, con, params)) = OUTPUTS.iter().find(|(output, ..)| output == name) else {
            self.report_no_constructor(name, span);
            return self.error_node(span);
        };
        let given: Vec<Ty> = targs.iter().map(|targ| self.written(*targ)).collect();
        let arity = match con {
            Con::Metrics => 1,
            Con::Dataset | Con::Model => 2,
            _ => 0,
        };
        let types = match (given.len(), con) {
            (n, _) if n == arity => given,
            (0, Con::Model) => vec![Ty::UNKNOWN; 2],
            _ => {
                let example = match con {
                    Con::Metrics => "Metrics[{ accuracy: Float }](\"metrics.json\")",
                    Con::Dataset => "Dataset[Image(1, 28, 28), Class(10)](\"data\")",
                    _ => "File(\"model.bin\")",
                };
                let plural = if arity == 1 { "" } else { "s" };
                let message = format!(
                    "`{name}` takes {arity} type argument{plural} here, not {}",
                    given.len()
                );
                self.report(
                    Diagnostic::error("E0211", span, message).help(format!("for example `{example}`")),
                );
                return self.error_node(span);
            }
        };
        let Some(fields) = self.output_arguments(name, params, args, span) else {
            return self.error_node(span);
        };
        let artifact = self.types.con(*con, &types);
        let schema = match types.as_slice() {
            [] => None,
            [only] => self.output_schema(*only, span),
            _ if types.iter().all(|ty| *ty == Ty::UNKNOWN) => None,
            both => {
                let pair: Vec<(Name, Ty)> = [Name::new("x"), Name::new("y")]
                    .into_iter()
                    .zip(both.iter().copied())
                    .collect();
                let pair = self.types.closed(pair);
                self.output_schema(pair, span)
            }
        };
        let node = Node::Output(Box::new(Declared {
            kind: name.clone(),
            args: fields,
            schema,
        }));
        let node = self.emit(node, span);
        let ty = self.types.con(Con::Output, &[artifact]);
        Typed { node, ty }
    }

    fn output_schema(&mut self, ty: Ty, span: Span) -> Option<crate::spec::Datum> {
        if self.types.is_ground(ty) {
            return self.schema(ty, span);
        }
        self.report(
            Diagnostic::error("E0217", span, "a declared output needs a type known here")
                .help("write the metrics' fields: `Metrics[{ accuracy: Float }](\"metrics.json\")`"),
        );
        None
    }

    fn output_arguments(
        &mut self,
        name: &Name,
        params: &[(&'static str, Ty)],
        args: &[Arg],
        span: Span,
    ) -> Option<Vec<(Name, NodeId)>> {
        let mut given: Vec<Option<NodeId>> = vec![None; params.len()];
        let mut place = 0;
        for arg in args {
            let at = match &arg.label {
                Some((label, _)) => params.iter().position(|(param, _)| param == label),
                None => {
                    place += 1;
                    (place <= params.len()).then_some(place - 1)
                }
            };
            let Some(at) = at.filter(|at| given[*at].is_none() && !arg.spread) else {
                let span = arg.label.as_ref().map_or(self.span(arg.value), |(_, at)| *at);
                let names = listed(params.iter().map(|(param, _)| *param));
                let error = Diagnostic::error("E0207", span, format!("`{name}` does not take this argument"));
                self.report(error.note(format!("it takes {names}")));
                return None;
            };
            let ty = match params[at] {
                ("net", _) => self.types.con(Con::Layer, &[]),
                ("extends", _) => self.types.con(Con::List, &[Ty::STR]),
                (_, ty) => ty,
            };
            given[at] = Some(self.check_expr(arg.value, ty, Why::Plain));
        }
        let missing = |given: &[Option<NodeId>]| {
            let absent = |(at, node): (usize, &Option<NodeId>)| {
                node.is_none() && params[at].1 != Ty::BOOL && params[at].0 != "extends"
            };
            given.iter().enumerate().position(absent)
        };
        if let Some(missing) = missing(&given) {
            let message = format!("`{name}` is missing argument `{}`", params[missing].0);
            let error = Diagnostic::error("E0208", span, message);
            self.report(error.help(format!("say where the step writes it: `{name}(\"…\")`")));
            return None;
        }
        let given = params.iter().zip(given);
        Some(
            given
                .filter_map(|((param, _), node)| Some((Name::new(param), node?)))
                .collect(),
        )
    }

    fn report_no_constructor(&mut self, name: &Name, span: Span) {
        let error = Diagnostic::error(
            "E0220",
            span,
            format!("the type `{name}` makes no values by itself"),
        );
        self.report(match name.as_str() {
            "Int" => error.help("write `int(x)`"),
            "Float" => error.help("write `float(x)`"),
            "Str" => error.help("write `str(x)`"),
            "Path" => error.help("a path is written without quotes: `./data.csv`"),
            _ => error.note(format!(
                "only {} are made this way, as declared outputs of a step",
                listed(OUTPUTS.iter().map(|(output, ..)| *output))
            )),
        });
    }

    /// `Red`, `Color.Rgb(1, 2, 3)`.
    pub(super) fn synth_variant(
        &mut self,
        of: Option<ItemRef>,
        name: &Name,
        wanted: Option<Ty>,
        args: &[Arg],
        id: ExprId,
    ) -> Typed {
        let span = self.span(id);
        let expected = wanted.and_then(|ty| match self.types.kind(ty) {
            TypeKind::Enum(item, _, args) => Some((item, args)),
            TypeKind::Optional(inner) => match self.types.kind(inner) {
                TypeKind::Enum(item, _, args) => Some((item, args)),
                _ => None,
            },
            _ => None,
        });
        let item = of
            .or(expected.as_ref().map(|(item, _)| *item))
            .or_else(|| self.enum_with(name));
        let Some((item, sig)) = item.and_then(|item| Some((item, self.enumeration(item)?))) else {
            self.report(
                Diagnostic::error(
                    "E0220",
                    span,
                    format!("no enum that is known here has a variant `{name}`"),
                )
                .help(format!("say of which enum: `Name.{name}`")),
            );
            args.iter().for_each(|arg| {
                self.synth(arg.value);
            });
            return self.error_node(span);
        };
        let Some(variant) = sig.variant(name) else {
            self.report_no_variant(&sig, name, span);
            args.iter().for_each(|arg| {
                self.synth(arg.value);
            });
            return self.error_node(span);
        };
        let types: Vec<Ty> = match expected {
            Some((wanted, args)) if wanted == item => args.to_vec(),
            _ => sig.vars.iter().map(|_| self.types.meta()).collect(),
        };
        let substitution = Substitution {
            types: sig.vars.iter().copied().zip(types.iter().copied()).collect(),
            dims: Vec::new(),
        };
        let Some(fields) = self.variant_arguments(variant, &substitution, args, span) else {
            return self.error_node(span);
        };
        let node = Node::Variant {
            name: name.clone(),
            fields: fields.into(),
        };
        let node = self.emit(node, span);
        let ty = self.types.enumeration(item, sig.name.clone(), &types);
        Typed { node, ty }
    }

    /// The enum of this module, or else of those that it imports or that are around it, that has the variant.
    fn enum_with(&mut self, name: &Name) -> Option<ItemRef> {
        let here = self.module_id();
        let imported = self.module().imports.iter().map(|import| import.module);
        let around = self.module().around.iter().copied();
        let modules: Vec<ModuleId> = [here].into_iter().chain(imported).chain(around).collect();
        modules.into_iter().find_map(|id| {
            let items = &self.program.modules.get(id.0 as usize)?.items;
            let has = |kind: &ItemKind| matches!(kind, ItemKind::Enum { variants, .. } if variants.iter().any(|variant| variant.name == *name));
            let at = items.iter().position(|item| has(&item.kind))?;
            Some(ItemRef { module: id, item: at as u32 })
        })
    }

    pub(super) fn report_no_variant(&mut self, sig: &EnumSig, name: &str, span: Span) {
        let names = || sig.variants.iter().map(|variant| variant.name.as_str());
        let error = Diagnostic::error(
            "E0220",
            span,
            format!("enum `{}` has no variant `{name}`", sig.name),
        );
        let error = match nearest(name, names()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.note(format!("its variants are {}", listed(names()))),
        };
        let std = self.sources.get(sig.span.source).path.starts_with("std/");
        self.report(if std {
            error
        } else {
            error.label(sig.span, "declared here")
        });
    }

    fn variant_arguments(
        &mut self,
        variant: &VariantSig,
        substitution: &Substitution,
        args: &[Arg],
        span: Span,
    ) -> Option<Vec<(Name, NodeId)>> {
        let mut given: Vec<Option<NodeId>> = vec![None; variant.fields.len()];
        let mut place = 0;
        for arg in args {
            let at = match &arg.label {
                Some((label, _)) => variant
                    .fields
                    .iter()
                    .position(|field| field.name == *label && field.labelled),
                None => {
                    place += 1;
                    (place <= variant.fields.len()).then_some(place - 1)
                }
            };
            let Some(at) = at.filter(|at| given[*at].is_none() && !arg.spread) else {
                let at = arg.label.as_ref().map_or(self.span(arg.value), |(_, at)| *at);
                let fields = listed(variant.fields.iter().map(|field| field.name.as_str()));
                let count = variant.fields.len();
                let message = match &arg.label {
                    Some((label, _)) => format!("`{}` has no field `{label}`", variant.name),
                    None if count == 0 => format!("`{}` has no fields: it takes no arguments", variant.name),
                    None => format!("one argument too many for `{}`", variant.name),
                };
                let error = Diagnostic::error("E0207", at, message);
                let error = match (&arg.label, count) {
                    (_, 0) => error.help(format!("write `{}` alone", variant.name)),
                    (Some((label, _)), _) => {
                        let names = variant.fields.iter().map(|field| field.name.as_str());
                        match nearest(label, names) {
                            Some(near) => error.help(format!("did you mean `{near}`?")),
                            None => error.help(format!("its fields are {fields}")),
                        }
                    }
                    _ => error.help(format!("its fields are {fields}")),
                };
                self.report(error.label(variant.span, "declared here"));
                return None;
            };
            let field = &variant.fields[at];
            let ty = self.types.substitute(field.ty, substitution);
            given[at] = Some(self.check_expr(arg.value, ty, Why::Field(field.span)));
        }
        let mut fields = Vec::with_capacity(given.len());
        for (field, given) in variant.fields.iter().zip(given) {
            let node = match (given, field.default) {
                (Some(node), _) => node,
                (None, Some(default)) => self.emit_field_default(default, span),
                (None, None) => {
                    let message = format!("`{}` is missing field `{}`", variant.name, field.name);
                    let example = format!("write `{}({} = …)`", variant.name, field.name);
                    self.report(
                        Diagnostic::error("E0208", span, message)
                            .label(field.span, "declared here")
                            .help(example),
                    );
                    return None;
                }
            };
            fields.push((field.name.clone(), node));
        }
        Some(fields)
    }

    /// The default of a field of a written type.
    pub(super) fn emit_field_default(&mut self, default: DefaultId, span: Span) -> NodeId {
        match self
            .field_defaults
            .get(default.0 as usize)
            .map(|default| default.code.clone())
        {
            Some(DefaultCode::Const(value)) => self.emit_const(value, span),
            Some(DefaultCode::Alone(body)) => self.emit(Node::Default(body), span),
            // A field's default reads no parameters.
            Some(DefaultCode::Call { .. } | DefaultCode::Error) | None => self.emit(Node::Error, span),
        }
    }

    /// `"best"` where `Keep` is expected; none for a string that is not plain.
    pub(super) fn check_enum_string(
        &mut self,
        parts: &[StrPart],
        item: ItemRef,
        args: &[Ty],
        id: ExprId,
        why: Why,
    ) -> Option<NodeId> {
        let text = super::literals::plain(parts)?;
        let span = self.span(id);
        let sig: Rc<EnumSig> = self.enumeration(item)?;
        let Some(variant) = sig
            .variants
            .iter()
            .find(|variant| variant_text(&variant.name, text))
        else {
            let names: Vec<String> = sig.variants.iter().map(|variant| snake(&variant.name)).collect();
            let error = Diagnostic::error(
                "E0220",
                span,
                format!("`{}` has no variant `\"{text}\"`", sig.name),
            );
            let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            let error = match nearest(text, names.iter().map(|name| name.as_str())) {
                Some(near) => error.help(format!("did you mean `\"{near}\"`?")),
                None => error.help(format!(
                    "its variants are {}",
                    listed(quoted.iter().map(String::as_str))
                )),
            };
            let error = self.because(error, why);
            self.report(error);
            return Some(self.emit(Node::Error, span));
        };
        let substitution = Substitution {
            types: sig.vars.iter().copied().zip(args.iter().copied()).collect(),
            dims: Vec::new(),
        };
        let fields = self
            .variant_arguments(variant, &substitution, &[], span)
            .unwrap_or_default();
        let node = Node::Variant {
            name: variant.name.clone(),
            fields: fields.into(),
        };
        Some(self.emit(node, span))
    }
}

/// Whether a string names a variant: as it is declared, or in lower case with `_`.
pub(super) fn variant_text(variant: &str, text: &str) -> bool {
    variant == text || snake(variant) == text
}

/// `CrossEntropy` as `cross_entropy`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for (index, c) in name.chars().enumerate() {
        if c.is_uppercase() && index > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}
