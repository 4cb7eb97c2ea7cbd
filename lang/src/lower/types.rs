//! Written types to `hir`.

use super::module::Lower;
use super::scope::{Around, Target};
use super::{name, suggest};
use crate::diagnostic::Diagnostic;
use crate::hir::{Dim, ModuleId, Name, TypeExpr, TypeField, TypeId};
use crate::source::Span;
use crate::syntax::ast::{self, Type};
use crate::syntax::{SyntaxKind, SyntaxToken, literal};

impl Lower<'_> {
    pub(super) fn add_type(&mut self, ty: TypeExpr, span: Span) -> TypeId {
        self.module.types.push(ty);
        self.module.type_spans.push(span);
        TypeId(self.module.types.len() as u32 - 1)
    }

    /// A type that stands outside of a body: `typeof` in it may bind nothing, for nobody would know its locals.
    pub(super) fn type_alone(&mut self, ty: Type<'_>) -> TypeId {
        let (id, locals) = self.with_locals(|lower| lower.ty(ty));
        if locals.is_empty() {
            return id;
        }
        let span = ty.node().span();
        let error = Diagnostic::error(
            "E0258",
            span,
            "`typeof` in a declaration is of a plain expression",
        )
        .help("give the expression a name, and write `typeof(name)`");
        self.report(error);
        self.add_type(TypeExpr::Error, span)
    }

    pub(super) fn ty(&mut self, ty: Type<'_>) -> TypeId {
        let span = ty.node().span();
        let lowered = match ty {
            Type::Named(named) => self.named_type(named),
            Type::Fn(function) => {
                let params = function.params().map(|param| self.ty(param)).collect();
                let ret = self.type_or_error(function.ret(), span);
                TypeExpr::Fn { params, ret }
            }
            Type::Typeof(of) => TypeExpr::Typeof(self.expr_or_error(of.expr(), span)),
            Type::Paren(paren) => return self.type_or_error(paren.inner(), span),
            Type::Record(record) => TypeExpr::Record {
                fields: self.record_type_fields(record),
                open: record.is_open(),
            },
            Type::Optional(optional) => {
                // `T??` is `T?`, however many are written: a loop, for nothing bounds their number.
                let mut inner = optional.inner();
                while let Some(Type::Optional(optional)) = inner {
                    inner = optional.inner();
                }
                let inner = self.type_or_error(inner, span);
                if matches!(self.module.types[inner.0 as usize], TypeExpr::Optional(_)) {
                    return inner;
                }
                TypeExpr::Optional(inner)
            }
        };
        self.add_type(lowered, span)
    }

    fn type_or_error(&mut self, ty: Option<Type<'_>>, span: Span) -> TypeId {
        match ty {
            Some(ty) => self.ty(ty),
            None => self.add_type(TypeExpr::Error, span),
        }
    }

    fn record_type_fields(&mut self, record: ast::RecordType<'_>) -> Vec<TypeField> {
        let mut fields: Vec<TypeField> = Vec::new();
        for field in record.fields() {
            let token = field.label();
            let own = self.label(token);
            let mut ty = self.type_or_error(field.ty(), field.node().span());
            let mut default = field.default().map(|default| self.body(Some(default)));
            if field.is_optional() {
                if !matches!(self.module.types[ty.0 as usize], TypeExpr::Optional(_)) {
                    let span = self.module.type_spans[ty.0 as usize];
                    ty = self.add_type(TypeExpr::Optional(ty), span);
                }
                if default.is_none() {
                    default = Some(crate::hir::Body {
                        expr: self.add_expr(crate::hir::Expr::Null, token.span()),
                        locals: Vec::new(),
                    });
                }
            }
            if let Some(before) = fields.iter().find(|before| before.name == own) {
                let before = before.span;
                self.twice(&own, "field", before, token.span());
                continue;
            }
            fields.push(TypeField {
                name: own,
                span: token.span(),
                ty,
                default,
            });
        }
        fields
    }

    /// The name that a label, or a string in its place, stands for.
    pub(super) fn label(&mut self, token: SyntaxToken<'_>) -> Name {
        if token.kind() == SyntaxKind::Str {
            self.plain_string(token)
        } else {
            name(token.text())
        }
    }

    fn named_type(&mut self, named: ast::NamedType<'_>) -> TypeExpr {
        let args: Vec<TypeId> = named
            .args()
            .into_iter()
            .flat_map(ast::TypeArgs::types)
            .map(|ty| self.ty(ty))
            .collect();
        let names: Vec<SyntaxToken<'_>> = named.names().collect();
        let Some((last, modules)) = names.split_last() else {
            return TypeExpr::Error;
        };
        if last.text().starts_with(|c: char| !c.is_uppercase()) {
            // `int`: the parser has said how it is written.
            return TypeExpr::Error;
        }
        let own = name(last.text());
        let dims = named.dims();
        match modules {
            [] => self.plain_type(&own, last.span(), args, dims),
            [module] => match self.module_named(*module) {
                Some(module_id) => self.type_of_module(module_id, *module, &own, last.span(), args),
                None => TypeExpr::Error,
            },
            [_, second, ..] => {
                let error = Diagnostic::error("E0252", second.span(), "modules do not hold modules")
                    .help("import the module itself");
                self.report(error);
                TypeExpr::Error
            }
        }
    }

    fn plain_type(
        &mut self,
        own: &Name,
        span: Span,
        args: Vec<TypeId>,
        dims: Option<ast::Dims<'_>>,
    ) -> TypeExpr {
        if let Some(index) = self.tparams.iter().position(|(param, _)| param == own) {
            return TypeExpr::Param(index as u32);
        }
        let found = match self.scope.names.get(own).map(|(target, _)| *target) {
            Some(Target::Item(item)) => Some(self.own(item)),
            Some(Target::Failed) => return TypeExpr::Error,
            _ => self.item_around(own),
        };
        if let Some(item) = found {
            return TypeExpr::Item { item, args };
        }
        if !super::is_builtin_type(own) {
            let error = self.unknown_type(own, span);
            self.report(error);
            return TypeExpr::Error;
        }
        let dims = dims.map_or(Vec::new(), |dims| dims.tokens().map(|token| dim(token)).collect());
        TypeExpr::Builtin {
            name: own.clone(),
            args,
            dims,
        }
    }

    fn unknown_type(&self, own: &str, span: Span) -> Diagnostic {
        let error = Diagnostic::error("E0252", span, format!("there is no type `{own}`"));
        if let Some(help) = foreign(own) {
            return error.help(help);
        }
        let items = self
            .scope
            .names
            .keys()
            .map(Name::as_str)
            .filter(|name| name.starts_with(char::is_uppercase));
        let params = self.tparams.iter().map(|(name, _)| name.as_str());
        let near = suggest::near(own, items.chain(params).chain(super::builtin_types()));
        match (suggest::did_you_mean(&near), near.as_slice()) {
            (Some(help), [one]) => error.help(help).mend(format!("write `{one}`"), span, *one),
            (Some(help), _) => error.help(help),
            (None, _) => match self.modules_with(own).as_slice() {
                [] => error.help(format!("declare it: `type {own} = …`")),
                [module, ..] => error.help(format!("did you mean `{module}.{own}`?")),
            },
        }
    }

    /// The module that the name `token` stands for.
    pub(super) fn module_named(&mut self, token: SyntaxToken<'_>) -> Option<ModuleId> {
        let own = name(token.text());
        match self.scope.names.get(&own).map(|(target, _)| *target) {
            Some(Target::Module(index, module)) => {
                self.used[index] = true;
                Some(module)
            }
            Some(Target::Failed) => None,
            Some(_) => {
                let error = Diagnostic::error("E0257", token.span(), format!("`{own}` is not a module"));
                self.report(error);
                None
            }
            None => match self.around(&own) {
                Some(Around::Module(module)) => Some(module),
                _ => {
                    self.unknown_name(&own, token.span());
                    None
                }
            },
        }
    }

    fn type_of_module(
        &mut self,
        module: ModuleId,
        token: SyntaxToken<'_>,
        own: &str,
        span: Span,
        args: Vec<TypeId>,
    ) -> TypeExpr {
        if let Some(item) = self.exported(module, own) {
            return TypeExpr::Item { item, args };
        }
        let error = Diagnostic::error("E0252", span, format!("`{}` has no type `{own}`", token.text()));
        let types = self
            .exported_names(module)
            .into_iter()
            .filter(|name| name.starts_with(char::is_uppercase));
        let types: Vec<Name> = types.collect();
        let near = suggest::near(own, types.iter().map(Name::as_str));
        let error = match suggest::did_you_mean(&near) {
            Some(help) => error.help(help),
            None if super::is_builtin_type(own) => {
                error.help(format!("`{own}` is a type of the language: write `{own}`"))
            }
            None => error,
        };
        self.report(error);
        TypeExpr::Error
    }
}

fn dim(token: SyntaxToken<'_>) -> Dim {
    match token.kind() {
        SyntaxKind::Int => literal::int(token.text(), false).map_or(Dim::Unknown, Dim::Int),
        _ if token.text() == "_" => Dim::Unknown,
        _ => Dim::Name(name(token.text())),
    }
}

/// How a type of another language is written here.
fn foreign(own: &str) -> Option<&'static str> {
    Some(match own {
        "Optional" | "Maybe" | "Option" => "a value that may be null has a type such as `Int?`",
        "Dict" | "HashMap" | "Mapping" => {
            "a map from text to numbers is a `Map[Int]`; a record is `{ lr: Float }`"
        }
        "Tuple" | "Array" | "Sequence" | "Vec" => {
            "a list of numbers is a `List[Int]`; a record is `{ first: Int, second: Str }`"
        }
        "Union" => "a value has one type; for several kinds of value declare an `enum`",
        "Any" | "Object" => "data of any form is `Json`",
        "Callable" | "Function" => "a function's type is written `(Int) -> Float`",
        "String" | "Text" => "write `Str`",
        "Integer" | "Long" | "Number" => "write `Int`, or `Float`",
        "Double" => "write `Float`",
        "Boolean" => "write `Bool`",
        _ => return None,
    })
}
