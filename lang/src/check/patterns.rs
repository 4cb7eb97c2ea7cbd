//! Patterns: what they bind, what they can match, and that a `match` leaves nothing out.

use super::Checker;
use super::exhaustive::{self, Shape, Variant};
use super::signatures::VariantSig;
use super::suggest::{a, nearest};
use crate::core::Pattern;
use crate::diagnostic::Diagnostic;
use crate::hir::{Arm, ExprId, ItemRef, Name, Pat, PatId};
use crate::source::Span;
use crate::types::{Clash, Con, Substitution, Ty, TypeKind};

impl Checker<'_> {
    /// A pattern of `let`, `for` or a parameter: it always matches.
    pub(super) fn irrefutable(&mut self, pat: PatId, ty: Ty) -> Pattern {
        let errors = self.diagnostics.len();
        let pattern = self.pattern(pat, ty);
        if !self.errors_since(errors) && !always(&pattern) {
            self.report(
                Diagnostic::error("E0221", self.pat_span(pat), "this does not match every value")
                    .help("use `match`, which says what holds otherwise"),
            );
        }
        pattern
    }

    /// The patterns of a match's arms. After an arm for null the rest is known not to be null.
    pub(super) fn arm_patterns(&mut self, arms: &[Arm], ty: Ty, scrutinee: ExprId) -> Vec<Vec<Pattern>> {
        let errors = self.diagnostics.len();
        let mut ty = ty;
        let mut made: Vec<Vec<Pattern>> = Vec::with_capacity(arms.len());
        let whole = ty;
        for arm in arms {
            made.push(arm.pats.iter().map(|pat| self.pattern(*pat, ty)).collect());
            let takes_null =
                arm.guard.is_none() && arm.pats.iter().any(|pat| matches!(self.pat(*pat), Pat::Null));
            if let (true, TypeKind::Optional(inner)) = (takes_null, self.types.kind(ty)) {
                ty = inner;
            }
        }
        if !self.errors_since(errors) {
            self.check_coverage(arms, &made, whole, scrutinee);
        }
        made
    }

    fn check_coverage(&mut self, arms: &[Arm], patterns: &[Vec<Pattern>], ty: Ty, scrutinee: ExprId) {
        let shape = self.shape(ty, 0);
        let mut rows: Vec<Vec<&Pattern>> = Vec::new();
        for (arm, patterns) in arms.iter().zip(patterns) {
            for (pat, pattern) in arm.pats.iter().zip(patterns) {
                if exhaustive::missing(&rows, std::slice::from_ref(&shape), Some(&[pattern])).is_none() {
                    self.report(
                        Diagnostic::warning("E0222", self.pat_span(*pat), "this is never reached")
                            .at("the arms before it take all that it would match")
                            .help("leave it out, or put it first"),
                    );
                }
                if arm.guard.is_none() {
                    rows.push(vec![pattern]);
                }
            }
        }
        if let Some(missing) = exhaustive::missing(&rows, &[shape], None) {
            let mut cases: Vec<String> = vec![missing[0].clone()];
            cases.extend(self.other_cases(&rows, ty, &missing[0]));
            let shown: Vec<String> = cases.iter().map(|case| format!("`{case}`")).collect();
            let message = format!("this `match` leaves out {}", shown.join(", "));
            let arms: Vec<String> = cases.iter().map(|case| format!("{case} => …")).collect();
            self.report(
                Diagnostic::error("E0221", self.span(scrutinee), message)
                    .help(format!("add `{}`", arms.join(", "))),
            );
        }
    }

    /// Variants besides the first that no arm takes.
    fn other_cases(&mut self, rows: &[Vec<&Pattern>], ty: Ty, first: &str) -> Vec<String> {
        let TypeKind::Enum(item, ..) = self.types.kind(ty) else {
            return Vec::new();
        };
        let Some(sig) = self.enumeration(item) else {
            return Vec::new();
        };
        let named = |name: &str| {
            rows.iter()
                .any(|row| matches!(row[0], Pattern::Variant { name: taken, .. } if taken == name))
        };
        let cases = sig
            .variants
            .iter()
            .filter(|variant| !named(&variant.name))
            .map(variant_case);
        cases.filter(|case| case != first).collect()
    }

    /// What values of a type look like to the coverage check.
    fn shape(&mut self, ty: Ty, depth: u32) -> Shape {
        // Deeper than any pattern is written, so that recursive enums end.
        if depth > 6 {
            return Shape::Other;
        }
        match self.types.kind(ty) {
            TypeKind::Con(Con::Bool, _) => Shape::Bool,
            TypeKind::Optional(inner) => Shape::Optional(Box::new(self.shape(inner, depth))),
            TypeKind::Record(record) => {
                let fields = record
                    .fields
                    .iter()
                    .map(|field| (field.name.clone(), self.shape(field.ty, depth + 1)));
                Shape::Record(fields.collect())
            }
            TypeKind::Enum(item, _, args) => {
                let Some(sig) = self.enumeration(item) else {
                    return Shape::Other;
                };
                let types = sig.vars.iter().copied().zip(args.iter().copied()).collect();
                let substitution = Substitution {
                    types,
                    dims: Vec::new(),
                };
                let variants = sig.variants.iter().map(|variant| {
                    let fields = variant.fields.iter().map(|field| {
                        let ty = self.types.substitute(field.ty, &substitution);
                        (field.name.clone(), self.shape(ty, depth + 1))
                    });
                    let labelled = variant.fields.iter().any(|field| field.labelled);
                    Variant {
                        name: variant.name.clone(),
                        fields: fields.collect(),
                        labelled,
                    }
                });
                Shape::Enum(variants.collect())
            }
            _ => Shape::Other,
        }
    }

    /// A pattern against a type; what it cannot match is reported.
    fn pattern(&mut self, pat: PatId, ty: Ty) -> Pattern {
        let span = self.pat_span(pat);
        let inner = match self.types.kind(ty) {
            TypeKind::Optional(inner) => inner,
            _ => ty,
        };
        match self.pat(pat) {
            Pat::Error | Pat::Wildcard => Pattern::Wildcard,
            Pat::Bind(local) => {
                // The alternatives of an arm share their locals: the types must agree.
                let known = self.cx.locals.get(local.0 as usize).copied().unwrap_or(Ty::ERROR);
                let bound_here = self.is_bound(*local);
                if bound_here && known != Ty::ERROR && self.types.unify(known, ty).is_err() {
                    let (known, other) = (self.shown(known), self.shown(ty));
                    let message = format!(
                        "this name is {} in one alternative and {} in another",
                        a(&known),
                        a(&other)
                    );
                    self.report(Diagnostic::error("E0229", span, message).help("write an arm for each"));
                }
                self.set_local(*local, ty);
                Pattern::Bind(self.bind_slot(*local))
            }
            Pat::Null => match self.types.kind(ty) {
                TypeKind::Optional(_) | TypeKind::Error | TypeKind::Con(Con::Json, _) => Pattern::Null,
                TypeKind::Meta(_) => {
                    let inner = self.types.meta();
                    let optional = self.types.optional(inner);
                    self.types.solve(ty, optional);
                    Pattern::Null
                }
                _ => {
                    let shown = self.shown(ty);
                    let error = Diagnostic::error("E0223", span, format!("{} is never null", a(&shown)));
                    self.report(error.help("leave this arm out"));
                    Pattern::Null
                }
            },
            Pat::Bool(value) => {
                self.literal_pattern(inner, Ty::BOOL, span);
                Pattern::Bool(*value)
            }
            Pat::Int(value) => {
                self.literal_pattern(inner, Ty::INT, span);
                Pattern::Int(*value)
            }
            Pat::Str(text) => {
                if let TypeKind::Enum(item, ..) = self.types.kind(inner) {
                    return self.string_variant(item, text, span);
                }
                self.literal_pattern(inner, Ty::STR, span);
                Pattern::Str(text.clone())
            }
            Pat::Record { fields, open } => self.record_pattern(fields, *open, inner, span),
            Pat::Variant { of, name, args } => self.variant_pattern(*of, name, args, inner, span),
        }
    }

    fn string_variant(&mut self, item: ItemRef, text: &Name, span: Span) -> Pattern {
        let Some(sig) = self.enumeration(item) else {
            return Pattern::Wildcard;
        };
        match sig
            .variants
            .iter()
            .find(|variant| super::outputs::variant_text(&variant.name, text))
        {
            Some(variant) => Pattern::Variant {
                name: variant.name.clone(),
                fields: Vec::new(),
            },
            None => {
                self.report_no_variant(&sig, text, span);
                Pattern::Wildcard
            }
        }
    }

    fn literal_pattern(&mut self, ty: Ty, literal: Ty, span: Span) {
        if let Err(clash) = self.types.unify(ty, literal) {
            self.report_pattern(ty, literal, &clash, span);
        }
    }

    fn report_pattern(&mut self, ty: Ty, literal: Ty, _clash: &Clash, span: Span) {
        let (shown, other) = (self.shown(ty), self.shown(literal));
        let error = Diagnostic::error("E0223", span, format!("{} is never {}", a(&shown), a(&other)));
        let matched = self.types.shallow(ty);
        self.report(match (matched, literal) {
            (Ty::FLOAT, Ty::INT) => error.help("compare floats in a guard: `x if x > 0.5 => …`"),
            _ => error,
        });
    }

    fn record_pattern(&mut self, fields: &[(Name, Span, PatId)], open: bool, ty: Ty, span: Span) -> Pattern {
        let record = match self.types.kind(ty) {
            TypeKind::Record(record) => record,
            kind => {
                match kind {
                    TypeKind::Error => {}
                    TypeKind::Meta(_) => self.report_unknown(span, "what this matches"),
                    _ => {
                        let shown = self.shown(ty);
                        self.report(Diagnostic::error(
                            "E0223",
                            span,
                            format!("{} is no record", a(&shown)),
                        ));
                    }
                }
                fields.iter().for_each(|(_, _, pat)| {
                    self.pattern(*pat, Ty::ERROR);
                });
                return Pattern::Wildcard;
            }
        };
        let mut made = Vec::with_capacity(fields.len());
        for (name, at, pat) in fields {
            let ty = match record.field(name) {
                Some(field) => field.ty,
                None => {
                    let shown = self.shown(ty);
                    let error = Diagnostic::error("E0204", *at, format!("`{shown}` has no field `{name}`"));
                    let near = nearest(name, record.fields.iter().map(|field| field.name.as_str()));
                    self.report(match near {
                        Some(near) => error.help(format!("did you mean `{near}`?")),
                        None => error,
                    });
                    Ty::ERROR
                }
            };
            made.push((name.clone(), self.pattern(*pat, ty)));
        }
        let unknown = fields.iter().any(|(name, ..)| record.field(name).is_none());
        let left_out = record
            .fields
            .iter()
            .find(|field| !fields.iter().any(|(name, ..)| *name == field.name));
        if let Some(field) = left_out.filter(|_| !open && !record.open && !unknown) {
            self.report(
                Diagnostic::error(
                    "E0213",
                    span,
                    format!("the pattern leaves out field `{}`", field.name),
                )
                .help("name it, or end the pattern with `..`"),
            );
        }
        Pattern::Record(made)
    }

    fn variant_pattern(
        &mut self,
        of: Option<ItemRef>,
        name: &Name,
        args: &[(Option<Name>, PatId)],
        ty: Ty,
        span: Span,
    ) -> Pattern {
        let kind = self.types.kind(ty);
        let fail = |checker: &mut Self| {
            args.iter().for_each(|(_, pat)| {
                checker.pattern(*pat, Ty::ERROR);
            });
            Pattern::Wildcard
        };
        let (item, types) = match kind {
            TypeKind::Enum(item, _, types) => (item, types),
            TypeKind::Meta(_) if of.is_some() => {
                let Some((item, sig)) = of.and_then(|item| Some((item, self.enumeration(item)?))) else {
                    return fail(self);
                };
                let types: Vec<Ty> = sig.vars.iter().map(|_| self.types.meta()).collect();
                let made = self.types.enumeration(item, sig.name.clone(), &types);
                self.types.solve(ty, made);
                (item, types.into())
            }
            TypeKind::Error => return fail(self),
            TypeKind::Meta(_) => {
                self.report_unknown(span, "what this matches");
                return fail(self);
            }
            _ => {
                let shown = self.shown(ty);
                let error =
                    Diagnostic::error("E0223", span, format!("{} has no variant `{name}`", a(&shown)));
                self.report(error.note("only enums have variants"));
                return fail(self);
            }
        };
        let Some(sig) = self.enumeration(item) else {
            return fail(self);
        };
        if of.is_some_and(|of| of != item) {
            let shown = self.shown(ty);
            self.report(Diagnostic::error(
                "E0223",
                span,
                format!("this matches a `{shown}`, which is another enum"),
            ));
            return fail(self);
        }
        let Some(variant) = sig.variant(name) else {
            self.report_no_variant(&sig, name, span);
            return fail(self);
        };
        let substitution = Substitution {
            types: sig.vars.iter().copied().zip(types.iter().copied()).collect(),
            dims: Vec::new(),
        };
        let mut fields = Vec::new();
        let mut place = 0;
        for (label, pat) in args {
            let field = match label {
                Some(label) => variant.fields.iter().find(|field| field.name == *label),
                None => {
                    place += 1;
                    variant.fields.get(place - 1)
                }
            };
            let Some(field) = field else {
                let plural = if variant.fields.len() == 1 { "" } else { "s" };
                self.report(
                    Diagnostic::error(
                        "E0223",
                        self.pat_span(*pat),
                        format!(
                            "`{name}` has {} field{plural}, and there is no other for this pattern",
                            variant.fields.len()
                        ),
                    )
                    .label(variant.span, "declared here")
                    .help("leave it out"),
                );
                self.pattern(*pat, Ty::ERROR);
                continue;
            };
            let ty = self.types.substitute(field.ty, &substitution);
            fields.push((field.name.clone(), self.pattern(*pat, ty)));
        }
        Pattern::Variant {
            name: name.clone(),
            fields,
        }
    }
}

/// A variant as an arm would name it.
fn variant_case(variant: &VariantSig) -> String {
    match variant.fields.len() {
        0 => variant.name.to_string(),
        n => format!("{}({})", variant.name, vec!["_"; n].join(", ")),
    }
}

/// Whether a pattern matches every value of its type.
fn always(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Wildcard | Pattern::Bind(_) => true,
        Pattern::Record(fields) => fields.iter().all(|(_, pattern)| always(pattern)),
        _ => false,
    }
}
