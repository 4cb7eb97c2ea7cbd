//! Items: functions, values and params, a component of references at a time.

use super::order::{self, Component};
use super::signatures::{FnSig, Scheme};
use super::suggest::a;
use super::{Checker, Context, Why, last_use, literals};
use crate::core::{Body, Function, FunctionCode, FunctionId, Global, GlobalId, GlobalKind, Node, NodeId};
use crate::diagnostic::Diagnostic;
use crate::hir::{self, ItemKind, ItemRef, LocalId, ModuleId, Name};
use crate::source::Span;
use crate::summary::Item;
use crate::types::{Con, Ty, TypeKind};
use std::rc::Rc;

impl Checker<'_> {
    /// Checks the modules from the `first` on, each after those that it imports.
    pub(super) fn check_program(&mut self, first: usize) {
        for index in first..self.program.modules.len() {
            self.marks.push(self.mark());
            self.check_module(ModuleId(index as u32));
        }
        self.name_entries();
    }

    fn check_module(&mut self, module: ModuleId) {
        self.allocate(module);
        if let Some(summary) = &self.program.module(module).summary {
            return self.take_summary(module, summary);
        }
        let components = match &self.needed {
            Some(needed) => order::of_edges(module, &needed.edges[module.0 as usize]),
            None => order::components(self.program, module),
        };
        for component in components {
            let is_needed = |item: &ItemRef| match &self.needed {
                Some(needed) => needed.items[item.module.0 as usize][item.item as usize],
                None => true,
            };
            if component.items.iter().any(is_needed) {
                self.check_component(&component);
            }
        }
        self.check_result(module);
    }

    /// Gives every value and function of a module its place in core, in the order of the file.
    fn allocate(&mut self, id: ModuleId) {
        let module = self.program.module(id);
        for (at, item) in module.items.iter().enumerate() {
            let item_ref = ItemRef {
                module: id,
                item: at as u32,
            };
            let remembered = module.summary.as_ref().and_then(|summary| summary.items.get(at));
            let kind = match &item.kind {
                _ if let Some(Item(.., value)) = remembered => GlobalKind::Remembered(*value),
                ItemKind::Value { .. } => GlobalKind::Value(failed(item.name_span)),
                ItemKind::Param { .. } => GlobalKind::Param { value: None },
                ItemKind::Fn(function) => {
                    let name = match id == self.entry || module.is_input() {
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
        let entry = self.entry;
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

    pub(super) fn global_kind(&self, item: ItemRef) -> Option<&GlobalKind> {
        let id = self.globals.get(item)?;
        Some(&self.core.globals[id.0 as usize].kind)
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

    /// Whether it was reported of the item's text that it does not parse: it has no value then, and its type is open.
    pub(super) fn is_broken(&self, item: ItemRef) -> bool {
        let span = self.program.item(item).span;
        self.program.module(item.module).is_broken(span)
    }

    fn set_global(&mut self, item: ItemRef, kind: GlobalKind) {
        if let Some(id) = self.globals.get(item) {
            self.core.globals[id.0 as usize].kind = kind;
        }
    }

    fn check_value(&mut self, item: ItemRef, body: &hir::Body, annotation: Option<hir::TypeId>) -> Body {
        let context = Context::new(item.module, Some(item), body.locals.len());
        let known = self.values.get(item).map(|scheme| scheme.ty);
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
        let broken = self.is_broken(item);
        let ty = if broken && annotation.is_none() {
            Ty::ERROR
        } else {
            ty
        };
        self.values.insert(item, Scheme { vars: Vec::new(), ty });
        if broken {
            failed(self.program.item(item).name_span)
        } else {
            code
        }
    }

    fn check_param(&mut self, item: ItemRef, default: Option<&hir::Body>, ty: Option<hir::TypeId>) {
        let declared = self.program.item(item);
        let code = default.map(|body| self.check_value(item, body, ty));
        let ty = self.values.get(item).map_or(Ty::ERROR, |scheme| scheme.ty);
        if default.is_none() && !self.values.contains(item) {
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
            return self.set_global(item, GlobalKind::Value(failed(declared.name_span)));
        }
        if !self.settable(ty) {
            let shown = self.types.print(ty);
            self.report(
                Diagnostic::error(
                    "E0235",
                    declared.name_span,
                    format!("a param cannot be {}", a(&shown)),
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
        let Some(body) = self
            .program
            .modules
            .get(module.0 as usize)
            .and_then(|module| module.result.as_ref())
        else {
            return;
        };
        let context = Context::new(module, None, body.locals.len());
        let (code, ty) = self.within(context, |checker| {
            checker.open_frame(None);
            // A file that is a JSON document is that document.
            let of_file = !checker.module().is_input();
            let found = match of_file && literals::is_json(checker.module(), body.expr) {
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
        let broken = self.program.module(module).is_broken(span);
        let code = if broken { failed(span) } else { code };
        self.table.set_result(module, ty);
        if module == self.entry {
            self.core.result = Some(GlobalId(self.core.globals.len() as u32));
            self.core.globals.push(Global {
                name: Name::new("result"),
                item: None,
                span,
                kind: GlobalKind::Value(code),
            });
        }
    }

    /// Closes the outermost frame of an item.
    pub(super) fn finish_body(&mut self, root: NodeId, own: Option<FunctionId>) -> Body {
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
        if let Some(scheme) = self.values.get(item).cloned() {
            let ty = self.types.zonk(scheme.ty);
            let vars = self.close_over(ty);
            let ty = self.types.zonk(ty);
            self.table.set_item(item, ty);
            self.values.insert(item, Scheme { vars, ty });
        }
        if let Some(sig) = self.functions.get(item).cloned() {
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

    pub(super) fn close_over(&mut self, ty: Ty) -> Vec<Ty> {
        let open = self.types.unsolved(ty);
        open.into_iter()
            .map(|meta| {
                let var = self.types.rigid(Name::new("_"));
                self.types.solve(meta, var);
                var
            })
            .collect()
    }
}

/// Code that fails silently.
pub(super) fn failed(span: Span) -> Body {
    Body {
        nodes: vec![Node::Error],
        spans: vec![span],
        root: NodeId(0),
        slots: 0,
        slot_names: Vec::new(),
    }
}
