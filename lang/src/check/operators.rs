//! Operators. Operands have one type; what is late makes a late result; a class that is not known yet is looked at
//! again at the item's end.

use super::suggest::a;
use super::{Checker, Deferred, Typed};
use crate::core::{Node, NodeId};
use crate::diagnostic::Diagnostic;
use crate::hir::{BinaryOp, Expr, ExprId};
use crate::source::Span;
use crate::types::{Con, Ty, TypeKind};

/// What an operator asks of its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// `+`.
    Add,
    /// `-` between two.
    Sub,
    /// `*`, `//`, `%`, `**`, `/`: numbers.
    Number(BinaryOp),
    /// `-` before one.
    Neg,
    /// `<` and its kin.
    Order(BinaryOp),
    /// `==` and `!=`.
    Equal,
    /// A function of the library that works on some types alone: `sort`, `sum`.
    Function(&'static str),
}

/// The functions of the prelude that ask something of a type parameter, with its place among them.
const FUNCTIONS: &[(&str, usize)] = &[
    ("abs", 0),
    ("max", 0),
    ("max_of", 0),
    ("min", 0),
    ("min_of", 0),
    ("sort", 0),
    ("sort_by", 1),
    ("sum", 0),
];

impl Checker<'_> {
    pub(super) fn synth_binary(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: ExprId,
        right: ExprId,
        span: Span,
    ) -> Typed {
        match op {
            BinaryOp::And | BinaryOp::Or => self.connected(op, left, right, span),
            BinaryOp::Coalesce => self.coalesce(left, right, span),
            _ => self.arithmetic(op, op_span, (left, right), span),
        }
    }

    fn arithmetic(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        (left, right): (ExprId, ExprId),
        span: Span,
    ) -> Typed {
        let (a, b) = (self.synth(left), self.synth(right));
        if let Some(late) = self.late_beside_tensor((a.ty, left), (b.ty, right)) {
            self.report_late(self.span(late), "what a traced function computes");
            return self.error_node(span);
        }
        if let Some(ty) = self.tensor_result(op, a.ty, b.ty) {
            let (left, right) = (a.node, b.node);
            let node = self.emit(Node::Binary { op, left, right }, span);
            return Typed { node, ty };
        }
        let (x, late_x) = self.without_late(a.ty);
        let (y, late_y) = self.without_late(b.ty);
        let late = late_x || late_y;
        let Some(result) = self.result_of(op, op_span, (x, left), (y, right)) else {
            return self.error_node(span);
        };
        let node = self.emit(
            Node::Binary {
                op,
                left: a.node,
                right: b.node,
            },
            span,
        );
        let ty = self.late_if(late, result);
        Typed { node, ty }
    }

    pub(super) fn late_if(&mut self, late: bool, ty: Ty) -> Ty {
        if late { self.types.late(ty) } else { ty }
    }

    fn is_tensor(&mut self, ty: Ty) -> bool {
        matches!(self.types.kind(ty), TypeKind::Con(Con::Tensor, _))
    }

    /// The operand that is late where the other is a symbolic tensor.
    fn late_beside_tensor(&mut self, (x, left): (Ty, ExprId), (y, right): (Ty, ExprId)) -> Option<ExprId> {
        if self.is_tensor(x) && self.without_late(y).1 {
            return Some(right);
        }
        (self.is_tensor(y) && self.without_late(x).1).then_some(left)
    }

    /// The type of an operation on symbolic tensors, or on one and a number.
    fn tensor_result(&mut self, op: BinaryOp, x: Ty, y: Ty) -> Option<Ty> {
        let (x, y) = (self.types.shallow(x), self.types.shallow(y));
        let number =
            |checker: &mut Self, ty: Ty| ty == Ty::INT || ty == Ty::FLOAT || checker.types.is_number_meta(ty);
        let fits = match (self.is_tensor(x), self.is_tensor(y)) {
            (true, true) => true,
            (true, false) => number(self, y),
            (false, true) => number(self, x),
            (false, false) => false,
        };
        let known = !matches!(op, BinaryOp::FloorDiv | BinaryOp::Mod);
        (fits && known).then(|| {
            self.types.default_number(x);
            self.types.default_number(y);
            self.types.con(Con::Tensor, &[])
        })
    }

    pub(super) fn without_late(&mut self, ty: Ty) -> (Ty, bool) {
        match self.types.kind(ty) {
            TypeKind::Con(Con::Late, args) => (args[0], true),
            _ => (ty, false),
        }
    }

    /// The type of `a op b`; none if it was reported.
    fn result_of(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        (x, left): (Ty, ExprId),
        (y, right): (Ty, ExprId),
    ) -> Option<Ty> {
        if let Some(scaled) = self.scaled(op, x, y) {
            return Some(scaled);
        }
        let rule = match op {
            BinaryOp::Add => Rule::Add,
            BinaryOp::Sub => Rule::Sub,
            BinaryOp::Eq | BinaryOp::Ne => Rule::Equal,
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => Rule::Order(op),
            _ => Rule::Number(op),
        };
        // `x == null` and the like: one may be optional where the other is not.
        let (x, y) = match rule {
            Rule::Equal => (self.without_null(x), self.without_null(y)),
            _ => (x, y),
        };
        if !self.one_operand_type(x, y) {
            self.report_operands(op, op_span, (x, left), (y, right));
            self.types.absorb(x);
            self.types.absorb(y);
            return None;
        }
        if matches!(self.types.kind(x), TypeKind::Error) || matches!(self.types.kind(y), TypeKind::Error) {
            return None;
        }
        if !self.hold_to(rule, x, op_span) {
            return None;
        }
        Some(match (op, self.types.shallow(x)) {
            (BinaryOp::Div, _) => Ty::FLOAT,
            (BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge, _) => {
                Ty::BOOL
            }
            (_, x) => x,
        })
    }

    pub(super) fn without_null(&mut self, ty: Ty) -> Ty {
        match self.types.kind(ty) {
            TypeKind::Optional(inner) => inner,
            _ => ty,
        }
    }

    /// Makes the operands' types one; a list or record may go by a coercion that changes nothing at run time.
    fn one_operand_type(&mut self, x: Ty, y: Ty) -> bool {
        let before = self.types.snapshot();
        if self.types.unify(x, y).is_ok() {
            return true;
        }
        self.types.rollback(before);
        false
    }

    /// Durations and sizes times or by a number.
    fn scaled(&mut self, op: BinaryOp, x: Ty, y: Ty) -> Option<Ty> {
        let measure = |ty: Ty| ty == Ty::DURATION || ty == Ty::BYTES;
        let number =
            |checker: &mut Self, ty: Ty| ty == Ty::INT || ty == Ty::FLOAT || checker.types.is_number_meta(ty);
        let (x, y) = (self.types.shallow(x), self.types.shallow(y));
        match op {
            BinaryOp::Mul | BinaryOp::Div if measure(x) && number(self, y) => Some(x),
            BinaryOp::Mul if number(self, x) && measure(y) => Some(y),
            BinaryOp::Div if measure(x) && x == y => Some(Ty::FLOAT),
            _ => None,
        }
    }

    /// Asks of a type what a rule asks; later, if the type is not known yet. False if it was reported.
    pub(super) fn hold_to(&mut self, rule: Rule, ty: Ty, span: Span) -> bool {
        match self.obeys(rule, ty) {
            Some(true) => {}
            Some(false) => {
                self.report_rule(rule, ty, span);
                return false;
            }
            None => self.cx.deferred.push(Deferred { ty, span, rule }),
        }
        true
    }

    /// Asks of a call's type parameters what the function asks: `types` are those that it was called with.
    ///
    /// False if it was reported.
    pub(super) fn hold_call(&mut self, name: &str, types: &[(Ty, Ty)], span: Span) -> bool {
        let Some((name, at)) = FUNCTIONS.iter().find(|(own, _)| *own == name) else {
            return true;
        };
        let Some((_, ty)) = types.get(*at) else {
            return true;
        };
        let (ty, _) = self.without_late(*ty);
        self.hold_to(Rule::Function(name), ty, span)
    }

    /// Whether a type may stand with an operator; none if it is not known.
    fn obeys(&mut self, rule: Rule, ty: Ty) -> Option<bool> {
        let number = self.types.is_number_meta(ty);
        Some(match (rule, self.types.kind(ty)) {
            (_, TypeKind::Error) => true,
            (Rule::Equal, _) => return self.comparable(ty),
            (_, TypeKind::Meta(_)) if number => true,
            (_, TypeKind::Meta(_)) => return None,
            // What a caller of a generic function chooses is seen when it runs.
            (Rule::Function(_), TypeKind::Rigid(..) | TypeKind::Unknown) => true,
            (Rule::Function("sum"), TypeKind::Con(con, _)) => {
                matches!(con, Con::Int | Con::Float | Con::Duration | Con::Bytes)
            }
            (Rule::Function("abs"), TypeKind::Con(con, _)) => {
                matches!(con, Con::Int | Con::Float | Con::Duration)
            }
            (Rule::Function(_), TypeKind::Con(con, _)) => {
                matches!(
                    con,
                    Con::Int | Con::Float | Con::Str | Con::Duration | Con::Bytes | Con::Bool
                )
            }
            (Rule::Add, TypeKind::Con(con, _)) => {
                matches!(
                    con,
                    Con::Int | Con::Float | Con::Str | Con::List | Con::Duration | Con::Bytes
                )
            }
            (Rule::Sub, TypeKind::Con(con, _)) => {
                matches!(con, Con::Int | Con::Float | Con::Duration | Con::Bytes)
            }
            (Rule::Neg, TypeKind::Con(con, _)) => {
                matches!(con, Con::Int | Con::Float | Con::Duration | Con::Tensor)
            }
            (Rule::Number(_), TypeKind::Con(con, _)) => matches!(con, Con::Int | Con::Float),
            (Rule::Order(_), TypeKind::Con(con, _)) => {
                matches!(con, Con::Int | Con::Float | Con::Str | Con::Duration | Con::Bytes)
            }
            _ => false,
        })
    }

    /// Whether two values of a type can be compared for equality.
    fn comparable(&mut self, ty: Ty) -> Option<bool> {
        match self.types.kind(ty) {
            TypeKind::Error | TypeKind::Unknown | TypeKind::Shape(..) | TypeKind::Rigid(..) => Some(true),
            TypeKind::Meta(_) => self.types.is_number_meta(ty).then_some(true),
            TypeKind::Con(Con::List | Con::Map, args) => self.comparable(args[0]),
            TypeKind::Con(con, _) => Some(
                !con.is_artifact()
                    && !con.is_description()
                    && !matches!(con, Con::Late | Con::Pick | Con::Output | Con::Tensor | Con::Arg),
            ),
            TypeKind::Optional(inner) => self.comparable(inner),
            TypeKind::Record(record) if record.open => Some(false),
            TypeKind::Record(record) => {
                let mut all = Some(true);
                for field in &record.fields {
                    match self.comparable(field.ty) {
                        Some(true) => {}
                        Some(false) => return Some(false),
                        None => all = None,
                    }
                }
                all
            }
            TypeKind::Enum(_, _, args) => {
                let known: Vec<Option<bool>> = args.iter().map(|arg| self.comparable(*arg)).collect();
                if known.contains(&Some(false)) {
                    Some(false)
                } else {
                    Some(true)
                }
            }
            TypeKind::Fn(..) | TypeKind::Fieldwise(..) => Some(false),
        }
    }

    /// Looks again at an operation whose type was not known.
    pub(super) fn settle_deferred(&mut self, deferred: Deferred, last: bool) {
        self.types.default_number(deferred.ty);
        match self.obeys(deferred.rule, deferred.ty) {
            Some(true) => {}
            Some(false) => self.report_rule(deferred.rule, deferred.ty, deferred.span),
            // An empty list may be compared to another.
            None if matches!(deferred.rule, Rule::Equal | Rule::Function(_)) => {}
            None if last => self.report_unknown(deferred.span, "the operands"),
            None => self.left_open.push(deferred),
        }
    }

    fn report_rule(&mut self, rule: Rule, ty: Ty, span: Span) {
        let shown = self.shown(ty);
        if rule == Rule::Equal {
            let error = Diagnostic::error(
                "E0225",
                span,
                format!("values of type `{shown}` cannot be compared"),
            )
            .note("functions, layers, artifacts, open records, and lists and records of late values have no equality");
            self.report(error.help("compare a field of it, or a name that you give it"));
            return;
        }
        if let Rule::Function(name) = rule {
            return self.report_function(name, ty, &shown, span);
        }
        let (sign, takes) = match rule {
            Rule::Add => ("+", "numbers, text, lists, times and sizes"),
            Rule::Sub => ("-", "numbers, times and sizes"),
            Rule::Neg => ("-", "numbers and times"),
            Rule::Number(op @ BinaryOp::Mul) => (written(op), "numbers, and a time or size with a number"),
            Rule::Number(op) => (written(op), "numbers"),
            Rule::Order(op) => (written(op), "numbers, text, times and sizes"),
            Rule::Equal | Rule::Function(_) => ("==", ""),
        };
        let error = Diagnostic::error("E0203", span, format!("`{sign}` does not take {}", a(&shown)))
            .note(format!("it takes {takes}"));
        let error = match self.types.kind(ty) {
            TypeKind::Record(_) if rule == Rule::Add => {
                error.help("to put records together write `{ ...a, ...b }`")
            }
            TypeKind::Con(Con::Map, _) if rule == Rule::Add => {
                error.help("to put maps together write `merge(a, b)`")
            }
            TypeKind::Con(Con::Layer, _) => error.help(
                "layers one after the other are `nn.sequential([a, b])`, layers whose outputs are added `nn.parallel([a, b])`",
            ),
            TypeKind::Con(Con::Path, _) if rule == Rule::Add => {
                error.help("put the name into the path: `./\"data/${name}.csv\"`")
            }
            TypeKind::Optional(_) => error.help("say what holds for null first: `(x ?? 0)`"),
            TypeKind::Rigid(_, name) => error.note(format!("a caller may choose any type for `{name}`")),
            TypeKind::Con(Con::Tensor, _) => error.note(TENSOR_OPERATORS),
            _ => error,
        };
        self.report(error);
    }

    fn report_function(&mut self, name: &str, ty: Ty, shown: &str, span: Span) {
        let (cannot, takes) = match name {
            "sum" => ("cannot add", "numbers, times and sizes"),
            "abs" => ("takes no", "numbers and times"),
            _ => (
                "cannot put in order",
                "numbers, text, times, sizes and truth values",
            ),
        };
        let message = format!("`{name}` {cannot} values of type `{shown}`");
        let error = Diagnostic::error("E0203", span, message).note(format!("it takes {takes}"));
        let tensor = self.is_tensor(ty);
        self.report(match name {
            _ if tensor => match super::meant::operation_on_tensors(name) {
                Some(operation) => error.help(format!(
                    "operations on tensors are functions of `std.tensor`: write `tensor.{operation}(…)`"
                )),
                None => error,
            },
            "sort" | "min_of" | "max_of" => error.help("sort by a field of them: `sort_by(xs, x => …)`"),
            "sum" => error.help("sum a field of them: `sum(map(xs, x => …))`"),
            _ => error,
        });
    }

    fn report_operands(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        (x, left): (Ty, ExprId),
        (y, right): (Ty, ExprId),
    ) {
        let (a, b) = (self.shown(x), self.shown(y));
        let sign = written(op);
        let error = Diagnostic::error("E0203", op_span, format!("`{sign}` of `{a}` and `{b}`"))
            .label(self.span(left), format!("this is `{a}`"))
            .label(self.span(right), format!("this is `{b}`"));
        let (x, y) = (self.types.shallow(x), self.types.shallow(y));
        let error = match (x, y) {
            (Ty::INT, _) if b == "Float" => error.help(format!("write `float({})`", self.source_text(left))),
            (_, Ty::INT) if a == "Float" => error.help(format!("write `float({})`", self.source_text(right))),
            (Ty::STR, _) if op == BinaryOp::Mod => {
                error.help("values are put into text by `\"… ${value} …\"`")
            }
            (Ty::STR, Ty::INT) if op == BinaryOp::Mul => error.help(format!(
                "text is repeated by `join([{} for _ in range({})], \"\")`",
                self.source_text(left),
                self.source_text(right)
            )),
            (Ty::STR, _) if op == BinaryOp::Add => error.help(format!(
                "put it into the string: `{}`",
                self.with_value(left, right)
            )),
            (Ty::PATH, Ty::STR) if op == BinaryOp::Add => {
                error.help("a path is written whole, with values in it: `./\"data/${name}.csv\"`")
            }
            (_, Ty::STR) if op == BinaryOp::Add => error.help(format!(
                "put it into a string: `\"${{{}}}\"`",
                self.source_text(left)
            )),
            (Ty::STR, Ty::INT | Ty::FLOAT) if self.is_number_in_quotes(left) => error.help(format!(
                "write `{}`, without quotes",
                self.source_text(left).trim_matches('"')
            )),
            (Ty::INT | Ty::FLOAT, Ty::STR) if self.is_number_in_quotes(right) => error.help(format!(
                "write `{}`, without quotes",
                self.source_text(right).trim_matches('"')
            )),
            _ => match (self.types.kind(x), self.types.kind(y)) {
                (TypeKind::Optional(_), _) => error.help(format!(
                    "say what holds for null: `({} ?? 0)`",
                    self.source_text(left)
                )),
                (_, TypeKind::Optional(_)) => error.help(format!(
                    "say what holds for null: `({} ?? 0)`",
                    self.source_text(right)
                )),
                (TypeKind::Con(Con::Duration, _), TypeKind::Con(Con::Int, _)) => {
                    let text = self.source_text(right);
                    error.help(format!(
                        "write the number with its unit: `{text}s`, `{text}min` or `{text}h`"
                    ))
                }
                (TypeKind::Con(Con::Bytes, _), TypeKind::Con(Con::Int, _)) => {
                    let text = self.source_text(right);
                    error.help(format!(
                        "write the number with its unit: `{text}MiB` or `{text}GiB`"
                    ))
                }
                (TypeKind::Fn(..), _) => {
                    error.help(format!("call the function: `{}(…)`", self.source_text(left)))
                }
                (_, TypeKind::Fn(..)) => {
                    error.help(format!("call the function: `{}(…)`", self.source_text(right)))
                }
                (TypeKind::Con(Con::List, _), TypeKind::Con(Con::List, _)) => {
                    error.note("the elements of a list have one type")
                }
                (TypeKind::Con(Con::List, _), _) if op == BinaryOp::Add => error.help(format!(
                    "to add an element write `[...{}, {}]`",
                    self.source_text(left),
                    self.source_text(right)
                )),
                (TypeKind::Con(Con::Tensor, _), _) | (_, TypeKind::Con(Con::Tensor, _)) => {
                    error.note(TENSOR_OPERATORS)
                }
                _ => error.note("both sides of an operator have one type"),
            },
        };
        self.report(error);
    }

    /// `"run " + 3` as `"run ${3}"`.
    fn with_value(&self, text: ExprId, value: ExprId) -> String {
        let (text, value) = (self.source_text(text), self.source_text(value));
        match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            Some(inner) if !inner.contains('"') => format!("\"{inner}${{{value}}}\""),
            _ => format!("\"${{{text}}}${{{value}}}\""),
        }
    }

    fn is_number_in_quotes(&self, id: ExprId) -> bool {
        matches!(self.expr(id), Expr::Str(_)) && self.source_text(id).trim_matches('"').parse::<f64>().is_ok()
    }

    pub(super) fn synth_neg(&mut self, operand: ExprId, span: Span) -> Typed {
        let found = self.synth(operand);
        let (inner, _) = self.without_late(found.ty);
        if !self.hold_to(Rule::Neg, inner, span) {
            return self.error_node(span);
        }
        let node: NodeId = self.emit(Node::Neg(found.node), span);
        Typed { node, ty: found.ty }
    }
}

const TENSOR_OPERATORS: &str = "between tensors, and a tensor and a number, there are `+ - * / **` and comparisons; other operations are functions \
     of `std.tensor`";

/// An operator as it is written.
fn written(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "or",
        BinaryOp::And => "and",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        BinaryOp::Coalesce => "??",
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::FloorDiv => "//",
        BinaryOp::Mod => "%",
        BinaryOp::Pow => "**",
    }
}
