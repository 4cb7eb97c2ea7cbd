//! What is said when a value does not fit: both types, where the other one comes from, and the mend if there is one.

use super::arguments::Given;
use super::signatures::{FnSig, ParamSig};
use super::suggest::{a, parameter};
use super::{Checker, Why};
use crate::diagnostic::Diagnostic;
use crate::hir::{BinaryOp, Expr, ExprId, Name, StrPart};
use crate::source::Span;
use crate::types::{Clash, ClashKind, Con, Ty, TypeKind};

impl Checker<'_> {
    /// Reports that what `id` gives, of type `found`, is not of the wanted type.
    pub(super) fn report_mismatch(&mut self, found: Ty, wanted: Ty, clash: &Clash, why: Why, id: ExprId) {
        if let (Expr::Lambda { body, .. }, TypeKind::Fn(xs, x), TypeKind::Fn(ys, y)) =
            (self.expr(id), self.types.kind(found), self.types.kind(wanted))
            && self.one_type_each(&xs, &ys)
        {
            // Of a function written here, what it gives is to blame.
            return self.report_mismatch(x, y, clash, Why::Plain, *body);
        }
        let span = self.span(id);
        if let Some(error) = self.special_mismatch(found, wanted, why, id) {
            let error = self.because(error, why);
            self.report(error);
            return;
        }
        let (shown, other) = (self.in_words(wanted), self.in_words(found));
        let message = match why {
            Why::Condition => format!("a condition is a `Bool`, this is {}", a(other.trim_matches('`'))),
            _ => format!("expected {shown}, found {other}"),
        };
        let part = self.part_of_a_record(found, wanted, &clash.path);
        let message = part.as_ref().map_or(message, |(message, _)| message.clone());
        let mut error = Diagnostic::error("E0201", span, message).at(format!("this is {other}"));
        if let Some((_, Some(help))) = &part {
            error = error.help(help);
        }
        if part.is_none() && !clash.path.is_empty() {
            error = error.note(self.how_fields_differ(found, wanted, &clash.path));
        }
        match &clash.how {
            ClashKind::Missing(field) => {
                error = error.note(format!("field `{field}` is missing"));
                if self.has_default(wanted, field) {
                    error = error
                        .note("defaults are written into record literals only: spread the value into one");
                }
            }
            ClashKind::Extra(field) => {
                error = error.note(format!("there is a field `{field}` that is not expected"));
                error = self.extra_help(error, wanted, field);
            }
            ClashKind::Endless => error = error.note("the type would have to contain itself"),
            ClashKind::Differ => {}
        }
        if let Some(help) = self
            .mismatch_help(found, wanted, id)
            .or_else(|| self.other_parameter(found, why))
        {
            error = error.help(help);
        }
        let error = match why {
            Why::Sibling(span) => error.label(span, format!("this asks for {shown}")),
            _ => self.because(error, why),
        };
        self.report(error);
    }

    /// What to say of a field that does not fit a record of metrics, outputs and the like, and what to do.
    fn part_of_a_record(&mut self, found: Ty, wanted: Ty, path: &[Name]) -> Option<(String, Option<String>)> {
        let (TypeKind::Record(record), TypeKind::Fieldwise(family, args), [name]) =
            (self.types.kind(found), self.types.kind(wanted), path)
        else {
            return None;
        };
        let inner = family.field(&mut self.types, &args);
        let wanted = family.wrap(&mut self.types, inner, &args);
        let found = record.field(name)?.ty;
        let (shown, is) = (self.in_words(wanted), self.in_words(found));
        let help = match (self.types.kind(found), self.types.kind(wanted)) {
            (TypeKind::Fn(..), _) => Some(format!(
                "`{name}` is a function: call it where the record is written"
            )),
            (TypeKind::Con(Con::Str, _), TypeKind::Con(Con::Metric, _)) => {
                Some("write the metric without quotes: `metrics.accuracy`".to_owned())
            }
            (TypeKind::Con(Con::Str | Con::Path, _), TypeKind::Con(Con::Output, _)) => {
                Some("say what the step writes, and where: `File(\"model.pkl\")`".to_owned())
            }
            _ => None,
        };
        Some((format!("field `{name}` should be {shown}, and is {is}"), help))
    }

    /// `` field `lr` is `Str`, and should be `Float` ``.
    fn how_fields_differ(&mut self, found: Ty, wanted: Ty, path: &[Name]) -> String {
        let name = path.join(".");
        let (mut found, mut wanted) = (found, wanted);
        for part in path {
            let field = |checker: &mut Self, ty: Ty| match checker.types.kind(ty) {
                TypeKind::Record(record) => record.field(part).map(|field| field.ty),
                _ => None,
            };
            match (field(self, found), field(self, wanted)) {
                (Some(x), Some(y)) => (found, wanted) = (x, y),
                (Some(x), None) => match self.types.kind(wanted) {
                    TypeKind::Fieldwise(family, args) => {
                        let inner = family.field(&mut self.types, &args);
                        (found, wanted) = (x, family.wrap(&mut self.types, inner, &args));
                    }
                    _ => return format!("they differ in field `{name}`"),
                },
                _ => return format!("they differ in field `{name}`"),
            }
        }
        let (found, wanted) = (self.in_words(found), self.in_words(wanted));
        format!("they differ in field `{name}`: it is {found}, and should be {wanted}")
    }

    /// The parameter of the same function that takes such a value, as `schedule` takes what was given as `lr`.
    fn other_parameter(&mut self, found: Ty, why: Why) -> Option<String> {
        let Why::Param(item, index) = why else {
            return None;
        };
        let TypeKind::Con(con, _) = self.types.kind(found) else {
            return None;
        };
        if !con.is_description() && !con.is_artifact() {
            return None;
        }
        let params = self.functions.get(item)?.params.clone();
        let mut takes = |param: &ParamSig| {
            let ty = self.without_null(param.ty);
            matches!(self.types.kind(ty), TypeKind::Con(other, _) if other == con)
        };
        if params.get(index as usize).is_some_and(&mut takes) {
            return None;
        }
        let taken = params.iter().find(|param| takes(param));
        match (taken, con) {
            (Some(param), _) => Some(format!("the parameter `{}` takes it", param.label)),
            (None, Con::Schedule) => Some("`ml.train` takes it: `schedule = …`".to_owned()),
            (None, _) => None,
        }
    }

    /// Says of an argument that does not fit what an earlier one asked for, where both share a type parameter.
    pub(super) fn with_earlier_argument(&mut self, sig: &FnSig, given: &[Given], params: &[Ty]) {
        let Some(last) = self.diagnostics.last() else {
            return;
        };
        let (expects, at) = (
            last.code == "E0201" && last.message.starts_with("expected"),
            last.span(),
        );
        let value = |given: &Given| match given {
            Given::Expr { value, .. } => Some(*value),
            _ => None,
        };
        let within =
            |whole: Span| whole.source == at.source && whole.start <= at.start && at.end <= whole.end;
        let blamed = given
            .iter()
            .position(|given| value(given).is_some_and(|value| within(self.span(value))));
        let Some(blamed) = blamed.filter(|_| expects) else {
            return;
        };
        if matches!(self.types.kind(sig.params[blamed].ty), TypeKind::Fieldwise(..)) {
            return;
        }
        let names = |checker: &mut Self, ty: Ty| {
            let shown = checker.types.print(ty);
            let words = shown.split(|c: char| !c.is_alphanumeric());
            words.map(str::to_owned).collect::<Vec<String>>()
        };
        let wanted = match self.types.kind(sig.params[blamed].ty) {
            // Of a function that was written, its result is to blame.
            TypeKind::Fn(_, ret) => ret,
            _ => sig.params[blamed].ty,
        };
        let own = names(self, wanted);
        let vars: Vec<String> = sig.vars.iter().map(|var| self.types.print(*var)).collect();
        for other in (0..blamed).rev() {
            let Some(value) = value(&given[other]) else {
                continue;
            };
            let shared = names(self, sig.params[other].ty)
                .iter()
                .any(|name| vars.contains(name) && own.contains(name));
            if shared {
                let shown = self.shown(params[other]);
                let span = self.span(value);
                if let Some(last) = self.diagnostics.last_mut() {
                    *last = last.clone().label(span, format!("this is `{shown}`"));
                }
                return;
            }
        }
    }

    /// Whether types could be made one, two by two; solves nothing.
    fn one_type_each(&mut self, xs: &[Ty], ys: &[Ty]) -> bool {
        let before = self.types.snapshot();
        let pairs = xs.iter().zip(ys);
        let alike = xs.len() == ys.len() && { pairs }.all(|(x, y)| self.types.unify(*x, *y).is_ok());
        self.types.rollback(before);
        alike
    }

    fn has_default(&mut self, wanted: Ty, field: &str) -> bool {
        matches!(self.types.kind(wanted), TypeKind::Record(record)
            if record.field(field).is_some_and(|field| field.default.is_some()))
    }

    fn extra_help(&mut self, error: Diagnostic, wanted: Ty, field: &str) -> Diagnostic {
        let TypeKind::Record(record) = self.types.kind(wanted) else {
            return error;
        };
        match parameter(field, record.fields.iter().map(|field| field.name.as_str())) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error,
        }
    }

    /// Mistakes that have an error of their own.
    fn special_mismatch(&mut self, found: Ty, wanted: Ty, why: Why, id: ExprId) -> Option<Diagnostic> {
        let span = self.span(id);
        let (shown, other) = (self.shown(wanted), self.shown(found));
        match (self.types.kind(found), self.types.kind(wanted)) {
            (TypeKind::Con(Con::Late, _), TypeKind::Con(Con::Late, _)) => None,
            (TypeKind::Con(Con::Late, _), _) => Some(late_error(
                span,
                match why {
                    Why::Condition => "a condition",
                    _ => "this place",
                },
            )),
            (TypeKind::Con(Con::Output, _), TypeKind::Con(con, _)) if con.is_artifact() => Some(
                Diagnostic::error(
                    "E0230",
                    span,
                    "a declared output is not an artifact yet; only `step` makes it one",
                )
                .at(format!(
                    "this declares what a step writes, {} is expected",
                    a(&shown)
                ))
                .help("give it to `step` in `outputs`, and use the field of that name of what `step` gives"),
            ),
            (TypeKind::Optional(inner), _) if !matches!(self.types.kind(wanted), TypeKind::Optional(_)) => {
                let inner = self.shown(inner);
                if inner == "_" {
                    return Some(
                        Diagnostic::error("E0214", span, format!("expected `{shown}`, found null")).help(
                            format!("write a value; where there may be none the type is `{shown}?`"),
                        ),
                    );
                }
                Some(
                    Diagnostic::error("E0214", span, format!("this may be null: expected `{shown}`, found `{other}`"))
                        .at(format!("this is {} or null", a(&inner)))
                        .help("say what holds instead: `… ?? default`; or tell the cases apart: `match x { null => …, y => … }`"),
                )
            }
            _ => None,
        }
    }

    fn mismatch_help(&mut self, found: Ty, wanted: Ty, id: ExprId) -> Option<String> {
        let text = self.source_text(id);
        let wanted_kind = match self.types.kind(wanted) {
            TypeKind::Optional(inner) => self.types.kind(inner),
            kind => kind,
        };
        if let Some(help) = self.written_help(found, &wanted_kind, id) {
            return Some(help);
        }
        match (self.types.kind(found), wanted_kind) {
            (TypeKind::Con(Con::Tensor, _), TypeKind::Con(Con::Bool, _)) => Some(
                "a tensor has many elements: `tensor.where(condition, x, y)` chooses for each, `tensor.logical_and` and \
                 the like join conditions"
                    .to_owned(),
            ),
            (TypeKind::Con(Con::Int, _), TypeKind::Con(Con::Float, _)) => {
                Some(format!("write `float({text})`"))
            }
            (TypeKind::Con(Con::Float, _), TypeKind::Con(Con::Int, _)) => Some(self.float_help(id, text)),
            (TypeKind::Con(Con::Str, _), TypeKind::Con(Con::Path | Con::File | Con::Dir, _)) => {
                let Expr::Str(parts) = self.expr(id) else {
                    return Some(
                        "a file of the project is written as a path, without quotes: `./data.csv`".to_owned(),
                    );
                };
                match parts.as_slice() {
                    [StrPart::Text(path)] => Some(format!(
                        "a path is written without quotes: `./{}`",
                        path.trim_start_matches("./")
                    )),
                    _ => Some("a path is written without quotes: `./data.csv`".to_owned()),
                }
            }
            (TypeKind::Con(Con::Int | Con::Float | Con::Bool, _), TypeKind::Con(Con::Str, _)) => {
                Some(match self.is_literal(id) {
                    true => format!("text stands between quotes: `\"{text}\"`"),
                    false => format!("write `str({text})`, or put it into a string: `\"${{{text}}}\"`"),
                })
            }
            (TypeKind::Con(Con::Str, _), TypeKind::Con(con @ (Con::Int | Con::Float), _)) => match con {
                _ if matches!(self.expr(id), Expr::Str(_)) => None,
                Con::Int => Some(format!("a number is read from a text by `parse_int({text})`")),
                _ => Some(format!("a number is read from a text by `parse_float({text})`")),
            },
            (
                TypeKind::Con(Con::Int | Con::Float | Con::Bool | Con::Duration | Con::Bytes, _),
                TypeKind::Con(Con::Arg, _),
            ) => Some(match self.is_literal(id) {
                true => format!("a command's arguments are text: write `\"{text}\"`"),
                false => format!("a command's arguments are text: write `\"${{{text}}}\"`"),
            }),
            (TypeKind::Con(Con::Json, _), _) => {
                let shown = self.shown(wanted);
                Some(format!("open it: `decode[{shown}]({text})`"))
            }
            (kind, TypeKind::Con(Con::List, args)) if self.is_open(args[0]) => listing_help(&kind, text),
            (_, TypeKind::Con(Con::List, args)) if self.fits(found, args[0]) => {
                Some(format!("write a list: `[{text}]`"))
            }
            (TypeKind::Fn(_, ret), _) if self.fits(ret, wanted) || self.fits_somehow(ret, wanted) => {
                Some(self.call_help(id, text))
            }
            (TypeKind::Con(Con::File, _), TypeKind::Con(Con::Dataset, _))
            | (TypeKind::Con(Con::Path, _), TypeKind::Con(Con::Dataset, _)) => Some(format!(
                "a file is no dataset yet: read it with `data.csv({text}, x = …, y = …)`"
            )),
            (TypeKind::Con(Con::List, _), TypeKind::Con(Con::Arg, _)) => Some(format!(
                "put its elements in: `...{text}`, those that are no text as `...[\"${{x}}\" for x in {text}]`"
            )),
            (TypeKind::Con(Con::List, _), TypeKind::Con(Con::Dist, _)) => {
                Some(format!("to choose one of them write `search.choice({text})`"))
            }
            (TypeKind::Con(Con::Int | Con::Float, _), TypeKind::Con(Con::Dist, _)) => {
                Some(format!("a value that stays as it is is `search.choice([{text}])`"))
            }
            (TypeKind::Con(Con::Int | Con::Float, _), TypeKind::Con(Con::Optimizer, _)) => {
                Some(format!("write `optim.adam(lr = {text})`"))
            }
            (TypeKind::Con(Con::Int | Con::Float, _), TypeKind::Con(Con::Late, _)) => Some(
                "the build chooses by a result, such as `evaluate.accuracy`; among what is known now choose by `sort_by`"
                    .to_owned(),
            ),
            (TypeKind::Con(Con::Dataset, _), TypeKind::Con(Con::Dataset, _)) => Some(
                "the examples must be of one shape, and have the same classes; images are made alike by `data.resize`".to_owned(),
            ),
            _ => self.fitting_fields(found, wanted, text),
        }
    }

    fn is_literal(&self, id: ExprId) -> bool {
        matches!(self.expr(id), Expr::Int(_) | Expr::Float(_) | Expr::Bool(_))
    }

    /// A function where its result belongs.
    fn call_help(&self, id: ExprId, text: &str) -> String {
        let sig = match self.expr(id) {
            Expr::Item(item) => self.functions.get(*item),
            _ => None,
        };
        let needed = sig.map_or_else(Vec::new, |sig| {
            let needed = sig.params.iter().filter(|param| param.default.is_none());
            needed.map(|param| format!("{} = …", param.label)).collect()
        });
        match needed.is_empty() {
            true => format!("this is a function: call it, `{text}(…)`"),
            false => format!("this is a function: call it, `{text}({})`", needed.join(", ")),
        }
    }

    fn float_help(&self, id: ExprId, text: &str) -> String {
        if let Expr::Binary {
            op: BinaryOp::Div,
            left,
            right,
            ..
        } = self.expr(id)
        {
            let is_float = |id: &ExprId| matches!(self.expr(*id), Expr::Float(_));
            if is_float(left) || is_float(right) {
                return format!("for a whole number write `round({text})`");
            }
            let (left, right) = (self.source_text(*left), self.source_text(*right));
            return format!("`/` gives Float; for a whole number write `{left} // {right}`");
        }
        match self.expr(id) {
            Expr::Float(value) if value.fract() == 0.0 && value.abs() < 1e15 => format!("write `{value:.0}`"),
            _ => format!("write `round({text})`, or `int({text})` to cut it"),
        }
    }

    /// A type in a message: numbers that are still open are Ints there.
    pub(super) fn shown(&mut self, ty: Ty) -> String {
        self.default_numbers_in(ty);
        self.types.print(ty)
    }

    /// Whether a value of one type would do for the other; solves nothing.
    pub(super) fn fits(&mut self, found: Ty, wanted: Ty) -> bool {
        let before = self.types.snapshot();
        let fits = !self.is_open(found) && self.types.unify(found, wanted).is_ok();
        self.types.rollback(before);
        fits
    }

    /// Adds where the expectation comes from.
    pub(super) fn because(&self, error: Diagnostic, why: Why) -> Diagnostic {
        match why {
            Why::Plain | Why::Condition => error,
            Why::Written(span) => error.label(span, "expected here"),
            Why::Field(span) => error.label(span, "declared here"),
            Why::Sibling(span) => error.label(span, "has to fit this"),
            Why::Param(item, index) => {
                let Some(sig) = self.functions.get(item) else {
                    return error;
                };
                let param = &sig.params[index as usize];
                let std = self.program.module(item.module).std;
                let text = format!("parameter `{}` of `{}`", param.label, sig.name);
                if std {
                    error.note(format!("it is the {text}"))
                } else {
                    error.label(param.span, text)
                }
            }
        }
    }

    /// A late value stands where the evaluation needs one.
    pub(super) fn report_late(&mut self, span: Span, place: &str) {
        self.report(late_error(span, place));
    }
}

/// What is taken for a list.
fn listing_help(found: &TypeKind, text: &str) -> Option<String> {
    match found {
        TypeKind::Con(Con::Str, _) => Some(format!("the letters of a text are `chars({text})`")),
        TypeKind::Con(Con::Map, _) => Some(format!("write `keys({text})`, or `values({text})`")),
        TypeKind::Fn(..) | TypeKind::Con(Con::Late, _) => None,
        _ => Some(format!("write a list: `[{text}]`")),
    }
}

fn late_error(span: Span, place: &str) -> Diagnostic {
    Diagnostic::error("E0280", span, "this is known only after the build")
        .at(format!("a late value cannot decide {place}"))
        .note("the graph of steps is made before anything runs, so nothing in it can hang on a result")
        .help("let the build choose: `min_by` or `max_by` over the candidates, then `.use(c => …)`; `assert` checks a result")
}
