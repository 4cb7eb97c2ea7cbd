//! What a file imports.

use super::loader::{Place, stem};
use super::{name, suggest};
use crate::diagnostic::Diagnostic;
use crate::hir::Name;
use crate::library::{Library, PRELUDE};
use crate::source::Span;
use crate::syntax::ast::{File, ImportFile, ImportStd, Item, PathExpr};
use crate::syntax::{Node, SyntaxKind, Tree};

/// A name that an import brings, and where from.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The name in this module.
    pub(super) name: Name,
    /// Where it is written.
    pub(super) span: Span,
    /// The module; none if it cannot be one (it was reported).
    pub(super) place: Option<Place>,
    /// A name of the prelude that is imported by itself: `import std.{step}`.
    pub(super) item: Option<Name>,
    /// The whole import, if it brings this name alone.
    pub(super) alone: Option<Span>,
}

/// The imports of a file, in order.
pub(super) fn wanted(
    tree: &Tree,
    directory: &str,
    library: Library,
    errors: &mut Vec<Diagnostic>,
) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    let Some(file) = File::cast(tree.root()) else {
        return wanted;
    };
    for node in file.node().children() {
        match Item::cast(node) {
            Some(Item::ImportFile(import)) => wanted.extend(file_import(import, directory, errors)),
            Some(Item::ImportStd(import)) => std_import(import, library, &mut wanted),
            Some(_) => {}
            None => failed_imports(node, &mut wanted),
        }
    }
    wanted
}

/// An import that did not parse binds its names all the same, so that their uses are no mistakes too.
fn failed_imports(node: Node<'_>, wanted: &mut Vec<Wanted>) {
    if node.kind() != SyntaxKind::ErrorNode || !matches!(node.first_token().text(), "import" | "from") {
        return;
    }
    let from = node.first_token().text() == "from";
    let tokens = node
        .tokens()
        .chain(node.children().flat_map(Node::tokens))
        .skip(1);
    for token in tokens.skip_while(|token| from && token.kind() != SyntaxKind::Import) {
        let own = match token.kind() {
            SyntaxKind::Lname => name(token.text()),
            SyntaxKind::Str => stem(token.text().trim_matches('"')),
            _ => continue,
        };
        wanted.push(Wanted {
            name: own,
            span: token.span(),
            place: None,
            item: None,
            alone: None,
        });
    }
}

fn std_import(import: ImportStd<'_>, library: Library, wanted: &mut Vec<Wanted>) {
    let names = import.names();
    let alone = (names.len() == 1).then(|| import.node().span());
    for (module, alias) in names {
        let text = module.text();
        // Not a module: perhaps a name that the prelude has, which may be imported for clearness.
        let of_prelude = library.text(text).is_none() && declares(library, text);
        wanted.push(Wanted {
            name: name(alias.text()),
            span: alias.span(),
            place: Some(Place::Std(name(if of_prelude { PRELUDE } else { text }))),
            item: of_prelude.then(|| name(text)),
            alone,
        });
    }
    failed_parts(import, library, wanted);
}

/// What an import of the library that did not parse was to bring: bound all the same.
fn failed_parts(import: ImportStd<'_>, library: Library, wanted: &mut Vec<Wanted>) {
    let span = import.node().span();
    let failed = |own: &str, span: Span| Wanted {
        name: name(own),
        span,
        place: None,
        item: None,
        alone: None,
    };
    let tokens = import.node().tokens().filter(|token| !token.kind().is_trivia());
    if tokens.count() == 2 {
        wanted.push(failed("std", span));
    }
    for part in import
        .node()
        .children()
        .filter(|part| part.kind() == SyntaxKind::ErrorNode)
    {
        for token in part.tokens() {
            match token.kind() {
                SyntaxKind::Star => wanted.extend(library.names().map(|module| failed(module, token.span()))),
                SyntaxKind::Lname if token.text() != "as" => wanted.push(failed(token.text(), token.span())),
                _ => {}
            }
        }
    }
}

/// Whether the prelude declares a function `name`. Read from its text, since imports come before lowering.
fn declares(library: Library, name: &str) -> bool {
    let head = format!("fn {name}");
    let prelude = library.text(PRELUDE).unwrap_or("");
    prelude.lines().any(|line| {
        line.strip_prefix(&head)
            .is_some_and(|rest| rest.starts_with(['(', '[']))
    })
}

fn file_import(import: ImportFile<'_>, directory: &str, errors: &mut Vec<Diagnostic>) -> Option<Wanted> {
    let path = import.path()?;
    let span = path.node().span();
    let alias = import.alias();
    let text = plain_path(path);
    let own = stem(text.as_deref().unwrap_or(""));
    // Of `params.yaml`, which is no module, the name that is likely meant.
    let own = name(own.split('.').next().unwrap_or(""));
    let place = match &text {
        Some(text) => match file_place(import, text, directory, span) {
            Ok(place) => Some(place),
            Err(error) => {
                errors.push(error);
                None
            }
        },
        None => {
            errors.push(
                Diagnostic::error("E0012", span, "the path of an import is written out")
                    .help("leave the `${…}` out; files are imported before anything is evaluated"),
            );
            None
        }
    };
    Some(Wanted {
        name: alias.map_or(own, |alias| name(alias.text())),
        span: alias.map_or(span, |alias| alias.span()),
        place,
        item: None,
        alone: Some(import.node().span()),
    })
}

/// The file that an import names.
#[expect(clippy::result_large_err, reason = "once an import")]
fn file_place(import: ImportFile<'_>, text: &str, directory: &str, span: Span) -> Result<Place, Diagnostic> {
    if !text.ends_with(".mlp") {
        return Err(not_a_module(text, span, import));
    }
    let own = stem(text);
    let is_name = |name: &str| name.chars().all(|c| c == '_' || c.is_alphanumeric());
    let begins = own.starts_with(|c: char| c == '_' || c.is_lowercase());
    if import.alias().is_none() && !(is_name(&own) && begins) {
        return Err(
            Diagnostic::error("E0012", span, format!("`{own}` is no name for a module")).help(format!(
                "write `import {} as lib`, with a name of your own",
                import_path_text(import)
            )),
        );
    }
    match resolve(directory, text) {
        Some(path) => Ok(Place::File(path)),
        None => {
            let reason = super::loader::Unreadable::Read(crate::source::ReadError::Outside);
            Err(super::loader::unreadable(text, &reason, span))
        }
    }
}

fn import_path_text(import: ImportFile<'_>) -> &str {
    import.path().map_or("", |path| path.node().text())
}

fn not_a_module(text: &str, span: Span, import: ImportFile<'_>) -> Diagnostic {
    let extension = text
        .rsplit('/')
        .next()
        .and_then(|file| file.rsplit_once('.'))
        .map_or("", |(_, extension)| extension);
    match extension {
        "json" | "yaml" | "yml" | "toml" => {
            let value = import
                .alias()
                .map_or("params".into(), |alias| alias.text().to_owned());
            Diagnostic::error(
                "E0139",
                import.node().span(),
                "data is imported as a value, with its type",
            )
            .help(format!(
                "write `{value} = import {} as {{ … }}`",
                import_path_text(import)
            ))
        }
        "py" => Diagnostic::error("E0012", span, "Python is not imported")
            .help("run the script in a step: `step([\"python\", ./script.py], …)`"),
        _ => Diagnostic::error("E0012", span, format!("`{text}` is nothing that can be imported"))
            .help("imports are of `.mlp` files, and, as values, of `.json`, `.yaml` and `.toml`"),
    }
}

/// The text of a path without `${`.
pub(super) fn plain_path(path: PathExpr<'_>) -> Option<String> {
    let head = path.token().text();
    let Some(string) = path.string() else {
        return Some(head.to_owned());
    };
    let mut text = head.to_owned();
    let quoted = string.plain()?.text();
    crate::syntax::literal::unescape(quoted.strip_prefix('"')?.strip_suffix('"')?, &mut text);
    Some(text)
}

/// The path from the root that `path`, written in a file of `directory`, names; none outside of the project.
pub(super) fn resolve(directory: &str, path: &str) -> Option<Name> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(name(&parts.join("/")))
}

/// `import std.{module}` of a module that is not there.
pub(super) fn unknown_module(module: &str, span: Span, library: Library) -> Diagnostic {
    let error = Diagnostic::error(
        "E0011",
        span,
        format!("the standard library has no module `{module}`"),
    );
    let near = suggest::near(module, library.names());
    match suggest::did_you_mean(&near) {
        Some(help) => {
            let error = error.help(help);
            match near.as_slice() {
                [one] => error.mend(format!("write `{one}`"), span, *one),
                _ => error,
            }
        }
        None => {
            let all: Vec<&str> = library.names().collect();
            error.note(format!("its modules are {}", all.join(", ")))
        }
    }
}
