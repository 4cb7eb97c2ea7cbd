//! Whether data, network, loss, metrics and arguments fit together, before anything is computed.

use crate::error::Outcome;
use mlp_protocol::data::{Schema, Sizes, Target};
use mlp_protocol::message::{Failure, Outcome as Checked};
use mlp_protocol::net::{Input, Net};
use mlp_protocol::train::{Average, Loss, Metric, Optimizer, Schedule, TrainArgs};
use std::collections::BTreeMap;

/// Checks the arguments of a training.
///
/// # Errors
/// When one is out of range.
pub(crate) fn check_train(args: &TrainArgs, has_val: bool) -> Outcome<()> {
    at_least_one("epochs", args.epochs)?;
    at_least_one("batch_size", args.batch_size)?;
    at_least_one("accumulate", args.accumulate)?;
    at_least_one("shards", args.shards)?;
    at_least_one("checkpoint_every", args.checkpoint_every)?;
    check_device(&args.device)?;
    if args.precision != "fp32" {
        return Err(out_of_range(
            "precision",
            &format!("`precision` is {:?}", args.precision),
            "write `precision = \"fp32\"`",
        )
        .into());
    }
    if args.early_stopping.is_some() && !has_val {
        let message = "early stopping watches the validation loss, but there is no `val`";
        return Err(out_of_range(
            "early_stopping",
            message,
            "give `val = …`, or leave `early_stopping` out",
        )
        .into());
    }
    if let Some(bound) = args.clip_grad_norm {
        within("clip_grad_norm", bound, bound > 0.0, "above 0")?;
    }
    if let Some(schedule) = &args.schedule {
        check_schedule(schedule)?;
    }
    Ok(check_optimizer(&args.optimizer)?)
}

/// Checks that the device is one that this program has.
///
/// # Errors
/// When it is not.
pub(crate) fn check_device(device: &str) -> Checked<()> {
    if device == "cpu" {
        return Ok(());
    }
    Err(Failure::new(
        "B0206",
        format!("the device `{device}` is not available: this trainer computes on the CPU"),
    )
    .argument("device")
    .help("write `device = \"cpu\"`"))
}

/// Whether something compares the network's output with the targets number by number: all but traced functions do.
pub(crate) fn compares(loss: Option<&Loss>, metrics: &BTreeMap<String, Metric>) -> bool {
    let custom = |metric: &Metric| match metric {
        Metric::Custom { .. } => true,
        Metric::Loss { loss } => matches!(loss, Loss::Custom { .. }),
        _ => false,
    };
    loss.is_some_and(|loss| !matches!(loss, Loss::Custom { .. })) || !metrics.values().all(custom)
}

/// Checks examples against a network; `name` is the argument that holds them.
///
/// # Errors
/// When shapes differ, or the targets are not the network's output although something compares the two.
pub(crate) fn check_data(schema: &Schema, net: &Net, name: &str, compares: bool) -> Checked<()> {
    check_input(schema, &net.input, name)?;
    let (size, what) = match &schema.y {
        Target::Class { classes, .. } => (*classes, "classes"),
        Target::Real { size } => (*size, "targets"),
        Target::Tags { classes, .. } => (*classes, "tags"),
    };
    if compares && net.output != [i64::from(size)] {
        let message = format!(
            "`{name}` has {size} {what}, but the network gives {:?}",
            net.output
        );
        return Err(Failure::new("B0202", message)
            .argument("net")
            .help(format!("let the network end with `nn.linear({size})`")));
    }
    Ok(())
}

/// Checks the shapes of the examples against what a network takes.
fn check_input(schema: &Schema, input: &Input, name: &str) -> Checked<()> {
    let shape = |sizes: &Sizes| -> Vec<i64> {
        let sizes = sizes.iter();
        sizes.map(|size| size.unwrap_or(0).cast_signed()).collect()
    };
    let shapes: BTreeMap<&str, Vec<i64>> = schema
        .x
        .iter()
        .map(|(name, sizes)| (&name[..], shape(sizes)))
        .collect();
    let wrong = |message| Err(Failure::new("B0202", message).argument(name));
    let shown = |shapes: &BTreeMap<&str, Vec<i64>>| {
        let inputs = shapes.iter().map(|(input, shape)| format!("`{input}` {shape:?}"));
        inputs.collect::<Vec<_>>().join(", ")
    };
    match input {
        Input::One(takes) => match shapes.get("x").filter(|_| shapes.len() == 1) {
            Some(found) if found == takes => Ok(()),
            Some(found) => wrong(format!(
                "the examples of `{name}` have shape {found:?}, but the network takes {takes:?}"
            )),
            None => wrong(format!(
                "the examples of `{name}` have the inputs {}, but the network takes one",
                shown(&shapes)
            )),
        },
        Input::Named(takes) => {
            let takes = takes
                .iter()
                .map(|(name, shape)| (&name[..], shape.clone()))
                .collect();
            if shapes == takes {
                return Ok(());
            }
            wrong(format!(
                "the examples of `{name}` have the inputs {}, but the network takes {}",
                shown(&shapes),
                shown(&takes)
            ))
        }
    }
}

/// Checks that two splits are of one kind.
///
/// # Errors
/// When shapes, targets or recipes differ.
pub(crate) fn check_alike(on: &Schema, val: &Schema) -> Checked<()> {
    if (&on.x, &on.y, &on.recipe) == (&val.x, &val.y, &val.recipe) {
        return Ok(());
    }
    Err(
        Failure::new("B0204", "`on` and `val` were read by different recipes")
            .argument("val")
            .help("take both from one dataset, by `data.split`"),
    )
}

/// Checks a loss against targets.
///
/// # Errors
/// When it does not fit them, or an argument of it is out of range.
pub(crate) fn check_loss(loss: &Loss, y: &Target, argument: &str) -> Checked<()> {
    match (loss, y) {
        (
            Loss::CrossEntropy {
                weight,
                label_smoothing,
            },
            Target::Class { classes, .. },
        ) => {
            let smoothing = *label_smoothing;
            within(
                &format!("{argument}.label_smoothing"),
                smoothing,
                (0.0..=1.0).contains(&smoothing),
                "from 0 to 1",
            )?;
            check_weight(weight.as_deref(), *classes, argument)
        }
        (Loss::Nll { weight }, Target::Class { classes, .. }) => {
            check_weight(weight.as_deref(), *classes, argument)
        }
        (Loss::Focal { gamma }, Target::Class { .. }) => {
            within(&format!("{argument}.gamma"), *gamma, *gamma >= 0.0, "0 or above")
        }
        (Loss::Huber { delta }, Target::Real { .. }) => {
            within(&format!("{argument}.delta"), *delta, *delta > 0.0, "above 0")
        }
        (Loss::Mse | Loss::L1, Target::Real { .. }) | (Loss::Custom { .. }, _) => Ok(()),
        (Loss::CrossEntropy { .. } | Loss::Nll { .. } | Loss::Focal { .. }, _) => {
            Err(unfit("this loss", "classes", argument)
                .help("use `loss.mse` or `loss.l1`, or read `y` by `data.label`"))
        }
        (Loss::Mse | Loss::L1 | Loss::Huber { .. }, _) => Err(unfit("this loss", "real numbers", argument)
            .help("use `loss.cross_entropy`, or read `y` by `data.target`")),
    }
}

/// Checks a loss's weights of classes.
fn check_weight(weight: Option<&[f64]>, classes: u32, argument: &str) -> Checked<()> {
    let Some(weight) = weight else { return Ok(()) };
    if weight.len() != classes as usize {
        let message = format!(
            "`weight` has {} numbers, but there are {classes} classes",
            weight.len()
        );
        return Err(out_of_range(
            &format!("{argument}.weight"),
            &message,
            "give one number a class",
        ));
    }
    let bad = weight
        .iter()
        .find(|number| !(number.is_finite() && **number >= 0.0));
    bad.map_or(Ok(()), |number| {
        within(&format!("{argument}.weight"), *number, false, "0 or above")
    })
}

/// Checks metrics against targets.
///
/// # Errors
/// When one does not fit them.
pub(crate) fn check_metrics(metrics: &BTreeMap<String, Metric>, y: &Target) -> Checked<()> {
    for (name, metric) in metrics {
        let argument = format!("metrics.{name}");
        match (metric, y) {
            (Metric::Loss { loss }, y) => check_loss(loss, y, &argument)?,
            (Metric::Accuracy { top_k }, Target::Class { classes, .. }) => {
                let fits = (1..=*classes).contains(top_k);
                within(
                    &format!("{argument}.top_k"),
                    f64::from(*top_k),
                    fits,
                    &format!("from 1 to {classes}"),
                )?;
            }
            (Metric::Custom { .. }, _)
            | (Metric::ConfusionMatrix, Target::Class { .. })
            | (Metric::Mae | Metric::Rmse | Metric::R2, Target::Real { .. }) => {}
            (
                Metric::Precision { average, threshold }
                | Metric::Recall { average, threshold }
                | Metric::F1 { average, threshold },
                Target::Class { classes, .. },
            ) => {
                let fits = (0.0..=1.0).contains(threshold);
                within(&format!("{argument}.threshold"), *threshold, fits, "from 0 to 1")?;
                check_average(*average, *classes, &argument)?;
            }
            (
                Metric::RocAuc { average } | Metric::AveragePrecision { average },
                Target::Class { classes, .. },
            ) => check_average(*average, *classes, &argument)?,
            (Metric::CalibrationError { bins }, Target::Class { .. }) => {
                at_least_one(&format!("{argument}.bins"), *bins)?;
            }
            (Metric::Mae | Metric::Rmse | Metric::R2, _) => {
                return Err(unfit(&format!("the metric `{name}`"), "real numbers", &argument)
                    .help("use `metrics.accuracy`"));
            }
            (_, Target::Real { .. } | Target::Tags { .. }) => {
                return Err(unfit(&format!("the metric `{name}`"), "classes", &argument)
                    .help("use `metrics.mae` or `metrics.rmse`"));
            }
        }
    }
    Ok(())
}

fn check_average(average: Average, classes: u32, argument: &str) -> Checked<()> {
    if average != Average::Binary || classes == 2 {
        return Ok(());
    }
    let message = format!("a binary figure is of two classes, and there are {classes}");
    let help = "write `average = Macro`, the mean over the classes; or `Micro`, `Weighted`";
    Err(out_of_range(&format!("{argument}.average"), &message, help))
}

fn check_schedule(schedule: &Schedule) -> Checked<()> {
    let not_negative =
        |name: &str, value: f64| within(&format!("schedule.{name}"), value, value >= 0.0, "0 or above");
    match schedule {
        Schedule::Step { step_size, gamma } => {
            at_least_one("schedule.step_size", *step_size)?;
            not_negative("gamma", *gamma)
        }
        Schedule::Exponential { gamma } | Schedule::MultiStep { gamma, .. } => not_negative("gamma", *gamma),
        Schedule::Cosine { over, warmup, min_lr } => {
            at_least_one("schedule.over", *over)?;
            within(
                "schedule.warmup",
                f64::from(*warmup),
                warmup <= over,
                &format!("at most `over`, which is {over}"),
            )?;
            not_negative("min_lr", *min_lr)
        }
        Schedule::Custom { factors } => factors
            .iter()
            .try_for_each(|factor| not_negative("factors", *factor)),
    }
}

fn check_optimizer(optimizer: &Optimizer) -> Checked<()> {
    let not_negative =
        |name: &str, value: f64| within(&format!("optimizer.{name}"), value, value >= 0.0, "0 or above");
    match optimizer {
        Optimizer::Sgd {
            lr,
            momentum,
            nesterov,
            weight_decay,
        } => {
            not_negative("lr", *lr)?;
            not_negative("momentum", *momentum)?;
            not_negative("weight_decay", *weight_decay)?;
            if *nesterov && *momentum == 0.0 {
                let help = "give `momentum`, or leave `nesterov` out";
                return Err(out_of_range(
                    "optimizer.nesterov",
                    "Nesterov's momentum needs a momentum",
                    help,
                ));
            }
            Ok(())
        }
        Optimizer::Adam {
            lr,
            betas,
            eps,
            weight_decay,
        }
        | Optimizer::Adamw {
            lr,
            betas,
            eps,
            weight_decay,
        } => {
            not_negative("lr", *lr)?;
            not_negative("eps", *eps)?;
            not_negative("weight_decay", *weight_decay)?;
            check_betas(*betas)
        }
        Optimizer::Rmsprop {
            lr,
            alpha,
            eps,
            weight_decay,
            momentum,
            ..
        } => {
            not_negative("lr", *lr)?;
            not_negative("eps", *eps)?;
            not_negative("weight_decay", *weight_decay)?;
            not_negative("momentum", *momentum)?;
            let fits = (0.0..1.0).contains(alpha);
            within("optimizer.alpha", *alpha, fits, "from 0 to below 1")
        }
        Optimizer::Lion {
            lr,
            betas,
            weight_decay,
        } => {
            not_negative("lr", *lr)?;
            not_negative("weight_decay", *weight_decay)?;
            check_betas(*betas)
        }
    }
}

fn check_betas(betas: [f64; 2]) -> Checked<()> {
    betas.iter().try_for_each(|beta| {
        within(
            "optimizer.betas",
            *beta,
            (0.0..1.0).contains(beta),
            "from 0 to below 1",
        )
    })
}

fn at_least_one(name: &str, value: u32) -> Checked<()> {
    within(name, f64::from(value), value >= 1, "1 or above")
}

fn within(argument: &str, value: f64, fits: bool, bounds: &str) -> Checked<()> {
    if fits && value.is_finite() {
        return Ok(());
    }
    let name = argument.rsplit('.').next().unwrap_or(argument);
    Err(Failure::new("B0207", format!("`{name}` is {value}, but must be {bounds}")).argument(argument))
}

fn out_of_range(argument: &str, message: &str, help: &str) -> Box<Failure> {
    Failure::new("B0207", message).argument(argument).help(help)
}

fn unfit(what: &str, needs: &str, argument: &str) -> Box<Failure> {
    Failure::new("B0203", format!("{what} needs {needs} as targets")).argument(argument)
}
