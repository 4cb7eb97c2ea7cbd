//! Items to `hir`: bindings, params, types, enums, functions.

use super::module::Lower;
use super::name;
use crate::diagnostic::Diagnostic;
use crate::hir::{self, Body, ExprId, ItemKind, TypeExpr};
use crate::syntax::SyntaxToken;
use crate::syntax::ast::{self, Expr, Item};

impl Lower<'_> {
    /// Lowers an item, whose name is bound already.
    pub(super) fn item(&mut self, (token, item): (SyntaxToken<'_>, Item<'_>)) -> hir::Item {
        let kind = match item {
            Item::Binding(binding) => self.value(binding),
            Item::Param(param) => self.param(param),
            Item::FnItem(function) => self.function(function),
            Item::TypeItem(item) => self.type_item(item),
            Item::EnumItem(item) => self.enum_item(item),
            // Imports are no items; `collect` leaves them out.
            Item::ImportFile(_) | Item::ImportStd(_) => ItemKind::Param {
                ty: None,
                default: None,
            },
        };
        self.tparams.clear();
        hir::Item {
            name: name(token.text()),
            name_span: token.span(),
            span: item.node().span(),
            doc: ast::doc_before(item.node().first_token()),
            kind,
        }
    }

    fn value(&mut self, binding: ast::Binding<'_>) -> ItemKind {
        let ((ty, expr), locals) = self.with_locals(|lower| {
            let ty = binding.ty().map(|ty| lower.ty(ty));
            (ty, lower.expr_or_error(binding.value(), binding.node().span()))
        });
        ItemKind::Value {
            ty,
            body: Body { expr, locals },
        }
    }

    fn param(&mut self, param: ast::Param<'_>) -> ItemKind {
        let ty = param.ty().map(|ty| self.type_alone(ty));
        ItemKind::Param {
            ty,
            default: param.default().map(|default| self.body(Some(default))),
        }
    }

    fn type_item(&mut self, item: ast::TypeItem<'_>) -> ItemKind {
        self.type_params(item.params());
        let ty = match item.ty() {
            Some(ty) => self.type_alone(ty),
            None => self.add_type(TypeExpr::Error, item.node().span()),
        };
        ItemKind::Type {
            tparams: self.tparams.clone(),
            ty,
        }
    }

    fn enum_item(&mut self, item: ast::EnumItem<'_>) -> ItemKind {
        self.type_params(item.params());
        let mut variants: Vec<hir::VariantDef> = Vec::new();
        for variant in item.variants() {
            let Some(token) = variant.name() else {
                continue;
            };
            let own = name(token.text());
            if let Some(before) = variants.iter().find(|before| before.name == own) {
                let before = before.span;
                self.twice(&own, "variant", before, token.span());
                continue;
            }
            let fields = variant.fields().map(|field| self.variant_field(field)).collect();
            variants.push(hir::VariantDef {
                name: own,
                span: token.span(),
                doc: ast::doc_before(variant.node().first_token()),
                fields,
            });
        }
        ItemKind::Enum {
            tparams: self.tparams.clone(),
            variants,
        }
    }

    fn variant_field(&mut self, field: ast::VariantField<'_>) -> hir::VariantField {
        let ty = match field.ty() {
            Some(ty) => self.type_alone(ty),
            None => self.add_type(TypeExpr::Error, field.node().span()),
        };
        hir::VariantField {
            label: field.label().map(|label| name(label.text())),
            ty,
            default: field.default().map(|default| self.body(Some(default))),
        }
    }

    fn type_params(&mut self, params: Option<ast::TypeParams<'_>>) {
        self.tparams.clear();
        for token in params.into_iter().flat_map(ast::TypeParams::names) {
            let own = name(token.text());
            if let Some((_, before)) = self.tparams.iter().find(|(before, _)| *before == own) {
                let before = *before;
                self.twice(&own, "type parameter", before, token.span());
            }
            // A second one keeps its place: arguments are counted.
            self.tparams.push((own, token.span()));
        }
    }

    fn function(&mut self, function: ast::FnItem<'_>) -> ItemKind {
        self.type_params(function.type_params());
        let mut params = Vec::new();
        let ((ret, body), locals) = self.with_locals(|lower| {
            lower.fn_params(function, &mut params);
            let ret = function.ret().map(|ty| lower.ty(ty));
            (ret, lower.fn_body(function))
        });
        ItemKind::Fn(hir::FnItem {
            tparams: self.tparams.clone(),
            params,
            ret,
            body,
            locals,
        })
    }

    fn fn_params(&mut self, function: ast::FnItem<'_>, params: &mut Vec<hir::Param>) {
        // All of them first: the n-th local is the n-th parameter, whatever their defaults bind.
        let labelled = function
            .params()
            .flatten()
            .filter_map(|param| Some((param, param.label()?)));
        let ids: Vec<_> = labelled
            .map(|(_, label)| self.locals.declare(name(label.text()), label.span(), false))
            .collect();
        let mut ids = ids.into_iter();
        let mut star = false;
        for param in function.params() {
            let Some(param) = param else {
                star = true;
                continue;
            };
            let Some(label) = param.label() else {
                continue;
            };
            let own = name(label.text());
            if let Some(before) = params.iter().find(|before| before.label == own) {
                let before = before.span;
                self.twice(&own, "parameter", before, label.span());
            }
            let ty = match param.ty() {
                Some(ty) => self.ty(ty),
                None => self.add_type(TypeExpr::Error, param.node().span()),
            };
            let default = param.default().map(|default| self.expr(default));
            if let Some(id) = ids.next() {
                self.locals.show(id);
            }
            params.push(hir::Param {
                label: own,
                span: label.span(),
                ty,
                named: star || default.is_some(),
                default,
            });
        }
    }

    /// The body; `intrinsic` is none.
    fn fn_body(&mut self, function: ast::FnItem<'_>) -> Option<ExprId> {
        if let Some(Expr::NameRef(body)) = function.body()
            && body.node().text() == "intrinsic"
            && self.locals.find("intrinsic").is_none()
            && !self.scope.names.contains_key("intrinsic")
        {
            if self.module.std {
                return None;
            }
            let span = body.node().span();
            let error = Diagnostic::error(
                "E0259",
                span,
                "only the standard library has `intrinsic` functions",
            )
            .help("write the function's value after `=`");
            self.report(error);
            return Some(self.add_expr(hir::Expr::Error, span));
        }
        Some(self.expr_or_error(function.body(), function.node().span()))
    }
}
