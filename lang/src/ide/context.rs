//! Where a cursor stands, read from the tokens before it: what is being typed is rarely a whole program.

use super::{Analysis, Position};
use crate::hir::{Import, ItemKind, ItemRef, ModuleId};
use crate::source::Span;
use crate::syntax::{SyntaxKind as K, SyntaxToken, Tree};

/// What can be written at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nothing: a comment, a string, a number.
    Nothing,
    /// What a name before a dot has; its path, if it is one.
    Member(Vec<String>),
    /// A part of a path, behind what is written of it: `./src/`.
    Path(String),
    /// A module of the library.
    LibraryModule,
    /// A type.
    Type,
    /// A value, perhaps of an argument.
    Value(Option<Call>),
    /// An item, or the rest of one: first on its line.
    Item,
}

/// A call that the cursor stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// The function's name with its modules.
    pub(super) callee: Vec<String>,
    /// Labels that were given before and after the cursor.
    pub(super) given: Vec<String>,
    /// The label of the argument that the cursor is in.
    pub(super) label: Option<String>,
    /// How many arguments without label stand before it.
    pub(super) place: usize,
    /// Whether a label may stand here: at the start of an argument.
    pub(super) starts: bool,
}

/// A place, and the part of a word that stands before it.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) wanted: Wanted,
    /// What completion replaces.
    pub(super) replace: Span,
    /// What is written of it.
    pub(super) prefix: String,
}

/// The tokens before a place, without trivia, last first.
type Before<'t> = Vec<SyntaxToken<'t>>;

pub(super) fn context(tree: &Tree, at: Position) -> Context {
    let offset = at.offset;
    let last = offset.checked_sub(1).and_then(|before| tree.token_at(before));
    let empty = Span {
        source: at.source,
        start: offset,
        end: offset,
    };
    let make = |wanted, replace: Span| Context {
        wanted,
        replace,
        prefix: tree.text()[replace.start as usize..offset as usize].to_owned(),
    };
    let Some(last) = last else {
        return make(Wanted::Item, empty);
    };
    let inside = offset < last.span().end;
    let typed = &tree.text()[last.span().start as usize..offset as usize];
    match last.kind() {
        K::Path => return make_path(tree, at, last, typed),
        K::Comment | K::Doc | K::ModuleDoc | K::StrText | K::Int | K::Float | K::Unit => {
            return make(Wanted::Nothing, empty);
        }
        K::Str if inside => return make(Wanted::Nothing, empty),
        K::Ellipsis | K::DotDot => return make(Wanted::Value(None), empty),
        _ => {}
    }
    let word = last.kind() == K::Lname || last.kind() == K::Uname || last.kind().is_reserved();
    let replace = match word {
        true => Span {
            end: last.span().end.max(offset),
            ..last.span()
        },
        false => empty,
    };
    let start = replace.start;
    let before = before(tree, start);
    make(wanted(tree, &before, offset, first_on_line(tree, start)), replace)
}

fn make_path(tree: &Tree, at: Position, token: SyntaxToken<'_>, typed: &str) -> Context {
    let folder = typed.rfind('/').map_or(0, |slash| slash + 1);
    let start = token.span().start + folder as u32;
    Context {
        wanted: Wanted::Path(typed[..folder].to_owned()),
        replace: Span {
            source: at.source,
            start,
            end: token.span().end,
        },
        prefix: tree.text()[start as usize..at.offset as usize].to_owned(),
    }
}

fn before(tree: &Tree, start: u32) -> Before<'_> {
    let mut found = Vec::new();
    let mut next = start.checked_sub(1).and_then(|before| tree.token_at(before));
    // A call of so many tokens is data, not something that is being typed.
    while let Some(token) = next.filter(|_| found.len() < 4_000) {
        if !token.kind().is_trivia() {
            found.push(token);
        }
        next = token.previous();
    }
    found
}

fn first_on_line(tree: &Tree, start: u32) -> bool {
    let text = &tree.text()[..start as usize];
    let line = text.rfind('\n').map_or(text, |end| &text[end + 1..]);
    line.is_empty()
}

fn wanted(tree: &Tree, before: &Before<'_>, offset: u32, first: bool) -> Wanted {
    if first {
        return Wanted::Item;
    }
    if in_library_import(before) {
        return Wanted::LibraryModule;
    }
    let Some(last) = before.first() else {
        return Wanted::Item;
    };
    match last.kind() {
        K::Dot => return Wanted::Member(path_before(&before[1..])),
        K::Arrow => return Wanted::Type,
        K::Lname if last.text() == "as" && before.get(1).is_some_and(|token| is_path_end(*token)) => {
            return Wanted::Type;
        }
        // What follows a name and is none itself: an operator, or `as`, `in`.
        K::Fn | K::Import => return Wanted::Nothing,
        _ => {}
    }
    let bracket = open_bracket(before);
    let colon = last.kind() == K::Colon;
    match bracket {
        None if colon => Wanted::Type,
        None if last.text() == "import" || is_item_word(before) => Wanted::Nothing,
        None => Wanted::Value(None),
        Some(open) => {
            let outer = &before[open + 1..];
            match before[open].kind() {
                K::LParen if is_parameters(outer) => match colon {
                    true => Wanted::Type,
                    false => in_parameters(before),
                },
                K::LBracket if outer.first().is_some_and(|token| token.kind() == K::Uname) => Wanted::Type,
                K::LBrace if colon && is_record_type(outer) => Wanted::Type,
                K::LParen => Wanted::Value(call(tree, before, open, offset)),
                _ => Wanted::Value(None),
            }
        }
    }
}

fn is_path_end(token: SyntaxToken<'_>) -> bool {
    matches!(token.kind(), K::Path | K::Str | K::StrClose)
}

/// Whether the name of an item comes next: `param |`.
fn is_item_word(before: &Before<'_>) -> bool {
    let last = before[0];
    matches!(last.text(), "param" | "type" | "enum") && last.kind() == K::Lname
}

/// A default of a parameter is a value; a parameter's name is the author's.
fn in_parameters(before: &Before<'_>) -> Wanted {
    match before[0].kind() {
        K::LParen | K::Comma => Wanted::Nothing,
        _ => Wanted::Value(None),
    }
}

/// Whether what stands before `(` makes it the parameters of a function: `fn name` or `fn name[T]`.
fn is_parameters(outer: &[SyntaxToken<'_>]) -> bool {
    let mut tokens = outer.iter();
    let mut token = tokens.next();
    if token.is_some_and(|token| token.kind() == K::RBracket) {
        token = tokens
            .find(|token| token.kind() == K::LBracket)
            .and(tokens.next());
    }
    token.is_some_and(|token| token.kind().is_label())
        && tokens.next().is_some_and(|token| token.kind() == K::Fn)
}

/// Whether what stands before `{` makes it a type: `type T =`, `x: {`, `as {`.
fn is_record_type(outer: &[SyntaxToken<'_>]) -> bool {
    let kinds: Vec<&str> = outer.iter().take(3).map(|token| token.text()).collect();
    match kinds.as_slice() {
        ["=", _, "type"] | ["as", ..] | ["[", "decode" | "Metrics", ..] => true,
        [":", ..] => open_bracket(outer).is_none_or(|open| match outer[open].kind() {
            K::LBrace => is_record_type(&outer[open + 1..]),
            K::LParen => is_parameters(&outer[open + 1..]),
            _ => false,
        }),
        _ => false,
    }
}

/// `import std.`, `import std.{a, `.
fn in_library_import(before: &Before<'_>) -> bool {
    let mut tokens = before.iter().copied().peekable();
    if tokens.peek().is_some_and(|token| token.kind() != K::Dot) {
        let listed = |token: &SyntaxToken<'_>| matches!(token.kind(), K::Lname | K::Comma);
        while tokens.next_if(listed).is_some() {}
        if tokens.next_if(|token| token.kind() == K::LBrace).is_none() {
            return false;
        }
    }
    let mut wanted = [".", "std", "import"].into_iter();
    wanted.all(|text| tokens.next().is_some_and(|token| token.text() == text))
}

/// The names of `a.b.c` before a dot; empty where it is no path of names.
fn path_before(before: &[SyntaxToken<'_>]) -> Vec<String> {
    let mut path = Vec::new();
    let mut tokens = before.iter();
    loop {
        match tokens.next() {
            Some(token) if token.kind().is_label() => path.push(token.text().to_owned()),
            _ => return Vec::new(),
        }
        match tokens.next() {
            Some(token) if token.kind() == K::Dot => {}
            _ => break,
        }
    }
    path.reverse();
    path
}

/// Where the bracket stands that is open at the cursor.
fn open_bracket(before: &[SyntaxToken<'_>]) -> Option<usize> {
    let mut depth = 0usize;
    for (at, token) in before.iter().enumerate() {
        match token.kind() {
            K::RParen | K::RBracket | K::RBrace | K::InterpClose => depth += 1,
            K::LParen | K::LBracket | K::LBrace | K::InterpOpen if depth == 0 => return Some(at),
            K::LParen | K::LBracket | K::LBrace | K::InterpOpen => depth -= 1,
            // An item's first word at the start of a line: nothing before it is open, whatever was forgotten.
            K::Fn | K::Import if depth == 0 && token.span().start == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The call whose `(` is at `open`.
fn call(tree: &Tree, before: &Before<'_>, open: usize, offset: u32) -> Option<Call> {
    if before[open].is_spaced() {
        return None;
    }
    let callee = path_before(&before[open + 1..]);
    let callee = match callee.is_empty() {
        // `decode[T](`.
        true => path_before(behind_types(&before[open + 1..])?),
        false => callee,
    };
    if callee.is_empty() {
        return None;
    }
    let mut call = Call {
        callee,
        given: Vec::new(),
        label: None,
        place: 0,
        starts: matches!(before[0].kind(), K::LParen | K::Comma)
            && (before[0].kind() == K::Comma || open == 0),
    };
    let mut inner: Vec<SyntaxToken<'_>> = before[..open].to_vec();
    inner.reverse();
    let labels = arguments(&inner);
    call.place = labels[..labels.len() - 1]
        .iter()
        .filter(|label| label.is_none())
        .count();
    call.label = labels.last().cloned().flatten();
    call.given = labels[..labels.len() - 1].iter().flatten().cloned().collect();
    let after: Vec<SyntaxToken<'_>> = after(tree, offset);
    call.given.extend(arguments(&after).into_iter().skip(1).flatten());
    Some(call)
}

/// What stands before `[T]`.
fn behind_types<'a, 't>(before: &'a [SyntaxToken<'t>]) -> Option<&'a [SyntaxToken<'t>]> {
    if before.first()?.kind() != K::RBracket {
        return None;
    }
    let open = open_bracket(&before[1..])?;
    before.get(open + 2..)
}

/// The tokens from a place to the bracket that closes around it.
fn after(tree: &Tree, offset: u32) -> Vec<SyntaxToken<'_>> {
    let mut depth = 0usize;
    let mut found = Vec::new();
    let rest = tree.tokens_from(offset).filter(|token| !token.kind().is_trivia());
    for token in rest.take(4_000) {
        match token.kind() {
            K::LParen | K::LBracket | K::LBrace | K::InterpOpen => depth += 1,
            K::RParen | K::RBracket | K::RBrace | K::InterpClose if depth == 0 => break,
            K::RParen | K::RBracket | K::RBrace | K::InterpClose => depth -= 1,
            _ => {}
        }
        found.push(token);
    }
    found
}

/// The label of each argument; there is one more than there are commas.
fn arguments(tokens: &[SyntaxToken<'_>]) -> Vec<Option<String>> {
    let mut labels = vec![None];
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind() {
            K::LParen | K::LBracket | K::LBrace | K::InterpOpen => depth += 1,
            K::RParen | K::RBracket | K::RBrace | K::InterpClose => depth = depth.saturating_sub(1),
            K::Comma if depth == 0 => labels.push(None),
            K::Assign if depth == 0 && at > 0 && tokens[at - 1].kind().is_label() => {
                if let Some(last) = labels.last_mut() {
                    *last = Some(tokens[at - 1].text().to_owned());
                }
            }
            _ => {}
        }
    }
    labels
}

/// The call that the cursor stands in, at whatever depth of other brackets, for signatures.
pub(super) fn call_around(tree: &Tree, at: Position) -> Option<Call> {
    let mut before = before(tree, at.offset);
    loop {
        let open = open_bracket(&before)?;
        if before[open].kind() == K::LParen
            && !is_parameters(&before[open + 1..])
            && let Some(call) = call(tree, &before, open, at.offset)
        {
            return Some(call);
        }
        before.drain(..=open);
    }
}

/// The function, or other item, that a path of names stands for in the module `id`.
pub(super) fn resolve(analysis: &Analysis, id: ModuleId, path: &[String]) -> Option<ItemRef> {
    let program = &analysis.loaded.program;
    let find = |of: ModuleId, name: &str| {
        let items = &program.module(of).items;
        let item = items.iter().position(|item| item.name == name)? as u32;
        Some(ItemRef { module: of, item })
    };
    match path {
        [name] => sight(analysis, id).find_map(|of| find(of, name)),
        [module_name, name] => find(imported(analysis, id, module_name)?, name),
        _ => None,
    }
}

/// The modules whose items a module sees: itself, and those around it.
pub(super) fn sight(analysis: &Analysis, id: ModuleId) -> impl Iterator<Item = ModuleId> {
    let around = &analysis.loaded.program.module(id).around;
    std::iter::once(id).chain(around.iter().copied())
}

/// The imports that a module sees: its own, and those of the files and inputs around it.
pub(super) fn imports(analysis: &Analysis, id: ModuleId) -> impl Iterator<Item = &Import> {
    let modules = sight(analysis, id).map(|of| (of, analysis.loaded.program.module(of)));
    let open = modules.filter(move |(of, module)| *of == id || !module.std);
    open.flat_map(|(_, module)| &module.imports)
}

/// The module that a name stands for.
pub(super) fn imported(analysis: &Analysis, id: ModuleId, name: &str) -> Option<ModuleId> {
    let found = imports(analysis, id).find(|import| import.name == name)?;
    Some(found.module)
}

/// Whether a path's function is one.
pub(super) fn is_function(analysis: &Analysis, item: ItemRef) -> bool {
    matches!(analysis.loaded.program.item(item).kind, ItemKind::Fn(_))
}
