//! The static part of a flake.nix as plain data: attribute sets, strings, numbers, truth values, and "unknown" for all
//! that only an evaluator could say. Talks to rnix; no tree of rnix leaves this file.

use rnix::ast::{Attr, AttrSet, Entry, Expr, HasEntry, InterpolPart, Param, Str};
use rnix::{ParseError, Root, SyntaxKind};
use rowan::ast::AstNode;
use std::collections::BTreeMap;
use std::ops::Range;

/// The parser, and the dropping of its trees, recurse with every token in the worst case. So files are bounded, and read
/// on a stack that is large enough for the bound.
const MOST_TOKENS: usize = 100_000;
const STACK: usize = 256 << 20;

/// The parser's time grows with the square of a single expression, brackets in it left out. A list of that many elements
/// is read in the blink of an eye.
const LONGEST: usize = 10_000;

/// Sets nested deeper than this are unknown: no flake has any use for them, and what is read must be safe to drop.
const MOST_LEVELS: usize = 24;

/// A value and where it stands, in bytes of the file.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) range: Range<usize>,
    pub(super) kind: ValueKind,
}

#[derive(Clone, Debug)]
pub(super) enum ValueKind {
    Set(Set),
    Text(String),
    /// A path literal that is relative to the flake: `./x`.
    Path(String),
    Int(u64),
    Bool(bool),
    /// A function, with the names that its pattern demands; without a pattern, none.
    Function(Vec<(String, Range<usize>)>),
    /// Only evaluation could say.
    Unknown,
}

/// An attribute set.
#[derive(Clone, Debug, Default)]
pub(super) struct Set {
    /// Attributes by name, each with where its name stands first.
    pub(super) attributes: BTreeMap<String, (Range<usize>, Value)>,
    /// Attributes whose very names are computed.
    pub(super) computed: Vec<Range<usize>>,
    /// Names that are defined a second time.
    pub(super) twice: Vec<(String, Range<usize>)>,
}

/// Why there is no tree: what, where, and more in words.
#[derive(Clone, Debug)]
pub(super) struct Unreadable {
    pub(super) range: Range<usize>,
    pub(super) why: String,
}

/// Reads a file. `Ok` is the value of the whole file.
pub(super) fn read(text: &str) -> Result<Value, Vec<Unreadable>> {
    let whole = |why: &str| {
        vec![Unreadable {
            range: 0..0,
            why: why.to_owned(),
        }]
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || read_here(text))
            .map_err(|error| whole(&format!("no thread to read it on: {error}")))?
            .join()
            .unwrap_or_else(|_| Err(whole("the parser failed on it")))
    })
}

fn read_here(text: &str) -> Result<Value, Vec<Unreadable>> {
    bounded(text)?;
    let parse = Root::parse(text);
    if !parse.errors().is_empty() {
        return Err(parse
            .errors()
            .iter()
            .map(|error| unreadable(error, text))
            .collect());
    }
    match parse.tree().expr() {
        Some(expr) => Ok(value(expr, 0)),
        None => Err(vec![Unreadable {
            range: 0..0,
            why: "it is empty".to_owned(),
        }]),
    }
}

/// Refuses what would take the parser too deep or too long.
fn bounded(text: &str) -> Result<(), Vec<Unreadable>> {
    let (mut total, mut at) = (0, 0);
    // For each open bracket, the tokens of the expression before it; `length` counts those of the present one and of
    // all that it stands in.
    let mut open: Vec<(SyntaxKind, usize)> = Vec::new();
    let mut length = 0;
    for (kind, token) in rnix::tokenize(text) {
        let range = at..at + token.len();
        at = range.end;
        let inside = matches!(
            kind,
            SyntaxKind::TOKEN_STRING_CONTENT | SyntaxKind::TOKEN_STRING_END
        );
        if kind.is_trivia() || inside {
            continue;
        }
        total += 1;
        length += 1;
        match kind {
            SyntaxKind::TOKEN_L_BRACE => open.push((SyntaxKind::TOKEN_R_BRACE, length)),
            SyntaxKind::TOKEN_L_BRACK => open.push((SyntaxKind::TOKEN_R_BRACK, length)),
            SyntaxKind::TOKEN_L_PAREN => open.push((SyntaxKind::TOKEN_R_PAREN, length)),
            SyntaxKind::TOKEN_INTERPOL_START => open.push((SyntaxKind::TOKEN_INTERPOL_END, length)),
            SyntaxKind::TOKEN_SEMICOLON => length = open.last().map_or(0, |(_, before)| *before),
            _ => {
                if let Some((_, before)) = open.pop_if(|(close, _)| *close == kind) {
                    length = before;
                }
            }
        }
        if length > LONGEST {
            let why = format!("an expression of more than {LONGEST} tokens is not read");
            return Err(vec![Unreadable { range, why }]);
        }
        if total > MOST_TOKENS {
            return Err(vec![Unreadable {
                range,
                why: format!("more than {MOST_TOKENS} tokens are not read"),
            }]);
        }
    }
    Ok(())
}

fn unreadable(error: &ParseError, text: &str) -> Unreadable {
    let end = text.trim_end().len();
    let (range, why) = match error {
        ParseError::Unexpected(range) => (Some(*range), "this is unexpected".to_owned()),
        ParseError::UnexpectedExtra(range) => (Some(*range), "nothing more may follow here".to_owned()),
        ParseError::UnexpectedWanted(_, range, wanted) => {
            (Some(*range), format!("expected {}", words(wanted)))
        }
        ParseError::UnexpectedDoubleBind(range) => (Some(*range), "the pattern is named twice".to_owned()),
        ParseError::UnexpectedEOF => (None, "the file ends too early".to_owned()),
        ParseError::UnexpectedEOFWanted(wanted) => {
            (None, format!("the file ends where {} belongs", words(wanted)))
        }
        ParseError::DuplicatedArgs(range, name) => (Some(*range), format!("`{name}` is a parameter twice")),
        ParseError::RecursionLimitExceeded => (None, "it is nested too deeply".to_owned()),
        other => (None, other.to_string()),
    };
    Unreadable {
        range: range.map_or(end..end, Range::from),
        why,
    }
}

/// The kinds of token that would have been right, as people write them.
fn words(kinds: &[SyntaxKind]) -> String {
    let mut words: Vec<&str> = kinds.iter().map(|kind| word(*kind)).collect();
    words.dedup();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "something else".to_owned(),
    }
}

fn word(kind: SyntaxKind) -> &'static str {
    match kind {
        SyntaxKind::TOKEN_SEMICOLON => "`;`",
        SyntaxKind::TOKEN_ASSIGN => "`=`",
        SyntaxKind::TOKEN_COLON => "`:`",
        SyntaxKind::TOKEN_COMMA => "`,`",
        SyntaxKind::TOKEN_ELLIPSIS => "`...`",
        SyntaxKind::TOKEN_L_BRACE => "`{`",
        SyntaxKind::TOKEN_R_BRACE => "`}`",
        SyntaxKind::TOKEN_L_BRACK => "`[`",
        SyntaxKind::TOKEN_R_BRACK => "`]`",
        SyntaxKind::TOKEN_L_PAREN => "`(`",
        SyntaxKind::TOKEN_R_PAREN => "`)`",
        SyntaxKind::TOKEN_IN => "`in`",
        SyntaxKind::TOKEN_REC => "`rec`",
        SyntaxKind::TOKEN_THEN => "`then`",
        SyntaxKind::TOKEN_ELSE => "`else`",
        SyntaxKind::TOKEN_IDENT | SyntaxKind::TOKEN_OR | SyntaxKind::TOKEN_CUR_POS => "a name",
        SyntaxKind::TOKEN_STRING_START => "a string",
        SyntaxKind::TOKEN_STRING_END => "the string's end",
        SyntaxKind::TOKEN_STRING_CONTENT | SyntaxKind::TOKEN_INTERPOL_START => "more of the string",
        SyntaxKind::TOKEN_INTERPOL_END => "`}`",
        _ => "something else",
    }
}

fn range(node: &impl AstNode) -> Range<usize> {
    node.syntax().text_range().into()
}

/// The depth of the recursion is bounded: rnix refuses deep expressions, this refuses deep sets.
fn value(expr: Expr, level: usize) -> Value {
    let range = range(&expr);
    let kind = match expr {
        Expr::Paren(inner) => match inner.expr() {
            Some(inner) => return value(inner, level),
            None => ValueKind::Unknown,
        },
        Expr::AttrSet(set) if level < MOST_LEVELS => ValueKind::Set(read_set(&set, level + 1)),
        Expr::Str(text) => text_of(&text).map_or(ValueKind::Unknown, ValueKind::Text),
        Expr::PathRel(path) => plain_path(path.syntax()),
        Expr::Literal(literal) => literal_of(&literal.to_string()),
        Expr::Ident(name) => match name.to_string().as_str() {
            "true" => ValueKind::Bool(true),
            "false" => ValueKind::Bool(false),
            _ => ValueKind::Unknown,
        },
        Expr::Lambda(lambda) => ValueKind::Function(lambda.param().map(demanded).unwrap_or_default()),
        _ => ValueKind::Unknown,
    };
    Value { range, kind }
}

fn literal_of(text: &str) -> ValueKind {
    match text.parse() {
        Ok(number) => ValueKind::Int(number),
        // A URL may stand without quotes.
        Err(_) if text.contains(':') => ValueKind::Text(text.to_owned()),
        Err(_) => ValueKind::Unknown,
    }
}

fn plain_path(node: &rnix::SyntaxNode) -> ValueKind {
    match node.first_child() {
        Some(_interpolation) => ValueKind::Unknown,
        None => ValueKind::Path(node.text().to_string()),
    }
}

/// The names that a function's pattern demands.
fn demanded(param: Param) -> Vec<(String, Range<usize>)> {
    let Param::Pattern(pattern) = param else {
        return Vec::new();
    };
    let names = pattern.pat_entries().filter_map(|entry| entry.ident());
    names.map(|name| (name.to_string(), range(&name))).collect()
}

/// A string without interpolation.
fn text_of(text: &Str) -> Option<String> {
    // `normalized_parts` demands that there are only tokens and interpolations.
    if text.syntax().children().next().is_some() {
        return None;
    }
    let parts = text.normalized_parts().into_iter().map(|part| match part {
        InterpolPart::Literal(text) => Some(text),
        InterpolPart::Interpolation(_) => None,
    });
    parts.collect()
}

fn read_set(node: &AttrSet, level: usize) -> Set {
    let mut set = Set::default();
    for entry in node.entries() {
        match entry {
            Entry::Inherit(inherit) => {
                for attr in inherit.attrs() {
                    let place = range(&attr);
                    let unknown = Value {
                        range: place.clone(),
                        kind: ValueKind::Unknown,
                    };
                    match name_of(&attr) {
                        Some(name) => set.insert(name, place, unknown),
                        None => set.computed.push(place),
                    }
                }
            }
            Entry::AttrpathValue(pair) => {
                let (Some(path), Some(expr)) = (pair.attrpath(), pair.value()) else {
                    continue;
                };
                let names: Vec<_> = path.attrs().map(|attr| (name_of(&attr), range(&attr))).collect();
                let value = if level + names.len() > MOST_LEVELS {
                    Value {
                        range: range(&expr),
                        kind: ValueKind::Unknown,
                    }
                } else {
                    value(expr, level + names.len())
                };
                set.insert_path(names, value);
            }
        }
    }
    set
}

fn name_of(attr: &Attr) -> Option<String> {
    match attr {
        Attr::Ident(name) => Some(name.to_string()),
        Attr::Str(text) => text_of(text),
        Attr::Dynamic(_) => None,
    }
}

impl Set {
    /// Inserts at a path, innermost first: `a.b = v` is `a = { b = v; }`.
    fn insert_path(&mut self, names: Vec<(Option<String>, Range<usize>)>, mut value: Value) {
        let levels = names.len();
        for (index, (name, place)) in names.into_iter().enumerate().rev() {
            if levels > MOST_LEVELS && index > 0 {
                continue;
            }
            let mut outer = Self::default();
            let range = place.start..value.range.end;
            match name {
                Some(name) if index == 0 => return self.insert(name, place, value),
                None if index == 0 => return self.computed.push(place),
                Some(name) => outer.insert(name, place, value),
                None => outer.computed.push(place),
            }
            value = Value {
                range,
                kind: ValueKind::Set(outer),
            };
        }
    }

    /// Sets that are written in parts are one set.
    fn insert(&mut self, name: String, place: Range<usize>, value: Value) {
        let Some((_, old)) = self.attributes.get_mut(&name) else {
            self.attributes.insert(name, (place, value));
            return;
        };
        match (&mut old.kind, value.kind) {
            (ValueKind::Set(old), ValueKind::Set(new)) => old.merge(new),
            _ => self.twice.push((name, place)),
        }
    }

    fn merge(&mut self, other: Self) {
        for (name, (place, value)) in other.attributes {
            self.insert(name, place, value);
        }
        self.computed.extend(other.computed);
        self.twice.extend(other.twice);
    }
}
