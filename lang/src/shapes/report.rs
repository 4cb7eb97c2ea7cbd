//! Messages of the shape pass: at the layer that a person wrote, at what made the shape that comes in, with the way from
//! the input.

use super::layer::{Layer, Site};
use super::{Dim, Features, Input, Signal, Step};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::spec::ByName;

/// What a transfer function has against its input or its arguments; [`Problem::report`] adds what came before.
#[derive(Debug)]
pub(crate) struct Problem {
    code: &'static str,
    message: String,
    /// The argument that is at fault, if it is one.
    argument: Option<&'static str>,
    /// What is said at the layer or argument.
    label: String,
    others: Vec<(Span, String)>,
    help: Option<String>,
    /// The argument's right value.
    mend: Option<i64>,
    /// Whether the shape that comes in has its part in it.
    incoming: bool,
    site: Site,
    span: Span,
}

/// An argument that is wrong by itself: "`stride` of `conv2d` is 0", of which `is` is the end.
pub(crate) fn argument(
    layer: &Layer,
    name: &str,
    is: impl std::fmt::Display,
    label: impl Into<String>,
) -> Box<Problem> {
    let message = format!("`{name}` of `{}` {is}", layer.kind);
    let mut problem = mismatch(layer, "E0316", message, label);
    problem.incoming = false;
    problem.span = layer.site.arguments.get(name).copied().unwrap_or(layer.site.span);
    problem
}

/// A layer that does not take what comes in.
pub(crate) fn mismatch(
    layer: &Layer,
    code: &'static str,
    message: impl Into<String>,
    label: impl Into<String>,
) -> Box<Problem> {
    Box::new(Problem {
        code,
        message: message.into(),
        argument: None,
        label: label.into(),
        others: Vec::new(),
        help: None,
        mend: None,
        incoming: true,
        site: layer.site.clone(),
        span: layer.site.span,
    })
}

impl Problem {
    /// What is wrong in a traced layer: a message that lacks only what came before the layer.
    pub(crate) fn of_traced(mut error: Diagnostic) -> Box<Self> {
        // The first label is the place to blame; there always is one.
        let first = error.labels.remove(0);
        let (span, label) = (first.span, first.text);
        Box::new(Self {
            code: error.code,
            message: error.message,
            argument: None,
            label,
            help: error.help,
            mend: None,
            incoming: true,
            others: error
                .labels
                .into_iter()
                .map(|label| (label.span, label.text))
                .collect(),
            site: Site {
                span,
                arguments: ByName::new(),
                notes: error.notes,
            },
            span,
        })
    }

    /// Blames an argument.
    #[must_use]
    pub(crate) fn of(mut self: Box<Self>, name: &'static str) -> Box<Self> {
        self.span = self.site.arguments.get(name).copied().unwrap_or(self.span);
        self.argument = Some(name);
        self
    }

    #[must_use]
    pub(crate) fn help(mut self: Box<Self>, help: impl Into<String>) -> Box<Self> {
        self.help = Some(help.into());
        self
    }

    /// Says what stands at another place.
    #[must_use]
    pub(crate) fn and(mut self: Box<Self>, span: Span, text: impl Into<String>) -> Box<Self> {
        if span != self.span && self.others.iter().all(|(other, _)| *other != span) {
            self.others.push((span, text.into()));
        }
        self
    }

    /// Says the argument's right value.
    #[must_use]
    pub(crate) fn mend(mut self: Box<Self>, value: i64) -> Box<Self> {
        self.mend = Some(value);
        self
    }

    /// The whole message.
    pub(crate) fn report(self, input: &Input, steps: &[Step]) -> Diagnostic {
        let mut error = Diagnostic::error(self.code, self.span, self.message).at(self.label);
        let told = !self.others.is_empty();
        for (span, text) in self.others {
            error = error.label(span, text);
        }
        if self.incoming {
            let (span, text) = producer(input, steps);
            if span != self.span && !told {
                error = error.label(span, text);
            }
            error = error.note(way(input, steps));
        }
        error.notes.extend(self.site.notes);
        error.help = self.help;
        if let (Some(name), Some(value)) = (self.argument, self.mend)
            && self.site.arguments.contains_key(name)
        {
            error = error.mend(format!("write `{name} = {value}`"), self.span, value.to_string());
        }
        error
    }
}

/// The layer that made the shape, or the codec of the data.
fn producer(input: &Input, steps: &[Step]) -> (Span, String) {
    match steps.iter().rev().find(|step| step.input != step.output) {
        Some(step) => {
            let factors = step.kind == "flatten" && step.input.iter().all(Option::is_some);
            let product = if factors {
                format!("   ({})", product(&step.input))
            } else {
                String::new()
            };
            let shape = shape_text(&step.output);
            (step.site.span, format!("produces {shape}{product}"))
        }
        None => (input.span, format!("gives {}", features_text(&input.features))),
    }
}

fn product(shape: &[Dim]) -> String {
    shape
        .iter()
        .map(|dim| dim_text(*dim))
        .collect::<Vec<_>>()
        .join(" × ")
}

/// "from [batch, 1, 28, 28]: conv2d → [32, 28, 28], max_pool2d → [32, 14, 14]".
pub(super) fn way(input: &Input, steps: &[Step]) -> String {
    const SHOWN: usize = 6;
    let changes: Vec<_> = steps.iter().filter(|step| step.input != step.output).collect();
    let start = format!("from {}", features_text(&input.features));
    if changes.is_empty() {
        return start;
    }
    let left_out = changes.len().saturating_sub(SHOWN);
    let shown: Vec<_> = changes[left_out..]
        .iter()
        .map(|step| format!("{} → [{}]", step.kind, dims_text(&step.output)))
        .collect();
    let gap = if left_out > 0 { "…, " } else { "" };
    format!("{start}: {gap}{}", shown.join(", "))
}

/// `[batch, 1, 28, 28]`, `[batch, ?]`.
pub(crate) fn shape_text(shape: &[Dim]) -> String {
    match shape {
        [] => "[batch]".to_owned(),
        _ => format!("[batch, {}]", dims_text(shape)),
    }
}

/// `[batch, 1, 28, 28]`; of named inputs each with its name.
pub(crate) fn features_text(features: &Features) -> String {
    let one = |signal: &Signal| match signal.ids {
        true => format!("{} of token ids", shape_text(&signal.shape)),
        false => shape_text(&signal.shape),
    };
    match features {
        Features::One(signal) => one(signal),
        Features::Named(inputs) => {
            let inputs: Vec<_> = inputs
                .iter()
                .map(|(name, signal)| format!("{name}: {}", one(signal)))
                .collect();
            format!("{{ {} }}", inputs.join(", "))
        }
    }
}

fn dims_text(shape: &[Dim]) -> String {
    shape
        .iter()
        .map(|dim| dim_text(*dim))
        .collect::<Vec<_>>()
        .join(", ")
}

fn dim_text(dim: Dim) -> String {
    dim.map_or("?".to_owned(), |size| size.to_string())
}
