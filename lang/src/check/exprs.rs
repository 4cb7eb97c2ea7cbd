//! Expressions, both ways: finding a type, and holding against one.

use super::{Checker, Typed, Why};
use crate::core::{Const, Node, NodeId, Pattern};
use crate::hir::{Expr, ExprId, ItemKind, ItemRef, LocalId, Name, TypeId};
use crate::source::Span;
use crate::types::{Con, Substitution, Ty, TypeKind};

/// How many links of a chain are checked by recursion before it is cut.
const CHAIN: u32 = 48;

impl Checker<'_> {
    /// Finds the type of an expression.
    pub(super) fn synth(&mut self, id: ExprId) -> Typed {
        if let Some(done) = self.cx.ready.remove(&id) {
            return done;
        }
        if self.cx.depth.is_multiple_of(CHAIN) {
            self.synth_chain(id);
        }
        self.cx.depth += 1;
        let mut found = self.synth_one(id);
        self.cx.depth -= 1;
        if self.types.shallow(found.ty) == Ty::ERROR {
            // Nothing that did not check is evaluated.
            found = self.error_node(self.span(id));
        }
        self.table.set_expr(self.module_id(), id, found.ty);
        found
    }

    /// Chains (`a + b + …`, `x |> f |> …`, `a.b.c…`) may be of any length: long ones are done from their inner end, a
    /// piece at a time, so that the native stack stays small.
    fn synth_chain(&mut self, id: ExprId) {
        let mut spine = Vec::new();
        let mut at = id;
        while !self.cx.ready.contains_key(&at) {
            spine.push(at);
            at = match self.expr(at) {
                Expr::Binary { left, .. } => *left,
                Expr::Field { base, .. } | Expr::Index { base, .. } => *base,
                Expr::Call { callee, args, .. } => match (self.expr(*callee), args.first()) {
                    (Expr::Item(_), Some(first)) if first.label.is_none() && !first.spread => first.value,
                    _ => *callee,
                },
                _ => break,
            };
        }
        let step = CHAIN as usize / 2;
        let mut cut = (spine.len() / step) * step;
        while cut >= step {
            let link = spine.get(cut).copied();
            if let Some(link) = link
                && matches!(
                    self.expr(link),
                    Expr::Binary { .. } | Expr::Field { .. } | Expr::Index { .. } | Expr::Call { .. }
                )
            {
                let outer = std::mem::replace(&mut self.cx.depth, 1);
                let found = self.synth(link);
                self.cx.depth = outer;
                self.cx.ready.insert(link, found);
            }
            cut -= step;
        }
    }

    fn synth_one(&mut self, id: ExprId) -> Typed {
        let span = self.span(id);
        match self.expr(id) {
            Expr::Error => self.error_node(span),
            Expr::Null => {
                let inner = self.types.meta();
                let ty = self.types.optional(inner);
                self.typed_const(Const::Null, ty, span)
            }
            Expr::Bool(value) => self.typed_const(Const::Bool(*value), Ty::BOOL, span),
            Expr::Int(value) => {
                let ty = self.types.number();
                let node = self.emit_number(*value, ty, span);
                Typed { node, ty }
            }
            Expr::Float(value) => self.typed_const(Const::Float(*value), Ty::FLOAT, span),
            Expr::Duration(value) => self.typed_const(Const::Duration(*value), Ty::DURATION, span),
            Expr::Bytes(value) => self.typed_const(Const::Bytes(*value), Ty::BYTES, span),
            Expr::Str(parts) => self.synth_string(parts, span),
            Expr::Path(parts) => self.synth_path(parts, span),
            Expr::Local(local) => {
                let ty = self.cx.locals.get(local.0 as usize).copied().unwrap_or(Ty::ERROR);
                let node = self.emit_local(*local, span);
                Typed { node, ty }
            }
            Expr::Item(item) => self.synth_item(*item, id),
            Expr::Variant { of, name } => self.synth_variant(*of, name, None, &[], id),
            Expr::Constructor { name, targs } => self.synth_output(name, targs, &[], span),
            Expr::Field {
                base,
                name,
                name_span,
            } => self.synth_field(*base, name, *name_span, span),
            Expr::Index { base, index } => self.synth_index(*base, *index, span),
            Expr::Call { callee, targs, args } => self.synth_call(id, *callee, targs, args, None),
            Expr::Neg(operand) => self.synth_neg(*operand, span),
            Expr::Not(operand) => self.synth_not(*operand, span),
            Expr::Binary {
                op,
                op_span,
                left,
                right,
            } => self.synth_binary(*op, *op_span, *left, *right, span),
            Expr::If {
                condition,
                then,
                otherwise,
            } => self.if_expr(*condition, *then, *otherwise, None, span),
            Expr::Match { scrutinee, arms } => self.match_expr(*scrutinee, arms, None, span),
            Expr::Let { .. } => {
                let (lets, body) = self.let_bindings(id);
                let body = self.synth(body);
                let node = self.emit_lets(lets, body.node);
                Typed { node, ty: body.ty }
            }
            Expr::Lambda { params, body } => self.lambda(params, *body, None, span),
            Expr::List(elements) => self.synth_list(elements, span),
            Expr::Record(entries) => self.synth_record(entries, span),
            Expr::For { yields, clauses } => self.comprehension(yields, clauses, None, span),
            Expr::ImportData { ty, data, .. } => self.import_data(*ty, data.as_deref(), span),
        }
    }

    /// Holds an expression against a type; what comes back has that type.
    pub(super) fn check_expr(&mut self, id: ExprId, wanted: Ty, why: Why) -> NodeId {
        let span = self.span(id);
        let wanted = self.types.shallow(wanted);
        let node = self.check_form(id, wanted, why, span);
        match node {
            Some(node) => {
                self.table.set_expr(self.module_id(), id, wanted);
                node
            }
            None => {
                let found = self.synth(id);
                self.coerce_or_report(found, wanted, why, id)
            }
        }
    }

    /// The forms that are held against a type from the outside in; none where the type is found first.
    fn check_form(&mut self, id: ExprId, wanted: Ty, why: Why, span: Span) -> Option<NodeId> {
        let expr = self.expr(id);
        let kind = self.types.kind(wanted);
        if let TypeKind::Optional(inner) = kind {
            // A literal is of what is inside; all else may be optional itself.
            return match expr {
                Expr::Record(_)
                | Expr::List(_)
                | Expr::Lambda { .. }
                | Expr::Str(_)
                | Expr::Variant { .. }
                | Expr::Int(_) => Some(self.check_expr(id, inner, why)),
                Expr::Item(item) if self.is_description(inner) => {
                    let item = *item;
                    self.description(item, id)
                        .map(|found| self.coerce_or_report(found, wanted, why, id))
                }
                Expr::If { .. } | Expr::Match { .. } | Expr::Let { .. } | Expr::Call { .. } => {
                    self.check_nested(id, wanted, why, span)
                }
                _ => None,
            };
        }
        match (expr, &kind) {
            (Expr::Null, TypeKind::Con(Con::Json, _)) => Some(self.emit_const(Const::Null, span)),
            (Expr::Str(parts), TypeKind::Con(Con::Arg, _)) => Some(self.check_arg_string(parts, span)),
            (Expr::Str(parts), TypeKind::Enum(item, _, args)) => {
                self.check_enum_string(parts, *item, args, id, why)
            }
            (Expr::Variant { of, name }, TypeKind::Enum(..)) => {
                let found = self.synth_variant(*of, name, Some(wanted), &[], id);
                Some(self.coerce_or_report(found, wanted, why, id))
            }
            (Expr::Constructor { name, targs }, TypeKind::Enum(..)) if targs.is_empty() => {
                let found = self.synth_variant(None, name, Some(wanted), &[], id);
                Some(self.coerce_or_report(found, wanted, why, id))
            }
            (Expr::Item(item), TypeKind::Fn(..)) => {
                let found = self.function_value(*item, span)?;
                Some(self.coerce_or_report(found, wanted, why, id))
            }
            (Expr::Lambda { params, body }, TypeKind::Fn(..)) => {
                let found = self.lambda(params, *body, Some((wanted, why)), span);
                Some(self.coerce_or_report(found, wanted, why, id))
            }
            (Expr::List(elements), _) => self.check_list(elements, wanted, why, span),
            (Expr::Record(entries), _) => self.check_record(entries, wanted, why, span),
            (Expr::For { yields, clauses }, TypeKind::Con(Con::List | Con::Map, _)) => {
                let found = self.comprehension(yields, clauses, Some((wanted, why)), span);
                Some(self.coerce_or_report(found, wanted, why, id))
            }
            _ => self.check_nested(id, wanted, why, span),
        }
    }

    /// Forms whose parts are held against the type of the whole.
    fn check_nested(&mut self, id: ExprId, wanted: Ty, why: Why, span: Span) -> Option<NodeId> {
        match self.expr(id) {
            Expr::If {
                condition,
                then,
                otherwise,
            } if !self.is_open(wanted) => Some(
                self.if_expr(*condition, *then, *otherwise, Some((wanted, why)), span)
                    .node,
            ),
            Expr::Match { scrutinee, arms } if !self.is_open(wanted) => {
                Some(self.match_expr(*scrutinee, arms, Some((wanted, why)), span).node)
            }
            Expr::Let { .. } => {
                let (lets, body) = self.let_bindings(id);
                let body = self.check_expr(body, wanted, why);
                Some(self.emit_lets(lets, body))
            }
            Expr::Call { callee, targs, args } if !self.cx.ready.contains_key(&id) => {
                if self.cx.depth.is_multiple_of(CHAIN) {
                    self.synth_chain(id);
                    if self.cx.ready.contains_key(&id) {
                        return None;
                    }
                }
                self.cx.depth += 1;
                let found = self.synth_call(id, *callee, targs, args, Some(wanted));
                self.cx.depth -= 1;
                Some(self.coerce_or_report(found, wanted, why, id))
            }
            _ => None,
        }
    }

    /// Whether nothing is known of a type yet.
    pub(super) fn is_open(&mut self, ty: Ty) -> bool {
        matches!(self.types.kind(ty), TypeKind::Meta(_))
    }

    pub(super) fn error_node(&mut self, span: Span) -> Typed {
        let node = self.emit(Node::Error, span);
        Typed { node, ty: Ty::ERROR }
    }

    pub(super) fn typed_const(&mut self, value: Const, ty: Ty, span: Span) -> Typed {
        let node = self.emit_const(value, span);
        Typed { node, ty }
    }

    /// Numbers that are still Int or Float become Int: a boundary.
    pub(super) fn default_numbers_in(&mut self, ty: Ty) {
        for meta in self.types.unsolved(ty) {
            self.types.default_number(meta);
        }
    }

    fn synth_item(&mut self, item: ItemRef, id: ExprId) -> Typed {
        let span = self.span(id);
        if matches!(self.program.item(item).kind, ItemKind::Fn(_)) {
            if let Some(found) = self.description(item, id) {
                return found;
            }
            return match self.function_value(item, span) {
                Some(found) => found,
                None => self.error_node(span),
            };
        }
        let Some(scheme) = self.values.get(item).cloned() else {
            return self.error_node(span);
        };
        let ty = self.instantiate(&scheme.vars, scheme.ty);
        match self.globals.get(item).copied() {
            Some(global) => {
                let node = self.emit(Node::Global(global), span);
                Typed { node, ty }
            }
            None => self.error_node(span),
        }
    }

    /// `ty` with new metas for `vars`.
    pub(super) fn instantiate(&mut self, vars: &[Ty], ty: Ty) -> Ty {
        if vars.is_empty() {
            return ty;
        }
        let types = vars.iter().map(|var| (*var, self.types.meta())).collect();
        self.types.substitute(
            ty,
            &Substitution {
                types,
                dims: Vec::new(),
            },
        )
    }

    /// A function as a value: without labels and defaults.
    fn function_value(&mut self, item: ItemRef, span: Span) -> Option<Typed> {
        let sig = self.functions.get(item)?.clone();
        let params: Vec<Ty> = sig.params.iter().map(|param| param.ty).collect();
        let ty = self.types.function(&params, sig.ret);
        let types = sig.vars.iter().map(|var| (*var, self.types.meta())).collect();
        let ty = self.types.substitute(
            ty,
            &Substitution {
                types,
                dims: Vec::new(),
            },
        );
        let global = *self.globals.get(item)?;
        let node = self.emit(Node::Global(global), span);
        Some(Typed { node, ty })
    }

    /// A function of defaults only that makes a layer, loss, metric, …: its name stands for what it makes.
    fn description(&mut self, item: ItemRef, id: ExprId) -> Option<Typed> {
        let sig = self.functions.get(item)?.clone();
        let describes = self.is_description(sig.ret);
        (describes && sig.defaults_only()).then(|| self.call_function(&sig, &[], &[], id, None))
    }

    fn is_description(&mut self, ty: Ty) -> bool {
        matches!(self.types.kind(ty), TypeKind::Con(con, _) if con.is_description())
    }

    /// The bindings of a chain of `let`s, which may be of any length, and what comes after.
    fn let_bindings(&mut self, id: ExprId) -> (Vec<(Pattern, NodeId, Span)>, ExprId) {
        let (mut lets, mut at) = (Vec::new(), id);
        while let Expr::Let { pat, ty, value, body } = self.expr(at) {
            let (pattern, value) = self.let_binding(*pat, *ty, *value);
            lets.push((pattern, value, self.span(at)));
            at = *body;
        }
        (lets, at)
    }

    fn emit_lets(&mut self, lets: Vec<(Pattern, NodeId, Span)>, body: NodeId) -> NodeId {
        lets.into_iter().rev().fold(body, |body, (pattern, value, span)| {
            let pattern = Box::new(pattern);
            self.emit(Node::Let { pattern, value, body }, span)
        })
    }

    fn let_binding(
        &mut self,
        pat: crate::hir::PatId,
        ty: Option<TypeId>,
        value: ExprId,
    ) -> (Pattern, NodeId) {
        let found = match ty {
            Some(written) => {
                let ty = self.written(written);
                let why = Why::Written(self.type_span(written));
                let node = self.check_expr(value, ty, why);
                Typed { node, ty }
            }
            None => self.synth(value),
        };
        self.default_numbers_in(found.ty);
        let pattern = self.irrefutable(pat, found.ty);
        (pattern, found.node)
    }

    pub(super) fn local_name(&self, local: LocalId) -> Name {
        let item = self.cx.item.map(|item| &self.program.item(item).kind);
        let locals = match item {
            Some(
                ItemKind::Value { body, .. }
                | ItemKind::Param {
                    default: Some(body), ..
                },
            ) => &body.locals,
            Some(ItemKind::Fn(function)) => &function.locals,
            // The expression at the end of a file belongs to no item.
            _ => match &self.module().result {
                Some(body) if self.cx.item.is_none() => &body.locals,
                _ => return Name::default(),
            },
        };
        locals
            .get(local.0 as usize)
            .map_or_else(Name::default, |local| local.name.clone())
    }

    pub(super) fn set_local(&mut self, local: LocalId, ty: Ty) {
        if let Some(place) = self.cx.locals.get_mut(local.0 as usize) {
            *place = ty;
        }
    }
}
