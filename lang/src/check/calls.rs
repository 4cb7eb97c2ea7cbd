//! Calls: of named functions, variants, declared outputs and function values.

use super::arguments::Given;
use super::signatures::{DefaultCode, FnSig, ParamDefault};
use super::suggest::a;
use super::{Checker, Typed, Why};
use crate::core::{Node, NodeId, Pattern};
use crate::diagnostic::Diagnostic;
use crate::hir::{Arg, Expr, ExprId, Name, TypeId};
use crate::source::Span;
use crate::types::{Con, DimTy, Substitution, Ty, TypeKind};

impl Checker<'_> {
    pub(super) fn synth_call(
        &mut self,
        id: ExprId,
        callee: ExprId,
        targs: &[TypeId],
        args: &[Arg],
        wanted: Option<Ty>,
    ) -> Typed {
        let span = self.span(id);
        match self.expr(callee) {
            Expr::Item(item) if self.functions.contains(*item) => {
                let Some(sig) = self.functions.get(*item).cloned() else {
                    return self.error_node(span);
                };
                if self.program.module(sig.item.module).std && sig.name == "decode" {
                    return self.decode(&sig, targs, args, id);
                }
                if self.means_another_call(&sig, callee, args, id) {
                    return self.error_node(span);
                }
                self.call_function(&sig, targs, args, id, wanted)
            }
            Expr::Variant { of, name } => self.synth_variant(*of, name, wanted, args, id),
            Expr::Constructor { name, targs: written } => {
                let targs = if written.is_empty() { targs } else { written };
                match super::outputs::is_type(name) {
                    true => self.synth_output(name, targs, args, span),
                    false => self.synth_variant(None, name, wanted, args, id),
                }
            }
            _ => self.call_value(callee, args, span),
        }
    }

    /// A call of a named function.
    pub(super) fn call_function(
        &mut self,
        sig: &FnSig,
        targs: &[TypeId],
        args: &[Arg],
        id: ExprId,
        wanted: Option<Ty>,
    ) -> Typed {
        let span = self.span(id);
        let errors = self.diagnostics.len();
        let given = self.match_arguments(sig, args, span);
        let misread = self.diagnostics[errors..]
            .iter()
            .any(|found| found.code == "E0210");
        let types: Vec<(Ty, Ty)> = sig.vars.iter().map(|var| (*var, self.types.meta())).collect();
        self.written_type_arguments(sig, targs, &types, span);
        let substitution = Substitution {
            dims: self.dimensions(sig, &given),
            types,
        };
        let params = sig.params.iter().zip(&given);
        // What a default stands for was held against the parameter where it was declared.
        let params: Vec<Ty> = params
            .map(|(param, given)| match given {
                Given::Default => param.ty,
                _ => self.types.substitute(param.ty, &substitution),
            })
            .collect();
        let ret = self.types.substitute(sig.ret, &substitution);
        let before = self.diagnostics.len();
        let nodes = self.check_arguments(sig, &given, &params, (ret, wanted));
        if self.diagnostics.len() == before + 1 {
            self.with_earlier_argument(sig, &given, &params);
        }
        let node = self.emit_call(sig, &given, nodes, &substitution, span);
        if !self.errors_since(errors)
            && self.program.module(sig.item.module).std
            && !self.hold_call(&sig.name, &substitution.types, span)
        {
            return self.error_node(span);
        }
        let ret = self.lifted(sig, &substitution, ret, span);
        if misread {
            return self.error_node(span);
        }
        if self.errors_since(errors) && self.types.is_unsure(ret) {
            // What an argument that did not check would have told must not be asked for again.
            for (_, meta) in &substitution.types {
                self.types.absorb(*meta);
            }
            return Typed { node, ty: Ty::ERROR };
        }
        Typed { node, ty: ret }
    }

    fn written_type_arguments(&mut self, sig: &FnSig, targs: &[TypeId], types: &[(Ty, Ty)], span: Span) {
        if targs.is_empty() {
            return;
        }
        if targs.len() != sig.written {
            let plural = if sig.written == 1 { "" } else { "s" };
            let message = format!(
                "`{}` takes {} type argument{plural}, not {}",
                sig.name,
                sig.written,
                targs.len()
            );
            let error = Diagnostic::error("E0211", span, message);
            self.report(error.help("leave them out, they are found from the arguments"));
            return;
        }
        for (targ, (_, meta)) in targs.iter().zip(types) {
            let ty = self.written(*targ);
            self.types.solve(*meta, ty);
        }
    }

    /// The sizes that arguments give where the signature's dimensions name parameters.
    fn dimensions(&self, sig: &FnSig, given: &[Given]) -> Vec<(Name, DimTy)> {
        let mut types = sig.params.iter().map(|param| param.ty).chain([sig.ret]);
        if !types.any(|ty| self.types.names_dims(ty)) {
            return Vec::new();
        }
        let size = |param: usize| match &given[param] {
            Given::Expr { value, .. } => self.dim_of(self.module_id(), *value),
            Given::Default => match &sig.params[param].default {
                Some(ParamDefault { dim, .. }) => dim.clone(),
                None => DimTy::Unknown,
            },
            Given::Field { .. } | Given::Missing => DimTy::Unknown,
        };
        (0..sig.params.len())
            .map(|param| (sig.params[param].label.clone(), size(param)))
            .collect()
    }

    /// Checks arguments in the order that tells inference most: plain ones, the result, lambdas, records.
    fn check_arguments(
        &mut self,
        sig: &FnSig,
        given: &[Given],
        params: &[Ty],
        (ret, wanted): (Ty, Option<Ty>),
    ) -> Vec<Option<NodeId>> {
        let mut nodes: Vec<Option<NodeId>> = vec![None; params.len()];
        let mut order: Vec<usize> = (0..params.len()).collect();
        order.sort_by_key(|param| given[*param].written().unwrap_or(u32::MAX));
        let phases: Vec<u32> = given
            .iter()
            .zip(params)
            .map(|(given, param)| match given {
                Given::Expr { value, .. } => self.phase_for(*value, *param),
                _ => 0,
            })
            .collect();
        for phase in 0..4 {
            if phase == 1
                && let Some(wanted) = wanted
            {
                self.expect_result(ret, wanted);
            }
            for param in &order {
                let (param, why) = (*param, Why::Param(sig.item, *param as u32));
                match &given[param] {
                    Given::Expr { value, .. } if phases[param] == phase => {
                        nodes[param] = Some(self.check_expr(*value, params[param], why));
                    }
                    Given::Field {
                        base, ty, name, expr, ..
                    } if phase == 0 => {
                        let span = self.span(*expr);
                        let node = self.emit(
                            Node::Field {
                                base: *base,
                                name: name.clone(),
                            },
                            span,
                        );
                        nodes[param] =
                            Some(self.coerce_or_report(Typed { node, ty: *ty }, params[param], why, *expr));
                    }
                    _ => {}
                }
            }
        }
        nodes
    }

    /// When an argument is checked. A record of functions asks about types as a function does, and goes last.
    fn phase_for(&mut self, value: ExprId, param: Ty) -> u32 {
        let param = match self.types.kind(param) {
            TypeKind::Optional(inner) => inner,
            _ => param,
        };
        let TypeKind::Record(record) = self.types.kind(param) else {
            return self.phase(value);
        };
        let functions = record.fields.iter().any(|field| {
            let ty = match self.types.kind(field.ty) {
                TypeKind::Optional(inner) => inner,
                _ => field.ty,
            };
            matches!(self.types.kind(ty), TypeKind::Fn(..))
        });
        if functions { 3 } else { self.phase(value) }
    }

    fn phase(&self, value: ExprId) -> u32 {
        match self.expr(value) {
            Expr::Lambda { .. } => 1,
            Expr::Record(_) => 2,
            _ => 0,
        }
    }

    /// Lets the expected type solve what the result leaves open; a clash is reported by who expects it.
    fn expect_result(&mut self, ret: Ty, wanted: Ty) {
        let wanted = match (self.types.kind(wanted), self.types.kind(ret)) {
            (TypeKind::Optional(_), TypeKind::Optional(_)) => wanted,
            (TypeKind::Optional(inner), _) => inner,
            _ => wanted,
        };
        if self.types.unsolved(ret).is_empty() {
            return;
        }
        let before = self.types.snapshot();
        if self.types.unify(ret, wanted).is_err() {
            self.types.rollback(before);
        }
    }

    /// The call with every default written in. A default that reads earlier parameters is a call with their values.
    fn emit_call(
        &mut self,
        sig: &FnSig,
        given: &[Given],
        nodes: Vec<Option<NodeId>>,
        substitution: &Substitution,
        span: Span,
    ) -> NodeId {
        let written = given.iter().map(Given::written).collect();
        let mut args: Vec<Option<NodeId>> = nodes;
        let mut lets: Vec<(Pattern, NodeId)> = Vec::new();
        for param in 0..args.len() {
            if args[param].is_some() {
                continue;
            }
            let node = match (&given[param], &sig.params[param].default) {
                (Given::Default, Some(default)) => {
                    self.pin(default, substitution, span);
                    self.emit_default(&default.code, &mut args, &mut lets, span)
                }
                _ => self.emit(Node::Error, span),
            };
            args[param] = Some(node);
        }
        let args = args.into_iter().flatten().collect();
        let call = Node::CallGlobal {
            function: sig.function,
            args,
            written,
        };
        self.with_spreads(call, given, lets, span)
    }

    fn with_spreads(
        &mut self,
        call: Node,
        given: &[Given],
        mut lets: Vec<(Pattern, NodeId)>,
        span: Span,
    ) -> NodeId {
        let mut bound = Vec::new();
        for given in given {
            if let Given::Field { slot, value, .. } = given
                && !bound.contains(slot)
            {
                bound.push(*slot);
                lets.insert(0, (Pattern::Bind(*slot), *value));
            }
        }
        let mut node = self.emit(call, span);
        for (pattern, value) in lets.into_iter().rev() {
            node = self.emit(
                Node::Let {
                    pattern: Box::new(pattern),
                    value,
                    body: node,
                },
                span,
            );
        }
        node
    }

    /// Makes type parameters what the default says that they are.
    fn pin(&mut self, default: &ParamDefault, substitution: &Substitution, span: Span) {
        for (var, pinned) in &default.pins {
            let Some((_, meta)) = substitution.types.iter().find(|(from, _)| from == var) else {
                continue;
            };
            let pinned = self.instantiate(&default.vars, *pinned);
            if self.types.unify(*meta, pinned).is_err() {
                let (a, b) = (self.shown(*meta), self.shown(pinned));
                self.report(
                    Diagnostic::error("E0208", span, format!("an argument that was left out would have to agree with the others: `{b}` is not `{a}`"))
                        .help("write the argument"),
                );
            }
        }
    }

    fn emit_default(
        &mut self,
        code: &DefaultCode,
        args: &mut [Option<NodeId>],
        lets: &mut Vec<(Pattern, NodeId)>,
        span: Span,
    ) -> NodeId {
        match code {
            DefaultCode::Error => self.emit(Node::Error, span),
            DefaultCode::Const(value) => self.emit_const(value.clone(), span),
            DefaultCode::Alone(body) => self.emit(Node::Default(body.clone()), span),
            DefaultCode::Call { function, reads } => {
                let mut given = Vec::with_capacity(reads.len());
                for read in reads {
                    given.push(self.shared_argument(&mut args[*read as usize], lets, span));
                }
                let (function, written) = (*function, vec![None; given.len()].into());
                let args = given.into();
                self.emit(
                    Node::CallGlobal {
                        function,
                        args,
                        written,
                    },
                    span,
                )
            }
        }
    }

    /// An argument once more, evaluated once: what is not a constant or name is bound before the call.
    fn shared_argument(
        &mut self,
        arg: &mut Option<NodeId>,
        lets: &mut Vec<(Pattern, NodeId)>,
        span: Span,
    ) -> NodeId {
        let Some(node) = *arg else {
            return self.emit(Node::Error, span);
        };
        if let Some(same) = self.repeatable(node) {
            let copy = self.emit(same, span);
            self.number_again(node, copy);
            return copy;
        }
        let slot = self.fresh_slot();
        lets.push((Pattern::Bind(slot), node));
        *arg = Some(self.emit(Node::Local { slot, last: false }, span));
        self.emit(Node::Local { slot, last: false }, span)
    }

    /// A call of a function value: its parameters have neither labels nor defaults.
    fn call_value(&mut self, callee: ExprId, args: &[Arg], span: Span) -> Typed {
        let found = self.synth(callee);
        self.types.default_number(found.ty);
        let kind = self.types.kind(found.ty);
        let TypeKind::Fn(params, ret) = kind else {
            match kind {
                TypeKind::Error => {}
                TypeKind::Meta(_) => self.report_unknown_value(callee),
                _ => self.report_no_function(found.ty, callee, args),
            }
            for arg in args {
                self.synth_in_vain(arg.value);
            }
            return self.error_node(span);
        };
        if let Some((label, at)) = args.iter().find_map(|arg| arg.label.as_ref()) {
            let error = Diagnostic::error(
                "E0207",
                *at,
                format!("a function value has no parameter `{label}`"),
            )
            .note("labels and defaults belong to functions that are called by their name");
            self.report(error.help("give the arguments in order, without labels"));
            return self.error_node(span);
        }
        if args.len() != params.len() || args.iter().any(|arg| arg.spread) {
            let shown = self.shown(found.ty);
            let plural = if params.len() == 1 { "" } else { "s" };
            let message = format!(
                "this function takes {} argument{plural}, not {}",
                params.len(),
                args.len()
            );
            let error = Diagnostic::error("E0208", span, message);
            self.report(error.note(format!("its type is `{shown}`")));
            return self.error_node(span);
        }
        let mut nodes: Vec<Option<NodeId>> = vec![None; args.len()];
        for phase in 0..3 {
            for (index, arg) in args.iter().enumerate() {
                if self.phase(arg.value) == phase {
                    nodes[index] = Some(self.check_expr(arg.value, params[index], Why::Plain));
                }
            }
        }
        let args = nodes.into_iter().flatten().collect();
        let node = self.emit(
            Node::CallValue {
                callee: found.node,
                args,
            },
            span,
        );
        Typed { node, ty: ret }
    }

    fn report_no_function(&mut self, ty: Ty, callee: ExprId, args: &[Arg]) {
        let (shown, text) = (self.shown(ty), self.source_text(callee));
        let error = Diagnostic::error(
            "E0206",
            self.span(callee),
            format!("{} cannot be called", a(&shown)),
        )
        .at(format!("this is `{shown}`, not a function"));
        let described = matches!(self.types.kind(ty), TypeKind::Con(con, _) if con.is_description());
        let error = match (self.types.kind(ty), args) {
            (TypeKind::Con(Con::List, _), [index]) => {
                error.help(format!("an element is written `{text}[{}]`", self.source_text(index.value)))
            }
            (TypeKind::Con(Con::Layer, _), [_, ..]) => {
                error.help("a network is run by `ml.train`, `ml.evaluate`; layers are put one after the other by `nn.sequential`")
            }
            (TypeKind::Con(Con::Int | Con::Float, _), [by]) => {
                error.help(format!("to multiply write `{text} * {}`", self.source_text(by.value)))
            }
            (_, []) if described => error.help(format!("it is made already: write `{text}` without `()`")),
            _ => error,
        };
        self.report(error);
    }
}
