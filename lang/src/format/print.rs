//! A document to text: of each choice the first layout that fits. Linear in the document: what is looked ahead is a line.

use super::doc::{Choice, Doc};

/// How choices are made in a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Flat,
    Break,
}

/// What is still to be printed.
#[derive(Clone, Copy)]
struct Part<'d, 't> {
    level: usize,
    mode: Mode,
    doc: &'d Doc<'t>,
}

/// The text of a document, with a line break at its end unless it is empty.
pub(super) fn print(doc: &Doc<'_>, width: usize) -> String {
    let mut printer = Printer {
        width,
        out: String::new(),
        column: 0,
        suffixes: Vec::new(),
    };
    let mut parts = vec![Part {
        level: 0,
        mode: Mode::Break,
        doc,
    }];
    while let Some(part) = parts.pop() {
        printer.part(part, &mut parts);
    }
    printer.newline(0);
    let end = printer.out.trim_end_matches('\n').len();
    printer.out.truncate(end);
    if !printer.out.is_empty() {
        printer.out.push('\n');
    }
    printer.out
}

struct Printer<'t> {
    width: usize,
    out: String,
    /// Characters on the line; 0 where nothing is on it yet.
    column: usize,
    /// Comments for the end of the line.
    suffixes: Vec<&'t str>,
}

impl<'t> Printer<'t> {
    fn part<'d>(&mut self, part: Part<'d, 't>, parts: &mut Vec<Part<'d, 't>>) {
        let Part { level, mode, doc } = part;
        match doc {
            Doc::Text(text) => self.text(text, level),
            Doc::Verbatim(text) => self.verbatim(text, level),
            Doc::Suffix(comment) => self.suffixes.push(comment),
            Doc::Hard { blank } => {
                self.newline(level);
                if *blank && !self.out.is_empty() {
                    self.out.push('\n');
                }
            }
            Doc::FreshLine => {
                if self.column > 0 || !self.suffixes.is_empty() {
                    self.newline(level);
                }
            }
            Doc::Flush => self.flush(level),
            Doc::Concat(docs, _) => parts.extend(docs.iter().rev().map(|doc| Part { doc, ..part })),
            Doc::Indent(doc) => parts.push(Part {
                level: level + 1,
                doc,
                ..part
            }),
            Doc::Flat(doc) => parts.push(Part {
                mode: Mode::Flat,
                doc,
                ..part
            }),
            Doc::Fit(doc) => {
                if mode == Mode::Flat || self.element_fits(doc, level, parts) {
                    self.text(" ", level);
                } else {
                    self.newline(level);
                }
                parts.push(Part { doc, ..part });
            }
            Doc::Choice(choice) => {
                let (mode, doc) = self.choose(choice, part, parts);
                parts.push(Part { level, mode, doc });
            }
        }
    }

    fn choose<'d>(
        &self,
        choice: &'d Choice<'t>,
        part: Part<'d, 't>,
        rest: &[Part<'d, 't>],
    ) -> (Mode, &'d Doc<'t>) {
        let at = |mode| Part {
            mode,
            doc: &choice.inline,
            ..part
        };
        if part.mode == Mode::Flat || (!choice.inline.breaks() && self.fits(0, at(Mode::Flat), rest)) {
            (Mode::Flat, &choice.inline)
        } else if choice.hug && self.fits(0, at(Mode::Break), rest) {
            (Mode::Break, &choice.inline)
        } else {
            (Mode::Break, &choice.broken)
        }
    }

    fn element_fits<'d>(&self, doc: &'d Doc<'t>, level: usize, rest: &[Part<'d, 't>]) -> bool {
        let mode = if doc.breaks() { Mode::Break } else { Mode::Flat };
        self.fits(1, Part { level, mode, doc }, rest)
    }

    /// Whether `part` and what follows fit on the line, up to the first place where it may be broken.
    fn fits<'d>(&self, before: usize, part: Part<'d, 't>, rest: &[Part<'d, 't>]) -> bool {
        let begun = if self.column == 0 {
            part.level * 2
        } else {
            self.column
        };
        let mut left = self.width.saturating_sub(begun + before);
        let mut parts = vec![part];
        let mut rest = rest.iter().rev();
        while let Some(part) = parts.pop().or_else(|| rest.next().copied()) {
            let text = match part.doc {
                Doc::Text(text) | Doc::Verbatim(text) => text,
                Doc::Suffix(_) | Doc::Flush => "",
                Doc::Hard { .. } | Doc::FreshLine => return true,
                Doc::Concat(docs, _) => {
                    parts.extend(docs.iter().rev().map(|doc| Part { doc, ..part }));
                    continue;
                }
                Doc::Indent(doc) => {
                    parts.push(Part { doc, ..part });
                    continue;
                }
                Doc::Flat(doc) => {
                    parts.push(Part {
                        mode: Mode::Flat,
                        doc,
                        ..part
                    });
                    continue;
                }
                Doc::Fit(_) if part.mode == Mode::Break => return true,
                Doc::Fit(doc) => {
                    parts.push(Part { doc, ..part });
                    " "
                }
                Doc::Choice(choice) => {
                    let flat = part.mode == Mode::Flat;
                    let doc = if flat { &choice.inline } else { &choice.broken };
                    parts.push(Part { doc, ..part });
                    continue;
                }
            };
            let line = text.split('\n').next().unwrap_or("");
            let length = line.chars().count();
            if length > left {
                return false;
            }
            if line.len() < text.len() {
                return true;
            }
            left -= length;
        }
        true
    }

    fn text(&mut self, text: &str, level: usize) {
        if text.is_empty() {
            return;
        }
        if self.column == 0 {
            self.column = level * 2;
            self.out.extend(std::iter::repeat_n(' ', self.column));
        }
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn verbatim(&mut self, text: &str, level: usize) {
        for (index, line) in text.split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if index == 0 {
                self.text(line, level);
            } else {
                self.out.push('\n');
                self.out.push_str(line);
                self.column = line.chars().count().max(1);
            }
        }
    }

    /// Writes the comments that wait: the first behind the line, others on lines of their own.
    fn flush(&mut self, level: usize) {
        for (index, comment) in std::mem::take(&mut self.suffixes).into_iter().enumerate() {
            if index > 0 {
                self.out.push('\n');
                self.column = 0;
            } else if self.column > 0 {
                self.out.push_str("  ");
            }
            self.text(comment, level);
        }
    }

    fn newline(&mut self, level: usize) {
        self.flush(level);
        self.out.push('\n');
        self.column = 0;
    }
}
