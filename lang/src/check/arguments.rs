//! Which argument goes to which parameter: by place, by label, from a spread record.

use super::signatures::{FnSig, ParamSig};
use super::suggest::{a, listed};
use super::{Checker, Why};
use crate::core::{NodeId, Slot};
use crate::diagnostic::Diagnostic;
use crate::hir::{Arg, ExprId, Name};
use crate::source::Span;
use crate::types::{Con, Fieldwise, Ty, TypeKind};

/// The parameters that are given by place.
fn by_place(sig: &FnSig) -> impl Iterator<Item = usize> {
    sig.params
        .iter()
        .enumerate()
        .filter(|(_, param)| !param.named)
        .map(|(index, _)| index)
}

/// What a parameter is given.
#[derive(Clone, Debug)]
pub(super) enum Given {
    /// An expression, the n-th argument.
    Expr { value: ExprId, index: u32 },
    /// A field of a record that is spread, which is bound to `slot`.
    Field {
        base: NodeId,
        slot: Slot,
        value: NodeId,
        name: Name,
        ty: Ty,
        expr: ExprId,
        index: u32,
    },
    /// Its default.
    Default,
    /// Nothing; it was reported.
    Missing,
}

/// Which parameter a label means.
enum Meant {
    Surely(usize),
    /// The label is wrong, and was reported.
    Likely(usize),
    Nothing,
}

impl Given {
    /// The place among the arguments as they were written.
    pub(super) fn written(&self) -> Option<u32> {
        match self {
            Self::Expr { index, .. } | Self::Field { index, .. } => Some(*index),
            Self::Default | Self::Missing => None,
        }
    }
}

impl Checker<'_> {
    /// Gives each parameter what it is given; what does not fit is reported.
    pub(super) fn match_arguments(&mut self, sig: &FnSig, args: &[Arg], span: Span) -> Vec<Given> {
        let mut given: Vec<Option<Given>> = vec![None; sig.params.len()];
        let errors = self.diagnostics.len();
        let mut place = 0;
        for (index, arg) in args.iter().enumerate() {
            let index = index as u32;
            if arg.spread {
                self.spread_argument(sig, arg.value, index, &mut given);
                continue;
            }
            let param = match &arg.label {
                Some((label, at)) => match self.parameter(sig, label, *at) {
                    // Under a wrong name it is held against what it is likely meant for.
                    Meant::Likely(param) if given[param].is_some() => None,
                    Meant::Surely(param) | Meant::Likely(param) => Some(param),
                    Meant::Nothing => None,
                },
                None => {
                    place += 1;
                    let found = by_place(sig).nth(place - 1);
                    if found.is_none() {
                        self.too_many_by_place(sig, place - 1, arg, args, &mut given);
                        continue;
                    }
                    found
                }
            };
            let value = arg.value;
            match param {
                Some(param) if given[param].is_some() => self.report_twice(sig, param, arg),
                Some(param) => given[param] = Some(Given::Expr { value, index }),
                // It is checked all the same, for the mistakes in it.
                None => self.synth_in_vain(value),
            }
        }
        let silent = self.diagnostics.len() > errors;
        self.fill(sig, given, silent, span)
    }

    fn fill(&mut self, sig: &FnSig, given: Vec<Option<Given>>, silent: bool, span: Span) -> Vec<Given> {
        let mut missing = Vec::new();
        let mut filled = Vec::with_capacity(given.len());
        for (param, given) in sig.params.iter().zip(given) {
            filled.push(match given {
                Some(given) => given,
                None if param.default.is_some() => Given::Default,
                None => {
                    missing.push(format!("`{}`", param.label));
                    Given::Missing
                }
            });
        }
        // An argument under a wrong name is likely the one that is missing.
        if !missing.is_empty() && !silent {
            let plural = if missing.len() == 1 { "" } else { "s" };
            let message = format!(
                "`{}` is missing argument{plural} {}",
                sig.name,
                missing.join(", ")
            );
            let error = Diagnostic::error("E0208", self.callee_span(span), message);
            let named = |param: &&ParamSig| missing.contains(&format!("`{}`", param.label));
            let error = if sig.params.iter().filter(named).all(|param| param.named) {
                let mut parts = Vec::new();
                for param in sig.params.iter().filter(named) {
                    parts.push(self.example(param));
                }
                let error = error.help(format!("add {}", parts.join(", ")));
                self.with_declaration(error, sig)
            } else {
                self.with_signature(error, sig)
            };
            self.report(error);
        }
        filled
    }

    /// An argument that is missing, as it could be written.
    fn example(&mut self, param: &ParamSig) -> String {
        let label = &param.label;
        match (self.types.kind(param.ty), label.as_str()) {
            (TypeKind::Con(Con::Codec, _), "y") => "`y = data.label(\"column\", classes = 10)`".to_owned(),
            (TypeKind::Con(Con::Codec, _), _) => format!("`{label} = data.vector([\"column\"])`"),
            (TypeKind::Con(Con::Env, _), _) => format!("`{label} = env.host([\"python3\"])`"),
            (TypeKind::Con(Con::Loss, _), _) => format!("`{label} = loss.…`"),
            (TypeKind::Con(Con::Optimizer, _), _) => format!("`{label} = optim.adam`"),
            (TypeKind::Fieldwise(Fieldwise::Outputs, _), _) => {
                format!("`{label} = {{ model: File(\"model.pkl\") }}`")
            }
            _ => format!("`{label} = …` ({})", self.in_words(param.ty)),
        }
    }

    /// Of a call the part before its arguments.
    fn callee_span(&self, call: Span) -> Span {
        let text = self.sources.text(call);
        match text.find('(') {
            Some(at) if at > 0 => Span {
                end: call.start + at as u32,
                ..call
            },
            _ => call,
        }
    }

    fn parameter(&mut self, sig: &FnSig, label: &Name, at: Span) -> Meant {
        let position = |label: &str| sig.params.iter().position(|param| param.label == *label);
        if let Some(param) = position(label) {
            return Meant::Surely(param);
        }
        let error = Diagnostic::error("E0207", at, format!("`{}` has no parameter `{label}`", sig.name));
        if let Some(help) = self.argument_elsewhere(sig, label) {
            self.report(error.help(help));
            return Meant::Nothing;
        }
        let near = super::suggest::parameter(label, sig.params.iter().map(|param| param.label.as_str()));
        let error = match near {
            Some(near) => {
                error
                    .help(format!("did you mean `{near}`?"))
                    .mend(format!("write `{near}`"), at, near)
            }
            None => self.with_signature(error, sig),
        };
        self.report(error);
        near.and_then(position).map_or(Meant::Nothing, Meant::Likely)
    }

    /// The n-th argument without a label, where fewer are taken by place.
    fn too_many_by_place(
        &mut self,
        sig: &FnSig,
        place: usize,
        arg: &Arg,
        args: &[Arg],
        given: &mut [Option<Given>],
    ) {
        let errors = self.diagnostics.len();
        let found = self.synth(arg.value);
        let count = by_place(sig).count();
        // Reported once, at the first one too many; and not if it is wrong in itself.
        if place > count || self.errors_since(errors) {
            return;
        }
        let infers = |param: &ParamSig| {
            matches!(
                param.label.as_str(),
                "in_channels" | "in_features" | "num_features" | "input_size" | "normalized_shape"
            )
        };
        let std = self.program.module(sig.item.module).std;
        let kernel = args.len() == 2 && sig.params.iter().any(|param| param.label == "kernel_size");
        if std && sig.params.iter().any(infers) && !kernel {
            return self.report_inferred(sig, args);
        }
        let span = self.span(arg.value);
        let text = self.source_text(arg.value);
        if std
            && matches!(self.types.kind(found.ty), TypeKind::Con(Con::Tensor, _))
            && !sig.name.starts_with("tensor.")
        {
            return self.report_tensor_given(sig, text, span);
        }
        if !sig.params.iter().any(|param| param.named) {
            let list = matches!(
                sig.params.first().map(|param| self.types.kind(param.ty)),
                Some(TypeKind::Con(Con::List, _))
            );
            let error = Diagnostic::error("E0210", span, format!("one argument too many for `{}`", sig.name));
            if list && count == 1 && args.iter().all(|arg| arg.label.is_none() && !arg.spread) {
                given[0] = Some(Given::Missing);
                let all: Vec<&str> = args.iter().map(|arg| self.source_text(arg.value)).collect();
                let error = error.help(format!("it takes one list: `{}([{}])`", sig.name, all.join(", ")));
                return self.report(error);
            }
            let error = self.with_signature(error, sig);
            return self.report(error);
        }
        let first = by_place(sig).next().map_or("", |index| &sig.params[index].label);
        let message = format!("this argument of `{}` needs its name", sig.name);
        let error = Diagnostic::error("E0210", span, message).note(match count {
            0 => "all its arguments are named".to_owned(),
            1 => format!("only `{first}` is given by place"),
            _ => format!("only the first {count} are given by place"),
        });
        let error = match (sig.name.as_str(), args) {
            ("range", [start, _]) if std => {
                let start = self.source_text(start.value);
                error.help(format!("write `range({text}, start = {start})`"))
            }
            _ => match self.likely_name(sig, found.ty, args) {
                Some(label) => error.help(format!("write `{label} = {text}`")),
                None => self.with_signature(error, sig),
            },
        };
        self.report(error);
    }

    /// The named parameter that a value is likely meant for: the first that must be given and is not, else the first,
    /// if the value would do.
    fn likely_name(&mut self, sig: &FnSig, found: Ty, args: &[Arg]) -> Option<Name> {
        self.types.default_number(found);
        let free = |param: &&ParamSig| {
            param.named
                && !args
                    .iter()
                    .any(|arg| arg.label.as_ref().is_some_and(|(label, _)| *label == param.label))
        };
        let needed = sig
            .params
            .iter()
            .filter(free)
            .find(|param| param.default.is_none());
        let mut exactly = |param: &&ParamSig| {
            let wanted = self.without_null(param.ty);
            match (self.types.kind(found), self.types.kind(wanted)) {
                (TypeKind::Con(a, _), TypeKind::Con(b, _)) => a == b,
                _ => false,
            }
        };
        let alike = sig.params.iter().filter(free).find(&mut exactly);
        let param = needed.or(alike).or_else(|| sig.params.iter().find(free))?;
        let alone = sig.params.iter().filter(|param| param.named).count() == 1;
        let wanted = self.without_null(param.ty);
        let number = matches!(
            (self.types.kind(found), self.types.kind(wanted)),
            (
                TypeKind::Con(Con::Int, _),
                TypeKind::Con(Con::Float | Con::Pair | Con::Classes, _)
            )
        );
        let same = match (self.types.kind(found), self.types.kind(wanted)) {
            (TypeKind::Con(a, _), TypeKind::Con(b, _)) => a == b,
            _ => self.fits(found, wanted),
        };
        (alone || number || same).then(|| param.label.clone())
    }

    /// `nn.conv2d(3, 16, 3)`: the habit of writing how many inputs there are.
    fn report_inferred(&mut self, sig: &FnSig, args: &[Arg]) {
        let by_place: Vec<&Arg> = args
            .iter()
            .filter(|arg| arg.label.is_none() && !arg.spread)
            .collect();
        let Some(first) = by_place.first() else { return };
        let channels = sig.params.iter().any(|param| param.label == "in_channels");
        let norm = sig
            .params
            .iter()
            .any(|param| matches!(param.label.as_str(), "num_features" | "normalized_shape"));
        let what = if channels {
            "input channels"
        } else {
            "input features"
        };
        // The first was the size of the input: what follows moves up by one.
        let mut mended: Vec<String> = Vec::new();
        for (arg, param) in by_place.iter().skip(1).zip(&sig.params) {
            let text = self.source_text(arg.value);
            mended.push(if param.named {
                format!("{} = {text}", param.label)
            } else {
                text.to_owned()
            });
        }
        for arg in args {
            if let Some((label, _)) = &arg.label {
                mended.push(format!("{label} = {}", self.source_text(arg.value)));
            }
        }
        self.report(
            Diagnostic::error(
                "E0281",
                self.span(first.value),
                format!("{what} are inferred from the data, so they are not written"),
            )
            .at(match norm {
                true => format!("`{}` takes none by place", sig.name),
                false => format!("`{}` takes the size of its output first", sig.name),
            })
            .help(format!("write `{}({})`", sig.name, mended.join(", "))),
        );
    }

    fn report_twice(&mut self, sig: &FnSig, param: usize, arg: &Arg) {
        let span = arg.label.as_ref().map_or(self.span(arg.value), |(_, at)| *at);
        let label = &sig.params[param].label;
        let error = Diagnostic::error("E0209", span, format!("`{label}` is given twice"));
        let error = match sig.params[param].named {
            true => error,
            false => error.note("once by its place, once by its name"),
        };
        self.report(error.help("leave one of them out"));
    }

    fn spread_argument(&mut self, sig: &FnSig, expr: ExprId, index: u32, given: &mut [Option<Given>]) {
        let found = self.synth(expr);
        let span = self.span(expr);
        let record = match self.types.kind(found.ty) {
            TypeKind::Record(record) if !record.open => record,
            TypeKind::Error => {
                // What it would have given is not missing.
                given
                    .iter_mut()
                    .filter(|given| given.is_none())
                    .for_each(|given| *given = Some(Given::Missing));
                return;
            }
            _ => {
                let shown = self.shown(found.ty);
                let error = Diagnostic::error(
                    "E0215",
                    span,
                    format!("{} cannot be spread into arguments", a(&shown)),
                );
                self.report(
                    error.note("a closed record can: each field is given to the parameter of its name"),
                );
                return;
            }
        };
        let slot = self.fresh_slot();
        for field in &record.fields {
            let Meant::Surely(param) = self.parameter(sig, &field.name, span) else {
                continue;
            };
            if given[param].is_some() {
                let label = &sig.params[param].label;
                let error = Diagnostic::error("E0209", span, format!("`{label}` is given twice"));
                self.report(error.note(format!("the record that is spread has a field `{label}`")));
                continue;
            }
            let base = self.emit(crate::core::Node::Local { slot, last: false }, span);
            given[param] = Some(Given::Field {
                base,
                slot,
                value: found.node,
                name: field.name.clone(),
                ty: field.ty,
                expr,
                index,
            });
        }
    }

    /// Adds how the function is declared.
    pub(super) fn with_signature(&mut self, error: Diagnostic, sig: &FnSig) -> Diagnostic {
        let mut parts = Vec::new();
        let mut starred = false;
        for param in &sig.params {
            if param.named && param.default.is_none() && !starred {
                parts.push("*".to_owned());
                starred = true;
            }
            let ty = self.shown(param.ty);
            let default = if param.default.is_some() { " = …" } else { "" };
            parts.push(format!("{}: {ty}{default}", param.label));
        }
        let ret = self.shown(sig.ret);
        let whole = format!("{}({}) -> {ret}", sig.name, parts.join(", "));
        let needed = sig.params.iter().filter(|param| param.default.is_none());
        let needed: Vec<&str> = needed.map(|param| param.label.as_str()).collect();
        let std = self.program.module(sig.item.module).std;
        let error = error.help(match needed.as_slice() {
            _ if whole.len() <= 120 || !std => format!("it is declared as `{whole}`"),
            [] => format!("`mlp doc {}` has all of its parameters", sig.name),
            needed => format!(
                "it needs {}; `mlp doc {}` has all of its parameters",
                listed(needed.iter().copied()),
                sig.name
            ),
        });
        self.with_declaration(error, sig)
    }

    fn with_declaration(&self, error: Diagnostic, sig: &FnSig) -> Diagnostic {
        let declared = self.program.item(sig.item);
        match self.program.module(sig.item.module).std {
            true => error,
            false => error.label(declared.name_span, "declared here"),
        }
    }

    /// The one argument of `decode`, and the type that it is opened as.
    pub(super) fn decode(
        &mut self,
        sig: &FnSig,
        targs: &[crate::hir::TypeId],
        args: &[Arg],
        id: ExprId,
    ) -> super::Typed {
        let span = self.span(id);
        let given = self.match_arguments(sig, args, span);
        let ty = match targs {
            [ty] => self.written(*ty),
            _ => Ty::ERROR,
        };
        let Some(Given::Expr { value, .. }) = given.first() else {
            return self.error_node(span);
        };
        let value = self.check_expr(*value, Ty::JSON, Why::Plain);
        if targs.len() != 1 || !self.types.is_ground(ty) {
            let error = match targs.len() {
                1 => {
                    let shown = self.shown(ty);
                    Diagnostic::error("E0217", span, "`decode` needs a type known here")
                        .note(format!("what `{shown}` is, only a caller knows; data is held against a type before any call"))
                        .help("decode where the type is known, and pass the value on")
                }
                _ => Diagnostic::error("E0217", span, "`decode` needs a type known here")
                    .help("write the type: `decode[{ lr: Float }](json)`"),
            };
            self.report(error);
            return self.error_node(span);
        }
        let Some(schema) = self.schema(ty, span) else {
            return self.error_node(span);
        };
        let node = self.emit(
            crate::core::Node::Decode {
                value,
                schema: Box::new(schema),
            },
            span,
        );
        super::Typed { node, ty }
    }
}
