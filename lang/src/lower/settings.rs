//! Settings: `--set name=value` as an expression in the place of a param's default.

use super::Loaded;
use super::loader::{collect_variants, exports_of};
use super::module::{Lowering, lower_setting};
use super::suggest;
use crate::diagnostic::Diagnostic;
use crate::hir::{self, Expr, ItemKind, ItemRef, Module, ModuleId, Name, TypeExpr};
use crate::library::Library;
use crate::source::{Span, World};
use std::collections::BTreeSet;

/// Sets the param `name` of the entry to what `text` says; what is wrong is added to the diagnostics. Paths in it start
/// at the project's root. For a param of type Str the text is taken as it is, unless it is written in quotes.
pub fn set(loaded: &mut Loaded, world: &dyn World, name: &str, text: &str) {
    let source = loaded.sources.add(format!("--set {name}"), text);
    let span = Span {
        source,
        start: 0,
        end: text.len() as u32,
    };
    let param = match find(&loaded.program, name, span) {
        Ok(param) => param,
        Err(error) => return loaded.diagnostics.push(*error),
    };
    if text.trim().is_empty() && !takes_text(&loaded.program, param) {
        let error = Diagnostic::error("E0114", span, format!("`--set {name}=` gives no value")).help(
            format!("write one: `--set {name}=3`, or leave the setting out for the default"),
        );
        return loaded.diagnostics.push(error);
    }
    let module = if takes_text(&loaded.program, param) && !text.trim_start().starts_with('"') {
        literal(source, name, span, text)
    } else {
        expression(loaded, world, span, name, text)
    };
    loaded.program.settings.push(hir::Setting { param, module });
}

/// The param called `name`, or what to say to who set it at `span`.
fn find(program: &hir::Program, name: &str, span: Span) -> Result<ItemRef, Box<Diagnostic>> {
    let entry = ModuleId(program.modules.len().saturating_sub(1) as u32);
    let items = &program.module(entry).items;
    let found = items.iter().position(|item| item.name == name);
    if let Some(index) = found
        && let ItemKind::Param { .. } = items[index].kind
    {
        return Ok(ItemRef {
            module: entry,
            item: index as u32,
        });
    }
    let params = || {
        let params = items
            .iter()
            .filter(|item| matches!(item.kind, ItemKind::Param { .. }));
        params.map(|item| item.name.as_str())
    };
    let mut error = Diagnostic::error("E0415", span, format!("there is no param `{name}`"));
    if let Some(index) = found {
        error = error
            .at("is no param")
            .label(items[index].name_span, "cannot be set from outside")
            .help(format!("declare it as one: `param {name} = …`"));
    } else if let Some((param, field)) = name
        .split_once('.')
        .filter(|(param, _)| params().any(|own| own == *param))
    {
        error = error.help(format!(
            "a param is set as a whole: `--set '{param}={{ {field}: …, … }}'`; or make `{field}` a param of its own"
        ));
    } else if let Some(help) = suggest::did_you_mean(&suggest::near(name, params())) {
        error = error.help(help);
    }
    let all: Vec<_> = params().collect();
    Err(Box::new(error.note(match all.as_slice() {
        [] => "the pipeline has no params".to_owned(),
        all => format!("its params are {}", suggest::listed(all.iter().copied())),
    })))
}

/// Whether the param is a Str, as far as its own line tells.
fn takes_text(program: &hir::Program, param: ItemRef) -> bool {
    let module = program.module(param.module);
    let ItemKind::Param { ty, default } = &program.item(param).kind else {
        return false;
    };
    match (ty, default) {
        (Some(ty), _) => is_str(module, *ty),
        (None, Some(default)) => matches!(module.exprs[default.expr.0 as usize], Expr::Str(_)),
        (None, None) => false,
    }
}

fn is_str(module: &Module, ty: hir::TypeId) -> bool {
    match &module.types[ty.0 as usize] {
        TypeExpr::Builtin { name, .. } => name == "Str",
        TypeExpr::Optional(inner) => is_str(module, *inner),
        _ => false,
    }
}

/// A module whose result is `text`, as a string.
fn literal(source: crate::source::SourceId, name: &str, span: Span, text: &str) -> Module {
    let mut module = Module::empty(source, Name::from(name));
    module
        .exprs
        .push(Expr::Str(vec![hir::StrPart::Text(text.into())]));
    module.expr_spans.push(span);
    module.result = Some(hir::Body {
        expr: hir::ExprId(0),
        locals: Vec::new(),
    });
    module
}

fn expression(loaded: &mut Loaded, world: &dyn World, span: Span, param: &str, text: &str) -> Module {
    let parse = crate::syntax::parse_expression(span.source, text.into());
    let exports: Vec<_> = loaded.program.modules.iter().map(exports_of).collect();
    let mut variants = BTreeSet::new();
    loaded
        .program
        .modules
        .iter()
        .for_each(|module| collect_variants(module, &mut variants));
    loaded.diagnostics.extend(parse.diagnostics);
    let lowering = Lowering {
        world,
        library: Library::standard(),
        sources: &mut loaded.sources,
        program: &loaded.program,
        exports: &exports,
        variants: &variants,
        around: loaded.program.prelude().into_iter().collect(),
        directory: "",
        diagnostics: &mut loaded.diagnostics,
        data: &mut Vec::new(),
    };
    lower_setting(lowering, &parse.tree, param)
}
