//! Draws notices for people: the message, at most two snippets with their marks, notes, help. miette draws the snippets;
//! nothing else of `mlp` knows it.

use super::notice::{Excerpt, Mark, Notice, floor, severity_name};
use crate::report::style::Style;
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
};
use mlp_lang::diagnostic::Severity;
use std::fmt;
use std::sync::Arc;

/// Marks that are no farther apart than this many lines share a snippet.
const NEAR: usize = 5;
/// More would push the message out of sight; further places are named in notes.
const SNIPPETS: usize = 2;

/// Bytes of a line that is still shown whole. Of a longer one (data in one line, say) only what is around the mark is.
const LONGEST_LINE: usize = 1000;
/// Bytes that are shown of a longer line before a mark and behind it, and of the mark itself.
const AROUND: usize = 60;
const MARKED: usize = 200;

/// The notice as text, ending with a line break.
pub(crate) fn render(notice: &Notice, style: Style) -> String {
    let mut text = heading(notice, style);
    let marks: Vec<Mark> = notice.marks.iter().map(shortened).collect();
    let (snippets, rest) = snippets(&marks);
    for snippet in &snippets {
        text.push_str(&draw(snippet, graphical(notice.severity), style));
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

/// Places without a message of their own.
pub(crate) fn places(marks: &[Mark], style: Style) -> String {
    let marks: Vec<Mark> = marks.iter().map(shortened).collect();
    let (snippets, _) = snippets(&marks);
    snippets
        .iter()
        .map(|snippet| draw(snippet, miette::Severity::Advice, style))
        .collect()
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
    let text = |mark: &Mark| {
        let excerpt = &mark.excerpt;
        (excerpt.first_line, excerpt.first_column, excerpt.text.len())
    };
    a.excerpt.path == b.excerpt.path && text(a) == text(b) && a.start().line.abs_diff(b.start().line) <= NEAR
}

/// The mark; where its line or one beside it is very long, in an excerpt of a part of its line.
fn shortened(mark: &Mark) -> Mark {
    let text = &*mark.excerpt.text;
    let start = floor(text, mark.range.start);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let before = text[..line_start.saturating_sub(1)]
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let behind = (line_end + 1).min(text.len());
    let after = text[behind..].find('\n').map_or(text.len(), |at| behind + at);
    if [line_start - before, line_end - line_start, after - line_end]
        .iter()
        .all(|length| *length <= LONGEST_LINE)
    {
        return mark.clone();
    }
    let end = floor(text, mark.range.end.min(start + MARKED)).clamp(start, line_end);
    let from = floor(text, start.saturating_sub(AROUND)).max(line_start);
    let to = floor(text, (end + AROUND).min(line_end));
    let column = if line_start == 0 {
        mark.excerpt.first_column
    } else {
        0
    };
    let excerpt = Excerpt {
        path: mark.excerpt.path.clone(),
        text: text[from..to].into(),
        first_line: mark.excerpt.first_line + text[..line_start].matches('\n').count(),
        first_column: column + text[line_start..from].chars().count(),
    };
    Mark {
        excerpt: Arc::new(excerpt),
        range: start - from..end - from,
        text: mark.text.clone(),
    }
}

/// One snippet, by miette: its message is left empty, and its first line, which would hold it, is cut off.
fn draw(marks: &[&Mark], severity: miette::Severity, style: Style) -> String {
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

fn graphical(severity: Severity) -> miette::Severity {
    match severity {
        Severity::Error => miette::Severity::Error,
        Severity::Warning => miette::Severity::Warning,
    }
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
    severity: miette::Severity,
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
        Some(self.severity)
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
