//! Patterns to `hir`.

use super::module::{Lower, Shape};
use super::scope::Target;
use super::{name, suggest};
use crate::diagnostic::Diagnostic;
use crate::hir::{ItemRef, LocalId, Name, Pat, PatId};
use crate::source::Span;
use crate::syntax::ast::{self, Pattern};
use crate::syntax::{SyntaxKind, SyntaxToken, literal};

/// Names that the patterns of one place bind.
#[derive(Default)]
struct Bound {
    names: Vec<(Name, LocalId, Span)>,
    /// Names of the first alternative, which the others bind too.
    shared: Option<Vec<(Name, LocalId, Span)>>,
    /// Whether a name that is never used is a mistake.
    expect_use: bool,
}

impl Lower<'_> {
    fn add_pat(&mut self, pat: Pat, span: Span) -> PatId {
        self.module.pats.push(pat);
        self.module.pat_spans.push(span);
        PatId(self.module.pats.len() as u32 - 1)
    }

    /// The pattern of a `let` or `for`, which must always fit; its names become visible.
    pub(super) fn binding_pattern(
        &mut self,
        pattern: Option<Pattern<'_>>,
        span: Span,
        word: &str,
        expect_use: bool,
    ) -> PatId {
        let Some(pattern) = pattern else {
            return self.add_pat(Pat::Error, span);
        };
        let mut bound = Bound {
            expect_use,
            ..Bound::default()
        };
        let id = self.pattern(pattern, &mut bound);
        self.must_fit(id, word);
        bound.names.iter().for_each(|(_, id, _)| self.locals.show(*id));
        id
    }

    fn must_fit(&mut self, id: PatId, word: &str) {
        match self.module.pats[id.0 as usize].clone() {
            Pat::Error | Pat::Wildcard | Pat::Bind(_) => {}
            Pat::Record { fields, .. } => fields
                .iter()
                .for_each(|(_, _, field)| self.must_fit(*field, word)),
            _ => {
                let span = self.module.pat_spans[id.0 as usize];
                let error = Diagnostic::error(
                    "E0132",
                    span,
                    format!("the pattern of a `{word}` must always fit"),
                )
                .at("this does not fit every value")
                .help("use a name, `_` or `{ a, b }` here; cases are told apart by `match`");
                self.report(error);
                self.module.pats[id.0 as usize] = Pat::Error;
            }
        }
    }

    /// The alternatives of an arm; their names become visible.
    pub(super) fn alternatives(&mut self, arm: ast::Arm<'_>) -> Vec<PatId> {
        let mut pats = Vec::new();
        let mut first: Option<Vec<(Name, LocalId, Span)>> = None;
        for pattern in arm.patterns() {
            let mut bound = Bound {
                shared: first.clone(),
                ..Bound::default()
            };
            pats.push(self.pattern(pattern, &mut bound));
            match &first {
                None => first = Some(bound.names),
                Some(first) => self.same_names(first, &bound.names, pattern.node().span()),
            }
        }
        first
            .iter()
            .flatten()
            .for_each(|(_, id, _)| self.locals.show(*id));
        if pats.is_empty() {
            pats.push(self.add_pat(Pat::Error, arm.node().span()));
        }
        pats
    }

    fn same_names(&mut self, first: &[(Name, LocalId, Span)], other: &[(Name, LocalId, Span)], span: Span) {
        let missing = |of: &[(Name, LocalId, Span)], from: &[(Name, LocalId, Span)]| {
            of.iter()
                .find(|(name, ..)| !from.iter().any(|(other, ..)| other == name))
                .map(|(n, _, s)| (n.clone(), *s))
        };
        let (name, at, other) = match (missing(first, other), missing(other, first)) {
            (Some((name, at)), _) => (name, at, span),
            (None, Some((name, at))) => (name, at, span),
            (None, None) => return,
        };
        let error = Diagnostic::error("E0261", other, format!("not all alternatives bind `{name}`"))
            .label(at, "bound here")
            .help("bind the same names in each, or write two cases");
        self.report(error);
    }

    fn pattern(&mut self, pattern: Pattern<'_>, bound: &mut Bound) -> PatId {
        let span = pattern.node().span();
        let pat = match pattern {
            Pattern::Wildcard(_) => Pat::Wildcard,
            Pattern::Bind(bind) => self.bind(bind.node().first_token(), bound),
            Pattern::Literal(literal) => self.literal_pattern(literal),
            Pattern::Record(record) => self.record_pattern(record, bound),
            Pattern::Variant(variant) => self.variant_pattern(variant, bound),
        };
        self.add_pat(pat, span)
    }

    fn bind(&mut self, token: SyntaxToken<'_>, bound: &mut Bound) -> Pat {
        let own = name(token.text());
        if own == "_" {
            return Pat::Wildcard;
        }
        if let Some((.., before)) = bound.names.iter().find(|(before, ..)| *before == own) {
            self.twice(&own, "name", *before, token.span());
        }
        let shared = bound
            .shared
            .iter()
            .flatten()
            .find(|(name, ..)| *name == own)
            .map(|(_, id, _)| *id);
        let id = shared.unwrap_or_else(|| self.locals.declare(own.clone(), token.span(), bound.expect_use));
        bound.names.push((own, id, token.span()));
        Pat::Bind(id)
    }

    fn literal_pattern(&mut self, literal: ast::LiteralPat<'_>) -> Pat {
        let Some(token) = literal.token() else {
            return Pat::Error;
        };
        match token.kind() {
            SyntaxKind::Int => match literal::int(token.text(), literal.is_negative()) {
                Some(value) => Pat::Int(value),
                None => {
                    self.out_of_range(
                        token,
                        "integers lie between -9223372036854775808 and 9223372036854775807",
                    );
                    Pat::Error
                }
            },
            SyntaxKind::Str => Pat::Str(self.plain_string(token)),
            SyntaxKind::True => Pat::Bool(true),
            SyntaxKind::False => Pat::Bool(false),
            SyntaxKind::Null => Pat::Null,
            _ => Pat::Error,
        }
    }

    fn record_pattern(&mut self, record: ast::RecordPat<'_>, bound: &mut Bound) -> Pat {
        let mut fields: Vec<(Name, Span, PatId)> = Vec::new();
        for field in record.fields() {
            let token = field.label();
            let own = name(token.text());
            if let Some((_, before, _)) = fields.iter().find(|(before, ..)| *before == own) {
                self.twice(&own, "field", *before, token.span());
                continue;
            }
            let pat = match field.pattern() {
                Some(pattern) => self.pattern(pattern, bound),
                None if field.has_colon() => self.add_pat(Pat::Error, token.span()),
                None => {
                    let pat = self.shorthand(token, bound);
                    self.add_pat(pat, token.span())
                }
            };
            fields.push((own, token.span(), pat));
        }
        Pat::Record {
            fields,
            open: record.is_open(),
        }
    }

    /// `{ a }` binds `a`; a word cannot be bound.
    fn shorthand(&mut self, token: SyntaxToken<'_>, bound: &mut Bound) -> Pat {
        if token.kind() == SyntaxKind::Lname {
            return self.bind(token, bound);
        }
        let text = token.text();
        let error = Diagnostic::error("E0132", token.span(), format!("`{text}` cannot be a name"))
            .help(format!("write `{text}: other` to bind the field by another name"));
        self.report(error);
        Pat::Error
    }

    fn variant_pattern(&mut self, variant: ast::VariantPat<'_>, bound: &mut Bound) -> Pat {
        let names: Vec<SyntaxToken<'_>> = variant.names().collect();
        let of = match names.as_slice() {
            [] => return Pat::Error,
            [alone] => {
                let own = name(alone.text());
                if !self.is_variant(&own) {
                    let error = self.unknown_upper(&own, alone.span());
                    self.report(error);
                    return self.lost_pattern(variant, bound);
                }
                None
            }
            [.., last] => match self.enum_of(&names[..names.len() - 1], *last) {
                Some(item) => Some(item),
                None => return self.lost_pattern(variant, bound),
            },
        };
        let args = variant
            .args()
            .map(|arg| (arg.label().map(|label| name(label.text())), self.arg(arg, bound)));
        let args = args.collect();
        Pat::Variant {
            of,
            name: names.last().map_or(Name::default(), |last| name(last.text())),
            args,
        }
    }

    /// Binds what a pattern would that was reported, so that its names are known.
    fn lost_pattern(&mut self, variant: ast::VariantPat<'_>, bound: &mut Bound) -> Pat {
        for arg in variant.args() {
            self.arg(arg, bound);
        }
        Pat::Error
    }

    fn arg(&mut self, arg: ast::PatArg<'_>, bound: &mut Bound) -> PatId {
        match arg.pattern() {
            Some(pattern) => self.pattern(pattern, bound),
            None => self.add_pat(Pat::Error, arg.node().span()),
        }
    }

    /// The enum that `path` names, of which `variant` is to be a variant.
    fn enum_of(&mut self, path: &[SyntaxToken<'_>], variant: SyntaxToken<'_>) -> Option<ItemRef> {
        let (last, modules) = path.split_last()?;
        let own = name(last.text());
        let item = match modules {
            [] => match self.scope.names.get(&own).map(|(target, _)| *target) {
                Some(Target::Item(item)) => Some(self.own(item)),
                Some(Target::Failed) => return None,
                _ => self.item_around(&own),
            },
            [module, ..] => {
                let id = self.module_named(*module)?;
                self.exported(id, &own)
            }
        };
        let Some(item) = item.filter(|item| self.shape(*item) == Shape::Enum) else {
            let error = Diagnostic::error("E0252", last.span(), format!("there is no enum `{own}`"));
            self.report(error);
            return None;
        };
        let variants = self.variants_of(item);
        if variants.contains(&name(variant.text())) {
            return Some(item);
        }
        let error = Diagnostic::error(
            "E0253",
            variant.span(),
            format!("`{own}` has no variant `{}`", variant.text()),
        );
        let near = suggest::near(variant.text(), variants.iter().map(Name::as_str));
        let error = match suggest::did_you_mean(&near) {
            Some(help) => error.help(help),
            None => error.note(format!("its variants are {}", variants.join(", "))),
        };
        self.report(error);
        None
    }
}
