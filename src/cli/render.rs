//! Draws notices for people: the message, at most two snippets with their marks, notes, help. miette draws the snippets;
//! nothing else of `mlp` knows it.

use super::notice::{Mark, Notice, floor, severity_name};
use crate::report::style::Style;
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
};
use mlp_lang::diagnostic::Severity;
use std::fmt;

/// Marks that are no farther apart than this many lines share a snippet.
const NEAR: usize = 5;
/// More would push the message out of sight; further places are named in notes.
const SNIPPETS: usize = 2;

/// The notice as text, ending with a line break.
pub(crate) fn render(notice: &Notice, style: Style) -> String {
    let mut text = heading(notice, style);
    let (snippets, rest) = snippets(&notice.marks);
    for snippet in &snippets {
        text.push_str(&draw(snippet, notice.severity, style));
    }
    for mark in rest {
        let said = if mark.text.is_empty() { "" } else { ": " };
        line(
            &mut text,
            "also",
            &format!("{}{said}{}", mark.place(), mark.text),
            style,
        );
    }
    for note in &notice.notes {
        line(&mut text, "note", note, style);
    }
    if !notice.log.is_empty() {
        line(&mut text, "log", &notice.log.join("\n"), style);
    }
    if let Some(help) = &notice.help {
        line(&mut text, "help", help, style);
    }
    text
}

fn heading(notice: &Notice, style: Style) -> String {
    let kind = format!("{} {}:", severity_name(notice.severity), notice.code);
    let kind = match notice.severity {
        Severity::Error => style.red(&kind),
        Severity::Warning => style.yellow(&kind),
    };
    format!("{kind} {}\n", style.bold(&notice.message))
}

/// A line with a word before it; further lines stand under its text.
fn line(text: &mut String, word: &str, said: &str, style: Style) {
    let indent = " ".repeat(word.len() + 4);
    let said = said.replace('\n', &format!("\n{indent}"));
    text.push_str(&format!("  {} {said}\n", style.cyan(&format!("{word}:"))));
}

/// Groups marks that stand near each other, in the order in which they are given; what is left over is named only.
fn snippets(marks: &[Mark]) -> (Vec<Vec<&Mark>>, Vec<&Mark>) {
    let mut groups: Vec<Vec<&Mark>> = Vec::new();
    let mut rest = Vec::new();
    for mark in marks {
        if let Some(group) = groups
            .iter_mut()
            .find(|group| group.iter().any(|other| near(other, mark)))
        {
            group.push(mark);
        } else if groups.len() < SNIPPETS {
            groups.push(vec![mark]);
        } else {
            rest.push(mark);
        }
    }
    (groups, rest)
}

fn near(a: &Mark, b: &Mark) -> bool {
    a.excerpt.path == b.excerpt.path && a.start().line.abs_diff(b.start().line) <= NEAR
}

/// One snippet, by miette: its message is left empty, and its first line, which would hold it, is cut off.
fn draw(marks: &[&Mark], severity: Severity, style: Style) -> String {
    let theme = if style.colour() {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_context_lines(1)
        .with_links(false)
        .with_width(u16::MAX.into());
    let mut drawn = String::new();
    if handler
        .render_report(&mut drawn, &Snippet { marks, severity })
        .is_err()
    {
        // The place cannot be drawn; the message must still be shown, with the place's name.
        return format!("   at {}\n", marks[0].place());
    }
    drawn
        .split_once('\n')
        .map_or(String::new(), |(_, snippet)| snippet.to_owned())
}

/// Where a mark is drawn: what stands behind the last line break, at the end of that line.
fn drawn_at(mark: &Mark) -> (usize, usize) {
    let text = &mark.excerpt.text;
    let start = floor(text, mark.range.start);
    if start == text.len() && text.ends_with('\n') {
        let end = text.trim_end_matches(['\n', '\r']).len();
        return (end, end);
    }
    (start, floor(text, mark.range.end).max(start))
}

/// Marks of one excerpt, in miette's form.
struct Snippet<'a> {
    marks: &'a [&'a Mark],
    severity: Severity,
}

impl fmt::Debug for Snippet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Snippet<'_> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Snippet<'_> {}

impl miette::Diagnostic for Snippet<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.marks.iter().enumerate().map(|(index, mark)| {
            let text = (!mark.text.is_empty()).then(|| mark.text.clone());
            let (start, end) = drawn_at(mark);
            if index == 0 {
                LabeledSpan::new_primary_with_span(text, (start, end - start))
            } else {
                LabeledSpan::new_with_span(text, (start, end - start))
            }
        });
        Some(Box::new(labels))
    }
}

impl SourceCode for Snippet<'_> {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, MietteError> {
        let excerpt = &self.marks[0].excerpt;
        let contents = <str as SourceCode>::read_span(&excerpt.text, span, before, after)?;
        let column = if contents.line() == 0 {
            excerpt.first_column
        } else {
            0
        };
        Ok(Box::new(MietteSpanContents::new_named(
            excerpt.path.clone(),
            contents.data(),
            *contents.span(),
            contents.line() + excerpt.first_line,
            contents.column() + column,
            contents.line_count(),
        )))
    }
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
