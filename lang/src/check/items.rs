//! Items: functions, values and params, a component of references at a time.

use super::order::{self, Component};
use super::signatures::{DefaultCode, FnSig, ParamDefault, ParamSig, Scheme};
use super::{Checker, Context, Why, last_use, literals};
use crate::core::{Body, Function, FunctionCode, FunctionId, Global, GlobalId, GlobalKind, Node, NodeId};
use crate::diagnostic::Diagnostic;
use crate::hir::{self, Expr, ExprId, FnItem, ItemKind, ItemRef, LocalId, ModuleId, Name};
use crate::source::Span;
use crate::types::{Con, DimTy, Substitution, Ty, TypeKind};
use std::rc::Rc;

impl Checker<'_> {
    /// Checks everything.
    pub(super) fn check_program(&mut self) {
        self.allocate();
        for component in order::components(self.program) {
            self.check_component(&component);
        }
        for index in 0..self.program.modules.len() {
            self.check_result(ModuleId(index as u32));
        }
        self.name_entries();
    }

    /// Gives every value and function its place in core, in the order of the program.
    fn allocate(&mut self) {
        let entry = self.program.modules.len().saturating_sub(1);
        for (index, module) in self.program.modules.iter().enumerate() {
            for (at, item) in module.items.iter().enumerate() {
                let item_ref = ItemRef {
                    module: ModuleId(index as u32),
                    item: at as u32,
                };
                let kind = match &item.kind {
                    ItemKind::Value { .. } => GlobalKind::Value(failed(item.name_span)),
                    ItemKind::Param { .. } => GlobalKind::Param { value: None },
                    ItemKind::Fn(function) => {
                        let name = match index == entry {
                            true => item.name.clone(),
                            false => Name::from(format!("{}.{}", module.name, item.name)),
                        };
                        let params = function.params.iter().map(|param| param.label.clone()).collect();
                        GlobalKind::Function(self.new_function(name, params, item.name_span))
                    }
                    ItemKind::Type { .. } | ItemKind::Enum { .. } => continue,
                };
                self.globals
                    .insert(item_ref, GlobalId(self.core.globals.len() as u32));
                self.core.globals.push(Global {
                    name: item.name.clone(),
                    item: Some(item_ref),
                    span: item.name_span,
                    kind,
                });
            }
        }
    }

    /// A function whose code is still to come.
    pub(super) fn new_function(&mut self, name: Name, params: Vec<Name>, span: Span) -> FunctionId {
        self.core.functions.push(Function {
            name,
            params,
            code: FunctionCode::Body(failed(span)),
            captures: Vec::new(),
        });
        FunctionId(self.core.functions.len() as u32 - 1)
    }

    fn name_entries(&mut self) {
        let entry = ModuleId(self.program.modules.len().saturating_sub(1) as u32);
        for (index, global) in self.core.globals.iter().enumerate() {
            if global.item.is_some_and(|item| item.module == entry) {
                self.core
                    .entry
                    .push((global.name.clone(), GlobalId(index as u32)));
            }
        }
    }

    fn check_component(&mut self, component: &Component) {
        for item in &component.items {
            self.declare(*item, component.cyclic);
        }
        if component.cyclic {
            self.report_value_cycles(&component.items);
        }
        for item in &component.items {
            if let ItemKind::Fn(function) = &self.program.item(*item).kind {
                self.check_defaults(*item, function);
            }
        }
        for item in &component.items {
            self.check_item(*item, component.cyclic);
        }
        for deferred in std::mem::take(&mut self.left_open) {
            self.settle_deferred(deferred, true);
        }
        for item in &component.items {
            self.generalise(*item);
        }
    }

    /// Makes known what can be known of an item without its body.
    fn declare(&mut self, item: ItemRef, cyclic: bool) {
        let declared = self.program.item(item);
        match &declared.kind {
            ItemKind::Type { .. } => {
                self.alias(item, declared.name_span);
            }
            ItemKind::Enum { .. } => {
                self.enumeration(item);
            }
            ItemKind::Fn(function) => self.declare_function(item, function, cyclic),
            ItemKind::Value { ty, .. } | ItemKind::Param { ty, .. } => {
                let context = Context::new(item.module, Some(item), 0);
                let ty = match ty {
                    Some(ty) => self.within(context, |checker| checker.written(*ty)),
                    None if cyclic => self.types.meta(),
                    None => return,
                };
                self.values.insert(item, Scheme { vars: Vec::new(), ty });
            }
        }
    }

    fn declare_function(&mut self, item: ItemRef, function: &FnItem, cyclic: bool) {
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
        let qualified = item.module.0 as usize + 1 != self.program.modules.len() && item.module.0 != 0;
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

    fn global_kind(&self, item: ItemRef) -> Option<&GlobalKind> {
        let id = self.globals.get(&item)?;
        Some(&self.core.globals[id.0 as usize].kind)
    }

    /// Values that need themselves, outside of functions, have no value.
    fn report_value_cycles(&mut self, items: &[ItemRef]) {
        let is_value = |item: ItemRef| {
            matches!(
                self.program.item(item).kind,
                ItemKind::Value { .. } | ItemKind::Param { .. }
            )
        };
        let values: Vec<ItemRef> = items.iter().copied().filter(|item| is_value(*item)).collect();
        let edges: Vec<Vec<u32>> = values
            .iter()
            .map(|from| {
                let references =
                    order::references(self.program.module(from.module), self.program.item(*from));
                let eager = references.iter().filter(|reference| !reference.lazy);
                let mut to: Vec<u32> = eager
                    .filter_map(|reference| values.binary_search(&reference.item).ok())
                    .map(|at| at as u32)
                    .collect();
                to.sort_unstable();
                to.dedup();
                to
            })
            .collect();
        for component in order::connected(&edges) {
            let first = component[0];
            if component.len() > 1 || edges[first as usize].contains(&first) {
                self.report_cycle(&values, &edges, &component);
            }
        }
    }

    fn report_cycle(&mut self, values: &[ItemRef], edges: &[Vec<u32>], component: &[u32]) {
        let start = component[0];
        let way = shortest_cycle(edges, component, start);
        let names: Vec<&str> = way
            .iter()
            .map(|node| self.program.item(values[*node as usize]).name.as_str())
            .collect();
        let shown = match names.len() {
            0..=12 => names.join(" → "),
            _ => format!(
                "{} → … → {}",
                names[..8].join(" → "),
                names[names.len() - 2..].join(" → ")
            ),
        };
        let span = self.program.item(values[start as usize]).name_span;
        let mut error = Diagnostic::error("E0401", span, format!("cycle: {shown}"))
            .at(format!("`{}` needs itself", names[0]));
        for node in way.iter().skip(1).take(way.len().saturating_sub(2)).take(3) {
            let item = self.program.item(values[*node as usize]);
            error = error.label(item.name_span, "on the way");
        }
        self.report(
            error.help("one of them must not use the other; a function may refer to itself, a value may not"),
        );
        for node in component {
            let item = values[*node as usize];
            let scheme = self.values.entry(item).or_insert(Scheme {
                vars: Vec::new(),
                ty: Ty::ERROR,
            });
            let ty = scheme.ty;
            self.types.absorb(ty);
        }
    }

    fn check_item(&mut self, item: ItemRef, cyclic: bool) {
        let declared = self.program.item(item);
        match &declared.kind {
            ItemKind::Type { .. } | ItemKind::Enum { .. } => {}
            ItemKind::Fn(function) => self.check_function(item, function, cyclic),
            ItemKind::Value { body, ty } => {
                let code = self.check_value(item, body, *ty);
                self.set_global(item, GlobalKind::Value(code));
            }
            ItemKind::Param { default, ty } => self.check_param(item, default.as_ref(), *ty),
        }
    }

    fn set_global(&mut self, item: ItemRef, kind: GlobalKind) {
        if let Some(id) = self.globals.get(&item) {
            self.core.globals[id.0 as usize].kind = kind;
        }
    }

    fn check_value(&mut self, item: ItemRef, body: &hir::Body, annotation: Option<hir::TypeId>) -> Body {
        let context = Context::new(item.module, Some(item), body.locals.len());
        let known = self.values.get(&item).map(|scheme| scheme.ty);
        let (code, ty) = self.within(context, |checker| {
            checker.open_frame(None);
            let (node, ty) = match (known, annotation) {
                (Some(ty), Some(written)) => {
                    let why = Why::Written(checker.type_span(written));
                    (checker.check_expr(body.expr, ty, why), ty)
                }
                (Some(ty), None) => (checker.check_expr(body.expr, ty, Why::Plain), ty),
                (None, _) => {
                    let found = checker.synth(body.expr);
                    (found.node, found.ty)
                }
            };
            checker.default_numbers_in(ty);
            (checker.finish_body(node, None), ty)
        });
        self.values.insert(item, Scheme { vars: Vec::new(), ty });
        code
    }

    fn check_param(&mut self, item: ItemRef, default: Option<&hir::Body>, ty: Option<hir::TypeId>) {
        let declared = self.program.item(item);
        let code = default.map(|body| self.check_value(item, body, ty));
        let ty = self.values.get(&item).map_or(Ty::ERROR, |scheme| scheme.ty);
        if default.is_none() && !self.values.contains_key(&item) {
            self.report(
                Diagnostic::error(
                    "E0235",
                    declared.name_span,
                    format!("param `{}` has neither a type nor a default", declared.name),
                )
                .help(format!(
                    "write `param {}: Int`, or what type it has",
                    declared.name
                )),
            );
            self.values.insert(item, Scheme { vars: Vec::new(), ty });
        }
        if !self.settable(ty) {
            let shown = self.types.print(ty);
            self.report(
                Diagnostic::error(
                    "E0235",
                    declared.name_span,
                    format!("a param cannot be a `{shown}`"),
                )
                .at("settings are plain data")
                .help("make it a binding, or a param of numbers, text, lists or records"),
            );
        }
        let value = self.check_setting(item, ty).or(code);
        self.set_global(item, GlobalKind::Param { value });
    }

    /// The value from outside that stands in the place of the param's default.
    fn check_setting(&mut self, item: ItemRef, ty: Ty) -> Option<Body> {
        let (id, module) = self.program.setting(item)?;
        let body = module.result.as_ref()?;
        let why = Why::Written(self.program.item(item).name_span);
        Some(self.within(Context::new(id, None, body.locals.len()), |checker| {
            checker.open_frame(None);
            let node = checker.check_expr(body.expr, ty, why);
            checker.default_numbers_in(ty);
            checker.finish_body(node, None)
        }))
    }

    /// Whether a setting can be of the type: no functions, layers, artifacts.
    fn settable(&mut self, ty: Ty) -> bool {
        match self.types.kind(ty) {
            TypeKind::Con(Con::List | Con::Map, args) => args.iter().all(|arg| self.settable(*arg)),
            TypeKind::Con(con, _) => {
                !con.is_description()
                    && (!con.is_artifact() || matches!(con, Con::File | Con::Dir))
                    && !matches!(con, Con::Late | Con::Pick | Con::Output | Con::Tensor)
            }
            TypeKind::Optional(inner) => self.settable(inner),
            TypeKind::Record(record) => record.fields.iter().all(|field| self.settable(field.ty)),
            TypeKind::Fn(..) => false,
            _ => true,
        }
    }

    fn check_result(&mut self, module: ModuleId) {
        let Some(body) = &self.program.module(module).result else {
            return;
        };
        let context = Context::new(module, None, body.locals.len());
        let (code, ty) = self.within(context, |checker| {
            checker.open_frame(None);
            // A file that is a JSON document is that document.
            let found = match literals::is_json(checker.module(), body.expr) {
                true => super::Typed {
                    node: checker.check_expr(body.expr, Ty::JSON, Why::Plain),
                    ty: Ty::JSON,
                },
                false => checker.synth(body.expr),
            };
            checker.default_numbers_in(found.ty);
            (checker.finish_body(found.node, None), found.ty)
        });
        let span = self.program.module(module).expr_spans[body.expr.0 as usize];
        self.table.set_result(module, ty);
        if module.0 as usize + 1 == self.program.modules.len() {
            self.core.result = Some(GlobalId(self.core.globals.len() as u32));
            self.core.globals.push(Global {
                name: Name::new("result"),
                item: None,
                span,
                kind: GlobalKind::Value(code),
            });
        }
    }

    fn function_context(&mut self, item: ItemRef, function: &FnItem) -> Context {
        let mut context = Context::new(item.module, Some(item), function.locals.len());
        if let Some(sig) = self.functions.get(&item) {
            context.tparams = sig.vars[..sig.written].to_vec();
            for (index, param) in sig.params.iter().enumerate() {
                context.locals[index] = param.ty;
            }
        }
        context.dims = function.params.iter().map(|param| param.label.clone()).collect();
        context
    }

    fn check_function(&mut self, item: ItemRef, function: &FnItem, cyclic: bool) {
        let Some(sig) = self.functions.get(&item).cloned() else {
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
        self.core.functions[sig.function.0 as usize].code = FunctionCode::Body(code);
        let unknown = cyclic && !sig.vars.is_empty();
        if !sig.stated && !unknown {
            let mut sig = FnSig::clone(&sig);
            sig.ret = ty;
            self.functions.insert(item, Rc::new(sig));
        }
    }

    /// Closes the outermost frame of an item.
    fn finish_body(&mut self, root: NodeId, own: Option<FunctionId>) -> Body {
        for deferred in std::mem::take(&mut self.cx.deferred) {
            self.settle_deferred(deferred, false);
        }
        let (mut code, _) = self.close_frame(root);
        self.settle_numbers(&mut code, own);
        last_use::mark(&mut code, &self.core.functions);
        if let Some(item) = self.cx.item {
            for (index, ty) in self.cx.locals.iter().enumerate() {
                self.table.set_local(item, LocalId(index as u32), *ty);
            }
        }
        if self.types.take_too_deep() {
            let span = code.spans.get(code.root.0 as usize).copied();
            if let Some(span) = span {
                self.report(
                    Diagnostic::error("E0228", span, "the type of this nests too deep")
                        .note("types nest to 300 levels")
                        .help("an `enum` may contain itself to any depth"),
                );
            }
        }
        code
    }

    /// What an item's type leaves open, each use may have its own of: values never change.
    fn generalise(&mut self, item: ItemRef) {
        if let Some(scheme) = self.values.get(&item).cloned() {
            let ty = self.types.zonk(scheme.ty);
            let vars = self.close_over(ty);
            let ty = self.types.zonk(ty);
            self.table.set_item(item, ty);
            self.values.insert(item, Scheme { vars, ty });
        }
        if let Some(sig) = self.functions.get(&item).cloned() {
            let mut sig = FnSig::clone(&sig);
            let open = self.close_over(sig.ret);
            sig.vars.extend(open);
            sig.ret = self.types.zonk(sig.ret);
            let params: Vec<Ty> = sig.params.iter().map(|param| param.ty).collect();
            let ty = self.types.function(&params, sig.ret);
            self.table.set_item(item, ty);
            self.functions.insert(item, Rc::new(sig));
        }
    }

    fn close_over(&mut self, ty: Ty) -> Vec<Ty> {
        let open = self.types.unsolved(ty);
        open.into_iter()
            .map(|meta| {
                let var = self.types.rigid(Name::new("_"));
                self.types.solve(meta, var);
                var
            })
            .collect()
    }

    fn check_defaults(&mut self, item: ItemRef, function: &FnItem) {
        let Some(sig) = self.functions.get(&item).cloned() else {
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
            return DefaultCode::Alone(Box::new(code));
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

/// Code that fails silently.
fn failed(span: Span) -> Body {
    Body {
        nodes: vec![Node::Error],
        spans: vec![span],
        root: NodeId(0),
        slots: 0,
        slot_names: Vec::new(),
    }
}

/// The shortest way from `start` back to itself inside a component.
fn shortest_cycle(edges: &[Vec<u32>], component: &[u32], start: u32) -> Vec<u32> {
    let mut from: std::collections::BTreeMap<u32, u32> = std::collections::BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for to in edges[node as usize]
            .iter()
            .filter(|to| component.binary_search(to).is_ok())
        {
            if *to == start {
                let mut way = vec![start, node];
                let mut at = node;
                while at != start {
                    at = from.get(&at).copied().unwrap_or(start);
                    way.push(at);
                }
                way.reverse();
                if node == start {
                    way = vec![start, start];
                }
                return way;
            }
            if !from.contains_key(to) {
                from.insert(*to, node);
                queue.push_back(*to);
            }
        }
    }
    vec![start, start]
}
