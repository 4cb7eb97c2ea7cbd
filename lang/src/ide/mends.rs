//! The mends that diagnostics suggest.

use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// A change that makes a diagnostic go away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// For a menu.
    pub title: String,
    /// Replacements that do not overlap.
    pub edits: Vec<(Span, String)>,
    /// The diagnostic that it mends, by its place in what was given.
    pub diagnostic: usize,
}

/// The mends of those `diagnostics` that touch `range`.
pub fn mends(diagnostics: &[Diagnostic], range: Span) -> Vec<Action> {
    let touched = diagnostics.iter().enumerate().filter(|(_, diagnostic)| {
        let touches =
            |span: Span| span.source == range.source && span.start <= range.end && range.start <= span.end;
        // A mistake that was made several times has a place without words for each.
        let again = diagnostic.labels.iter().skip(1);
        let mut again = again.filter(|label| label.text.is_empty());
        touches(diagnostic.span()) || again.any(|label| touches(label.span))
    });
    touched
        .filter_map(|(place, diagnostic)| {
            let mend = diagnostic.mend.as_ref()?;
            Some(Action {
                title: mend.title.clone(),
                edits: mend.edits.clone(),
                diagnostic: place,
            })
        })
        .collect()
}
