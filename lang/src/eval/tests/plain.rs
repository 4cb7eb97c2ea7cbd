//! Messages as plain text, for snapshots.

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Sources, Span};

/// Messages with the lines that they point at.
pub(crate) fn plain(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    diagnostics
        .iter()
        .map(|diagnostic| one(sources, diagnostic))
        .collect::<Vec<_>>()
        .join("\n")
}

fn one(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "",
        Severity::Warning => "warning ",
    };
    let mut text = format!("{severity}{} {}\n", diagnostic.code, diagnostic.message);
    for label in &diagnostic.labels {
        text += &place(sources, label.span, &label.text);
    }
    for note in &diagnostic.notes {
        text += &format!("  note: {note}\n");
    }
    if let Some(help) = &diagnostic.help {
        text += &format!("  help: {help}\n");
    }
    if let Some(mend) = &diagnostic.mend {
        let edits: Vec<_> = mend
            .edits
            .iter()
            .map(|(span, new)| format!("`{}` to `{new}`", sources.text(*span)))
            .collect();
        text += &format!("  mend: {} ({})\n", mend.title, edits.join(", "));
    }
    text
}

fn place(sources: &Sources, span: Span, text: &str) -> String {
    let source = sources.get(span.source);
    let (start, end) = (span.start as usize, span.end as usize);
    let line_start = source.text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = source.text[start..]
        .find('\n')
        .map_or(source.text.len(), |at| start + at);
    let number = source.text[..start].matches('\n').count() + 1;
    let marks = "^".repeat(end.min(line_end).saturating_sub(start).max(1));
    format!(
        "  {}:{number}\n    {}\n    {}{marks} {text}\n",
        source.path,
        &source.text[line_start..line_end],
        " ".repeat(start - line_start),
    )
    .replace(" \n", "\n")
}
