//! What formatting gives for small texts, in `format/*.mlp`, and what holds of it for every text: nothing but layout
//! changes, and a second time nothing at all.
//!
//! A case is a title line `# === …`, a text, a line `# --- formatted`, and what it becomes; without that line, the text
//! stays as it is. `FORMAT=update cargo test -p mlp-lang --test format` writes what is found; read the difference.

use mlp_lang::diagnostic::Severity;
use mlp_lang::format::format;
use mlp_lang::library::Library;
use mlp_lang::lower::load_text;
use mlp_lang::source::SourceId;
use mlp_lang::syntax::{SyntaxKind, parse};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const RESULT: &str = "# --- formatted\n";

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "mlp"))
        .collect();
    files.sort();
    files
}

/// Titles and texts.
fn cases(file: &str) -> Vec<(&str, &str)> {
    let parts = file.split("# === ").skip(1);
    parts
        .map(|part| part.split_once('\n').expect("a title is a line"))
        .collect()
}

/// Formats a text, and sees to it that it was laid out anew.
fn formatted(text: &str) -> String {
    let found = format(&format!("{text}\n\n\n")).unwrap_or_else(|errors| panic!("{text}{errors:?}"));
    assert!(!found.ends_with("\n\n"), "given back as it was:\n{text}");
    found
}

fn is_well_formed(text: &str) -> bool {
    let errors = parse(SourceId(0), Arc::from(text)).diagnostics;
    errors.iter().all(|error| error.severity != Severity::Error)
}

/// Everything in this repository that parses.
fn texts() -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for name in ["tests/corpus", "tests/format"] {
        for path in files(&folder(name)) {
            let file = std::fs::read_to_string(&path).expect("it can be read");
            for (title, text) in cases(&file) {
                texts.extend(text.split(RESULT).map(|text| (title.to_owned(), text.to_owned())));
            }
        }
    }
    texts.extend(written());
    texts.retain(|(_, text)| is_well_formed(text));
    texts
}

/// The files that people are to learn from: the library, the examples, what `mlp init` writes.
fn written() -> Vec<(String, String)> {
    let mut texts: Vec<_> = Library::standard()
        .names()
        .map(|name| {
            (
                name.to_owned(),
                Library::standard().text(name).expect("it is named").to_owned(),
            )
        })
        .collect();
    let mut paths = vec![folder("../src/cli/init/pipeline.mlp")];
    let examples = std::fs::read_dir(folder("../examples")).expect("the examples are there");
    for example in examples {
        paths.extend(files(&example.expect("it can be read").path()));
    }
    paths.sort();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("it can be read");
        texts.push((path.display().to_string(), text));
    }
    texts
}

#[test]
fn the_cases_give_what_they_say() {
    let update = std::env::var("FORMAT").is_ok_and(|value| value == "update");
    let mut wrong = String::new();
    for path in files(&folder("tests/format")) {
        let file = std::fs::read_to_string(&path).unwrap();
        let mut updated = String::new();
        for (title, case) in cases(&file) {
            let (text, expected) = case.split_once(RESULT).unwrap_or((case, case));
            let found = formatted(text);
            if found != expected {
                let _ = writeln!(
                    wrong,
                    "=== {title}\n{text}--- expected\n{expected}--- found\n{found}"
                );
            }
            let _ = write!(updated, "# === {title}\n{text}");
            if found != text {
                let _ = write!(updated, "{RESULT}{found}");
            }
        }
        if update {
            std::fs::write(&path, updated).unwrap();
        }
    }
    assert!(update || wrong.is_empty(), "{wrong}");
}

#[test]
fn a_second_time_changes_nothing() {
    for (title, text) in texts() {
        let once = formatted(&text);
        assert_eq!(once, formatted(&once), "{title}");
    }
}

/// The tokens but for commas before closing brackets, and the comments in their order.
fn words(text: &str) -> (Vec<String>, Vec<String>) {
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
    (words, comments)
}

#[test]
fn tokens_and_comments_stay() {
    for (title, text) in texts() {
        assert_eq!(words(&text), words(&formatted(&text)), "{title}");
    }
}

/// A comment behind any token, and on a line of its own before any: kept, and stable.
#[test]
fn comments_may_stand_anywhere() {
    for (title, text) in texts() {
        let parsed = parse(SourceId(0), Arc::from(text.as_str()));
        let starts: Vec<usize> = parsed
            .tree
            .tokens()
            .map(|token| token.span().start as usize)
            .collect();
        for at in starts.iter().step_by(1 + starts.len() / 16) {
            for comment in [" # c\n", "\n# c\n"] {
                let changed = format!("{}{comment}{}", &text[..*at], &text[*at..]);
                if !is_well_formed(&changed) {
                    continue;
                }
                let once = formatted(&changed);
                assert_eq!(words(&changed).0, words(&once).0, "{title}:\n{changed}");
                assert_eq!(
                    words(&changed).1.len(),
                    words(&once).1.len(),
                    "{title}:\n{changed}"
                );
                assert_eq!(once, formatted(&once), "{title}:\n{changed}");
            }
        }
    }
}

/// A line break behind any opening bracket, or before any operator.
#[test]
fn line_breaks_may_stand_anywhere() {
    for (title, text) in texts() {
        let parsed = parse(SourceId(0), Arc::from(text.as_str()));
        let ends: Vec<usize> = parsed
            .tree
            .tokens()
            .map(|token| token.span().end as usize)
            .collect();
        for at in ends.iter().step_by(1 + ends.len() / 16) {
            let changed = format!("{}\n {}", &text[..*at], &text[*at..]);
            if is_well_formed(&changed) {
                let once = formatted(&changed);
                assert_eq!(words(&changed), words(&once), "{title}:\n{changed}");
                assert_eq!(once, formatted(&once), "{title}:\n{changed}");
            }
        }
    }
}

#[test]
fn deep_nesting_is_laid_out() {
    let text = format!("x = {}1{}\n", "[f({ a: ".repeat(60), " })]".repeat(60));
    let once = formatted(&text);
    assert_eq!(once, formatted(&once));
}

#[test]
fn the_program_stays() {
    for (title, text) in texts() {
        let (before, after) = (load_text(&text), load_text(&formatted(&text)));
        // What is reported may depend on what touches what: `data/a.csv`, taken for a path.
        if !before.diagnostics.is_empty() {
            continue;
        }
        assert!(after.diagnostics.is_empty(), "{title}: {:?}", after.diagnostics);
        let program =
            |loaded: &mlp_lang::lower::Loaded| without_spans(&format!("{:?}", loaded.program.modules));
        assert!(program(&before) == program(&after), "{title}:\n{text}");
    }
}

/// The debug print of a program without the places of its parts.
fn without_spans(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split("Span { ");
    out.push_str(parts.next().unwrap_or(""));
    for part in parts {
        out.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    out
}

#[test]
fn what_people_learn_from_is_formatted() {
    for (name, text) in written() {
        assert_eq!(text, formatted(&text), "{name}: run `mlp fmt` on it");
    }
}

#[test]
fn lines_are_short_where_they_can_be() {
    for (title, text) in texts() {
        for line in formatted(&text).lines() {
            let comment = line.trim_start().starts_with('#');
            assert!(comment || line.chars().count() <= 110, "{title}: {line}");
        }
    }
}

#[test]
fn what_does_not_parse_is_refused() {
    let errors = format("x = [1").unwrap_err();
    assert_eq!(errors[0].code, "E0110");
}
