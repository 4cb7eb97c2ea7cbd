//! Whether a network's output, its loss, its metrics and the labels fit together.

use super::report::{shape_text, way};
use super::{Input, Network, Site, takes};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::spec::{Datum, Fields};

/// What a dataset's `y` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Labels {
    /// One of so many classes.
    Class(i64),
    /// Any of so many classes.
    Tags(i64),
    /// Real numbers, as many where it is known.
    Real(Option<i64>),
}

/// What is held against each other.
pub(crate) struct Fitting<'a> {
    pub(crate) network: &'a Network,
    pub(crate) input: &'a Input,
    /// Where the network was written, for a message about one that has no layer.
    pub(crate) net: Option<&'a Site>,
    pub(crate) labels: Labels,
    /// Where the labels were declared.
    pub(crate) labels_span: Span,
}

/// "10 classes", "3 numbers".
pub(crate) fn labels_text(labels: Labels) -> String {
    match labels {
        Labels::Class(classes) => format!("{classes} classes"),
        Labels::Tags(1) => "1 tag".to_owned(),
        Labels::Tags(classes) => format!("{classes} tags"),
        Labels::Real(Some(1)) => "1 number".to_owned(),
        Labels::Real(Some(size)) => format!("{size} numbers"),
        Labels::Real(None) => "numbers".to_owned(),
    }
}

/// How many outputs a loss compares with labels, where that is known.
fn outputs(loss: &str, labels: Labels) -> Option<i64> {
    match labels {
        Labels::Class(_) if loss == "bce_with_logits" => Some(1),
        Labels::Class(size) | Labels::Tags(size) => Some(size),
        Labels::Real(size) => size,
    }
}

impl Fitting<'_> {
    /// Whether the output is what the loss compares with the labels.
    pub(crate) fn loss(&self, loss: &str, loss_span: Span) -> Option<Diagnostic> {
        let kinds = takes::of_loss(loss)?;
        if !kinds.iter().any(|kind| kind.holds(self.labels)) {
            return Some(self.wrong_kind(loss, loss_span, &takes::words(kinds)));
        }
        let wanted = outputs(loss, self.labels);
        match (wanted, self.network.output.as_slice()) {
            (Some(wanted), [Some(size)]) if *size == wanted => self.last_layer(loss, loss_span),
            (None, [_]) => None,
            _ => Some(self.wrong_output(loss, wanted)),
        }
    }

    fn wrong_kind(&self, loss: &str, span: Span, label: &str) -> Diagnostic {
        let labels = labels_text(self.labels);
        let message = format!("`{loss}` does not fit labels that are {labels}");
        Diagnostic::error("E0314", span, message)
            .at(label)
            .label(self.labels_span, format!("the labels are {labels}"))
            .help(takes::losses_for(self.labels))
    }

    fn wrong_output(&self, loss: &str, wanted: Option<i64>) -> Diagnostic {
        let output = &self.network.output;
        let (span, notes) = match self.network.steps.last() {
            Some(step) => (step.site.span, step.site.notes.as_slice()),
            None => self
                .net
                .map_or((self.input.span, &[][..]), |net| (net.span, &net.notes)),
        };
        let needs = match wanted {
            Some(size) => format!("[batch, {size}]"),
            None => "[batch, numbers]".to_owned(),
        };
        let labels = labels_text(self.labels);
        let are = if labels.starts_with("1 ") { "is" } else { "are" };
        let shown = shape_text(output);
        let message = format!("the network ends in {shown}, but `{loss}` over {labels} needs {needs}");
        let mut error = Diagnostic::error("E0314", span, message)
            .at(format!("produces {shown}"))
            .label(self.labels_span, format!("{labels} {are} declared here"))
            .note(way(self.input, &self.network.steps));
        error.notes.extend(notes.iter().cloned());
        let linear = wanted.map_or("nn.linear(…)".to_owned(), |size| format!("nn.linear({size})"));
        error.help(match (output.as_slice(), self.network.steps.last()) {
            ([_], Some(step)) if step.kind == "linear" => format!("end with `{linear}`"),
            ([_], _) => format!("add `{linear}` at the end"),
            _ => format!("flatten before the last layer: `nn.flatten, {linear}`"),
        })
    }

    /// A warning where the loss does what the last layer did, or relies on what it did not do.
    fn last_layer(&self, loss: &str, loss_span: Span) -> Option<Diagnostic> {
        let last = self.network.steps.last()?;
        let kind = last.kind.as_str();
        let logits = matches!(loss, "cross_entropy" | "focal" | "bce_with_logits");
        if logits && matches!(kind, "softmax" | "log_softmax" | "sigmoid") {
            let message = format!("`{loss}` takes logits, and the network ends in `{kind}`");
            let own = if loss == "bce_with_logits" {
                "has a sigmoid in it"
            } else {
                "has a log-softmax in it"
            };
            return Some(
                Diagnostic::warning("E0319", last.site.span, message)
                    .at("is applied a second time by the loss")
                    .label(loss_span, own)
                    .help(format!("leave `nn.{kind}` out")),
            );
        }
        (loss == "nll" && kind != "log_softmax").then(|| {
            let message = format!("`nll` takes log-probabilities, and the network ends in `{kind}`");
            Diagnostic::warning("E0319", last.site.span, message)
                .at("gives no log-probabilities")
                .label(loss_span, "takes them as they are")
                .help("end with `nn.log_softmax`, or take `loss.cross_entropy`, which has it in it")
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
    let (of, kinds) = match (kind.as_str(), args.get("loss")) {
        ("loss", Some(Datum::Variant(loss, _))) => (loss, takes::of_loss(loss)?),
        _ => (kind, takes::of_metric(kind)?),
    };
    if !kinds.iter().any(|kind| kind.holds(labels)) {
        let fitting: Vec<String> = takes::metrics_of(labels)
            .map(|metric| format!("`metrics.{metric}`"))
            .take(4)
            .collect();
        let (labels, takes) = (labels_text(labels), takes::words(kinds));
        let message = match name == of {
            true => format!("metric `{name}` {takes}; the labels are {labels}"),
            false => format!("metric `{name}` is `{of}`, which {takes}; the labels are {labels}"),
        };
        let error = Diagnostic::error("E0318", span, message).at(takes);
        let error = match fitting.is_empty() {
            true => error,
            false => error.help(format!("such labels are measured by {}", fitting.join(", "))),
        };
        return Some(error.label(labels_span, format!("the labels are {labels}")));
    }
    let (message, at) = out_of_range(name, args, labels)?;
    Some(Diagnostic::error("E0318", span, message).at(at))
}

/// An argument of a metric that the labels or its meaning forbid.
fn out_of_range(name: &str, args: &Fields, labels: Labels) -> Option<(String, String)> {
    if let (Some(Datum::Int(k)), Labels::Class(classes)) = (args.get("top_k"), labels)
        && !(1..=classes).contains(k)
    {
        let message = format!("`top_k` of metric `{name}` is {k}, of {classes} classes");
        return Some((message, format!("may be 1 to {classes}")));
    }
    if let (Some(Datum::Int(k)), Labels::Tags(_)) = (args.get("top_k"), labels)
        && *k != 1
    {
        let message = format!("`top_k` of metric `{name}` is {k}, and of tags any number may be right");
        return Some((message, "leave it out".to_owned()));
    }
    if let Some(Datum::Variant(average, _)) = args.get("average")
        && average == "Binary"
        && labels != Labels::Class(2)
    {
        let labels = labels_text(labels);
        let message =
            format!("`average` of metric `{name}` is \"binary\", for two classes; the labels are {labels}");
        return Some((message, "write \"macro\", \"micro\" or \"weighted\"".to_owned()));
    }
    if let Some(Datum::Float(threshold)) = args.get("threshold")
        && !(0.0..=1.0).contains(threshold)
    {
        let message = format!("`threshold` of metric `{name}` is {threshold}");
        return Some((message, "must be between 0 and 1".to_owned()));
    }
    if let Some(Datum::Int(bins @ ..1)) = args.get("bins") {
        let message = format!("`bins` of metric `{name}` is {bins}");
        return Some((message, "must be 1 or more".to_owned()));
    }
    None
}

/// Whether a metric that compares output and labels number by number gets an output like the labels.
pub(crate) fn check_output(
    (name, kind): (&str, &str),
    span: Span,
    output: &[i64],
    (labels, labels_span): (Labels, Span),
) -> Option<Diagnostic> {
    let fits = match labels {
        // One output says how likely the second of two classes is.
        Labels::Class(2) => output == [2] || output == [1],
        Labels::Class(size) | Labels::Tags(size) | Labels::Real(Some(size)) => output == [size],
        Labels::Real(None) => output.len() == 1,
    };
    if fits {
        return None;
    }
    let output: Vec<_> = output.iter().copied().map(Some).collect();
    let (labels, shown) = (labels_text(labels), shape_text(&output));
    let message = format!("metric `{name}` is `{kind}`, which compares {labels} with an output of {shown}");
    Some(
        Diagnostic::error("E0318", span, message)
            .at("needs an output like the labels")
            .label(labels_span, format!("{labels} are declared here"))
            .help("take what it needs from the output yourself: `metrics.custom((out, y) => …, …)`"),
    )
}
