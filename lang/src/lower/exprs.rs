//! Expressions to `hir`.

use super::module::Lower;
use super::name;
use crate::diagnostic::Diagnostic;
use crate::hir::{self, Arg, BinaryOp, Clause, Element, Entry, Expr, ExprId, Name, Yield};
use crate::source::Span;
use crate::syntax::ast::{self, Expr as View};
use crate::syntax::literal::{self, Quantity, QuantityError};
use crate::syntax::{Element as SyntaxElement, SyntaxKind, SyntaxToken};
use SyntaxKind as K;

impl Lower<'_> {
    pub(super) fn add_expr(&mut self, expr: Expr, span: Span) -> ExprId {
        self.module.exprs.push(expr);
        self.module.expr_spans.push(span);
        ExprId(self.module.exprs.len() as u32 - 1)
    }

    pub(super) fn expr_or_error(&mut self, expr: Option<View<'_>>, span: Span) -> ExprId {
        match expr {
            Some(expr) => self.expr(expr),
            None => self.add_expr(Expr::Error, span),
        }
    }

    pub(super) fn expr_span(&self, id: ExprId) -> Span {
        self.module.expr_spans[id.0 as usize]
    }

    pub(super) fn expr(&mut self, view: View<'_>) -> ExprId {
        let span = view.node().span();
        let expr = match view {
            View::Error(_) => Expr::Error,
            View::Paren(paren) => return self.expr_or_error(paren.inner(), span),
            View::NameRef(_) | View::ConRef(_) | View::Postfix(_) => return self.postfix(view),
            View::Chain(chain) => return self.chain(chain),
            View::Pipe(pipe) => return self.pipe(pipe),
            View::Lets(lets) => return self.lets(lets),
            View::Literal(literal) => self.literal(literal.token(), false),
            View::StringExpr(string) => Expr::Str(self.string_parts(string)),
            View::PathExpr(path) => Expr::Path(self.path_parts(path)),
            View::List(list) => Expr::List(self.list(list)),
            View::Record(record) => Expr::Record(self.record(record)),
            View::ListFor(list) => self.list_for(list),
            View::RecordFor(record) => self.record_for(record),
            View::NotExpr(not) => Expr::Not(self.expr_or_error(not.operand(), span)),
            View::NegExpr(neg) => self.negation(neg),
            View::IfExpr(if_) => Expr::If {
                condition: self.expr_or_error(if_.condition(), span),
                then: self.expr_or_error(if_.then(), span),
                otherwise: self.expr_or_error(if_.otherwise(), span),
            },
            View::MatchExpr(match_) => Expr::Match {
                scrutinee: self.expr_or_error(match_.scrutinee(), span),
                arms: match_.arms().map(|arm| self.arm(arm)).collect(),
            },
            View::Lambda(lambda) => self.lambda(lambda),
            View::ImportData(import) => self.import_data(import),
        };
        self.add_expr(expr, span)
    }

    fn literal(&mut self, token: SyntaxToken<'_>, negative: bool) -> Expr {
        let text = token.text();
        match token.kind() {
            K::True => Expr::Bool(true),
            K::False => Expr::Bool(false),
            K::Null => Expr::Null,
            // A malformed one was reported by the lexer; its value matters to nobody.
            K::Int => match literal::int(text, negative) {
                Some(value) => Expr::Int(value),
                None => self.out_of_range(
                    token,
                    "integers lie between -9223372036854775808 and 9223372036854775807",
                ),
            },
            K::Float => match literal::float(text) {
                Some(value) => Expr::Float(if negative { -value } else { value }),
                None => self.out_of_range(token, "the largest float is about 1.8e308"),
            },
            K::Unit => match literal::quantity(text) {
                Ok(Quantity::Duration(value)) => Expr::Duration(value),
                Ok(Quantity::Bytes(value)) => Expr::Bytes(value),
                Err(QuantityError::Malformed) => Expr::Error,
                Err(QuantityError::Range) => self.out_of_range(token, "the amount must fit into 64 bits"),
                Err(QuantityError::Fraction) => {
                    let error =
                        Diagnostic::error("E0105", token.span(), format!("`{text}` is no whole amount"))
                            .help("durations are whole milliseconds, amounts of memory whole bytes");
                    self.report(error);
                    Expr::Error
                }
            },
            _ => Expr::Error,
        }
    }

    pub(super) fn out_of_range(&mut self, token: SyntaxToken<'_>, note: &str) -> Expr {
        let error = Diagnostic::error(
            "E0105",
            token.span(),
            format!("`{}` is out of range", token.text()),
        )
        .note(note);
        self.report(error);
        Expr::Error
    }

    fn negation(&mut self, neg: ast::NegExpr<'_>) -> Expr {
        if let Some(View::Literal(literal)) = neg.operand()
            && matches!(literal.token().kind(), K::Int | K::Float)
            && !literal.token().is_spaced()
        {
            return self.literal(literal.token(), true);
        }
        Expr::Neg(self.expr_or_error(neg.operand(), neg.node().span()))
    }

    fn lambda(&mut self, lambda: ast::Lambda<'_>) -> Expr {
        let mark = self.locals.enter();
        let mut params: Vec<(hir::LocalId, Option<hir::TypeId>)> = Vec::new();
        for param in lambda.params() {
            let ty = param.ty().map(|ty| self.ty(ty));
            let token = param.name();
            let own = name(token.text());
            let before = params.iter().map(|(id, _)| &self.locals.locals[id.0 as usize]);
            if let Some(before) = before.filter(|_| own != "_").find(|before| before.name == own) {
                let before = before.span;
                self.twice(&own, "parameter", before, token.span());
            }
            params.push((self.locals.declare(own, token.span(), false), ty));
        }
        for (id, _) in &params {
            if self.locals.locals[id.0 as usize].name != "_" {
                self.locals.show(*id);
            }
        }
        let body = self.expr_or_error(lambda.body(), lambda.node().span());
        self.locals.leave(mark);
        Expr::Lambda { params, body }
    }

    /// `let` lines nest to the right; there may be many, so this is a loop.
    fn lets(&mut self, lets: ast::Lets<'_>) -> ExprId {
        let mark = self.locals.enter();
        let whole = lets.node().span();
        let mut lines = Vec::new();
        for line in lets.lines() {
            let value = self.expr_or_error(line.value(), line.node().span());
            let ty = line.ty().map(|ty| self.ty(ty));
            let pat = self.binding_pattern(line.pattern(), line.node().span(), "let", true);
            lines.push((line.node().span().start, pat, ty, value));
        }
        let mut body = self.expr_or_error(lets.result(), whole);
        self.locals.leave(mark);
        for (start, pat, ty, value) in lines.into_iter().rev() {
            let span = Span { start, ..whole };
            body = self.add_expr(Expr::Let { pat, ty, value, body }, span);
        }
        body
    }

    fn arm(&mut self, arm: ast::Arm<'_>) -> hir::Arm {
        let mark = self.locals.enter();
        let pats = self.alternatives(arm);
        let guard = arm.guard().map(|guard| self.expr(guard));
        let body = self.expr_or_error(arm.body(), arm.node().span());
        self.locals.leave(mark);
        hir::Arm { pats, guard, body }
    }

    /// Operands and operators of one level. `??` and `**` nest to the right, others to the left.
    fn chain(&mut self, chain: ast::Chain<'_>) -> ExprId {
        let mut operands = Vec::new();
        let mut operators = Vec::new();
        for element in chain.node().elements() {
            match element {
                SyntaxElement::Node(node) => {
                    if let Some(view) = View::cast(node) {
                        operands.push(self.expr(view));
                    }
                }
                SyntaxElement::Token(token) => {
                    if let Some(operator) = binary_op(token.kind()) {
                        operators.push((operator, token.span()));
                    }
                }
            }
        }
        // An operand that is missing was reported.
        while operands.len() <= operators.len() {
            operands.push(self.add_expr(Expr::Error, chain.node().span()));
        }
        let right = operators
            .iter()
            .any(|(op, _)| matches!(op, BinaryOp::Coalesce | BinaryOp::Pow));
        if right {
            self.nest_right(&operands, &operators)
        } else {
            self.nest_left(&operands, &operators)
        }
    }

    fn nest_left(&mut self, operands: &[ExprId], operators: &[(BinaryOp, Span)]) -> ExprId {
        let mut left = operands[0];
        for (&right, &operator) in operands[1..].iter().zip(operators) {
            left = self.binary(operator, left, right);
        }
        left
    }

    fn nest_right(&mut self, operands: &[ExprId], operators: &[(BinaryOp, Span)]) -> ExprId {
        let mut right = operands[operators.len()];
        for (&left, &operator) in operands.iter().zip(operators).rev() {
            right = self.binary(operator, left, right);
        }
        right
    }

    fn binary(&mut self, (op, op_span): (BinaryOp, Span), left: ExprId, right: ExprId) -> ExprId {
        let span = Span {
            end: self.expr_span(right).end,
            ..self.expr_span(left)
        };
        let binary = Expr::Binary {
            op,
            op_span,
            left,
            right,
        };
        self.add_expr(binary, span)
    }

    /// `x |> f(a)` is `f(x, a)`.
    fn pipe(&mut self, pipe: ast::Pipe<'_>) -> ExprId {
        let whole = pipe.node().span();
        let mut stages = pipe.node().children().filter_map(View::cast);
        let first = stages.next();
        let mut piped = self.expr_or_error(first, whole);
        for stage in stages {
            let span = Span {
                end: stage.node().span().end,
                ..whole
            };
            let first = Arg {
                label: None,
                spread: false,
                value: piped,
            };
            piped = match stage {
                View::Postfix(postfix) => self.piped_postfix(postfix, first, span),
                other => {
                    let callee = self.expr(other);
                    let call = Expr::Call {
                        callee,
                        targs: Box::default(),
                        args: Box::new([first]),
                    };
                    self.add_expr(call, span)
                }
            };
        }
        piped
    }

    pub(super) fn args(&mut self, call: ast::CallSuffix<'_>, args: &mut Vec<Arg>) {
        for arg in call.args() {
            let label = arg.label().map(|label| (name(label.text()), label.span()));
            if let Some((label, span)) = &label {
                let same = |arg: &Arg| {
                    arg.label
                        .as_ref()
                        .filter(|(before, _)| before == label)
                        .map(|(_, span)| *span)
                };
                if let Some(before) = args.iter().find_map(same) {
                    self.twice(label, "argument", before, *span);
                }
            }
            let value = self.expr_or_error(arg.value(), arg.node().span());
            args.push(Arg {
                label,
                spread: arg.is_spread(),
                value,
            });
        }
    }

    fn list(&mut self, list: ast::List<'_>) -> Vec<Element> {
        let mut elements = Vec::new();
        for node in list.node().children() {
            if let Some(spread) = ast::Spread::cast(node) {
                elements.push(Element::Spread(self.expr_or_error(spread.expr(), node.span())));
            } else if let Some(view) = View::cast(node) {
                elements.push(Element::Item(self.expr(view)));
            }
        }
        elements
    }

    fn record(&mut self, record: ast::Record<'_>) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut seen: rustc_hash::FxHashMap<Name, Span> = rustc_hash::FxHashMap::default();
        for node in record.node().children() {
            if let Some(spread) = ast::Spread::cast(node) {
                entries.push(Entry::Spread(self.expr_or_error(spread.expr(), node.span())));
            } else if let Some(field) = ast::ComputedField::cast(node) {
                let key = self.expr_or_error(field.key(), node.span());
                let value = self.expr_or_error(field.value(), node.span());
                entries.push(Entry::Computed { key, value });
            } else if let Some(field) = ast::Field::cast(node) {
                let entry = self.field(field);
                if let Entry::Field { name, name_span, .. } = &entry {
                    match seen.get(name) {
                        Some(before) => {
                            let (name, span, before) = (name.clone(), *name_span, *before);
                            self.twice(&name, "field", before, span);
                            continue;
                        }
                        None => seen.insert(name.clone(), *name_span),
                    };
                }
                entries.push(entry);
            }
        }
        entries
    }

    fn field(&mut self, field: ast::Field<'_>) -> Entry {
        let token = field.label();
        let name = self.label(token);
        let value = if field.has_colon() {
            self.expr_or_error(field.value(), field.node().span())
        } else {
            self.name_as_value(token)
        };
        Entry::Field {
            name,
            name_span: token.span(),
            quoted: token.kind() == K::Str,
            value,
        }
    }

    /// `{ a }` is `{ a: a }`.
    fn name_as_value(&mut self, token: SyntaxToken<'_>) -> ExprId {
        match token.kind() {
            K::Lname | K::Uname => self.name_expr(token),
            K::Str => self.add_expr(Expr::Error, token.span()),
            _ => {
                let error = Diagnostic::error(
                    "E0129",
                    token.span(),
                    format!("`{}` is a word of the language", token.text()),
                )
                .at("a field's value is missing")
                .help(format!("write `{}: value`", token.text()));
                self.report(error);
                self.add_expr(Expr::Error, token.span())
            }
        }
    }

    fn list_for(&mut self, list: ast::ListFor<'_>) -> Expr {
        let mark = self.locals.enter();
        let clauses = self.clauses(list.node());
        let element = list
            .node()
            .children()
            .find_map(|node| match ast::Spread::cast(node) {
                Some(spread) => Some(Err(spread)),
                None => View::cast(node).map(Ok),
            });
        let span = list.node().span();
        let element = match element {
            Some(Ok(view)) => self.expr(view),
            Some(Err(spread)) => {
                let error = Diagnostic::error(
                    "E0141",
                    spread.node().span(),
                    "a comprehension gives one element each round",
                )
                .help("write a second `for`, or `flatten([…])`");
                self.report(error);
                self.add_expr(Expr::Error, span)
            }
            None => self.add_expr(Expr::Error, span),
        };
        self.locals.leave(mark);
        Expr::For {
            yields: Yield::Element(element),
            clauses,
        }
    }

    fn record_for(&mut self, record: ast::RecordFor<'_>) -> Expr {
        let mark = self.locals.enter();
        let clauses = self.clauses(record.node());
        let span = record.node().span();
        let entries: Vec<_> = record
            .node()
            .children()
            .filter(|node| !is_clause(node.kind()))
            .collect();
        let (key, value) = match entries.as_slice() {
            [node] if let Some(field) = ast::ComputedField::cast(*node) => {
                let key = self.expr_or_error(field.key(), span);
                (key, self.expr_or_error(field.value(), span))
            }
            [node] if let Some(field) = ast::Field::cast(*node) => {
                let token = field.label();
                let text = self.label(token);
                if token.kind() != K::Str {
                    self.constant_key(&text, token);
                }
                let key = self.add_expr(Expr::Str(vec![hir::StrPart::Text(text)]), token.span());
                (key, self.expr_or_error(field.value(), span))
            }
            _ => {
                let error = Diagnostic::error(
                    "E0141",
                    span,
                    "a comprehension in braces gives one entry each round",
                )
                .help("write `{ [key]: value for key in keys }`");
                self.report(error);
                (self.add_expr(Expr::Error, span), self.add_expr(Expr::Error, span))
            }
        };
        self.locals.leave(mark);
        Expr::For {
            yields: Yield::Entry(key, value),
            clauses,
        }
    }

    fn constant_key(&mut self, text: &str, token: SyntaxToken<'_>) {
        let better = format!("[{text}]");
        let error = Diagnostic::error(
            "E0141",
            token.span(),
            format!("the key `{text}` is the same in every round"),
        )
        .help(format!("write `{better}` for the value of `{text}`"))
        .mend(format!("write `{better}`"), token.span(), better);
        self.report(error);
    }

    fn clauses(&mut self, node: crate::syntax::Node<'_>) -> Vec<Clause> {
        let mut clauses = Vec::new();
        for child in node.children() {
            if let Some(clause) = ast::IfClause::cast(child) {
                clauses.push(Clause::If(self.expr_or_error(clause.condition(), child.span())));
            } else if let Some(clause) = ast::ForClause::cast(child) {
                let source = self.expr_or_error(clause.source(), child.span());
                let mut patterns = clause.patterns();
                let first = self.binding_pattern(patterns.next(), child.span(), "for", false);
                let second = patterns
                    .next()
                    .map(|second| self.binding_pattern(Some(second), child.span(), "for", false));
                clauses.push(Clause::For {
                    first,
                    second,
                    source,
                });
            }
        }
        clauses
    }
}

fn is_clause(kind: SyntaxKind) -> bool {
    matches!(kind, K::ForClause | K::IfClause)
}

fn binary_op(kind: SyntaxKind) -> Option<BinaryOp> {
    Some(match kind {
        K::Or => BinaryOp::Or,
        K::And => BinaryOp::And,
        K::EqEq => BinaryOp::Eq,
        K::Ne => BinaryOp::Ne,
        K::Lt => BinaryOp::Lt,
        K::Le => BinaryOp::Le,
        K::Gt => BinaryOp::Gt,
        K::Ge => BinaryOp::Ge,
        K::QuestionQuestion => BinaryOp::Coalesce,
        K::Plus => BinaryOp::Add,
        K::Minus => BinaryOp::Sub,
        K::Star => BinaryOp::Mul,
        K::Slash => BinaryOp::Div,
        K::SlashSlash => BinaryOp::FloorDiv,
        K::Percent => BinaryOp::Mod,
        K::StarStar => BinaryOp::Pow,
        _ => return None,
    })
}
