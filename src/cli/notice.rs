//! What is told about something that went wrong: one form for diagnostics of a pipeline and failures of steps, which
//! [`super::render`] draws and `--format json` prints. Made of the language's diagnostics here, of step failures in
//! [`super::failure`].

use mlp_lang::diagnostic::{Diagnostic, Severity};
use mlp_lang::source::{SourceId, Sources, Span};
use serde::Serialize;
use std::ops::Range;
use std::sync::Arc;

/// A message with its places.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    /// Its code, which `mlp explain` knows.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence without a full stop.
    pub message: String,
    /// Places; the first is the one to blame.
    pub marks: Vec<Mark>,
    /// Facts that help to understand.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// The exact change of the text that mends it.
    pub mend: Option<(String, Vec<(Mark, String)>)>,
    /// The last lines of a step's log.
    pub log: Vec<String>,
}

/// A text of which places are shown: a whole source, or some lines of a data file.
#[derive(Debug)]
pub(crate) struct Excerpt {
    /// The path as people know it.
    pub path: String,
    /// The text.
    pub text: Arc<str>,
    /// The line of the file at which the text begins, from 0.
    pub first_line: usize,
    /// The byte of that line at which the text begins, from 0.
    pub first_column: usize,
}

/// A place in an excerpt, and what is said at it.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    /// Where the text is from.
    pub excerpt: Arc<Excerpt>,
    /// Bytes of the excerpt's text.
    pub range: Range<usize>,
    /// What is said; may be empty.
    pub text: String,
}

/// A line and a column of a file, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Excerpt {
    /// A whole source.
    pub(crate) fn source(sources: &Sources, id: SourceId) -> Arc<Self> {
        let source = sources.get(id);
        Arc::new(Self {
            path: source.path.to_string(),
            text: source.text.clone(),
            first_line: 0,
            first_column: 0,
        })
    }

    /// Line and column of byte `at`.
    pub(crate) fn position(&self, at: usize) -> Position {
        let before = &self.text[..floor(&self.text, at)];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[start..].chars().count();
        Position {
            line: self.first_line + before.matches('\n').count() + 1,
            column: column + 1 + if start == 0 { self.first_column } else { 0 },
        }
    }
}

/// The nearest boundary of a character at or before `at`.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl Mark {
    /// The place `span` of a source.
    pub(crate) fn of(sources: &Sources, span: Span, text: impl Into<String>) -> Self {
        Self {
            excerpt: Excerpt::source(sources, span.source),
            range: span.start as usize..span.end as usize,
            text: text.into(),
        }
    }

    /// Where it begins.
    pub(crate) fn start(&self) -> Position {
        self.excerpt.position(self.range.start)
    }

    /// `pipeline.mlp:14:3`.
    pub(crate) fn place(&self) -> String {
        let Position { line, column } = self.start();
        format!("{}:{line}:{column}", self.excerpt.path)
    }
}

impl Notice {
    /// A diagnostic of the language.
    pub(crate) fn of(diagnostic: &Diagnostic, sources: &Sources) -> Self {
        let marks = diagnostic
            .labels
            .iter()
            .map(|label| Mark::of(sources, label.span, label.text.clone()));
        let mend = diagnostic.mend.as_ref().map(|mend| {
            let edits = mend.edits.iter();
            let edits = edits.map(|(span, text)| (Mark::of(sources, *span, ""), text.clone()));
            (mend.title.clone(), edits.collect())
        });
        Self {
            code: diagnostic.code.to_owned(),
            severity: diagnostic.severity,
            message: diagnostic.message.clone(),
            marks: marks.collect(),
            notes: diagnostic.notes.clone(),
            help: diagnostic.help.clone(),
            mend,
            log: Vec::new(),
        }
    }

    /// An object for `--format json`; `docs/json.md` describes it.
    pub(crate) fn json(&self) -> serde_json::Value {
        let place = |mark: &Mark| {
            serde_json::json!({
                "path": mark.excerpt.path,
                "start": mark.excerpt.position(mark.range.start),
                "end": mark.excerpt.position(mark.range.end),
            })
        };
        let label = |mark: &Mark| {
            let mut label = place(mark);
            label["text"] = mark.text.clone().into();
            label
        };
        let mend = self.mend.as_ref().map(|(title, edits)| {
            let edits: Vec<_> = edits
                .iter()
                .map(|(mark, text)| {
                    let mut edit = place(mark);
                    edit["text"] = text.clone().into();
                    edit
                })
                .collect();
            serde_json::json!({ "title": title, "edits": edits })
        });
        serde_json::json!({
            "code": self.code,
            "severity": severity_name(self.severity),
            "message": self.message,
            "labels": self.marks.iter().map(label).collect::<Vec<_>>(),
            "notes": self.notes,
            "help": self.help,
            "mend": mend,
            "log": self.log,
        })
    }
}

/// `error` or `warning`.
pub(crate) fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_of_the_file() {
        let whole = Excerpt {
            path: "a".into(),
            text: "ä = 1\nb = 2".into(),
            first_line: 0,
            first_column: 0,
        };
        assert_eq!(whole.position(3), Position { line: 1, column: 3 });
        assert_eq!(whole.position(7), Position { line: 2, column: 1 });
        let part = Excerpt {
            first_line: 99,
            first_column: 10,
            ..whole
        };
        assert_eq!(
            part.position(0),
            Position {
                line: 100,
                column: 11
            }
        );
        assert_eq!(part.position(7), Position { line: 101, column: 1 });
        assert_eq!(part.position(500).line, 101);
    }

    #[test]
    fn json_has_the_places_and_the_mend() {
        let mut sources = Sources::default();
        let source = sources.add("pipeline.mlp", "epochs: 20\n");
        let span = Span {
            source,
            start: 6,
            end: 7,
        };
        let diagnostic = Diagnostic::error("E0129", span, "a binding is written `epochs = 20`")
            .at("here")
            .mend("write `=`", span, " =");
        let json = Notice::of(&diagnostic, &sources).json();
        assert_eq!(json["labels"][0]["start"]["column"], 7);
        assert_eq!(json["labels"][0]["text"], "here");
        assert_eq!(json["mend"]["edits"][0]["text"], " =");
    }
}
