//! The one form of every message about a pipeline. The command line, the language server and `--format json` render it;
//! nothing here knows how.

use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can be built from what it is about.
    Error,
    /// It can be built, and is likely wrong.
    Warning,
}

/// What, where, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable code, `E0310`; `docs/errors/E0310.md` is its page.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence without a full stop, in the user's words.
    pub message: String,
    /// Places; the first is the one to blame. They may be in several sources.
    pub labels: Vec<Label>,
    /// Facts that help to understand, a line each.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// The exact mend, where there is one: applied to the sources, it makes this diagnostic go away.
    pub mend: Option<Mend>,
}

/// A place and what is said at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The text at the place; may be empty.
    pub text: String,
}

/// A change of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mend {
    /// What it does, for a menu: "write `epochs = 20`".
    pub title: String,
    /// Replacements that do not overlap.
    pub edits: Vec<(Span, String)>,
}

/// Whether a diagnostic is worth saying beside `all`: an import may be unused because of a mistake in its file, and is
/// named again when that is mended.
pub fn is_worth_saying(diagnostic: &Diagnostic, all: &[&Diagnostic]) -> bool {
    let source = diagnostic.span().source;
    diagnostic.code != "E0270"
        || !all
            .iter()
            .any(|other| other.severity == Severity::Error && other.span().source == source)
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: vec![Label {
                span,
                text: String::new(),
            }],
            notes: Vec::new(),
            help: None,
            mend: None,
        }
    }

    /// A warning at `span`.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    /// Says `text` at the place to blame.
    #[must_use]
    pub fn at(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = self.labels.first_mut() {
            label.text = text.into();
        }
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds a note.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Gives the exact mend, a single replacement.
    #[must_use]
    pub fn mend(mut self, title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.mend = Some(Mend {
            title: title.into(),
            edits: vec![(span, text.into())],
        });
        self
    }

    /// Takes in another diagnostic of the very same mistake: its place, its mend.
    pub(crate) fn join(&mut self, other: Self) {
        let text = match other.help {
            Some(help) if self.help.as_ref() != Some(&help) => help,
            _ => String::new(),
        };
        self.labels.extend(other.labels.first().map(|label| Label {
            text,
            ..label.clone()
        }));
        match (&mut self.mend, other.mend) {
            (Some(mend), Some(other)) => {
                let new = other.edits.into_iter().filter(|edit| !mend.edits.contains(edit));
                let new: Vec<_> = new.collect();
                mend.edits.extend(new);
            }
            (mend, _) => *mend = None,
        }
    }

    /// The place to blame.
    pub fn span(&self) -> Span {
        // Both constructors put one label there, and none is ever taken away.
        self.labels[0].span
    }
}
