//! What is said when a value does not fit: both types, where the other one comes from, and the mend if there is one.

use super::suggest::{a, nearest};
use super::{Checker, Why};
use crate::diagnostic::Diagnostic;
use crate::hir::{BinaryOp, Expr, ExprId, StrPart};
use crate::source::Span;
use crate::types::{Clash, ClashKind, Con, Ty, TypeKind};

impl Checker<'_> {
    /// Reports that what `id` gives, of type `found`, is not of the wanted type.
    pub(super) fn report_mismatch(&mut self, found: Ty, wanted: Ty, clash: &Clash, why: Why, id: ExprId) {
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
        let mut error = Diagnostic::error("E0201", span, message).at(format!("this is {other}"));
        if !clash.path.is_empty() {
            error = error.note(format!("they differ in field `{}`", clash.path.join(".")));
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
        if let Some(help) = self.mismatch_help(found, wanted, id) {
            error = error.help(help);
        }
        let error = self.because(error, why);
        self.report(error);
    }

    fn has_default(&mut self, wanted: Ty, field: &str) -> bool {
        matches!(self.types.kind(wanted), TypeKind::Record(record)
            if record.field(field).is_some_and(|field| field.default.is_some()))
    }

    fn extra_help(&mut self, error: Diagnostic, wanted: Ty, field: &str) -> Diagnostic {
        let TypeKind::Record(record) = self.types.kind(wanted) else {
            return error;
        };
        match nearest(field, record.fields.iter().map(|field| field.name.as_str())) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error,
        }
    }

    /// Mistakes that have an error of their own.
    fn special_mismatch(&mut self, found: Ty, wanted: Ty, why: Why, id: ExprId) -> Option<Diagnostic> {
        let span = self.span(id);
        let (shown, other) = (self.shown(wanted), self.shown(found));
        match (self.types.kind(found), self.types.kind(wanted)) {
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
            (TypeKind::Con(Con::Int | Con::Float | Con::Bool, _), TypeKind::Con(Con::Str, _)) => Some(
                format!("write `str({text})`, or put it into a string: `\"${{{text}}}\"`"),
            ),
            (TypeKind::Con(Con::Str, _), TypeKind::Con(con @ (Con::Int | Con::Float), _)) => match con {
                _ if matches!(self.expr(id), Expr::Str(_)) => None,
                Con::Int => Some(format!("a number is read from a text by `parse_int({text})`")),
                _ => Some(format!("a number is read from a text by `parse_float({text})`")),
            },
            (
                TypeKind::Con(Con::Int | Con::Float | Con::Bool | Con::Duration | Con::Bytes, _),
                TypeKind::Con(Con::Arg, _),
            ) => Some(format!("a command's arguments are text: write `\"${{{text}}}\"`")),
            (TypeKind::Con(Con::Json, _), _) => {
                let shown = self.shown(wanted);
                Some(format!("open it: `decode[{shown}]({text})`"))
            }
            (_, TypeKind::Con(Con::List, args)) if self.fits(found, args[0]) => {
                Some(format!("write a list: `[{text}]`"))
            }
            (TypeKind::Fn(_, ret), _) if self.fits(ret, wanted) => {
                Some("this is a function: call it".to_owned())
            }
            (TypeKind::Con(Con::File, _), TypeKind::Con(Con::Dataset, _))
            | (TypeKind::Con(Con::Path, _), TypeKind::Con(Con::Dataset, _)) => {
                Some("a file is no dataset yet: read it with `data.csv(…)`".to_owned())
            }
            _ => self.fitting_fields(found, wanted, text),
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
            let (left, right) = (self.source_text(*left), self.source_text(*right));
            return format!("`/` gives Float; for a whole number write `{left} // {right}`");
        }
        format!("write `round({text})`, or `int({text})` to cut it")
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
            Why::Sibling(span) => error.label(span, "because of this"),
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

fn late_error(span: Span, place: &str) -> Diagnostic {
    Diagnostic::error("E0280", span, "this is known only after the build")
        .at(format!("a late value cannot decide {place}"))
        .note("the graph of steps is made before anything runs, so nothing in it can hang on a result")
        .help("let the build choose: `min_by` or `max_by` over the candidates, then `.use(c => …)`; `assert` checks a result")
}
