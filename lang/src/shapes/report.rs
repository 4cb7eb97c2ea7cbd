//! Messages of the shape pass: at the layer that a person wrote, at what made the shape that comes in, with the way from
//! the input.

use super::layer::{Layer, Site};
use super::pass::Input;
use super::{Dim, Step};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use std::collections::BTreeMap;

/// What a transfer function has against its input or its arguments; [`Problem::report`] adds what came before.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// The argument that is at fault, if it is one.
    pub(crate) argument: Option<&'static str>,
    /// What is said at the layer or argument.
    pub(crate) label: String,
    pub(crate) help: Option<String>,
    /// The argument's right value.
    pub(crate) mend: Option<i64>,
    /// Whether the shape that comes in has its part in it.
    pub(crate) incoming: bool,
    /// Other places, with what is said at them.
    others: Vec<(Span, String)>,
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
    Box::new(Problem {
        code: "E0316",
        message: format!("`{name}` of `{}` {is}", layer.kind),
        argument: None,
        label: label.into(),
        help: None,
        mend: None,
        incoming: false,
        others: Vec::new(),
        site: layer.site.clone(),
        span: layer.site.arguments.get(name).copied().unwrap_or(layer.site.span),
    })
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
        help: None,
        mend: None,
        incoming: true,
        others: Vec::new(),
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
                arguments: BTreeMap::new(),
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

    /// Says the argument's right value.
    #[must_use]
    pub(crate) fn mend(mut self: Box<Self>, value: i64) -> Box<Self> {
        self.mend = Some(value);
        self
    }

    /// The whole message.
    pub(crate) fn report(self, input: &Input, steps: &[Step]) -> Diagnostic {
        let mut error = Diagnostic::error(self.code, self.span, self.message).at(self.label);
        for (span, text) in self.others {
            error = error.label(span, text);
        }
        if self.incoming {
            let (span, text) = producer(input, steps);
            if span != self.span {
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
            let product = (step.kind == "flatten").then(|| format!("   ({})", product(&step.input)));
            let shape = shape_text(&step.output);
            (
                step.site.span,
                format!("produces {shape}{}", product.unwrap_or_default()),
            )
        }
        None => (input.span, format!("gives {}", dims_text(&input.shape))),
    }
}

fn product(shape: &[i64]) -> String {
    shape.iter().map(i64::to_string).collect::<Vec<_>>().join(" × ")
}

/// "from [batch, 1, 28, 28]: conv2d → [32, 28, 28], max_pool2d → [32, 14, 14]".
pub(super) fn way(input: &Input, steps: &[Step]) -> String {
    const SHOWN: usize = 6;
    let changes: Vec<_> = steps.iter().filter(|step| step.input != step.output).collect();
    let start = format!("from {}", dims_text(&input.shape));
    if changes.is_empty() {
        return start;
    }
    let left_out = changes.len().saturating_sub(SHOWN);
    let shown: Vec<_> = changes[left_out..]
        .iter()
        .map(|step| format!("{} → {}", step.kind, bare(&step.output)))
        .collect();
    let gap = if left_out > 0 { "…, " } else { "" };
    format!("{start}: {gap}{}", shown.join(", "))
}

fn bare(shape: &[i64]) -> String {
    format!(
        "[{}]",
        shape.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
    )
}

/// `[batch, 1, 28, 28]`.
pub(crate) fn shape_text(shape: &[i64]) -> String {
    dims_text(&shape.iter().copied().map(Some).collect::<Vec<_>>())
}

/// `[batch, ?]`.
pub(crate) fn dims_text(shape: &[Dim]) -> String {
    let mut text = "[batch".to_owned();
    for dim in shape {
        text += &match dim {
            Some(size) => format!(", {size}"),
            None => ", ?".to_owned(),
        };
    }
    text + "]"
}
