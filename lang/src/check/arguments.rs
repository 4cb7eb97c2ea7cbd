//! Which argument goes to which parameter: by place, by label, from a spread record.

use super::signatures::FnSig;
use super::suggest::nearest;
use super::{Checker, Why};
use crate::core::{NodeId, Slot};
use crate::diagnostic::Diagnostic;
use crate::hir::{Arg, ExprId, Name};
use crate::source::Span;
use crate::types::{Ty, TypeKind};

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
                Some((label, at)) => self.parameter(sig, label, *at),
                None => {
                    place += 1;
                    self.positional(sig, place - 1, arg, args)
                }
            };
            let value = arg.value;
            match param {
                Some(param) if given[param].is_some() => self.report_twice(sig, param, arg),
                Some(param) => given[param] = Some(Given::Expr { value, index }),
                // It is checked all the same, for the mistakes in it.
                None => {
                    self.synth(value);
                }
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
            let error = Diagnostic::error("E0208", span, message);
            let error = self.with_signature(error, sig);
            self.report(error);
        }
        filled
    }

    fn parameter(&mut self, sig: &FnSig, label: &Name, at: Span) -> Option<usize> {
        if let Some(param) = sig.params.iter().position(|param| param.label == *label) {
            return Some(param);
        }
        let error = Diagnostic::error("E0207", at, format!("`{}` has no parameter `{label}`", sig.name));
        let near = nearest(label, sig.params.iter().map(|param| param.label.as_str()));
        let error = match near {
            Some(near) => {
                error
                    .help(format!("did you mean `{near}`?"))
                    .mend(format!("write `{near}`"), at, near)
            }
            None => self.with_signature(error, sig),
        };
        self.report(error);
        None
    }

    /// The parameter of the n-th argument without a label.
    fn positional(&mut self, sig: &FnSig, place: usize, arg: &Arg, args: &[Arg]) -> Option<usize> {
        let mut by_place = sig.params.iter().enumerate().filter(|(_, param)| !param.named);
        if let Some((param, _)) = by_place.clone().nth(place) {
            return Some(param);
        }
        let span = self.span(arg.value);
        let count = by_place.clone().count();
        let infers = sig
            .params
            .iter()
            .any(|param| matches!(param.label.as_str(), "in_channels" | "in_features"));
        if infers && self.program.module(sig.item.module).std {
            if place == count {
                self.report_inferred(sig, args);
            }
            return None;
        }
        // Reported once, at the first one too many.
        if place > count {
            return None;
        }
        let text = self.source_text(arg.value);
        let next = sig.params.iter().find(|param| param.named);
        let error = match next {
            Some(next) => {
                let error = Diagnostic::error(
                    "E0210",
                    span,
                    format!("this argument of `{}` needs its name", sig.name),
                )
                .note(match count {
                    0 => "all its arguments are named".to_owned(),
                    1 => format!(
                        "only `{}` is given by place",
                        by_place.next().map_or("", |(_, p)| &p.label)
                    ),
                    _ => format!("only the first {count} are given by place"),
                });
                let likely = sig.params.iter().filter(|param| param.named).count() == 1;
                if likely {
                    error.help(format!("write `{} = {text}`", next.label))
                } else {
                    self.with_signature(error, sig)
                }
            }
            None => {
                let error =
                    Diagnostic::error("E0210", span, format!("one argument too many for `{}`", sig.name));
                self.with_signature(error, sig)
            }
        };
        self.report(error);
        None
    }

    /// `nn.conv2d(3, 16, 3)`: the habit of writing how many inputs there are.
    fn report_inferred(&mut self, sig: &FnSig, args: &[Arg]) {
        let by_place: Vec<&Arg> = args
            .iter()
            .filter(|arg| arg.label.is_none() && !arg.spread)
            .collect();
        let Some(first) = by_place.first() else { return };
        let channels = sig.params.iter().any(|param| param.label == "in_channels");
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
            .at(format!("`{}` takes the size of its output first", sig.name))
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
                    format!("a `{shown}` cannot be spread into arguments"),
                );
                self.report(
                    error.note("a closed record can: each field is given to the parameter of its name"),
                );
                return;
            }
        };
        let slot = self.fresh_slot();
        for field in &record.fields {
            let Some(param) = self.parameter(sig, &field.name, span) else {
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
        let error = error.help(format!(
            "it is declared as `{}({}) -> {ret}`",
            sig.name,
            parts.join(", ")
        ));
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
        let node = self.emit(crate::core::Node::Decode { value, schema }, span);
        super::Typed { node, ty }
    }
}
