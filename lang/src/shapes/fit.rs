//! Whether a network's output, its loss, its metrics and the labels fit together.

use super::pass::Input;
use super::report::{shape_text, way};
use super::{Network, Site};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::spec::Datum;

/// What a dataset's `y` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Labels {
    Class(i64),
    /// Real numbers, as many where it is known.
    Real(Option<i64>),
}

/// What is held against each other.
pub(crate) struct Fitting<'a> {
    pub(crate) network: &'a Network,
    pub(crate) input: &'a Input,
    /// Where the network was written.
    pub(crate) net: &'a Site,
    pub(crate) labels: Labels,
    /// Where the labels were declared.
    pub(crate) labels_span: Span,
}

/// "10 classes", "3 numbers".
pub(crate) fn labels_text(labels: Labels) -> String {
    match labels {
        Labels::Class(classes) => format!("{classes} classes"),
        Labels::Real(Some(1)) => "1 number".to_owned(),
        Labels::Real(Some(size)) => format!("{size} numbers"),
        Labels::Real(None) => "numbers".to_owned(),
    }
}

impl Fitting<'_> {
    /// Whether the output is what the loss compares with the labels.
    pub(crate) fn loss(&self, loss: &str, loss_span: Span) -> Option<Diagnostic> {
        let wanted = match (loss, self.labels) {
            ("cross_entropy", Labels::Class(classes)) => Some(classes),
            ("mse" | "l1", Labels::Real(size)) => size,
            ("cross_entropy", Labels::Real(_)) => {
                return Some(self.wrong_kind(
                    loss,
                    loss_span,
                    "takes classes",
                    "`loss.mse` and `loss.l1` take numbers",
                ));
            }
            ("mse" | "l1", Labels::Class(_)) => {
                return Some(self.wrong_kind(
                    loss,
                    loss_span,
                    "takes numbers",
                    "`loss.cross_entropy` takes classes",
                ));
            }
            _ => return None,
        };
        match (wanted, self.network.output.as_slice()) {
            (Some(wanted), [size]) if *size == wanted => self.doubled(loss, loss_span),
            (None, [_]) => None,
            _ => Some(self.wrong_output(loss, wanted)),
        }
    }

    fn wrong_kind(&self, loss: &str, span: Span, label: &str, help: &str) -> Diagnostic {
        let labels = labels_text(self.labels);
        Diagnostic::error(
            "E0314",
            span,
            format!("`{loss}` does not fit labels that are {labels}"),
        )
        .at(label)
        .label(self.labels_span, format!("the labels are {labels}"))
        .help(help)
    }

    fn wrong_output(&self, loss: &str, wanted: Option<i64>) -> Diagnostic {
        let output = &self.network.output;
        let (span, notes) = match self.network.steps.last() {
            Some(step) => (step.site.span, &step.site.notes),
            None => (self.net.span, &self.net.notes),
        };
        let needs = match wanted {
            Some(size) => format!("[batch, {size}]"),
            None => "[batch, numbers]".to_owned(),
        };
        let labels = labels_text(self.labels);
        let shown = shape_text(output);
        let message = format!("the network ends in {shown}, but `{loss}` over {labels} needs {needs}");
        let mut error = Diagnostic::error("E0314", span, message)
            .at(format!("produces {shown}"))
            .label(self.labels_span, format!("{labels} are declared here"))
            .note(way(self.input, &self.network.steps));
        error.notes.extend(notes.iter().cloned());
        let linear = wanted.map_or("nn.linear(…)".to_owned(), |size| format!("nn.linear({size})"));
        error.help(match (output.as_slice(), self.network.steps.last()) {
            ([_], Some(step)) if step.kind == "linear" => format!("end with `{linear}`"),
            ([_], _) => format!("add `{linear}` at the end"),
            _ => format!("flatten before the last layer: `nn.flatten, {linear}`"),
        })
    }

    /// A warning where the loss does what the last layer did.
    fn doubled(&self, loss: &str, loss_span: Span) -> Option<Diagnostic> {
        let last = self.network.steps.last()?;
        let twice =
            matches!(last.kind.as_str(), "softmax" | "log_softmax" | "sigmoid") && loss == "cross_entropy";
        twice.then(|| {
            let message = format!(
                "`cross_entropy` takes logits, and the network ends in `{}`",
                last.kind
            );
            Diagnostic::warning("E0319", last.site.span, message)
                .at("is applied a second time by the loss")
                .label(loss_span, "has a log-softmax in it")
                .help(format!("leave `nn.{}` out", last.kind))
        })
    }
}

/// Whether a metric can be taken of these labels.
pub(crate) fn check_metric(
    name: &str,
    metric: &Datum,
    span: Span,
    labels: Labels,
    labels_span: Span,
) -> Option<Diagnostic> {
    let Datum::Variant(kind, args) = metric else {
        return None;
    };
    let takes = match (kind.as_str(), labels) {
        ("accuracy", Labels::Class(classes)) => match args.get("top_k") {
            Some(Datum::Int(k)) if !(1..=classes).contains(k) => {
                let message = format!("`top_k` of metric `{name}` is {k}, of {classes} classes");
                return Some(Diagnostic::error("E0318", span, message).at(format!("may be 1 to {classes}")));
            }
            _ => return None,
        },
        ("accuracy" | "confusion_matrix", Labels::Real(_)) => "classes",
        ("mae" | "rmse", Labels::Class(_)) => "numbers",
        _ => return None,
    };
    let labels = labels_text(labels);
    let message = format!("metric `{name}` is `{kind}`, which takes {takes}; the labels are {labels}");
    Some(
        Diagnostic::error("E0318", span, message)
            .at(format!("takes {takes}"))
            .label(labels_span, format!("the labels are {labels}")),
    )
}

/// Whether a metric that compares output and labels number by number gets an output like the labels.
pub(crate) fn check_output(
    (name, kind): (&str, &str),
    span: Span,
    output: &[i64],
    (labels, labels_span): (Labels, Span),
) -> Option<Diagnostic> {
    let fits = match labels {
        Labels::Class(size) | Labels::Real(Some(size)) => output == [size],
        Labels::Real(None) => output.len() == 1,
    };
    if fits {
        return None;
    }
    let (labels, shown) = (labels_text(labels), shape_text(output));
    let message = format!("metric `{name}` is `{kind}`, which compares {labels} with an output of {shown}");
    Some(
        Diagnostic::error("E0318", span, message)
            .at("needs an output like the labels")
            .label(labels_span, format!("{labels} are declared here"))
            .help("take what it needs from the output yourself: `metrics.custom((out, y) => …, …)`"),
    )
}
