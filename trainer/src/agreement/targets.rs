//! Whether a loss and metrics fit the targets and the network's output.

use super::{at_least_one, out_of_range, within};
use mlp_protocol::data::Target;
use mlp_protocol::message::{Failure, Outcome};
use mlp_protocol::train::{Average, Loss, Metric};
use std::collections::BTreeMap;

/// Checks that an output has a number for each class, tag or target; of two classes one is enough, the second's logit.
/// `name` is the argument that holds the examples.
///
/// # Errors
/// When it has not.
pub(crate) fn check_output(y: &Target, output: &[i64], name: &str) -> Outcome<()> {
    let (size, what) = match y {
        Target::Class { classes, .. } => (*classes, "classes"),
        Target::Tags { classes, .. } => (*classes, "tags"),
        Target::Real { size } => (*size, "targets"),
    };
    if output == [i64::from(size)] || (is_binary(y) && output == [1]) {
        return Ok(());
    }
    let message = format!("`{name}` has {size} {what}, but the network gives {output:?}");
    Err(Failure::new("B0202", message)
        .argument("net")
        .help(format!("let the network end with `nn.linear({size})`")))
}

fn is_binary(y: &Target) -> bool {
    matches!(y, Target::Class { classes: 2, .. })
}

/// Checks a loss against targets, and the network's output where they agree with that.
///
/// # Errors
/// When it does not fit them, or an argument of it is out of range.
pub(crate) fn check_loss(loss: &Loss, y: &Target, output: &[i64], argument: &str) -> Outcome<()> {
    let own = |field: &str| format!("{argument}.{field}");
    match (loss, y) {
        (Loss::Custom { .. }, _) | (Loss::Mse | Loss::L1, Target::Real { .. }) => Ok(()),
        (Loss::Huber { delta }, Target::Real { .. }) => {
            within(&own("delta"), *delta, *delta > 0.0, "above 0")
        }
        (
            Loss::CrossEntropy {
                weight,
                label_smoothing,
            },
            Target::Class { classes, .. },
        ) => {
            let fits = (0.0..=1.0).contains(label_smoothing);
            within(&own("label_smoothing"), *label_smoothing, fits, "from 0 to 1")?;
            each_class(output, *classes, argument)?;
            check_weight(weight.as_deref(), (*classes, "classes"), &own("weight"))
        }
        (Loss::Nll { weight }, Target::Class { classes, .. }) => {
            each_class(output, *classes, argument)?;
            check_weight(weight.as_deref(), (*classes, "classes"), &own("weight"))
        }
        (Loss::BceWithLogits { pos_weight }, Target::Tags { classes, .. }) => {
            check_weight(pos_weight.as_deref(), (*classes, "tags"), &own("pos_weight"))
        }
        (Loss::BceWithLogits { pos_weight }, Target::Class { classes: 2, .. }) => {
            if output != [1] {
                let message = format!(
                    "`bce_with_logits` takes one output for two classes, but the network gives {output:?}"
                );
                return Err(Failure::new("B0202", message)
                    .argument(argument)
                    .help("end with `nn.linear(1)`, or use `loss.cross_entropy`"));
            }
            check_weight(pos_weight.as_deref(), (1, "outputs"), &own("pos_weight"))
        }
        (Loss::Focal { gamma }, Target::Class { .. } | Target::Tags { .. }) => {
            if let Target::Class { classes, .. } = y {
                each_class(output, *classes, argument)?;
            }
            within(&own("gamma"), *gamma, *gamma >= 0.0, "0 or above")
        }
        (loss, y) => Err(unfit("this loss", of_loss(loss), argument).help(instead(y))),
    }
}

/// What targets a loss is of.
fn of_loss(loss: &Loss) -> &'static str {
    match loss {
        Loss::CrossEntropy { .. } | Loss::Nll { .. } => "classes",
        Loss::BceWithLogits { .. } => "tags or two classes",
        Loss::Focal { .. } => "classes or tags",
        Loss::Mse | Loss::L1 | Loss::Huber { .. } => "real numbers",
        Loss::Custom { .. } => "targets",
    }
}

/// Which losses such targets have.
fn instead(y: &Target) -> &'static str {
    match y {
        Target::Class { .. } => "use `loss.cross_entropy`, or read `y` by `data.target`",
        Target::Tags { .. } => "use `loss.bce_with_logits`",
        Target::Real { .. } => "use `loss.mse` or `loss.l1`, or read `y` by `data.label`",
    }
}

/// Checks that there is an output for each class.
fn each_class(output: &[i64], classes: u32, argument: &str) -> Outcome<()> {
    if output == [i64::from(classes)] {
        return Ok(());
    }
    let message =
        format!("this loss takes an output for each of {classes} classes, but the network gives {output:?}");
    let bce = if classes == 2 {
        "; with one output use `loss.bce_with_logits`"
    } else {
        ""
    };
    Err(Failure::new("B0202", message)
        .argument(argument)
        .help(format!("let the network end with `nn.linear({classes})`{bce}")))
}

/// Checks a loss's weights, of which there is one for each of `count`.
fn check_weight(weight: Option<&[f64]>, (count, what): (u32, &str), argument: &str) -> Outcome<()> {
    let Some(weight) = weight else { return Ok(()) };
    if weight.len() != count as usize {
        let name = argument.rsplit('.').next().unwrap_or(argument);
        let one = if count == 1 {
            "1 belongs there".to_owned()
        } else {
            format!("there are {count} {what}")
        };
        let message = format!("`{name}` has {} numbers, but {one}", weight.len());
        let help = match what {
            "classes" => "give one number a class",
            "tags" => "give one number a tag",
            _ => "give one number, for the second class",
        };
        return Err(out_of_range(argument, &message, help));
    }
    let bad = weight
        .iter()
        .find(|number| !(number.is_finite() && **number >= 0.0));
    bad.map_or(Ok(()), |number| within(argument, *number, false, "0 or above"))
}

/// Checks metrics against targets and the network's output.
///
/// # Errors
/// When one does not fit them.
pub(crate) fn check_metrics(metrics: &BTreeMap<String, Metric>, y: &Target, output: &[i64]) -> Outcome<()> {
    metrics
        .iter()
        .try_for_each(|(name, metric)| check_metric(name, metric, y, output))
}

fn check_metric(name: &str, metric: &Metric, y: &Target, output: &[i64]) -> Outcome<()> {
    let argument = format!("metrics.{name}");
    let own = |field: &str| format!("{argument}.{field}");
    match (metric, y) {
        (Metric::Custom { .. }, _)
        | (Metric::ConfusionMatrix, Target::Class { .. })
        | (Metric::Mae | Metric::Rmse | Metric::R2, Target::Real { .. }) => Ok(()),
        (Metric::Loss { loss }, y) => check_loss(loss, y, output, &argument),
        (Metric::Accuracy { top_k }, Target::Class { classes, .. }) => {
            let fits = (1..=*classes).contains(top_k);
            let bounds = format!("from 1 to {classes}");
            within(&own("top_k"), f64::from(*top_k), fits, &bounds)
        }
        (Metric::Accuracy { top_k }, Target::Tags { .. }) => within(
            &own("top_k"),
            f64::from(*top_k),
            *top_k == 1,
            "1 where examples have tags",
        ),
        (
            Metric::Precision { average, threshold }
            | Metric::Recall { average, threshold }
            | Metric::F1 { average, threshold },
            Target::Class { .. } | Target::Tags { .. },
        ) => {
            let fits = (0.0..=1.0).contains(threshold);
            within(&own("threshold"), *threshold, fits, "from 0 to 1")?;
            check_average(*average, y, &own("average"))
        }
        (
            Metric::RocAuc { average } | Metric::AveragePrecision { average },
            Target::Class { .. } | Target::Tags { .. },
        ) => check_average(*average, y, &own("average")),
        (Metric::CalibrationError { bins }, Target::Class { .. }) => at_least_one(&own("bins"), *bins),
        (metric, y) => {
            Err(unfit(&format!("the metric `{name}`"), of_metric(metric), &argument).help(measured_by(y)))
        }
    }
}

/// What targets a metric is of.
fn of_metric(metric: &Metric) -> &'static str {
    match metric {
        Metric::Mae | Metric::Rmse | Metric::R2 => "real numbers",
        Metric::ConfusionMatrix | Metric::CalibrationError { .. } => "classes",
        _ => "classes or tags",
    }
}

/// By what such targets are measured.
fn measured_by(y: &Target) -> &'static str {
    match y {
        Target::Class { .. } => "use `metrics.accuracy`",
        Target::Tags { .. } => "use `metrics.f1` or `metrics.average_precision`",
        Target::Real { .. } => "use `metrics.mae` or `metrics.rmse`",
    }
}

fn check_average(average: Average, y: &Target, argument: &str) -> Outcome<()> {
    if average != Average::Binary || is_binary(y) {
        return Ok(());
    }
    let message = match y {
        Target::Class { classes, .. } => {
            format!("a binary figure is of two classes, and there are {classes}")
        }
        _ => "a binary figure is of two classes, and these are tags".to_owned(),
    };
    let help = "write `average = Macro`, the mean over the classes; or `Micro`, `Weighted`";
    Err(out_of_range(argument, &message, help))
}

fn unfit(what: &str, needs: &str, argument: &str) -> Box<Failure> {
    Failure::new("B0203", format!("{what} needs {needs} as targets")).argument(argument)
}
