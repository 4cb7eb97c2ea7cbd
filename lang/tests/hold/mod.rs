//! What holds of every text, however it was made. The fuzz targets (`lang/fuzz`) look for a text of which something does
//! not; the texts that they found, and generated ones, are tests (`crashes.rs`, `generated.rs`).
//!
//! Each function panics where what it holds is broken.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each user takes what it needs, one of them from another crate"
)]

pub mod grammar;

use mlp_lang::check::{Checked, check};
use mlp_lang::diagnostic::{Diagnostic, Severity};
use mlp_lang::eval::{Bounds, Demand, Render, Request, evaluate_within};
use mlp_lang::format::format;
use mlp_lang::lower::{Files, Loaded, load, load_text};
use mlp_lang::source::{SourceId, Sources, Span};
use mlp_lang::syntax::{Node, Parse, SyntaxKind, parse, parse_expression};
use std::sync::Arc;

/// What an evaluation may take: enough for anything that finds a fault, and little enough for thousands a minute.
const BOUNDS: Bounds = Bounds {
    steps: 20_000,
    memory: 64 << 20,
};

/// A fuzz target: its name, and what holds of any bytes.
type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const ALL: &[Target] = &[
    ("lexer", lexer),
    ("parser", parser),
    ("checker", checker),
    ("evaluator", evaluator),
    ("formatter", formatter),
    ("data", data),
];

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// The tokens are the text, cut into pieces; bytes that are no text are refused with a message.
pub fn lexer(bytes: &[u8]) {
    let Some(text) = text(bytes) else {
        let mut files = Files::default();
        files.insert("main.mlp", bytes);
        let loaded = load(&files, "main.mlp");
        assert!(has_errors(&loaded.diagnostics));
        return well_formed(&loaded.diagnostics, &loaded.sources);
    };
    let parsed = parse(SourceId(0), Arc::from(text));
    let mut end = 0;
    for token in parsed.tree.tokens() {
        let span = token.span();
        assert_eq!(span.start, end, "a gap or an overlap before {token:?}");
        let may_be_empty = matches!(
            token.kind(),
            SyntaxKind::Eof | SyntaxKind::StrClose | SyntaxKind::InterpClose
        );
        assert!(span.end > span.start || may_be_empty, "{token:?}");
        assert_eq!(token.text(), &text[span.start as usize..span.end as usize]);
        end = span.end;
    }
    assert_eq!(end as usize, text.len());
}

/// The tree holds all of the text, in order; what is said points into it.
pub fn parser(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let mut sources = Sources::default();
    let source = sources.add("main.mlp", text);
    for parsed in [
        parse(source, Arc::from(text)),
        parse_expression(source, Arc::from(text)),
    ] {
        tree(&parsed, text);
        well_formed(&parsed.diagnostics, &sources);
    }
}

fn tree(parsed: &Parse, text: &str) {
    assert_eq!(&**parsed.tree.text(), text);
    let mut open: Vec<Node<'_>> = vec![parsed.tree.root()];
    while let Some(node) = open.pop() {
        let span = node.span();
        let mut end = span.start;
        for child in node.children() {
            let inner = child.span();
            assert!(
                end <= inner.start && inner.end <= span.end,
                "{:?} {inner:?} in {:?} {span:?}",
                child.kind(),
                node.kind()
            );
            end = inner.end;
            open.push(child);
        }
    }
}

/// Names, types and coercions are found, or something is said.
pub fn checker(bytes: &[u8]) {
    if let Some(text) = text(bytes) {
        checked(text);
    }
}

fn checked(text: &str) -> (Loaded, Checked) {
    let loaded = load_text(text);
    well_formed(&loaded.diagnostics, &loaded.sources);
    let checked = check(&loaded.program, &loaded.sources);
    well_formed(&checked.diagnostics, &loaded.sources);
    (loaded, checked)
}

/// A program ends, and has a value wherever nothing is said against it; a value that is written as JSON is JSON.
pub fn evaluator(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let (loaded, checked) = checked(text);
    let evaluated = |render| {
        let request = Request {
            core: &checked.core,
            sources: &loaded.sources,
            demand: &Demand::All,
            render,
        };
        evaluate_within(request, BOUNDS)
    };
    let outcome = evaluated(Render::Json);
    well_formed(&outcome.diagnostics, &loaded.sources);
    // A value is what the checker said, even where something else did not check.
    let broken = outcome.diagnostics.iter().find(|found| is_broken_promise(found));
    assert!(broken.is_none(), "{broken:?}");
    let before = loaded.diagnostics.iter().chain(&checked.diagnostics);
    let said = before.chain(&outcome.diagnostics);
    if said.filter(|found| found.severity == Severity::Error).count() == 0 {
        let demanded = checked.core.entry.len() + usize::from(checked.core.result.is_some());
        assert_eq!(
            outcome.values.len(),
            demanded,
            "a value is missing, and nothing is said"
        );
    }
    for value in &outcome.values {
        let json = serde_json::from_str::<serde_json::Value>(&value.text);
        assert!(json.is_ok(), "{json:?}: {}", value.text);
    }
    let again = evaluated(Render::Text);
    assert_eq!(outcome.diagnostics, again.diagnostics, "evaluated again");
}

/// Whether a value is not what the checker said. Functions of the library that are declared for any `T` may say the same
/// of values that they cannot work on.
fn is_broken_promise(found: &Diagnostic) -> bool {
    const OF_ANY: &[&str] = &[
        "what has an order",
        "plain data",
        "a number",
        "what has a short text",
    ];
    found.code == "E0419" && !OF_ANY.iter().any(|wanted| found.message.starts_with(wanted))
}

/// Formatting changes nothing but layout, and a second time nothing at all.
pub fn formatter(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if has_errors(&parse(SourceId(0), Arc::from(text)).diagnostics) {
        return;
    }
    // Empty lines at the end go away, unless the text was given back as it was.
    let text = &format!("{text}\n\n\n");
    let once = format(text).expect("it parses");
    assert!(!once.ends_with("\n\n"), "given back as it was");
    assert_eq!(
        once,
        format(&once).expect("what was laid out parses"),
        "a second time"
    );
    assert_eq!(words(text), words(&once), "the tokens");
    let (before, after) = (load_text(text), load_text(&once));
    // What is reported may depend on what touches what: `data/a.csv`, taken for a path.
    if before.diagnostics.is_empty() {
        assert_eq!(after.diagnostics, [], "errors after");
        assert!(program(&before) == program(&after), "another program");
    }
}

/// The tokens but for commas before closing brackets; then the comments, sorted.
pub fn words(text: &str) -> (Vec<String>, Vec<String>) {
    let parsed = parse(SourceId(0), Arc::from(text));
    let (mut words, mut comments): (Vec<String>, Vec<String>) = Default::default();
    for token in parsed.tree.tokens() {
        match token.kind() {
            SyntaxKind::Whitespace => {}
            SyntaxKind::Comment | SyntaxKind::Doc | SyntaxKind::ModuleDoc => {
                comments.push(token.text().trim_end().to_owned());
            }
            kind => {
                let closes = matches!(
                    kind,
                    SyntaxKind::RParen | SyntaxKind::RBracket | SyntaxKind::RBrace
                );
                if closes && words.last().is_some_and(|word| word == ",") {
                    words.pop();
                }
                words.push(token.text().replace("\r\n", "\n"));
            }
        }
    }
    comments.sort();
    (words, comments)
}

/// The modules without the places of their parts.
pub fn program(loaded: &Loaded) -> String {
    let entry = loaded.program.modules.last();
    let text = format!("{entry:?}");
    let mut out = String::new();
    let mut parts = text.split("Span { ");
    out.push_str(parts.next().unwrap_or(""));
    for part in parts {
        out.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    out
}

/// Data files are decoded, or something is said in them; JSON is what serde_json takes for it.
pub fn data(bytes: &[u8]) {
    for kind in ["json", "yaml", "toml"] {
        for ty in ["Json", "{ a: Int, b?: List[Str], c: Map[Float] = {} }"] {
            let found = imported(bytes, kind, ty);
            if kind == "json" && ty == "Json" {
                same_as_serde(bytes, found.as_deref());
            }
        }
    }
}

/// The JSON text of an imported data file; none where something was said.
fn imported(bytes: &[u8], kind: &str, ty: &str) -> Option<String> {
    let mut files = Files::new([("main.mlp", format!("x = import ./data.{kind} as {ty}\n").as_str())]);
    files.insert(&format!("data.{kind}"), bytes);
    let loaded = load(&files, "main.mlp");
    let checked = check(&loaded.program, &loaded.sources);
    let outcome = evaluate_within(
        Request {
            core: &checked.core,
            sources: &loaded.sources,
            demand: &Demand::All,
            render: Render::Json,
        },
        BOUNDS,
    );
    let said = [&loaded.diagnostics, &checked.diagnostics, &outcome.diagnostics];
    said.iter().for_each(|found| well_formed(found, &loaded.sources));
    let failed = said.iter().any(|found| has_errors(found));
    assert!(
        failed || !outcome.values.is_empty(),
        "a value is missing, and nothing is said"
    );
    outcome.values.into_iter().next().map(|value| value.text)
}

fn same_as_serde(bytes: &[u8], found: Option<&str>) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let expected = serde_json::from_slice::<serde_json::Value>(bytes);
    if let Some(found) = found {
        // serde_json nests to 128 only; and here strings may hold control characters, as tabs in them are common.
        let found: serde_json::Value = serde_json::from_str(found).expect("it was written as JSON");
        match expected {
            Ok(expected) => assert!(same_value(&found, &expected), "{found} instead of {expected}"),
            Err(error) => {
                let more = ["recursion limit", "control character"];
                assert!(
                    more.iter().any(|more| error.to_string().contains(more)),
                    "{error}"
                );
            }
        }
    }
}

/// Equal; numbers as numbers, since `1E2` is a float here and there.
fn same_value(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b)),
        (Object(a), Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same_value(a, b)))
        }
        _ => a == b,
    }
}

pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|found| found.severity == Severity::Error)
}

/// Every place is one of its text, and something is said.
pub fn well_formed(diagnostics: &[Diagnostic], sources: &Sources) {
    let at = |span: Span| {
        let text = &sources.get(span.source).text;
        let range = span.start as usize..span.end as usize;
        assert!(
            text.get(range).is_some(),
            "{span:?} of {}: {diagnostics:?}",
            text.len()
        );
    };
    for found in diagnostics {
        assert!(!found.message.is_empty(), "{found:?}");
        found.labels.iter().for_each(|label| at(label.span));
        let mut edits: Vec<Span> = found
            .mend
            .iter()
            .flat_map(|mend| &mend.edits)
            .map(|edit| edit.0)
            .collect();
        edits.sort();
        edits.iter().for_each(|span| at(*span));
        let overlap = edits
            .windows(2)
            .any(|two| two[0].source == two[1].source && two[0].end > two[1].start);
        assert!(!overlap, "{found:?}");
    }
}

/// Runs with the stack that the evaluator's depth is measured against.
pub fn on_main_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new()
        .stack_size(16 << 20)
        .spawn(work)
        .expect("a thread can be made");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}
