//! How a command tells what went wrong: drawn on stderr, or as JSON on stdout.

use super::notice::Notice;
use super::render::render;
use crate::report::style::Style;
use mlp_lang::diagnostic::Severity;

/// What a command writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: see docs/json.md.
    Json,
}

/// Draws notices on stderr, and counts them.
pub(super) fn show(notices: &[Notice]) {
    let style = Style::stderr();
    for notice in notices {
        eprintln!("{}", render(notice, style));
    }
    if let Some(sum) = sum(notices) {
        eprintln!("{sum}");
    }
}

/// `2 errors, 1 warning; hint: …`; nothing where nothing was told.
fn sum(notices: &[Notice]) -> Option<String> {
    let error = notices.iter().find(|notice| notice.severity == Severity::Error);
    let first = error.or_else(|| notices.first())?;
    let count = |severity: Severity, word: &str| {
        let n = notices
            .iter()
            .filter(|notice| notice.severity == severity)
            .count();
        match n {
            0 => None,
            1 => Some(format!("1 {word}")),
            _ => Some(format!("{n} {word}s")),
        }
    };
    let counts = [
        count(Severity::Error, "error"),
        count(Severity::Warning, "warning"),
    ];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    Some(format!(
        "{}; `mlp explain {}` says more",
        counts.join(", "),
        first.code
    ))
}

/// What is to be mended before anything can be said: drawn on stderr, or as an object on stdout.
pub(super) fn mistakes(notices: &[Notice], format: Format) {
    match format {
        Format::Text => show(notices),
        Format::Json => print_json(&serde_json::json!({ "diagnostics": json(notices) })),
    }
}

/// Notices as JSON.
pub(super) fn json(notices: &[Notice]) -> serde_json::Value {
    notices.iter().map(Notice::json).collect()
}

/// A JSON value on stdout, indented.
pub(super) fn print_json(value: &serde_json::Value) {
    println!("{value:#}");
}
