//! Functions: signatures, defaults, bodies.

use super::items::failed;
use super::signatures::{DefaultCode, FnSig, ParamDefault, ParamSig};
use super::{Checker, Context, Why, order};
use crate::core::{FunctionCode, GlobalKind, Node};
use crate::diagnostic::Diagnostic;
use crate::hir::{self, Expr, ExprId, FnItem, ItemKind, ItemRef, LocalId, ModuleId, Name};
use crate::types::{DimTy, Substitution, Ty, TypeKind};
use std::rc::Rc;
use std::sync::Arc;

impl Checker<'_> {
    pub(super) fn declare_function(&mut self, item: ItemRef, function: &FnItem, cyclic: bool) {
        let declared = self.program.item(item);
        let vars: Vec<Ty> = function
            .tparams
            .iter()
            .map(|(name, _)| self.types.rigid(name.clone()))
            .collect();
        let mut context = Context::new(item.module, Some(item), function.locals.len());
        context.tparams.clone_from(&vars);
        context.dims = function.params.iter().map(|param| param.label.clone()).collect();
        let (params, ret) = self.within(context, |checker| {
            checker.cx.open_records = true;
            let tys: Vec<Ty> = function
                .params
                .iter()
                .map(|param| checker.written(param.ty))
                .collect();
            checker.cx.open_records = false;
            (tys, function.ret.map(|ret| checker.written(ret)))
        });
        let params = function.params.iter().zip(params).map(|(param, ty)| ParamSig {
            label: param.label.clone(),
            span: param.span,
            ty,
            named: param.named,
            default: param.default.map(|_| ParamDefault {
                code: DefaultCode::Error,
                pins: Vec::new(),
                vars: Vec::new(),
                dim: DimTy::Unknown,
            }),
        });
        let params = params.collect();
        let unstated = function.ret.is_none();
        if unstated && cyclic && !vars.is_empty() {
            let message = format!(
                "`{}` is generic and refers to itself, so that its result must be written",
                declared.name
            );
            self.report(
                Diagnostic::error("E0216", declared.name_span, message)
                    .at("a generic function in a cycle states its result type")
                    .help(format!(
                        "write it after the parameters: `fn {}[…](…) -> T = …`",
                        declared.name
                    )),
            );
        }
        let ret = match ret {
            Some(ret) => ret,
            None if cyclic && vars.is_empty() => self.types.meta(),
            None => Ty::ERROR,
        };
        let module = self.program.module(item.module);
        let qualified = item.module != self.entry && item.module.0 != 0;
        let Some(GlobalKind::Function(id)) = self.global_kind(item) else {
            return;
        };
        let sig = FnSig {
            item,
            name: match qualified {
                true => Name::from(format!("{}.{}", module.name, declared.name)),
                false => declared.name.clone(),
            },
            function: *id,
            written: vars.len(),
            vars,
            params,
            ret,
            stated: !unstated,
        };
        self.functions.insert(item, Rc::new(sig));
    }

    fn function_context(&mut self, item: ItemRef, function: &FnItem) -> Context {
        let mut context = Context::new(item.module, Some(item), function.locals.len());
        if let Some(sig) = self.functions.get(item) {
            context.tparams = sig.vars[..sig.written].to_vec();
            for (index, param) in sig.params.iter().enumerate() {
                context.locals[index] = param.ty;
            }
        }
        context.dims = function.params.iter().map(|param| param.label.clone()).collect();
        context
    }

    pub(super) fn check_function(&mut self, item: ItemRef, function: &FnItem, cyclic: bool) {
        let Some(sig) = self.functions.get(item).cloned() else {
            return;
        };
        for (index, param) in sig.params.iter().enumerate() {
            self.table.set_local(item, LocalId(index as u32), param.ty);
        }
        let Some(body) = function.body else {
            let result = match self.types.kind(sig.ret) {
                TypeKind::Con(con, _) => Some(Name::new(con.name())),
                _ => None,
            };
            self.core.functions[sig.function.0 as usize].code = FunctionCode::Intrinsic { result };
            return;
        };
        let context = self.function_context(item, function);
        let (code, ty) = self.within(context, |checker| {
            checker.open_frame(Some(sig.function));
            for index in 0..sig.params.len() {
                checker.bind_slot(LocalId(index as u32));
            }
            let (node, ty) = if sig.stated {
                let why = function
                    .ret
                    .map_or(Why::Plain, |ret| Why::Written(checker.type_span(ret)));
                (checker.check_expr(body, sig.ret, why), sig.ret)
            } else if cyclic && sig.vars.is_empty() {
                (checker.check_expr(body, sig.ret, Why::Plain), sig.ret)
            } else {
                let found = checker.synth(body);
                (found.node, found.ty)
            };
            checker.default_numbers_in(ty);
            (checker.finish_body(node, Some(sig.function)), ty)
        });
        let (code, ty) = match self.is_broken(item) {
            true => (failed(self.program.item(item).name_span), Ty::ERROR),
            false => (code, ty),
        };
        self.core.functions[sig.function.0 as usize].code = FunctionCode::Body(code);
        let unknown = cyclic && !sig.vars.is_empty();
        if !sig.stated && !unknown {
            let mut sig = FnSig::clone(&sig);
            sig.ret = ty;
            self.functions.insert(item, Rc::new(sig));
        }
    }

    pub(super) fn check_defaults(&mut self, item: ItemRef, function: &FnItem) {
        let Some(sig) = self.functions.get(item).cloned() else {
            return;
        };
        let mut sig = FnSig::clone(&sig);
        for (index, param) in function.params.iter().enumerate() {
            let Some(default) = param.default else { continue };
            // The default may say what a type parameter is, where it is taken.
            let types: Vec<(Ty, Ty)> = sig.vars.iter().map(|var| (*var, self.types.meta())).collect();
            let dims = sig
                .params
                .iter()
                .map(|param| (param.label.clone(), DimTy::Param(param.label.clone())));
            let substitution = Substitution {
                types: types.clone(),
                dims: dims.collect(),
            };
            let wanted = self.types.substitute(sig.params[index].ty, &substitution);
            let mut context = self.function_context(item, function);
            context.frames.clear();
            let labels: Vec<Name> = function.params[..index]
                .iter()
                .map(|param| param.label.clone())
                .collect();
            let name = Name::from(format!("{}.{}", sig.name, param.label));
            let why = Why::Param(item, index as u32);
            let code = self.within(context, |checker| {
                checker.default_code(name, default, wanted, &labels, why)
            });
            let (mut pins, mut vars) = (Vec::new(), Vec::new());
            for (var, meta) in types {
                if self.types.shallow(meta) != meta {
                    vars.extend(self.close_over(meta));
                    pins.push((var, self.types.zonk(meta)));
                }
            }
            let dim = self.dim_of(item.module, default);
            sig.params[index].default = Some(ParamDefault {
                code,
                pins,
                vars,
                dim,
            });
        }
        self.functions.insert(item, Rc::new(sig));
    }

    /// The code of a default in the current context, which sees the `earlier` parameters.
    pub(super) fn default_code(
        &mut self,
        name: Name,
        expr: ExprId,
        wanted: Ty,
        earlier: &[Name],
        why: Why,
    ) -> DefaultCode {
        let span = self.span(expr);
        let errors = self.diagnostics.len();
        let reads = order::locals_read(self.module(), expr, earlier.len() as u32);
        let params = reads.iter().map(|read| earlier[*read as usize].clone()).collect();
        self.open_frame(None);
        for read in &reads {
            self.bind_slot(LocalId(*read));
        }
        let node = self.check_expr(expr, wanted, why);
        self.default_numbers_in(wanted);
        let item = self.cx.item.take();
        let code = self.finish_body(node, None);
        self.cx.item = item;
        if self.diagnostics[errors..]
            .iter()
            .any(|found| found.severity == crate::diagnostic::Severity::Error)
        {
            return DefaultCode::Error;
        }
        if let Node::Const(value) = &code.nodes[code.root.0 as usize] {
            return DefaultCode::Const(value.clone());
        }
        if reads.is_empty() {
            return DefaultCode::Alone(Arc::new(code));
        }
        let function = self.new_function(name, params, span);
        self.core.functions[function.0 as usize].code = FunctionCode::Body(code);
        DefaultCode::Call { function, reads }
    }

    /// The size that an argument gives where a dimension names its parameter: that of a number, or of a list of names.
    pub(super) fn dim_of(&self, module: ModuleId, expr: ExprId) -> DimTy {
        let (mut module, mut expr) = (module, expr);
        // Through a chain of plain bindings; a cycle of them is reported elsewhere.
        for _ in 0..16 {
            if self.program.module(module).summary.is_some() {
                self.lacks.set(true);
            }
            match &self.program.module(module).exprs[expr.0 as usize] {
                Expr::Int(size) => return DimTy::Known(*size),
                Expr::List(elements) if elements.iter().all(|e| matches!(e, hir::Element::Item(_))) => {
                    return DimTy::Known(elements.len() as i64);
                }
                Expr::Item(item) => match &self.program.item(*item).kind {
                    ItemKind::Value { body, .. } => (module, expr) = (item.module, body.expr),
                    _ => return DimTy::Unknown,
                },
                Expr::Local(local) if module == self.module_id() => {
                    let name = self.cx.dims.get(local.0 as usize);
                    return name.map_or(DimTy::Unknown, |name| DimTy::Param(name.clone()));
                }
                _ => return DimTy::Unknown,
            }
        }
        DimTy::Unknown
    }
}
