//! Small texts with the diagnostics of syntax and names that they must give, in `corpus/*.mlp`.
//!
//! A case is a title line `# === …`, a text, and the expected diagnostics:
//! ```text
//! # error: E0126 2:3 missing comma before `-2`
//! #  help: to subtract write `- 2`
//! ```
//! Lines are counted from the one after the title. `CORPUS=update cargo test -p mlp-lang --test corpus` writes what is
//! found; read the difference.

use mlp_lang::diagnostic::{Diagnostic, Severity};
use mlp_lang::lower::load_text;
use mlp_lang::source::Sources;
use std::fmt::Write;
use std::path::PathBuf;

struct Case {
    title: String,
    text: String,
    expected: String,
}

fn is_expectation(line: &str) -> bool {
    [
        "# error: E0",
        "# warning: E0",
        "#  note: ",
        "#  help: ",
        "#  also: ",
    ]
    .iter()
    .any(|head| line.starts_with(head))
}

fn cases(file: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in file.split_inclusive('\n') {
        if let Some(title) = line.strip_prefix("# === ") {
            cases.push(Case {
                title: title.trim_end().to_owned(),
                text: String::new(),
                expected: String::new(),
            });
        } else if let Some(case) = cases.last_mut() {
            let to = if is_expectation(line) {
                &mut case.expected
            } else {
                &mut case.text
            };
            to.push_str(line);
        }
    }
    cases
}

fn render(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let place = |span: mlp_lang::source::Span| {
        let source = sources.get(span.source);
        let before = &source.text[..span.start as usize];
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        format!("{}:{column}", before.matches('\n').count() + 1)
    };
    let severity = if diagnostic.severity == Severity::Error {
        "error"
    } else {
        "warning"
    };
    let mut out = format!(
        "# {severity}: {} {} {}\n",
        diagnostic.code,
        place(diagnostic.span()),
        diagnostic.message
    );
    for label in diagnostic.labels.iter().skip(1) {
        let _ = writeln!(out, "#  also: {} {}", place(label.span), label.text);
    }
    for note in &diagnostic.notes {
        let _ = writeln!(out, "#  note: {note}");
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(out, "#  help: {help}");
    }
    out
}

/// Applies the mend, which must be of the one source.
fn mended(text: &str, diagnostic: &Diagnostic) -> Option<String> {
    let mend = diagnostic.mend.as_ref()?;
    let mut edits = mend.edits.clone();
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut text = text.to_owned();
    for (span, new) in edits {
        text.replace_range(span.start as usize..span.end as usize, &new);
    }
    Some(text)
}

fn rendered(text: &str) -> String {
    let loaded = load_text(text);
    loaded
        .diagnostics
        .iter()
        .map(|d| render(&loaded.sources, d))
        .collect()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).expect("the corpus stands beside this file");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    files.sort();
    files
}

#[test]
fn the_corpus_gives_what_it_says() {
    let update = std::env::var("CORPUS").is_ok_and(|value| value == "update");
    let mut wrong = String::new();
    for path in files() {
        let mut updated = String::new();
        for case in cases(&std::fs::read_to_string(&path).unwrap()) {
            let loaded = load_text(&case.text);
            let found: String = loaded
                .diagnostics
                .iter()
                .map(|d| render(&loaded.sources, d))
                .collect();
            if found != case.expected {
                let name = path.file_name().unwrap().to_string_lossy();
                let _ = writeln!(
                    wrong,
                    "{name}: {}\n{}--- expected\n{}--- found\n{found}",
                    case.title, case.text, case.expected
                );
            }
            let _ = write!(updated, "# === {}\n{}{found}", case.title, case.text);
        }
        if update {
            std::fs::write(&path, updated).unwrap();
        }
    }
    assert!(update || wrong.is_empty(), "{wrong}");
}

/// A mend makes its diagnostic go away. What it hid may come to light.
#[test]
fn mends_mend() {
    let mut wrong = String::new();
    for path in files() {
        for case in cases(&std::fs::read_to_string(&path).unwrap()) {
            let loaded = load_text(&case.text);
            for diagnostic in &loaded.diagnostics {
                let Some(text) = mended(&case.text, diagnostic) else {
                    continue;
                };
                let after = load_text(&text).diagnostics;
                let still = after
                    .iter()
                    .any(|d| d.code == diagnostic.code && d.message == diagnostic.message);
                let others = loaded
                    .diagnostics
                    .iter()
                    .filter(|d| d.message == diagnostic.message)
                    .count();
                if still && others == 1 {
                    let _ = writeln!(
                        wrong,
                        "{}: {}\n{text}--- then\n{}",
                        case.title,
                        diagnostic.message,
                        rendered(&text)
                    );
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
