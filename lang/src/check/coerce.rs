//! Coercions: the few changes of form that need no words, and joining the types of branches and elements.

use super::{Checker, Typed, Why};
use crate::core::{Coercion, ForClause, MapEntry, Node, NodeId, Pattern, RecordEntry};
use crate::diagnostic::Diagnostic;
use crate::hir::ExprId;
use crate::source::Span;
use crate::types::{Clash, ClashKind, Con, Fieldwise, RecordType, Ty, TypeKind};

impl Checker<'_> {
    /// A value as one of the wanted type; what does not fit is reported.
    pub(super) fn coerce_or_report(&mut self, found: Typed, wanted: Ty, why: Why, id: ExprId) -> NodeId {
        let span = self.span(id);
        match self.coerce(found.node, found.ty, wanted, span) {
            Ok(node) => node,
            Err(clash) => {
                self.report_mismatch(found.ty, wanted, &clash, why, id);
                self.types.absorb(found.ty);
                self.types.absorb(wanted);
                self.emit(Node::Error, span)
            }
        }
    }

    /// A value of type `from` as one of type `to`: the same node where nothing has to be done at run time.
    pub(super) fn coerce(&mut self, node: NodeId, from: Ty, to: Ty, span: Span) -> Result<NodeId, Clash> {
        let (from, to) = (self.types.shallow(from), self.types.shallow(to));
        if from == to {
            return Ok(node);
        }
        match (self.types.kind(from), self.types.kind(to)) {
            (TypeKind::Error, _) | (_, TypeKind::Error) => {
                self.types.unify(from, to)?;
                Ok(node)
            }
            (TypeKind::Meta(_), TypeKind::Optional(inner)) if self.types.is_number_meta(from) => {
                self.coerce(node, from, inner, span)
            }
            (TypeKind::Meta(_), TypeKind::Con(Con::Json | Con::Pair | Con::Classes | Con::Tensor, _))
                if self.types.is_number_meta(from) =>
            {
                self.types.solve(from, Ty::INT);
                Ok(node)
            }
            (TypeKind::Meta(_), _) | (_, TypeKind::Meta(_)) => self.unified(node, from, to),
            (TypeKind::Optional(a), TypeKind::Optional(b)) => self.coerce_inside(node, a, b, span),
            (_, TypeKind::Optional(inner)) => self.coerce(node, from, inner, span),
            (TypeKind::Con(a, xs), TypeKind::Con(b, ys)) => {
                self.coerce_con((node, from, to), (a, &xs), (b, &ys), span)
            }
            (TypeKind::Record(a), TypeKind::Record(b)) => self.coerce_record(node, &a, &b, span),
            (TypeKind::Record(a), TypeKind::Con(Con::Map, args))
                if matches!(self.types.kind(args[0]), TypeKind::Con(Con::Arg, _)) =>
            {
                self.coerce_to_arguments(node, &a, args[0], span)
            }
            (TypeKind::Record(a), TypeKind::Fieldwise(family, args)) => {
                self.coerce_fieldwise(node, &a, family, &args, span)
            }
            (TypeKind::Record(a), TypeKind::Con(Con::Codec, args)) => {
                self.coerce_fieldwise(node, &a, Fieldwise::Codecs, &args, span)
            }
            (TypeKind::Fn(xs, x), TypeKind::Fn(ys, y)) if xs.len() == ys.len() => {
                for (x, y) in xs.iter().zip(ys.iter()) {
                    self.coerce_inside(node, *y, *x, span)?;
                }
                self.coerce_inside(node, x, y, span)
            }
            (TypeKind::Fn(params, ret), TypeKind::Con(con, _))
                if params.is_empty() && con.is_description() =>
            {
                let called = self.emit(
                    Node::CallValue {
                        callee: node,
                        args: Vec::new(),
                    },
                    span,
                );
                self.coerce(called, ret, to, span)
            }
            _ => self.unified(node, from, to),
        }
    }

    fn unified(&mut self, node: NodeId, from: Ty, to: Ty) -> Result<NodeId, Clash> {
        self.types.unify(from, to)?;
        Ok(node)
    }

    /// A coercion inside of a value: only one that needs nothing at run time.
    fn coerce_inside(&mut self, node: NodeId, from: Ty, to: Ty, span: Span) -> Result<NodeId, Clash> {
        match self.coerce(node, from, to, span)? {
            same if same == node => Ok(node),
            _ => Err(differ()),
        }
    }

    fn coerce_con(
        &mut self,
        (node, from, to): (NodeId, Ty, Ty),
        (a, xs): (Con, &[Ty]),
        (b, ys): (Con, &[Ty]),
        span: Span,
    ) -> Result<NodeId, Clash> {
        match (a, b) {
            (Con::List, Con::List) => self.coerce_list(node, xs[0], ys[0], span),
            (Con::Map, Con::Map) | (Con::Late, Con::Late) => self.coerce_inside(node, xs[0], ys[0], span),
            _ if a == b => self.unified(node, from, to),
            (
                Con::Path | Con::Plot | Con::Metrics | Con::Validation | Con::Predictions | Con::History,
                Con::File,
            )
            | (Con::Path | Con::Model | Con::Dataset | Con::State, Con::Dir)
            | (Con::Int | Con::Float | Con::Bool | Con::Str, Con::Json)
            | (Con::Int, Con::Pair | Con::Classes)
            | (Con::Int | Con::Float, Con::Tensor)
            | (Con::Str, Con::Columns)
            | (Con::Model, Con::Init) => Ok(node),
            (Con::List, Con::Pair) => self.coerce_inside(node, xs[0], Ty::INT, span),
            (Con::List, Con::Columns | Con::Classes) => self.coerce_inside(node, xs[0], Ty::STR, span),
            (Con::Str | Con::Path | Con::Late, Con::Arg) => Ok(self.emit_arg(node, span)),
            (artifact, Con::Arg) if artifact.is_artifact() => Ok(self.emit_arg(node, span)),
            _ => Err(differ()),
        }
    }

    fn emit_arg(&mut self, value: NodeId, span: Span) -> NodeId {
        self.emit(
            Node::Coerce {
                value,
                to: Coercion::Arg,
            },
            span,
        )
    }

    fn coerce_list(&mut self, node: NodeId, from: Ty, to: Ty, span: Span) -> Result<NodeId, Clash> {
        let slot = self.fresh_slot();
        let element = self.emit(Node::Local { slot, last: false }, span);
        let made = self.coerce(element, from, to, span)?;
        if made == element {
            return Ok(node);
        }
        let clause = ForClause::For {
            first: Pattern::Bind(slot),
            second: None,
            source: node,
            map: false,
        };
        let clauses = vec![clause];
        Ok(self.emit(
            Node::ForList {
                clauses,
                element: made,
            },
            span,
        ))
    }

    fn coerce_record(
        &mut self,
        node: NodeId,
        from: &RecordType,
        to: &RecordType,
        span: Span,
    ) -> Result<NodeId, Clash> {
        if from.open && !to.open {
            return Err(differ());
        }
        if let Some(missing) = to.fields.iter().find(|field| from.field(&field.name).is_none()) {
            return Err(Clash::new(ClashKind::Missing(missing.name.clone())));
        }
        let extra = from.fields.iter().find(|field| to.field(&field.name).is_none());
        if let Some(extra) = extra.filter(|_| !to.open) {
            return Err(Clash::new(ClashKind::Extra(extra.name.clone())));
        }
        let slot = self.fresh_slot();
        let (mut entries, mut changed) = (Vec::new(), false);
        for field in &from.fields {
            let base = self.emit(Node::Local { slot, last: false }, span);
            let name = field.name.clone();
            let part = self.emit(Node::Field { base, name }, span);
            let made = match to.field(&field.name) {
                Some(wanted) => self
                    .coerce(part, field.ty, wanted.ty, span)
                    .map_err(|clash| clash.inside(&field.name))?,
                None => part,
            };
            changed |= made != part;
            entries.push(RecordEntry::Field(field.name.clone(), made));
        }
        if !changed {
            return Ok(node);
        }
        let body = self.emit(Node::Record(entries), span);
        let pattern = Box::new(Pattern::Bind(slot));
        Ok(self.emit(
            Node::Let {
                pattern,
                value: node,
                body,
            },
            span,
        ))
    }

    /// A record that was built elsewhere, such as what a step gives, as the inputs or variables of a step.
    fn coerce_to_arguments(
        &mut self,
        node: NodeId,
        from: &RecordType,
        arg: Ty,
        span: Span,
    ) -> Result<NodeId, Clash> {
        if from.open {
            return Err(differ());
        }
        let fields = from.fields.iter().map(|field| (field.name.clone(), arg));
        let all = self.types.closed(fields.collect::<Vec<_>>());
        let TypeKind::Record(all) = self.types.kind(all) else {
            return Err(differ());
        };
        let record = self.coerce_record(node, from, &all, span)?;
        Ok(self.emit(Node::Map(vec![MapEntry::Spread(record)]), span))
    }

    /// `{ accuracy: Metric[Float] }` as `MetricsOf[R]`: finds `R`.
    fn coerce_fieldwise(
        &mut self,
        node: NodeId,
        from: &RecordType,
        family: Fieldwise,
        args: &[Ty],
        span: Span,
    ) -> Result<NodeId, Clash> {
        let (mut inner, mut wrapped) = (Vec::new(), Vec::new());
        for field in &from.fields {
            let ty = family.field(&mut self.types, args);
            inner.push((field.name.clone(), ty));
            wrapped.push((field.name.clone(), family.wrap(&mut self.types, ty, args)));
        }
        let wrapped = self.types.closed(wrapped);
        let TypeKind::Record(wrapped) = self.types.kind(wrapped) else {
            return Err(differ());
        };
        let node = self.coerce_record(node, from, &wrapped, span)?;
        let inner = self.types.closed(inner);
        self.types.unify(args[0], inner)?;
        Ok(node)
    }

    /// The one type of several expressions; an optional one makes all optional.
    pub(super) fn join(&mut self, found: &[(ExprId, Typed)], what: &str) -> Ty {
        let Some((first, rest)) = found.split_first() else {
            return self.types.meta();
        };
        let optional = found
            .iter()
            .any(|(_, typed)| matches!(self.types.kind(typed.ty), TypeKind::Optional(_)));
        let strip = |checker: &mut Self, ty: Ty| match checker.types.kind(ty) {
            TypeKind::Optional(inner) => inner,
            _ => ty,
        };
        let ty = strip(self, first.1.ty);
        for (expr, typed) in rest {
            let other = strip(self, typed.ty);
            if self.types.unify(ty, other).is_err() {
                self.report_mixed(ty, other, (first.0, *expr), what);
                self.types.absorb(ty);
                return Ty::ERROR;
            }
        }
        if optional { self.types.optional(ty) } else { ty }
    }

    fn mixed_help(&mut self, a: Ty, b: Ty) -> String {
        let argument = |kind: &TypeKind| match kind {
            TypeKind::Con(con, _) => {
                con.is_artifact() || matches!(con, Con::Str | Con::Path | Con::Arg | Con::Late)
            }
            _ => false,
        };
        match (self.types.kind(a), self.types.kind(b)) {
            (TypeKind::Record(a), TypeKind::Record(b)) => {
                let only = |a: &RecordType, b: &RecordType| {
                    let field = a.fields.iter().find(|field| b.field(&field.name).is_none());
                    field.map(|field| field.name.clone())
                };
                match only(&a, &b).or_else(|| only(&b, &a)) {
                    Some(field) => format!(
                        "not all have field `{field}`: add it, or declare a type in which it may be left out: `{field}?: …`"
                    ),
                    None => "give the fields of one name one type".to_owned(),
                }
            }
            (a, b) if argument(&a) && argument(&b) => {
                "if these are the words of a command, say so: `x: List[Arg] = [ … ]`".to_owned()
            }
            _ => "if this is JSON, say so: `x: Json = [ … ]`".to_owned(),
        }
    }

    fn report_mixed(&mut self, a: Ty, b: Ty, (first, second): (ExprId, ExprId), what: &str) {
        let (shown, other) = (self.shown(a), self.shown(b));
        let message = match what {
            "list" => format!("`{shown}` and `{other}` in one list"),
            _ => format!("the {what} have different types, `{shown}` and `{other}`"),
        };
        let error = Diagnostic::error("E0202", self.span(second), message)
            .at(format!("this is `{other}`"))
            .label(self.span(first), format!("this is `{shown}`"));
        let numbers = [shown.as_str(), other.as_str()];
        let error = match what {
            _ if numbers == ["Int", "Float"] || numbers == ["Float", "Int"] => {
                let int = if shown == "Int" { first } else { second };
                error.help(format!("write `float({})`", self.source_text(int)))
            }
            "list" => {
                let help = self.mixed_help(a, b);
                error.note("the elements of a list have one type").help(help)
            }
            _ => error.note(format!(
                "whichever of the {what} is taken, the result has one type"
            )),
        };
        self.report(error);
    }
}

fn differ() -> Clash {
    Clash::new(ClashKind::Differ)
}
