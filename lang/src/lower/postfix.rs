//! Names with their suffixes: `nn.conv2d(16)`, `lib.Color.Red`, `rows[0].name`, `Metrics[R]("m.json")`.

use super::module::{Lower, Shape};
use super::scope::{Around, Target};
use super::{name, suggest};
use crate::diagnostic::Diagnostic;
use crate::hir::{Arg, Expr, ExprId, ItemRef, ModuleId, Name, TypeId};
use crate::source::Span;
use crate::syntax::ast::{self, Expr as View};
use crate::syntax::{SyntaxKind, SyntaxToken};

/// What the suffixes read so far stand for.
enum Head {
    /// A value.
    Expr(ExprId),
    /// A module, waiting for a name in it.
    Module(ModuleId, Name),
    /// An enum, waiting for a variant.
    Enum(ItemRef),
}

impl Lower<'_> {
    /// A name, or an expression with suffixes.
    pub(super) fn postfix(&mut self, view: View<'_>) -> ExprId {
        match view {
            View::Postfix(postfix) => self.suffixes(postfix, None),
            other => self.name_expr(other.node().first_token()),
        }
    }

    /// A stage of a pipe with suffixes: the value piped is the first argument if the last of them is a call.
    pub(super) fn piped_postfix(&mut self, postfix: ast::Postfix<'_>, first: Arg, span: Span) -> ExprId {
        let last = postfix.node().children().last();
        if last.is_some_and(|last| last.kind() == SyntaxKind::CallSuffix) {
            return self.suffixes(postfix, Some((first, span)));
        }
        let callee = self.suffixes(postfix, None);
        let call = Expr::Call {
            callee,
            targs: Box::default(),
            args: Box::new([first]),
        };
        self.add_expr(call, span)
    }

    /// A name that stands alone.
    pub(super) fn name_expr(&mut self, token: SyntaxToken<'_>) -> ExprId {
        let head = self.head(token);
        self.value_of(head, token.span())
    }

    fn suffixes(&mut self, postfix: ast::Postfix<'_>, mut piped: Option<(Arg, Span)>) -> ExprId {
        let mut children = postfix.node().children();
        let whole = postfix.node().span();
        let Some(primary) = children.next() else {
            return self.add_expr(Expr::Error, whole);
        };
        let mut head = match primary.kind() {
            SyntaxKind::NameRef | SyntaxKind::ConRef => self.head(primary.first_token()),
            _ => Head::Expr(self.expr_or_error(View::cast(primary), primary.span())),
        };
        let mut span = primary.span();
        let mut targs = Vec::new();
        let suffixes: Vec<_> = children.collect();
        for (index, suffix) in suffixes.iter().enumerate() {
            let before = span;
            span.end = suffix.span().end;
            if let Some(dot) = ast::DotSuffix::cast(*suffix) {
                head = self.dot(head, dot, before, span);
            } else if let Some(call) = ast::CallSuffix::cast(*suffix) {
                let callee = self.value_of(head, before);
                let pipe = if index + 1 == suffixes.len() {
                    piped.take()
                } else {
                    None
                };
                head = Head::Expr(self.call(callee, std::mem::take(&mut targs), call, span, pipe));
            } else if let Some(index) = ast::IndexSuffix::cast(*suffix) {
                let base = self.value_of(head, before);
                let index = self.expr_or_error(index.index(), suffix.span());
                head = Head::Expr(self.add_expr(Expr::Index { base, index }, span));
            } else if let Some(args) = ast::TypeArgs::cast(*suffix) {
                targs = args.types().map(|ty| self.ty(ty)).collect();
            }
        }
        self.value_of(head, span)
    }

    fn call(
        &mut self,
        callee: ExprId,
        targs: Vec<TypeId>,
        call: ast::CallSuffix<'_>,
        span: Span,
        piped: Option<(Arg, Span)>,
    ) -> ExprId {
        let (mut args, span) = match piped {
            Some((first, span)) => (vec![first], span),
            None => (Vec::new(), span),
        };
        self.args(call, &mut args);
        let mut call_targs = targs;
        // `Metrics[R]("m.json")`: the types belong to the constructor.
        if let Expr::Constructor { targs, .. } = &mut self.module.exprs[callee.0 as usize] {
            *targs = std::mem::take(&mut call_targs);
        }
        let call = Expr::Call {
            callee,
            targs: call_targs.into(),
            args: args.into(),
        };
        self.add_expr(call, span)
    }

    /// What a name stands for.
    fn head(&mut self, token: SyntaxToken<'_>) -> Head {
        let own = name(token.text());
        if token.kind() == SyntaxKind::Uname {
            return self.upper_head(&own, token);
        }
        if own == "_" {
            let error = Diagnostic::error("E0250", token.span(), "`_` has no value")
                .help("in patterns it stands for what is not needed; give a name to what is");
            self.report(error);
            return Head::Expr(self.add_expr(Expr::Error, token.span()));
        }
        if let Some(local) = self.locals.find(&own) {
            return Head::Expr(self.add_expr(Expr::Local(local), token.span()));
        }
        let target = self.scope.names.get(&own).map(|(target, _)| *target);
        // An item that names a file of its own name is the one being lowered: all before it are there.
        let own_item = matches!(target, Some(Target::Item(item)) if item as usize == self.module.items.len());
        if (target.is_none() || own_item) && self.path_without_dot(&own, token.span()) {
            return Head::Expr(self.add_expr(Expr::Error, token.span()));
        }
        let expr = match target {
            Some(Target::Item(item)) => Expr::Item(self.own(item)),
            Some(Target::Module(index, module)) => {
                self.used[index] = true;
                return Head::Module(module, own);
            }
            Some(Target::Imported(index, item)) => {
                self.used[index] = true;
                Expr::Item(item)
            }
            Some(Target::Failed) => Expr::Error,
            None => match self.around(&own) {
                Some(Around::Item(item)) => Expr::Item(item),
                Some(Around::Module(module)) => return Head::Module(module, own),
                None => {
                    self.unknown_name(&own, token.span());
                    Expr::Error
                }
            },
        };
        Head::Expr(self.add_expr(expr, token.span()))
    }

    /// What an upper-case name stands for: an enum, a variant, or a type that makes a value.
    fn upper_head(&mut self, own: &Name, token: SyntaxToken<'_>) -> Head {
        let found = match self.scope.names.get(own).map(|(target, _)| *target) {
            Some(Target::Item(item)) => Some(self.own(item)),
            _ => None,
        };
        if let Some(item) = found {
            // A value whose name begins wrongly: that was reported.
            if self.shape(item) == Shape::Value {
                return Head::Expr(self.add_expr(Expr::Item(item), token.span()));
            }
            return self.type_head(item, own, token);
        }
        let expr = if self.is_variant(own) {
            Expr::Variant {
                of: None,
                name: own.clone(),
            }
        } else if let Some(item) = self.item_around(own) {
            return self.type_head(item, own, token);
        } else if super::is_builtin_type(own) {
            Expr::Constructor {
                name: own.clone(),
                targs: Vec::new(),
            }
        } else {
            if !self.is_foreign() {
                let error = self.unknown_upper(own, token.span());
                self.report(error);
            }
            Expr::Error
        };
        Head::Expr(self.add_expr(expr, token.span()))
    }

    fn type_head(&mut self, item: ItemRef, own: &str, token: SyntaxToken<'_>) -> Head {
        if self.shape(item) == Shape::Enum {
            return Head::Enum(item);
        }
        // A variant may have the name of a type, and the type is no value.
        if self.is_variant(own) {
            let variant = Expr::Variant {
                of: None,
                name: name(own),
            };
            return Head::Expr(self.add_expr(variant, token.span()));
        }
        let error = Diagnostic::error("E0258", token.span(), format!("`{own}` is a type, not a value"))
            .help("a record is written `{ … }`, without the name of its type");
        self.report(error);
        Head::Expr(self.add_expr(Expr::Error, token.span()))
    }

    /// `head.name`.
    fn dot(&mut self, head: Head, dot: ast::DotSuffix<'_>, before: Span, span: Span) -> Head {
        let Some(token) = dot.name() else {
            return Head::Expr(self.add_expr(Expr::Error, span));
        };
        let own = name(token.text());
        match head {
            Head::Expr(base) => {
                let field = Expr::Field {
                    base,
                    name: own,
                    name_span: token.span(),
                };
                Head::Expr(self.add_expr(field, span))
            }
            Head::Module(module, alias) => self.member(module, &alias, &own, token, span),
            Head::Enum(item) => {
                let variants = self.variants_of(item);
                if variants.contains(&own) {
                    let variant = Expr::Variant {
                        of: Some(item),
                        name: own,
                    };
                    return Head::Expr(self.add_expr(variant, span));
                }
                let of = self.cx.sources.text(before).to_owned();
                let error =
                    Diagnostic::error("E0253", token.span(), format!("`{of}` has no variant `{own}`"));
                let near = suggest::near(&own, variants.iter().map(Name::as_str));
                let error = match (suggest::did_you_mean(&near), near.as_slice()) {
                    (Some(help), [one]) => {
                        error
                            .help(help)
                            .mend(format!("write `{one}`"), token.span(), *one)
                    }
                    (Some(help), _) => error.help(help),
                    (None, _) => error.note(format!("its variants are {}", variants.join(", "))),
                };
                self.report(error);
                Head::Expr(self.add_expr(Expr::Error, span))
            }
        }
    }

    /// `module.name`.
    fn member(
        &mut self,
        module: ModuleId,
        alias: &str,
        own: &str,
        token: SyntaxToken<'_>,
        span: Span,
    ) -> Head {
        let Some(item) = self.exported(module, own) else {
            self.unknown_member(module, alias, own, token.span());
            return Head::Expr(self.add_expr(Expr::Error, span));
        };
        match self.shape(item) {
            Shape::Value => Head::Expr(self.add_expr(Expr::Item(item), span)),
            Shape::Enum => Head::Enum(item),
            Shape::Type => self.type_head(item, own, token),
        }
    }

    /// The value that `head` is; a module or enum is none.
    fn value_of(&mut self, head: Head, span: Span) -> ExprId {
        let error = match head {
            Head::Expr(expr) => return expr,
            Head::Module(module, alias) => {
                let error = Diagnostic::error("E0257", span, format!("`{alias}` is a module, not a value"));
                let names = self.exported_names(module);
                let function = names.iter().find(|name| !name.starts_with(char::is_uppercase));
                match function.or(names.first()) {
                    _ if self.followed_by_slash(span) => self.with_path_help(error, &alias, span),
                    Some(first) => {
                        error.help(format!("write what you need of it, such as `{alias}.{first}`"))
                    }
                    None => error,
                }
            }
            Head::Enum(item) => {
                let text = self.cx.sources.text(span).to_owned();
                let error = Diagnostic::error("E0258", span, format!("`{text}` is an enum, not a value"));
                match self.variants_of(item).first() {
                    Some(first) => error.help(format!("write one of its variants, such as `{text}.{first}`")),
                    None => error,
                }
            }
        };
        self.report(error);
        self.add_expr(Expr::Error, span)
    }
}
