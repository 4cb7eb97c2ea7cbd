//! Renaming: every place of a name, and what to write there.

use super::navigate::{occurrences_of, of_library, symbol_at};
use super::symbol::{Role, Symbol, locals_of};
use super::{Analysis, Position};
use crate::source::Span;
use crate::syntax::{SyntaxKind, parse_expression};

/// What a renaming changes.
pub type Renaming = Vec<(Span, String)>;

/// The name at `at`, if it can be changed; else why not.
pub fn renamed_at(analysis: &mut Analysis, at: Position) -> Result<Span, String> {
    let nothing = || "only names that the project declares can be changed".to_owned();
    let (id, _) = analysis.module_of(at.source).ok_or_else(nothing)?;
    let occurrence = symbol_at(analysis, id, at.offset).ok_or_else(nothing)?;
    if let Symbol::Module(_) = occurrence.symbol {
        return Err(
            "a module has the name of its file; write `as name` after the import to change it".to_owned(),
        );
    }
    if of_library(analysis, occurrence.symbol) {
        let name = analysis.loaded.sources.text(occurrence.span);
        return Err(format!("`{name}` is a name of the standard library"));
    }
    Ok(occurrence.span)
}

/// Gives what stands at `at` another name, everywhere.
pub fn rename(analysis: &mut Analysis, at: Position, name: &str) -> Result<Renaming, String> {
    let span = renamed_at(analysis, at)?;
    let old = analysis.loaded.sources.text(span).to_owned();
    if old == name {
        return Ok(Vec::new());
    }
    may_be(analysis, &old, name)?;
    let (symbol, found) = occurrences_of(analysis, at).ok_or_else(|| "nothing has this name".to_owned())?;
    is_free(analysis, symbol, name)?;
    let edit = |(span, role): (Span, Role)| match role {
        // The field keeps its name.
        Role::Shorthand => (span, format!("{old}: {name}")),
        Role::Definition | Role::Use => (span, name.to_owned()),
    };
    Ok(found
        .into_iter()
        .map(|found| edit((found.span, found.role)))
        .collect())
}

/// Whether `name` is a name, of the same case as `old`.
fn may_be(analysis: &Analysis, old: &str, name: &str) -> Result<(), String> {
    // The lexer knows what a name is; the source of the text matters to nobody.
    let source = analysis.loaded.sources.iter().next().map(|(id, _)| id);
    let kind = source.and_then(|source| {
        let parse = parse_expression(source, name.into());
        let token = parse.tree.token_at(0)?;
        let whole = token.span().end as usize == name.len();
        whole.then(|| token.kind())
    });
    let upper = old.starts_with(char::is_uppercase);
    match kind {
        Some(SyntaxKind::Uname) if upper => Ok(()),
        Some(SyntaxKind::Lname) if !upper && name != "_" => Ok(()),
        Some(SyntaxKind::Uname) => Err(format!(
            "`{name}` begins with a capital letter, which is for types and variants"
        )),
        Some(SyntaxKind::Lname) => Err(format!(
            "`{name}` begins with no capital letter, as types and variants do"
        )),
        Some(kind) if kind.is_reserved() => Err(format!("`{name}` is a word of the language")),
        _ => Err(format!("`{name}` is no name")),
    }
}

/// Whether nothing in the symbol's own scope is called `name`.
fn is_free(analysis: &Analysis, symbol: Symbol, name: &str) -> Result<(), String> {
    let program = &analysis.loaded.program;
    let taken = match symbol {
        Symbol::Item(item) => {
            let module = program.module(item.module);
            let imported = module.imports.iter().any(|import| import.name == name);
            imported || module.items.iter().any(|item| item.name == name)
        }
        Symbol::Local { owner, .. } => {
            let locals = match owner {
                Some(owner) => locals_of(&program.item(owner).kind),
                None => &[],
            };
            locals.iter().any(|local| local.name == name)
        }
        Symbol::Variant(item, _) => match &program.item(item).kind {
            crate::hir::ItemKind::Enum { variants, .. } => {
                variants.iter().any(|variant| variant.name == name)
            }
            _ => false,
        },
        Symbol::TypeParam(_) | Symbol::Module(_) => false,
    };
    match taken {
        true => Err(format!("`{name}` is taken here already")),
        false => Ok(()),
    }
}
