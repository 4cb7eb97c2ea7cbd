//! What a text may look like: a document whose places may or may not become line breaks. [`super::layout`] makes it,
//! [`super::print`] decides.

use std::rc::Rc;

/// A piece of a document. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) enum Doc<'t> {
    /// Text without a line break.
    Text(&'t str),
    /// Text as it was written, with its line breaks.
    Verbatim(&'t str),
    /// A comment at the end of the line, whatever follows it here.
    Suffix(&'t str),
    /// The comments that wait for the end of the line stand before this.
    Flush,
    /// A line break; with a blank line where `blank`.
    Hard { blank: bool },
    /// A line break, unless the line is empty.
    FreshLine,
    /// One after the other; whether a line break is certain.
    Concat(Rc<[Doc<'t>]>, bool),
    /// One level deeper.
    Indent(Rc<Doc<'t>>),
    /// On one line whatever happens.
    Flat(Rc<Doc<'t>>),
    /// Behind a space if it fits there, else on the next line.
    Fit(Rc<Doc<'t>>),
    /// Of two layouts the first that fits.
    Choice(Rc<Choice<'t>>),
}

/// Two layouts of one thing.
#[derive(Debug)]
pub(super) struct Choice<'t> {
    /// The narrow one, which begins as `inline` does.
    pub(super) broken: Doc<'t>,
    /// The one without line breaks of its own.
    pub(super) inline: Doc<'t>,
    /// Whether `inline` will do if it fits up to the first line break in its last part.
    pub(super) hug: bool,
}

impl<'t> Doc<'t> {
    /// One after the other.
    pub(super) fn concat(parts: Vec<Doc<'t>>) -> Self {
        let breaks = parts.iter().any(Doc::breaks);
        Self::Concat(parts.into(), breaks)
    }

    /// Nothing.
    pub(super) fn nothing() -> Self {
        Self::Text("")
    }

    /// One level deeper.
    pub(super) fn indent(parts: Vec<Doc<'t>>) -> Self {
        Self::Indent(Rc::new(Self::concat(parts)))
    }

    /// On one line whatever happens, unless a line break in it is certain.
    pub(super) fn flat(self) -> Self {
        if self.breaks() {
            self
        } else {
            Self::Flat(Rc::new(self))
        }
    }

    /// `inline` if it can stand on one line, else `broken`.
    pub(super) fn choice(inline: Doc<'t>, broken: Doc<'t>) -> Self {
        if inline.breaks() {
            return broken;
        }
        Self::Choice(Rc::new(Choice {
            broken,
            inline,
            hug: false,
        }))
    }

    /// `inline` if all but its last part can stand on one line, else `broken`.
    pub(super) fn hug(inline: Doc<'t>, broken: Doc<'t>) -> Self {
        Self::Choice(Rc::new(Choice {
            broken,
            inline,
            hug: true,
        }))
    }

    /// Whether a line break in it is certain.
    pub(super) fn breaks(&self) -> bool {
        match self {
            Self::Text(_) | Self::Flush => false,
            Self::Verbatim(text) => text.contains('\n'),
            Self::Suffix(_) | Self::Hard { .. } | Self::FreshLine => true,
            Self::Concat(_, breaks) => *breaks,
            Self::Indent(inner) | Self::Flat(inner) | Self::Fit(inner) => inner.breaks(),
            Self::Choice(choice) => choice.inline.breaks(),
        }
    }
}
