//! What labels each loss and each metric takes. One that is not here (a traced function) takes any.

use super::Labels;

/// A kind of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One of several classes.
    Class,
    /// One of two classes.
    Binary,
    /// Any number of several classes.
    Tags,
    /// Numbers.
    Real,
}

const LOSSES: &[(&str, &[Kind])] = &[
    ("bce_with_logits", &[Kind::Tags, Kind::Binary]),
    ("cross_entropy", &[Kind::Class]),
    ("focal", &[Kind::Class, Kind::Tags]),
    ("huber", &[Kind::Real]),
    ("l1", &[Kind::Real]),
    ("mse", &[Kind::Real]),
    ("nll", &[Kind::Class]),
];

const METRICS: &[(&str, &[Kind])] = &[
    ("accuracy", &[Kind::Class, Kind::Tags]),
    ("average_precision", &[Kind::Class, Kind::Tags]),
    ("calibration_error", &[Kind::Class]),
    ("confusion_matrix", &[Kind::Class]),
    ("f1", &[Kind::Class, Kind::Tags]),
    ("mae", &[Kind::Real]),
    ("precision", &[Kind::Class, Kind::Tags]),
    ("r2", &[Kind::Real]),
    ("recall", &[Kind::Class, Kind::Tags]),
    ("rmse", &[Kind::Real]),
    ("roc_auc", &[Kind::Class, Kind::Tags]),
];

fn find(table: &'static [(&str, &'static [Kind])], name: &str) -> Option<&'static [Kind]> {
    let row = table.iter().find(|(own, _)| *own == name);
    row.map(|(_, kinds)| *kinds)
}

/// What a loss takes, where it matters.
pub(super) fn of_loss(name: &str) -> Option<&'static [Kind]> {
    find(LOSSES, name)
}

/// What a metric takes, where it matters.
pub(super) fn of_metric(name: &str) -> Option<&'static [Kind]> {
    find(METRICS, name)
}

/// The metrics that take such labels.
pub(super) fn metrics_of(labels: Labels) -> impl Iterator<Item = &'static str> {
    let fits = move |(_, kinds): &&(&str, &[Kind])| kinds.iter().any(|kind| kind.holds(labels));
    METRICS.iter().filter(fits).map(|(name, _)| *name)
}

impl Kind {
    /// Whether labels are of this kind.
    pub(super) fn holds(self, labels: Labels) -> bool {
        matches!(
            (self, labels),
            (Self::Class, Labels::Class(_))
                | (Self::Binary, Labels::Class(2))
                | (Self::Tags, Labels::Tags(_))
                | (Self::Real, Labels::Real(_))
        )
    }

    fn word(self) -> &'static str {
        match self {
            Self::Class => "classes",
            Self::Binary => "two classes",
            Self::Tags => "tags",
            Self::Real => "numbers",
        }
    }
}

/// "takes classes or tags".
pub(super) fn words(kinds: &[Kind]) -> String {
    let words: Vec<_> = kinds.iter().map(|kind| kind.word()).collect();
    format!("takes {}", words.join(" or "))
}

/// "`loss.mse`, `loss.l1` and `loss.huber` take numbers".
pub(super) fn losses_for(labels: Labels) -> &'static str {
    match labels {
        Labels::Class(2) => "`loss.cross_entropy` and `loss.bce_with_logits` take two classes",
        Labels::Class(_) => "`loss.cross_entropy` takes classes",
        Labels::Tags(_) => "`loss.bce_with_logits` takes tags",
        Labels::Real(_) => "`loss.mse`, `loss.l1` and `loss.huber` take numbers",
    }
}
