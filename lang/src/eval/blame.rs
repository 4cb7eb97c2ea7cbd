//! Where an error is: at the line that a person wrote, never in the library; and how the program came there.

use super::code::{At, Code};
use super::machine::{Failed, Machine};
use crate::core::{Core, FunctionId, Node};
use crate::diagnostic::Diagnostic;
use crate::hir::Name;
use crate::library::Library;
use crate::source::{Source, Sources, Span};
use crate::spec::ByName;
use rustc_hash::FxHashMap;
use std::cell::OnceCell;
use std::rc::Rc;

/// An operation of some code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// The code's number.
    pub(crate) code: u32,
    pub(crate) at: At,
}

/// A call that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Call {
    /// Where the call stands.
    pub(crate) place: Place,
    /// What is called.
    pub(crate) function: FunctionId,
}

/// Where descriptions were written, and in the middle of which calls.
#[derive(Debug)]
pub(crate) struct Origins {
    /// Whether each source belongs to the standard library.
    std: Vec<bool>,
    /// Place and frame of each description; the first stands for none.
    noted: Vec<(Place, u32)>,
    /// Frames: the enclosing one and the call. Frame 0 is that of a binding.
    frames: Vec<(u32, Call)>,
    /// Looked up, never iterated.
    by_call: FxHashMap<(u32, Call), u32>,
    /// Where the lines of each source begin, once something asked.
    lines: Vec<OnceCell<Vec<u32>>>,
}

/// The user's part of the way to a place.
#[derive(Clone, Debug)]
pub(crate) struct Blame {
    pub(crate) span: Span,
    /// The arguments at `span`, where it is a call.
    pub(crate) arguments: ByName<Span>,
    /// "in `cnn`, called at pipeline.mlp:20:7", innermost first.
    pub(crate) notes: Vec<String>,
}

const NOWHERE: Place = Place {
    code: u32::MAX,
    at: 0,
};

impl Origins {
    pub(crate) fn new(sources: &Sources) -> Self {
        Self {
            std: sources.iter().map(|(_, source)| is_library(source)).collect(),
            noted: vec![(NOWHERE, 0)],
            frames: Vec::new(),
            by_call: FxHashMap::default(),
            lines: sources.iter().map(|_| OnceCell::new()).collect(),
        }
    }

    fn is_std(&self, span: Span) -> bool {
        self.std.get(span.source.0 as usize).copied().unwrap_or(false)
    }

    /// Remembers `place`, or the user's call that led into the library there, with the calls around it.
    pub(crate) fn note(&mut self, place: Place, calls: &[Call], codes: &[Rc<Code<'_>>]) -> u32 {
        let (place, calls) = self.users(place, calls, codes);
        let mut frame = 0;
        for call in calls {
            let known = self.by_call.get(&(frame, *call));
            frame = known.copied().unwrap_or_else(|| {
                self.frames.push((frame, *call));
                let id = self.frames.len() as u32;
                self.by_call.insert((frame, *call), id);
                id
            });
        }
        self.noted.push((place, frame));
        (self.noted.len() - 1) as u32
    }

    /// `place` where it is the user's, else the innermost call of the user's.
    fn users<'a>(&self, place: Place, calls: &'a [Call], codes: &[Rc<Code<'_>>]) -> (Place, &'a [Call]) {
        let is_std = |place: Place| self.is_std(codes[place.code as usize].span(place.at));
        if !is_std(place) {
            return (place, calls);
        }
        match calls.iter().rposition(|call| !is_std(call.place)) {
            Some(index) => (calls[index].place, &calls[..index]),
            None => (place, calls),
        }
    }

    /// The calls around a description, outermost first.
    fn calls(&self, mut frame: u32) -> Vec<Call> {
        let mut calls = Vec::new();
        while frame != 0 {
            let (outer, call) = self.frames[frame as usize - 1];
            calls.push(call);
            frame = outer;
        }
        calls.reverse();
        calls
    }
}

/// Whether a source is the library's own: a project may have a folder `std` too.
fn is_library(source: &Source) -> bool {
    let name = source
        .path
        .strip_prefix("std/")
        .and_then(|path| path.strip_suffix(".mlp"));
    name.and_then(|name| Library::standard().text(name))
        .is_some_and(|text| text == &*source.text)
}

impl Machine<'_> {
    /// Reports.
    pub(crate) fn fail(&mut self, diagnostic: Diagnostic) -> Failed {
        self.diagnostics.push(diagnostic);
        Failed
    }

    /// An error at `place`, or at the user's call that led into the library there.
    #[cold]
    pub(crate) fn error(&self, place: Place, code: &'static str, message: impl Into<String>) -> Diagnostic {
        let blame = self.blame(place);
        let mut error = Diagnostic::error(code, blame.span, message);
        error.notes = blame.notes;
        error
    }

    /// An error about the argument `label` of the user's call at `place`.
    pub(crate) fn argument_error(
        &self,
        place: Place,
        label: &str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Diagnostic {
        let blame = self.blame(place);
        let span = blame.arguments.get(label).copied().unwrap_or(blame.span);
        let mut error = Diagnostic::error(code, span, message);
        error.notes = blame.notes;
        error
    }

    /// Where the user stands, without a word on the way there: what every spec and layer is asked for.
    pub(crate) fn user_span(&self, place: Place) -> Span {
        self.span(self.user_place(place))
    }

    /// Where the argument `label` of the user's call stands; the call where it is not written.
    pub(crate) fn argument_span(&self, place: Place, label: &str) -> Span {
        let place = self.user_place(place);
        let code = &self.codes[place.code as usize];
        let written = arguments(self.core, code, place.at).find(|(param, _)| *param == label);
        written.map_or(code.span(place.at), |(_, span)| span)
    }

    /// The user's call, and its arguments by label.
    pub(crate) fn user_call(&self, place: Place) -> (Span, ByName<Span>) {
        let place = self.user_place(place);
        let code = &self.codes[place.code as usize];
        (code.span(place.at), named_arguments(self.core, code, place.at))
    }

    /// Where a description was written; none where that is not known.
    pub(crate) fn origin_span(&self, origin: u32) -> Option<Span> {
        let (place, _) = *self.origins.noted.get(origin as usize)?;
        (place != NOWHERE).then(|| self.span(place))
    }

    fn user_place(&self, place: Place) -> Place {
        self.origins.users(place, &self.calls, &self.codes).0
    }

    fn span(&self, place: Place) -> Span {
        self.codes[place.code as usize].span(place.at)
    }

    /// Where the user stands.
    pub(crate) fn blame(&self, place: Place) -> Blame {
        let (place, calls) = self.origins.users(place, &self.calls, &self.codes);
        self.blame_of(place, calls)
    }

    /// Where a description was written.
    pub(crate) fn blame_origin(&self, origin: u32) -> Option<Blame> {
        let (place, frame) = *self.origins.noted.get(origin as usize)?;
        (place != NOWHERE).then(|| self.blame_of(place, &self.origins.calls(frame)))
    }

    fn blame_of(&self, place: Place, calls: &[Call]) -> Blame {
        let code = &self.codes[place.code as usize];
        let mut notes: Vec<_> = calls.iter().rev().take(4).map(|call| self.note(call)).collect();
        if calls.len() > 4 {
            notes.push(format!("… {} more calls", calls.len() - 4));
        }
        Blame {
            span: code.span(place.at),
            arguments: named_arguments(self.core, code, place.at),
            notes,
        }
    }

    fn note(&self, call: &Call) -> String {
        let name = &self.core.functions[call.function.0 as usize].name;
        let span = self.codes[call.place.code as usize].span(call.place.at);
        let place = self.line_and_column(span);
        match name.as_str() {
            "λ" => format!("in a lambda, called at {place}"),
            name => format!("in `{name}`, called at {place}"),
        }
    }

    fn line_and_column(&self, span: Span) -> String {
        let source = self.sources.get(span.source);
        let begins = || {
            let ends = source.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0)
                .chain(ends.map(|(end, _)| end as u32 + 1))
                .collect()
        };
        let lines = self.origins.lines[span.source.0 as usize].get_or_init(begins);
        let line = lines.partition_point(|begin| *begin <= span.start);
        let begin = lines[line - 1] as usize;
        let before = source.text.get(begin..span.start as usize).unwrap_or_default();
        let column = before.chars().count() + 1;
        format!("{}:{line}:{column}", source.path)
    }
}

/// The arguments that a person wrote in the call at `at`.
fn arguments<'a>(
    core: &'a Core,
    code: &'a Code<'_>,
    at: At,
) -> impl Iterator<Item = (&'a Name, Span)> + use<'a> {
    let call = code.span(at);
    let (params, args, written) = match &code.body.nodes[at as usize] {
        Node::CallGlobal {
            function,
            args,
            written,
        } => {
            let params: &[Name] = &core.functions[function.0 as usize].params;
            (params, &args[..], &written[..])
        }
        _ => (&[][..], &[][..], &[][..]),
    };
    let pairs = params.iter().zip(args).enumerate();
    pairs
        .filter(|(index, _)| !matches!(written.get(*index), Some(None)))
        .map(|(_, (param, arg))| (param, code.span(arg.0)))
        .filter(move |(_, span)| span.source == call.source)
}

fn named_arguments(core: &Core, code: &Code<'_>, at: At) -> ByName<Span> {
    arguments(core, code, at)
        .map(|(param, span)| (param.clone(), span))
        .collect()
}
