//! Written types to types: built-in ones by the table, declared ones with their arguments, defaults checked where they
//! are written.

use super::signatures::{Alias, DefaultCode, EnumSig, FieldDefault, Scheme, VariantFieldSig, VariantSig};
use super::suggest::nearest;
use super::{Checker, Context, Why};
use crate::diagnostic::Diagnostic;
use crate::hir::{Body, Dim, ItemKind, ItemRef, Name, TypeExpr, TypeField, TypeId, VariantDef};
use crate::source::Span;
use crate::types::{BUILTIN_TYPES, DefaultId, DimTy, Field, Fieldwise, RecordType, SHAPES, Substitution, Ty};
use std::rc::Rc;

impl Checker<'_> {
    /// The type that is written at `id`.
    pub(super) fn written(&mut self, id: TypeId) -> Ty {
        let span = self.type_span(id);
        match &self.module().types[id.0 as usize] {
            TypeExpr::Error => Ty::ERROR,
            TypeExpr::Builtin { name, args, dims } => self.written_builtin(name, args, dims, span),
            TypeExpr::Item { item, args } => self.written_item(*item, args, span),
            TypeExpr::Param(index) => self.cx.tparams.get(*index as usize).copied().unwrap_or(Ty::ERROR),
            TypeExpr::Optional(inner) => {
                // `T??` is `T?`, however often it is said.
                let mut inner = *inner;
                while let TypeExpr::Optional(deeper) = &self.module().types[inner.0 as usize] {
                    inner = *deeper;
                }
                let inner = self.written(inner);
                self.types.optional(inner)
            }
            TypeExpr::Fn { params, ret } => {
                let params: Vec<Ty> = params.iter().map(|param| self.written(*param)).collect();
                let ret = self.written(*ret);
                self.types.function(&params, ret)
            }
            TypeExpr::Typeof(expr) => {
                // Only the type is wanted: the code is dropped, and so are the literals in it.
                let numbers = self.cx.numbers.len();
                self.open_frame(None);
                let found = self.synth(*expr);
                self.default_numbers_in(found.ty);
                self.close_frame(found.node);
                self.cx.numbers.truncate(numbers);
                self.types.zonk(found.ty)
            }
            TypeExpr::Record { fields, open } => self.written_record(fields, *open, span),
        }
    }

    fn written_builtin(&mut self, name: &Name, args: &[TypeId], dims: &[Dim], span: Span) -> Ty {
        if let Ok(at) = SHAPES.binary_search_by(|shape| shape.name.cmp(name)) {
            return self.written_shape(at, dims, span);
        }
        let Ok(at) = BUILTIN_TYPES.binary_search_by(|row| row.name.cmp(name)) else {
            // Lowering takes only what the table has for built in.
            return Ty::ERROR;
        };
        let row = BUILTIN_TYPES[at];
        if !dims.is_empty() {
            let error = Diagnostic::error("E0227", span, format!("`{name}` has no sizes"));
            self.report(error.help(format!("write `{name}`")));
            return Ty::ERROR;
        }
        let mut given: Vec<Ty> = args.iter().map(|arg| self.written(*arg)).collect();
        let artifact = row.con.is_some_and(|con| con.is_artifact());
        if given.is_empty() && artifact {
            given = vec![Ty::UNKNOWN; row.arity];
        }
        if given.len() != row.arity {
            self.wrong_type_arguments(name, row.arity, given.len(), span);
            return Ty::ERROR;
        }
        match (row.con, Fieldwise::named(name)) {
            (Some(con), _) => self.types.con(con, &given),
            (None, Some(family)) => self.types.fieldwise(family, &given),
            (None, None) => Ty::ERROR,
        }
    }

    fn written_shape(&mut self, at: usize, dims: &[Dim], span: Span) -> Ty {
        let shape = SHAPES[at];
        if dims.len() != shape.dims.len() {
            let written = format!("{}({})", shape.name, shape.dims.join(", "));
            self.report(
                Diagnostic::error(
                    "E0227",
                    span,
                    format!(
                        "`{}` has {} sizes, not {}",
                        shape.name,
                        shape.dims.len(),
                        dims.len()
                    ),
                )
                .help(format!(
                    "write `{written}`, with `_` for a size that is not known"
                )),
            );
            return Ty::ERROR;
        }
        let sizes = dims.iter().map(|dim| self.written_dim(dim, span)).collect();
        self.types.shape(shape.name, sizes)
    }

    fn written_dim(&mut self, dim: &Dim, span: Span) -> DimTy {
        match dim {
            Dim::Int(size) => DimTy::Known(*size),
            Dim::Unknown => DimTy::Unknown,
            Dim::Name(name) if self.cx.dims.contains(name) => DimTy::Param(name.clone()),
            Dim::Name(name) => {
                let near = nearest(name, self.cx.dims.iter().map(|dim| dim.as_str())).map(str::to_owned);
                let error =
                    Diagnostic::error("E0227", span, format!("no parameter `{name}` gives this size")).note(
                        "a size in a type is a number, `_`, or a parameter of the function of type Int",
                    );
                self.report(match near {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error.help("write a number, or `_`"),
                });
                DimTy::Unknown
            }
        }
    }

    fn wrong_type_arguments(&mut self, name: &str, wanted: usize, given: usize, span: Span) {
        let example = match wanted {
            0 => name.to_owned(),
            1 => format!("{name}[T]"),
            _ => format!(
                "{name}[{}]",
                ["A", "B", "C", "D", "E"][..wanted.min(5)].join(", ")
            ),
        };
        let plural = if wanted == 1 { "" } else { "s" };
        let message = format!("`{name}` takes {wanted} type argument{plural}, not {given}");
        self.report(Diagnostic::error("E0211", span, message).help(format!("write `{example}`")));
    }

    fn written_record(&mut self, fields: &[TypeField], open: bool, span: Span) -> Ty {
        if open && !self.cx.open_records {
            self.report(
                Diagnostic::error("E0226", span, "an open record can only be the type of a parameter")
                    .note("`..` says that a caller may pass records with other fields too; a value always has its very fields")
                    .help("leave `..` out"),
            );
            return Ty::ERROR;
        }
        let mut made = Vec::with_capacity(fields.len());
        for field in fields {
            let ty = self.written(field.ty);
            let default = field
                .default
                .as_ref()
                .map(|body| self.field_default(body, ty, field.span));
            made.push(Field {
                name: field.name.clone(),
                ty,
                default,
            });
        }
        self.types.record(RecordType::new(made, open, None))
    }

    /// Checks the default of a field, and remembers its code.
    pub(super) fn field_default(&mut self, body: &Body, ty: Ty, field: Span) -> DefaultId {
        let mut context = Context::new(self.module_id(), None, body.locals.len());
        context.tparams = self.cx.tparams.clone();
        let name = Name::new("default");
        let code = self.within(context, |checker| {
            checker.default_code(name, body.expr, ty, &[], Why::Field(field))
        });
        let datum = match &code {
            DefaultCode::Const(value) => Some(super::schema::const_datum(value)),
            _ => None,
        };
        self.field_defaults.push(FieldDefault { code, datum });
        DefaultId(self.field_defaults.len() as u32 - 1)
    }

    fn written_item(&mut self, item: ItemRef, args: &[TypeId], span: Span) -> Ty {
        let given: Vec<Ty> = args.iter().map(|arg| self.written(*arg)).collect();
        let declared = self.program.item(item);
        let name = declared.name.clone();
        let (ItemKind::Type { tparams, .. } | ItemKind::Enum { tparams, .. }) = &declared.kind else {
            return Ty::ERROR;
        };
        let std = self.program.module(item.module).std;
        let given = if given.is_empty() && std {
            vec![Ty::UNKNOWN; tparams.len()]
        } else {
            given
        };
        if given.len() != tparams.len() {
            self.wrong_type_arguments(&name, tparams.len(), given.len(), span);
            return Ty::ERROR;
        }
        if matches!(declared.kind, ItemKind::Enum { .. }) {
            return self.types.enumeration(item, name, &given);
        }
        let Some(scheme) = self.alias(item, span) else {
            return Ty::ERROR;
        };
        let types = scheme.vars.iter().copied().zip(given).collect();
        let substitution = Substitution {
            types,
            dims: Vec::new(),
        };
        self.types.substitute(scheme.ty, &substitution)
    }

    /// What a declared type stands for.
    pub(super) fn alias(&mut self, item: ItemRef, used: Span) -> Option<Scheme> {
        match self.aliases.get(item) {
            Some(Alias::Done(scheme)) => return Some(scheme.clone()),
            Some(Alias::Running) => {
                let declared = self.program.item(item);
                // Said once of each type.
                self.aliases.remove(item);
                self.aliases.insert(item, Alias::Endless);
                self.report(
                    Diagnostic::error("E0218", used, format!("type `{}` contains itself", declared.name))
                        .label(declared.name_span, "declared here")
                        .note("a record that contains itself would have no end")
                        .help("use an `enum`: its variants may contain it"),
                );
                return None;
            }
            Some(Alias::Endless) => return None,
            None => {}
        }
        let declared = self.program.item(item);
        let ItemKind::Type { tparams, ty } = &declared.kind else {
            return None;
        };
        self.aliases.insert(item, Alias::Running);
        let vars: Vec<Ty> = tparams
            .iter()
            .map(|(name, _)| self.types.rigid(name.clone()))
            .collect();
        let mut context = Context::new(item.module, None, 0);
        context.tparams.clone_from(&vars);
        let ty = self.within(context, |checker| checker.written(*ty));
        let ty = self.labelled(ty, &declared.name, &vars);
        let scheme = Scheme { vars, ty };
        self.aliases.insert(item, Alias::Done(scheme.clone()));
        Some(scheme)
    }

    /// A record that prints as its declared name.
    fn labelled(&mut self, ty: Ty, name: &Name, vars: &[Ty]) -> Ty {
        match self.types.kind(ty) {
            crate::types::TypeKind::Record(record) => {
                let mut record = RecordType::clone(&record);
                record.label = Some((name.clone(), vars.to_vec()));
                self.types.record(record)
            }
            _ => ty,
        }
    }

    /// An enum's variants.
    pub(super) fn enumeration(&mut self, item: ItemRef) -> Option<Rc<EnumSig>> {
        if let Some(known) = self.enums.get(item) {
            return Some(Rc::clone(known));
        }
        let declared = self.program.item(item);
        let ItemKind::Enum { tparams, variants } = &declared.kind else {
            return None;
        };
        let vars: Vec<Ty> = tparams
            .iter()
            .map(|(name, _)| self.types.rigid(name.clone()))
            .collect();
        let context = || {
            let mut context = Context::new(item.module, None, 0);
            context.tparams.clone_from(&vars);
            context
        };
        let mut made = EnumSig {
            name: declared.name.clone(),
            span: declared.name_span,
            vars: vars.clone(),
            variants: self.within(context(), |checker| {
                variants.iter().map(|variant| checker.variant(variant)).collect()
            }),
        };
        self.enums.insert(item, Rc::new(made.clone()));
        // A default may be of the enum itself: it sees the variants before it with their defaults.
        for (index, variant) in variants.iter().enumerate() {
            if variant.fields.iter().all(|field| field.default.is_none()) {
                continue;
            }
            self.within(context(), |checker| {
                checker.variant_defaults(variant, &mut made.variants[index]);
            });
            self.enums.insert(item, Rc::new(made.clone()));
        }
        self.enums.get(item).cloned()
    }

    fn variant_defaults(&mut self, variant: &VariantDef, sig: &mut VariantSig) {
        for (field, sig) in variant.fields.iter().zip(&mut sig.fields) {
            let default = field.default.as_ref();
            sig.default = default.map(|body| self.field_default(body, sig.ty, sig.span));
        }
    }

    /// A variant, its defaults still to come.
    fn variant(&mut self, variant: &VariantDef) -> VariantSig {
        let mut fields = Vec::with_capacity(variant.fields.len());
        for (index, field) in variant.fields.iter().enumerate() {
            let span = self.type_span(field.ty);
            let ty = self.written(field.ty);
            fields.push(VariantFieldSig {
                name: field
                    .label
                    .clone()
                    .unwrap_or_else(|| Name::from(index.to_string())),
                span,
                labelled: field.label.is_some(),
                ty,
                default: None,
            });
        }
        VariantSig {
            name: variant.name.clone(),
            span: variant.span,
            fields,
        }
    }
}
